# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa
# fmt: off
# mypy: ignore-errors
from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    initial = True

    operations = [
        ops.CreateModel(
            name="CharterRecord",
            fields=[
                ("sequence", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("hash", fields.CharField(unique=True, max_length=64)),
                ("slug", fields.CharField(max_length=31)),
                ("number", fields.IntField()),
                ("note", fields.TextField(unique=False)),
            ],
            options={
                "table": "charter",
                "app": "portal",
                "unique_together": (("slug", "number"),),
                "pk_attr": "sequence",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="FollowUpRecord",
            fields=[
                ("sequence", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("slug", fields.CharField(max_length=31)),
                ("submission", fields.CharField(max_length=32)),
                ("message", fields.CharField(max_length=32)),
                ("day", fields.DateField()),
                ("delete_from", fields.DateField(null=True, db_index=True)),
                ("sealed", fields.BinaryField()),
            ],
            options={
                "table": "follow_up",
                "app": "portal",
                "unique_together": (("submission", "message"),),
                "indexes": [Index(fields=["slug", "sequence"])],
                "pk_attr": "sequence",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="InvitationRecord",
            fields=[
                ("token_sha256", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=64)),
                ("slug", fields.CharField(max_length=31)),
            ],
            options={"table": "invitation", "app": "portal", "pk_attr": "token_sha256"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="NonceRecord",
            fields=[
                ("nonce", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=24)),
                ("expires", fields.BigIntField(db_index=True)),
            ],
            options={"table": "nonce", "app": "portal", "pk_attr": "nonce"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="ReplyRecord",
            fields=[
                ("sequence", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("submission", fields.CharField(max_length=32)),
                ("number", fields.IntField()),
                ("message", fields.CharField(max_length=32)),
                ("posting", fields.TextField(unique=False)),
                ("delete_from", fields.DateField(db_index=True)),
                ("sealed", fields.BinaryField()),
            ],
            options={
                "table": "reply",
                "app": "portal",
                "unique_together": (("submission", "number"), ("submission", "message")),
                "pk_attr": "sequence",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SubmissionRecord",
            fields=[
                ("sequence", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("submission", fields.CharField(unique=True, max_length=32)),
                ("slug", fields.CharField(max_length=31)),
                ("charter", fields.CharField(max_length=64)),
                ("manifest_sha256", fields.CharField(max_length=64)),
                ("commitment", fields.CharField(max_length=64)),
                ("received", fields.DateField()),
                ("acknowledgement", fields.TextField(unique=False)),
                ("collection", fields.TextField(null=True, unique=False)),
                ("delete_from", fields.DateField(null=True, db_index=True)),
                ("deleted", fields.BooleanField(default=False)),
                ("manifest", fields.BinaryField()),
                ("parts", fields.BinaryField()),
                ("report", fields.BinaryField()),
                ("grant", fields.BinaryField()),
            ],
            options={
                "table": "submission",
                "app": "portal",
                "indexes": [Index(fields=["slug", "sequence"])],
                "pk_attr": "sequence",
            },
            bases=["Model"],
        ),
        ops.CreateModel(
            name='ControlRecord',
            fields=[
                ('sequence', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('slug', fields.CharField(max_length=31)),
                ('submission', fields.CharField(max_length=32)),
                ('hash', fields.CharField(max_length=64)),
                ('note', fields.TextField(unique=False)),
            ],
            options={'table': 'control', 'app': 'portal', 'unique_together': (('submission', 'hash'),), 'indexes': [Index(fields=['slug', 'sequence'])], 'pk_attr': 'sequence'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='MailboxRecord',
            fields=[
                ('sequence', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('submission', fields.CharField(unique=True, max_length=32)),
                ('mailbox', fields.CharField(db_index=True, max_length=32)),
                ('token_sha256', fields.CharField(max_length=64)),
                ('control', fields.CharField(max_length=64)),
                ('closed', fields.BooleanField(default=False)),
                ('state_sha256', fields.CharField(max_length=64)),
                ('state', fields.BinaryField()),
            ],
            options={'table': 'mailbox', 'app': 'portal', 'pk_attr': 'sequence'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='NewestCharterRecord',
            fields=[
                ('slug', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=31)),
                ('number', fields.IntField()),
                ('day', fields.DateField()),
                ('note', fields.TextField(unique=False)),
            ],
            options={'table': 'newest_charter', 'app': 'portal', 'pk_attr': 'slug'},
            bases=['Model'],
        ),
        ops.CreateModel(
            name='ThreadRecord',
            fields=[
                ('submission', fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32)),
                ('note_number', fields.IntField(default=0)),
                ('last_reply', fields.IntField(default=0)),
                ('last_message', fields.CharField(default='', max_length=32)),
                ('last_posting', fields.TextField(default='', unique=False)),
                ('deleted_to', fields.IntField(default=0)),
                ('note', fields.BinaryField()),
            ],
            options={'table': 'thread', 'app': 'portal', 'pk_attr': 'submission'},
            bases=['Model'],
        ),
    ]
