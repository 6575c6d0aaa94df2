# SPDX-License-Identifier: AGPL-3.0-or-later
"""Sealing and opening age files: laws, refusals, and the memory used by streams."""

import io
import random

import pytest
from cryptography.hazmat.primitives.asymmetric.mlkem import MLKEM768PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto.age import (
    MAX_HEADER_SIZE,
    MAX_STANZAS,
    PqIdentity,
    PqRecipient,
    Stanza,
    X25519Identity,
    X25519Recipient,
    check_sealed_prefix,
    open_sealed,
    open_stream,
    parse_identity,
    parse_identity_file,
    parse_recipient,
    parse_recipient_file,
    read_header,
    seal,
    seal_stream,
    sealed_size,
)
from crypto.age_header import decode_base64, encode_base64, encode_header
from crypto.age_pq import check_stanza
from crypto.age_stream import CHUNK_SIZE
from crypto.age_x25519 import LOW_ORDER
from crypto.errors import (
    AuthenticationError,
    CryptoError,
    LimitError,
    MalformedError,
    NotARecipientError,
    UnsupportedVersionError,
)

SISTER = PqIdentity.from_seed(b"sister".ljust(32, b"."))
LAWYER = PqIdentity.from_seed(b"lawyer".ljust(32, b"."))
STRANGER = PqIdentity.from_seed(b"stranger".ljust(32, b"."))
CLASSICAL = X25519Identity(b"classical".ljust(32, b"."))

LETTER = random.Random(1).randbytes(70_000)
SEALED_LETTER = seal(LETTER, [SISTER.recipient()])
HEADER_SIZE = check_sealed_prefix(SEALED_LETTER).size


def sizes_around_chunks() -> st.SearchStrategy[int]:
    near = st.builds(lambda chunks, off: max(0, chunks * CHUNK_SIZE + off), st.integers(0, 4), st.integers(-2, 2))
    return st.one_of(near, st.integers(0, 5 * CHUNK_SIZE))


