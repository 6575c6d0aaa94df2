# SPDX-License-Identifier: AGPL-3.0-or-later
"""Requests of the command line to a portal: the standard library's client, with limits of size and time.

A portal that is busy, or can keep nothing at the moment, is asked again for some minutes, and the work that it asks for
(docs/protocol.md §7.4) is done. It goes through the proxy that the environment names (``HTTPS_PROXY``), or
through Tor with ``torsocks``.
"""

import hashlib
import http.client
import json
import random
import secrets
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress

from crypto.encoding import encode_base64
from crypto.errors import CryptoError, LimitError, MalformedError
from crypto.mailbox_visit import PortalRefusedError
from crypto.work import HEADER, do_work, read_asked_work

SECONDS_MAX = 120
ANSWER_MAX = 16 * 1024 * 1024
REFUSAL_MAX = 16 * 1024
NO_ANSWER = "no answer that can be read"
BUSY, UNAVAILABLE, WORK_NEEDED = "busy", "unavailable", "work-needed"
# Five seconds are what the portal asks for; with the jitter about five minutes.
BUSY_SECONDS = 5
TRIES_MAX = 40
TOLD = {
    BUSY: "is busy; trying again",
    UNAVAILABLE: "can keep nothing at the moment; trying again",
    WORK_NEEDED: "is under heavy load; calculating something first",
}


class PortalConnection:
    """The portal at ``origin``, scheme and host. MalformedError for anything else than an http or https address.

    ``pause`` waits for some seconds.
    """

    def __init__(self, origin: str, pause: Callable[[float], None] = time.sleep) -> None:
        if not origin.startswith(("https://", "http://")):
            raise MalformedError("the portal's address must begin with https:// or http://")
        self._base = f"{origin.rstrip('/')}/api/v1/"
        self._pause = pause

    def get(self, path: str) -> bytes:
        return self._send(path, None, {})

    def post(self, path: str, body: bytes, *, once: bool = False) -> bytes:
        work: Mapping[str, str] = {}
        for tries in range(1, TRIES_MAX + 1):
            try:
                return self._send(path, body, work)
            except PortalRefusedError as error:
                if error.code not in TOLD or once or tries == TRIES_MAX:
                    raise
                if tries == 1:
                    _say(error.code)
                if error.code == WORK_NEEDED:
                    work = self._work(error, path, body)
                else:
                    # Those who were turned away together do not come back together.
                    self._pause(BUSY_SECONDS * random.uniform(1, 2))  # noqa: S311
        raise AssertionError("unreachable: the loop returns or raises")

    def _work(self, refused: PortalRefusedError, path: str, body: bytes) -> Mapping[str, str]:
        """The headers with the work for a request; none when the pressure has passed meanwhile."""
        asked = refused.asked or read_asked_work(self.get("work"))
        if asked is None:
            return {}
        digest = hashlib.sha256(body).digest()
        work = do_work(asked, path, digest, secrets.token_bytes)
        return {HEADER: work.encode(), "Content-Digest": f"sha-256=:{encode_base64(digest)}:"}

    def _send(self, path: str, body: bytes | None, more: Mapping[str, str]) -> bytes:
        try:
            data, is_whole = self._read(path, body, more)
        except urllib.error.HTTPError as error:
            raise _refused(error) from None
        except (http.client.HTTPException, OSError):
            raise OSError(0, NO_ANSWER, "the portal") from None
        except ValueError:
            raise MalformedError("the portal's address is malformed") from None
        if len(data) > ANSWER_MAX:
            raise LimitError("the portal's answer is too long")
        if not is_whole:
            raise OSError(0, NO_ANSWER, "the portal")
        return data

    def _read(self, path: str, body: bytes | None, more: Mapping[str, str]) -> tuple[bytes, bool]:
        """The answer, at most a byte more than ANSWER_MAX, and whether all of it came."""
        headers = {"User-Agent": "", **({} if body is None else {"Content-Type": "application/json"}), **more}
        # The scheme was checked: no file and no other protocol is opened.
        request = urllib.request.Request(self._base + path, body, headers)  # noqa: S310
        with urllib.request.urlopen(request, timeout=SECONDS_MAX) as answer:  # noqa: S310
            data: bytes = answer.read(ANSWER_MAX + 1)
            return data, not answer.length


def _say(code: str) -> None:
    print(f"amparo: the portal {TOLD[code]}", file=sys.stderr)


def _refused(error: urllib.error.HTTPError) -> PortalRefusedError:
    answer, asked = b"", None
    # Of a refusal that broke off the status is known.
    with suppress(CryptoError, http.client.HTTPException, OSError):
        answer = error.read(REFUSAL_MAX)
        asked = read_asked_work(answer)
    return PortalRefusedError(_code(error.code, answer), asked)


def _code(status: int, answer: bytes) -> str:
    try:
        code = json.loads(answer)["error"]["code"]
    except (ValueError, KeyError, TypeError, RecursionError):
        return f"status {status}"
    return code if isinstance(code, str) and code.isascii() and code.isprintable() and len(code) < 64 else "unknown"
