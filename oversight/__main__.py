# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m oversight``: the office's commands."""

import argparse
import asyncio
import os
import sys

import uvicorn

from oversight.app import create_app
from oversight.settings import Settings, SettingsError, load_settings
from oversight.storage import DatabaseError, write_migration

STOP_SECONDS_MAX = 5


def main(arguments: list[str] | None = None) -> int:
    """Run one command; returns the exit status. What failed is one clear line on standard error."""
    options = _parser().parse_args(arguments)
    try:
        if options.command == "makemigrations":
            return _make_migrations()
        settings = load_settings(os.environ)
        return _serve(settings)
    except (SettingsError, DatabaseError, FileNotFoundError) as error:
        print(f"oversight: {error}", file=sys.stderr)
        return 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m oversight", description="The office of one commission.")
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("serve", help="serve the office's pages, and collect from the portal")
    commands.add_parser("makemigrations", help="for developers: write what the models have and the migrations lack")
    return parser


def _serve(settings: Settings) -> int:
    """Until SIGTERM or SIGINT. Nothing about a request is logged."""
    settings.data.mkdir(mode=0o700, parents=True, exist_ok=True)
    app = create_app(settings, collect=True)
    uvicorn.run(
        app,
        host=settings.host,
        port=settings.port,
        access_log=False,
        log_level="warning",
        server_header=False,
        date_header=False,
        timeout_graceful_shutdown=STOP_SECONDS_MAX,
    )
    return 0


def _make_migrations() -> int:
    paths = asyncio.run(write_migration())
    for path in paths:
        print(path)
    if not paths:
        print("The migrations have everything that the models have.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
