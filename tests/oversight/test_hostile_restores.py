# SPDX-License-Identifier: AGPL-3.0-or-later
"""Around a restore a portal refuses what it takes a minute later, lies, or is of another version (docs/protocol.md
§10.2): nothing is given up for it, and nothing that was kept gives way to it."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import pytest

from crypto.ids import FindingId, SubmissionId, TextHash
from oversight.findings.records import PublicationRecord
from oversight.findings.register_comparison import compare_register
from oversight.letters.outbox import LETTERS
from oversight.letters.records import PostingRecord, ReplyRecord
from oversight.reports.records import BeyondHelpRecord, MailboxStateRecord, SubmissionRecord
from oversight.wire.comparison_requests import MailboxStanding, RegisterEntry
from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_errors import PortalError, PortalRefused, PortalUnreachable
from oversight.wire.portal_responses import Page
from portal.office_api.visits import Visits
from portal.storage.errors import BusyError
from tests.findings import publish_finding
from tests.oversight.restores import Folders, Pair
from tests.people import TODAY
from tests.portal.world import commission

ASK = PortalClient.mailbox


@pytest.fixture
def folders(tmp_path: Path, empty_database: Path, static_folder: Path) -> Folders:
    return Folders(tmp_path, empty_database, static_folder)


async def lose_report(folders: Folders) -> None:
    """A report that the office holds, and a portal in ``empty`` that has lost it."""
    async with folders.running():
        pass
    folders.copy("empty")
    async with folders.running() as pair:
        await pair.report("new")
        await pair.collect(visits=2)


async def state_of(pair: Pair) -> MailboxStateRecord:
    with pair.office.database.use():
        row = await MailboxStateRecord.all().first()
    assert row is not None
    return row


async def is_answered(pair: Pair, body: str) -> bool:
    seen = await pair.seen("new")
    return seen is not None and [reply.body for reply in seen.replies] == [body]


async def test_a_letter_that_a_page_posts_before_its_mailbox_is_back_goes_out_afterwards(folders: Folders) -> None:
    await lose_report(folders)
    async with folders.running("empty", "now") as pair:
        await pair.letter("new", 1, "an answer")
        client = pair.wire.client()
        with pair.office.database.use():
            row = await ReplyRecord.all().first()
            assert row is not None
            await LETTERS.post_soon(client, row, TODAY)
            assert row.progress == "waiting"
        await client.close()
        await pair.collect()
        assert await is_answered(pair, "an answer")


async def test_no_letter_is_given_up_for_a_comparison_that_failed(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def broken(self: PortalClient, after: int) -> object:
        raise PortalUnreachable

    await lose_report(folders)
    async with folders.running("empty", "now") as pair:
        await pair.letter("new", 1, "an answer")
        with monkeypatch.context() as patch, suppress(PortalError):
            patch.setattr(PortalClient, "holdings", broken)
            await pair.collect()
        await pair.collect()
        assert await is_answered(pair, "an answer")


async def test_an_office_that_was_not_given_the_turn_signs_no_numbers(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(self: Visits, slug: str, process: str, mark: str | None) -> object:
        raise BusyError

    async with folders.running() as pair:
        await pair.report("new")
        await pair.collect()
        await pair.letter("new", 1, "an answer")
        await pair.report("another")
        with monkeypatch.context() as patch, suppress(PortalError):
            patch.setattr(Visits, "begin", busy)
            await pair.collect()
        with pair.office.database.use():
            assert await SubmissionRecord.all().count() == 2
            assert await PostingRecord.all().count() == 0
        await pair.collect()
        assert await is_answered(pair, "an answer")


async def test_a_state_that_no_reporter_signed_takes_no_place_of_one_that_is_kept(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def lying(self: PortalClient, submission: SubmissionId) -> MailboxStanding:
        true = await ASK(self, submission)
        return replace(true, state=bytes(len(true.state)), control=None, told=9)

    async with folders.running() as pair:
        await pair.report("new")
        await pair.threads["new"].send("one")
        await pair.collect(visits=2)
        kept = await state_of(pair)
        assert kept.control is not None
        await pair.threads["new"].send("two")
        with monkeypatch.context() as patch, suppress(PortalError):
            patch.setattr(PortalClient, "mailbox", lying)
            await pair.collect()
        assert ((await state_of(pair)).sealed, (await state_of(pair)).told) == (kept.sealed, kept.told)
        pair.office.clock.forward(minutes=5)
        await pair.collect()
        assert (await state_of(pair)).told == kept.told + 1


async def test_a_state_that_a_portal_did_not_give_is_fetched_once_it_does(
    folders: Folders, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It was of a version that knows no such request."""

    async def old(self: PortalClient, submission: SubmissionId) -> MailboxStanding:
        raise PortalRefused("not-found", 404)

    async with folders.running() as pair:
        await pair.report("new")
        with monkeypatch.context() as patch:
            patch.setattr(PortalClient, "mailbox", old)
            await pair.collect(visits=2)
        assert (await state_of(pair)).sealed is None
        await pair.collect()
        assert (await state_of(pair)).sealed is not None


async def test_a_finding_without_a_receipt_that_a_register_has_lost_is_whole_again_once_it_is_listed(
    folders: Folders,
) -> None:
    """The register went back before the office saw a receipt, and the text's day is too long ago by now."""
    first = publish_finding(commission())
    async with folders.running():
        pass
    folders.copy("before")
    async with folders.running() as pair:
        with pair.office.database.use():
            about = {"hash": first.hash, "finding": first.id, "note": first.note}
            await PublicationRecord.create(number=1, case="ca" * 16, **about)
        await pair.collect()
    folders.clock.pass_days(40)
    async with folders.running("before", "now") as pair:
        await pair.collect(visits=2)
        with pair.office.database.use():
            row = await PublicationRecord.get(hash=first.hash)
        # Members read so: it takes a text of today.
        assert (row.progress, row.refused) == ("refused", "finding-malformed")
    async with folders.running() as pair:
        await pair.collect()
        with pair.office.database.use():
            row = await PublicationRecord.get(hash=first.hash)
        assert (row.progress, row.receipt is not None) == ("posted", True)


async def test_a_register_without_an_end_and_findings_of_others_are_bounded(folders: Folders) -> None:
    async with folders.running() as pair:
        client = pair.wire.client()

        def page(after: int, slug: str, *, more: bool) -> Page[RegisterEntry]:
            entries = tuple(
                RegisterEntry(
                    number, FindingId(f"XFI:ZZ:{slug}:2026:F.{number:04}"), 1, TextHash(f"{number:064x}"), b""
                )
                for number in range(after + 1, after + 101)
            )
            return Page(entries, more=more, unreadable=0, highest=after + 100)

        async def others(after: int) -> Page[RegisterEntry]:
            return page(after, "OTHERS", more=after < 500)

        async def endless(after: int) -> Page[RegisterEntry]:
            return page(after, commission().slug.upper(), more=True)

        with pair.office.database.use():
            client.findings = others  # type: ignore[method-assign]
            await compare_register(client, TODAY)
            assert await BeyondHelpRecord.all().count() == 0
            client.findings = endless  # type: ignore[method-assign]
            with pytest.raises(PortalUnreachable, match="does not end"):
                await compare_register(client, TODAY)
        await client.close()
