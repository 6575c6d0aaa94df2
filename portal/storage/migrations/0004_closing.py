# SPDX-License-Identifier: AGPL-3.0-or-later
"""Mailboxes that are being closed; indexes for the first submission to a mailbox, and for what a receipt confirms."""

from typing import Any

from tortoise import fields, migrations
from tortoise.indexes import Index
from tortoise.migrations import operations as ops


class _DropIndex(ops.AlterField):
    """Drops a field's own index. Tortoise would write the whole table again on SQLite."""

    async def database_forward(self, _app: str, _old: Any, _new: Any, state_editor: Any = None) -> None:
        if state_editor is not None:
            await state_editor.client.execute_query("DROP INDEX IF EXISTS idx_mailbox_mailbox_964b4c")


class Migration(migrations.Migration):
    dependencies = [("portal", "0003_shares")]

    initial = False

    operations = [
        ops.CreateModel(
            name="ClosingRecord",
            fields=[("mailbox", fields.CharField(primary_key=True, unique=True, db_index=True, max_length=32))],
            options={"table": "closing", "app": "portal", "pk_attr": "mailbox"},
            bases=["Model"],
        ),
        ops.AddIndex(model_name="MailboxRecord", index=Index(fields=["mailbox", "sequence", "closed"])),
        _DropIndex(model_name="MailboxRecord", name="mailbox", field=fields.CharField(max_length=32)),
        ops.AddIndex(model_name="FollowUpRecord", index=Index(fields=["slug", "delete_from", "message"])),
    ]
