# SPDX-License-Identifier: AGPL-3.0-or-later
"""A program with two server processes that meet what a file says: ``python -m tests.portal.kit.failing_workers``."""

import os
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
from starlette.applications import Starlette

from portal.kit import workers
from portal.kit.listening import listen
from portal.kit.quiet_logging import quiet_logging

FOLDER = "AMPARO_TEST_FOLDER"


def application() -> Starlette:
    """What a server process runs; it writes down its id once it serves, and fails as the file ``fails`` says."""
    workers.die_with_parent()
    quiet_logging()
    folder = Path(os.environ[FOLDER])
    how = folder / "fails"
    says = how.read_text() if how.exists() else ""
    if says == "early":
        raise RuntimeError("the application can't be made")

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        if says == "late":
            raise RuntimeError("the application can't begin")
        (folder / f"worker-{os.getpid()}").touch()
        yield

    return Starlette(lifespan=lifespan)


def main(port: int) -> int:
    quiet_logging()
    workers.START_AGAIN_SECONDS = 0.0
    config = uvicorn.Config(f"{__spec__.name}:application", factory=True, workers=2, lifespan="on", log_config=None)
    supervisor = workers.Workers(config, listen("127.0.0.1", port), lambda line: print(line, file=sys.stderr))
    supervisor.run()
    return 1 if supervisor.failed else 0


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
