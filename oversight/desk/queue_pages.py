# SPDX-License-Identifier: AGPL-3.0-or-later
"""The queue as a page."""

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, timedelta
from typing import Any
from urllib.parse import urlencode

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from crypto.charter import Charter
from crypto.ids import CharterHash
from oversight.cases.actor import actor_of
from oversight.cases.labels import clock_label
from oversight.cases.report_deadlines import due_of_reports
from oversight.commission.charters import charters_by_hash, current_charter
from oversight.desk.collector_status import CollectorStatus, collector_status
from oversight.desk.index import continue_index
from oversight.desk.portal_problems import portal_problems
from oversight.desk.queue import LEVELS, STATES, Filters, QueuePage, read_queue
from oversight.desk.renewals import continue_renewals
from oversight.findings.records import PublicationRecord
from oversight.letters.records import ReplyRecord, ThreadNoteRecord
from oversight.members.sessions import current_session
from oversight.reports import labels
from oversight.reports.roles import Action, may
from oversight.reports.stuck import try_again
from oversight.reports.urgency import Level
from oversight.web.addresses import Route
from oversight.web.rendering import redirect, render, translation_of
from oversight.wire.retry import try_again_now
from portal.kit.i18n import Translation, language_in
from portal.kit.unwritable import if_writable

LEVEL_NAMES = {level: name for name, level in LEVELS.items()}


async def show_queue(request: Request) -> Response:
    """Return a page of the member's queue, after opening new reports for a limited time."""
    session = await current_session(request)
    charter, charters = await current_charter(), await charters_by_hash()
    translation = translation_of(request)
    status = await _status(request, translation)
    if not may(session.member.roles, Action.READ):
        not_shown = portal_problems(request.app.state.portal_visits, translation)
        return render(request, "queue_closed.html", status=status, not_shown=not_shown)
    progress = await continue_index(session, charters, charter.realm)
    with if_writable():
        await continue_renewals(await actor_of(session, request.app.state.clock()), charters)
    filters = Filters.read(request.query_params)
    page = await read_queue(session, filters, request.query_params.get("after", ""))
    progress = replace(progress, done=progress.done - page.dropped)
    return render(
        request,
        "queue.html",
        page=page,
        progress=progress,
        status=status,
        not_shown=portal_problems(request.app.state.portal_visits, translation),
        filters=filters,
        following=_link(filters, page.following),
        further="/queue?" + urlencode(filters.query()),
        due=await due_of_reports([row.submission for row in page.rows], request.app.state.clock().date()),
        **_queue_labels(page, charters, translation),
    )


def _queue_labels(page: QueuePage, charters: Mapping[CharterHash, Charter], translation: Translation) -> dict[str, Any]:
    countries = labels.country_labels(translation)
    options = {key: labels.option_labels(charter, translation.locale) for key, charter in charters.items()}
    return {
        "countries": {code: name for code, name in countries.items() if code in page.countries},
        "country": lambda code: countries.get(code, code),
        "levels": labels.level_labels(translation),
        "level_name": lambda level: LEVEL_NAMES[Level(level)],
        "states": {state: labels.state_labels(translation)[state] for state in STATES},
        "urgency": lambda code: labels.urgency_label(code, translation),
        "what": lambda charter, code: options.get(charter, {}).get(code, code),
        "language": lambda code: language_in(code, translation.locale),
        "clock": lambda code: clock_label(code, translation),
        "week": first_day_of_week,
    }


def _link(filters: Filters, following: str | None) -> str:
    return "" if following is None else "/queue?" + urlencode({**filters.query(), "after": following})


async def collect_now(request: Request) -> Response:
    """Have the next visit to the portal begin at once, and try everything again that waits for its time."""
    session = await current_session(request)
    if not may(session.member.roles, Action.READ):
        raise HTTPException(403)
    await try_again(request.app.state.clock())
    await try_again_now(ReplyRecord, PublicationRecord, ThreadNoteRecord)
    request.app.state.portal_visits.begin_now.set()
    return redirect("/queue")


async def collect_more(request: Request) -> Response:
    """Have as much again taken today as this office takes in a day."""
    session = await current_session(request)
    if not may(session.member.roles, Action.READ):
        raise HTTPException(403)
    visits = request.app.state.portal_visits
    visits.let_in[request.app.state.clock().date()] += 1
    visits.begin_now.set()
    return redirect("/queue")


async def _status(request: Request, translation: Translation) -> CollectorStatus:
    state = request.app.state
    every = timedelta(seconds=state.settings.collect_seconds) if state.settings.portal_url else None
    return await collector_status(state.clock(), translation, is_open=state.office_safe.is_open, every=every)


def first_day_of_week(day: date) -> date:
    """Monday of the week: the queue does not say on which day something came."""
    return day - timedelta(days=day.weekday())


routes = [
    Route("/queue", show_queue),
    Route("/queue/collect", collect_now, methods=["POST"]),
    Route("/queue/collect/more", collect_more, methods=["POST"]),
]
