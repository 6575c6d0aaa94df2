# SPDX-License-Identifier: AGPL-3.0-or-later
"""The ceremony in a browser."""

import re
from dataclasses import replace

import pytest

from crypto.keyring import open_keyring
from oversight.commission.charters import current_charter, is_founded
from oversight.commission.records import CharterRecord
from oversight.founding.founding_draft import FoundingChangedError, FoundingDraft, setup_token
from oversight.founding.records import FoundingRecord
from oversight.members.records import MemberRecord
from tests.oversight.office import Browser, Office
from tests.oversight.portals import Portal

COMMISSION = {
    "name-en": "Harbour Commission",
    "name-ar": "لجنة الميناء",
    "slug": "harbour",
    "mandate-en": "Fictional.",
    "mandate-ar": "خيالية.",
    "jurisdictions": "de, fr",
    "days_valid": "30",
    "grace_days": "7",
    "reply_days": "365",
}


async def begin(office: Office) -> Browser:
    """A browser that has given the setup token."""
    browser = office.browser()
    answer = await browser.post("/found", token=setup_token(office.settings.secrets))
    assert answer.headers["location"] == "/found"
    return browser


async def enter_people(browser: Browser) -> None:
    assert (await browser.post("/found/commission", **COMMISSION)).status_code == 303
    for label, name in (("amina", "Amina Haddad"), ("chiara", "Chiara Lombardi")):
        answer = await browser.post(
            "/found/members", label=label, member=name, roles=["registrar", "chair"], governor="yes", locale="en"
        )
        assert answer.status_code == 303


async def show_sheet(browser: Browser, label: str) -> tuple[str, str]:
    """Passphrase and second factor, read from the sheet."""
    answer = await browser.post(f"/found/sheets/{label}")
    assert answer.status_code == 200
    passphrase, secret = re.findall(r'class="sheet__secret">([^<]+)<', answer.text)
    return passphrase, secret.replace(" ", "")


async def show_shares(browser: Browser, count: int = 3) -> list[str]:
    shares = []
    for number in range(1, count + 1):
        answer = await browser.post(f"/found/reserve/shares/{number}")
        shares.append(" ".join(re.findall(r'class="sheet__word">([a-z]+)<', answer.text)))
    return shares


async def prepare(browser: Browser) -> dict[str, tuple[str, str]]:
    """Everything up to the signatures; the sheets by member."""
    await enter_people(browser)
    sheets = {label: await show_sheet(browser, label) for label in ("amina", "chiara")}
    await browser.post("/found/reserve", shares="3", threshold="2")
    shares = await show_shares(browser)
    answer = await browser.post("/found/reserve/test", **{"share-1": shares[2], "share-2": shares[0]})
    assert answer.headers["location"] == "/found"
    return sheets


async def sign(browser: Browser, invitation: str) -> str:
    page = (await browser.get("/found/sign")).text
    shown = re.search(r'name="portal" value="([^"]+)"', page)
    answer = await browser.post("/found/sign", portal=shown[1] if shown else "", invitation=invitation)
    return answer.text


async def test_a_commission_is_founded_and_its_members_log_in(unfounded: Office, portal: Portal) -> None:
    unfounded.talk_to(portal)
    browser = await begin(unfounded)
    sheets = await prepare(browser)
    page = await sign(browser, await portal.invitation("harbour"))
    assert "The commission is founded" in page
    assert "setup" not in browser.client.cookies
    with unfounded.database.use():
        charter = await current_charter()
        assert await FoundingRecord.all().count() == 0
    assert charter.hash in page
    assert charter.jurisdictions == ("DE", "FR")
    assert not (unfounded.settings.secrets / "setup.token").exists()
    person = replace(unfounded.world["amina"], passphrase=sheets["amina"][0], totp_secret=sheets["amina"][1])
    member = unfounded.browser()
    assert (await member.log_in(person)).status_code == 303
    assert "Chiara Lombardi" in (await member.get("/members")).text
    assert (await member.get("/found")).headers["location"] == "/login"


async def test_nobody_founds_without_the_setup_token(unfounded: Office) -> None:
    stranger = unfounded.browser()
    assert (await stranger.get("/")).headers["location"] == "/found"
    assert (await stranger.get("/login")).headers["location"] == "/found"
    assert "Setup token" in (await stranger.get("/found")).text
    assert (await stranger.post("/found", token="aaaa-bbbb")).status_code == 403
    stranger.client.cookies.set("setup", "aaaa-bbbb", "office.test")
    paths = ["commission", "members", "members/remove", "sheets/amina", "reserve", "reserve/test", "sign", "start-over"]
    for path in paths:
        answer = await stranger.post(f"/found/{path}", **COMMISSION)
        assert (answer.status_code, answer.headers["location"]) == (303, "/found")
    with unfounded.database.use():
        assert await FoundingRecord.all().count() == 0


