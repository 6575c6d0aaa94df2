# SPDX-License-Identifier: AGPL-3.0-or-later
"""Replies are taken from members only; follow-ups come from the thread's reporter, or from nobody one could name."""

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from crypto.age import PqIdentity, check_sealed_prefix
from crypto.errors import (
    AuthenticationError,
    CryptoError,
    LimitError,
    MalformedError,
    NotARecipientError,
)
from crypto.message import (
    BODY_BYTES_MAX,
    FOLLOW_UP_MAX,
    FOLLOW_UP_SEALED_MAX,
    REPLY_MAX,
    FollowUp,
    Reply,
    SignedReply,
    message_id,
    open_follow_up,
    open_reply,
    read_follow_up,
    read_reply,
    seal_follow_up,
    seal_reply,
)
from crypto.taxonomy import MESSAGE_KINDS
from crypto.thread_keys import ThreadKeys
from tests.vectors import expected_error, join_parts, load_vectors
from tests.vectors.commission import load_commission

ACME = load_commission()
MAILBOX, THREAD = ACME.identities["S"], ACME.identities["R"]
BOTH = [MAILBOX.recipient(), THREAD.recipient()]
CHAIR = ACME.keys["acme/chair"]
KEY = ACME.mailbox.message_mac
KEYS = ThreadKeys(0, THREAD.recipient(), KEY)
REPLY = Reply("0a" * 16, "0b" * 32, ACME.charter.hash, date(2026, 5, 3), "en", KEYS, "We have read your report.")
FOLLOW_UP = FollowUp("0a" * 16, "0b" * 32, 1, date(2026, 5, 4), "retaliation", 0, "They moved me to another cell.")


def reply_value(reply: SignedReply) -> dict[str, Any]:
    value = {**vars(reply), "keys": reply.keys.to_value(), "day": reply.day.isoformat()}
    return {**value, "signer": reply.signer.label}


def follow_up_value(follow_up: FollowUp) -> dict[str, Any]:
    return {**vars(follow_up), "day": follow_up.day.isoformat()}


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("message", "read-reply"))
    def test_reading_replies(self, vector):
        data = join_parts(vector["input"]["content"])
        charters = [ACME.charters[name] for name in vector["input"]["charters"]]
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                read_reply(data, charters)
            return
        assert reply_value(read_reply(data, charters)) == vector["value"]

    @pytest.mark.parametrize("vector", load_vectors("message", "open-reply"))
    def test_opening_replies(self, vector):
        sealed = join_parts(vector["input"]["sealed"])
        identity = ACME.identities[vector["input"]["identity"]]
        charters = [ACME.charters[name] for name in vector["input"]["charters"]]
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                open_reply(sealed, identity, charters)
            return
        reply = open_reply(sealed, identity, charters)
        assert {**reply_value(reply), "id": message_id(sealed)} == vector["value"]

    @pytest.mark.parametrize("vector", load_vectors("message", "encode-follow-up"))
    def test_encoding_follow_ups(self, vector):
        value = dict(vector["input"])
        key = bytes.fromhex(value.pop("message_mac"))
        follow_up = FollowUp(**{**value, "day": date.fromisoformat(value["day"])})
        assert follow_up.encode(key) == join_parts(vector["value"])

    @pytest.mark.parametrize("vector", load_vectors("message", "read-follow-up"))
    def test_reading_follow_ups(self, vector):
        data, key = join_parts(vector["input"]["content"]), bytes.fromhex(vector["input"]["message_mac"])
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                read_follow_up(data, key)
            return
        assert follow_up_value(read_follow_up(data, key)) == vector["value"]

    @pytest.mark.parametrize("vector", load_vectors("message", "open-follow-up"))
    def test_opening_follow_ups(self, vector):
        sealed = join_parts(vector["input"]["sealed"])
        key = bytes.fromhex(vector["input"]["message_mac"])
        follow_up = open_follow_up(sealed, ACME.identities[vector["input"]["identity"]], key)
        assert {**follow_up_value(follow_up), "id": message_id(sealed)} == vector["value"]


