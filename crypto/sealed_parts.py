# SPDX-License-Identifier: AGPL-3.0-or-later
"""The sealed parts of events, which only the holders of a case can read. docs/protocol.md §13.2."""

# The defaults of the fields are calls that make `dataclasses.field`, which the linter can't see.
# ruff: noqa: RUF009

from dataclasses import dataclass

from crypto import event_fields as read
from crypto.age import PqIdentity
from crypto.event_fields import CODE, NAME_CHARS_MAX, REPORTS_MAX, Part
from crypto.grant import GENERATION_MAX
from crypto.ids import SubmissionId


@dataclass(frozen=True)
class Text(Part):
    """A text: a note, reasons, a draft or the report of a check."""

    text: str = read.prose()


@dataclass(frozen=True)
class Thread(Part):
    """The identity of a report's thread."""

    report: SubmissionId = read.identifier()
    identity: PqIdentity = read.identity()


@dataclass(frozen=True)
class Generation(Part):
    """The identity of a case in one of its generations."""

    generation: int = read.integer(1, GENERATION_MAX)
    identity: PqIdentity = read.identity()


@dataclass(frozen=True)
class Keys(Part):
    """The identities that open the reports of a case."""

    threads: tuple[Thread, ...] = read.parts(Thread, REPORTS_MAX)


@dataclass(frozen=True)
class Renewal(Part):
    """Why a member left a case, and the identities with which the remaining holders read earlier events."""

    text: str = read.prose()
    identities: tuple[Generation, ...] = read.parts(Generation, GENERATION_MAX)
    threads: tuple[Thread, ...] = read.parts(Thread, REPORTS_MAX)


@dataclass(frozen=True)
class Party(Part):
    """A person or body that a case is about; ``identifiers`` are numbers, addresses and the like."""

    name: str = read.prose(NAME_CHARS_MAX)
    aliases: tuple[str, ...] = read.names()
    identifiers: tuple[str, ...] = read.names()
    role: str = read.text(CODE)
