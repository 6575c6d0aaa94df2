# SPDX-License-Identifier: AGPL-3.0-or-later
"""A whole founding, one form after the other: who sends it, and how. For what may happen before and during them."""

import html
import re
from collections.abc import Awaitable, Callable
from dataclasses import dataclass

import httpx

from tests.oversight.founding.party import COMMISSION, CONVENER, PEOPLE, ROLES, Party, see_share


@dataclass(frozen=True)
class Step:
    """``who`` sends the form that ``send`` fills in. They have to be logged in for it, unless they join by it."""

    name: str
    who: str
    send: Callable[[Party], Awaitable[httpx.Response]]
    joins: bool = False

    async def take(self, party: Party) -> None:
        answer = await self.send(party)
        assert answer.status_code in {200, 303}, (self.name, answer.text)
        assert answer.headers.get("location", "") not in {"/login?ended", "/found/publish"}, self.name


def _post(path: str, **form: str | list[str]) -> Callable[[Party], Awaitable[httpx.Response]]:
    async def send(party: Party) -> httpx.Response:
        return await party[CONVENER].post(path, **form)

    return send


def _add(label: str) -> Callable[[Party], Awaitable[httpx.Response]]:
    roles: str | list[str] = ROLES[label]
    return _post("/found/members", member=PEOPLE[label], label=label, roles=roles, governor="yes")


def _invite(label: str) -> Callable[[Party], Awaitable[httpx.Response]]:
    async def send(party: Party) -> httpx.Response:
        answer = await party[CONVENER].post(f"/found/members/{label}/invite")
        found = re.search(r"http://office\.test(/join/[a-z2-7]{32})", answer.text)
        party.links[label] = found[1] if found else ""
        return answer

    return send


def _join(label: str) -> Callable[[Party], Awaitable[httpx.Response]]:
    async def send(party: Party) -> httpx.Response:
        return await party.join(label, party.links.get(label, party.setup_link))

    return send


def _type_back(label: str) -> Callable[[Party], Awaitable[httpx.Response]]:
    async def send(party: Party) -> httpx.Response:
        return await party[label].post("/found/share/back", share=await see_share(party[label], "/found/share"))

    return send


async def _lay_out(party: Party) -> httpx.Response:
    page = (await party[CONVENER].get("/found/draft")).text
    (shown,) = re.findall(r'name="portal" value="([^"]+)"', page)
    return await party[CONVENER].post("/found/draft", portal=html.unescape(shown))


def _sign(label: str) -> Callable[[Party], Awaitable[httpx.Response]]:
    return lambda party: party.sign(label)


async def _publish(party: Party) -> httpx.Response:
    return await party.publish(await party.invitation())


async def _reserve(party: Party) -> httpx.Response:
    """All of the reserve in one, for a restart in the middle of it begins it anew."""
    keepers = ["bruno", "chiara"]
    answer = await party[CONVENER].post("/found/reserve", keepers=keepers, outside="0", threshold="2")
    for label in keepers:
        answer = await _type_back(label)(party)
    return answer


_UP_TO_KEYS = (
    Step("the convener joins", CONVENER, _join(CONVENER), joins=True),
    Step("the commission", CONVENER, _post("/found/commission", **COMMISSION)),
    Step("add Bruno", CONVENER, _add("bruno")),
    Step("add Chiara", CONVENER, _add("chiara")),
    Step("roles", CONVENER, _post("/found/members/amina/roles", roles=["registrar"], governor="yes")),
    Step("governors", CONVENER, _post("/found/members/threshold", threshold="2")),
    Step("invite Bruno", CONVENER, _invite("bruno")),
    Step("invite Chiara", CONVENER, _invite("chiara")),
    Step("Bruno joins", "bruno", _join("bruno"), joins=True),
    Step("Chiara joins", "chiara", _join("chiara"), joins=True),
    Step("invite Bruno again", CONVENER, _invite("bruno")),
    Step("Bruno joins again", "bruno", _join("bruno"), joins=True),
)
_RESERVE = Step("the reserve", CONVENER, _reserve)
_RESERVE_IN_STEPS = (
    Step(
        "make the reserve", CONVENER, _post("/found/reserve", keepers=["bruno", "chiara"], outside="0", threshold="2")
    ),
    Step("Bruno's share", "bruno", _type_back("bruno")),
    Step("Chiara's share", "chiara", _type_back("chiara")),
)
_FROM_DRAFT = (
    Step("lay out", CONVENER, _lay_out),
    Step("take back", CONVENER, _post("/found/draft/take-back")),
    Step("lay out again", CONVENER, _lay_out),
    Step("Bruno signs", "bruno", _sign("bruno")),
    Step("Chiara signs", "chiara", _sign("chiara")),
    Step("publish", CONVENER, _publish),
)
STEPS = (*_UP_TO_KEYS, _RESERVE, *_FROM_DRAFT)
EVERY_FORM = (*_UP_TO_KEYS, *_RESERVE_IN_STEPS, *_FROM_DRAFT)
