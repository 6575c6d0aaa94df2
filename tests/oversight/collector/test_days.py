# SPDX-License-Identifier: AGPL-3.0-or-later
"""Days that a portal names and no column keeps: each is the fault of its own entry, and of no other."""

import json
from datetime import date
from typing import Any

import httpx
import pytest

from oversight.letters.records import FollowUpRecord, ThreadNoteRecord
from oversight.reports.records import CollectorStateRecord, StuckArrivalRecord, SubmissionRecord
from portal.kit.columns import UnreadableError
from tests.oversight.office import Office
from tests.oversight.portal_simulator import PortalSimulator, acknowledge, answer
from tests.oversight.sealed_reports import Wire, sealed_report, under_new_id
from tests.people import TODAY

pytestmark = pytest.mark.usefixtures("in_database")

DAYS = {date(year, 12, 31): 1900 <= year <= 9000 for year in (1, 1899, 1900, 9000, 9001, 9999)}


def days_instead(portal: PortalSimulator, *days: date) -> None:
    """The follow-ups' days are these, one after the other."""

    def lie(request: httpx.Request) -> httpx.Response | None:
        if not request.url.path.endswith("/office/follow-ups"):
            return None
        entries = json.loads(portal._serve(request).read())["follow_ups"]
        named = [{**entry, "day": days[entry["sequence"] - 1].isoformat()} for entry in entries]
        return answer(200, {"follow_ups": named, "more": False})

    portal.faults.append(lie)


def with_follow_ups(portal: PortalSimulator, office: Office, *sealed: bytes) -> list[str]:
    """Reports that wait, each with a follow-up."""
    reports = [under_new_id(sealed_report(office.world)) for _ in sealed]
    for report, message in zip(reports, sealed, strict=True):
        portal.add(report)
        portal.add_follow_up(report.manifest.submission, message)
    return [report.manifest.submission for report in reports]


@pytest.mark.parametrize(("day", "is_kept"), DAYS.items())
async def test_a_follow_up_of_a_day_that_nobody_keeps_is_counted_and_stops_no_other(
    wire: Wire, portal: PortalSimulator, office: Office, day: date, is_kept: bool
) -> None:
    with_follow_ups(portal, office, b"of that day", b"true")
    days_instead(portal, day, TODAY)
    await wire.collect()
    stored = {bytes(row.sealed): row.day for row in await FollowUpRecord.filter(confirmed=True)}
    assert stored == {b"true": TODAY, **({b"of that day": day} if is_kept else {})}
    assert (await CollectorStateRecord.get()).problem is None
    page = (await (await office.browser_of("bruno")).get("/queue")).text
    assert ("1 entry that can’t be read or is too large" in page) == (not is_kept)


@pytest.mark.parametrize(("day", "is_kept"), DAYS.items())
async def test_a_report_received_on_a_day_that_nobody_keeps_is_the_portals_fault_or_of_today(
    wire: Wire, portal: PortalSimulator, office: Office, day: date, is_kept: bool
) -> None:
    sealed = sealed_report(office.world)
    portal.add(sealed, acknowledge(sealed, received=day))
    portal.add(under_new_id(sealed), acknowledge(under_new_id(sealed)))
    await wire.collect()
    page = (await (await office.browser_of("bruno")).get("/queue")).text
    if day.year < 1900:
        assert await SubmissionRecord.filter(id=sealed.manifest.submission).count() == 0
        assert "the portal says that it came before the year 1900" in page
    else:
        assert (await SubmissionRecord.get(id=sealed.manifest.submission)).received == min(day, TODAY)
        assert "the year 1900" not in page
    assert "a fault of this office’s program" not in page


async def test_a_message_that_can_not_be_stored_keeps_no_other_from_it(
    wire: Wire, portal: PortalSimulator, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whatever the reason is: the row of a message is refused when it is written."""
    [refused, _, _] = with_follow_ups(portal, office, b"refused", b"first", b"second")
    true = ThreadNoteRecord.filter

    async def mark_stale(submissions: Any) -> None:
        if refused in (named := set(submissions)):
            raise UnreadableError
        await true(submission__in=list(named)).update(stale=True)

    monkeypatch.setattr("oversight.letters.follow_up_arrival.mark_stale", mark_stale)
    await wire.collect()
    assert {bytes(row.sealed) for row in await FollowUpRecord.filter(confirmed=True)} == {b"first", b"second"}
    assert (await StuckArrivalRecord.get()).problem == "unkept"
    page = (await (await office.browser_of("bruno")).get("/queue")).text
    assert "1 message that this office fails to store" in page
    monkeypatch.undo()
    await wire.collect()
    assert await FollowUpRecord.filter(confirmed=True).count() == 3
    assert await StuckArrivalRecord.all().count() == 0


async def test_messages_are_not_blamed_for_a_disk_that_takes_none(
    wire: Wire, portal: PortalSimulator, office: Office, monkeypatch: pytest.MonkeyPatch
) -> None:
    with_follow_ups(portal, office, b"first", b"second")
    tried = 0

    async def full(submissions: Any) -> None:
        nonlocal tried
        tried += 1
        raise OSError(28, "no space left")

    monkeypatch.setattr("oversight.letters.follow_up_arrival.mark_stale", full)
    with pytest.raises(OSError, match="no space"):
        await wire.collect()
    assert tried == 1, "no other message would do better"
    assert (await CollectorStateRecord.get()).problem == "no-room"
    assert await StuckArrivalRecord.all().count() == 0
