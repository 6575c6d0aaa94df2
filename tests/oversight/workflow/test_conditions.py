# SPDX-License-Identifier: AGPL-3.0-or-later
"""The conditions of transitions, one by one."""

from dataclasses import replace

import pytest

from oversight.workflow.conditions import CONDITIONS, check_conditions
from oversight.workflow.rules import RuleError, find_transition
from oversight.workflow.state import Check, FindingState, PublishedState
from tests.oversight.workflow.ledger import Ledger, case_in, digest

FINDING = FindingState(2, digest("text"), "bruno")
PUBLISHED = PublishedState("F-1", digest("note"), 1)


@pytest.fixture(scope="module")
def case() -> Ledger:
    return case_in("FINDING_DRAFT")


def holds(name: str, case: Ledger, actor: str = "chiara", **changes: object) -> bool:
    """Whether the condition holds in this case with these changes of its state."""
    return CONDITIONS[name](replace(case.state, **changes), case.members, actor)  # type: ignore[arg-type]


def test_an_investigator_without_a_conflict_holds_the_case(case: Ledger) -> None:
    declarations = tuple(replace(entry, conflict=entry.member == "bruno") for entry in case.state.declarations)
    assert holds("investigator-holds", case, holders=("amina", "bruno"))
    assert not holds("investigator-holds", case, holders=("amina", "daud"))
    assert not holds("investigator-holds", case, holders=("amina", "bruno"), declarations=declarations)
    assert not CONDITIONS["investigator-holds"](replace(case.state, holders=("bruno",)), {}, "chiara")


def test_a_text_is_drafted_once_there_is_one(case: Ledger) -> None:
    assert holds("text-drafted", case, finding=FINDING)
    assert not holds("text-drafted", case, finding=None)


@pytest.mark.parametrize(
    ("signers", "chairs", "expected"),
    [
        ((), (), False),
        (("chiara",), ("chiara",), False),
        (("chiara", "elif"), ("chiara",), True),
        (("daud", "elif"), (), False),
        (("bruno", "elif"), ("bruno",), False),
        (("bruno", "chiara"), ("bruno", "chiara"), True),
        (("chiara", "daud", "elif"), ("chiara",), True),
    ],
)
def test_a_text_is_signed_by_two_one_of_them_a_chair_who_did_not_draft_it(
    case: Ledger, signers: tuple[str, ...], chairs: tuple[str, ...], expected: bool
) -> None:
    assert holds("text-signed", case, finding=replace(FINDING, signers=signers, chairs=chairs)) == expected


def test_no_text_is_not_signed(case: Ledger) -> None:
    assert not holds("text-signed", case, finding=None)


def test_a_text_is_checked_unless_the_check_blocks_it_and_nobody_waived_that(case: Ledger) -> None:
    check = digest("check")
    for outcome, waived, expected in (
        ("pass", (), True),
        ("warn", (), True),
        ("block", (), False),
        ("block", (digest("another"),), False),
        ("block", (check,), True),
    ):
        finding = replace(FINDING, check=Check(check, outcome))
        assert holds("text-checked", case, finding=finding, waived=waived) == expected
    assert not holds("text-checked", case, finding=FINDING)
    assert not holds("text-checked", case, finding=None)


def test_a_text_is_newer_than_the_one_that_was_published(case: Ledger) -> None:
    assert holds("text-newer", case, finding=FINDING, published=PUBLISHED)
    assert not holds("text-newer", case, finding=replace(FINDING, revision=1), published=PUBLISHED)
    assert not holds("text-newer", case, finding=FINDING, published=None)
    assert not holds("text-newer", case, finding=None, published=PUBLISHED)


def test_a_finding_stands_from_its_publication_to_its_withdrawal(case: Ledger) -> None:
    assert holds("stands", case, published=PUBLISHED)
    assert not holds("stands", case, published=replace(PUBLISHED, withdrawn=True))
    assert not holds("stands", case, published=None)


def test_who_approves_is_not_the_author_of_the_text(case: Ledger) -> None:
    assert holds("approver-is-not-author", case, "chiara", finding=FINDING)
    assert not holds("approver-is-not-author", case, "bruno", finding=FINDING)
    assert holds("approver-is-not-author", case, "bruno", finding=None)


def test_the_first_condition_that_does_not_hold_is_named(case: Ledger) -> None:
    publishing = find_transition("ADOPTED", "PUBLISHED", None)
    signed = replace(FINDING, signers=("elif", "chiara"), chairs=("chiara",))
    checked = replace(signed, check=Check(digest("check"), "pass"))

    def refusal(finding: FindingState, actor: str, *, approving: bool) -> str | None:
        state = replace(case.state, finding=finding)
        try:
            check_conditions(publishing, state, case.members, actor, approving=approving)
        except RuleError as refused:
            return refused.code
        return None

    assert refusal(FINDING, "bruno", approving=True) == "text-signed"
    assert refusal(signed, "bruno", approving=True) == "text-checked"
    assert refusal(checked, "bruno", approving=True) == "approver-is-not-author"
    assert refusal(checked, "bruno", approving=False) is None
    assert refusal(checked, "chiara", approving=True) is None


def test_a_condition_after_the_one_that_is_for_approvals_is_not_left_out(case: Ledger) -> None:
    row = replace(find_transition("ADOPTED", "PUBLISHED", None), requires=("approver-is-not-author", "stands"))
    with pytest.raises(RuleError, match=r"^stands$"):
        check_conditions(row, case.state, case.members, "bruno", approving=False)
