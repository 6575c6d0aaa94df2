# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the queue shows of a report, sealed under the member's index key; all entries are of one length."""

import re
from collections.abc import Iterable, Iterator
from typing import Literal

import msgspec

from crypto.answers import Answers, Moment
from crypto.charter import Charter
from crypto.encoding import label
from crypto.errors import MalformedError
from crypto.ids import MemberLabel, SubmissionId
from crypto.keyring import open_bytes, seal_bytes
from crypto.questionnaire import CODE
from crypto.report import Report
from crypto.taxonomy import (
    COUNTRY,
    QUESTION_COUNTRY,
    QUESTION_WHAT,
    SUBJECT_OTHER,
    SUBJECT_PREFIXES,
    SURRENDER_PREFIX,
    URGENCY_PREFIX,
)
from oversight.reports.urgency import Level, level, sort_codes

ENTRY_BYTES = 512
"""Of an entry before it is sealed. The limits below keep every summary under it."""
URGENCY_MAX = 5
WHAT_MAX = 3

Access = Literal["open", "none", "broken", "failed"]


class Summary(msgspec.Struct, frozen=True, omit_defaults=True):
    """One report in the queue.

    ``access``: ``open``, ``none`` (no grant: the queue shows nothing), ``broken`` (the grant opens, the report is
    not what it should be), ``failed`` (the program could not summarise it). ``what_more`` counts the codes that
    ``what`` leaves out.
    """

    access: Access
    number: int = 0
    language: str = ""
    country: str = ""
    urgency: tuple[str, ...] = ()
    what: tuple[str, ...] = ()
    what_more: int = 0
    files: int = 0

    @property
    def level(self) -> Level:
        return level(self.urgency)


_ENCODER = msgspec.json.Encoder()
_DECODER = msgspec.json.Decoder(Summary)


def summarise(number: int, report: Report, charter: Charter) -> Summary:
    """The summary of a report to which the office gave ``number``.

    The country is that in which it happened, or else the answer to the first question that asks for one. A moment
    among the answers is that of a surrender. Whatever is not of the form of a code is left out: a reporter's words
    never come into the index.
    """
    codes = _codes(report.answers)
    if any(isinstance(answer, Moment) for answer in report.answers.values()):
        codes.append(SURRENDER_PREFIX)
    what = [code for code in codes if code.startswith(SUBJECT_PREFIXES)]
    answered = report.answers.get(QUESTION_WHAT)
    # Of the codes without a prefix the queue shows this one alone.
    if isinstance(answered, tuple) and SUBJECT_OTHER in answered:
        what.append(SUBJECT_OTHER)
    asked = [question.id for question in charter.questionnaire.questions if question.kind == "country"]
    countries = [report.answers.get(name) for name in sorted(asked, key=lambda name: name != QUESTION_COUNTRY)]
    return Summary(
        access="open",
        number=number,
        language=report.language,
        country=next(_matching(countries, COUNTRY), ""),
        urgency=tuple(sort_codes({code for code in codes if code.startswith(URGENCY_PREFIX)})[:URGENCY_MAX]),
        what=tuple(what[:WHAT_MAX]),
        what_more=max(0, len(what) - WHAT_MAX),
        files=len(report.attachments),
    )


def seal_summary(summary: Summary, index_key: bytes, member: MemberLabel, submission: SubmissionId) -> bytes:
    """Seal for one member and one submission; the length is the same for all."""
    plain = _ENCODER.encode(summary)
    if len(plain) > ENTRY_BYTES:
        raise MalformedError("unreachable: a summary is within its limits")
    return seal_bytes(index_key, plain.ljust(ENTRY_BYTES), _associated(member, submission))


def open_summary(sealed: bytes, index_key: bytes, member: MemberLabel, submission: SubmissionId) -> Summary:
    """Raises AuthenticationError or MalformedError for an entry that this member did not make for this submission."""
    try:
        return _DECODER.decode(open_bytes(index_key, sealed, _associated(member, submission)))
    except msgspec.MsgspecError:
        raise MalformedError("an index entry can't be read") from None


def _associated(member: MemberLabel, submission: SubmissionId) -> bytes:
    return label("index") + f"{member}\n{submission}".encode()


def _codes(answers: Answers) -> list[str]:
    """Every code among the answers, once, in the order of the questions' ids."""
    values = [value for name in sorted(answers) for value in _values(answers[name])]
    return list(dict.fromkeys(_matching(values, CODE)))


def _values(answer: object) -> tuple[object, ...]:
    return answer if isinstance(answer, tuple) else (answer,)


def _matching(values: Iterable[object], pattern: str) -> Iterator[str]:
    return (value for value in values if isinstance(value, str) and re.fullmatch(pattern, value))
