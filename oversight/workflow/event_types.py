# SPDX-License-Identifier: AGPL-3.0-or-later
"""The types of events in a case: one row for each, from its format to the sentence that tells it.

Whoever adds a type adds its format to ``crypto/event_types.py`` and a row here. A row says

- ``format``: the public part, whose ``kind`` is the type's code;
- ``act``: who may write it, in which states. Who may change the state, propose and approve is narrowed further by the
  table of transitions, and for waivers by ``WAIVER_APPROVERS``;
- ``effect``: what it makes of the case. The first event has none: it begins the case (``projection.apply_event``);
- ``sentence``: how a page tells it, with the member who acted as ``name`` and the fields of the public part by their
  names; ``action`` is the transition that was proposed. A sentence that depends on the part is a function of it;
- ``group``: what it is filed under on the page: ``decision``, ``people``, ``work``, or ``out`` for what leaves the
  office, which the reporter can see;
- ``has_page``: its sealed words have a page of their own.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Literal

from crypto import event_types as formats
from crypto.event_types import Public
from crypto.taxonomy import PURPOSE_ACKNOWLEDGEMENT, PURPOSE_FEEDBACK
from oversight.marking import N_
from oversight.workflow import finding_effects, holders, transitions, work_effects
from oversight.workflow.rules import (
    ADOPTED,
    CLOSED,
    FINDING_DRAFT,
    FOLLOW_UP,
    HANDLERS,
    PUBLISHED,
    STATES,
    Act,
    Roles,
)
from oversight.workflow.state import CaseState
from oversight.workflow.step import Step

Group = Literal["decision", "people", "work", "out"]
Sentence = str | Callable[[Any], str]


@dataclass(frozen=True)
class EventType:
    """A row of the table."""

    format: type[Public]
    act: Act
    effect: Callable[[Step], CaseState] | None
    sentence: Sentence
    group: Group = "work"
    has_page: bool = False

    def tell(self, public: Public) -> str:
        """The sentence for an event with this public part, to be translated and filled in."""
        return self.sentence if isinstance(self.sentence, str) else self.sentence(public)


def _roles(*names: str) -> Roles:
    return frozenset(names)


_OPEN = tuple(state for state in STATES if state != CLOSED)
_TEXT = (FINDING_DRAFT, PUBLISHED, FOLLOW_UP)
_OUT = (PUBLISHED, FOLLOW_UP)
_OPENERS = _roles("registrar", "triage")
_PUBLISHERS = _roles("publisher", "chair")


def _declaration(public: formats.Declared) -> str:
    return N_("%(name)s declared a conflict") if public.conflict else N_("%(name)s declared to have no conflict")


def _state_change(public: formats.Moved) -> str:
    if public.ground is None:
        return N_("%(name)s moved the case on")
    return N_("%(name)s moved the case on: %(ground)s")


def _letter(public: formats.Replied) -> str:
    sentences = {
        PURPOSE_ACKNOWLEDGEMENT: N_("%(name)s sent the reporter of %(report)s the acknowledgement"),
        PURPOSE_FEEDBACK: N_("%(name)s told the reporter of %(report)s how it stands"),
    }
    return sentences.get(public.purpose, N_("%(name)s wrote to the reporter of %(report)s"))


_TABLE = (
    EventType(
        format=formats.Opened,
        act=Act(_OPENERS, (), holder=False),
        effect=None,
        sentence=N_("%(name)s opened the case with %(reports)s and holds it"),
        group="decision",
    ),
    EventType(
        format=formats.ReportAdded,
        act=Act(_OPENERS | {"investigator"}, _OPEN),
        effect=work_effects.add_report,
        sentence=N_("%(name)s added report %(report)s"),
    ),
    EventType(
        format=formats.Declared,
        act=Act(HANDLERS, STATES, holder=False),
        effect=holders.declare,
        sentence=_declaration,
        group="people",
    ),
    EventType(
        format=formats.Assigned,
        act=Act(_OPENERS | {"chair"}, STATES),
        effect=holders.assign,
        sentence=N_("%(name)s gave the case to %(member)s"),
        group="people",
    ),
    EventType(
        format=formats.Recused,
        act=Act(HANDLERS, STATES),
        effect=holders.renew,
        sentence=N_("%(member)s was recused by %(name)s; the case’s keys are renewed"),
        group="people",
    ),
    EventType(
        format=formats.Left,
        act=Act(HANDLERS, STATES),
        effect=holders.renew,
        sentence=N_("%(member)s left the case, by %(name)s; the case’s keys are renewed"),
        group="people",
    ),
    EventType(
        format=formats.Moved,
        act=Act(HANDLERS, _OPEN),
        effect=transitions.change_state,
        sentence=_state_change,
        group="decision",
    ),
    EventType(
        format=formats.Proposed,
        act=Act(HANDLERS, _OPEN),
        effect=transitions.propose,
        sentence=N_("%(name)s proposed: %(action)s"),
        group="decision",
    ),
    EventType(
        format=formats.Approved,
        act=Act(HANDLERS, _OPEN),
        effect=transitions.approve,
        sentence=N_("%(name)s approved it"),
        group="decision",
    ),
    EventType(
        format=formats.Returned,
        act=Act(HANDLERS, _OPEN),
        effect=transitions.refuse,
        sentence=N_("%(name)s sent it back"),
        group="decision",
    ),
    EventType(
        format=formats.Waived,
        act=Act(HANDLERS, _OPEN),
        effect=transitions.waive,
        sentence=N_("%(name)s proposed to set an obstacle aside"),
        group="decision",
    ),
    EventType(
        format=formats.Noted,
        act=Act(HANDLERS, STATES),
        effect=work_effects.note,
        sentence=N_("%(name)s wrote a note"),
    ),
    EventType(
        format=formats.PartyAdded,
        act=Act(HANDLERS, _OPEN),
        effect=work_effects.add_party,
        sentence=N_("%(name)s named a person or body"),
    ),
    EventType(
        format=formats.ClockExtended,
        act=Act(_roles("investigator", "legal", "chair"), _OPEN),
        effect=work_effects.extend_clock,
        sentence=N_("%(name)s extended a time limit. %(clock)s: by %(due)s"),
    ),
    EventType(
        format=formats.Replied,
        act=Act(_roles("registrar", "triage", "investigator", "chair"), STATES),
        effect=work_effects.reply,
        sentence=_letter,
        group="out",
    ),
    EventType(
        format=formats.Drafted,
        act=Act(_roles("investigator", "legal"), _TEXT),
        effect=finding_effects.draft,
        sentence=N_("%(name)s wrote version %(revision)s of the finding"),
        has_page=True,
    ),
    EventType(
        format=formats.Signed,
        act=Act(_PUBLISHERS, _TEXT),
        effect=finding_effects.sign,
        sentence=N_("%(name)s signed the finding"),
    ),
    EventType(
        format=formats.Checked,
        act=Act(HANDLERS, (*_TEXT, ADOPTED)),
        effect=finding_effects.check_text,
        sentence=N_("%(name)s had the finding checked: %(outcome)s"),
        has_page=True,
    ),
    EventType(
        format=formats.Published,
        act=Act(_PUBLISHERS, (ADOPTED,)),
        effect=transitions.complete,
        sentence=N_("%(name)s published the finding as %(finding)s"),
        group="out",
    ),
    EventType(
        format=formats.Corrected,
        act=Act(_PUBLISHERS, _OUT),
        effect=transitions.complete,
        sentence=N_("%(name)s published a correction of %(finding)s"),
        group="out",
    ),
    EventType(
        format=formats.Withdrawn,
        act=Act(_PUBLISHERS, _OUT),
        effect=transitions.complete,
        sentence=N_("%(name)s withdrew the finding %(finding)s"),
        group="out",
    ),
    EventType(
        format=formats.RecommendationStatus,
        act=Act(_roles("investigator", "chair"), _OUT),
        effect=finding_effects.set_recommendation,
        sentence=N_("%(name)s recorded what became of recommendation %(recommendation)s: %(status)s"),
    ),
)

EVENT_TYPES: Mapping[str, EventType] = {row.format.kind: row for row in _TABLE}
"""The rows by the codes of the types (docs/protocol.md §13.2)."""
