# SPDX-License-Identifier: AGPL-3.0-or-later
"""How long, how many, how large: what a charter may hold to the last (docs/protocol.md §4.2), and not one more."""

import json
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from crypto.age import PqIdentity
from crypto.charter import CharterDraft, Governors, Limits, Member, Reserve, make_charter, read_charter
from crypto.encoding import encode_json
from crypto.errors import LimitError, MalformedError
from crypto.note import Note, SigningKey, VerifierKey, sign
from crypto.questionnaire import Questionnaire
from tests.crypto.editing import taken, with_one_member_less, with_one_member_more
from tests.vectors.commission import load_commission

ACME = load_commission()
CHARTER = replace(ACME.charter, questionnaire=Questionnaire("none", 1, ()))
FIRST = CHARTER.members[0]
LETTERS = str.maketrans("0123456789", "abcdefghjk")
ROLES = (
    "registrar", "triage", "investigator", "legal", "chair", "publisher", "custodian", "auditor", "reviewer",
    "administrator",
)  # fmt: skip


def key_of(name: str) -> VerifierKey:
    return SigningKey(name, name.encode().ljust(32, b".")[-32:]).verifier


def member_of(label: str, **said: Any) -> Member:
    recipient = PqIdentity.from_seed(label.encode().ljust(32, b".")[-32:]).recipient()
    said = {"name": f"Member {label.translate(LETTERS)}", **said}
    return replace(FIRST, label=label, recipient=recipient, verifier=key_of(f"acme/{label}"), **said)


def with_first(**said: Any) -> CharterDraft:
    return replace(CHARTER, members=(replace(FIRST, **said), *CHARTER.members[1:]))


def with_languages(*languages: str) -> CharterDraft:
    texts = dict.fromkeys(languages, "text")
    return replace(CHARTER, languages=languages, name=texts, mandate=texts)


def with_slug(slug: str) -> CharterDraft:
    members = tuple(
        replace(member, verifier=replace(member.verifier, name=f"{slug}/{member.label}")) for member in CHARTER.members
    )
    return replace(CHARTER, slug=slug, members=members, office=(key_of(f"{slug}/office"),))


def with_origin(origin: str) -> CharterDraft:
    return replace(CHARTER, origin=origin, portal=replace(CHARTER.portal, name=origin.split("://")[1]))


def with_thresholds(governors: tuple[int, int], shares: tuple[int, int], members: int = 3) -> CharterDraft:
    """``governors`` and ``shares``: how many are enough, of how many."""
    keys = tuple(key_of(f"governor-{n}") for n in range(governors[1]))
    reserve = replace(CHARTER.reserve, threshold=shares[0], shares=shares[1])
    chosen = CHARTER.members[:members]
    return replace(CHARTER, governors=Governors(governors[0], keys), reserve=reserve, members=chosen)


