# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa
# fmt: off
# mypy: ignore-errors
from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('oversight', '0008_stuck_items')]

    initial = False

    operations = [
        ops.AddField(
            model_name='FollowUpRecord',
            name='generation',
            field=fields.IntField(null=True),
        ),
        ops.AddField(
            model_name='FollowUpRecord',
            name='number',
            field=fields.IntField(null=True),
        ),
    ]
