# SPDX-License-Identifier: AGPL-3.0-or-later
"""The request header Content-Digest (RFC 9530), of which only SHA-256 is read."""

import hashlib
from collections.abc import AsyncIterator

import http_sf
from starlette.requests import Request

from crypto.encoding import HASH_BYTES
from portal.api.refusals import Refusal

# With SHA-256 alone it has 55 characters, with SHA-512 beside it 155.
HEADER_CHARS_MAX = 1024


def content_digest(request: Request) -> str:
    """Return the SHA-256 (hex) that the body must have. Raises Refusal ``digest-missing``."""
    value = ", ".join(request.headers.getlist("content-digest"))
    if len(value) > HEADER_CHARS_MAX:
        raise Refusal("digest-missing")
    try:
        members = http_sf.parse(value.encode("latin-1"), tltype="dictionary")
    except ValueError:
        raise Refusal("digest-missing") from None
    member = members.get("sha-256") if isinstance(members, dict) else None
    digest = member[0] if isinstance(member, tuple) else None
    if not isinstance(digest, bytes) or len(digest) != HASH_BYTES:
        raise Refusal("digest-missing")
    return digest.hex()


async def held_to_digest(request: Request) -> AsyncIterator[bytes]:
    """Yield the chunks of a body. Raises Refusal ``digest-mismatch`` at its end if a digest names another."""
    digest, found = _digest_if_any(request), hashlib.sha256()
    async for chunk in request.stream():
        if digest is not None:
            found.update(chunk)
        yield chunk
    if digest not in (None, found.hexdigest()):
        raise Refusal("digest-mismatch")


def check_digest(request: Request, body: bytes) -> None:
    """Raise Refusal ``digest-mismatch`` if the request has a digest and another body."""
    if _digest_if_any(request) not in (None, hashlib.sha256(body).hexdigest()):
        raise Refusal("digest-mismatch")


def _digest_if_any(request: Request) -> str | None:
    return content_digest(request) if "content-digest" in request.headers else None
