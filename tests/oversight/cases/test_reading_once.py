# SPDX-License-Identifier: AGPL-3.0-or-later
"""A click reads its case once, and once more in the transaction that appends, however long the history is."""

from dataclasses import replace

import pytest

from oversight.cases import case_store, commands
from oversight.cases.records import CaseRecord
from oversight.ledger.append import ConflictError
from oversight.workflow.state import CaseState
from tests.oversight.case_desk import Desk
from tests.oversight.cases.case_browsing import CaseRoom
from tests.oversight.office import Office

pytestmark = pytest.mark.usefixtures("in_database")


@pytest.fixture
def room(office: Office) -> CaseRoom:
    return CaseRoom(office)


@pytest.fixture
def loads(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The head of every state that is read from a row from now on."""
    heads: list[str] = []
    read = case_store.read_state

    def watched(record: CaseRecord) -> CaseState:
        state = read(record)
        heads.append(state.head.hash)
        return state

    monkeypatch.setattr(case_store, "read_state", watched)
    return heads


async def test_a_click_reads_its_case_once_before_it_is_judged(room: CaseRoom, loads: list[str]) -> None:
    case = await room.held_case()
    for label, path, form in (
        ("bruno", "/notes", {"note": "Looked at it."}),
        ("chiara", "/people/daud/assign", {}),
        ("amina", "/transitions/ASSIGNED", {"reasons": "It is complete."}),
    ):
        if path.endswith("assign"):
            await room.do("daud", case, "/declare", conflict="no")
        head = (await room.state(case)).head.hash
        await room.browser(label)
        loads.clear()
        answer = await room.post(label, f"/cases/{case}{path}", head=head, **form)
        assert answer.status_code == 303, answer.text
        assert loads == [head, head]


async def test_who_was_overtaken_acts_on_the_case_as_it_is(room: CaseRoom, office: Office) -> None:
    case = await room.held_case()
    read = await room.state(case)
    await room.do("chiara", case, "/notes", note="Faster.")
    bruno = replace(Desk(office.world, office.clock.now).person("bruno"), loaded=read)
    after = await commands.note(bruno, case, "Slower.")
    assert (after.notes, after.head.sequence) == (read.notes + 2, read.head.sequence + 2)


async def test_who_acts_on_what_was_seen_is_refused_once_overtaken(room: CaseRoom, office: Office) -> None:
    case = await room.held_case()
    read = await room.state(case)
    await room.do("chiara", case, "/notes", note="Faster.")
    desk = Desk(office.world, office.clock.now)
    with pytest.raises(ConflictError):
        await commands.note(replace(desk.person("bruno"), loaded=read, seen=read.head.hash), case, "Slower.")
    assert (await room.state(case)).notes == read.notes + 1
