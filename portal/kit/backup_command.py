# SPDX-License-Identifier: AGPL-3.0-or-later
"""The commands ``backup``, ``restore`` and ``exercise`` of both programs: their arguments, and what they print."""

import argparse
import signal
import sys
import tempfile
import threading
import warnings
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from portal.kit.addresses import SQLITE
from portal.kit.backup import Kept, make_backup
from portal.kit.backup_form import BackupContents, BackupError
from portal.kit.database import STORAGE_ERRORS
from portal.kit.piped import Work
from portal.kit.restore import filled, restore, verify
from portal.kit.snapshots import POSTGRESQL_KIND, passing_database

COMMANDS = ("backup", "restore", "exercise")
SHOWN_MAX = 20
_ENDING = (signal.SIGINT, signal.SIGHUP, signal.SIGTERM)
FindFaults = Callable[[], Awaitable[list[str]]]
Moved = Callable[[Path, str], tuple[Kept, FindFaults]]
"""The same program with another data folder, another database's URL (empty: in that folder), and blobs in it."""


def add_backup_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    making = commands.add_parser("backup", help="write everything into one sealed file, while the program runs")
    making.add_argument("--recipient", action="append", required=True, help="age1pq1…, may be repeated")
    making.add_argument("file", type=Path)
    for name, about in (
        ("restore", "bring everything back from a backup, into an empty folder and an empty database"),
        ("exercise", "restore a backup into a temporary place, check everything in it, and remove it again"),
    ):
        parser = commands.add_parser(name, help=about)
        parser.add_argument("--identity", type=Path, required=True, help="file of the identity that opens the backup")
        parser.add_argument("file", type=Path)


def clear_up_when_ended(program: str) -> None:
    """Have whoever ends this process raise SystemExit, so that what was begun is removed, and one line says why.

    That is Ctrl-C, a terminal or a connection that is gone, and the system. Whoever lets it live on without its
    terminal (``nohup``) still can.
    """

    def end(number: int, _: object) -> None:
        for each in _ENDING:
            # Once more, and what clears up would be ended itself.
            signal.signal(each, signal.SIG_IGN)
        # Of what was about to be awaited.
        warnings.simplefilter("ignore", RuntimeWarning)
        sys.exit(f"{program}: ended by {signal.Signals(number).name}; what was begun is removed")

    if threading.current_thread() is threading.main_thread():
        for each in _ENDING:
            if signal.getsignal(each) != signal.SIG_IGN:
                signal.signal(each, end)


@dataclass(frozen=True)
class BackupCommands:
    """A program for these commands: what it keeps, where a restore gathers that (``kit.restore``), where it is moved to
    for an exercise; how a file is sealed to recipients, and opened with the identities of a file; what comes after."""

    kept: Kept
    unfinished: Kept
    moved: Moved
    seal: Callable[[Sequence[str]], Work]
    unseal: Callable[[Path], Work]
    next_step: str


async def run(options: argparse.Namespace, program: BackupCommands, today: date) -> int:
    """Run one of the three commands; returns the exit status. Raises BackupError, OSError, and as the seal does."""
    if options.command == "backup":
        return await _backup(program.kept, options.file, program.seal(options.recipient), today)
    unseal = program.unseal(options.identity)
    if options.command == "restore":
        return await _restore(program, options.file, unseal)
    return await _exercise(program, options.file, unseal)


async def _backup(kept: Kept, file: Path, seal: Work, today: date) -> int:
    """Make a backup and say what is in it. The status is 1 when files are lost that rows name; the rest is kept."""
    made = await make_backup(kept, file, seal, today)
    print(f"{file}: {made.size} bytes, read back from the disk")
    _say_contents(made.contents)
    print(f"SHA-256  {made.sha256}")
    print("Note the SHA-256: nothing else tells that a backup is this one.")
    return 1 if made.contents.lost else 0


async def _restore(program: BackupCommands, file: Path, unseal: Work) -> int:
    """Restore and say what to do next."""
    _say_contents(await restore(program.kept, program.unfinished, file, unseal))
    print(f"Restored. {program.next_step}")
    return 0


async def _exercise(program: BackupCommands, file: Path, unseal: Work) -> int:
    """Restore into a temporary folder and database, and say what is wrong there. The status is 0 only if nothing is."""
    kept = program.kept
    head, contents = verify(kept, file, unseal)
    expired = set(contents.expired)
    with tempfile.TemporaryDirectory(prefix="amparo-exercise-") as folder:
        async with _database(kept, head.database) as url:
            tried, find_faults = program.moved(Path(folder) / "data", url)
            tried.data.mkdir(mode=0o700)
            async with filled(tried, file, unseal):
                faults = [fault for fault in await _all_faults(find_faults) if fault not in expired]
    _say_contents(contents)
    for fault in faults[:SHOWN_MAX]:
        print(f"wrong: {fault}")
    if len(faults) > SHOWN_MAX:
        print(f"wrong: {len(faults) - SHOWN_MAX} more")
    found = "not whole" if faults else "whole: it restores, and all that rows name is there"
    print(f"The backup of {head.day} is {found}.")
    return 1 if faults else 0


async def _all_faults(find_faults: FindFaults) -> list[str]:
    try:
        return await find_faults()
    except STORAGE_ERRORS as error:
        return [f"what is restored can't be read ({type(error).__name__})"]


@asynccontextmanager
async def _database(kept: Kept, kind: str) -> AsyncIterator[str]:
    if kind != POSTGRESQL_KIND:
        yield ""
        return
    if kept.stored.url.startswith(SQLITE):
        raise BackupError("the backup is of PostgreSQL: name a server in the settings, for a database that passes")
    async with passing_database(kept.stored.url) as url:
        yield url


def _say_contents(contents: BackupContents) -> None:
    size = sum(file.size for file in contents.files)
    print(f"{contents.reports} rows of reports, {len(contents.files)} files, {size} bytes")
    if contents.expired:
        print(f"{len(contents.expired)} files expired while it was made, and are not in it")
    for path in contents.lost[:SHOWN_MAX]:
        print(f"lost: {path} is named by a row, and was not there or is damaged")
    if len(contents.lost) > SHOWN_MAX:
        print(f"lost: {len(contents.lost) - SHOWN_MAX} more")