async def test_the_token_may_be_typed_in_any_division(unfounded: Office) -> None:
    typed = setup_token(unfounded.settings.secrets).replace("-", " ").upper()
    assert (await unfounded.browser().post("/found", token=typed)).status_code == 303


async def test_once_founded_nobody_founds_again(office: Office) -> None:
    browser = office.browser()
    token = setup_token(office.settings.secrets)
    assert (await browser.post("/found", token=token)).headers["location"] == "/login"
    browser.client.cookies.set("setup", token, "office.test")
    assert (await browser.post("/found/start-over")).headers["location"] == "/found"
    assert (await browser.get("/found")).headers["location"] == "/login"
    with office.database.use():
        assert await MemberRecord.all().count() == 5


async def test_the_steps_come_in_their_order(unfounded: Office) -> None:
    browser = await begin(unfounded)
    for path in ("sheets", "reserve", "reserve/test", "sign"):
        assert (await browser.get(f"/found/{path}")).headers["location"] == "/found"
    await enter_people(browser)
    assert (await browser.get("/found/sheets")).status_code == 200
    assert (await browser.get("/found/sign")).headers["location"] == "/found"
    states = re.findall(r'class="state[^>]*>[^A-Z]*([A-Za-z ]+)<', (await browser.get("/found")).text)
    assert states == ["Done", "Done", "To do", "To do", "Not yet"]


async def test_the_ceremony_goes_on_where_it_was_left(unfounded: Office) -> None:
    await enter_people(await begin(unfounded))
    again = await begin(unfounded)
    assert "Harbour Commission" in (await again.get("/found/commission")).text
    assert "Chiara Lombardi" in (await again.get("/found/members")).text


async def test_what_is_kept_meanwhile_is_sealed_under_the_token(unfounded: Office) -> None:
    browser = await begin(unfounded)
    await enter_people(browser)
    passphrase, secret = await show_sheet(browser, "amina")
    await browser.post("/found/reserve", shares="3", threshold="2")
    with unfounded.database.use():
        draft = await FoundingDraft.load(unfounded.settings.secrets)
        sealed = bytes((await FoundingRecord.get()).sealed)
    ceremony = draft.ceremony
    assert ceremony.shares is not None
    for text in (passphrase, secret, "Harbour", ceremony.shares.mnemonics[0]):
        assert text.encode() not in sealed
    assert passphrase not in repr(ceremony)
    assert ceremony.accounts["amina"].totp_secret == secret
    keyring = open_keyring(ceremony.accounts["amina"].sealed_keyring, passphrase, "amina")
    assert keyring == ceremony.keyrings["amina"]


async def test_another_sheet_makes_the_first_one_worthless_and_keeps_the_keys(unfounded: Office) -> None:
    browser = await begin(unfounded)
    await enter_people(browser)
    first, _ = await show_sheet(browser, "amina")
    second, _ = await show_sheet(browser, "amina")
    with unfounded.database.use():
        ceremony = (await FoundingDraft.load(unfounded.settings.secrets)).ceremony
    assert first != second
    assert open_keyring(ceremony.accounts["amina"].sealed_keyring, second, "amina") == ceremony.keyrings["amina"]


async def test_two_pages_at_once_never_leave_a_sheet_that_opens_nothing(unfounded: Office) -> None:
    with unfounded.database.use():
        one = await FoundingDraft.load(unfounded.settings.secrets)
        other = await FoundingDraft.load(unfounded.settings.secrets)
        await one.save(one.ceremony)
        with pytest.raises(FoundingChangedError):
            await other.save(other.ceremony)
        other = await FoundingDraft.load(unfounded.settings.secrets)
        await one.save(one.ceremony)
        with pytest.raises(FoundingChangedError):
            await other.save(other.ceremony)


async def test_shares_are_tested_from_paper_and_then_forgotten(unfounded: Office) -> None:
    browser = await begin(unfounded)
    await enter_people(browser)
    await browser.post("/found/reserve", shares="3", threshold="2")
    assert (await browser.get("/found/reserve/test")).headers["location"] == "/found"
    shares = await show_shares(browser)
    word = shares[0].split()[9]
    for typed, error in (
        ((shares[0], shares[0]), "This share was typed twice"),
        ((shares[0], ""), "A share has 33 words"),
        ((shares[0].replace(word, f"{word}x"), shares[1]), "in no list of shares"),
        ((" ".join(reversed(shares[0].split())), shares[1]), "A word of this share is wrong"),
    ):
        answer = await browser.post("/found/reserve/test", **{"share-1": typed[0], "share-2": typed[1]})
        assert answer.status_code == 422
        assert error in answer.text
    answer = await browser.post("/found/reserve/test", **{"share-1": shares[1].upper(), "share-2": shares[2]})
    assert answer.status_code == 303
    with unfounded.database.use():
        reserve = (await FoundingDraft.load(unfounded.settings.secrets)).ceremony.shares
    assert reserve is not None
    assert reserve.mnemonics == ()
    assert (await browser.post("/found/reserve/shares/1")).headers["location"] == "/found"


