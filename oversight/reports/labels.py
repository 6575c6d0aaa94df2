# SPDX-License-Identifier: AGPL-3.0-or-later
"""Labels for what a report says in codes, in the language of the member who reads."""

from collections.abc import Mapping
from datetime import date

from babel import Locale
from babel.dates import format_date

from crypto.answers import Moment, PartialDate
from crypto.charter import Charter
from crypto.taxonomy import NO_COUNTRY
from portal.kit.i18n import Translation, country_names, find_locale, format_day


def urgency_label(code: str, translation: Translation) -> str:
    """A short name of an urgency code; an unknown one is shown as it is."""
    _ = translation.gettext
    labels = {
        "UR-SURR-72H": _("handed over within 3 days"),
        "UR-SURR-14D": _("handed over within 2 weeks"),
        "UR-SURR": _("date of surrender set"),
        "UR-LIFE": _("life in danger"),
        "UR-TORT-NOW": _("torture or beating now"),
        "UR-DISAP": _("whereabouts unknown"),
        "UR-SUICIDE": _("may harm themselves"),
        "UR-MED": _("no medical care"),
        "UR-HUNGER": _("hunger strike"),
        "UR-MINOR": _("child concerned"),
        "UR-PREG": _("pregnant woman concerned"),
        "UR-WITNESS": _("witness in danger"),
        "UR-EVLOSS": _("evidence may be lost"),
        "UR-LIMIT": _("time limit close"),
        "UR-RETAL": _("retaliation"),
    }
    return labels.get(code, code)


def level_labels(translation: Translation) -> Mapping[str, str]:
    """The four levels of urgency, by the names that the queue's filter has for them."""
    _ = translation.gettext
    return {"now": _("Now"), "soon": _("Soon"), "noted": _("Noted"), "none": _("None stated")}


def state_labels(translation: Translation) -> Mapping[str, str]:
    """How far the office got with a report."""
    _ = translation.gettext
    return {"new": _("New"), "opened": _("Opened"), "answered": _("Answered")}


def problem_label(code: str, translation: Translation) -> str:
    """Why one item could not be collected, or is not taken by the portal."""
    _ = translation.gettext
    labels = {
        "manifest": _("its list of files can’t be read"),
        "conflict": _("the portal shows another list of files than before"),
        "charter": _("it was sealed under a charter that this office does not know"),
        "acknowledgement": _("the portal has no signed acknowledgement for these very files"),
        "day": _("the portal says that it came before the year 1900"),
        "file-size": _("a file has another size than it should"),
        "file-hash": _("a file was altered"),
        "file-missing": _("a file is missing at the portal"),
        "too-large": _("it is larger than the charter or the portal allows"),
        "no-room": _("there is not enough room for it on the office’s disk"),
        "storage": _("the office’s own disk does not take it"),
        "gone": _("the portal does not show it any more"),
        "interrupted": _("the connection breaks off at this one"),
        "slow": _("the portal sends it too slowly"),
        "unreadable": _("the portal’s answer can’t be read"),
        "too-long": _("the portal’s answer is too long"),
        "error": _("the portal answers with an error for this one"),
        "internal": _("the portal answers with an error for this one"),
        "busy": _("the portal is busy"),
        "unavailable": _("the portal’s disk or database does not answer"),
        "storage-full": _("the portal has no room left for it"),
        "damaged": _("what the portal stores of it is damaged"),
        "mailbox-full": _("the reporter’s mailbox holds as many replies as it can"),
        "numbers-used-up": _("all numbers of this thread are used up: nothing more can be sent to it"),
        "reply-number": _("the portal names other numbers for this thread than this office can confirm"),
        "thread-number": _("the portal names other numbers for this thread than this office can confirm"),
        "waits": _("it waits for another one that has to go out first"),
        "failure": _("a fault of this office’s program"),
        "refused": _("the portal refuses it"),
    }
    return labels.get(code) or _("the portal refuses it (%(code)s)") % {"code": code}


def passed_label(code: str, count: int, translation: Translation) -> str:
    """What of the portal's lists was passed over, and how many of them."""
    labels = {
        "unreadable": translation.ngettext(
            "%(count)s entry that can’t be read or is too large",
            "%(count)s entries that can’t be read or are too large",
            count,
        ),
        "unknown": translation.ngettext(
            "%(count)s entry for a report that this office does not have",
            "%(count)s entries for reports that this office does not have",
            count,
        ),
        "no-row": translation.ngettext(
            "%(count)s more report that can’t be collected", "%(count)s more reports that can’t be collected", count
        ),
        "false": translation.ngettext(
            "%(count)s command that the mailbox’s key did not sign",
            "%(count)s commands that the mailbox’s key did not sign",
            count,
        ),
        "unkept": translation.ngettext(
            "%(count)s message that this office fails to store",
            "%(count)s messages that this office fails to store",
            count,
        ),
        "failure": translation.ngettext(
            "%(count)s command of a mailbox of which damaged data is stored here",
            "%(count)s commands of mailboxes of which damaged data is stored here",
            count,
        ),
    }
    return labels.get(code, code) % {"count": count}


