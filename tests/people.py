# SPDX-License-Identifier: AGPL-3.0-or-later
"""The people of the tests, all of them fictional, and the commission that five of them have founded.

`found_test_commission` makes the same world every time: keys come from the names. `settle_office` puts it into an
office's database, as if the ceremony had been held there.
"""

import functools
import hashlib
from dataclasses import dataclass
from datetime import UTC, date, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from crypto.age import PqIdentity, seal
from crypto.charter import (
    Charter,
    CharterDraft,
    Governors,
    Limits,
    Member,
    Reserve,
    _charter_value,
    make_charter,
    read_charter,
)
from crypto.encoding import encode_json
from crypto.keyring import MINIMUM, Keyring, seal_keyring
from crypto.note import SigningKey, VerifierKey, sign
from crypto.questionnaire import Questionnaire, read_questionnaire
from crypto.quorum import split_reserve

SLUG = "demo-commission"
LANGUAGES = ("en", "ar")
TODAY = date(2026, 11, 22)
NOW = datetime(2026, 11, 22, 9, 30, tzinfo=UTC)
VALID_FROM, VALID_UNTIL = date(2025, 1, 1), date(2125, 12, 31)
PORTAL_ORIGIN = "http://portal.test"
REALM = "4f7a1d0be5c2963886a3b9d07c15e2f4"

_PEOPLE = (
    ("amina", "Amina Haddad", ("registrar", "administrator")),
    ("bruno", "Bruno Keller", ("investigator",)),
    ("chiara", "Chiara Lombardi", ("chair",)),
    ("daud", "Daud Rahimi", ("triage", "legal")),
    ("elif", "Elif Yıldız", ("publisher", "auditor")),
)
_GOVERNORS = ("amina", "chiara", "elif")
_ATTACHMENT_BYTES_MAX = 64 * 1024 * 1024

# The chair's name as another label could bear it: case and space, a zero-width space, a soft hyphen, a Cyrillic letter,
# fullwidth letters, digits, a mark that joins nothing.
SPELLINGS = (
    "CHIARA  Lombardi",
    "Chiara\u200b Lombardi",
    "Chia\u00adra Lombardi",
    "Chiar\u0430 Lombardi",
    "Ｃｈｉａｒａ　Ｌｏｍｂａｒｄｉ",
    "Ch1ara L0mbard1",
    "Chiara\u034f Lombardi",
)


@dataclass(frozen=True)
class Person:
    """A member of the test commission, with everything that a real one keeps to themselves."""

    label: str
    name: str
    roles: tuple[str, ...]
    key_name: str
    keyring: Keyring
    passphrase: str
    totp_secret: str

    @property
    def username(self) -> str:
        return self.label

    @cached_property
    def identity(self) -> PqIdentity:
        return self.keyring.identity

    @property
    def signing_key(self) -> SigningKey:
        return SigningKey.from_seed(self.key_name, self.keyring.signing_seed)

    @cached_property
    def sealed_keyring(self) -> bytes:
        """Under the cheapest parameters that are read, so that a login in a test takes milliseconds."""
        return seal_keyring(self.keyring, self.passphrase, self.label, MINIMUM)


@dataclass(frozen=True)
class World:
    """A founded commission: its charter, its people, its keys, its reserve."""

    charter: Charter
    people: tuple[Person, ...]
    office_key: SigningKey
    urgency_identity: PqIdentity
    reserve_identity: PqIdentity
    reserve_shares: tuple[str, ...]

    def __getitem__(self, label: str) -> Person:
        return next(person for person in self.people if person.label == label)

    @property
    def slug(self) -> str:
        return self.charter.slug

    @property
    def governors(self) -> tuple[Person, ...]:
        return tuple(self[label] for label in _GOVERNORS)


def portal_key(origin: str = PORTAL_ORIGIN) -> SigningKey:
    """The signing key of the portal of the tests."""
    return SigningKey.from_seed(origin.split("://")[1], _seed("portal"))


def found_test_commission(
    origin: str = PORTAL_ORIGIN,
    portal_verifier: VerifierKey | None = None,
    *,
    realm: str = REALM,
    valid_from: date = VALID_FROM,
    valid_until: date = VALID_UNTIL,
    questionnaire: Questionnaire | None = None,
    slots: int = 8,
    slug: str = SLUG,
) -> World:
    """A founded commission for the portal at ``origin``; two of its three governors have to sign.

    Another ``slug`` gives a second commission that shares nothing with the first but the names of its people, and its
    members' keys are other ones.
    """
    people = tuple(_make_person(slug, *person) for person in _PEOPLE)
    office_key = SigningKey.from_seed(f"{slug}/office", _seed(f"{slug} office"))
    urgency_identity = PqIdentity.from_seed(_seed(f"{slug} urgency"))
    reserve_seed = _seed(f"{slug} reserve")
    draft = CharterDraft(
        slug=slug,
        name={"en": "Demonstration Commission", "ar": "لجنة العرض التجريبي"},
        mandate={
            "en": "Looks into extradition and criminal investigations. Fictional, for tests.",
            "ar": "تنظر في تسليم المطلوبين والتحقيقات الجنائية. خيالية، للاختبار.",
        },
        jurisdictions=("ZZ",),
        number=1,
        previous=None,
        origin=origin,
        realm=realm,
        portal=portal_verifier or portal_key(origin).verifier,
        languages=LANGUAGES,
        valid_from=valid_from,
        valid_until=valid_until,
        governors=Governors(2, tuple(person.signing_key.verifier for person in people if person.label in _GOVERNORS)),
        members=tuple(_make_member(person, valid_from) for person in people),
        reserve=Reserve(PqIdentity.from_seed(reserve_seed).recipient(), threshold=2, shares=3),
        slots=slots,
        office=(office_key.verifier,),
        urgency=(urgency_identity.recipient(),),
        questionnaire=questionnaire or short_questionnaire(),
        grace_days=7,
        reply_days=90,
        limits=Limits(attachments=4, attachment_bytes=_ATTACHMENT_BYTES_MAX),
        staffed_always=False,
    )
    signers = [person.signing_key for person in people if person.label in _GOVERNORS]
    charter = read_charter(sign(make_charter(draft), signers).encode())
    shares = tuple(split_reserve(reserve_seed, 2, 3))
    return World(charter, people, office_key, urgency_identity, PqIdentity.from_seed(reserve_seed), shares)


