# SPDX-License-Identifier: AGPL-3.0-or-later
"""The turn at the portal: of several processes that hold this office's key one works at a time.

A copied folder or machine has the same key and the same rows: the name of this process, drawn when it starts, is all
that tells the two apart. The mark that the portal gives with the turn tells whether one of the two was restored
(docs/protocol.md §10.2).
"""

import asyncio
import os
import re
import secrets
from collections.abc import Callable
from contextlib import suppress
from datetime import datetime, timedelta
from pathlib import Path
from typing import TextIO

from crypto.encoding import ID_BYTES
from oversight.reports.records import STATE_ROW, CollectorStateRecord
from oversight.wire.portal_client import PortalClient
from oversight.wire.portal_errors import PortalError, PortalRefused

BOOT = Path("/proc/sys/kernel/random/boot_id")
LOCK_CHARS_MAX = 200
RENEWED_AFTER = timedelta(seconds=60)
"""A fifth of what the portal gives. A step takes up to three minutes."""
LEAVING_SECONDS_MAX = 5.0


def name_of_process(lock: TextIO) -> str:
    """A name for the process that holds this lock file, kept in it.

    Who is started again in the same place, after it was killed, has the turn of before. A copy of the file, or of the
    machine, is another place.
    """
    here, boot, process = os.fstat(lock.fileno()), _boot(), secrets.token_hex(ID_BYTES)
    place = f"{boot} {here.st_dev} {here.st_ino}"
    with suppress(OSError, UnicodeDecodeError):
        lock.seek(0)
        said = lock.read(LOCK_CHARS_MAX).split("\n")
        if boot and said[0] == place and re.fullmatch("[0-9a-f]{32}", "".join(said[1:])):
            return said[1]
        lock.seek(0)
        lock.truncate()
        lock.write(f"{place}\n{process}\n")
        lock.flush()
    return process


def _boot() -> str:
    """What the system calls the time since it was started, if it does."""
    try:
        return BOOT.read_text(encoding="ascii").strip()
    except (OSError, UnicodeDecodeError):
        return ""


class Turn:
    """The turn of this process. ``keep`` asks for it at the first step of a visit, and for more of it later on.

    ``process`` is its name, which has to be set before; ``has`` whether the portal gave it the turn when it was asked.
    """

    def __init__(self, client: PortalClient, clock: Callable[[], datetime]) -> None:
        self.process = ""
        self.has = False
        self._client = client
        self._clock = clock
        self._asked: datetime | None = None
        self._has_asked = False
        self._met: str | None = None

    def begin_visit(self) -> None:
        """The next step is the first one of a visit."""
        self._asked = None

    async def keep(self) -> bool:
        """Whether the portal and this office are those that met the last time; True when nothing was asked.

        After a failure nothing is asked for a while either: the steps go on.

        Raises PortalError; PortalRefused with ``office-elsewhere`` while another process has the turn.
        """
        now = self._clock()
        if self._asked is not None and timedelta() <= now - self._asked < RENEWED_AFTER:
            return True
        self._asked, self._has_asked, self.has = now, True, False
        row = await CollectorStateRecord.get(id=STATE_ROW).only("id", "mark")
        try:
            begun = await self._client.begin_visit(self.process, row.mark or None)
        except PortalRefused as error:
            if error.code != "not-found":
                raise
            # A portal of before knows no turns.
            self.has = True
            return True
        self.has = True
        await CollectorStateRecord.filter(id=STATE_ROW).update(mark=begun.mark)
        # A portal that can write nothing gives the same one again, which was met before.
        is_known, self._met = begun.known or begun.mark == self._met, begun.mark
        return is_known

    async def give_back(self) -> None:
        """Let another process work at once."""
        if not self._has_asked:
            return
        with suppress(PortalError, TimeoutError):
            async with asyncio.timeout(LEAVING_SECONDS_MAX):
                await self._client.end_visit(self.process)
