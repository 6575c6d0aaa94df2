# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the portal answers to an office, read with limits (docs/protocol.md §10).

The portal is not trusted: an answer is only ever sealed bytes with their supposed hash, checked by the collector. An
entry whose manifest is not base64 is read with an empty one, so that a bad entry never hides the others.
"""

from dataclasses import dataclass
from datetime import date
from typing import Any

from crypto.document import Fields
from crypto.encoding import INTEGER_MAX, decode_base64, parse_day
from crypto.errors import MalformedError
from crypto.finding import parse_finding_id
from crypto.ids import FindingId, SubmissionId
from crypto.note import VerifierKey

PAGE_MAX = 100


@dataclass(frozen=True)
class PortalInfo:
    """Who the portal says it is."""

    origin: str
    verifier: VerifierKey


@dataclass(frozen=True)
class WaitingSubmission:
    """A submission that waits at the portal; ``manifest`` is empty when it came as no base64."""

    sequence: int
    submission: SubmissionId
    manifest: bytes
    received: date


@dataclass(frozen=True)
class WaitingFollowUp:
    """A follow-up that waits at the portal; ``sealed`` is empty when it came as no base64."""

    sequence: int
    submission: SubmissionId
    sealed: bytes
    day: date


@dataclass(frozen=True)
class SubmissionPage:
    entries: tuple[WaitingSubmission, ...]
    more: bool


@dataclass(frozen=True)
class FollowUpPage:
    entries: tuple[WaitingFollowUp, ...]
    more: bool


def read_info(value: Any) -> PortalInfo:
    """Raises MalformedError."""
    fields = Fields(value, "portal")
    return PortalInfo(fields.text("origin", 300), VerifierKey.parse(fields.text("verifier", 500)))


def read_submissions(value: Any) -> SubmissionPage:
    """Raises MalformedError when the list itself can't be read; entries are judged by the collector."""
    fields = Fields(value, "submissions")
    return SubmissionPage(fields.items("submissions", PAGE_MAX, _submission), fields.boolean("more"))


def read_follow_ups(value: Any) -> FollowUpPage:
    """Raises MalformedError when the list itself can't be read."""
    fields = Fields(value, "follow-ups")
    return FollowUpPage(fields.items("follow_ups", PAGE_MAX, _follow_up), fields.boolean("more"))


def read_next_finding(value: Any) -> FindingId:
    """The id of a commission's next finding. Raises MalformedError."""
    identifier = Fields(value, "findings").text("next", 80)
    parse_finding_id(identifier)
    return FindingId(identifier)


def _submission(value: object) -> WaitingSubmission:
    fields = Fields(value, "a waiting submission")
    return WaitingSubmission(
        sequence=fields.integer("sequence", 1, INTEGER_MAX),
        submission=SubmissionId(fields.hex("submission", 16)),
        manifest=_bytes_or_none(fields.take("manifest")),
        received=parse_day(fields.text("received", 10)),
    )


def _follow_up(value: object) -> WaitingFollowUp:
    fields = Fields(value, "a waiting follow-up")
    return WaitingFollowUp(
        sequence=fields.integer("sequence", 1, INTEGER_MAX),
        submission=SubmissionId(fields.hex("submission", 16)),
        sealed=_bytes_or_none(fields.take("sealed")),
        day=parse_day(fields.text("day", 10)),
    )


def _bytes_or_none(value: object) -> bytes:
    try:
        return decode_base64(value) if isinstance(value, str) else b""
    except MalformedError:
        return b""
