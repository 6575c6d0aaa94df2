# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa
# fmt: off
# mypy: ignore-errors
from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('oversight', '0009_letter_numbers')]

    initial = False

    operations = [
        ops.CreateModel(
            name='BeyondHelpRecord',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('kind', fields.CharField(max_length=16)),
                ('item', fields.CharField(max_length=80)),
                ('submission', fields.CharField(null=True, max_length=32)),
                ('day', fields.DateField()),
            ],
            options={'table': 'beyond_help', 'app': 'oversight', 'unique_together': (('kind', 'item'),), 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='MailboxStateRecord',
            fields=[
                ('problem', fields.CharField(null=True, max_length=64)),
                ('failing_since', fields.DateField(null=True)),
                ('attempts', fields.IntField(db_default=0)),
                ('try_again', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('submission', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ('told', fields.IntField(db_default=0)),
                ('stale', fields.BooleanField(db_index=True)),
                ('control', fields.BinaryField(null=True)),
                ('sealed', fields.BinaryField(null=True)),
            ],
            options={'table': 'mailbox_state', 'app': 'oversight', 'pk_attr': 'submission'},
            bases=['RetriedRecord'],
        ),
        ops.AddField(
            model_name='CollectorStateRecord',
            name='mark',
            field=fields.CharField(null=True, max_length=32),
        ),
        ops.AddField(
            model_name='PublicationRecord',
            name='receipt',
            field=fields.BinaryField(null=True),
        ),
    ]
