# SPDX-License-Identifier: AGPL-3.0-or-later
"""One report on the page: everything it holds is shown, nothing is believed, files are checked before they go out."""

import asyncio
import threading
from pathlib import Path

import pytest

from crypto.age import PqIdentity
from crypto.answers import Moment, PartialDate
from crypto.errors import AuthenticationError
from crypto.submission import Attachment, open_grant, open_report
from oversight.members.records import MemberRecord
from oversight.reports.download import check_attachment, content_disposition, stream_attachment
from oversight.reports.file_names import safe_name
from oversight.reports.labels import partial_date_label
from oversight.reports.records import SubmissionRecord
from portal.kit.i18n import Translation, load_translation, text_direction
from tests.oversight.office import Office
from tests.oversight.portal_simulator import PortalSimulator
from tests.oversight.sealed_reports import ANSWERS, Wire, attachment, sealed_report, with_files
from tests.people import TODAY, World
from tests.waiting import SECONDS_MAX

pytestmark = pytest.mark.usefixtures("in_database")


@pytest.fixture
def portal() -> PortalSimulator:
    return PortalSimulator()


@pytest.fixture
def wire(office: Office, portal: PortalSimulator) -> Wire:
    return Wire(office, portal.transport())


@pytest.fixture
def english() -> Translation:
    return load_translation(Path("nowhere"), "oversight", "en")


async def test_answers_are_shown_in_the_reporters_direction_under_the_members_questions(
    office: Office, portal: PortalSimulator, wire: Wire
) -> None:
    moment = Moment(2026, 4, 1, False, hour=5)
    when = PartialDate(2026, 3, None, True)
    answers = {**ANSWERS, "when": when, "handover": moment, "place": "Gate 7 <b>", "story": "أخذوه"}
    sealed = sealed_report(office.world, answers=answers)
    portal.add(sealed)
    await wire.collect()
    browser = await office.browser_of("bruno")
    page = (await browser.get(f"/reports/{sealed.manifest.submission}")).text
    assert "What happened?" in page and '<div class="answers__words" lang="ar" dir="rtl">أخذوه</div>' in page
    assert 'dir="ltr">Gate 7 &lt;b&gt;</div>' in page
    assert "about March 2026" in page and "1 April 2026, at 05:00" in page
    assert "I am held" in page and "Risk of torture" in page
    assert "question left open" not in page
    await MemberRecord.filter(label="bruno").update(locale="ar")
    arabic = (await browser.get(f"/reports/{sealed.manifest.submission}")).text
    assert '<html lang="ar" dir="rtl">' in arabic and "ماذا حدث؟" in arabic and "مارس 2026" in arabic


async def test_answers_to_questions_that_the_charter_does_not_have_are_shown_all_the_same(
    office: Office, portal: PortalSimulator, wire: Wire, monkeypatch: pytest.MonkeyPatch
) -> None:
    # A reporter's device seals what it likes; ours refuses, so its check is taken out.
    monkeypatch.setattr("crypto.submission.check_answers", lambda answers, questionnaire: None)
    answers = {"story": "text", "later-question": ("NEW-CODE",), "another": "own words"}
    sealed = sealed_report(office.world, answers=answers)
    portal.add(sealed)
    await wire.collect()
    page = (await (await office.browser_of("bruno")).get(f"/reports/{sealed.manifest.submission}")).text
    assert "Answers to questions that the charter does not have" in page
    assert "later-question" in page and "NEW-CODE" in page and "own words" in page
    assert "7 questions left open" in page


async def test_the_first_member_who_opens_a_report_is_written_down_once(
    office: Office, portal: PortalSimulator, wire: Wire
) -> None:
    sealed = sealed_report(office.world)
    portal.add(sealed)
    await wire.collect()
    path = f"/reports/{sealed.manifest.submission}"
    first = await office.browser_of("bruno")
    assert "22 November 2026 by Bruno Keller" in (await first.get(path)).text
    office.clock.forward(days=2)
    second = await office.browser_of("chiara")
    assert "22 November 2026 by Bruno Keller" in (await second.get(path)).text
    submission = await SubmissionRecord.get()
    assert (submission.opened_on, submission.opened_by) == (TODAY, "bruno")


