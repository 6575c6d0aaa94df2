# SPDX-License-Identifier: AGPL-3.0-or-later
"""Ledgers in a database: members who act at once, projections made again, and a long random history."""

import asyncio
import random
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import Any

import pytest
from tortoise.exceptions import IntegrityError

from crypto import note
from crypto.encoding import encode_json
from crypto.errors import AuthenticationError, ProofError
from crypto.event import Event, sign_event
from crypto.event_types import Declared, Moved
from crypto.note import Note
from oversight.__main__ import main
from oversight.cases import commands
from oversight.cases.case_store import CaseProjection, load_case, load_notes, rebuild
from oversight.cases.records import CaseGrantRecord, CaseHolderRecord, CaseRecord, CaseReportRecord
from oversight.ledger.append import ConflictError, append
from oversight.ledger.records import EventRecord
from oversight.ledger.verify import verify_events
from oversight.workflow.projection import apply_event
from oversight.workflow.rules import STATES, TRANSITIONS, RuleError
from oversight.workflow.state import CaseState
from tests.oversight.case_desk import FINDING, REASONS, Desk


def next_event(desk: Desk, state: CaseState, actor: str, **changes: Any) -> Event:
    """A declaration by this person, which any member of a handler's role may make."""
    values = {
        "case": state.head.case,
        "sequence": state.head.sequence + 1,
        "previous": state.head.hash,
        "actor": actor,
        "charter": desk.world.charter.hash,
        "time": desk.person(actor).now,
        "public": Declared(conflict=False, granted=()),
    }
    return Event(**{**values, **changes})


async def test_two_members_who_act_at_once_do_not_fork_a_ledger(any_desk: Desk) -> None:
    case = (await any_desk.open_case()).head.case
    people = [any_desk.person(label) for label in ("amina", "bruno", "chiara") for _ in range(3)]
    results = await asyncio.gather(
        *(commands.note(person, case, f"Note {place}") for place, person in enumerate(people)), return_exceptions=True
    )
    written = [result for result in results if not isinstance(result, ConflictError)]
    assert all(isinstance(result, CaseState) for result in written), results
    state = await load_case(case)
    assert state.notes == len(written) >= 5
    notes = [data async for data in load_notes(case)]
    verified = verify_events(notes, any_desk.charters, apply_event, RuleError)
    assert verified.state == state
    assert await EventRecord.filter(case=case).count() == state.head.sequence + 1


async def test_an_event_whose_place_is_taken_is_a_conflict(any_desk: Desk) -> None:
    state = await any_desk.open_case(holders=())
    first, second = (
        sign_event(next_event(any_desk, state, label), any_desk.world[label].signing_key)
        for label in ("bruno", "chiara")
    )
    await append(first, any_desk.charters, CaseProjection())
    with pytest.raises(ConflictError):
        await append(second, any_desk.charters, CaseProjection())
    assert (await load_case(state.head.case)).head.sequence == state.head.sequence + 1


async def test_the_database_itself_holds_one_event_at_each_place(any_desk: Desk) -> None:
    state = await any_desk.open_case(holders=())
    record = await EventRecord.get(case=state.head.case, sequence=0)
    other = {**values(record), "hash": "0" * 64}
    other.pop("id")
    with pytest.raises(IntegrityError):
        await EventRecord.create(**other)


async def test_what_is_refused_leaves_nothing_behind(any_desk: Desk) -> None:
    state = await any_desk.open_case()
    before = await rows()
    with pytest.raises(RuleError):
        await commands.assign(any_desk.person("amina"), state.head.case, "daud")
    with pytest.raises(RuleError):
        await commands.change_state(any_desk.person("bruno"), state.head.case, "ACKNOWLEDGED", "sent")
    assert await rows() == before


async def test_an_event_by_the_wrong_key_is_not_appended(desk: Desk) -> None:
    state = await desk.open_case()
    event = next_event(desk, state, "chiara", public=Declared(conflict=True, granted=()))
    with pytest.raises(AuthenticationError):
        await append(sign_event(event, desk.world["bruno"].signing_key), desk.charters, CaseProjection())
    renamed = note.SigningKey.from_seed("demo-commission/chiara", desk.world["bruno"].keyring.signing_seed)
    with pytest.raises(AuthenticationError):
        await append(sign_event(event, renamed), desk.charters, CaseProjection())
    assert (await load_case(state.head.case)).head == state.head


