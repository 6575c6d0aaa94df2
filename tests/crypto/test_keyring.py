# SPDX-License-Identifier: AGPL-3.0-or-later
"""Keyrings: open for the right member with the right passphrase, and cost what they must."""

from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shamir_mnemonic.wordlist import WORDLIST

from crypto.age import PqIdentity
from crypto.errors import AuthenticationError, LimitError, MalformedError
from crypto.keyring import (
    DEFAULT,
    MINIMUM,
    Keyring,
    Parameters,
    needs_upgrade,
    new_passphrase,
    open_bytes,
    open_keyring,
    seal_bytes,
    seal_keyring,
)
from tests.vectors import expected_error, join_parts, load_vectors

INVESTIGATOR = Keyring.generate(Random(1).randbytes)
PASSPHRASE = "glance hour patrol lilac tendency vampire"
SEALED = seal_keyring(INVESTIGATOR, PASSPHRASE, "investigator", MINIMUM, Random(2).randbytes)
KEY = bytes(range(32))


@pytest.mark.parametrize("vector", load_vectors("keyring", "open"))
def test_vectors(vector):
    arguments = (join_parts(vector["input"]["sealed"]), vector["input"]["passphrase"], vector["input"]["member"])
    if "error" in vector:
        with pytest.raises(expected_error(vector)):
            open_keyring(*arguments)
        return
    found = open_keyring(*arguments)
    assert vector["value"] == {
        "identity_seed": found.identity_seed.hex(),
        "signing_seed": found.signing_seed.hex(),
        "index_key": found.index_key.hex(),
    }


class TestKeyring:
    def test_what_was_sealed_is_opened_and_leads_to_the_members_identity(self):
        opened = open_keyring(SEALED, PASSPHRASE, "investigator")
        assert opened == INVESTIGATOR
        assert opened.identity == PqIdentity.from_seed(INVESTIGATOR.identity_seed)

    def test_two_seals_of_one_keyring_share_nothing_but_their_form(self):
        again = seal_keyring(INVESTIGATOR, PASSPHRASE, "investigator", MINIMUM)
        assert again[:30] == SEALED[:30]
        assert again[30:46] != SEALED[30:46]
        assert again[46:70] != SEALED[46:70]
        assert again[70:] != SEALED[70:]

    def test_parameters_that_would_exhaust_the_machine_are_refused_before_any_work(self):
        forged = SEALED[:18] + b"\x7f\xff\xff\xff" + SEALED[22:]
        with pytest.raises(LimitError):
            open_keyring(forged, PASSPHRASE, "investigator")
        with pytest.raises(LimitError):
            needs_upgrade(forged)

    @pytest.mark.parametrize("costs", [(19_455, 2, 1), (65_536, 1, 4), (2**21, 3, 4), (65_536, 17, 4), (65_536, 3, 0)])
    def test_nobody_seals_outside_the_bounds(self, costs):
        with pytest.raises(LimitError):
            Parameters(*costs)

    def test_a_weak_keyring_is_to_be_sealed_anew_and_todays_is_not(self):
        assert needs_upgrade(SEALED)
        today = seal_keyring(INVESTIGATOR, PASSPHRASE, "investigator")
        assert not needs_upgrade(today)
        assert open_keyring(today, PASSPHRASE, "investigator") == INVESTIGATOR
        assert Parameters(memory_kib=65_536, passes=3, lanes=4) == DEFAULT

    def test_a_keyring_of_another_size_is_refused(self):
        with pytest.raises(MalformedError):
            Keyring.from_bytes(bytes(95))
        with pytest.raises(MalformedError):
            Keyring(bytes(32), bytes(32), bytes(31))

    def test_secrets_are_not_printed(self):
        assert repr(INVESTIGATOR) == "Keyring()"

    @pytest.mark.parametrize("passphrase", ["", "\ud800", "a" * 4097], ids=["empty", "not Unicode", "endless"])
    def test_a_passphrase_that_cannot_be_typed_again_is_refused(self, passphrase):
        with pytest.raises((MalformedError, LimitError)):
            seal_keyring(INVESTIGATOR, passphrase, "investigator", MINIMUM)


class TestPassphrase:
    def test_it_is_six_words_of_the_list_chosen_by_ten_bits_each(self):
        bits = iter([0, 1, 1023, 1024, 0xFFFF, 512])
        words = new_passphrase(lambda size: next(bits).to_bytes(size))
        assert words.split(" ") == [WORDLIST[index] for index in (0, 1, 1023, 0, 1023, 512)]
        assert len(WORDLIST) == 1024

    def test_two_passphrases_differ(self):
        assert new_passphrase() != new_passphrase()


class TestSealedBytes:
    @given(plaintext=st.binary(max_size=300), associated=st.binary(max_size=40))
    def test_what_was_sealed_is_opened(self, plaintext, associated):
        sealed = seal_bytes(KEY, plaintext, associated)
        assert len(sealed) == len(plaintext) + 40
        assert open_bytes(KEY, sealed, associated) == plaintext

    @given(data=st.data())
    @settings(max_examples=200)
    def test_any_flipped_bit_is_found(self, data):
        sealed = bytearray(seal_bytes(KEY, b"note of a session", b"row 7"))
        sealed[data.draw(st.integers(0, len(sealed) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        with pytest.raises(AuthenticationError):
            open_bytes(KEY, bytes(sealed), b"row 7")

    def test_another_row_or_another_key_opens_nothing(self):
        sealed = seal_bytes(KEY, b"note of a session", b"row 7")
        with pytest.raises(AuthenticationError):
            open_bytes(KEY, sealed, b"row 8")
        with pytest.raises(AuthenticationError):
            open_bytes(bytes(32), sealed, b"row 7")

    @pytest.mark.parametrize("size", [0, 23, 24, 39])
    def test_what_is_too_short_is_malformed(self, size):
        with pytest.raises(MalformedError):
            open_bytes(KEY, bytes(size), b"")
