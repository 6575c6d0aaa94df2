# SPDX-License-Identifier: AGPL-3.0-or-later
"""One value of one row is garbage, whichever it is: no page fails, and what has nothing to do with it goes on."""

import asyncio
import sqlite3
from contextlib import ExitStack, closing, suppress
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from random import Random

import httpx
import pytest
from tortoise.models import Model

from crypto.ids import CaseId, FindingId, TextHash
from oversight.__main__ import main
from oversight.cases.records import CaseRecord
from oversight.findings.records import FindingDraftRecord, PublicationRecord
from oversight.founding.store import start_over
from oversight.ledger.records import EventRecord
from oversight.letters.records import ControlRecord, FollowUpRecord, ReplyDraftRecord, ReplyRecord, ThreadNoteRecord
from oversight.members.records import FailedLoginRecord
from oversight.reports.records import (
    BeyondHelpRecord,
    MailboxStateRecord,
    StuckArrivalRecord,
    SubmissionRecord,
    ThreadGrantRecord,
    ThreadRenewalRecord,
)
from oversight.wire.portal_errors import PortalError
from tests.damaged_values import NUMBERS, TEXTS, Value, damage, values_of
from tests.fuzz.asgi import Call, put
from tests.fuzz.office_surface import MEMBERS, OfficeSurface, surface_of
from tests.oversight.case_desk import Desk
from tests.oversight.office import Office, no_portal
from tests.oversight.portal_simulator import PortalSimulator
from tests.oversight.sealed_reports import (
    Wire,
    command,
    sealed_follow_up,
    sealed_report,
    under_new_id,
    waiting_letter,
)
from tests.people import TODAY

# Without its charter an office knows neither members nor keys: it says so, and collects nothing.
NEEDED = {"charter.note"}
VALUES_TRIED = 25
LISTS = ("/queue", "/cases", "/members")
# As after a bad sector.
AT_ONCE = 15
# Empty in an office that is founded.
UNUSED = ("founding",)


@dataclass
class Damaged:
    """An office with rows in every table, whose database is damaged and mended again behind its back."""

    office: Office
    portal: PortalSimulator
    surface: OfficeSurface
    file: Path
    wire: Wire
    letters: int = 0

    @property
    def pages(self) -> dict[str, Call]:
        """One address of each route that reads."""
        gets = [call for call in self.surface.ways.values() if call.method == b"GET"]
        return {self.surface.route_of(call): call for call in reversed(gets)}

    async def failing_pages(self, label: str, value: Value) -> list[str]:
        """The pages that fail for a member who opens each, and the lists that are not there.

        Without their own row a member sees no list, and without its charter an office has none: that is said.
        """
        found = []
        needed = value.name in NEEDED
        for route, call in self.pages.items():
            try:
                answer = await put(self.office.app, self.surface.as_sent_by(label, call))
            except Exception as error:
                found.append(f"{route}: {type(error).__name__}")
                continue
            is_lost = route in LISTS and answer.status not in (200, 303) and not needed and value.table != "member"
            if is_lost or (answer.status >= 500 and not (needed and answer.status == 503)):
                found.append(f"{route}: {answer.status}")
        return found

    async def exchange(self) -> dict[str, bool]:
        """A new report comes in, and then a message and a command of its reporter; a letter and a note go out."""
        fresh = under_new_id(self.portal.submissions[0].sealed)
        submission = fresh.manifest.submission
        self.portal.add(fresh)
        # What fails of the damaged row is said by the visit, after all others had their turn.
        with suppress(Exception):
            await self.wire.collect()
        self.letters += 1
        try:
            self.portal.add_follow_up(submission, b"follow-up %d" % self.letters)
            self.portal.add_control(submission, command(delete=1))
            sealed = submission.encode()
            letter = await waiting_letter(self.office.world, submission, 1000 + self.letters, sealed=sealed)
        except Exception as error:
            return {repr(error): False}
        with suppress(Exception):
            await self.wire.collect()
        return {
            "report": await SubmissionRecord.filter(id=submission, confirmed=True).exists(),
            "message": await FollowUpRecord.filter(submission=submission, confirmed=True).exists(),
            "command": await ControlRecord.filter(submission=submission).exists(),
            "letter": await ReplyRecord.filter(id=letter.id).exclude(posted_on=None).exists(),
            "note": await ThreadNoteRecord.filter(submission=submission, stale=False).exists(),
        }


