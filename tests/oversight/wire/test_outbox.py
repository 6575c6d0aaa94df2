# SPDX-License-Identifier: AGPL-3.0-or-later
"""What waits for the portal goes out once, oldest first, and waits through whatever may pass."""

import asyncio
import errno
from collections.abc import Awaitable, Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import pairwise
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError

from oversight.findings.publication import BY_WHAT_IS_THERE, FINDINGS
from oversight.findings.records import PublicationRecord
from oversight.letters.outbox import LETTERS
from oversight.letters.records import ReplyRecord
from oversight.storage import Database
from oversight.wire import outbox as outbox_module
from oversight.wire.comparison_requests import RegisterEntry
from oversight.wire.outbox import Outbox, OutgoingRecord
from oversight.wire.portal_client import SealedThreadNote
from oversight.wire.portal_errors import PortalRefused, PortalUnreachable
from oversight.wire.portal_responses import Page
from tests.oversight.case_desk import store
from tests.oversight.sealed_reports import sealed_report, under_new_id, waiting_letter
from tests.oversight.times_up import TimesUp
from tests.people import NOW, TODAY, found_test_commission

FULL = OSError(errno.ENOSPC, "no space left")

PASSING = ("signature-invalid", "storage-full", "mailbox-full", "damaged", "some-later-code")
Make = Callable[[int], Awaitable[OutgoingRecord]]


async def _letter(number: int) -> ReplyRecord:
    """One to each of as many reporters."""
    world = found_test_commission()
    submission = await store(under_new_id(sealed_report(world)), TODAY)
    return await waiting_letter(world, submission.id, number, sealed=b"%d" % number)


async def _finding(number: int) -> PublicationRecord:
    return await PublicationRecord.create(
        hash=f"{number:064x}", number=number, case="2" * 32, finding="F", note=b"%d" % number
    )


@pytest.fixture(autouse=True)
def _in_database(database: Database) -> Iterator[None]:
    with database.use():
        yield


class StubClient:
    """A portal that takes letters and findings, and gives ``trouble`` as its answer as long as there is any."""

    def __init__(self, trouble: Exception | None = None, *, hangs: bool = False) -> None:
        self.trouble = trouble
        self.hangs = hangs
        self.taken: list[bytes] = []
        self.office_key = found_test_commission().office_key

    async def post_reply(self, posting: bytes, last: int, sealed: bytes, thread: SealedThreadNote) -> bytes:
        await self.publish_finding(sealed)
        return posting

    async def findings(self, after: int) -> Page[RegisterEntry]:
        """A register that never had anything."""
        return Page((), more=False, unreadable=0, highest=0)

    async def publish_finding(self, note: bytes) -> None:
        if self.hangs:
            await asyncio.Event().wait()
        if self.trouble is not None:
            raise self.trouble
        self.taken.append(note)


both_kinds = pytest.mark.parametrize(
    ("outbox", "make"), [(LETTERS, _letter), (FINDINGS, _finding)], ids=["letters", "findings"]
)


async def standing(outbox: Outbox[Any]) -> list[tuple[int, str]]:
    return [(row.number, row.progress) for row in await outbox.rows.all().order_by("number")]


@both_kinds
@pytest.mark.parametrize("code", PASSING)
async def test_what_is_refused_for_a_reason_that_may_pass_waits_and_goes_out_later(
    outbox: Outbox[Any], make: Make, code: str
) -> None:
    for _ in range(2):
        await outbox.store(make)
    client: Any = StubClient(PortalRefused(code, 400))
    with pytest.raises(PortalRefused):
        await outbox.post_waiting(client, NOW)
    assert await standing(outbox) == [(1, "waiting"), (2, "waiting")]
    client.trouble = None
    assert await outbox.post_waiting(client, NOW) == 2
    assert await outbox.post_waiting(client, NOW + timedelta(days=1)) == 0
    assert client.taken == [b"1", b"2"]
    assert await standing(outbox) == [(1, "posted"), (2, "posted")]


@both_kinds
async def test_what_is_refused_for_good_is_never_posted_again(outbox: Outbox[Any], make: Make) -> None:
    await outbox.store(make)
    # What waits before it may be the reason for these (publication).
    for code in outbox.final_refusals - BY_WHAT_IS_THERE:
        row = await outbox.store(make)
        client: Any = StubClient(PortalRefused(code, 400))
        assert await outbox.post_one(client, row, TODAY) is False
        assert (await outbox.rows.get(number=row.number)).refused == code
    client = StubClient()
    assert await outbox.post_waiting(client, NOW) == 1
    assert client.taken == [b"1"]


