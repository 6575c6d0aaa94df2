# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bytes that one of the databases can't hold get an answer like any other, with each of them."""

from itertools import product
from pathlib import Path

import pyotp
import pytest

from oversight.members.login_pages import FORM_BYTES_MAX
from oversight.settings import Settings
from tests.oversight.office import OFFICE_ORIGIN, Office


@pytest.fixture
def settings(tmp_path: Path, static_folder: Path, database_url: str) -> Settings:
    return Settings(data=tmp_path / "office", database=database_url, origin=OFFICE_ORIGIN, static=static_folder)


async def test_a_null_byte_is_a_wrong_username_and_no_address(office: Office) -> None:
    stranger = office.browser()
    assert (await stranger.log_in(office.world["amina"], username="nobody\0")).status_code == 403
    member = await office.browser_of("amina")
    for path in ("/reports/%00", "/reports/%00/reply", "/cases/%00", "/findings/%00", "/queue?after=%00"):
        assert (await member.get(path)).status_code == 404, path


MARKS = "\u0316\u0301"
ODD = ["x" * 200_000, "x" * 30_000, "x" * 65, MARKS * 30_000, MARKS * 8000, "", "%00", "%ED%A0%80"]
ODD += ["//%5B", "http://%5B", "%F0%9F%98%80" * 100]
COOKIES = [b"", b"\xff\xfe", b"x", b"0" * 64, b'"' + b"A" * 64 + b'"', b"A" * 5000, b";;=;"]


async def test_whatever_is_typed_to_log_in_gets_an_answer(office: Office) -> None:
    for field, value in product(("username", "passphrase", "code", "next"), ODD):
        form = {"username": "amina", "passphrase": "x", "code": "1", field: value}
        body = "&".join(f"{name}={text}" for name, text in form.items()).encode()
        answer = await office.browser().client.post("/login", content=body, headers={"sec-fetch-site": "same-origin"})
        assert answer.status_code == (413 if len(body) > FORM_BYTES_MAX else 403), (field, value[:20])
        # After the longest wait.
        office.clock.forward(seconds=300)


async def test_whatever_the_cookies_hold_a_member_logs_in(office: Office) -> None:
    person = office.world["amina"]
    for name, value in product(("browser", "session"), COOKIES):
        browser = office.browser()
        code = pyotp.TOTP(person.totp_secret).at(office.clock.now)
        form = {"username": person.username, "passphrase": person.passphrase, "code": code}
        headers = {b"sec-fetch-site": b"same-origin", b"cookie": name.encode() + b"=" + value}
        answer = await browser.client.post("/login", data=form, headers=headers)
        assert answer.status_code == 303, (name, value)
        assert browser.client.cookies[name].encode("latin-1") != value
        assert (await browser.get("/members")).status_code == 200
        office.clock.forward(seconds=30)


async def test_an_id_that_is_longer_than_any_is_no_address(office: Office) -> None:
    member = await office.browser_of("bruno")
    for path in ("/reports/", "/cases/", "/findings/"):
        assert (await member.get(path + "a" * 65)).status_code == 404, path


async def test_a_form_of_more_fields_than_any_has_is_too_large_and_not_empty(office: Office) -> None:
    member = await office.browser_of("bruno")
    body = b"locale=ar" + b"&x=" * 1000
    headers = {"sec-fetch-site": "same-origin"}
    answer = await member.client.post("/account/language", content=body, headers=headers)
    assert (answer.status_code, "That was too much at once" in answer.text) == (413, True)
