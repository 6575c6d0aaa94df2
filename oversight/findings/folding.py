# SPDX-License-Identifier: AGPL-3.0-or-later
"""One form for what may be written in many: for comparing names and passages across spellings and scripts."""

import re
import sys
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from anyascii import anyascii

from crypto.folding import normalize

# Blank or invisible, though Unicode counts them among letters and symbols.
_INVISIBLE = frozenset("\u115f\u1160\u2800\u3164\uffa0")
_FOREIGN_DIGIT = re.compile(r"[^\D0-9]")
_WORD = re.compile(r"[^\W_]+(?:['’ʼ][^\W_]+)*")
_VOWELS = frozenset("aeiouyw")
# Written together with the word that follows: and, so, in, for, like; then the article.
_ARABIC_CLITICS = re.compile(r"^(?:[وفبلك]{0,2}(?:ال)|[وفبلك]{1,2})(?=\w{3})|^لل(?=\w{3})")
SLICE_CHARS = 16 * 1024
JOINED_CHARS_MAX = 64
# Vowels and ends of Korean ones, and the marks of half width that follow Japanese letters.
_PART_OF_SYLLABLE = re.compile(r"[\u1160-\u11ff\u314f-\u3163\ud7b0-\ud7ff\uff9e\uff9f\uffc2-\uffdc]")
SCRIPTS = ("LATIN", "CYRILLIC", "GREEK", "ARABIC", "HEBREW", "CJK", "HIRAGANA", "KATAKANA", "HANGUL")
# Scripts that do not divide words by spaces.
_UNDIVIDED = ("CJK", "HIRAGANA", "KATAKANA", "THAI", "LAO", "KHMER", "MYANMAR")


@dataclass(frozen=True)
class Word:
    """A word of a text: as it is written after ``clean``, folded, and in Latin letters.

    ``bare`` is in Latin letters too, without what Arabic writes together with a word in front. Both have their
    ``skeleton``.
    """

    written: str
    folded: str
    latin: str
    latin_bones: str
    bare: str
    bare_bones: str


def clean(text: str) -> str:
    """NFKC without marks that are not seen: bidi, zero-width, soft hyphens, variation selectors, fillers.

    Digits of every script become 0 to 9. Slice by slice: the check runs in a thread, and others get a turn between
    calls alone.
    """
    return "".join(map(_clean, _slices(text)))


def _slices(text: str) -> Iterator[str]:
    """Cut a text where no character joins the one before it; a run that always does is no word of any language."""
    start = 0
    while start < len(text):
        end = start + SLICE_CHARS
        while end < len(text) and end > start + SLICE_CHARS - JOINED_CHARS_MAX and _joins(text[end]):
            end -= 1
        yield text[start:end]
        start = end


def _joins(char: str) -> bool:
    """Whether a character becomes one with another in front of it: marks, vowels and ends of Korean syllables."""
    return unicodedata.category(char).startswith("M") or _PART_OF_SYLLABLE.fullmatch(char) is not None


def _clean(text: str) -> str:
    normal = normalize("NFKC", _hidden().sub("", text))
    return _FOREIGN_DIGIT.sub(lambda match: str(unicodedata.decimal(match[0])), _hidden().sub("", normal))


def is_hidden(char: str) -> bool:
    """Whether a character is not seen though it may stand within a word."""
    return unicodedata.category(char) == "Cf" or char in _INVISIBLE or "\ufe00" <= char <= "\ufe0f" or char == "\u034f"


def fold(text: str) -> str:
    """Cleaned, without diacritics, in one case."""
    bare = normalize("NFKD", clean(text).casefold())
    return normalize("NFKC", "".join(char for char in bare if not unicodedata.combining(char)))


def latin(text: str) -> str:
    """Folded and in the letters a to z and digits, whatever the script; everything else is left out."""
    return "".join(char for char in anyascii(fold(text)).casefold() if char.isascii() and char.isalnum())


def words(text: str) -> list[Word]:
    """The words of a text, those that are written the same as one object."""
    known: dict[str, Word] = {}
    found = (match[0] for match in _WORD.finditer(clean(text)))
    return [known.get(each) or known.setdefault(each, _word(each)) for each in found]


def folded_words(text: str) -> Iterator[str]:
    """The words of a text that was cleaned, folded. Each spelling is folded once."""
    known: dict[str, str] = {}
    return (known.get(found[0]) or known.setdefault(found[0], fold(found[0])) for found in _WORD.finditer(text))


def _word(written: str) -> Word:
    folded, in_latin = fold(written), latin(written)
    without = without_clitics(folded)
    bare = in_latin if without == folded else latin(without)
    return Word(written, folded, in_latin, skeleton(in_latin), bare, skeleton(bare))


def skeleton(word: str) -> str:
    """The consonants of a word in Latin letters, doubled ones once: Muhammad, Mohamed and محمد are all ``mhmd``.

    W and y stand for vowels as often as not, above all where they come from another script.
    """
    once = "".join(char for char, before in zip(word, " " + word, strict=False) if char != before)
    return "".join(char for char in once if char not in _VOWELS)


def script(word: str) -> str:
    """The script of a word's first letter; ``""`` for one that we don't tell apart from others."""
    return next((found for found in map(_script, word) if found), "")


def mixes_scripts(word: str) -> bool:
    """Whether letters of another alphabet stand among those of a word, where they can't be told apart by looking."""
    return len({found for found in map(_script, word) if found in ("LATIN", "CYRILLIC", "GREEK")}) > 1


def is_undivided(text: str) -> bool:
    """Whether the text is in a script that writes words without spaces."""
    return any(unicodedata.name(char, "").startswith(_UNDIVIDED) for char in text)


def without_clitics(word: str) -> str:
    """An Arabic word without what is written together with it in front."""
    return _ARABIC_CLITICS.sub("", word)


def _script(char: str) -> str:
    name = unicodedata.name(char, "")
    return next((script for script in SCRIPTS if name.startswith(script)), "")


@cache
def _hidden() -> re.Pattern[str]:
    """All that ``is_hidden``."""
    return re.compile("[" + re.escape("".join(filter(is_hidden, map(chr, range(sys.maxunicode + 1))))) + "]")
