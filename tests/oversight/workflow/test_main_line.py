# SPDX-License-Identifier: AGPL-3.0-or-later
"""The main line of states with its roles and four eyes, and everything that is refused on the way."""

from collections.abc import Awaitable
from typing import Any

import pytest

from crypto.event_types import Corrected, Published, Withdrawn
from crypto.sealed_parts import Party
from oversight.cases import commands
from oversight.cases.case_queries import CaseFilters, list_cases
from oversight.cases.entries import read_entries
from oversight.workflow.rules import STATES, RuleError
from oversight.workflow.state import CaseState
from tests.oversight.case_desk import FINDING, REASONS, Desk

SIGNATURE = "A" * 86 + "=="


async def refused(command: Awaitable[Any]) -> str:
    """The code with which the rules refuse this command."""
    with pytest.raises(RuleError) as refusal:
        await command
    return refusal.value.code


async def adopted(desk: Desk) -> CaseState:
    """A case whose finding was drafted by Bruno, signed by the publisher and the chair, and adopted."""
    case = (await desk.open_case(holders=("chiara", "bruno", "elif", "daud"))).head.case
    await desk.admit(case)
    state = await desk.draft(case)
    await sign(desk, state, "elif", "chiara")
    return await desk.decide(case, "ADOPTED", by="bruno")


async def sign(desk: Desk, state: CaseState, *labels: str) -> CaseState:
    assert state.finding is not None
    for label in labels:
        state = await commands.record_signature(
            desk.person(label), state.head.case, state.finding.text_sha256, SIGNATURE
        )
    return state


async def publish(desk: Desk, state: CaseState) -> CaseState:
    case, finding = state.head.case, state.finding
    assert finding is not None
    await commands.record_check(desk.person("elif"), case, finding.text_sha256, "pass", "{}")
    await desk.decide(case, "PUBLISHED", by="elif")
    return await commands.record_publication(desk.person("elif"), case, Published("F-1", finding.text_sha256, 1))


async def test_a_case_goes_the_whole_main_line(desk: Desk) -> None:
    state = await publish(desk, await adopted(desk))
    assert state.published is not None
    case = state.head.case
    await commands.change_state(desk.person("bruno"), case, "FOLLOW_UP")
    await commands.set_recommendation(desk.person("bruno"), case, "R-1", "partly")
    state = await desk.decide(case, "CLOSED", by="bruno")
    assert state.state == "CLOSED"
    assert state.recommendations == (("R-1", "partly"),)
    assert all(clock.stopped for clock in state.clocks)
    states = [
        entry.event.public.to_state  # type: ignore[attr-defined]
        for entry in await read_entries(case, types=("moved", "proposed"))
    ]
    assert states == [state for state in STATES[1:] if state not in ("INADMISSIBLE", "REFERRED")]


@pytest.mark.parametrize(("to_state", "ground"), [("INADMISSIBLE", "sub-judice"), ("REFERRED", "other-body")])
async def test_a_case_that_is_not_admitted_is_closed_on_a_ground(desk: Desk, to_state: str, ground: str) -> None:
    case = (await desk.open_case(holders=("chiara", "bruno"))).head.case
    for state in ("ACKNOWLEDGED", "TRIAGE", "CONFLICT_CHECK"):
        await commands.change_state(desk.person("amina"), case, state, "sent" if state == "ACKNOWLEDGED" else None)
    await desk.decide(case, "ASSIGNED", by="amina")
    assert await refused(commands.change_state(desk.person("bruno"), case, to_state, None, REASONS)) == "ground"
    assert await refused(commands.change_state(desk.person("bruno"), case, to_state, "mood", REASONS)) == "ground"
    await desk.decide(case, to_state, ground, by="bruno")
    assert (await desk.decide(case, "CLOSED", by="amina")).state == "CLOSED"


async def test_a_state_that_cannot_follow_is_refused(desk: Desk) -> None:
    case = (await desk.open_case()).head.case
    for to_state in ("RECEIVED", "TRIAGE", "ADMITTED", "PUBLISHED", "CLOSED"):
        assert await refused(commands.change_state(desk.person("amina"), case, to_state)) == "no-such-transition"


async def test_a_role_is_due_for_a_move(desk: Desk) -> None:
    case = (await desk.open_case()).head.case
    assert await refused(commands.change_state(desk.person("bruno"), case, "ACKNOWLEDGED", "sent")) == "role"
    assert await refused(commands.open_case(desk.person("bruno"), [await desk.receive()], "none")) == "role"


