# SPDX-License-Identifier: AGPL-3.0-or-later
"""Requests of the command line to a portal: the standard library's client, with limits of size and time.

A portal that is busy, or can keep nothing at the moment, is asked again for some minutes, and the work that it asks for
(docs/protocol.md §7.4) is done. It goes through the proxy that the environment names (``HTTPS_PROXY``), or
through Tor with ``torsocks``, and nowhere but to the portal's own address: a redirect could lead past the proxy.
"""

import hashlib
import http.client
import json
import queue
import random
import secrets
import sys
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Mapping
from contextlib import suppress
from http import HTTPStatus
from typing import Any

from crypto.encoding import encode_base64
from crypto.errors import CryptoError, LimitError, MalformedError
from crypto.mailbox_visit import BUSY, ELSEWHERE, FULL, UNAVAILABLE, WORK_NEEDED, PortalRefusedError
from crypto.work import HEADER, do_work, read_asked_work

# Of silence, and of the whole answer, however slowly it comes.
SILENT_SECONDS_MAX = 120
SECONDS_MAX = 600
ANSWER_MAX = 16 * 1024 * 1024
REFUSAL_MAX = 16 * 1024
NO_ANSWER = "no answer that can be read"
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
        return self._patiently(path, None)

    def post(self, path: str, body: bytes, *, once: bool = False) -> bytes:
        return self._patiently(path, body, once=once)

    def _patiently(self, path: str, body: bytes | None, *, once: bool = False) -> bytes:
        work: Mapping[str, str] = {}
        for tries in range(1, TRIES_MAX + 1):
            try:
                return self._send(path, body, work)
            except PortalRefusedError as error:
                if error.code not in TOLD or once or tries == TRIES_MAX:
                    raise
                if tries == 1:
                    _say(error.code)
                if error.code == WORK_NEEDED and body is not None:
                    work = self._work(error, path, body)
                else:
                    self._wait()
        raise AssertionError("unreachable: the loop returns or raises")

    def _wait(self) -> None:
        # Those who were turned away together do not come back together.
        self._pause(BUSY_SECONDS * random.uniform(1, 2))  # noqa: S311

    def _work(self, refused: PortalRefusedError, path: str, body: bytes) -> Mapping[str, str]:
        """The headers with the work for a request; none when nobody asks for it any more, or says what is asked."""
        asked = refused.asked
        if asked is None:
            try:
                asked = read_asked_work(self._send("work", None, {}))
            except PortalRefusedError:
                self._wait()
        if asked is None:
            return {}
        digest = hashlib.sha256(body).digest()
        work = do_work(asked, path, digest, secrets.token_bytes)
        return {HEADER: work.encode(), "Content-Digest": f"sha-256=:{encode_base64(digest)}:"}

    def _send(self, path: str, body: bytes | None, more: Mapping[str, str]) -> bytes:
        """Raises OSError also for an answer that is not there in time: whoever sends a byte a minute is not silent."""
        answered: queue.SimpleQueue[bytes | Exception] = queue.SimpleQueue()

        def ask() -> None:
            try:
                answered.put(self._exchange(path, body, more))
            except Exception as error:
                answered.put(error)

        # What is given up ends with the program.
        threading.Thread(target=ask, daemon=True).start()
        try:
            answer = answered.get(timeout=SECONDS_MAX)
        except queue.Empty:
            raise OSError(0, NO_ANSWER, "the portal") from None
        if isinstance(answer, Exception):
            raise answer
        return answer

    def _exchange(self, path: str, body: bytes | None, more: Mapping[str, str]) -> bytes:
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
        # The scheme was checked, and there are no redirects: no file and no other protocol is opened.
        request = urllib.request.Request(self._base + path, body, headers)  # noqa: S310
        with _OPENER.open(request, timeout=SILENT_SECONDS_MAX) as answer:
            data: bytes = answer.read(ANSWER_MAX + 1)
            return data, not answer.length


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Takes a redirect for a refusal."""

    def redirect_request(self, *_: Any) -> None:
        return None


_OPENER = urllib.request.build_opener(_NoRedirects)


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
        code = f"status {status}"
    if not (isinstance(code, str) and code.isascii() and code.isprintable() and len(code) < 64):
        code = "unknown"
    if status >= HTTPStatus.INTERNAL_SERVER_ERROR:
        # Whoever answers, a proxy or the portal: it passes.
        return FULL if status == HTTPStatus.INSUFFICIENT_STORAGE else code if code in TOLD else BUSY
    if status < HTTPStatus.BAD_REQUEST:
        return ELSEWHERE
    return code
