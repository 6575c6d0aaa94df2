# SPDX-License-Identifier: AGPL-3.0-or-later
"""Letters as the office keeps them, sealed, and what it knows of their threads."""

from tortoise import fields
from tortoise.models import Model

from crypto.ids import CharterHash, MemberLabel, MessageId, SubmissionId
from oversight.wire.outbox import OutgoingRecord
from oversight.wire.retry import RetriedRecord
from portal.kit.columns import (
    BytesField,
    DayField,
    LargeNumberField,
    NumberField,
    ShortTextField,
    TruthField,
    text_column,
)

AUTHOR_LEFT = "author-left"
MAILBOX_CLOSED = "mailbox-closed"
MAILBOX_LOST = "mailbox-lost"
KEPT_BACK = frozenset({AUTHOR_LEFT, MAILBOX_CLOSED, MAILBOX_LOST})
"""Why a reply never goes out, though nothing is wrong with it."""


class ReplyRecord(OutgoingRecord):
    """A reply, sealed to the reporter's mailbox and to the thread; ``id`` is its message id.

    ``charter`` is the one whose member ``author`` signed it.
    """

    id: fields.Field[MessageId] = text_column(32, primary_key=True)
    submission: fields.Field[SubmissionId] = text_column(32, db_index=True)
    author: fields.Field[MemberLabel] = text_column(31)
    charter: fields.Field[CharterHash] = text_column(64)
    day = DayField()
    sealed = BytesField()

    class Meta:
        table = "reply"

    @property
    def delivery(self) -> str:
        """How far the letter has come: ``progress``, or why this office keeps it back, or that nobody waits for it."""
        return self.refused if self.refused in KEPT_BACK else self.progress


class PostingRecord(Model):
    """A number of a thread that was given to a reply, by a posting note of this office.

    It is written before it goes out, so that no other reply gets the number; ``held`` says that the portal has it. A
    restored office takes up postings from the portal, and lacks the reply.
    """

    id = fields.IntField(primary_key=True)
    submission: fields.Field[SubmissionId] = text_column(32)
    number = NumberField()
    message: fields.Field[MessageId] = text_column(32, unique=True)
    note = BytesField()
    posted = DayField()
    held = TruthField()

    class Meta:
        table = "posting"
        unique_together = (("submission", "number"),)


class ThreadNoteRecord(RetriedRecord):
    """The thread notes of one thread: the number of the last one, and whether there is news for another (``stale``)."""

    submission: fields.Field[SubmissionId] = text_column(32, primary_key=True)
    number = NumberField(db_default=0)
    stale = TruthField(db_index=True)

    class Meta:
        table = "thread_note"


class ControlRecord(Model):
    """A command of a reporter, signed by the mailbox's control key: replies up to ``delete_to`` go, or all ends.

    ``id`` is the hash of the note. It is kept, to be brought again to a portal that was restored.
    """

    id = ShortTextField(max_length=64, primary_key=True)
    submission: fields.Field[SubmissionId] = text_column(32, db_index=True)
    note = BytesField()
    delete_to = NumberField()
    close = TruthField()
    day = DayField()

    class Meta:
        table = "control"


class ReplyDraftRecord(Model):
    """A member's unsent reply to one report, under that member's index key."""

    id = fields.IntField(primary_key=True)
    member: fields.Field[MemberLabel] = text_column(31)
    submission: fields.Field[SubmissionId] = text_column(32)
    sealed = BytesField()

    class Meta:
        table = "reply_draft"
        unique_together = (("member", "submission"),)


class FollowUpRecord(Model):
    """A follow-up as it came, sealed to the thread; whether it opens is seen only by who holds a grant.

    ``confirmed`` says that the portal got a receipt for it, ``collected`` on which day it came here. ``number`` and
    ``generation`` are those that are sealed in it, once somebody opened it; 0 for one that does not open.
    """

    id: fields.Field[MessageId] = text_column(32, primary_key=True)
    sequence = LargeNumberField(db_index=True)
    submission: fields.Field[SubmissionId] = text_column(32, db_index=True)
    day = DayField()
    collected = DayField(null=True, db_index=True)
    sealed = BytesField()
    confirmed = TruthField(db_default=False, db_index=True)
    number = NumberField(null=True)
    generation = NumberField(null=True)
    seen_on = DayField(null=True)
    seen_by: fields.Field[MemberLabel | None] = text_column(31, null=True)

    class Meta:
        table = "follow_up"
