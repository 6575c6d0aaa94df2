# SPDX-License-Identifier: AGPL-3.0-or-later
"""Marks, by which a restore is noticed, and the turn, by which two copies of an office are (docs/protocol.md §10.2)."""

from datetime import timedelta
from pathlib import Path
from shutil import copytree
from typing import Any

import httpx
import pytest

from crypto.encoding import encode_json
from portal.office_api.visits import LEASE_SECONDS
from portal.storage.errors import StorageFullError
from portal.storage.group_commit import GroupCommit
from tests.people import found_test_commission
from tests.portal.world import RunningPortal, error_code, publish, running_portal

FIRST, SECOND = "a1" * 16, "b2" * 16
ELSEWHERE = (409, "office-elsewhere")


async def ask(portal: RunningPortal, process: str, mark: str | None, **more: Any) -> httpx.Response:
    return await portal.office("POST", "/visits", encode_json({"process": process, "mark": mark}), **more)


async def visit(portal: RunningPortal, process: str, mark: str | None, **more: Any) -> tuple[str, bool]:
    answer = await ask(portal, process, mark, **more)
    assert answer.status_code == 200, answer.text
    return answer.json()["mark"], answer.json()["known"]


async def test_a_portal_knows_the_mark_that_it_gave_last_and_each_is_another(portal_on: RunningPortal) -> None:
    mark, known = await visit(portal_on, FIRST, None)
    assert not known
    seen = {mark}
    for _ in range(3):
        mark, known = await visit(portal_on, FIRST, mark)
        assert known
        seen.add(mark)
    assert len(seen) == 4


async def test_an_answer_that_was_lost_is_no_restore(portal: RunningPortal) -> None:
    first, _ = await visit(portal, FIRST, None)
    second, _ = await visit(portal, FIRST, first)
    # The second one never came to the office.
    third, known = await visit(portal, FIRST, first)
    assert known
    assert (await visit(portal, FIRST, second))[1] is False
    assert third != second


async def test_a_portal_from_a_backup_does_not_know_the_mark(tmp_path: Path) -> None:
    async with running_portal(tmp_path / "now") as portal:
        before, _ = await visit(portal, FIRST, None)
    copytree(tmp_path / "now" / "data", tmp_path / "then" / "data")
    async with running_portal(tmp_path / "now") as portal:
        for _ in range(2):
            before, known = await visit(portal, FIRST, before)
            assert known
    async with running_portal(tmp_path / "then") as portal:
        _, known = await visit(portal, FIRST, before)
        assert not known


async def test_an_office_from_a_backup_is_told_by_its_mark(portal: RunningPortal) -> None:
    backup, _ = await visit(portal, FIRST, None)
    mark = backup
    for _ in range(2):
        mark, _ = await visit(portal, FIRST, mark)
    await portal.office("POST", "/visits/end", encode_json({"process": FIRST, "mark": None}))
    assert (await visit(portal, SECOND, backup))[1] is False


async def test_a_second_process_waits_for_the_turn_of_the_first(portal_on: RunningPortal) -> None:
    mark, _ = await visit(portal_on, FIRST, None)
    assert error_code(await ask(portal_on, SECOND, mark)) == ELSEWHERE
    # The first goes on as if nobody had asked.
    mark, known = await visit(portal_on, FIRST, mark)
    assert known
    ended = await portal_on.office("POST", "/visits/end", encode_json({"process": SECOND, "mark": None}))
    assert ended.status_code == 200
    assert error_code(await ask(portal_on, SECOND, mark)) == ELSEWHERE
    await portal_on.office("POST", "/visits/end", encode_json({"process": FIRST, "mark": None}))
    assert (await visit(portal_on, SECOND, mark))[1]
    assert error_code(await ask(portal_on, FIRST, mark)) == ELSEWHERE


async def test_the_turn_of_a_process_that_died_is_over_after_some_minutes(portal: RunningPortal) -> None:
    mark, _ = await visit(portal, FIRST, None)
    pass_seconds(portal, LEASE_SECONDS - 1)
    assert error_code(await ask(portal, SECOND, mark)) == ELSEWHERE
    pass_seconds(portal, 1)
    assert (await visit(portal, SECOND, mark))[1]


def pass_seconds(portal: RunningPortal, seconds: int) -> None:
    portal.clock.now += timedelta(seconds=seconds)


async def test_a_turn_that_was_given_while_the_clock_ran_ahead_shuts_nobody_out(portal: RunningPortal) -> None:
    now = portal.clock.now
    portal.clock.pass_days(40)
    mark, _ = await visit(portal, FIRST, None)
    portal.clock.now = now
    assert (await visit(portal, SECOND, mark))[1]


async def test_each_commission_has_a_turn_and_marks_of_its_own(portal: RunningPortal) -> None:
    other = found_test_commission(slug="second-commission")
    await publish(portal, other)
    mark, _ = await visit(portal, FIRST, None)
    theirs, known = await visit(portal, SECOND, mark, key=other.office_key)
    assert not known
    assert (await visit(portal, FIRST, mark))[1]
    assert (await visit(portal, SECOND, theirs, key=other.office_key))[1]


async def test_a_portal_that_can_write_nothing_lets_its_office_in_all_the_same(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    mark, _ = await visit(portal, FIRST, None)

    async def full(self: GroupCommit, change: object) -> None:
        raise StorageFullError

    with monkeypatch.context() as patch:
        patch.setattr(GroupCommit, "apply", full)
        assert await visit(portal, FIRST, mark) == (mark, True)
        assert error_code(await ask(portal, SECOND, mark)) == ELSEWHERE
    assert (await visit(portal, FIRST, mark))[1]


async def test_what_is_no_visit_is_refused(portal: RunningPortal) -> None:
    for body in (
        {"process": FIRST},
        {"process": FIRST, "mark": ""},
        {"process": "", "mark": None},
        {"process": FIRST.upper(), "mark": None},
        {"process": FIRST, "mark": None, "more": 1},
        [],
    ):
        for path in ("/visits", "/visits/end"):
            answer = await portal.office("POST", path, encode_json(body))
            assert error_code(answer) == (400, "malformed-request"), body
