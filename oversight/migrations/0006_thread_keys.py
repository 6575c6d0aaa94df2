# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa
# fmt: off
# mypy: ignore-errors
from tortoise import migrations
from tortoise.migrations import operations as ops
import functools
from json import dumps, loads
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('oversight', '0005_threads')]

    initial = False

    operations = [
        ops.CreateModel(
            name='ThreadGrantRecord',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('submission', fields.CharField(max_length=32)),
                ('generation', fields.IntField()),
                ('charter', fields.CharField(max_length=64)),
                ('day', fields.DateField()),
                ('shut_out', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('sealed', fields.BinaryField()),
            ],
            options={'table': 'thread_grant', 'app': 'oversight', 'unique_together': (('submission', 'generation'),), 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ThreadRenewalRecord',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('submission', fields.CharField(max_length=32)),
                ('generation', fields.IntField()),
                ('day', fields.DateField()),
                ('announced', fields.BooleanField(db_default=False)),
                ('sealed', fields.BinaryField()),
            ],
            options={'table': 'thread_renewal', 'app': 'oversight', 'unique_together': (('submission', 'generation'),), 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='SubmissionRecord',
            name='generation',
            field=fields.IntField(db_default=0),
        ),
    ]
