# SPDX-License-Identifier: AGPL-3.0-or-later
"""The portal's tables. Hashes and ids are lower-case hex, times are days, and no row holds a key to sealed bytes.

Sequences grow in the order in which rows become visible (``GroupCommit`` ensures it), so that an office that asks for
rows after the last one misses none. Sealed columns come last: SQLite reads the others without them.
"""

from tortoise import fields
from tortoise.models import Model

from crypto.ids import CharterHash, FindingId, MessageId, SubmissionId, TextHash
from portal.kit.columns import (
    BytesField,
    DayField,
    LargeNumberField,
    NumberField,
    ShortTextField,
    TextField,
    TruthField,
    text_column,
)


class CharterRecord(Model):
    """A commission's charter, as a signed note."""

    sequence = fields.BigIntField(primary_key=True)
    hash: fields.Field[CharterHash] = text_column(64, unique=True)
    slug = ShortTextField(31)
    number = NumberField()
    note = TextField()

    class Meta:
        table = "charter"
        unique_together = (("slug", "number"),)


class InvitationRecord(Model):
    """The operator's permission for a commission's first charter; deleted when used."""

    token_sha256 = ShortTextField(64, primary_key=True)
    slug = ShortTextField(31)

    class Meta:
        table = "invitation"


class SubmissionRecord(Model):
    """An accepted submission. After its grace the sealed columns are empty, and ``deleted`` is true.

    ``parts`` names the stored parts of its attachments (JSON, by file). ``row_bytes`` and ``attachment_bytes`` are what
    it counts for (``shares``), 0 after its grace.
    """

    sequence = fields.BigIntField(primary_key=True)
    submission: fields.Field[SubmissionId] = text_column(32, unique=True)
    slug = ShortTextField(31)
    charter: fields.Field[CharterHash] = text_column(64)
    manifest_sha256 = ShortTextField(64)
    commitment = ShortTextField(64)
    received = DayField()
    acknowledgement = TextField()
    collection = TextField(null=True)
    delete_from = DayField(null=True, db_index=True)
    deleted = TruthField(default=False)
    row_bytes = LargeNumberField(default=0)
    attachment_bytes = LargeNumberField(default=0)
    manifest = BytesField()
    parts = BytesField()
    report = BytesField()
    grant = BytesField()
    urgency = BytesField(null=True)

    class Meta:
        table = "submission"
        indexes = (("slug", "sequence"), ("attachment_bytes", "row_bytes", "submission"))


class MailboxRecord(Model):
    """The mailbox of a submission: its public id, who may ask (the token's hash), who commands (``control``: V).

    It has a row of its own, so that a new state does not write the report again. The state of a closed one is empty.
    Of several submissions to one mailbox the first counts, also for whether it is closed. ``told`` counts the
    changes that an office is told of, which bring a follow-up, delete or close. ``command`` is the control note that
    made the state, nothing for the first one.
    """

    sequence = fields.BigIntField(primary_key=True)
    submission: fields.Field[SubmissionId] = text_column(32, unique=True)
    mailbox = ShortTextField(32)
    token_sha256 = ShortTextField(64)
    control = ShortTextField(64)
    closed = TruthField(default=False)
    state_sha256 = ShortTextField(64)
    state = BytesField()
    told = NumberField(db_default=0)
    command = TextField(null=True)

    class Meta:
        table = "mailbox"
        indexes = (("mailbox", "sequence", "closed"),)


class ClosingRecord(Model):
    """A mailbox that is closed, while rows of further submissions to it wait for that (``closing``)."""

    mailbox = ShortTextField(32, primary_key=True)

    class Meta:
        table = "closing"


class ThreadRecord(Model):
    """How far a thread is; made when the office first writes. It outlives replies that expire or are deleted.

    ``note`` is the newest sealed thread note, or empty, ``note_number`` its number. The reporter deleted the replies up
    to the number ``deleted_to``.
    """

    submission: fields.Field[SubmissionId] = text_column(32, primary_key=True)
    note_number = NumberField(default=0)
    last_reply = NumberField(default=0)
    last_message: fields.Field[MessageId] = text_column(32, default="")
    last_posting = TextField(default="")
    deleted_to = NumberField(default=0)
    note = BytesField()

    class Meta:
        table = "thread"