async def fill(office: Office, wire: Wire, portal: PortalSimulator) -> None:
    """Rows of every kind, as far as no other helper makes them."""
    sealed = sealed_report(office.world)
    others = [under_new_id(sealed) for _ in range(3)]
    for each in (sealed, *others):
        portal.add(each)
    await wire.collect()
    submission, other = sealed.manifest.submission, others[2].manifest.submission
    portal.add_follow_up(submission, sealed_follow_up(sealed, office.world))
    portal.add_control(submission, command(delete=1))
    await waiting_letter(office.world, submission)
    await wire.collect()
    now, charter, failing = office.clock.now, office.world.charter.hash, {"problem": "slow", "failing_since": TODAY}
    later = {**failing, "attempts": 2, "try_again": now + timedelta(hours=2)}
    rows: list[Model] = [
        StuckArrivalRecord(kind="submission", item="1" * 32, **later),
        StuckArrivalRecord(kind="follow-up", item="*unreadable", count=3, **failing),
        FailedLoginRecord(username_hash="2" * 64, failures=2, retry_at=now),
        ThreadGrantRecord(submission=other, generation=1, charter=charter, day=TODAY, shut_out=[], sealed=b"x"),
        ThreadRenewalRecord(submission=other, generation=1, day=TODAY, announced=True, sealed=b"x" * 4096),
        BeyondHelpRecord(kind="text", item="4" * 32, submission=submission, day=TODAY),
        *(ReplyDraftRecord(member=label, submission=submission, sealed=b"x") for label in MEMBERS),
    ]
    for row in rows:
        await row.save()


async def fill_cases(office: Office) -> None:
    case = (await CaseRecord.all().order_by("-serial"))[0].id
    for label in MEMBERS:
        await FindingDraftRecord.create(member=label, case=case, sealed=b"x")
    await PublicationRecord.create(
        hash=TextHash("3" * 64), number=1, case=CaseId(case), finding=FindingId("x"), note=b"x", refused="malformed"
    )


@pytest.fixture
async def damaged(office: Office, in_database: None) -> Damaged:
    portal = PortalSimulator()
    office.app.state.transport = httpx.MockTransport(no_portal)
    wire = Wire(office, portal.transport())
    await fill(office, wire, portal)
    surface = await surface_of(office)
    await fill_cases(office)
    file = Path(office.settings.database_url.removeprefix("sqlite://"))
    return Damaged(office, portal, surface, file, wire)


@pytest.mark.parametrize("part", range(2))
async def test_garbage_in_any_column_fails_no_page_and_stops_nothing_else(
    damaged: Damaged, rng: Random, part: int
) -> None:
    values = list(values_of(damaged.file, rng, but=UNUSED))
    found = []
    for value in rng.sample(values, VALUES_TRIED):
        with damage(damaged.file, value):
            failing = await damaged.failing_pages(rng.choice(MEMBERS), value)
            went = {} if value.name in NEEDED else await damaged.exchange()
        stopped = [what for what, has_gone in went.items() if not has_gone]
        found += [f"{value}: {each}" for each in failing + stopped]
    assert not found, "\n".join(found)


async def test_an_id_that_no_other_row_can_have_stops_nothing(damaged: Damaged, rng: Random) -> None:
    [value] = [
        each
        for each in values_of(damaged.file, rng, but=UNUSED)
        if each.name == "submission.id" and "09999d" in str(each)
    ]
    with damage(damaged.file, value):
        went = await damaged.exchange()
        fresh = damaged.portal.submissions[-1].sealed.manifest.submission
        went["state"] = await MailboxStateRecord.filter(submission=fresh).exists()
    assert all(went.values()), went


