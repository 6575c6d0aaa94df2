# SPDX-License-Identifier: AGPL-3.0-or-later
"""The table of event types is total: whatever can be read can be judged, takes effect, and can be told."""

import dataclasses
import inspect
import re
from typing import Any, get_args

import pytest

from crypto.event_fields import Part
from crypto.event_types import PURPOSES, TYPES, Declared, Moved, Noted, Replied
from oversight.web.rendering import LOCALE
from oversight.workflow.event_types import EVENT_TYPES, EventType, Group
from oversight.workflow.rules import STATES
from portal.kit.i18n import LOCALES, load_translation

PLACE = re.compile(r"%\((\w+)\)s")
# Parts for which a sentence is chosen: one for each sentence there is.
CHOICES: dict[str, list[Any]] = {
    "declared": [Declared(conflict, ()) for conflict in (True, False)],
    "moved": [Moved("RECEIVED", "ACKNOWLEDGED", ground) for ground in ("sent", None)],
    "replied": [Replied("0" * 32, "1" * 32, purpose) for purpose in PURPOSES],
}


def sentences(row: EventType) -> list[str]:
    if isinstance(row.sentence, str):
        return [row.sentence]
    return [row.sentence(part) for part in CHOICES[row.format.kind]]


def test_every_type_that_can_be_read_has_a_row() -> None:
    assert EVENT_TYPES.keys() == TYPES.keys()
    assert {row.format for row in EVENT_TYPES.values()} == set(TYPES.values())


def test_the_first_event_alone_has_no_effect_of_its_own() -> None:
    assert [code for code, row in EVENT_TYPES.items() if row.effect is None] == ["opened"]


@pytest.mark.parametrize("code", EVENT_TYPES)
def test_a_row_names_states_that_there_are_and_somebody_who_may_write_it(code: str) -> None:
    act = EVENT_TYPES[code].act
    assert act.roles
    assert set(act.states) <= set(STATES)
    assert act.states or code == "opened"


@pytest.mark.parametrize("code", EVENT_TYPES)
def test_a_sentence_speaks_of_the_actor_and_of_fields_that_the_part_has(code: str) -> None:
    row = EVENT_TYPES[code]
    assert issubclass(row.format, Part)
    fields = {field.name for field in dataclasses.fields(row.format)}  # type: ignore[arg-type]
    told = sentences(row)
    assert len(set(told)) == len(told)
    for sentence in told:
        places = set(PLACE.findall(sentence))
        assert "name" in places
        assert places - {"name"} <= fields | ({"action"} if code == "proposed" else set())


@pytest.mark.parametrize("locale", LOCALES[1:])
def test_every_sentence_is_in_every_catalog(locale: str) -> None:
    translation = load_translation(LOCALE, "oversight", locale)
    told = [sentence for row in EVENT_TYPES.values() for sentence in sentences(row)]
    assert [sentence for sentence in told if translation.gettext(sentence) == sentence] == []


def test_what_chooses_a_sentence_looks_at_the_part_alone() -> None:
    for row in EVENT_TYPES.values():
        if not isinstance(row.sentence, str):
            assert len(inspect.signature(row.sentence).parameters) == 1
            assert row.format.kind in CHOICES


def test_what_is_filed_under_decisions_people_and_letters() -> None:
    filed = {group: {code for code, row in EVENT_TYPES.items() if row.group == group} for group in get_args(Group)}
    assert filed == {
        "decision": {"opened", "moved", "proposed", "approved", "returned", "waived"},
        "people": {"declared", "assigned", "recused", "left"},
        "out": {"replied", "published", "corrected", "withdrawn"},
        "work": {
            *("report-added", "noted", "party-added", "clock-extended", "drafted", "signed", "checked"),
            "recommendation-status",
        },
    }


def test_texts_and_checks_have_pages_of_their_own() -> None:
    assert [code for code, row in EVENT_TYPES.items() if row.has_page] == ["drafted", "checked"]


def test_the_sentence_says_what_the_part_says() -> None:
    assert "to have no conflict" in EVENT_TYPES["declared"].tell(Declared(False, ()))
    assert "declared a conflict" in EVENT_TYPES["declared"].tell(Declared(True, ()))
    assert "%(ground)s" in EVENT_TYPES["moved"].tell(Moved("RECEIVED", "ACKNOWLEDGED", "sent"))
    assert "%(ground)s" not in EVENT_TYPES["moved"].tell(Moved("ACKNOWLEDGED", "TRIAGE", None))
    letters = [EVENT_TYPES["replied"].tell(Replied("0" * 32, "1" * 32, purpose)) for purpose in PURPOSES]
    assert [letter.split(" ", 1)[1] for letter in letters] == [
        "wrote to the reporter of %(report)s",
        "sent the reporter of %(report)s the acknowledgement",
        "told the reporter of %(report)s how it stands",
    ]
    assert EVENT_TYPES["noted"].tell(Noted()) == EVENT_TYPES["noted"].sentence
