# SPDX-License-Identifier: AGPL-3.0-or-later
"""A register that went back to a backup takes what it had taken, by its own receipts and by nothing else (§14.4)."""

from dataclasses import replace
from typing import Any

import httpx

from crypto.encoding import encode_json
from crypto.finding import Finding, read_finding
from crypto.note import Note, SigningKey
from crypto.publication import Publication, read_publication
from portal.storage.records import FindingRecord
from tests.findings import correction_of, publish_finding, sign_finding, successor_charter, withdrawal_of
from tests.people import REALM, World, portal_key
from tests.portal.world import RunningPortal, error_code


async def post(portal: RunningPortal, finding: Finding) -> None:
    answer = await portal.office("POST", "/findings", finding.note)
    assert answer.status_code == 201, answer.text


async def listed(portal: RunningPortal) -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = (await portal.office("GET", "/findings?after=0")).json()["findings"]
    return rows


async def again(portal: RunningPortal, finding: Finding, receipt: str) -> httpx.Response:
    body = encode_json({"finding": finding.note.decode(), "receipt": receipt})
    return await portal.office("POST", "/findings/again", body)


async def go_back(portal: RunningPortal) -> None:
    """As if the portal came from a backup in which there is no finding, and had just been started."""
    with portal.database.use():
        await FindingRecord.all().delete()
    portal.assembly.register.findings.stored.__init__()  # type: ignore[misc]


def corrected(world: World, first: Finding) -> Finding:
    note = sign_finding(world, correction_of(first))
    return read_finding(note, world.charter)


async def test_every_revision_in_the_list_has_a_receipt_by_the_portals_key(portal: RunningPortal) -> None:
    first = publish_finding(portal.world)
    second = corrected(portal.world, first)
    for finding in (first, second):
        await post(portal, finding)
    receipts = [read_publication(row["receipt"].encode(), [portal_key().verifier]) for row in await listed(portal)]
    assert receipts == [Publication(REALM, each.id, each.revision, each.hash) for each in (first, second)]


async def test_what_was_lost_is_taken_again_a_year_later_and_under_a_later_charter(portal: RunningPortal) -> None:
    world = portal.world
    first = publish_finding(world)
    second, third = corrected(world, first), publish_finding(world, 2)
    gone = read_finding(sign_finding(world, withdrawal_of(third)), world.charter)
    for finding in (first, third, second, gone):
        await post(portal, finding)
    rows = await listed(portal)
    await go_back(portal)
    portal.clock.pass_days(300)
    successor = successor_charter(world)
    assert (await portal.client.post("/api/v1/charters", content=successor.note)).status_code == 201
    refused = await portal.office("POST", "/findings", first.note)
    assert error_code(refused) == (422, "finding-signatures")
    for finding, row in zip((first, third, second, gone), rows, strict=True):
        assert (await again(portal, finding, row["receipt"])).status_code == 201
        assert (await again(portal, finding, row["receipt"])).status_code == 200
    assert [{**row, "sequence": 0} for row in await listed(portal)] == [{**row, "sequence": 0} for row in rows]


async def test_a_receipt_of_something_else_or_by_somebody_else_is_none(portal: RunningPortal) -> None:
    first, other = publish_finding(portal.world), publish_finding(portal.world, 2)
    await post(portal, first)
    [row] = await listed(portal)
    await go_back(portal)
    taken = Publication(REALM, first.id, first.revision, first.hash)
    stranger = SigningKey.generate(portal_key().name)
    wrong = [
        replace(taken, hash=other.hash).sign(portal_key()),
        replace(taken, finding=other.id).sign(portal_key()),
        replace(taken, revision=2).sign(portal_key()),
        replace(taken, realm="ab" * 16).sign(portal_key()),
        taken.sign(stranger),
        taken.sign(portal.world.office_key),
    ]
    for receipt in [*(note.encode().decode() for note in wrong), "", "amparo publication v1\n"]:
        assert error_code(await again(portal, first, receipt)) == (400, "malformed-request")
    assert error_code(await again(portal, other, row["receipt"])) == (400, "malformed-request")
    assert await listed(portal) == []


async def test_what_is_lost_for_good_leaves_a_gap_and_keeps_nothing_else_from_its_place(portal: RunningPortal) -> None:
    findings = [publish_finding(portal.world, number) for number in (1, 2, 3)]
    for finding in findings:
        await post(portal, finding)
    receipts = [row["receipt"] for row in await listed(portal)]
    await go_back(portal)
    for index in (2, 0):
        assert (await again(portal, findings[index], receipts[index])).status_code == 201
    assert [row["id"] for row in await listed(portal)] == [findings[2].id, findings[0].id]
    # Its number is given to no other one, and it may still come.
    assert (await portal.office("GET", "/findings?after=0")).json()["next"].endswith("F.0004")
    assert (await again(portal, findings[1], receipts[1])).status_code == 201


async def test_no_receipt_makes_a_place_that_there_is_not(portal: RunningPortal) -> None:
    """Signatures, numbers and revisions are looked at as ever."""
    world = portal.world
    first, second = publish_finding(world), publish_finding(world, 2)
    correction = corrected(world, first)
    one_signer = sign_finding(world, correction_of(first, title="Signed by one member alone"), ("chiara",))
    for finding in (first, second):
        await post(portal, finding)
    receipts = [row["receipt"] for row in await listed(portal)]
    await go_back(portal)
    assert error_code(await again(portal, correction, receipt_of(correction))) == (409, "finding-number")
    assert (await again(portal, first, receipts[0])).status_code == 201
    alone = replace(correction, note=one_signer)
    answer = await again(portal, alone, receipt_of_text(one_signer, first))
    assert error_code(answer) == (422, "finding-signatures")


def receipt_of(finding: Finding) -> str:
    return Publication(REALM, finding.id, finding.revision, finding.hash).sign(portal_key()).encode().decode()


def receipt_of_text(note: bytes, first: Finding) -> str:
    return Publication(REALM, first.id, 2, Note.parse(note).hash).sign(portal_key()).encode().decode()
