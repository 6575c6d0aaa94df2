# SPDX-License-Identifier: AGPL-3.0-or-later
"""Every value that the formats allow is shown: reports, follow-ups, charters, findings, and what members type.

Values are made by hypothesis, in one go for one office, since an office takes longer to open than a page.
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import date
from random import Random
from typing import Any, TypeVar

import httpx
import hypothesis
import pytest
from hypothesis import strategies as st

from crypto.answers import Moment, PartialDate
from crypto.charter import LANGUAGE, make_charter, read_charter
from crypto.grant import open_grant
from crypto.manifest import GRANT_FILE, REPORT_FILE
from crypto.note import sign
from crypto.questionnaire import CODE, ID
from crypto.report import open_report, seal_report
from crypto.submission import SealedSubmission
from crypto.taxonomy import MESSAGE_KINDS, SEALED_BY
from oversight.cases import commands
from oversight.commission.records import CharterRecord
from oversight.letters.records import FollowUpRecord
from tests.oversight.case_desk import Desk, store
from tests.oversight.cases.case_browsing import CaseRoom
from tests.oversight.office import Office, no_portal
from tests.oversight.sealed_reports import attachment, sealed_follow_up, sealed_report, with_files
from tests.people import TODAY, World

T = TypeVar("T")
TEXT = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60)
TAGS = st.from_regex(LANGUAGE, fullmatch=True)
CODES = st.from_regex(CODE, fullmatch=True)
DAYS = st.dates(date(1, 1, 1), date(9999, 12, 31))
DATES = st.builds(
    PartialDate,
    st.none() | st.integers(1, 9999),
    st.none() | st.integers(1, 12),
    st.none() | st.integers(1, 31),
    st.booleans(),
)
MOMENTS = st.builds(
    Moment, st.none() | st.integers(1, 9999), st.none(), st.none(), st.booleans(), st.none() | st.integers(0, 23)
)
ASKED = ("situation", "urgency", "country", "what", "story", "place", "authority", "consents", "when")
ANSWERS = st.dictionaries(
    st.sampled_from(ASKED) | st.from_regex(ID, fullmatch=True),
    TEXT | CODES | DATES | MOMENTS | st.lists(CODES | TEXT.filter(bool), max_size=6, unique=True).map(tuple),
    max_size=8,
)
NAMES = st.from_regex(r"[^/\\\x00-\x1f\x7f]{1,60}", fullmatch=True).filter(lambda name: name.isprintable())
REPORTS = st.fixed_dictionaries({"language": TAGS, "answers": ANSWERS, "sealed_by": st.sampled_from(SEALED_BY)})
FOLLOW_UPS = st.fixed_dictionaries(
    {"number": st.integers(1, 9999), "day": DAYS, "kind": st.sampled_from(MESSAGE_KINDS), "body": TEXT}
)


@pytest.fixture
def examples(rng: Random) -> Callable[[st.SearchStrategy[T], int], list[T]]:
    """Values of a strategy, the odd ones among them, by the seed of the run."""

    def make(strategy: st.SearchStrategy[T], count: int) -> list[T]:
        found: list[T] = []

        @hypothesis.seed(rng.getrandbits(32))
        @hypothesis.settings(
            max_examples=count, phases=[hypothesis.Phase.generate], suppress_health_check=list(hypothesis.HealthCheck)
        )
        @hypothesis.given(strategy)
        def keep(value: T) -> None:
            found.append(value)

        keep()
        return found

    return make


@pytest.fixture
def room(office: Office, in_database: None) -> CaseRoom:
    office.app.state.transport = httpx.MockTransport(no_portal)
    return CaseRoom(office)


def saying(world: World, changes: dict[str, Any], name: str = "note.txt") -> SealedSubmission:
    """A submission whose report says what no form of ours would let a reporter say, sealed as by their own program."""
    sealed = sealed_report(world, attachments=[attachment(b"x", name)])
    thread = open_grant(sealed.files[GRANT_FILE], [person.identity for person in world.people]).identity
    report = replace(open_report(sealed.files[REPORT_FILE], thread), **changes)
    return with_files(sealed, {**sealed.files, REPORT_FILE: seal_report(report, thread.recipient())})


async def listed(room: CaseRoom, label: str = "bruno") -> list[str]:
    """The references of the queue, on all its pages."""
    found: list[str] = []
    path = "/queue"
    while path:
        page = await room.get(label, path)
        assert page.status_code == 200
        assert "can’t be shown" not in page.text and "could not be put" not in page.text
        found += re.findall(r"<bdi>(R-\d{4})</bdi>", page.text)
        following = re.search(r'href="(/queue\?[^"]+)" rel="next"', page.text)
        path = following[1].replace("&amp;", "&") if following else ""
    return sorted(found)


async def see(room: CaseRoom, label: str, path: str) -> str:
    answer = await room.get(label, path)
    assert answer.status_code == 200, f"{answer.status_code} at {path}"
    assert "can’t be shown" not in answer.text, path
    return answer.text


async def test_every_report_is_in_the_queue_and_opens_in_both_languages(
    room: CaseRoom, examples: Callable[[Any, int], list[Any]]
) -> None:
    reports = [saying(room.office.world, changes) for changes in examples(REPORTS, 14)]
    reports += [saying(room.office.world, {}, name) for name in examples(NAMES, 4)]
    for sealed in reports:
        await store(sealed, TODAY)
    for locale in ("en", "ar"):
        await room.post("bruno", "/account/language", locale=locale)
        assert len(await listed(room)) == len(reports)
        for sealed in reports:
            assert (await room.get("bruno", f"/reports/{sealed.manifest.submission}")).status_code == 200
    await room.post("bruno", "/account/language", locale="en")
    for sealed in reports:
        await see(room, "bruno", f"/reports/{sealed.manifest.submission}")


async def test_every_follow_up_is_a_letter_of_its_report(
    room: CaseRoom, examples: Callable[[Any, int], list[Any]]
) -> None:
    sealed = sealed_report(room.office.world)
    await store(sealed, TODAY)
    follow_ups = examples(FOLLOW_UPS, 25)
    for sequence, changes in enumerate(follow_ups, 1):
        data = sealed_follow_up(sealed, room.office.world, **changes)
        await FollowUpRecord.create(
            id=f"{sequence:032x}", sequence=sequence, submission=sealed.manifest.submission, day=TODAY, sealed=data
        )
    page = await see(room, "bruno", f"/reports/{sealed.manifest.submission}")
    assert page.count("From the reporter") == len(follow_ups)


async def test_whatever_a_member_types_is_kept_or_refused_in_words_and_every_page_opens(
    room: CaseRoom, examples: Callable[[Any, int], list[Any]]
) -> None:
    desk = Desk(room.office.world, room.office.clock.now)
    case = (await desk.open_case(opener="amina")).head.case
    report = await room.receive()
    room.office.clock.now = desk.now
    here = f"/cases/{case}"
    for text in examples(TEXT | TEXT.map(lambda part: part * 400), 5):
        answers = [
            await room.act("bruno", case, "/notes", note=text),
            await room.act("bruno", case, "/parties", party=text, aliases=text, identifiers=text, role="witness"),
            await room.act("bruno", case, "/clocks/feedback", due="2027-03-20", reasons=text),
            await room.act("daud", case, "/declare", conflict="no", reason=text),
            await room.post("bruno", f"/reports/{report}/reply", language="en", body=text),
        ]
        assert {answer.status_code for answer in answers} <= {303, 403, 409, 422}
    for path in (here, f"{here}/notes", f"{here}/parties", f"{here}/people", f"{here}/ledger", "/cases"):
        await see(room, "bruno", path)
    await see(room, "bruno", f"/reports/{report}/reply")
    assert (await room.get("bruno", f"/reports/{report}/reply/preview")).status_code in {200, 303}


LONG = "كلمة " * 30_000


async def test_a_text_that_is_too_long_comes_back_with_what_is_wrong_and_whole(room: CaseRoom) -> None:
    """More than half a million bytes as the browser sends them."""
    desk = Desk(room.office.world, room.office.clock.now)
    case, report = (await desk.open_case()).head.case, await room.receive()
    await commands.change_state(desk.person("amina"), case, "ACKNOWLEDGED", "sent")
    await commands.change_state(desk.person("amina"), case, "TRIAGE")
    await commands.change_state(desk.person("amina"), case, "CONFLICT_CHECK")
    state = await commands.change_state(desk.person("amina"), case, "ASSIGNED", reasons="Because.")
    proposal = state.proposals[0].hash
    room.office.clock.now = desk.now
    forms = [
        ("amina", f"/cases/{case}/notes", {"note": LONG}),
        ("amina", f"/cases/{case}/parties", {"party": "x", "role": "witness", "aliases": LONG}),
        ("amina", f"/cases/{case}/people/chiara/renew", {"kind": "left", "reason": LONG}),
        ("amina", f"/cases/{case}/people/chiara/waive", {"reason": LONG}),
        ("chiara", f"/cases/{case}/declare", {"conflict": "no", "reason": LONG}),
        ("chiara", f"/cases/{case}/proposals/{proposal}/return", {"reasons": LONG}),
        ("bruno", f"/reports/{report}/reply", {"language": "en", "body": LONG}),
    ]
    for label, path, form in forms:
        answer = await room.post(label, path, **form)
        assert answer.status_code == 422, (answer.status_code, path)
        assert LONG.strip() in answer.text and "There is a problem" in answer.text, path


async def test_every_finding_that_is_typed_has_its_pages(
    room: CaseRoom, examples: Callable[[Any, int], list[Any]]
) -> None:
    desk = Desk(room.office.world, room.office.clock.now)
    case = (await desk.open_case(opener="amina")).head.case
    await desk.admit(case)
    state = await desk_to_draft(desk, case)
    room.office.clock.now = desk.now
    form = st.fixed_dictionaries(
        dict.fromkeys(("title", "summary", "reply", "dissent", "section_heading", "section_text"), TEXT)
        | {"quarter": TEXT | st.just("2026-Q2"), "jurisdictions": TEXT | st.just("ZZ GB-SCT"), "codes": CODES}
        | {"grade": st.just("FN-SUBST") | TEXT, "standard": st.just("SP-RGB"), "language": st.just("ar") | TAGS}
        | {"recommendation_addressee": TEXT, "recommendation_text": TEXT, "action": st.sampled_from(("keep", "save"))}
    )
    right = {
        "title": "T",
        "summary": "S",
        "quarter": "2026-Q2",
        "jurisdictions": "ZZ",
        "codes": "EXT-X",
        "action": "keep",
    }
    right |= {"grade": "FN-SUBST", "standard": "SP-RGB", "language": "ar"}
    assert state == "FINDING_DRAFT"
    for number, changes in enumerate([*examples(form, 8), right]):
        base = (await room.state(case)).finding
        typed = {**changes, "base": str(base.revision if base else 0)}
        answer = await room.post("bruno", f"/cases/{case}/finding/edit", **typed)
        assert answer.status_code in {303, 422}, number
        await see(room, "bruno", f"/cases/{case}/finding/edit")
        await see(room, "bruno", f"/cases/{case}/finding")
    await see(room, "bruno", f"/cases/{case}")


async def desk_to_draft(desk: Desk, case: str) -> str:
    await commands.change_state(desk.person("bruno"), case, "INVESTIGATING")
    return (await commands.change_state(desk.person("bruno"), case, "FINDING_DRAFT")).state


async def test_under_every_charter_the_pages_open(room: CaseRoom, examples: Callable[[Any, int], list[Any]]) -> None:
    world = room.office.world
    report, case = await room.receive(), await room.open_case()
    previous = world.charter
    for tags in examples(st.lists(TAGS, min_size=1, max_size=4, unique=True), 6):
        said = dict.fromkeys(tags, "x")
        empty = replace(previous.questionnaire, panels=(), urgent=())
        draft = replace(
            previous, number=previous.number + 1, previous=previous.hash, languages=tuple(tags), name=said, mandate=said
        )
        note = sign(
            make_charter(replace(draft, questionnaire=empty)), [person.signing_key for person in world.governors]
        )
        previous = read_charter(note.encode())
        await CharterRecord.create(hash=previous.hash, number=previous.number, note=previous.note, published=True)
        for path in ("/queue", "/members", "/account", "/cases", f"/reports/{report}", f"/reports/{report}/reply"):
            await see(room, "bruno", path)
        await see(room, "amina", f"/cases/{case}")
