# SPDX-License-Identifier: AGPL-3.0-or-later
"""The demonstration ends when it is told to, however often and whenever that is."""

import argparse
import signal
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from oversight.demo import command
from oversight.demo.command import ENDING
from oversight.demo.programs import DemoError


@dataclass
class Program:
    """One that takes a while to end, in which it is told so again."""

    module: str
    ended: list[str]
    has_died: bool = False
    log: Path = field(default=Path("log"))

    def has_ended(self) -> bool:
        return self.has_died

    def stop(self) -> None:
        for which in ENDING:
            signal.raise_signal(which)
        self.ended.append(self.module)


@pytest.fixture
def ended(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The programs that were stopped, in order."""
    stopped: list[str] = []
    monkeypatch.setattr(command, "demo_portal", lambda *_: Program("portal", stopped))
    monkeypatch.setattr(command, "demo_office", lambda *_: Program("office", stopped))
    monkeypatch.setattr(command, "_start", lambda *_: {})
    monkeypatch.setattr(command, "_box", lambda _: "")
    return stopped


def serve(tmp_path: Path) -> int:
    options = argparse.Namespace(command="demo", folder=tmp_path, portal_port=0, office_port=0)
    return command.run(options)


def tell(which: signal.Signals) -> Callable[..., None]:
    def told(*_: object) -> None:
        signal.raise_signal(which)
        raise AssertionError("it goes on")

    return told


@pytest.mark.parametrize("which", ENDING)
@pytest.mark.parametrize("while_it", ["sleep", "_start"])
def test_it_stops_its_programs_and_ends_though_it_is_told_again(
    tmp_path: Path, ended: list[str], monkeypatch: pytest.MonkeyPatch, which: signal.Signals, while_it: str
) -> None:
    before = [signal.getsignal(each) for each in ENDING]
    if while_it == "sleep":
        monkeypatch.setattr(command.time, "sleep", tell(which))
    else:
        monkeypatch.setattr(command, "_start", tell(which))
    assert serve(tmp_path) == 0
    assert ended == ["office", "portal"]
    assert [signal.getsignal(each) for each in ENDING] == before


def test_it_says_which_program_ended_by_itself_and_stops_the_other(
    tmp_path: Path, ended: list[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(command, "demo_office", lambda *_: Program("office", ended, has_died=True))
    monkeypatch.setattr(command.time, "sleep", lambda _: None)
    with pytest.raises(DemoError, match="the office program ended"):
        serve(tmp_path)
    assert ended == ["office", "portal"]