async def test_who_does_not_hold_a_case_does_nothing_in_it(desk: Desk) -> None:
    case = (await desk.open_case()).head.case
    assert await refused(commands.note(desk.person("daud"), case, "From outside.")) == "not-a-holder"
    assert await refused(commands.assign(desk.person("daud"), case, "daud")) == "not-a-holder"


async def test_who_proposes_does_not_approve(desk: Desk) -> None:
    case = (await desk.open_case()).head.case
    for state in ("ACKNOWLEDGED", "TRIAGE", "CONFLICT_CHECK"):
        await commands.change_state(desk.person("amina"), case, state, "sent" if state == "ACKNOWLEDGED" else None)
    state = await commands.change_state(desk.person("amina"), case, "ASSIGNED", None, REASONS)
    assert state.proposed_transition is not None
    subject = state.proposed_transition.hash
    assert await refused(commands.approve(desk.person("amina"), case, subject)) == "same-member"
    assert await refused(commands.approve(desk.person("bruno"), case, subject)) == "role"
    assert await refused(commands.approve(desk.person("chiara"), case, "0" * 64)) == "no-such-proposal"
    assert (await commands.approve(desk.person("chiara"), case, subject)).state == "ASSIGNED"
    assert await refused(commands.approve(desk.person("chiara"), case, subject)) == "no-such-proposal"


async def test_a_recused_member_does_not_approve(desk: Desk) -> None:
    case = (await desk.open_case()).head.case
    for state in ("ACKNOWLEDGED", "TRIAGE", "CONFLICT_CHECK"):
        await commands.change_state(desk.person("amina"), case, state, "sent" if state == "ACKNOWLEDGED" else None)
    await commands.declare(desk.person("chiara"), case, conflict=True)
    await commands.recuse(desk.person("amina"), case, "chiara", REASONS)
    state = await commands.change_state(desk.person("amina"), case, "ASSIGNED", None, REASONS)
    assert await refused(commands.approve(desk.person("chiara"), case, state.proposals[0].hash)) == "recused"


async def test_what_a_member_proposed_or_signed_is_void_once_they_declare_a_conflict(desk: Desk) -> None:
    case = (await desk.open_case(holders=("chiara", "bruno", "daud", "elif"))).head.case
    await desk.admit(case)
    state = await sign(desk, await desk.draft(case), "elif", "chiara")
    proposed = await commands.change_state(desk.person("daud"), case, "ADOPTED", None, REASONS)
    state = await commands.declare(desk.person("elif"), case, conflict=True)
    assert state.finding is not None
    assert state.finding.signers == ("chiara",)
    approval = commands.approve(desk.person("chiara"), case, proposed.proposals[0].hash)
    assert await refused(approval) == "text-signed"
    state = await commands.declare(desk.person("daud"), case, conflict=True)
    assert state.proposals == ()


async def test_one_move_is_proposed_at_a_time_and_can_be_sent_back(desk: Desk) -> None:
    case = (await desk.open_case()).head.case
    for state in ("ACKNOWLEDGED", "TRIAGE", "CONFLICT_CHECK"):
        await commands.change_state(desk.person("amina"), case, state, "sent" if state == "ACKNOWLEDGED" else None)
    await desk.decide(case, "ASSIGNED", by="amina")
    proposed = await commands.change_state(desk.person("bruno"), case, "ADMITTED", None, REASONS)
    again = commands.change_state(desk.person("bruno"), case, "INADMISSIBLE", "time", REASONS)
    assert await refused(again) == "proposed-before"
    state = await commands.send_back(desk.person("chiara"), case, proposed.proposals[0].hash, "Not yet.")
    assert (state.state, state.proposals) == ("ASSIGNED", ())
    taken_back = await commands.change_state(desk.person("bruno"), case, "ADMITTED", None, REASONS)
    state = await commands.send_back(desk.person("bruno"), case, taken_back.proposals[0].hash, "I was wrong.")
    assert state.proposals == ()


async def test_nobody_is_assigned_to_without_an_investigator(desk: Desk) -> None:
    case = (await desk.open_case(holders=("chiara",))).head.case
    for state in ("ACKNOWLEDGED", "TRIAGE", "CONFLICT_CHECK"):
        await commands.change_state(desk.person("amina"), case, state, "sent" if state == "ACKNOWLEDGED" else None)
    assert (
        await refused(commands.change_state(desk.person("amina"), case, "ASSIGNED", None, REASONS))
        == "investigator-holds"
    )


