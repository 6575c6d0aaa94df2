# SPDX-License-Identifier: AGPL-3.0-or-later
"""However much a reporter, or a portal that lies, sends to one report: its page stays short, and leads to all of it."""

import re
from datetime import timedelta

import pytest

from crypto.ids import MessageId
from crypto.message import message_id
from crypto.submission import SealedSubmission
from oversight.desk.report_pages import BODY_SHOWN
from oversight.letters.letter_reader import LetterReader
from oversight.letters.records import FollowUpRecord
from oversight.letters.thread_order import PAGE_LETTERS
from tests.oversight.case_desk import store
from tests.oversight.office import Office
from tests.oversight.sealed_reports import first_keys, sealed_follow_up, sealed_report, waiting_letter
from tests.people import TODAY

pytestmark = pytest.mark.usefixtures("in_database")
LETTER = re.compile(r'<li id="letter-([0-9a-f]{32})"')


@pytest.fixture
async def sealed(office: Office) -> SealedSubmission:
    sealed = sealed_report(office.world)
    await store(sealed, TODAY)
    return sealed


class Sender:
    """Whoever sends to the report."""

    def __init__(self, office: Office, sealed: SealedSubmission) -> None:
        self.office, self.sealed = office, sealed
        self.keys = first_keys(sealed, office.world)
        self.rows: list[FollowUpRecord] = []

    def write(self, number: int, body: str = "One thing more.", **changed: object) -> MessageId:
        content = sealed_follow_up(self.sealed, self.office.world, number, body=body, keys=self.keys, **changed)
        return self.bring(content)

    def bring(self, content: bytes) -> MessageId:
        identifier, sequence = message_id(content), len(self.rows) + 1
        submission = self.sealed.manifest.submission
        self.rows.append(
            FollowUpRecord(id=identifier, sequence=sequence, submission=submission, day=TODAY, sealed=content)
        )
        return identifier

    async def arrive(self) -> None:
        await FollowUpRecord.bulk_create(self.rows)


@pytest.fixture
def sender(office: Office, sealed: SealedSubmission) -> Sender:
    return Sender(office, sealed)


@pytest.fixture
def here(sealed: SealedSubmission) -> str:
    return f"/reports/{sealed.manifest.submission}"


async def test_a_report_with_many_letters_shows_the_newest_and_leads_to_all_others(
    office: Office, sender: Sender, here: str
) -> None:
    sent = [sender.write(number) for number in range(1, 2 * PAGE_LETTERS + 11)]
    await sender.arrive()
    browser = await office.browser_of("bruno")
    path, found = here, []
    for words in ("Letters 61 to 110 of 110", "Letters 11 to 60 of 110", "Letters 1 to 10 of 110"):
        page = (await browser.get(path)).text
        assert page.count(words) == 2, words
        found = [*LETTER.findall(page), *found]
        earlier = re.search(r'href="([^"#]+)#letters" rel="prev"', page)
        path = earlier[1] if earlier else ""
    assert found == sent and not path
    later = re.search(r'href="([^"#]+)#letters" rel="next"', page)
    assert later and LETTER.findall((await browser.get(later[1])).text) == sent[10:60]


async def test_only_the_letters_that_were_shown_count_as_seen(office: Office, sender: Sender, here: str) -> None:
    sent = [sender.bring(b"opens for nobody %d" % number) for number in range(PAGE_LETTERS + 3)]
    await sender.arrive()
    browser = await office.browser_of("bruno")
    await browser.get(here)
    assert {row.id for row in await FollowUpRecord.filter(seen_on=None)} == set(sent[:3])
    assert "3 new messages" in (await browser.get("/queue")).text


async def test_a_page_of_letters_that_is_no_longer_there_is_the_newest(
    office: Office, sender: Sender, here: str
) -> None:
    sent = [sender.bring(b"opens for nobody %d" % number) for number in range(PAGE_LETTERS + 1)]
    await sender.arrive()
    browser = await office.browser_of("bruno")
    for stale in ("0", "-1", "52", "9" * 300, "x", "١"):
        page = await browser.get(f"{here}?letters={stale}")
        assert page.status_code == 200 and LETTER.findall(page.text) == sent[1:], stale


