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
SIGNING_KEY = "signing.key"
DECOY_KEY = "decoy.key"
_SIGNING_KEY_BEFORE = "log.key"
REALM = "realm"


def load_signing_key(data: Path, name: str) -> SigningKey:
    """The key that signs acknowledgements, ``secrets/signing.key``.

    Raises OSError, or ValueError: also when there is none but one under the name that it had before. A portal that made
    a new one would not be the one that its charters name.
    """
    folder = data / "secrets"
    if (folder / _SIGNING_KEY_BEFORE).exists() and not (folder / SIGNING_KEY).exists():
        raise ValueError(f"the signing key is called {SIGNING_KEY} now: rename {folder / _SIGNING_KEY_BEFORE}")
    return SigningKey.from_seed(name, _load(folder / SIGNING_KEY, KEY_BYTES))


def load_decoy_key(data: Path) -> bytes:
    """The key (32 bytes) from which decoys are made, ``secrets/decoy.key``. Raises OSError or ValueError."""
    return _load(data / "secrets" / DECOY_KEY, KEY_BYTES)


def load_realm(data: Path) -> str:
    """The portal's realm in hex, ``secrets/realm`` (16 bytes).

    Receipt codes are derived with it: a portal that moves takes it along. Raises OSError or ValueError.
    """
    return _load(data / "secrets" / REALM, REALM_BYTES).hex()


def has(data: Path, name: str) -> bool:
    """Whether that secret was made already; a signing key also under its former name, of which loading it tells."""
    folder = data / "secrets"
    return (folder / name).exists() or (name == SIGNING_KEY and (folder / _SIGNING_KEY_BEFORE).exists())


def is_secret(name: str, data: bytes) -> bool:
    """Whether these bytes can be the secret of that name."""
    return len(data) == (REALM_BYTES if name == REALM else KEY_BYTES)


def _load(path: Path, size: int) -> bytes:
    key = load_or_make_secret(path, lambda: secrets.token_bytes(size))
    if len(key) != size:
        raise ValueError(f"{path.name} does not hold {size} bytes")
    return key
