# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever bytes come, a parser reads or refuses them: some of what ``python -m tests.fuzz`` tries for hours."""

import ast
import sys
from collections.abc import Callable
from pathlib import Path
from random import Random
from types import FrameType

import pytest

from crypto.errors import MalformedError
from tests.conftest import ROOT
from tests.fuzz.crypto_parsers import load_parsers
from tests.fuzz.parser import Parser, shortest
from tests.fuzz.program_parsers import load_program_parsers

PARSERS = {parser.name: parser for parser in (*load_parsers(), *load_program_parsers())}
INPUTS = 100
PREFIXES = ("read_", "parse_", "decode", "open_", "unpad_")
SEALED = "opens an age file, then reads what is in it with a reader that is here"
ELSEWHERE = {
    "event_fields.read_by": "makes a field of a dataclass",
    "grant.open_case_grant": SEALED,
    "grant.open_grant": SEALED,
    "grant.open_thread_grant": SEALED,
    "keyring.open_bytes": "opens with a key; its tests alter every byte",
    "keyring.open_keyring": "takes as long as a passphrase does; its tests alter every byte",
    "mailbox_reader.read_chain": "the portals of tests/crypto/test_mailbox_reader.py lie to it",
    "mailbox_reader.read_mailbox": "the portals of tests/crypto/test_mailbox_reader.py lie to it",
    "message.open_follow_up": SEALED,
    "message.open_reply": SEALED,
    "report.open_report": SEALED,
    "state.open_state": SEALED,
    "thread_note.open_thread_note": SEALED,
    "urgency.open_urgency": SEALED,
}


def parsing_functions() -> set[str]:
    """The public functions of ``crypto`` that read something, as ``module.function``."""
    return {
        f"{path.stem}.{node.name}"
        for path in (ROOT / "crypto").glob("*.py")
        for node in ast.parse(path.read_text(encoding="utf-8")).body
        if isinstance(node, ast.FunctionDef) and node.name.startswith(PREFIXES)
    }


def reached() -> set[str]:
    """The functions of ``crypto`` that run when every parser reads its valid inputs."""
    found: set[str] = set()

    def note(frame: FrameType, event: str, _: object) -> None:
        if event == "call":
            path = Path(frame.f_code.co_filename)
            if path.parent == ROOT / "crypto":
                found.add(f"{path.stem}.{frame.f_code.co_name}")

    sys.setprofile(note)
    try:
        for parser in PARSERS.values():
            for data in parser.inputs:
                parser.fault(data)
    finally:
        sys.setprofile(None)
    return found


@pytest.fixture
def parser(request: pytest.FixtureRequest) -> Parser:
    return PARSERS[request.param]


@pytest.mark.parametrize("parser", PARSERS, indirect=True)
def test_valid_inputs_are_read(parser: Parser) -> None:
    assert [data for data in parser.inputs if not parser.accepts(data) or parser.fault(data)] == []


@pytest.mark.parametrize("parser", PARSERS, indirect=True)
def test_altered_inputs_are_read_or_refused_in_the_ways_that_are_documented(parser: Parser, rng: Random) -> None:
    faults = []
    for _ in range(INPUTS):
        data = parser.altered(rng)
        if fault := parser.fault(data):
            faults.append(f"{fault}: {data.hex()}")
    assert faults == []


def test_every_function_that_reads_is_fuzzed() -> None:
    assert parsing_functions() - reached() == ELSEWHERE.keys()


def refuse(data: bytes) -> None:
    raise MalformedError("refused")


def fail(data: bytes) -> None:
    if b"!" in data:
        raise KeyError("a fault of the reader")


@pytest.mark.parametrize(
    ("read", "write", "fault"),
    [
        (refuse, None, None),
        (bytes, bytes, None),
        (fail, None, "raised KeyError"),
        (bytes, lambda read: read + b".", "wrote something else"),
    ],
    ids=["refusing", "reading", "failing", "writing otherwise"],
)
def test_a_parser_at_fault_is_found_out(
    read: Callable[[bytes], object], write: Callable[[object], bytes] | None, fault: str | None
) -> None:
    found = Parser("made up", [b"a!"], [], read, write).fault(b"a!")
    assert found is None if fault is None else found is not None and found.startswith(fault)


def test_an_input_at_fault_is_made_shorter() -> None:
    parser = Parser("made up", [], [], fail)
    assert shortest(b"a" * 500 + b"!" + b"b" * 77, lambda data: parser.fault(data) is not None) == b"!"
    long = b"a" * 5000 + b"!"
    assert b"!" in shortest(long, lambda data: parser.fault(data) is not None, tries=5)


def test_one_seed_alters_inputs_the_same_way_again() -> None:
    for parser in PARSERS.values():
        once, again = ([parser.altered(Random(f"{seed} {parser.name}")) for seed in range(20)] for _ in range(2))
        assert once == again
