# SPDX-License-Identifier: AGPL-3.0-or-later
"""A throw-away PostgreSQL server on loopback for the storage tests."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from itertools import count
from pathlib import Path

from tests.servers import free_port
from tests.waiting import SECONDS_MAX


@dataclass(frozen=True)
class Postgres:
    """A running server: where its programs and its folder are, its port, and how to run something as its user."""

    programs: Path
    folder: Path
    port: int
    as_user: tuple[str, ...]
    durable: bool = False
    """Whether it syncs; the tests can do without, and kill it without losing what the system holds."""
    numbers: Iterator[int] = field(default_factory=count, repr=False)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @contextmanager
    def database(self, copied: str = "template1") -> Iterator[str]:
        """A database, dropped at the end: an empty one, or a copy of that with the URL ``copied``."""
        name = f"test_{next(self.numbers)}"
        self._admin(f"CREATE DATABASE {name} TEMPLATE {copied.rpartition('/')[2]}")
        yield f"asyncpg://tester@127.0.0.1:{self.port}/{name}"
        self._admin(f"DROP DATABASE {name} WITH (FORCE)")

    def serve(self) -> None:
        options = f"-p {self.port} -c listen_addresses=127.0.0.1 -c unix_socket_directories="
        if not self.durable:
            options += " -c fsync=off"
        start = ("-o", options, "-l", self.folder / "log", "-w", "-t", SECONDS_MAX, "start")
        _run(self.as_user, self.programs / "pg_ctl", "-D", self.data, *start)

    def pause(self) -> None:
        """End the server at once, as a crash would; ``serve`` brings it back with what was committed."""
        _run(self.as_user, self.programs / "pg_ctl", "-D", self.data, "-m", "immediate", "-w", "stop")

    def stop(self) -> None:
        if (self.data / "postmaster.pid").exists():
            self.pause()
        shutil.rmtree(self.folder)

    def _admin(self, statement: str) -> None:
        psql = self.programs / "psql"
        _run(self.as_user, psql, "-h", "127.0.0.1", "-p", self.port, "-U", "tester", "-qc", statement, "postgres")


def start_postgres(*, durable: bool = False) -> Postgres | str:
    """Start a server in a temporary folder, or say in one sentence why that can't be done here."""
    programs = _find_programs()
    if programs is None:
        return "PostgreSQL's server programs are not installed (Debian's package `postgresql`)"
    as_user = _unprivileged()
    if as_user is None:
        return "PostgreSQL refuses to run as root and there is no user `postgres` to run it as"
    # Not pytest's folder: it is closed to other users, and closed again by every session that starts.
    server = Postgres(programs, Path(tempfile.mkdtemp(prefix="amparo-postgres-")), free_port(), as_user, durable)
    if as_user:
        owner = pwd.getpwnam("postgres")
        os.chown(server.folder, owner.pw_uid, owner.pw_gid)
    data = server.data
    _run(as_user, programs / "initdb", "-D", data, "-U", "tester", "-A", "trust", "-E", "UTF8", "--locale=C", "-N")
    server.serve()
    return server


def _find_programs() -> Path | None:
    folders = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
    on_path = shutil.which("initdb")
    if on_path:
        folders.append(Path(on_path).parent)
    return next((folder for folder in folders if (folder / "initdb").exists() and (folder / "pg_ctl").exists()), None)


def _unprivileged() -> tuple[str, ...] | None:
    if os.geteuid() != 0:
        return ()
    try:
        pwd.getpwnam("postgres")
    except KeyError:
        return None
    return ("setpriv", "--reuid=postgres", "--regid=postgres", "--init-groups")


def _run(as_user: tuple[str, ...], program: Path, *arguments: object) -> None:
    command = [*as_user, str(program), *(str(argument) for argument in arguments)]
    subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stdin=subprocess.DEVNULL, timeout=SECONDS_MAX)
