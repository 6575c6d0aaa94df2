# SPDX-License-Identifier: AGPL-3.0-or-later
"""A turn is for the work: how long somebody takes to read the answer keeps nobody else waiting."""

import json
from pathlib import Path

import pytest

from tests.portal.unread import answer_that_nobody_reads
from tests.portal.world import API, fresh_report, running_portal

NOBODY = json.dumps({"mailbox": "0" * 32, "token": "0" * 64}).encode()
ASKED = {
    "a mailbox": ("POST", "/mailbox", NOBODY),
    "a report that is refused": ("POST", "/submissions", b""),
    "the parts of an upload": ("GET", f"/uploads/{'0' * 32}", b""),
    "an office": ("GET", "/office/submissions", b""),
    "a charter that is refused": ("POST", "/charters", b""),
}


@pytest.mark.parametrize("what", ASKED)
async def test_who_does_not_read_an_answer_holds_no_turn(tmp_path: Path, what: str) -> None:
    method, path, body = ASKED[what]
    async with running_portal(tmp_path, waiting_max=1) as portal:
        free = await portal.client.request(method, API + path, content=body)
        async with answer_that_nobody_reads(portal, method, path, body):
            assert (await portal.client.request(method, API + path, content=body)).status_code == free.status_code


async def test_a_report_is_taken_while_nobody_reads_the_answers_to_others(tmp_path: Path) -> None:
    async with running_portal(tmp_path, waiting_max=1) as portal:
        portal.ask_for_no_work()
        async with answer_that_nobody_reads(portal, *ASKED["a report that is refused"]):
            assert (await portal.submit(fresh_report().bundle())).status_code == 201
