# SPDX-License-Identifier: AGPL-3.0-or-later
"""How the last visits to the portal went, as one line of the queue's page."""

from dataclasses import dataclass
from datetime import datetime, timedelta

from babel.dates import format_timedelta

from oversight.reports.labels import trouble_label
from oversight.reports.records import CollectorStateRecord
from portal.kit.i18n import Translation


@dataclass(frozen=True)
class CollectorStatus:
    """``trouble`` is empty as long as the visits succeed."""

    text: str
    trouble: str


async def collector_status(now: datetime, translation: Translation) -> CollectorStatus:
    """The line about the last successful visit, and the line about a failure and its beginning."""
    _ = translation.gettext
    state = await CollectorStateRecord.first()
    if state is None or (state.last_success is None and state.failing_since is None):
        return CollectorStatus(_("The portal was not visited yet."), "")
    text = _("The portal was not visited yet.")
    if state.last_success is not None:
        text = _("Last collected %(ago)s.") % {"ago": _ago(now - state.last_success, translation)}
    if state.failing_since is None:
        return CollectorStatus(text, "")
    trouble = _("%(problem)s, since %(time)s UTC. It is tried again by itself.") % {
        "problem": trouble_label(state.problem or "", translation),
        "time": state.failing_since.strftime("%Y-%m-%d %H:%M"),
    }
    return CollectorStatus(text, trouble)


def _ago(passed: timedelta, translation: Translation) -> str:
    """In whole minutes or more, with Latin digits: "3 minutes ago"."""
    if passed < timedelta(minutes=1):
        return translation.gettext("less than a minute ago")
    locale = translation.locale.replace("-", "_")
    return str(format_timedelta(-passed, granularity="minute", threshold=1.5, add_direction=True, locale=locale))
