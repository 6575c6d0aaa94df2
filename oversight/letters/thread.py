# SPDX-License-Identifier: AGPL-3.0-or-later
"""The letters of one report, opened with the keys of its thread; one that is broken is shown as broken.

Follow-ups are numbered by the reporter's device, so that one that is missing or forged shows (docs/protocol.md §9.2,
§9.3). What came is kept as it came; here it is only judged.
"""

import asyncio
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from itertools import pairwise
from typing import Literal

from crypto.age import PqIdentity
from crypto.charter import Charter
from crypto.errors import AuthenticationError, CryptoError, NotARecipientError
from crypto.ids import MemberLabel, MessageId
from crypto.instruction import Instruction, read_instruction
from crypto.message import FollowUp, SignedReply, open_follow_up, open_reply
from crypto.taxonomy import INSTRUCTION, MESSAGE
from oversight.letters.records import FollowUpRecord, PostingRecord, ReplyRecord
from oversight.reports.opening import OpenedReport
from oversight.reports.records import SubmissionRecord
from oversight.web.rows import attempt
from portal.kit.i18n import text_direction

Trouble = Literal["", "broken", "locked", "doubtful", "repeated"]


@dataclass(frozen=True)
class Letter:
    """One message of the thread, in either direction.

    ``author`` is the name of the member who signed it, empty for the reporter. ``number`` is that of the reporter's
    messages or of the replies that were posted, 0 for one that has none or is not known.

    ``trouble``: ``broken`` (it does not open, or is not from its claimed author), ``locked`` (sealed to newer keys than
    this member has): both have no ``body``. ``doubtful`` (a follow-up under older keys than one before it),
    ``repeated`` (another follow-up has its number).
    """

    day: date
    outgoing: bool
    body: str
    dir: str
    language: str
    author: str = ""
    kind: str = MESSAGE
    number: int = 0
    trouble: Trouble = ""
    unseen: bool = False
    delivery: str = ""
    instruction: Instruction | None = None


@dataclass(frozen=True)
class OpenedThread:
    """Letters, oldest first; on one day the reporter's stand before ours.

    ``missing`` are the reporter's messages that should be here, as ranges from the first to the last number of each.
    ``shown`` are the ids of the follow-ups that this member could look at.
    """

    letters: tuple[Letter, ...]
    missing: tuple[tuple[int, int], ...]
    shown: tuple[MessageId, ...]


async def read_thread(submission: SubmissionRecord, opened: OpenedReport, charters: Sequence[Charter]) -> OpenedThread:
    """Every letter of the thread, as far as the member's keys open them."""
    replies = await ReplyRecord.filter(submission=submission.id).order_by("number")
    follow_ups = await FollowUpRecord.filter(submission=submission.id).order_by("sequence")
    postings = await PostingRecord.filter(submission=submission.id).only("message", "number")
    reader = _Reader(opened, charters, behind=opened.identities.newest < submission.generation)
    numbers = {posting.message: posting.number for posting in postings}
    return await asyncio.to_thread(reader.read, replies, follow_ups, numbers)


async def mark_seen(thread: OpenedThread, label: MemberLabel, today: date) -> None:
    """The follow-ups that could be looked at were shown to a member."""
    shown = FollowUpRecord.filter(id__in=list(thread.shown), seen_on=None)
    await shown.update(seen_on=today, seen_by=label)