async def test_a_finding_is_adopted_with_two_signatures_one_of_a_chair(desk: Desk) -> None:
    case = (await desk.open_case(holders=("chiara", "bruno", "daud", "elif"))).head.case
    await desk.admit(case)
    await commands.change_state(desk.person("bruno"), case, "INVESTIGATING")
    await commands.change_state(desk.person("bruno"), case, "FINDING_DRAFT")
    adopt = lambda: commands.change_state(desk.person("bruno"), case, "ADOPTED", None, REASONS)  # noqa: E731
    assert await refused(adopt()) == "text-drafted"
    state = await commands.draft_finding(desk.person("bruno"), case, 1, FINDING)
    state = await sign(desk, state, "elif")
    assert await refused(adopt()) == "text-signed"
    assert await refused(sign(desk, state, "elif")) == "signed-before"
    assert await refused(sign(desk, state, "bruno")) == "role"
    await sign(desk, state, "chiara")
    assert (await desk.decide(case, "ADOPTED", by="bruno")).state == "ADOPTED"


async def test_a_change_after_a_signature_voids_it_and_what_was_proposed(desk: Desk) -> None:
    case = (await desk.open_case(holders=("chiara", "bruno", "daud", "elif"))).head.case
    await desk.admit(case)
    state = await desk.draft(case)
    await sign(desk, state, "elif", "chiara")
    proposed = await commands.change_state(desk.person("bruno"), case, "ADOPTED", None, REASONS)
    changed = await commands.draft_finding(desk.person("daud"), case, 2, FINDING + "more")
    assert changed.finding is not None
    assert changed.finding.signers == ()
    approval = commands.approve(desk.person("chiara"), case, proposed.proposals[0].hash)
    assert await refused(approval) == "no-such-proposal"
    stale = commands.record_signature(desk.person("elif"), case, state.finding.text_sha256, SIGNATURE)  # type: ignore[union-attr]
    assert await refused(stale) == "text"
    assert await refused(commands.draft_finding(desk.person("bruno"), case, 2, FINDING)) == "revision"


async def test_a_finding_is_published_when_it_was_checked_decided_and_taken_by_the_portal(desk: Desk) -> None:
    state = await adopted(desk)
    case, finding = state.head.case, state.finding
    assert finding is not None
    propose = lambda: commands.change_state(desk.person("elif"), case, "PUBLISHED", None, REASONS)  # noqa: E731
    done = Published("F-1", finding.text_sha256, 1)
    assert await refused(propose()) == "text-checked"
    blocked = await commands.record_check(desk.person("elif"), case, finding.text_sha256, "block", "{}")
    assert await refused(propose()) == "text-checked"
    assert blocked.finding is not None
    assert blocked.finding.check is not None
    waiver = await commands.waive(desk.person("elif"), case, blocked.finding.check.hash, REASONS)
    await commands.approve(desk.person("chiara"), case, waiver.proposals[0].hash)
    assert await refused(commands.record_publication(desk.person("elif"), case, done)) == "not-decided"
    proposed = await propose()
    assert await refused(commands.approve(desk.person("elif"), case, proposed.proposals[0].hash)) == "same-member"
    decided = await commands.approve(desk.person("chiara"), case, proposed.proposals[0].hash)
    assert (decided.state, decided.decided is not None) == ("ADOPTED", True)
    assert await refused(commands.change_state(desk.person("bruno"), case, "FINDING_DRAFT")) == "decided"
    other = Published("F-1", "0" * 64, 1)
    assert await refused(commands.record_publication(desk.person("elif"), case, other)) == "text"
    state = await commands.record_publication(desk.person("elif"), case, done)
    assert (state.state, state.decided) == ("PUBLISHED", None)
    assert await refused(commands.record_publication(desk.person("elif"), case, done)) == "state"


async def test_a_published_finding_is_corrected_and_withdrawn_by_four_eyes(desk: Desk) -> None:
    state = await publish(desk, await adopted(desk))
    case = state.head.case
    correct = lambda: commands.change_state(desk.person("elif"), case, "PUBLISHED", "correction", REASONS)  # noqa: E731
    assert await refused(correct()) == "text-newer"
    state = await commands.draft_finding(desk.person("bruno"), case, 2, FINDING + "corrected")
    assert await refused(correct()) == "text-signed"
    await sign(desk, state, "elif", "chiara")
    assert state.finding is not None
    digest = state.finding.text_sha256
    await commands.record_check(desk.person("elif"), case, digest, "warn", "{}")
    await desk.decide(case, "PUBLISHED", "correction", by="elif")
    withdrawal = Withdrawn("F-1", "0" * 64)
    assert await refused(commands.record_publication(desk.person("elif"), case, withdrawal)) == "not-decided"
    wrong = Corrected("F-2", digest, 2)
    assert await refused(commands.record_publication(desk.person("elif"), case, wrong)) == "finding"
    state = await commands.record_publication(desk.person("elif"), case, Corrected("F-1", digest, 2))
    assert state.published is not None
    assert (state.state, state.published.corrections) == ("PUBLISHED", 1)

    await desk.decide(case, "PUBLISHED", "withdrawal", by="elif")
    state = await commands.record_publication(desk.person("elif"), case, withdrawal)
    assert state.published is not None
    assert state.published.withdrawn
    again = commands.change_state(desk.person("elif"), case, "PUBLISHED", "withdrawal", REASONS)
    assert await refused(again) == "stands"


