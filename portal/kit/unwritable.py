# SPDX-License-Identifier: AGPL-3.0-or-later
"""Why the disk or the database takes no write, told from the errors of all the libraries between."""

import errno
import socket
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from enum import StrEnum

import asyncpg
from tortoise.exceptions import DBConnectionError


class Unwritable(StrEnum):
    """What keeps a program from writing."""

    FULL = "disk-full"
    READ_ONLY = "read-only"
    LOST = "database-lost"
    CROWDED = "too-many-files"
    FAILING = "disk-failing"


_ERRNOS = {
    errno.ENOSPC: Unwritable.FULL,
    errno.EDQUOT: Unwritable.FULL,
    errno.EROFS: Unwritable.READ_ONLY,
    errno.EMFILE: Unwritable.CROWDED,
    errno.ENFILE: Unwritable.CROWDED,
    errno.EIO: Unwritable.FAILING,
}
_SQLITE = {
    sqlite3.SQLITE_FULL: Unwritable.FULL,
    sqlite3.SQLITE_READONLY: Unwritable.READ_ONLY,
    sqlite3.SQLITE_BUSY: Unwritable.LOST,
    sqlite3.SQLITE_LOCKED: Unwritable.LOST,
    sqlite3.SQLITE_IOERR: Unwritable.LOST,
    sqlite3.SQLITE_CANTOPEN: Unwritable.LOST,
    sqlite3.SQLITE_CORRUPT: Unwritable.FAILING,
    sqlite3.SQLITE_NOTADB: Unwritable.FAILING,
}
# Classes of SQLSTATE have two characters: 08 is a lost connection, 57P the server's shutdown, 53 lack of something.
# 25P03 is a transaction that the server took for left behind; 55P03 and 57014 are a lock and a statement for which the
# server lets nobody wait longer.
_POSTGRESQL = {
    "53100": Unwritable.FULL,
    "53300": Unwritable.LOST,
    "25006": Unwritable.READ_ONLY,
    "55P03": Unwritable.LOST,
    "57014": Unwritable.LOST,
    "57P01": Unwritable.LOST,
    "57P02": Unwritable.LOST,
    "57P03": Unwritable.LOST,
    "25P03": Unwritable.LOST,
}


def why_unwritable(error: BaseException | None) -> Unwritable | None:
    """What this error, or one that it came from, says; None when it is of another kind."""
    while error is not None:
        if (found := _reason(error)) is not None:
            return found
        first = error.args[0] if error.args else None
        error = error.__cause__ or error.__context__ or (first if isinstance(first, BaseException) else None)
    return None


@contextmanager
def if_writable() -> Iterator[None]:
    """For what is written by the way, when somebody reads: nothing happens when nothing can be written."""
    try:
        yield
    except Exception as error:
        if why_unwritable(error) is None:
            raise


def _reason(error: BaseException) -> Unwritable | None:
    # A database's host of which no address is found, also because no file is left to ask with.
    if isinstance(error, DBConnectionError | ConnectionError | TimeoutError | asyncpg.InterfaceError | socket.gaierror):
        return Unwritable.LOST
    code = getattr(error, "sqlite_errorcode", None)
    if isinstance(code, int):
        # The low byte is the kind, the rest says more about it.
        return _SQLITE.get(code & 0xFF)
    state = getattr(error, "sqlstate", None)
    if isinstance(state, str):
        return Unwritable.LOST if state.startswith("08") else _POSTGRESQL.get(state)
    return _ERRNOS.get(error.errno or 0) if isinstance(error, OSError) else None
