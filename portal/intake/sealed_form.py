# SPDX-License-Identifier: AGPL-3.0-or-later
"""Refuses what is not sealed, as far as anyone can tell without a key (docs/protocol.md §2, §7.2)."""

from crypto.age import check_sealed_prefix
from crypto.errors import CryptoError
from crypto.manifest import GRANT_FILE
from portal.refusals import Refusal

# An attachment is sealed to one recipient: its header has 1.7 KB. The others are looked at whole.
PREFIX_BYTES = 64 * 1024


def check_sealed(name: str, prefix: bytes) -> int:
    """Count the stanzas of a sealed file's header. Raises Refusal ``not-sealed``."""
    try:
        return len(check_sealed_prefix(prefix).stanzas)
    except CryptoError:
        raise Refusal("not-sealed", name) from None


def check_grant(sealed: bytes, slots: int) -> None:
    """Raises Refusal ``not-sealed``, or ``grant-slots`` for another number of stanzas than the charter's."""
    if check_sealed(GRANT_FILE, sealed) != slots:
        raise Refusal("grant-slots", GRANT_FILE)
