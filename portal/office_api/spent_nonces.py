# SPDX-License-Identifier: AGPL-3.0-or-later
"""Nonces that no row holds, because the database takes none: kept in memory until they have expired.

Another process, or one that was started again, does not know them. Who recorded an office's request could send it once
more there, within its 300 seconds: what it reads the recorder has seen, and what it changes, it changes once.
"""

from collections import OrderedDict
from datetime import datetime

NONCES_MAX = 65_536


class SpentNonces:
    """At most ``NONCES_MAX``; the oldest one is forgotten first. Only signed requests bring any."""

    def __init__(self) -> None:
        self._expires: OrderedDict[str, int] = OrderedDict()

    def __contains__(self, nonce: str) -> bool:
        return nonce in self._expires

    def remember(self, nonce: str, expires: int, now: datetime) -> None:
        """Keep a nonce until ``expires`` (seconds since 1970), and drop what has expired ``now``."""
        self._expires[nonce] = expires
        while self._expires and (self._oldest() < now.timestamp() or len(self._expires) > NONCES_MAX):
            self._expires.popitem(last=False)

    def _oldest(self) -> int:
        return next(iter(self._expires.values()))