@both_kinds
@pytest.mark.parametrize(
    "trouble", [PortalUnreachable(), PortalRefused("signature-invalid", 401), TimeoutError(), FULL]
)
async def test_what_a_click_cannot_post_is_left_for_the_collector(
    outbox: Outbox[Any], make: Make, trouble: Exception
) -> None:
    row = await outbox.store(make)
    client: Any = StubClient(trouble)
    await outbox.post_soon(client, row, TODAY)
    assert row.progress == "waiting"
    client.trouble = None
    for _ in range(2):
        await outbox.post_soon(client, row, TODAY)
    assert (row.progress, client.taken) == ("posted", [b"1"])


async def test_a_portal_that_takes_too_long_does_not_hold_up_a_click(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outbox_module, "POST_SECONDS_MAX", 0.0)
    row = await LETTERS.store(_letter)
    client: Any = StubClient(hangs=True)
    async with asyncio.timeout(5):
        await LETTERS.post_soon(client, row, TODAY)
    assert await standing(LETTERS) == [(1, "waiting")]


@both_kinds
async def test_a_number_that_somebody_else_took_is_replaced_by_the_next(outbox: Outbox[Any], make: Make) -> None:
    tried: list[int] = []

    async def overtaken(number: int) -> OutgoingRecord:
        tried.append(number)
        if len(tried) == 1:
            raise IntegrityError("somebody else was faster")
        return await make(number)

    await outbox.store(make)
    assert (await outbox.store(overtaken)).number == 2
    assert tried == [2, 2]


async def test_a_row_that_can_never_be_stored_ends_in_an_error() -> None:
    async def never(number: int) -> ReplyRecord:
        raise IntegrityError("never")

    with pytest.raises(IntegrityError):
        await LETTERS.store(never)
    assert await standing(LETTERS) == []


class PickyClient(StubClient):
    """A portal that answers some with an error, for ever."""

    def __init__(self, *refused: bytes) -> None:
        super().__init__()
        self.refused = refused

    async def publish_finding(self, note: bytes) -> None:
        if note in self.refused:
            raise PortalRefused("internal", 500)
        await super().publish_finding(note)


class SlowClient(StubClient):
    """A portal that does not answer in time for one text."""

    def __init__(self, times: TimesUp, slow: bytes) -> None:
        super().__init__()
        self.times, self.slow = times, slow
        self.asked: list[bytes] = []

    async def publish_finding(self, note: bytes) -> None:
        self.asked.append(note)
        if note == self.slow:
            await self.times.hang()
        await super().publish_finding(note)


async def test_a_letter_that_fails_holds_up_no_other_and_is_tried_ever_later() -> None:
    for _ in range(3):
        await LETTERS.store(_letter)
    client: Any = PickyClient(b"2")
    now, tries = NOW, []
    for _ in range(200):
        before = (await ReplyRecord.get(number=2)).attempts
        with suppress(PortalRefused):
            await LETTERS.post_waiting(client, now)
        if (await ReplyRecord.get(number=2)).attempts > before:
            tries.append(now)
        now += timedelta(minutes=1)
    assert client.taken == [b"1", b"3"]
    row = await ReplyRecord.get(number=2)
    assert (row.problem, row.failing_since, row.progress) == ("internal", TODAY, "waiting")
    waits = [(later - earlier).total_seconds() / 60 for earlier, later in pairwise(tries)]
    assert waits == [1, 2, 4, 8, 16, 32, 60, 60]


async def test_one_that_takes_too_long_fails_by_itself_and_comes_after_the_others(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for _ in range(3):
        await LETTERS.store(_letter)
    client: Any = SlowClient(TimesUp(monkeypatch), b"1")
    with pytest.raises(PortalUnreachable):
        await LETTERS.post_waiting(client, NOW)
    assert client.taken == [b"2", b"3"]
    row = await ReplyRecord.get(number=1)
    assert (row.problem, row.attempts, row.progress) == ("slow", 1, "waiting")
    await LETTERS.store(_letter)
    client.asked.clear()
    with pytest.raises(PortalUnreachable):
        await LETTERS.post_waiting(client, NOW)
    assert client.asked == [b"4", b"1"]


async def test_a_new_finding_that_fails_holds_up_later_new_ones_and_no_correction() -> None:
    """The register takes new findings in the order of their numbers alone: a later one would be refused for good."""
    texts = {}
    for number, (identifier, revision) in enumerate([("F.1", 1), ("F.2", 1), ("F.0", 2)], 1):
        note = b"%d" % number
        texts[note] = revision
        await PublicationRecord.create(
            hash=f"{number:064x}", number=number, case="2" * 32, finding=identifier, note=note
        )
    outbox = replace(FINDINGS, lane=lambda row: "" if texts[row.note] == 1 else row.finding)
    client: Any = PickyClient(b"1")
    with pytest.raises(PortalRefused):
        await outbox.post_waiting(client, NOW)
    assert client.taken == [b"3"]
    client.refused = ()
    assert await outbox.post_waiting(client, NOW) == 2
    assert client.taken == [b"3", b"1", b"2"]
