# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the portal answers to an office, read with limits (docs/protocol.md §10).

The portal is not trusted: an answer is only ever sealed bytes and signed notes, checked by whoever takes them. Each
entry of a list is read for itself, so that a bad one never hides the others. A submission whose manifest is no base64,
or whose acknowledgement no text, has an id all the same: it is read with these empty, and shown under its id.
"""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date
from typing import Any, Generic, TypeVar

from crypto.document import Fields
from crypto.encoding import ID_BYTES, INTEGER_MAX, decode_base64, parse_day
from crypto.errors import CryptoError, MalformedError
from crypto.finding import parse_finding_id
from crypto.ids import FindingId, SubmissionId
from crypto.manifest import MANIFEST_MAX
from crypto.message import FOLLOW_UP_SEALED_MAX
from crypto.note import VerifierKey
from crypto.statement import NUMBER_MAX
from portal.kit.columns import is_kept

PAGE_MAX = 100
POSTINGS_MAX = 10_000
THREADS_MAX = 32
NOTE_CHARS_MAX = 16 * 1024
# Padded to 64 KiB, with a header of one stanza.
FOLLOW_UP_BYTES_MAX = FOLLOW_UP_SEALED_MAX + 4096
E = TypeVar("E")


@dataclass(frozen=True)
class PortalInfo:
    """Who the portal says it is; ``realm`` are 16 bytes in hex."""

    origin: str
    realm: str
    verifier: VerifierKey


@dataclass(frozen=True)
class WaitingSubmission:
    """A submission that waits at the portal, and the note by which it was acknowledged to the reporter."""

    sequence: int
    submission: SubmissionId
    manifest: bytes
    acknowledgement: bytes


@dataclass(frozen=True)
class WaitingFollowUp:
    """A follow-up at the portal. Nothing vouches for its ``day``: its own is inside."""

    sequence: int
    submission: SubmissionId
    sealed: bytes
    day: date


@dataclass(frozen=True)
class WaitingControl:
    """A control note that deletes or closes, as the portal hands it on."""

    sequence: int
    submission: SubmissionId
    control: bytes


@dataclass(frozen=True)
class ThreadStanding:
    """What the portal has of a thread: the numbers of its thread note and of its last reply, 0 for none; postings."""

    number: int
    last: int
    postings: tuple[bytes, ...]


@dataclass(frozen=True)
class Page(Generic[E]):
    """A page of a list: entries that can be read, by rising sequence, and how many can't.

    ``highest`` is the highest sequence on it, of an unreadable entry too, 0 for none.
    """

    entries: tuple[E, ...]
    more: bool
    unreadable: int
    highest: int


@dataclass(frozen=True)
class PortalProblem:
    """Something of the commission's that the portal can't show: ``charter`` and its hash, ``finding`` and its id."""

    kind: str
    name: str


def read_info(value: Any) -> PortalInfo:
    """Raises MalformedError."""
    fields = Fields(value, "portal")
    verifier = VerifierKey.parse(fields.text("verifier", 500))
    return PortalInfo(fields.text("origin", 300), fields.hex("realm", ID_BYTES), verifier)


def read_submissions(value: Any) -> Page[WaitingSubmission]:
    """Raises MalformedError when the list itself can't be read; entries are judged by the collector."""
    return read_page(value, "submissions", _submission)


def read_follow_ups(value: Any) -> Page[WaitingFollowUp]:
    """Raises MalformedError when the list itself can't be read."""
    return read_page(value, "follow_ups", _follow_up)


def read_controls(value: Any) -> Page[WaitingControl]:
    """Raises MalformedError when the list itself can't be read."""
    return read_page(value, "controls", _control)


def read_posting_answer(value: Any) -> bytes:
    """The posting note that the portal has of a reply. Raises MalformedError when the answer holds none."""
    return Fields(value, "reply").text("posting").encode("utf-8", "replace")


def read_thread_standing(value: Any) -> ThreadStanding:
    """Raises MalformedError when the answer itself can't be read; postings are judged by whoever takes them."""
    fields = Fields(value, "thread")
    return ThreadStanding(
        number=fields.integer("number", 0, NUMBER_MAX),
        last=fields.integer("last", 0, NUMBER_MAX),
        postings=tuple(note for note in fields.items("postings", POSTINGS_MAX, _note_or_none) if note),
    )


