# SPDX-License-Identifier: AGPL-3.0-or-later
"""What an office asks to find out whether it or the portal was restored, and to mend it (docs/protocol.md §10.2).

As everywhere, answers are read with limits, and nothing in them is believed without a proof.
"""

import json
from dataclasses import dataclass
from typing import Any

from crypto.document import Fields
from crypto.encoding import HASH_BYTES, ID_BYTES, INTEGER_MAX, decode_base64, encode_base64
from crypto.finding import parse_finding_id
from crypto.ids import FindingId, SubmissionId, TextHash
from crypto.manifest import STATE_SEALED_MAX
from crypto.statement import NUMBER_MAX
from oversight.wire.portal_responses import NOTE_CHARS_MAX, PAGE_MAX, Page, read_page
from oversight.wire.requests import PortalRequest, PortalRequests

HOLDINGS_MAX = 1000
TOLD_MAX = 100_000


@dataclass(frozen=True)
class Visit:
    """``mark`` is to be named at the next visit; ``known`` whether the portal knew the one that was named now."""

    mark: str
    known: bool


@dataclass(frozen=True)
class Holding:
    """What the portal says that it holds of one submission.

    ``told`` counts the changes of its mailbox that this office is told of; ``thread`` and ``last`` are the numbers of
    its thread note and of its last reply, 0 for none. ``deleted`` are the files alone.
    """

    sequence: int
    submission: SubmissionId
    manifest: str
    collected: bool
    deleted: bool
    told: int
    thread: int
    last: int


@dataclass(frozen=True)
class MailboxStanding:
    """A mailbox as the portal has it: the state's sealed bytes, empty if it is closed, the control note that made it,
    and what it counts (``Holding.told``); the collection note, if there is one."""

    told: int
    state: bytes
    control: bytes | None
    collection: bytes | None


@dataclass(frozen=True)
class Announcement:
    """A mailbox that is announced again; notes and sealed bytes as they were kept."""

    manifest: bytes
    acknowledgement: bytes
    collection: bytes
    state: bytes
    control: bytes | None
    told: int
    commands: tuple[bytes, ...]


@dataclass(frozen=True)
class RegisterEntry:
    """A revision in the portal's register; ``receipt`` is its signed word that it took it, if it gives one."""

    sequence: int
    finding: FindingId
    revision: int
    hash: TextHash
    receipt: bytes


class ComparisonRequests(PortalRequests):
    """One method for each of these requests."""

    async def begin_visit(self, process: str, mark: str | None) -> Visit:
        """Ask for the turn, for this process of the office. PortalRefused (``office-elsewhere``) if another has it."""
        return await self._post_json(_read_visit, "/office/visits", {"process": process, "mark": mark})

    async def end_visit(self, process: str) -> None:
        """Give the turn back."""
        await self._post_json(lambda value: None, "/office/visits/end", {"process": process, "mark": None})

    async def holdings(self, after: int) -> Page[Holding]:
        """At most 1,000 submissions with a sequence above ``after``, also such as were deleted."""
        return await self._json(_read_holdings, PortalRequest("GET", f"/office/holdings?after={after}"))

    async def mailbox(self, submission: SubmissionId) -> MailboxStanding:
        """What is needed to announce a mailbox again."""
        return await self._json(_read_mailbox, PortalRequest("GET", f"/office/submissions/{submission}/mailbox"))

    async def announce(self, submission: SubmissionId, announced: Announcement) -> None:
        """Have the portal make a mailbox again that it has lost, or take a state of it that counts more changes."""
        value = {
            "manifest": encode_base64(announced.manifest),
            "acknowledgement": announced.acknowledgement.decode("utf-8", "replace"),
            "collection": announced.collection.decode("utf-8"),
            "state": encode_base64(announced.state),
            "control": None if announced.control is None else announced.control.decode("utf-8", "replace"),
            "told": announced.told,
            "commands": [command.decode("utf-8", "replace") for command in announced.commands],
        }
        await self._post_json(lambda value: None, f"/office/submissions/{submission}/announcement", value)

    async def findings(self, after: int) -> Page[RegisterEntry]:
        """At most 100 revisions of this commission in the portal's register, with a sequence above ``after``."""
        return await self._json(_read_findings, PortalRequest("GET", f"/office/findings?after={after}"))

    async def publish_again(self, note: bytes, receipt: bytes) -> None:
        """Hand over a finding that the register took before and has lost."""
        body = json.dumps({"finding": note.decode("utf-8"), "receipt": receipt.decode("utf-8")}, ensure_ascii=False)
        headers = {"Content-Type": "application/json"}
        await self._body(PortalRequest("POST", "/office/findings/again", body.encode("utf-8"), headers))


def _read_visit(value: Any) -> Visit:
    fields = Fields(value, "a visit")
    return Visit(fields.hex("mark", ID_BYTES), fields.boolean("known"))


def _read_holdings(value: Any) -> Page[Holding]:
    return read_page(value, "holdings", _holding, HOLDINGS_MAX)


def _holding(fields: Fields, sequence: int) -> Holding:
    return Holding(
        sequence=sequence,
        submission=SubmissionId(fields.hex("submission", ID_BYTES)),
        manifest=fields.hex("manifest", HASH_BYTES),
        collected=fields.boolean("collected"),
        deleted=fields.boolean("deleted"),
        told=_told(fields),
        thread=fields.integer("thread", 0, INTEGER_MAX),
        last=fields.integer("last", 0, INTEGER_MAX),
    )


def _read_mailbox(value: Any) -> MailboxStanding:
    fields = Fields(value, "a mailbox")
    state = None if fields.is_null("state") else fields.text("state", 4 * (STATE_SEALED_MAX // 3 + 1))
    return MailboxStanding(
        told=_told(fields),
        state=b"" if state is None else decode_base64(state),
        control=_note(fields, "control"),
        collection=_note(fields, "collection"),
    )


def _told(fields: Fields) -> int:
    """A count that nothing proves: above ``TOLD_MAX`` it says no more, so that no lie makes a mailbox unreadable."""
    return min(fields.integer("told", 0, INTEGER_MAX), TOLD_MAX)


def _note(fields: Fields, name: str) -> bytes | None:
    return None if fields.is_null(name) else fields.text(name, NOTE_CHARS_MAX).encode("utf-8")


def _read_findings(value: Any) -> Page[RegisterEntry]:
    return read_page(value, "findings", _finding, PAGE_MAX)


def _finding(fields: Fields, sequence: int) -> RegisterEntry:
    identifier = fields.text("id", 80)
    parse_finding_id(identifier)
    receipt = fields.text("receipt", NOTE_CHARS_MAX) if fields.has("receipt") and not fields.is_null("receipt") else ""
    return RegisterEntry(
        sequence=sequence,
        finding=FindingId(identifier),
        revision=fields.integer("revision", 1, NUMBER_MAX),
        hash=TextHash(fields.hex("hash", HASH_BYTES)),
        receipt=receipt.encode("utf-8"),
    )
