# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m oversight``: the office's commands."""

from oversight.process import overwrite_freed_memory, refuse_dumps

if __name__ == "__main__":
    # Before the rest is loaded, which would be loaded twice.
    overwrite_freed_memory()

import argparse
import asyncio
import os
import sys
from contextlib import suppress
from datetime import UTC, datetime
from pathlib import Path

import uvicorn

from crypto.errors import CryptoError
from crypto.fingerprint import member_fingerprint
from oversight import backup
from oversight.app import create_app
from oversight.cases.ledger_cli import add_ledger_commands, export_ledger, rebuild_cases, verify_ledger
from oversight.check import check, refuse_to_serve
from oversight.commission.keys import OfficeSafe, load_start_identity
from oversight.commission.portal import connect_before_founding
from oversight.demo import command as demo
from oversight.demo.programs import DemoError
from oversight.founding.command import Founded, found
from oversight.founding.plan import PlanError, load_plan
from oversight.founding.store import PortalChangedError, start_over
from oversight.settings import Settings
from oversight.storage import SCHEMA, Database
from oversight.web.forgetting import forgetting
from oversight.wire.portal_errors import PortalError, PortalRefused
from portal.kit.backup_command import COMMANDS, add_backup_commands, clear_up_when_ended
from portal.kit.backup_form import BackupError
from portal.kit.database import DatabaseError, make_migrations
from portal.kit.listening import StartError, listen
from portal.kit.lost_data import refuse_lost_data
from portal.kit.quiet_logging import quiet_logging
from portal.kit.server import connections_for, raise_file_limit, server_options
from portal.kit.settings import SettingsError

