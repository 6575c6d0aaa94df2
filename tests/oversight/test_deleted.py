# SPDX-License-Identifier: AGPL-3.0-or-later
"""What stays of members on the disk: every byte of the data folder is searched, and of PostgreSQL's."""

import base64
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crypto.keyring import MINIMUM
from oversight.app import create_app
from oversight.members.records import MemberRecord, SessionRecord
from oversight.members.sessions import end_sessions_while_serving
from oversight.settings import Settings
from portal.kit.database import transaction
from tests.memory import Secrets, forms, found, in_files
from tests.oversight.case_desk import store
from tests.oversight.office import OFFICE_ORIGIN, Browser, Clock, Office
from tests.oversight.sealed_reports import STORY, sealed_report
from tests.people import TODAY, Person, World, settle_office
from tests.postgres import Postgres

NEW_PASSPHRASE = "blanket quarry tinsel marmot oxide fennel"
KEYRING_HEAD_BYTES = 30
DRAFT = "a letter about the rare-wombat-word"


async def receive(office: Office) -> str:
    sealed = sealed_report(office.world)
    with office.database.use():
        await store(sealed, TODAY)
    return sealed.manifest.submission


async def work(office: Office, browser: Browser) -> str:
    """Read a report, and begin a letter to its reporter; the report."""
    report = await receive(office)
    assert "rare-canary-word" in (await browser.get(f"/reports/{report}")).text
    assert (await browser.post(f"/reports/{report}/reply", language="en", body=DRAFT)).status_code == 303
    return report


def clear(person: Person, browser: Browser) -> Secrets:
    """What may be nowhere in the clear."""
    keyring, cookie = person.keyring, browser.client.cookies["session"]
    return {
        "keyring": forms(keyring.identity_seed, keyring.signing_seed, keyring.index_key),
        "passphrases": forms(person.passphrase, NEW_PASSPHRASE),
        "second factor": forms(person.totp_secret, base64.b32decode(person.totp_secret)),
        "session": forms(cookie, base64.urlsafe_b64decode(cookie)),
        "report": forms(STORY.split()[-1]),
        "draft": forms(DRAFT),
    }


async def sealed_rows(office: Office) -> Secrets:
    """Rows that are to go: those of the session, and the keyring under the present passphrase."""
    with office.database.use():
        session, member = await SessionRecord.all().get(), await MemberRecord.get(label="bruno")
    return {"session": forms(bytes(session.keyring)), "keyring": forms(bytes(member.keyring)[KEYRING_HEAD_BYTES:])}


async def test_nothing_of_a_member_is_in_the_files_in_the_clear(office: Office) -> None:
    browser = await office.browser_of("bruno")
    await work(office, browser)
    secrets = clear(office.world["bruno"], browser)
    assert found(in_files(office.settings.data, secrets)) == {}
    (office.settings.data / "planted").write_text(f"… {DRAFT} …", encoding="utf-16-le")
    assert found(in_files(office.settings.data, secrets)) == {"draft": 2}


@pytest.mark.parametrize("how", ["locked", "idle", "idle, and nobody comes", "over", "elsewhere"])
async def test_of_a_session_that_ends_nothing_stays_in_the_files(office: Office, how: str) -> None:
    browser = await office.browser_of("bruno")
    rows = await sealed_rows(office)
    assert "session" in found(in_files(office.settings.data, rows))
    match how:
        case "locked":
            await browser.post("/lock")
        case "idle, and nobody comes":
            office.clock.forward(minutes=15)
            with pytest.raises(StopAsyncIteration):
                await serve_a_moment(office)
        case "elsewhere":
            other = await office.browser_of("bruno")
            form = {"present": office.world["bruno"].passphrase, "new": NEW_PASSPHRASE, "again": NEW_PASSPHRASE}
            assert (await other.post("/account/passphrase", **form)).status_code == 303
        case _:
            office.clock.forward(minutes=15 if how == "idle" else 12 * 60)
            assert (await browser.get("/queue")).headers["location"] == "/login?next=/queue"
    assert "session" not in found(in_files(office.settings.data, rows))


async def serve_a_moment(office: Office) -> None:
    """What goes on beside the pages, once; then it is interrupted."""

    async def interrupt(seconds: float) -> None:
        raise StopAsyncIteration

    with office.database.use():
        await end_sessions_while_serving(office.settings, office.clock, interrupt)


async def test_of_a_passphrase_that_was_changed_nothing_stays_in_the_files(office: Office) -> None:
    browser = await office.browser_of("bruno")
    rows = await sealed_rows(office)
    assert "keyring" in found(in_files(office.settings.data, rows))
    form = {"present": office.world["bruno"].passphrase, "new": NEW_PASSPHRASE, "again": NEW_PASSPHRASE}
    assert (await browser.post("/account/passphrase", **form)).status_code == 303
    assert "keyring" not in found(in_files(office.settings.data, rows))


async def test_a_draft_that_is_dropped_is_in_no_file_any_more(office: Office) -> None:
    browser = await office.browser_of("bruno")
    report = await work(office, browser)
    rows = draft_rows(office.settings.data)
    assert found(in_files(office.settings.data, rows)) != {}
    assert (await browser.post(f"/reports/{report}/reply/discard")).status_code == 303
    assert found(in_files(office.settings.data, rows)) == {}


def draft_rows(folder: Path) -> Secrets:
    """Every page of a long row, by its first and its last bytes."""
    with sqlite3.connect(folder / "office.sqlite3") as database:
        [(sealed,)] = database.execute("SELECT sealed FROM reply_draft").fetchall()
    database.close()
    return {"draft": forms(*(sealed[at : at + 512] for at in range(0, len(sealed), 512)))}


@pytest.fixture
async def office_on_postgresql(
    postgres: Postgres, tmp_path: Path, static_folder: Path, clock: Clock, world: World
) -> AsyncIterator[Office]:
    with postgres.database() as url:
        settings = Settings(data=tmp_path / "office", origin=OFFICE_ORIGIN, static=static_folder, database=url)
        app = create_app(settings, clock, parameters=MINIMUM)
        async with app.router.lifespan_context(app):
            office = Office(app, settings, clock, app.state.database, world)
            with office.database.use():
                await settle_office(world, settings.secrets)
            yield office
            for client in office.browsers:
                await client.aclose()


async def test_nothing_of_a_member_is_in_the_files_of_postgresql(
    office_on_postgresql: Office, postgres: Postgres
) -> None:
    """Neither in the clear, nor under a key that still exists: the row of a session that ended stays for a while."""
    office = office_on_postgresql
    browser = await office.browser_of("bruno")
    await work(office, browser)
    secrets = clear(office.world["bruno"], browser)
    rows = await sealed_rows(office)
    await browser.post("/lock")
    with office.database.use():
        async with transaction() as client:
            await client.execute_script("CHECKPOINT")
    assert found(in_files(postgres.data, secrets)) == found(in_files(office.settings.data, secrets)) == {}
    assert "keyring" in found(in_files(postgres.data, rows)), "the search sees what is there"
