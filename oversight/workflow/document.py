# SPDX-License-Identifier: AGPL-3.0-or-later
"""docs/workflow.md, made from the tables: ``python -m oversight.workflow.document > docs/workflow.md``."""

import sys
from collections.abc import Iterable, Sequence

from crypto.charter import ROLES
from oversight.workflow.clocks import PACKS, Pack
from oversight.workflow.event_types import EVENT_TYPES, EventType
from oversight.workflow.rules import STATES, TRANSITIONS, Roles, Transition

_TRANSITIONS = (
    "from",
    "to",
    "proposed by (or made by, where nobody approves)",
    "approved by",
    "grounds",
    "requires",
    "clocks",
    "complete with",
)
_REQUIREMENTS = {
    "investigator-holds": "an investigator without a conflict holds the case",
    "text-drafted": "there is a draft of the finding",
    "text-signed": "two members have signed the present text, one of them a chair who did not draft it",
    "text-checked": "the present text went through the outgoing check, and what blocked it was waived",
    "text-newer": "there is a later revision than the one that was published",
    "stands": "a finding is published and not withdrawn",
    "approver-is-not-author": "who approves did not draft the present text",
}


def write_document() -> str:
    """The whole document."""
    return "\n\n".join(
        (
            "# Workflow",
            _INTRODUCTION,
            "## Transitions",
            _table(_TRANSITIONS, (_transition_row(row) for row in TRANSITIONS)),
            "What is required:",
            "\n".join(f"- `{code}`: {text}" for code, text in _REQUIREMENTS.items()),
            "## Events",
            _EVENTS,
            _table(("event", "by", "in the states", "holder"), (_event_row(row) for row in EVENT_TYPES.values())),
            "## Who holds a case",
            _HOLDERS,
            "## Clocks",
            _CLOCKS,
            _table(("policy", "acknowledge", "feedback", "source", "checked"), (_pack_row(p) for p in PACKS.values())),
        )
    )


_INTRODUCTION = """\
Made from the tables in `oversight/workflow/rules.py`, `event_types.py` and `clocks.py` by
`python -m oversight.workflow.document`; a test checks that it is current. The format of the events is in section
13 of `docs/protocol.md`. The same rules judge an event when it is appended and when an exported ledger is verified.

Where a transition has approving roles it takes four eyes: one member proposes it, another one signs the hash of the
proposal. Neither may be recused or have declared a conflict, and what somebody has proposed, approved or signed is void
when they declare one before it took effect.

Wherever two members must be two people, or one is kept out, labels whose names are the same person's (§1.2 of
`docs/protocol.md`) are one member: by the names that the charters of their events give them."""
_EVENTS = """\
Who may write an event of a type, and in which states. Changes of state and approvals are narrowed further by the table
above. A `holder` must hold the case. A waiver takes effect when a chair approves it. Only those who could approve a
proposal, or its author, return it; so they do with a decision that was not carried out yet."""
_HOLDERS = """\
- Who opens a case holds it, and declares by that to have no conflict.
- Others declare first, and are then assigned. Each declaration lists the reports that the member's own grants open: a
  member whom a reporter left out, or who joined later, is not assigned unless that is waived by four eyes.
- A member who declares a conflict does nothing more in the case. Nothing is sealed to it until a holder has shut them
  out by a new identity; a chair may shut out others too. A recused member never comes back, one who left may.
- Nobody makes the identity that shuts themselves out, for they would know it.
- If nobody but members in conflict holds a case, they may still assign somebody else."""
_CLOCKS = """\
A case's clocks come from its policy and the day on which its first report was received. Feedback is due so many months
after the acknowledgement, or after the end of the time for it when none was sent by then; it may be extended, with
reasons, to the number of months in brackets. `checked`: whether a lawyer has compared the numbers with the source."""


def _transition_row(row: Transition) -> Sequence[str]:
    return (
        row.from_state,
        row.to_state,
        _roles(row.proposes),
        _roles(row.approves),
        ", ".join(row.grounds),
        ", ".join(f"`{code}`" for code in row.requires),
        ", ".join(row.clocks),
        f"`{row.completed_by}`" if row.completed_by else "",
    )


def _event_row(row: EventType) -> Sequence[str]:
    act = row.act
    if not act.states:
        states = "none yet"
    elif len(act.states) > len(STATES) // 2:
        missing = [state for state in STATES if state not in act.states]
        states = f"all but {', '.join(missing)}" if missing else "all"
    else:
        states = ", ".join(act.states)
    return (f"`{row.format.kind}`", _roles(act.roles), states, "yes" if act.holder else "")


def _pack_row(pack: Pack) -> Sequence[str]:
    acknowledge = "" if pack.acknowledge_days is None else f"{pack.acknowledge_days} days"
    feedback = "" if pack.feedback_months is None else f"{pack.feedback_months} months ({pack.feedback_months_max})"
    return (f"`{pack.code}`", acknowledge, feedback, pack.source, "yes" if pack.verified else "no")


def _roles(roles: Roles) -> str:
    return ", ".join(role for role in ROLES if role in roles)


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines)


if __name__ == "__main__":
    sys.stdout.write(write_document() + "\n")
