# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the portal can't show of the commission, as sentences for the queue's page."""

from dataclasses import dataclass

from oversight.commission.portal_visits import PortalVisits
from portal.kit.i18n import Translation

SHOWN_MAX = 5


@dataclass(frozen=True)
class PortalProblemText:
    """A sentence, and the hash or id that stands behind it."""

    sentence: str
    name: str


@dataclass(frozen=True)
class PortalProblemTexts:
    """Those that are shown, and how many ``more`` the portal named: a portal that lies must not push the queue away."""

    shown: tuple[PortalProblemText, ...]
    more: int


def portal_problems(visits: PortalVisits, translation: Translation) -> PortalProblemTexts:
    """One text for each thing that is missing on the portal, as it said at the last visit; charters before findings."""
    _ = translation.gettext
    texts = {
        "charter": _(
            "The portal says that it can’t show the commission’s pages: nobody can write to it there. Charter:"
        ),
        "finding": _("The portal says that it can’t show a finding. Its number:"),
    }
    problems = sorted(visits.problems, key=lambda problem: problem.kind)
    shown = tuple(PortalProblemText(texts[problem.kind], problem.name) for problem in problems[:SHOWN_MAX])
    return PortalProblemTexts(shown, len(problems) - len(shown))
