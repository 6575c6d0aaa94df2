# SPDX-License-Identifier: AGPL-3.0-or-later
"""New keys of threads, when somebody must not read on. docs/protocol.md §9.2.

- A holder of a case is shut out: the event that renews the case's keys carries new ones of every thread of the case
  (``renew_threads``).
- A reader of a report left the desk, or is in conflict or recused without ever having held its case: the next member
  who opens the report makes new keys, and a thread grant brings them to those who stay (``renew_if_due``).

With both goes a renewal, which brings the keys to the reporter.
"""

import asyncio
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date

from tortoise.exceptions import IntegrityError, OperationalError

from crypto.age import PqIdentity, PqRecipient
from crypto.charter import Charter
from crypto.encoding import HASH_BYTES
from crypto.grant import ThreadGrant, grant_recipients, seal_thread_grant
from crypto.ids import CaseId, CharterHash, MemberLabel, SubmissionId
from crypto.key_renewal import KeyRenewal, seal_renewal
from crypto.manifest import manifest_hash, read_manifest
from crypto.thread_keys import ThreadKeys
from oversight.cases.actor import Actor
from oversight.cases.case_queries import case_of_report
from oversight.cases.case_store import advance_thread, load_case
from oversight.ledger.append import ConflictError
from oversight.reports.opening import OpenedReport, ThreadGeneration, ThreadIdentities
from oversight.reports.records import SubmissionRecord, ThreadGrantRecord
from oversight.workflow.access import renewal_due
from oversight.workflow.rules import RuleError
from oversight.workflow.state import CaseState
from portal.kit.database import transaction


def newest_of(threads: Mapping[SubmissionId, ThreadIdentities]) -> dict[SubmissionId, int]:
    """The newest generation of each thread that is at hand."""
    return {report: known.newest for report, known in threads.items()}


def check_newest(known: ThreadIdentities, submission: SubmissionRecord) -> None:
    """RuleError ``thread-renewed`` unless these are all generations up to the newest there is."""
    if known.newest < submission.generation or not known.is_complete:
        raise RuleError("thread-renewed")


async def renew_threads(
    actor: Actor, threads: Mapping[SubmissionId, ThreadIdentities]
) -> tuple[dict[SubmissionId, ThreadGeneration], dict[SubmissionId, bytes]]:
    """One generation more for each of these threads, and its renewal for the reporter.

    RuleError ``thread-renewed`` when a generation is missing: it would be lost to those who stay.
    """
    fresh, renewals = {}, {}
    for submission in await SubmissionRecord.filter(id__in=list(threads)):
        check_newest(threads[submission.id], submission)
        keys = _next_keys(submission)
        fresh[submission.id] = ThreadGeneration(keys.identity, keys.message_mac)
        renewals[submission.id] = await asyncio.to_thread(_seal_renewal, actor, submission, keys)
    return fresh, renewals


@dataclass(frozen=True)
class ThreadReaders:
    """Who got the newest keys of a thread by grants, and who may have them today.

    It does not ask whom the reporter excluded. Those never had any keys, and a table that minded them would tell.
    """

    granted: frozenset[MemberLabel]
    may_read: frozenset[MemberLabel]
    shut_out: frozenset[MemberLabel] = frozenset()
    """By the case that the report belongs to."""

    @property
    def is_stale(self) -> bool:
        """Whether somebody has the newest keys who must not read on."""
        return not self.granted <= self.may_read


async def renew_if_due(
    actor: Actor, submission: SubmissionRecord, opened: OpenedReport, charters: Mapping[CharterHash, Charter]
) -> bool:
    """Make new keys of a thread that somebody else must not read on, if this member holds the newest there are.

    Whether it was done. It is not when somebody else was faster, or when the case has to renew its own keys first: then
    the next member who opens the report looks again.
    """
    case = await find_case(submission.id)
    readers = await readers_of(actor, submission, charters, case)
    if readers is None or not readers.is_stale or opened.identities.newest != submission.generation:
        return False
    if not _may_renew(actor, readers, case):
        return False
    day, keys = actor.now.date(), _next_keys(submission)
    recipients = _recipients(actor, opened, readers, case)
    sealed = await asyncio.to_thread(seal_thread_grant, keys, recipients)
    renewal = await asyncio.to_thread(_seal_renewal, actor, submission, keys)
    record = ThreadGrantRecord(
        submission=submission.id,
        generation=keys.generation,
        charter=actor.charter.hash,
        day=day,
        shut_out=sorted(readers.shut_out),
        sealed=sealed,
    )
    return await _store(record, renewal, None if case is None else case.head.case)


