# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m portal check``: can the portal serve with these settings? Prints one line for each item."""

from collections.abc import Awaitable, Callable
from datetime import UTC, datetime

from crypto.fingerprint import key_fingerprint
from portal.charters.known import Charters
from portal.pages.live_pages import build_pages
from portal.settings import Settings
from portal.storage.clock_watch import describe_jump, jump_since_last_sweep
from portal.storage.database import Database
from portal.storage.keys import has_realm, load_decoy_key, load_realm, load_signing_key
from portal.storage.open_blobs import open_blobs


async def check(settings: Settings) -> int:
    """Check every item, even after one has failed; return 0 when all are well, 1 otherwise."""
    checks: tuple[tuple[str, Callable[[Settings], Awaitable[str]]], ...] = (
        ("keys", _check_keys),
        ("database", _check_database),
        ("realm", _check_realm),
        ("clock", _check_clock),
        ("blobs", _check_blobs),
        ("pages", _check_pages),
    )
    print(f"ok      settings  {settings.origin}")
    failed = 0
    for name, run in checks:
        try:
            print(f"ok      {name:9} {await run(settings)}")
        except Exception as error:
            failed += 1
            print(f"failed  {name:9} {type(error).__name__}: {_first_line(error)}")
    return 1 if failed else 0


def _first_line(error: Exception) -> str:
    """Object stores tell theirs in many."""
    return str(error).partition("\n")[0]


async def _check_keys(settings: Settings) -> str:
    load_decoy_key(settings.data)
    verifier = load_signing_key(settings.data, settings.key_name).verifier
    return f"{verifier}, fingerprint {key_fingerprint(verifier)}"


async def _check_database(settings: Settings) -> str:
    return f"up to date, {len((await _charters(settings)).all_newest())} commissions"


async def _check_realm(settings: Settings) -> str:
    """A missing realm is made only while no charter names one: another one would turn every code to waste."""
    charters = await _charters(settings)
    if charters.all_newest() and not has_realm(settings.data):
        raise FileNotFoundError(f"secrets/realm is missing, and charters name it: {charters.all_newest()[0].realm}")
    charters.realm = load_realm(settings.data)
    charters.check_realm()
    return charters.realm


async def _check_clock(settings: Settings) -> str:
    database = await Database.open(settings.database_url)
    try:
        with database.use():
            days = await jump_since_last_sweep(datetime.now(UTC).date())
    finally:
        await database.close()
    if days:
        raise ValueError(describe_jump(days))
    return "goes on from the last sweep"


async def _charters(settings: Settings) -> Charters:
    database = await Database.open(settings.database_url)
    try:
        with database.use():
            charters = Charters(settings.origin, "", load_signing_key(settings.data, settings.key_name).verifier)
            await charters.refresh()
    finally:
        await database.close()
    return charters


async def _check_blobs(settings: Settings) -> str:
    blobs = open_blobs(settings.blobs_url, settings.free_bytes_min)
    try:
        await blobs.check()
    finally:
        await blobs.close()
    return "writable"


async def _check_pages(settings: Settings) -> str:
    site = build_pages(settings, "", [])
    return f"{len(site.pages)} files"
