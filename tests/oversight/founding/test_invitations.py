# SPDX-License-Identifier: AGPL-3.0-or-later
"""The links that people join by: the setup link for the first of them, an invitation for each of the others."""

import pytest

from crypto.age import open_sealed
from crypto.errors import NotARecipientError
from crypto.keyring import open_keyring
from oversight.commission.keys import OfficeSafe
from oversight.founding.store import start_over
from oversight.members.records import KnownBrowserRecord, MemberRecord, SessionRecord
from tests.oversight.founding.party import COMMISSION, CONVENER, Party, expect, join_form, read_paper

UNKNOWN = "somebody else may have"


async def count_members(party: Party) -> int:
    with party.app.state.database.use():
        return await MemberRecord.all().count()


async def planned(party: Party) -> str:
    """Bruno is invited; his link."""
    await party.convene()
    await party.enter_plan()
    return await party.invite("bruno")


async def test_the_setup_link_makes_the_first_account_once(party: Party) -> None:
    link = party.setup_link
    assert "Make your keys" in (await party.browser().get(link)).text
    await party.convene()
    for browser in (party.browser(), party[CONVENER]):
        answer = await browser.get(link)
        assert (answer.status_code, "This link opens nothing" in answer.text) == (410, True)
        assert (
            await browser.post(link, **join_form(party.papers["amina"], party.clock.now, "amina"))
        ).status_code == 410
    assert await count_members(party) == 1
    # Not even the process knows a link that makes a first account now.
    assert (await party.browser().get(party.setup_link)).status_code == 410


async def test_a_restart_makes_another_setup_link_and_ends_the_one_before(party: Party) -> None:
    before = party.setup_link
    await party.restart()
    assert party.setup_link != before
    assert (await party.browser().get(before)).status_code == 410
    await party.convene()
    await party.restart()
    assert (await party.browser().get(party.setup_link)).status_code == 410


async def test_a_link_that_was_used_stays_dead_when_the_command_starts_over(party: Party) -> None:
    """The command runs beside the office: it has to be started again for a new link."""
    link = party.setup_link
    await party.convene()
    with party.app.state.database.use():
        assert await start_over(OfficeSafe(party.settings.secrets))
    assert (await party.browser().get(link)).status_code == 410
    await party.restart()
    party.browsers.clear()
    await party.convene()


async def test_nobody_gets_in_without_a_link(party: Party) -> None:
    stranger = party.browser()
    expect(await stranger.get("/"), "/found")
    expect(await stranger.get("/login"), "/found")
    assert "the link that stands on the terminal" in (await stranger.get("/found")).text
    for path in ("commission", "members", "reserve", "draft", "draft/sign", "publish", "start-over"):
        expect(await stranger.post(f"/found/{path}", **COMMISSION), "/login?ended")
    assert await count_members(party) == 0


@pytest.mark.parametrize("token", ["x", "ä" * 32, "%00", "a" * 32, "%ff%fe", "A" * 5000, "\u202e"])
async def test_a_made_up_link_opens_nothing(party: Party, token: str) -> None:
    await planned(party)
    for path in (f"/join/{token}", f"/share/{token}"):
        stranger = party.browser()
        answers = [await stranger.get(path), await stranger.post(path), await stranger.post(f"{path}/back")]
        assert {answer.status_code for answer in answers} <= {400, 404, 405, 410}


async def test_an_invitation_works_once_and_whose_it_was_learns_that_another_used_it(party: Party) -> None:
    link = await planned(party)
    # Somebody else has got hold of the link, and is quicker.
    thief = party.browser()
    paper = read_paper((await thief.get(link)).text)
    expect(await thief.post(link, **join_form(paper, party.clock.now, "bruno")), "/found?joined")
    for answer in (await party["bruno"].get(link), await party.join_again("bruno", link, paper)):
        assert answer.status_code == 410
        assert UNKNOWN in answer.text
    assert await count_members(party) == 2
    # Bruno says so; the convener drops those keys, and their session, and gives him another link.
    again = await party.invite("bruno")
    expect(await thief.get("/found"), "/login?next=/found")
    expect(await party.join("bruno", again), "/found?joined")
    assert (await party.founding()).everybody_joined is False
    assert await count_members(party) == 2


async def test_an_invitation_is_too_old_after_three_days(party: Party) -> None:
    link = await planned(party)
    party.clock.forward(hours=72)
    answer = await party["bruno"].get(link)
    assert (answer.status_code, "It was not used in time" in answer.text) == (410, True)
    await party.log_in(CONVENER)
    assert "Link is too old" in (await party[CONVENER].get("/found/members")).text
    expect(await party.join("bruno", await party.invite("bruno")), "/found?joined")


async def test_an_invitation_grows_old_between_page_and_form(party: Party) -> None:
    link = await planned(party)
    paper = read_paper((await party["bruno"].get(link)).text)
    party.clock.forward(hours=72)
    assert (await party["bruno"].post(link, **join_form(paper, party.clock.now, "bruno"))).status_code == 410
    assert await count_members(party) == 1


