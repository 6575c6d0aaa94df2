# SPDX-License-Identifier: AGPL-3.0-or-later
"""The table of transitions, as the published document shows it and as it is looked up."""

from pathlib import Path

import pytest

from oversight.workflow.conditions import CONDITIONS
from oversight.workflow.document import write_document
from oversight.workflow.rules import CLOSED, HANDLERS, STATES, TRANSITIONS, WAIVER_APPROVERS, RuleError, find_transition

WORKFLOW = Path(__file__).parents[3] / "docs" / "workflow.md"


def test_the_workflow_document_is_current() -> None:
    assert WORKFLOW.read_text("utf-8") == write_document() + "\n"


def test_the_tables_fit_together() -> None:
    assert {row.from_state for row in TRANSITIONS} | {row.to_state for row in TRANSITIONS} == set(STATES)
    assert {name for row in TRANSITIONS for name in row.requires} == set(CONDITIONS)
    assert not [row for row in TRANSITIONS if row.from_state == CLOSED]


def test_four_eyes_are_those_of_a_member_and_of_a_chair() -> None:
    assert {row.approves for row in TRANSITIONS if row.four_eyes} == {frozenset({"chair"})} == {WAIVER_APPROVERS}
    assert all(row.four_eyes for row in TRANSITIONS if row.completed_by is not None)
    assert all("chair" not in row.proposes for row in TRANSITIONS if row.four_eyes)


def test_who_handles_cases_is_who_has_a_part_in_them() -> None:
    assert {"registrar", "triage", "investigator", "legal", "chair", "publisher", "reviewer"} == HANDLERS
    assert all(row.proposes | row.approves <= HANDLERS for row in TRANSITIONS)


def test_a_transition_is_found_by_its_states_and_its_ground() -> None:
    for row in TRANSITIONS:
        for ground in row.grounds or (None,):
            assert find_transition(row.from_state, row.to_state, ground) is row


@pytest.mark.parametrize(
    ("from_state", "to_state", "ground", "code"),
    [
        ("RECEIVED", "TRIAGE", None, "no-such-transition"),
        ("ACKNOWLEDGED", "RECEIVED", "sent", "no-such-transition"),
        ("RECEIVED", "ACKNOWLEDGED", None, "ground"),
        ("RECEIVED", "ACKNOWLEDGED", "time", "ground"),
        ("ACKNOWLEDGED", "TRIAGE", "sent", "ground"),
        ("PUBLISHED", "PUBLISHED", None, "ground"),
    ],
)
def test_what_stands_in_no_row_is_refused(from_state: str, to_state: str, ground: str | None, code: str) -> None:
    with pytest.raises(RuleError, match=f"^{code}$"):
        find_transition(from_state, to_state, ground)
