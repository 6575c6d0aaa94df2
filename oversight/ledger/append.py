# SPDX-License-Identifier: AGPL-3.0-or-later
"""Appending: the one way in which a case changes.

One transaction reads what the case is, asks the rules, adds the event and changes the projection. Of two members who
act at once, one finds the place taken and gets ConflictError: a ledger can't fork.
"""

from collections.abc import Mapping
from typing import Protocol, TypeVar

from tortoise.exceptions import IntegrityError, OperationalError

from crypto.charter import Charter
from crypto.errors import ProofError
from crypto.event import SignedEvent, read_event
from crypto.ids import CaseId, CharterHash
from crypto.note import Note
from oversight.ledger.records import EventRecord
from portal.kit.database import transaction

S = TypeVar("S")


class ConflictError(Exception):
    """Somebody else was first. Look at what the case is now, and decide again."""


class Projection(Protocol[S]):
    """What a ledger amounts to, and its rows. ``apply`` is pure; ``load`` and ``save`` run in the transaction."""

    async def load(self, case_id: CaseId) -> S | None: ...

    def apply(self, state: S | None, event: SignedEvent, charter: Charter) -> S: ...

    async def save(self, before: S | None, after: S) -> None: ...

    def generation(self, state: S) -> int: ...


async def append(note: Note, charters: Mapping[CharterHash, Charter], projection: Projection[S]) -> S:
    """Add a signed event to its case's ledger; the state after it, once it is durable.

    Raises what ``crypto.event.read_event`` raises for a note that is not an event by a member of ``charters``, what the
    projection's ``apply`` raises for one that may not follow, and ConflictError when another one took its place.
    """
    data = note.encode()
    event = read_event(data, charters)
    try:
        async with transaction():
            before = await projection.load(event.case)
            try:
                after = projection.apply(before, event, charters[event.charter])
            except ProofError:
                if await EventRecord.filter(case=event.case, sequence=event.sequence).exists():
                    raise ConflictError from None
                raise
            await event_record(event, data, projection.generation(after)).save(force_create=True)
            await projection.save(before, after)
    except IntegrityError:
        raise ConflictError from None
    except OperationalError as error:
        if "locked" in str(error):
            raise ConflictError from None
        raise
    return after


def event_record(event: SignedEvent, data: bytes, generation: int) -> EventRecord:
    """An event's row, not yet saved."""
    return EventRecord(
        case=event.case,
        sequence=event.sequence,
        hash=event.hash,
        type=event.type,
        actor=event.actor,
        time=event.time,
        generation=generation,
        note=data,
    )
