# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the outgoing check needs of a case: who it is about, and what its reports say, opened by a member's keys."""

import asyncio
from collections.abc import Iterator, Sequence

from crypto.report import Report
from crypto.sealed_parts import Party
from crypto.submission import open_report
from crypto.taxonomy import (
    PARTY_AUTHORITY,
    PARTY_FACILITY,
    QUESTION_AUTHORITY,
    QUESTION_CONSENTS,
    QUESTION_COUNTRY,
    QUESTION_PLACE,
)
from oversight.cases.entries import read_entries
from oversight.cases.open_case import OpenCase
from oversight.findings.check import Material, Source, Term
from oversight.reports.opening import load_sealed
from oversight.reports.records import SubmissionRecord

# Answers of one line that say where it was. An authority may have to be named: that is only a warning.
PLACES = {QUESTION_PLACE: True}
AUTHORITIES = {QUESTION_AUTHORITY: False}
# Bodies that a finding may name, and has to when it recommends something to them.
PUBLIC_ROLES = frozenset({PARTY_AUTHORITY})
PLACE_ROLES = frozenset({PARTY_FACILITY})
EVENTS_MAX = 10_000


async def gather_material(case: OpenCase) -> Material:
    """Everything that must not be known from the finding. Raises CryptoError when something stored is not genuine."""
    terms = [*await _party_terms(case), *_member_terms(case)]
    sources, countries = [], list(case.actor.charter.jurisdictions)
    for submission, report in await _open_reports(case):
        terms.extend(_report_terms(report))
        answers = report.answers
        # First those of the reports: only so many are looked at.
        countries.insert(0, str(answers.get(QUESTION_COUNTRY, "")))
        texts = tuple(value for value in answers.values() if isinstance(value, str) and len(value.split()) > 1)
        consents = answers.get(QUESTION_CONSENTS, ())
        given = consents if isinstance(consents, tuple) else ()
        sources.append(Source(submission.reference, texts, submission.received, given))
    return Material(tuple(dict.fromkeys(terms)), tuple(sources), tuple(dict.fromkeys(countries)))


async def _open_reports(case: OpenCase) -> list[tuple[SubmissionRecord, Report]]:
    assert case.keys is not None
    threads = case.keys.threads
    submissions = await SubmissionRecord.filter(id__in=list(case.state.reports)).order_by("number")
    opened = []
    for submission, sealed in zip(submissions, await load_sealed(submissions), strict=True):
        report = await asyncio.to_thread(open_report, sealed.report, threads[submission.id].original)
        opened.append((submission, report))
    return opened


async def _party_terms(case: OpenCase) -> Sequence[Term]:
    entries = await read_entries(case.id, case.keys, types=("party-added",), limit=EVENTS_MAX)
    return [term for entry in entries if isinstance(entry.part, Party) for term in party_terms(entry.part)]


def party_terms(party: Party) -> Iterator[Term]:
    """What a person or body of the case can be known by."""
    for name in (party.name, *party.aliases):
        if party.role in PUBLIC_ROLES:
            yield Term("authority", name, certain=False)
        elif party.role in PLACE_ROLES:
            yield Term("place", name)
        else:
            yield Term("name", name)
    for identifier in party.identifiers:
        yield Term("identifier", identifier)


def _member_terms(case: OpenCase) -> Iterator[Term]:
    """Who handled the case is not said in the register, but for those who sign."""
    for label in case.state.holders:
        member = case.members.get(label)
        if member is not None and not {"chair", "publisher"} & set(member.roles):
            yield Term("member", member.name)


def _report_terms(report: Report) -> Iterator[Term]:
    for answer, certain in PLACES.items():
        value = report.answers.get(answer)
        if isinstance(value, str) and value.strip():
            yield Term("place", value, certain)
    for answer, certain in AUTHORITIES.items():
        value = report.answers.get(answer)
        if isinstance(value, str) and value.strip():
            yield Term("authority", value, certain)
