# SPDX-License-Identifier: AGPL-3.0-or-later
"""Letters as the office keeps them: sealed, in the order in which they were made or came."""

from tortoise import fields
from tortoise.models import Model

from crypto.ids import MemberLabel, MessageId, SubmissionId
from oversight.wire.outbox import OutgoingRecord
from portal.kit.columns import text_column


class ReplyRecord(OutgoingRecord):
    """A reply, sealed to the reporter's mailbox and to the thread; ``id`` is its message id."""

    id: fields.Field[MessageId] = text_column(32, primary_key=True)
    submission: fields.Field[SubmissionId] = text_column(32, db_index=True)
    author: fields.Field[MemberLabel] = text_column(31)
    day = fields.DateField()
    sealed = fields.BinaryField()

    class Meta:
        table = "reply"


class ReplyDraftRecord(Model):
    """A member's unsent reply to one report, under that member's index key."""

    id = fields.IntField(primary_key=True)
    member: fields.Field[MemberLabel] = text_column(31)
    submission: fields.Field[SubmissionId] = text_column(32)
    sealed = fields.BinaryField()

    class Meta:
        table = "reply_draft"
        unique_together = (("member", "submission"),)


class FollowUpRecord(Model):
    """A follow-up as it came, sealed to the thread; whether it opens is seen only by who holds a grant."""

    id: fields.Field[MessageId] = text_column(32, primary_key=True)
    sequence = fields.BigIntField(db_index=True)
    submission: fields.Field[SubmissionId] = text_column(32, db_index=True)
    day = fields.DateField()
    sealed = fields.BinaryField()
    seen_on = fields.DateField(null=True)
    seen_by: fields.Field[MemberLabel | None] = text_column(31, null=True)

    class Meta:
        table = "follow_up"
