# SPDX-License-Identifier: AGPL-3.0-or-later
"""The questions of a charter: panels of questions with texts by language. docs/protocol.md §4.3."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from crypto.document import Fields
from crypto.errors import LimitError, MalformedError

KINDS = ("choice", "checkboxes", "text", "line", "date", "moment", "country", "files", "members")
KINDS_WITH_OPTIONS = ("choice", "checkboxes")
# Attachments and excluded members have their own place in a submission, never among the answers.
KINDS_WITHOUT_ANSWER = ("files", "members")

PANELS_MAX = 64
QUESTIONS_MAX = 64
OPTIONS_MAX = 256
URGENT_MAX = 8
URGENT_REQUIRED_MAX = 3
LABEL_CHARS_MAX = 500
HINT_CHARS_MAX = 4000
INTEGER_MAX = 1_000_000
ID = r"[a-z][a-z0-9-]{0,30}"
CODE = r"[A-Z][A-Z0-9-]{0,39}"

Text = Mapping[str, str]


@dataclass(frozen=True)
class Option:
    """One code of a list, and its label in each language. ``group`` is the heading of those that begin here."""

    code: str
    label: Text
    group: Text | None = None


@dataclass(frozen=True)
class Question:
    """One question; ``options`` is empty unless its kind is ``choice`` or ``checkboxes``."""

    id: str
    kind: str
    label: Text
    hint: Text | None
    options: tuple[Option, ...]
    required: bool

    @property
    def codes(self) -> tuple[str, ...]:
        return tuple(option.code for option in self.options)

    @property
    def has_answer(self) -> bool:
        """Whether its answer is among the answers: files and members have places of their own."""
        return self.kind not in KINDS_WITHOUT_ANSWER


@dataclass(frozen=True)
class Panel:
    """A group of questions on one panel."""

    id: str
    title: Text
    intro: Text | None
    questions: tuple[Question, ...]


@dataclass(frozen=True)
class UrgentQuestion:
    """A question that is asked of somebody in danger, and whether it has to be answered there."""

    question: str
    required: bool


@dataclass(frozen=True)
class Questionnaire:
    """All panels, in order. ``number`` grows with every change under the same ``id``.

    ``urgent`` are the few questions that somebody in danger is asked at first, at most 8, of which at most 3 have to be
    answered. Without any there is no short way.
    """

    id: str
    number: int
    panels: tuple[Panel, ...]
    urgent: tuple[UrgentQuestion, ...] = ()

    @property
    def questions(self) -> tuple[Question, ...]:
        return tuple(question for panel in self.panels for question in panel.questions)

    def to_value(self, languages: tuple[str, ...]) -> dict[str, Any]:
        """Return the JSON object for a charter, with the texts in these languages only.

        Raises MalformedError when a text lacks one of them.
        """
        panels = [_panel_value(panel, languages) for panel in self.panels]
        value: dict[str, Any] = {"id": self.id, "number": self.number, "panels": panels}
        if self.urgent:
            value["urgent"] = [{"question": item.question, "required": item.required} for item in self.urgent]
        return value


def read_questionnaire(value: object, languages: tuple[str, ...]) -> Questionnaire:
    """Read the object of §4.3, whose texts have an entry for each of ``languages`` and no other.

    Raises MalformedError when it does not follow the format, when two panels, questions or codes are equal, when a list
    of options is empty, or when an urgent question is none of the panels'; LimitError when it is too large.
    """
    fields = Fields(value, "questionnaire")
    questionnaire = Questionnaire(
        id=fields.text("id", pattern=ID),
        number=fields.integer("number", 1, INTEGER_MAX),
        panels=fields.items("panels", PANELS_MAX, lambda item: _read_panel(item, languages)),
        urgent=fields.items("urgent", URGENT_MAX, _read_urgent) if fields.has("urgent") else (),
    )
    fields.end()
    refuse_repeats([panel.id for panel in questionnaire.panels], "panels of the questionnaire")
    refuse_repeats([question.id for question in questionnaire.questions], "questions")
    _check_urgent(questionnaire)
    return questionnaire


def refuse_repeats(values: list[str], what: str) -> None:
    """Raise MalformedError when the list holds a value twice."""
    if len(set(values)) != len(values):
        raise MalformedError(f"two {what} are equal")


def _read_urgent(item: object) -> UrgentQuestion:
    fields = Fields(item, "urgent question")
    urgent = UrgentQuestion(fields.text("question", pattern=ID), fields.boolean("required"))
    fields.end()
    return urgent


def _check_urgent(questionnaire: Questionnaire) -> None:
    """Each is a question of the panels that has an answer; all that have to be answered anyway are among them."""
    urgent = {item.question: item.required for item in questionnaire.urgent}
    refuse_repeats([item.question for item in questionnaire.urgent], "urgent questions")
    if sum(urgent.values()) > URGENT_REQUIRED_MAX:
        raise LimitError(f"more than {URGENT_REQUIRED_MAX} urgent questions have to be answered")
    answered = {question.id: question for question in questionnaire.questions if question.has_answer}
    if not urgent.keys() <= answered.keys():
        raise MalformedError("an urgent question is none that can be answered")
    if urgent and any(question.required and not urgent.get(id_) for id_, question in answered.items()):
        raise MalformedError("a question that has to be answered is not among the urgent ones")


def _read_panel(item: object, languages: tuple[str, ...]) -> Panel:
    fields = Fields(item, "panel")
    panel = Panel(
        id=fields.text("id", pattern=ID),
        title=fields.translations("title", languages, LABEL_CHARS_MAX),
        intro=fields.translations("intro", languages, HINT_CHARS_MAX) if fields.has("intro") else None,
        questions=fields.items("questions", QUESTIONS_MAX, lambda item: _read_question(item, languages)),
    )
    fields.end()
    return panel


def _read_question(item: object, languages: tuple[str, ...]) -> Question:
    fields = Fields(item, "question")
    kind = fields.text("kind")
    if kind not in KINDS:
        raise MalformedError("a question has an unknown kind")
    options: tuple[Option, ...] = ()
    if kind in KINDS_WITH_OPTIONS:
        options = fields.items("options", OPTIONS_MAX, lambda item: _read_option(item, languages))
        if not options:
            raise MalformedError("a question offers no options")
    question = Question(
        id=fields.text("id", pattern=ID),
        kind=kind,
        label=fields.translations("label", languages, LABEL_CHARS_MAX),
        hint=fields.translations("hint", languages, HINT_CHARS_MAX) if fields.has("hint") else None,
        options=options,
        required=fields.boolean("required"),
    )
    fields.end()
    refuse_repeats(list(question.codes), "codes of one question")
    return question


def _read_option(item: object, languages: tuple[str, ...]) -> Option:
    fields = Fields(item, "option")
    option = Option(
        fields.text("code", pattern=CODE),
        fields.translations("label", languages, LABEL_CHARS_MAX),
        fields.translations("group", languages, LABEL_CHARS_MAX) if fields.has("group") else None,
    )
    fields.end()
    return option


def _panel_value(panel: Panel, languages: tuple[str, ...]) -> dict[str, Any]:
    value: dict[str, Any] = {"id": panel.id, "title": _text_value(panel.title, languages)}
    if panel.intro is not None:
        value["intro"] = _text_value(panel.intro, languages)
    value["questions"] = [_question_value(question, languages) for question in panel.questions]
    return value


def _question_value(question: Question, languages: tuple[str, ...]) -> dict[str, Any]:
    value: dict[str, Any] = {
        "id": question.id,
        "kind": question.kind,
        "label": _text_value(question.label, languages),
        "required": question.required,
    }
    if question.hint is not None:
        value["hint"] = _text_value(question.hint, languages)
    if question.kind in KINDS_WITH_OPTIONS:
        value["options"] = [_option_value(option, languages) for option in question.options]
    return value


def _option_value(option: Option, languages: tuple[str, ...]) -> dict[str, Any]:
    value: dict[str, Any] = {"code": option.code, "label": _text_value(option.label, languages)}
    if option.group is not None:
        value["group"] = _text_value(option.group, languages)
    return value


def _text_value(text: Text, languages: tuple[str, ...]) -> dict[str, str]:
    if any(language not in text for language in languages):
        raise MalformedError("a text of the questionnaire lacks one of the languages")
    return {language: text[language] for language in languages}
