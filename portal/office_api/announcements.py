# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mailboxes that an office announces again to a portal that has lost them (docs/protocol.md §10.2).

The portal takes back what its own key acknowledged and nothing else: no office can make it a mailbox that it never had.
The files of the report are at the office, so that only what a reporter's return needs is kept of it.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import partial

from crypto.acknowledgement import Acknowledgement, read_acknowledgement
from crypto.charter import Charter
from crypto.collection import Collection, read_collection
from crypto.control import Control, read_control
from crypto.errors import CryptoError
from crypto.ids import SubmissionId
from crypto.manifest import STATE_FILE, Manifest, manifest_hash, read_manifest
from crypto.padding import STATE_SIZE
from portal.api.refusals import Refusal
from portal.api.sealed_form import check_sealed_size
from portal.charters.known import Charters
from portal.kit.columns import is_kept, readable
from portal.storage import unclaimed
from portal.storage.commands import obey
from portal.storage.group_commit import GroupCommit
from portal.storage.records import MailboxRecord, SubmissionRecord
from portal.storage.shares import Kind, Shares
from portal.storage.submissions import find_accepted
from portal.storage.weights import MAILBOX_BYTES


@dataclass(frozen=True)
class Announcement:
    """What an office kept of a report for this: notes as text, sealed bytes, and how many follow-ups the state counts.

    ``control`` is the control note that made the state, None for the first state; ``commands`` delete or close.
    """

    submission: SubmissionId
    manifest: bytes
    acknowledgement: str
    collection: str
    state: bytes
    control: str | None
    told: int
    commands: Sequence[str]


@dataclass(frozen=True)
class _Checked:
    """An announcement whose notes were verified."""

    announced: Announcement
    manifest: Manifest
    acknowledgement: Acknowledgement
    charter: Charter
    commands: Sequence[tuple[Control, str]]


@dataclass(frozen=True)
class Announcements:
    """Takes announcements of all commissions' offices, each of its own submissions."""

    realm: str
    charters: Charters
    commits: GroupCommit
    shares: Shares
    clock: Callable[[], datetime]

    async def take(self, newest: Charter, announced: Announcement) -> bool:
        """Make the mailbox again, durably, if it is not there; whether it was not.

        Of one that is there a state with more follow-ups replaces one with fewer, if V signed for it. ``newest`` is the
        charter of the office. Raises Refusal ``malformed-request`` (with the member that does not fit), ``not-sealed``,
        ``charter-unknown``, ``not-your-commission`` or ``submission-conflict``, and StorageFullError.
        """
        checked = await self._check(newest, announced)
        self.shares.take(Kind.MAILBOXES, MAILBOX_BYTES)
        is_new = False
        try:
            outcome = await self.commits.apply(lambda: self._restore(checked))
            if isinstance(outcome, Refusal):
                raise outcome
            is_new = outcome
        finally:
            if not is_new:
                self.shares.give_back(Kind.MAILBOXES, MAILBOX_BYTES)
        return is_new

    async def _check(self, newest: Charter, announced: Announcement) -> _Checked:
        check_sealed_size(STATE_FILE, announced.state, STATE_SIZE)
        manifest = _read_manifest(announced)
        charter = await self.charters.get(manifest.charter)
        if charter.slug != newest.slug:
            raise Refusal("not-your-commission")
        chain = self.charters.chain(newest.slug)
        about = partial(_check_about, self.realm, manifest.submission, manifest_hash(announced.manifest))
        acknowledgement = self._acknowledgement(announced, chain)
        try:
            about(acknowledgement)
            about(read_collection(announced.collection.encode("utf-8"), newest.office))
        except (CryptoError, UnicodeEncodeError):
            raise Refusal("malformed-request", "collection") from None
        read = partial(self._read_control, manifest)
        if announced.control is None and announced.told:
            # Whatever is told is told by a change that V signed.
            raise Refusal("malformed-request", "control")
        if announced.control is not None:
            control = read(announced.control, "control")
            if control.state != hashlib.sha256(announced.state).hexdigest():
                raise Refusal("malformed-request", "state")
        commands = [(read(command, "commands"), command) for command in announced.commands]
        return _Checked(announced, manifest, acknowledgement, charter, commands)

    def _acknowledgement(self, announced: Announcement, chain: Sequence[Charter]) -> Acknowledgement:
        """By the key of this portal, or one that it had under an earlier charter."""
        keys = list({charter.portal for charter in chain})
        try:
            acknowledgement = read_acknowledgement(announced.acknowledgement.encode("utf-8"), keys)
        except (CryptoError, UnicodeEncodeError):
            raise Refusal("malformed-request", "acknowledgement") from None
        if not is_kept(acknowledgement.received):
            raise Refusal("malformed-request", "acknowledgement")
        return acknowledgement

    def _read_control(self, manifest: Manifest, note: str, member: str) -> Control:
        try:
            control = read_control(note.encode("utf-8"), manifest.control)
        except (CryptoError, UnicodeEncodeError):
            raise Refusal("malformed-request", member) from None
        if (control.realm, control.mailbox) != (self.realm, manifest.mailbox):
            raise Refusal("malformed-request", member)
        return control

    async def _restore(self, checked: _Checked) -> bool | Refusal:
        submission = checked.manifest.submission
        there = await find_accepted(submission)
        if there is not None and there.manifest_sha256 != checked.acknowledgement.manifest_hash:
            return Refusal("submission-conflict")
        mailbox = await MailboxRecord.get_or_none(submission=submission)
        if there is None:
            await _submission_row(checked).save()
        if mailbox is not None:
            await _renew(mailbox, checked.announced)
            return False
        mailbox = _mailbox_row(checked)
        await mailbox.save()
        await unclaimed.claim(checked.charter.slug, mailbox, self.clock().date())
        for control, note in checked.commands:
            await obey(checked.charter.slug, submission, control, note)
        return True


