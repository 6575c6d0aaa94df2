# SPDX-License-Identifier: AGPL-3.0-or-later
"""The charter as a draft: laid out, compared and signed by each governor in their own session, sent to the portal."""

from dataclasses import replace

from starlette.requests import Request
from starlette.responses import Response

from crypto.charter import Charter
from crypto.errors import AuthenticationError, CryptoError
from crypto.fingerprint import key_fingerprint, member_fingerprint
from crypto.person_name import MemberNameError, check_people
from oversight.commission.keys import OfficeSafe
from oversight.commission.portal import portal_before_founding
from oversight.founding.charter_draft import Terms, key_name, member_entry
from oversight.founding.founding import Draft, finished_charter, lay_out, names_keys, object_to, sign_draft
from oversight.founding.founding_draft import FoundingBrokenError
from oversight.founding.plan import default_questionnaire
from oversight.founding.sitting import Sitting, StepClosedError, open_sitting
from oversight.founding.store import PortalChangedError, forget_waiting, publish, waiting_charter
from oversight.marking import N_
from oversight.settings import Settings
from oversight.web.addresses import Route
from oversight.web.forms import FieldError, read_form
from oversight.web.rendering import redirect, render
from oversight.wire.portal_errors import PortalError, PortalRefused
from oversight.wire.portal_responses import PortalInfo

REFUSALS = {
    "invitation-invalid": N_("The portal does not know this invitation, or it was used before"),
    "charter-conflict": N_("The portal has another commission of this short name: start over with another one"),
    "charter-expired": N_("The portal’s clock says that this charter is not valid today: lay it out again"),
    "charter-invalid": N_("The portal does not take this charter. Start over; if it stays so, ask its operator"),
}
REFUSED_OTHERWISE = N_("The portal refused the charter")
UNREACHABLE = N_("The portal does not answer. What was signed is kept; try again")
NO_INVITATION = N_("Type in the invitation that the portal’s operator gave you")
NO_CHARTER = N_("These entries do not make a charter: look through the steps again")
NOT_COMPARED = N_("Tick each person whose fingerprint you have compared, and the portal’s key")
STALE = N_("The draft was changed while you read it. This is the new one: compare it again")
PORTAL_CHANGED = N_("The portal shows another key than before. Ask its operator which one is right")
PORTAL_IS_ANOTHER = N_(
    "The portal is not the one that the charter names: its key, its realm or its address is another. Nothing was sent"
)
OTHER_KEYS = N_("The draft names other keys for you than those you are logged in with. Say that it is wrong")
NOBODY_NAMED = N_("Choose whose fingerprint is wrong")
NOT_TODAY = N_("The charter’s first day is not today any more, or the clock is wrong: lay it out again")
PORTAL = ".portal"
"""Stands for the portal's key among the labels of those whose keys are compared; no label begins with a dot."""


async def show_draft(request: Request) -> Response:
    """What is to be signed, for every member; before it is laid out, for the convener only."""
    sitting = await open_sitting(request)
    if sitting.founding.draft is None:
        if not sitting.is_convener or sitting.states["draft"] == "waits":
            raise StepClosedError
        return await _render_terms(request, sitting, [])
    return _render_draft(request, sitting, [])


async def lay_out_draft(request: Request) -> Response:
    sitting = await open_sitting(request, convener=True)
    # A draft that is there is taken back first: nobody's signature is dropped by a page that was open before.
    if sitting.states["draft"] == "waits" or sitting.founding.draft is not None:
        raise StepClosedError
    form = await read_form(request)
    info = await _ask_portal(request)
    if info is None or str(info.verifier) != form.text("portal"):
        problem = UNREACHABLE if info is None else PORTAL_CHANGED
        return await _render_terms(request, sitting, [FieldError("", problem)])
    safe: OfficeSafe = request.app.state.office_safe
    office = safe.keys.signing_key(sitting.founding.plan.slug).verifier
    urgency = safe.keys.urgency_identity.recipient()
    terms = Terms(info.origin, info.realm, info.verifier, office, urgency, default_questionnaire())
    try:
        founding = lay_out(sitting.founding, terms, request.app.state.clock().date())
    except CryptoError:
        return await _render_terms(request, sitting, [FieldError("", NO_CHARTER)])
    await sitting.draft.save(founding)
    return redirect("/found/draft")


async def take_back(request: Request) -> Response:
    """The convener takes the draft back, with its signatures: to change something, or to lay it out again."""
    sitting = await open_sitting(request, convener=True)
    await sitting.draft.save(replace(sitting.founding, draft=None))
    return redirect("/found")


async def sign(request: Request) -> Response:
    sitting = await open_sitting(request)
    form = await read_form(request)
    draft = _require_draft(sitting)
    if not sitting.is_governor:
        raise StepClosedError
    if form.text("draft") != draft.hash:
        return _render_draft(request, sitting, [FieldError("", STALE)])
    if set(form.texts("compared")) != set(_to_compare(sitting, draft)):
        return _render_draft(request, sitting, [FieldError("compared", NOT_COMPARED)], form.texts("compared"))
    try:
        check_people(draft.contents.names)
        founding = sign_draft(sitting.founding, sitting.label, sitting.session.keyring)
    except AuthenticationError:
        return _render_draft(request, sitting, [FieldError("", OTHER_KEYS)])
    except MemberNameError:
        return _render_draft(request, sitting, [FieldError("", NO_CHARTER)])
    await sitting.draft.save(founding)
    return redirect("/found/draft")


