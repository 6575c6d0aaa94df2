# SPDX-License-Identifier: AGPL-3.0-or-later
"""Starts portals that are made to be killed: ``python -m tests.portal.crash_server``, settings in the environment.

The program is loaded once. For every line on standard input it forks a portal, a separate process with the real
server, database and files, and prints its process id. That saves half a second at every start.
"""

import os
import signal
import sys

import uvicorn

from portal.app import create_app
from portal.kit.quiet_logging import quiet_logging
from portal.settings import Settings


def serve(settings: Settings) -> None:
    quiet_logging()
    config = uvicorn.Config(
        create_app(settings),
        host=settings.host,
        port=settings.port,
        loop="uvloop",
        http="httptools",
        lifespan="on",
        access_log=False,
        log_config=None,
    )
    uvicorn.Server(config).run()


def main() -> None:
    settings = Settings.from_environment(os.environ)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(0)
            serve(settings)
            os._exit(0)
        print(child, flush=True)


if __name__ == "__main__":
    main()
