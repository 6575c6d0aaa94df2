# SPDX-License-Identifier: AGPL-3.0-or-later
"""Keyrings: they open for the right member with the right passphrase, at the required cost."""

import unicodedata
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from shamir_mnemonic.wordlist import WORDLIST

from crypto.age import PqIdentity
from crypto.errors import AuthenticationError, LimitError, MalformedError, UnsupportedVersionError
from crypto.keyring import (
    DEFAULT,
    MINIMUM,
    Keyring,
    Parameters,
    needs_upgrade,
    new_passphrase,
    open_bytes,
    open_keyring,
    prepare_passphrase,
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

    @pytest.mark.parametrize("costs", [(19_456, 2, 1), (1_048_576, 16, 16)])
    def test_the_bounds_themselves_are_allowed(self, costs):
        assert Parameters(*costs)

    @pytest.mark.parametrize("costs", [(1_048_577, 16, 16), (1_048_576, 17, 16), (1_048_576, 16, 17)])
    def test_one_more_of_any_cost_is_above_the_bounds(self, costs):
        with pytest.raises(LimitError):
            Parameters(*costs)

    @pytest.mark.parametrize(
        ("costs", "is_weak"),
        [((65_536, 3, 4), False), ((65_535, 3, 4), True), ((65_536, 2, 4), True), ((65_537, 4, 1), False)],
    )
    def test_a_keyring_is_weak_if_either_memory_or_passes_are_below_todays(self, costs, is_weak):
        costs = b"".join(cost.to_bytes(4) for cost in costs)
        assert needs_upgrade(SEALED[:18] + costs + SEALED[30:]) == is_weak

    def test_costs_that_were_altered_within_the_bounds_open_nothing(self):
        for place, value in ((21, 1), (25, 3), (29, 2)):
            altered = bytearray(SEALED)
            altered[place] = value
            with pytest.raises(AuthenticationError):
                open_keyring(bytes(altered), PASSPHRASE, "investigator")

    @pytest.mark.parametrize("sealed", [b"", SEALED[:-1], SEALED + b"x", b"x" * 182], ids=len)
    def test_another_size_or_form_is_malformed(self, sealed):
        with pytest.raises(MalformedError, match="not 182 bytes"):
            open_keyring(sealed, PASSPHRASE, "investigator")

    def test_a_keyring_of_another_version_of_ours_is_unsupported(self):
        for version in (b"amparo/v2/keyring\n", b"amparo/v1/keyrinh\n"):
            with pytest.raises(UnsupportedVersionError):
                open_keyring(version + SEALED[18:], PASSPHRASE, "investigator")
        with pytest.raises(MalformedError):
            open_keyring(b"another/v1/thing!\n" + SEALED[18:], PASSPHRASE, "investigator")

    def test_a_passphrase_is_the_same_from_every_keyboard(self):
        composed, decomposed = "caf\u00e9 au lait", "cafe\u0301\u00a0au\u3000lait"
        sealed = seal_keyring(INVESTIGATOR, composed, "investigator", MINIMUM)
        assert open_keyring(sealed, decomposed, "investigator") == INVESTIGATOR
        with pytest.raises(AuthenticationError):
            open_keyring(sealed, composed.upper(), "investigator")

    def test_an_endless_passphrase_is_refused_before_it_is_composed(self, monkeypatch):
        composed = []
        monkeypatch.setattr("crypto.keyring.normalize", lambda form, text: composed.append(text) or text)
        for passphrase in ("a" + "\u0316\u0301" * 8192, "\u0316" * 1_000_000):
            with pytest.raises(LimitError):
                prepare_passphrase(passphrase)
        assert composed == []

    def test_a_heap_of_marks_is_refused_before_it_is_composed(self, monkeypatch):
        """Composing takes the square of their number: 16,000 marks hold a processor for half a second."""
        composed = []
        monkeypatch.setattr("crypto.keyring.normalize", lambda form, text: composed.append(text) or text)
        for passphrase in ("a" + "\u0316\u0301" * 16, "\u0f73" * 16):
            with pytest.raises(MalformedError):
                prepare_passphrase(passphrase)
        assert composed == []
        assert prepare_passphrase("a" + "\u0316\u0301" * 15)

    def test_the_longest_passphrase_may_come_in_four_characters_for_each_of_it(self):
        # U+1F82 is four characters when it is decomposed.
        longest = "\u1f82" * (4096 // 3)
        assert prepare_passphrase(unicodedata.normalize("NFD", longest)) == longest.encode()

    def test_a_passphrase_has_at_most_4096_bytes(self):
        longest = "\u00e9" * 2048
        assert open_keyring(seal_keyring(INVESTIGATOR, longest, "x", MINIMUM), longest, "x") == INVESTIGATOR
        with pytest.raises(LimitError):
            seal_keyring(INVESTIGATOR, longest + "x", "x", MINIMUM)

    def test_a_keyring_is_made_of_random_bytes_alone(self):
        source = Random(3)
        made = Keyring.generate(source.randbytes)
        same = Random(3)
        assert made == Keyring(same.randbytes(32), same.randbytes(32), same.randbytes(32))

    def test_salt_and_nonce_are_16_and_24_random_bytes(self):
        source = Random(2)
        sealed = seal_keyring(INVESTIGATOR, PASSPHRASE, "investigator", MINIMUM, source.randbytes)
        same = Random(2)
        assert (sealed[30:46], sealed[46:70]) == (same.randbytes(16), same.randbytes(24))
        assert source.randbytes(8) == same.randbytes(8)

    def test_a_version_without_its_newline_is_none(self):
        with pytest.raises(MalformedError):
            open_keyring(b"amparo/v2/keyring".ljust(182, b"x"), PASSPHRASE, "investigator")

    def test_each_secret_has_32_bytes_and_its_place(self):
        made = Keyring(b"i" * 32, b"s" * 32, b"x" * 32)
        assert made.to_bytes() == b"i" * 32 + b"s" * 32 + b"x" * 32
        assert Keyring.from_bytes(made.to_bytes()) == made
        for sizes in ((31, 32, 32), (32, 33, 32), (32, 32, 0)):
            with pytest.raises(MalformedError):
                Keyring(*map(bytes, sizes))
        for size in (0, 95, 97):
            with pytest.raises(MalformedError, match="not 96 bytes"):
                Keyring.from_bytes(bytes(size))

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
        sizes = []
        words = new_passphrase(lambda size: sizes.append(size) or next(bits).to_bytes(size))
        assert sizes == [2] * 6
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
