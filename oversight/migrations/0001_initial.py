# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa
# fmt: off
# mypy: ignore-errors
from tortoise import migrations
from tortoise.migrations import operations as ops
import functools
from json import dumps, loads
from tortoise.fields.base import OnDelete
from tortoise import fields

class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name='CharterRecord',
            fields=[
                ('hash', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('number', fields.IntField(unique=True)),
                ('note', fields.BinaryField()),
                ('published', fields.BooleanField()),
            ],
            options={'table': 'charter', 'app': 'oversight', 'pk_attr': 'hash'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='CollectorStateRecord',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('after', fields.BigIntField(db_default=0)),
                ('last_success', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('failing_since', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('problem', fields.CharField(null=True, max_length=64)),
            ],
            options={'table': 'collector_state', 'app': 'oversight', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='DamagedArrivalRecord',
            fields=[
                ('sequence', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('submission', fields.CharField(max_length=32)),
                ('problem', fields.CharField(max_length=32)),
                ('file', fields.CharField(null=True, max_length=40)),
                ('first_seen', fields.DateField()),
                ('attempts', fields.IntField()),
                ('try_again', fields.DatetimeField(auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'damaged_arrival', 'app': 'oversight', 'pk_attr': 'sequence'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='FailedLoginRecord',
            fields=[
                ('username_hash', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('failures', fields.IntField()),
                ('retry_at', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
            ],
            options={'table': 'failed_login', 'app': 'oversight', 'pk_attr': 'username_hash'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='FollowUpRecord',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ('sequence', fields.BigIntField(db_index=True)),
                ('submission', fields.CharField(db_index=True, max_length=32)),
                ('day', fields.DateField()),
                ('sealed', fields.BinaryField()),
                ('seen_on', fields.DateField(null=True)),
                ('seen_by', fields.CharField(null=True, max_length=31)),
            ],
            options={'table': 'follow_up', 'app': 'oversight', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='FoundingRecord',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('sealed', fields.BinaryField()),
            ],
            options={'table': 'founding', 'app': 'oversight', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='MemberRecord',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('label', fields.CharField(unique=True, max_length=31)),
                ('name', fields.CharField(max_length=200)),
                ('username', fields.CharField(unique=True, max_length=64)),
                ('key_name', fields.CharField(max_length=64)),
                ('roles', fields.JSONField(encoder=functools.partial(dumps, separators=(',', ':')), decoder=loads)),
                ('keyring', fields.BinaryField()),
                ('second_factor', fields.BinaryField()),
                ('last_step', fields.BigIntField(db_default=0)),
                ('locale', fields.CharField(max_length=8)),
            ],
            options={'table': 'member', 'app': 'oversight', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ReplyDraftRecord',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('member', fields.CharField(max_length=31)),
                ('submission', fields.CharField(max_length=32)),
                ('sealed', fields.BinaryField()),
            ],
            options={'table': 'reply_draft', 'app': 'oversight', 'unique_together': (('member', 'submission'),), 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ReplyRecord',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ('number', fields.IntField(unique=True)),
                ('submission', fields.CharField(db_index=True, max_length=32)),
                ('author', fields.CharField(max_length=31)),
                ('charter', fields.CharField(max_length=64)),
                ('day', fields.DateField()),
                ('sealed', fields.BinaryField()),
                ('posted_on', fields.DateField(null=True)),
                ('refused', fields.CharField(null=True, max_length=64)),
            ],
            options={'table': 'reply', 'app': 'oversight', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SessionRecord',
            fields=[
                ('id_hash', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ('member', fields.ForeignKeyField('oversight.MemberRecord', source_field='member_id', db_constraint=True, to_field='id', related_name='sessions', on_delete=OnDelete.CASCADE)),
                ('created', fields.DatetimeField(auto_now=False, auto_now_add=False)),
                ('last_seen', fields.DatetimeField(db_index=True, auto_now=False, auto_now_add=False)),
                ('keyring', fields.BinaryField()),
            ],
            options={'table': 'session', 'app': 'oversight', 'pk_attr': 'id_hash'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SubmissionRecord',
            fields=[
                ('id', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ('number', fields.IntField(unique=True)),
                ('charter', fields.CharField(max_length=64)),
                ('manifest', fields.BinaryField()),
                ('acknowledgement', fields.BinaryField()),
                ('commitment', fields.CharField(max_length=64)),
                ('received', fields.DateField()),
                ('collected', fields.DateField()),
                ('confirmed', fields.BooleanField(db_index=True, db_default=False)),
                ('opened_on', fields.DateField(null=True)),
                ('opened_by', fields.CharField(null=True, max_length=31)),
                ('answered_on', fields.DateField(null=True)),
            ],
            options={'table': 'submission', 'app': 'oversight', 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='IndexEntryRecord',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('member', fields.CharField(db_index=True, max_length=31)),
                ('submission', fields.ForeignKeyField('oversight.SubmissionRecord', source_field='submission_id', db_constraint=True, to_field='id', related_name='index_entries', on_delete=OnDelete.CASCADE)),
                ('sealed', fields.BinaryField()),
            ],
            options={'table': 'index_entry', 'app': 'oversight', 'unique_together': (('submission', 'member'),), 'pk_attr': 'id'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='SealedFileRecord',
            fields=[
                ('id', fields.IntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('submission', fields.ForeignKeyField('oversight.SubmissionRecord', source_field='submission_id', db_constraint=True, to_field='id', related_name='files', on_delete=OnDelete.CASCADE)),
                ('name', fields.CharField(max_length=40)),
                ('size', fields.BigIntField()),
                ('sha256', fields.CharField(max_length=64)),
                ('damaged_on', fields.DateField(null=True)),
                ('sealed', fields.BinaryField(null=True)),
            ],
            options={'table': 'sealed_file', 'app': 'oversight', 'unique_together': (('submission', 'name'),), 'pk_attr': 'id'},
            bases=['Model'],
        ),
    ]
