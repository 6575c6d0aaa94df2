# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa
# fmt: off
# mypy: ignore-errors
from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('portal', '0006_two_days')]

    initial = False

    operations = [
        ops.AddField(
            model_name='SubmissionRecord',
            name='urgency',
            field=fields.BinaryField(null=True),
        ),
    ]
