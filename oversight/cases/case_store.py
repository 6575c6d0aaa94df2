# SPDX-License-Identifier: AGPL-3.0-or-later
"""Keeping what the ledgers amount to as rows, and making those rows again from the ledgers."""

from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass, field
from datetime import date
from typing import Any

import msgspec

from crypto.charter import Charter
from crypto.errors import MalformedError
from crypto.event import SignedEvent, read_event
from crypto.ids import CaseId, CharterHash, SubmissionId
from oversight.cases.records import CaseGrantRecord, CaseHolderRecord, CaseRecord, CaseReportRecord
from oversight.ledger.append import ConflictError
from oversight.ledger.records import EventRecord
from oversight.reports.records import SubmissionRecord, ThreadRenewalRecord
from oversight.workflow import clocks, projection
from oversight.workflow.state import CaseState
from portal.kit.database import transaction

BATCH = 500


class NoSuchCaseError(Exception):
    """There is no case of this id or number."""


class BrokenCaseError(Exception):
    """The row of a case can't be read. Its ledger is not touched by that: ``rebuild-cases`` makes the row anew."""

    def __init__(self, number: str) -> None:
        super().__init__()
        self.number = number


@dataclass(frozen=True)
class CaseProjection:
    """The projection that appending keeps; ``grant`` is the new grant that comes with the event, if one does.

    ``threads`` are the reports whose keys the event carries, with the newest generation that whoever made it knew.
    ``renewals`` are their next generation, sealed to the reporters' mailboxes; there are as many, or none.
    """

    grant: bytes | None = None
    threads: Mapping[SubmissionId, int] = field(default_factory=dict)
    renewals: Mapping[SubmissionId, bytes] = field(default_factory=dict)

    async def load(self, case_id: CaseId) -> CaseState | None:
        record = await CaseRecord.get_or_none(id=case_id)
        return None if record is None else read_state(record)

    def apply(self, state: CaseState | None, event: SignedEvent, charter: Charter) -> CaseState:
        return projection.apply_event(state, event, charter)

    def generation(self, state: CaseState) -> int:
        return state.generation

    async def save(self, before: CaseState | None, after: CaseState) -> None:
        await _save(before, after)
        if self.grant is not None:
            case_id, generation = after.head.case, after.generation
            await CaseGrantRecord.update_or_create({"sealed": self.grant}, case=case_id, generation=generation)
        day = after.head.time.date()
        for report, generation in self.threads.items():
            await advance_thread(report, generation, day, self.renewals.get(report))


async def advance_thread(report: SubmissionId, generation: int, day: date, renewal: bytes | None) -> None:
    """Within a transaction: take the thread at this generation, and on to the next one if there is a renewal.

    Its row is changed in any case, so that of two who change a thread's keys, or put its report into a case, the second
    one waits for the first. ConflictError when somebody else was faster.
    """
    newest = generation if renewal is None else generation + 1
    if not await SubmissionRecord.filter(id=report, generation=generation).update(generation=newest):
        raise ConflictError
    if renewal is not None:
        await ThreadRenewalRecord.create(submission=report, generation=newest, day=day, sealed=renewal)


async def load_case(case_id: CaseId) -> CaseState:
    """The state of the case of this id. Raises NoSuchCaseError, BrokenCaseError."""
    return _read(await CaseRecord.get_or_none(id=case_id))


async def find_case(number: str) -> CaseState:
    """The state of the case of this number, ``C-2026-0007``. Raises NoSuchCaseError, BrokenCaseError."""
    return _read(await CaseRecord.get_or_none(number=number))


def read_state(record: CaseRecord) -> CaseState:
    """What the row holds of the state. Raises BrokenCaseError."""
    try:
        return msgspec.json.decode(record.projection, type=CaseState)
    except (msgspec.DecodeError, UnicodeError):
        raise BrokenCaseError(record.number) from None


async def load_notes(case_id: CaseId) -> AsyncIterator[bytes]:
    """The notes of a case's events, oldest first, a batch at a time."""
    after = -1
    while True:
        rows = EventRecord.filter(case=case_id, sequence__gt=after).order_by("sequence").limit(BATCH)
        batch = await rows.values_list("sequence", "note")
        for sequence, data in batch:
            after = sequence
            yield bytes(data)
        if len(batch) < BATCH:
            return


async def rebuild(charters: Mapping[CharterHash, Charter]) -> int:
    """Make the rows of every case again from its ledger, verifying it; how many cases there are.

    Raises what ``crypto.event.read_event`` and ``oversight.workflow.projection.apply_event`` raise; then the rows stay
    as they were.
    """
    case_ids = [case_id async for case_id in _case_ids()]
    async with transaction():
        await CaseReportRecord.all().delete()
        await CaseHolderRecord.all().delete()
        await CaseRecord.all().delete()
        for case_id in case_ids:
            state: CaseState | None = None
            async for data in load_notes(case_id):
                event = read_event(data, charters)
                state = projection.apply_event(state, event, charters[event.charter])
            if state is None:
                # The name of its case is damaged: without it another ledger would lack its end, and still hold.
                raise MalformedError("an event is of no case")
            await _save(None, state)
    return len(case_ids)


async def _case_ids() -> AsyncIterator[CaseId]:
    """Of every event: a case whose first one is damaged must not be left out, and so be lost."""
    for case_id in await EventRecord.all().distinct().order_by("case").values_list("case", flat=True):
        yield CaseId(str(case_id))


def _read(record: CaseRecord | None) -> CaseState:
    if record is None:
        raise NoSuchCaseError
    return read_state(record)


async def _save(before: CaseState | None, after: CaseState) -> None:
    case_id = after.head.case
    if before is None:
        serial = int(after.number.rpartition("-")[2])
        await CaseRecord.create(id=case_id, number=after.number, serial=serial, **_columns(after))
    else:
        changed = await CaseRecord.filter(id=case_id, sequence=before.head.sequence).update(**_columns(after))
        if not changed:
            raise ConflictError
    if before is None or before.holders != after.holders:
        await CaseHolderRecord.filter(case=case_id).delete()
        await CaseHolderRecord.bulk_create(CaseHolderRecord(case=case_id, member=label) for label in after.holders)
    known = () if before is None else before.reports
    fresh = [CaseReportRecord(submission=report, case=case_id) for report in after.reports if report not in known]
    if fresh:
        await CaseReportRecord.bulk_create(fresh)


def _columns(state: CaseState) -> dict[str, Any]:
    return {
        "sequence": state.head.sequence,
        "state": state.state,
        "opened": state.opened,
        "waiting": bool(state.proposals),
        "next_due": clocks.next_due(state.clocks),
        "projection": msgspec.json.encode(state),
    }
