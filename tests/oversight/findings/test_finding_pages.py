# SPDX-License-Identifier: AGPL-3.0-or-later
"""A finding on its way from an empty page to the register, over HTTP, with the real portal at the other end."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from crypto.charter import Charter
from crypto.event import SignedEvent
from crypto.ids import FindingId
from crypto.published_finding import PublishedFinding, read_published_finding
from crypto.sealed_parts import Party
from oversight.cases import commands, entries
from oversight.findings.records import FindingDraftRecord, PublicationRecord
from oversight.ledger.records import EventRecord
from oversight.workflow.rules import RuleError
from portal.register.register_pages import file_bytes
from tests.oversight.findings.finding_office import TEXT, FindingOffice, finding_office, second_case, text_of
from tests.oversight.office import Office
from tests.oversight.portals import Portal
from tests.oversight.sealed_reports import Wire

ROOT = Path(__file__).parents[3]


async def in_register(portal: Portal, finding: str) -> PublishedFinding | None:
    """The file that the register offers of a finding. The pages around it are the portal's affair."""
    findings = portal.app.state.assembly.register.findings
    stored = findings.stored.get(FindingId(finding))
    return read_published_finding(file_bytes(await findings.read(stored))) if stored else None


async def test_a_finding_goes_from_an_empty_page_into_the_register(work: FindingOffice) -> None:
    await work.until_decided()
    answer = await work.publish()
    assert answer.headers["location"].endswith("done=published"), answer.text
    state = await work.state()
    assert state.state == "PUBLISHED" and state.published is not None
    assert state.published.finding == "XFI:ZZ:DEMO-COMMISSION:2026:F.0001"
    published = await in_register(work.portal, state.published.finding)
    assert published is not None
    assert published.finding.title == "Held after the date of surrender had passed"
    assert {member.label for member in published.finding.signers} == {"chiara", "elif"}
    assert published.finding.hash == state.published.note_sha256


async def test_the_page_says_step_by_step_what_comes_next(work: FindingOffice) -> None:
    bruno = await work.browser("bruno")
    assert "Nothing is written yet" in (await bruno.get(work.path)).text
    await work.keep(bruno)
    page = await bruno.get(work.path)
    assert "Held after the date of surrender had passed" in page.text
    assert "Signed: 0 of 2" in page.text
    # An investigator has no say in who signs.
    assert "Sign revision" not in page.text
    assert "Sign revision" in (await (await work.browser("chiara")).get(work.path)).text


async def test_a_change_after_a_signature_voids_it_visibly(work: FindingOffice) -> None:
    bruno = await work.browser("bruno")
    await work.keep(bruno)
    await work.sign("chiara")
    await work.keep(bruno, summary="A person was held for months.")
    said = text_of(await bruno.get(work.path))
    assert "Signed: 0 of 2" in said
    assert "The signature of Chiara Lombardi was over revision 1; the text has changed since." in said
    state = await work.state()
    assert state.finding is not None and state.finding.signers == ()


async def test_the_difference_between_two_revisions_is_shown(work: FindingOffice) -> None:
    bruno = await work.browser("bruno")
    await work.keep(bruno)
    await work.keep(bruno, title="Held long after the date of surrender had passed")
    page = await bruno.get(f"{work.path}/changes")
    assert "<ins>" in page.text and "[added:" in page.text
    assert "long" in page.text.partition("<ins>")[2].partition("</ins>")[0]


async def test_a_signature_is_over_the_text_that_was_seen(work: FindingOffice) -> None:
    bruno = await work.browser("bruno")
    await work.keep(bruno)
    seen = (await work.state()).finding
    assert seen is not None
    await work.keep(bruno, summary="Something else.")
    answer = await work.act(await work.browser("chiara"), "sign", text=seen.text_sha256)
    assert answer.status_code == 409
    state = await work.state()
    assert state.finding is not None and state.finding.signers == ()


@pytest.mark.parametrize("label", ["amina", "bruno"])
async def test_only_chair_and_publisher_sign(work: FindingOffice, label: str) -> None:
    await work.keep(await work.browser("bruno"))
    assert (await work.sign(label)).status_code in (403, 409)


