# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office is started, and its own keys are closed until a member logs in, or a start key opens them."""

import asyncio
import errno
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import httpx
import pyotp
import pytest

from crypto.age import PqIdentity, PqRecipient, open_sealed, seal
from crypto.keyring import MINIMUM
from oversight.app import create_app
from oversight.collector import loop
from oversight.commission.keys import OfficeKeys, load_start_identity
from oversight.commission.portal_visits import PortalVisits
from oversight.settings import Settings
from tests.chance import fresh_bytes
from tests.oversight.office import Office
from tests.people import World

TOLD = "The office’s own keys can’t be opened"


@pytest.fixture
async def restarts(office: Office) -> AsyncIterator["Restarts"]:
    async with AsyncExitStack() as running:
        yield Restarts(office, running)


class Restarts:
    """The office of the test commission, started again as often as one likes, on the same folder."""

    def __init__(self, office: Office, running: AsyncExitStack) -> None:
        self.office = office
        self.running = running

    async def __call__(self, **changed: Any) -> Office:
        before = self.office
        settings = replace(before.settings, **changed)
        app = create_app(settings, before.clock, transport=before.app.state.transport, parameters=MINIMUM)
        await self.running.enter_async_context(app.router.lifespan_context(app))
        return Office(app, settings, before.clock, app.state.database, before.world, before.browsers)


@dataclass
class SealedFile:
    """``office.age``."""

    path: Path
    members: list[PqRecipient]

    def read(self) -> bytes:
        return self.path.read_bytes()

    def write(self, data: bytes) -> None:
        self.remove()
        self.path.write_bytes(data)

    def remove(self) -> None:
        self.path.unlink(missing_ok=True)

    def damage(self, kind: str) -> None:
        whole = self.read()
        self.remove()
        if kind == "a folder":
            self.path.mkdir()
        elif kind != "missing":
            self.write(
                {
                    "garbage": b"garbage",
                    "cut": whole[:-20],
                    "empty": b"",
                    "sealed to others": seal(fresh_bytes(85), [PqIdentity.from_seed(fresh_bytes(32)).recipient()]),
                    "other keys": seal(OfficeKeys.generate(fresh_bytes).to_bytes(), self.members),
                }[kind]
            )


@pytest.fixture
def sealed(office: Office) -> SealedFile:
    members = [person.identity.recipient() for person in office.world.people]
    return SealedFile(office.settings.secrets / "office.age", members)


def write_start_key(folder: Path) -> Path:
    path = folder / "start.key"
    path.write_text(f"{PqIdentity.from_seed(fresh_bytes(32))}\n")
    return path


async def test_the_first_login_opens_the_office(office: Office) -> None:
    safe = office.app.state.office_safe
    assert not safe.is_open
    assert (await office.browser().get("/login")).status_code == 200
    assert (await office.browser().get("/queue")).status_code == 303
    assert not safe.is_open
    await office.browser_of("bruno")
    assert safe.is_open
    assert safe.keys.signing_key(office.world.slug).verifier == office.world.office_key.verifier


@pytest.mark.parametrize("wrong", [{"code": "000000"}, {"code": ""}, {"passphrase": "not the passphrase of anybody"}])
async def test_a_login_that_fails_opens_nothing(office: Office, wrong: dict[str, str]) -> None:
    right = pyotp.TOTP(office.world["bruno"].totp_secret).at(office.clock.now)
    if wrong.get("code") == right:
        wrong = {"code": "111111"}
    assert (await office.browser().log_in(office.world["bruno"], **wrong)).status_code == 403
    assert not office.app.state.office_safe.is_open


async def test_a_session_that_outlives_a_restart_opens_the_office(office: Office, restarts: Restarts) -> None:
    browser = await office.browser_of("bruno")
    again = await restarts()
    assert not again.app.state.office_safe.is_open
    other = again.browser()
    other.client.cookies = browser.client.cookies
    assert (await other.get("/queue")).status_code == 200
    assert again.app.state.office_safe.is_open


async def test_a_made_up_session_opens_nothing(office: Office) -> None:
    browser = office.browser()
    browser.client.cookies.set("session", "A" * 64, "office.test")
    assert (await browser.get("/queue")).status_code == 303
    assert not office.app.state.office_safe.is_open


async def test_with_a_start_key_the_office_is_open_from_its_start(
    office: Office, restarts: Restarts, tmp_path: Path
) -> None:
    path = write_start_key(tmp_path)
    # Set for the first time: the keys are sealed to it with the next login.
    first = await restarts(start_key=str(path))
    assert not first.app.state.office_safe.is_open
    await first.browser_of("bruno")
    second = await restarts(start_key=str(path))
    assert second.app.state.office_safe.is_open
    # Taken away again: from the next login on it opens nothing.
    third = await restarts()
    assert not third.app.state.office_safe.is_open
    await third.browser_of("bruno")
    assert not (await restarts(start_key=str(path))).app.state.office_safe.is_open