async def test_shares_of_an_earlier_reserve_do_not_pass(unfounded: Office) -> None:
    browser = await begin(unfounded)
    await enter_people(browser)
    await browser.post("/found/reserve", shares="3", threshold="2")
    old = await show_shares(browser)
    await browser.post("/found/reserve", shares="3", threshold="2")
    await show_shares(browser)
    answer = await browser.post("/found/reserve/test", **{"share-1": old[0], "share-2": old[1]})
    assert "not of this reserve" in answer.text


async def test_what_the_portal_refuses_stays_signed_and_is_sent_again(unfounded: Office, portal: Portal) -> None:
    unfounded.talk_to(portal)
    browser = await begin(unfounded)
    await prepare(browser)
    assert "does not know this invitation" in await sign(browser, "made-up")
    with unfounded.database.use():
        signed = (await CharterRecord.get()).hash
        assert await FoundingRecord.all().count() == 0
    assert (await browser.get("/found")).headers["location"] == "/found/sign"
    portal.cut_off = True
    assert "does not answer" in await sign(browser, "made-up")
    portal.cut_off = False
    invitation = await portal.invitation("harbour")
    portal.loses_answers = True
    assert "does not answer" in await sign(browser, invitation)
    portal.loses_answers = False
    assert signed in await sign(browser, invitation)
    with unfounded.database.use():
        assert await is_founded()


async def test_nothing_is_signed_for_a_portal_that_changed_its_key_meanwhile(unfounded: Office, portal: Portal) -> None:
    unfounded.talk_to(portal)
    browser = await begin(unfounded)
    await prepare(browser)
    answer = await browser.post("/found/sign", portal="another+key", invitation="x")
    assert "another key than before" in answer.text
    portal.cut_off = True
    assert "The portal does not answer" in (await browser.get("/found/sign")).text
    with unfounded.database.use():
        assert await CharterRecord.all().count() == 0


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("slug", "1"),
        ("slug", "two words"),
        ("name-ar", " "),
        ("name-en", "x" * 201),
        ("jurisdictions", "Atlantis!"),
        ("days_valid", "0"),
        ("days_valid", "١"),
        ("grace_days", "99999999999999999999"),
        ("reply_days", "29"),
    ],
)
async def test_wrong_entries_are_named_and_what_was_typed_stays(unfounded: Office, field: str, value: str) -> None:
    browser = await begin(unfounded)
    answer = await browser.post("/found/commission", **{**COMMISSION, field: value})
    if (field, value) == ("days_valid", "١"):
        assert answer.status_code == 303
        return
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text
    assert "<title>Error: " in answer.text
    assert COMMISSION["mandate-ar"] in answer.text


async def test_the_short_name_is_fixed_once_there_are_keys(unfounded: Office) -> None:
    browser = await begin(unfounded)
    await enter_people(browser)
    await show_sheet(browser, "amina")
    answer = await browser.post("/found/commission", **{**COMMISSION, "slug": "other"})
    assert "Keys bear the short name" in answer.text


async def test_a_member_who_is_removed_loses_the_keys(unfounded: Office) -> None:
    browser = await begin(unfounded)
    await enter_people(browser)
    await show_sheet(browser, "amina")
    await browser.post("/found/members/remove", label="amina")
    with unfounded.database.use():
        ceremony = (await FoundingDraft.load(unfounded.settings.secrets)).ceremony
    assert "amina" not in ceremony.keyrings
    assert ceremony.plan.governors == ("chiara",)
    states = re.findall(r'class="state[^>]*>[^A-Z]*([A-Za-z ]+)<', (await browser.get("/found")).text)
    assert states[1] == "To do"
    assert "More governors must sign" in (await browser.get("/found/members")).text


async def test_starting_over_leaves_nothing(unfounded: Office) -> None:
    browser = await begin(unfounded)
    await enter_people(browser)
    await browser.post("/found/start-over")
    assert "Harbour" not in (await browser.get("/found/commission")).text
    with unfounded.database.use():
        assert await FoundingRecord.all().count() == 0
