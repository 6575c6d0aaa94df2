# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows about findings: drafts before they are revisions, and notes on their way to the portal."""

from tortoise import fields
from tortoise.models import Model

from crypto.ids import CaseId, FindingId, MemberLabel, TextHash
from oversight.wire.outbox import OutgoingRecord
from portal.kit.columns import BytesField, text_column


class FindingDraftRecord(Model):
    """A member's unfinished text of a case's finding, under that member's index key."""

    id = fields.BigIntField(primary_key=True)
    member: fields.Field[MemberLabel] = text_column(31)
    case: fields.Field[CaseId] = text_column(32)
    sealed = BytesField()

    class Meta:
        table = "finding_draft"
        unique_together = (("member", "case"),)


class PublicationRecord(OutgoingRecord):
    """A signed note on its way to the register, and afterwards the proof of what went there.

    It is kept in the clear, for it was approved for everyone to read. ``hash`` is that of its text. ``receipt`` is the
    portal's signed word that it took it: by that a portal which was restored takes it once more.
    """

    hash: fields.Field[TextHash] = text_column(64, primary_key=True)
    case: fields.Field[CaseId] = text_column(32, db_index=True)
    finding: fields.Field[FindingId] = text_column(80)
    note = BytesField()
    receipt = BytesField(null=True)

    class Meta:
        table = "publication"