async def test_a_decision_that_was_not_carried_out_can_be_taken_back(desk: Desk) -> None:
    state = await adopted(desk)
    case = state.head.case
    assert state.finding is not None
    await commands.record_check(desk.person("elif"), case, state.finding.text_sha256, "pass", "{}")
    decided = await desk.decide(case, "PUBLISHED", by="elif")
    assert decided.decided is not None
    refusal = commands.send_back(desk.person("bruno"), case, decided.decided.hash, REASONS)
    assert await refused(refusal) == "role"
    state = await commands.send_back(desk.person("chiara"), case, decided.decided.hash, "A mistake was found.")
    assert state.decided is None
    assert (await commands.change_state(desk.person("bruno"), case, "FINDING_DRAFT")).state == "FINDING_DRAFT"


async def test_parties_are_sealed_and_read_back_by_holders_alone(desk: Desk) -> None:
    from oversight.cases.case_keys import open_keys

    case = (await desk.open_case()).head.case
    party = Party("Salma Q.", ("Umm Karim",), ("docket 12/7",), "victim")
    state = await commands.add_party(desk.person("bruno"), case, party)
    keys = await open_keys(desk.person("chiara"), state)
    found = await read_entries(case, keys, types=("party-added",))
    assert [entry.part for entry in found] == [party]
    public = await read_entries(case, types=("party-added",))
    assert [entry.part for entry in public] == [None]


async def test_cases_are_listed_by_holder_state_and_overdue_clock(desk: Desk) -> None:
    first = await desk.open_case(holders=("bruno",))
    second = await desk.open_case(holders=())
    await commands.change_state(desk.person("amina"), second.head.case, "ACKNOWLEDGED", "sent")

    async def numbers(**filters: Any) -> list[str]:
        return [state.number for state in (await list_cases(CaseFilters(**filters))).cases]

    assert await numbers() == [second.number, first.number]
    assert await numbers(holder="bruno") == [first.number]
    assert await numbers(state="ACKNOWLEDGED") == [second.number]
    desk.forward(days=8)
    assert await numbers(overdue_on=desk.today) == [first.number]
    assert await numbers(waiting=True) == []


async def test_a_proposal_ends_when_the_case_moves_on_without_it(desk: Desk) -> None:
    case = (await desk.open_case(holders=("chiara", "bruno", "elif"))).head.case
    await desk.admit(case)
    state = await sign(desk, await desk.draft(case), "elif", "chiara")
    state = await commands.change_state(desk.person("bruno"), case, "ADOPTED", None, REASONS)
    assert state.proposed_transition is not None
    proposal = state.proposed_transition.hash
    state = await commands.change_state(desk.person("bruno"), case, "INVESTIGATING")
    assert state.proposals == ()
    await commands.change_state(desk.person("bruno"), case, "FINDING_DRAFT")
    # The case stands again where it was proposed from, and the old proposal must not take it away.
    assert await refused(commands.approve(desk.person("chiara"), case, proposal)) == "no-such-proposal"


async def test_a_waiver_that_was_proposed_stays_when_the_case_moves_on(desk: Desk) -> None:
    case = (await desk.open_case(holders=("chiara", "bruno", "elif"))).head.case
    await desk.admit(case)
    state = await desk.draft(case)
    assert state.finding is not None
    state = await commands.record_check(desk.person("elif"), case, state.finding.text_sha256, "block", "{}")
    assert state.finding is not None and state.finding.check is not None
    check = state.finding.check.hash
    [waiver] = (await commands.waive(desk.person("bruno"), case, check, REASONS)).proposals
    await commands.change_state(desk.person("bruno"), case, "INVESTIGATING")
    assert (await commands.approve(desk.person("chiara"), case, waiver.hash)).waived == (check,)
