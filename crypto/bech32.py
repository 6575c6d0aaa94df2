# SPDX-License-Identifier: AGPL-3.0-or-later
"""Bech32 as age uses it: BIP 173, without its limit of 90 characters.

The form is ``prefix "1" data checksum``. One encoding per value: the caller says whether the text is upper or lower
case, and the padding bits must be zero. See c2sp.org/age, "Conventions used in this document".
"""

import functools
import operator
from collections.abc import Iterable, Iterator

from crypto.errors import LimitError, MalformedError

ALPHABET = "qpzry9x8gf2tvdw0s3jn54khce6mua7l"
GENERATOR = (0x3B6A57B2, 0x26508E6D, 0x1EA119FA, 0x3D4233DD, 0x2A1462B3)
CHECKSUM_LENGTH = 6
# The longest text that we read is a recipient: 1216 bytes in 1959 characters.
MAX_LENGTH = 4096


def encode(prefix: str, data: bytes) -> str:
    """Return ``data`` as lower-case Bech32 under the lower-case ``prefix``."""
    words = list(_regroup(data, 8, 5, pad=True))
    checksum = _polymod([*_expand(prefix), *words, *[0] * CHECKSUM_LENGTH]) ^ 1
    words += [checksum >> 5 * (CHECKSUM_LENGTH - 1 - i) & 31 for i in range(CHECKSUM_LENGTH)]
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
    words = [ALPHABET.find(character) for character in tail]
    if len(words) < CHECKSUM_LENGTH or -1 in words:
        raise MalformedError("bech32: a character is missing or not in the alphabet")
    if _polymod([*_expand(prefix), *words]) != 1:
        raise MalformedError("bech32: the checksum does not match: a character is wrong")
    return bytes(_regroup(words[:-CHECKSUM_LENGTH], 5, 8, pad=False))


def decode_upper(prefix: str, text: str) -> bytes:
    """As ``decode``, for ``text`` all in upper case, as age writes secret keys. ``prefix`` stays lower case."""
    if text != text.upper() or not text.isascii():
        raise MalformedError(f"bech32: not all in upper case after {prefix.upper()}1")
    return decode(prefix, text.lower())


def _expand(prefix: str) -> list[int]:
    codes = prefix.encode("ascii")
    return [*(code >> 5 for code in codes), 0, *(code & 31 for code in codes)]


def _polymod(words: Iterable[int]) -> int:
    """Return the checksum of BIP 173: a remainder over GF(32), 30 bits wide."""
    feedback = [_combine(top) for top in range(32)]
    remainder = 1
    for word in words:
        remainder = (remainder & 0x1FFFFFF) << 5 ^ word ^ feedback[remainder >> 25]
    return remainder


def _combine(top: int) -> int:
    """Return the feedback of the five bits that are shifted out at the top of the remainder."""
    chosen = (polynomial for bit, polynomial in enumerate(GENERATOR) if top >> bit & 1)
    return functools.reduce(operator.xor, chosen, 0)


def _regroup(values: Iterable[int], width: int, new_width: int, *, pad: bool) -> Iterator[int]:
    """Cut the bits of ``values``, ``width`` each, into values of ``new_width`` bits, the most significant first."""
    bits = count = 0
    for value in values:
        bits = bits << width | value
        count += width
        while count >= new_width:
            count -= new_width
            yield bits >> count
            bits &= (1 << count) - 1
    if pad and count:
        yield bits << (new_width - count)
    elif count >= width or bits:
        raise MalformedError("bech32: the padding is not canonical")
