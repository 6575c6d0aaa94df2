# SPDX-License-Identifier: AGPL-3.0-or-later
"""Checks the signature of an office's request: RFC 9421 with Ed25519 (docs/protocol.md §10)."""

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import http_sf
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
from portal.kit.database import STORAGE_ERRORS
from portal.office_api.spent_nonces import SpentNonces
from portal.storage.errors import DuplicateError, StorageFullError
from portal.storage.group_commit import GroupCommit
from portal.storage.records import NonceRecord

LABEL = "amparo"
NONCE_BYTES = 16
HOUR = 3600
WINDOW = timedelta(seconds=300)
# The longest header of an office has fewer than 500 characters, and to read one takes the longer the longer it is.
HEADER_CHARS_MAX = 1024


@dataclass(frozen=True)
class OfficeRequest:
    """A request signed by an office of ``charter``'s commission, with its signed body."""

    charter: Charter
    body: bytes

    @property
    def slug(self) -> str:
        return self.charter.slug


@dataclass(frozen=True)
class _Claim:
    """What a signature says of itself before it is verified: seconds since 1970, the id of its key, its nonce."""

    created: int
    key_id: str
    nonce: str


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
        self._spent = SpentNonces()

    async def verify(self, request: Request, body_max: int = 0) -> OfficeRequest:
        """Check the signature, read the body and spend the nonce; what costs least to refuse is refused first.

        Raises Refusal ``signature-missing``, ``signature-invalid``, ``signature-expired``, ``signature-replayed``,
        ``digest-missing`` or ``digest-mismatch``.
        """
        has_body = request.method not in ("GET", "HEAD")
        claimed = _read_claim(request)
        if abs(self._clock().timestamp() - claimed.created) > WINDOW.total_seconds():
            raise Refusal("signature-expired")
        found = self._charters.office_key(claimed.key_id)
        if found is None:
            raise Refusal("signature-invalid")
        charter, key = found
        self._verify_signature(request, key, has_body)
        body = b""
        if has_body:
            digest = content_digest(request)
            body = await read_body(request, body_max)
            if hashlib.sha256(body).hexdigest() != digest:
                raise Refusal("digest-mismatch")
        await self._spend(claimed)
        return OfficeRequest(charter, body)

    def _verify_signature(self, request: Request, key: VerifierKey, has_body: bool) -> None:
        verifier = _Verifier(signature_algorithm=_Ed25519, key_resolver=_OfficeKey(key))
        components = ("@method", "@target-uri", *(("content-digest",) if has_body else ()))
        try:
            # One signature by this key, or the claim would have been refused.
            verifier.verify(self._signed_parts(request), max_age=None, require_components=components)
        except HTTPMessageSignaturesException:
            raise Refusal("signature-invalid") from None

    def _signed_parts(self, request: Request) -> _SignedParts:
        path = request.scope["raw_path"].decode("latin-1")
        query = request.scope["query_string"].decode("latin-1")
        return _SignedParts(request.method, self._origin + path + (f"?{query}" if query else ""), _headers(request))

    async def _spend(self, claimed: _Claim) -> None:
        # Rounded up to the next hour: offices act when reports arrive, and rows should not tell when.
        expires = -(-(claimed.created + 2 * int(WINDOW.total_seconds())) // HOUR) * HOUR
        if claimed.nonce in self._spent:
            raise Refusal("signature-replayed")
        try:
            await self._commits.insert(NonceRecord(nonce=claimed.nonce, expires=expires))
        except DuplicateError:
            raise Refusal("signature-replayed") from None
        except (StorageFullError, *STORAGE_ERRORS):
            # A portal that can write nothing still hands its reports over.
            self._spent.remember(claimed.nonce, expires, self._clock())


def _headers(request: Request) -> dict[str, str]:
    """The headers that a signature may cover, and those that hold it. Raises Refusal ``signature-invalid``."""
    headers = {}
    for name in ("signature", "signature-input", "content-digest"):
        values = request.headers.getlist(name)
        if sum(map(len, values)) > HEADER_CHARS_MAX:
            raise Refusal("signature-invalid")
        if values:
            headers[name] = ", ".join(values)
    return headers


def _read_claim(request: Request) -> _Claim:
    """What the one signature says of itself. Raises Refusal ``signature-missing`` or ``signature-invalid``."""
    headers = _headers(request)
    if "signature" not in headers or "signature-input" not in headers:
        raise Refusal("signature-missing")
    try:
        signatures: Any = http_sf.parse(headers["signature-input"].encode("latin-1"), tltype="dictionary")
        ((label, (_, parameters)),) = signatures.items()
        created, key_id, nonce = (parameters[name] for name in ("created", "keyid", "nonce"))
        if label != LABEL or type(created) is not int or type(key_id) is not str or type(nonce) is not str:
            raise Refusal("signature-invalid")
        decode_base64(nonce, NONCE_BYTES)
    except (ValueError, TypeError, KeyError, AttributeError, CryptoError):
        raise Refusal("signature-invalid") from None
    return _Claim(created, key_id, nonce)


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


class _OfficeKey(HTTPSignatureKeyResolver):
    """The key that the claim names."""

    def __init__(self, key: VerifierKey) -> None:
        self._key = key

    def resolve_public_key(self, key_id: str) -> VerifierKey:
        return self._key

    def resolve_private_key(self, key_id: str) -> bytes:
        raise NotImplementedError
