# SPDX-License-Identifier: AGPL-3.0-or-later
"""A signed charter goes to the portal, however often that is tried."""

from dataclasses import replace
from typing import Any

import pytest
from starlette.requests import Request

from crypto.note import SigningKey
from oversight.commission.charters import current_charter, is_founded
from oversight.commission.records import CharterRecord
from oversight.founding import draft_pages
from oversight.founding.records import FoundingRecord
from oversight.members.records import MemberRecord
from oversight.web.forms import Form
from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_errors import PortalRefused
from tests.chance import fresh_bytes
from tests.oversight.founding.party import COMMISSION, Party, errors_of, expect
from tests.people import World


async def sign_all(party: Party) -> None:
    for label in ("bruno", "chiara"):
        expect(await party.sign(label), "/found/draft")


async def test_three_people_found_a_commission(before_portal: Party) -> None:
    party = before_portal
    await sign_all(party)
    page = await party.publish(await party.invitation())
    assert "The commission is founded" in page.text
    with party.app.state.database.use():
        charter = await current_charter()
        assert await FoundingRecord.all().count() == 0
        members = {member.label: member for member in await MemberRecord.all()}
    assert charter.hash in page.text
    assert (charter.slug, charter.jurisdictions) == ("harbour", ("DE", "FR"))
    assert (charter.governors.threshold, charter.reserve.threshold, charter.reserve.shares) == (2, 2, 3)
    assert {member.label: member.key_name for member in members.values()} == {
        label: f"harbour/{label}" for label in ("amina", "bruno", "chiara")
    }
    assert members["bruno"].roles == ["investigator"]
    for label in ("amina", "bruno"):
        expect(await party[label].get("/found"), "/queue")
        assert (await party[label].get("/queue")).status_code == 200
    expect(await party.log_in("chiara"), "/")


async def test_any_member_may_send_what_is_signed(before_portal: Party) -> None:
    await sign_all(before_portal)
    page = await before_portal.publish(await before_portal.invitation(), "bruno")
    assert "The commission is founded" in page.text


async def test_nothing_is_sent_before_enough_governors_have_signed(before_portal: Party) -> None:
    await before_portal.sign("bruno")
    expect(await before_portal["amina"].get("/found/publish"), "/found")
    expect(await before_portal.publish(await before_portal.invitation()), "/found")
    with before_portal.app.state.database.use():
        assert await CharterRecord.all().count() == 0


async def test_what_the_portal_refuses_stays_signed_and_can_be_sent_again(before_portal: Party) -> None:
    party = before_portal
    await sign_all(party)
    assert errors_of(await party.publish("made-up")) == [
        "The portal does not know this invitation, or it was used before"
    ]
    assert errors_of(await party.publish("")) == ["Type in the invitation that the portal’s operator gave you"]
    with party.app.state.database.use():
        assert await CharterRecord.all().count() == 0
    assert (await party.founding()).is_signed
    assert "The commission is founded" in (await party.publish(await party.invitation())).text


async def test_an_invitation_is_used_once(before_portal: Party) -> None:
    party = before_portal
    await sign_all(party)
    other = await party.invitation("other")
    assert "invitation" in errors_of(await party.publish(other))[0]


async def test_while_the_portal_is_unreachable_nothing_is_lost(before_portal: Party) -> None:
    party = before_portal
    assert party.portal is not None
    await sign_all(party)
    invitation = await party.invitation()
    party.portal.cut_off = True
    assert errors_of(await party.publish(invitation)) == [
        "The portal does not answer. What was signed is kept; try again"
    ]
    party.portal.cut_off = False
    assert "The commission is founded" in (await party.publish(invitation)).text


async def test_when_the_answer_is_lost_the_same_charter_is_sent_again(before_portal: Party) -> None:
    party = before_portal
    assert party.portal is not None
    await sign_all(party)
    party.portal.loses_posts = True
    assert "does not answer" in errors_of(await party.publish(await party.invitation()))[0]
    party.portal.loses_posts = False
    # The portal has it. Until that is known, nothing is changed any more.
    expect(await party["amina"].get("/found"), "/found/publish")
    for path in ("draft/take-back", "commission", "members", "reserve", "draft/object"):
        expect(await party["amina"].post(f"/found/{path}", **COMMISSION), "/found")
    expect(await party["bruno"].get("/found/draft"), "/found")
    await party.restart()
    # The same note is taken again, whatever invitation comes with it.
    assert "The commission is founded" in (await party.publish("made-up")).text
    with party.app.state.database.use():
        assert await CharterRecord.all().count() == 1


async def test_a_charter_that_is_not_valid_today_is_not_sent(before_portal: Party) -> None:
    party = before_portal
    await sign_all(party)
    party.clock.forward(days=40)
    await party.log_in("amina")
    assert "not today any more" in (await party["amina"].get("/found/publish")).text
    assert "lay it out again" in errors_of(await party.publish(await party.invitation()))[0]
    expect(await party["amina"].post("/found/draft/take-back"), "/found")


async def test_another_commission_of_this_name_is_told(before_portal: Party, monkeypatch: pytest.MonkeyPatch) -> None:
    party = before_portal
    await sign_all(party)
    for code, words in (
        ("charter-conflict", "another commission of this short name"),
        ("charter-expired", "not valid today"),
        ("charter-invalid", "does not take this charter"),
        ("something-new", "The portal refused the charter"),
    ):
        monkeypatch.setattr("oversight.founding.store.PortalClient.post_charter", _refuses(code), raising=True)
        assert words in errors_of(await party.publish("x"))[0]
    assert (await party.founding()).is_signed


