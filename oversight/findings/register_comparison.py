# SPDX-License-Identifier: AGPL-3.0-or-later
"""What stands in the portal's register against what this office published (docs/protocol.md §14.4).

A register that was restored from a backup has lost findings, corrections and withdrawals; it takes them back by its own
receipts, which are kept here for that. Nothing of this office's own says what stands there: the list does.
"""

from collections.abc import Collection, Mapping
from datetime import date

from crypto.errors import CryptoError
from crypto.ids import TextHash
from crypto.publication import read_publication
from oversight.commission.charters import charters_by_hash
from oversight.findings.records import PublicationRecord
from oversight.reports.beyond_help import FINDING, replace_lost
from oversight.wire.comparison_requests import RegisterEntry
from oversight.wire.list_reading import ListReading
from oversight.wire.portal_client import PortalClient
from oversight.wire.retry import MENDED


async def compare_register(client: PortalClient, today: date) -> bool:
    """Read the whole list; keep its receipts, and put what is missing in it on its way once more.

    Returns whether anything was missing.
    """
    reading, listed = ListReading(), dict[TextHash, RegisterEntry]()
    while not reading.ended:
        async for entries in reading.pages(client.findings):
            listed.update((entry.hash, entry) for entry in entries)
    await _keep_receipts(listed)
    unknown = set(listed) - await _published(listed)
    await replace_lost(FINDING, [(listed[text].finding, None) for text in sorted(unknown)], today)
    gone = PublicationRecord.exclude(posted_on=None).exclude(hash__in=list(listed))
    return bool(await gone.update(posted_on=None, **MENDED))


async def lacks_receipts() -> bool:
    """Whether the portal's list was not read since something was published."""
    return await PublicationRecord.exclude(posted_on=None).filter(receipt=None).exists()


async def _published(listed: Collection[TextHash]) -> set[TextHash]:
    return {row.hash for row in await PublicationRecord.filter(hash__in=list(listed)).only("hash")}


async def _keep_receipts(listed: Mapping[TextHash, RegisterEntry]) -> None:
    portals = list({charter.portal for charter in (await charters_by_hash()).values()})
    for row in await PublicationRecord.filter(hash__in=list(listed), receipt=None).only("hash", "finding"):
        entry = listed[row.hash]
        try:
            taken = read_publication(entry.receipt, portals)
        except CryptoError:
            continue
        if (taken.hash, taken.finding) == (row.hash, row.finding):
            await PublicationRecord.filter(hash=row.hash).update(receipt=entry.receipt)