@dataclass(frozen=True)
class _Reader:
    """``behind``: whether the thread has newer keys than those at hand."""

    opened: OpenedReport
    charters: Sequence[Charter]
    behind: bool

    def read(
        self, replies: list[ReplyRecord], follow_ups: list[FollowUpRecord], numbers: Mapping[MessageId, int]
    ) -> OpenedThread:
        found: list[tuple[FollowUpRecord, FollowUp | Trouble]] = []
        for record in follow_ups:
            opened: FollowUp | Trouble | None = attempt(partial(self._open_follow_up, record))
            found.append((record, opened or "broken"))
        known = _Known([follow_up for _, follow_up in found if isinstance(follow_up, FollowUp)])
        came = [self._show_follow_up(record, follow_up, known) for record, follow_up in found]
        came.sort(key=lambda letter: (letter.day, letter.number))
        went = [self._show_reply(record, numbers.get(record.id, 0)) for record in replies]
        return OpenedThread(
            letters=tuple(sorted([*came, *went], key=lambda letter: letter.day)),
            missing=tuple(_missing([letter.number for letter in came if letter.trouble in {"", "repeated"}])),
            shown=tuple(record.id for record, follow_up in found if follow_up != "locked"),
        )

    def _open_follow_up(self, record: FollowUpRecord) -> FollowUp | Trouble:
        """The follow-up, opened with whichever keys it is sealed to; or why it can't be shown."""
        for generation, identity in self._identities():
            try:
                follow_up = open_follow_up(record.sealed, identity, self.opened.message_mac(generation))
                self._check_thread(follow_up)
            except NotARecipientError:
                continue
            except CryptoError:
                return "broken"
            return follow_up if follow_up.generation == generation else "broken"
        return self._closed()

    def _show_follow_up(self, record: FollowUpRecord, opened: FollowUp | Trouble, known: "_Known") -> Letter:
        language, unseen = self.opened.report.language, record.seen_on is None
        if not isinstance(opened, FollowUp):
            return Letter(record.day, False, "", "auto", language, trouble=opened, unseen=unseen)
        direction = text_direction(opened.body, language)
        letter = Letter(opened.day, False, opened.body, direction, language, kind=opened.kind, number=opened.number)
        letter = replace(letter, trouble=known.doubt(opened), unseen=unseen)
        return self._show_instruction(letter, opened) if opened.kind == INSTRUCTION else letter

    def _show_instruction(self, letter: Letter, opened: FollowUp) -> Letter:
        """What the control key signed; ``broken`` for what it did not, or not in this follow-up."""
        manifest, here = self.opened.manifest, (self.opened.report.realm, opened.manifest, opened.number)
        try:
            said = read_instruction(opened.body.encode("utf-8"), manifest.mailbox, manifest.control)
        except CryptoError:
            return replace(letter, body="", trouble="broken")
        if (said.realm, said.manifest, said.follow_up) != here:
            return replace(letter, body="", trouble="broken")
        return replace(letter, body="", instruction=said)

    def _show_reply(self, record: ReplyRecord, number: int) -> Letter:
        delivery = record.delivery
        reply = attempt(partial(self._open_reply, record)) or "broken"
        if not isinstance(reply, SignedReply):
            return Letter(
                record.day, True, "", "auto", "", record.author, number=number, trouble=reply, delivery=delivery
            )
        direction = text_direction(reply.body, reply.language)
        letter = Letter(reply.day, True, reply.body, direction, reply.language, reply.signer.name, delivery=delivery)
        return replace(letter, number=number)

    def _open_reply(self, record: ReplyRecord) -> SignedReply | Trouble:
        for _, identity in self._identities():
            try:
                reply = open_reply(record.sealed, identity, self.charters)
                self._check_thread(reply)
            except NotARecipientError:
                continue
            except CryptoError:
                return "broken"
            return reply
        return self._closed()

    def _identities(self) -> Iterator[tuple[int, PqIdentity]]:
        """Newest first."""
        for generation, pair in sorted(self.opened.identities.generations.items(), reverse=True):
            yield generation, pair.identity

    def _check_thread(self, message: FollowUp | SignedReply) -> None:
        if (message.submission, message.manifest) != (self.opened.report.submission, self.opened.manifest_hash):
            raise AuthenticationError("a message is of another thread")

    def _closed(self) -> Trouble:
        return "locked" if self.behind else "broken"


class _Known:
    """The follow-ups of a thread that open, each looked at once: there may be thousands of them."""

    def __init__(self, follow_ups: Sequence[FollowUp]) -> None:
        self._count = Counter(follow_up.number for follow_up in follow_ups)
        self._first: dict[int, int] = {}
        for follow_up in follow_ups:
            first = self._first.get(follow_up.generation, follow_up.number)
            self._first[follow_up.generation] = min(first, follow_up.number)

    def doubt(self, follow_up: FollowUp) -> Trouble:
        """What speaks against one of them beside the others."""
        newer = (number for generation, number in self._first.items() if generation > follow_up.generation)
        if any(number < follow_up.number for number in newer):
            return "doubtful"
        return "repeated" if self._count[follow_up.number] > 1 else ""


def _missing(numbers: Sequence[int]) -> Iterator[tuple[int, int]]:
    """The gaps below the highest number, each as its first and last."""
    for before, after in pairwise([0, *sorted(set(numbers))]):
        if after - before > 1:
            yield before + 1, after - 1
