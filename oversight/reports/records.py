# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's rows of a submission: sealed files, its progress, and each member's sealed index of it.

Nothing that a reporter wrote is stored in the clear, and no time more exact than a day. The large sealed files have
separate rows, so that the queue reads small ones.
"""

import re

from tortoise import fields
from tortoise.expressions import Subquery
from tortoise.models import Model

from crypto.ids import CharterHash, MemberLabel, SubmissionId
from oversight.wire.retry import RetriedRecord
from portal.kit.columns import (
    UNREADABLE,
    BytesField,
    DayField,
    LargeNumberField,
    MomentField,
    NamesField,
    NumberField,
    ShortTextField,
    TruthField,
    text_column,
)

STATE_ROW = 1
"""The id of the collector's one row."""


class SubmissionRecord(Model):
    """One collected submission; every file that its manifest names is stored and was checked.

    ``acknowledgement`` is the portal's signed note as it came. ``received`` and ``commitment`` are what it says, but
    that nothing was received after the day on which it was collected.
    """

    id: fields.Field[SubmissionId] = text_column(32, primary_key=True)
    number = NumberField(unique=True)
    charter: fields.Field[CharterHash] = text_column(64)
    manifest = BytesField()
    acknowledgement = BytesField()
    commitment = ShortTextField(max_length=64)
    received = DayField()
    collected = DayField()
    confirmed = TruthField(db_default=False, db_index=True)
    opened_on = DayField(null=True)
    opened_by: fields.Field[MemberLabel | None] = text_column(31, null=True)
    answered_on = DayField(null=True)
    urgency = ShortTextField(max_length=8, null=True, db_index=True)
    """What ``reports.sealed_urgency`` read: a level of §5.5 or ``unknown``; nothing until it did."""
    generation = NumberField(db_default=0)
    """The newest of its thread's keys. Whoever changes them, or puts the report into a case, changes this row first."""

    class Meta:
        table = "submission"

    @property
    def reference(self) -> str:
        """The neutral name by which members speak of it, or the beginning of its id if its number can't be read."""
        return f"R-{self.id[:8]}" if self.number is UNREADABLE else f"R-{self.number:04d}"

    @classmethod
    async def ids_without(cls, rows: type[Model], **which: object) -> list[SubmissionId]:
        """The ids of those that have no row there yet. A damaged id can have none, and keeps no other from it."""
        begun = Subquery(rows.all().values("submission"))
        found = await cls.filter(**which).exclude(id__in=begun).only("id")
        return [each.id for each in found if re.fullmatch("[0-9a-f]{32}", str(each.id))]


class SealedFileRecord(Model):
    """A sealed file; attachments are in the blob folder and have no bytes here.

    ``damaged_on`` is the day on which a member opened it and it was not what the report says.
    """

    id = fields.IntField(primary_key=True)
    submission: fields.ForeignKeyRelation[SubmissionRecord] = fields.ForeignKeyField(
        "oversight.SubmissionRecord", related_name="files", on_delete=fields.CASCADE
    )
    name = ShortTextField(max_length=40)
    size = LargeNumberField()
    sha256 = ShortTextField(max_length=64)
    damaged_on = DayField(null=True)
    sealed = BytesField(null=True)

    class Meta:
        table = "sealed_file"
        unique_together = (("submission", "name"),)


class ThreadGrantRecord(Model):
    """Keys of a thread from generation 1 on, sealed to the readers of ``day`` under ``charter`` and to the reserve.

    Generations that a case's ledger made have no row here. ``shut_out`` are the labels of those to whom the report's
    case forbids it. Who reads is not named, for that would tell whom a reporter excluded.
    """

    id = fields.BigIntField(primary_key=True)
    submission: fields.Field[SubmissionId] = text_column(32)
    generation = NumberField()
    charter: fields.Field[CharterHash] = text_column(64)
    day = DayField()
    shut_out: fields.JSONField[list[MemberLabel]] = NamesField()
    sealed = BytesField()

    class Meta:
        table = "thread_grant"
        unique_together = (("submission", "generation"),)


