# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reading a mailbox that a portal shows which may lie: what is genuine, what is missing, what contradicts itself.

docs/protocol.md §8.3, in its order. Pure: no requests, no clock. What it takes is signed by whom it must be; what it
can't take never hides the rest.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from datetime import date
from typing import TypeVar

from crypto import newest_charter, note, posting
from crypto.acknowledgement import read_acknowledgement
from crypto.charter import Charter, Member, check_successor, read_charter
from crypto.collection import Collection, read_collection
from crypto.errors import AuthenticationError, CryptoError
from crypto.ids import MessageId
from crypto.key_renewal import open_renewal
from crypto.mailbox_answer import MailboxAnswer, PostedReply
from crypto.mailbox_view import Alarm, AlarmKind, Problem, ReadMailbox, ReadReply, SentMessage
from crypto.message import REPLY_MAX, SignedReply, message_id, read_reply
from crypto.newest_charter import NewestCharter
from crypto.note import Note, VerifierKey
from crypto.padding import MESSAGE_FLOOR
from crypto.posting import Posting
from crypto.receipt_code import MailboxSecrets
from crypto.sealed_document import open_document
from crypto.state import State
from crypto.thread_keys import ThreadKeys
from crypto.thread_note import ThreadNote, open_thread_note, unseal_thread_note

T = TypeVar("T")
Postings = dict[int, tuple[Posting, str]]
"""The genuine postings by number, with their notes as they were signed."""


def read_chain(state: State, notes: Sequence[bytes]) -> tuple[Charter, ...]:
    """The charter that the state names and its successors, as far as each continues the one before (§4.2).

    Notes before that charter are passed over, and those that are in the chain already; none is verified twice. The
    chain is empty when the charter is not there, or of another realm.
    """
    chain: list[Charter] = []
    for data in notes:
        shown = _hash(data)
        if shown in {charter.hash for charter in chain} or (not chain and shown != state.thread.charter):
            continue
        try:
            charter = read_charter(data)
            if chain:
                check_successor(chain[-1], charter)
        except CryptoError:
            break
        if charter.realm != state.realm:
            break
        chain.append(charter)
    return tuple(chain)


def read_mailbox(
    answer: MailboxAnswer, state: State, secrets: MailboxSecrets, chain: Sequence[Charter], newest: str | None
) -> ReadMailbox:
    """Read an answer whose ``state`` was opened; ``chain`` is of ``read_chain``, ``newest`` a newest-charter note."""
    return _Reader(state, secrets, tuple(chain)).read(answer, newest)


