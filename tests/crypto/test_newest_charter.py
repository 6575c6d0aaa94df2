# SPDX-License-Identifier: AGPL-3.0-or-later
"""A newest-charter note tells a device on which day which charter was the newest, by an office key."""

from dataclasses import replace
from datetime import date

import pytest

from crypto.errors import AuthenticationError, MalformedError
from crypto.newest_charter import NewestCharter, read_newest_charter
from tests.vectors import expected_error, join_parts, load_vectors
from tests.vectors.commission import load_commission

ACME = load_commission()
OFFICE = ACME.keys["acme/office"]
NEWEST = NewestCharter(ACME.charter.realm, "acme", 1, ACME.charter.hash, date(2026, 5, 3))


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("newest-charter", "sign"))
    def test_signing(self, vector):
        value = dict(vector["input"])
        key = ACME.keys[value.pop("key")]
        newest = NewestCharter(**{**value, "day": date.fromisoformat(value["day"])})
        assert newest.sign(key).encode() == join_parts(vector["value"])

    @pytest.mark.parametrize("vector", load_vectors("newest-charter", "read"))
    def test_reading(self, vector):
        data, office = join_parts(vector["input"]["note"]), ACME.charters[vector["input"]["charter"]].office
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                read_newest_charter(data, office)
            return
        found = read_newest_charter(data, office)
        assert {**vars(found), "day": found.day.isoformat()} == vector["value"]


def test_a_portal_cannot_say_that_an_old_charter_is_the_newest():
    assert read_newest_charter(NEWEST.sign(OFFICE).encode(), ACME.charter.office) == NEWEST
    for name in ("portal.example", "acme/chair", "acme/stranger"):
        with pytest.raises(AuthenticationError):
            read_newest_charter(NEWEST.sign(ACME.keys[name]).encode(), ACME.charter.office)


@pytest.mark.parametrize(
    "changes",
    [{"realm": "x"}, {"slug": ""}, {"slug": "a\nb"}, {"number": 0}, {"number": 1_000_001}, {"charter": "x"}],
)
def test_a_note_that_readers_would_refuse_is_not_signed(changes):
    with pytest.raises(MalformedError):
        replace(NEWEST, **changes).sign(OFFICE)
