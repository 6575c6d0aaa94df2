# SPDX-License-Identifier: AGPL-3.0-or-later
"""When garbage is looked for around the office's pages: at once, and never at the price of who is answered next."""

import asyncio
import gc
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
from starlette.types import Receive, Scope, Send

from oversight.web import forgetting
from oversight.web.forgetting import BUSY_SECONDS, UNFREEZE_SECONDS
from tests.portal.kit.http_server import until

MANY = 200


class Circle:
    """What only the garbage collector finds once nobody needs it."""

    def __init__(self) -> None:
        self.itself = self


class Pages:
    """Answers each request with a circle that it leaves behind; ``/wait`` when it is told to."""

    def __init__(self) -> None:
        self.go_on = asyncio.Event()
        self.under_way = 0
        self.left: list[weakref.ref[Circle]] = []
        self._app = forgetting.forgetting(self._answer)

    def ask(self, path: str = "/") -> asyncio.Task[None]:
        scope = {"type": "http", "method": "GET", "path": path, "headers": []}
        return asyncio.create_task(self._app(scope, _none, _none))  # type: ignore[arg-type]

    async def answer(self) -> None:
        """One request, and what comes after it: its task ends, others are told so, garbage is looked for."""
        await self.ask()
        for _ in range(3):
            await asyncio.sleep(0)

    async def until_under_way(self, count: int) -> None:
        await until(lambda: self.under_way == count)

    async def until_forgotten(self) -> None:
        await until(lambda: all(circle() is None for circle in self.left))

    async def _answer(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.left.append(weakref.ref(Circle()))
        self.under_way += 1
        if scope["path"] == "/wait":
            await self.go_on.wait()


async def _none(*_: object) -> Any:
    return None


@pytest.fixture(autouse=True)
def only_when_asked_for() -> Iterator[None]:
    """Garbage is looked for by what is tested alone, and everything as before is left to the next test."""
    gc.disable()
    yield
    gc.unfreeze()
    gc.enable()


@pytest.fixture
def looked(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """How many objects were looked through, each time."""
    times: list[int] = []
    collect = gc.collect
    monkeypatch.setattr(gc, "collect", lambda: times.append(len(gc.get_objects())) or collect())
    return times


async def test_what_a_request_left_behind_is_gone_when_it_is_answered() -> None:
    pages = Pages()
    await pages.answer()
    assert [circle() for circle in pages.left] == [None]


async def test_while_others_are_under_way_it_is_gone_soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "BUSY_SECONDS", 0.0)
    pages = Pages()
    waiting = pages.ask("/wait")
    await pages.ask()
    await pages.until_forgotten()
    assert not waiting.done()
    pages.go_on.set()
    await waiting


async def test_garbage_of_many_at_once_is_looked_for_once(looked: list[int]) -> None:
    """Else each of them would pay for all that are under way: 500 pages that nobody reads took a minute."""
    pages = Pages()
    waiting = [pages.ask("/wait") for _ in range(MANY)]
    await pages.until_under_way(MANY)
    pages.go_on.set()
    await asyncio.gather(*waiting)
    await pages.until_forgotten()
    assert len(looked) == 1
    assert BUSY_SECONDS > 0


async def test_what_lives_between_requests_is_not_looked_through_again(looked: list[int]) -> None:
    """Else a thousand open connections would make each answer dearer."""
    pages = Pages()
    await pages.answer()
    connections = [Circle() for _ in range(10_000)]
    for _ in range(3):
        await pages.answer()
    assert looked[1] > len(connections)
    assert max(looked[2:]) < len(connections) // 2


async def test_what_lived_then_and_was_left_in_a_circle_is_found_too(monkeypatch: pytest.MonkeyPatch) -> None:
    pages = Pages()
    await pages.answer()
    connection = Circle()
    gone = weakref.ref(connection)
    await pages.answer()
    del connection
    await pages.answer()
    assert gone() is not None, "it is passed by"
    monkeypatch.setattr(forgetting, "UNFREEZE_SECONDS", 0.0)
    await pages.answer()
    assert gone() is None
    assert UNFREEZE_SECONDS > 0


async def test_what_a_request_that_is_under_way_holds_is_never_passed_by(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(forgetting, "BUSY_SECONDS", 0.0)
    pages = Pages()
    waiting = pages.ask("/wait")
    await pages.until_under_way(1)
    kept = Circle()
    gone = weakref.ref(kept)
    await pages.ask()
    await pages.until_forgotten()
    del kept
    pages.go_on.set()
    await waiting
    await until(lambda: gone() is None)
