# SPDX-License-Identifier: AGPL-3.0-or-later
"""An object store that goes away under a running portal, is full, or breaks off: who needs it is asked to come back,
all else goes on, nothing acknowledged is lost, and when it is back everything goes on by itself."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest
import pytest_asyncio

from crypto.ids import SubmissionId
from crypto.submission import SealedSubmission
from portal import assembly
from portal.storage import s3_blobs
from portal.storage.open_blobs import open_blobs
from tests.chance import fresh_id
from tests.portal.office_api.test_downloads import download, fetch
from tests.portal.storage.object_store import ObjectStore
from tests.portal.storage.test_lost_database import until
from tests.portal.storage.way_to_store import WayToStore, error_answer, way_to
from tests.portal.world import (
    API,
    RunningPortal,
    another,
    bundle_without_attachments,
    error_code,
    fresh_report,
    running_portal,
)

AWAY = (503, "unavailable")
FULL = (507, "storage-full")
FILE = "attachment-1.age"
# Requests for a piece of a part: for any, for the first, for one behind it. What broke off is asked for by its rest.
PIECE, FIRST_PIECE, LATER_PIECE = b"bytes=", b"bytes=0-", b"bytes=1"


@pytest_asyncio.fixture
async def way(object_store: ObjectStore, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[WayToStore]:
    """The way to the store. What goes on beside the requests is due many times a second, and so are repeats."""
    monkeypatch.setattr(assembly, "MINUTE_SECONDS", 0.005)
    monkeypatch.setattr(s3_blobs, "FIRST_WAIT_SECONDS", 0.001)
    async with way_to(object_store) as way:
        for name, value in object_store.environment.items():
            monkeypatch.setenv(name, value)
        monkeypatch.setenv("AWS_ENDPOINT_URL", f"http://127.0.0.1:{way.port}")
        yield way


@asynccontextmanager
async def portal_over(folder: Path) -> AsyncIterator[RunningPortal]:
    """A portal whose attachments are in the store."""
    async with running_portal(folder, blobs=open_blobs(f"s3://amparo/{fresh_id()}", 0)) as portal:
        portal.ask_for_no_work()
        yield portal


@pytest_asyncio.fixture
async def portal(way: WayToStore, tmp_path: Path) -> AsyncIterator[RunningPortal]:
    async with portal_over(tmp_path) as running:
        yield running


async def all_that_needs_the_store(portal: RunningPortal, held: SealedSubmission) -> list[httpx.Response]:
    """A part, their listing, a submission with its attachments, one whose parts are there, the office's download."""
    sealed = fresh_report(1000)
    submission = sealed.manifest.submission
    return [
        await portal.put_part(submission, FILE, 0, sealed.files[FILE]),
        await portal.client.get(f"{API}/uploads/{submission}"),
        await portal.submit(sealed.bundle()),
        await portal.submit(bundle_without_attachments(another(held))),
        await fetch(portal, held),
    ]


async def accepted(portal: RunningPortal, size: int = 1000) -> SealedSubmission:
    sealed = fresh_report(size)
    await portal.put_parts(sealed)
    assert (await portal.submit(bundle_without_attachments(sealed))).status_code == 201
    return sealed


@pytest.mark.parametrize("status", [0, 500, 503, 403])
async def test_a_store_that_goes_away_and_comes_back(portal: RunningPortal, way: WayToStore, status: int) -> None:
    before = await accepted(portal)
    unfinished = fresh_id()
    assert (await portal.put_part(unfinished, FILE, 0, before.files[FILE])).status_code == 201
    if status:
        way.instead[b"HTTP/1.1"] = error_answer(status, "SlowDown")
    else:
        await way.shut()
    for answer in await all_that_needs_the_store(portal, before):
        assert error_code(answer) == AWAY
        assert int(answer.headers["retry-after"]) > 0
    # What needs no attachment goes on.
    assert (await portal.submit(fresh_report().bundle())).status_code == 201
    assert (await portal.office("GET", "/submissions?after=0")).status_code == 200
    portal.clock.pass_days(30)
    if status:
        way.instead.clear()
    else:
        await way.open()
    assert (await fetch(portal, before)).content == before.files[FILE]
    await accepted(portal)

    async def is_swept() -> bool:
        return not await portal.assembly.blobs.parts(unfinished)

    await until(is_swept)


