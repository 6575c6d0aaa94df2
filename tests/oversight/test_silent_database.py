# SPDX-License-Identifier: AGPL-3.0-or-later
"""A PostgreSQL that does not answer and refuses nobody: pages say so after a bounded time, what was kept without an
answer is kept once, and all goes on by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from oversight.cases.records import CaseRecord
from oversight.ledger.records import EventRecord
from oversight.settings import Settings
from portal.kit import postgresql
from tests.oversight.cases.case_browsing import CaseRoom
from tests.oversight.office import OFFICE_ORIGIN, Office
from tests.people import PORTAL_ORIGIN
from tests.postgres import Postgres
from tests.swallowing import Line, line_to
from tests.waiting import SECONDS_MAX

ANSWER_SECONDS = 1
SAID = "The database can’t be reached"
NOTE = "Asked the clinic for the file."


@pytest_asyncio.fixture
async def line_and_url(
    postgres: Postgres, empty_on_postgres: str, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[tuple[Line, str]]:
    # The server does not wait long for the next statement of a transaction: migrations were made before.
    monkeypatch.setattr(postgresql, "LEFT_BEHIND", 1)
    with postgres.database(empty_on_postgres) as url:
        async with line_to(url) as (line, by_line):
            yield line, f"{by_line}?command_timeout={ANSWER_SECONDS}"


@pytest.fixture
def line(line_and_url: tuple[Line, str]) -> Line:
    return line_and_url[0]


@pytest.fixture
def settings(tmp_path: Path, static_folder: Path, line_and_url: tuple[Line, str]) -> Settings:
    url = line_and_url[1]
    return Settings(
        data=tmp_path / "office", database=url, origin=OFFICE_ORIGIN, static=static_folder, portal_url=PORTAL_ORIGIN
    )


@pytest.fixture
def room(office: Office, in_database: None) -> CaseRoom:
    return CaseRoom(office)


async def answered(ask: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """The first answer that is not that the database is away."""
    async with asyncio.timeout(SECONDS_MAX):
        while (answer := await ask()).status_code == 503:
            assert SAID in answer.text
    return answer


async def test_pages_say_so_and_are_back_when_it_answers_again(room: CaseRoom, line: Line) -> None:
    browser = await room.browser("bruno")
    line.cut()
    pages = await asyncio.gather(*(browser.get(path) for path in ("/queue", "/cases", "/account", "/login") * 4))
    for page in pages:
        assert page.status_code == 503
        assert SAID in page.text
    line.mend()
    for path in ("/queue", "/cases", "/account"):
        page = await answered(lambda path=path: browser.get(path))
        assert page.status_code == 200


@pytest.mark.parametrize("commit_comes", ["in time", "late", "never"])
async def test_a_note_whose_commit_got_no_answer_is_in_the_ledger_once_when_it_is_sent_again(
    room: CaseRoom, line: Line, commit_comes: str
) -> None:
    case = await room.open_case()
    head = (await room.state(case)).head
    line.cut_at(b"COMMIT", passes_it=commit_comes == "in time")

    async def send() -> httpx.Response:
        return await room.post("amina", f"/cases/{case}/notes", head=head.hash, note=NOTE)

    page = await send()
    assert page.status_code == 503
    assert SAID in page.text
    assert NOTE in page.text
    assert line.swallows
    line.mend(late=commit_comes == "late")
    again = await answered(send)
    assert again.status_code in ((409,) if commit_comes == "in time" else (303, 409))
    assert await EventRecord.filter(case=case).count() == head.sequence + 2
    assert (await room.state(case)).notes == 1


async def test_a_case_whose_commit_got_no_answer_is_opened_once(room: CaseRoom, line: Line) -> None:
    report = await room.receive()
    await room.browser("amina")
    line.cut_at(b"COMMIT", passes_it=True)

    async def send() -> httpx.Response:
        return await room.post("amina", f"/reports/{report}/case", policy="eu-2019-1937", no_conflict="yes")

    assert (await send()).status_code == 503
    line.mend()
    assert (await answered(send)).status_code < 500
    assert await CaseRecord.all().count() == 1
