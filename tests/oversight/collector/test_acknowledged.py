# SPDX-License-Identifier: AGPL-3.0-or-later
"""A portal that acknowledged one thing to the reporter and gives the office another."""

from collections.abc import Callable
from dataclasses import replace
from datetime import date, timedelta
from typing import Any

import pytest

from crypto.acknowledgement import Acknowledgement, read_acknowledgement
from crypto.grant import open_grant
from crypto.note import SigningKey
from crypto.receipt_code import derive, new_code
from crypto.report import open_report, seal_report
from crypto.submission import SealedSubmission
from oversight.cases import commands
from oversight.reports.records import StuckArrivalRecord, SubmissionRecord
from tests.chance import fresh_bytes
from tests.oversight.case_desk import Desk
from tests.oversight.office import Office
from tests.oversight.portal_simulator import RECEIVED, PortalSimulator, acknowledge
from tests.oversight.sealed_reports import STORY, Wire, sealed_report, with_files
from tests.people import REALM, TODAY, portal_key

pytestmark = pytest.mark.usefixtures("in_database")


def in_its_place(true: SealedSubmission, other: SealedSubmission) -> SealedSubmission:
    """Another report under the id of a true one, as whoever holds the portal can make it."""
    manifest = replace(other.manifest, submission=true.manifest.submission)
    return replace(other, manifest=manifest, manifest_bytes=manifest.encode())


async def test_another_report_under_the_id_that_was_acknowledged_is_never_confirmed_and_is_shown(
    wire: Wire, portal: PortalSimulator, office: Office
) -> None:
    """The reporter holds the acknowledgement of the true manifest; the portal stores another report, for itself."""
    true = sealed_report(office.world)
    swapped = in_its_place(true, sealed_report(office.world, receipt_digits=new_code(fresh_bytes)))
    portal.add(swapped, acknowledgement=acknowledge(true))
    await wire.collect()
    assert (await StuckArrivalRecord.get()).problem == "acknowledgement"
    assert not portal.collected and await SubmissionRecord.all().count() == 0
    page = (await (await office.browser_of("bruno")).get("/queue")).text
    assert "the portal has no signed acknowledgement for these very files" in page


@pytest.mark.parametrize(
    "note",
    [
        lambda sealed: "",
        lambda sealed: 7,
        lambda sealed: "no note",
        lambda sealed: acknowledge(sealed).decode().replace("received 2026-11-20", "received 2026-11-25"),
        lambda sealed: acknowledge(sealed, realm="0" * 32),
        lambda sealed: acknowledge(sealed, submission="0" * 32),
        lambda sealed: acknowledge(sealed, manifest_hash="0" * 64),
        lambda sealed: by_a_stranger(sealed),  # noqa: PLW0108 - it is defined below
    ],
    ids=["empty", "number", "text", "another-day", "realm", "submission", "manifest", "stranger"],
)
async def test_what_comes_without_its_acknowledgement_is_kept_out_and_hides_nothing(
    wire: Wire, portal: PortalSimulator, office: Office, note: Callable[[SealedSubmission], Any]
) -> None:
    false, whole = sealed_report(office.world), sealed_report(office.world)
    portal.add(false, acknowledgement=note(false))
    portal.add(whole)
    await wire.collect()
    assert (await StuckArrivalRecord.get()).problem == "acknowledgement"
    assert list(portal.collected) == [whole.manifest.submission]


async def test_the_day_of_receipt_is_the_one_that_the_portal_signed(
    wire: Wire, portal: PortalSimulator, office: Office
) -> None:
    sealed = sealed_report(office.world)
    portal.add(sealed, acknowledgement=acknowledge(sealed, received=date(2026, 11, 3)))
    await wire.collect()
    submission = await SubmissionRecord.get()
    kept = read_acknowledgement(submission.acknowledgement, [portal_key().verifier])
    assert (submission.received, submission.commitment) == (date(2026, 11, 3), sealed.commitment)
    kept.check(
        realm=REALM,
        submission=submission.id,
        manifest_hash=sealed.manifest_hash,
        commitment=sealed.commitment,
    )


@pytest.mark.parametrize("day", [date.max, TODAY + timedelta(days=31)], ids=["the last day there is", "a month ahead"])
async def test_a_day_of_receipt_that_is_still_to_come_takes_down_no_page_and_holds_up_no_case(
    wire: Wire, portal: PortalSimulator, office: Office, day: date
) -> None:
    sealed = sealed_report(office.world)
    portal.add(sealed, acknowledgement=acknowledge(sealed, received=day))
    await wire.collect()
    submission = await SubmissionRecord.get()
    assert submission.received == TODAY
    bruno = await office.browser_of("bruno")
    assert "R-0001" in (await bruno.get("/queue")).text
    assert (await bruno.get(f"/reports/{submission.id}")).status_code == 200
    case = await commands.open_case(Desk(office.world).person("amina"), [submission.id], "eu-2019-1937")
    assert case.received == TODAY


@pytest.mark.parametrize("changed", ["mailbox", "control", "leaf_nonce"])
async def test_a_report_of_another_mailbox_or_commitment_is_said_to_be_put_in_the_place_of_the_true_one(
    wire: Wire, portal: PortalSimulator, office: Office, changed: str
) -> None:
    """Under a manifest that names the true mailbox, and with an acknowledgement of its own."""
    other = derive(new_code(fresh_bytes), REALM)
    values = {"mailbox": other.recipient, "control": other.control, "leaf_nonce": b"n" * 32}
    portal.add(with_report(sealed_report(office.world), office, **{changed: values[changed]}))
    await wire.collect()
    submission = await SubmissionRecord.get()
    assert submission.received == RECEIVED
    browser = await office.browser_of("bruno")
    page = await browser.get(f"/reports/{submission.id}")
    assert page.status_code == 409 and STORY not in page.text
    assert "This is not the report that was sent" in page.text
    assert (await browser.get(f"/reports/{submission.id}/reply")).status_code == 409


def with_report(sealed: SealedSubmission, office: Office, **changes: Any) -> SealedSubmission:
    """The same submission, and a report in it that says something else."""
    thread = open_grant(sealed.files["grant.age"], [office.world["bruno"].identity]).identity
    report = replace(open_report(sealed.files["report.age"], thread), **changes)
    data = seal_report(report, thread.recipient())
    return with_files(sealed, {**sealed.files, "report.age": data})


def by_a_stranger(sealed: SealedSubmission) -> bytes:
    said = Acknowledgement(REALM, sealed.manifest.submission, sealed.manifest_hash, sealed.commitment, RECEIVED)
    return said.sign(SigningKey.from_seed(portal_key().name, b"s" * 32)).encode()
