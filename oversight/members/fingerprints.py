# SPDX-License-Identifier: AGPL-3.0-or-later
"""A member's keys as a few groups of digits that two people can read to each other."""

import hashlib

from crypto.charter import Member
from crypto.encoding import label

GROUPS = 8
GROUP_DIGITS = 4


def fingerprint(member: Member) -> str:
    """The first 128 bits of SHA-256(label(``member``) ‖ recipient ‖ 0x0A ‖ verifier key) in groups of four digits."""
    keys = f"{member.recipient}\n{member.verifier}".encode("ascii")
    digits = hashlib.sha256(label("member") + keys).hexdigest()
    return " ".join(digits[at : at + GROUP_DIGITS] for at in range(0, GROUPS * GROUP_DIGITS, GROUP_DIGITS))
