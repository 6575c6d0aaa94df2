# SPDX-License-Identifier: AGPL-3.0-or-later
"""A founding in progress, between two visits to its pages: sealed under the setup token.

The token is in a file that only the office's user can read, and is printed on the terminal when the office starts
without a commission. Its holder can found the commission. It is deleted with the draft.
"""

import base64
import hashlib
import hmac
import secrets
from pathlib import Path

import msgspec

from crypto.encoding import label
from crypto.keyring import open_bytes, seal_bytes
from oversight.founding.ceremony import Ceremony
from oversight.founding.plan import BLANK
from oversight.founding.records import FoundingRecord
from portal.kit.files import load_or_make_secret

TOKEN_BYTES = 20
_TOKEN_FILE = "setup.token"  # noqa: S105 - a file's name
_ROW = 1


class FoundingChangedError(Exception):
    """The draft was changed by another page since it was read; nothing was stored."""


def setup_token(folder: Path) -> str:
    """The setup token of this office, made at its first use: 32 letters and digits in groups of four."""
    return load_or_make_secret(folder / _TOKEN_FILE, _new_token).decode("ascii").strip()


def _new_token() -> bytes:
    letters = base64.b32encode(secrets.token_bytes(TOKEN_BYTES)).decode("ascii").lower()
    return ("-".join(letters[at : at + 4] for at in range(0, len(letters), 4)) + "\n").encode("ascii")


def is_setup_token(folder: Path, typed: str) -> bool:
    """Whether ``typed`` is the setup token, however its groups are divided."""
    return hmac.compare_digest(_fold(setup_token(folder)).encode(), _fold(typed).encode("utf-8", "replace"))


class FoundingDraft:
    """The ceremony as it was read, and its way back."""

    def __init__(self, ceremony: Ceremony, key: bytes, sealed: bytes | None) -> None:
        self.ceremony = ceremony
        self._key = key
        self._sealed = sealed

    @classmethod
    async def load(cls, folder: Path) -> "FoundingDraft":
        """The draft there is, or a blank one."""
        key = hashlib.sha256(label("setup") + _fold(setup_token(folder)).encode()).digest()
        row = await FoundingRecord.get_or_none(id=_ROW)
        if row is None:
            return cls(Ceremony(BLANK), key, None)
        sealed = bytes(row.sealed)
        ceremony = msgspec.json.decode(open_bytes(key, sealed, label("founding")), type=Ceremony)
        return cls(ceremony, key, sealed)

    async def save(self, ceremony: Ceremony) -> None:
        """Keep the next state. Raises FoundingChangedError when it is not the next state of what is kept now.

        Two pages that show a sheet at once would otherwise leave one of the two with a passphrase that opens nothing.
        """
        sealed = seal_bytes(self._key, msgspec.json.encode(ceremony), label("founding"))
        if self._sealed is None:
            _, kept = await FoundingRecord.get_or_create({"sealed": sealed}, id=_ROW)
        else:
            kept = bool(await FoundingRecord.filter(id=_ROW, sealed=self._sealed).update(sealed=sealed))
        if not kept:
            raise FoundingChangedError
        self.ceremony, self._sealed = ceremony, sealed


def forget_setup(folder: Path) -> None:
    """Delete the setup token; the draft is deleted with the transaction that keeps the members."""
    (folder / _TOKEN_FILE).unlink(missing_ok=True)


def _fold(token: str) -> str:
    return "".join(char for char in token.casefold() if char.isalnum())
