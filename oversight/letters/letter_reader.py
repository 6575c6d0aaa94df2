# SPDX-License-Identifier: AGPL-3.0-or-later
"""One letter of a thread, opened with the keys of the thread; one that is broken is shown as broken.

What came is kept as it came; here it is only judged.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import date
from functools import partial
from typing import Literal

from crypto.age import PqIdentity
from crypto.charter import Charter
from crypto.errors import AuthenticationError, CryptoError, NotARecipientError
from crypto.ids import MessageId
from crypto.instruction import Instruction, read_instruction
from crypto.message import FollowUp, SignedReply, open_follow_up, open_reply
from crypto.public_text import is_seen
from crypto.taxonomy import INSTRUCTION, MESSAGE
from oversight.letters.numbers import Numbers
from oversight.letters.records import FollowUpRecord, ReplyRecord
from oversight.reports.opening import OpenedReport
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

    id: MessageId
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

    @property
    def is_blank(self) -> bool:
        """Whether it was written, and nothing of it can be seen."""
        return not is_seen(self.body)


@dataclass(frozen=True)
class LetterReader:
    """``behind``: whether the thread has newer keys than those at hand."""

    opened: OpenedReport
    charters: Sequence[Charter]
    behind: bool

    def open_all(self, records: Sequence[FollowUpRecord]) -> list[FollowUp | Trouble]:
        """Each as it opens, or why it does not."""
        return [attempt(partial(self._open_follow_up, record)) or "broken" for record in records]

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

    def show_follow_up(self, record: FollowUpRecord, opened: FollowUp | Trouble, known: Numbers) -> Letter:
        language, unseen = self.opened.report.language, record.seen_on is None
        if not isinstance(opened, FollowUp):
            return Letter(record.id, record.day, False, "", "auto", language, trouble=opened, unseen=unseen)
        direction = text_direction(opened.body, language)
        letter = Letter(
            record.id, opened.day, False, opened.body, direction, language, kind=opened.kind, number=opened.number
        )
        letter = replace(letter, trouble=known.doubt(opened.number, opened.generation), unseen=unseen)
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

    def show_reply(self, record: ReplyRecord, number: int) -> Letter:
        delivery = record.delivery
        reply = attempt(partial(self._open_reply, record)) or "broken"
        if not isinstance(reply, SignedReply):
            return Letter(
                record.id,
                record.day,
                True,
                "",
                "auto",
                "",
                record.author,
                number=number,
                trouble=reply,
                delivery=delivery,
            )
        direction = text_direction(reply.body, reply.language)
        letter = Letter(
            record.id, reply.day, True, reply.body, direction, reply.language, reply.signer.name, delivery=delivery
        )
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
