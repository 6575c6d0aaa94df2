# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who holds a case: declaring, being assigned, leaving, being recused."""

from dataclasses import replace

from crypto.event_types import Assigned, Declared, Renewed
from crypto.ids import MemberLabel, SubmissionId
from oversight.workflow import finding_effects
from oversight.workflow.access import renewal_due
from oversight.workflow.rules import HANDLERS, RuleError
from oversight.workflow.state import CaseState, Declaration
from oversight.workflow.step import Step


def declare(step: Step) -> CaseState:
    public: Declared = step.public
    state, member = step.state, step.event.actor
    if state.in_conflict(member):
        raise RuleError("conflict-stands")
    others = tuple(entry for entry in state.declarations if entry.member != member)
    entry = Declaration(member, step.event.hash, public.conflict, public.granted)
    changed = replace(state, declarations=(*others, entry))
    return without(changed, member) if public.conflict else changed


def assign(step: Step) -> CaseState:
    public: Assigned = step.public
    state = step.state
    member = step.members.get(public.member)
    if member is None or HANDLERS.isdisjoint(member.roles):
        raise RuleError("member")
    if state.is_recused(public.member):
        raise RuleError("member-recused")
    if public.member in state.holders:
        raise RuleError("member-holds")
    declaration = state.declaration(public.member)
    if declaration is None or state.in_conflict(public.member):
        raise RuleError("member-not-declared")
    if state.lacks_grant(declaration) and declaration.hash not in state.waived:
        raise RuleError("member-not-granted")
    if public.holders != (*state.holders, public.member):
        raise RuleError("holders")
    return replace(state, holders=public.holders, grant_sha256=public.grant_sha256)


def admit_report(step: Step, report: SubmissionId) -> CaseState:
    """The case with a further report, which its reporter must have let every other holder read as well."""
    state, actor = step.state, step.event.actor
    declared = {entry.member: entry for entry in state.declarations}
    if any(report not in declared[label].granted for label in state.holders if label != actor):
        raise RuleError("holder-not-granted")
    own = replace(declared[actor], granted=tuple(sorted({*declared[actor].granted, report})))
    others = tuple(entry for entry in state.declarations if entry.member != actor)
    return replace(state, reports=(*state.reports, report), declarations=(*others, own))


def renew(step: Step) -> CaseState:
    """A member leaves the case, recused or not; who makes the new identity can't be the one it is made against."""
    public: Renewed = step.public
    state, event = step.state, step.event
    recused = public.kind == "recused"
    if state.is_one_person(public.member, event.actor):
        raise RuleError("renews-against-oneself")
    if public.member not in state.holders:
        raise RuleError("member-holds-not")
    must_go = public.member in renewal_due(state, step.members)
    if not must_go and "chair" not in event.signer.roles:
        raise RuleError("role")
    if not recused and state.in_conflict(public.member):
        raise RuleError("conflict-stands")
    staying = tuple(label for label in state.holders if label != public.member and label in step.members)
    if public.generation != state.generation + 1 or public.recipient == state.recipient:
        raise RuleError("generation")
    if public.holders != staying:
        raise RuleError("holders")
    kept = tuple(entry for entry in state.declarations if entry.member != public.member or entry.conflict)
    changed = replace(
        state,
        generation=public.generation,
        recipient=public.recipient,
        grant_sha256=public.grant_sha256,
        holders=public.holders,
        declarations=kept,
        recused=(*state.recused, public.member) if recused else state.recused,
    )
    return without(changed, public.member)


def without(state: CaseState, member: MemberLabel) -> CaseState:
    """What the person has signed and what has not taken effect yet counts no more."""
    proposals = tuple(entry for entry in state.proposals if not state.is_one_person(entry.author, member))
    decided = state.decided
    deciders = () if decided is None else (decided.author, decided.approver)
    if any(label is not None and state.is_one_person(label, member) for label in deciders):
        decided = None
    return replace(state, proposals=proposals, decided=decided, finding=finding_effects.without_signer(state, member))
