# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m portal``: serve, invite, build, check, backup, restore, exercise, makemigrations."""

import argparse
import asyncio
import os
import re
import sys
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path
from socket import socket
from typing import Any

from crypto.charter import SLUG
from portal.kit.backup_command import COMMANDS, add_backup_commands, clear_up_when_ended
from portal.kit.backup_form import BackupError
from portal.kit.database import DatabaseError, make_migrations
from portal.kit.listening import StartError
from portal.kit.lost_data import refuse_lost_data
from portal.kit.settings import SettingsError
from portal.settings import Settings
from portal.storage.database import SCHEMA
from portal.storage.keys import SIGNING_KEY

SHUTDOWN_SECONDS = 10


def main(arguments: Sequence[str] | None = None) -> int:
    """Run a command and return its exit status. A failure is status 1 and one line on standard error."""
    parser = argparse.ArgumentParser(prog="python -m portal", description="The internet-facing portal.")
    commands = parser.add_subparsers(dest="command", required=True)
    serve = commands.add_parser("serve", help="serve until stopped")
    serve.add_argument(
        "--new-key",
        action="store_true",
        help="serve though the signing key or the decoy key of the charters is lost: new ones are to be named",
    )
    invite = commands.add_parser("invite", help="print an invitation for a commission's first charter")
    invite.add_argument("slug")
    build = commands.add_parser("build", help="write the pages to a folder")
    build.add_argument("out", type=Path)
    commands.add_parser(
        "check",
        help="say of each thing that serving needs whether it is well; status 0: all is, 1: something "
        "failed, 3: somebody is needed soon",
    )
    add_backup_commands(commands)
    commands.add_parser("makemigrations", help="for developers: write a migration for changed models")
    given = parser.parse_args(arguments)
    if given.command == "makemigrations":
        return make_migrations(SCHEMA)
    try:
        settings = Settings.from_environment(os.environ)
        return _run_backup(given, settings) if given.command in COMMANDS else _run(given, settings)
    except (SettingsError, DatabaseError, BackupError, StartError, OSError, ValueError) as error:
        print(f"portal: {error}", file=sys.stderr)
        return 1


def _run(given: argparse.Namespace, settings: Settings) -> int:
    refuse_lost_data(settings.data, settings.database_url, settings.data / "secrets" / SIGNING_KEY)
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    match given.command:
        case "serve":
            return _serve(settings, new_key=given.new_key)
        case "invite":
            return asyncio.run(_invite(settings, given.slug))
        case "build":
            return asyncio.run(_build(settings, given.out))
        case _:
            from portal.check import check

            return asyncio.run(check(settings, datetime.now(UTC)))


def _serve(settings: Settings, *, new_key: bool) -> int:
    import uvicorn
    import uvloop

    from portal.app import create_app
    from portal.check import refuse_to_serve
    from portal.kit.listening import listen
    from portal.kit.quiet_logging import quiet_logging
    from portal.kit.server import connections_for, raise_file_limit, server_options

    quiet_logging()
    asyncio.run(refuse_to_serve(settings, datetime.now(UTC), new_key=new_key))
    files = raise_file_limit()
    connections = connections_for(settings.connections_max, files, own_files=settings.waiting_max)
    # Before anything listens: what can't be made ends here.
    app = create_app(settings) if settings.workers == 1 else None
    sockets = listen(settings.host, settings.port)
    options = {
        **server_options(settings, uvloop.new_event_loop, files=files, connections_max=connections),
        "lifespan": "on",
        "timeout_graceful_shutdown": SHUTDOWN_SECONDS,
    }
    print(f"portal: {files} files may be open, so {connections} connections in each process", file=sys.stderr)
    if app is None:
        return _serve_with_workers(settings.workers, options, sockets)
    server = uvicorn.Server(uvicorn.Config(app, **options))
    # It leaves the program when its start fails.
    with suppress(SystemExit, KeyboardInterrupt):
        server.run(sockets)
    return 0 if server.started else 1


def _run_backup(given: argparse.Namespace, settings: Settings) -> int:
    # First: to load the rest takes a moment.
    clear_up_when_ended("portal")
    from crypto.errors import CryptoError
    from portal.backup import run

    # Whatever is written is for its own user alone.
    os.umask(0o077)
    try:
        return asyncio.run(run(given, settings, datetime.now(UTC).date()))
    except CryptoError as error:
        raise BackupError(str(error)) from None


def _serve_with_workers(count: int, options: dict[str, Any], sockets: Sequence[socket]) -> int:
    import uvicorn

    from portal.kit.workers import Workers

    config = uvicorn.Config("portal.app:from_environment", factory=True, workers=count, **options)
    workers = Workers(config, sockets, lambda line: print(f"portal: {line}", file=sys.stderr))
    workers.run()
    return 1 if workers.failed else 0


async def _invite(settings: Settings, slug: str) -> int:
    from portal.charters.known import invite
    from portal.storage.database import Database

    if not re.fullmatch(SLUG, slug):
        raise ValueError("a commission's short name must have 2 to 31 of a-z, 0-9 and -, and begin with a letter")
    database = await Database.open(settings.database_url)
    try:
        with database.use():
            print(await invite(slug))
    finally:
        await database.close()
    return 0


async def _build(settings: Settings, out: Path) -> int:
    from portal.charters.known import Charters
    from portal.check import refuse_lost_keys
    from portal.pages.live_pages import build_pages
    from portal.pages.site import extend_site
    from portal.register.live import stored_register
    from portal.storage.database import Database
    from portal.storage.keys import load_realm, load_signing_key

    await refuse_lost_keys(settings, datetime.now(UTC))
    realm = load_realm(settings.data)
    database = await Database.open(settings.database_url)
    try:
        with database.use():
            charters = Charters(settings.origin, realm, load_signing_key(settings.data, settings.key_name).verifier)
            await charters.refresh()
            pages, hashes = await stored_register(charters, settings)
    finally:
        await database.close()
    closed = charters.closed(datetime.now(UTC).date())
    site = extend_site(build_pages(settings, realm, charters.all(), closed), pages, hashes)
    for path, page in site.pages.items():
        target = out / (path.lstrip("/") + ("index.html" if path.endswith("/") else ""))
        if page.content_type.startswith("text/html") and not target.suffix:
            target = target.with_suffix(".html")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(page.body)
    print(site.hash)
    return 0


if __name__ == "__main__":
    sys.exit(main())
