# SPDX-License-Identifier: AGPL-3.0-or-later
"""What stays of members on the disk: every byte of the data folder is searched, and of PostgreSQL's."""

import base64
import re
import sqlite3
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from crypto.keyring import MINIMUM
from oversight.app import create_app
from oversight.findings.finding_drafts import Written, discard_written, save_written
from oversight.findings.records import FindingDraftRecord
from oversight.members.records import MemberRecord, SessionRecord
from oversight.members.sessions import OpenSession, end_sessions_while_serving
from oversight.settings import Settings
from portal.kit.database import transaction
from tests.chance import fresh_id
from tests.memory import Secrets, forms, found, in_files
from tests.oversight.case_desk import store
from tests.oversight.office import OFFICE_ORIGIN, Browser, Clock, Office
from tests.oversight.portals import Portal
from tests.oversight.sealed_reports import STORY, sealed_report
from tests.people import TODAY, Person, World, settle_office
from tests.postgres import Postgres

MEMBER = "amina"
NEW_PASSPHRASE = "blanket quarry tinsel marmot oxide fennel"
KEYRING_HEAD_BYTES = 30
NOTE = "a note about the rare-quokka-word"
DRAFT = "a letter about the rare-wombat-word"


async def receive(office: Office) -> str:
    sealed = sealed_report(office.world)
    with office.database.use():
        await store(sealed, TODAY)
    return sealed.manifest.submission


async def work(office: Office, browser: Browser) -> str:
    """Read a report, open a case, write a note into it, and begin a letter to the reporter; the report."""
    report = await receive(office)
    assert "rare-canary-word" in (await browser.get(f"/reports/{report}")).text
    opened = await browser.post(f"/reports/{report}/case", policy="eu-2019-1937", no_conflict="yes")
    notes = opened.headers["location"].partition("?")[0] + "/notes"
    head = re.search(r'name="head" value="([0-9a-f]{64})"', (await browser.get(notes)).text)
    assert head is not None
    assert (await browser.post(notes, head=head[1], note=NOTE)).status_code == 303
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
        "note": forms(NOTE),
        "draft": forms(DRAFT),
    }


async def sealed_rows(office: Office) -> Secrets:
    """Rows that are to go: those of the session, and the keyring under the present passphrase."""
    with office.database.use():
        session, member = await SessionRecord.all().get(), await MemberRecord.get(label=MEMBER)
    return {"session": forms(bytes(session.keyring)), "keyring": forms(bytes(member.keyring)[KEYRING_HEAD_BYTES:])}


async def test_nothing_of_a_member_is_in_the_files_in_the_clear(office: Office) -> None:
    browser = await office.browser_of(MEMBER)
    await work(office, browser)
    secrets = clear(office.world[MEMBER], browser)
    assert found(in_files(office.settings.data, secrets)) == {}
    (office.settings.data / "planted").write_text(f"… {DRAFT} …", encoding="utf-16-le")
    assert found(in_files(office.settings.data, secrets)) == {"draft": 2}


@pytest.mark.parametrize("how", ["locked", "idle", "idle, and nobody comes", "over", "elsewhere"])
async def test_of_a_session_that_ends_nothing_stays_in_the_files(office: Office, how: str) -> None:
    browser = await office.browser_of(MEMBER)
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
            other = await office.browser_of(MEMBER)
            form = {"present": office.world[MEMBER].passphrase, "new": NEW_PASSPHRASE, "again": NEW_PASSPHRASE}
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


async def test_a_database_that_fails_does_not_end_the_ending_of_sessions(
    office: Office, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*conditions: object) -> None:
        raise OSError("the disk is full of secrets")

    monkeypatch.setattr(SessionRecord, "filter", fail)
    with pytest.raises(StopAsyncIteration):
        await serve_a_moment(office)
    assert caplog.messages == ["sessions could not be ended: OSError"]


async def test_of_a_passphrase_that_was_changed_nothing_stays_in_the_files(office: Office) -> None:
    browser = await office.browser_of(MEMBER)
    rows = await sealed_rows(office)
    assert "keyring" in found(in_files(office.settings.data, rows))
    form = {"present": office.world[MEMBER].passphrase, "new": NEW_PASSPHRASE, "again": NEW_PASSPHRASE}
    assert (await browser.post("/account/passphrase", **form)).status_code == 303
    assert "keyring" not in found(in_files(office.settings.data, rows))


@pytest.mark.parametrize("how", ["dropped", "sent"])
async def test_a_draft_that_is_gone_is_in_no_file_any_more(office: Office, portal: Portal, how: str) -> None:
    office.talk_to(portal)
    browser = await office.browser_of(MEMBER)
    letter = f"/reports/{await work(office, browser)}/reply"
    rows = draft_rows(office.settings.data)
    assert found(in_files(office.settings.data, rows)) != {}
    if how == "dropped":
        assert (await browser.post(f"{letter}/discard")).status_code == 303
    else:
        token = re.search(r'name="draft" value="([0-9a-f]{32})"', (await browser.get(f"{letter}/preview")).text)
        assert token is not None
        answer = await browser.post(f"{letter}/send", draft=token[1])
        assert "sent=" in answer.headers["location"]
    assert found(in_files(office.settings.data, rows)) == {}


async def test_a_finding_that_is_dropped_is_in_no_file_any_more(office: Office) -> None:
    person, case, folder = office.world[MEMBER], fresh_id(), office.settings.data
    session = OpenSession(MemberRecord(label=MEMBER), person.keyring, SessionRecord())
    with office.database.use():
        await save_written(session, case, Written(1, title="A finding"))
        row = await FindingDraftRecord.all().get()
        rows = {"finding": forms(bytes(row.sealed))}
        assert found(in_files(folder, rows)) != {}
        await discard_written(session, case)
    assert found(in_files(folder, rows)) == {}


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
    browser = await office.browser_of(MEMBER)
    await work(office, browser)
    secrets = clear(office.world[MEMBER], browser)
    rows = await sealed_rows(office)
    await browser.post("/lock")
    with office.database.use():
        async with transaction() as client:
            await client.execute_script("CHECKPOINT")
    assert found(in_files(postgres.data, secrets)) == found(in_files(office.settings.data, secrets)) == {}
    assert "keyring" in found(in_files(postgres.data, rows)), "the search sees what is there"
