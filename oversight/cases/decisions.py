# SPDX-License-Identifier: AGPL-3.0-or-later
"""The last decision in a case, and whether its reporters are to be told of it."""

from collections.abc import Sequence
from dataclasses import dataclass, field

from crypto.event_types import Approved, Moved, Proposed, Publication
from crypto.sealed_parts import Text
from oversight.cases.entries import Entry
from oversight.workflow import rules

TOLD = frozenset(
    {rules.ACKNOWLEDGED, rules.ADMITTED, rules.INADMISSIBLE, rules.REFERRED, rules.PUBLISHED, rules.CLOSED}
)
"""The states of which the reporter is told when a case comes to them."""


@dataclass(frozen=True)
class Decision:
    """The last transition that took effect: where it led, on what ground, for what reasons."""

    sequence: int
    to_state: str
    ground: str | None
    reasons: str = field(default="", repr=False)

    @property
    def is_told(self) -> bool:
        """Whether the reporter is to be told of it; not when the acknowledgement is withheld to keep them safe."""
        return self.to_state in TOLD and self.ground != rules.WITHHELD


def last_decision(entries: Sequence[Entry]) -> Decision | None:
    """The last transition among these events that took effect, or None."""
    proposed = {entry.event.hash: entry for entry in entries if isinstance(entry.event.public, Proposed)}
    last: Decision | None = None
    for entry in entries:
        public = entry.event.public
        if isinstance(public, Moved):
            last = Decision(entry.event.sequence, public.to_state, public.ground, _text(entry))
        elif isinstance(public, Publication):
            last = Decision(entry.event.sequence, rules.PUBLISHED, None)
        elif isinstance(public, Approved) and public.subject in proposed:
            subject = proposed[public.subject]
            proposal = subject.event.public
            assert isinstance(proposal, Proposed)
            transition = rules.find_transition(proposal.from_state, proposal.to_state, proposal.ground)
            if transition.completed_by is None:
                last = Decision(entry.event.sequence, proposal.to_state, proposal.ground, _text(subject))
    return last


def _text(entry: Entry) -> str:
    return entry.part.text if isinstance(entry.part, Text) else ""
