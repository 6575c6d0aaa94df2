# SPDX-License-Identifier: AGPL-3.0-or-later
"""The day that each office signed last, at first that of its newest-charter note, and the day of the last sweep."""

from typing import Any

from tortoise import fields, migrations
from tortoise.migrations import operations as ops


async def take_over(_: object, editor: Any) -> None:
    """Each office has signed a day already."""
    await editor.client.execute_query(
        "INSERT INTO office_day (slug, day, silent) SELECT slug, day, 0 FROM newest_charter"
    )


class Migration(migrations.Migration):
    dependencies = [("portal", "0005_reconciling")]

    initial = False

    operations = [
        ops.CreateModel(
            name="OfficeDayRecord",
            fields=[
                ("slug", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=31)),
                ("day", fields.DateField()),
                ("silent", fields.IntField(default=0)),
            ],
            options={"table": "office_day", "app": "portal", "pk_attr": "slug"},
            bases=["Model"],
        ),
        ops.CreateModel(
            name="SweptDayRecord",
            fields=[
                ("id", fields.IntField(primary_key=True, unique=True, db_index=True)),
                ("day", fields.DateField()),
            ],
            options={"table": "swept_day", "app": "portal", "pk_attr": "id"},
            bases=["Model"],
        ),
        ops.RunPython(take_over),
    ]
