# SPDX-License-Identifier: AGPL-3.0-or-later
"""The row of a founding in progress."""

from tortoise import fields
from tortoise.models import Model

from portal.kit.columns import BytesField


class FoundingRecord(Model):
    """The one founding in progress, sealed under the office's record key; deleted when the commission is founded."""

    id = fields.IntField(primary_key=True)
    sealed = BytesField()

    class Meta:
        table = "founding"