FITS = {
    "a slug of 2 characters": with_slug("ab"),
    "a slug of 31 characters": with_slug("a" * 31),
    "a name of 200 characters": replace(CHARTER, name=dict.fromkeys(CHARTER.languages, "n" * 200)),
    "a member's name of 200 characters": with_first(name="n" * 200),
    "a label of 1 character": replace(CHARTER, members=(member_of("a"),)),
    "a label of 31 characters": replace(CHARTER, members=(member_of("a" * 31),)),
    "63 members in 64 slots": replace(CHARTER, slots=64, members=tuple(member_of(f"m{n}") for n in range(63))),
    "one member in 2 slots": replace(CHARTER, slots=2, members=(FIRST,)),
    "32 governors, all of whom sign": replace(
        CHARTER, governors=Governors(32, tuple(key_of(f"governor-{n}") for n in range(32)))
    ),
    "16 office keys": replace(CHARTER, office=tuple(key_of(f"acme/desk-{n}") for n in range(16))),
    "32 languages": with_languages(*(f"a{chr(97 + n % 26)}{'bc'[n // 26]}" for n in range(32))),
    "languages of all forms": with_languages("en", "ast", "en-GB", "zh-Hant", "aa-12345678", "aa-bb-cc-dd"),
    "300 jurisdictions": replace(CHARTER, jurisdictions=tuple(f"J{n}" for n in range(300))),
    "a jurisdiction of 2 characters": replace(CHARTER, jurisdictions=("ZZ",)),
    "a jurisdiction of 16 characters": replace(CHARTER, jurisdictions=("Z" * 16,)),
    "charter 1,000,000": replace(CHARTER, number=1_000_000, previous="00" * 32),
    "no days of grace": replace(CHARTER, grace_days=0),
    "3,650 days of grace": replace(CHARTER, grace_days=3650),
    "replies for 30 days": replace(CHARTER, reply_days=30),
    "replies for 3,650 days": replace(CHARTER, reply_days=3650),
    "two of two governors and shares": with_thresholds((2, 2), (2, 2)),
    "a commission of one: one governor, one share": with_thresholds((1, 1), (1, 1), members=1),
    "a commission of one with two governors and shares": with_thresholds((2, 2), (2, 2), members=1),
    "a reserve of 16 of 16 shares": replace(CHARTER, reserve=Reserve(CHARTER.reserve.recipient, 16, 16)),
    "no attachments": replace(CHARTER, limits=Limits(0, 0)),
    "32 attachments of 2 GiB": replace(CHARTER, limits=Limits(32, 2 * 1024**3)),
    "an origin whose host has 255 characters": with_origin("https://" + "a" * 255),
    "an origin with a port of one digit": with_origin("https://portal.example:8"),
    "an origin with a port of five digits": with_origin("https://portal.example:65535"),
    "one day": replace(CHARTER, valid_from=date(2026, 1, 1), valid_until=date(2026, 1, 1)),
    "a member for one day": with_first(valid_from=date(2026, 1, 1), valid_until=date(2026, 1, 1)),
    "a member with every role": with_first(roles=ROLES),
}

TOO_MUCH = {
    "a name of 201 characters": replace(CHARTER, name=dict.fromkeys(CHARTER.languages, "n" * 201)),
    "a member's name of 201 characters": with_first(name="n" * 201),
    "64 members": replace(CHARTER, slots=64, members=tuple(member_of(f"m{n}") for n in range(64))),
    "65 slots": replace(CHARTER, slots=65),
    "one slot": replace(CHARTER, slots=1),
    "33 governors": replace(CHARTER, governors=Governors(1, tuple(key_of(f"governor-{n}") for n in range(33)))),
    "a threshold of 33": replace(CHARTER, governors=replace(CHARTER.governors, threshold=33)),
    "17 office keys": replace(CHARTER, office=tuple(key_of(f"acme/desk-{n}") for n in range(17))),
    "33 languages": with_languages(*(f"a{chr(97 + n % 26)}{'bc'[n // 26]}" for n in range(33))),
    "301 jurisdictions": replace(CHARTER, jurisdictions=tuple(f"J{n}" for n in range(301))),
    "charter 1,000,001": replace(CHARTER, number=1_000_001, previous="00" * 32),
    "3,651 days of grace": replace(CHARTER, grace_days=3651),
    "replies for 29 days": replace(CHARTER, reply_days=29),
    "replies for 3,651 days": replace(CHARTER, reply_days=3651),
    "a reserve of no shares": replace(CHARTER, reserve=Reserve(CHARTER.reserve.recipient, 0, 0)),
    "a reserve that nobody is needed for": replace(CHARTER, reserve=Reserve(CHARTER.reserve.recipient, 0, 1)),
    "a reserve of 17 shares": replace(CHARTER, reserve=Reserve(CHARTER.reserve.recipient, 2, 17)),
    "33 attachments": replace(CHARTER, limits=Limits(33, 0)),
    "attachments of a byte above 2 GiB": replace(CHARTER, limits=Limits(1, 2 * 1024**3 + 1)),
}