class ReplyRecord(Model):
    """A commission's sealed reply, waiting in a mailbox with the note of its posting."""

    sequence = fields.BigIntField(primary_key=True)
    submission: fields.Field[SubmissionId] = text_column(32)
    number = NumberField()
    message: fields.Field[MessageId] = text_column(32)
    posting = TextField()
    delete_from = DayField(db_index=True)
    sealed = BytesField()

    class Meta:
        table = "reply"
        unique_together = (("submission", "number"), ("submission", "message"))


class FollowUpRecord(Model):
    """A reporter's sealed follow-up. It waits until ``delete_from`` is set: the office has confirmed it then."""

    sequence = fields.BigIntField(primary_key=True)
    slug = ShortTextField(31)
    submission: fields.Field[SubmissionId] = text_column(32)
    message: fields.Field[MessageId] = text_column(32)
    day = DayField()
    delete_from = DayField(null=True, db_index=True)
    sealed = BytesField()

    class Meta:
        table = "follow_up"
        unique_together = (("submission", "message"),)
        indexes = (("slug", "sequence"), ("slug", "delete_from", "message"))


class UnclaimedRecord(Model):
    """A follow-up to a mailbox that this portal does not know, and may have known before it was restored.

    Nothing of it can be verified before an office announces the mailbox again: then it becomes a follow-up, and
    ``state`` that of the mailbox. ``note`` is the control note.
    """

    sequence = fields.BigIntField(primary_key=True)
    mailbox = ShortTextField(32)
    token_sha256 = ShortTextField(64)
    message: fields.Field[MessageId] = text_column(32)
    day = DayField(db_index=True)
    note = TextField()
    state = BytesField()
    sealed = BytesField()

    class Meta:
        table = "unclaimed"
        unique_together = (("mailbox", "message"),)


class VisitRecord(Model):
    """An office's last visit: which of its processes has the turn ``until`` when (seconds since 1970), the random mark
    that it was given then, and the mark that it had named."""

    slug = ShortTextField(31, primary_key=True)
    process = ShortTextField(32)
    until = LargeNumberField()
    mark = ShortTextField(32)
    before = ShortTextField(32)

    class Meta:
        table = "visit"


class ControlRecord(Model):
    """A control note that deletes or closes, kept for the office; ``hash`` is that of its bytes."""

    sequence = fields.BigIntField(primary_key=True)
    slug = ShortTextField(31)
    submission: fields.Field[SubmissionId] = text_column(32)
    hash = ShortTextField(64)
    note = TextField()

    class Meta:
        table = "control"
        unique_together = (("submission", "hash"),)
        indexes = (("slug", "sequence"),)


class NewestCharterRecord(Model):
    """The latest newest-charter note of a commission."""

    slug = ShortTextField(31, primary_key=True)
    number = NumberField()
    day = DayField()
    note = TextField()

    class Meta:
        table = "newest_charter"


class OfficeDayRecord(Model):
    """The newest day that a commission's office signed; on how many days the portal lived since (``office_days``)."""

    slug = ShortTextField(31, primary_key=True)
    day = DayField()
    silent = NumberField(default=0)

    class Meta:
        table = "office_day"


class SweptDayRecord(Model):
    """One row: the day of the last sweep (``clock_watch``)."""

    id = fields.IntField(primary_key=True)
    day = DayField()

    class Meta:
        table = "swept_day"


class FindingRecord(Model):
    """A revision of a published finding. The note of all but the newest is empty: corrected texts are deleted."""

    sequence = fields.BigIntField(primary_key=True)
    identifier: fields.Field[FindingId] = text_column(64)
    slug = ShortTextField(31)
    revision = NumberField()
    hash: fields.Field[TextHash] = text_column(64, unique=True)
    day = DayField()
    kind = ShortTextField(16)
    reason = TextField(null=True)
    note = TextField()

    class Meta:
        table = "finding"
        unique_together = (("identifier", "revision"),)


class NonceRecord(Model):
    """A nonce of an office request, stored while the request could be replayed (seconds since 1970)."""

    nonce = ShortTextField(24, primary_key=True)
    expires = LargeNumberField(db_index=True)

    class Meta:
        table = "nonce"
