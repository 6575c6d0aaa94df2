# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a reporter answered: values by question id. docs/protocol.md §4.3, §5.1.

A reader checks only the shape of an answer, so that an answer to an unknown question can still be shown. The sealing
side also checks the answers against the questionnaire.
"""

import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass

from crypto.document import Fields
from crypto.errors import LimitError, MalformedError
from crypto.public_text import is_seen
from crypto.questionnaire import ID, OPTIONS_MAX, Question, Questionnaire, refuse_repeats
from crypto.taxonomy import COUNTRY

ANSWERS_MAX = 512
# The whole report is limited to 1 MiB; no single answer needs a narrower limit.
ANSWER_CHARS_MAX = 1024 * 1024
LINE_CHARS_MAX = 1000
CODE_CHARS_MAX = 64


@dataclass(frozen=True)
class PartialDate:
    """A date of which parts may be unknown (``None``); ``about`` says that the reporter is not sure of it."""

    year: int | None
    month: int | None
    day: int | None
    about: bool


@dataclass(frozen=True)
class Moment(PartialDate):
    """A date with its hour of the day, 0 to 23, at the place that the question asks of."""

    hour: int | None


Answer = str | tuple[str, ...] | PartialDate
Answers = Mapping[str, Answer]


def read_answers(value: object) -> Answers:
    """Read the object of answers, without knowing the questions.

    Raises MalformedError for a value that no kind of question has, LimitError for too many or too long answers. No
    error quotes the object: here even question ids come from the reporter.
    """
    if not isinstance(value, dict):
        raise MalformedError("answers are not an object")
    if len(value) > ANSWERS_MAX:
        raise LimitError(f"more than {ANSWERS_MAX} answers")
    if not all(isinstance(name, str) and re.fullmatch(ID, name) for name in value):
        raise MalformedError("the id of an answered question is malformed")
    return {name: _read_answer(answer) for name, answer in value.items()}


def answers_value(answers: Answers) -> dict[str, object]:
    """Return the JSON object of answers. Raises as ``read_answers``."""
    value = {name: _answer_value(answer) for name, answer in answers.items()}
    read_answers(value)
    return value


def check_answers(answers: Answers, questionnaire: Questionnaire) -> None:
    """Raise MalformedError for an unknown question, an answer of another kind, or a missing required answer."""
    questions = {question.id: question for question in questionnaire.questions}
    for name, answer in answers.items():
        if name not in questions or not _is_of_kind(answer, questions[name]):
            raise MalformedError("an answer has an unknown question, or is not of its question's kind")
    for question in questionnaire.questions:
        if question.required and question.has_answer and _is_empty(answers.get(question.id)):
            raise MalformedError(f"question {question.id!r} must be answered")


def _read_answer(value: object) -> Answer:
    match value:
        case str():
            if len(value) > ANSWER_CHARS_MAX:
                raise LimitError("an answer is too long")
            return value
        case dict():
            fields = Fields(value, "date among the answers")
            return _read_moment(fields) if fields.has("hour") else _read_date(fields)
        case _:
            codes = Fields({"codes": value}, "answer").texts("codes", OPTIONS_MAX, max_chars=CODE_CHARS_MAX)
            refuse_repeats(list(codes), "codes of one answer")
            return codes


def _read_moment(fields: Fields) -> Moment:
    hour = _read_part(fields, "hour", 0, 23)
    date = _read_date(fields)
    return Moment(date.year, date.month, date.day, date.about, hour)


def _read_date(fields: Fields) -> PartialDate:
    date = PartialDate(
        year=_read_part(fields, "year", 1, 9999),
        month=_read_part(fields, "month", 1, 12),
        day=_read_part(fields, "day", 1, 31),
        about=fields.boolean("about"),
    )
    fields.end()
    return date


def _read_part(fields: Fields, name: str, low: int, high: int) -> int | None:
    value = fields.take(name)
    return None if value is None else Fields({name: value}, fields.where).integer(name, low, high)


def _answer_value(answer: Answer) -> object:
    match answer:
        case PartialDate():
            return asdict(answer)
        case tuple():
            return list(answer)
        case _:
            return answer


def _is_empty(answer: Answer | None) -> bool:
    return not is_seen(answer) if isinstance(answer, str) else not answer


def _is_of_kind(answer: Answer, question: Question) -> bool:
    match question.kind, answer:
        case "choice", str():
            return answer in question.codes
        case "checkboxes", tuple():
            return set(answer) <= set(question.codes)
        case "line", str():
            return len(answer) <= LINE_CHARS_MAX and "\n" not in answer
        case "country", str():
            return re.fullmatch(COUNTRY, answer) is not None
    return (question.kind, type(answer)) in (("text", str), ("date", PartialDate), ("moment", Moment))
