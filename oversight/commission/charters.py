# SPDX-License-Identifier: AGPL-3.0-or-later
"""The charters of the commission that this office serves."""

import functools

from crypto.charter import Charter, read_charter
from crypto.ids import CharterHash
from oversight.commission.records import CharterRecord


class NotFoundedError(Exception):
    """This office has no commission yet."""


async def is_founded() -> bool:
    """Whether the commission's first charter is signed and taken by the portal; also if that can't be read."""
    return await CharterRecord.exclude(published=False).exists()


async def current_charter() -> Charter:
    """The charter in force, the newest one. Raises NotFoundedError before the founding."""
    record = await CharterRecord.exclude(published=False).order_by("-number").first()
    if record is None:
        raise NotFoundedError
    return _read(bytes(record.note))


async def charters_by_hash() -> dict[CharterHash, Charter]:
    """Every charter of the commission: a report was sealed under the one that was in force then."""
    charters = [_read(bytes(record.note)) for record in await CharterRecord.all().order_by("number")]
    return {charter.hash: charter for charter in charters}


@functools.lru_cache(maxsize=32)
def _read(note: bytes) -> Charter:
    """Reading checks every signature; the same bytes always give the same charter."""
    return read_charter(note)
