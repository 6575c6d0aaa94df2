# SPDX-License-Identifier: AGPL-3.0-or-later
"""A founding whose convener, governors and guests send what nobody should: it can be brought to its end afterwards."""

import shutil
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from oversight.commission.charters import is_founded
from oversight.founding.routes import routes
from oversight.members.records import MemberRecord
from tests.fuzz.asgi import fault_of
from tests.fuzz.office_surface import OfficeSurface, stand_in_styles, without_forms
from tests.oversight.founding.party import CONVENER, Kept, Party, expect, take_up
from tests.oversight.founding.stages import make_stages, office_settings
from tests.oversight.portals import running_portal

PEOPLE = ("amina", "bruno", "chiara")
# By the folder that each begins with. Somebody is invited and has no keys any more; shares are on their way to paper.
STAGES = {"invited": "gathered", "reserve": "gathered", "laid-out": "laid-out"}
ENTRANCES = ("/found", "/found/commission", "/found/members", "/found/reserve", "/found/draft", "/found/share")
SEED_BYTES = 8
WORDS_MAX = 300


@dataclass(frozen=True)
class Foundings:
    """One founding after the other, each taken up from what was ``kept``; ``folder`` is for what they store.

    ``first_portal`` is the folder of the portal that the kept ones know.
    """

    folder: Path
    static: Path
    first_portal: Path
    kept: dict[str, Kept]
    asked: set[str] = field(default_factory=set)

    async def fault(self, chance: Random) -> tuple[bytes, str] | None:
        """A founding whose requests come of a seed; the seed, and what is wrong."""
        seed = chance.randbytes(SEED_BYTES)
        found = await self.again(seed)
        return found and (seed, found)

    async def again(self, seed: bytes) -> str | None:
        chance = Random(seed)
        return await self.at_stage(chance.choice(sorted(STAGES)), chance)

    async def at_stage(self, stage: str, chance: Random) -> str | None:
        """Every way to ask is gone once, altered, by one of them; then they go on as people do."""
        async with AsyncExitStack() as stack:
            folder = Path(stack.enter_context(TemporaryDirectory(dir=self.folder)))
            shutil.copytree(self.first_portal, folder / "portal")
            portal = await stack.enter_async_context(running_portal(folder / "portal", self.static))
            settings, kept = office_settings(folder, self.static), self.kept[STAGES[stage]]
            party = await stack.enter_async_context(take_up(kept, settings, folder / "office", portal))
            surface = await _surface(party, stage)
            for name in chance.sample(sorted(surface.ways), len(surface.ways)):
                self.asked.add(f"{surface.ways[name].method.decode()} {surface.route_of(surface.ways[name])}")
                call = surface.altered(name, chance)
                if (found := await fault_of(party.app, call, stays=chance.random() < 0.95)) is not None:
                    return f"{found}: {call.encode().hex()}"
                party.clock.forward(seconds=1)
            try:
                await _go_on(party)
            except Exception as error:
                return f"the founding can't go on: {error!r:.{WORDS_MAX}}"
        return None


async def _surface(party: Party, stage: str) -> OfficeSurface:
    """What those who found see, and the forms that only they can fill in."""
    people, links = PEOPLE, list[str]()
    if stage == "invited":
        people, links = PEOPLE[:-1], [await party.invite(PEOPLE[-1])]
    if stage == "reserve":
        await party.make_reserve()
        links = await party.share_links()

    async def log_in(label: str) -> bytes:
        return "; ".join(f"{name}={value}" for name, value in party[label].client.cookies.items()).encode()

    surface = OfficeSurface(party.app, party.clock, log_in, people, (*ENTRANCES, *links))
    await surface.look_around()
    own = {without_forms(route.path) for route in routes}
    surface.ways = {name: call for name, call in surface.ways.items() if surface.route_of(call) in own}
    return surface


async def _go_on(party: Party) -> None:
    """From wherever the founding stands to a founded commission. Raises AssertionError."""
    party.clock.forward(minutes=10)
    party.browsers.clear()
    with party.app.state.database.use():
        is_begun = await MemberRecord.exists()
    if is_begun:
        expect(await party.log_in(CONVENER), "/")
    else:
        await party.convene()
    await party[CONVENER].post("/found/draft/take-back")
    for member in (await party.founding()).plan.members:
        if member.label != CONVENER:
            await party[CONVENER].post("/found/members/remove", label=member.label)
    await party.enter_plan()
    await party.gather()
    await party.make_reserve()
    await party.put_on_paper()
    await party.lay_out()
    for label in PEOPLE:
        if not (await party.founding()).is_signed:
            expect(await party.sign(label), "/found/draft")
    answer = await party.publish(await party.invitation())
    with party.app.state.database.use():
        assert await is_founded(), answer.text


@asynccontextmanager
async def foundings(folder: Path) -> AsyncIterator[Foundings]:
    static, portal = stand_in_styles(folder / "static"), folder / "portal"
    (folder / "stages").mkdir()
    yield Foundings(folder, static, portal, await make_stages(folder / "stages", static, portal, None))
