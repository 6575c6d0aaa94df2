# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ledgers: events appended, verified and rebuilt per second.

    .venv/bin/python -m benchmarks.ledger [events] [appended]

Method: a chain of ``events`` (10,000 and 100,000 if none is given) is made in memory, one case for every thousand: a
case is opened and acknowledged, then come notes with a sealed part of one text, and every tenth event is a declaration
without one. One member signs them all; the sealed part is sealed once for each case, because sealing is measured by
itself. Then

- *verified*: as ``verify-ledger`` does it, signature, chain and rules, one process;
- *rebuilt*: the events are put into a database file (SQLite, in bulk, not measured), and all rows made again from them;
- *appended*: ``appended`` (2,000) notes, one after the other, through the whole command (load, seal, sign, check,
  transaction synced to the disk).

Verifying and rebuilding are linear: the state of a case has a bounded size, whatever the length of its ledger.
"""

import asyncio
import sys
import tempfile
import time
from datetime import timedelta
from pathlib import Path

from crypto.age import PqIdentity
from crypto.event import Event, seal_part, sign_event
from crypto.event_types import Declared, Moved, Noted, Opened, Public
from crypto.sealed_parts import Keys, Text, Thread
from oversight.cases import commands
from oversight.cases.actor import Actor
from oversight.cases.case_store import CaseProjection, rebuild
from oversight.ledger.append import append
from oversight.ledger.records import EventRecord
from oversight.ledger.verify import verify_events
from oversight.storage import Database
from oversight.workflow import projection
from oversight.workflow.rules import RuleError
from tests.people import NOW, World, found_test_commission

CASE_EVENTS = 1_000
TEXT = Text("Spoke to the lawyer on the telephone; the hearing was put off by a week. " * 6)


def make_chain(world: World, number: int, length: int) -> list[EventRecord]:
    """The rows of one case's events, which hold the notes."""
    case, person = f"{number:032x}", world["amina"]
    identity = PqIdentity.generate()
    public: list[Public] = [_opened(case, number, identity, world), Moved("RECEIVED", "ACKNOWLEDGED", "sent")]
    key, rows, previous = person.signing_key, [], None
    note_part = seal_part(TEXT, case, 2, identity.recipient())
    keys_part = seal_part(Keys((Thread(f"{number:032x}", 0, identity, None),)), case, 0, identity.recipient())
    for sequence in range(length):
        said = public[sequence] if sequence < 2 else Declared(False, ()) if sequence % 10 == 0 else Noted()
        sealed = keys_part if sequence == 0 else note_part if isinstance(said, Noted) else None
        moment = NOW + timedelta(seconds=sequence)
        event = Event(case, sequence, previous, person.label, world.charter.hash, moment, said, sealed)
        signed = sign_event(event, key)
        row = EventRecord(
            case=case,
            sequence=sequence,
            hash=signed.hash,
            type=event.type,
            actor=event.actor,
            time=moment,
            generation=1,
            note=signed.encode(),
        )
        previous = signed.hash
        rows.append(row)
    return rows


def _opened(case: str, number: int, identity: PqIdentity, world: World) -> Opened:
    return Opened(
        number=f"C-2026-{number:04d}",
        policy="eu-2019-1937",
        received=NOW.date(),
        reports=(case,),
        generation=1,
        recipient=str(identity.recipient()),
        grant_sha256="0" * 64,
        holders=("amina",),
    )


def report(what: str, count: int, started: float) -> None:
    seconds = time.perf_counter() - started
    print(f"{what:34} {count:>8,} in {seconds:6.1f} s   {count / seconds:>8,.0f} / s", flush=True)


async def measure(world: World, events: int) -> None:
    charters = {world.charter.hash: world.charter}
    started = time.perf_counter()
    chains = [make_chain(world, number, CASE_EVENTS) for number in range(1, events // CASE_EVENTS + 1)]
    report("made and signed, in memory", events, started)
    started = time.perf_counter()
    for chain in chains:
        verify_events((row.note for row in chain), charters, projection.check, RuleError)
    report("verified", events, started)
    with tempfile.TemporaryDirectory() as folder:
        database = await Database.open(f"sqlite://{Path(folder) / 'office.sqlite3'}")
        with database.use():
            for chain in chains:
                await EventRecord.bulk_create(chain)
            started = time.perf_counter()
            await rebuild(charters)
            report("rebuilt", events, started)
        await database.close()


async def measure_appending(world: World, events: int) -> None:
    person = world["amina"]
    actor = Actor("amina", world.charter, NOW, person.identity, person.signing_key)
    with tempfile.TemporaryDirectory() as folder:
        database = await Database.open(f"sqlite://{Path(folder) / 'office.sqlite3'}")
        with database.use():
            case, identity = f"{1:032x}", PqIdentity.generate()
            opened = _opened(case, 1, identity, world)
            sealed = seal_part(Keys((Thread(case, 0, identity, None),)), case, 0, identity.recipient())
            first = sign_event(
                Event(case, 0, None, "amina", world.charter.hash, NOW, opened, sealed), person.signing_key
            )
            await append(first, {world.charter.hash: world.charter}, CaseProjection())
            started = time.perf_counter()
            for number in range(events):
                await commands.note(actor, case, f"{number} {TEXT.text}")
            report("appended, one after the other", events, started)
        await database.close()


def main(sizes: list[int], appended: int) -> None:
    world = found_test_commission()
    asyncio.run(measure_appending(world, appended))
    for events in sizes:
        asyncio.run(measure(world, events))


if __name__ == "__main__":
    arguments = [int(argument) for argument in sys.argv[1:]]
    main(arguments[:1] or [10_000, 100_000], arguments[1] if len(arguments) > 1 else 2_000)
