# SPDX-License-Identifier: AGPL-3.0-or-later
"""Request bodies in memory, within a limit that is checked before and during reading."""

from starlette.datastructures import Headers
from starlette.requests import Request

# A request begins when its body is whole, or when so much of it has come: more than a changed mailbox (docs/protocol.md
# §8) and than most reports.
GATHERED_BYTES = 192 * 1024
LENGTH_DIGITS_MAX = 20


class BodyTooLargeError(Exception):
    """The body, or its declared length, is longer than the limit."""


def declared_length(headers: Headers) -> int | None:
    """The bytes that a body shall have, as its head says; None when it says nothing, or nothing that is a number."""
    declared = headers.get("content-length", "")
    # Digits are those of ASCII: a "²" is one to isdigit() and none to int(), which takes no text of thousands either.
    return int(declared[:LENGTH_DIGITS_MAX]) if declared.isascii() and declared.isdigit() else None


def check_length(headers: Headers, max_bytes: int) -> None:
    """Raise BodyTooLargeError for a body that shall have more than ``max_bytes``."""
    if (declared_length(headers) or 0) > max_bytes:
        raise BodyTooLargeError


async def read_body(request: Request, max_bytes: int) -> bytes:
    """Return the whole body, of at most ``max_bytes``. Raises BodyTooLargeError without reading more."""
    check_length(request.headers, max_bytes)
    body = bytearray()
    async for chunk in request.stream():
        body += chunk
        if len(body) > max_bytes:
            raise BodyTooLargeError
    return bytes(body)
