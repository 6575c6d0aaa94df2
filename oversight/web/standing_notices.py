# SPDX-License-Identifier: AGPL-3.0-or-later
"""What every page says to members who are logged in, as long as it is so.

Urgent reports that nobody has read, a charter that ends, a clock that is off.
"""

from dataclasses import dataclass
from datetime import date, datetime, timedelta

from portal.kit.i18n import Translation, format_day

TOLD_BEFORE = timedelta(days=60)
URGENT_BEFORE = timedelta(days=14)


@dataclass(frozen=True)
class Notice:
    """``kind`` is one that the component has: empty, or ``caution``. ``link`` leads on: a path, and its words."""

    title: str
    text: str
    kind: str = ""
    link: tuple[str, str] | None = None


def charter_notice(valid_until: date, today: date, translation: Translation) -> Notice | None:
    """What is to be said of the charter's last day, from 60 days before."""
    _ = translation.gettext
    left = valid_until - today
    if left > TOLD_BEFORE:
        return None
    day = {"day": format_day(valid_until, translation.locale)}
    if left < timedelta(0):
        return Notice(
            _("The commission’s charter is over since the end of %(day)s") % day,
            _(
                "You can read everything, messages from reporters still come in, and you can answer them. Nobody can "
                "send a new report, and nobody here can sign anything in a case, until the governors have signed a new "
                "charter. This version of the office has no page for that: talk to whoever runs the office."
            ),
            "caution",
        )
    title = _("The commission’s charter ends with %(day)s") % day
    if not left:
        when = _("That is today.")
    else:
        when = translation.ngettext("%(count)s day is left.", "%(count)s days are left.", left.days)
        when %= {"count": left.days}
    text = _(
        "Afterwards nobody can send a new report, and nobody here can sign anything in a case, until the governors "
        "have signed a new charter; everything can still be read, and reporters be answered. This version of the "
        "office has no page for a new charter: talk to whoever runs the office in good time."
    )
    return Notice(title, f"{when} {text}", "caution" if left <= URGENT_BEFORE else "")


def urgent_notice(now: int, soon: int, translation: Translation, *, may_read: bool) -> Notice | None:
    """How many reports that say they are urgent no member has opened; in ``now`` of them hours count.

    The office's own key read that, so that it stands here whoever is logged in. Only who may read gets the link.
    """
    _, count = translation.gettext, now + soon
    if not count:
        return None
    title = translation.ngettext("Urgent: %(count)s not yet read", "Urgent: %(count)s not yet read", count)
    hours = translation.ngettext(
        "In %(count)s of them hours count, by what the reporter chose.",
        "In %(count)s of them hours count, by what the reporters chose.",
        now,
    )
    text = hours % {"count": now} if now else _("In none of them hours count, by what the reporters chose: days do.")
    link = ("/queue?state=new", _("To the reports that nobody has opened")) if may_read else None
    return Notice(title % {"count": count}, text, "caution", link)


def clock_notice(now: datetime, translation: Translation) -> Notice:
    """The portal refuses this office's requests for their time. Which of the two clocks is wrong, a member can see."""
    _ = translation.gettext
    return Notice(
        _("The clocks of this office and of the portal differ by more than five minutes"),
        _(
            "For this office it is %(time)s. If that is wrong, sign nothing: no reply, no finding, no step in a "
            "case. Tell whoever runs the office. If it is right, go on: the portal’s clock is wrong then. Until it is "
            "mended nothing comes from the portal, and what goes there waits here."
        )
        # In the same order in every script.
        % {"time": f"\N{LEFT-TO-RIGHT ISOLATE}{now:%Y-%m-%d %H:%M} UTC\N{POP DIRECTIONAL ISOLATE}"},
        "caution",
    )
