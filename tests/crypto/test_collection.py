# SPDX-License-Identifier: AGPL-3.0-or-later
"""A collection note is the office's word that it holds a submission."""

from dataclasses import replace
from datetime import date

import pytest

from crypto.collection import Collection, read_collection
from crypto.errors import MalformedError, ProofError
from tests.vectors import expected_error, join_parts, load_vectors
from tests.vectors.commission import load_commission

ACME = load_commission()
COLLECTED = Collection(ACME.charter.realm, "0a" * 16, "0b" * 32, date(2026, 5, 2))


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("collection", "sign"))
    def test_signing(self, vector):
        value = dict(vector["input"])
        key = ACME.keys[value.pop("key")]
        collection = Collection(**{**value, "collected": date.fromisoformat(value["collected"])})
        assert collection.sign(key).encode() == join_parts(vector["value"])

    @pytest.mark.parametrize("vector", load_vectors("collection", "read"))
    def test_reading(self, vector):
        data, office = join_parts(vector["input"]["note"]), ACME.charters[vector["input"]["charter"]].office
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                read_collection(data, office)
            return
        found = read_collection(data, office)
        assert {**vars(found), "collected": found.collected.isoformat()} == vector["value"]


def test_it_holds_for_this_submission_only():
    expected = {
        "realm": COLLECTED.realm,
        "submission": COLLECTED.submission,
        "manifest_hash": COLLECTED.manifest_hash,
    }
    COLLECTED.check(**expected)
    for name in expected:
        with pytest.raises(ProofError):
            COLLECTED.check(**{**expected, name: "00"})


def test_a_note_that_readers_would_refuse_is_not_signed():
    with pytest.raises(MalformedError):
        replace(COLLECTED, manifest_hash="x").sign(ACME.keys["acme/office"])