async def find_case(submission: SubmissionId) -> CaseState | None:
    """The case that a report belongs to, if it belongs to one."""
    case_id = await case_of_report(submission)
    return None if case_id is None else await load_case(case_id)


async def readers_of(
    actor: Actor, submission: SubmissionRecord, charters: Mapping[CharterHash, Charter], case: CaseState | None
) -> ThreadReaders | None:
    """Who has the newest keys and who may; None when they came by a case's ledger, whose own rules look after them."""
    original = {
        member.label
        for member in charters[submission.charter].members
        if member.is_reader and member.valid_from <= submission.received
    }
    granted = original
    if submission.generation:
        record = await ThreadGrantRecord.get_or_none(submission=submission.id, generation=submission.generation)
        if record is None:
            return None
        granted = original & _readers(charters[record.charter], record.day) - set(record.shut_out)
    shut_out: set[MemberLabel] = set()
    if case is not None:
        shut_out = {label for label in original if case.is_recused(label) or case.in_conflict(label)}
    may_read = original & _readers(actor.charter, actor.now.date()) - shut_out
    return ThreadReaders(frozenset(granted), frozenset(may_read), frozenset(shut_out))


def _readers(charter: Charter, day: date) -> set[MemberLabel]:
    return {member.label for member in charter.readers_on(day)}


def _may_renew(actor: Actor, readers: ThreadReaders, case: CaseState | None) -> bool:
    """Whether this member stays, and the case, if there is one, has no holder who must be shut out of it first."""
    if case is None:
        return actor.label in readers.may_read
    members = {member.label: member for member in actor.charter.members_on(actor.now.date())}
    stays = actor.label in readers.may_read or (actor.label in case.holders and actor.label in members)
    return stays and not renewal_due(case, members)


def _next_keys(submission: SubmissionRecord) -> ThreadGrant:
    generation, message_mac = submission.generation + 1, secrets.token_bytes(HASH_BYTES)
    return ThreadGrant(submission.id, generation, PqIdentity.generate(), message_mac)


def _seal_renewal(actor: Actor, submission: SubmissionRecord, keys: ThreadGrant) -> bytes:
    """The renewal that brings these keys to the reporter, whose report was checked against its manifest's mailbox."""
    renewal = KeyRenewal(
        submission=submission.id,
        manifest=manifest_hash(submission.manifest),
        charter=actor.charter.hash,
        day=actor.now.date(),
        keys=ThreadKeys(keys.generation, keys.identity.recipient(), keys.message_mac),
    )
    return seal_renewal(renewal, actor.signing_key, read_manifest(submission.manifest).recipient)


def _recipients(
    actor: Actor, opened: OpenedReport, readers: ThreadReaders, case: CaseState | None
) -> list[PqRecipient]:
    """Those who stay, the reserve, throwaway ones up to the charter's slots, and the case as its holders have it."""
    charter, stay = actor.charter, readers.may_read - set(opened.report.excluded)
    if stay:
        others = [member.label for member in charter.members if member.label not in stay]
        recipients = [*grant_recipients(charter, actor.now.date(), others)]
    else:
        recipients = [charter.reserve.recipient]
    return recipients if case is None else [*recipients, PqRecipient.from_string(case.recipient)]


async def _store(record: ThreadGrantRecord, renewal: bytes, case_id: CaseId | None) -> bool:
    """Store grant and renewal together; False when somebody else was faster."""
    try:
        async with transaction():
            await advance_thread(record.submission, record.generation - 1, record.day, renewal)
            if await case_of_report(record.submission) != case_id:
                raise ConflictError
            await record.save(force_create=True)
    except (ConflictError, IntegrityError):
        return False
    except OperationalError as error:
        if "locked" in str(error):
            return False
        raise
    return True
