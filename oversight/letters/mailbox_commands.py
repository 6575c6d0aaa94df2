# SPDX-License-Identifier: AGPL-3.0-or-later
"""What reporters command their mailboxes: to delete replies, to close. docs/protocol.md §9.3, §10.

A command counts when the control key of the submission's own manifest signed it for this mailbox: neither portal nor
member can make one. It is kept, so that a portal that was restored from a backup gets it again.
"""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date

from crypto.control import Control, read_control
from crypto.errors import CryptoError, ProofError
from crypto.ids import SubmissionId
from crypto.manifest import read_manifest
from crypto.note import Note
from oversight.commission.charters import current_charter
from oversight.letters.records import ControlRecord
from oversight.reports.records import STATE_ROW, CollectorStateRecord, SubmissionRecord
from oversight.wire.portal_client import PortalClient, PortalRefused
from oversight.wire.portal_responses import WaitingControl


@dataclass(frozen=True)
class MailboxCommands:
    """How a mailbox was left: replies up to this number were deleted, 0 for none; whether it was closed."""

    deleted_to: int = 0
    closed: bool = False


async def commands_of(submission: SubmissionId) -> MailboxCommands:
    """What the reporter of this submission commanded so far."""
    rows = await ControlRecord.filter(submission=submission)
    return MailboxCommands(max((row.delete_to for row in rows), default=0), any(row.close for row in rows))


async def collect_controls(client: PortalClient, *, whole: bool, today: date) -> None:
    """Keep the commands that came; after the whole list was read, bring those that the portal lacks."""
    state = await CollectorStateRecord.get(id=STATE_ROW)
    after = 0 if whole else state.controls_after
    there: set[str] = set()
    while True:
        page = await client.controls(after)
        for entry in page.entries:
            identifier = await _keep(entry, today)
            if identifier is not None:
                there.add(identifier)
        highest = max((entry.sequence for entry in page.entries), default=after)
        await CollectorStateRecord.filter(id=STATE_ROW, controls_after__lt=highest).update(controls_after=highest)
        if not page.more or highest <= after:
            break
        after = highest
    if whole:
        await _bring_again(client, there)


async def _keep(entry: WaitingControl, today: date) -> str | None:
    """Store a command; its id, or None for what is no command of this mailbox."""
    submission = await SubmissionRecord.get_or_none(id=entry.submission)
    if submission is None:
        return None
    try:
        control = await _read(submission, entry.control)
        identifier = Note.parse(entry.control).hash
    except CryptoError:
        return None
    await ControlRecord.get_or_create(
        {
            "submission": submission.id,
            "note": entry.control,
            "delete_to": control.delete,
            "close": control.close,
            "day": today,
        },
        id=identifier,
    )
    return identifier


async def _read(submission: SubmissionRecord, note: bytes) -> Control:
    """Raises CryptoError unless the control key of the manifest signed it, for this mailbox of this portal."""
    manifest = read_manifest(submission.manifest)
    control = read_control(note, manifest.control)
    if (control.realm, control.mailbox) != ((await current_charter()).realm, manifest.mailbox):
        raise ProofError("a control note is for another mailbox")
    return control


async def _bring_again(client: PortalClient, there: Collection[str]) -> None:
    """Commands that the portal does not list: it was restored, or it pretends so."""
    for row in await ControlRecord.exclude(id__in=list(there)).order_by("submission"):
        try:
            await client.post_control(row.submission, bytes(row.note))
        except PortalRefused:
            # It has forgotten the submission too, or closed it: there is nothing left to command.
            continue
