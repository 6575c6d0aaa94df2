# SPDX-License-Identifier: AGPL-3.0-or-later
"""Requests of the command line to a portal: the standard library's client, with limits of size and time.

It goes through the proxy that the environment names (``HTTPS_PROXY``), or through Tor with ``torsocks``.
"""

import http.client
import json
import urllib.error
import urllib.request

from crypto.errors import LimitError, MalformedError
from crypto.mailbox_visit import PortalRefusedError

SECONDS_MAX = 120
ANSWER_MAX = 16 * 1024 * 1024
NO_ANSWER = "no answer that can be read"


class PortalConnection:
    """The portal at ``origin``, scheme and host. MalformedError for anything else than an http or https address."""

    def __init__(self, origin: str) -> None:
        if not origin.startswith(("https://", "http://")):
            raise MalformedError("the portal's address must begin with https:// or http://")
        self._base = f"{origin.rstrip('/')}/api/v1/"

    def get(self, path: str) -> bytes:
        return self._send(path, None)

    def post(self, path: str, body: bytes) -> bytes:
        return self._send(path, body)

    def _send(self, path: str, body: bytes | None) -> bytes:
        try:
            data, is_whole = self._read(path, body)
        except urllib.error.HTTPError as error:
            raise PortalRefusedError(_code(error)) from None
        except (http.client.HTTPException, OSError):
            raise OSError(0, NO_ANSWER, "the portal") from None
        except ValueError:
            raise MalformedError("the portal's address is malformed") from None
        if len(data) > ANSWER_MAX:
            raise LimitError("the portal's answer is too long")
        if not is_whole:
            raise OSError(0, NO_ANSWER, "the portal")
        return data

    def _read(self, path: str, body: bytes | None) -> tuple[bytes, bool]:
        """The answer, at most a byte more than ANSWER_MAX, and whether all of it came."""
        headers = {"User-Agent": "", **({} if body is None else {"Content-Type": "application/json"})}
        # The scheme was checked: no file and no other protocol is opened.
        request = urllib.request.Request(self._base + path, body, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=SECONDS_MAX) as answer:  # noqa: S310
            data: bytes = answer.read(ANSWER_MAX + 1)
            return data, not answer.length


def _code(error: urllib.error.HTTPError) -> str:
    try:
        code = json.loads(error.read(16 * 1024))["error"]["code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return f"status {error.code}"
    return code if isinstance(code, str) and code.isascii() and code.isprintable() and len(code) < 64 else "unknown"
