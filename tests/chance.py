# SPDX-License-Identifier: AGPL-3.0-or-later
"""Chance in tests: inputs differ from run to run, and are the same again under the seed that the run prints."""

import random


def fresh_bytes(size: int) -> bytes:
    """Return bytes that no other call gets. pytest-randomly reseeds ``random`` for every test."""
    return random.randbytes(size)


def fresh_id() -> str:
    """An id that nothing else has: 32 hexadecimal digits."""
    return fresh_bytes(16).hex()
