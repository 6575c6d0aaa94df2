# SPDX-License-Identifier: AGPL-3.0-or-later
"""The requests of an office to the register (docs/protocol.md §14.4): verify, one call, answer."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import msgspec
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from crypto.document import Fields
from crypto.errors import CryptoError
from crypto.finding import FINDING_BYTES_MAX
from crypto.note import SigningKey
from crypto.publication import Publication, read_publication
from portal.api.refusals import Refusal
from portal.api.responses import json_response
from portal.charters.known import Charters
from portal.office_api.request_signature import RequestVerifier
from portal.register.live import LiveRegister

# The text, and 64 signature lines with the longest names.
NOTE_BYTES_MAX = FINDING_BYTES_MAX + 64 * 1024
RECEIPT_CHARS_MAX = 4096
# In JSON, with everything in it escaped.
AGAIN_BYTES_MAX = 6 * NOTE_BYTES_MAX + RECEIPT_CHARS_MAX
_SEQUENCE = re.compile(r"[0-9]{1,15}")


@dataclass(frozen=True)
class Receipts:
    """The portal's word that it took a finding: the office keeps it, for a portal that was restored since."""

    realm: str
    key: SigningKey
    charters: Charters

    def sign(self, entry: Mapping[str, Any]) -> str | None:
        """The receipt of an entry of the list; None for a damaged one."""
        taken = Publication(self.realm, entry["id"], entry["revision"], entry["hash"])
        try:
            return taken.sign(self.key).encode().decode("utf-8")
        except CryptoError:
            return None

    def read(self, slug: str, receipt: str) -> Publication:
        """By the portal's key, or one that it had under an earlier charter. Raises Refusal ``malformed-request``."""
        keys = list({charter.portal for charter in self.charters.chain(slug)})
        try:
            taken = read_publication(receipt.encode("utf-8"), keys)
        except (CryptoError, UnicodeEncodeError):
            raise Refusal("malformed-request", "receipt") from None
        if taken.realm != self.realm:
            raise Refusal("malformed-request", "receipt")
        return taken


class FindingViews:
    """Publish a finding, also once more after a restore, and list the published ones."""

    def __init__(self, verifier: RequestVerifier, register: LiveRegister, receipts: Receipts) -> None:
        self._verifier = verifier
        self._register = register
        self._receipts = receipts

    def routes(self) -> list[Route]:
        return [
            Route("/office/findings", self.listing),
            Route("/office/findings", self.take, methods=["POST"]),
            Route("/office/findings/again", self.take_again, methods=["POST"]),
        ]

    async def listing(self, request: Request) -> Response:
        office = await self._verifier.verify(request)
        after = request.query_params.get("after", "0")
        if not _SEQUENCE.fullmatch(after):
            raise Refusal("malformed-request")
        page = await self._register.findings.listing(office.slug, int(after))
        for entry in page["findings"]:
            entry["receipt"] = self._receipts.sign(entry)
        return json_response(page)

    async def take(self, request: Request) -> Response:
        office = await self._verifier.verify(request, NOTE_BYTES_MAX)
        new = await self._register.publish(office.slug, office.body)
        return json_response({"status": "accepted"}, 201 if new else 200)

    async def take_again(self, request: Request) -> Response:
        office = await self._verifier.verify(request, AGAIN_BYTES_MAX)
        note, receipt = _read_again(office.body)
        new = await self._register.publish(office.slug, note, self._receipts.read(office.slug, receipt))
        return json_response({"status": "accepted"}, 201 if new else 200)


def _read_again(body: bytes) -> tuple[bytes, str]:
    """The note of a finding, and the receipt of the time when it was taken. Raises Refusal ``malformed-request``."""
    try:
        fields = Fields(msgspec.json.decode(body), "request")
        note, receipt = fields.text("finding", NOTE_BYTES_MAX), fields.text("receipt", RECEIPT_CHARS_MAX)
        fields.end()
        return note.encode("utf-8"), receipt
    except (CryptoError, msgspec.DecodeError, UnicodeError, RecursionError):
        raise Refusal("malformed-request") from None
