# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa
# fmt: off
# mypy: ignore-errors
from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('oversight', '0010_restores')]

    initial = False

    operations = [
        ops.AddField(
            model_name='SubmissionRecord',
            name='urgency',
            field=fields.CharField(null=True, db_index=True, max_length=8),
        ),
    ]
