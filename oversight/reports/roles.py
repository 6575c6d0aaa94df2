# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which roles may do what with a report: one table, beside the grants and never instead of them.

A grant decides whether a member *can* open a report. These rules decide whether the office lets a member who could.
"""

from collections.abc import Iterable
from enum import Enum

from crypto.charter import REPLY_ROLES


class Action(Enum):
    """What a member may want to do with a report."""

    READ = "read"
    REPLY = "reply"


_ROLES: dict[Action, frozenset[str]] = {
    Action.READ: frozenset(
        {"registrar", "triage", "investigator", "legal", "chair", "publisher", "custodian", "reviewer"}
    ),
    Action.REPLY: REPLY_ROLES,
}


def may(roles: Iterable[str], action: Action) -> bool:
    """Whether one of these roles allows it. Auditors and administrators, as such, see no content."""
    return not _ROLES[action].isdisjoint(roles)