async def test_an_event_that_follows_another_one_is_not_appended(desk: Desk) -> None:
    state = await desk.open_case()
    for changes in ({"previous": "0" * 64}, {"sequence": state.head.sequence + 2}):
        event = next_event(desk, state, "daud", **changes)
        with pytest.raises(ProofError):
            await append(sign_event(event, desk.world["daud"].signing_key), desk.charters, CaseProjection())


async def test_a_crafted_event_past_the_commands_is_refused_by_the_same_rules(desk: Desk) -> None:
    state = await desk.open_case()
    event = next_event(desk, state, "amina", public=Moved("RECEIVED", "ADMITTED", None))
    with pytest.raises(RuleError, match="no-such-transition"):
        await append(sign_event(event, desk.world["amina"].signing_key), desk.charters, CaseProjection())


async def test_a_clock_that_was_set_back_does_not_stop_the_office(desk: Desk) -> None:
    state = await desk.open_case()
    desk.forward(hours=-3)
    later = await commands.note(desk.person("amina"), state.head.case, "The clock was wrong.")
    assert later.head.time == state.head.time


async def test_numbers_go_on_within_a_year_and_begin_again_in_the_next(desk: Desk) -> None:
    numbers = [(await desk.open_case(holders=())).number for _ in range(2)]
    desk.forward(days=60)
    numbers.append((await desk.open_case(holders=())).number)
    assert numbers == ["C-2026-0001", "C-2026-0002", "C-2027-0001"]


async def test_a_long_random_history_comes_out_the_same_when_it_is_made_again(any_desk: Desk) -> None:
    chance = random.Random(20261122)
    cases = [(await any_desk.open_case(holders=("chiara", "bruno", "elif"))).head.case for _ in range(3)]
    done, refused = 0, 0
    for _ in range(480):
        case = chance.choice(cases)
        try:
            await random_act(chance, any_desk, case)
            done += 1
        except RuleError:
            refused += 1
        any_desk.forward(hours=chance.randrange(30))
    # A history in which nothing happened, or nothing was ever refused, would prove little.
    assert done > 200
    assert refused > 100
    states = [await load_case(case) for case in cases]
    assert max(STATES.index(state.state) for state in states) >= STATES.index("FINDING_DRAFT")
    assert max(state.generation for state in states) > 1
    before = await rows()
    assert await rebuild(any_desk.charters) == len(cases)
    assert await rows() == before
    for case in cases:
        notes = [data async for data in load_notes(case)]
        assert verify_events(notes, any_desk.charters, apply_event, RuleError).state == await load_case(case)


async def test_rows_that_were_tampered_with_are_mended_by_the_ledger(desk: Desk) -> None:
    state = await desk.open_case()
    before = await rows()
    await CaseRecord.all().update(state="CLOSED", projection=b"{}", next_due=None)
    await CaseHolderRecord.all().delete()
    await rebuild(desk.charters)
    assert await rows() == before
    assert await load_case(state.head.case) == state


async def test_a_rebuild_from_a_ledger_that_does_not_hold_changes_nothing(desk: Desk) -> None:
    state = await desk.open_case()
    before = await rows()
    record = await EventRecord.get(case=state.head.case, sequence=2)
    text = Note.parse(bytes(record.note)).text
    forged = note.sign(text, [desk.world["bruno"].signing_key]).encode()
    await EventRecord.filter(id=record.id).update(note=forged)
    with pytest.raises(AuthenticationError):
        await rebuild(desk.charters)
    await EventRecord.filter(id=record.id).update(note=record.note)
    assert await rows() == before