async def test_a_file_goes_out_as_a_download_that_no_browser_shows(
    office: Office, portal: PortalSimulator, wire: Wire
) -> None:
    data = b"<script>alert(1)</script>" * 5000
    sealed = sealed_report(office.world, attachments=[attachment(data, "تقرير.html"), attachment(b"", "empty.txt")])
    portal.add(sealed)
    await wire.collect()
    browser = await office.browser_of("bruno")
    answer = await browser.get(f"/reports/{sealed.manifest.submission}/files/1")
    assert answer.content == data
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"].startswith('attachment; filename="R-0001-1.bin"; filename*=UTF-8')
    assert answer.headers["content-security-policy"].startswith("sandbox")
    assert answer.headers["x-content-type-options"] == "nosniff"
    assert answer.headers["content-length"] == str(len(data))
    assert answer.headers["cache-control"] == "no-store"
    assert (await browser.get(f"/reports/{sealed.manifest.submission}/files/2")).content == b""
    assert (await browser.get(f"/reports/{sealed.manifest.submission}/files/3")).status_code == 404
    assert (await browser.get(f"/reports/{sealed.manifest.submission}/files/0")).status_code == 404


async def test_a_file_whose_name_hides_what_it_is_shows_it_and_is_kept_without_it(
    office: Office, portal: PortalSimulator, wire: Wire
) -> None:
    """Whoever seals by another program need not clean a name."""
    sealed = sealed_report(office.world, attachments=[attachment(b"MZ", "\u202egpj.\u2066exe\U000e0041")])
    portal.add(sealed)
    await wire.collect()
    browser = await office.browser_of("bruno")
    here = f"/reports/{sealed.manifest.submission}"
    page = (await browser.get(here)).text
    assert "<bdi>[U+202E]gpj.[U+2066]exe[U+E0041]</bdi>" in page
    assert not any(character in page for character in "\u202e\u2066\U000e0041")
    assert "As it was on the sender’s device" in page
    answer = await browser.get(f"{here}/files/1")
    assert answer.headers["content-disposition"].endswith("filename*=UTF-8''gpj.exe")


@pytest.mark.parametrize("place", [200, 40_000, -1])
async def test_an_altered_file_is_an_incident_and_hides_neither_report_nor_other_files(
    office: Office, portal: PortalSimulator, wire: Wire, place: int
) -> None:
    files = [attachment(b"one" * 30_000, "one.txt"), attachment(b"two" * 30_000, "two.txt")]
    sealed = sealed_report(office.world, attachments=files)
    portal.add(sealed)
    await wire.collect()
    path = office.settings.data / "blobs" / sealed.manifest.submission / "attachment-1.age"
    content = bytearray(path.read_bytes())
    content[place] ^= 1
    path.write_bytes(content)
    browser = await office.browser_of("bruno")
    here = f"/reports/{sealed.manifest.submission}"
    answer = await browser.get(f"{here}/files/1")
    assert answer.status_code == 409 and "this file was not what the report says" in answer.text
    assert "one" * 10 not in answer.text
    assert (await browser.get(f"{here}/files/2")).content == b"two" * 30_000
    page = (await browser.get(here)).text
    assert page.count("this file was not what the report says") == 1 and ANSWERS["story"] in page


async def test_a_missing_file_is_named_as_such(office: Office, portal: PortalSimulator, wire: Wire) -> None:
    sealed = sealed_report(office.world, attachments=[attachment(b"one" * 30_000)])
    portal.add(sealed)
    await wire.collect()
    (office.settings.data / "blobs" / sealed.manifest.submission / "attachment-1.age").unlink()
    browser = await office.browser_of("bruno")
    assert "missing from this office’s disk" in (await browser.get(f"/reports/{sealed.manifest.submission}")).text
    answer = await browser.get(f"/reports/{sealed.manifest.submission}/files/1")
    assert answer.status_code == 409


async def test_a_file_that_the_report_does_not_name_and_one_it_names_otherwise_are_not_offered(
    office: Office, portal: PortalSimulator, wire: Wire
) -> None:
    honest = sealed_report(office.world, attachments=[attachment(b"one" * 9000, "one.txt")])
    stranger = b"not the file that the report names"
    files = {**honest.files, "attachment-1.age": stranger, "attachment-2.age": stranger}
    sealed = with_files(honest, files)
    portal.add(sealed)
    await wire.collect()
    browser = await office.browser_of("bruno")
    page = (await browser.get(f"/reports/{sealed.manifest.submission}")).text
    assert "is not the one that the report names" in page and "does not mention it" in page
    assert f'href="/reports/{sealed.manifest.submission}/files/' not in page
    assert (await browser.get(f"/reports/{sealed.manifest.submission}/files/1")).status_code == 409
    assert (await browser.get(f"/reports/{sealed.manifest.submission}/files/2")).status_code == 404


