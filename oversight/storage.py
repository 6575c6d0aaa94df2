# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's database: what is in it."""

from portal.kit import database

# Deleted rows are overwritten, as in the portal: sessions, drafts, old keyrings.
SCHEMA = database.Schema(
    app="oversight",
    models=(
        "oversight.commission.records",
        "oversight.founding.records",
        "oversight.members.records",
        "oversight.reports.records",
        "oversight.letters.records",
        "oversight.ledger.records",
        "oversight.cases.records",
        "oversight.findings.records",
    ),
    migrations="oversight.migrations",
    sqlite_pragmas={"journal_size_limit": 16 * 1024 * 1024},
)


class Database(database.Database):
    """The office's database, open and up to date."""

    schema = SCHEMA
