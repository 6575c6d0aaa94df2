# SPDX-License-Identifier: AGPL-3.0-or-later
"""The digits of a receipt code as somebody typed or pasted it (docs/protocol.md §3).

A code comes out of a message with commas, numbers before its groups, and words around it. What is left out is fixed, so
that every device reads the same: no table of Unicode is asked.
"""

import re

GROUPS = 7
GROUP_DIGITS = 5
CODE_DIGITS = GROUPS * GROUP_DIGITS

# The zeros of all scripts, as far as Unicode 17 has them; the other nine digits follow each.
_ZEROS = """
0030 0660 06F0 07C0 0966 09E6 0A66 0AE6 0B66 0BE6 0C66 0CE6 0D66 0DE6 0E50 0ED0 0F20 1040 1090 17E0 1810 1946 19D0 1A80
1A90 1B50 1BB0 1C40 1C50 A620 A8D0 A900 A9D0 A9F0 AA50 ABF0 FF10 104A0 10D30 10D40 11066 110F0 11136 111D0 112F0 11450
114D0 11650 116C0 116D0 116DA 11730 118E0 11950 11BF0 11C50 11D50 11DA0 11DE0 11F50 16130 16A60 16AC0 16B50 16D70 1CCF0
1D7CE 1D7D8 1D7E2 1D7EC 1D7F6 1E140 1E2F0 1E4F0 1E5F1 1E950 1FBF0
"""
_DIGITS = {chr(int(zero, 16) + digit): str(digit) for zero in _ZEROS.split() for digit in range(10)}
# Unicode's White_Space, punctuation of lists and quotations with hyphens and dashes, then zero-width and bidi marks.
_DIVIDER = re.compile(
    r"[\t-\r \x85\xa0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000"
    r"\"'()*,\-./:;>\[\]_|\xab\xad\xb7\xbb\u060c\u061b\u066c\u2010-\u2015\u2018-\u201f\u2022\u2212\u3001\u3002"
    r"\uff08\uff09\uff0c-\uff0e\uff1a\uff1b"
    r"\u061c\u200b-\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff]"
)
_NUMBER_ENDS = ").:\uff09\uff0e\uff1a"
_END_OF_NUMBER = re.compile(r"\)(?![0-9])")


def read_digits(text: str) -> str:
    """The digits of a text in ASCII, with "?" for every other character that is not left out."""
    plain = _leave_out_words("".join(map(_plain, text)))
    digits = _pick_digits(plain, numbered=False)
    return digits if len(digits) == CODE_DIGITS else _pick_digits(plain, numbered=True)


def _plain(character: str) -> str:
    """One character of ASCII: its digit, " " for a divider, ")" for one that may end a number, "?" for any other."""
    if character in _NUMBER_ENDS:
        return ")"
    return _DIGITS.get(character) or (" " if _DIVIDER.match(character) else "?")


def _leave_out_words(plain: str) -> str:
    """Without words of two characters or more before the first digit and behind the last one, unless they touch it."""
    digits = [place for place, character in enumerate(plain) if character.isdigit()]
    if not digits:
        return plain
    first, last = digits[0], digits[-1] + 1
    *before, touching = re.split("[ )]", plain[:first])
    touched, *behind = re.split("[ )]", plain[last:])
    return " ".join([*filter(_is_short, before), touching + plain[first:last] + touched, *filter(_is_short, behind)])


def _is_short(word: str) -> bool:
    return len(word) <= 1


def _pick_digits(plain: str, *, numbered: bool) -> str:
    """Without the numbers of groups if it is ``numbered``."""
    digits: list[str] = []
    for place, character in enumerate(plain):
        if character not in " )" and not (numbered and _is_number(plain, place, len(digits))):
            digits.append(character)
    return "".join(digits)


def _is_number(plain: str, place: int, before: int) -> bool:
    """Whether the number of the group stands here that begins after so many digits, as in "2) 59266"."""
    group, rest = divmod(before, GROUP_DIGITS)
    if rest or group >= GROUPS or plain[place] != str(group + 1):
        return False
    stands_apart = plain[max(place - 1, 0) : place] in ("", " ", ")")
    return stands_apart and _END_OF_NUMBER.match(plain, place + 1) is not None
