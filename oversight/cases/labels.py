# SPDX-License-Identifier: AGPL-3.0-or-later
"""Labels for the codes of cases: states, transitions, grounds, clocks, roles of parties, outcomes."""

from collections.abc import Mapping

from oversight.workflow import rules
from portal.kit.i18n import Translation


def state_labels(translation: Translation) -> Mapping[str, str]:
    """The states by their codes, in the order of the main line."""
    _ = translation.gettext
    return {
        rules.RECEIVED: _("Received"),
        rules.ACKNOWLEDGED: _("Acknowledged"),
        rules.TRIAGE: _("Being sorted"),
        rules.CONFLICT_CHECK: _("Checking for conflicts"),
        rules.ASSIGNED: _("Assigned"),
        rules.ADMITTED: _("Admitted"),
        rules.INADMISSIBLE: _("Not admissible"),
        rules.REFERRED: _("Referred"),
        rules.INVESTIGATING: _("Under investigation"),
        rules.FINDING_DRAFT: _("Finding in draft"),
        rules.ADOPTED: _("Finding adopted"),
        rules.PUBLISHED: _("Finding published"),
        rules.FOLLOW_UP: _("Following up"),
        rules.CLOSED: _("Closed"),
    }


def shape(state: str) -> str:
    """The shape beside the name of a state: how far along the main sequence the case is."""
    if state in {rules.RECEIVED, rules.ACKNOWLEDGED, rules.TRIAGE, rules.CONFLICT_CHECK}:
        return "new"
    if state in {rules.CLOSED, rules.INADMISSIBLE, rules.REFERRED}:
        return "ended"
    return "public" if state in {rules.PUBLISHED, rules.FOLLOW_UP} else "work"


def transition_label(from_state: str, to_state: str, ground: str | None, translation: Translation) -> str:
    """What a transition is called before it is made: an order, not a state."""
    _ = translation.gettext
    special = {
        rules.CORRECTION: _("Publish a correction"),
        rules.WITHDRAWAL: _("Withdraw the finding"),
    }
    if ground in special:
        return special[ground]
    if to_state == rules.INVESTIGATING and from_state == rules.FINDING_DRAFT:
        return _("Go back to the investigation")
    if to_state == rules.FINDING_DRAFT and from_state == rules.ADOPTED:
        return _("Take the finding back to draft")
    labels = {
        rules.ACKNOWLEDGED: _("Acknowledge the report"),
        rules.TRIAGE: _("Begin to sort the case"),
        rules.CONFLICT_CHECK: _("Go on to the check for conflicts"),
        rules.ASSIGNED: _("Assign the case to those who hold it"),
        rules.ADMITTED: _("Admit the case"),
        rules.INADMISSIBLE: _("Declare the case not admissible"),
        rules.REFERRED: _("Refer the case elsewhere"),
        rules.INVESTIGATING: _("Begin the investigation"),
        rules.FINDING_DRAFT: _("Begin to draft the finding"),
        rules.ADOPTED: _("Adopt the finding"),
        rules.PUBLISHED: _("Publish the finding"),
        rules.FOLLOW_UP: _("Begin to follow up the recommendations"),
        rules.CLOSED: _("Close the case"),
    }
    return labels.get(to_state, to_state)


def ground_label(code: str, translation: Translation) -> str:
    """The ground of a transition."""
    _ = translation.gettext
    labels = {
        rules.SENT: _("the acknowledgement is sent to the reporter"),
        rules.WITHHELD: _("the acknowledgement is withheld, because it would endanger somebody"),
        "jurisdiction": _("outside what the commission may look into"),
        "time": _("too long ago"),
        "anonymous-insufficient": _("too little to go on, and nobody to ask"),
        "duplicate": _("the same matter is another case already"),
        "sub-judice": _("a court is deciding it now"),
        "manifestly-unfounded": _("plainly without basis"),
        "other-body": _("another body is the right one"),
        "other-commission": _("another commission is the right one"),
        "authority": _("an authority is the right one"),
        rules.CORRECTION: _("correction"),
        rules.WITHDRAWAL: _("withdrawal"),
    }
    return labels.get(code, code)


def clock_label(code: str, translation: Translation) -> str:
    """What is due when a clock ends."""
    _ = translation.gettext
    return {"acknowledge": _("Acknowledge"), "feedback": _("Feedback to the reporter")}.get(code, code)


def policy_label(code: str, translation: Translation) -> str:
    """A policy pack."""
    _ = translation.gettext
    labels = {
        "eu-2019-1937": _("acknowledge in 7 days, feedback in 3 months"),
        "none": _("no time limits"),
    }
    return labels.get(code, code)


def party_role_labels(translation: Translation) -> Mapping[str, str]:
    """What somebody or something named in a case is to it."""
    _ = translation.gettext
    return {
        "concerned": _("the person it happened to"),
        "relative": _("a relative or friend"),
        "lawyer": _("a lawyer"),
        "witness": _("a witness"),
        "official": _("an official"),
        "authority": _("an authority"),
        "facility": _("a place of detention"),
        "other": _("another person or body"),
    }


def outcome_label(code: str, translation: Translation) -> str:
    """The outcome of an outgoing check."""
    _ = translation.gettext
    return {"pass": _("passed"), "warn": _("passed with warnings"), "block": _("blocked")}.get(code, code)


def recommendation_status_labels(translation: Translation) -> Mapping[str, str]:
    """What became of a recommendation, in the ledger and in a finding alike."""
    _ = translation.gettext
    return {
        "open": _("open"),
        "partly": _("partly implemented"),
        "implemented": _("implemented"),
        "not-implemented": _("not implemented"),
        "superseded": _("superseded"),
    }


def condition_label(code: str, translation: Translation) -> str:
    """The conditions of a transition."""
    _ = translation.gettext
    labels = {
        "investigator-holds": _("an investigator has to hold the case"),
        "text-drafted": _("the finding has to be drafted"),
        "text-signed": _("two members have to sign the finding, one of them a chair who did not write it"),
        "text-checked": _("the finding has to pass the outgoing check"),
        "text-newer": _("there has to be a newer text than the one published"),
        "stands": _("there has to be a published finding"),
        "approver-is-not-author": _("who approves can’t be the author of the finding"),
    }
    return labels.get(code, code)
