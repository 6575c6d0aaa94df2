# SPDX-License-Identifier: AGPL-3.0-or-later
"""Who takes part in a founding on this request, and how far it is. Members take part in their own sessions."""

from collections.abc import Mapping
from dataclasses import dataclass

from starlette.requests import Request

from crypto.errors import CryptoError
from oversight.commission.charters import is_founded
from oversight.commission.keys import OfficeSafe
from oversight.founding.founding import Founding
from oversight.founding.founding_draft import FoundingDraft
from oversight.founding.plan import Plan, read_plan
from oversight.founding.reserve import ReserveInMaking
from oversight.founding.setup import Setup
from oversight.founding.store import waiting_charter
from oversight.members.sessions import OpenSession, current_session


class StepClosedError(Exception):
    """The founding is not at this step, or this step is another's; the answer is the founding's first page."""


@dataclass
class Sitting:
    """A member's part in the founding."""

    session: OpenSession
    draft: FoundingDraft
    setup: Setup

    @property
    def founding(self) -> Founding:
        return self.draft.founding

    @property
    def label(self) -> str:
        return self.session.member.label

    @property
    def is_convener(self) -> bool:
        return self.label == self.founding.convener

    @property
    def is_governor(self) -> bool:
        return self.label in self.founding.plan.governors

    @property
    def reserve(self) -> ReserveInMaking | None:
        """The reserve whose shares are on their way to paper; nothing once the office was started again."""
        return self.setup.reserve_of(self.founding)

    @property
    def states(self) -> Mapping[str, str]:
        return states(self.founding)


async def load_founding(request: Request) -> FoundingDraft:
    """The founding in progress.

    Raises StepClosedError once there is a commission, OfficeLockedError before a login, FoundingBrokenError.
    """
    if await is_founded():
        raise StepClosedError
    safe: OfficeSafe = request.app.state.office_safe
    return await FoundingDraft.load(safe.keys.record_key)


async def open_sitting(request: Request, *, convener: bool = False, while_sent: bool = False) -> Sitting:
    """The founding as this member takes part in it.

    Raises LoginRequired; StepClosedError once there is a commission, while a charter is under way to the portal (unless
    ``while_sent``), and for ``convener`` if somebody else is that.
    """
    session = await current_session(request)
    sitting = Sitting(session, await load_founding(request), request.app.state.setup)
    if convener and not sitting.is_convener:
        raise StepClosedError
    if not while_sent and await waiting_charter() is not None:
        raise StepClosedError
    return sitting


def states(founding: Founding) -> Mapping[str, str]:
    """How far each task is: ``done``, ``due`` or ``waits`` for the ones before it."""
    plan = founding.plan
    done = {
        "commission": bool(plan.slug and plan.mandate),
        "people": founding.everybody_joined and is_complete(plan),
        "reserve": founding.reserve_on_paper,
        "draft": founding.is_open_for_signing,
        "publish": False,
    }
    before = done["commission"] and done["people"]
    open_now = {
        "commission": True,
        "people": done["commission"],
        "reserve": before,
        "draft": before and done["reserve"],
        "publish": before and done["reserve"] and founding.is_signed,
    }
    return {task: "done" if done[task] else "due" if open_now[task] else "waits" for task in done}


def is_complete(plan: Plan) -> bool:
    """Whether a founding file with this content would be taken."""
    try:
        read_plan(plan.to_value())
    except CryptoError:
        return False
    return True
