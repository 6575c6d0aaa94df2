# SPDX-License-Identifier: AGPL-3.0-or-later
"""A commission that answers a report, over the portal's own interfaces, without an office."""

import asyncio
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx

from crypto.age import PqIdentity
from crypto.bundle import MEDIA_TYPE
from crypto.collection import Collection
from crypto.message import Reply, message_id, seal_reply
from crypto.note import SigningKey, VerifierKey
from crypto.posting import Posting
from crypto.receipt_code import derive
from crypto.state import open_state
from crypto.submission import SealedSubmission, seal_submission
from crypto.thread_note import ThreadNote, seal_thread_note
from oversight.wire.portal_client import PortalClient, SealedThreadNote
from tests.people import World, found_test_commission
from tests.servers import Program
from tests.waiting import SECONDS_MAX


class AnsweredReport:
    """A report that was sent to the test commission with a known code, and what the commission does with it."""

    def __init__(self, portal: Program, digits: str) -> None:
        self._portal = portal
        self.world = _world(portal)
        self._sealed = _seal(self.world, digits)
        headers = {"content-type": MEDIA_TYPE}
        answer = httpx.post(
            f"{portal.origin}/api/v1/submissions", content=self._sealed.bundle(), headers=headers, timeout=SECONDS_MAX
        )
        assert answer.status_code == 201, answer.text
        secrets = derive(digits, self.world.charter.realm)
        self._mailbox = secrets.recipient
        self._keys = open_state(self._sealed.files["state.age"], secrets).thread.keys
        self._replies = 0

    def collect(self) -> None:
        note = Collection(
            realm=self.world.charter.realm,
            submission=self._sealed.manifest.submission,
            manifest_hash=self._sealed.manifest_hash,
            collected=datetime.now(UTC).date(),
        ).sign(self.world.office_key)
        self._ask(lambda client: client.collect(self._sealed.manifest.submission, note.encode()))

    def reply(self, body: str, language: str, signing_key: SigningKey | None = None, readable: bool = True) -> None:
        """Answer as Bruno Keller, or with another key, or to nobody in particular."""
        today, charter = datetime.now(UTC).date(), self.world.charter
        submission, manifest = self._sealed.manifest.submission, self._sealed.manifest_hash
        reply = Reply(submission, manifest, charter.hash, today, language, self._keys, body)
        recipients = (self._mailbox, self._keys.recipient) if readable else (PqIdentity.generate().recipient(),)
        sealed = seal_reply(reply, signing_key or self.world["bruno"].signing_key, recipients)
        self._replies += 1
        message = message_id(sealed)
        posting = Posting(charter.realm, manifest, self._replies, message, charter.number, charter.hash, today)
        thread = ThreadNote(
            realm=charter.realm,
            submission=submission,
            manifest=manifest,
            number=self._replies,
            day=today,
            charter_number=charter.number,
            charter=charter.hash,
            last_reply=self._replies,
            last_message=message,
        )
        note = SealedThreadNote(
            submission, self._replies, seal_thread_note(thread, self.world.office_key, self._mailbox)
        )
        posted = posting.sign(self.world.office_key).encode()
        self._ask(lambda client: client.post_reply(posted, sealed, note))

    def _ask(self, request: Callable[[PortalClient], Awaitable[object]]) -> None:
        async def ask() -> None:
            client = PortalClient(self._portal.origin, self._portal.origin, self.world.office_key)
            try:
                await request(client)
            finally:
                await client.close()

        # The browser's own event loop runs in this thread.
        with ThreadPoolExecutor(1) as executor:
            executor.submit(asyncio.run, ask()).result(SECONDS_MAX)


def _world(portal: Program) -> World:
    about = httpx.get(f"{portal.origin}/api/v1/portal", timeout=SECONDS_MAX).json()
    return found_test_commission(portal.origin, VerifierKey.parse(about["verifier"]), realm=about["realm"])


def _seal(world: World, digits: str) -> SealedSubmission:
    return seal_submission(
        charter=world.charter,
        receipt_digits=digits,
        language="ar",
        answers={"story": "They took him at the border crossing."},
        sealed_by="command-line",
        today=datetime.now(UTC).date(),
    )
