# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the queue says of the exchange with the portal: when everything new was last taken, what fails, since when."""

from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any

from babel.dates import format_timedelta

from oversight.findings.records import PublicationRecord
from oversight.letters.records import ReplyRecord, ThreadNoteRecord
from oversight.reports.labels import passed_label, problem_label, step_label, trouble_label
from oversight.reports.records import BeyondHelpRecord, CollectorStateRecord, StuckArrivalRecord
from oversight.reports.stuck import HELD_BACK, MANY, NO_ROOM
from oversight.wire.portal_errors import REFUSES_ALL
from portal.kit.columns import UNREADABLE, readable
from portal.kit.i18n import Translation

SHOWN_MAX = 50
# After so long without everything being taken the page says so, whether or not anything is known to be wrong: so many
# visits, and not before some minutes have gone by.
QUIET_MAX = timedelta(minutes=15)
QUIET_VISITS = 3
# So far ahead a clock is that is set back a little now and then.
AHEAD = timedelta(minutes=1)
# What is wrong with the whole portal or the whole office, whichever step met it first.
GENERAL = frozenset({"unreachable", NO_ROOM, "storage", "failure", "storage-full"}) | REFUSES_ALL


@dataclass(frozen=True)
class StuckItem:
    """One thing that fails, or several of one kind: its short name, if it has one, why, and since which day."""

    name: str
    problem: str
    file: str
    since: date


@dataclass(frozen=True)
class CollectorStatus:
    """``text`` says when everything was last taken, ``trouble`` what is wrong with the visits, empty for nothing.

    ``since`` is when the trouble began, if that is known; it is tried again by itself. ``waits`` is what is about to be
    taken, ``holds_back`` says whether more came today than is taken in a day. ``stuck`` are items of the portal that
    can't be taken, ``unsent`` those of this office that the portal does not take; ``lost`` counts what no restore has
    left.
    """

    text: str
    trouble: str = ""
    since: datetime | None = None
    waits: tuple[str, ...] = ()
    holds_back: bool = False
    stuck: tuple[StuckItem, ...] = ()
    failing: int = 0
    unsent: tuple[StuckItem, ...] = ()
    lost: int = 0

    @property
    def is_quiet(self) -> bool:
        """Whether all is well."""
        return not (self.trouble or self.waits or self.holds_back or self.stuck or self.unsent)


async def collector_status(
    now: datetime, translation: Translation, *, is_open: bool, every: timedelta | None
) -> CollectorStatus:
    """How the exchange stands; ``is_open`` says whether the office's keys are.

    ``every`` is how long it is from one visit to the next, nothing when no portal is named.
    """
    _ = translation.gettext
    if every is None:
        return CollectorStatus("", _("This office visits no portal: OVERSIGHT_PORTAL_URL is empty."))
    state = await CollectorStateRecord.first()
    found = await StuckArrivalRecord.all().order_by("failing_since", "id")
    rows = [row for row in found if row.problem != HELD_BACK]
    messages = sum(readable(row.count, 1) for row in found if row.problem == HELD_BACK)
    stuck = tuple(_stuck(row, translation) for row in rows[:SHOWN_MAX])
    return CollectorStatus(
        text=_last(state, now, translation, all_of_it=not found),
        trouble=_trouble(state, now, every, translation) if is_open else _closed(translation),
        since=readable(state.failing_since, None) if is_open and state else None,
        waits=_waits(state, messages, translation),
        holds_back=bool(messages or (state and readable(state.held_back, 0))),
        stuck=stuck,
        failing=sum(readable(row.count, 1) for row in rows),
        unsent=await _unsent(translation),
        lost=await BeyondHelpRecord.all().count(),
    )


def _last(state: CollectorStateRecord | None, now: datetime, translation: Translation, *, all_of_it: bool) -> str:
    """When every list was last read to its end and nothing new was left lying."""
    _ = translation.gettext
    if state is None or (all_of_it and not _was_visited(state)):
        return _("The portal was not visited yet.")
    if state.last_success is None:
        return _("Never yet was everything collected that is at the portal.")
    if state.last_success is UNREADABLE:
        return _("When everything was last collected is not known: what is stored of it is damaged.")
    if state.last_success > now + AHEAD:
        return _("When everything was last collected is not known: the office’s clock ran ahead.")
    ago = _ago(now - state.last_success, translation)
    if all_of_it:
        return _("Last collected %(ago)s.") % {"ago": ago}
    return _("Everything else was last collected %(ago)s.") % {"ago": ago}