async def test_the_lists_stand_when_many_values_are_garbage(damaged: Damaged, rng: Random) -> None:
    values = [
        value
        for value in values_of(damaged.file, rng, but=UNUSED)
        if value.name not in NEEDED and value.table not in {"member", "session"}
    ]
    for _ in range(10):
        chosen = rng.sample(values, AT_ONCE)
        with ExitStack() as all_of_them:
            for value in chosen:
                all_of_them.enter_context(damage(damaged.file, value))
            for path in LISTS:
                call = damaged.surface.as_sent_by(rng.choice(MEMBERS), Call(b"GET", path.encode()))
                assert (await put(damaged.office.app, call)).status == 200, [path, *map(str, chosen)]


@pytest.mark.parametrize("column", ["number", "received", "collected", "answered_on", "generation", "commitment"])
async def test_a_report_whose_row_is_damaged_keeps_its_place_in_the_queue_and_all_others_are_shown(
    damaged: Damaged, rng: Random, column: str
) -> None:
    """It opens, or a page says that it can't."""
    value = next(each for each in values_of(damaged.file, rng, but=UNUSED) if each.name == f"submission.{column}")
    look = damaged.surface.as_sent_by("amina", Call(b"GET", b"/queue"))
    ids = await SubmissionRecord.all().values_list("id", flat=True)
    with damage(damaged.file, value):
        page = await put(damaged.office.app, look)
        assert page.status == 200
        assert [each for each in ids if f"/reports/{each}".encode() not in page.body] == []
        for each in ids:
            call = damaged.surface.as_sent_by("amina", Call(b"GET", f"/reports/{each}".encode()))
            answer = await put(damaged.office.app, call)
            assert answer.status in (200, 409)