class TestLaws:
    @given(size=sizes_around_chunks(), seed=st.binary(min_size=32, max_size=32))
    @settings(max_examples=60, deadline=None)
    def test_opening_gives_back_what_was_sealed(self, size, seed):
        identity = PqIdentity.from_seed(seed)
        plaintext = random.Random(size).randbytes(size)
        sealed = seal(plaintext, [LAWYER.recipient(), identity.recipient()])
        assert open_sealed(sealed, [identity]) == plaintext
        assert open_sealed(sealed, [STRANGER, LAWYER]) == plaintext
        assert len(sealed) == sealed_size(size, check_sealed_prefix(sealed).size)

    @given(bit=st.one_of(st.integers(0, HEADER_SIZE * 8 - 1), st.integers(0, len(SEALED_LETTER) * 8 - 1)))
    @settings(max_examples=400, deadline=None)
    def test_a_file_with_any_bit_flipped_does_not_open(self, bit):
        altered = bytearray(SEALED_LETTER)
        altered[bit // 8] ^= 1 << bit % 8
        with pytest.raises(CryptoError):
            open_sealed(bytes(altered), [SISTER])

    @given(size=st.one_of(st.integers(0, HEADER_SIZE + 40), st.integers(0, len(SEALED_LETTER) - 1)))
    @settings(max_examples=200, deadline=None)
    def test_a_file_cut_anywhere_does_not_open(self, size):
        with pytest.raises(CryptoError):
            open_sealed(SEALED_LETTER[:size], [SISTER])

    @given(extra=st.binary(min_size=1, max_size=100))
    @settings(max_examples=50, deadline=None)
    def test_a_file_with_anything_behind_does_not_open(self, extra):
        with pytest.raises(CryptoError):
            open_sealed(SEALED_LETTER + extra, [SISTER])

    @given(data=st.binary(max_size=300))
    @settings(max_examples=200, deadline=None)
    def test_a_header_of_noise_raises_one_of_our_errors(self, data):
        for noise in (data, SEALED_LETTER[:22] + data, SEALED_LETTER[:22] + b"-> " + data):
            with pytest.raises(CryptoError):
                open_sealed(noise, [SISTER, CLASSICAL])


class TestWhoOpens:
    def test_a_stranger_is_not_a_recipient(self):
        with pytest.raises(NotARecipientError):
            open_sealed(SEALED_LETTER, [STRANGER, CLASSICAL])

    def test_no_identity_opens_nothing(self):
        with pytest.raises(NotARecipientError):
            open_sealed(SEALED_LETTER, [])

    def test_recipients_keep_their_order(self):
        header = check_sealed_prefix(seal(b"", [LAWYER.recipient(), SISTER.recipient()]))
        assert len(LAWYER.unwrap(header.stanzas[:1])) == 16
        with pytest.raises(NotARecipientError):
            SISTER.unwrap(header.stanzas[:1])
        assert SISTER.unwrap(header.stanzas[1:]) == LAWYER.unwrap(header.stanzas)

    def test_two_files_of_the_same_letter_share_nothing(self):
        first, second = (check_sealed_prefix(seal(LETTER, [SISTER.recipient()])) for _ in range(2))
        assert first.stanzas != second.stanzas
        assert SISTER.unwrap(first.stanzas) != SISTER.unwrap(second.stanzas)

    def test_a_stanza_added_by_someone_else_breaks_the_mac(self):
        header = read_header(io.BytesIO(SEALED_LETTER))
        forged = encode_header([*header.stanzas, *header.stanzas], bytes(16)) + SEALED_LETTER[header.size :]
        with pytest.raises(AuthenticationError):
            open_sealed(forged, [SISTER])

    def test_a_malformed_stanza_is_found_even_behind_one_that_opens(self):
        file_key = bytes(16)
        broken = Stanza("mlkem768x25519", ("AAAA",), bytes(32))
        header = encode_header([SISTER.recipient().wrap(file_key), broken], file_key)
        with pytest.raises(MalformedError):
            open_sealed(header + bytes(32), [SISTER])


class TestX25519:
    def test_what_was_sealed_opens(self):
        sealed = seal(LETTER, [X25519Identity(b"other".ljust(32, b".")).recipient(), CLASSICAL.recipient()])
        assert open_sealed(sealed, [SISTER, CLASSICAL]) == LETTER

    @pytest.mark.parametrize("arguments", [(), ("A" * 42,), ("A" * 44,), ("A" * 43, "A" * 43)], ids=str)
    def test_a_stanza_has_one_argument_of_32_bytes(self, arguments):
        with pytest.raises(MalformedError):
            CLASSICAL.unwrap([Stanza("X25519", arguments, bytes(32))])

    def test_a_longer_share_is_refused_for_its_size(self):
        with pytest.raises(MalformedError, match="33 bytes, expected 32"):
            CLASSICAL.unwrap([Stanza("X25519", ("A" * 44,), bytes(32))])

    @pytest.mark.parametrize("size", [0, 31, 33])
    def test_the_body_of_a_stanza_has_32_bytes(self, size):
        share = CLASSICAL.recipient().wrap(bytes(16)).arguments
        with pytest.raises(MalformedError):
            CLASSICAL.unwrap([Stanza("X25519", share, bytes(size))])


class TestLimitsAsTheyStand:
    """The numbers of the format, written out: a test that takes them from the code would move with them."""

    def test_a_header_has_at_most_256_stanzas_and_a_mebibyte(self):
        assert (MAX_STANZAS, MAX_HEADER_SIZE) == (256, 1_048_576)

    def test_a_header_may_have_a_mebibyte_to_the_byte(self):
        head, mac = b"age-encryption.org/v1\n-> ", b"\n\n--- " + b"A" * 43 + b"\n"
        fits = head + b"x" * (1_048_576 - len(head) - len(mac)) + mac
        assert read_header(io.BytesIO(fits)).size == 1_048_576
        with pytest.raises(LimitError):
            read_header(io.BytesIO(fits.replace(b"-> ", b"-> x", 1)))

    def test_another_version_is_told_from_noise_within_64_bytes(self):
        for size, error in ((64, UnsupportedVersionError), (65, MalformedError)):
            line = b"age-encryption.org/".ljust(size - 1, b"v") + b"\n"
            with pytest.raises(error):
                read_header(io.BytesIO(line))

    @pytest.mark.parametrize("end", [b"---", b"---" + b"A" * 44, b"--- ", b"AAAA", b"-" * 47, b"---x" + b"A" * 43])
    def test_a_header_ends_in_hyphens_a_space_and_the_mac(self, end):
        with pytest.raises(MalformedError):
            read_header(io.BytesIO(b"age-encryption.org/v1\n-> x\n\n" + end + b"\n"))

    def test_base64_of_a_header_has_no_padding_and_loses_nothing_else(self):
        for data, text in (
            (b"", ""),
            (b"\0", "AA"),
            (b"\0\0", "AAA"),
            (b"\0\0\x31", "AAAx"),
            (b"\0\0\0\xf0", "AAAA8A"),
        ):
            assert encode_base64(data) == text
            assert decode_base64(text, len(data)) == data
        for text in ("AA==", "A", "AB", "AAAAB", "AA A", "-_"):
            with pytest.raises(MalformedError):
                decode_base64(text)

    def test_a_body_that_fills_its_lines_has_an_empty_one_behind(self):
        for size, lines in ((47, 1), (48, 2), (49, 2), (95, 2), (96, 3)):
            header = encode_header([Stanza("x", (), bytes(size))], bytes(16))
            assert header.count(b"\n") == 2 + lines + 1
            assert read_header(io.BytesIO(header)).stanzas[0].body == bytes(size)


class TestPostQuantumStanzas:
    WRAPPED = SISTER.recipient().wrap(bytes(16))

    def test_another_type_with_the_form_of_one_is_malformed(self):
        with pytest.raises(MalformedError):
            check_stanza(Stanza("x-other", self.WRAPPED.arguments, self.WRAPPED.body))

    def test_a_longer_argument_is_refused_for_its_size(self):
        longer = self.WRAPPED.arguments[0] + "AAAA"
        with pytest.raises(MalformedError, match="expected 1120"):
            check_stanza(Stanza("mlkem768x25519", (longer,), self.WRAPPED.body))

    @pytest.mark.parametrize("key", [LAWYER.recipient().key[:-1], LAWYER.recipient().key + b"."], ids=len)
    def test_a_key_of_another_size_is_refused_for_its_size(self, key):
        with pytest.raises(MalformedError, match="not 1216 bytes"):
            PqRecipient(key)

    def test_a_key_is_not_printed(self):
        assert repr(LAWYER.recipient()) == "PqRecipient()"


class TestPayloads:
    def test_a_payload_without_a_chunk_ends_early(self):
        with pytest.raises(MalformedError, match="before its last chunk"):
            open_sealed(SEALED_LETTER[: HEADER_SIZE + 16], [SISTER])

    def test_a_payload_cut_between_two_chunks_ends_early(self):
        sealed = seal(bytes(2 * CHUNK_SIZE), [SISTER.recipient()])
        cut = check_sealed_prefix(sealed).size + 16 + CHUNK_SIZE + 16
        with pytest.raises(MalformedError, match="before its last chunk"):
            open_sealed(sealed[:cut], [SISTER])

    @pytest.mark.parametrize(
        ("plaintext", "size"), [(0, 132), (1, 133), (65_536, 65_668), (65_537, 65_685), (131_072, 131_220)]
    )
    def test_sizes_are_those_of_the_specification(self, plaintext, size):
        assert sealed_size(plaintext, 100) == size


class TestWhatSealingRefuses:
    def test_no_recipient(self):
        with pytest.raises(MalformedError):
            seal(LETTER, [])

    def test_post_quantum_recipients_mixed_with_weaker_ones(self):
        for recipients in ([SISTER, CLASSICAL], [CLASSICAL, SISTER]):
            sink = io.BytesIO()
            with pytest.raises(MalformedError, match="mixed"):
                seal_stream(io.BytesIO(LETTER), sink, [identity.recipient() for identity in recipients])
            assert sink.getvalue() == b""

    def test_more_recipients_than_a_header_may_hold(self):
        recipient = CLASSICAL.recipient()
        assert len(read_header(io.BytesIO(seal(b"", [recipient] * MAX_STANZAS))).stanzas) == MAX_STANZAS
        with pytest.raises(LimitError):
            seal(b"", [recipient] * (MAX_STANZAS + 1))


class TestWhatOpeningRefuses:
    def test_another_version(self):
        with pytest.raises(UnsupportedVersionError):
            open_sealed(SEALED_LETTER.replace(b"/v1\n", b"/v2\n", 1), [SISTER])

    def test_more_stanzas_than_the_limit(self):
        stanza = b"-> grease\n\n"
        head = b"age-encryption.org/v1\n"
        mac = b"--- " + b"A" * 43 + b"\n"
        assert len(read_header(io.BytesIO(head + stanza * MAX_STANZAS + mac)).stanzas) == MAX_STANZAS
        with pytest.raises(LimitError):
            read_header(io.BytesIO(head + stanza * (MAX_STANZAS + 1) + mac))

    @pytest.mark.parametrize("filler", [b"-> " + b"A" * 2 * MAX_HEADER_SIZE, b"-> x\n" + (b"A" * 64 + b"\n") * 40_000])
    def test_a_header_that_does_not_end_is_not_read_further_than_the_limit(self, filler):
        source = io.BytesIO(b"age-encryption.org/v1\n" + filler)
        with pytest.raises(LimitError):
            read_header(source)
        assert source.tell() <= MAX_HEADER_SIZE + 1

    def test_a_header_without_a_stanza(self):
        with pytest.raises(MalformedError):
            read_header(io.BytesIO(b"age-encryption.org/v1\n--- " + b"A" * 43 + b"\n"))

    def test_a_header_whose_last_line_does_not_end(self):
        header = SEALED_LETTER[: HEADER_SIZE - 1]
        for data in (header, header + b"A", header + b"\r"):
            with pytest.raises(MalformedError):
                read_header(io.BytesIO(data))

    def test_an_altered_second_chunk_after_the_first_was_written(self):
        sink = io.BytesIO()
        with pytest.raises(AuthenticationError):
            open_stream(io.BytesIO(SEALED_LETTER[:-1] + b"?"), sink, [SISTER])
        assert sink.getvalue() == LETTER[:CHUNK_SIZE]

    def test_chunks_in_another_order(self):
        plaintext = bytes(3 * CHUNK_SIZE)
        sealed = seal(plaintext, [SISTER.recipient()])
        start = check_sealed_prefix(sealed).size + 16
        step = CHUNK_SIZE + 16
        head, first, second, third = sealed[:start], *(sealed[start + n * step :][:step] for n in range(3))
        assert open_sealed(head + first + second + third, [SISTER]) == plaintext
        for chunks in (second + first + third, first + third, first + second, first + first + second + third):
            with pytest.raises(CryptoError):
                open_sealed(head + chunks, [SISTER])


class TestTheCheckOfThePortal:
    def test_a_sealed_file_passes_with_its_header_alone(self):
        header = check_sealed_prefix(SEALED_LETTER[:HEADER_SIZE])
        assert (len(header.stanzas), header.size) == (1, HEADER_SIZE)
        assert check_sealed_prefix(SEALED_LETTER[:MAX_HEADER_SIZE]) == header

    @pytest.mark.parametrize(
        "data",
        [
            b"",
            b"They beat him on the second day.",
            b"%PDF-1.7\n" + bytes(2 * MAX_HEADER_SIZE),
            b"-----BEGIN AGE ENCRYPTED FILE-----\n",
            b"age-encryption.org/v1",
            SEALED_LETTER[: HEADER_SIZE - 1],
            seal(LETTER, [CLASSICAL.recipient()]),
            encode_header([SISTER.recipient().wrap(bytes(16)), CLASSICAL.recipient().wrap(bytes(16))], bytes(16)),
            encode_header([SISTER.recipient().wrap(bytes(16)), Stanza("x-grease", ("a",), b"")], bytes(16)),
            encode_header([Stanza("mlkem768x25519", ("AAAA",), bytes(32))], bytes(16)),
            encode_header([Stanza("mlkem768x25519", SISTER.recipient().wrap(bytes(16)).arguments, b"")], bytes(16)),
        ],
        ids=lambda data: f"{len(data)} bytes",
    )
    def test_anything_else_is_malformed(self, data):
        with pytest.raises(MalformedError):
            check_sealed_prefix(data)

    def test_a_share_of_low_order_is_found_without_a_key(self):
        low_order = Stanza("mlkem768x25519", ("A" * 1494,), bytes(32))
        with pytest.raises(MalformedError, match="low order"):
            check_stanza(low_order)


class TestKeysAsText:
    def test_the_examples_of_the_specification(self):
        identity = parse_identity("AGE-SECRET-KEY-1GFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPYYSJZGFPQ4EGAEX")
        assert identity == X25519Identity(b"B" * 32)
        assert str(identity.recipient()) == "age1zvkyg2lqzraa2lnjvqej32nkuu0ues2s82hzrye869xeexvn73equnujwj"

        identity = parse_identity("AGE-SECRET-KEY-PQ-1XX76JRALNLXDMEW0CRK45QMCCH4X06SE84UN3VPM33W6HWDX0H3SK3ZQFR")
        recipient = str(identity.recipient())
        assert recipient.startswith("age1pq1x34nzsvr0rxjsgdn8zgyhfe8j7ceq5r9rdelkjuh3y235jzxshfg87pzf5zrqtzdxz95paef6c")
        assert recipient.endswith("9efhxpfqdkmhh6gjtqmwze9pyyzk3tlhl53k2ykx3qheyty7saeq0d3fzv49zc0k")

    @pytest.mark.parametrize("identity", [SISTER, CLASSICAL])
    def test_keys_come_back_from_their_text(self, identity):
        assert parse_identity(str(identity)) == identity
        assert parse_recipient(str(identity.recipient())) == identity.recipient()

    @pytest.mark.parametrize("identity", [SISTER, CLASSICAL])
    def test_a_key_with_any_character_changed_is_refused_and_not_shown(self, identity):
        for text, parse in ((str(identity), parse_identity), (str(identity.recipient()), parse_recipient)):
            for place in random.Random(2).sample(range(len(text)), 40):
                character = "p" if text[place] in "qQ" else "q"
                altered = text[:place] + (character.upper() if text.isupper() else character) + text[place + 1 :]
                with pytest.raises(MalformedError) as caught:
                    parse(altered)
                assert altered[20:40] not in str(caught.value)

    @pytest.mark.parametrize("identity", [SISTER, CLASSICAL])
    def test_a_key_has_one_spelling(self, identity):
        recipient = str(identity.recipient())
        for text in (recipient.upper(), f" {recipient}", f"{recipient}\n", recipient[:-1], recipient + "q", "", "age1"):
            with pytest.raises(MalformedError):
                parse_recipient(text)
        for text in (str(identity).lower(), str(identity).title(), f"{identity} "):
            with pytest.raises(MalformedError):
                parse_identity(text)

    def test_a_recipient_of_absurd_length_is_refused_unread(self):
        with pytest.raises(LimitError):
            parse_recipient("age1" + "q" * 10_000)

    @pytest.mark.parametrize("identity", [SISTER, CLASSICAL])
    def test_repr_does_not_show_the_secret(self, identity):
        assert repr(identity) in ("PqIdentity()", "X25519Identity()")

    @pytest.mark.parametrize("key", [b"", bytes(1215), bytes(1217), bytes(1216), b"\xff" * 1216])
    def test_a_post_quantum_recipient_is_a_valid_pair_of_keys(self, key):
        with pytest.raises(MalformedError):
            PqRecipient(key)

    @given(seed=st.integers(), place=st.integers(0, 767), coefficient=st.sampled_from([0, 3328, 3329, 4095]))
    def test_a_post_quantum_key_is_valid_where_the_library_finds_it_so(self, seed, place, coefficient):
        chance = random.Random(seed)
        coefficients = [chance.randrange(3329) for _ in range(768)]
        coefficients[place] = coefficient
        number = sum(each << 12 * place for place, each in enumerate(coefficients))
        key = number.to_bytes(1152, "little") + LAWYER.recipient().key[1152:]
        if coefficient < 3329:
            MLKEM768PublicKey.from_public_bytes(key[:1184])
            assert PqRecipient(key).key == key
        else:
            with pytest.raises(ValueError, match="ML-KEM"):
                MLKEM768PublicKey.from_public_bytes(key[:1184])
            with pytest.raises(MalformedError):
                PqRecipient(key)

    @pytest.mark.parametrize("key", [b"", bytes(31), bytes(32), b"\x01" + bytes(31)])
    def test_an_x25519_recipient_is_not_of_low_order(self, key):
        with pytest.raises(MalformedError):
            X25519Recipient(key)

    @pytest.mark.parametrize("point", sorted(LOW_ORDER))
    @pytest.mark.parametrize("highest_bit", [0, 2**255])
    def test_a_point_of_low_order_is_refused_under_every_name_that_the_library_refuses(self, point, highest_bit):
        key = (point + highest_bit).to_bytes(32, "little")
        with pytest.raises(ValueError, match=r"."):
            X25519PrivateKey.generate().exchange(X25519PublicKey.from_public_bytes(key))
        with pytest.raises(MalformedError):
            X25519Recipient(key)

    @given(step=st.integers(0, 2**255 - 1))
    def test_any_other_point_gives_a_secret(self, step):
        for point in {step} | {each + near for each in LOW_ORDER for near in (-2, 2)}:
            if 0 <= point < 2**255 and point not in LOW_ORDER:
                key = X25519PublicKey.from_public_bytes(X25519Recipient(point.to_bytes(32, "little")).key)
                assert any(X25519PrivateKey.from_private_bytes(bytes(32)).exchange(key))

    @pytest.mark.parametrize("kind", [PqIdentity, X25519Identity])
    def test_an_identity_is_32_bytes(self, kind):
        for size in (0, 31, 33):
            with pytest.raises(MalformedError):
                kind(bytes(size))

    def test_a_file_of_identities_may_have_comments(self):
        text = f"# created: today\n\n{SISTER}\n# public key: none\r\n  {CLASSICAL}\r\n"
        assert parse_identity_file(text) == [SISTER, CLASSICAL]
        assert parse_recipient_file(f"{LAWYER.recipient()}\n") == [LAWYER.recipient()]

    def test_a_file_of_identities_names_the_bad_line_and_does_not_show_it(self):
        with pytest.raises(MalformedError, match="line 3") as caught:
            parse_identity_file(f"# mine\n{SISTER}\n{str(LAWYER)[:-1]}\n")
        assert str(LAWYER)[19:40] not in str(caught.value)

    def test_a_file_without_a_key_is_refused(self):
        with pytest.raises(MalformedError):
            parse_identity_file("# nothing\n")


class CountedSource(io.RawIOBase):
    """A source of ``size`` zero bytes that gives them in small parts and counts what it gave."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.given = 0

    def readable(self) -> bool:
        return True

    def readinto(self, buffer) -> int:
        count = min(len(buffer), self.left, 10_007)
        buffer[:count] = bytes(count)
        self.left -= count
        self.given += count
        return count


class WatchingSink(io.BytesIO):
    """A sink that records how many bytes were read from the source before they were written."""

    def __init__(self, source, position) -> None:
        super().__init__()
        self.source = source
        self.position = position
        self.ahead_max = 0
        self.written = 0

    def write(self, data) -> int:
        self.ahead_max = max(self.ahead_max, self.position(self.source) - self.written)
        self.written += len(data)
        return super().write(data)


class TestStreams:
    @pytest.mark.parametrize("size", [0, 1, CHUNK_SIZE, 40 * CHUNK_SIZE, 40 * CHUNK_SIZE + 1])
    def test_a_stream_is_never_more_than_two_chunks_ahead(self, size):
        source = CountedSource(size)
        sealed = WatchingSink(source, lambda source: source.given)
        seal_stream(source, sealed, [SISTER.recipient()])
        assert sealed.ahead_max <= 2 * CHUNK_SIZE

        sealed.seek(0)
        opened = WatchingSink(sealed, lambda sealed: sealed.tell() - HEADER_SIZE)
        open_stream(sealed, opened, [SISTER])
        assert opened.getvalue() == bytes(size)
        assert opened.ahead_max <= 1.5 * CHUNK_SIZE

    def test_a_source_that_gives_little_at_a_time_is_read_whole(self):
        sink = io.BytesIO()
        seal_stream(CountedSource(200_000), sink, [SISTER.recipient()])
        assert open_sealed(sink.getvalue(), [SISTER]) == bytes(200_000)
