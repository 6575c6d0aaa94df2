# SPDX-License-Identifier: AGPL-3.0-or-later
"""Telling the reporter: the state and the reasons, in their language, recorded in the case; and what the queue says."""

import errno
import re
from datetime import timedelta

import pytest

from crypto.event_types import Replied
from oversight.cases.entries import read_entries
from oversight.letters.records import ReplyDraftRecord, ReplyRecord
from oversight.workflow.clocks import FEEDBACK, find_clock
from tests.oversight.cases.case_browsing import CaseRoom
from tests.oversight.office import Office
from tests.people import TODAY

pytestmark = pytest.mark.usefixtures("in_database")
REASON = "لدينا أوراق يمكن التحقق منها."


@pytest.fixture
def room(office: Office) -> CaseRoom:
    return CaseRoom(office)


async def send_letter(room: CaseRoom, label: str, case: str, report: str) -> tuple[str, str]:
    """From the case's page to the sent letter, as the pages lead: the letter as it was shown, and where it ended."""
    drafted = await room.post(label, f"/cases/{case}/tell/{report}")
    assert drafted.status_code == 303
    form = (await room.get(label, drafted.headers["location"])).text
    body = re.search(r'name="body"[^>]*>\n(.*?)</textarea>', form, re.DOTALL)
    language = re.search(r'<option value="(\w+)" selected>', form)
    action = re.search(r'action="(/reports/[0-9a-f]+/reply\?purpose=\w+)"', form)
    assert body and language and action
    written = await room.post(label, action[1], body=body[1], language=language[1])
    preview = (await room.get(label, written.headers["location"])).text
    token = re.search(r'name="draft" value="([0-9a-f]{32})"', preview)
    sending = re.search(r'action="(/reports/[0-9a-f]+/reply/send\?purpose=\w+)"', preview)
    assert token and sending
    sent = await room.post(label, sending[1], draft=token[1])
    return body[1], sent.headers["location"]


async def test_the_reporter_is_told_in_their_language_and_the_case_says_so(room: CaseRoom) -> None:
    case = await room.open_case()
    [report] = (await room.state(case)).reports
    await room.do("amina", case, "/transitions/ACKNOWLEDGED", ground="sent")
    assert f'action="/cases/{case}/tell/{report}"' in (await room.get("amina", f"/cases/{case}")).text
    letter, end = await send_letter(room, "amina", case, report)
    assert letter.startswith("وصلتنا رسالتك") and "C-2026" not in letter
    assert end == f"/cases/{case}?done=told"
    page = (await room.get("amina", end)).text
    assert "Amina Haddad sent the reporter of R-0001 the acknowledgement" in page and "The reporter sees this" in page
    assert "has not been told yet" not in page
    [event] = [entry.event.public for entry in await read_entries(case, types=("replied",))]
    reply = await ReplyRecord.get()
    assert isinstance(event, Replied) and (event.message, event.purpose) == (reply.id, "acknowledgement")


async def test_the_letter_about_a_decision_holds_its_reasons_and_stops_the_clock(room: CaseRoom) -> None:
    case = await room.held_case()
    [report] = (await room.state(case)).reports
    await room.decide(case, "ASSIGNED", by="amina")
    await room.decide(case, "INADMISSIBLE", by="bruno", ground="time", reasons=REASON)
    letter, _ = await send_letter(room, "bruno", case, report)
    assert REASON in letter and "حدث منذ زمن بعيد" in letter and "60" in letter
    clock = find_clock((await room.state(case)).clocks, FEEDBACK)
    assert clock is not None and clock.stopped == TODAY


async def test_nobody_is_asked_to_send_an_acknowledgement_that_is_withheld(room: CaseRoom) -> None:
    case = await room.open_case()
    [report] = (await room.state(case)).reports
    await room.do("amina", case, "/transitions/ACKNOWLEDGED", ground="withheld")
    assert "/tell/" not in (await room.get("amina", f"/cases/{case}")).text
    answer = await room.post("amina", f"/cases/{case}/tell/{report}")
    assert answer.headers["location"] == f"/cases/{case}"


