# SPDX-License-Identifier: AGPL-3.0-or-later
"""The portal's two secrets: the seed of its signing key, and the key of its decoys. Made at the first start."""

import os
import secrets
from pathlib import Path

from crypto.note import SigningKey
from portal.storage.local_blobs import sync_folder

KEY_BYTES = 32


def load_signing_key(data: Path, name: str) -> SigningKey:
    """The key that signs acknowledgements, ``secrets/log.key``."""
    return SigningKey.from_seed(name, _load(data / "secrets" / "log.key"))


def load_decoy_key(data: Path) -> bytes:
    """The key (32 bytes) from which decoys are made, ``secrets/decoy.key``."""
    return _load(data / "secrets" / "decoy.key")


def _load(path: Path) -> bytes:
    """Read a secret of 32 bytes, or make it, durable before it is used. Raises OSError or ValueError."""
    if not path.exists():
        _make(path)
    key = path.read_bytes()
    if len(key) != KEY_BYTES:
        raise ValueError(f"{path.name} does not hold {KEY_BYTES} bytes")
    return key


def _make(path: Path) -> None:
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    # Written whole under another name first, so that no crash and no second process ever sees half a key.
    fresh = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        file.flush()
        os.fsync(file.fileno())
    try:
        os.link(fresh, path)
    except FileExistsError:
        pass  # Another process was first; its key counts.
    finally:
        fresh.unlink()
    sync_folder(path.parent)
