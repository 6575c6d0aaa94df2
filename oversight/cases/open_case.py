# SPDX-License-Identifier: AGPL-3.0-or-later
"""The case that a page is about, as far as the member may see it: all of it, or to auditors its public parts."""

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import date

from starlette.exceptions import HTTPException
from starlette.requests import Request

from crypto.charter import Charter, Member
from crypto.ids import CaseId, CharterHash, EventHash, MemberLabel
from oversight.cases.actor import Actor, actor_of
from oversight.cases.case_keys import CaseKeys, open_keys
from oversight.cases.case_store import NoSuchCaseError, load_case
from oversight.commission.charters import charters_by_hash
from oversight.members.sessions import OpenSession, current_session
from oversight.web.forms import Form
from oversight.workflow.rules import HANDLERS, RuleError
from oversight.workflow.state import CaseState
from portal.kit.i18n import direction

AUDITOR = "auditor"


@dataclass(frozen=True)
class OpenCase:
    """A case before a member. ``keys`` is None for an auditor, who sees public parts alone."""

    session: OpenSession
    actor: Actor
    state: CaseState
    charters: Mapping[CharterHash, Charter] = field(repr=False)
    keys: CaseKeys | None = field(default=None, repr=False)

    @property
    def id(self) -> CaseId:
        return self.state.head.case

    @property
    def path(self) -> str:
        return f"/cases/{self.id}"

    @property
    def today(self) -> date:
        return self.actor.now.date()

    @property
    def members(self) -> Mapping[MemberLabel, Member]:
        """The members of today, by label."""
        return {member.label: member for member in self.actor.charter.members_on(self.today)}

    @property
    def roles(self) -> frozenset[str]:
        """The member's roles in the charter, which the rules go by."""
        member = self.members.get(self.actor.label)
        return frozenset() if member is None else frozenset(member.roles)

    def seen(self, form: Form) -> Actor:
        """The member about to act on the case as the form showed it, and on no other."""
        return replace(self.actor, seen=EventHash(form.text("head")))


async def open_requested_case(request: Request, *, hold: bool = True) -> OpenCase:
    """The case that the path names, for a member who holds it; without ``hold`` for an auditor as well.

    Raises RuleError with the reason for a member who could hold cases and does not hold this one. To everyone else the
    case does not exist: 404.
    """
    session = await current_session(request)
    who = await actor_of(session, request.app.state.clock())
    state = await _load_requested(request)
    case = OpenCase(session, replace(who, loaded=state), state, await charters_by_hash())
    try:
        keys = await open_keys(who, state)
    except RuleError:
        if AUDITOR in case.roles and not hold and not state.is_recused(who.label):
            return case
        if HANDLERS.isdisjoint(case.roles):
            raise HTTPException(404) from None
        raise
    return replace(case, keys=keys)


async def find_requested_case(request: Request) -> OpenCase:
    """Return the case of the path to a member who may become its holder: to declare, before anything is shown."""
    session = await current_session(request)
    who = await actor_of(session, request.app.state.clock())
    state = await _load_requested(request)
    case = OpenCase(session, replace(who, loaded=state), state, await charters_by_hash())
    if HANDLERS.isdisjoint(case.roles):
        raise HTTPException(404)
    if state.is_recused(who.label):
        raise RuleError("recused")
    return case


async def _load_requested(request: Request) -> CaseState:
    try:
        return await load_case(CaseId(request.path_params["case"]))
    except NoSuchCaseError:
        raise HTTPException(404) from None


@dataclass(frozen=True)
class MemberNames:
    """What members are called, by the newest charter that has them, and kept apart from the words around them."""

    charters: Mapping[CharterHash, Charter] = field(repr=False)
    locale: str

    def __call__(self, label: MemberLabel) -> str:
        found = [member for charter in self.charters.values() for member in charter.members if member.label == label]
        name = found[-1].name if found else label
        # A Latin name in an Arabic sentence is set apart by U+2068 and U+2069, as <bdi> would do it.
        return f"\u2068{name}\u2069" if direction(self.locale) == "rtl" else name
