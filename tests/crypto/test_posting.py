# SPDX-License-Identifier: AGPL-3.0-or-later
"""A posting note gives a reply its number, under an office key; a portal can make none."""

from dataclasses import replace
from datetime import date

import pytest

from crypto.errors import AuthenticationError, MalformedError
from crypto.posting import Posting, read_posting
from tests.vectors import expected_error, join_parts, load_vectors
from tests.vectors.commission import load_commission

ACME = load_commission()
OFFICE = ACME.keys["acme/office"]
POSTING = Posting(ACME.charter.realm, "0b" * 32, 2, "0c" * 16, 1, ACME.charter.hash, date(2026, 5, 3))


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("posting", "sign"))
    def test_signing(self, vector):
        value = dict(vector["input"])
        key = ACME.keys[value.pop("key")]
        posting = Posting(**{**value, "posted": date.fromisoformat(value["posted"])})
        assert posting.sign(key).encode() == join_parts(vector["value"])

    @pytest.mark.parametrize("vector", load_vectors("posting", "read"))
    def test_reading(self, vector):
        data, office = join_parts(vector["input"]["note"]), ACME.charters[vector["input"]["charter"]].office
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                read_posting(data, office)
            return
        found = read_posting(data, office)
        assert {**vars(found), "posted": found.posted.isoformat()} == vector["value"]


def test_what_the_office_signed_is_read_back_the_same():
    assert read_posting(POSTING.sign(OFFICE).encode(), ACME.charter.office) == POSTING


def test_neither_a_member_nor_the_portal_posts_a_reply():
    for name in ("acme/chair", "portal.example"):
        with pytest.raises(AuthenticationError):
            read_posting(POSTING.sign(ACME.keys[name]).encode(), ACME.charter.office)


@pytest.mark.parametrize(
    "changes",
    [
        {"realm": "x"}, {"manifest": "0b" * 31}, {"number": 0}, {"number": 1_000_001}, {"message": "0C" * 16},
        {"charter_number": 0}, {"charter": "x"}, {"message": f"{'0c' * 16}\nposted 2026-05-03"},
    ],
)  # fmt: skip
def test_a_note_that_readers_would_refuse_is_not_signed(changes):
    with pytest.raises(MalformedError):
        replace(POSTING, **changes).sign(OFFICE)
