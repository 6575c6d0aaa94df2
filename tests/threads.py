# SPDX-License-Identifier: AGPL-3.0-or-later
"""A thread as each side of it may make it, truthfully or not: what a portal shows, an office signs, a member writes.

Everything has a default that is true on the days of the example; a test lies in one argument.
"""

from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import date, timedelta
from functools import cached_property

from crypto.acknowledgement import Acknowledgement
from crypto.age import PqIdentity, PqRecipient
from crypto.charter import Charter, make_charter, read_charter
from crypto.collection import Collection
from crypto.grant import open_grant
from crypto.ids import CharterHash, MemberLabel, MessageId, SubmissionId
from crypto.key_renewal import KeyRenewal, seal_renewal
from crypto.mailbox_answer import MailboxAnswer, PostedReply
from crypto.mailbox_reader import read_chain, read_mailbox
from crypto.mailbox_view import ReadMailbox
from crypto.manifest import GRANT_FILE, STATE_FILE
from crypto.message import Reply, message_id, seal_reply
from crypto.newest_charter import NewestCharter
from crypto.note import SigningKey, sign
from crypto.posting import Posting
from crypto.receipt_code import MailboxSecrets, derive, new_code
from crypto.state import State, open_state
from crypto.submission import SealedSubmission, seal_submission
from crypto.thread_keys import ThreadKeys
from crypto.thread_note import ThreadNote, seal_thread_note
from tests.people import World, found_test_commission, portal_key

SENT = date(2026, 3, 2)
WRITTEN = date(2026, 4, 7)
VISITED = date(2026, 5, 3)
DIGITS = new_code(lambda size: bytes(range(size)))


def succeed(world: World, before: Charter, **changes: object) -> Charter:
    """The charter after ``before`` with these changes, signed by all governors."""
    draft = replace(before, number=before.number + 1, previous=before.hash, **changes)  # type: ignore[arg-type]
    keys = [governor.signing_key for governor in world.governors]
    return read_charter(sign(make_charter(draft), keys).encode())


