# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's own keys, in files that only its user can read."""

import os
import secrets
from pathlib import Path

from crypto.encoding import decode_base64, encode_base64
from crypto.note import SigningKey

OFFICE_LABEL = "office"
_SIGNING_KEY = "office.key"
_SECOND_FACTOR_KEY = "second-factor.key"
KEY_BYTES = 32


def office_key(folder: Path, slug: str) -> SigningKey:
    """The key that signs requests to the portal and collection notes, made at its first use.

    ``folder`` is the settings' ``secrets``. The seed stands in a file of mode 0600.
    """
    return SigningKey.from_seed(f"{slug}/{OFFICE_LABEL}", _load_or_make(folder / _SIGNING_KEY))


def second_factor_key(folder: Path) -> bytes:
    """The key (32 bytes) under which the members' second factors rest, made at its first use."""
    return _load_or_make(folder / _SECOND_FACTOR_KEY)


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