async def test_the_collector_waits_until_the_office_is_open(office: Office, monkeypatch: pytest.MonkeyPatch) -> None:
    safe = office.app.state.office_safe
    visits: list[bool] = []

    async def collect_forever(prepare: Any, *rest: object) -> None:
        visits.append(await prepare() is not None)

    monkeypatch.setattr(loop, "collect_forever", collect_forever)
    for opens in (False, True):
        if opens:
            await office.browser_of("bruno")
        with office.database.use():
            await loop.collect_while_serving(office.settings, safe, None, office.clock, PortalVisits())
    assert visits == [False, True]


DAMAGES = ["missing", "garbage", "cut", "sealed to others", "other keys", "empty"]


@pytest.mark.parametrize("kind", DAMAGES)
async def test_a_member_is_told_that_the_offices_keys_are_lost_and_a_stranger_is_not(
    office: Office, sealed: SealedFile, kind: str
) -> None:
    kept = sealed.read()
    sealed.damage(kind)
    answer = await office.browser().log_in(office.world["bruno"])
    assert (answer.status_code, TOLD in answer.text) == (503, True)
    assert "newest backup" in answer.text
    assert "set-cookie" not in answer.headers
    # A stranger gets the answers of always.
    wrong = await office.browser().log_in(office.world["chiara"], passphrase="not the passphrase of anybody")
    unknown = await office.browser().log_in(replace(office.world["daud"], label="nobody"))
    for stranger in (wrong, unknown):
        assert (stranger.status_code, TOLD in stranger.text) == (403, False)
    for path in ("/", "/login", "/found", "/queue", "/join/x", "/share/x"):
        page = await office.browser().get(path)
        assert page.status_code in {200, 303, 410}
        assert TOLD not in page.text
    # The file is brought back while the office runs.
    sealed.write(kept)
    office.clock.forward(seconds=30)
    assert (await office.browser().log_in(office.world["bruno"])).status_code == 303


async def test_a_session_is_told_too_and_can_be_locked(office: Office, restarts: Restarts, sealed: SealedFile) -> None:
    browser = await office.browser_of("bruno")
    sealed.remove()
    again = await restarts()
    other = again.browser()
    other.client.cookies = browser.client.cookies
    for path in ("/queue", "/login", "/no-such-page", "/account"):
        answer = await other.get(path)
        assert answer.status_code in {404, 503}
        assert (TOLD in answer.text) == (answer.status_code == 503)
    assert (await other.post("/lock")).headers["location"] == "/login?locked"
    assert (await other.get("/login")).status_code == 200


async def test_nobody_puts_keys_of_their_own_in_the_offices_place(
    office: Office, restarts: Restarts, sealed: SealedFile, tmp_path: Path
) -> None:
    """An age file says nothing of who sealed it: whoever writes the folder can seal other keys to its members."""
    path = write_start_key(tmp_path)
    start = load_start_identity(path)
    assert start is not None
    browser = await office.browser_of("bruno")
    foreign = seal(OfficeKeys.generate(fresh_bytes).to_bytes(), [*sealed.members, start.recipient()])
    sealed.write(foreign)
    for start_key in (None, str(path)):
        again = await restarts(start_key=start_key)
        other = again.browser()
        other.client.cookies = browser.client.cookies
        assert TOLD in (await other.get("/queue")).text
        assert TOLD in (await again.browser().log_in(office.world["chiara"])).text
        assert not again.app.state.office_safe.is_open
    assert sealed.read() == foreign


async def test_an_office_that_is_open_needs_no_file(office: Office, sealed: SealedFile) -> None:
    await office.browser_of("bruno")
    sealed.remove()
    assert (await (await office.browser_of("chiara")).get("/queue")).status_code == 200


async def test_a_disk_that_is_full_keeps_nobody_from_logging_in(
    office: Office, sealed: SealedFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*arguments: Any) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("oversight.commission.keys.write_secret_file", full)
    before = sealed.read()
    assert (await (await office.browser_of("bruno")).get("/queue")).status_code == 200
    assert sealed.read() == before


async def test_members_log_in_at_once_and_the_file_is_whole(office: Office, sealed: SealedFile, world: World) -> None:
    labels = ("amina", "bruno", "chiara")
    answers: list[httpx.Response] = await asyncio.gather(
        *(office.browser().log_in(office.world[label]) for label in labels)
    )
    assert [answer.status_code for answer in answers] == [303, 303, 303]
    for person in world.people:
        assert open_sealed(sealed.read(), [person.identity]) == office.app.state.office_safe.keys.to_bytes()


async def test_a_file_that_can_not_be_read_is_a_lost_key(office: Office, sealed: SealedFile) -> None:
    sealed.damage("a folder")
    assert (await office.browser().log_in(office.world["bruno"])).status_code == 503


def test_settings_name_the_file_of_the_start_key(settings: Settings) -> None:
    assert settings.start_key_file is None
    assert replace(settings, start_key="/run/start.key").start_key_file == Path("/run/start.key")
