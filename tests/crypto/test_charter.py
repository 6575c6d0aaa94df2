# SPDX-License-Identifier: AGPL-3.0-or-later
"""Charters: read back as they were made, refused by every rule that they break, and chained to the one before."""

from dataclasses import replace
from datetime import date

import pytest

from crypto.charter import CharterDraft, NotInForceError, check_chain, check_successor, make_charter, read_charter
from crypto.errors import CryptoError, MalformedError, ProofError
from crypto.note import Note, SigningKey, sign
from crypto.person_name import MemberNameError, check_people
from tests.crypto.test_public_text import FORBIDDEN
from tests.people import write_charter
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
            "urgency": [str(recipient) for recipient in charter.urgency],
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


def called(*names: str) -> CharterDraft:
    """The first charter with other names for its members."""
    members = zip(ACME.charter.members, names, strict=True)
    return replace(ACME.charter, members=tuple(replace(member, name=name) for member, name in members))


@pytest.mark.parametrize(
    ("names", "reason", "label", "other"),
    [
        (("Amina Haddad", "AMINA HADDAD", "Bruno"), "same-person", "chair", "registrar"),
        (("Amina Haddad", "Bruno", "Amin\u0430\u200b Haddad"), "character", "former", None),
        (("Amina Haddad", "Bruno", "\u0391\u039c\u0399\u039d\u0391 Haddad"), "same-person", "former", "registrar"),
        (("Amina Haddad", "Bruno", "\u200b"), "empty", "former", None),
        (("Amina Haddad", "Brun\u043e", "Zoë"), "scripts", "chair", None),
    ],
)
def test_a_charter_in_which_one_person_is_two_is_not_made_though_readers_take_it(names, reason, label, other):
    draft = called(*names)
    with pytest.raises(MemberNameError) as refused:
        make_charter(draft)
    assert (refused.value.reason, refused.value.label, refused.value.other) == (reason, label, other)
    charter = ACME.sign_charter(write_charter(draft))
    assert list(charter.names.values()) == list(names)
    with pytest.raises(MemberNameError):
        check_people(charter.names)


@pytest.mark.parametrize("character", FORBIDDEN, ids=ascii)
def test_no_text_of_a_charter_holds_what_is_not_seen_or_turns_the_order_of_reading(character):
    text = f"Looks into {character}extradition."
    question = ACME.charter.questionnaire.panels[0].questions[0]
    for draft in (
        replace(ACME.charter, mandate={"en": "Mandate.", "ar": text}),
        replace(ACME.charter, name={"en": text, "ar": "لجنة"}),
        called("R. Gistrar", text, "F. Ormer"),
        _with_question(replace(question, label={"en": text, "ar": text})),
    ):
        with pytest.raises(MalformedError):
            make_charter(draft)
        with pytest.raises(MalformedError):
            ACME.sign_charter(write_charter(draft))


def test_a_charter_holds_honest_text_from_right_to_left_and_lines():
    mandate = 'تنظر اللجنة في Extradition (تسليم المطلوبين) منذ 2024.\nمی‌خواهیم \\n "شفاف" باشیم. ශ්‍රී 👩‍⚖️'
    draft = replace(ACME.charter, mandate={"en": "Mandate.", "ar": mandate})
    assert ACME.sign_charter(make_charter(draft)).mandate["ar"] == mandate


def test_the_name_of_a_member_is_one_line():
    with pytest.raises(MalformedError):
        ACME.sign_charter(write_charter(called("Amina\nHaddad", "Bruno", "Zoë")))


def _with_question(question):
    first, *others = ACME.charter.questionnaire.panels
    panel = replace(first, questions=(question, *first.questions[1:]))
    return replace(ACME.charter, questionnaire=replace(ACME.charter.questionnaire, panels=(panel, *others)))


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