@pytest.mark.parametrize("what", ["verifier", "realm", "origin"])
async def test_nothing_is_sent_to_another_portal_than_the_charter_names(
    before_portal: Party, monkeypatch: pytest.MonkeyPatch, what: str
) -> None:
    party = before_portal
    await sign_all(party)
    requests = lie(monkeypatch, what)
    assert "not the one that the charter names" in errors_of(await party.publish(await party.invitation()))[0]
    assert requests == []
    with party.app.state.database.use():
        assert not await is_founded()
        assert await CharterRecord.all().count() == 0


async def test_two_who_publish_at_once_found_one_commission(
    before_portal: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    party, post = before_portal, PortalClient.post_charter
    await sign_all(party)
    invitation = await party.invitation()

    async def post_while_another_is_refused(self: PortalClient, note: bytes, given: str | None = None) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(PortalClient, "post_charter", _refuses("invitation-invalid"))
            assert errors_of(await party.publish("made-up", "bruno"))
        await post(self, note, given)

    monkeypatch.setattr(PortalClient, "post_charter", post_while_another_is_refused)
    assert "The commission is founded" in (await party.publish(invitation)).text
    with party.app.state.database.use():
        assert await is_founded()
        assert (await current_charter()).slug == "harbour"


def lie(monkeypatch: pytest.MonkeyPatch, what: str) -> list[str]:
    """Have the portal say something else about itself; the charters that are sent to it are listed."""
    info = PortalClient.portal_info
    other: dict[str, Any] = {
        "verifier": SigningKey.from_seed("portal.test", fresh_bytes(32)).verifier,
        "realm": fresh_bytes(16).hex(),
        "origin": "http://elsewhere.test",
    }
    sent: list[str] = []

    async def lied(self: PortalClient) -> Any:
        return replace(await info(self), **{what: other[what]})

    async def post(self: PortalClient, note: bytes, invitation: str | None = None) -> None:
        sent.append("charter")

    monkeypatch.setattr(PortalClient, "portal_info", lied)
    monkeypatch.setattr(PortalClient, "post_charter", post)
    return sent


def _refuses(code: str) -> Any:
    async def refuse(*arguments: Any) -> None:
        raise PortalRefused(code, 409)

    return refuse


@pytest.mark.parametrize("path", ["object", "take-back"])
async def test_what_is_found_wrong_while_it_is_sent_is_not_sent(
    before_portal: Party, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    """Who is told that the draft is void, or taken back, can rely on it: nobody publishes it in the same moment."""
    party = before_portal
    await sign_all(party)
    draft = (await party.founding()).draft
    assert draft is not None and party.portal is not None
    ask = PortalClient.portal_info

    async def ask_while_somebody_looks(client: PortalClient) -> Any:
        await party["amina"].post(f"/found/draft/{path}", draft=draft.hash, about="chiara")
        return await ask(client)

    monkeypatch.setattr(PortalClient, "portal_info", ask_while_somebody_looks)
    answer = await party.publish(await party.invitation(), "bruno")
    assert answer.status_code == 409
    assert not (await party.founding()).is_open_for_signing
    with party.app.state.database.use():
        assert await CharterRecord.all().count() == 0


async def test_an_objection_that_comes_too_late_is_not_said_to_count(
    before_portal: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The governor's request has read the draft when somebody else begins to send it."""
    party = before_portal
    await sign_all(party)
    draft = (await party.founding()).draft
    assert draft is not None and party.portal is not None
    party.portal.loses_posts = True
    invitation = await party.invitation()

    read = draft_pages.read_form

    async def read_while_it_is_sent(request: Request) -> Form:
        with monkeypatch.context() as patch:
            patch.setattr(draft_pages, "read_form", read)
            assert "does not answer" in errors_of(await party.publish(invitation, "bruno"))[0]
        return await read(request)

    monkeypatch.setattr(draft_pages, "read_form", read_while_it_is_sent)
    answer = await party["chiara"].post("/found/draft/object", draft=draft.hash, about="amina")
    assert answer.status_code == 409
    assert (await party.founding()).is_signed


async def test_who_starts_over_while_it_is_sent_does_not_leave_an_office_without_members(
    before_portal: Party, monkeypatch: pytest.MonkeyPatch
) -> None:
    party, post = before_portal, PortalClient.post_charter
    await sign_all(party)

    async def post_while_all_is_dropped(self: PortalClient, note: bytes, given: str | None = None) -> None:
        expect(await party["amina"].post("/found/start-over"), "/found")
        await post(self, note, given)

    monkeypatch.setattr(PortalClient, "post_charter", post_while_all_is_dropped)
    assert (await party.publish(await party.invitation(), "bruno")).status_code == 409
    with party.app.state.database.use():
        assert not await is_founded()
    assert (await party.browser().get(party.setup_link)).status_code == 200


async def test_a_charter_that_is_not_the_draft_is_not_sent(before_portal: Party, world: World) -> None:
    """Whoever writes the office's tables can put another charter in the way, signed by governors of their own."""
    party = before_portal
    await sign_all(party)
    other = world.charter
    with party.app.state.database.use():
        await CharterRecord.create(hash=other.hash, number=1, note=other.note, published=False)
    answer = await party.publish(await party.invitation())
    assert answer.status_code == 503
    with party.app.state.database.use():
        assert not await is_founded()