def step_label(code: str, translation: Translation) -> str:
    """A step of the visits to the portal."""
    _ = translation.gettext
    labels = {
        "charters": _("Bringing the charters"),
        "submissions": _("Reading the list of reports"),
        "fetching": _("Fetching reports"),
        "confirming": _("Confirming reports"),
        "comparing": _("Comparing what the portal holds"),
        "announcing": _("Bringing back mailboxes that the portal lost"),
        "threads": _("Bringing back replies that the portal lost"),
        "register": _("Comparing the register"),
        "states": _("Keeping copies of mailboxes"),
        "follow-ups": _("Collecting messages"),
        "controls": _("Collecting mailbox commands"),
        "newest-charter": _("Saying which charter is the newest"),
        "letters": _("Sending replies"),
        "findings": _("Publishing findings"),
        "thread-notes": _("Telling mailboxes what the office holds"),
        "problems": _("Asking what the portal can’t show"),
    }
    return labels.get(code, code)


def trouble_label(code: str, translation: Translation) -> str:
    """Why the last visit to the portal broke off."""
    _ = translation.gettext
    labels = {
        "unreachable": _("The portal can’t be reached"),
        "interrupted": _("The connection to the portal breaks off"),
        "slow": _("The portal answers too slowly"),
        "unreadable": _("The portal answers with what can’t be read"),
        "too-long": _("The portal answers with more than it may"),
        "endless": _("The portal’s list does not end"),
        "error": _("The portal answers with an error"),
        "internal": _("The portal answers with an error"),
        "busy": _("The portal is busy"),
        "unavailable": _("The portal’s disk or database does not answer"),
        "storage-full": _("The portal has no room left for it"),
        "damaged": _("What the portal stores of it is damaged"),
        "no-room": _("The office’s own disk is nearly full: what is new stays at the portal"),
        "storage": _("The office’s own disk refuses to store what comes"),
        "failure": _("Collecting fails by a fault of this office’s program"),
        "signature-invalid": _("The portal does not accept this office’s key"),
        "signature-expired": _("The clocks of portal and office differ too much"),
        "not-your-commission": _("The portal does not accept this office’s key"),
        "office-elsewhere": _(
            "Another copy of this office is at work at the portal, so that this one waits. If nobody moved the office "
            "a moment ago, find out where the other one runs, and stop one of the two"
        ),
    }
    return labels.get(code, _("The portal refuses this office’s requests"))


def sealed_by_label(code: str, translation: Translation) -> str:
    """How a report was sealed, and what that means for trust in it."""
    _ = translation.gettext
    labels = {
        "browser": _("in the reporter’s browser, before it was sent"),
        "offline-form": _("with the offline form, without a network"),
        "command-line": _("with the command line program"),
        "server": _("on the portal’s server, which could read it while it came in"),
        "paper": _("by staff who typed in a paper form"),
    }
    return labels.get(code, code)


def option_labels(charter: Charter, locale: str) -> Mapping[str, str]:
    """What this charter's questionnaire calls its codes."""
    return {
        option.code: in_language(option.label, locale)
        for question in charter.questionnaire.questions
        for option in question.options
    }


def in_language(text: Mapping[str, str], locale: str) -> str:
    """A text of a charter in the member's language, else in the charter's first."""
    return text.get(locale) or next(iter(text.values()))


def country_labels(translation: Translation) -> Mapping[str, str]:
    """Country names in the order of the member's alphabet, then what stands for a country that is not known."""
    return {**country_names(translation.locale), NO_COUNTRY: translation.gettext("not known")}


def day_in_language(day: date, language: str) -> str:
    """A day as a reader of this language writes it; in digits where nobody knows the language."""
    return day.isoformat() if find_locale(language) is None else format_day(day, language)


def size_label(size: int, translation: Translation) -> str:
    """A size in bytes, as files are spoken of: 17 KB, 3.4 MB."""
    _ = translation.gettext
    if size < 1000:
        return translation.ngettext("%(size)s byte", "%(size)s bytes", size) % {"size": size}
    if size < 1_000_000:
        return _("%(size)s KB") % {"size": round(size / 1000)}
    return _("%(size)s MB") % {"size": f"{size / 1_000_000:.1f}"}


def partial_date_label(value: PartialDate, translation: Translation) -> str:
    """A date of which parts may be unknown, as exactly as it was given and no more."""
    _ = translation.gettext
    known = _known_parts(value, translation)
    if isinstance(value, Moment) and value.hour is not None:
        # Translators: a day and an hour of it: 3 March 2026, at 14:00
        known = _("%(date)s, at %(hour)s") % {"date": known or _("day not known"), "hour": f"{value.hour:02}:00"}
    return _("about %(date)s") % {"date": known} if value.about and known else known or _("not known")


def _known_parts(value: PartialDate, translation: Translation) -> str:
    year, month, day = value.year, value.month, value.day
    locale = Locale.parse(translation.locale, sep="-")
    try:
        if year and month and day:
            return format_day(date(year, month, day), translation.locale)
        if year and month:
            return format_date(date(year, month, 1), "MMMM y", locale)
        if month and day:
            return format_date(date(2024, month, day), "d MMMM", locale)
        if month:
            return format_date(date(2024, month, 1), "LLLL", locale)
    except ValueError:
        # A day that no calendar has, such as 31 February, is shown as it was written.
        return f"{day}.{month}.{year or '?'}"
    words = translation.gettext("day %(day)s of a month") % {"day": day} if day else ""
    if words and year:
        words = translation.gettext("day %(day)s of a month of %(year)s") % {"day": day, "year": year}
    return words or str(year or "")
