# SPDX-License-Identifier: AGPL-3.0-or-later
"""Floods of the portal's store: a minute of each, and what another reporter meets meanwhile.

``python -m benchmarks.flood_storage`` starts a portal of its own with 2 GiB of room, plays each flood for some seconds
and prints, beside an unflooded run, how long a small report and a report with a file of 20 MB take to be accepted.
Nobody is asked for work, the flood neither: what the shares do alone is measured.
"""

import asyncio
import logging
import tempfile
import time
from collections.abc import Awaitable, Callable
from pathlib import Path

from tests.chance import fresh_id
from tests.portal.world import (
    RunningPortal,
    bundle_that_misnames,
    bundle_without_attachments,
    cut,
    error_code,
    fresh_report,
    running_portal,
    sealed_report,
)

STORE_BYTES = 2 * 1024**3
SECONDS = 8.0
FLOODERS = 4
FILE = "attachment-1.age"
Flood = Callable[[RunningPortal], Awaitable[None]]


async def nothing(_: RunningPortal) -> None:
    await asyncio.sleep(0.05)


async def whole_parts(portal: RunningPortal) -> None:
    """An unfinished upload of one whole part."""
    await portal.put_part(fresh_id(), FILE, 0, cut(sealed_report((9_000_000,)).files[FILE])[0])


async def small_parts(portal: RunningPortal) -> None:
    """An unfinished upload of one small file."""
    await portal.put_part(fresh_id(), FILE, 0, sealed_report((10,)).files[FILE])


async def made_up_reports(portal: RunningPortal) -> None:
    """A report that nobody wrote."""
    await portal.submit(fresh_report().bundle())


async def misnaming_bundles(portal: RunningPortal) -> None:
    """A bundle of 50 KB that names an upload of 40 MB, and another hash than it has."""
    sealed = sealed_report((40_000_000,))
    answer = await portal.submit(bundle_that_misnames(sealed, FILE))
    if error_code(answer) == (422, "file-missing"):
        await portal.put_parts(sealed)


FLOODS: tuple[Flood, ...] = (nothing, whole_parts, small_parts, made_up_reports, misnaming_bundles)


async def main() -> None:
    # This portal has no pages, and says so.
    logging.disable(logging.ERROR)
    for flood in FLOODS:
        with tempfile.TemporaryDirectory() as folder:
            async with running_portal(Path(folder), store_bytes=STORE_BYTES) as portal:
                portal.ask_for_no_work()
                await _measure(portal, flood)


async def _measure(portal: RunningPortal, flood: Flood) -> None:
    async def keep_on() -> None:
        while True:
            await flood(portal)

    flooding = [asyncio.create_task(keep_on()) for _ in range(FLOODERS)]
    await asyncio.sleep(SECONDS)
    small, with_file = [], []
    for _ in range(5):
        started = time.perf_counter()
        status = (await portal.submit(fresh_report().bundle())).status_code
        small.append((time.perf_counter() - started, status))
        started = time.perf_counter()
        sealed = fresh_report(20_000_000)
        await portal.put_parts(sealed)
        status = (await portal.submit(bundle_without_attachments(sealed))).status_code
        with_file.append((time.perf_counter() - started, status))
    for task in flooding:
        task.cancel()
    await asyncio.gather(*flooding, return_exceptions=True)
    used = portal.assembly.shares.pressure()
    print(
        f"{flood.__name__:17} small report {_median(small)}, with 20 MB {_median(with_file)}, share in use {used:.2f}"
    )


def _median(measured: list[tuple[float, int]]) -> str:
    seconds, _ = sorted(measured)[len(measured) // 2]
    refused = sum(status not in (200, 201) for _, status in measured)
    return f"{1000 * seconds:6.0f} ms ({refused} of {len(measured)} refused)"


if __name__ == "__main__":
    asyncio.run(main())
