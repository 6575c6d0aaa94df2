# SPDX-License-Identifier: AGPL-3.0-or-later
"""Comparing whole what the portal holds with what this office holds, and mending what differs (docs/protocol.md §10.2).

- It is done when this process starts, when one of the two was restored, and once a day: no counter, cursor or flag of
  either shows every restore.
- What the portal shows and what is here are compared, and nothing that either remembers of the other is believed.
- Whatever is to be mended is found anew by the next comparison: nothing of it is kept but in memory.
"""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from tortoise.expressions import Subquery
from tortoise.functions import Max

from crypto.collection import read_collection
from crypto.errors import CryptoError
from crypto.ids import SubmissionId
from crypto.manifest import manifest_hash
from oversight.commission.charters import charters_by_hash
from oversight.letters.mailbox_commands import commands_of
from oversight.letters.mailbox_states import announcement, mark_missing_states, mark_states_stale
from oversight.letters.outbox import bring_replies_again
from oversight.letters.records import MAILBOX_LOST, PostingRecord, ReplyRecord, ThreadNoteRecord
from oversight.letters.thread_notes import mark_stale
from oversight.reports.beyond_help import MAILBOX, REPORT, ROWS_MAX, TEXT, Lost, note_lost, replace_lost
from oversight.reports.records import MailboxStateRecord, SubmissionRecord
from oversight.wire.comparison_requests import Holding
from oversight.wire.in_parallel import in_parallel
from oversight.wire.list_reading import ListReading
from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_errors import PortalRefused
from oversight.wire.retry import MENDED
from portal.kit.columns import readable

NEVER_TAKEN = frozenset({"submission-conflict", "malformed-request", "not-sealed", "not-your-commission"})
"""Refusals of an announcement that it will get every time."""
ASKED_FOR_PROOF_MAX = 200
"""Of reports that are not here, in one comparison: each costs a request, and a portal may invent any number."""


