# SPDX-License-Identifier: AGPL-3.0-or-later
"""Whatever charter is made, both languages read it: names in many scripts, texts in both directions, any threshold."""

import json
from dataclasses import replace
from random import Random

from crypto.charter import CharterDraft, Governors, make_charter
from crypto.errors import CryptoError
from crypto.note import Note, sign
from tests.crypto.test_person_name import HONEST as NAMES
from tests.crypto.test_public_text import HONEST as TEXTS
from tests.fuzz.alterations import ODD_TEXTS
from tests.fuzz.comparison import read_in_python, running_script
from tests.fuzz.formats import load_formats
from tests.vectors.commission import load_commission

ACME = load_commission()
CHARTER = next(each for each in load_formats() if each.name == "charter")
DRAFTS = 60


def odd(chance: Random, text: str) -> str:
    """The text, now and then with something odd in it."""
    place = chance.randint(0, len(text))
    added = chance.choice(ODD_TEXTS) if chance.random() < 0.2 else ""
    return text[:place] + added + text[place:]


def draft(chance: Random) -> CharterDraft:
    members = ACME.charter.members[: chance.randint(1, 3)]
    names = chance.sample(NAMES, len(members))
    reserve = replace(ACME.charter.reserve, shares=chance.randint(1, 3), threshold=chance.choice((1, 2, 2)))
    keys = ACME.charter.governors.keys[: chance.choice((1, 2, 3, 3))]
    return replace(
        ACME.charter,
        members=tuple(replace(member, name=odd(chance, name)) for member, name in zip(members, names, strict=True)),
        mandate={language: odd(chance, chance.choice(TEXTS)) for language in ACME.charter.languages},
        governors=Governors(chance.choice((1, 2, 2)), keys),
        reserve=reserve,
        limits=replace(ACME.charter.limits, attachments=chance.randint(0, 34)),
    )


def test_every_charter_that_is_made_is_read_in_both_languages(rng: Random) -> None:
    made = 0
    with running_script() as script:
        for _ in range(DRAFTS):
            charter = draft(rng)
            try:
                text = make_charter(charter)
            except CryptoError:
                continue
            note = sign(text, ACME.governors).encode()
            answer = read_in_python(CHARTER, note)
            assert answer == script.read(CHARTER.name, note)
            assert [each[1] for each in answer["accepted"][-1]] == [member.name for member in charter.members]
            assert json.loads(Note.parse(note).text)["mandate"] == charter.mandate
            made += 1
    assert 0 < made < DRAFTS
