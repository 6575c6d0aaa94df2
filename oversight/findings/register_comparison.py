# SPDX-License-Identifier: AGPL-3.0-or-later
"""What stands in the portal's register against what this office published (docs/protocol.md §14.4).

A register that was restored from a backup has lost findings, corrections and withdrawals; it takes them back by its own
receipts, which are kept here for that. Nothing of this office's own says what stands there: the list does.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date

from crypto.errors import CryptoError
from crypto.ids import FindingId, TextHash
from crypto.publication import read_publication
from oversight.commission.charters import charters_by_hash, current_charter
from oversight.findings.records import PublicationRecord
from oversight.reports.beyond_help import FINDING, replace_lost
from oversight.wire.comparison_requests import RegisterEntry
from oversight.wire.list_reading import PAGES_MAX, ListReading
from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_errors import PortalUnreachable
from oversight.wire.retry import MENDED

UNKNOWN_MAX = 100
PAGES_READ_MAX = 200
"""More revisions than any commission publishes: a list that goes on is no list."""


async def compare_register(client: PortalClient, today: date) -> bool:
    """Read the whole list; keep its receipts, and put what is missing in it on its way once more.

    Returns whether anything was missing. Raises PortalUnreachable (``endless``) for a list that has no end.
    """
    reading, own = ListReading(), _Own((await current_charter()).slug)
    for _ in range(PAGES_READ_MAX // PAGES_MAX):
        async for entries in reading.pages(client.findings):
            await own.compare(entries, today)
        if reading.ended:
            break
    else:
        raise PortalUnreachable("the register's list does not end", "endless")
    await replace_lost(FINDING, [(finding, None) for finding in sorted(own.unknown)], today)
    gone = PublicationRecord.exclude(posted_on=None).exclude(hash__in=list(own.listed))
    return bool(await gone.update(posted_on=None, **MENDED))


async def lacks_receipts() -> bool:
    """Whether the portal's list was not read since something was published."""
    return await PublicationRecord.exclude(posted_on=None).filter(receipt=None).exists()


@dataclass
class _Own:
    """This commission's revisions in the list: those that this office published, and findings that it does not know."""

    slug: str
    listed: set[TextHash] = field(default_factory=set)
    unknown: set[FindingId] = field(default_factory=set)

    async def compare(self, entries: Sequence[RegisterEntry], today: date) -> None:
        """Take a page of the list."""
        named = {entry.hash: entry for entry in entries}
        here = {row.hash: row for row in await PublicationRecord.filter(hash__in=list(named))}
        self.listed |= set(here)
        theirs = f":{self.slug.upper()}:"
        unknown = {entry.finding for entry in entries if entry.hash not in here and theirs in entry.finding}
        self.unknown |= set(list(unknown)[: max(0, UNKNOWN_MAX - len(self.unknown))])
        for text, row in here.items():
            await _settle(row, named[text], today)


async def _settle(row: PublicationRecord, entry: RegisterEntry, today: date) -> None:
    """What stands in the register is posted, whatever was refused before."""
    portals = list({charter.portal for charter in (await charters_by_hash()).values()})
    with suppress(CryptoError):
        taken = read_publication(entry.receipt, portals)
        if (taken.hash, taken.finding) == (row.hash, row.finding) and row.receipt is None:
            await PublicationRecord.filter(hash=row.hash).update(receipt=entry.receipt)
    if row.progress != "posted":
        await PublicationRecord.filter(hash=row.hash).update(posted_on=today, refused=None, **MENDED)
