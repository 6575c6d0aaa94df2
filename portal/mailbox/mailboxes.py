# SPDX-License-Identifier: AGPL-3.0-or-later
"""The reporter's return: reading a mailbox, changing it (docs/protocol.md §8, §9.3).

Who may ask shows it by the token, who may command by the signature of V. Without either, or without such a mailbox, the
answers are the same, after the same look-ups and a commit.
"""

import hashlib
import secrets
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date, datetime

from tortoise.expressions import F

from crypto.control import NO_MESSAGE, read_control
from crypto.encoding import HASH_BYTES, ID_BYTES
from crypto.errors import AuthenticationError, CryptoError
from crypto.ids import MessageId, SubmissionId
from crypto.note import Note, SigningKey
from portal.api.refusals import Refusal
from portal.charters.known import Charters
from portal.kit.columns import UnreadableError
from portal.mailbox.change import Change, Credentials
from portal.mailbox.mailbox_response import MESSAGES_MAX, Content, mailbox_response
from portal.mailbox.strangers import FOLLOW_UPS_MAX, Strangers
from portal.storage import unclaimed
from portal.storage.commands import obey
from portal.storage.group_commit import GroupCommit
from portal.storage.records import (
    FollowUpRecord,
    MailboxRecord,
    ReplyRecord,
    SubmissionRecord,
    ThreadRecord,
    UnclaimedRecord,
)
from portal.storage.shares import Kind, Shares
from portal.storage.submissions import find_mailbox
from portal.storage.weights import FOLLOW_UP_BYTES

NO_SUBMISSION = SubmissionId("")
"""Asked for in place of the submission of a mailbox that does not exist; it has no rows."""
NOBODYS = SubmissionId("nobody's")
"""Of the rows that are written when nothing is kept."""
DAY_OF_NOBODY = date(1970, 1, 1)
_NOBODY = SigningKey.from_seed("nobody", bytes(32)).verifier


@dataclass
class _Room:
    """Room that was counted for a follow-up, and whether one fills it."""

    is_filled: bool = False


@dataclass(frozen=True)
class Mailboxes:
    """Answers for known and unknown mailboxes alike; both cost the same look-ups."""

    strangers: Strangers
    commits: GroupCommit
    shares: Shares
    charters: Charters
    clock: Callable[[], datetime]

    async def read(self, credentials: Credentials, after: int) -> bytes:
        """The padded answer, with the replies of higher numbers than ``after``."""
        found = await _find(credentials)
        shown = self.strangers.state(credentials)
        submission = found.submission if found else NO_SUBMISSION
        content = await _content(submission, bytes(found.state) if found else shown)
        replies = ReplyRecord.filter(submission=submission, number__gt=after).order_by("number")
        return mailbox_response(content, await replies.limit(MESSAGES_MAX + 1))

    async def change(self, change: Change) -> None:
        """Make a change, durable when this returns; for a stranger's, store nothing.

        A follow-up that is there already is not stored again, nor is anything else then. Raises Refusal
        ``state-conflict`` when the state is not the one replaced, ``mailbox-full``, and ``malformed-request`` for a
        genuine note that deletes replies which don't exist yet. Raises UnreadableError when what is stored of the
        mailbox is damaged, and StorageFullError when there is no room for follow-ups, whoever sends one.
        """
        with self._room(change) as room:
            await self._change(change, room)

    @contextmanager
    def _room(self, change: Change) -> Iterator[_Room]:
        """Count the follow-up, whoever sends one, and give its room back unless it is stored."""
        room = _Room()
        weight = FOLLOW_UP_BYTES if change.follow_up is not None else 0
        if weight:
            self.shares.take(Kind.FOLLOW_UPS, weight)
        try:
            yield room
        finally:
            if not room.is_filled:
                self.shares.give_back(Kind.FOLLOW_UPS, weight)

    async def _change(self, change: Change, room: _Room) -> None:
        found = await _find(change.credentials)
        slug = await self._commission(found)
        genuine = _is_genuine(change, found)
        refusal, room.is_filled = await self.commits.apply(lambda: self._apply(change, found, genuine, slug))
        # Looked up for everyone, and only now: another change may have been made meanwhile.
        shown = self.strangers.state(change.credentials)
        if found is None:
            self.strangers.change(change, shown)
        elif refusal is not None:
            raise refusal

    async def _commission(self, found: MailboxRecord | None) -> str:
        """Whose office is handed what is sent. Raises UnreadableError when that is damaged: nobody ever would be."""
        submission = found.submission if found else NO_SUBMISSION
        rows = await SubmissionRecord.filter(submission=submission).values_list("slug", "charter")
        if found is None:
            return ""
        try:
            [(slug, charter)] = rows
            is_whole = (await self.charters.get(charter)).slug == slug
        except (ValueError, Refusal):
            is_whole = False
        if not is_whole:
            raise UnreadableError
        return str(slug)

    async def _apply(
        self, change: Change, found: MailboxRecord | None, genuine: bool, slug: str
    ) -> tuple[Refusal | None, bool]:
        """Why nothing was changed, if so; and whether a follow-up was stored."""
        submission = found.submission if found else NO_SUBMISSION
        row = await MailboxRecord.filter(submission=submission).first().only("sequence", "state_sha256")
        messages = FollowUpRecord.filter(submission=submission)
        known = await messages.filter(message=change.control.follow_up).exists()
        waiting = await messages.filter(delete_from=None).count()
        to_keep = await self._unclaimed(change)
        if row is None and to_keep is not None:
            await to_keep.save()
            return None, True
        refusal = None
        if row is not None and not known:
            refusal = await _refusal(change, submission, row, waiting)
            if genuine and refusal is None:
                await self._write(change, submission, slug)
                return None, change.follow_up is not None
        await _write_dummy(change)
        return refusal, False

    async def _unclaimed(self, change: Change) -> UnclaimedRecord | None:
        """What is kept of a follow-up if there is no such mailbox; None without one, or when there is no room."""
        mailbox, message = change.credentials.mailbox, change.control.follow_up
        is_there = await UnclaimedRecord.filter(mailbox=mailbox, message=message).exists()
        is_room = await unclaimed.is_room(mailbox)
        if change.follow_up is None or is_there or not is_room:
            return None
        return UnclaimedRecord(
            mailbox=mailbox,
            token_sha256=change.credentials.token_sha256,
            message=message,
            day=self.clock().date(),
            note=change.note,
            state=change.state,
            sealed=change.follow_up,
        )

    async def _write(self, change: Change, submission: SubmissionId, slug: str) -> None:
        mailbox = MailboxRecord.filter(submission=submission)
        await mailbox.update(state=change.state, state_sha256=change.control.state, command=change.note)
        if change.follow_up is not None:
            await FollowUpRecord.create(
                slug=slug,
                submission=submission,
                message=change.control.follow_up,
                day=self.clock().date(),
                sealed=change.follow_up,
            )
        commanded = await obey(slug, submission, change.control, change.note)
        if commanded or change.follow_up is not None:
            await mailbox.update(told=F("told") + 1)


