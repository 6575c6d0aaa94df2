# SPDX-License-Identifier: AGPL-3.0-or-later
"""Cases of the demonstration in every state, made by the commands that the office's pages use, under the same rules."""

import json
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from crypto.charter import Charter
from crypto.encoding import encode_base64
from crypto.finding import FindingDraft, Recommendation, Section, finding_id, make_finding
from crypto.ids import CaseId, FindingId, MemberLabel, SubmissionId, TextHash
from crypto.keyring import open_keyring
from crypto.note import SigningKey
from crypto.sealed_parts import Party
from crypto.taxonomy import FIRST, PARTY_AUTHORITY, STATUS_OPEN
from oversight.cases import commands
from oversight.cases.actor import Actor
from oversight.cases.case_store import load_case
from oversight.demo.member import DemoMember
from oversight.founding.command import Founded
from oversight.members.records import MemberRecord
from oversight.reports.records import SubmissionRecord
from oversight.workflow.rules import (
    ACKNOWLEDGED,
    ADMITTED,
    ADOPTED,
    ASSIGNED,
    CLOSED,
    CONFLICT_CHECK,
    CORRECTION,
    FINDING_DRAFT,
    FOLLOW_UP,
    INADMISSIBLE,
    INVESTIGATING,
    PUBLISHED,
    REFERRED,
    TRIAGE,
)
from oversight.workflow.state import CaseState

_FINDINGS = Path(__file__).with_name("findings.json")
REGISTRAR, CHAIR, INVESTIGATOR, SECOND, PUBLISHER = (
    MemberLabel("registrar"),
    MemberLabel("chair"),
    MemberLabel("investigator-1"),
    MemberLabel("investigator-2"),
    MemberLabel("publisher"),
)
HANDLERS = (CHAIR, INVESTIGATOR, PUBLISHER)
POLICY = "eu-2019-1937"
REASONS = "Demonstration: the reasons would stand here."
# The way to each state; a pair has a ground as well. What takes four eyes is approved by the chair.
_TO_INVESTIGATING = ((ACKNOWLEDGED, "sent"), TRIAGE, CONFLICT_CHECK, ASSIGNED, ADMITTED, INVESTIGATING)
_TO_DRAFT = (*_TO_INVESTIGATING, FINDING_DRAFT)
_ENDINGS: dict[str, tuple[tuple[str, str] | str, ...]] = {
    INADMISSIBLE: (*_TO_INVESTIGATING[:4], (INADMISSIBLE, "jurisdiction")),
    REFERRED: (*_TO_INVESTIGATING[:4], (REFERRED, "other-body")),
    CLOSED: (*_TO_INVESTIGATING[:4], (INADMISSIBLE, "time"), CLOSED),
}
_BY = {ASSIGNED: REGISTRAR, ADMITTED: INVESTIGATOR, INADMISSIBLE: INVESTIGATOR, REFERRED: INVESTIGATOR}
_FOUR_EYES = frozenset({ASSIGNED, ADMITTED, INADMISSIBLE, REFERRED, CLOSED, ADOPTED})


@dataclass(frozen=True)
class PlannedCase:
    """A report that becomes a case: how far it is taken, and with which text of ``findings.json``."""

    submission: SubmissionId
    state: str
    finding: int | None


async def people_of(founded: Founded, now: datetime) -> dict[str, Actor]:
    """The members at work, each with the keys of their own sheet."""
    people = {}
    for label, sheet in founded.sheets.items():
        record = await MemberRecord.get(label=label)
        keyring = open_keyring(record.keyring, sheet.passphrase, label)
        key = SigningKey.from_seed(record.key_name, keyring.signing_seed)
        people[label] = Actor(record.label, founded.charter, now, keyring.identity, key)
    return people


async def set_back(submission: SubmissionId, days: int) -> None:
    """Give a report an earlier day of receipt, so that a clock can be overdue on the day of the demonstration."""
    day = (datetime.now(UTC) - timedelta(days=days)).date()
    await SubmissionRecord.filter(id=submission).update(received=day)


