# SPDX-License-Identifier: AGPL-3.0-or-later
"""Reports of the tests, sealed as a reporter's device does it, and the collector that fetches them."""

import hashlib
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

import httpx

from crypto.control import Control
from crypto.grant import open_grant
from crypto.ids import SubmissionId
from crypto.manifest import GRANT_FILE, STATE_FILE, SealedFile, commitment, manifest_hash
from crypto.message import FollowUp, message_id, seal_follow_up
from crypto.receipt_code import MailboxSecrets, derive, new_code
from crypto.submission import OutgoingAttachment, SealedSubmission, seal_submission
from crypto.thread_keys import ThreadKeys
from oversight.collector.visit import Collector
from oversight.commission.charters import charters_by_hash
from oversight.letters.records import ReplyRecord
from oversight.reports.arrival import Receiver
from oversight.reports.blobs import Blobs
from oversight.wire.connection import Connection
from oversight.wire.portal_client import PortalClient
from tests.chance import fresh_id
from tests.oversight.office import Office
from tests.people import PORTAL_ORIGIN, REALM, TODAY, World

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
    return derive(DIGITS, REALM)


def sealed_report(world: World, **changes: Any) -> SealedSubmission:
    """A sealed report; ``changes`` replace arguments of ``seal_submission``."""
    arguments: dict[str, Any] = {
        "charter": world.charter,
        "receipt_digits": DIGITS,
        "language": "ar",
        "answers": ANSWERS,
        "sealed_by": "browser",
        "urgency": "now",
        "today": TODAY,
    }
    return seal_submission(**{**arguments, **changes})


def attachment(data: bytes, name: str = "clinic note.txt") -> OutgoingAttachment:
    return OutgoingAttachment(name, "text/plain", data)


def under_new_id(sealed: SealedSubmission) -> SealedSubmission:
    """The same sealed files under another id, for tests that do not open them."""
    manifest = replace(sealed.manifest, submission=fresh_id())
    return replace(sealed, manifest=manifest, manifest_bytes=manifest.encode())


def with_files(sealed: SealedSubmission, files: Mapping[str, bytes]) -> SealedSubmission:
    """The same submission with other sealed files, as a device would send it that made these."""
    named = {name: data for name, data in files.items() if name != STATE_FILE}
    manifest = replace(
        sealed.manifest,
        files=tuple(SealedFile(name, len(data), hashlib.sha256(data).hexdigest()) for name, data in named.items()),
    )
    encoded = manifest.encode()
    committed = commitment(mailbox().leaf_nonce, manifest_hash(encoded))
    return SealedSubmission(manifest, encoded, committed, {**files})


def first_keys(sealed: SealedSubmission, world: World) -> ThreadKeys:
    """The keys to which the reporter writes at first."""
    grant = open_grant(sealed.files[GRANT_FILE], [person.identity for person in world.people])
    return ThreadKeys(0, grant.identity.recipient(), mailbox().message_mac)


def sealed_follow_up(sealed: SealedSubmission, world: World, number: int = 1, **changes: Any) -> bytes:
    """What the reporter writes after the report; ``changes`` replace members of it, or the ``keys``."""
    keys = changes.pop("keys", first_keys(sealed, world))
    true = FollowUp(sealed.manifest.submission, sealed.manifest_hash, number, TODAY, "message", 0, "One thing more.")
    return seal_follow_up(replace(true, **changes), keys)


def command(**changes: Any) -> bytes:
    """A control note of the mailbox; ``changes`` say what it commands, ``key`` signs it in the place of V."""
    key = changes.pop("key", mailbox().control_key)
    true = Control(REALM, mailbox().mailbox_id, "0" * 64, "1" * 64)
    return replace(true, **changes).sign(key).encode()


async def waiting_letter(
    world: World, submission: SubmissionId, number: int = 1, author: str = "bruno", sealed: bytes | None = None
) -> ReplyRecord:
    """A letter in the outbox; nobody opens it, so that any bytes will do."""
    content = sealed or b"letter %d" % number
    return await ReplyRecord.create(
        id=message_id(content),
        number=number,
        submission=submission,
        author=author,
        charter=world.charter.hash,
        day=TODAY,
        sealed=content,
    )


@dataclass
class Wire:
    """The office's connection to a portal; its patience runs on the clock ``seconds``."""

    office: Office
    transport: httpx.AsyncBaseTransport
    seconds: Callable[[], float] = time.monotonic

    def client(self) -> PortalClient:
        office = self.office
        connection = Connection(PORTAL_ORIGIN, self.transport, self.seconds)
        return PortalClient(connection, PORTAL_ORIGIN, office.world.office_key, office.clock)

    def collector(self) -> Collector:
        office, client = self.office, self.client()
        receiver = Receiver(client, Blobs(office.settings.data / "blobs"), charters_by_hash)
        lock = office.settings.data / "collector.lock"
        return Collector(client, receiver, lock, office.clock)

    async def collect(self) -> None:
        """One visit of a freshly started collector."""
        collector = self.collector()
        try:
            with self.office.database.use():
                await collector.run()
        finally:
            await collector.close()
