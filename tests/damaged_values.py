# SPDX-License-Identifier: AGPL-3.0-or-later
"""Garbage in single values of a program's SQLite database, which keeps anything in a column of any type."""

import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from random import Random
from typing import Any

from tests.waiting import SECONDS_MAX

NUMBERS = ("'garbage'", "''", "X'ff'", "-1", "1.5", "1e300", "9223372036854775807", "'0001-01-01'", "'9999-12-31'")
TEXTS = (
    "CAST(X'ff41fe' AS TEXT)",
    "''",
    "CAST(X'00' AS TEXT)",
    "X'ff'",
    "printf('%064d', 7)",
    "'[]'",
    "printf('%09999d', 7)",
)
BYTES = ("X'ff'", "X''", "'garbage'", "7", "zeroblob(3000000)")
"""As SQL: what fits the column and is none of its values, and what is of another kind than the column."""


@dataclass(frozen=True)
class Value:
    """One value of the database, by the number of its row, and what is put in its place."""

    table: str
    column: str
    row: int
    garbage: str

    def __str__(self) -> str:
        return f"{self.table}.{self.column} of row {self.row} = {self.garbage}"

    @property
    def name(self) -> str:
        return f"{self.table}.{self.column}"

    @property
    def damage(self) -> str:
        """As SQL."""
        return f"UPDATE [{self.table}] SET [{self.column}] = {self.garbage} WHERE rowid = {self.row}"


def values_of(database: Path, rng: Random, but: Sequence[str] = ()) -> list[Value]:
    """Each column of each table with all that can stand there, in one of its rows; ``but`` are tables that are empty.

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
                Value(table, column, rng.choice(rows), garbage)
                for _, column, kind, _, _, is_key in columns
                for garbage in _garbage(kind)
                if not (is_key and kind == "INTEGER")
            ]
    return found


def one_of_each_column(values: Sequence[Value], rng: Random) -> list[Value]:
    """One garbage value for each column that has any, by chance: other runs draw others."""
    columns: dict[str, list[Value]] = {}
    for value in values:
        columns.setdefault(value.name, []).append(value)
    return [rng.choice(each) for each in columns.values()]


def _garbage(kind: str) -> Sequence[str]:
    if "CHAR" in kind or kind == "TEXT":
        return TEXTS
    return BYTES if kind == "BLOB" else NUMBERS


def row_of(database: Path, value: Value) -> list[Any]:
    """All that stands in its row."""
    with closing(sqlite3.connect(database)) as connection:
        return list(connection.execute(f"SELECT * FROM [{value.table}] WHERE rowid = {value.row}").fetchone())


@contextmanager
def damage(database: Path, value: Value) -> Iterator[None]:
    """Garbage in its place, behind the back of a program that has the database open; afterwards all is as it was.

    Where another row has the same already, nothing is damaged.
    """
    with closing(sqlite3.connect(":memory:")) as kept:
        with closing(sqlite3.connect(database, isolation_level=None, timeout=SECONDS_MAX)) as connection:
            connection.execute("PRAGMA foreign_keys = OFF")
            connection.backup(kept)
            with suppress(sqlite3.IntegrityError):
                connection.execute(value.damage)
        yield
        with closing(sqlite3.connect(database, isolation_level=None, timeout=SECONDS_MAX)) as connection:
            kept.backup(connection)
