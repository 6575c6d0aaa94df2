# SPDX-License-Identifier: AGPL-3.0-or-later
"""Several server processes under one: uvicorn's supervisor, which here tells a failed start from a crash.

- A worker that ends before any has served ends the program: the next one would fail like it.
- One that crashed after it has served is started again at once.
- One that fails at its start while others serve is started again after a pause, and each time it is said.
- When none is left that serves, the program ends, and says so by its exit status.
"""

import ctypes
import multiprocessing
import os
import signal
import socket
import sys
from collections.abc import Callable, Sequence
from time import monotonic

import uvicorn
from uvicorn.supervisors.multiprocess import Multiprocess, Process

START_AGAIN_SECONDS = 10.0
_PR_SET_PDEATHSIG = 1


class Workers(Multiprocess):
    """``say`` is given a line for each worker that ends by itself."""

    def __init__(self, config: uvicorn.Config, sockets: Sequence[socket.socket], say: Callable[[str], None]) -> None:
        super().__init__(config, list(sockets))
        self.failed = False
        self._say = say
        self._serving: set[int] = set()
        self._not_before: dict[int, float] = {}

    def keep_subprocess_alive(self) -> None:
        for index, process in enumerate(self.processes):
            if self.should_exit.is_set():
                return
            if index in self._not_before:
                self._start_again(index)
            elif process.is_alive(timeout=self.config.timeout_worker_healthcheck):
                self._note_serving(process)
            else:
                # One that hangs is there still.
                process.kill()
                process.join()
                self._replace(index, process)

    def _note_serving(self, process: Process) -> None:
        if process.pid not in self._serving and process.is_ready() and process.pid is not None:
            self._serving.add(process.pid)

    def _replace(self, index: int, process: Process) -> None:
        has_served = process.pid in self._serving
        self._serving.discard(process.pid or 0)
        for other in self.processes:
            if other.process.is_alive():
                self._note_serving(other)
        how = f"a server process has ended {'' if has_served else 'at its start '}(status {process.exitcode})"
        if has_served:
            self._say(f"{how}, and is started again")
            self._not_before[index] = 0
        elif self._serving:
            self._say(f"{how}, and is started again in {START_AGAIN_SECONDS:.0f} seconds")
            self._not_before[index] = monotonic() + START_AGAIN_SECONDS
        else:
            self._say(f"{how}, and no other one serves")
            self.failed = True
            self.should_exit.set()

    def _start_again(self, index: int) -> None:
        if monotonic() >= self._not_before[index]:
            del self._not_before[index]
            self.processes[index] = Process(self.config, self.sockets)
            self.processes[index].start()


def die_with_parent() -> None:
    """See that the system ends this server process at once when the one that started it is gone, however it ended.

    It would go on holding the port, with nobody to stop it. On Linux; elsewhere, or for a process of its own, nothing
    happens.
    """
    parent = multiprocessing.parent_process()
    prctl = getattr(ctypes.CDLL(None), "prctl", None)
    if parent is None or prctl is None or not sys.platform.startswith("linux"):
        return
    prctl(_PR_SET_PDEATHSIG, signal.SIGKILL, 0, 0, 0)
    if os.getppid() != parent.pid:
        # It ended before we said so.
        os.kill(os.getpid(), signal.SIGKILL)
