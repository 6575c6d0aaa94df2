# SPDX-License-Identifier: AGPL-3.0-or-later
"""An attachment on its way to the office, piece by piece: what it meets on the disk, and who goes away meanwhile."""

import errno
import os
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path

import httpx
import pytest

from crypto.submission import SealedSubmission
from portal.kit.connections import Connections
from portal.storage import local_blobs
from portal.storage.blobs import PIECE_BYTES
from tests.people import PORTAL_ORIGIN, World, found_test_commission
from tests.portal.kit.http_server import listening, until
from tests.portal.office_api.request_signer import RequestSigner
from tests.portal.unread import answer_that_nobody_reads
from tests.portal.world import (
    API,
    RunningPortal,
    another,
    bundle_without_attachments,
    error_code,
    fresh_report,
    publish,
    running_portal,
    sealed_report,
)

FILE = "attachment-1.age"
REAL_READ = local_blobs._read_piece
Read = Callable[[Path, int], bytes]


async def accepted(portal: RunningPortal) -> SealedSubmission:
    """A report with an attachment of three parts."""
    sealed = fresh_report(9_000_000)
    assert (await portal.submit(sealed.bundle())).status_code == 201
    return sealed


def stored_parts(portal: RunningPortal) -> list[Path]:
    return sorted((portal.data / "blobs" / "parts").glob(f"*/{FILE}/*"))


def open_below(folder: Path) -> list[Path]:
    """What this process has open in a folder."""
    links = [path for path in Path("/proc/self/fd").iterdir() if path.is_symlink()]
    return [found for path in links if (found := path.resolve()).is_relative_to(folder)]


@asynccontextmanager
async def download(portal: RunningPortal, sealed: SealedSubmission) -> AsyncIterator[httpx.Response]:
    """The answer to the office over a real connection, its body not read."""
    path = f"{API}/office/submissions/{sealed.manifest.submission}/files/{FILE}"
    headers = RequestSigner(portal.world.office_key, portal.clock).headers("GET", PORTAL_ORIGIN + path, None)
    async with (
        listening(portal.app, Connections(10)) as port,
        httpx.AsyncClient(base_url=f"http://127.0.0.1:{port}") as client,
        client.stream("GET", path, headers=headers) as answer,
    ):
        yield answer


async def fetch(portal: RunningPortal, sealed: SealedSubmission) -> httpx.Response:
    return await portal.office("GET", f"/submissions/{sealed.manifest.submission}/files/{FILE}")


