# SPDX-License-Identifier: AGPL-3.0-or-later
"""An attachment on its way to the office, piece by piece: what it meets on the disk, and who goes away meanwhile."""

import errno
import os
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path

import httpx
import pytest

from crypto.submission import SealedSubmission
from portal.kit.connections import Connections
from portal.storage import local_blobs
from portal.storage.blobs import PIECE_BYTES
from tests.people import PORTAL_ORIGIN
from tests.portal.kit.http_server import listening, until
from tests.portal.office_api.request_signer import RequestSigner
from tests.portal.world import API, RunningPortal, bundle_without_attachments, error_code, fresh_report

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


async def test_a_part_that_is_missing_is_told_before_the_answer_begins(portal: RunningPortal) -> None:
    sealed = await accepted(portal)
    stored_parts(portal)[0].unlink()
    assert error_code(await fetch(portal, sealed)) == (500, "internal")


async def test_an_answer_in_which_a_part_is_missing_is_never_taken_for_the_whole(portal: RunningPortal) -> None:
    sealed = await accepted(portal)
    stored_parts(portal)[1].unlink()
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
    turns = portal.assembly.turns.offices
    async with download(portal, sealed) as answer:
        await anext(answer.aiter_raw())
        assert turns.share_in_use() > 0
        await answer.aclose()
        await until(lambda: turns.share_in_use() == 0)
    assert len(reads) < len(sealed.files[FILE]) // PIECE_BYTES
    assert open_below(portal.data / "blobs" / "parts") == []