async def test_a_file_that_changes_after_the_check_breaks_the_download_off(tmp_path: Path, world: World) -> None:
    data = b"x" * 400_000
    path, entry, thread = sealed_file(tmp_path, world, data)
    await check_attachment(path, entry, thread)
    content = bytearray(path.read_bytes())
    content[-70_000] ^= 1
    path.write_bytes(content)
    received = bytearray()
    with pytest.raises(AuthenticationError):
        async for chunk in stream_attachment(path, entry, thread):
            received += chunk
    assert len(received) < len(data)


async def test_a_download_that_nobody_waits_for_any_more_ends(tmp_path: Path, world: World) -> None:
    path, entry, thread = sealed_file(tmp_path, world, b"x" * 3_000_000)
    before = set(threading.enumerate())
    stream = stream_attachment(path, entry, thread)
    assert len(await anext(stream)) == 65_536
    await stream.aclose()  # type: ignore[attr-defined]
    for downloading in set(threading.enumerate()) - before:
        # Not in this thread: its last step needs this loop.
        await asyncio.to_thread(downloading.join, SECONDS_MAX)
        assert not downloading.is_alive()


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("report.pdf", "report.pdf"),
        ("../../etc/passwd", "etcpasswd"),
        ("invoice\u202efdp.exe", "invoicefdp.exe"),
        ("..", "file"),
        (".htaccess", "htaccess"),
        ("a" * 300 + ".txt", "a" * 196 + ".txt"),
        ('x"; filename="y.exe', "x; filename=y.exe"),
        ("صورة 1.png", "صورة 1.png"),
    ],
)
def test_a_file_name_is_made_harmless(name: str, safe: str) -> None:
    assert safe_name(name) == safe
    header = content_disposition(name, "R-0001-1.bin")
    assert header.isascii() and header.count('"') == 2 and "\n" not in header


@pytest.mark.parametrize(
    ("text", "language", "due"),
    [
        ("أخذوه", "en", "rtl"),
        ("They took him", "ar", "ltr"),
        ("Istanbul: في المطار أخذوه", "ar", "rtl"),
        ("12345", "ar", "rtl"),
        ("", "en", "ltr"),
    ],
)
def test_the_direction_is_that_of_most_letters(text: str, language: str, due: str) -> None:
    assert text_direction(text, language) == due


@pytest.mark.parametrize(
    ("value", "words"),
    [
        (PartialDate(2026, 3, 5, False), "5 March 2026"),
        (PartialDate(2026, 3, None, False), "March 2026"),
        (PartialDate(2026, None, None, True), "about 2026"),
        (PartialDate(None, 3, 5, False), "5 March"),
        (PartialDate(None, 3, None, False), "March"),
        (PartialDate(None, None, 5, False), "day 5 of a month"),
        (PartialDate(2026, None, 5, False), "day 5 of a month of 2026"),
        (PartialDate(2026, None, 5, True), "about day 5 of a month of 2026"),
        (PartialDate(None, None, None, True), "not known"),
        (PartialDate(2026, 2, 31, False), "31.2.2026"),
        (Moment(2026, 3, 5, False, hour=None), "5 March 2026"),
        (Moment(2026, 3, 5, True, hour=4), "about 5 March 2026, at 04:00"),
        (Moment(None, None, None, False, hour=0), "day not known, at 00:00"),
    ],
)
def test_a_date_is_told_as_exactly_as_it_was_given(value: PartialDate, words: str, english: Translation) -> None:
    assert partial_date_label(value, english) == words


@pytest.mark.parametrize("unseen", ["\u200b\u200b", "\u3164", "\u2800 \u2800", "\u0301", "\ufeff\x00\u2060"])
async def test_an_answer_that_nobody_can_see_is_said_to_be_one(
    office: Office, portal: PortalSimulator, wire: Wire, unseen: str
) -> None:
    sealed = sealed_report(office.world, answers={**ANSWERS, "place": unseen})
    portal.add(sealed)
    await wire.collect()
    page = (await (await office.browser_of("bruno")).get(f"/reports/{sealed.manifest.submission}")).text
    assert page.count("Only characters that can’t be seen") == 1
    assert unseen not in page and ANSWERS["story"] in page


def sealed_file(folder: Path, world: World, data: bytes) -> tuple[Path, Attachment, PqIdentity]:
    """A sealed attachment as a file, its entry, and the identity that opens it."""
    sealed = sealed_report(world, attachments=[attachment(data)])
    thread = open_grant(sealed.files["grant.age"], [world["bruno"].identity]).identity
    [entry] = open_report(sealed.files["report.age"], thread).attachments
    path = folder / entry.file
    path.write_bytes(sealed.files[entry.file])
    return path, entry, thread
