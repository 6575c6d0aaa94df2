# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the portal answers to an office, read with limits (docs/protocol.md §10).

The portal is not trusted: an answer is only ever sealed bytes and signed notes, checked by whoever takes them. What is
no base64, or no text where a note should be, is read as empty, so that a bad entry never hides the others.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from crypto.document import Fields
from crypto.encoding import ID_BYTES, INTEGER_MAX, decode_base64, parse_day
from crypto.errors import MalformedError
from crypto.finding import parse_finding_id
from crypto.ids import FindingId, SubmissionId
from crypto.note import VerifierKey
from crypto.statement import NUMBER_MAX

PAGE_MAX = 100
POSTINGS_MAX = 10_000
THREADS_MAX = 32


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
class SubmissionPage:
    entries: tuple[WaitingSubmission, ...]
    more: bool


@dataclass(frozen=True)
class FollowUpPage:
    entries: tuple[WaitingFollowUp, ...]
    more: bool


@dataclass(frozen=True)
class ControlPage:
    entries: tuple[WaitingControl, ...]
    more: bool


def read_info(value: Any) -> PortalInfo:
    """Raises MalformedError."""
    fields = Fields(value, "portal")
    verifier = VerifierKey.parse(fields.text("verifier", 500))
    return PortalInfo(fields.text("origin", 300), fields.hex("realm", ID_BYTES), verifier)


def read_submissions(value: Any) -> SubmissionPage:
    """Raises MalformedError when the list itself can't be read; entries are judged by the collector."""
    fields = Fields(value, "submissions")
    return SubmissionPage(fields.items("submissions", PAGE_MAX, _submission), fields.boolean("more"))


def read_follow_ups(value: Any) -> FollowUpPage:
    """Raises MalformedError when the list itself can't be read."""
    fields = Fields(value, "follow-ups")
    return FollowUpPage(fields.items("follow_ups", PAGE_MAX, _follow_up), fields.boolean("more"))


def read_controls(value: Any) -> ControlPage:
    """Raises MalformedError when the list itself can't be read."""
    fields = Fields(value, "controls")
    return ControlPage(fields.items("controls", PAGE_MAX, _control), fields.boolean("more"))


def read_posting_answer(value: Any) -> bytes:
    """The posting note that the portal has of a reply. Raises MalformedError when the answer holds none."""
    return Fields(value, "reply").text("posting").encode("utf-8", "replace")


def read_thread_standing(value: Any) -> ThreadStanding:
    """Raises MalformedError when the answer itself can't be read; postings are judged by whoever takes them."""
    fields = Fields(value, "thread")
    return ThreadStanding(
        number=fields.integer("number", 0, NUMBER_MAX),
        last=fields.integer("last", 0, NUMBER_MAX),
        postings=fields.items("postings", POSTINGS_MAX, _note_or_none),
    )


def read_refused_threads(value: Any) -> tuple[SubmissionId, ...]:
    """The threads whose notes the portal did not take. Raises MalformedError."""
    return tuple(SubmissionId(each) for each in Fields(value, "threads").texts("refused", THREADS_MAX, 2 * ID_BYTES))


def read_next_finding(value: Any) -> FindingId:
    """The id of a commission's next finding. Raises MalformedError."""
    identifier = Fields(value, "findings").text("next", 80)
    parse_finding_id(identifier)
    return FindingId(identifier)


def _submission(value: object) -> WaitingSubmission:
    fields = Fields(value, "a waiting submission")
    return WaitingSubmission(
        sequence=fields.integer("sequence", 1, INTEGER_MAX),
        submission=SubmissionId(fields.hex("submission", ID_BYTES)),
        manifest=_bytes_or_none(fields.take("manifest")),
        acknowledgement=_note_or_none(fields.take("acknowledgement")),
    )


def _follow_up(value: object) -> WaitingFollowUp:
    fields = Fields(value, "a waiting follow-up")
    return WaitingFollowUp(
        sequence=fields.integer("sequence", 1, INTEGER_MAX),
        submission=SubmissionId(fields.hex("submission", ID_BYTES)),
        sealed=_bytes_or_none(fields.take("sealed")),
        day=parse_day(fields.text("day", 10)),
    )


def _control(value: object) -> WaitingControl:
    fields = Fields(value, "a control note")
    return WaitingControl(
        sequence=fields.integer("sequence", 1, INTEGER_MAX),
        submission=SubmissionId(fields.hex("submission", ID_BYTES)),
        control=_note_or_none(fields.take("control")),
    )


def _note_or_none(value: object) -> bytes:
    return value.encode("utf-8", "replace") if isinstance(value, str) else b""


def _bytes_or_none(value: object) -> bytes:
    try:
        return decode_base64(value) if isinstance(value, str) else b""
    except MalformedError:
        return b""
