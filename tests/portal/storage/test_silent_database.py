# SPDX-License-Identifier: AGPL-3.0-or-later
"""A PostgreSQL that does not answer and refuses nobody: who sends is asked to come back after a bounded time, what is
sent again is answered truly, and all goes on by itself."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from crypto.submission import SealedSubmission
from portal.kit import postgresql
from portal.storage.database import Database
from tests.portal.register.test_register import portal_with_styles, until_manifest
from tests.portal.world import API, RunningPortal, error_code, fresh_report, mailbox_secrets
from tests.postgres import Postgres
from tests.swallowing import Line, line_to
from tests.waiting import SECONDS_MAX

AWAY = (503, "unavailable")
ANSWER_SECONDS = 1
PAGES = ("/en/", "/manifest.json")
AT_ONCE = 24


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """The server does not wait long for the next statement of a transaction."""
    monkeypatch.setattr(postgresql, "LEFT_BEHIND", 1)


@pytest_asyncio.fixture
async def served(tmp_path: Path, postgres: Postgres) -> AsyncIterator[tuple[RunningPortal, Line]]:
    with postgres.database() as url:
        # Migrations are made before: they take as long as they take.
        await (await Database.open(url)).close()
        async with (
            line_to(url) as (line, by_line),
            portal_with_styles(tmp_path, f"{by_line}?command_timeout={ANSWER_SECONDS}") as portal,
        ):
            yield portal, line


async def taken(send: Callable[[], Awaitable[httpx.Response]]) -> httpx.Response:
    """The first answer that is not "come back", as a page would get it that tries again."""
    async with asyncio.timeout(SECONDS_MAX):
        while (answer := await send()).status_code == AWAY[0]:
            assert error_code(answer) == AWAY
    return answer


async def listed(portal: RunningPortal) -> list[str]:
    answer = await taken(lambda: portal.office("GET", "/submissions?after=0"))
    return [entry["submission"] for entry in answer.json()["submissions"]]


async def test_whatever_needs_it_is_asked_to_come_back_and_all_goes_on_when_it_answers_again(
    served: tuple[RunningPortal, Line],
) -> None:
    portal, line = served
    before = fresh_report()
    assert (await taken(lambda: portal.submit(before.bundle()))).status_code in (200, 201)
    await until_manifest(portal)
    for path in PAGES:
        assert (await portal.client.get(path)).status_code == 200
    line.cut()
    sent = [fresh_report() for _ in range(AT_ONCE)]
    secrets = mailbox_secrets()
    read = {"mailbox": secrets.mailbox_id, "token": secrets.token.hex()}
    answers = await asyncio.gather(
        *(portal.submit(sealed.bundle()) for sealed in sent),
        *(portal.office("GET", "/submissions?after=0") for _ in range(AT_ONCE)),
        *(portal.client.post(f"{API}/mailbox", json=read) for _ in range(AT_ONCE)),
    )
    for answer in answers:
        assert error_code(answer) == AWAY
        assert int(answer.headers["retry-after"]) > 0
    for path in PAGES:
        assert (await portal.client.get(path)).status_code == 200
    line.mend()
    for sealed in sent:
        assert (await taken(lambda sealed=sealed: portal.submit(sealed.bundle()))).status_code == 201
    assert sorted(await listed(portal)) == sorted(each.manifest.submission for each in (before, *sent))


@pytest.mark.parametrize("commit_comes", ["in time", "late", "never"])
async def test_a_report_whose_commit_got_no_answer_is_there_once_when_it_is_sent_again(
    served: tuple[RunningPortal, Line], commit_comes: str
) -> None:
    portal, line = served
    sealed: SealedSubmission = fresh_report()
    line.cut_at(b"COMMIT", passes_it=commit_comes == "in time")
    assert error_code(await portal.submit(sealed.bundle())) == AWAY
    assert line.swallows
    line.mend(late=commit_comes == "late")
    again = await taken(lambda: portal.submit(sealed.bundle()))
    assert again.status_code in ((200,) if commit_comes == "in time" else (200, 201))
    repeated = await taken(lambda: portal.submit(sealed.bundle()))
    assert (repeated.status_code, repeated.json()) == (200, again.json())
    assert await listed(portal) == [sealed.manifest.submission]


async def test_counts_and_migrations_are_not_cut(served: tuple[RunningPortal, Line]) -> None:
    portal, _ = served
    client = portal.database._client()
    with pytest.raises(TimeoutError):
        await client.execute_query(f"SELECT pg_sleep({ANSWER_SECONDS * 1.5})")
    with postgresql.unhurried():
        await client.execute_query(f"SELECT pg_sleep({ANSWER_SECONDS * 1.5})")
