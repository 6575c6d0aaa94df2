# SPDX-License-Identifier: AGPL-3.0-or-later
"""Checks the signature of an office's request: RFC 9421 with Ed25519 (docs/protocol.md §10)."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from http_message_signatures import (
    HTTPMessageSignaturesException,
    HTTPMessageVerifier,
    HTTPSignatureKeyResolver,
)
from http_message_signatures.algorithms import HTTPSignatureAlgorithm
from starlette.requests import Request

from crypto.charter import Charter
from crypto.encoding import decode_base64
from crypto.errors import CryptoError
from crypto.note import VerifierKey
from portal.api.content_digest import content_digest
from portal.api.refusals import Refusal
from portal.charters.known import Charters
from portal.kit.body import read_body
from portal.storage.errors import DuplicateError
from portal.storage.group_commit import GroupCommit
from portal.storage.records import NonceRecord

LABEL = "amparo"
NONCE_BYTES = 16
HOUR = 3600
WINDOW = timedelta(seconds=300)


@dataclass(frozen=True)
class OfficeRequest:
    """A request signed by an office of ``charter``'s commission, with its signed body."""

    charter: Charter
    body: bytes

    @property
    def slug(self) -> str:
        return self.charter.slug


@dataclass(frozen=True)
class _SignedParts:
    """The parts of a request that a signature covers; the address is the portal's configured origin."""

    method: str
    url: str
    headers: Mapping[str, str]


class RequestVerifier:
    """Verifies requests by the office keys of the commissions' newest charters; accepts each nonce once."""

    def __init__(self, origin: str, charters: Charters, commits: GroupCommit, clock: Callable[[], datetime]) -> None:
        self._origin = origin
        self._charters = charters
        self._commits = commits
        self._clock = clock

    async def verify(self, request: Request, body_max: int = 0) -> OfficeRequest:
        """Check the signature, read the body and spend the nonce.

        Raises Refusal ``signature-missing``, ``signature-invalid``, ``signature-expired``, ``signature-replayed``,
        ``digest-missing`` or ``digest-mismatch``.
        """
        has_body = request.method not in ("GET", "HEAD")
        charter, parameters = self._verify_signature(request, has_body)
        body = b""
        if has_body:
            digest = content_digest(request)
            body = await read_body(request, body_max)
            if hashlib.sha256(body).hexdigest() != digest:
                raise Refusal("digest-mismatch")
        await self._spend(parameters)
        return OfficeRequest(charter, body)

    def _verify_signature(self, request: Request, has_body: bool) -> tuple[Charter, dict[str, Any]]:
        if "signature" not in request.headers or "signature-input" not in request.headers:
            raise Refusal("signature-missing")
        resolver = _OfficeKeys(self._charters)
        verifier = _Verifier(signature_algorithm=_Ed25519, key_resolver=resolver)
        components = ("@method", "@target-uri", *(("content-digest",) if has_body else ()))
        try:
            results = verifier.verify(self._signed_parts(request), max_age=None, require_components=components)
        except HTTPMessageSignaturesException:
            raise Refusal("signature-invalid") from None
        if len(results) != 1 or results[0].label != LABEL or resolver.charter is None:
            raise Refusal("signature-invalid")
        return resolver.charter, dict(results[0].parameters)

    def _signed_parts(self, request: Request) -> _SignedParts:
        path = request.scope["raw_path"].decode("latin-1")
        query = request.scope["query_string"].decode("latin-1")
        return _SignedParts(request.method, self._origin + path + (f"?{query}" if query else ""), request.headers)

    async def _spend(self, parameters: dict[str, Any]) -> None:
        created, nonce = parameters.get("created"), parameters.get("nonce")
        if not isinstance(created, int) or not isinstance(nonce, str):
            raise Refusal("signature-invalid")
        if abs(self._clock().timestamp() - created) > WINDOW.total_seconds():
            raise Refusal("signature-expired")
        try:
            decode_base64(nonce, NONCE_BYTES)
        except CryptoError:
            raise Refusal("signature-invalid") from None
        # Rounded up to the next hour: offices act when reports arrive, and rows should not tell when.
        expires = -(-(created + 2 * int(WINDOW.total_seconds())) // HOUR) * HOUR
        try:
            await self._commits.insert(NonceRecord(nonce=nonce, expires=expires))
        except DuplicateError:
            raise Refusal("signature-replayed") from None


class _Verifier(HTTPMessageVerifier):
    """Leaves the check of the time to RequestVerifier, which has a clock."""

    def validate_created_and_expires(self, sig_input: Any, max_age: timedelta | None = None) -> None:
        return


class _Ed25519(HTTPSignatureAlgorithm):
    """Accepts what notes accept (§4.1), no more: libraries differ in what they take for a signature."""

    algorithm_id = "ed25519"

    def __init__(self, public_key: VerifierKey) -> None:
        self._key = public_key

    def sign(self, message: bytes) -> bytes:
        raise NotImplementedError

    def verify(self, signature: bytes, message: bytes) -> None:
        # What is raised here, the library turns into an InvalidSignature.
        self._key.check(message, signature)


class _OfficeKeys(HTTPSignatureKeyResolver):
    """Finds a public key, and remembers the charter that holds it."""

    def __init__(self, charters: Charters) -> None:
        self._charters = charters
        self.charter: Charter | None = None

    def resolve_public_key(self, key_id: str) -> VerifierKey:
        for charter in self._charters.all_newest():
            for key in charter.office:
                if key.short_id == key_id:
                    self.charter = charter
                    return key
        raise Refusal("signature-invalid")

    def resolve_private_key(self, key_id: str) -> bytes:
        raise NotImplementedError
