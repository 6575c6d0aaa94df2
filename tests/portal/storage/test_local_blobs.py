# SPDX-License-Identifier: AGPL-3.0-or-later
"""Parts in a folder whose requests end while a thread works for them."""

import asyncio
from pathlib import Path
from threading import Event

import pytest

from crypto.ids import SubmissionId
from portal.storage import local_blobs
from portal.storage.blobs import PIECE_BYTES
from portal.storage.local_blobs import LocalBlobs


async def test_a_part_whose_request_ends_while_its_file_is_made_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As when a turn is taken from who comes slowest, and the disk is slow."""
    begun, go_on = Event(), Event()

    def slowly(store: LocalBlobs) -> None:
        begun.set()
        go_on.wait()

    monkeypatch.setattr(local_blobs, "_check_room", slowly)
    blobs = LocalBlobs(tmp_path / "blobs")
    writer = blobs.new_part(SubmissionId("ab" * 16))
    request = asyncio.create_task(writer.write(bytes(PIECE_BYTES)))
    await asyncio.to_thread(begun.wait)
    request.cancel()
    await asyncio.gather(request, return_exceptions=True)
    discarding = asyncio.create_task(writer.discard())
    await asyncio.sleep(0)
    go_on.set()
    await discarding
    await blobs.close()
    assert request.cancelled()
    assert list(blobs.incoming.iterdir()) == []
