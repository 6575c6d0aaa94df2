# SPDX-License-Identifier: AGPL-3.0-or-later
"""A commission that answers a report, over the portal's own interfaces, without an office."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime

import httpx

from crypto.age import PqIdentity
from crypto.bundle import MEDIA_TYPE
from crypto.collection import Collection
from crypto.ids import MessageId
from crypto.message import Reply, message_id, seal_reply
from crypto.newest_charter import NewestCharter
from crypto.note import SigningKey, VerifierKey
from crypto.posting import Posting
from crypto.receipt_code import derive
from crypto.state import open_state
from crypto.submission import SealedSubmission, seal_submission
from crypto.thread_note import ThreadNote, seal_thread_note
from oversight.wire.connection import Connection
from oversight.wire.portal_client import PortalClient, SealedThreadNote
from tests.people import World, found_test_commission
from tests.servers import Program
from tests.waiting import SECONDS_MAX

OTHER_MANIFEST = "0" * 64


def today() -> date:
    return datetime.now(UTC).date()


class Commission:
    """The test commission, with its office key, at a portal."""

    def __init__(self, portal: Program) -> None:
        about = httpx.get(f"{portal.origin}/api/v1/portal", timeout=SECONDS_MAX).json()
        self._origin = portal.origin
        self.world: World = found_test_commission(
            portal.origin, VerifierKey.parse(about["verifier"]), realm=about["realm"]
        )

    def confirm_charter(self) -> None:
        """Say that the charter is the newest of today."""
        charter = self.world.charter
        note = NewestCharter(charter.realm, charter.slug, charter.number, charter.hash, today())
        signed = note.sign(self.world.office_key).encode()
        self.ask(lambda client: client.post_newest_charter(signed))

    def ask(self, request: Callable[[PortalClient], Awaitable[object]]) -> None:
        """Make one of the office's requests."""

        async def ask() -> None:
            client = PortalClient(Connection(self._origin), self._origin, self.world.office_key)
            try:
                await request(client)
            finally:
                await client.close()

        # The browser's own event loop runs in this thread.
        with ThreadPoolExecutor(1) as executor:
            executor.submit(asyncio.run, ask()).result(SECONDS_MAX)


class AnsweredReport(Commission):
    """A report that was sent to the test commission with a known code, and what the commission does with it."""

    def __init__(self, portal: Program, digits: str) -> None:
        super().__init__(portal)
        self._sealed = _seal(self.world, digits)
        headers = {"content-type": MEDIA_TYPE}
        answer = httpx.post(
            f"{portal.origin}/api/v1/submissions", content=self._sealed.bundle(), headers=headers, timeout=SECONDS_MAX
        )
        assert answer.status_code == 201, answer.text
        self.acknowledgement = answer.json()["acknowledgement"]
        secrets = derive(digits, self.world.charter.realm)
        self._mailbox = secrets.recipient
        self._thread = open_state(self._sealed.files["state.age"], secrets).thread
        self._number = 0
        self._notes = 0

    def collect(self, manifest: str | None = None) -> None:
        """Sign for the report, or for another manifest under its id."""
        note = Collection(
            realm=self.world.charter.realm,
            submission=self._sealed.manifest.submission,
            manifest_hash=manifest or self._sealed.manifest_hash,
            collected=today(),
        ).sign(self.world.office_key)
        self.ask(lambda client: client.collect(self._sealed.manifest.submission, note.encode()))

    def reply(self, body: str, language: str, signing_key: SigningKey | None = None, readable: bool = True) -> None:
        """Answer as Bruno Keller, or with another key, or to nobody in particular."""
        thread = self._thread
        charter = self.world.charter
        self._number += 1
        reply = Reply(thread.submission, thread.manifest, charter.hash, today(), language, thread.keys, body)
        recipients = (self._mailbox, thread.keys.recipient) if readable else (PqIdentity.generate().recipient(),)
        sealed = seal_reply(reply, signing_key or self.world["bruno"].signing_key, recipients)
        message = message_id(sealed)
        posting = Posting(
            charter.realm, thread.manifest, self._number, message, charter.number, charter.hash, today()
        ).sign(self.world.office_key)
        note = self._note(self._number, message)
        self.ask(lambda client: client.post_reply(posting.encode(), self._number - 1, sealed, note))

    def confirm(self, last: int, manifest: str | None = None) -> None:
        """Sign a thread note which says that replies up to ``last`` were written."""
        note = self._note(last, MessageId("0" * 32) if last else None, manifest)
        self.ask(lambda client: client.post_threads([note]))

    def _note(self, last: int, message: MessageId | None, manifest: str | None = None) -> SealedThreadNote:
        charter = self.world.charter
        self._notes += 1
        note = ThreadNote(
            realm=charter.realm,
            submission=self._thread.submission,
            manifest=manifest or self._thread.manifest,
            number=self._notes,
            day=today(),
            charter_number=charter.number,
            charter=charter.hash,
            last_reply=last,
            last_message=message,
        )
        sealed = seal_thread_note(note, self.world.office_key, self._mailbox)
        return SealedThreadNote(self._thread.submission, self._notes, sealed)


def _seal(world: World, digits: str) -> SealedSubmission:
    return seal_submission(
        charter=world.charter,
        receipt_digits=digits,
        language="ar",
        answers={"story": "They took him at the border crossing."},
        sealed_by="command-line",
        today=today(),
    )