async def test_parts_are_added_and_taken_away_without_script(work: FindingOffice) -> None:
    bruno = await work.browser("bruno")
    await work.keep(bruno, action="add-section")
    page = await bruno.get(f"{work.path}/edit")
    assert page.text.count('name="section_heading"') == 2
    await work.keep(bruno, section_heading=["One", "Two"], section_text=["a", "b"], action="remove-section-1")
    page = await bruno.get(f"{work.path}/edit")
    assert page.text.count('name="section_heading"') == 1 and 'value="Two"' in page.text
    assert (await work.state()).finding is None


async def test_what_is_not_kept_yet_is_sealed_and_its_writers_alone(work: FindingOffice) -> None:
    await work.keep(await work.browser("bruno"), summary="canary-in-a-draft", action="save")
    with work.office.database.use():
        record = await FindingDraftRecord.get()
    assert b"canary" not in bytes(record.sealed) and record.member == "bruno"
    assert "canary" not in (await (await work.browser("chiara")).get(work.path)).text
    assert "canary" in (await (await work.browser("bruno")).get(f"{work.path}/edit")).text


@pytest.mark.parametrize(
    ("name", "field", "character"),
    [
        ("title", "title", "\u202e"),
        ("summary", "summary", "\u200f"),
        ("section_heading", "section_heading-1", "\u061c"),
        ("section_text", "section_text-1", "\u2066"),
        ("recommendation_addressee", "addressee-1", "\u200e"),
        ("recommendation_text", "recommended-1", "\U000e0041"),
        ("reply", "reply", "\t"),
        ("dissent", "dissent", "\u2069"),
    ],
)
async def test_a_character_that_turns_the_order_of_reading_is_said_at_its_field_and_what_was_typed_stays(
    work: FindingOffice, name: str, field: str, character: str
) -> None:
    text = f"Words of {character}theirs"
    bruno = await work.browser("bruno")
    answer = await work.keep(bruno, **{name: [text] if isinstance(TEXT[name], list) else text})
    assert answer.status_code == 422
    assert f'href="#{field}"' in answer.text and f'id="{field}-error"' in answer.text
    assert "after “\u2068Words of \u2069”" in answer.text
    assert f"\u2068U+{ord(character):04X}\u2069" in answer.text
    assert text in answer.text
    assert text in (await bruno.get(f"{work.path}/edit")).text
    assert (await work.state()).finding is None


async def test_a_finding_is_written_from_right_to_left(work: FindingOffice) -> None:
    text = 'احتُجز في Northfield (سجن) أسابيع.\n\nمی‌خواهیم "شفاف" باشیم.'
    answer = await work.keep(await work.browser("bruno"), language="ar", title="احتجاز", section_text=[text])
    assert answer.status_code == 303


async def test_what_is_missing_is_said_at_its_field(work: FindingOffice) -> None:
    answer = await work.keep(await work.browser("bruno"), title="", quarter="May")
    assert answer.status_code == 422
    assert 'href="#title"' in answer.text and 'href="#quarter"' in answer.text
    assert "A person was held for weeks" in answer.text


async def test_nobody_overwrites_the_revision_of_a_colleague(work: FindingOffice) -> None:
    bruno = await work.browser("bruno")
    await work.keep(bruno)
    answer = await work.keep(bruno, base="0", title="Written at the same time")
    assert answer.status_code == 422 and "Somebody has kept another revision" in answer.text
    state = await work.state()
    assert state.finding is not None and state.finding.revision == 1


async def test_a_text_with_a_name_of_the_case_is_not_published(work: FindingOffice) -> None:
    with work.office.database.use():
        party = Party("Layla Samir Khouri", ("Leila",), ("P-889123",), "concerned")
        await commands.add_party(work.desk.person("bruno"), work.case, party)
    await work.keep(await work.browser("bruno"), summary="Ms. Khoury was held for weeks.")
    await work.sign_and_check()
    await work.decide("ADOPTED", by="bruno")
    page = await (await work.browser("elif")).get(work.path)
    assert "The name of somebody in the case" in page.text and "Khoury" in page.text
    with pytest.raises(RuleError, match="text-checked"):
        await work.decide("PUBLISHED")
    assert (await work.publish()).status_code == 409
    with work.office.database.use():
        assert await PublicationRecord.all().count() == 0


