# SPDX-License-Identifier: AGPL-3.0-or-later
"""Questionnaires, the answers they call for, and the one that a new commission starts with."""

import itertools
import json
from pathlib import Path

import pytest

from crypto.answers import LINE_CHARS_MAX, PartialDate, check_answers, read_answers
from crypto.errors import LimitError, MalformedError
from crypto.questionnaire import Questionnaire, read_questionnaire
from tests.vectors.commission import load_commission

ASKED = load_commission().charter.questionnaire
DEFAULT = Path(__file__).parents[2] / "oversight/questionnaires/default.json"
NOTHING_KNOWN = PartialDate(None, None, None, about=False)


def default_questionnaire() -> Questionnaire:
    return read_questionnaire(json.loads(DEFAULT.read_text("utf-8")), ("en", "ar"))


@pytest.mark.parametrize(
    "answers",
    [
        {"story": "x"},
        {"story": "x", "situation": "HELD", "urgency": ("UR-MED", "UR-LIFE"), "country": "XK"},
        {"story": "x", "when": NOTHING_KNOWN, "place": "Cell 4", "urgency": ()},
    ],
)
def test_answers_that_the_questions_call_for_are_taken(answers):
    check_answers(answers, ASKED)


@pytest.mark.parametrize(
    "answers",
    [
        {},
        {"story": ""},
        {"story": ("x",)},
        {"story": NOTHING_KNOWN},
        {"story": "x", "situation": "UR-MED"},
        {"story": "x", "situation": ("HELD",)},
        {"story": "x", "urgency": "UR-MED"},
        {"story": "x", "urgency": ("HELD",)},
        {"story": "x", "country": "Kosovo"},
        {"story": "x", "place": "Cell\n4"},
        {"story": "x", "place": "x" * (LINE_CHARS_MAX + 1)},
        {"story": "x", "when": "2025"},
        {"story": "x", "files": "x"},
        {"story": "x", "exclude": ("chair",)},
        {"story": "x", "other": "x"},
    ],
)
def test_other_answers_are_refused(answers):
    with pytest.raises(MalformedError):
        check_answers(answers, ASKED)


def test_too_many_or_too_long_answers_are_refused():
    with pytest.raises(LimitError):
        read_answers({f"q{number}": "x" for number in range(513)})
    with pytest.raises(LimitError):
        read_answers({"story": "x" * (1024 * 1024 + 1)})
    with pytest.raises(MalformedError):
        read_answers(["x"])


def test_a_questionnaire_is_read_back_the_same():
    assert read_questionnaire(ASKED.to_value(("en", "ar")), ("en", "ar")) == ASKED


def test_a_questionnaire_can_be_narrowed_to_some_languages_but_not_widened():
    english = read_questionnaire(default_questionnaire().to_value(("en",)), ("en",))
    assert all(set(question.label) == {"en"} for question in english.questions)
    with pytest.raises(MalformedError):
        english.to_value(("en", "ar"))


def test_the_default_asks_what_pages_and_office_rely_on():
    kinds = {question.id: question.kind for question in default_questionnaire().questions}
    assert kinds == {
        "situation": "choice",
        "story": "text",
        "urgency": "checkboxes",
        "handover": "moment",
        "holding": "country",
        "asking": "country",
        "what": "checkboxes",
        "when": "date",
        "country": "country",
        "place": "line",
        "authority": "line",
        "files": "files",
        "consents": "checkboxes",
        "exclude": "members",
    }


def test_the_default_requires_nothing_but_the_story():
    questions = default_questionnaire().questions
    assert [question.id for question in questions if question.required] == ["story"]


def test_the_default_asks_somebody_in_danger_five_questions_and_two_answers():
    default = default_questionnaire()
    assert [(item.question, item.required) for item in default.urgent] == [
        ("urgency", True),
        ("story", True),
        ("handover", False),
        ("holding", False),
        ("asking", False),
    ]


def test_the_default_shows_nobody_more_than_ten_boxes_at_once():
    for question in default_questionnaire().questions:
        groups = [index for index, option in enumerate(question.options) if option.group]
        ends = [*groups, len(question.options)]
        assert all(end - start <= 10 for start, end in itertools.pairwise([0, *ends]))


@pytest.mark.parametrize(
    ("urgent", "error"),
    [
        ([{"question": "nothing", "required": False}], MalformedError),
        ([{"question": "files", "required": False}], MalformedError),
        ([{"question": "story", "required": True}, {"question": "story", "required": True}], MalformedError),
        ([{"question": "story", "required": False}], MalformedError),
        ([{"question": "place", "required": True}], MalformedError),
        ([{"question": "story"}], MalformedError),
        ([{"question": name, "required": True} for name in ("story", "place", "when", "what")], LimitError),
        ([{"question": f"q{number}", "required": False} for number in range(9)], LimitError),
    ],
)
def test_urgent_questions_are_some_of_the_panels_and_hold_all_that_must_be_answered(urgent, error):
    value = default_questionnaire().to_value(("en", "ar"))
    with pytest.raises(error):
        read_questionnaire({**value, "urgent": urgent}, ("en", "ar"))


def test_the_default_uses_the_codes_of_the_taxonomy():
    questions = {question.id: question for question in default_questionnaire().questions}
    assert all(code.startswith("UR-") for code in questions["urgency"].codes)
    assert all(code.startswith("CO-") for code in questions["consents"].codes)
    assert all(code.startswith(("EXT-", "INV-", "RET-", "OTHER", "UNKNOWN")) for code in questions["what"].codes)


def test_the_default_is_written_in_the_script_of_its_language():
    arabic = range(0x600, 0x700)
    for question in default_questionnaire().questions:
        for text in (question.label, question.hint, *(option.label for option in question.options)):
            if text is not None:
                assert any(ord(letter) in arabic for letter in text["ar"])
                assert not any(ord(letter) in arabic for letter in text["en"])
