# SPDX-License-Identifier: AGPL-3.0-or-later
"""Logging in and locking, as members see it."""

import asyncio

import pyotp
import pytest

from crypto.errors import CryptoError
from crypto.keyring import open_bytes, open_keyring
from oversight.members import accounts
from oversight.members.records import MemberRecord, SessionRecord
from tests.oversight.office import Office


async def test_a_member_logs_in_and_is_sent_to_the_page_that_was_asked_for(office: Office) -> None:
    browser = office.browser()
    asked = await browser.get("/members?from=letter")
    assert asked.status_code == 303
    assert asked.headers["location"] == "/login?next=/members%3Ffrom%3Dletter"
    answer = await browser.log_in(office.world["amina"], next="/members?from=letter")
    assert (answer.status_code, answer.headers["location"]) == (303, "/members?from=letter")
    assert (await browser.get("/members")).status_code == 200


@pytest.mark.parametrize(
    "elsewhere",
    ["//evil.test/", "https://evil.test", "/\\evil.test", "javascript:alert(1)", "/a\nLocation:x", "evil"],
)
async def test_nobody_is_sent_to_another_site_after_a_login(office: Office, elsewhere: str) -> None:
    answer = await office.browser().log_in(office.world["amina"], next=elsewhere)
    assert (answer.status_code, answer.headers["location"]) == (303, "/")


@pytest.mark.parametrize(
    "changed",
    [
        {"passphrase": "another one altogether"},
        {"passphrase": ""},
        {"code": "000000"},
        {"code": ""},
        {"code": "²²²²²²"},
        {"username": "nobody"},
    ],
)
async def test_whatever_is_wrong_the_answer_is_the_same(office: Office, changed: dict[str, str]) -> None:
    person = office.world["amina"]
    answer = await office.browser().log_in(person, **changed)
    assert answer.status_code == 403
    assert "do not match" in answer.text
    assert "session" not in answer.cookies
    shown = answer.text.replace(f'value="{changed.get("username", person.username)}"', 'value="USERNAME"')
    other = await office.browser().log_in(office.world["bruno"], code="111111")
    assert shown == other.text.replace('value="bruno"', 'value="USERNAME"')