async def test_a_block_is_set_aside_by_two_members_with_reasons(work: FindingOffice) -> None:
    await work.keep(await work.browser("bruno"), summary="It was on 5 May 2026, as the court has announced itself.")
    await work.sign_and_check()
    elif_ = await work.browser("elif")
    assert (await work.act(elif_, "waive", reasons="")).status_code == 422
    assert (await work.act(elif_, "waive", reasons="The court has published the day.")).status_code == 303
    proposal = (await work.state()).proposals[0]
    own = await elif_.post(f"/cases/{work.case}/proposals/{proposal.hash}/approve", head=(await work.state()).head.hash)
    assert own.status_code == 403
    with work.office.database.use():
        await commands.approve(work.desk.person("chiara"), work.case, proposal.hash)
    await work.decide("ADOPTED", by="bruno")
    await work.decide("PUBLISHED")
    assert (await work.publish()).headers["location"].endswith("done=published")


async def test_without_the_reporters_consent_nothing_is_published(office: Office, portal: Portal) -> None:
    work = await finding_office(office, portal, consents=("CO-CASE",))
    await work.keep(await work.browser("bruno"))
    await work.sign_and_check()
    state = await work.state()
    assert state.finding is not None and state.finding.check is not None and state.finding.check.outcome == "block"
    said = text_of(await (await work.browser("chiara")).get(work.path))
    assert "The reporter did not agree to a publication" in said


async def test_a_name_that_joins_the_case_after_the_check_stops_the_publication(work: FindingOffice) -> None:
    await work.until_decided(summary="Layla was held for weeks.")
    with work.office.database.use():
        await commands.add_party(work.desk.person("bruno"), work.case, Party("Layla Khoury", (), (), "concerned"))
    answer = await work.publish()
    assert answer.status_code == 409 and "finds more now" in answer.text
    with work.office.database.use():
        assert await PublicationRecord.all().count() == 0


async def test_what_is_published_while_the_portal_is_down_goes_out_later_once(work: FindingOffice) -> None:
    await work.until_decided()
    work.portal.cut_off = True
    for _ in range(2):
        assert (await work.publish()).headers["location"].endswith("done=waiting")
    assert (await work.state()).state == "ADOPTED"
    work.portal.cut_off = False
    wire = Wire(work.office, work.portal.transport)
    await wire.collect()
    await wire.collect()
    page = await (await work.browser("elif")).get(work.path)
    assert "Record that it is published" in page.text
    assert (await work.publish()).headers["location"].endswith("done=published")
    state = await work.state()
    assert state.published is not None
    with work.office.database.use():
        assert await PublicationRecord.all().count() == 1
        assert await EventRecord.filter(type="published").count() == 1
    assert await in_register(work.portal, state.published.finding) is not None


async def test_publishing_verifies_no_event_of_the_history_twice(
    work: FindingOffice, monkeypatch: pytest.MonkeyPatch
) -> None:
    await work.until_decided()
    verified: list[bytes] = []
    read = entries.read_event

    def watched(data: bytes, charters: Mapping[str, Charter]) -> SignedEvent:
        verified.append(data)
        return read(data, charters)

    monkeypatch.setattr(entries, "read_event", watched)
    assert (await work.publish()).headers["location"].endswith("done=published")
    # A draft, two signatures, a check; nothing else of the case tells what is published.
    assert len(verified) == len(set(verified)) == 4


async def test_a_publication_whose_answer_was_lost_is_not_doubled(work: FindingOffice) -> None:
    await work.until_decided()
    work.portal.loses_answers = True
    assert (await work.publish()).headers["location"].endswith("done=waiting")
    work.portal.loses_answers = False
    assert (await work.publish()).headers["location"].endswith("done=published")
    assert (await work.publish()).headers["location"].endswith("done=published")
    with work.office.database.use():
        assert await EventRecord.filter(type="published").count() == 1


