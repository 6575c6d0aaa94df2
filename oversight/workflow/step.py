# SPDX-License-Identifier: AGPL-3.0-or-later
"""An event on its way into a case."""

from dataclasses import dataclass
from typing import Any

from crypto.event import SignedEvent
from oversight.workflow.access import Members
from oversight.workflow.state import CaseState


@dataclass(frozen=True)
class Step:
    """The state before the event, the event, the members of its day by label."""

    state: CaseState
    event: SignedEvent
    members: Members

    @property
    def public(self) -> Any:
        """The public part, of the kind that the effect was looked up by."""
        return self.event.public
