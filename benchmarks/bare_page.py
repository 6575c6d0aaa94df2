# SPDX-License-Identifier: AGPL-3.0-or-later
"""The bound of the register's figures: a handler that answers every request with the same bytes and headers.

Run by ``benchmarks/register.py`` as ``python -m benchmarks.bare_page PORT FILE HEADERS``, whose last is a file with a
list of names and values in JSON.
"""

import json
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import uvicorn


def bare_app(body: bytes, headers: Sequence[tuple[str, str]]) -> Callable[..., Any]:
    raw = [(name.encode("latin-1"), value.encode("latin-1")) for name, value in headers]
    start = {"type": "http.response.start", "status": 200, "headers": raw}
    rest = {"type": "http.response.body", "body": body}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start)
        await send(rest)

    return app


def main() -> None:
    port, body, headers = int(sys.argv[1]), Path(sys.argv[2]).read_bytes(), json.loads(Path(sys.argv[3]).read_text())
    options: dict[str, Any] = {"access_log": False, "server_header": False, "log_level": "error"}
    uvicorn.run(bare_app(body, headers), port=port, loop="uvloop", http="httptools", lifespan="off", **options)


if __name__ == "__main__":
    main()
