# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa
# fmt: off
# mypy: ignore-errors
from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields
from tortoise.indexes import Index

class Migration(migrations.Migration):
    dependencies = [('oversight', '0001_initial')]

    initial = False

    operations = [
        ops.CreateModel(
            name='CaseGrantRecord',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('case', fields.CharField(max_length=32)),
                ('generation', fields.IntField()),
                ('sealed', fields.BinaryField()),
            ],
            options={'table': 'case_grant', 'app': 'oversight', 'unique_together': (('case', 'generation'),), 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='CaseHolderRecord',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('case', fields.CharField(db_index=True, max_length=32)),
                ('member', fields.CharField(db_index=True, max_length=31)),
            ],
            options={'table': 'case_holder', 'app': 'oversight', 'unique_together': (('case', 'member'),), 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='CaseRecord',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ('number', fields.CharField(unique=True, max_length=16)),
                ('serial', fields.IntField()),
                ('sequence', fields.BigIntField()),
                ('head', fields.CharField(max_length=64)),
                ('state', fields.CharField(db_index=True, max_length=32)),
                ('since', fields.DateField()),
                ('opened', fields.DateField()),
                ('received', fields.DateField()),
                ('generation', fields.IntField()),
                ('waiting', fields.BooleanField()),
                ('acknowledge_due', fields.DateField(null=True)),
                ('feedback_due', fields.DateField(null=True)),
                ('next_due', fields.DateField(null=True, db_index=True)),
                ('projection', fields.BinaryField()),
            ],
            options={'table': 'case_file', 'app': 'oversight', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='CaseReportRecord',
            fields=[
                ('submission', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ('case', fields.CharField(db_index=True, max_length=32)),
            ],
            options={'table': 'case_report', 'app': 'oversight', 'pk_attr': 'submission'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='EventRecord',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('case', fields.CharField(max_length=32)),
                ('sequence', fields.BigIntField()),
                ('hash', fields.CharField(max_length=64)),
                ('type', fields.CharField(max_length=40)),
                ('actor', fields.CharField(max_length=31)),
                ('time', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('generation', fields.IntField()),
                ('note', fields.BinaryField()),
            ],
            options={'table': 'event', 'app': 'oversight', 'unique_together': (('case', 'sequence'),), 'indexes': [Index(fields=['case', 'type'])], 'pk_attr': 'id'},
            bases=['Model'],
        ),
    ]
