# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fingerprints of keys: groups of digits that two people can read to each other."""

import hashlib

from crypto.charter import Member
from crypto.encoding import label
from crypto.note import VerifierKey

GROUPS = 8
GROUP_DIGITS = 4


def member_fingerprint(member: Member) -> str:
    """Return the first 128 bits of SHA-256(label(``member``) ‖ recipient ‖ 0x0A ‖ verifier) in groups of 4 digits."""
    return _fingerprint(label("member") + f"{member.recipient}\n{member.verifier}".encode())


def key_fingerprint(key: VerifierKey) -> str:
    """Return the same of SHA-256(label(``verifier``) ‖ verifier)."""
    return _fingerprint(label("verifier") + str(key).encode())


def _fingerprint(data: bytes) -> str:
    digits = hashlib.sha256(data).hexdigest()
    return " ".join(digits[at : at + GROUP_DIGITS] for at in range(0, GROUPS * GROUP_DIGITS, GROUP_DIGITS))