async def test_a_portal_that_is_started_before_its_store_takes_reports_once_that_is_there(
    way: WayToStore, tmp_path: Path
) -> None:
    await way.shut()
    async with portal_over(tmp_path) as portal:
        sealed = fresh_report(1000)
        assert error_code(await portal.submit(sealed.bundle()))[0] == httpx.codes.SERVICE_UNAVAILABLE
        await way.open()

        async def is_taken() -> bool:
            return (await portal.submit(sealed.bundle())).is_success

        await until(is_taken)


@pytest.mark.parametrize(
    ("status", "code"),
    [(507, "InsufficientStorage"), (507, "XMinioStorageFull"), (403, "QuotaExceeded"), (500, "XMinioStorageFull")],
)
async def test_a_store_that_is_full_says_so(portal: RunningPortal, way: WayToStore, status: int, code: str) -> None:
    before = await accepted(portal)
    way.instead[b"PUT "] = error_answer(status, code)
    sealed = fresh_report(1000)
    refused = await portal.put_part(sealed.manifest.submission, FILE, 0, sealed.files[FILE])
    assert error_code(refused) == error_code(await portal.submit(sealed.bundle())) == FULL
    assert int(refused.headers["retry-after"]) > 0
    assert (await fetch(portal, before)).content == before.files[FILE]
    way.instead.clear()
    assert (await portal.submit(sealed.bundle())).status_code == 201


async def test_a_name_with_the_digits_of_full_is_not_full(portal: RunningPortal, way: WayToStore) -> None:
    way.instead[b"PUT "] = error_answer(500, "InternalError")
    part = fresh_report(1000).files[FILE]
    assert error_code(await portal.put_part("507" * 10 + "ab", FILE, 0, part)) == AWAY


async def test_a_store_that_breaks_off_while_parts_are_read_through(portal: RunningPortal, way: WayToStore) -> None:
    sealed = fresh_report(3_000_000)
    await portal.put_parts(sealed)
    way.instead[LATER_PIECE] = 100_000
    assert error_code(await portal.submit(bundle_without_attachments(sealed))) == AWAY
    way.instead.clear()
    assert (await portal.submit(bundle_without_attachments(sealed))).status_code == 201


@pytest.mark.parametrize("instead", [100_000, error_answer(500, "InternalError"), error_answer(404, "NoSuchKey")])
async def test_a_store_that_breaks_off_in_a_download(
    portal: RunningPortal, way: WayToStore, instead: bytes | int
) -> None:
    sealed = await accepted(portal, 3_000_000)
    way.instead[LATER_PIECE] = instead
    async with download(portal, sealed) as answer:
        with pytest.raises(httpx.RemoteProtocolError):
            await answer.aread()
    way.instead = {PIECE: 100_000}
    assert error_code(await fetch(portal, sealed)) == AWAY
    way.instead = {PIECE: error_answer(404, "NoSuchKey")}
    assert error_code(await fetch(portal, sealed)) == (404, "not-found")
    way.instead = {FIRST_PIECE: 100_000}
    assert (await fetch(portal, sealed)).content == sealed.files[FILE]


async def test_a_store_is_asked_again_a_few_times_and_no_more(way: WayToStore) -> None:
    blobs = open_blobs(f"s3://amparo/{fresh_id()}", 0)
    way.instead[b"HTTP/1.1"] = error_answer(503, "SlowDown")
    with pytest.raises(ConnectionError):
        await blobs.parts(SubmissionId(fresh_id()))
    assert way.asked == 1 + s3_blobs.RETRIES_MAX
