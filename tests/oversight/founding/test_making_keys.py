# SPDX-License-Identifier: AGPL-3.0-or-later
"""The page on which a member makes their own keys."""

import re

import pyotp
import pytest

from crypto.keyring import open_keyring
from oversight.founding import join_pages
from oversight.founding.charter_draft import PublicKeys
from oversight.members.records import MemberRecord
from oversight.members.second_factor import open_secret
from tests.oversight.founding.party import CONVENER, Paper, Party, errors_of, expect, join_form, read_paper

WRONG_CODE = "This code does not belong to the second factor shown here: scan it, then type the code of this moment"


async def test_the_keys_are_the_members_and_what_is_stored_opens_with_their_paper_alone(party: Party) -> None:
    await party.convene()
    paper = party.papers[CONVENER]
    with party.app.state.database.use():
        member = await MemberRecord.get(label="amina")
    keyring = open_keyring(member.keyring, paper.passphrase, "amina")
    assert (await party.founding()).keys == {"amina": PublicKeys.of(keyring)}
    key = party.app.state.office_safe.keys.record_key
    assert open_secret(key, member.second_factor, "amina") == paper.secret
    assert (member.name, member.username, member.roles, member.locale) == ("Amina Haddad", "amina", [], "en")


async def test_the_data_folder_has_no_word_of_the_paper_and_no_key(gathered: Party) -> None:
    party = gathered
    secrets: list[bytes] = [party.app.state.office_safe.keys.to_bytes()[-64:]]
    with party.app.state.database.use():
        for label, paper in party.papers.items():
            sealed = (await MemberRecord.get(label=label)).keyring
            keyring = open_keyring(sealed, paper.passphrase, label)
            secrets += [
                paper.passphrase.encode(),
                paper.secret.encode(),
            ]
            secrets += [keyring.identity_seed, keyring.signing_seed, keyring.index_key]
    stored = b"".join(path.read_bytes() for path in party.settings.data.rglob("*") if path.is_file())
    assert [secret for secret in secrets if secret in stored] == []
    assert b"Harbour" not in stored


async def test_what_was_shown_stays_when_the_form_is_not_taken(party: Party) -> None:
    browser, link = party.browser(), party.setup_link
    paper = read_paper((await browser.get(link)).text)
    form = join_form(paper, party.clock.now, "amina")
    for changed, error in (
        ({"code": "000000" if form["code"] != "000000" else "000001"}, WRONG_CODE),
        ({"code": ""}, WRONG_CODE),
        ({"code": "12345678901234567890"}, WRONG_CODE),
        ({"member": ""}, "Write the name as it stands in the charter"),
        ({"member": "x" * 201}, "A name has at most 200 characters"),
        ({"label": "Two Words"}, "The short name must have letters a–z, digits or hyphens, and begin with a letter"),
        ({"label": "office"}, "The office itself has this short name: choose another one"),
    ):
        answer = await browser.post(link, **{**form, **changed})
        assert errors_of(answer) == [error]
        assert read_paper(answer.text) == paper
    expect(await browser.post(link, **form), "/found?joined")


async def test_a_passphrase_is_never_shown_back(party: Party) -> None:
    browser, link = party.browser(), party.setup_link
    form = join_form(read_paper((await browser.get(link)).text), party.clock.now, "amina")
    mine = "quite another passphrase, of seven words"
    for changed in ({"code": ""}, {"again": f"{mine}!"}, {"member": ""}):
        answer = await browser.post(link, **{**form, "new": mine, "again": mine, **changed})
        assert errors_of(answer)
        assert mine not in answer.text
        assert not re.search(r'name="(new|again|code)"[^>]*value="[^"]', answer.text)
    expect(await browser.post(link, **{**form, "new": mine, "again": mine}), "/found?joined")
    party.papers["amina"] = Paper(mine, form["secret"])
    del form
    party.browsers["amina"] = party.browser()
    expect(await party.log_in("amina"), "/")


@pytest.mark.parametrize(
    ("new", "again"), [("", ""), ("short", "short"), ("one passphrase that is long", "another one, as long as it")]
)
async def test_a_passphrase_that_can_not_be_taken_is_told(party: Party, new: str, again: str) -> None:
    answer = await party.join(CONVENER, party.setup_link, new=new, again=again)
    assert len(errors_of(answer)) == 1
    assert read_paper(answer.text) == party.papers[CONVENER]


async def test_a_passphrase_of_a_megabyte_is_too_large_a_form(party: Party) -> None:
    answer = await party.join(CONVENER, party.setup_link, new="x" * 1_000_000, again="x" * 1_000_000)
    assert (answer.status_code, "That was too much at once" in answer.text) == (413, True)
    assert (await party.join(CONVENER, party.setup_link)).status_code == 303


