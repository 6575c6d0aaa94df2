# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the portal can't show of the commission, as sentences for the queue's page."""

from dataclasses import dataclass

from oversight.commission.portal_visits import PortalVisits
from portal.kit.i18n import Translation


@dataclass(frozen=True)
class PortalProblemText:
    """A sentence, and the hash or id that stands behind it."""

    sentence: str
    name: str


def portal_problems(visits: PortalVisits, translation: Translation) -> list[PortalProblemText]:
    """One text for each thing that is missing on the portal, as it said at the last visit."""
    _ = translation.gettext
    texts = {
        "charter": _(
            "The portal says that it can’t show the commission’s pages: nobody can write to it there. Charter:"
        ),
        "finding": _("The portal says that it can’t show a finding. Its number:"),
    }
    return [PortalProblemText(texts[problem.kind], problem.name) for problem in visits.problems]