class CaseMaker:
    """Takes cases where they are planned to be. ``publisher`` is an open session of that member in the office."""

    def __init__(self, people: dict[str, Actor], charter: Charter, publisher: DemoMember) -> None:
        self.people = people
        self.charter = charter
        self.publisher = publisher
        self.published: list[FindingId] = []

    async def make(self, plan: PlannedCase) -> None:
        state = await commands.open_case(self.people[REGISTRAR], [plan.submission], POLICY)
        case_id = state.head.case
        await self._share(case_id)
        for step in self._way(plan.state):
            state = await self._move(case_id, *((step, None) if isinstance(step, str) else step))
        if plan.state == INVESTIGATING:
            await self._work(case_id)
        if plan.state == ASSIGNED:
            await self._recuse(case_id)
        if plan.state == CONFLICT_CHECK:
            await commands.change_state(self.people[REGISTRAR], case_id, ASSIGNED, None, REASONS)
        if plan.finding is not None:
            await self._find(case_id, plan)

    def _way(self, state: str) -> tuple[tuple[str, str] | str, ...]:
        if state in _ENDINGS:
            return _ENDINGS[state]
        names = [step if isinstance(step, str) else step[0] for step in _TO_DRAFT]
        return _TO_DRAFT[: names.index(state) + 1] if state in names else (() if state == "RECEIVED" else _TO_DRAFT)

    async def _share(self, case_id: CaseId) -> None:
        """The others declare first, and get the keys then."""
        for label in HANDLERS:
            await commands.declare(self.people[label], case_id, conflict=False)
            await commands.assign(self.people[REGISTRAR], case_id, label)

    async def _move(
        self, case_id: CaseId, to_state: str, ground: str | None = None, by: str | None = None
    ) -> CaseState:
        early = (ACKNOWLEDGED, TRIAGE, CONFLICT_CHECK, CLOSED)
        who = by or _BY.get(to_state) or (REGISTRAR if to_state in early else INVESTIGATOR)
        state = await commands.change_state(self.people[who], case_id, to_state, ground, REASONS)
        return await self._approve(state) if state.proposals else state

    async def _approve(self, state: CaseState) -> CaseState:
        return await commands.approve(self.people[CHAIR], state.head.case, state.head.hash)

    async def _work(self, case_id: CaseId) -> None:
        investigator = self.people[INVESTIGATOR]
        await commands.note(
            investigator, case_id, "Demonstration: called the hospital; they keep the file for two years."
        )
        party = Party("Police of the northern airport (fictional)", (), (), PARTY_AUTHORITY)
        await commands.add_party(investigator, case_id, party)

    async def _recuse(self, case_id: CaseId) -> None:
        """The second investigator comes in, remembers a conflict, and is shut out; the case gets new keys."""
        second = self.people[SECOND]
        await commands.declare(second, case_id, conflict=False)
        await commands.assign(self.people[REGISTRAR], case_id, SECOND)
        await commands.declare(second, case_id, conflict=True)
        await commands.recuse(self.people[CHAIR], case_id, SECOND, "Demonstration: a relative works at the ministry.")
        await commands.note(self.people[INVESTIGATOR], case_id, "Demonstration: written after the keys were renewed.")

    async def _find(self, case_id: CaseId, plan: PlannedCase) -> None:
        text = json.loads(_FINDINGS.read_text(encoding="utf-8"))[plan.finding]
        draft = self._draft(text, len(self.published) + 1)
        await commands.draft_finding(self.people[INVESTIGATOR], case_id, 1, make_finding(draft))
        if plan.state == FINDING_DRAFT:
            return
        await self._sign(case_id, draft)
        await self._move(case_id, ADOPTED)
        if plan.state == ADOPTED:
            return
        await self._publish(case_id, PUBLISHED, None)
        self.published.append(draft.id)
        if text["correction"]:
            await self._correct(case_id, draft, text["correction"])
        if plan.state == FOLLOW_UP:
            await self._move(case_id, FOLLOW_UP)

    def _draft(self, text: dict[str, Any], number: int) -> FindingDraft:
        day = self.people[PUBLISHER].now.date()
        recommendations = [
            Recommendation(at, each["addressee"], each["text"], STATUS_OPEN, each["due"])
            for at, each in enumerate(text["recommendations"], 1)
        ]
        return FindingDraft(
            id=finding_id(self.charter.slug, day.year, number),
            slug=self.charter.slug,
            charter=self.charter.hash,
            revision=1,
            previous=None,
            kind=FIRST,
            reason=None,
            day=day,
            language="en",
            title=text["title"],
            summary=text["summary"],
            sections=tuple(Section(each["heading"], each["text"]) for each in text["sections"]),
            quarter=text["quarter"],
            jurisdictions=tuple(text["jurisdictions"]),
            codes=tuple(text["codes"]),
            standard=text["standard"],
            grade=text["grade"],
            recommendations=tuple(recommendations),
            reply=text["reply"],
            dissent=None,
            author=INVESTIGATOR,
        )

    async def _sign(self, case_id: CaseId, draft: FindingDraft) -> CaseState:
        """By the publisher and the chair, neither of whom wrote it."""
        text = make_finding(draft)
        state: CaseState | None = None
        for label in (PUBLISHER, CHAIR):
            who = self.people[label]
            signature = encode_base64(who.signing_key.sign(text.encode("utf-8")))
            digest = _text_hash(await load_case(case_id))
            state = await commands.record_signature(who, case_id, digest, signature)
        assert state is not None
        return state

    async def _publish(self, case_id: CaseId, to_state: str, ground: str | None) -> CaseState:
        """Check, propose, approve, and hand it to the portal on the office's own page."""
        state = await load_case(case_id)
        self.publisher.post(f"/cases/{case_id}/finding/check", head=state.head.hash)
        await self._move(case_id, to_state, ground, PUBLISHER)
        self.publisher.post(f"/cases/{case_id}/finding/publish")
        return await load_case(case_id)

    async def _correct(self, case_id: CaseId, draft: FindingDraft, reason: str) -> None:
        state = await load_case(case_id)
        assert state.published is not None
        first, *others = draft.recommendations
        corrected = replace(
            draft,
            revision=2,
            previous=state.published.note_sha256,
            kind=CORRECTION,
            reason=reason,
            recommendations=(replace(first, due="2027-Q2"), *others),
        )
        await commands.draft_finding(self.people[INVESTIGATOR], case_id, 2, make_finding(corrected))
        await self._sign(case_id, corrected)
        await self._publish(case_id, PUBLISHED, CORRECTION)


def _text_hash(state: CaseState) -> TextHash:
    assert state.finding is not None
    return state.finding.text_sha256