async def _find(credentials: Credentials) -> MailboxRecord | None:
    return await find_mailbox(credentials.mailbox, credentials.token_sha256)


async def _content(submission: SubmissionId, state: bytes) -> Content:
    statements = ("acknowledgement", "collection")
    notes = await SubmissionRecord.filter(submission=submission).values_list(*statements)
    threads = await ThreadRecord.filter(submission=submission).values_list("note", flat=True)
    acknowledgement, collection = notes[0] if notes else (None, None)
    return Content(state, acknowledgement, collection, bytes(threads[0]) if threads else b"")


def _is_genuine(change: Change, found: MailboxRecord | None) -> bool:
    """Whether V signed the change. For a stranger's, whose V nobody knows, as much work is done for nothing.

    Raises UnreadableError when what is stored as V is no key.
    """
    try:
        if found is not None:
            read_control(change.note.encode("utf-8"), found.control)
            return True
        parsed = Note.parse(change.note.encode("utf-8"))
        _NOBODY.check(parsed.text.encode("utf-8"), parsed.signatures[0].data)
    except AuthenticationError:
        pass
    except CryptoError:
        # The note itself was read before.
        raise UnreadableError from None
    return False


async def _refusal(change: Change, submission: SubmissionId, row: MailboxRecord, waiting: int) -> Refusal | None:
    """Why a change can't be made, whoever signed it."""
    control = change.control
    if row.state_sha256 != control.replaces and not await _is_state(control.replaces, submission, row):
        return Refusal("state-conflict")
    if control.follow_up != NO_MESSAGE and waiting >= FOLLOW_UPS_MAX:
        return Refusal("mailbox-full")
    if control.delete and not await ThreadRecord.filter(submission=submission, last_reply__gte=control.delete).exists():
        # Carried out again after a restore, such a note would delete what nobody has read.
        return Refusal("malformed-request", "control")
    return None


async def _is_state(state_sha256: str, submission: SubmissionId, row: MailboxRecord) -> bool:
    """Whether this is the state's hash, should what is stored as that be damaged, or the state itself.

    A closed mailbox has neither.
    """
    states = await MailboxRecord.filter(submission=submission).values_list("state", flat=True)
    kept = [bytes(state) for state in states if state or row.state_sha256]
    return any(hashlib.sha256(state).hexdigest() == state_sha256 for state in kept)


async def _write_dummy(change: Change) -> None:
    """Write as much as a change that is made would, so that the time does not tell which mailboxes exist.

    It is noise, over the rows of a mailbox that is nobody's and that no request can name.
    """
    state, state_sha256 = secrets.token_bytes(len(change.state)), secrets.token_hex(HASH_BYTES)
    noise = {"state": state, "state_sha256": state_sha256, "command": secrets.token_hex(len(change.note) // 2)}
    if not await MailboxRecord.filter(submission=NOBODYS).update(**noise):
        nothing = {"mailbox": "", "token_sha256": "", "control": ""}
        row = MailboxRecord(submission=NOBODYS, **noise, **nothing)
        await row.save()
    if change.follow_up is not None:
        sealed, message = secrets.token_bytes(len(change.follow_up)), MessageId(secrets.token_hex(ID_BYTES))
        if not await FollowUpRecord.filter(submission=NOBODYS).update(message=message, sealed=sealed):
            await FollowUpRecord.create(slug="", submission=NOBODYS, message=message, day=DAY_OF_NOBODY, sealed=sealed)
