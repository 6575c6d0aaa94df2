# SPDX-License-Identifier: AGPL-3.0-or-later
"""Commands about ledgers: writing one to a file, verifying such a file without a database, making rows from them."""

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

from crypto.charter import Charter
from crypto.encoding import HASH_BYTES, decode_hex
from crypto.errors import CryptoError
from crypto.ids import CaseId, CharterHash, EventHash
from crypto.taxonomy import CASE_PREFIX
from oversight.cases.case_store import BrokenCaseError, NoSuchCaseError, find_case, load_case, load_notes, rebuild
from oversight.commission.charters import charters_by_hash
from oversight.ledger.export import read_charter_file, read_export, trusted_charters, write_export, write_note
from oversight.ledger.verify import LedgerError, Verified, verify_events
from oversight.settings import Settings
from oversight.storage import Database
from oversight.workflow.projection import apply_event
from oversight.workflow.rules import RuleError
from oversight.workflow.state import CaseState
from portal.kit.columns import UnreadableError
from portal.kit.postgresql import unhurried


def add_ledger_commands(commands: "argparse._SubParsersAction[argparse.ArgumentParser]") -> None:
    """Add these commands to those of ``python -m oversight``."""
    exporting = commands.add_parser("export-ledger", help="write a case's ledger to a file that can be verified")
    exporting.add_argument("case", help="the case's number, C-2026-0007, or its id")
    exporting.add_argument("out", type=Path, help="the file to write; it must not exist")
    verifying = commands.add_parser(
        "verify-ledger",
        help="verify an exported ledger: signatures, chain, rules",
        description="Reads only the file: no database, no settings. Exit status 1 if it does not verify.",
    )
    verifying.add_argument("file", type=Path, help="an exported ledger")
    verifying.add_argument(
        "--charters", type=Path, nargs="+", required=True, metavar="FILE", help="a charter, or several, that you trust"
    )
    verifying.add_argument(
        "--head", metavar="HASH", help="the expected head; without it, a ledger whose end was cut off passes"
    )
    commands.add_parser(
        "rebuild-cases",
        help="make the rows of all cases anew from their ledgers, verifying every event",
        description="Stop the office first. If a ledger does not hold, nothing is changed and the exit status is 1.",
    )


async def rebuild_cases(options: argparse.Namespace, settings: Settings) -> int:
    """Make every case's rows anew; status 1, and no row changed, when a ledger does not hold."""
    database = await Database.open(settings.database_url)
    try:
        with database.use(), unhurried():
            cases = await rebuild(await charters_by_hash())
    except (CryptoError, RuleError, UnreadableError) as error:
        print(f"oversight: a ledger does not hold, nothing was changed: {error}", file=sys.stderr)
        return 1
    finally:
        await database.close()
    print(f"cases made anew from their ledgers: {cases:,}")
    return 0


async def export_ledger(options: argparse.Namespace, settings: Settings) -> int:
    """Write the file and print its head; status 1 when there is no such case."""
    database = await Database.open(settings.database_url)
    try:
        with database.use(), unhurried():
            return await _export(options.case, options.out)
    except NoSuchCaseError:
        print(f"oversight: there is no case {options.case}", file=sys.stderr)
        return 1
    except BrokenCaseError:
        print(f"oversight: the row of case {options.case} is damaged: run rebuild-cases", file=sys.stderr)
        return 1
    finally:
        await database.close()


async def _export(case: str, out: Path) -> int:
    state = await (find_case(case) if case.startswith(CASE_PREFIX) else load_case(CaseId(case)))
    charters = await charters_by_hash()
    with out.open("xb") as file:
        write_export(file, state.head.case, list(charters.values()), [])
        count, last = 0, state.head.sequence
        async for data in load_notes(state.head.case):
            # Events appended meanwhile are left for the next export, so that the file ends at the head printed here.
            if count > last:
                break
            write_note(file, data)
            count += 1
    print(f"{state.number}: {count:,} events, head {state.head.hash}")
    return 0


def verify_ledger(options: argparse.Namespace) -> int:
    """Verify the file and print the result in one line; status 1 when it does not verify."""
    try:
        if options.head is not None:
            decode_hex(options.head, HASH_BYTES)
        head = None if options.head is None else EventHash(options.head)
        verified = verify_file(options.file, options.charters, head)
    except LedgerError as error:
        print(f"{options.file}: {error}", file=sys.stderr)
        return 1
    except CryptoError as error:
        print(f"--head: {error}", file=sys.stderr)
        return 1
    print(f"{verified.state.number}: {verified.events:,} events, unbroken, head {verified.head.hash}")
    return 0


def verify_file(path: Path, charter_files: list[Path], head: EventHash | None = None) -> Verified[CaseState]:
    """The verified ledger. Raises LedgerError when it does not hold, OSError when a file can't be read."""
    trusted = [read_charter_file(file) for file in charter_files]
    with path.open("rb") as source:
        header, notes = read_export(source)
        charters: Mapping[CharterHash, Charter] = trusted_charters(header, trusted)
        verified = verify_events(notes, charters, apply_event, RuleError, head)
    if verified.head.case != header.case:
        raise LedgerError("the events belong to another case than the file says")
    return verified
