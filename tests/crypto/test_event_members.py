# SPDX-License-Identifier: AGPL-3.0-or-later
"""What each type of event may say: every member at its bounds (docs/protocol.md §13.2), and nothing beyond them."""

import json
from typing import Any

import pytest

from crypto.encoding import encode_base64, encode_json
from crypto.errors import CryptoError, LimitError, MalformedError
from crypto.event import PART_FLOOR, PART_MAX, SEALED_MAX, Event, SignedEvent, read_event
from crypto.grant import CaseGrant, read_case_grant
from crypto.note import Note, sign
from tests.crypto.editing import taken, with_one_member_less, with_one_member_more
from tests.vectors import join_parts, load_vectors
from tests.vectors.commission import load_commission

ACME = load_commission()
CHARTERS = {charter.hash: charter for charter in ACME.charters.values()}


def base_values() -> dict[str, Any]:
    """An event of every type that the vectors hold, as JSON: by its type."""
    found = {}
    for (vector,) in (param.values for param in load_vectors("event", "read") + load_vectors("event", "open-part")):
        if "error" not in vector:
            value = json.loads(Note.parse(join_parts(vector["input"]["note"])).text)
            found[value["type"]] = value
    return found


EVENTS = base_values()
SEALED = EVENTS["noted"]["sealed"]


def read_value(value: Any) -> SignedEvent:
    key = ACME.keys.get(f"acme/{value.get('actor')}", ACME.keys["acme/chair"])
    return read_event(sign(encode_json(value).decode() + "\n", [key]).encode(), CHARTERS)


def read_public(kind: str, **said: Any) -> SignedEvent:
    """An event of this type that says something else in its public part."""
    return read_value({**EVENTS[kind], "public": {**EVENTS[kind]["public"], **said}})


def ids(count: int) -> list[str]:
    return [f"{number:032x}" for number in range(count)]


def labels(count: int) -> list[str]:
    return [f"member-{number}" for number in range(count)]


FITS: list[tuple[str, str, Any]] = [
    ("opened", "number", "C-2026-0001"),
    ("opened", "number", "C-2026-1234567"),
    ("opened", "policy", "a"),
    ("opened", "policy", "0" * 40),
    ("opened", "reports", ids(1)),
    ("opened", "reports", ids(256)),
    ("opened", "holders", labels(63)),
    ("opened", "generation", 1),
    ("declared", "granted", []),
    ("declared", "granted", ids(256)),
    ("declared", "conflict", True),
    ("recused", "generation", 2),
    ("recused", "generation", 1000),
    ("left", "member", "a" * 31),
    ("moved", "from", "A"),
    ("moved", "to", "A" * 32),
    ("moved", "ground", None),
    ("moved", "ground", "g" * 40),
    ("clock-extended", "clock", "c" * 40),
    ("replied", "purpose", "message"),
    ("replied", "purpose", "acknowledgement"),
    ("replied", "purpose", "feedback"),
    ("drafted", "revision", 1),
    ("drafted", "revision", 100_000),
    ("checked", "outcome", "pass"),
    ("checked", "outcome", "warn"),
    ("checked", "outcome", "block"),
    ("published", "finding", "F"),
    ("published", "finding", "F" * 80),
    ("published", "finding", "XFI:ZZ:ACME:2026:F.0001_a-b"),
    ("recommendation-status", "status", "s" * 40),
    ("recommendation-status", "recommendation", "r" * 80),
    ("signed", "signature", encode_base64(bytes(64))),
]

