# SPDX-License-Identifier: AGPL-3.0-or-later
"""A renewal brings the reporter new keys: signed by a member, and read by nobody who held the old ones."""

from dataclasses import replace
from datetime import date

import pytest

from crypto.age import PqIdentity
from crypto.errors import AuthenticationError, CryptoError, LimitError, MalformedError, NotARecipientError
from crypto.key_renewal import KeyRenewal, open_renewal, seal_renewal
from crypto.padding import MESSAGE_FLOOR
from crypto.sealed_document import seal_document
from crypto.thread_keys import ThreadKeys
from crypto.thread_note import RENEWAL_SEALED_MAX
from tests.vectors import expected_error, join_parts, load_vectors
from tests.vectors.commission import load_commission

ACME = load_commission()
MAILBOX, THREAD = ACME.identities["S"], ACME.identities["R"]
CHARTERS = [ACME.charter]
KEYS = ThreadKeys(1, PqIdentity.from_seed(b"n" * 32).recipient(), b"m" * 32)
RENEWAL = KeyRenewal("0a" * 16, "0b" * 32, ACME.charter.hash, date(2026, 5, 3), KEYS)


def value_of(renewal):
    value = {**vars(renewal), "day": renewal.day.isoformat(), "keys": renewal.keys.to_value()}
    return {**value, "signer": renewal.signer.label}


def read(vector, sealed, identity):
    charters = [ACME.charters[name] for name in vector["input"]["charters"]]
    if "error" in vector:
        with pytest.raises(expected_error(vector)):
            open_renewal(sealed, identity, charters)
        return
    assert value_of(open_renewal(sealed, identity, charters)) == vector["value"]


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("renewal", "encode-renewal"))
    def test_encoding(self, vector):
        value = vector["input"]
        keys = replace(
            KEYS,
            generation=value["keys"]["generation"],
            recipient=type(KEYS.recipient).from_string(value["keys"]["recipient"]),
            message_mac=bytes.fromhex(value["keys"]["message_mac"]),
        )
        renewal = KeyRenewal(**{**value, "day": date.fromisoformat(value["day"]), "keys": keys})
        assert renewal.text().encode() == join_parts(vector["value"])

    @pytest.mark.parametrize("vector", load_vectors("renewal", "read-renewal"))
    def test_reading(self, vector):
        content = join_parts(vector["input"]["content"])
        read(vector, seal_document(content, MESSAGE_FLOOR, [MAILBOX.recipient()]), MAILBOX)

    @pytest.mark.parametrize("vector", load_vectors("renewal", "open-renewal"))
    def test_opening(self, vector):
        read(vector, join_parts(vector["input"]["sealed"]), ACME.identities[vector["input"]["identity"]])


def test_who_held_the_old_keys_does_not_read_the_new_ones():
    sealed = seal_renewal(RENEWAL, ACME.keys["acme/chair"], MAILBOX.recipient())
    assert open_renewal(sealed, MAILBOX, CHARTERS).keys == KEYS
    for identity in (THREAD, ACME.identities["chair"], ACME.identities["reserve"]):
        with pytest.raises(NotARecipientError):
            open_renewal(sealed, identity, CHARTERS)


def test_neither_portal_nor_office_renews_keys():
    for name in ("portal.example", "acme/office", "acme/stranger"):
        with pytest.raises(AuthenticationError):
            open_renewal(seal_renewal(RENEWAL, ACME.keys[name], MAILBOX.recipient()), MAILBOX, CHARTERS)


def test_a_member_who_has_left_renews_no_keys():
    former = ACME.keys["acme/former"]
    last_day = replace(RENEWAL, day=date(2026, 6, 30))
    opened = open_renewal(seal_renewal(last_day, former, MAILBOX.recipient()), MAILBOX, CHARTERS)
    assert opened.signer.label == "former"
    with pytest.raises(AuthenticationError):
        day_after = seal_renewal(replace(RENEWAL, day=date(2026, 7, 1)), former, MAILBOX.recipient())
        open_renewal(day_after, MAILBOX, CHARTERS)


def test_renewals_have_one_length_which_a_thread_note_has_room_for():
    largest = replace(RENEWAL, keys=replace(KEYS, generation=1000))
    sizes = {len(seal_renewal(each, ACME.keys[f"acme/{name}"], MAILBOX.recipient()))
             for each in (RENEWAL, largest) for name in ("chair", "registrar")}  # fmt: skip
    assert len(sizes) == 1
    assert sizes.pop() <= RENEWAL_SEALED_MAX


@pytest.mark.parametrize(
    ("changes", "error"),
    [
        ({"submission": "x"}, MalformedError),
        ({"manifest": "0b" * 31}, MalformedError),
        ({"charter": "x"}, MalformedError),
        ({"keys": replace(KEYS, generation=1001)}, LimitError),
        ({"keys": replace(KEYS, message_mac=b"short")}, MalformedError),
    ],
)
def test_a_renewal_that_readers_would_refuse_is_not_sealed(changes, error):
    with pytest.raises(error):
        seal_renewal(replace(RENEWAL, **changes), ACME.keys["acme/chair"], MAILBOX.recipient())


def test_any_flipped_bit_is_found():
    sealed = seal_renewal(RENEWAL, ACME.keys["acme/chair"], MAILBOX.recipient())
    for position in range(0, len(sealed), 211):
        altered = bytearray(sealed)
        altered[position] ^= 1
        with pytest.raises(CryptoError):
            open_renewal(bytes(altered), MAILBOX, CHARTERS)
