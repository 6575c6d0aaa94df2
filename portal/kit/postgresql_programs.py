# SPDX-License-Identifier: AGPL-3.0-or-later
"""PostgreSQL's own programs, which dump and restore databases. What they need to connect is in their environment.

A command line is everybody's to read on a machine; an environment is its user's alone.
"""

import asyncio
import os
import shutil
import ssl
from urllib.parse import parse_qs, unquote, urlsplit, urlunsplit

import asyncpg

from portal.kit.backup_form import BackupError

WORDS_MAX = 200
CONNECT_SECONDS_MAX = 15


async def connect(url: str) -> asyncpg.Connection:
    """A connection for statements of one's own; the caller closes it. Raises BackupError."""
    parts, options = urlsplit(url), parse_qs(urlsplit(url).query)
    try:
        return await asyncpg.connect(
            host=options.get("host", [parts.hostname])[0],
            port=parts.port,
            user=unquote(parts.username) if parts.username else None,
            password=unquote(parts.password) if parts.password else None,
            database=database_name(url),
            ssl=True if "ssl" in options else None,
            timeout=CONNECT_SECONDS_MAX,
        )
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise BackupError(f"the database can't be opened ({type(error).__name__})") from None


async def run_program(name: str, url: str, *arguments: str) -> None:
    """Run ``pg_dump`` or ``pg_restore`` to its end. Raises BackupError with the first line that it says, and no more:
    later ones may quote rows."""
    program = shutil.which(name)
    if program is None:
        raise BackupError(f"{name} is not installed (Debian's package postgresql-client)")
    done = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        env=_environment(url),
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        _, said = await done.communicate()
    finally:
        if done.returncode is None:
            done.kill()
    if done.returncode:
        first = said.decode("utf-8", "replace").partition("\n")[0]
        raise BackupError(f"{name} failed: {first[:WORDS_MAX]}")


def database_name(url: str) -> str:
    return unquote(urlsplit(url).path.removeprefix("/"))


def with_database(url: str, name: str) -> str:
    """The URL of another database of the same server."""
    return urlunsplit(urlsplit(url)._replace(path=f"/{name}"))


def _environment(url: str) -> dict[str, str]:
    parts, options = urlsplit(url), parse_qs(urlsplit(url).query)
    given = {
        "PGHOST": options.get("host", [parts.hostname])[0],
        "PGPORT": str(parts.port) if parts.port else None,
        "PGUSER": unquote(parts.username) if parts.username else None,
        "PGPASSWORD": unquote(parts.password) if parts.password else None,
        "PGDATABASE": database_name(url),
        "PGCONNECT_TIMEOUT": str(CONNECT_SECONDS_MAX),
        "PGAPPNAME": "amparo backup",
        "LC_ALL": "C",
    }
    if "ssl" in options:
        roots = ssl.get_default_verify_paths()
        given |= {"PGSSLMODE": "verify-full", "PGSSLROOTCERT": roots.cafile or roots.openssl_cafile}
    kept = {
        name: os.environ[name] for name in ("PATH", "HOME", "LD_LIBRARY_PATH", "SSL_CERT_FILE") if name in os.environ
    }
    return {**kept, **{name: value for name, value in given.items() if value}}
