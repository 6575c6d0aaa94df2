# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows of the ledgers. They are only ever added to; everything else about a case can be made from them."""

from tortoise import fields
from tortoise.models import Model

from crypto.ids import CaseId, EventHash, MemberLabel
from portal.kit.columns import BytesField, LargeNumberField, MomentField, NumberField, ShortTextField, text_column


class EventRecord(Model):
    """One event as it was signed. The columns repeat what the note says, to find it by.

    ``generation`` is the one whose identity opens the sealed part.
    """

    id = fields.BigIntField(primary_key=True)
    case: fields.Field[CaseId] = text_column(32)
    sequence = LargeNumberField()
    hash: fields.Field[EventHash] = text_column(64)
    type = ShortTextField(max_length=40)
    actor: fields.Field[MemberLabel] = text_column(31)
    time = MomentField()
    generation = NumberField()
    note = BytesField()

    class Meta:
        table = "event"
        unique_together = (("case", "sequence"),)
        indexes = (("case", "type"),)
