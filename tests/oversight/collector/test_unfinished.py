# SPDX-License-Identifier: AGPL-3.0-or-later
"""What came of a submission that could not be taken whole: checked again, and bounded."""

from collections.abc import Callable
from contextlib import suppress
from typing import Any

import httpx
import pytest

from crypto.submission import SealedSubmission
from oversight.collector.visit import Collector
from oversight.reports import arrival, unfinished
from oversight.reports.blobs import Blobs
from oversight.reports.records import SubmissionRecord
from oversight.wire.portal_errors import PortalError
from tests.chance import fresh_bytes
from tests.oversight.office import Office
from tests.oversight.portal_simulator import Handler, PortalSimulator, answer, refusal
from tests.oversight.sealed_reports import attachment, sealed_report, under_new_id, with_files

pytestmark = pytest.mark.usefixtures("in_database")
FIRST, SECOND = "attachment-1.age", "attachment-2.age"


def two_files(office: Office) -> SealedSubmission:
    return sealed_report(office.world, attachments=[attachment(b"one" * 500), attachment(b"two" * 500)])


def count(office: Office) -> int:
    """The files that the office keeps."""
    return len(list((office.settings.data / "blobs").glob("*/*")))


def second_fails(how: Callable[[], httpx.Response] = lambda: refusal(500, "internal")) -> Handler:
    return lambda request: how() if request.url.path.endswith(SECOND) else None


async def visit(collector: Collector) -> None:
    with suppress(PortalError):
        await collector.run()


async def test_a_file_that_came_under_another_manifest_is_not_taken_for_the_one_of_this_manifest(
    collector: Collector, portal: PortalSimulator, office: Office
) -> None:
    """Else the office would confirm what it does not have, and the portal could delete the true file."""
    sealed = two_files(office)
    other = {**sealed.files, FIRST: fresh_bytes(len(sealed.files[FIRST]))}
    portal.add(with_files(sealed, other))
    portal.faults.append(second_fails())
    await visit(collector)
    portal.faults.clear()
    portal.submissions.clear()
    portal.add(sealed)
    office.clock.forward(minutes=71)
    await visit(collector)
    assert await SubmissionRecord.filter(confirmed=True).count() == 1
    assert (
        Blobs(office.settings.data / "blobs").path(sealed.manifest.submission, FIRST).read_bytes()
        == sealed.files[FIRST]
    )


async def test_a_file_that_came_before_the_connection_broke_is_not_asked_for_again(
    collector: Collector, portal: PortalSimulator, office: Office
) -> None:
    portal.add(two_files(office))
    portal.faults.append(second_fails())
    await visit(collector)
    portal.faults.clear()
    office.clock.forward(minutes=71)
    await visit(collector)
    assert await SubmissionRecord.filter(confirmed=True).count() == 1
    assert len([request for request in portal.requests if request.endswith(FIRST)]) == 1


@pytest.mark.parametrize(
    "how", [lambda: refusal(500, "internal"), lambda: answer(200, b"x")], ids=["refused", "altered"]
)
async def test_invented_submissions_that_fail_at_their_last_file_do_not_fill_the_disk(
    collector: Collector,
    portal: PortalSimulator,
    office: Office,
    monkeypatch: pytest.MonkeyPatch,
    how: Callable[[], httpx.Response],
) -> None:
    monkeypatch.setattr(unfinished, "UNFINISHED_BYTES_MAX", 3 * unfinished.COUNTED_BYTES_MIN)
    sealed = two_files(office)
    for _ in range(12):
        portal.add(under_new_id(sealed))
    portal.faults.append(second_fails(how))
    await visit(collector)
    assert count(office) == 3


async def test_what_failed_gives_way_when_the_disk_has_no_room_for_what_comes(
    collector: Collector,
    portal: PortalSimulator,
    office: Office,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    portal.add(two_files(office))
    portal.faults.append(second_fails())
    await visit(collector)
    true = under_new_id(sealed_report(office.world))
    portal.add(true)
    monkeypatch.setattr("oversight.reports.blobs.Blobs.is_room", lambda self, size: not count(office))
    await visit(collector)
    assert [row.id for row in await SubmissionRecord.all()] == [true.manifest.submission]


async def test_what_is_stored_although_it_seemed_to_fail_never_gives_way(
    collector: Collector,
    portal: PortalSimulator,
    office: Office,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The database took it, and its answer was lost."""
    store: Any = arrival._store

    async def lose_answer(*arguments: object) -> None:
        await store(*arguments)
        raise ConnectionResetError

    portal.add(two_files(office))
    monkeypatch.setattr("oversight.reports.arrival._store", lose_answer)
    await visit(collector)
    receiver = collector.submissions._receiver
    assert await receiver.unfinished.give_way()
    assert count(office) == 2