def read_refused_threads(value: Any) -> tuple[SubmissionId, ...]:
    """The threads whose notes the portal did not take. Raises MalformedError."""
    return tuple(SubmissionId(each) for each in Fields(value, "threads").texts("refused", THREADS_MAX, 2 * ID_BYTES))


def read_next_finding(value: Any) -> FindingId:
    """The id of a commission's next finding. Raises MalformedError."""
    identifier = Fields(value, "findings").text("next", 80)
    parse_finding_id(identifier)
    return FindingId(identifier)


def read_problems(value: Any) -> tuple[PortalProblem, ...]:
    """What the portal says it can't show, at most 100. Raises MalformedError or LimitError."""
    return Fields(value, "problems").items("problems", PAGE_MAX, _problem)


def _problem(value: object) -> PortalProblem:
    fields = Fields(value, "a problem")
    kind = fields.text("kind", pattern="charter|finding")
    # Shown to members, so that it can be nothing but what it is the name of.
    name = fields.text("name", 80, r"[0-9a-f]{64}" if kind == "charter" else None)
    if kind == "finding":
        parse_finding_id(name)
    return PortalProblem(kind, name)


def read_page(value: Any, name: str, read: Callable[[Fields, int], E], entries_max: int = PAGE_MAX) -> Page[E]:
    """A page whose list has this name; entries that ``read`` can't read are counted.

    Raises MalformedError or LimitError when the list itself can't be read.
    """
    fields = Fields(value, name)
    listed = fields.items(name, entries_max, lambda item: item)
    entries: dict[int, E] = {}
    unreadable = highest = 0
    for item in listed:
        try:
            entry = Fields(item, "an entry")
            sequence = entry.integer("sequence", 1, INTEGER_MAX)
            highest = max(highest, sequence)
            entries[sequence] = read(entry, sequence)
        except CryptoError:
            unreadable += 1
    ordered = tuple(entries[sequence] for sequence in sorted(entries))
    return Page(ordered, fields.boolean("more"), unreadable, highest)


def _submission(fields: Fields, sequence: int) -> WaitingSubmission:
    return WaitingSubmission(
        sequence=sequence,
        submission=SubmissionId(fields.hex("submission", ID_BYTES)),
        manifest=_bytes_or_none(fields.take("manifest"), MANIFEST_MAX),
        acknowledgement=_note_or_none(fields.take("acknowledgement")),
    )


def _follow_up(fields: Fields, sequence: int) -> WaitingFollowUp:
    sealed = _bytes_or_none(fields.take("sealed"), FOLLOW_UP_BYTES_MAX)
    if not sealed:
        raise MalformedError("a follow-up is empty, or longer than it may be")
    return WaitingFollowUp(
        sequence=sequence,
        submission=SubmissionId(fields.hex("submission", ID_BYTES)),
        sealed=sealed,
        day=_kept_day(fields),
    )


def _kept_day(fields: Fields) -> date:
    """A day that this office can keep, which not all are that a calendar has."""
    day = parse_day(fields.text("day", 10))
    if not is_kept(day):
        raise MalformedError("a day that no office keeps")
    return day


def _control(fields: Fields, sequence: int) -> WaitingControl:
    return WaitingControl(
        sequence=sequence,
        submission=SubmissionId(fields.hex("submission", ID_BYTES)),
        control=_note_or_none(fields.take("control")),
    )


def _note_or_none(value: object) -> bytes:
    """A note of a portal, an office or a mailbox, none of which is long; nothing for what can't be one."""
    return value.encode("utf-8", "replace") if isinstance(value, str) and len(value) <= NOTE_CHARS_MAX else b""


def _bytes_or_none(value: object, bytes_max: int) -> bytes:
    if not isinstance(value, str) or len(value) > 4 * (bytes_max // 3 + 1):
        return b""
    try:
        return decode_base64(value)
    except MalformedError:
        return b""