def test_reporter_and_commission_open_the_same_reply():
    sealed = seal_reply(REPLY, CHAIR, BOTH)
    assert len(check_sealed_prefix(sealed).stanzas) == 2
    for identity in (MAILBOX, THREAD):
        reply = open_reply(sealed, identity, [ACME.charter])
        assert reply.signer.label == "chair"
        assert Reply(**{name: value for name, value in vars(reply).items() if name != "signer"}) == REPLY
    with pytest.raises(NotARecipientError):
        open_reply(sealed, ACME.identities["stranger"], [ACME.charter])


def test_a_portal_that_knows_the_mailbox_cannot_speak_for_the_commission():
    for name in ("portal.example", "acme/office", "acme/stranger"):
        with pytest.raises(AuthenticationError):
            open_reply(seal_reply(REPLY, ACME.keys[name], BOTH), MAILBOX, [ACME.charter])


def test_a_member_who_has_left_cannot_reply_any_more():
    former = ACME.keys["acme/former"]
    last_day = replace(REPLY, day=date(2026, 6, 30))
    assert open_reply(seal_reply(last_day, former, BOTH), MAILBOX, [ACME.charter]).signer.label == "former"
    with pytest.raises(AuthenticationError):
        open_reply(seal_reply(replace(REPLY, day=date(2026, 7, 1)), former, BOTH), MAILBOX, [ACME.charter])


def test_a_reply_under_an_unknown_charter_is_refused():
    sealed = seal_reply(replace(REPLY, charter=ACME.charters["second"].hash), CHAIR, BOTH)
    with pytest.raises(AuthenticationError):
        open_reply(sealed, MAILBOX, [ACME.charter])
    open_reply(sealed, MAILBOX, [ACME.charter, ACME.charters["second"]])


def test_any_flipped_bit_of_a_message_is_found():
    sealed = seal_follow_up(FOLLOW_UP, KEYS)
    for position in range(0, len(sealed), 97):
        altered = bytearray(sealed)
        altered[position] ^= 1
        with pytest.raises(CryptoError):
            open_follow_up(bytes(altered), THREAD, KEY)


def test_a_follow_up_by_somebody_who_only_knows_the_recipient_is_refused():
    sealed = seal_follow_up(FOLLOW_UP, replace(KEYS, message_mac=b"k" * 32))
    with pytest.raises(AuthenticationError):
        open_follow_up(sealed, THREAD, KEY)
    with pytest.raises(NotARecipientError):
        open_follow_up(sealed, PqIdentity.generate(), KEY)


def test_short_messages_have_one_length():
    follow_ups = [seal_follow_up(replace(FOLLOW_UP, body="x" * size), KEYS) for size in (0, 500, 3000)]
    replies = [seal_reply(replace(REPLY, body="x" * size), CHAIR, BOTH) for size in (0, 500, 1400)]
    assert len({len(sealed) for sealed in follow_ups}) == 1
    assert len({len(sealed) for sealed in replies}) == 1


def test_the_longest_messages_still_fit():
    body = "\N{ARABIC LETTER ALEF}" * 30_000
    sealed = seal_follow_up(replace(FOLLOW_UP, body=body), KEYS)
    assert len(sealed) <= FOLLOW_UP_SEALED_MAX
    escaped = replace(REPLY, body="\x01" * 65_536)
    assert open_reply(seal_reply(escaped, CHAIR, BOTH), MAILBOX, [ACME.charter]).body == escaped.body


def test_limits_are_those_of_the_protocol():
    assert (BODY_BYTES_MAX, FOLLOW_UP_MAX, FOLLOW_UP_SEALED_MAX, REPLY_MAX) == (65_536, 61_440, 65_536, 524_288)
    assert MESSAGE_KINDS == ("message", "retaliation", "instruction")


