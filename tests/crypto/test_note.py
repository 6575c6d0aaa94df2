# SPDX-License-Identifier: AGPL-3.0-or-later
"""Signed notes: one encoding each, no signature taken on trust."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto.encoding import decode_base64, encode_base64
from crypto.errors import AuthenticationError, LimitError, MalformedError
from crypto.note import NOTE_BYTES_MAX, Note, Signature, SigningKey, VerifierKey, add_signature, sign, verify
from tests.vectors import expected_error, join_parts, load_vectors

CHAIR = SigningKey.from_seed("acme/chair", b"chair".ljust(32, b"."))
LEGAL = SigningKey.from_seed("acme/legal", b"legal".ljust(32, b"."))
TEXT = "amparo collection v1\nhttps://portal.example\n"
LINES = st.text(st.characters(min_codepoint=0x20, exclude_categories=["Cs"]) | st.just("\n")).map(lambda t: t + "\n")


class TestVectors:
    @pytest.mark.parametrize("vector", load_vectors("note", "parse-key"))
    def test_verifier_keys(self, vector):
        text = vector["input"]["text"]
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                VerifierKey.parse(text)
            return
        key = VerifierKey.parse(text)
        assert vector["value"] == {"name": key.name, "key_id": key.key_id, "public": key.public.hex()}
        assert str(key) == text

    @pytest.mark.parametrize("vector", load_vectors("note", "sign"))
    def test_signing(self, vector):
        keys = [SigningKey(key["name"], bytes.fromhex(key["seed"])) for key in vector["input"]["keys"]]
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                sign(vector["input"]["text"], keys)
            return
        assert sign(vector["input"]["text"], keys).encode() == vector["value"].encode()

    @pytest.mark.parametrize("vector", load_vectors("note", "verify"))
    def test_verifying(self, vector):
        data = join_parts(vector["input"]["note"])
        known = [VerifierKey.parse(key) for key in vector["input"]["keys"]]
        if "error" in vector:
            with pytest.raises(expected_error(vector)):
                verify(Note.parse(data), known)
            return
        note = Note.parse(data)
        signers = [key.name for key in verify(note, known)]
        assert vector["value"] == {"text": note.text, "signers": signers, "hash": note.hash}
        assert note.encode() == data


class TestLaws:
    @given(text=LINES)
    def test_what_was_signed_is_read_back(self, text):
        note = sign(text, [CHAIR, LEGAL])
        assert Note.parse(note.encode()) == note
        assert verify(note, [LEGAL.verifier, CHAIR.verifier]) == (CHAIR.verifier, LEGAL.verifier)

    @given(data=st.data())
    def test_any_flipped_bit_is_found(self, data):
        encoded = bytearray(sign(TEXT, [CHAIR]).encode())
        encoded[data.draw(st.integers(0, len(encoded) - 1))] ^= 1 << data.draw(st.integers(0, 7))
        with pytest.raises((MalformedError, AuthenticationError)):
            verify(Note.parse(bytes(encoded)), [CHAIR.verifier])

    @given(data=st.binary(max_size=200))
    def test_whatever_is_parsed_is_encoded_to_the_same_bytes(self, data):
        data = data + "\n\n— a AQIDBAU=\n".encode()
        try:
            note = Note.parse(data)
        except MalformedError:
            return
        assert note.encode() == data


class TestKeys:
    def test_any_altered_character_of_a_verifier_key_is_refused(self):
        text = str(CHAIR.verifier)
        for place, character in enumerate(text):
            with pytest.raises(MalformedError):
                VerifierKey.parse(text[:place] + chr(ord(character) + 1) + text[place + 1 :])

    def test_any_part_of_a_verifier_key_is_refused(self):
        text = str(CHAIR.verifier)
        for start in range(len(text)):
            for end in range(start, len(text) + (start > 0)):
                with pytest.raises(MalformedError):
                    VerifierKey.parse(text[start:end])

    def test_a_signing_key_does_not_print_its_seed(self):
        assert repr(CHAIR) == "SigningKey(name='acme/chair')"

    @pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\x1fb", "a\x00", "\u2003", "a\udfff"], ids=ascii)
    def test_a_name_that_cannot_stand_in_a_note_is_no_name_of_a_key(self, name):
        for make in (lambda: SigningKey(name, bytes(32)), lambda: VerifierKey(name, CHAIR.verifier.public)):
            with pytest.raises(MalformedError):
                make()

    def test_a_name_has_at_most_255_characters(self):
        assert SigningKey("n" * 255, bytes(32)).verifier.name == "n" * 255
        with pytest.raises(LimitError):
            SigningKey("n" * 256, bytes(32))

    @pytest.mark.parametrize("size", [0, 31, 33, 64])
    def test_keys_have_32_bytes(self, size):
        with pytest.raises(MalformedError, match="not 32 bytes"):
            SigningKey("acme/chair", bytes(size))
        with pytest.raises(MalformedError):
            VerifierKey("acme/chair", (CHAIR.verifier.public * 2)[:size])

    def test_a_verifier_key_with_more_behind_it_is_refused(self):
        name, key_id, encoded = str(CHAIR.verifier).split("+", 2)
        data = decode_base64(encoded)
        for altered in (data + b"\0", data[:-1], data[:1]):
            with pytest.raises(MalformedError):
                VerifierKey.parse(f"{name}+{key_id}+{encode_base64(altered)}")

    @pytest.mark.parametrize("key_id", ["", "0", "zzzzzzzz", "0000000000"])
    def test_a_key_id_is_four_bytes_in_hex(self, key_id):
        with pytest.raises(MalformedError, match="8 lower-case hexadecimal digits"):
            VerifierKey.parse(f"acme/chair+{key_id}+{str(CHAIR.verifier).split('+', 2)[2]}")

    def test_generated_keys_differ(self):
        assert SigningKey.generate("acme/chair") != SigningKey.generate("acme/chair")

    def test_the_key_id_is_part_of_what_requests_name(self):
        assert CHAIR.verifier.short_id == f"acme/chair+{CHAIR.verifier.key_id}"

    def test_one_key_under_two_names_has_two_ids(self):
        assert SigningKey("acme/legal", CHAIR.seed).verifier.key_id != CHAIR.verifier.key_id


class TestNotes:
    def test_a_later_signature_does_not_change_the_hash(self):
        note = sign(TEXT, [CHAIR])
        both = add_signature(note, LEGAL)
        assert both.hash == note.hash
        assert both.encode() == note.encode() + both.signatures[1].line().encode()

    def test_a_note_that_nobody_signed_is_neither_encoded_nor_verified(self):
        with pytest.raises(MalformedError):
            sign(TEXT, []).encode()
        with pytest.raises(AuthenticationError):
            verify(sign(TEXT, []), [CHAIR.verifier])

    def test_a_known_key_given_twice_counts_once(self):
        assert verify(sign(TEXT, [CHAIR]), [CHAIR.verifier, CHAIR.verifier]) == (CHAIR.verifier,)

    def test_a_note_is_at_most_one_mebibyte_to_the_byte(self):
        line = len(sign("\n", [CHAIR]).encode()) - 1
        fits = sign("a" * (NOTE_BYTES_MAX - line - 1) + "\n", [CHAIR])
        assert len(fits.encode()) == NOTE_BYTES_MAX
        assert Note.parse(fits.encode()) == fits
        with pytest.raises(LimitError):
            sign("a" * (NOTE_BYTES_MAX - line) + "\n", [CHAIR]).encode()
        with pytest.raises(LimitError):
            sign("a" * NOTE_BYTES_MAX + "\n", [CHAIR])

    def test_the_limit_of_a_text_is_that_of_a_note_and_1048576_bytes(self):
        assert NOTE_BYTES_MAX == 1_048_576
        assert Note("a" * (NOTE_BYTES_MAX - 1) + "\n", ()).signatures == ()
        with pytest.raises(LimitError):
            Note("a" * NOTE_BYTES_MAX + "\n", ())

    def test_64_signatures_are_read_and_65_are_counted_before_they_are_read(self):
        keys = [SigningKey(f"w{number}", bytes([number]) * 32) for number in range(64)]
        encoded = sign(TEXT, keys).encode()
        assert len(Note.parse(encoded).signatures) == 64
        with pytest.raises(LimitError):
            Note.parse(encoded + b"not a signature line\n")

    @pytest.mark.parametrize(
        "data",
        [
            TEXT.encode(),
            b"\n\n",
            f"{TEXT}\n— a\n".encode(),
            f"{TEXT}\n— aAQIDBAU=\n".encode(),
            f"{TEXT}\n— \x1f AQIDBAU=\n".encode(),
            "\x1f\n\n— a AQIDBAU=\n".encode(),
            f"{TEXT}\n— a AQIDBAU=".encode(),
            f"{TEXT}— a AQIDBAU=\n".encode(),
            "— a AQIDBAU=\n".encode(),
        ],
        ids=ascii,
    )
    def test_another_form_is_malformed(self, data):
        with pytest.raises(MalformedError):
            Note.parse(data)

    def test_more_than_64_signatures_are_not_made(self):
        with pytest.raises(LimitError):
            Note(TEXT, tuple(Signature(f"w{number}", "00000000", b"x") for number in range(65)))

    def test_a_text_with_a_lone_surrogate_is_not_signed(self):
        with pytest.raises(MalformedError):
            sign("\ud800\n", [CHAIR])
