# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa
# fmt: off
# mypy: ignore-errors
from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('portal', '0004_closing')]

    initial = False

    operations = [
        ops.CreateModel(
            name='UnclaimedRecord',
            fields=[
                ('sequence', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('mailbox', fields.CharField(max_length=32)),
                ('token_sha256', fields.CharField(max_length=64)),
                ('message', fields.CharField(max_length=32)),
                ('day', fields.DateField(db_index=True)),
                ('note', fields.TextField(unique=False)),
                ('state', fields.BinaryField()),
                ('sealed', fields.BinaryField()),
            ],
            options={'table': 'unclaimed', 'app': 'portal', 'unique_together': (('mailbox', 'message'),), 'pk_attr': 'sequence'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='VisitRecord',
            fields=[
                ('slug', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=31)),
                ('process', fields.CharField(max_length=32)),
                ('until', fields.BigIntField()),
                ('mark', fields.CharField(max_length=32)),
                ('before', fields.CharField(max_length=32)),
            ],
            options={'table': 'visit', 'app': 'portal', 'pk_attr': 'slug'},
            bases=['Model'],
        ),
        ops.AddField(
            model_name='MailboxRecord',
            name='command',
            field=fields.TextField(null=True, unique=False),
        ),
        ops.AddField(
            model_name='MailboxRecord',
            name='told',
            field=fields.IntField(db_default=0),
        ),
    ]
