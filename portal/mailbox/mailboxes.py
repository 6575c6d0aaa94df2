# SPDX-License-Identifier: AGPL-3.0-or-later
"""The reporter's return: reading a mailbox, adding a follow-up (docs/protocol.md §8, §9)."""

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from crypto.age import check_sealed_prefix
from crypto.encoding import encode_base64
from crypto.errors import CryptoError
from crypto.ids import MessageId, SubmissionId
from crypto.message import FOLLOW_UP_SEALED_MAX, message_id
from portal.api.refusals import Refusal
from portal.mailbox.decoy import Decoys
from portal.mailbox.mailbox_response import MESSAGES_MAX, mailbox_response
from portal.storage.errors import DuplicateError
from portal.storage.group_commit import GroupCommit
from portal.storage.records import FollowUpRecord, NonceRecord, ReplyRecord, SubmissionRecord
from portal.storage.submissions import find_mailbox

FOLLOW_UPS_MAX = 256
HEADER_BYTES_MAX = 4096
NONCE_BYTES = 16
NO_SUBMISSION = SubmissionId("")
"""Asked for in place of the submission of a mailbox that does not exist; it has no rows."""


@dataclass(frozen=True)
class Credentials:
    """The id (hex) of a mailbox and its token (32 bytes)."""

    mailbox: str
    token: bytes


@dataclass(frozen=True)
class Mailboxes:
    """Answers for known and unknown mailboxes alike; both cost the same look-ups."""

    decoys: Decoys
    commits: GroupCommit
    clock: Callable[[], datetime]

    async def read(self, credentials: Credentials, after: MessageId | None) -> bytes:
        """The padded answer; ``after`` is the id of the last message that the device has."""
        found = await _find(credentials)
        decoy = self.decoys.state(credentials.mailbox)
        replies = await _replies(found.submission if found else NO_SUBMISSION, after)
        if found is None:
            return mailbox_response(decoy, None, [])
        return mailbox_response(bytes(found.state), found.collection, replies)

    async def add_follow_up(self, credentials: Credentials, sealed: bytes) -> None:
        """Store a follow-up, durable when this returns; for an unknown mailbox or a repeat, store nothing.

        Raises Refusal ``too-large``, ``not-sealed``, ``mailbox-full``.
        """
        _check_follow_up(sealed)
        found = await _find(credentials)
        submission = found.submission if found else NO_SUBMISSION
        message = message_id(sealed)
        waiting = FollowUpRecord.filter(submission=submission)
        repeated, count = await waiting.filter(message=message).exists(), await waiting.count()
        if found is None or repeated:
            await self._commit_dummy()
            return
        if count >= FOLLOW_UPS_MAX:
            raise Refusal("mailbox-full")
        row = FollowUpRecord(
            slug=found.slug, submission=submission, message=message, day=self.clock().date(), sealed=sealed
        )
        try:
            await self.commits.insert(row)
        except DuplicateError:
            return

    async def _commit_dummy(self) -> None:
        """Wait for a commit of a dummy row, so that the time does not tell which mailboxes exist.

        The row is a nonce that has already expired: the next sweep deletes it.
        """
        await self.commits.insert(NonceRecord(nonce=encode_base64(secrets.token_bytes(NONCE_BYTES)), expires=0))


async def _find(credentials: Credentials) -> SubmissionRecord | None:
    return await find_mailbox(credentials.mailbox, hashlib.sha256(credentials.token).hexdigest())


async def _replies(submission: SubmissionId, after: MessageId | None) -> list[ReplyRecord]:
    replies = ReplyRecord.filter(submission=submission).order_by("sequence").limit(MESSAGES_MAX)
    last = await ReplyRecord.filter(submission=submission, message=after or "").first().only("sequence")
    return await (replies.filter(sequence__gt=last.sequence) if last else replies)


def _check_follow_up(sealed: bytes) -> None:
    if len(sealed) > FOLLOW_UP_SEALED_MAX + HEADER_BYTES_MAX:
        raise Refusal("too-large", "sealed")
    try:
        check_sealed_prefix(sealed)
    except CryptoError:
        raise Refusal("not-sealed", "sealed") from None
