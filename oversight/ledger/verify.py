# SPDX-License-Identifier: AGPL-3.0-or-later
"""Verifying a ledger from its notes alone: signatures, chain, rules. Pure. docs/protocol.md §13.5."""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Generic, TypeVar

from crypto.charter import Charter
from crypto.errors import CryptoError, ProofError
from crypto.event import Head, SignedEvent, read_event
from crypto.ids import CharterHash, EventHash

S = TypeVar("S")
Apply = Callable[[S | None, SignedEvent, Charter], S]


class LedgerError(Exception):
    """A ledger does not verify. ``sequence`` is the number of the first bad event, None for the ledger as a whole."""

    def __init__(self, reason: str, sequence: int | None = None) -> None:
        super().__init__(reason if sequence is None else f"event {sequence}: {reason}")
        self.reason = reason
        self.sequence = sequence


@dataclass(frozen=True)
class Verified(Generic[S]):
    """A verified ledger: the number of its events, its head, and the state they lead to."""

    events: int
    head: Head
    state: S


def verify_events(
    notes: Iterable[bytes],
    charters: Mapping[CharterHash, Charter],
    apply: Apply[S],
    refused: type[Exception],
    head_hash: EventHash | None = None,
) -> Verified[S]:
    """Verify the notes of one ledger from its first event, each by the rules at the time it was appended.

    ``apply`` raises ``refused``, or a CryptoError, for an event that may not follow. Raises LedgerError for the first
    event that does not verify, for a ledger without events, and for one whose last event is not ``head_hash``, which is
    the only way to see that its end was cut off.
    """
    state: S | None = None
    head: Head | None = None
    for sequence, data in enumerate(notes):
        try:
            event = read_event(data, charters)
            state = apply(state, event, charters[event.charter])
        except CryptoError as error:
            raise LedgerError(f"{_kind(error)}: {error}", sequence) from error
        except refused as error:
            raise LedgerError(f"against the rules: {error}", sequence) from error
        head = event.head
    if state is None or head is None:
        raise LedgerError("it has no events")
    if head_hash is not None and head.hash != head_hash:
        raise LedgerError(f"it ends with {head.hash}, not with the expected head: events are missing or differ")
    return Verified(head.sequence + 1, head, state)


def _kind(error: CryptoError) -> str:
    return "chain broken" if isinstance(error, ProofError) else "not genuine"