async def object_(request: Request) -> Response:
    """A member found a fingerprint that is not the one read out: the draft is void, and everybody sees it."""
    sitting = await open_sitting(request)
    form = await read_form(request)
    draft = _require_draft(sitting)
    if form.text("draft") != draft.hash:
        return _render_draft(request, sitting, [FieldError("", STALE)])
    about = form.text("about")
    if about not in {PORTAL, *(member.label for member in draft.contents.members)}:
        return _render_draft(request, sitting, [FieldError("about", NOBODY_NAMED)])
    await sitting.draft.save(object_to(sitting.founding, sitting.label, about))
    return redirect("/found/draft")


async def show_publish(request: Request) -> Response:
    sitting = await open_sitting(request, while_sent=True)
    try:
        await _charter_to_send(request, sitting)
    except CryptoError:
        return _render_publish(request, sitting, [FieldError("", NOT_TODAY)])
    return _render_publish(request, sitting, [])


async def send(request: Request) -> Response:
    """Send what is signed. Whatever the portal answers, the signatures are kept."""
    sitting = await open_sitting(request, while_sent=True)
    form = await read_form(request)
    try:
        charter = await _charter_to_send(request, sitting)
    except CryptoError:
        return _render_publish(request, sitting, [FieldError("", NOT_TODAY)])
    if not form.text("invitation"):
        return _render_publish(request, sitting, [FieldError("invitation", NO_INVITATION)])
    try:
        async with portal_before_founding(request) as client:
            await publish(charter, sitting.founding.plan, client, form.text("invitation"), sitting.draft)
    except PortalRefused as error:
        await forget_waiting(charter)
        return _render_publish(
            request, sitting, [FieldError("invitation", REFUSALS.get(error.code, REFUSED_OTHERWISE))]
        )
    except PortalChangedError:
        return _render_publish(request, sitting, [FieldError("", PORTAL_IS_ANOTHER)])
    except PortalError:
        return _render_publish(request, sitting, [FieldError("", UNREACHABLE)])
    sitting.setup.reserve = None
    rows = [(member, member_fingerprint(member)) for member in charter.members]
    return render(request, "found_done.html", charter=charter, rows=rows)


async def _charter_to_send(request: Request, sitting: Sitting) -> Charter:
    """The signed charter; the one that is under way, if there is one.

    Raises StepClosedError, CryptoError; FoundingBrokenError when the one under way is not the draft that was signed.
    """
    charter = await waiting_charter()
    if charter is not None:
        draft = sitting.founding.draft
        if draft is None or draft.hash != charter.hash:
            raise FoundingBrokenError
        return charter
    if not sitting.founding.is_signed:
        raise StepClosedError
    return finished_charter(sitting.founding, request.app.state.clock().date())


def _require_draft(sitting: Sitting) -> Draft:
    """The draft, as long as nobody has found it wrong. Raises StepClosedError."""
    draft = sitting.founding.draft
    if draft is None or draft.objection is not None:
        raise StepClosedError
    return draft


def _to_compare(sitting: Sitting, draft: Draft) -> list[str]:
    """Whose keys this governor compares: everybody's but their own, which the office compares; and the portal's."""
    return [*(member.label for member in draft.contents.members if member.label != sitting.label), PORTAL]


def _render_draft(
    request: Request, sitting: Sitting, errors: list[FieldError], compared: list[str] | None = None
) -> Response:
    draft = sitting.founding.draft
    assert draft is not None
    contents = draft.contents
    names = {member.label: member.name for member in contents.members}
    context = {
        "sitting": sitting,
        "founding": sitting.founding,
        "draft": draft,
        "contents": contents,
        "rows": [(member, member_fingerprint(member)) for member in contents.members],
        "names": names,
        "portal_fingerprint": key_fingerprint(contents.portal),
        "own_keys": names_keys(contents, sitting.label, sitting.session.keyring),
        "governor_names": [key_name(sitting.founding.plan, label) for label in sitting.founding.plan.governors],
        "compared": compared or [],
        "PORTAL": PORTAL,
    }
    return render(request, "found_draft.html", 422 if errors else 200, errors=errors, **context)


async def _render_terms(request: Request, sitting: Sitting, errors: list[FieldError]) -> Response:
    """Before the draft is laid out: what the convener lays out, and who the portal says it is."""
    founding, today = sitting.founding, request.app.state.clock().date()
    rows = []
    for member in founding.plan.members:
        entry = member_entry(founding.plan, member, founding.keys[member.label], today)
        rows.append((entry, member_fingerprint(entry)))
    info = await _ask_portal(request)
    context = {
        "founding": founding,
        "rows": rows,
        "info": info,
        "portal_fingerprint": key_fingerprint(info.verifier) if info else "",
        "address": request.app.state.settings.portal_url,
    }
    return render(request, "found_lay_out.html", 422 if errors else 200, errors=errors, **context)


def _render_publish(request: Request, sitting: Sitting, errors: list[FieldError]) -> Response:
    context = {"founding": sitting.founding, "sitting": sitting}
    return render(request, "found_publish.html", 422 if errors else 200, errors=errors, **context)


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
    Route("/found/draft", show_draft),
    Route("/found/draft", lay_out_draft, methods=["POST"]),
    Route("/found/draft/take-back", take_back, methods=["POST"]),
    Route("/found/draft/sign", sign, methods=["POST"]),
    Route("/found/draft/object", object_, methods=["POST"]),
    Route("/found/publish", show_publish),
    Route("/found/publish", send, methods=["POST"]),
]
