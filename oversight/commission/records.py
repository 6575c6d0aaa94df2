# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows about the commission."""

from tortoise import fields
from tortoise.models import Model

from crypto.ids import CharterHash
from portal.kit.columns import BytesField, NumberField, TruthField, text_column


class CharterRecord(Model):
    """A charter note as it was signed; the one with the highest number is in force."""

    hash: fields.Field[CharterHash] = text_column(64, primary_key=True)
    number = NumberField(unique=True)
    note = BytesField()
    published = TruthField()

    class Meta:
        table = "charter"
