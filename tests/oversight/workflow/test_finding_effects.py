# SPDX-License-Identifier: AGPL-3.0-or-later
"""What events make of a finding: revisions, signatures, checks, publication, what became of recommendations."""

from dataclasses import replace

import pytest

from crypto.event_types import Checked, Corrected, Drafted, Published, RecommendationStatus, Signed, Waived, Withdrawn
from crypto.taxonomy import RECOMMENDATION_STATUSES
from oversight.workflow.state import Check, FindingState
from tests.oversight.workflow.ledger import SIGNATURE, Ledger, case_in, digest, text_of


@pytest.fixture
def case() -> Ledger:
    """A case whose finding has one revision, by Bruno."""
    return case_in("FINDING_DRAFT")


def finding_of(case: Ledger) -> FindingState:
    assert case.state.finding is not None
    return case.state.finding


def test_a_new_revision_has_no_signatures_and_no_check(case: Ledger) -> None:
    assert finding_of(case) == FindingState(1, text_of(1), "bruno")
    case.put_names("elif")
    case.append("elif", case.checked("pass"))
    before = case.state
    after = case.append("daud", Drafted(2, text_of(2)))
    assert after == replace(before, head=after.head, finding=FindingState(2, text_of(2), "daud"))


def test_revisions_are_counted_from_one_without_a_gap(case: Ledger) -> None:
    for revision in (1, 3):
        assert case.refusal("bruno", Drafted(revision, text_of(2))) == "revision"
    case.append("bruno", Drafted(2, text_of(2)))
    first = Ledger()
    first.open()
    first.bring_in("bruno", "chiara")
    for move in ("ACKNOWLEDGED", "TRIAGE", "CONFLICT_CHECK"):
        first.move("amina", move, "sent" if move == "ACKNOWLEDGED" else None)
    first.decide("amina", "ASSIGNED")
    first.decide("bruno", "ADMITTED")
    first.move("bruno", "INVESTIGATING")
    first.move("bruno", "FINDING_DRAFT")
    assert first.refusal("bruno", Drafted(2, text_of(1))) == "revision"
    assert first.append("bruno", Drafted(1, text_of(1))).finding == FindingState(1, text_of(1), "bruno")


def test_a_new_revision_voids_what_was_proposed_of_the_last_one_and_no_waivers(case: Ledger) -> None:
    case.put_names("elif", "chiara")
    case.append("elif", case.checked("block"))
    waiver = case.append("elif", Waived(case.last)).proposals[0]
    case.propose("bruno", "ADOPTED")
    assert case.draft().proposals == (waiver,)


def test_nothing_is_drafted_while_a_correction_is_decided() -> None:
    case = case_in("PUBLISHED")
    case.draft()
    case.put_names("elif", "chiara")
    case.append("elif", case.checked("pass"))
    case.decide("elif", "PUBLISHED", "correction")
    assert case.refusal("bruno", Drafted(3, text_of(3))) == "decided"


def test_signatures_are_of_the_present_text_once_each(case: Ledger) -> None:
    assert case.refusal("elif", Signed(text_of(2), SIGNATURE)) == "text"
    before = case.state
    after = case.put_names("elif")
    assert after == replace(before, head=after.head, finding=replace(finding_of(case), signers=("elif",), chairs=()))
    assert case.refusal("elif", Signed(text_of(1), SIGNATURE)) == "signed-before"
    case.put_names("chiara")
    assert (finding_of(case).signers, finding_of(case).chairs) == (("elif", "chiara"), ("chiara",))
    case.change_roles(daud=("chair",))
    case.put_names("daud")
    assert (finding_of(case).signers, finding_of(case).chairs) == (("elif", "chiara", "daud"), ("chiara", "daud"))


def test_a_signature_before_a_revision_is_refused() -> None:
    case = case_in("INVESTIGATING")
    case.move("bruno", "FINDING_DRAFT")
    assert case.refusal("elif", Signed(text_of(1), SIGNATURE)) == "text"


def test_the_last_check_of_the_present_text_counts(case: Ledger) -> None:
    assert case.refusal("elif", Checked(text_of(2), "pass", digest("report"))) == "text"
    case.put_names("elif")
    for outcome in ("block", "warn"):
        before = case.state
        after = case.append("elif", case.checked(outcome))
        finding = replace(finding_of(case), check=Check(case.last, outcome))
        assert after == replace(before, head=after.head, finding=finding)
        assert finding.signers == ("elif",)


def test_the_last_word_on_a_recommendation_counts() -> None:
    case = case_in("FOLLOW_UP")
    first, second, third = RECOMMENDATION_STATUSES[:3]
    before = case.state
    case.append("bruno", RecommendationStatus("R-2", first))
    after = case.append("chiara", RecommendationStatus("R-1", second))
    assert after == replace(before, head=after.head, recommendations=(("R-1", second), ("R-2", first)))
    changed = case.append("bruno", RecommendationStatus("R-2", third))
    assert changed.recommendations == (("R-1", second), ("R-2", third))
    assert case.refusal("bruno", RecommendationStatus("R-1", "forgotten")) == "status"


def test_what_is_published_is_the_text_that_was_signed_as_its_revision() -> None:
    case = case_in("ADOPTED")
    case.append("elif", case.checked("pass"))
    case.decide("elif", "PUBLISHED")
    assert case.refusal("elif", Published("F-1", digest("another text"), 1)) == "text"
    assert case.refusal("elif", Published("F-1", case.text, 2)) == "revision"
    assert case.append("elif", Published("F-1", case.text, 1)).state == "PUBLISHED"


def test_a_correction_keeps_the_findings_id() -> None:
    case = case_in("PUBLISHED")
    case.draft()
    case.put_names("elif", "chiara")
    case.append("elif", case.checked("pass"))
    case.decide("elif", "PUBLISHED", "correction")
    assert case.refusal("elif", Corrected("F-2", case.text, 2)) == "finding"
    assert case.refusal("elif", Corrected("F-1", text_of(1), 2)) == "text"
    assert case.refusal("elif", Corrected("F-1", case.text, 1)) == "revision"
    published = case.append("elif", Corrected("F-1", case.text, 2)).published
    assert published is not None
    assert (published.finding, published.corrections) == ("F-1", 1)


def test_what_is_withdrawn_is_the_finding_that_was_published() -> None:
    case = case_in("PUBLISHED")
    case.decide("elif", "PUBLISHED", "withdrawal")
    assert case.refusal("elif", Withdrawn("F-2", digest("tombstone"))) == "finding"
    published = case.append("elif", Withdrawn("F-1", digest("tombstone"))).published
    assert published is not None
    assert published.withdrawn