def write_charter(draft: CharterDraft) -> str:
    """The text of a charter by a program that takes any names for people's: what readers have to take as well."""
    return encode_json(_charter_value(draft)).decode() + "\n"


async def settle_office(world: World, secrets_folder: Path) -> None:
    """Put the world into the running task's database (``Database.use``) and its keys into the office's folder."""
    from oversight.commission.keys import OfficeKeys
    from oversight.commission.records import CharterRecord
    from oversight.members.records import MemberRecord
    from oversight.members.second_factor import seal_secret
    from portal.kit.files import write_secret_file

    office = OfficeKeys(world.office_key.seed, _seed(f"{world.slug} records"), world.urgency_identity.seed)
    write_secret_file(secrets_folder / "office.age", _seal_office(office, world.people))
    for person in world.people:
        await MemberRecord.create(
            label=person.label,
            name=person.name,
            username=person.username,
            key_name=person.key_name,
            roles=list(person.roles),
            keyring=person.sealed_keyring,
            second_factor=seal_secret(office.record_key, person.totp_secret, person.label),
            locale="en",
        )
    charter = world.charter
    await CharterRecord.create(hash=charter.hash, number=charter.number, note=charter.note, published=True)


@functools.cache
def _seal_office(office: Any, people: tuple[Person, ...]) -> bytes:
    """Once for all tests: it takes some milliseconds for each member."""
    return seal(office.to_bytes(), [person.identity.recipient() for person in people])


def short_questionnaire() -> Questionnaire:
    """A short questionnaire with a question of every kind, under the ids that the office reads by."""
    return read_questionnaire(_QUESTIONNAIRE, LANGUAGES)


def _make_person(slug: str, label: str, name: str, roles: tuple[str, ...]) -> Person:
    key = f"{slug} {label}"
    keyring = Keyring(_seed(f"{key} identity"), _seed(f"{key} signing"), _seed(f"{key} index"))
    letters = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
    totp_secret = "".join(letters[byte % 32] for byte in _seed(f"{key} totp"))
    return Person(
        label, name, roles, f"{slug}/{label}", keyring, f"{label} fictional words for the tests only", totp_secret
    )


def _make_member(person: Person, valid_from: date) -> Member:
    recipient = person.identity.recipient()
    return Member(person.label, person.name, person.roles, recipient, person.signing_key.verifier, valid_from, None)


def _seed(name: str) -> bytes:
    return hashlib.sha256(f"amparo tests: {name}".encode()).digest()


def _text(english: str, arabic: str) -> dict[str, str]:
    return {"en": english, "ar": arabic}


def _question(key: str, kind: str, label: dict[str, str], options: dict[str, dict[str, str]] | None = None) -> Any:
    value: dict[str, Any] = {"id": key, "kind": kind, "label": label, "required": key == "story"}
    if options is not None:
        value["options"] = [{"code": code, "label": text} for code, text in options.items()]
    return value


_QUESTIONNAIRE: dict[str, Any] = {
    "id": "test",
    "number": 1,
    "panels": [
        {
            "id": "who",
            "title": _text("Who and where", "من وأين"),
            "questions": [
                _question(
                    "situation",
                    "choice",
                    _text("Which is true for you?", "ما الذي ينطبق عليك؟"),
                    {
                        "HELD": _text("I am held", "أنا محتجز"),
                        "LAWYER": _text("I am a lawyer", "أنا محامٍ"),
                        "UNKNOWN": _text("I don’t know", "لا أعرف"),
                    },
                ),
                _question(
                    "urgency",
                    "checkboxes",
                    _text("Is there danger in the next days?", "هل هناك خطر في الأيام القادمة؟"),
                    {
                        "UR-SURR-72H": _text("Handed over within three days", "التسليم خلال ثلاثة أيام"),
                        "UR-TORT-NOW": _text("Violence now", "عنف الآن"),
                    },
                ),
                _question("handover", "moment", _text("When is it to happen?", "متى سيحدث؟")),
                _question("country", "country", _text("Which country?", "أي بلد؟")),
                _question("place", "line", _text("Which place?", "أي مكان؟")),
            ],
        },
        {
            "id": "what",
            "title": _text("What happened", "ماذا حدث"),
            "intro": _text("In your own words and your own language.", "بكلماتك ولغتك."),
            "questions": [
                _question(
                    "what",
                    "checkboxes",
                    _text("What is it about?", "ما موضوعه؟"),
                    {
                        "EXT-NR-TORT": _text("Risk of torture", "خطر التعذيب"),
                        "INV-INT-COERCE": _text("A forced confession", "اعتراف بالإكراه"),
                    },
                ),
                _question("story", "text", _text("What happened?", "ماذا حدث؟")),
                _question("when", "date", _text("When was it?", "متى كان ذلك؟")),
                _question("files", "files", _text("Files", "ملفات")),
                _question("exclude", "members", _text("Who must not read this?", "من الذي يجب ألا يقرأ هذا؟")),
            ],
        },
    ],
    "urgent": [
        {"question": "urgency", "required": True},
        {"question": "handover", "required": False},
        {"question": "country", "required": False},
        {"question": "story", "required": True},
    ],
}
