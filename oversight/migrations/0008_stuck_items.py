# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa
# fmt: off
# mypy: ignore-errors
from tortoise import migrations
from tortoise.migrations import operations as ops
from tortoise import fields

class Migration(migrations.Migration):
    dependencies = [('oversight', '0007_known_browsers')]

    initial = False

    operations = [
        ops.CreateModel(
            name='StuckArrivalRecord',
            fields=[
                ('problem', fields.CharField(null=True, max_length=64)),
                ('failing_since', fields.DateField(null=True)),
                ('attempts', fields.IntField(db_default=0)),
                ('try_again', fields.DatetimeField(null=True, auto_now=False, auto_now_add=False)),
                ('id', fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ('kind', fields.CharField(max_length=16)),
                ('item', fields.CharField(max_length=64)),
                ('file', fields.CharField(null=True, max_length=40)),
                ('count', fields.IntField(db_default=1)),
            ],
            options={'table': 'stuck_arrival', 'app': 'oversight', 'unique_together': (('kind', 'item'),), 'pk_attr': 'id'},
            bases=['RetriedRecord'],
        ),
        ops.AddField(
            model_name='CollectorStateRecord',
            name='held_back',
            field=fields.IntField(db_default=0),
        ),
        ops.AddField(
            model_name='CollectorStateRecord',
            name='step',
            field=fields.CharField(null=True, max_length=16),
        ),
        ops.AddField(
            model_name='CollectorStateRecord',
            name='waiting',
            field=fields.IntField(db_default=0),
        ),
        ops.RemoveField(model_name='CollectorStateRecord', name='after'),
        ops.RemoveField(model_name='CollectorStateRecord', name='controls_after'),
        ops.RemoveField(model_name='CollectorStateRecord', name='follow_ups_after'),
        ops.AddField(
            model_name='FollowUpRecord',
            name='collected',
            field=fields.DateField(null=True, db_index=True),
        ),
        ops.AddField(
            model_name='PublicationRecord',
            name='attempts',
            field=fields.IntField(db_default=0),
        ),
        ops.AddField(
            model_name='PublicationRecord',
            name='failing_since',
            field=fields.DateField(null=True),
        ),
        ops.AddField(
            model_name='PublicationRecord',
            name='problem',
            field=fields.CharField(null=True, max_length=64),
        ),
        ops.AddField(
            model_name='PublicationRecord',
            name='try_again',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='ReplyRecord',
            name='attempts',
            field=fields.IntField(db_default=0),
        ),
        ops.AddField(
            model_name='ReplyRecord',
            name='failing_since',
            field=fields.DateField(null=True),
        ),
        ops.AddField(
            model_name='ReplyRecord',
            name='problem',
            field=fields.CharField(null=True, max_length=64),
        ),
        ops.AddField(
            model_name='ReplyRecord',
            name='try_again',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.AddField(
            model_name='ThreadNoteRecord',
            name='attempts',
            field=fields.IntField(db_default=0),
        ),
        ops.AddField(
            model_name='ThreadNoteRecord',
            name='failing_since',
            field=fields.DateField(null=True),
        ),
        ops.AddField(
            model_name='ThreadNoteRecord',
            name='problem',
            field=fields.CharField(null=True, max_length=64),
        ),
        ops.AddField(
            model_name='ThreadNoteRecord',
            name='try_again',
            field=fields.DatetimeField(null=True, auto_now=False, auto_now_add=False),
        ),
        ops.RunSQL(
            sql="INSERT INTO stuck_arrival (kind, item, problem, failing_since, attempts, try_again, count) "
            "SELECT 'submission', submission, MIN(problem), MIN(first_seen), MAX(attempts), MIN(try_again), 1 "
            "FROM damaged_arrival GROUP BY submission",
        ),
        ops.DeleteModel(name='DamagedArrivalRecord'),
    ]
