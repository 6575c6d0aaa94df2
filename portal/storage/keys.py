# SPDX-License-Identifier: AGPL-3.0-or-later
"""The portal's two secrets: the seed of its signing key, and the key of its decoys. Made at the first start."""

import secrets
from pathlib import Path

from crypto.note import SigningKey
from portal.kit.files import load_or_make_secret

KEY_BYTES = 32
_SIGNING_KEY = "signing.key"
_SIGNING_KEY_BEFORE = "log.key"


def load_signing_key(data: Path, name: str) -> SigningKey:
    """The key that signs acknowledgements, ``secrets/signing.key``.

    Raises OSError, or ValueError: also when there is none but one under the name that it had before. A portal that made
    a new one would not be the one that its charters name.
    """
    folder = data / "secrets"
    if (folder / _SIGNING_KEY_BEFORE).exists() and not (folder / _SIGNING_KEY).exists():
        raise ValueError(f"the signing key is called {_SIGNING_KEY} now: rename {folder / _SIGNING_KEY_BEFORE}")
    return SigningKey.from_seed(name, _load(folder / _SIGNING_KEY))


def load_decoy_key(data: Path) -> bytes:
    """The key (32 bytes) from which decoys are made, ``secrets/decoy.key``. Raises OSError or ValueError."""
    return _load(data / "secrets" / "decoy.key")


def _load(path: Path) -> bytes:
    key = load_or_make_secret(path, lambda: secrets.token_bytes(KEY_BYTES))
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path.name} does not hold {KEY_BYTES} bytes")
    return key
