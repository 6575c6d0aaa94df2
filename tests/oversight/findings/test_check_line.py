# SPDX-License-Identifier: AGPL-3.0-or-later
"""Outgoing checks at the same moment: one after the other, the same one once, and whoever is too many is told so."""

import asyncio
import threading
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import httpx
import pytest

from oversight.findings import finding_pages
from oversight.findings.check import CheckReport, check_finding
from oversight.findings.check_line import OF_ONE_MAX, CheckLine
from oversight.ledger.records import EventRecord
from portal.kit.waiting_line import LineFullError
from tests.oversight.cases.case_browsing import head_of
from tests.oversight.findings.finding_office import FindingOffice, second_case, text_of
from tests.waiting import SECONDS_MAX

BUSY = "Other texts are being checked"


@dataclass
class Held:
    """Checks that begin, and end when they are let go."""

    texts: list[str] = field(default_factory=list)
    running: int = 0
    most: int = 0
    may_end: threading.Event = field(default_factory=threading.Event)

    def check(self, draft: Any, text_sha256: Any, material: Any) -> CheckReport:
        self.texts.append(text_sha256)
        self.running += 1
        self.most = max(self.most, self.running)
        assert self.may_end.wait(SECONDS_MAX)
        self.running -= 1
        return check_finding(draft, text_sha256, material)

    async def until_begun(self) -> None:
        async with asyncio.timeout(SECONDS_MAX):
            while not self.texts:  # noqa: ASYNC110
                await asyncio.sleep(0)


@pytest.fixture
def held(monkeypatch: pytest.MonkeyPatch) -> Iterator[Held]:
    checks = Held()
    monkeypatch.setattr(finding_pages, "check_finding", checks.check)
    yield checks
    checks.may_end.set()


async def another(work: FindingOffice) -> FindingOffice:
    """A second case, and the same browsers."""
    other = await second_case(work)
    await work.browser("elif")
    other.browsers = work.browsers
    return other


async def draft(work: FindingOffice) -> None:
    assert (await work.keep(await work.browser("bruno"))).status_code == 303


async def check(work: FindingOffice, label: str) -> httpx.Response:
    return await work.act(await work.browser(label), "check")


async def checks_recorded(work: FindingOffice) -> int:
    with work.office.database.use():
        return await EventRecord.filter(case=work.case, type="checked").count()


async def test_the_same_check_asked_for_twice_is_made_and_recorded_once(work: FindingOffice, held: Held) -> None:
    await draft(work)
    asked = [await work.browser(label) for label in ("elif", "chiara", "elif")]
    waiting = [asyncio.create_task(work.act(browser, "check")) for browser in asked]
    await held.until_begun()
    await asyncio.gather(*(browser.get(work.path) for browser in asked))
    held.may_end.set()
    for answer in await asyncio.gather(*waiting):
        assert answer.status_code == 303
        assert answer.headers["location"] == f"{work.path}?done=checked#check"
    assert len(held.texts) == 1
    assert await checks_recorded(work) == 1


async def test_checks_of_several_cases_run_one_after_the_other(work: FindingOffice, held: Held) -> None:
    other = await another(work)
    for each in (work, other):
        await draft(each)
    waiting = [asyncio.create_task(check(each, "elif")) for each in (work, other)]
    await held.until_begun()
    # Others go on reading meanwhile.
    assert (await (await work.browser("bruno")).get("/queue")).status_code == 200
    held.may_end.set()
    assert [answer.status_code for answer in await asyncio.gather(*waiting)] == [303, 303]
    assert (len(held.texts), held.most) == (2, 1)


async def test_who_finds_the_line_full_reads_so_and_checks_the_same_text_again(work: FindingOffice, held: Held) -> None:
    work.office.app.state.checks = CheckLine(waiting_max=0)
    other = await another(work)
    for each in (work, other):
        await draft(each)
    first = asyncio.create_task(check(work, "elif"))
    await held.until_begun()
    before = await other.state()
    page = await check(other, "elif")
    assert page.status_code == 503
    assert int(page.headers["retry-after"]) > 0
    assert BUSY in text_of(page)
    assert head_of(page.text) == before.head.hash
    assert f'href="{other.path}"' in page.text
    assert await other.state() == before
    held.may_end.set()
    assert (await first).status_code == 303
    again = await (await other.browser("elif")).post(f"{other.path}/check", head=head_of(page.text))
    assert again.status_code == 303
    assert await checks_recorded(other) == 1


async def test_a_comparison_of_two_revisions_waits_in_the_same_line(work: FindingOffice, held: Held) -> None:
    work.office.app.state.checks = CheckLine(waiting_max=0)
    other, elif_ = await another(work), await work.browser("elif")
    await draft(work)
    for title in ("Held for weeks", "Held for months"):
        await other.keep(await other.browser("bruno"), title=title)
    first = asyncio.create_task(check(work, "elif"))
    await held.until_begun()
    page = await elif_.get(f"{other.path}/changes?from=1&to=2")
    assert page.status_code == 503
    assert BUSY in text_of(page)
    assert '<form method="get">' in page.text
    assert '<input type="hidden" name="from" value="1">' in page.text
    assert f'href="{other.path}"' in page.text
    held.may_end.set()
    assert (await first).status_code == 303
    assert (await elif_.get(f"{other.path}/changes?from=1&to=2")).status_code == 200


async def test_one_member_alone_never_fills_the_line() -> None:
    line, may_end = CheckLine(), asyncio.Event()

    async def check() -> bool:
        return await may_end.wait()

    waiting = [asyncio.create_task(line.run("elif", number, check)) for number in range(OF_ONE_MAX)]
    await asyncio.sleep(0)
    with pytest.raises(LineFullError):
        await line.run("elif", "one more", check)
    other = asyncio.create_task(line.run("chiara", "another's", check))
    # The same as before is no other one.
    again = asyncio.create_task(line.run("elif", 0, check))
    may_end.set()
    assert await asyncio.gather(*waiting, other, again) == [True] * (OF_ONE_MAX + 2)
    assert await line.run("elif", "one more", check)


async def test_a_check_whose_member_has_gone_goes_on_for_the_other(work: FindingOffice, held: Held) -> None:
    await draft(work)
    for label in ("elif", "chiara"):
        await work.browser(label)
    gone, stays = (asyncio.create_task(check(work, label)) for label in ("elif", "chiara"))
    await held.until_begun()
    await (await work.browser("chiara")).get(work.path)
    gone.cancel()
    held.may_end.set()
    assert (await stays).status_code == 303
    assert (len(held.texts), await checks_recorded(work)) == (1, 1)
