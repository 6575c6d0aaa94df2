# SPDX-License-Identifier: AGPL-3.0-or-later
"""The portal and the office of the demonstration, as processes of this machine."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

START_SECONDS_MAX = 60
STOP_SECONDS_MAX = 15
COMMAND_SECONDS_MAX = 60
LOOPBACK = "127.0.0.1"
START_KEY = "start.key"


class DemoError(Exception):
    """The demonstration can't go on; the message says why, and what to do."""


@dataclass
class Server:
    """``python -m <module> serve`` on a port of loopback, with its output in a file of the demonstration's folder."""

    module: str
    port: int
    settings: Mapping[str, str]
    log: Path
    _process: subprocess.Popen[bytes] | None = field(default=None, repr=False)

    @property
    def url(self) -> str:
        return f"http://{LOOPBACK}:{self.port}"

    def start(self) -> None:
        """Return when the port answers. Raises DemoError when it is taken, or the program ends instead."""
        if _answers(self.port):
            raise DemoError(f"port {self.port} is taken: choose others with PORTAL_PORT= and OFFICE_PORT=")
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(self._command("serve"), env=self._environment(), stdout=log, stderr=log)
        deadline = time.monotonic() + START_SECONDS_MAX
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                raise DemoError(f"the {self.module} program ended at its start; {self.log} says why")
            if _answers(self.port):
                return
            time.sleep(0.05)
        raise DemoError(f"the {self.module} program did not answer within {START_SECONDS_MAX} seconds")

    def run(self, *arguments: str) -> str:
        """What another command of the same program prints. Raises DemoError with its error text."""
        done = subprocess.run(
            self._command(*arguments),
            env=self._environment(),
            capture_output=True,
            text=True,
            timeout=COMMAND_SECONDS_MAX,
            check=False,
        )
        if done.returncode != 0:
            raise DemoError(done.stderr.strip())
        return done.stdout.strip()

    def has_ended(self) -> bool:
        return self._process is not None and self._process.poll() is not None

    def stop(self) -> None:
        """Ask the process to end, and see that it does."""
        if self._process is None or self._process.poll() is not None:
            return
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS_MAX)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait(STOP_SECONDS_MAX)

    def _command(self, *arguments: str) -> list[str]:
        return [sys.executable, "-m", self.module, *arguments]

    def _environment(self) -> dict[str, str]:
        ours = ("PORTAL_", "OVERSIGHT_")
        return {**{key: value for key, value in os.environ.items() if not key.startswith(ours)}, **self.settings}


def demo_portal(folder: Path, port: int) -> Server:
    """The portal, with its data in ``folder``."""
    settings = {
        "PORTAL_ORIGIN": f"http://{LOOPBACK}:{port}",
        "PORTAL_DATA": str(folder / "portal"),
        "PORTAL_HOST": LOOPBACK,
        "PORTAL_PORT": str(port),
    }
    return Server("portal", port, settings, folder / "portal.log")


def demo_office(folder: Path, port: int, portal: Server) -> Server:
    """The office, which visits the portal every few seconds."""
    settings = {
        "OVERSIGHT_DATA": str(folder / "office"),
        "OVERSIGHT_PORTAL_URL": portal.url,
        "OVERSIGHT_ORIGIN": f"http://{LOOPBACK}:{port}",
        "OVERSIGHT_HOST": LOOPBACK,
        "OVERSIGHT_PORT": str(port),
        "OVERSIGHT_COLLECT_SECONDS": "5",
        "OVERSIGHT_START_KEY": str(folder / START_KEY),
        "OVERSIGHT_IDLE_MINUTES": "120",
    }
    return Server("oversight", port, settings, folder / "office.log")


def _answers(port: int) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex((LOOPBACK, port)) == 0