OF_ANOTHER_FORM = {
    "a realm of 15 bytes": replace(CHARTER, realm="5a" * 15),
    "a realm of 17 bytes": replace(CHARTER, realm="5a" * 17),
    "a realm in capitals": replace(CHARTER, realm="5A" * 16),
    "a slug of 1 character": with_slug("a"),
    "a slug of 32 characters": with_slug("a" * 32),
    "a slug that begins with a digit": with_slug("1st"),
    "a label of 32 characters": replace(CHARTER, members=(member_of("a" * 32),)),
    "a label in capitals, in the key as well": replace(CHARTER, members=(member_of("Registrar"),)),
    "an office key whose label is in capitals": replace(CHARTER, office=(key_of("acme/OFFICE"),)),
    "an office key whose label has 32 characters": replace(CHARTER, office=(key_of("acme/" + "o" * 32),)),
    "two office keys, the second of another commission": replace(
        CHARTER, office=(*CHARTER.office, key_of("other-office"))
    ),
    "a language of four letters": with_languages("engl"),
    "a language whose second part has one character": with_languages("en-x"),
    "a language whose second part has nine characters": with_languages("en-123456789"),
    "a language of five parts": with_languages("aa-bb-cc-dd-ee"),
    "a jurisdiction of 1 character": replace(CHARTER, jurisdictions=("Z",)),
    "a jurisdiction of 17 characters": replace(CHARTER, jurisdictions=("Z" * 17,)),
    "an origin with a port of six digits": with_origin("https://portal.example:123456"),
    "an origin with port 0": with_origin("https://portal.example:0"),
    "a member with a role twice": with_first(roles=("chair", "chair")),
    "one of one governor, of two members": with_thresholds((1, 1), (2, 2), members=2),
    "one of two governors, of two members": with_thresholds((1, 2), (2, 2), members=2),
    "one of two governors, of one member": with_thresholds((1, 2), (2, 2), members=1),
    "two of one governor": with_thresholds((2, 1), (2, 2), members=1),
    "one of one share, of two members": with_thresholds((2, 2), (1, 1), members=2),
    "one of two shares, of two members": with_thresholds((2, 2), (1, 2), members=2),
    "one of two shares, of one member": with_thresholds((2, 2), (1, 2), members=1),
    "two of one share": with_thresholds((2, 2), (2, 1), members=1),
    "as many slots as members": replace(CHARTER, slots=len(CHARTER.members)),
}  # fmt: skip


def sign_value(value: Any) -> bytes:
    return sign(encode_json(value).decode() + "\n", ACME.governors).encode()


@pytest.mark.parametrize("name", FITS)
def test_what_just_fits_is_taken(name: str) -> None:
    text = make_charter(FITS[name])
    assert json.loads(text)["version"] == "amparo/v1/charter"


@pytest.mark.parametrize("name", TOO_MUCH)
def test_one_more_is_above_the_limit(name: str) -> None:
    with pytest.raises(LimitError):
        make_charter(TOO_MUCH[name])


@pytest.mark.parametrize("name", OF_ANOTHER_FORM)
def test_another_form_is_malformed(name: str) -> None:
    with pytest.raises(MalformedError):
        make_charter(OF_ANOTHER_FORM[name])


def test_an_origin_of_more_than_255_characters_is_no_name_of_a_key() -> None:
    value = json.loads(Note.parse(ACME.charter.note).text)
    for size, error in ((300, MalformedError), (301, LimitError)):
        with pytest.raises(error):
            read_charter(sign_value({**value, "origin": "https://".ljust(size, "a")}))


def test_a_member_that_is_not_specified_is_refused_wherever_it_stands() -> None:
    value = json.loads(Note.parse(ACME.charter.note).text)
    assert taken([((), value)], lambda value: read_charter(sign_value(value))) == [()]
    assert taken(with_one_member_more(value), lambda value: read_charter(sign_value(value))) == []


def test_a_member_that_is_missing_is_refused_wherever_it_is_expected() -> None:
    value = json.loads(Note.parse(ACME.charter.note).text)
    found = taken(with_one_member_less(value), lambda value: read_charter(sign_value(value)))
    assert {path[-1] for path in found} <= {"hint", "intro"}


@pytest.mark.parametrize("role", ROLES)
def test_whoever_has_a_role_reads_reports_unless_it_is_to_audit_or_to_administer(role: str) -> None:
    assert replace(FIRST, roles=(role,)).is_reader == (role not in ("auditor", "administrator"))
    assert replace(FIRST, roles=(role, "triage")).is_reader
    assert not replace(FIRST, roles=("auditor", "administrator")).is_reader


def test_printing_a_charter_does_not_print_its_note() -> None:
    assert "— " not in repr(ACME.charter)
    assert "note=" not in repr(ACME.charter)