class ThreadRenewalRecord(Model):
    """A renewal of a thread's keys, sealed to the reporter's mailbox.

    ``announced`` says that a weekly round has brought it; from then on every thread note does.
    """

    id = fields.BigIntField(primary_key=True)
    submission: fields.Field[SubmissionId] = text_column(32)
    generation = NumberField()
    day = DayField()
    announced = TruthField(db_default=False)
    sealed = BytesField()

    class Meta:
        table = "thread_renewal"
        unique_together = (("submission", "generation"),)


class IndexEntryRecord(Model):
    """What the queue shows of one report to one member, under that member's index key.

    A report that the member holds no grant for has an entry too, of the same length: the table doesn't tell.
    """

    id = fields.IntField(primary_key=True)
    member: fields.Field[MemberLabel] = text_column(31, db_index=True)
    submission: fields.ForeignKeyRelation[SubmissionRecord] = fields.ForeignKeyField(
        "oversight.SubmissionRecord", related_name="index_entries", on_delete=fields.CASCADE
    )
    sealed = BytesField()

    class Meta:
        table = "index_entry"
        unique_together = (("submission", "member"),)


class StuckArrivalRecord(RetriedRecord):
    """What lies at the portal and could not be taken (``reports.stuck``); ``try_again`` is a full hour.

    ``kind`` is that of the list, ``item`` the submission; or a row counts several, under the name of their problem.
    """

    id = fields.BigIntField(primary_key=True)
    kind = ShortTextField(max_length=16)
    item = ShortTextField(max_length=64)
    file = ShortTextField(max_length=40, null=True)
    count = NumberField(db_default=1)

    class Meta:
        table = "stuck_arrival"
        unique_together = (("kind", "item"),)


class MailboxStateRecord(RetriedRecord):
    """The newest state of a report's mailbox that was fetched from the portal, which may lose it one day.

    It is sealed to the reporter. ``control`` is the note by which the reporter made it, nothing for the first one;
    ``told`` is how many changes came before it that the office was told of. ``stale`` says that a newer one is to be
    fetched.
    """

    submission: fields.Field[SubmissionId] = text_column(32, primary_key=True)
    told = NumberField(db_default=0)
    stale = TruthField(db_index=True)
    control = BytesField(null=True)
    sealed = BytesField(null=True)

    class Meta:
        table = "mailbox_state"


class BeyondHelpRecord(Model):
    """What a restore has lost and neither side can bring back (``reports.beyond_help``); ``day`` is when it was seen.

    ``item`` is the id of a report or of a finding, or a letter's message id. ``submission`` is the report that it
    belongs to, if this office has it.
    """

    id = fields.BigIntField(primary_key=True)
    kind = ShortTextField(max_length=16)
    item = ShortTextField(max_length=80)
    submission: fields.Field[SubmissionId | None] = text_column(32, null=True)
    day = DayField()

    class Meta:
        table = "beyond_help"
        unique_together = (("kind", "item"),)


class CollectorStateRecord(Model):
    """The collector's one row: how its visits went.

    ``charter_noted_on`` is the day for which the portal got a newest-charter note, ``charter_noted`` that charter;
    ``round`` the first day of the week whose thread notes went out for all mailboxes. ``last_success`` is when every
    list was last read to its end and nothing in it was left waiting; ``waiting`` how many new submissions wait since
    then to be fetched, ``held_back`` how many for another day. ``problem`` is why the last visit was not a whole one,
    ``step`` in which part. ``mark`` is what the portal gave at the last visit, to be named at the next one.
    """

    id = fields.IntField(primary_key=True)
    charter_noted_on = DayField(null=True)
    charter_noted: fields.Field[CharterHash | None] = text_column(64, null=True)
    round = DayField(null=True)
    last_success = MomentField(null=True)
    waiting = NumberField(db_default=0)
    held_back = NumberField(db_default=0)
    failing_since = MomentField(null=True)
    problem = ShortTextField(max_length=64, null=True)
    step = ShortTextField(max_length=16, null=True)
    mark = ShortTextField(max_length=32, null=True)

    class Meta:
        table = "collector_state"