@pytest.mark.parametrize("label", ["x" * 3000, "x" * 200_000, "\u0316\u0301" * 5000, "two words"])
async def test_a_short_name_that_can_not_be_is_told_and_stands_in_no_drawing(
    party: Party, label: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A drawing of a long one takes a second, and of a longer one there is none."""
    drawn = []
    monkeypatch.setattr(join_pages, "draw_second_factor", lambda secret, username: drawn.append(username) or "")
    answer = await party.join(CONVENER, party.setup_link, label=label)
    assert (answer.status_code, len(errors_of(answer))) == (422, 1)
    assert set(drawn) == {"office"}


async def test_a_second_factor_of_another_page_is_not_taken(party: Party) -> None:
    browser, link = party.browser(), party.setup_link
    one, other = [read_paper((await browser.get(link)).text) for _ in range(2)]
    assert one.secret != other.secret
    assert one.passphrase != other.passphrase
    form = join_form(one, party.clock.now, "amina")
    answer = await browser.post(link, **{**form, "secret": other.secret})
    assert errors_of(answer) == [WRONG_CODE]
    assert read_paper(answer.text).secret == other.secret


@pytest.mark.parametrize("secret", ["", "A", "a" * 32, "A" * 33, "1" * 32, "Ａ" * 32, "A" * 32 + "\n"])
async def test_a_second_factor_of_another_form_is_replaced_by_a_fresh_one(party: Party, secret: str) -> None:
    answer = await party.join(CONVENER, party.setup_link, secret=secret)
    if secret.strip() == "A" * 32:
        assert errors_of(answer) == [WRONG_CODE]
        return
    assert errors_of(answer) == [WRONG_CODE]
    assert read_paper(answer.text).secret != party.papers[CONVENER].secret


@pytest.mark.parametrize("offered", ["", "one two", "<script>alert(1)</script>", "a b c d e f g", "ä b c d e f"])
async def test_offered_words_of_another_form_are_replaced_by_fresh_ones(party: Party, offered: str) -> None:
    answer = await party.join(CONVENER, party.setup_link, offered=offered, code="")
    assert errors_of(answer) == [WRONG_CODE]
    assert len(read_paper(answer.text).passphrase.split()) == 6
    assert "<script>" not in answer.text


async def test_the_code_of_the_form_is_not_taken_again_at_the_login(party: Party) -> None:
    await party.convene()
    paper = party.papers[CONVENER]
    form = {"username": "amina", "passphrase": paper.passphrase}
    browser = party.browser()
    code = pyotp.TOTP(paper.secret).at(party.clock.now)
    assert (await browser.post("/login", **form, code=code)).status_code == 403
    party.clock.forward(seconds=30)
    code = pyotp.TOTP(paper.secret).at(party.clock.now)
    assert (await browser.post("/login", **form, code=code)).status_code == 303


async def test_an_invited_person_can_not_choose_who_they_are(party: Party) -> None:
    await party.convene()
    await party.enter_plan()
    link = await party.invite("bruno")
    answer = await party.join("bruno", link, member="Somebody Else", label="amina", roles="chair", username="amina")
    expect(answer, "/found?joined")
    founding = await party.founding()
    assert set(founding.keys) == {"amina", "bruno"}
    bruno = founding.plan.member("bruno")
    assert bruno is not None
    assert (bruno.name, bruno.roles) == ("Bruno Keller", ("investigator",))
    with party.app.state.database.use():
        assert {member.label for member in await MemberRecord.all()} == {"amina", "bruno"}


async def test_a_language_that_there_is_not_is_the_first_one(party: Party) -> None:
    expect(await party.join(CONVENER, party.setup_link, locale="xx"), "/found?joined")
    with party.app.state.database.use():
        assert (await MemberRecord.get(label="amina")).locale == "en"


async def test_the_language_that_was_chosen_is_that_of_the_office(party: Party) -> None:
    expect(await party.join(CONVENER, party.setup_link, locale="ar"), "/found?joined")
    assert 'lang="ar" dir="rtl"' in (await party[CONVENER].get("/found")).text


async def test_a_guest_is_offered_the_language_of_their_own_browser(party: Party) -> None:
    await party.convene()
    await party.enter_plan()
    link = await party.invite("bruno")
    for locale, other in (("ar", "en"), ("en", "ar")):
        page = (await party.browser().client.get(link, headers={"accept-language": locale})).text
        assert re.search(rf'value="{locale}"[^>]*checked', page)
        assert not re.search(rf'value="{other}"[^>]*checked', page)
