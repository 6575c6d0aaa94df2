# SPDX-License-Identifier: AGPL-3.0-or-later
"""Charters: read back as they were made, refused by every rule that they break, and chained to the one before."""

from dataclasses import replace
from datetime import date

import pytest

from crypto.charter import CharterDraft, NotInForceError, check_chain, check_successor, make_charter, read_charter
from crypto.errors import CryptoError, MalformedError, ProofError
from crypto.note import Note, SigningKey, sign
from tests.vectors import expected_error, load_vectors
from tests.vectors.commission import load_commission

ACME = load_commission()


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("charter", "read"))
    def test_reading(self, vector):
        data = ACME.charter_note(vector["input"]["note"])
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                read_charter(data)
            return
        charter = read_charter(data)
        assert vector["value"] == {
            "hash": charter.hash,
            "slug": charter.slug,
            "number": charter.number,
            "previous": charter.previous,
            "origin": charter.origin,
            "realm": charter.realm,
            "portal": str(charter.portal),
            "slots": charter.slots,
            "grace_days": charter.grace_days,
            "reply_days": charter.reply_days,
            "attachments": charter.limits.attachments,
            "attachment_bytes": charter.limits.attachment_bytes,
            "staffed_always": charter.staffed_always,
            "languages": list(charter.languages),
            "questionnaire": [charter.questionnaire.id, charter.questionnaire.number],
            "questions": [question.id for question in charter.questionnaire.questions],
            "members": [member.label for member in charter.members],
        }

    @pytest.mark.parametrize("vector", load_vectors("charter", "succeed"))
    def test_succeeding(self, vector):
        previous = read_charter(ACME.charter_note(vector["input"]["previous"]))
        following = read_charter(ACME.charter_note(vector["input"]["following"]))
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                check_successor(previous, following)
            return
        check_successor(previous, following)

    @pytest.mark.parametrize("vector", load_vectors("charter", "members"))
    def test_members_on_a_day(self, vector):
        charter = read_charter(ACME.charter_note(vector["input"]["note"]))
        found = charter.members_on(date.fromisoformat(vector["input"]["day"]))
        assert [member.label for member in found] == vector["value"]

    @pytest.mark.parametrize("vector", load_vectors("charter", "in-force"))
    def test_being_in_force(self, vector):
        charter = read_charter(ACME.charter_note(vector["input"]["note"]))
        day = date.fromisoformat(vector["input"]["day"])
        if "error" in vector:
            with pytest.raises(NotInForceError):
                charter.check_day(day)
            return
        charter.check_day(day)


def test_a_charter_that_was_made_is_read_back_the_same():
    charter = ACME.charter
    text = make_charter(charter)
    assert text == Note.parse(charter.note).text
    again = read_charter(sign(text, ACME.governors[:2]).encode())
    assert again == charter
    draft = CharterDraft(**{name: value for name, value in vars(charter).items() if name not in ("hash", "note")})
    assert make_charter(draft) == text


def test_a_charter_keeps_the_bytes_it_was_read_from():
    data = sign(make_charter(ACME.charter), [*ACME.governors, ACME.keys["acme/stranger"]]).encode()
    charter = read_charter(data)
    assert charter.note == data
    assert charter.hash == ACME.charter.hash


def test_a_draft_that_readers_would_refuse_cannot_be_made():
    first = ACME.charter.members[0]
    for draft in (
        replace(ACME.charter, slots=len(ACME.charter.members)),
        replace(ACME.charter, members=(first, first)),
        replace(ACME.charter, members=(replace(first, verifier=ACME.charter.members[1].verifier),)),
        replace(ACME.charter, languages=("en", "ar", "fr")),
        replace(ACME.charter, origin="https://portal.example/"),
    ):
        with pytest.raises(MalformedError):
            make_charter(draft)


def test_any_altered_byte_of_the_text_makes_the_charter_unreadable():
    data = ACME.charter.note
    end = data.rindex(b"\n\n")
    for position in range(0, end, 211):
        altered = bytearray(data)
        altered[position] ^= 1
        with pytest.raises(CryptoError):
            read_charter(bytes(altered))


def test_a_chain_is_refused_where_a_charter_is_missing():
    second = ACME.charters["second"]
    third = ACME.sign_charter(make_charter(replace(second, number=3, previous=second.hash)))
    check_chain([ACME.charter, second, third])
    with pytest.raises(ProofError):
        check_chain([ACME.charter, third])


def test_a_portal_cannot_slip_in_a_member_of_its_own():
    """It has no governor's key: with its own governors the charter is valid alone, but follows none."""
    own = [SigningKey.from_seed(f"governors.example/{name}", name.encode() * 8) for name in ("evil", "twin")]
    governors = replace(ACME.charter.governors, keys=tuple(key.verifier for key in own))
    draft = replace(ACME.charters["second"], governors=governors)
    forged = read_charter(sign(make_charter(draft), own).encode())
    with pytest.raises(CryptoError):
        check_successor(ACME.charter, forged)