def _was_visited(state: CollectorStateRecord) -> bool:
    """Whether anything tells of a visit: how one ended, what one left waiting, or that one came half through."""
    ended = (state.last_success, state.failing_since, state.charter_noted_on)
    return any(each is not None for each in ended) or bool(state.waiting or state.held_back)


def _trouble(state: CollectorStateRecord | None, now: datetime, every: timedelta, translation: Translation) -> str:
    _ = translation.gettext
    if state is None:
        return ""
    if state.failing_since is not None:
        problem = trouble_label(state.problem or "", translation)
        if state.problem not in GENERAL and state.step:
            problem = _("%(step)s: %(problem)s") % {"step": step_label(state.step, translation), "problem": problem}
        return problem
    quiet, last = max(QUIET_MAX, QUIET_VISITS * every), readable(state.last_success, None)
    if last is not None and now - last > quiet and not readable(state.waiting, 0) + readable(state.held_back, 0):
        return _("For a while nothing was collected. If this stays, start the office again.")
    return ""


def _closed(translation: Translation) -> str:
    return translation.gettext("The office’s own keys are closed: nothing is collected until a member logs in.")


def _waits(state: CollectorStateRecord | None, messages: int, translation: Translation) -> tuple[str, ...]:
    found = []
    waiting, held_back = (0, 0) if state is None else (readable(state.waiting, 0), readable(state.held_back, 0))
    if waiting:
        text = translation.ngettext(
            "%(count)s new report is being fetched.", "%(count)s new reports are being fetched.", waiting
        )
        found.append(text % {"count": waiting})
    if held_back:
        text = translation.ngettext(
            "More came today than this office takes in a day. %(count)s report waits at the portal until tomorrow, or "
            "until a member has it taken. If nobody expects so many, somebody may be inventing them: tell whoever runs "
            "the portal.",
            "More came today than this office takes in a day. %(count)s reports wait at the portal until tomorrow, or "
            "until a member has them taken. If nobody expects so many, somebody may be inventing them: tell whoever "
            "runs the portal.",
            held_back,
        )
        found.append(text % {"count": held_back})
    if messages:
        text = translation.ngettext(
            "More messages came today than this office takes in a day. %(count)s waits at the portal until tomorrow, "
            "or until a member has it taken.",
            "More messages came today than this office takes in a day. %(count)s wait at the portal until tomorrow, or "
            "until a member has them taken.",
            messages,
        )
        found.append(text % {"count": messages})
    return tuple(found)


def _stuck(row: StuckArrivalRecord, translation: Translation) -> StuckItem:
    since = row.failing_since or date.min
    if row.item.startswith(MANY):
        return StuckItem("", passed_label(row.problem or "", readable(row.count, 1), translation), "", since)
    return StuckItem(row.item[:8], problem_label(row.problem or "", translation), row.file or "", since)


async def _unsent(translation: Translation) -> tuple[StuckItem, ...]:
    """Replies and findings that wait after a failure, and threads whose note does; each kind with its count."""
    letters = await _failing(ReplyRecord, posted_on=None, refused=None)
    findings = await _failing(PublicationRecord, posted_on=None, refused=None)
    notes = await _failing(ThreadNoteRecord, stale=True)
    kinds = (
        (letters, translation.ngettext("%(count)s reply", "%(count)s replies", len(letters))),
        (findings, translation.ngettext("%(count)s finding", "%(count)s findings", len(findings))),
        (notes, translation.ngettext("%(count)s note to a mailbox", "%(count)s notes to mailboxes", len(notes))),
    )
    return tuple(
        StuckItem(
            name % {"count": len(rows)},
            problem_label(rows[0].problem or "", translation),
            "",
            rows[0].failing_since or date.min,
        )
        for rows, name in kinds
        if rows
    )


async def _failing(model: Any, **waiting: object) -> list[Any]:
    """Rows that failed and wait, the oldest trouble first."""
    return list(await model.filter(attempts__gt=0, **waiting).order_by("failing_since"))


def _ago(passed: timedelta, translation: Translation) -> str:
    """In whole minutes or more, with Latin digits: "3 minutes ago"."""
    if passed < timedelta(minutes=1):
        return translation.gettext("less than a minute ago")
    locale = translation.locale.replace("-", "_")
    return str(format_timedelta(-passed, granularity="minute", threshold=1.5, add_direction=True, locale=locale))