async def test_a_long_letter_stands_whole_on_a_page_of_its_own(office: Office, sender: Sender, here: str) -> None:
    body = "a" * BODY_SHOWN + "<end>" * 9000
    identifier = sender.write(1, body)
    short = sender.write(2)
    await sender.arrive()
    browser = await office.browser_of("bruno")
    page = (await browser.get(here)).text
    assert "a" * BODY_SHOWN in page and "&lt;end&gt;" not in page
    assert f"These are its first {BODY_SHOWN} of {len(body)} characters." in page
    assert f'href="{here}/letters/{identifier}"' in page and f"{here}/letters/{short}" not in page
    alone = (await browser.get(f"{here}/letters/{identifier}")).text
    assert alone.count("&lt;end&gt;") == 9000 and "Letter 1 of 2" in alone
    assert f'href="{here}?letters=2#letter-{identifier}"' in alone


async def test_a_letter_is_shown_with_its_own_report_alone(office: Office, sender: Sender, here: str) -> None:
    identifier = sender.write(1)
    await sender.arrive()
    other = sealed_report(office.world)
    await store(other, TODAY)
    browser = await office.browser_of("bruno")
    elsewhere = f"/reports/{other.manifest.submission}/letters/{identifier}"
    assert (await browser.get(elsewhere)).status_code == 404
    assert (await browser.get(f"{here}/letters/{'0' * 32}")).status_code == 404


async def test_replies_stand_among_the_letters_of_their_day(
    office: Office, sender: Sender, sealed: SealedSubmission, here: str
) -> None:
    sent = [sender.bring(b"opens for nobody %d" % number) for number in range(PAGE_LETTERS + 5)]
    for row in sender.rows[-4:]:
        row.day = TODAY + timedelta(days=1)
    await sender.arrive()
    reply = await waiting_letter(office.world, sealed.manifest.submission)
    due = [*sent[:-4], reply.id, *sent[-4:]]
    browser = await office.browser_of("bruno")
    assert set(LETTER.findall((await browser.get(here)).text)) == set(due[6:])
    assert set(LETTER.findall((await browser.get(f"{here}?letters=6")).text)) == set(due[:6])
    assert "Letter 52 of 56" in (await browser.get(f"{here}/letters/{reply.id}")).text
    assert "Letter 56 of 56" in (await browser.get(f"{here}/letters/{sent[-1]}")).text
    assert f"{here}?letters=6#" in (await browser.get(f"{here}/letters/{sent[0]}")).text


class TestMessagesAreComparedAcrossPages:
    async def test_one_whose_number_another_page_has_is_doubtful(
        self, office: Office, sender: Sender, here: str
    ) -> None:
        for number in (*range(1, PAGE_LETTERS + 2), 1):
            sender.write(number, f"number {number}")
        await sender.arrive()
        browser = await office.browser_of("bruno")
        page = (await browser.get(here)).text
        assert page.count("another message has the same number") == 1
        assert "has not arrived" not in page

    async def test_one_that_is_missing_between_two_pages_is_named(
        self, office: Office, sender: Sender, here: str
    ) -> None:
        for number in (1, 2, *range(4, PAGE_LETTERS + 5)):
            sender.write(number)
        await sender.arrive()
        browser = await office.browser_of("bruno")
        assert "message number 3 has not arrived" in (await browser.get(here)).text
        assert "message number 3 has not arrived" in (await browser.get(f"{here}?letters=2")).text

    async def test_nothing_is_said_to_be_missing_before_all_were_opened(
        self, office: Office, sender: Sender, here: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("oversight.letters.thread.SECONDS_MAX", 0.0)
        for number in range(2, PAGE_LETTERS + 4):
            sender.write(number)
        await sender.arrive()
        browser = await office.browser_of("bruno")
        page = (await browser.get(here)).text
        assert "has not arrived" not in page
        assert "2 messages of the reporter on other pages were not opened yet" in page
        await browser.get(f"{here}?letters=2")
        page = (await browser.get(here)).text
        assert "message number 1 has not arrived" in page and "not opened yet" not in page

    async def test_each_is_opened_once_and_then_only_with_its_page(
        self, office: Office, sender: Sender, here: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        for number in range(1, PAGE_LETTERS + 4):
            sender.write(number)
        await sender.arrive()
        browser = await office.browser_of("bruno")
        await browser.get(here)
        opened: list[int] = []
        whole = LetterReader.open_all
        monkeypatch.setattr(LetterReader, "open_all", lambda self, rows: opened.append(len(rows)) or whole(self, rows))
        await browser.get(here)
        assert opened == [PAGE_LETTERS]


async def test_many_gaps_are_counted_when_they_are_not_named(office: Office, sender: Sender, here: str) -> None:
    for number in range(2, 50, 2):
        sender.write(number)
    await sender.arrive()
    page = (await (await office.browser_of("bruno")).get(here)).text
    assert page.count("has not arrived") == 20 and "There are 4 more gaps like these." in page