async def test_the_command_makes_the_rows_of_cases_anew(
    desk: Desk, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OVERSIGHT_DATA", str(tmp_path))
    state = await desk.open_case()
    before = await rows()
    await CaseRecord.all().update(state="CLOSED", projection=b"{}", next_due=None)
    assert await asyncio.to_thread(main, ["rebuild-cases"]) == 0
    assert capsys.readouterr().out == "cases made anew from their ledgers: 1\n"
    assert await rows() == before

    await EventRecord.filter(case=state.head.case, sequence=2).update(note=b"no note")
    before = await rows()
    assert await asyncio.to_thread(main, ["rebuild-cases"]) == 1
    assert "nothing was changed" in capsys.readouterr().err
    assert await rows() == before


async def random_act(chance: random.Random, desk: Desk, case: str) -> CaseState:
    """Something that somebody may try, allowed or not; more often than not what would bring the case on."""
    state = await load_case(case)
    everybody = [person.label for person in desk.world.people]
    label = chance.choice(everybody if chance.random() < 0.3 else list(state.holders))
    roles = desk.world[label].roles
    open_moves = [row for row in TRANSITIONS if row.from_state == state.state and not row.proposes.isdisjoint(roles)]
    proposal = state.proposals[0].hash if state.proposals else "0" * 64
    text = FINDING.replace("finding", f"finding {chance.random()}")
    finding = state.finding.text_sha256 if state.finding else "0" * 64
    revision = state.finding.revision if state.finding else 0
    person = desk.person(label)
    others = [entry.member for entry in state.declarations if entry.member not in state.holders]
    other = chance.choice(others if others and chance.random() < 0.7 else everybody)
    tainted = [holder for holder in state.holders if state.in_conflict(holder)]
    if tainted:
        return await commands.recuse(person, case, tainted[0], REASONS)
    acts: list[tuple[int, Callable[[], Awaitable[CaseState]]]] = [
        (9, lambda: commands.note(person, case, "A note.")),
        (4, lambda: commands.declare(person, case, conflict=chance.random() < 0.015)),
        (8 if others else 1, lambda: commands.assign(person, case, other)),
        (1, lambda: commands.recuse(person, case, other, REASONS) if chance.random() < 0.1 else fail()),
        (1, lambda: commands.leave(person, case, other, REASONS) if chance.random() < 0.3 else fail()),
        (9 if open_moves else 0, lambda: _random_move(chance, person, case, open_moves)),
        (14 if state.proposals else 1, lambda: commands.approve(person, case, proposal)),
        (1, lambda: commands.send_back(person, case, proposal, REASONS)),
        (
            2,
            lambda: commands.record_reply(
                person, case, state.reports[0], "0" * 32, chance.choice(["message", "feedback"])
            ),
        ),
        (3 if state.state == "FINDING_DRAFT" else 1, lambda: commands.draft_finding(person, case, revision + 1, text)),
        (6 if state.finding else 0, lambda: commands.record_signature(person, case, finding, "A" * 86 + "==")),
        (
            4 if state.finding else 0,
            lambda: commands.record_check(person, case, finding, chance.choice(["pass", "block"]), "{}"),
        ),
        (1, lambda: commands.extend_clock(person, case, "feedback", desk.today.replace(year=2027), REASONS)),
    ]
    weights = [weight for weight, _ in acts]
    act = chance.choices([act for _, act in acts], weights)[0]
    return await act()


async def _random_move(chance: random.Random, person: Any, case: str, open_moves: Any) -> CaseState:
    if not open_moves:
        raise RuleError("role")
    transition = chance.choice(open_moves)
    ground = chance.choice(transition.grounds) if transition.grounds else None
    return await commands.change_state(person, case, transition.to_state, ground, REASONS)


async def fail() -> CaseState:
    raise RuleError("not this time")


async def rows() -> dict[str, list[Any]]:
    """Every row that is made from the ledgers, and the ledgers and grants themselves."""
    found: dict[str, list[Any]] = {}
    for model in (CaseRecord, CaseHolderRecord, CaseReportRecord, CaseGrantRecord, EventRecord):
        entries = [encode_row(values(row)) for row in await model.all()]
        found[model.__name__] = sorted(entries)
    # Which number the database gives to a row of holders is nobody's business.
    return found


def values(row: Any) -> dict[str, Any]:
    return {name: getattr(row, name) for name in row._meta.fields_map}


def encode_row(row: dict[str, Any]) -> bytes:
    row.pop("id", None) if isinstance(row.get("id"), int) else None
    return encode_json({name: value.hex() if isinstance(value, bytes) else str(value) for name, value in row.items()})
