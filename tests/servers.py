# SPDX-License-Identifier: AGPL-3.0-or-later
"""The real programs as separate processes, on loopback and free ports, stopped by their process ids."""

import itertools
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import httpx

from crypto.note import VerifierKey
from tests.people import World, found_test_commission
from tests.waiting import SECONDS_MAX, wait_until

ROOT = Path(__file__).resolve().parent.parent
# Below the ports that Linux gives to outgoing connections (from 32768 on): one of those could take a port while its
# program is being started, and a connection to a port where nobody listens yet could meet itself.
_PORTS = range(20_000, 32_000)
_reserved: list[socket.socket] = []
_next_ports = itertools.cycle((*_PORTS[os.getpid() * 50 % len(_PORTS) :], *_PORTS))


def free_port() -> int:
    """A port of loopback that nobody listens on, and that no other process of the tests is given while this one lives.

    It is reserved by a name that the system knows only as long as we do: that of an abstract socket.
    """
    for port in itertools.islice(_next_ports, 2 * len(_PORTS)):
        reservation = socket.socket(socket.AF_UNIX)
        try:
            reservation.bind(f"\0amparo-tests-port-{port}")
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", port))
        except OSError:
            reservation.close()
            continue
        _reserved.append(reservation)
        return port
    raise RuntimeError("no port of loopback is free")


def is_open(port: int) -> bool:
    """Whether somebody listens on this port of loopback."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


@dataclass
class Program:
    """``python -m <module> serve`` with its settings; starts, stops, and can be killed as a crash would."""

    module: str
    port: int
    settings: Mapping[str, str]
    log: Path
    files: int = 0
    """How many it may open at once; 0 for what the tests may."""
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def environment(self) -> dict[str, str]:
        kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
        return {**kept, "PYTHONPATH": str(ROOT), "PYTHONUNBUFFERED": "1", **self.settings}

    def run(self, *arguments: str, timeout_seconds: int = SECONDS_MAX, status: int = 0) -> str:
        """Run another command of the same program and return what it prints; fails with its error text, unless it ends
        with this status."""
        command = [sys.executable, "-m", self.module, *arguments]
        done = subprocess.run(
            command, env=self.environment(), capture_output=True, text=True, timeout=timeout_seconds, check=False
        )
        assert done.returncode == status, done.stderr
        return done.stdout

    def start(self) -> None:
        """Start serving and return once the port answers; the program's output goes to the log file."""
        self.launch()
        self.wait_until_up()

    def launch(self) -> None:
        """Start serving, and return at once."""
        command = [sys.executable, "-m", self.module, "serve"]
        if self.files:
            command = ["prlimit", f"--nofile={self.files}:{self.files}", "--", *command]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(command, env=self.environment(), stdout=log, stderr=log)

    def wait_until_up(self) -> None:
        wait_until(self._is_up, f"{self.module} answers")

    def _is_up(self) -> bool:
        if self._process is None or self._process.poll() is not None:
            raise RuntimeError(f"{self.module} ended at start: {self.log.read_text()[-2000:]}")
        return is_open(self.port)

    @property
    def pid(self) -> int:
        assert self._process is not None
        return self._process.pid

    def kill(self) -> None:
        """End it at once, as a power cut would."""
        self._end(signal.SIGKILL)

    def stop(self) -> None:
        """Ask it to end, and see that it does."""
        self._end(signal.SIGTERM)

    def _end(self, how: signal.Signals) -> None:
        if self._process is None:
            return
        if self._process.poll() is None:
            self._process.send_signal(how)
            try:
                self._process.wait(SECONDS_MAX)
            except subprocess.TimeoutExpired:
                self._process.kill()
                self._process.wait(SECONDS_MAX)
        self._process = None


def portal_program(folder: Path, **more: str) -> Program:
    """A portal with its data in ``folder``; ``more`` are further settings by their names."""
    port = free_port()
    settings = {
        "PORTAL_ORIGIN": f"http://127.0.0.1:{port}",
        "PORTAL_DATA": str(folder / "portal"),
        "PORTAL_HOST": "127.0.0.1",
        "PORTAL_PORT": str(port),
        **more,
    }
    return Program("portal", port, settings, folder / "portal.log")


def office_program(folder: Path, portal: Program, **more: str) -> Program:
    """An office that pulls from ``portal`` every second, with its data in ``folder``."""
    port = free_port()
    settings = {
        "OVERSIGHT_ORIGIN": f"http://127.0.0.1:{port}",
        "OVERSIGHT_DATA": str(folder / "office"),
        "OVERSIGHT_PORTAL_URL": portal.origin,
        "OVERSIGHT_HOST": "127.0.0.1",
        "OVERSIGHT_PORT": str(port),
        **more,
    }
    return Program("oversight", port, settings, folder / "office.log")


def post_test_charter(portal: Program) -> World:
    """Found the test commission on a running portal, with an invitation of its operator's."""
    about = httpx.get(f"{portal.origin}/api/v1/portal", timeout=SECONDS_MAX).json()
    world = found_test_commission(portal.origin, VerifierKey.parse(about["verifier"]), realm=about["realm"])
    invitation = portal.run("invite", world.slug).split()[-1]
    answer = httpx.post(
        f"{portal.origin}/api/v1/charters",
        content=world.charter.note,
        headers={"amparo-invitation": invitation},
        timeout=SECONDS_MAX,
    )
    assert answer.status_code == 201, answer.text
    return world