@dataclass
class Thread:
    """One report's thread; ``charters`` grows as the commission makes new ones."""

    world: World
    sealed: SealedSubmission
    secrets: MailboxSecrets
    charters: list[Charter] = field(default_factory=list)

    @cached_property
    def identity(self) -> PqIdentity:
        """The thread's first identity, as a reader of the report has it."""
        return open_grant(self.sealed.files[GRANT_FILE], [person.identity for person in self.world.people]).identity

    @property
    def submission(self) -> SubmissionId:
        return self.sealed.manifest.submission

    @property
    def newest(self) -> Charter:
        return self.charters[-1]

    @property
    def state(self) -> State:
        """The state as the device left it when it sent the report."""
        return open_state(self.sealed.files[STATE_FILE], self.secrets)

    @property
    def first_keys(self) -> ThreadKeys:
        return ThreadKeys(0, self.identity.recipient(), self.secrets.message_mac)

    def change_charter(self, **changes: object) -> Charter:
        """The commission makes a new charter."""
        self.charters.append(succeed(self.world, self.newest, **changes))
        return self.newest

    def without(self, *labels: str) -> Charter:
        """A new charter, of which these members are no members any more."""
        return self.change_charter(members=tuple(each for each in self.newest.members if each.label not in labels))

    def reply(
        self,
        number: int = 1,
        *,
        author: str = "chiara",
        body: str = "We have read your report.",
        day: date = WRITTEN,
        posted: date | None = None,
        charter: Charter | None = None,
        posting_charter: Charter | None = None,
        office: SigningKey | None = None,
        manifest: str | None = None,
        submission: str | None = None,
        keys: ThreadKeys | None = None,
        recipients: Sequence[PqRecipient] | None = None,
        message: str | None = None,
    ) -> PostedReply:
        """A reply with its posting note."""
        written, posting_charter = charter or self.newest, posting_charter or self.newest
        keys = keys or self.first_keys
        reply = Reply(
            SubmissionId(submission or self.submission),
            manifest or self.sealed.manifest_hash,
            written.hash,
            day,
            "en",
            keys,
            body,
        )
        sealed = seal_reply(
            reply, self.world[author].signing_key, recipients or (self.secrets.recipient, keys.recipient)
        )
        posting = Posting(
            self.newest.realm,
            manifest or self.sealed.manifest_hash,
            number,
            MessageId(message) if message else message_id(sealed),
            posting_charter.number,
            posting_charter.hash,
            posted or day,
        )
        return PostedReply(posting.sign(office or self.world.office_key).encode().decode(), sealed)

    def note(
        self,
        number: int = 1,
        *,
        replies: Sequence[PostedReply] = (),
        office: SigningKey | None = None,
        mailbox: PqRecipient | None = None,
        **changes: object,
    ) -> bytes:
        """A thread note that names these replies, sealed; ``changes`` replace members of it."""
        said = ThreadNote(
            realm=self.newest.realm,
            submission=self.submission,
            manifest=self.sealed.manifest_hash,
            number=number,
            day=VISITED - timedelta(days=1),
            charter_number=self.newest.number,
            charter=self.newest.hash,
            last_reply=len(replies),
            last_message=message_id(replies[-1].sealed) if replies else None,
        )
        said = replace(said, **changes)  # type: ignore[arg-type]
        return seal_thread_note(said, office or self.world.office_key, mailbox or self.secrets.recipient)

    def acknowledgement(self, *, manifest: str | None = None, key: SigningKey | None = None, **changes: object) -> str:
        """What the portal signed at the sending."""
        said = Acknowledgement(
            self.newest.realm, self.submission, manifest or self.sealed.manifest_hash, self.sealed.commitment, SENT
        )
        said = replace(said, **changes)  # type: ignore[arg-type]
        return said.sign(key or portal_key()).encode().decode()

    def collection(self, *, manifest: str | None = None, office: SigningKey | None = None, **changes: object) -> str:
        """What the office signed when it fetched the report."""
        said = Collection(self.newest.realm, self.submission, manifest or self.sealed.manifest_hash, SENT)
        said = replace(said, **changes)  # type: ignore[arg-type]
        return said.sign(office or self.world.office_key).encode().decode()

    def newest_note(
        self,
        charter: Charter | None = None,
        *,
        day: date = VISITED,
        office: SigningKey | None = None,
        **changes: object,
    ) -> str:
        """What the office says of the newest charter."""
        charter = charter or self.newest
        said = NewestCharter(charter.realm, charter.slug, charter.number, charter.hash, day)
        said = replace(said, **changes)  # type: ignore[arg-type]
        return said.sign(office or self.world.office_key).encode().decode()

    def renewal(
        self,
        generation: int = 1,
        *,
        author: str = "chiara",
        mailbox: PqRecipient | None = None,
        recipient: PqRecipient | None = None,
        day: date = WRITTEN,
        charter: Charter | None = None,
        manifest: str | None = None,
    ) -> bytes:
        """New keys of the thread, sealed to the mailbox."""
        identity = PqIdentity.from_seed(bytes([generation]) * 32)
        keys = ThreadKeys(generation, recipient or identity.recipient(), bytes([generation]) * 32)
        written = charter or self.newest
        renewal = KeyRenewal(self.submission, manifest or self.sealed.manifest_hash, written.hash, day, keys)
        return seal_renewal(renewal, self.world[author].signing_key, mailbox or self.secrets.recipient)

    def answer(
        self,
        *replies: PostedReply,
        thread: bytes | None = None,
        acknowledgement: str | None = None,
        collection: str | None = None,
        state: bytes | None = None,
    ) -> MailboxAnswer:
        """What the portal shows of the mailbox."""
        return MailboxAnswer(
            state or self.sealed.files[STATE_FILE],
            acknowledgement or self.acknowledgement(),
            collection,
            thread,
            replies,
        )

    def read(
        self,
        answer: MailboxAnswer,
        *,
        state: State | None = None,
        newest: str | None = None,
        charters: Sequence[Charter] | None = None,
    ) -> ReadMailbox:
        """What the reporter's device finds, when the portal shows these charters beside the answer."""
        state = state or self.state
        chain = read_chain(state, [charter.note for charter in (self.charters if charters is None else charters)])
        return read_mailbox(answer, state, self.secrets, chain, newest)


def start_thread(world: World | None = None, *, exclude: Sequence[str] = (), digits: str = DIGITS) -> Thread:
    """A report that was sent to the commission of the tests."""
    world = world or found_test_commission()
    labels = [MemberLabel(label) for label in exclude]
    sealed = seal_submission(
        charter=world.charter,
        receipt_digits=digits,
        language="en",
        answers={"story": "Fictional, for tests."},
        exclude=labels,
        sealed_by="command-line",
        today=SENT,
    )
    return Thread(world, sealed, derive(digits, world.charter.realm), [world.charter])


def unknown_charter() -> CharterHash:
    """The hash of no charter."""
    return CharterHash("0c" * 32)
