# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa
# fmt: off
# mypy: ignore-errors
from tortoise import migrations
from tortoise.migrations import operations as ops

class Migration(migrations.Migration):
    dependencies = [('oversight', '0003_findings')]

    initial = False

    operations = [
        ops.RemoveField(model_name='CaseRecord', name='acknowledge_due'),
        ops.RemoveField(model_name='CaseRecord', name='feedback_due'),
        ops.RemoveField(model_name='CaseRecord', name='generation'),
        ops.RemoveField(model_name='CaseRecord', name='head'),
        ops.RemoveField(model_name='CaseRecord', name='received'),
        ops.RemoveField(model_name='CaseRecord', name='since'),
    ]
