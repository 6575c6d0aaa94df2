# SPDX-License-Identifier: AGPL-3.0-or-later
"""Accepting a submission: every check of docs/protocol.md §7.2, then durable rows, then the acknowledgement."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial

from crypto.acknowledgement import Acknowledgement
from crypto.age import sealed_size
from crypto.charter import Charter, NotInForceError
from crypto.ids import SubmissionId
from crypto.manifest import GRANT_FILE, REPORT_FILE, STATE_FILE, URGENCY_FILE, Manifest, SealedFile
from crypto.note import SigningKey
from crypto.padding import STATE_SIZE, URGENCY_SIZE, padded_attachment_size
from portal.api.pressure import Pressure
from portal.api.refusals import Refusal
from portal.api.sealed_form import PREFIX_BYTES, check_grant, check_sealed, check_sealed_size
from portal.charters.known import Charters
from portal.intake.admission import Admission, weigh
from portal.intake.parts import Parts
from portal.intake.received import Received, receive_bundle
from portal.storage.blobs import PartStore
from portal.storage.errors import BusyError, DuplicateError, StorageFullError
from portal.storage.group_commit import GroupCommit
from portal.storage.records import MailboxRecord, SubmissionRecord
from portal.storage.submissions import Accepted, encode_parts, find_accepted, is_accepted

LATE_DAYS = 2
"""So much later a report is taken that was sealed on a charter's last day: its parts may have taken hours."""


class _RepeatedError(Exception):
    """The same manifest was accepted before."""

    def __init__(self, accepted: Accepted) -> None:
        super().__init__()
        self.accepted = accepted


@dataclass(frozen=True)
class Outcome:
    """The acknowledgement, and whether it repeats an earlier one."""

    acknowledgement: str
    repeated: bool


