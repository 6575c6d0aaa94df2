# SPDX-License-Identifier: AGPL-3.0-or-later
"""The collector beside the pages: one visit after the other, as long as the office serves."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress

import httpx

from oversight.collector.visit import Collector, CollectorBusy
from oversight.commission.charters import charters_by_hash, current_charter, is_founded
from oversight.commission.keys import OfficeSafe
from oversight.commission.portal import Clock, connect
from oversight.commission.portal_visits import PortalVisits
from oversight.reports.arrival import Receiver
from oversight.reports.blobs import Blobs
from oversight.settings import Settings
from oversight.wire.portal_errors import PortalAway, PortalError
from portal.kit.unwritable import why_unwritable

LOG = logging.getLogger("oversight.collector")
WAIT_SECONDS_MAX = 30 * 60


async def collect_while_serving(
    settings: Settings,
    safe: OfficeSafe,
    transport: httpx.AsyncBaseTransport | None,
    clock: Clock,
    visits: PortalVisits,
) -> None:
    """Visit the portal of the settings until cancelled, once a commission is founded and the office's keys are open.

    ``visits`` is what they and the office's pages tell each other.
    """
    async with AsyncExitStack() as open_ones:

        async def prepare() -> Collector | None:
            if not safe.is_open or not await is_founded():
                return None
            charter = await current_charter()
            client = await open_ones.enter_async_context(connect(settings, safe, charter, transport, clock))
            receiver = Receiver(client, Blobs(settings.data / "blobs"), charters_by_hash)
            collector = Collector(client, receiver, settings.data / "collector.lock", clock)
            collector.pages = visits
            open_ones.push_async_callback(collector.close)
            return collector

        async def sleep(seconds: float) -> None:
            with suppress(TimeoutError):
                async with asyncio.timeout(seconds):
                    await visits.begin_now.wait()
            visits.begin_now.clear()

        await collect_forever(prepare, settings.collect_seconds, sleep)


async def collect_forever(
    prepare: Callable[[], Awaitable[Collector | None]], seconds: float, sleep: Callable[[float], Awaitable[None]]
) -> None:
    """Visit the portal every ``seconds``; ever more rarely, up to every half hour, while nobody answers there at all.

    A portal that answers badly, or now and then, is visited as often as ever: what it does to one item must not delay
    the others. So it is when this office's own disk or database takes nothing.
    ``prepare`` gives the collector, or nothing as long as no commission is founded. Ends when it is cancelled, and for
    no other reason: an office whose collector has died without a word would leave reports lying at the portal.
    """
    failures = 0
    collector: Collector | None = None
    while True:
        try:
            collector = collector or await prepare()
            if collector is not None:
                await collector.run()
            failures = 0
        except CollectorBusy:
            failures = 0
        except Exception as error:
            if isinstance(error, PortalError):
                away = isinstance(error, PortalAway) and not (collector and collector.answered)
                failures = failures + 1 if away else 0
            else:
                LOG.error("a visit to the portal failed: %s", type(error).__name__)
                # What this office's own disk or database failed at goes on as soon as that is back.
                failures = failures + 1 if why_unwritable(error) is None else 0
        await sleep(min(seconds * 2 ** min(failures, 16), max(seconds, WAIT_SECONDS_MAX)))
