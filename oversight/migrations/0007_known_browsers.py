# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa
# fmt: off
# mypy: ignore-errors
from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise.fields.base import OnDelete
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('oversight', '0006_thread_keys')]

    initial = False

    operations = [
        ops.CreateModel(
            name='KnownBrowserRecord',
            fields=[
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('token_hash', fields.CharField(max_length=64)),
                ('member', fields.ForeignKeyField('oversight.MemberRecord', source_field='member_id', db_constraint=True, to_field='id', related_name='browsers', on_delete=OnDelete.CASCADE)),
                ('last_day', fields.DateField(db_index=True)),
                ('failures', fields.IntField()),
                ('retry_at', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'known_browser', 'app': 'oversight', 'unique_together': (('token_hash', 'member'),), 'pk_attr': 'id'},
            bases=['Model'],
        ),
    ]