@dataclass(frozen=True)
class Acceptance:
    """Accepts bundles. ``key`` signs the acknowledgements, which name ``realm``."""

    realm: str
    key: SigningKey
    charters: Charters
    blobs: PartStore
    parts: Parts
    admission: Admission
    commits: GroupCommit
    pressure: Pressure
    clock: Callable[[], datetime]

    async def accept(self, body: AsyncIterator[bytes]) -> Outcome:
        """Accept the bundle streamed by ``body``; it is durable when this returns.

        Raises Refusal, StorageFullError or BusyError; then nothing was accepted.
        """
        with ExitStack() as stack:
            on_manifest = partial(self._check_manifest, stack)
            try:
                received = await receive_bundle(body, self.blobs, self.clock().date(), on_manifest, self._check_part)
                # Ended once begun: of rows that are on their way nobody knows whether they will be there.
                return await asyncio.shield(self._accept_claimed(received))
            except _RepeatedError as repeated:
                return Outcome(repeated.accepted.acknowledgement, repeated=True)

    async def drop_upload(self, submission: SubmissionId) -> None:
        """Delete what came of a submission that was not accepted, whatever it is.

        Raises Refusal ``already-accepted``, and BusyError while it is being accepted.
        """
        if await is_accepted(submission):
            raise Refusal("already-accepted")
        if not await self.admission.uploads.drop(submission):
            raise BusyError

    async def _check_manifest(self, stack: ExitStack, manifest: Manifest, manifest_sha256: str) -> None:
        """Refuse early. A repeat is looked up only where its answer differs; otherwise the insertion finds it."""
        if manifest.attachments:
            stack.enter_context(self.admission.uploads.order.named(manifest.submission))
            await _check_repeat(manifest, manifest_sha256)
            self.admission.check_attachments(manifest)
        try:
            charter = await self.charters.get(manifest.charter)
            _check_in_force(charter, self.clock().date())
        except (Refusal, NotInForceError) as refused:
            await _check_repeat(manifest, manifest_sha256)
            raise refused if isinstance(refused, Refusal) else Refusal("charter-expired") from None
        _check_limits(manifest, charter)

    async def _accept_claimed(self, received: Received) -> Outcome:
        """The parts of attachments stay until the rows that name them are there."""
        uploads, submission = self.admission.uploads, received.manifest.submission
        if not received.manifest.attachments:
            return await self._accept(received)
        try:
            with uploads.claims.used(submission):
                return await self._accept(received)
        except Refusal as refused:
            if refused.code == "file-hash-mismatch":
                # Whoever has much read for nothing has to send it again before it is read again.
                await uploads.drop(submission)
            raise

    async def _find_parts(self, received: Received) -> list[SealedFile]:
        """Name the parts of all attachments; return those attachments that are still to be read through."""
        submission, unread = received.manifest.submission, []
        for attachment in received.manifest.attachments:
            if attachment.name in received.parts:
                await self.parts.check(submission, attachment, received.parts[attachment.name])
            else:
                received.parts[attachment.name] = await self.parts.find(submission, attachment)
                unread.append(attachment)
        return unread

    def _check_part(self, file: str) -> None:
        """The work of one request must not pay for more than one part, wherever it is sent."""
        if self.pressure.bits() is not None:
            raise Refusal("parts-needed", file)

    async def _accept(self, received: Received) -> Outcome:
        manifest = received.manifest
        charter = await self.charters.get(manifest.charter)
        check_grant(received.files[GRANT_FILE], charter.slots)
        check_sealed(REPORT_FILE, received.files[REPORT_FILE])
        check_sealed_size(URGENCY_FILE, received.files[URGENCY_FILE], URGENCY_SIZE, len(charter.urgency))
        check_sealed_size(STATE_FILE, received.files[STATE_FILE], STATE_SIZE)
        unread = await self._find_parts(received)
        row = weigh(self._row(received, charter, self.clock().date()), manifest)
        if unread:
            # Nothing is read that would be refused for another reason.
            self.admission.check(row)
        for attachment in unread:
            await self.parts.check_hash(manifest.submission, attachment, received.parts[attachment.name])
        try:
            with self.admission.admitted(row):
                await self.commits.insert(row, _mailbox_row(received))
        except (DuplicateError, StorageFullError):
            await _check_repeat(manifest, received.manifest_sha256)
            raise
        return Outcome(row.acknowledgement, repeated=False)

    def _row(self, received: Received, charter: Charter, today: date) -> SubmissionRecord:
        manifest = received.manifest
        acknowledgement = Acknowledgement(
            self.realm, manifest.submission, received.manifest_sha256, received.commitment, today
        )
        return SubmissionRecord(
            submission=manifest.submission,
            slug=charter.slug,
            charter=charter.hash,
            manifest_sha256=received.manifest_sha256,
            commitment=received.commitment,
            received=today,
            acknowledgement=acknowledgement.sign(self.key).encode().decode("utf-8"),
            manifest=received.manifest_bytes,
            parts=encode_parts(received.parts),
            report=bytes(received.files[REPORT_FILE]),
            grant=bytes(received.files[GRANT_FILE]),
            urgency=bytes(received.files[URGENCY_FILE]),
        )


def _mailbox_row(received: Received) -> MailboxRecord:
    manifest, state = received.manifest, bytes(received.files[STATE_FILE])
    return MailboxRecord(
        submission=manifest.submission,
        mailbox=manifest.mailbox,
        token_sha256=manifest.token_sha256,
        control=manifest.control,
        state_sha256=hashlib.sha256(state).hexdigest(),
        state=state,
    )


def _check_in_force(charter: Charter, today: date) -> None:
    """Raise NotInForceError unless it could be sealed under this charter today, or not longer than LATE_DAYS ago."""
    is_late = charter.valid_until < today <= charter.valid_until + timedelta(days=LATE_DAYS)
    charter.check_day(charter.valid_until if is_late else today)


async def _check_repeat(manifest: Manifest, manifest_sha256: str) -> None:
    """Return when the id is free. Raises _RepeatedError for the same manifest, Refusal for another one."""
    accepted = await find_accepted(manifest.submission)
    if accepted is None:
        return
    if accepted.manifest_sha256 == manifest_sha256:
        raise _RepeatedError(accepted)
    raise Refusal("submission-conflict")


def _check_limits(manifest: Manifest, charter: Charter) -> None:
    if len(manifest.attachments) > charter.limits.attachments:
        raise Refusal("too-large")
    plaintext_max = padded_attachment_size(charter.limits.attachment_bytes)
    size_max = sealed_size(plaintext_max, PREFIX_BYTES)
    for attachment in manifest.attachments:
        if attachment.size > size_max:
            raise Refusal("too-large", attachment.name)
