# SPDX-License-Identifier: AGPL-3.0-or-later
# ruff: noqa: S608
"""What a submission counts for. Rows of before get the weight that they would have been given."""

from typing import Any

import msgspec
from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops

from portal.storage.weights import ROW_BYTES, file_weight

_SEALED = 'length(report) + length("grant") + length(manifest) + length(parts)'


async def weigh(_: object, editor: Any) -> None:
    """Weigh every submission that is not deleted."""
    client = editor.client
    await client.execute_query(f"UPDATE submission SET row_bytes = {ROW_BYTES} + {_SEALED} WHERE NOT deleted")
    rows = await client.execute_query_dict("SELECT sequence FROM submission WHERE NOT deleted")
    for sequence in [int(row["sequence"]) for row in rows]:
        [row] = await client.execute_query_dict(f"SELECT manifest FROM submission WHERE sequence = {sequence}")
        files = msgspec.json.decode(bytes(row["manifest"]))["files"]
        weight = sum(file_weight(file["size"]) for file in files if file["name"].startswith("attachment-"))
        if weight:
            statement = f"UPDATE submission SET attachment_bytes = {weight} WHERE sequence = {sequence}"
            await client.execute_query(statement)


class Migration(migrations.Migration):
    dependencies = [("portal", "0002_findings")]

    initial = False

    operations = [
        ops.AddField(model_name="SubmissionRecord", name="row_bytes", field=fields.BigIntField(default=0)),
        ops.AddField(model_name="SubmissionRecord", name="attachment_bytes", field=fields.BigIntField(default=0)),
        ops.RunPython(weigh),
        ops.AddIndex(
            model_name="SubmissionRecord", index=Index(fields=["attachment_bytes", "row_bytes", "submission"])
        ),
    ]
