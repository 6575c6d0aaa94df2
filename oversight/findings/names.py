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

from bisect import bisect_left, bisect_right
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from itertools import accumulate

from rapidfuzz.distance import JaroWinkler

from oversight.findings.effort import Effort
from oversight.findings.folding import Word, fold, is_undivided, latin, script, words

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


@dataclass(frozen=True)
class SplitText:
    """A text as its words, and what is asked of them for every name."""

    words: Sequence[Word]

    @cached_property
    def distinct(self) -> Sequence[Word]:
        """The words, each spelling once."""
        return tuple(dict.fromkeys(self.words))

    @cached_property
    def steps(self) -> int:
        """Of comparing one word of a name with each of them (``effort``)."""
        return 3 * len(self.distinct) + sum(len(word.latin) for word in self.distinct) // 8 + len(self.words) // 4

    @cached_property
    def latin(self) -> str:
        """The words written together."""
        return "".join(word.latin for word in self.words)

    @cached_property
    def bounds(self) -> Sequence[int]:
        """Where in that a word begins or ends."""
        return (0, *accumulate(len(word.latin) for word in self.words))

    @cached_property
    def folded(self) -> str:
        return "".join(word.folded for word in self.words)


def find_name(name: str, text: SplitText, effort: Effort) -> Iterator[Match]:
    """Every word of the text that is a word of this name, each spelling once. Raises EffortSpentError."""
    parts = [word for word in words(name) if len(word.latin) >= NAME_LETTERS_MIN and word.latin not in _PARTICLES]
    # A short name has no other words to be known by.
    parts = parts or words(name)
    effort.spend((len(parts) + 1) * text.steps)
    seen: set[str] = set()
    for word in text.distinct:
        for part in parts:
            how = match_words(part, word)
            if how and word.folded not in seen:
                seen.add(word.folded)
                yield Match(word.written, how, how == "same" or _may_be_name(part, word, how))
    if not seen:
        yield from _find_spelled(name, text)


def find_phrase(phrase: str, text: SplitText, effort: Effort) -> Iterator[Match]:
    """The whole of a phrase, word by word; of several words, also one that is long and written like a name.

    Raises EffortSpentError.
    """
    parts = words(phrase)
    if not parts:
        return
    effort.spend(len(parts) * text.steps)
    alike = [{word.written: word for word in text.distinct if match_words(part, word)} for part in parts]
    for at in range(len(text.words) - len(parts) + 1):
        if all(text.words[at + place].written in found for place, found in enumerate(alike)):
            yield Match(" ".join(word.written for word in text.words[at : at + len(parts)]), "same", True)
            return
    for part, found in zip(parts, alike, strict=True):
        if len(part.latin) < SIMILAR_LETTERS_MIN + 1:
            continue
        name = next((word for word in found.values() if _may_be_name(part, word, "same")), None)
        if name is not None and part.written[:1].isupper():
            yield Match(name.written, "part", False)


def find_identifier(identifier: str, text: SplitText, effort: Effort) -> Iterator[Match]:
    """A number, an address or a handle, however it is divided. Raises EffortSpentError."""
    wanted = latin(identifier)
    effort.spend(text.steps)
    if len(wanted) < IDENTIFIER_MIN:
        found = next((word for word in text.words if word.latin == wanted), None)
        if wanted and found is not None:
            yield Match(found.written, "same", True)
        return
    yield from _find_run(wanted, text, whole=len(wanted) < SPELLED_MIN)


def match_words(part: Word, word: Word) -> str:
    """How a word of the text matches a word of a name; ``""`` if it does not."""
    if part.folded == word.folded or (part.latin and part.latin == word.latin):
        return "same"
    how = _match_latin(part, word.latin, word.latin_bones)
    if how or word.bare == word.latin:
        return how
    return _match_latin(part, word.bare, word.bare_bones)


def _match_latin(part: Word, word: str, word_bones: str) -> str:
    name, bones = part.latin, part.latin_bones
    if name == word:
        return "same" if name else ""
    if len(name) < NAME_LETTERS_MIN or len(word) < NAME_LETTERS_MIN or name.isdigit() or word.isdigit():
        return ""
    if len(bones) >= SKELETON_MIN and bones == word_bones:
        return "skeleton"
    shorter = min(len(name), len(word))
    similarity = JaroWinkler.similarity(name, word) if shorter >= SIMILAR_LETTERS_MIN else 0.0
    if similarity >= SIMILAR_MIN:
        return "similar"
    if similarity >= CLOSE_MIN and len(bones) >= CLOSE_SKELETON_MIN and bones == word_bones:
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


def _find_spelled(name: str, text: SplitText) -> Iterator[Match]:
    """A name whose letters are spaced out, or in a text that does not divide words."""
    if is_undivided(name):
        wanted = fold(name).replace(" ", "")
        if len(wanted) > 1 and wanted in text.folded:
            yield Match(name, "same", True)
            return
    wanted = latin(name)
    if len(wanted) >= SPELLED_MIN:
        yield from (Match(match.quote, "spelled", True) for match in _find_run(wanted, text))


def _find_run(wanted: str, text: SplitText, *, whole: bool = True) -> Iterator[Match]:
    """Where the words of the text, written together, hold ``wanted``; if ``whole``, from word to word."""
    bounds = set(text.bounds) if whole else set()
    start = text.latin.find(wanted)
    while start >= 0:
        end = start + len(wanted)
        if not whole or {start, end} <= bounds:
            first, last = bisect_right(text.bounds, start) - 1, bisect_left(text.bounds, end)
            yield Match(" ".join(word.written for word in text.words[first:last]), "same", True)
            return
        # The next one may begin within this one: 12, 1212.
        start = text.latin.find(wanted, start + 1)
