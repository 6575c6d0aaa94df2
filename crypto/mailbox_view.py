# SPDX-License-Identifier: AGPL-3.0-or-later
"""A mailbox as its reader found it, to be shown. docs/protocol.md §8.3."""

from dataclasses import dataclass, field
from datetime import date
from typing import Literal

from crypto.charter import Member
from crypto.ids import MessageId
from crypto.state import State

AlarmKind = Literal["acknowledgement", "collection", "thread", "reply-number", "charter"]
Problem = Literal["unreadable", "unsigned"]


@dataclass(frozen=True)
class Alarm:
    """Signed statements that contradict each other or the state; ``evidence`` holds the notes as they were signed."""

    kind: AlarmKind
    evidence: tuple[str, ...] = field(repr=False)


@dataclass(frozen=True)
class ReadReply:
    """A reply as it is shown. With a ``problem`` there is no text and no author.

    ``number`` and ``day`` are of the posting, ``None`` when that is not genuine; ``day`` is the reply's own otherwise.
    """

    message: MessageId
    number: int | None
    day: date | None
    language: str = ""
    body: str = field(default="", repr=False)
    author: Member | None = None
    problem: Problem | None = None


@dataclass(frozen=True)
class SentMessage:
    """A follow-up of the reporter; ``fetched`` says that the office holds it, as of the thread note."""

    number: int
    day: date
    fetched: bool


@dataclass(frozen=True)
class ReadMailbox:
    """A mailbox as it is shown.

    ``shown`` is false while the commission has not spoken: then nothing of the state may be shown either.
    ``collected`` is the day of the collection note, ``confirmed`` that of the thread note, ``older`` whether an earlier
    visit saw a newer one; ``newest_day`` the day on which the newest charter was confirmed; ``replaced`` says that the
    commission has a charter which the portal does not show. ``missing`` are numbers of replies. ``state`` is to be
    written back, sealed.
    """

    shown: bool
    collected: date | None
    confirmed: date | None
    older: bool
    newest_day: date | None
    replaced: bool
    sent: tuple[SentMessage, ...]
    replies: tuple[ReadReply, ...]
    missing: tuple[int, ...]
    alarms: tuple[Alarm, ...]
    state: State
