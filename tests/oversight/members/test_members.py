# SPDX-License-Identifier: AGPL-3.0-or-later
"""The list of the office's members, and a member's own account."""

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
