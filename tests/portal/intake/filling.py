# SPDX-License-Identifier: AGPL-3.0-or-later
"""Filling a small portal's shares, and holding it back in the middle of something."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest

from portal.storage.shares import Kind
from tests.chance import fresh_id
from tests.portal.world import RunningPortal, cut, sealed_report

FILE = "attachment-1.age"
FULL = (507, "storage-full")
STORE_BYTES = 200 * 1024 * 1024
UPLOADS = STORE_BYTES * 25 // 100
"""Room for twelve whole parts."""


def whole_part() -> bytes:
    """A whole part that passes for a file's first one."""
    return cut(sealed_report((9_000_000,)).files[FILE])[0]


async def fill_uploads(portal: RunningPortal, count: int) -> list[str]:
    """Put ``count`` unfinished uploads of one whole part each."""
    flood = [fresh_id() for _ in range(count)]
    for submission in flood:
        assert (await portal.put_part(submission, FILE, 0, whole_part())).status_code == 201
    return flood


async def kept(portal: RunningPortal, submission: str) -> int:
    return len(await portal.assembly.blobs.parts(submission))  # type: ignore[arg-type]


def in_use(portal: RunningPortal, kind: Kind) -> int:
    return portal.assembly.shares.used(kind)


@contextmanager
def held_back(kind: type, name: str) -> Iterator[tuple[asyncio.Event, asyncio.Event]]:
    """A method that says when it begins, and goes on when it is told to."""
    began, go_on = asyncio.Event(), asyncio.Event()
    original = getattr(kind, name)

    async def waiting(*given: Any) -> Any:
        began.set()
        await go_on.wait()
        return await original(*given)

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(kind, name, waiting)
        yield began, go_on
