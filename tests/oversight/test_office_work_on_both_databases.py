# SPDX-License-Identifier: AGPL-3.0-or-later
"""The rows of intake and letters on SQLite and on PostgreSQL: collected, listed, read, answered."""

from pathlib import Path

import pytest

from oversight.desk.queue import Filters, read_queue
from oversight.letters.records import ReplyRecord
from oversight.letters.reply_drafts import ReplyDraft, load_draft, save_draft
from oversight.members.records import MemberRecord, SessionRecord
from oversight.members.sessions import OpenSession
from oversight.reports.records import SubmissionRecord
from oversight.settings import Settings
from tests.oversight.office import OFFICE_ORIGIN, Office
from tests.oversight.portal_simulator import PortalSimulator
from tests.oversight.sealed_reports import (
    STORY,
    Wire,
    attachment,
    command,
    mailbox,
    sealed_follow_up,
    sealed_report,
)
from tests.people import PORTAL_ORIGIN, TODAY

pytestmark = pytest.mark.usefixtures("in_database")


@pytest.fixture
def settings(tmp_path: Path, static_folder: Path, database_url: str) -> Settings:
    return Settings(
        data=tmp_path / "office",
        database=database_url,
        origin=OFFICE_ORIGIN,
        static=static_folder,
        portal_url=PORTAL_ORIGIN,
    )


async def test_reports_are_collected_listed_read_and_answered(office: Office) -> None:
    portal = PortalSimulator()
    office.app.state.transport = portal.transport()
    sealed = sealed_report(office.world, attachments=[attachment(b"note" * 5000)])
    portal.add(sealed)
    portal.add(sealed_report(office.world, exclude=["bruno"]))
    portal.add(sealed_report(office.world), grant_age=b"damaged")
    submission = sealed.manifest.submission
    portal.add_follow_up(submission, sealed_follow_up(sealed, office.world))
    portal.add_control(submission, command(delete=1))
    wire = Wire(office, portal.transport())
    await wire.collect()
    await wire.collect()
    assert len(portal.collected) == 2 and len(portal.receipted) == 1
    assert portal.thread(submission).open(mailbox().identity, [office.world.charter]).held_count == 1

    browser = await office.browser_of("bruno")
    queue = (await browser.get("/queue")).text
    assert "1 new message" in queue and "1 item at the portal can’t be collected" in queue and "1 report</p>" in queue
    page = (await browser.get(f"/reports/{submission}")).text
    assert STORY in page and "One thing more." in page
    assert (await browser.get(f"/reports/{submission}/files/1")).content == b"note" * 5000

    session = OpenSession(await MemberRecord.get(label="bruno"), office.world["bruno"].keyring, SessionRecord())
    for state, count in (("opened", 1), ("new", 0), ("answered", 0)):
        assert (await read_queue(session, Filters(state=state))).matching == count
    await save_draft(session, submission, ReplyDraft("ar", "first"))
    await save_draft(session, submission, ReplyDraft("ar", "second"))
    draft = await load_draft(session, submission)
    assert draft is not None and draft.body == "second"
    await browser.post(f"/reports/{submission}/reply/send", draft=draft.token)
    reply = await ReplyRecord.get()
    assert (reply.posted_on, portal.replies) == (TODAY, {reply.id: reply.sealed})
    assert (await read_queue(session, Filters(state="answered"))).matching == 1
    await SubmissionRecord.filter(id=submission).delete()
    assert (await read_queue(session, Filters())).matching == 0
