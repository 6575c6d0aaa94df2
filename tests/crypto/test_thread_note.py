# SPDX-License-Identifier: AGPL-3.0-or-later
"""A thread note says what the office knows of a thread and when, for the reporter alone, and always in one length."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.encoding import decode_base64
from crypto.errors import AuthenticationError, CryptoError, LimitError, MalformedError, NotARecipientError
from crypto.padding import THREAD_NOTE_SIZE
from crypto.sealed_document import seal_document
from crypto.thread_note import HELD_KEPT_MAX, ThreadNote, open_thread_note, read_text, seal_thread_note
from tests.vectors import expected_error, join_parts, load_vectors
from tests.vectors.commission import load_commission

ACME = load_commission()
MAILBOX = ACME.identities["S"]
OFFICE = ACME.keys["acme/office"]
SEALED_SIZE = 18_043
NOTE = ThreadNote(ACME.charter.realm, "0a" * 16, "0b" * 32, 1, date(2026, 5, 2), 1, ACME.charter.hash)
HELD = tuple(f"{number:032x}" for number in range(HELD_KEPT_MAX + 1))


def note_of(value: dict[str, Any]) -> ThreadNote:
    """The thread note that a vector spells out."""
    held = decode_base64(value["held"]["messages"])
    return ThreadNote(
        realm=value["realm"],
        submission=value["submission"],
        manifest=value["manifest"],
        number=value["number"],
        day=date.fromisoformat(value["day"]),
        charter_number=value["newest"]["number"],
        charter=value["newest"]["charter"],
        oldest_reply=value["replies"]["oldest"],
        last_reply=value["replies"]["last"],
        last_message=value["replies"]["message"],
        held_count=value["held"]["count"],
        held=tuple(held[at : at + 16].hex() for at in range(0, len(held), 16)),
        renewal=decode_base64(value["renewal"]) if value["renewal"] else b"",
    )


def read(vector, sealed, identity):
    charters = [ACME.charters[name] for name in vector["input"]["charters"]]
    if "error" in vector:
        with pytest.raises(expected_error(vector)):
            open_thread_note(sealed, identity, charters)
        return
    assert open_thread_note(sealed, identity, charters)[0] == note_of(vector["value"])


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("thread-note", "encode-thread-note"))
    def test_encoding(self, vector):
        assert note_of(vector["input"]).text().encode() == join_parts(vector["value"])

    @pytest.mark.parametrize("vector", load_vectors("thread-note", "read-thread-note"))
    def test_reading(self, vector):
        content = join_parts(vector["input"]["content"])
        read(vector, seal_document(content, THREAD_NOTE_SIZE, [MAILBOX.recipient()]), MAILBOX)

    @pytest.mark.parametrize("vector", load_vectors("thread-note", "open-thread-note"))
    def test_opening(self, vector):
        read(vector, join_parts(vector["input"]["sealed"]), ACME.identities[vector["input"]["identity"]])

    @pytest.mark.parametrize("vector", load_vectors("thread-note", "seal-thread-note"))
    def test_sealing(self, vector):
        key = ACME.keys[vector["input"]["key"]]
        assert len(seal_thread_note(note_of(vector["input"]), key, MAILBOX.recipient())) == vector["value"]


@st.composite
def notes(draw: st.DrawFn) -> ThreadNote:
    last = draw(st.integers(0, 1_000_000))
    held = draw(st.lists(st.binary(min_size=16, max_size=16), unique=True, max_size=HELD_KEPT_MAX))
    return replace(
        NOTE,
        number=draw(st.integers(1, 1_000_000)),
        day=draw(st.dates(date(2026, 1, 1))),
        oldest_reply=draw(st.integers(1, last + 1)) if last < 1_000_000 else draw(st.integers(1, last)),
        last_reply=last,
        last_message=draw(st.binary(min_size=16, max_size=16)).hex() if last else None,
        held_count=draw(st.integers(len(held), 1_000_000)),
        held=tuple(each.hex() for each in held),
        renewal=draw(st.binary(max_size=6 * 1024)),
    )


@given(notes())
@settings(max_examples=25)
def test_whatever_it_says_it_has_one_length_and_is_read_back_the_same(said):
    sealed = seal_thread_note(said, OFFICE, MAILBOX.recipient())
    assert len(sealed) == SEALED_SIZE
    opened, evidence = open_thread_note(sealed, MAILBOX, [ACME.charter])
    assert opened == said
    assert evidence.text == said.text()


def test_the_portal_reads_none_and_makes_none():
    sealed = seal_thread_note(NOTE, OFFICE, MAILBOX.recipient())
    with pytest.raises(NotARecipientError):
        open_thread_note(sealed, ACME.identities["stranger"], [ACME.charter])
    for name in ("portal.example", "acme/chair", "acme/stranger"):
        with pytest.raises(AuthenticationError):
            open_thread_note(seal_thread_note(NOTE, ACME.keys[name], MAILBOX.recipient()), MAILBOX, [ACME.charter])


def test_a_note_under_a_charter_that_is_not_known_proves_nothing():
    later = replace(NOTE, charter=ACME.charters["second"].hash, charter_number=2)
    sealed = seal_thread_note(later, OFFICE, MAILBOX.recipient())
    with pytest.raises(AuthenticationError):
        open_thread_note(sealed, MAILBOX, [ACME.charter])
    assert open_thread_note(sealed, MAILBOX, list(ACME.charters.values()))[0] == later


def test_it_names_up_to_256_follow_ups_and_counts_the_others():
    fullest = replace(NOTE, held_count=1_000_000, held=HELD[:HELD_KEPT_MAX])
    assert read_text(fullest.text()) == fullest
    with pytest.raises(LimitError):
        replace(fullest, held=HELD).text()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"number": 0}, LimitError),
        ({"number": 1_000_001}, LimitError),
        ({"realm": "x"}, MalformedError),
        ({"oldest_reply": 0}, LimitError),
        ({"oldest_reply": 2}, MalformedError),
        ({"last_reply": 1}, MalformedError),
        ({"last_message": "0c" * 16}, MalformedError),
        ({"held": HELD[:1]}, MalformedError),
        ({"held": HELD[:1] * 2, "held_count": 2}, MalformedError),
        ({"renewal": bytes(6 * 1024 + 1)}, LimitError),
    ],
)
def test_a_note_that_readers_would_refuse_is_not_made(changes, error):
    with pytest.raises(error):
        replace(NOTE, **changes).text()


def test_replies_that_all_expired_leave_the_number_of_the_last():
    expired = replace(NOTE, oldest_reply=4, last_reply=3, last_message="0c" * 16)
    assert read_text(expired.text()) == expired


def test_any_flipped_bit_is_found():
    sealed = seal_thread_note(NOTE, OFFICE, MAILBOX.recipient())
    for position in range(0, len(sealed), 997):
        altered = bytearray(sealed)
        altered[position] ^= 1
        with pytest.raises(CryptoError):
            open_thread_note(bytes(altered), MAILBOX, [ACME.charter])


def test_the_renewal_is_not_printed():
    assert "canary" not in repr(replace(NOTE, renewal=b"canary"))
