# SPDX-License-Identifier: AGPL-3.0-or-later
"""Several server processes under one: a failed start ends the program, a crash does not, and none is left."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.portal.kit.failing_workers import FOLDER
from tests.servers import ROOT, free_port
from tests.waiting import SECONDS_MAX, wait_until


class Supervised:
    """The program of ``failing_workers``, and what it writes into its folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.log = folder / "log"
        command = [sys.executable, "-m", "tests.portal.kit.failing_workers", str(free_port())]
        environment = {**os.environ, FOLDER: str(folder), "PYTHONPATH": str(ROOT)}
        with self.log.open("wb") as log:
            self.process = subprocess.Popen(command, env=environment, stdout=log, stderr=log)

    def serving(self) -> list[int]:
        """The server processes that have served, and live."""
        ids = [int(path.name.removeprefix("worker-")) for path in self.folder.glob("worker-*")]
        return [each for each in ids if _lives(each)]

    def said(self) -> list[str]:
        return self.log.read_text().splitlines()

    def wait_for_serving(self) -> list[int]:
        wait_until(lambda: len(self.serving()) == 2, "two serve")
        return self.serving()

    def fail(self, how: str) -> None:
        (self.folder / "fails").write_text(how)


@pytest.fixture
def begin(tmp_path: Path) -> Iterator[list[Supervised]]:
    begun: list[Supervised] = []
    yield begun
    for each in begun:
        each.process.kill()
        each.process.wait(SECONDS_MAX)


@pytest.mark.parametrize("how", ["early", "late"])
def test_a_start_that_fails_in_the_server_process_ends_the_program_and_is_said(
    how: str, begin: list[Supervised], tmp_path: Path
) -> None:
    (tmp_path / "fails").write_text(how)
    begin.append(Supervised(tmp_path))
    assert begin[0].process.wait(SECONDS_MAX) == 1
    assert any("has ended at its start" in line and "no other one serves" in line for line in begin[0].said())


def test_one_that_crashes_is_started_again_and_said(begin: list[Supervised], tmp_path: Path) -> None:
    begin.append(Supervised(tmp_path))
    first, second = begin[0].wait_for_serving()
    _kill(begin[0], first)
    assert second in begin[0].wait_for_serving()
    assert any("(status -9), and is started again" in line for line in begin[0].said())
    begin[0].process.terminate()
    assert begin[0].process.wait(SECONDS_MAX) == 0
    assert begin[0].serving() == []


def test_one_that_fails_while_another_serves_is_tried_again_and_again_and_each_time_said(
    begin: list[Supervised], tmp_path: Path
) -> None:
    begin.append(Supervised(tmp_path))
    first, _ = begin[0].wait_for_serving()
    begin[0].fail("late")
    _kill(begin[0], first)
    wait_until(lambda: sum("at its start" in line for line in begin[0].said()) >= 2, "it is tried again")
    assert begin[0].process.poll() is None
    (tmp_path / "fails").unlink()
    begin[0].wait_for_serving()


def test_no_server_process_is_left_when_the_main_one_is_killed(begin: list[Supervised], tmp_path: Path) -> None:
    begin.append(Supervised(tmp_path))
    left = begin[0].wait_for_serving()
    begin[0].process.kill()
    begin[0].process.wait(SECONDS_MAX)
    wait_until(lambda: not any(map(_lives, left)), "none is left")
    assert not begin[0].serving()


def _kill(program: Supervised, victim: int) -> None:
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: victim not in program.serving(), "it is gone")


def _lives(process: int) -> bool:
    """Whether there is such a process that has not ended: one that nobody has waited for yet has no command line."""
    try:
        return bool(Path(f"/proc/{process}/cmdline").read_bytes())
    except OSError:
        return False
