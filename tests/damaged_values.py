# SPDX-License-Identifier: AGPL-3.0-or-later
"""Garbage in single values of a program's SQLite database, which keeps anything in a column of any type."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from random import Random

from tests.waiting import SECONDS_MAX


@dataclass(frozen=True)
class Value:
    """One value of the database, by the number of its row."""

    table: str
    column: str
    kind: str
    row: int

    def __str__(self) -> str:
        return f"{self.table}.{self.column}"

    @property
    def damage(self) -> str:
        """As SQL."""
        if "CHAR" in self.kind or "TEXT" in self.kind:
            garbage = "CAST(X'ff41fe' AS TEXT)"
        else:
            garbage = "X'ff'" if self.kind == "BLOB" else "'garbage'"
        return f"UPDATE [{self.table}] SET [{self.column}] = {garbage} WHERE rowid = {self.row}"


def values_of(database: Path, rng: Random, but: Sequence[str] = ()) -> list[Value]:
    """Each column of each table, with one of its rows; ``but`` are tables that are empty.

    No number of a row is among them: nothing but a number fits there.
    """
    found = []
    with closing(sqlite3.connect(database)) as connection:
        tables = [name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            if table.startswith(("sqlite_", "tortoise_")) or table in but:
                continue
            rows = [row for (row,) in connection.execute(f"SELECT rowid FROM [{table}]")]
            assert rows, f"no row of {table}"
            columns = connection.execute(f"PRAGMA table_info([{table}])").fetchall()
            found += [
                Value(table, column, kind, rng.choice(rows))
                for _, column, kind, _, _, is_key in columns
                if not (is_key and kind == "INTEGER")
            ]
    return found


@contextmanager
def damage(database: Path, value: Value) -> Iterator[None]:
    """Garbage in its place, behind the back of a program that has the database open; afterwards all is as it was."""
    with closing(sqlite3.connect(":memory:")) as kept:
        with closing(sqlite3.connect(database, isolation_level=None, timeout=SECONDS_MAX)) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.backup(kept)
            connection.execute(value.damage)
        yield
        with closing(sqlite3.connect(database, isolation_level=None, timeout=SECONDS_MAX)) as connection:
            kept.backup(connection)
