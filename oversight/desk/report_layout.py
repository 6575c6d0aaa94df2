# SPDX-License-Identifier: AGPL-3.0-or-later
"""A report as it is shown: questions in the member's language, answers as the reporter gave them.

Everything that the report holds is shown, what its questionnaire does not know included: an answer must never vanish
because a program of today has no place for it.
"""

from dataclasses import dataclass
from functools import partial

from crypto.answers import Answer, PartialDate
from crypto.charter import Charter
from crypto.public_text import is_seen
from crypto.questionnaire import KINDS_WITHOUT_ANSWER, Question
from crypto.report import Report
from oversight.reports import labels
from oversight.web.rows import attempt
from portal.kit.i18n import Translation, text_direction


@dataclass(frozen=True)
class ShownAnswer:
    """One answer. ``own_words`` are the reporter's; ``lines`` are ours, from codes and dates; or it can't be shown."""

    question: str
    own_words: str = ""
    lines: tuple[str, ...] = ()
    dir: str = "auto"
    broken: bool = False

    @property
    def is_blank(self) -> bool:
        """Whether it was written, and nothing of it can be seen."""
        return self.own_words != "" and not is_seen(self.own_words)


@dataclass(frozen=True)
class ShownPanel:
    title: str
    answers: tuple[ShownAnswer, ...]


@dataclass(frozen=True)
class ShownReport:
    """``unknown`` are answers to questions that the charter does not have, ``unanswered`` the questions left out."""

    panels: tuple[ShownPanel, ...]
    unknown: tuple[ShownAnswer, ...]
    unanswered: tuple[str, ...]


def show_report(report: Report, charter: Charter, translation: Translation) -> ShownReport:
    """Lay a report out for a member who reads ``translation``."""
    locale = translation.locale
    asked = charter.questionnaire if _is_asked(report, charter) else None
    panels, unanswered = [], []
    known: set[str] = set()
    for panel in asked.panels if asked else ():
        answers = []
        for question in panel.questions:
            known.add(question.id)
            if question.id in report.answers:
                show = partial(_show, question, report.answers[question.id], report.language, translation)
                answers.append(attempt(show) or ShownAnswer(question.id, broken=True))
            elif question.kind not in KINDS_WITHOUT_ANSWER:
                unanswered.append(labels.in_language(question.label, locale))
        if answers:
            panels.append(ShownPanel(labels.in_language(panel.title, locale), tuple(answers)))
    unknown = tuple(
        attempt(partial(_show_unknown, name, answer, report.language, translation)) or ShownAnswer(name, broken=True)
        for name, answer in report.answers.items()
        if name not in known
    )
    return ShownReport(tuple(panels), unknown, tuple(unanswered))


def _is_asked(report: Report, charter: Charter) -> bool:
    return report.questionnaire == (charter.questionnaire.id, charter.questionnaire.number)


def _show(question: Question, answer: Answer, language: str, translation: Translation) -> ShownAnswer:
    name = labels.in_language(question.label, translation.locale)
    if isinstance(answer, PartialDate):
        return ShownAnswer(name, lines=(labels.partial_date_label(answer, translation),))
    options = {option.code: labels.in_language(option.label, translation.locale) for option in question.options}
    if isinstance(answer, tuple):
        return ShownAnswer(name, lines=tuple(options.get(code, code) for code in answer))
    if question.kind == "choice":
        return ShownAnswer(name, lines=(options.get(answer, answer),))
    if question.kind == "country":
        return ShownAnswer(name, lines=(labels.country_labels(translation).get(answer, answer),))
    return ShownAnswer(name, own_words=answer, dir=text_direction(answer, language))


def _show_unknown(name: str, answer: Answer, language: str, translation: Translation) -> ShownAnswer:
    if isinstance(answer, PartialDate):
        return ShownAnswer(name, lines=(labels.partial_date_label(answer, translation),))
    if isinstance(answer, tuple):
        return ShownAnswer(name, lines=answer)
    return ShownAnswer(name, own_words=answer, dir=text_direction(answer, language))
