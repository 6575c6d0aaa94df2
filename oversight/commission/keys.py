# SPDX-License-Identifier: AGPL-3.0-or-later
"""The office's own keys, in files that only its user can read."""

import secrets
from pathlib import Path

from crypto.encoding import decode_base64, encode_base64
from crypto.note import SigningKey
from portal.kit.files import load_or_make_secret

OFFICE_LABEL = "office"
_SIGNING_KEY = "office.key"
_SECOND_FACTOR_KEY = "second-factor.key"
KEY_BYTES = 32


def office_key(folder: Path, slug: str) -> SigningKey:
    """The key that signs requests to the portal and collection notes, made at its first use.

    ``folder`` is the settings' ``secrets``. The seed is in a file of mode 0600.
    """
    return SigningKey.from_seed(f"{slug}/{OFFICE_LABEL}", _load(folder / _SIGNING_KEY))


def second_factor_key(folder: Path) -> bytes:
    """The key (32 bytes) under which the members' second factors rest, made at its first use."""
    return _load(folder / _SECOND_FACTOR_KEY)


def _load(path: Path) -> bytes:
    """A key of 32 bytes from a line of base64. Raises OSError, MalformedError or UnicodeDecodeError."""
    line = load_or_make_secret(path, lambda: f"{encode_base64(secrets.token_bytes(KEY_BYTES))}\n".encode("ascii"))
    return decode_base64(line.decode("ascii").strip(), KEY_BYTES)
