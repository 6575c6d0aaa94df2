# SPDX-License-Identifier: AGPL-3.0-or-later
"""Several browsers and several processes join at the same moment, on both kinds of database."""

import asyncio
from collections.abc import AsyncIterator
from dataclasses import replace

import httpx
import pytest

from crypto.age import open_sealed
from crypto.keyring import Keyring, open_keyring
from oversight.members.accounts import Derivations
from oversight.members.records import MemberRecord
from oversight.settings import Settings
from tests.oversight.founding.party import CONVENER, Party, expect, join_form, party_at, read_paper
from tests.oversight.office import Browser, Clock


@pytest.fixture
async def party(settings: Settings, clock: Clock, database_url: str) -> AsyncIterator[Party]:
    async with party_at(replace(settings, database=database_url), clock) as party:
        yield party


@pytest.fixture
async def second(party: Party) -> AsyncIterator[Party]:
    """The same office's second process."""
    async with party_at(party.settings, party.clock) as second:
        second.papers, second.app.state.setup = party.papers, party.app.state.setup
        yield second


async def labels(party: Party) -> list[str]:
    with party.app.state.database.use():
        return sorted(member.label for member in await MemberRecord.all())


async def race(browsers: list[Browser], link: str, label: str) -> list[httpx.Response]:
    """All of them send the form of the same link at once."""
    forms = [join_form(read_paper((await each.get(link)).text), each.clock.now, label) for each in browsers]
    return await asyncio.gather(*(each.post(link, **form) for each, form in zip(browsers, forms, strict=True)))


def check_one(answers: list[httpx.Response]) -> None:
    assert sorted(answer.status_code for answer in answers) == [303, *[410] * (len(answers) - 1)]


async def test_one_link_in_three_browsers_makes_one_account(party: Party) -> None:
    browsers = [party.browser(), party.browser(), party.browser()]
    answers = await race(browsers, party.setup_link, "amina")
    check_one(answers)
    assert await labels(party) == ["amina"]
    assert set((await party.founding()).keys) == {"amina"}
    party.browsers[CONVENER] = browsers[[answer.status_code for answer in answers].index(303)]
    await party.enter_plan()
    check_one(await race([party.browser(), party.browser(), party.browser()], await party.invite("bruno"), "bruno"))
    assert await labels(party) == ["amina", "bruno"]


async def test_two_processes_with_one_setup_link_make_one_account(party: Party, second: Party) -> None:
    check_one(await race([party.browser(), second.browser()], party.setup_link, "amina"))
    assert await labels(party) == ["amina"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_two_who_join_at_the_same_moment_both_do(party: Party) -> None:
    await party.convene()
    await party.enter_plan()
    links = {label: await party.invite(label) for label in ("bruno", "chiara")}
    answers = await asyncio.gather(*(party.join(label, link) for label, link in links.items()))
    for answer in answers:
        expect(answer, "/found?joined")
    assert (await party.founding()).everybody_joined
    await check_office_keys(party)


async def test_each_may_join_at_another_process(party: Party, second: Party) -> None:
    await party.convene()
    await party.enter_plan()
    links = {label: await party.invite(label) for label in ("bruno", "chiara")}
    answer = await second["chiara"].get(links["chiara"])
    assert "closed until a member logs in" in answer.text
    expect(await second.log_in(CONVENER), "/")
    answers = await asyncio.gather(party.join("bruno", links["bruno"]), second.join("chiara", links["chiara"]))
    for answer in answers:
        expect(answer, "/found?joined")
    assert await labels(party) == ["amina", "bruno", "chiara"]
    assert (await party.founding()).everybody_joined
    await check_office_keys(party)
    # Each goes on at the other process.
    expect(await second.log_in("bruno"), "/")
    expect(await party.log_in("chiara"), "/")


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_the_founding_is_dropped_while_somebody_joins(party: Party) -> None:
    await party.convene()
    await party.enter_plan()
    link = await party.invite("bruno")
    paper = read_paper((await party["bruno"].get(link)).text)
    joined, dropped = await asyncio.gather(
        party.join_again("bruno", link, paper), party[CONVENER].post("/found/start-over")
    )
    expect(dropped, "/found")
    assert joined.status_code in {303, 410}
    assert await labels(party) == []


async def check_office_keys(party: Party) -> None:
    """Every member can open the office's own keys."""
    sealed = (party.settings.secrets / "office.age").read_bytes()
    with party.app.state.database.use():
        members = await MemberRecord.all()
    for member in members:
        identity = open_keyring(member.keyring, party.papers[member.label].passphrase, member.label).identity
        assert open_sealed(sealed, [identity]) == party.app.state.office_safe.keys.to_bytes()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_roles_that_change_while_somebody_joins_stay_changed(
    party: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    await party.convene()
    await party.enter_plan()
    link = await party.invite("bruno")
    seal = Derivations.seal

    async def seal_while_roles_change(self: Derivations, keyring: Keyring, passphrase: str, label: str) -> bytes:
        answer = await party[CONVENER].post("/found/members/bruno/roles", roles=["auditor"], governor="yes")
        expect(answer, "/found/members")
        return await seal(self, keyring, passphrase, label)

    monkeypatch.setattr(Derivations, "seal", seal_while_roles_change)
    expect(await party.join("bruno", link), "/found?joined")
    bruno = (await party.founding()).plan.member("bruno")
    assert bruno is not None
    assert bruno.roles == ("auditor",)
    with party.app.state.database.use():
        assert (await MemberRecord.get(label="bruno")).roles == ["auditor"]