REFUSED: list[tuple[str, str, Any]] = [
    ("opened", "number", "C-2026-001"),
    ("opened", "number", "C-2026-12345678"),
    ("opened", "number", "C-26-0001"),
    ("opened", "policy", ""),
    ("opened", "policy", "0" * 41),
    ("opened", "policy", "-a"),
    ("opened", "reports", []),
    ("opened", "reports", ids(257)),
    ("opened", "reports", ids(1) * 2),
    ("opened", "reports", ["0" * 31]),
    ("opened", "reports", ["0" * 33]),
    ("opened", "holders", []),
    ("opened", "holders", labels(64)),
    ("opened", "holders", ["member", "member"]),
    ("opened", "generation", 0),
    ("opened", "generation", 2),
    ("opened", "grant_sha256", "0" * 63),
    ("opened", "recipient", "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"),
    ("opened", "received", "2026-5-1"),
    ("report-added", "report", "0" * 31),
    ("declared", "granted", ids(257)),
    ("declared", "conflict", 1),
    ("recused", "generation", 1),
    ("recused", "generation", 1001),
    ("left", "member", "a" * 32),
    ("assigned", "member", "Chair"),
    ("moved", "from", ""),
    ("moved", "to", "A" * 33),
    ("moved", "to", "a"),
    ("moved", "ground", "g" * 41),
    ("moved", "ground", "G"),
    ("approved", "subject", "0" * 63),
    ("clock-extended", "clock", "c" * 41),
    ("clock-extended", "due", "tomorrow"),
    ("replied", "purpose", "joke"),
    ("replied", "message", "0" * 33),
    ("drafted", "revision", 0),
    ("drafted", "revision", 100_001),
    ("drafted", "text_sha256", "0" * 65),
    ("checked", "outcome", "maybe"),
    ("published", "finding", ""),
    ("published", "finding", "F" * 81),
    ("published", "finding", ".F"),
    ("published", "note_sha256", "0"),
    ("published", "revision", 0),
    ("corrected", "revision", 100_001),
    ("recommendation-status", "status", "s" * 41),
    ("recommendation-status", "recommendation", "r" * 81),
    ("signed", "signature", encode_base64(bytes(63))),
    ("signed", "signature", encode_base64(bytes(65))),
    ("signed", "signature", "A" * 129),
]


@pytest.mark.parametrize("kind", EVENTS)
def test_an_event_of_every_type_has_the_members_of_its_type_and_no_others(kind: str) -> None:
    value = EVENTS[kind]
    assert read_value(value).type == kind
    assert taken(with_one_member_more(value), read_value) == []
    assert taken(with_one_member_less(value), read_value) == []


@pytest.mark.parametrize(("kind", "member", "value"), FITS, ids=lambda part: str(part)[:20])
def test_a_member_at_its_bounds_is_read(kind: str, member: str, value: Any) -> None:
    assert json.loads(Event.text(read_public(kind, **{member: value})))["public"][member] == value


@pytest.mark.parametrize(("kind", "member", "value"), REFUSED, ids=lambda part: str(part)[:20])
def test_a_member_beyond_its_bounds_is_refused(kind: str, member: str, value: Any) -> None:
    with pytest.raises((MalformedError, LimitError)):
        read_public(kind, **{member: value})


@pytest.mark.parametrize("kind", EVENTS)
def test_a_type_says_whether_there_is_a_sealed_part(kind: str) -> None:
    """Of each type: must there be one, may there be one, or may there be none?"""
    must = {
        "opened", "report-added", "recused", "left", "proposed", "returned", "waived", "noted", "party-added",
        "clock-extended", "drafted", "checked",
    }  # fmt: skip
    may = must | {"declared", "moved", "approved", "recommendation-status"}
    for sealed, is_read in ((None, kind not in must), (SEALED, kind in may)):
        value = {**EVENTS[kind], "sealed": sealed}
        if is_read:
            assert (read_value(value).sealed is None) == (sealed is None)
        else:
            with pytest.raises(MalformedError, match="sealed part"):
                read_value(value)


def test_limits_are_those_of_the_protocol() -> None:
    assert (PART_FLOOR, PART_MAX, SEALED_MAX) == (1024, 524_288, 700_000)


@pytest.mark.parametrize(("member", "value"), [("sequence", 2**53 - 1), ("previous", None), ("actor", "former")])
def test_what_is_around_the_public_part_is_read_to_its_bounds(member: str, value: Any) -> None:
    assert getattr(read_value({**EVENTS["declared"], member: value}), member) == value


@pytest.mark.parametrize(
    ("member", "value"),
    [
        ("sequence", -1), ("sequence", 2**53), ("previous", "0" * 63), ("case", "0" * 33), ("type", "joke"),
        ("type", "Declared"), ("type", "d" * 41), ("time", "2026-05-03T10:00:00+00:00"), ("time", "2026-05-03"),
        ("sealed", ""), ("sealed", "A" * 1_000_000),
    ],
    ids=lambda part: str(part)[:20],
)  # fmt: skip
def test_and_refused_beyond_them(member: str, value: Any) -> None:
    with pytest.raises(CryptoError):
        read_value({**EVENTS["declared"], member: value})


@pytest.mark.parametrize(("generation", "is_read"), [(0, False), (1, True), (1000, True), (1001, False)])
def test_a_case_has_at_most_a_thousand_generations(generation: int, is_read: bool) -> None:
    encoded = CaseGrant("0a" * 16, generation, ACME.identities["thread"]).encode()
    if is_read:
        assert read_case_grant(encoded).generation == generation
    else:
        with pytest.raises(LimitError):
            read_case_grant(encoded)
