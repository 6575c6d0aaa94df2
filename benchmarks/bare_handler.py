# SPDX-License-Identifier: AGPL-3.0-or-later
"""The bound of the portal's figures: a handler that writes each body to a file of its own, or to one file, and syncs.

Run by the other programs as ``python -m benchmarks.bare_handler PORT FOLDER one|many``.
"""

import asyncio
import itertools
import os
import sys
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import uvicorn


def bare_app(folder: Path, one_file: bool) -> Callable[..., Any]:
    """Stream every body to the disk, sync, answer 201. With ``one_file``, bodies are gathered and appended to one."""
    threads = ThreadPoolExecutor(4)
    numbers = itertools.count()
    log = os.open(folder / "log", os.O_WRONLY | os.O_CREAT | os.O_APPEND)

    def append(body: bytes) -> None:
        os.write(log, body)
        os.fdatasync(log)

    def sync(file: int) -> None:
        os.fsync(file)
        os.close(file)

    async def app(scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] != "http":
            return
        loop = asyncio.get_running_loop()
        if one_file:
            body = b""
            while True:
                message = await receive()
                body += message.get("body", b"")
                if not message.get("more_body"):
                    break
            await loop.run_in_executor(threads, append, body)
        else:
            file = os.open(folder / str(next(numbers)), os.O_WRONLY | os.O_CREAT)
            while True:
                message = await receive()
                await loop.run_in_executor(threads, os.write, file, message.get("body", b""))
                if not message.get("more_body"):
                    break
            await loop.run_in_executor(threads, sync, file)
        await send({"type": "http.response.start", "status": 201, "headers": [(b"content-length", b"0")]})
        await send({"type": "http.response.body", "body": b""})

    return app


def main() -> None:
    port, folder, files = int(sys.argv[1]), Path(sys.argv[2]), sys.argv[3]
    app = bare_app(folder, files == "one")
    uvicorn.run(app, port=port, loop="uvloop", http="httptools", lifespan="off", access_log=False, log_level="error")


if __name__ == "__main__":
    main()
