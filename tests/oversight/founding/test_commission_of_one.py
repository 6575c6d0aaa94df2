# SPDX-License-Identifier: AGPL-3.0-or-later
"""One person founds a commission alone: what they may do, what they are told, and that it ends with the second one."""

from collections.abc import AsyncIterator

import pytest

from oversight.commission.charters import current_charter
from oversight.settings import Settings
from tests.oversight.founding.party import COMMISSION, CONVENER, PEOPLE, Party, errors_of, expect, party_at
from tests.oversight.office import Clock
from tests.oversight.portals import Portal

TOLD = "As long as you are alone, nobody checks you"


@pytest.fixture
async def alone(settings: Settings, clock: Clock, portal: Portal) -> AsyncIterator[Party]:
    async with party_at(settings, clock, portal) as party:
        await party.convene()
        amina = party[CONVENER]
        expect(await amina.post("/found/commission", **COMMISSION), "/found")
        expect(await amina.post("/found/members/amina/roles", roles=["registrar"], governor="yes"), "/found/members")
        assert "More governors must sign than there are" in (await amina.get("/found/members")).text
        expect(await amina.post("/found/members/threshold", threshold="1"), "/found/members")
        yield party


async def test_a_commission_of_one_is_founded_and_told_so(alone: Party) -> None:
    amina = alone[CONVENER]
    assert TOLD in (await amina.get("/found")).text
    assert "Whoever finds that paper can read every report" in (await amina.get("/found/reserve")).text
    await alone.make_reserve(outside=0, threshold=1, keepers=("amina",))
    await alone.put_on_paper(("amina",))
    await alone.lay_out()
    expect(await alone.sign("amina"), "/found/draft")
    assert TOLD in (await amina.get("/found")).text
    assert "The commission is founded" in (await alone.publish(await alone.invitation())).text
    with alone.app.state.database.use():
        charter = await current_charter()
    assert (charter.governors.threshold, charter.reserve.threshold, charter.reserve.shares) == (1, 1, 1)


async def test_a_commission_of_one_may_have_a_reserve_of_several(alone: Party) -> None:
    await alone.make_reserve(outside=2, threshold=2, keepers=("amina",))
    await alone.put_on_paper(("amina",))
    assert (await alone.founding()).reserve_on_paper


async def test_one_share_that_opens_alone_is_the_only_one(alone: Party) -> None:
    form = {"keepers": "amina", "outside": "1", "threshold": "1"}
    answer = await alone[CONVENER].post("/found/reserve", **form)
    assert errors_of(answer) == ["If one share alone opens the reserve, there can be no other"]


async def test_a_second_member_ends_what_one_alone_may_do(alone: Party) -> None:
    amina = alone[CONVENER]
    await alone.make_reserve(outside=0, threshold=1, keepers=("amina",))
    await alone.put_on_paper(("amina",))
    await alone.lay_out()
    form = {"member": PEOPLE["bruno"], "label": "bruno", "roles": "chair", "governor": "yes"}
    expect(await amina.post("/found/members", **form), "/found/members")
    founding = await alone.founding()
    assert (founding.reserve, founding.draft) == (None, None)
    assert TOLD not in (await amina.get("/found")).text
    assert "One governor alone could change the charter" in (await amina.get("/found/members")).text
    answer = await amina.post("/found/members/threshold", threshold="1")
    assert errors_of(answer) == ["Among several members, at least two governors must sign"]
    await alone.gather(("bruno",))
    # Nothing goes on before two have to sign.
    expect(await amina.get("/found/reserve"), "/found")
    expect(await amina.post("/found/members/threshold", threshold="2"), "/found/members")
    await alone.make_reserve(outside=1, threshold=2)
    await alone.put_on_paper()
    await alone.lay_out()
    for label in ("amina", "bruno"):
        expect(await alone.sign(label), "/found/draft")
    assert "The commission is founded" in (await alone.publish(await alone.invitation())).text


async def test_a_share_on_its_way_to_paper_ends_with_the_second_member(alone: Party) -> None:
    await alone.make_reserve(outside=0, threshold=1, keepers=("amina",))
    form = {"member": PEOPLE["bruno"], "label": "bruno", "roles": "chair"}
    expect(await alone[CONVENER].post("/found/members", **form), "/found/members")
    expect(await alone[CONVENER].post("/found/share"), "/found")
    expect(await alone[CONVENER].post("/found/share/back", share="x"), "/found")
