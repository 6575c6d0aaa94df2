# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bech32 as age uses it: BIP 173, without its limit of 90 characters.

The form is ``prefix "1" data checksum``. One encoding per value: the caller says whether the text is upper or lower
case, and the padding bits must be zero. See c2sp.org/age, "Conventions used in this document".
"""

import functools
import operator
from collections.abc import Iterable, Iterator, Sequence

from crypto.errors import LimitError, MalformedError

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
WORD_BITS = 5
CHECKSUM_LENGTH = 6
REMAINDER_BITS = WORD_BITS * CHECKSUM_LENGTH
# The longest text that we read is a recipient: 1216 bytes in 1959 characters.
MAX_LENGTH = 4096
# Of a text and of what the checksum takes of its prefix, the 1 at its beginning included.
WORDS_MAX = 2 * MAX_LENGTH
# A text is read as one number with these digits, which is much quicker than word by word: the portal reads a recipient
# in every manifest.
_BASE_32 = b"0123456789abcdefghijklmnopqrstuv"
_NO_DIGIT = ord("?")
_WORD_DIGITS = bytes(_BASE_32[code] if code < len(_BASE_32) else _NO_DIGIT for code in range(256))
_TEXT_DIGITS = bytes(_BASE_32[ALPHABET.index(chr(code))] if chr(code) in ALPHABET else _NO_DIGIT for code in range(256))


def encode(prefix: str, data: bytes) -> str:
    """Return ``data`` as lower-case Bech32 under the lower-case ``prefix``."""
    words = list(_cut(data))
    number = int(bytes(words).translate(_WORD_DIGITS) or b"0", 32)
    checksum = _checksum(prefix, number << REMAINDER_BITS, len(words) + CHECKSUM_LENGTH) ^ 1
    words += [checksum >> WORD_BITS * (CHECKSUM_LENGTH - 1 - i) & 31 for i in range(CHECKSUM_LENGTH)]
    return f"{prefix}1{''.join(ALPHABET[word] for word in words)}"


def decode(prefix: str, text: str) -> bytes:
    """Return the bytes of the lower-case Bech32 ``text``, whose prefix must be ``prefix``.

    Raises LimitError above MAX_LENGTH characters, MalformedError for another prefix, a character outside the
    alphabet (upper case included), a wrong checksum or padding that is not zero. The message never shows the text,
    because it may be a secret key.
    """
    if len(text) > MAX_LENGTH:
        raise LimitError(f"bech32: longer than {MAX_LENGTH} characters")
    found, separator, tail = text.rpartition("1")
    if not separator or found != prefix:
        raise MalformedError(f"bech32: does not begin with {prefix}1")
    digits = tail.encode("utf-8", "replace").translate(_TEXT_DIGITS)
    if len(digits) < CHECKSUM_LENGTH or _NO_DIGIT in digits:
        raise MalformedError("bech32: a character is missing or not in the alphabet")
    number = int(digits, 32)
    if _checksum(prefix, number, len(digits)) != 1:
        raise MalformedError("bech32: the checksum does not match: a character is wrong")
    return _join(number >> REMAINDER_BITS, len(digits) - CHECKSUM_LENGTH)


def decode_upper(prefix: str, text: str) -> bytes:
    """As ``decode``, for ``text`` all in upper case, as age writes secret keys. ``prefix`` stays lower case."""
    if text != text.upper() or not text.isascii():
        raise MalformedError(f"bech32: not all in upper case after {prefix.upper()}1")
    return decode(prefix, text.lower())


def _expand(prefix: str) -> int:
    """What the checksum takes of the prefix, as one number, behind the 1 with which it begins."""
    codes = prefix.encode("ascii")
    words = (*(code >> WORD_BITS for code in codes), 0, *(code & 31 for code in codes))
    return functools.reduce(lambda number, word: number << WORD_BITS | word, words, 1)


def _checksum(prefix: str, number: int, count: int) -> int:
    """Return the checksum of ``count`` words behind ``prefix``, given as one ``number``: 30 bits, 1 if it holds.

    It is a remainder over GF(32), and linear: each of its bits is the parity of some bits of the words. Raises
    LimitError when there are more than ``WORDS_MAX`` words.
    """
    if count + 2 * (len(prefix) + 1) > WORDS_MAX:
        raise LimitError(f"bech32: more than {WORDS_MAX} words")
    whole = _expand(prefix) << WORD_BITS * count | number
    return sum(((whole & mask).bit_count() & 1) << bit for bit, mask in enumerate(_parities()))


@functools.cache
def _parities() -> tuple[int, ...]:
    """For each bit of the remainder, the bits whose parity it is of a number of up to ``WORDS_MAX`` words.

    As many words as the remainder has are their own remainder. From there, what stands further up counts as its
    remainder, shifted in front of as many words as are known already; so their number doubles.
    """
    words = CHECKSUM_LENGTH
    masks = [1 << bit for bit in range(REMAINDER_BITS)]
    shifted = [_shift(1 << bit, words) for bit in range(REMAINDER_BITS)]
    while words < WORDS_MAX:
        upper = [_sum(masks[source] for source in _bits_from(shifted, bit)) for bit in range(REMAINDER_BITS)]
        masks = [mask | above << WORD_BITS * words for mask, above in zip(masks, upper, strict=True)]
        shifted = [_sum(shifted[bit] for bit in range(REMAINDER_BITS) if each >> bit & 1) for each in shifted]
        words *= 2
    return tuple(masks)


def _bits_from(shifted: Sequence[int], bit: int) -> Iterator[int]:
    """Which bits of a remainder reach this bit of the shifted one."""
    return (source for source in range(REMAINDER_BITS) if shifted[source] >> bit & 1)


def _shift(remainder: int, words: int) -> int:
    """Return the remainder when as many words of zero follow."""
    for _ in range(words):
        remainder = (remainder & 0x1FFFFFF) << WORD_BITS ^ _combine(remainder >> 25)
    return remainder


def _combine(top: int) -> int:
    """Return the feedback of the five bits that are shifted out at the top of the remainder."""
    return _sum(polynomial for bit, polynomial in enumerate(GENERATOR) if top >> bit & 1)


def _sum(polynomials: Iterable[int]) -> int:
    """Return the sum of polynomials whose coefficients are bits."""
    return functools.reduce(operator.xor, polynomials, 0)


def _cut(data: bytes) -> Iterator[int]:
    """Cut bytes into words of 5 bits, the most significant first; the last one is filled with zeros."""
    bits = count = 0
    for byte in data:
        bits = bits << 8 | byte
        count += 8
        while count >= WORD_BITS:
            count -= WORD_BITS
            yield bits >> count
            bits &= (1 << count) - 1
    if count:
        yield bits << (WORD_BITS - count)


def _join(number: int, count: int) -> bytes:
    """Return the bytes of ``count`` words, given as one number. Raises MalformedError unless what is left is zero."""
    size, left = divmod(WORD_BITS * count, 8)
    if left >= WORD_BITS or number & ((1 << left) - 1):
        raise MalformedError("bech32: the padding is not canonical")
    return (number >> left).to_bytes(size, "big")
