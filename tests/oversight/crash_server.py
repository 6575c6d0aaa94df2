# SPDX-License-Identifier: AGPL-3.0-or-later
"""Starts offices that are made to be killed: ``python -m tests.oversight.crash_server``, settings in the environment.

The program is loaded once. For every line on standard input it forks a process that runs what ``python -m oversight
serve`` runs, and prints its process id. That saves a second at every start.
"""

import os
import signal
import sys

from oversight.__main__ import main


def serve_forks() -> None:
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(0)
            os.dup2(2, 1)
            os._exit(main(["serve"]))
        print(child, flush=True)


if __name__ == "__main__":
    serve_forks()
