# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of the office's members, and a member's own account."""

import asyncio
from dataclasses import replace

import pytest

from crypto.fingerprint import member_fingerprint
from crypto.keyring import open_keyring
from oversight.members.records import MemberRecord
from tests.oversight.office import Office

NEW = "six quiet words nobody could guess"


async def test_members_see_each_other_with_roles_and_fingerprints(office: Office) -> None:
    browser = await office.browser_of("bruno")
    page = (await browser.get("/members")).text
    for member in office.world.charter.members:
        assert member.name in page
        assert member_fingerprint(member) in page
    assert "publisher, auditor" in page
    assert office.world.charter.hash in page


def test_a_fingerprint_covers_both_keys(office_members: tuple[str, str, str]) -> None:
    assert len(set(office_members)) == 3
    assert all(len(text.replace(" ", "")) == 32 for text in office_members)


@pytest.fixture
def office_members(office: Office) -> tuple[str, str, str]:
    amina, bruno = office.world.charter.members[:2]
    return (
        member_fingerprint(amina),
        member_fingerprint(replace(amina, recipient=bruno.recipient)),
        member_fingerprint(replace(amina, verifier=bruno.verifier)),
    )


@pytest.mark.parametrize("path", ["/members", "/account"])
async def test_strangers_see_nobody(office: Office, path: str) -> None:
    answer = await office.browser().get(path)
    assert answer.headers["location"] == f"/login?next={path}"


async def test_a_changed_passphrase_opens_the_same_keys_and_the_old_one_nothing(office: Office) -> None:
    person = office.world["amina"]
    browser = await office.browser_of("amina")
    other = await office.browser_of("amina")
    answer = await browser.post("/account/passphrase", present=person.passphrase, new=NEW, again=NEW)
    assert answer.headers["location"] == "/account?done=passphrase"
    assert (await browser.get("/account")).status_code == 200
    assert (await other.get("/account")).status_code == 303
    with office.database.use():
        sealed = (await MemberRecord.get(label="amina")).keyring
    assert open_keyring(sealed, NEW, "amina") == person.keyring
    assert (await office.browser().log_in(person)).status_code == 403
    assert (await office.browser().log_in(person, passphrase=NEW)).status_code == 303


@pytest.mark.parametrize(
    ("changed", "error"),
    [
        ({"present": "wrong"}, "not your present passphrase"),
        ({"present": ""}, "not your present passphrase"),
        ({"new": "short", "again": "short"}, "at least 16 characters"),
        ({"again": "another one that is long"}, "passphrases differ"),
    ],
)
async def test_a_passphrase_is_not_changed_by_mistake(office: Office, changed: dict[str, str], error: str) -> None:
    person = office.world["amina"]
    browser = await office.browser_of("amina")
    form = {"present": person.passphrase, "new": NEW, "again": NEW, **changed}
    answer = await browser.post("/account/passphrase", **form)
    assert answer.status_code == 422
    assert error in answer.text
    assert NEW not in answer.text
    with office.database.use():
        sealed = (await MemberRecord.get(label="amina")).keyring
    assert open_keyring(sealed, person.passphrase, "amina") == person.keyring


async def test_the_office_speaks_the_language_that_a_member_chose(office: Office) -> None:
    browser = await office.browser_of("amina")
    assert '<html lang="en" dir="ltr">' in (await browser.get("/account")).text
    await browser.post("/account/language", locale="ar")
    assert '<html lang="ar" dir="rtl">' in (await browser.get("/account")).text
    bruno = await office.browser_of("bruno")
    assert '<html lang="en"' in (await bruno.get("/account")).text
    assert (await browser.post("/account/language", locale="xx")).status_code == 422


async def test_before_login_the_browser_says_which_language(office: Office) -> None:
    client = office.browser().client
    answer = await client.get("/login", headers={"accept-language": "fr, ar-EG;q=0.8, en;q=0.5"})
    assert 'lang="ar"' in answer.text
    answer = await client.get("/login", headers={"accept-language": "fr"})
    assert 'lang="en"' in answer.text


FORMS = {
    "passphrase": {"present": "x", "new": NEW, "again": NEW},
    "passphrase/make": {},
    "browsers": {},
    "language": {},
}


@pytest.mark.parametrize("form", FORMS)
async def test_a_form_of_a_session_that_had_ended_does_nothing_and_says_so(office: Office, form: str) -> None:
    browser = await office.browser_of("amina")
    office.clock.forward(minutes=16)
    answer = await browser.post(f"/account/{form}", **FORMS[form])
    assert answer.headers["location"] == "/login?ended"
    assert "Nothing of what you sent was saved" in (await browser.get("/login?ended")).text


@pytest.mark.parametrize("form", FORMS)
async def test_the_address_of_a_form_leads_back_to_the_account(office: Office, form: str) -> None:
    browser = await office.browser_of("amina")
    assert (await browser.get(f"/account/{form}")).headers["location"] == "/account"


async def test_of_two_changes_at_once_one_is_told_that_it_was_not_made(office: Office) -> None:
    person, other = office.world["amina"], "lantern pocket orbit walnut fiddle ribbon"
    tabs = [await office.browser_of("amina") for _ in range(2)]
    forms = [{"present": person.passphrase, "new": new, "again": new} for new in (NEW, other)]
    changes = (tab.post("/account/passphrase", **form) for tab, form in zip(tabs, forms, strict=True))
    answers = await asyncio.gather(*changes)
    made = [form["new"] for form, answer in zip(forms, answers, strict=True) if answer.status_code == 303]
    assert len(made) == 1
    assert sorted(answer.status_code for answer in answers)[1] in {409, 422}
    with office.database.use():
        assert open_keyring((await MemberRecord.get(label="amina")).keyring, made[0], "amina") == person.keyring


@pytest.mark.parametrize("garbage", [b"", b"x" * 182, b"amparo/v9/keyring\n" + b"x" * 164, b"x" * 5000])
async def test_broken_keys_are_said_to_members_and_to_a_known_browser_and_to_no_stranger(
    office: Office, garbage: bytes
) -> None:
    person, other = office.world["amina"], await office.browser_of("bruno")
    known, inside = await office.browser_of("amina"), await office.browser_of("amina")
    await known.post("/lock")
    with office.database.use():
        await MemberRecord.filter(label="amina").update(keyring=garbage)
    stranger = await office.browser().log_in(person)
    nobody = await office.browser().log_in(person, username="nobod")
    assert stranger.text.replace("amina", "nobod") == nobody.text and stranger.status_code == 403
    answer = await known.log_in(person)
    assert answer.status_code == 403 and "Your keys can’t be read" in answer.text
    form = {"present": person.passphrase, "new": NEW, "again": NEW}
    assert "Your keys can’t be read" in (await inside.post("/account/passphrase", **form)).text
    for browser in (other, inside):
        page = (await browser.get("/members")).text
        assert page.count("The keys stored for this member can’t be read") == 1


async def test_broken_keys_cost_a_stranger_the_same_derivation(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    costs = []

    def watch(sealed: bytes, passphrase: str, label: str) -> object:
        costs.append((len(sealed), sealed[:30]))
        return open_keyring(sealed, passphrase, label)

    monkeypatch.setattr("oversight.members.accounts.open_keyring", watch)
    with office.database.use():
        await MemberRecord.filter(label="amina").update(keyring=b"garbage")
    for username in ("amina", "bruno", "nobody"):
        await office.browser().log_in(office.world["amina"], username=username, passphrase="wrong")
    assert len(costs) == 3 and len(set(costs)) == 1