async def test_an_invitation_that_was_replaced_opens_nothing(party: Party) -> None:
    first = await planned(party)
    second = await party.invite("bruno")
    answer = await party["bruno"].get(first)
    assert (answer.status_code, UNKNOWN in answer.text) == (410, True)
    expect(await party.join("bruno", second), "/found?joined")


async def test_an_invitation_opens_nothing_once_its_member_is_removed(party: Party) -> None:
    link = await planned(party)
    expect(await party[CONVENER].post("/found/members/remove", label="bruno"), "/found/members")
    assert (await party["bruno"].get(link)).status_code == 410


async def test_an_invitation_of_a_founding_that_was_dropped_opens_nothing(party: Party) -> None:
    link = await planned(party)
    expect(await party[CONVENER].post("/found/start-over"), "/found")
    assert (await party["bruno"].get(link)).status_code == 410
    assert await count_members(party) == 0
    expect(await party[CONVENER].get("/found/commission"), "/login?next=/found/commission")
    party.browsers.clear()
    await party.convene()
    assert (await party["bruno"].get(link)).status_code == 410


async def test_an_invitation_waits_for_a_member_when_the_office_was_started_again(party: Party) -> None:
    link = await planned(party)
    await party.restart()
    for method in ("get", "post"):
        answer = await getattr(party["bruno"], method)(link)
        assert answer.status_code == 410
        assert "closed until a member logs in" in answer.text
        assert UNKNOWN not in answer.text
    del party.browsers[CONVENER]
    await party.log_in(CONVENER)
    expect(await party.join("bruno", link), "/found?joined")


async def test_two_peoples_keys_are_not_made_in_one_browser(party: Party) -> None:
    link = await planned(party)
    browser = party[CONVENER]
    page = (await browser.get(link)).text
    assert "Somebody is logged in here" in page
    assert "Amina Haddad" in page
    assert "offered" not in page
    paper = read_paper((await party.browser().get(link)).text)
    expect(await browser.post(link, **join_form(paper, party.clock.now, "bruno")), link)
    assert await count_members(party) == 1
    await browser.post("/lock")
    party.browsers["bruno"] = browser
    expect(await party.join("bruno", link), "/found?joined")


async def test_whoever_joins_gets_no_more_than_their_own_part(party: Party) -> None:
    await party.convene()
    await party.enter_plan()
    await party.gather(("bruno",))
    page = (await party["bruno"].get("/found?joined")).text
    assert "Your keys are made" in page
    assert "Amina Haddad</bdi> convenes this founding" in page
    assert "start-over" not in page
    with party.app.state.database.use():
        assert await SessionRecord.all().count() == 2


async def test_removing_a_member_ends_keys_account_and_session(gathered: Party) -> None:
    party = gathered
    with party.app.state.database.use():
        sealed = (await MemberRecord.get(label="bruno")).keyring
    keyring = open_keyring(sealed, party.papers["bruno"].passphrase, "bruno")
    office = party.settings.secrets / "office.age"
    assert open_sealed(office.read_bytes(), [keyring.identity])
    assert (await party["bruno"].get("/found")).status_code == 200
    expect(await party[CONVENER].post("/found/members/remove", label="bruno"), "/found/members")
    expect(await party["bruno"].get("/found"), "/login?next=/found")
    assert (await party.log_in("bruno")).status_code == 403
    # What Bruno could have kept of his keys does not open the office's own any more.
    with pytest.raises(NotARecipientError):
        open_sealed(office.read_bytes(), [keyring.identity])
    founding = await party.founding()
    with party.app.state.database.use():
        assert await SessionRecord.all().count() == 2
        assert await KnownBrowserRecord.filter(member__label="bruno").count() == 0
        assert await KnownBrowserRecord.all().count() == 2
    assert "bruno" not in founding.keys
    assert "bruno" not in founding.plan.governors


async def test_the_convener_can_neither_be_removed_nor_invited(party: Party) -> None:
    await planned(party)
    assert (await party[CONVENER].post("/found/members/remove", label="amina")).status_code == 403
    assert (await party[CONVENER].post("/found/members/amina/invite")).status_code == 404
    assert (await party[CONVENER].post("/found/members/nobody/invite")).status_code == 404
    assert (await party[CONVENER].post("/found/members/nobody/roles", roles="chair")).status_code == 404
    assert (await party[CONVENER].get("/found")).status_code == 200


async def test_nobody_is_invited_before_the_commission_has_a_name(party: Party) -> None:
    await party.convene()
    form = {"member": "Bruno Keller", "label": "bruno"}
    await party[CONVENER].post("/found/members", **form)
    assert (await party[CONVENER].post("/found/members/bruno/invite")).status_code == 404
    assert "Links can be made when the commission has its name" in (await party[CONVENER].get("/found/members")).text
