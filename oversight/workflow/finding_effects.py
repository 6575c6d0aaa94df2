# SPDX-License-Identifier: AGPL-3.0-or-later
"""What events make of a case's finding: revisions, signatures, checks, publication."""

from dataclasses import replace

from crypto.event_types import Checked, Drafted, Publication, RecommendationStatus, Signed, Withdrawn
from crypto.ids import MemberLabel, TextHash
from crypto.taxonomy import RECOMMENDATION_STATUSES
from oversight.workflow.rules import RuleError
from oversight.workflow.state import CaseState, Check, FindingState, PublishedState
from oversight.workflow.step import Step


def draft(step: Step) -> CaseState:
    """A new revision, neither signed nor checked yet; earlier proposals concerned another text."""
    public: Drafted = step.public
    state = step.state
    if state.decided is not None:
        raise RuleError("decided")
    if public.revision != (1 if state.finding is None else state.finding.revision + 1):
        raise RuleError("revision")
    return replace(
        state,
        finding=FindingState(public.revision, public.text_sha256, step.event.actor),
        proposals=tuple(entry for entry in state.proposals if entry.to_state is None),
    )


def sign(step: Step) -> CaseState:
    """A signature of the present text. *Not* checked: that it is one, which takes the text."""
    public: Signed = step.public
    state, signer = step.state, step.event.signer
    finding = _present(state, public.text_sha256)
    if any(state.is_one_person(label, signer.label) for label in finding.signers):
        raise RuleError("signed-before")
    chairs = (*finding.chairs, signer.label) if "chair" in signer.roles else finding.chairs
    return replace(state, finding=replace(finding, signers=(*finding.signers, signer.label), chairs=chairs))


def check_text(step: Step) -> CaseState:
    """The outcome of a check of the present text; a later one takes its place."""
    public: Checked = step.public
    finding = _present(step.state, public.text_sha256)
    return replace(step.state, finding=replace(finding, check=Check(step.event.hash, public.outcome)))


def set_recommendation(step: Step) -> CaseState:
    """What became of a recommendation; the last word on it counts."""
    public: RecommendationStatus = step.public
    if public.status not in RECOMMENDATION_STATUSES:
        raise RuleError("status")
    others = tuple(entry for entry in step.state.recommendations if entry[0] != public.recommendation)
    changed = tuple(sorted((*others, (public.recommendation, public.status))))
    return replace(step.state, recommendations=changed)


def publish(state: CaseState, public: Publication, *, corrects: bool) -> PublishedState:
    """The published finding: exactly the signed text, under its permanent id."""
    finding = _present(state, public.note_sha256)
    if public.revision != finding.revision:
        raise RuleError("revision")
    before = state.published
    if corrects and (before is None or before.finding != public.finding):
        raise RuleError("finding")
    corrections = before.corrections + 1 if corrects and before is not None else 0
    return PublishedState(public.finding, public.note_sha256, public.revision, corrections)


def withdraw(state: CaseState, public: Withdrawn) -> PublishedState:
    """The finding is replaced by its tombstone."""
    if state.published is None or state.published.finding != public.finding:
        raise RuleError("finding")
    return replace(state.published, note_sha256=public.note_sha256, withdrawn=True)


def without_signer(state: CaseState, member: MemberLabel) -> FindingState | None:
    """The finding without the signature of a person who must not have a say in it."""
    finding = state.finding
    if finding is None:
        return None
    signers = tuple(label for label in finding.signers if not state.is_one_person(label, member))
    return replace(finding, signers=signers, chairs=tuple(label for label in finding.chairs if label in signers))


def _present(state: CaseState, text_sha256: TextHash) -> FindingState:
    if state.finding is None or state.finding.text_sha256 != text_sha256:
        raise RuleError("text")
    return state.finding