async def test_no_more_than_a_piece_is_asked_of_the_disk_at_once(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    sizes: list[int] = []

    def read(path: Path, start: int) -> bytes:
        piece = REAL_READ(path, start)
        sizes.append(len(piece))
        return piece

    sealed = fresh_report(9_000_000)
    await portal.put_parts(sealed)
    monkeypatch.setattr(local_blobs, "_read_piece", read)
    assert (await portal.submit(bundle_without_attachments(sealed))).status_code == 201
    assert (await fetch(portal, sealed)).content == sealed.files[FILE]
    assert sum(sizes) == 2 * len(sealed.files[FILE])
    assert max(sizes) == PIECE_BYTES


@pytest.mark.parametrize("which", [0, 1, 2])
async def test_a_part_that_is_missing_or_has_lost_its_end_is_told_before_the_answer_begins(
    portal: RunningPortal, which: int
) -> None:
    sealed = await accepted(portal)
    part = stored_parts(portal)[which]
    whole = part.read_bytes()
    os.truncate(part, len(whole) - 1)
    assert error_code(await fetch(portal, sealed)) == (404, "not-found")
    part.unlink()
    assert error_code(await fetch(portal, sealed)) == (404, "not-found")
    report = f"/submissions/{sealed.manifest.submission}/files/report.age"
    assert (await portal.office("GET", report)).status_code == 200
    part.write_bytes(whole)
    assert (await fetch(portal, sealed)).content == sealed.files[FILE]


async def test_a_part_that_goes_between_the_look_and_the_answer_is_told_too(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path, start: int) -> bytes:
        path.unlink()
        return REAL_READ(path, start)

    sealed = await accepted(portal)
    monkeypatch.setattr(local_blobs, "_read_piece", read)
    assert error_code(await fetch(portal, sealed)) == (404, "not-found")


async def test_an_answer_in_which_a_part_goes_is_never_taken_for_the_whole(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path, start: int) -> bytes:
        second.unlink(missing_ok=True)
        return REAL_READ(path, start)

    sealed = await accepted(portal)
    second = stored_parts(portal)[1]
    monkeypatch.setattr(local_blobs, "_read_piece", read)
    async with download(portal, sealed) as answer:
        assert answer.status_code == httpx.codes.OK
        with pytest.raises(httpx.RemoteProtocolError):
            await answer.aread()


async def test_an_answer_in_which_the_disk_fails_is_never_taken_for_the_whole(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path, start: int) -> bytes:
        if start:
            raise OSError(errno.EIO, "Input/output error")
        return REAL_READ(path, start)

    sealed = await accepted(portal)
    monkeypatch.setattr(local_blobs, "_read_piece", read)
    async with download(portal, sealed) as answer:
        with pytest.raises(httpx.RemoteProtocolError):
            await answer.aread()
    monkeypatch.undo()
    assert (await fetch(portal, sealed)).content == sealed.files[FILE]


async def test_a_part_that_loses_its_end_meanwhile_ends_there(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The office knows how large the file shall be, and tells it from a whole one."""

    def read(path: Path, start: int) -> bytes:
        if start:
            os.truncate(path, start)
        return REAL_READ(path, start)

    sealed = await accepted(portal)
    last = stored_parts(portal)[-1]
    whole, rest = len(sealed.files[FILE]), last.stat().st_size
    monkeypatch.setattr(
        local_blobs, "_read_piece", lambda path, start: (read if path == last else REAL_READ)(path, start)
    )
    kept = whole - rest + PIECE_BYTES
    assert (await fetch(portal, sealed)).content == sealed.files[FILE][:kept]


async def test_an_office_that_goes_away_leaves_nothing_open_and_nothing_running(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    reads: list[int] = []

    def read(path: Path, start: int) -> bytes:
        reads.append(start)
        return REAL_READ(path, start)

    sealed = fresh_report(20_000_000)
    assert (await portal.submit(sealed.bundle())).status_code == 201
    monkeypatch.setattr(local_blobs, "_read_piece", read)
    turns = portal.assembly.turns
    async with download(portal, sealed) as answer:
        await anext(answer.aiter_raw())
        assert turns.downloads.in_use() == 1
        await answer.aclose()
        await until(lambda: turns.downloads.in_use() == 0)
    assert len(reads) < len(sealed.files[FILE]) // PIECE_BYTES
    assert open_below(portal.data / "blobs" / "parts") == []


@asynccontextmanager
async def unread_download(portal: RunningPortal, sealed: SealedSubmission, world: World) -> AsyncIterator[int]:
    """The status of the answer to a commission's office, which reads no more than that."""
    path = f"/office/submissions/{sealed.manifest.submission}/files/{FILE}"
    headers = RequestSigner(world.office_key, portal.clock).headers("GET", PORTAL_ORIGIN + API + path, None)
    async with answer_that_nobody_reads(portal, "GET", path, headers=headers) as sent:
        yield sent[0]["status"]


async def test_a_commission_whose_offices_read_slowly_keeps_its_own_files_waiting_and_no_other(tmp_path: Path) -> None:
    other = found_test_commission(slug="second-commission")
    async with running_portal(tmp_path, waiting_max=8) as portal, AsyncExitStack() as downloads:
        portal.ask_for_no_work()
        await publish(portal, other)
        mine, theirs = fresh_report(10), another(sealed_report(), charter=other.charter.hash)
        assert [(await portal.submit(each.bundle())).status_code for each in (mine, theirs)] == [201, 201]
        slow = [await downloads.enter_async_context(unread_download(portal, mine, portal.world)) for _ in range(3)]
        assert slow == [200, 200, 503]
        assert error_code(await fetch(portal, mine)) == (503, "busy")
        assert (await portal.office("GET", "/submissions?after=0")).status_code == 200
        path = f"/submissions/{theirs.manifest.submission}/files/report.age"
        assert (await portal.office("GET", path, key=other.office_key)).status_code == 200
        await downloads.aclose()
        assert (await fetch(portal, mine)).status_code == 200


async def test_downloads_that_nobody_reads_keep_no_short_request_waiting(tmp_path: Path) -> None:
    async with running_portal(tmp_path, waiting_max=1) as portal:
        portal.ask_for_no_work()
        sealed = fresh_report(10)
        await portal.put_parts(sealed)
        assert (await portal.submit(bundle_without_attachments(sealed))).status_code == 201
        async with unread_download(portal, sealed, portal.world) as status:
            assert status == 200
            assert error_code(await fetch(portal, sealed)) == (503, "busy")
            assert (await portal.office("GET", "/submissions?after=0")).status_code == 200


async def test_a_file_is_not_read_for_whoever_asks_for_its_head_alone(
    portal: RunningPortal, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(path: Path, start: int) -> bytes:
        raise AssertionError("the file was read")

    sealed = await accepted(portal)
    monkeypatch.setattr(local_blobs, "_read_piece", read)
    answer = await portal.office("HEAD", f"/submissions/{sealed.manifest.submission}/files/{FILE}")
    assert (answer.status_code, answer.headers["allow"]) == (405, "GET")