STOP_SECONDS_MAX = 5
# Far more than members need: a stranger who wants to fill them has to open more.
CONNECTIONS_MAX = 4096


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status. What failed is one clear line on standard error."""
    options = _parser().parse_args(arguments)
    # Whatever the office writes is for its own user alone, and so is its memory.
    os.umask(0o077)
    refuse_dumps()
    try:
        return _run(options)
    except PortalRefused as error:
        print(f"oversight: the portal refused the charter: {error.code}. {_KEPT_REFUSED}", file=sys.stderr)
    except PortalChangedError:
        print("oversight: the portal is not the one that the charter names. Nothing was sent", file=sys.stderr)
    except PortalError as error:
        print(f"oversight: the portal can't be reached: {error}. {_KEPT}", file=sys.stderr)
    except CryptoError as error:
        if options.command in COMMANDS:
            print(f"oversight: {error}", file=sys.stderr)
            return 1
        print(f"oversight: this can't be a charter: {error}", file=sys.stderr)
    except (SettingsError, DatabaseError, BackupError, StartError, PlanError, DemoError, OSError) as error:
        print(f"oversight: {error}", file=sys.stderr)
    return 1


def _run(options: argparse.Namespace) -> int:
    match options.command:
        case "makemigrations":
            return make_migrations(SCHEMA)
        case "demo" | "demo-code":
            return demo.run(options)
        case "verify-ledger":
            return verify_ledger(options)
        case "backup" | "restore" | "exercise":
            clear_up_when_ended("oversight")
            return asyncio.run(backup.run(options, _settings(options), datetime.now(UTC).date()))
        case "check" | "found" | "start-over" | "export-ledger" | "rebuild-cases" as name:
            run = {
                "check": _check,
                "found": _found,
                "start-over": _start_over,
                "export-ledger": export_ledger,
                "rebuild-cases": rebuild_cases,
            }[name]
            return asyncio.run(run(options, _settings_of_data(options)))
        case _:
            return _serve(_settings_of_data(options))


_GIVEN_UP = (
    "In one sitting one person makes every key, sees every passphrase and share, and signs for all governors. "
    "A commission of several people is founded on the office's pages: run serve and follow its link."
)
_KEPT = "Nothing is lost: run the same command again."
_KEPT_REFUSED = "Nothing is lost: run the command again once the reason is gone, with another invitation if it is that."


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m oversight", description="The office of one commission.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve the office's pages, and collect from the portal")
    commands.add_parser(
        "check",
        help="say of each thing that the office needs whether it is well; status 0: all is, 1: something failed, 3: "
        "somebody is needed soon",
    )
    founding = commands.add_parser(
        "found",
        help="found a commission in one sitting, for demonstrations and tests: one person makes everybody's keys",
        description="Can be run again until the portal has taken the charter; nothing is made twice. " + _GIVEN_UP,
    )
    founding.add_argument("file", type=Path, help="the founding file, TOML or JSON")
    founding.add_argument("--portal", help="address of the portal, if it is not OVERSIGHT_PORTAL_URL")
    founding.add_argument("--invitation", required=True, help="the invitation that the portal's operator gave you")
    founding.add_argument("--out", type=Path, required=True, help="folder for the sheets; print them and destroy it")
    commands.add_parser("start-over", help="drop a founding that the portal has not taken: accounts, keys, draft")
    demo.add_parser(commands)
    add_ledger_commands(commands)
    add_backup_commands(commands)
    commands.add_parser("makemigrations", help="for developers: write what the models have and the migrations lack")
    return parser


def _settings(options: argparse.Namespace) -> Settings:
    environment = dict(os.environ)
    if getattr(options, "portal", None):
        environment["OVERSIGHT_PORTAL_URL"] = options.portal
    return Settings.from_environment(environment)


def _settings_of_data(options: argparse.Namespace) -> Settings:
    """The settings, unless their data folder has lost what only a restore brings back."""
    settings = _settings(options)
    refuse_lost_data(settings.data, settings.database_url, settings.secrets / backup.KEYS)
    return settings


def _serve(settings: Settings) -> int:
    """Until SIGTERM or SIGINT. Nothing about a request is logged, and nothing of what an error says."""
    quiet_logging()
    settings.secrets.mkdir(mode=0o700, parents=True, exist_ok=True)
    app = create_app(settings, serving=True)
    asyncio.run(refuse_to_serve(settings, datetime.now(UTC)))
    sockets = listen(settings.host, settings.port)
    files = raise_file_limit()
    connections = connections_for(CONNECTIONS_MAX, files)
    if connections < CONNECTIONS_MAX:
        print(f"oversight: few files may be open, so {connections} connections at once", file=sys.stderr)
    options = {
        "timeout_graceful_shutdown": STOP_SECONDS_MAX,
        # uvloop reads into one buffer, which keeps what came last: passphrases, cookies.
        **server_options(settings, asyncio.SelectorEventLoop, files=files, connections_max=connections),
    }
    server = uvicorn.Server(uvicorn.Config(forgetting(app), date_header=False, lifespan="on", **options))
    # It leaves the program when its start fails.
    with suppress(SystemExit, KeyboardInterrupt):
        server.run(sockets)
    return 0 if server.started else 1


async def _check(_: argparse.Namespace, settings: Settings) -> int:
    return await check(settings, datetime.now(UTC))


async def _found(options: argparse.Namespace, settings: Settings) -> int:
    plan = load_plan(options.file)
    if not settings.portal_url:
        raise SettingsError("the portal is not named: give --portal or set OVERSIGHT_PORTAL_URL")
    safe = OfficeSafe(settings.secrets, load_start_identity(settings.start_key_file))
    database = await Database.open(settings.database_url)
    try:
        with database.use():
            today, out = datetime.now(UTC).date(), options.out
            async with connect_before_founding(settings) as client:
                done = await found(
                    plan,
                    settings=settings,
                    safe=safe,
                    client=client,
                    invitation=options.invitation,
                    out=out,
                    today=today,
                )
    finally:
        await database.close()
    _report(done, options.out)
    return 0


async def _start_over(options: argparse.Namespace, settings: Settings) -> int:
    safe = OfficeSafe(settings.secrets)
    database = await Database.open(settings.database_url)
    try:
        with database.use():
            dropped = await start_over(safe)
    finally:
        await database.close()
    if not dropped:
        print("oversight: the portal has taken the charter: this commission is founded and stays", file=sys.stderr)
        return 1
    print("Dropped. Papers and links of that founding open nothing. Start the office again for a new link.")
    return 0


def _report(done: Founded, out: Path) -> None:
    charter = done.charter
    print(f"The commission {charter.slug} is founded." + ("" if done.sheets else " Nothing was left to make."))
    print(f"charter      {charter.hash}")
    print(f"portal       {charter.origin}, key {charter.portal.short_id}")
    for member in charter.members:
        print(f"{member.label:12} {member_fingerprint(member)}")
    if done.sheets:
        print(f"The sheets are in {out}. Print them, hand them over, and destroy that folder.")
        print("Start the office now. One that runs already and had keys before is started again, or nobody logs in.")
        print(_GIVEN_UP)


if __name__ == "__main__":
    sys.exit(main())
