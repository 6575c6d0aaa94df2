# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows about cases, to find them by. All but the grants can be made again from the ledgers."""

from tortoise import fields
from tortoise.models import Model

from crypto.ids import CaseId, MemberLabel, SubmissionId
from portal.kit.columns import (
    BytesField,
    DayField,
    LargeNumberField,
    NumberField,
    ShortTextField,
    TruthField,
    text_column,
)


class CaseRecord(Model):
    """The state of a case's ledger: ``projection`` in full, the rest for queries. A stopped clock has no due day."""

    id: fields.Field[CaseId] = text_column(32, primary_key=True)
    number = ShortTextField(max_length=16, unique=True)
    serial = NumberField()
    """The last part of the number, as one."""
    sequence = LargeNumberField()
    state = ShortTextField(max_length=32, db_index=True)
    opened = DayField()
    waiting = TruthField()
    """Whether something was proposed that waits for a second signature."""
    next_due = DayField(null=True, db_index=True)
    projection = BytesField()

    class Meta:
        table = "case_file"


class CaseHolderRecord(Model):
    """Who holds a case now."""

    id = fields.BigIntField(primary_key=True)
    case: fields.Field[CaseId] = text_column(32, db_index=True)
    member: fields.Field[MemberLabel] = text_column(31, db_index=True)

    class Meta:
        table = "case_holder"
        unique_together = (("case", "member"),)


class CaseReportRecord(Model):
    """Which case a report belongs to: one at most."""

    submission: fields.Field[SubmissionId] = text_column(32, primary_key=True)
    case: fields.Field[CaseId] = text_column(32, db_index=True)

    class Meta:
        table = "case_report"


class CaseGrantRecord(Model):
    """The case's identity of one generation, sealed to those who hold the case and to the reserve."""

    id = fields.BigIntField(primary_key=True)
    case: fields.Field[CaseId] = text_column(32)
    generation = NumberField()
    sealed = BytesField()

    class Meta:
        table = "case_grant"
        unique_together = (("case", "generation"),)
