# SPDX-License-Identifier: AGPL-3.0-or-later
"""The ceremony's last step: the governors sign, the members' accounts are stored, the portal accepts the charter."""

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crypto.charter import Charter
from crypto.errors import CryptoError
from crypto.fingerprint import member_fingerprint
from oversight.commission.keys import office_key
from oversight.commission.portal import portal_before_founding
from oversight.founding.ceremony import Ceremony, Terms, member_entry, sign_charter
from oversight.founding.command import default_questionnaire
from oversight.founding.plan_pages import states
from oversight.founding.setup import open_draft, require_setup, withdraw
from oversight.founding.store import keep, publish, waiting_charter
from oversight.marking import N_
from oversight.settings import Settings
from oversight.web.forms import FieldError, read_form
from oversight.web.rendering import redirect, render
from oversight.wire.portal_client import PortalError, PortalRefused
from oversight.wire.portal_responses import PortalInfo

REFUSALS = {
    "invitation-invalid": N_("The portal does not know this invitation, or it was used before"),
    "charter-conflict": N_("The portal has another commission of this short name: start over with another one"),
    "charter-expired": N_("The portal’s clock says that this charter is not valid today"),
    "charter-invalid": N_("The portal does not take this charter. Start over; if it stays so, ask its operator"),
}
REFUSED_OTHERWISE = N_("The portal refused the charter")
UNREACHABLE = N_("The portal does not answer. What was signed is kept; try again")
NO_INVITATION = N_("Type in the invitation that the portal’s operator gave you")
PORTAL_CHANGED = N_("The portal now shows another key than before: compare it with its operator again")
NO_CHARTER = N_("These entries do not make a charter: look through the steps again")


async def show_sign(request: Request) -> Response:
    await require_setup(request)
    charter = await waiting_charter()
    if charter is not None:
        return render(request, "found_send.html", charter=charter)
    ceremony = (await open_draft(request)).ceremony
    if states(ceremony)["sign"] == "waits":
        return redirect("/found")
    return await _render_sign(request, ceremony)


async def sign_and_send(request: Request) -> Response:
    """Sign, unless already signed, then send. The signed charter is stored whatever the portal answers."""
    await require_setup(request)
    form = await read_form(request)
    charter = await waiting_charter()
    if charter is None:
        ceremony = (await open_draft(request)).ceremony
        if states(ceremony)["sign"] == "waits":
            return redirect("/found")
        if not form.text("invitation"):
            return await _render_sign(request, ceremony, [FieldError("invitation", NO_INVITATION)])
        signed = await _sign(request, ceremony, form.text("portal"))
        if isinstance(signed, FieldError):
            return await _render_sign(request, ceremony, [signed])
        charter = signed
    return await _send(request, charter, form.text("invitation"))


async def _sign(request: Request, ceremony: Ceremony, portal_shown: str) -> Charter | FieldError:
    settings: Settings = request.app.state.settings
    info = await _ask_portal(request)
    if info is None:
        return FieldError("", UNREACHABLE)
    if str(info.verifier) != portal_shown:
        return FieldError("", PORTAL_CHANGED)
    office = office_key(settings.secrets, ceremony.plan.slug).verifier
    terms = Terms(info.origin, info.realm, info.verifier, office, default_questionnaire())
    try:
        charter = sign_charter(ceremony, terms, request.app.state.clock().date())
    except CryptoError:
        return FieldError("", NO_CHARTER)
    await keep(charter, ceremony, settings.secrets)
    return charter


async def _send(request: Request, charter: Charter, invitation: str) -> Response:
    settings: Settings = request.app.state.settings
    try:
        async with portal_before_founding(request) as client:
            await publish(charter, client, invitation, settings.secrets)
    except PortalRefused as error:
        problem = FieldError("invitation", REFUSALS.get(error.code, REFUSED_OTHERWISE))
    except PortalError:
        problem = FieldError("", UNREACHABLE)
    else:
        rows = [(member, member_fingerprint(member)) for member in charter.members]
        response = render(request, "found_done.html", charter=charter, rows=rows)
        withdraw(response, settings)
        return response
    return render(request, "found_send.html", 502, charter=charter, errors=[problem])


async def _render_sign(request: Request, ceremony: Ceremony, errors: list[FieldError] | None = None) -> Response:
    today = request.app.state.clock().date()
    rows = [(member, member_fingerprint(member_entry(ceremony, member, today))) for member in ceremony.plan.members]
    info = await _ask_portal(request)
    address = request.app.state.settings.portal_url
    context = {"plan": ceremony.plan, "rows": rows, "info": info, "address": address}
    return render(request, "found_sign.html", 422 if errors else 200, errors=errors or [], **context)


async def _ask_portal(request: Request) -> PortalInfo | None:
    """Who the portal says it is, or nothing when it does not answer, or as another than the settings name."""
    settings: Settings = request.app.state.settings
    if not settings.portal_url:
        return None
    try:
        async with portal_before_founding(request) as client:
            return await client.portal_info()
    except PortalError:
        return None


routes = [
    Route("/found/sign", show_sign),
    Route("/found/sign", sign_and_send, methods=["POST"]),
]