class Comparison:
    """One office's comparison with its portal, in rounds that may take several visits."""

    def __init__(self) -> None:
        self.reading = ListReading()
        self._not_here: list[SubmissionId] = []
        self._announce: dict[SubmissionId, None] = {}
        self._threads: dict[SubmissionId, None] = {}

    def ask_again(self) -> None:
        """Another round, once the one that is under way is over."""
        self.reading.ask_again()

    @property
    def waiting(self) -> int:
        """How many reports are still to be announced, or have letters to be compared."""
        return len(self._announce) + len(self._threads)

    async def compare(self, client: PortalClient, today: date) -> None:
        """Read on in the portal's list, if a round is under way, and note what differs."""
        if not self.reading.whole:
            return
        if self.reading.after == 0:
            self._not_here.clear()
        try:
            async for entries in self.reading.pages(client.holdings):
                await self._compare_page(entries)
        except PortalRefused as error:
            if error.code != "not-found":
                raise
            # A portal of before knows no such list.
            self.reading.finish_round()
            return
        if not self.reading.ended:
            return
        here: list[Any] = await SubmissionRecord.all().order_by("number").values_list("id", flat=True)
        self._announce |= dict.fromkeys(identifier for identifier in here if identifier not in self.reading.seen)
        await replace_lost(REPORT, await self._proven(client), today)
        # Those that are still lost are found once more by ``announce``.
        await replace_lost(MAILBOX, (), today)
        await ReplyRecord.filter(refused=MAILBOX_LOST).update(refused=None)
        self.reading.finish_round()

    async def announce(self, client: PortalClient, today: date) -> None:
        """Announce the mailboxes that the portal has lost. Raises as ``in_parallel``."""

        async def one(identifier: SubmissionId) -> None:
            await self._announce_one(client, identifier, today)
            self._announce.pop(identifier, None)

        await in_parallel(list(self._announce), one)

    async def compare_threads(self, client: PortalClient, today: date) -> None:
        """Bring letters again, and take up the numbers of those that are not here. Raises as ``in_parallel``."""

        async def one(identifier: SubmissionId) -> None:
            try:
                await bring_replies_again(client, await SubmissionRecord.get(id=identifier), today)
            except PortalRefused as error:
                # A mailbox that is closed or full, or of a report that is still to be announced.
                if error.code not in ("not-found", "mailbox-closed", "mailbox-full"):
                    raise
            await mark_stale([identifier])
            self._threads.pop(identifier, None)

        await in_parallel(list(self._threads), one)
        await replace_lost(TEXT, await _without_text(), today)

    async def _compare_page(self, entries: Sequence[Holding]) -> None:
        named = [entry.submission for entry in entries]
        here = {row.id: row for row in await SubmissionRecord.filter(id__in=named).only("id", "manifest", "confirmed")}
        numbers = await _thread_numbers(named)
        replies = await _last_replies(named)
        states = {row.submission: row for row in await _states(named)}
        unconfirmed, behind, changed = [], [], []
        for entry in entries:
            identifier, row = entry.submission, here.get(entry.submission)
            if row is None:
                self._not_here += [identifier] if entry.collected and entry.deleted else []
                continue
            self.reading.seen.add(identifier)
            if manifest_hash(row.manifest) != entry.manifest:
                # Another report under this id, or damage: no announcement would mend it.
                continue
            if not entry.collected and row.confirmed:
                unconfirmed.append(identifier)
            if entry.thread != numbers.get(identifier, 0):
                behind.append(identifier)
            if entry.last != replies.get(identifier, 0) or entry.thread > numbers.get(identifier, 0):
                self._threads[identifier] = None
            state = states.get(identifier)
            if state is not None and entry.told < readable(state.told, 0):
                self._announce[identifier] = None
            elif state is not None and entry.told > readable(state.told, 0):
                changed.append(identifier)
        await SubmissionRecord.filter(id__in=unconfirmed).update(confirmed=False)
        await mark_stale(behind)
        await mark_states_stale(changed)
        await mark_missing_states(named)

    async def _announce_one(self, client: PortalClient, identifier: SubmissionId, today: date) -> None:
        submission = await SubmissionRecord.get(id=identifier)
        announced = await announcement(client, submission)
        if announced is None and (await commands_of(identifier)).closed:
            # To its reporter a closed one is as good as none.
            return
        if announced is None:
            await note_lost(MAILBOX, [(identifier, identifier)], today)
            return
        try:
            await client.announce(identifier, announced)
        except PortalRefused as error:
            if error.code not in NEVER_TAKEN:
                raise
            await note_lost(MAILBOX, [(identifier, identifier)], today)
            return
        await mark_stale([identifier])
        await ReplyRecord.filter(submission=identifier, posted_on=None).update(**MENDED)
        if await PostingRecord.filter(submission=identifier, held=True).exists():
            self._threads[identifier] = None

    async def _proven(self, client: PortalClient) -> list[Lost]:
        """Of the reports that are not here: those that an office key of this commission confirmed."""
        office = list({key for charter in (await charters_by_hash()).values() for key in charter.office})
        lost: list[Lost] = []
        for identifier in self._not_here[:ASKED_FOR_PROOF_MAX]:
            try:
                standing = await client.mailbox(identifier)
                if read_collection(standing.collection or b"", office).submission == identifier:
                    lost.append((identifier, None))
            except (CryptoError, PortalRefused):
                continue
        return lost


async def _thread_numbers(named: Iterable[SubmissionId]) -> dict[SubmissionId, int]:
    rows = await ThreadNoteRecord.filter(submission__in=list(named)).only("submission", "number")
    return {row.submission: readable(row.number, 0) for row in rows}


async def _last_replies(named: Iterable[SubmissionId]) -> dict[SubmissionId, int]:
    """The number of the last reply of each that the portal had."""
    held = PostingRecord.filter(submission__in=list(named), held=True).annotate(last=Max("number"))
    rows: list[Any] = await held.group_by("submission").values_list("submission", "last")
    return {submission: readable(last, 0) for submission, last in rows}


async def _states(named: Iterable[SubmissionId]) -> list[MailboxStateRecord]:
    return await MailboxStateRecord.filter(submission__in=list(named)).only("submission", "told")


async def _without_text() -> list[Lost]:
    """Letters that are in reporters' mailboxes, and that this office has lost."""
    written = Subquery(ReplyRecord.all().values("id"))
    rows = PostingRecord.filter(held=True).exclude(message__in=written).order_by("id").limit(ROWS_MAX)
    return [(row.message, row.submission) for row in await rows.only("id", "message", "submission")]
