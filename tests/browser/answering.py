# SPDX-License-Identifier: AGPL-3.0-or-later
"""A commission that answers a report, over the portal's own interfaces, without an office."""

import asyncio
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime

import httpx

from crypto.age import PqIdentity
from crypto.bundle import MEDIA_TYPE
from crypto.collection import Collection
from crypto.message import Reply, seal_reply
from crypto.note import SigningKey, VerifierKey
from crypto.receipt_code import derive
from crypto.state import open_state
from crypto.submission import SealedSubmission, seal_submission
from oversight.wire.portal_client import PortalClient
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
        secrets = derive(digits, portal.origin)
        self._recipients = (
            secrets.identity.recipient(),
            open_state(self._sealed.files["state.age"], secrets).recipient,
        )

    def collect(self) -> None:
        note = Collection(
            origin=self._portal.origin,
            submission=self._sealed.manifest.submission,
            manifest_hash=self._sealed.manifest_hash,
            collected=datetime.now(UTC).date(),
        ).sign(self.world.office_key)
        self._ask("collect", note.encode())

    def reply(self, body: str, language: str, signing_key: SigningKey | None = None, readable: bool = True) -> None:
        """Answer as Bruno Keller, or with another key, or to nobody in particular."""
        reply = Reply(
            self._sealed.manifest.submission, self.world.charter.hash, datetime.now(UTC).date(), language, body
        )
        recipients = self._recipients if readable else (PqIdentity.generate().recipient(),)
        self._ask("post_reply", seal_reply(reply, signing_key or self.world["bruno"].signing_key, recipients))

    def _ask(self, request: str, body: bytes) -> None:
        async def ask() -> None:
            client = PortalClient(self._portal.origin, self._portal.origin, self.world.office_key)
            try:
                await getattr(client, request)(self._sealed.manifest.submission, body)
            finally:
                await client.close()

        # The browser's own event loop runs in this thread.
        with ThreadPoolExecutor(1) as executor:
            executor.submit(asyncio.run, ask()).result(SECONDS_MAX)


def _world(portal: Program) -> World:
    verifier = VerifierKey.parse(httpx.get(f"{portal.origin}/api/v1/portal", timeout=SECONDS_MAX).json()["verifier"])
    return found_test_commission(portal.origin, verifier)


def _seal(world: World, digits: str) -> SealedSubmission:
    return seal_submission(
        charter=world.charter,
        receipt_digits=digits,
        language="ar",
        answers={"story": "They took him at the border crossing."},
        sealed_by="command-line",
        today=datetime.now(UTC).date(),
    )
