# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever a state says, it has one length; and only the receipt code authenticates it."""

import json
from dataclasses import replace
from datetime import date

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.age import PqIdentity
from crypto.encoding import encode_json
from crypto.errors import AuthenticationError, CryptoError, LimitError, MalformedError, UnsupportedVersionError
from crypto.sealed_document import document_mac, seal_document
from crypto.state import SENT_KEPT_MAX, Sent, State, ThreadState, open_state, read_state, seal_state
from crypto.thread_keys import ThreadKeys
from tests.vectors.commission import load_commission

ACME = load_commission()
KEY = ACME.mailbox.state_mac
SEALED_SIZE = 18_043
COUNT_MAX = 1_000_000
KEYS = ThreadKeys(0, ACME.identities["R"].recipient(), ACME.mailbox.message_mac)
THREAD = ThreadState("0a" * 16, "0b" * 32, ACME.charter.hash, (), KEYS)
STATE = State(ACME.charter.realm, THREAD, 1, ACME.charter.hash)
SENT = tuple(Sent(f"{number:032x}", date(2026, 5, 4)) for number in range(SENT_KEPT_MAX + 1))

COUNTS = st.integers(0, COUNT_MAX)
LABELS = st.lists(st.from_regex(r"[a-z][a-z0-9-]{0,30}", fullmatch=True), unique=True, max_size=63)
MESSAGES = st.lists(
    st.builds(Sent, st.binary(min_size=16, max_size=16).map(bytes.hex), st.dates()), max_size=SENT_KEPT_MAX
)


@st.composite
def states(draw: st.DrawFn) -> State:
    sent = tuple(draw(MESSAGES))
    thread = replace(
        THREAD,
        excluded=tuple(sorted(draw(LABELS))),
        keys=replace(
            KEYS, generation=draw(st.integers(0, 1000)), message_mac=draw(st.binary(min_size=32, max_size=32))
        ),
        note=draw(COUNTS),
        reply=draw(COUNTS),
        deleted=draw(COUNTS),
        sent_count=draw(st.integers(len(sent), COUNT_MAX)),
        sent=sent,
    )
    return State(draw(st.binary(min_size=16, max_size=16)).hex(), thread, draw(st.integers(1, COUNT_MAX)), "0c" * 32)


def with_thread(**changes: object) -> State:
    return replace(STATE, thread=replace(THREAD, **changes))  # type: ignore[arg-type]


@given(states())
@settings(max_examples=25)
def test_a_state_of_any_content_has_one_length_and_is_read_back_the_same(state):
    sealed = seal_state(state, ACME.mailbox)
    assert len(sealed) == SEALED_SIZE
    assert open_state(sealed, ACME.mailbox) == state


def test_the_emptiest_and_the_fullest_have_that_length_too():
    fullest = State(
        STATE.realm,
        replace(
            THREAD,
            excluded=tuple(f"m{number:030}" for number in range(63)),
            keys=replace(KEYS, generation=1000),
            note=COUNT_MAX,
            reply=COUNT_MAX,
            deleted=COUNT_MAX,
            sent_count=COUNT_MAX,
            sent=SENT[:SENT_KEPT_MAX],
        ),
        COUNT_MAX,
        "0c" * 32,
    )
    for state in (STATE, fullest):
        sealed = seal_state(state, ACME.mailbox)
        assert len(sealed) == SEALED_SIZE
        assert open_state(sealed, ACME.mailbox) == state


@pytest.mark.parametrize("count", [2, 4])
def test_several_threads_have_room_and_are_left_to_a_later_version(count):
    """The size does not change when it holds them."""
    value = json.loads(STATE.encode(KEY))
    value["threads"] = [{**value["threads"][0], "submission": f"{number:032x}"} for number in range(count)]
    value["mac"] = document_mac(KEY, {name: member for name, member in value.items() if name != "mac"})
    with pytest.raises(UnsupportedVersionError):
        read_state(encode_json(value), KEY)


def test_a_state_that_the_commission_made_is_none():
    for key in (ACME.mailbox.message_mac, ACME.mailbox.leaf_nonce, b"k" * 32):
        with pytest.raises(AuthenticationError):
            read_state(STATE.encode(key), KEY)


def test_a_state_of_another_padding_is_refused():
    """A state whose length tells something would be a way to mark a reporter's device."""
    for size in (4_096, 8_192, 18_432):
        sealed = seal_document(STATE.encode(KEY), size, [ACME.mailbox.recipient])
        with pytest.raises(CryptoError):
            open_state(sealed, ACME.mailbox)


def test_nothing_of_what_was_written_has_a_place_in_it():
    """Ids, hashes, labels, numbers and days are all there is: each text in a state matches one of their forms."""
    said = with_thread(excluded=("chair",), sent_count=1, sent=SENT[:1])
    value = json.loads(said.encode(KEY))
    assert set(value) == {"version", "realm", "threads", "newest", "mac"}
    assert set(value["threads"][0]["sent"]["last"][0]) == {"id", "day"}


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"sent": SENT, "sent_count": len(SENT)}, LimitError),
        ({"sent": SENT[:2], "sent_count": 1}, MalformedError),
        ({"excluded": ("registrar", "chair")}, MalformedError),
        ({"excluded": ("chair", "chair")}, MalformedError),
        ({"note": -1}, LimitError),
        ({"reply": COUNT_MAX + 1}, LimitError),
        ({"deleted": -1}, LimitError),
        ({"manifest": "x"}, MalformedError),
        ({"keys": replace(KEYS, generation=1001)}, LimitError),
    ],
)
def test_a_state_that_readers_would_refuse_is_not_sealed(changes, error):
    with pytest.raises(error):
        seal_state(with_thread(**changes), ACME.mailbox)


def test_keys_of_any_generation_are_those_that_follow_ups_go_to():
    renewed = ThreadKeys(3, PqIdentity.from_seed(b"n" * 32).recipient(), b"m" * 32)
    assert open_state(seal_state(with_thread(keys=renewed), ACME.mailbox), ACME.mailbox).thread.keys == renewed
