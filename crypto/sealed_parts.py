# SPDX-License-Identifier: AGPL-3.0-or-later
"""The sealed parts of events, which only the holders of a case can read. docs/protocol.md §13.2."""

# The defaults of the fields are calls that make `dataclasses.field`, which the linter can't see.
# ruff: noqa: RUF009

from collections import Counter
from dataclasses import dataclass

from crypto import event_fields as read
from crypto.age import PqIdentity
from crypto.errors import MalformedError
from crypto.event_fields import CODE, NAME_CHARS_MAX, Part
from crypto.grant import GENERATION_MAX
from crypto.ids import SubmissionId

THREADS_MAX = 2048
"""Of all reports and generations together; a sealed part holds about as many (§13.1)."""


@dataclass(frozen=True)
class Text(Part):
    """A text: a note, reasons, a draft or the report of a check."""

    text: str = read.prose()


@dataclass(frozen=True)
class Thread(Part):
    """One generation of the keys of a report's thread (§9.2).

    ``message_mac`` is the message key of that generation, 32 bytes in hex; None for generation 0, whose key is in the
    report.
    """

    report: SubmissionId = read.identifier()
    generation: int = read.integer(0, GENERATION_MAX)
    identity: PqIdentity = read.identity()
    message_mac: str | None = read.optional_digest()


def _check_generations(threads: tuple[Thread, ...]) -> None:
    """The generations of each report begin with 0 and rise by one."""
    seen: Counter[SubmissionId] = Counter()
    for thread in threads:
        if thread.generation != seen[thread.report]:
            raise MalformedError("the generations of a thread are repeated, have a gap or are out of order")
        if (thread.message_mac is None) != (thread.generation == 0):
            raise MalformedError("a message key belongs to every generation of a thread but the first")
        seen[thread.report] += 1


@dataclass(frozen=True)
class Generation(Part):
    """The identity of a case in one of its generations."""

    generation: int = read.integer(1, GENERATION_MAX)
    identity: PqIdentity = read.identity()


@dataclass(frozen=True)
class Keys(Part):
    """The keys of the reports of a case, in all their generations."""

    threads: tuple[Thread, ...] = read.parts(Thread, THREADS_MAX, _check_generations)


@dataclass(frozen=True)
class Renewal(Part):
    """Why a member left a case, and the identities with which the remaining holders read earlier events."""

    text: str = read.prose()
    identities: tuple[Generation, ...] = read.parts(Generation, GENERATION_MAX)
    threads: tuple[Thread, ...] = read.parts(Thread, THREADS_MAX, _check_generations)


@dataclass(frozen=True)
class Party(Part):
    """A person or body that a case is about; ``identifiers`` are numbers, addresses and the like."""

    name: str = read.prose(NAME_CHARS_MAX)
    aliases: tuple[str, ...] = read.names()
    identifiers: tuple[str, ...] = read.names()
    role: str = read.text(CODE)