@dataclass
class _Reader:
    state: State
    secrets: MailboxSecrets
    chain: tuple[Charter, ...]
    alarms: list[Alarm] = field(default_factory=list)

    def read(self, answer: MailboxAnswer, newest: str | None) -> ReadMailbox:
        known = self.state.thread
        self._check_chain()
        newest_day, replaced = self._newest(newest)
        acknowledged = self._acknowledgement(answer.acknowledgement)
        collection = self._collection(answer.collection, acknowledged)
        thread, signed = self._thread(answer.thread)
        last_day = max((day for day in (newest_day, thread and thread.day) if day), default=None)
        postings = self._postings(answer.messages, thread, signed)
        replies, keys = self._replies(answer.messages, postings, last_day)
        keys = max(keys, self._renewed(thread) or known.keys, key=lambda each: each.generation)
        return ReadMailbox(
            shown=bool(collection or thread or replies or self.alarms),
            collected=collection.collected if collection else None,
            confirmed=thread.day if thread else None,
            older=thread is not None and thread.number < known.note,
            newest_day=newest_day,
            replaced=replaced,
            sent=tuple(self._sent(thread)),
            replies=replies,
            missing=_missing(thread, known.deleted, postings),
            alarms=tuple(self.alarms),
            state=self._next(thread, postings, keys),
        )

    def _check_chain(self) -> None:
        """A charter that was seen before, and another one under its number: both are signed by the governors."""
        for charter in self.chain:
            if charter.number == self.state.charter_number and charter.hash != self.state.newest_charter:
                self._alarm("charter", charter.note.decode("utf-8"))

    def _newest(self, text: str | None) -> tuple[date | None, bool]:
        """The day of a genuine newest-charter note, and whether it names a charter that the portal does not show."""
        if text is None or not self.chain:
            return None, self._hides_charter()
        try:
            signed = Note.parse(text.encode("utf-8"))
            said = newest_charter.read_text(signed.text)
            named = self._charter(said.number)
            note.verify(signed, named.office if named else self._office())
        except (CryptoError, UnicodeEncodeError):
            return None, self._hides_charter()
        if (said.realm, said.slug) != (self.state.realm, self.chain[0].slug):
            return None, self._hides_charter()
        return self._judge_newest(said, named, text)

    def _judge_newest(self, said: NewestCharter, named: Charter | None, text: str) -> tuple[date | None, bool]:
        if named is not None and named.hash != said.charter:
            self._alarm("charter", text, named.note.decode("utf-8"))
            return None, True
        return said.day, said.number > self.chain[-1].number or self._hides_charter()

    def _hides_charter(self) -> bool:
        """Whether the portal shows less of the chain than an earlier visit saw."""
        return not self.chain or self.chain[-1].number < self.state.charter_number

    def _acknowledgement(self, text: str | None) -> str | None:
        """The acknowledgement, if it is genuine and of this submission."""
        keys = [charter.portal for charter in self.chain]
        said = _read(text, keys, read_acknowledgement)
        if said is None or said.submission != self.state.thread.submission:
            return None
        if (said.realm, said.manifest_hash) != (self.state.realm, self.state.thread.manifest):
            self._alarm("acknowledgement", text or "")
        return text

    def _collection(self, text: str | None, acknowledged: str | None) -> Collection | None:
        said = _read(text, self._office(), read_collection)
        if said is None or said.submission != self.state.thread.submission:
            return None
        if (said.realm, said.manifest_hash) != (self.state.realm, self.state.thread.manifest):
            self._alarm("collection", *([acknowledged] if acknowledged else []), text or "")
            return None
        return said

    def _thread(self, sealed: bytes | None) -> tuple[ThreadNote | None, str]:
        """The thread note that counts, and its text as it was signed."""
        if sealed is None:
            return None, ""
        try:
            thread, signed = open_thread_note(sealed, self.secrets.identity, self.chain)
        except AuthenticationError:
            self._check_thread_charter(sealed)
            return None, ""
        except CryptoError:
            return None, ""
        text, known = signed.encode().decode("utf-8"), self.state.thread
        if (thread.realm, thread.submission, thread.manifest) != (
            self.state.realm,
            known.submission,
            known.manifest,
        ):
            self._alarm("thread", text)
            return None, ""
        if thread.charter_number < self.state.charter_number:
            return None, ""
        return thread, text

    def _check_thread_charter(self, sealed: bytes) -> None:
        """A thread note by the office that names another charter under a number of the chain is an alarm."""
        thread, signed = unseal_thread_note(sealed, self.secrets.identity)
        named = self._charter(thread.charter_number)
        if named is None or named.hash == thread.charter:
            return
        try:
            note.verify(signed, named.office)
        except CryptoError:
            return
        self._alarm("charter", signed.encode().decode("utf-8"), named.note.decode("utf-8"))

    def _postings(self, messages: Sequence[PostedReply], thread: ThreadNote | None, signed: str) -> Postings:
        """The genuine postings by number, with their notes; one that contradicts another is an alarm."""
        found: Postings = {}
        for message in messages:
            said = self._posting(message)
            if said is None:
                continue
            before = found.setdefault(said.number, (said, message.posting))
            if before[0].message != said.message:
                self._alarm("reply-number", before[1], message.posting)
        if thread is not None and thread.last_reply in found:
            last, text = found[thread.last_reply]
            if last.message != thread.last_message:
                self._alarm("reply-number", text, signed)
        return found

    def _posting(self, message: PostedReply) -> Posting | None:
        try:
            parsed = Note.parse(message.posting.encode("utf-8"))
            said = posting.read_text(parsed.text)
            charter = self._charter(said.charter_number)
            if charter is None or charter.hash != said.charter:
                return None
            note.verify(parsed, charter.office)
        except (CryptoError, UnicodeEncodeError):
            return None
        known = self.state.thread
        is_new = said.number > known.reply
        if is_new and said.charter_number < self.state.charter_number:
            return None
        if (said.realm, said.manifest, said.message) != (
            self.state.realm,
            known.manifest,
            message_id(message.sealed),
        ):
            return None
        return said

    def _replies(
        self,
        messages: Sequence[PostedReply],
        postings: Postings,
        last_day: date | None,
    ) -> tuple[tuple[ReadReply, ...], ThreadKeys]:
        by_message = {said.message: said for said, _ in postings.values()}
        keys = self.state.thread.keys
        shown: dict[MessageId, ReadReply] = {}
        for message in messages:
            identifier = message_id(message.sealed)
            said = by_message.get(identifier)
            if said is not None and said.number <= self.state.thread.deleted:
                continue
            reply = self._reply(message, said, last_day)
            if isinstance(reply, SignedReply) and said is not None:
                shown[identifier] = ReadReply(
                    identifier, said.number, reply.day, reply.language, reply.body, reply.signer
                )
                keys = max(keys, reply.keys, key=lambda each: each.generation)
            elif not isinstance(reply, SignedReply):
                number, day = (said.number, said.posted) if said else (None, None)
                shown.setdefault(identifier, ReadReply(identifier, number, day, problem=reply))
        ordered = sorted(shown.values(), key=lambda each: (each.number is None, each.number or 0))
        return tuple(ordered), keys

    def _reply(self, message: PostedReply, said: Posting | None, last_day: date | None) -> SignedReply | Problem:
        try:
            content = open_document(message.sealed, self.secrets.identity, MESSAGE_FLOOR, REPLY_MAX)
        except CryptoError:
            return "unreadable"
        try:
            reply = read_reply(content, self.chain)
        except AuthenticationError:
            return "unsigned"
        except CryptoError:
            return "unreadable"
        known = self.state.thread
        is_ours = (reply.submission, reply.manifest) == (known.submission, known.manifest)
        if said is None or not is_ours or not self._may_write(reply.signer, said.charter_number, said.posted):
            return "unsigned"
        is_dated = reply.day <= said.posted and (last_day is None or said.posted <= last_day)
        return reply if is_dated else "unsigned"

    def _may_write(self, signer: Member, charter_number: int, day: date) -> bool:
        """Whether this member was one with a replying role on that day by that charter, and not an excluded one."""
        present = self._present(signer, charter_number, day)
        return present is not None and present.may_reply

    def _present(self, signer: Member, charter_number: int, day: date) -> Member | None:
        charter = self._charter(charter_number)
        if charter is None or self._is_excluded(signer):
            return None
        members = [member for member in charter.members_on(day) if member.verifier.public == signer.verifier.public]
        return members[0] if members and not self._is_excluded(members[0]) else None

    def _is_excluded(self, member: Member) -> bool:
        """By label or by key: a later charter may give a person another label."""
        labels = self.state.thread.excluded
        keys = {each.verifier.public for each in self.chain[0].members if each.label in labels}
        return member.label in labels or member.verifier.public in keys

    def _renewed(self, thread: ThreadNote | None) -> ThreadKeys | None:
        if thread is None or not thread.renewal:
            return None
        try:
            renewal = open_renewal(thread.renewal, self.secrets.identity, self.chain)
        except CryptoError:
            return None
        known = self.state.thread
        signer = self._present(renewal.signer, thread.charter_number, thread.day)
        is_ours = (renewal.submission, renewal.manifest) == (known.submission, known.manifest)
        is_genuine = is_ours and renewal.day <= thread.day and signer is not None and signer.is_reader
        return renewal.keys if is_genuine else None

    def _sent(self, thread: ThreadNote | None) -> Iterator[SentMessage]:
        held = set(thread.held) if thread else set()
        known = self.state.thread
        for number, sent in enumerate(known.sent, known.sent_count - len(known.sent) + 1):
            yield SentMessage(number, sent.day, sent.message in held)

    def _next(self, thread: ThreadNote | None, postings: Postings, keys: ThreadKeys) -> State:
        known, last = self.state.thread, self.chain[-1] if self.chain else None
        moved = replace(
            known,
            keys=keys,
            note=max(known.note, thread.number if thread else 0),
            reply=max(known.reply, *postings, 0),
        )
        if last is None or last.number <= self.state.charter_number:
            return replace(self.state, thread=moved)
        return replace(self.state, thread=moved, charter_number=last.number, newest_charter=last.hash)

    def _charter(self, number: int) -> Charter | None:
        return next((charter for charter in self.chain if charter.number == number), None)

    def _office(self) -> list[VerifierKey]:
        return list(dict.fromkeys(key for charter in self.chain for key in charter.office))

    def _alarm(self, kind: AlarmKind, *evidence: str) -> None:
        self.alarms.append(Alarm(kind, evidence))


def _hash(data: bytes) -> str | None:
    """Of what has the form of a note, whoever signed it."""
    try:
        return Note.parse(data).hash
    except CryptoError:
        return None


def _read(text: str | None, keys: Sequence[VerifierKey], read: Callable[[bytes, Sequence[VerifierKey]], T]) -> T | None:
    """The statement that one of these keys signed, or ``None``."""
    if text is None:
        return None
    try:
        return read(text.encode("utf-8"), keys)
    except (CryptoError, UnicodeEncodeError):
        return None


def _missing(thread: ThreadNote | None, deleted: int, postings: Postings) -> tuple[int, ...]:
    if thread is None:
        return ()
    due = range(max(thread.oldest_reply, deleted + 1), thread.last_reply + 1)
    return tuple(number for number in due if number not in postings)