async def test_a_letter_about_a_report_of_another_case_is_not_drafted(room: CaseRoom) -> None:
    case = await room.open_case()
    await room.do("amina", case, "/transitions/ACKNOWLEDGED", ground="sent")
    assert (await room.post("amina", f"/cases/{case}/tell/{await room.receive()}")).status_code == 404


async def test_any_letter_to_a_reporter_of_a_case_is_an_event_of_it(room: CaseRoom) -> None:
    case = await room.open_case()
    [report] = (await room.state(case)).reports
    await room.post("amina", f"/reports/{report}/reply", body="A question.", language="en")
    preview = (await room.get("amina", f"/reports/{report}/reply/preview")).text
    token = re.search(r'name="draft" value="([0-9a-f]{32})"', preview)
    assert token
    sent = await room.post("amina", f"/reports/{report}/reply/send", draft=token[1])
    assert sent.headers["location"].startswith(f"/reports/{report}?sent=")
    assert "Amina Haddad wrote to the reporter of R-0001" in (await room.get("amina", f"/cases/{case}")).text


async def test_the_queue_says_what_is_due_in_days_and_overdue_as_a_word(room: CaseRoom) -> None:
    await room.receive(TODAY - timedelta(days=8))
    late = await room.receive(TODAY - timedelta(days=20))
    await room.receive(TODAY - timedelta(days=5))
    case = await room.open_case(late)
    await room.do("amina", case, "/transitions/ACKNOWLEDGED", ground="sent")
    queue = (await room.get("amina", "/queue")).text
    rows = {match[1]: match[2] for match in re.finditer(r"<bdi>(R-\d{4})</bdi></a>(.*?)</tr>", queue, re.DOTALL)}
    assert "Overdue" in rows["R-0001"] and "Acknowledge" in rows["R-0001"]
    assert "Feedback to the reporter" in rows["R-0002"] and "C-2026-0001" in rows["R-0002"]
    assert "2 days left" in rows["R-0003"] and "Overdue" not in rows["R-0003"]


async def test_the_list_of_cases_has_overdue_ones_and_filters_them(room: CaseRoom) -> None:
    await room.open_case(await room.receive(TODAY - timedelta(days=30)))
    await room.open_case()
    listed = (await room.get("amina", "/cases")).text
    assert "C-2026-0001" in listed and "C-2026-0002" in listed and '<strong class="overdue">Overdue</strong>' in listed
    overdue = (await room.get("amina", "/cases?overdue=yes")).text
    assert "C-2026-0001" in overdue and "C-2026-0002" not in overdue
    assert "No case matches these filters" in (await room.get("amina", "/cases?state=CLOSED")).text
    assert (await room.get("amina", "/cases?state=nonsense&after=2026-99-99.1")).status_code == 200


async def test_members_see_only_the_cases_that_they_hold_and_what_waits_for_them_first(room: CaseRoom) -> None:
    await room.open_case()
    case = await room.held_case()
    await room.propose("amina", case, "ASSIGNED")
    chair = (await room.get("chiara", "/cases")).text
    assert "Waiting for your approval" in chair and "C-2026-0002" in chair and "C-2026-0001" not in chair
    assert "Waiting for your approval" not in (await room.get("bruno", "/cases")).text
    assert "C-2026" not in (await room.get("daud", "/cases")).text


async def test_a_letter_that_the_case_could_not_take_is_not_stored_and_its_draft_stays(
    room: CaseRoom, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "no space left")

    case = await room.open_case()
    [report] = (await room.state(case)).reports
    await room.do("amina", case, "/transitions/ACKNOWLEDGED", ground="sent")
    with monkeypatch.context() as patch:
        patch.setattr("oversight.letters.case_events.commands.record_reply", full)
        with pytest.raises(KeyError, match="location"):
            await send_letter(room, "amina", case, report)
        assert await ReplyRecord.all().count() == 0 and await ReplyDraftRecord.all().count() == 1
    _, end = await send_letter(room, "amina", case, report)
    assert end == f"/cases/{case}?done=told" and await ReplyDraftRecord.all().count() == 0
