# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the office itself holds: the charters of its commission, and its own keys in files that only it can read."""

import functools
import os
import secrets
from pathlib import Path

from crypto.charter import Charter, read_charter
from crypto.encoding import decode_base64, encode_base64
from crypto.note import SigningKey
from oversight.members.records import CharterRecord

OFFICE_LABEL = "office"
_SIGNING_KEY = "office.key"
_SECOND_FACTOR_KEY = "second-factor.key"
KEY_BYTES = 32


class NotFoundedError(Exception):
    """There is no commission in this office yet."""


async def is_founded() -> bool:
    """Whether the commission's first charter is signed and taken by the portal."""
    return await CharterRecord.filter(published=True).exists()


async def current_charter() -> Charter:
    """The charter in force, the newest one. Raises NotFoundedError before the founding."""
    record = await CharterRecord.filter(published=True).order_by("-number").first()
    if record is None:
        raise NotFoundedError
    return _read(bytes(record.note))


async def charters_by_hash() -> dict[str, Charter]:
    """Every charter of the commission: a report was sealed under the one that was in force then."""
    return {record.hash: _read(bytes(record.note)) for record in await CharterRecord.all().order_by("number")}


async def knows_charter(charter_hash: str) -> bool:
    """Whether a charter of this hash is one of this commission's."""
    return await CharterRecord.filter(hash=charter_hash).exists()


def office_key(folder: Path, slug: str) -> SigningKey:
    """The key that signs requests to the portal and collection notes, made at its first use.

    ``folder`` is the settings' ``secrets``. The seed stands in a file of mode 0600.
    """
    return SigningKey.from_seed(f"{slug}/{OFFICE_LABEL}", _load_or_make(folder / _SIGNING_KEY))


def second_factor_key(folder: Path) -> bytes:
    """The key (32 bytes) under which the members' second factors rest, made at its first use."""
    return _load_or_make(folder / _SECOND_FACTOR_KEY)


@functools.lru_cache(maxsize=32)
def _read(note: bytes) -> Charter:
    """Reading checks every signature; the same bytes always give the same charter."""
    return read_charter(note)


def _load_or_make(path: Path) -> bytes:
    try:
        return decode_base64(path.read_text(encoding="ascii").strip(), KEY_BYTES)
    except FileNotFoundError:
        pass
    write_secret_file(path, encode_base64(secrets.token_bytes(KEY_BYTES)) + "\n")
    return _load_or_make(path)


def write_secret_file(path: Path, text: str) -> None:
    """Write a file of mode 0600 whole or not at all, durably; its folder is made with mode 0700 if it is missing."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(f".{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as out:
        out.write(text)
        out.flush()
        os.fsync(descriptor)
    fresh.replace(path)
    folder = os.open(path.parent, os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)
