# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa
# fmt: off
# mypy: ignore-errors
from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('oversight', '0004_unread_columns')]

    initial = False

    operations = [
        ops.CreateModel(
            name='ControlRecord',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('submission', fields.CharField(db_index=True, max_length=32)),
                ('note', fields.BinaryField()),
                ('delete_to', fields.IntField()),
                ('close', fields.BooleanField()),
                ('day', fields.DateField()),
            ],
            options={'table': 'control', 'app': 'oversight', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='PostingRecord',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('submission', fields.CharField(max_length=32)),
                ('number', fields.IntField()),
                ('message', fields.CharField(unique=True, max_length=32)),
                ('note', fields.BinaryField()),
                ('posted', fields.DateField()),
                ('held', fields.BooleanField()),
            ],
            options={'table': 'posting', 'app': 'oversight', 'unique_together': (('submission', 'number'),), 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ThreadNoteRecord',
            fields=[
                ('submission', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ('number', fields.IntField(db_default=0)),
                ('stale', fields.BooleanField(db_index=True)),
            ],
            options={'table': 'thread_note', 'app': 'oversight', 'pk_attr': 'submission'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='CollectorStateRecord',
            name='charter_noted',
            field=fields.CharField(null=True, max_length=64),
        ),
        ops.AddField(
            model_name='CollectorStateRecord',
            name='charter_noted_on',
            field=fields.DateField(null=True),
        ),
        ops.AddField(
            model_name='CollectorStateRecord',
            name='controls_after',
            field=fields.BigIntField(db_default=0),
        ),
        ops.AddField(
            model_name='CollectorStateRecord',
            name='follow_ups_after',
            field=fields.BigIntField(db_default=0),
        ),
        ops.AddField(
            model_name='CollectorStateRecord',
            name='round',
            field=fields.DateField(null=True),
        ),
        ops.AddField(
            model_name='FollowUpRecord',
            name='confirmed',
            field=fields.BooleanField(db_index=True, db_default=False),
        ),
    ]
