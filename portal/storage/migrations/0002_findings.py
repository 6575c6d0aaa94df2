# SPDX-License-Identifier: AGPL-3.0-or-later
from tortoise import fields, migrations
from tortoise.migrations import operations as ops


class Migration(migrations.Migration):
    dependencies = [("portal", "0001_initial")]

    initial = False

    operations = [
        ops.CreateModel(
            name="FindingRecord",
            fields=[
                ("sequence", fields.BigIntField(generated=True, primary_key=True, unique=True, db_index=True)),
                ("identifier", fields.CharField(max_length=64)),
                ("slug", fields.CharField(max_length=31)),
                ("revision", fields.IntField()),
                ("hash", fields.CharField(unique=True, max_length=64)),
                ("day", fields.DateField()),
                ("kind", fields.CharField(max_length=16)),
                ("reason", fields.TextField(null=True, unique=False)),
                ("note", fields.TextField(unique=False)),
            ],
            options={
                "table": "finding",
                "app": "portal",
                "unique_together": (("identifier", "revision"),),
                "pk_attr": "sequence",
            },
            bases=["Model"],
        ),
    ]
