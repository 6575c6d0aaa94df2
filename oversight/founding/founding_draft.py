# SPDX-License-Identifier: AGPL-3.0-or-later
"""A founding in progress, between two visits to its pages: sealed under the office's own record key.

It holds no secret; it is sealed because it names people before they are named in public.
"""

import msgspec
from tortoise.exceptions import IntegrityError

from crypto.encoding import label
from crypto.errors import CryptoError
from crypto.keyring import open_bytes, seal_bytes
from oversight.founding.founding import Founding
from oversight.founding.records import FoundingRecord

_ROW = 1


class FoundingChangedError(Exception):
    """The founding was changed by another page since it was read; nothing was stored."""


class FoundingBrokenError(Exception):
    """What is stored of the founding is missing or can't be read: there is nothing but to start over."""


class FoundingDraft:
    """The founding as it was read, and its way back."""

    def __init__(self, founding: Founding, key: bytes, sealed: bytes | None) -> None:
        self.founding = founding
        self._key = key
        self._sealed = sealed

    @classmethod
    async def load(cls, key: bytes) -> "FoundingDraft":
        """The founding that somebody has begun. ``key`` is the office's record key (32 bytes).

        Raises FoundingBrokenError.
        """
        row = await FoundingRecord.get_or_none(id=_ROW)
        if row is None:
            raise FoundingBrokenError
        sealed = bytes(row.sealed)
        try:
            founding = msgspec.json.decode(open_bytes(key, sealed, label("founding")), type=Founding)
        except (CryptoError, msgspec.DecodeError):
            raise FoundingBrokenError from None
        return cls(founding, key, sealed)

    @classmethod
    def begin(cls, key: bytes) -> "FoundingDraft":
        """A blank one, to be the first; ``save`` raises FoundingChangedError when somebody else was."""
        return cls(Founding(), key, None)

    async def save(self, founding: Founding) -> None:
        """Keep the next state. Raises FoundingChangedError when it is not the next state of what is kept now."""
        sealed = seal_bytes(self._key, msgspec.json.encode(founding), label("founding"))
        # One statement each, without reading first: SQLite lets no transaction write that has read what changed since.
        if self._sealed is None:
            try:
                await FoundingRecord.create(id=_ROW, sealed=sealed)
            except IntegrityError:
                raise FoundingChangedError from None
        elif not await FoundingRecord.filter(id=_ROW, sealed=self._sealed).update(sealed=sealed):
            raise FoundingChangedError
        self.founding, self._sealed = founding, sealed