async def test_an_unknown_username_costs_the_same_derivation(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    costs = []

    def watch(sealed: bytes, passphrase: str, label: str) -> object:
        costs.append(sealed[18:30])
        return open_keyring(sealed, passphrase, label)

    monkeypatch.setattr(accounts, "open_keyring", watch)
    await office.browser().log_in(office.world["amina"], passphrase="wrong")
    await office.browser().log_in(office.world["amina"], username="nobody")
    assert len(costs) == 2
    assert costs[0] == costs[1]


async def test_a_code_is_taken_once(office: Office) -> None:
    assert (await office.browser().log_in(office.world["amina"])).status_code == 303
    assert (await office.browser().log_in(office.world["amina"])).status_code == 403
    office.clock.forward(seconds=30)
    assert (await office.browser().log_in(office.world["amina"])).status_code == 303


async def test_a_code_of_the_step_before_is_taken_and_one_of_two_steps_before_is_not(office: Office) -> None:
    person = office.world["amina"]
    code = pyotp.TOTP(person.totp_secret).at(office.clock.now)
    office.clock.forward(seconds=30)
    assert (await office.browser().log_in(person, code=code)).status_code == 303
    other = pyotp.TOTP(office.world["bruno"].totp_secret).at(office.clock.now)
    office.clock.forward(seconds=60)
    assert (await office.browser().log_in(office.world["bruno"], code=other)).status_code == 403


async def test_codes_in_arabic_digits_and_groups_are_understood(office: Office) -> None:
    person = office.world["amina"]
    code = pyotp.TOTP(person.totp_secret).at(office.clock.now)
    arabic = "".join("٠١٢٣٤٥٦٧٨٩"[int(digit)] for digit in code)
    answer = await office.browser().log_in(person, code=f"{arabic[:3]} {arabic[3:]}", username=" Amina ")
    assert answer.status_code == 303


@pytest.mark.parametrize("username", ["amina", "nobody"])
async def test_after_failures_the_wait_doubles_to_five_minutes_and_ends(office: Office, username: str) -> None:
    browser, waits = office.browser(), []
    for _ in range(14):
        assert (await browser.log_in(office.world["amina"], username=username, code="1")).status_code == 403
        answer = await browser.log_in(office.world["amina"], username=username)
        if answer.status_code == 429:
            wait = int(answer.text.split("Try again in ")[1].split(" seconds")[0])
            waits.append(wait)
            office.clock.forward(seconds=wait)
    assert waits[:4] == [1, 2, 4, 8]
    assert waits[-1] == 300
    expected = 303 if username == "amina" else 403
    assert (await browser.log_in(office.world["amina"], username=username)).status_code == expected


@pytest.mark.parametrize("username", ["amina", "nobody"])
async def test_attempts_made_at_once_are_no_way_around_the_wait(office: Office, username: str) -> None:
    person = office.world["amina"]
    at_once = [office.browser().log_in(person, username=username, code=f"{number:06}") for number in range(12)]
    answers = await asyncio.gather(*at_once)
    found = sorted(answer.status_code for answer in answers)
    # Those who had no place in the line were not looked at either.
    assert found[:3] == [403] * 3 and set(found[3:]) <= {429, 503}


async def test_one_member_waits_and_the_others_do_not(office: Office) -> None:
    for _ in range(4):
        await office.browser().log_in(office.world["amina"], code="1")
    assert (await office.browser().log_in(office.world["amina"])).status_code == 429
    assert (await office.browser().log_in(office.world["bruno"])).status_code == 303


async def test_a_stranger_at_one_request_a_second_keeps_nobody_out(office: Office) -> None:
    person = office.world["amina"]
    member, stranger = await office.browser_of("amina"), office.browser()
    await member.post("/lock")
    logins = []
    for second in range(600):
        await stranger.log_in(person, passphrase="")
        if second % 100 == 99:
            logins.append((await member.log_in(person)).status_code)
            await member.post("/lock")
        office.clock.forward(seconds=1)
    assert logins == [303] * 6
    assert (await office.browser().log_in(person)).status_code == 429


async def test_lock_closes_the_keys_on_the_server_too(office: Office) -> None:
    browser = await office.browser_of("amina")
    stolen = browser.client.cookies["session"]
    answer = await browser.post("/lock")
    assert answer.headers["location"] == "/login?locked"
    assert answer.headers["clear-site-data"] == '"cache", "storage"'
    assert "session" not in browser.client.cookies
    browser.client.cookies.set("session", stolen, "office.test")
    assert (await browser.get("/members")).status_code == 303
    with office.database.use():
        assert await SessionRecord.all().count() == 0


async def test_a_session_locks_itself_when_it_is_idle(office: Office) -> None:
    browser = await office.browser_of("amina")
    office.clock.forward(minutes=14)
    assert (await browser.get("/members")).status_code == 200
    office.clock.forward(minutes=14)
    assert (await browser.get("/members")).status_code == 200
    office.clock.forward(minutes=15)
    assert (await browser.get("/members")).status_code == 303
    with office.database.use():
        assert await SessionRecord.all().count() == 0


async def test_a_session_ends_after_twelve_hours_however_busy_it_is(office: Office) -> None:
    browser = await office.browser_of("amina")
    for _ in range(71):
        office.clock.forward(minutes=10)
        assert (await browser.get("/members")).status_code == 200
    office.clock.forward(minutes=10)
    assert (await browser.get("/members")).status_code == 303


async def test_a_stolen_database_opens_nothing_without_the_cookie(office: Office) -> None:
    """Everything that is stored, tried as key and as text: no session row opens with any of it."""
    browser = await office.browser_of("amina")
    cookie = browser.client.cookies["session"]
    keyring = office.world["amina"].keyring.to_bytes()
    with office.database.use():
        row = (await SessionRecord.all())[0]
        member = await MemberRecord.get(label="amina")
    stored = bytes(row.keyring) + bytes(member.keyring) + bytes(member.second_factor) + row.id_hash.encode()
    stored += bytes.fromhex(row.id_hash)
    assert cookie.encode() not in stored
    for secret in (keyring[:32], keyring[32:64], keyring[64:], office.world["amina"].totp_secret.encode()):
        assert secret not in stored
    for at in range(len(stored) - 32):
        with pytest.raises(CryptoError):
            open_bytes(stored[at : at + 32], bytes(row.keyring), b"")


@pytest.mark.parametrize("value", ["", "x", "AAAA", "A" * 64, "ä" * 64, "-" * 64])
async def test_a_made_up_cookie_opens_nothing(office: Office, value: str) -> None:
    await office.browser_of("amina")
    stranger = office.browser()
    answer = await stranger.client.get("/members", headers={b"cookie": f"session={value}".encode()})
    assert answer.status_code == 303


async def test_the_right_session_with_another_key_opens_nothing(office: Office) -> None:
    browser = await office.browser_of("amina")
    value = browser.client.cookies["session"]
    browser.client.cookies.set("session", value[:30] + ("A" if value[30] != "A" else "B") + value[31:], "office.test")
    assert (await browser.get("/members")).status_code == 303


async def test_the_cookie_is_out_of_reach_of_script_and_other_sites(office: Office) -> None:
    answer = await office.browser().log_in(office.world["amina"])
    session, browser = (cookie.lower() for cookie in answer.headers.get_list("set-cookie"))
    for cookie in (session, browser):
        assert all(part in cookie for part in ("httponly", "samesite=strict", "path=/"))
        assert "domain" not in cookie
    assert not any(part in session for part in ("max-age", "expires"))
    assert f"max-age={180 * 24 * 60 * 60};" in browser


async def test_another_site_cannot_log_anyone_in_or_lock_them_out(office: Office) -> None:
    browser = await office.browser_of("amina")
    for headers in ({"sec-fetch-site": "cross-site"}, {"origin": "http://evil.test"}, {}):
        answer = await browser.client.post("/lock", headers=headers)
        assert answer.status_code == 403
    assert (await browser.get("/members")).status_code == 200


async def test_pages_forbid_script_of_others_and_are_not_kept(office: Office) -> None:
    browser = await office.browser_of("amina")
    for path in ("/members", "/login", "/no-such-page"):
        answer = await browser.get(path)
        assert "default-src 'none'" in answer.headers["content-security-policy"]
        assert answer.headers["cache-control"] == "no-store"
        assert answer.headers["x-frame-options"] == "DENY"


async def test_an_oversized_form_is_refused(office: Office) -> None:
    answer = await office.browser().post("/login", username="x" * 300_000)
    assert answer.status_code == 413


async def test_a_keyring_of_weaker_parameters_is_sealed_anew_at_login(office: Office) -> None:
    with office.database.use():
        before = (await MemberRecord.get(label="amina")).keyring
        await office.browser_of("amina")
        after = (await MemberRecord.get(label="amina")).keyring
    assert before != after
    assert (await office.browser_of("amina")) is not None