async def test_a_number_that_was_taken_has_to_be_signed_again(work: FindingOffice, office: Office) -> None:
    await work.keep(await work.browser("bruno"))
    await work.sign_and_check()
    other = await second_case(work)
    await other.until_decided(title="Another finding")
    assert (await other.publish()).headers["location"].endswith("done=published")
    await work.decide("ADOPTED", by="bruno")
    await work.decide("PUBLISHED")
    assert (await work.publish()).headers["location"].endswith("done=refused")
    page = await (await work.browser("elif")).get(work.path)
    assert "Its number was taken by another finding" in page.text
    decided = (await work.state()).decided
    assert decided is not None
    taken_back = await (await work.browser("elif")).post(
        f"/cases/{work.case}/proposals/{decided.hash}/return", head=(await work.state()).head.hash, reasons="Number."
    )
    assert taken_back.status_code == 303, taken_back.text
    with office.database.use():
        await commands.change_state(work.desk.person("bruno"), work.case, "FINDING_DRAFT")
    await work.until_decided()
    assert (await work.publish()).headers["location"].endswith("done=published")
    state = await work.state()
    assert state.published is not None and state.published.finding.endswith("F.0002")


async def test_a_text_whose_number_was_taken_is_not_signed(work: FindingOffice) -> None:
    await work.keep(await work.browser("bruno"))
    other = await second_case(work)
    await other.until_decided()
    await other.publish()
    answer = await work.sign("chiara")
    assert answer.status_code == 409 and "Another finding has taken this number" in answer.text


async def test_a_correction_and_a_withdrawal_stand_in_the_register(work: FindingOffice) -> None:
    await work.until_decided()
    await work.publish()
    bruno = await work.browser("bruno")
    answer = await work.keep(bruno, summary="A person was held for nineteen days.", reason="It was less than a month.")
    assert answer.status_code == 303, answer.text
    await work.sign_and_check()
    await work.decide("PUBLISHED", "correction")
    assert (await work.publish()).headers["location"].endswith("done=published")
    state = await work.state()
    assert state.published is not None and state.published.corrections == 1
    found = await in_register(work.portal, state.published.finding)
    assert found is not None
    finding = found.finding
    assert (finding.kind, finding.revision, finding.reason) == ("correction", 2, "It was less than a month.")

    answer = await work.act(bruno, "withdraw", reason="It showed\n\u2067more than it should.")
    assert answer.status_code == 422
    assert "Line 2 begins with a character" in answer.text and "\u2068U+2067\u2069" in answer.text
    assert "more than it should." in answer.text
    answer = await work.act(bruno, "withdraw", reason="It showed more than it should.")
    assert answer.status_code == 303, answer.text
    for label in ("chiara", "elif"):
        await work.sign(label)
    await work.decide("PUBLISHED", "withdrawal")
    assert (await work.publish()).headers["location"].endswith("done=published")
    found = await in_register(work.portal, state.published.finding)
    assert found is not None and found.finding.kind == "withdrawal"
    assert b"nineteen" not in found.finding.note
    state = await work.state()
    assert state.published is not None and state.published.withdrawn
    assert "It is withdrawn" in (await bruno.get(work.path)).text


async def test_what_became_of_a_recommendation_is_published_as_an_update(work: FindingOffice) -> None:
    await work.until_decided()
    await work.publish()
    bruno = await work.browser("bruno")
    answer = await work.act(bruno, "recommendations/1", status="implemented", text="The ministry wrote.")
    assert answer.status_code == 303
    assert (await work.state()).recommendations == (("1", "implemented"),)
    page = await bruno.get(f"{work.path}/edit")
    assert '<option value="implemented" selected>' in page.text
    await work.keep(bruno, recommendation_status=["implemented"], reason="The ministry has done it.")
    await work.sign_and_check()
    await work.decide("PUBLISHED", "correction")
    await work.publish()
    state = await work.state()
    assert state.published is not None
    found = await in_register(work.portal, state.published.finding)
    assert found is not None
    finding = found.finding
    assert finding.kind == "update" and finding.recommendations[0].status == "implemented"


async def test_to_whom_does_not_hold_the_case_its_finding_is_closed(work: FindingOffice) -> None:
    await work.keep(await work.browser("bruno"))
    answer = await (await work.browser("daud")).get(work.path)
    assert answer.status_code in (403, 404)
    assert "Held after" not in answer.text
