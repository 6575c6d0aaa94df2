# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reports of the tests, sealed as a reporter's device does it, and the collector that fetches them."""

from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import httpx

from crypto.receipt_code import MailboxSecrets, derive, new_code
from crypto.submission import OutgoingAttachment, SealedSubmission, seal_submission
from oversight.collector.visit import Collector
from oversight.commission.charters import knows_charter
from oversight.reports.arrival import Receiver
from oversight.reports.blobs import Blobs
from oversight.wire.portal_client import PortalClient
from tests.chance import fresh_id
from tests.oversight.office import Office
from tests.people import PORTAL_ORIGIN, TODAY, World

DIGITS = new_code(lambda size: bytes(range(size)))
STORY = "في المطار أخذوه من الطابور rare-canary-word"
ANSWERS: dict[str, Any] = {
    "situation": "HELD",
    "urgency": ("UR-TORT-NOW",),
    "country": "TR",
    "what": ("EXT-NR-TORT", "INV-INT-COERCE"),
    "story": STORY,
}


@cache
def mailbox() -> MailboxSecrets:
    """The secrets of the receipt code that every report of the tests has."""
    return derive(DIGITS, PORTAL_ORIGIN)


def sealed_report(world: World, **changes: Any) -> SealedSubmission:
    """A sealed report; ``changes`` replace arguments of ``seal_submission``."""
    arguments: dict[str, Any] = {
        "charter": world.charter,
        "receipt_digits": DIGITS,
        "language": "ar",
        "answers": ANSWERS,
        "sealed_by": "browser",
        "today": TODAY,
    }
    return seal_submission(**{**arguments, **changes})


def attachment(data: bytes, name: str = "clinic note.txt") -> OutgoingAttachment:
    return OutgoingAttachment(name, "text/plain", data)


def under_new_id(sealed: SealedSubmission) -> SealedSubmission:
    """The same sealed files under another id, for tests that do not open them."""
    manifest = replace(sealed.manifest, submission=fresh_id())
    return replace(sealed, manifest=manifest, manifest_bytes=manifest.encode())


@dataclass
class Wire:
    """The office's connection to a portal."""

    office: Office
    transport: httpx.AsyncBaseTransport

    def client(self) -> PortalClient:
        office = self.office
        return PortalClient(PORTAL_ORIGIN, PORTAL_ORIGIN, office.world.office_key, self.transport, office.clock)

    def collector(self) -> Collector:
        office, client = self.office, self.client()
        receiver = Receiver(client, Blobs(office.settings.data / "blobs"), knows_charter)
        lock = office.settings.data / "collector.lock"
        return Collector(client, receiver, PORTAL_ORIGIN, office.world.office_key, lock, office.clock)

    async def collect(self) -> None:
        """One visit of a freshly started collector."""
        collector = self.collector()
        try:
            with self.office.database.use():
                await collector.run()
        finally:
            await collector.client.close()
