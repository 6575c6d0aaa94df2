# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa
# fmt: off
# mypy: ignore-errors
from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('oversight', '0002_cases')]

    initial = False

    operations = [
        ops.CreateModel(
            name='FindingDraftRecord',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('member', fields.CharField(max_length=31)),
                ('case', fields.CharField(max_length=32)),
                ('sealed', fields.BinaryField()),
            ],
            options={'table': 'finding_draft', 'app': 'oversight', 'unique_together': (('member', 'case'),), 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='PublicationRecord',
            fields=[
                ('hash', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('number', fields.IntField(unique=True)),
                ('case', fields.CharField(db_index=True, max_length=32)),
                ('finding', fields.CharField(max_length=80)),
                ('note', fields.BinaryField()),
                ('posted_on', fields.DateField(null=True)),
                ('refused', fields.CharField(null=True, max_length=64)),
            ],
            options={'table': 'publication', 'app': 'oversight', 'pk_attr': 'hash'},
            bases=['Model'],
        ),
    ]
