# SPDX-License-Identifier: AGPL-3.0-or-later
"""Finding names again in a text, whatever their script, spelling or ending.

A word matches a word of a name if both are the same when folded, or (how it is called in a hit):

- ``skeleton``: equal consonants, three at least: Muhammad and Mohamed;
- ``similar``: a Jaro-Winkler similarity of 0.90: Mohammed and Mohamed;
- ``stem``: the first five letters, and 80 % of the shorter word: Kowalski and Kowalskiego.

- ``close``: a similarity of 0.85 and equal consonants, two at least: Layla and Leyla. This is a warning only.

Of the first three, a match with a word in small letters, in a script that has capitals, is only a warning: that is
rarely a name, and mostly a word that happens to have the same consonants.
"""

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from rapidfuzz.distance import JaroWinkler

from oversight.findings.folding import Word, fold, is_undivided, latin, script, skeleton, without_clitics, words

SKELETON_MIN = 3
SIMILAR_MIN = 0.90
CLOSE_MIN = 0.85
CLOSE_SKELETON_MIN = 2
SIMILAR_LETTERS_MIN = 4
STEM_MIN = 5
STEM_SHARE_MIN = 0.8
SPELLED_MIN = 7
IDENTIFIER_MIN = 4
NAME_LETTERS_MIN = 3
# Words in front of names that say nothing of who bears them.
_PARTICLES = frozenset(
    "al el ul bin ibn bint ben abu umm de del della da di dos van von der den la le mr mrs ms dr".split()  # noqa: SIM905
)


@dataclass(frozen=True)
class Match:
    """Where a text has a name. ``how``: ``same``, ``skeleton``, ``similar``, ``stem``, ``spelled`` (letters apart)."""

    quote: str
    how: str
    certain: bool


def find_name(name: str, text: Sequence[Word]) -> Iterator[Match]:
    """Every word of the text that is a word of this name, each spelling once."""
    parts = [word for word in words(name) if len(word.latin) >= NAME_LETTERS_MIN and word.latin not in _PARTICLES]
    # A short name has no other words to be known by.
    parts = parts or words(name)
    seen: set[str] = set()
    for word in text:
        for part in parts:
            how = match_words(part, word)
            if how and word.folded not in seen:
                seen.add(word.folded)
                yield Match(word.written, how, how == "same" or _may_be_name(part, word, how))
    if not seen:
        yield from _find_spelled(name, text)


def find_phrase(phrase: str, text: Sequence[Word]) -> Iterator[Match]:
    """The whole of a phrase, word by word; of several words, also one that is long and written like a name."""
    parts = words(phrase)
    if not parts:
        return
    for at in range(len(text) - len(parts) + 1):
        window = text[at : at + len(parts)]
        if all(match_words(part, word) for part, word in zip(parts, window, strict=True)):
            yield Match(" ".join(word.written for word in window), "same", True)
            return
    for part in parts:
        if len(part.latin) < SIMILAR_LETTERS_MIN + 1:
            continue
        found = next((word for word in text if match_words(part, word) and _may_be_name(part, word, "same")), None)
        if found is not None and part.written[:1].isupper():
            yield Match(found.written, "part", False)


def find_identifier(identifier: str, text: Sequence[Word]) -> Iterator[Match]:
    """A number, an address or a handle, however it is divided."""
    wanted = latin(identifier)
    if len(wanted) < IDENTIFIER_MIN:
        found = next((word for word in text if word.latin == wanted), None)
        if wanted and found is not None:
            yield Match(found.written, "same", True)
        return
    yield from _find_run(wanted, text, whole=len(wanted) < SPELLED_MIN)


def match_words(part: Word, word: Word) -> str:
    """How a word of the text matches a word of a name; ``""`` if it does not."""
    if part.folded == word.folded or (part.latin and part.latin == word.latin):
        return "same"
    for written in dict.fromkeys((word.folded, without_clitics(word.folded))):
        how = _match_latin(part.latin, latin(written) if written != word.folded else word.latin)
        if how:
            return how
    return ""


def _match_latin(name: str, word: str) -> str:
    if name == word:
        return "same" if name else ""
    if len(name) < NAME_LETTERS_MIN or len(word) < NAME_LETTERS_MIN or name.isdigit() or word.isdigit():
        return ""
    bones = skeleton(name)
    if len(bones) >= SKELETON_MIN and bones == skeleton(word):
        return "skeleton"
    shorter = min(len(name), len(word))
    similarity = JaroWinkler.similarity(name, word) if shorter >= SIMILAR_LETTERS_MIN else 0.0
    if similarity >= SIMILAR_MIN:
        return "similar"
    if similarity >= CLOSE_MIN and len(bones) >= CLOSE_SKELETON_MIN and bones == skeleton(word):
        return "close"
    shared = next((at for at, (one, other) in enumerate(zip(name, word, strict=False)) if one != other), shorter)
    return "stem" if shared >= STEM_MIN and shared >= STEM_SHARE_MIN * shorter else ""


def _may_be_name(part: Word, word: Word, how: str) -> bool:
    """Whether a word that is not the same is written like a name."""
    if how == "close":
        return False
    cased = word.written.lower() != word.written.upper()
    if cased:
        return word.written != word.written.lower()
    # Within one script without capitals a name has one spelling; its consonants are those of other words as well.
    return how != "skeleton" or script(part.written) != script(word.written)


def _find_spelled(name: str, text: Sequence[Word]) -> Iterator[Match]:
    """A name whose letters are spaced out, or in a text that does not divide words."""
    if is_undivided(name):
        wanted = fold(name).replace(" ", "")
        if len(wanted) > 1 and wanted in "".join(word.folded for word in text):
            yield Match(name, "same", True)
            return
    wanted = latin(name)
    if len(wanted) >= SPELLED_MIN:
        yield from (Match(match.quote, "spelled", True) for match in _find_run(wanted, text))


def _find_run(wanted: str, text: Sequence[Word], *, whole: bool = True) -> Iterator[Match]:
    """Where the words of the text, written together, hold ``wanted``; if ``whole``, from word to word."""
    bounds, joined = [0], ""
    for word in text:
        joined += word.latin
        bounds.append(len(joined))
    for match in re.finditer(re.escape(wanted), joined):
        if whole and not {match.start(), match.end()} <= set(bounds):
            continue
        first, last = bisect_right(bounds, match.start()) - 1, bisect_left(bounds, match.end())
        yield Match(" ".join(word.written for word in text[first:last]), "same", True)
        return
