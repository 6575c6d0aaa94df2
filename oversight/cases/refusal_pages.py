# SPDX-License-Identifier: AGPL-3.0-or-later
"""What a member sees when the rules refuse something, or when somebody else was faster."""

from contextlib import suppress

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from oversight.cases.case_pages import render_case
from oversight.cases.open_case import find_requested_case, open_requested_case
from oversight.cases.refusals import ACCESS, refusal
from oversight.marking import N_
from oversight.web.forms import FieldError
from oversight.web.rendering import render
from oversight.workflow.rules import RuleError

CHANGED = N_("The case has changed since you looked. Nothing was done: this is how it stands now.")


async def answer_rule(request: Request, error: Exception) -> Response:
    """The rule in words: 403 when it is about the member, 409 on the case itself when it is about the moment."""
    assert isinstance(error, RuleError)
    errors = [FieldError("", refusal(error.code))]
    if error.code not in ACCESS and "case" in request.path_params:
        with suppress(RuleError):
            return await render_case(request, await open_requested_case(request), errors, 409)
    status = 403 if error.code in ACCESS else 409
    return render(request, "case_refused.html", status, errors=errors, **await _ways_on(request, error.code))


async def answer_conflict(request: Request, error: Exception) -> Response:
    """Show the case again, when it has changed since the member saw it."""
    errors = [FieldError("", CHANGED)]
    try:
        return await render_case(request, await open_requested_case(request), errors, 409)
    except (KeyError, RuleError):
        return render(request, "case_refused.html", 409, errors=errors, case_path="", declare_path="")


async def answer_no_case(request: Request, error: Exception) -> Response:
    """A form names a case that is not there."""
    return render(request, "error.html", 404, kind="not-found")


async def answer_broken(request: Request, error: Exception) -> Response:
    """What is kept of a case can't be read, so that nobody knows who may see it."""
    return render(request, "error.html", 409, kind="case-broken")


async def _ways_on(request: Request, code: str) -> dict[str, str]:
    """The next page for a member: the case for a holder, the declaration for a member who may become one."""
    ways = {"case_path": "", "declare_path": ""}
    if "case" not in request.path_params:
        return ways
    with suppress(RuleError, HTTPException):
        case = await find_requested_case(request)
        if case.actor.label in case.state.holders and not case.state.in_conflict(case.actor.label):
            ways["case_path"] = case.path
        elif code == "not-a-holder":
            ways["declare_path"] = f"{case.path}/declare"
    return ways
