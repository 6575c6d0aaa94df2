# SPDX-License-Identifier: AGPL-3.0-or-later
"""A follow-up receipt is the office's word that it holds follow-ups, which the portal may then delete."""

from dataclasses import replace
from datetime import date

import pytest

from crypto.errors import AuthenticationError, CryptoError, LimitError, MalformedError
from crypto.follow_up_receipt import FollowUpReceipt, read_follow_up_receipt
from tests.vectors import expected_error, join_parts, load_vectors
from tests.vectors.commission import load_commission

ACME = load_commission()
OFFICE = ACME.keys["acme/office"]
HELD = FollowUpReceipt(ACME.charter.realm, ("0a" * 16, "0b" * 16), date(2026, 5, 5))


def read(note: bytes) -> FollowUpReceipt:
    return read_follow_up_receipt(note, ACME.charter.office)


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("follow-up-receipt", "sign"))
    def test_signing(self, vector):
        value = dict(vector["input"])
        key = ACME.keys[value.pop("key")]
        receipt = FollowUpReceipt(value["realm"], tuple(value["messages"]), date.fromisoformat(value["held"]))
        assert receipt.sign(key).encode() == join_parts(vector["value"])

    @pytest.mark.parametrize("vector", load_vectors("follow-up-receipt", "read"))
    def test_reading(self, vector):
        data = join_parts(vector["input"]["note"])
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                read(data)
            return
        found = read(data)
        assert {**vars(found), "messages": list(found.messages), "held": found.held.isoformat()} == vector["value"]


def test_nobody_but_the_office_says_that_follow_ups_are_held():
    assert read(HELD.sign(OFFICE).encode()) == HELD
    for name in ("portal.example", "acme/chair", "acme/stranger"):
        with pytest.raises(AuthenticationError):
            read(HELD.sign(ACME.keys[name]).encode())


def test_it_names_up_to_100_follow_ups():
    ids = tuple(f"{number:032x}" for number in range(101))
    assert read(replace(HELD, messages=ids[:100]).sign(OFFICE).encode()).messages == ids[:100]
    with pytest.raises(LimitError):
        replace(HELD, messages=ids).sign(OFFICE)


@pytest.mark.parametrize(
    "messages",
    [(), ("0b" * 16, "0a" * 16), ("0a" * 16, "0a" * 16), ("0A" * 16,), ("0a" * 15,), ("0a" * 16, "held 2026-05-05")],
)
def test_follow_ups_stand_each_once_in_rising_order(messages):
    with pytest.raises(CryptoError):
        replace(HELD, messages=messages).sign(OFFICE)


def test_a_receipt_of_another_realm_has_another_text():
    assert replace(HELD, realm="5b" * 16).text() != HELD.text()
    with pytest.raises(MalformedError):
        replace(HELD, realm="https://portal.example").sign(OFFICE)
