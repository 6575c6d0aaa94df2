# SPDX-License-Identifier: AGPL-3.0-or-later
"""A founding in progress, between two visits to its pages: sealed under the office's own record key.

It holds no secret; it is sealed because it names people before they are named in public.
"""

import msgspec

from crypto.encoding import label
from crypto.keyring import open_bytes, seal_bytes
from oversight.founding.founding import Founding
from oversight.founding.records import FoundingRecord

_ROW = 1


class FoundingChangedError(Exception):
    """The founding was changed by another page since it was read; nothing was stored."""


class FoundingDraft:
    """The founding as it was read, and its way back."""

    def __init__(self, founding: Founding, key: bytes, sealed: bytes | None) -> None:
        self.founding = founding
        self._key = key
        self._sealed = sealed

    @classmethod
    async def load(cls, key: bytes) -> "FoundingDraft":
        """The founding there is, or a blank one. ``key`` is the office's record key (32 bytes).

        Raises AuthenticationError or MalformedError when the row is not what was stored.
        """
        row = await FoundingRecord.get_or_none(id=_ROW)
        if row is None:
            return cls(Founding(), key, None)
        sealed = bytes(row.sealed)
        founding = msgspec.json.decode(open_bytes(key, sealed, label("founding")), type=Founding)
        return cls(founding, key, sealed)

    async def save(self, founding: Founding) -> None:
        """Keep the next state. Raises FoundingChangedError when it is not the next state of what is kept now."""
        sealed = seal_bytes(self._key, msgspec.json.encode(founding), label("founding"))
        if self._sealed is None:
            _, kept = await FoundingRecord.get_or_create({"sealed": sealed}, id=_ROW)
        else:
            kept = bool(await FoundingRecord.filter(id=_ROW, sealed=self._sealed).update(sealed=sealed))
        if not kept:
            raise FoundingChangedError
        self.founding, self._sealed = founding, sealed
