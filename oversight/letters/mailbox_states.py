# SPDX-License-Identifier: AGPL-3.0-or-later
"""The states of reporters' mailboxes, as far as this office keeps them for a portal that loses them
(docs/protocol.md §10.2).

A state is fetched when the report was collected, and with each follow-up: never at another visit of the reporter, of
which the office learns nothing. It is sealed to the reporter, who alone can tell whether it is the right one; but the
control key of the manifest signed for every one after the first.
"""

import hashlib
from collections.abc import Iterable
from datetime import datetime

from tortoise.expressions import Q, Subquery

from crypto.collection import Collection
from crypto.control import read_control
from crypto.errors import CryptoError
from crypto.ids import SubmissionId
from crypto.manifest import manifest_hash, read_manifest
from oversight.commission.charters import current_charter
from oversight.letters.records import ControlRecord
from oversight.reports.records import MailboxStateRecord, SubmissionRecord
from oversight.wire.comparison_requests import Announcement, MailboxStanding
from oversight.wire.in_parallel import in_parallel
from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_errors import PortalError, PortalRefused, PortalUnreachable
from oversight.wire.retry import COLUMNS, is_due, next_attempt

FETCHED_AT_MOST = 2_000
"""In one visit: the rest has its turn in the next one."""


async def fetch_states(client: PortalClient, now: datetime) -> None:
    """Fetch the states of new reports, and of mailboxes that have told something since.

    Raises PortalAway at once, and what went wrong first after all had their turn.
    """
    await _begin_new()
    due = MailboxStateRecord.filter(Q(try_again=None) | is_due(now), stale=True).order_by("attempts", "submission")
    rows = await due.limit(FETCHED_AT_MOST).only("submission")

    async def fetch(submission: SubmissionId) -> None:
        await _fetch(client, submission, now)

    await in_parallel([row.submission for row in rows], fetch)


async def mark_states_stale(submissions: Iterable[SubmissionId]) -> None:
    """There is a newer state of these mailboxes."""
    await MailboxStateRecord.filter(submission__in=list(set(submissions))).update(stale=True)


async def mark_missing_states(submissions: Iterable[SubmissionId]) -> None:
    """Of these mailboxes those are fetched whose state is not here, unless they were closed."""
    closed = Subquery(ControlRecord.filter(close=True).values("submission"))
    missing = MailboxStateRecord.filter(submission__in=list(submissions), sealed=None).exclude(submission__in=closed)
    await missing.update(stale=True)


async def announcement(client: PortalClient, submission: SubmissionRecord) -> Announcement | None:
    """What makes the mailbox of a report again at a portal that has lost it; None if its state was never fetched."""
    state = await MailboxStateRecord.get_or_none(submission=submission.id)
    if state is None or not state.sealed:
        return None
    charter = await current_charter()
    held = Collection(charter.realm, submission.id, manifest_hash(submission.manifest), submission.collected)
    commands = await ControlRecord.filter(submission=submission.id).order_by("delete_to").only("id", "note")
    return Announcement(
        manifest=bytes(submission.manifest),
        acknowledgement=bytes(submission.acknowledgement),
        collection=held.sign(client.office_key).encode(),
        state=bytes(state.sealed),
        control=None if state.control is None else bytes(state.control),
        told=state.told,
        commands=tuple(bytes(command.note) for command in commands),
    )


async def _begin_new() -> None:
    begin = [
        MailboxStateRecord(submission=each, stale=True)
        for each in await SubmissionRecord.ids_without(MailboxStateRecord)
    ]
    await MailboxStateRecord.bulk_create(begin, ignore_conflicts=True)


async def _fetch(client: PortalClient, submission: SubmissionId, now: datetime) -> None:
    row = await MailboxStateRecord.get(submission=submission)
    try:
        await _keep(row, await _genuine(row, await client.mailbox(submission)))
    except PortalRefused as error:
        if error.code != "not-found":
            await _fail(row, error, now)
            raise
        # The portal has lost it, which the next comparison finds out, or is of a time that knows no such request.
        await MailboxStateRecord.filter(submission=submission).update(stale=False)
    except PortalError as error:
        await _fail(row, error, now)
        raise


async def _genuine(row: MailboxStateRecord, standing: MailboxStanding) -> MailboxStanding:
    """Raises PortalUnreachable for a state that the reporter did not sign for; the first one needs no signature."""
    if not standing.state:
        return standing
    if standing.control is None:
        if standing.told or (row.sealed is not None and bytes(row.sealed) != standing.state):
            raise PortalUnreachable("a state that nobody signed for", "unreadable")
        return standing
    manifest = read_manifest((await SubmissionRecord.get(id=row.submission).only("id", "manifest")).manifest)
    try:
        control = read_control(standing.control, manifest.control)
    except CryptoError:
        raise PortalUnreachable("a control note can't be verified", "unreadable") from None
    if (control.mailbox, control.state) != (manifest.mailbox, hashlib.sha256(standing.state).hexdigest()):
        raise PortalUnreachable("a control note is for another state", "unreadable")
    return standing


async def _keep(row: MailboxStateRecord, standing: MailboxStanding) -> None:
    row.mend()
    row.stale = False
    if not standing.state:
        row.told = max(row.told, standing.told)
    # A closed mailbox has none; and one that counts fewer follow-ups is that of a portal which was restored.
    if standing.state and (row.sealed is None or standing.told >= row.told):
        row.told, row.sealed, row.control = standing.told, standing.state, standing.control
    await row.save()


async def _fail(row: MailboxStateRecord, error: PortalError, now: datetime) -> None:
    row.fail(error.problem, now, next_attempt(row.attempts, now))
    await row.save(update_fields=list(COLUMNS))