def _check_about(
    realm: str, submission: SubmissionId, manifest_sha256: str, said: Acknowledgement | Collection
) -> None:
    said.check(realm=realm, submission=submission, manifest_hash=manifest_sha256)


def _read_manifest(announced: Announcement) -> Manifest:
    try:
        manifest = read_manifest(announced.manifest)
    except CryptoError:
        raise Refusal("malformed-request", "manifest") from None
    if manifest.submission != announced.submission:
        raise Refusal("malformed-request", "manifest")
    return manifest


async def _renew(mailbox: MailboxRecord, announced: Announcement) -> None:
    """Replace the state of an open mailbox by one that counts more follow-ups."""
    if not mailbox.state or announced.control is None or announced.told <= readable(mailbox.told, 0):
        return
    mailbox.state, mailbox.state_sha256 = announced.state, hashlib.sha256(announced.state).hexdigest()
    mailbox.told, mailbox.command = announced.told, announced.control
    await mailbox.save(update_fields=["state", "state_sha256", "told", "command"])


def _submission_row(checked: _Checked) -> SubmissionRecord:
    """As a report is after its grace."""
    announced, acknowledgement = checked.announced, checked.acknowledgement
    return SubmissionRecord(
        submission=checked.manifest.submission,
        slug=checked.charter.slug,
        charter=checked.charter.hash,
        manifest_sha256=acknowledgement.manifest_hash,
        commitment=acknowledgement.commitment,
        received=acknowledgement.received,
        acknowledgement=announced.acknowledgement,
        collection=announced.collection,
        deleted=True,
        manifest=b"",
        parts=b"{}",
        report=b"",
        grant=b"",
        urgency=b"",
    )


def _mailbox_row(checked: _Checked) -> MailboxRecord:
    manifest, announced = checked.manifest, checked.announced
    return MailboxRecord(
        submission=manifest.submission,
        mailbox=manifest.mailbox,
        token_sha256=manifest.token_sha256,
        control=manifest.control,
        state_sha256=hashlib.sha256(announced.state).hexdigest(),
        state=announced.state,
        told=announced.told,
        command=announced.control,
    )
