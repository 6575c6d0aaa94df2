# SPDX-License-Identifier: AGPL-3.0-or-later
"""The portal's quick look at an age header takes what crypto takes, and nothing else (docs/protocol.md §2)."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.age import PqIdentity, X25519Identity, check_sealed_prefix, seal
from crypto.errors import CryptoError
from portal.api.refusals import Refusal
from portal.api.sealed_form import check_sealed
from tests.portal.world import sealed_report

SEALED = seal(b"something", [PqIdentity.from_seed(bytes([number]) * 32).recipient() for number in range(3)])
HEADER_SIZE = check_sealed_prefix(SEALED).size


def taken_by_crypto(data: bytes) -> int:
    try:
        return len(check_sealed_prefix(data).stanzas)
    except CryptoError:
        return 0


def taken_here(data: bytes) -> int:
    try:
        return check_sealed("report.age", data)
    except Refusal:
        return 0


def test_real_files_are_taken_with_their_number_of_stanzas() -> None:
    files = sealed_report((10,)).files
    assert {name: check_sealed(name, data) for name, data in files.items()} == {
        "report.age": 1,
        "grant.age": 8,
        "urgency.age": 1,
        "state.age": 1,
        "attachment-1.age": 1,
    }


def test_a_file_for_a_weaker_recipient_is_refused() -> None:
    weaker = seal(b"something", [X25519Identity.generate().recipient()])
    with pytest.raises(Refusal):
        check_sealed("report.age", weaker)


@given(st.integers(0, HEADER_SIZE - 1), st.integers(0, 255))
def test_a_header_with_one_other_byte_is_taken_by_both_or_by_neither(place: int, byte: int) -> None:
    changed = SEALED[:place] + bytes([byte]) + SEALED[place + 1 :]
    assert taken_here(changed) == taken_by_crypto(changed)


@given(st.integers(0, HEADER_SIZE + 10))
def test_a_header_that_was_cut_is_taken_by_both_or_by_neither(size: int) -> None:
    assert taken_here(SEALED[:size]) == taken_by_crypto(SEALED[:size])


@given(st.binary(max_size=300))
def test_other_bytes_are_refused_by_both(data: bytes) -> None:
    assert taken_here(data) == taken_by_crypto(data) == 0
