# SPDX-License-Identifier: AGPL-3.0-or-later
"""Rows about the commission."""

from tortoise import fields
from tortoise.models import Model


class CharterRecord(Model):
    """A charter note as it was signed; the one with the highest number is in force."""

    hash = fields.CharField(max_length=64, primary_key=True)
    number = fields.IntField(unique=True)
    note = fields.BinaryField()
    published = fields.BooleanField()

    class Meta:
        table = "charter"
