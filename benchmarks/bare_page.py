# SPDX-License-Identifier: AGPL-3.0-or-later
"""The bound of the register's figures: a handler that answers every request with the same bytes and headers.

Run by ``benchmarks/register.py`` as ``python -m benchmarks.bare_page PORT FILE``.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import uvicorn


def bare_app(body: bytes) -> Callable[..., Any]:
    headers = [(b"content-type", b"text/html; charset=utf-8"), (b"content-length", str(len(body)).encode())]
    start = {"type": "http.response.start", "status": 200, "headers": headers}
    rest = {"type": "http.response.body", "body": body}

    async def app(scope: Any, receive: Any, send: Any) -> None:
        await send(start)
        await send(rest)

    return app


def main() -> None:
    port, file = int(sys.argv[1]), Path(sys.argv[2])
    app = bare_app(file.read_bytes())
    uvicorn.run(app, port=port, loop="uvloop", http="httptools", lifespan="off", access_log=False, log_level="error")


if __name__ == "__main__":
    main()
