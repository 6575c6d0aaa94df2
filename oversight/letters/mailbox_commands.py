# SPDX-License-Identifier: AGPL-3.0-or-later
"""What reporters command their mailboxes: to delete replies, to close. docs/protocol.md §9.3, §10.

A command counts when the control key of the submission's own manifest signed it for this mailbox: neither portal nor
member can make one. Of each mailbox the one that deletes the most and one that closes are kept: they say all that the
others said, and a portal that was restored from a backup gets them again.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from crypto.control import Control, read_control
from crypto.errors import CryptoError, ProofError
from crypto.ids import SubmissionId
from crypto.manifest import read_manifest
from crypto.note import Note
from oversight.commission.charters import current_charter
from oversight.letters.mailbox_states import mark_states_stale
from oversight.letters.records import ControlRecord
from oversight.reports.records import SubmissionRecord
from oversight.reports.stuck import CONTROL, count_passed
from oversight.wire.list_reading import ListReading
from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_errors import PortalAway, PortalError
from oversight.wire.portal_responses import WaitingControl
from oversight.wire.retry import time_of_one
from portal.kit.columns import UnreadableError
from portal.kit.database import transaction

UNKNOWN = "unknown"


@dataclass(frozen=True)
class MailboxCommands:
    """How a mailbox was left: replies up to this number were deleted, 0 for none; whether it was closed."""

    deleted_to: int = 0
    closed: bool = False


async def commands_of(submission: SubmissionId) -> MailboxCommands:
    """What the reporter of this submission commanded so far."""
    rows = await ControlRecord.filter(submission=submission)
    # Summed, so that a damaged one is not taken for a closing.
    return MailboxCommands(max((row.delete_to for row in rows), default=0), sum(row.close for row in rows) > 0)


async def collect_controls(client: PortalClient, reading: ListReading, today: date) -> None:
    """Keep the commands that came; after the whole list was read, bring those that the portal lacks."""
    async for entries in reading.pages(client.controls):
        for entry in entries:
            try:
                identifier = await _keep(entry, today)
            except CryptoError:
                reading.passed["false"] += 1
                continue
            except UnreadableError:
                # What is kept of this mailbox is damaged. The others are not.
                reading.passed["failure"] += 1
                continue
            if identifier is None:
                reading.passed[UNKNOWN] += 1
            elif reading.whole:
                reading.seen.add(identifier)
    whole = reading.whole and reading.ended
    await count_passed(CONTROL, reading.passed, today, whole=whole)
    if whole:
        await _bring_again(client, reading.seen)
        reading.finish_round()


async def _keep(entry: WaitingControl, today: date) -> str | None:
    """Store a command that says more than those before it; its id, or None for a report that is not here.

    Raises CryptoError for what is no command of this mailbox.
    """
    submission = await SubmissionRecord.get_or_none(id=entry.submission)
    if submission is None:
        return None
    identifier = Note.parse(entry.control).hash
    if await ControlRecord.filter(id=identifier, submission=submission.id).exists():
        return identifier
    control = await _read(submission, entry.control)
    before = await commands_of(submission.id)
    if control.delete <= before.deleted_to and control.close <= before.closed:
        return identifier
    async with transaction():
        said = ControlRecord.filter(submission=submission.id, delete_to__lte=control.delete)
        await (said if control.close else said.filter(close=False)).delete()
        # Under this name there is none, or one whose mailbox is damaged.
        await ControlRecord.filter(id=identifier).delete()
        await ControlRecord.create(
            id=identifier,
            submission=submission.id,
            note=entry.control,
            delete_to=control.delete,
            close=control.close,
            day=today,
        )
        await mark_states_stale([submission.id])
    return identifier


async def _read(submission: SubmissionRecord, note: bytes) -> Control:
    """Raises CryptoError unless the control key of the manifest signed it, for this mailbox of this portal."""
    manifest = read_manifest(submission.manifest)
    control = read_control(note, manifest.control)
    if (control.realm, control.mailbox) != ((await current_charter()).realm, manifest.mailbox):
        raise ProofError("a control note is for another mailbox")
    return control


async def _bring_again(client: PortalClient, there: set[str]) -> None:
    """Commands that the portal does not list: it was restored, or it pretends so.

    Each once in a round, so that a visit that is broken off goes on with the next one in the visit after it.
    """
    held: list[Any] = await ControlRecord.all().order_by("submission").values_list("id", flat=True)
    for identifier in held:
        if identifier in there:
            continue
        row = await ControlRecord.get_or_none(id=identifier).only("submission", "note")
        there.add(identifier)
        if row is None:
            continue
        try:
            async with time_of_one():
                await client.post_control(row.submission, bytes(row.note))
        except PortalAway:
            there.discard(identifier)
            raise
        except PortalError:
            # It has forgotten the submission too, or closed it: there is nothing left to command. Or it fails: then it
            # gets this one in the next whole round.
            continue
