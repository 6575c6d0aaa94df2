# SPDX-License-Identifier: AGPL-3.0-or-later
"""An acknowledgement is the portal's word about these bytes, and about no others."""

from dataclasses import replace
from datetime import date

import pytest

from crypto.acknowledgement import Acknowledgement, read_acknowledgement
from crypto.errors import AuthenticationError, MalformedError, ProofError
from crypto.note import SigningKey, VerifierKey
from tests.vectors import expected_error, join_parts, load_vectors
from tests.vectors.commission import load_commission

ACME = load_commission()
GIVEN = Acknowledgement(ACME.charter.realm, "0a" * 16, "0b" * 32, "0c" * 32, date(2026, 5, 1))


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("acknowledgement", "sign"))
    def test_signing(self, vector):
        value = dict(vector["input"])
        key = ACME.keys[value.pop("key")]
        given = Acknowledgement(**{**value, "received": date.fromisoformat(value["received"])})
        assert given.sign(key).encode() == join_parts(vector["value"])

    @pytest.mark.parametrize("vector", load_vectors("acknowledgement", "read"))
    def test_reading(self, vector):
        data, verifier = join_parts(vector["input"]["note"]), VerifierKey.parse(vector["input"]["verifier"])
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                read_acknowledgement(data, [verifier])
            return
        found = read_acknowledgement(data, [verifier])
        logged = found.logged_before and found.logged_before.strftime("%Y-%m-%dT%H:%M:%SZ")
        assert {**vars(found), "received": found.received.isoformat(), "logged_before": logged} == vector["value"]


def test_it_holds_for_these_bytes_only():
    expected = {
        "realm": GIVEN.realm,
        "submission": GIVEN.submission,
        "manifest_hash": GIVEN.manifest_hash,
        "commitment": GIVEN.commitment,
    }
    GIVEN.check(**expected)
    for name in expected:
        with pytest.raises(ProofError):
            GIVEN.check(**{**expected, name: "00"})


def test_an_acknowledgement_that_readers_would_refuse_is_not_signed():
    for wrong in (replace(GIVEN, submission="x"), replace(GIVEN, realm="5a" * 15 + "\n")):
        with pytest.raises(MalformedError):
            wrong.sign(ACME.keys["portal.example"])


def test_a_portal_that_changed_its_key_is_believed_under_both():
    """The charters of a chain may name different keys of the portal: any of them will do."""
    older, newer = ACME.keys["portal.example"], SigningKey.from_seed("other.example", b"n" * 32)
    for signer in (older, newer):
        given = read_acknowledgement(GIVEN.sign(signer).encode(), [older.verifier, newer.verifier])
        assert given == GIVEN
    with pytest.raises(AuthenticationError):
        read_acknowledgement(GIVEN.sign(newer).encode(), [older.verifier])


def test_any_commitment_will_do_for_whoever_does_not_know_it():
    known = {"realm": GIVEN.realm, "submission": GIVEN.submission, "manifest_hash": GIVEN.manifest_hash}
    GIVEN.check(**known)
    other = replace(GIVEN, commitment="0d" * 32)
    other.check(**known)
    with pytest.raises(ProofError):
        other.check(**known, commitment=GIVEN.commitment)