async def test_commands_over_ledgers_say_what_is_damaged_and_lose_no_case(
    damaged: Damaged, rng: Random, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("OVERSIGHT_DATA", str(damaged.file.parent))
    cases = sorted([row.number for row in await CaseRecord.all()])
    tables = ("event", "case_file", "case_report", "case_holder", "charter")
    for value in values_of(damaged.file, rng, but=UNUSED):
        if value.table not in tables:
            continue
        with damage(damaged.file, value):
            for at, case in enumerate(cases):
                file = tmp_path / f"{value.name}-{at}"
                status = await asyncio.to_thread(main, ["export-ledger", case, str(file)])
                assert len(capsys.readouterr()[status].splitlines()) == 1, value
            rebuilt = await asyncio.to_thread(main, ["rebuild-cases"])
            assert len(capsys.readouterr()[rebuilt].splitlines()) == 1, value
            there = await CaseRecord.all()
            assert len(there) == len(cases), value
            if rebuilt == 0:
                assert sorted(row.number for row in there) == cases, value


@pytest.mark.parametrize("column", ["serial", "number", "opened", "sequence"])
async def test_the_next_case_is_opened_whatever_of_the_last_one_is_damaged(damaged: Damaged, column: str) -> None:
    newest = (await CaseRecord.all().order_by("-serial"))[0]
    with closing(sqlite3.connect(damaged.file)) as connection:
        ((row,),) = connection.execute("SELECT rowid FROM case_file WHERE number = ?", (newest.number,))
    garbage = TEXTS[0] if column == "number" else NUMBERS[0]
    with damage(damaged.file, Value("case_file", column, row, garbage)):
        desk = Desk(damaged.office.world, damaged.office.clock.now)
        opened = await desk.open_case()
    assert opened.number > newest.number or column == "number"


async def test_no_case_is_made_anew_without_an_event_whose_case_or_place_is_damaged(
    damaged: Damaged, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """The last one too: a ledger that lacks its end holds."""
    monkeypatch.setenv("OVERSIGHT_DATA", str(damaged.file.parent))
    events = await EventRecord.all().order_by("case", "sequence").values_list("id", flat=True)
    before = await CaseRecord.all().order_by("id").values_list("id", "sequence")
    for row in (*events[:2], *events[-2:]):
        for column, garbage in (("case", TEXTS[0]), ("sequence", NUMBERS[0])):
            with damage(damaged.file, Value("event", column, int(row), garbage)):
                rebuilt = await asyncio.to_thread(main, ["rebuild-cases"])
                assert "does not hold" in capsys.readouterr().err or (column, rebuilt) == ("sequence", 0)
                assert await CaseRecord.all().order_by("id").values_list("id", "sequence") == before


async def test_a_command_to_a_mailbox_whose_earlier_one_is_damaged_is_counted_and_holds_up_no_other(
    damaged: Damaged,
) -> None:
    ids = [each.sealed.manifest.submission for each in damaged.portal.submissions]
    with closing(sqlite3.connect(damaged.file)) as connection:
        ((row,),) = connection.execute("SELECT rowid FROM control WHERE submission = ?", (ids[0],))
    with damage(damaged.file, Value("control", "delete_to", row, NUMBERS[0])):
        damaged.portal.add_control(ids[0], command(delete=2))
        damaged.portal.add_control(ids[1], command(delete=1))
        with suppress(PortalError):
            await damaged.wire.collect()
        assert await ControlRecord.filter(submission=ids[1]).exists()
        page = await put(damaged.office.app, damaged.surface.as_sent_by("amina", Call(b"GET", b"/queue")))
        assert b"1 command of a mailbox of which damaged data is stored here" in page.body


async def test_the_queue_does_not_say_when_everything_was_collected_if_nobody_can_read_it(damaged: Damaged) -> None:
    with damage(damaged.file, Value("collector_state", "last_success", 1, NUMBERS[0])):
        page = await put(damaged.office.app, damaged.surface.as_sent_by("amina", Call(b"GET", b"/queue")))
    assert page.status == 200
    assert b"is not known: what is stored of it is damaged" in page.body


@pytest.mark.parametrize("garbage", ["'garbage'", "2", "X'ff'"])
async def test_what_may_not_have_been_confirmed_is_confirmed_once_more(damaged: Damaged, garbage: str) -> None:
    submission = damaged.portal.submissions[0].sealed.manifest.submission
    (message,) = await FollowUpRecord.all().values_list("id", flat=True)
    for table, key in (("submission", submission), ("follow_up", message)):
        with closing(sqlite3.connect(damaged.file)) as connection:
            ((row,),) = connection.execute(f"SELECT rowid FROM {table} WHERE id = ?", (key,))
        with damage(damaged.file, Value(table, "confirmed", row, garbage)):
            await damaged.wire.collect()
            with closing(sqlite3.connect(damaged.file)) as connection:
                ((confirmed,),) = connection.execute(f"SELECT confirmed FROM {table} WHERE id = ?", (key,))
            assert confirmed == 1


@pytest.mark.parametrize("garbage", ["9223372036854775807", "1e300", "X'ff'", "'x'"])
async def test_what_came_today_is_summed_whatever_size_is_damaged(damaged: Damaged, garbage: str) -> None:
    with damage(damaged.file, Value("sealed_file", "size", 1, garbage)):
        assert (await damaged.exchange())["report"]


@pytest.mark.parametrize("garbage", [*NUMBERS])
async def test_a_commission_stays_founded_though_nothing_says_that_the_portal_took_its_charter(
    damaged: Damaged, garbage: str
) -> None:
    with damage(damaged.file, Value("charter", "published", 1, garbage)):
        page = await put(damaged.office.app, damaged.surface.as_sent_by("amina", Call(b"GET", b"/queue")))
        assert page.status == 200
        assert not await start_over(damaged.office.app.state.office_safe)


@pytest.mark.parametrize("garbage", ["'9999-12-31'", "'0001-01-01'", "''"])
async def test_no_list_reckons_with_a_day_at_an_end_of_the_calendar(damaged: Damaged, garbage: str) -> None:
    columns = {"submission": ("received", "collected", "answered_on"), "case_file": ("opened", "next_due")}
    for table, names in columns.items():
        for name in names:
            with damage(damaged.file, Value(table, name, 1, garbage)):
                for path in LISTS:
                    call = damaged.surface.as_sent_by("amina", Call(b"GET", path.encode()))
                    assert (await put(damaged.office.app, call)).status == 200, (path, name)
