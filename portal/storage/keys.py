# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the portal makes at its first start and can't replace: the seed of its signing key, the key of its decoys, and
its realm, which is public (docs/protocol.md §3, §4.2)."""

import secrets
from pathlib import Path

from crypto.encoding import ID_BYTES
from crypto.note import SigningKey
from portal.kit.files import load_or_make_secret

KEY_BYTES = 32
REALM_BYTES = ID_BYTES
_SIGNING_KEY = "signing.key"
_SIGNING_KEY_BEFORE = "log.key"
_REALM = "realm"


def load_signing_key(data: Path, name: str) -> SigningKey:
    """The key that signs acknowledgements, ``secrets/signing.key``.

    Raises OSError, or ValueError: also when there is none but one under the name that it had before. A portal that made
    a new one would not be the one that its charters name.
    """
    folder = data / "secrets"
    if (folder / _SIGNING_KEY_BEFORE).exists() and not (folder / _SIGNING_KEY).exists():
        raise ValueError(f"the signing key is called {_SIGNING_KEY} now: rename {folder / _SIGNING_KEY_BEFORE}")
    return SigningKey.from_seed(name, _load(folder / _SIGNING_KEY, KEY_BYTES))


def load_decoy_key(data: Path) -> bytes:
    """The key (32 bytes) from which decoys are made, ``secrets/decoy.key``. Raises OSError or ValueError."""
    return _load(data / "secrets" / "decoy.key", KEY_BYTES)


def load_realm(data: Path) -> str:
    """The portal's realm in hex, ``secrets/realm`` (16 bytes).

    Receipt codes are derived with it: a portal that moves takes it along. Raises OSError or ValueError.
    """
    return _load(data / "secrets" / _REALM, REALM_BYTES).hex()


def has_realm(data: Path) -> bool:
    """Whether a realm was made already."""
    return (data / "secrets" / _REALM).exists()


def _load(path: Path, size: int) -> bytes:
    key = load_or_make_secret(path, lambda: secrets.token_bytes(size))
    if len(key) != size:
        raise ValueError(f"{path.name} does not hold {size} bytes")
    return key
