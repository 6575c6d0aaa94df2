# SPDX-License-Identifier: AGPL-3.0-or-later
"""A machine of the tests on which the portal or an office runs, and what can happen to it.

``python -m tests.endurance.machine portal|oversight`` loads the program once. For every line on standard input it forks
a process that runs what ``serve`` runs, and prints its process id: that saves a second at every start. The clock is the
machine's own, and so many days off as a file says.
"""

import os
import signal
import subprocess
import sys
from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path

from tests.servers import ROOT, free_port, is_open
from tests.waiting import SECONDS_MAX, wait_until

CLOCK = "AMPARO_TESTS_CLOCK"
SWEEP_SECONDS = 1.0
PIECE_BYTES = 64 * 1024


class NoSmallDiskError(Exception):
    """A small disk can be mounted by root only."""


class Machine:
    """One program, in ``folder``: it starts quickly, dies without warning, stands still, has a clock and a disk."""

    def __init__(self, module: str, folder: Path, settings: Mapping[str, str], disk_bytes: int = 0) -> None:
        """``disk_bytes`` is the size of a disk of its own, in memory; 0 for none. Raises NoSmallDiskError."""
        self.folder = folder
        self.data = folder / "data"
        self.data.mkdir(parents=True)
        self.port = free_port()
        self.pid = 0
        self._is_mounted = False
        if disk_bytes:
            self._mount(disk_bytes)
        self._clock = folder / "clock"
        self.set_clock(0)
        prefix = module.upper()
        self.environment = {
            "PATH": os.environ["PATH"],
            "PYTHONPATH": str(ROOT),
            CLOCK: str(self._clock),
            f"{prefix}_DATA": str(self.data),
            f"{prefix}_PORT": str(self.port),
            **settings,
        }
        self.log = folder / "log"
        with self.log.open("ab") as log:
            self._forks = subprocess.Popen(
                [sys.executable, "-m", "tests.endurance.machine", module],
                env=self.environment,
                cwd=ROOT,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=log,
            )

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def launch(self) -> None:
        """Start the program, and return at once."""
        assert self._forks.stdin is not None
        assert self._forks.stdout is not None
        self._forks.stdin.write(b"start\n")
        self._forks.stdin.flush()
        self.pid = int(self._forks.stdout.readline())

    def start(self) -> None:
        """Start the program, unless it runs, and return once it answers."""
        if not self.is_alive():
            self.launch()
        wait_until(self._is_up, "the program comes back")

    def _is_up(self) -> bool:
        assert self.is_alive(), f"the program did not come back: {self.log.read_text()[-2000:]}"
        return is_open(self.port)

    def is_alive(self) -> bool:
        return self.pid != 0 and Path(f"/proc/{self.pid}").exists()

    def kill(self) -> None:
        """End it as a power cut would; unless it ended by itself."""
        with suppress(ProcessLookupError):
            os.kill(self.pid, signal.SIGKILL)
        wait_until(lambda: not self.is_alive(), "the program is gone")
        self.pid = 0

    def freeze(self) -> None:
        """From here on it stands still: what is sent to it is taken by the system, and nothing comes back."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def set_clock(self, days: int) -> None:
        """So many days ahead of the right time, or behind it."""
        fresh = self._clock.with_suffix(".new")
        fresh.write_text(str(days))
        fresh.replace(self._clock)

    def fill_disk(self, left_bytes: int) -> None:
        """Take all of the disk that is free but for so many bytes, as another program would."""
        with self._filler.open("ab") as file:
            for size in (PIECE_BYTES, 4096, 1):
                with suppress(OSError):
                    while True:
                        os.write(file.fileno(), bytes(size))
            file.truncate(max(0, file.tell() - left_bytes))

    def free_disk(self) -> None:
        self._filler.unlink(missing_ok=True)

    @property
    def _filler(self) -> Path:
        return self.data / "filler"

    def close(self) -> None:
        if self.pid:
            self.kill()
        # Ends its input, reads what is left of its output, and waits for it.
        self._forks.communicate(timeout=SECONDS_MAX)
        if self._is_mounted:
            subprocess.run(["umount", str(self.data)], check=True)

    def _mount(self, size: int) -> None:
        command = ["mount", "-t", "tmpfs", "-o", f"size={size}", "tmpfs", str(self.data)]
        if subprocess.run(command, capture_output=True, check=False).returncode:
            raise NoSmallDiskError("a small disk can be mounted by root only")
        self._is_mounted = True


# In the process that forks


def _now(clock: Path) -> datetime:
    return datetime.now(UTC) + timedelta(days=int(clock.read_text()))


def _serve(module: str, clock: Path) -> int:
    """Run ``python -m <module> serve`` by our clock."""
    now = partial(_now, clock)
    if module == "portal":
        from portal import __main__ as portal
        from portal import app, assembly

        # Each hour is too rare for a clock that is wrong for a second.
        assembly.MINUTE_SECONDS = SWEEP_SECONDS / assembly.SWEEP_MINUTES
        app.create_app = partial(app.create_app, clock=now)
        return portal.main(["serve"])
    from oversight import __main__ as oversight

    oversight.create_app = partial(oversight.create_app, clock=now)
    return oversight.main(["serve"])


def _load(module: str) -> None:
    if module == "portal":
        pass
    else:
        import oversight.__main__  # noqa: F401


def _serve_forks(module: str, clock: Path) -> None:
    _load(module)
    signal.signal(signal.SIGCHLD, signal.SIG_IGN)
    for _ in sys.stdin:
        child = os.fork()
        if child == 0:
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            os.close(0)
            os.dup2(2, 1)
            os._exit(_serve(module, clock))
        print(child, flush=True)


if __name__ == "__main__":
    _serve_forks(sys.argv[1], Path(os.environ[CLOCK]))