def test_a_follow_up_has_60_kibibytes_to_the_byte():
    room = 61_440 - len(replace(FOLLOW_UP, body="").encode(KEY))
    longest = replace(FOLLOW_UP, body="x" * room)
    sealed = seal_follow_up(longest, KEYS)
    assert open_follow_up(sealed, THREAD, KEY) == longest
    with pytest.raises(LimitError):
        seal_follow_up(replace(FOLLOW_UP, body="x" * (room + 1)), KEYS)


def test_a_reply_has_a_body_of_64_kibibytes_to_the_byte():
    for body in ("x" * 65_536, "ж" * 32_768):
        assert replace(REPLY, body=body).text()


def test_the_id_of_a_message_is_16_bytes_of_the_hash_of_its_file():
    assert message_id(b"") == "e3b0c44298fc1c149afbf4c8996fb924"


@pytest.mark.parametrize("language", ["en", "ar", "zh-Hant"])
def test_a_reply_names_its_language(language):
    assert f'"language":"{language}"' in replace(REPLY, language=language).text()


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"body": "x" * 62_000}, LimitError),
        ({"kind": "joke"}, MalformedError),
        ({"submission": "x"}, MalformedError),
        ({"manifest": "x"}, MalformedError),
        ({"number": 0}, LimitError),
        ({"generation": 1}, MalformedError),
        ({"body": "\ud800"}, MalformedError),
    ],
)
def test_a_follow_up_that_readers_would_refuse_is_not_sealed(changes, error):
    with pytest.raises(error):
        seal_follow_up(replace(FOLLOW_UP, **changes), KEYS)


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"body": "x" * 65_537}, LimitError),
        ({"body": "ж" * 32_769}, LimitError),
        ({"charter": "x"}, MalformedError),
        ({"language": "<b>"}, MalformedError),
        ({"manifest": "x"}, MalformedError),
        ({"keys": replace(KEYS, message_mac=b"short")}, MalformedError),
        ({"keys": replace(KEYS, generation=1001)}, LimitError),
    ],
)
def test_a_reply_that_readers_would_refuse_is_not_sealed(changes, error):
    with pytest.raises(error):
        seal_reply(replace(REPLY, **changes), CHAIR, BOTH)


def test_a_follow_up_sealed_as_a_reply_is_refused():
    sealed = seal_follow_up(FOLLOW_UP, replace(KEYS, recipient=MAILBOX.recipient()))
    with pytest.raises(MalformedError):
        open_reply(sealed, MAILBOX, [ACME.charter])
    with pytest.raises(MalformedError):
        open_follow_up(seal_reply(REPLY, CHAIR, BOTH), THREAD, KEY)


def test_repr_shows_no_body():
    assert "cell" not in repr(FOLLOW_UP)
    assert "report" not in repr(REPLY)


def test_a_follow_up_goes_to_the_newest_keys_of_the_thread():
    """Whoever held the first keys and was shut out reads nothing that is sent after the renewal, and can forge none."""
    renewed = PqIdentity.generate()
    keys = ThreadKeys(1, renewed.recipient(), b"n" * 32)
    sealed = seal_follow_up(replace(FOLLOW_UP, generation=1), keys)
    assert open_follow_up(sealed, renewed, b"n" * 32).generation == 1
    with pytest.raises(NotARecipientError):
        open_follow_up(sealed, THREAD, KEY)
    with pytest.raises(AuthenticationError):
        open_follow_up(sealed, renewed, KEY)


def test_number_and_generation_are_authenticated():
    content = FOLLOW_UP.encode(KEY)
    for said, other in ((b'"number":1', b'"number":2'), (b'"generation":0', b'"generation":1')):
        assert content.count(said) == 1
        with pytest.raises(AuthenticationError):
            read_follow_up(content.replace(said, other), KEY)


def test_repr_shows_no_key():
    assert KEY.hex() not in repr(REPLY)
    assert repr(KEY) not in repr(REPLY)
