# SPDX-License-Identifier: AGPL-3.0-or-later
"""What may happen in a case: the states, and the transitions between them. One table; the events have another one.

- Nobody acts in a case who does not hold it, and nobody comes to hold it without having declared to have no conflict.
  Opening a case and declaring are the exceptions: ``holder`` is false there.
- A transition with approving roles takes **four eyes**: one member proposes it, another one approves it, by a signature
  over the hash of the proposal. Neither may be recused, and who approves is not the author of the finding. Two labels
  of one person are one member (``CaseState.is_one_person``).
- A transition that is ``completed_by`` an event takes effect when that event follows the approval: by then the portal
  has the text.
- ``requires`` names what else must hold; ``oversight/workflow/conditions.py`` has these conditions.

The tables hold codes alone. Refusals, pages and ``docs/workflow.md`` are made from them.
"""

from dataclasses import dataclass

RECEIVED = "RECEIVED"
ACKNOWLEDGED = "ACKNOWLEDGED"
TRIAGE = "TRIAGE"
CONFLICT_CHECK = "CONFLICT_CHECK"
ASSIGNED = "ASSIGNED"
ADMITTED = "ADMITTED"
INADMISSIBLE = "INADMISSIBLE"
REFERRED = "REFERRED"
INVESTIGATING = "INVESTIGATING"
FINDING_DRAFT = "FINDING_DRAFT"
ADOPTED = "ADOPTED"
PUBLISHED = "PUBLISHED"
FOLLOW_UP = "FOLLOW_UP"
CLOSED = "CLOSED"

STATES = (
    RECEIVED,
    ACKNOWLEDGED,
    TRIAGE,
    CONFLICT_CHECK,
    ASSIGNED,
    ADMITTED,
    INADMISSIBLE,
    REFERRED,
    INVESTIGATING,
    FINDING_DRAFT,
    ADOPTED,
    PUBLISHED,
    FOLLOW_UP,
    CLOSED,
)

Roles = frozenset[str]


def _roles(*names: str) -> Roles:
    return frozenset(names)


HANDLERS = _roles("registrar", "triage", "investigator", "legal", "chair", "publisher", "reviewer")
"""Roles that may hold a case. Auditors see public parts alone, administrators and custodians nothing of a case."""

INADMISSIBLE_GROUNDS = (
    "jurisdiction",
    "time",
    "anonymous-insufficient",
    "duplicate",
    "sub-judice",
    "manifestly-unfounded",
)
REFERRED_GROUNDS = ("other-body", "other-commission", "authority")
SENT, WITHHELD = "sent", "withheld"
CORRECTION, WITHDRAWAL = "correction", "withdrawal"


@dataclass(frozen=True)
class Transition:
    """One row: from where to where, who proposes, who approves (nobody: it takes effect at once)."""

    from_state: str
    to_state: str
    proposes: Roles
    approves: Roles = frozenset()
    grounds: tuple[str, ...] = ()
    requires: tuple[str, ...] = ()
    clocks: tuple[str, ...] = ()
    completed_by: str | None = None

    @property
    def four_eyes(self) -> bool:
        return bool(self.approves)


_EARLY = _roles("registrar", "triage")
_INVESTIGATOR = _roles("investigator")
_CHAIR = _roles("chair")

TRANSITIONS: tuple[Transition, ...] = (
    Transition(
        RECEIVED,
        ACKNOWLEDGED,
        _roles("registrar"),
        grounds=(SENT, WITHHELD),
        clocks=("stop acknowledge",),
    ),
    Transition(ACKNOWLEDGED, TRIAGE, _EARLY),
    Transition(TRIAGE, CONFLICT_CHECK, _EARLY),
    Transition(CONFLICT_CHECK, ASSIGNED, _EARLY, _CHAIR, requires=("investigator-holds",)),
    Transition(ASSIGNED, ADMITTED, _roles("triage", "investigator"), _CHAIR),
    Transition(ASSIGNED, INADMISSIBLE, _roles("triage", "investigator"), _CHAIR, grounds=INADMISSIBLE_GROUNDS),
    Transition(ASSIGNED, REFERRED, _roles("triage", "investigator"), _CHAIR, grounds=REFERRED_GROUNDS),
    Transition(ADMITTED, INVESTIGATING, _INVESTIGATOR),
    Transition(INVESTIGATING, FINDING_DRAFT, _INVESTIGATOR),
    Transition(FINDING_DRAFT, INVESTIGATING, _roles("investigator", "chair")),
    Transition(
        FINDING_DRAFT,
        ADOPTED,
        _roles("investigator", "legal"),
        _CHAIR,
        requires=("text-drafted", "text-signed", "approver-is-not-author"),
    ),
    Transition(ADOPTED, FINDING_DRAFT, _roles("investigator", "publisher", "chair")),
    Transition(
        ADOPTED,
        PUBLISHED,
        _roles("publisher"),
        _CHAIR,
        requires=("text-signed", "text-checked", "approver-is-not-author"),
        completed_by="published",
    ),
    Transition(PUBLISHED, FOLLOW_UP, _roles("investigator", "publisher")),
    *(
        Transition(
            state,
            state,
            _roles("publisher"),
            _CHAIR,
            grounds=(CORRECTION,),
            requires=("stands", "text-newer", "text-signed", "text-checked", "approver-is-not-author"),
            completed_by="corrected",
        )
        for state in (PUBLISHED, FOLLOW_UP)
    ),
    *(
        Transition(
            state,
            state,
            _roles("publisher"),
            _CHAIR,
            grounds=(WITHDRAWAL,),
            requires=("stands",),
            completed_by="withdrawn",
        )
        for state in (PUBLISHED, FOLLOW_UP)
    ),
    Transition(INADMISSIBLE, CLOSED, _EARLY, _CHAIR, clocks=("stop all",)),
    Transition(REFERRED, CLOSED, _EARLY, _CHAIR, clocks=("stop all",)),
    Transition(FOLLOW_UP, CLOSED, _roles("investigator"), _CHAIR, clocks=("stop all",)),
)


@dataclass(frozen=True)
class Act:
    """Who may write an event of a type, in which states of the case; ``holder``: only who holds it."""

    roles: Roles
    states: tuple[str, ...]
    holder: bool = True


WAIVER_APPROVERS = _CHAIR
"""Who may approve a waiver. Who may approve a transition stands in its row."""


SIGNATURES_DUE = 2


class RuleError(Exception):
    """This event may not follow. ``code`` is stable; pages say it in words."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def find_transition(from_state: str, to_state: str, ground: str | None) -> Transition:
    """The row for this transition.

    Raises RuleError ``no-such-transition``, or ``ground`` when the states fit and the ground does not.
    """
    rows = [row for row in TRANSITIONS if (row.from_state, row.to_state) == (from_state, to_state)]
    if not rows:
        raise RuleError("no-such-transition")
    for row in rows:
        if ground in row.grounds or (ground is None and not row.grounds):
            return row
    raise RuleError("ground")
