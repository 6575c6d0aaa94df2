# SPDX-License-Identifier: AGPL-3.0-or-later
"""How a case begins, and that each event follows the one before it."""

from dataclasses import replace
from datetime import timedelta

import pytest

from crypto.errors import ProofError
from crypto.event_types import Declared, Noted
from oversight.workflow.clocks import PACKS, start_clocks
from oversight.workflow.projection import apply_event
from oversight.workflow.rules import RuleError
from oversight.workflow.state import CaseState, Declaration
from tests.oversight.workflow.ledger import EU, Ledger, case_in, digest, opened, recipient, report_id


@pytest.mark.parametrize("policy", PACKS)
def test_a_case_begins_as_its_first_event_says(policy: str) -> None:
    ledger = Ledger()
    received = ledger.today - timedelta(days=3)
    state = ledger.open("daud", policy, received)
    event = ledger.events[0]
    assert state == CaseState(
        head=event.head,
        number="C-2026-0001",
        policy=policy,
        opened=ledger.today,
        received=received,
        reports=(report_id(1),),
        state="RECEIVED",
        since=ledger.today,
        generation=1,
        recipient=recipient(1),
        grant_sha256=digest("first grant"),
        holders=("daud",),
        declarations=(Declaration("daud", event.hash, False, (report_id(1),)),),
        clocks=start_clocks(policy, received),
        people=(("daud", "Daud Rahimi"),),
    )
    assert (state.notes, state.parties, state.replies) == (0, 0, 0)
    assert not (state.recused or state.proposals or state.waived or state.recommendations)
    assert state.decided is state.finding is state.published is None


def test_a_case_is_not_opened_against_the_rules() -> None:
    ledger = Ledger()
    first = opened("amina", ledger.today)
    assert ledger.refusal("bruno", replace(first, holders=("bruno",))) == "role"
    assert ledger.refusal("amina", replace(first, policy="unheard-of")) == "policy"
    assert ledger.refusal("amina", replace(first, holders=("amina", "bruno"))) == "holders"
    assert ledger.refusal("amina", replace(first, holders=("daud",))) == "holders"
    assert ledger.refusal("amina", replace(first, received=ledger.today + timedelta(days=1))) == "received"
    assert ledger.refusal("amina", Declared(False, ())) == "not-opened"
    assert ledger.append("amina", first).holders == ("amina",)


def test_a_case_is_opened_once() -> None:
    ledger = Ledger()
    ledger.open()
    assert ledger.refusal("amina", opened("amina", ledger.today)) == "opened-before"


def test_an_event_follows_the_one_before_it_and_no_other() -> None:
    ledger = case_in("RECEIVED")
    event = ledger.sign("amina", Noted())
    after = apply_event(ledger.state, event, ledger.charter)
    assert after == replace(ledger.state, head=event.head, notes=1)
    for strayed in (
        replace(event, sequence=event.sequence + 1),
        replace(event, previous=digest("another")),
        replace(event, case="0" * 32),
        replace(event, time=event.time - timedelta(days=1)),
    ):
        with pytest.raises(ProofError):
            apply_event(ledger.state, strayed, ledger.charter)
    with pytest.raises(ProofError):
        apply_event(after, event, ledger.charter)
    with pytest.raises(ProofError):
        apply_event(None, event, ledger.charter)


def test_what_is_refused_leaves_the_case_as_it_was() -> None:
    ledger = case_in("RECEIVED")
    before = ledger.state
    with pytest.raises(RuleError) as refused:
        ledger.move("bruno", "ACKNOWLEDGED", "sent")
    assert str(refused.value) == refused.value.code == "role"
    assert ledger.state is before


def test_the_same_events_make_the_same_case() -> None:
    ledger = case_in("CLOSED")
    state: CaseState | None = None
    for event in ledger.events:
        state = apply_event(state, event, ledger.charter)
    assert state == ledger.state
    assert state is not None
    assert state.policy == EU
