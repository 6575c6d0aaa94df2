# SPDX-License-Identifier: AGPL-3.0-or-later
"""Fingerprints are the digits that docs/protocol.md says, for two people who compare them by voice."""

import hashlib

from crypto.encoding import label
from crypto.fingerprint import key_fingerprint, member_fingerprint
from tests.people import found_test_commission

MEMBER = found_test_commission().charter.members[0]


def digits_of(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:32]


def test_a_members_fingerprint_is_the_first_128_bits_in_eight_groups_of_four() -> None:
    groups = member_fingerprint(MEMBER).split(" ")
    assert [len(group) for group in groups] == [4] * 8
    assert "".join(groups) == digits_of(label("member") + f"{MEMBER.recipient}\n{MEMBER.verifier}".encode())


def test_a_keys_fingerprint_is_of_the_key_alone() -> None:
    groups = key_fingerprint(MEMBER.verifier).split(" ")
    assert [len(group) for group in groups] == [4] * 8
    assert "".join(groups) == digits_of(label("verifier") + str(MEMBER.verifier).encode())
