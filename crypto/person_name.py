# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the name of a person may hold, and which names are one person's. docs/protocol.md §1.2.

Two names are one person's if they have as many words, and each word looks like the other one: as written, in small
letters or in capitals, by the skeletons of Unicode TS 39, §4. What is not seen counts for nothing, nor do punctuation
and, in Arabic and Hebrew, the points.

The tables of look-alikes and scripts come with the package confusable-homoglyphs, the rest with Python. A later Unicode
finds more names alike: whether a charter is well-formed must not be asked here, only whether it is to be made.
"""

import re
import unicodedata
from collections.abc import Mapping
from functools import cache, lru_cache
from typing import Literal

from crypto.errors import MalformedError
from crypto.folding import normalize
from crypto.ids import MemberLabel

PERSON_NAME_CHARS_MAX = 200
# The few members of a commission are compared at each of its findings, and what a name looks like takes its time.
NAMES_KEPT_MAX = 1024
# A letter of Hebrew has up to four marks, of Arabic three, of Vietnamese two.
MARKS_MAX = 4

Reason = Literal["long", "empty", "character", "marks", "scripts", "same-person"]

_SPACES = " \u00a0\u3000"
# Letters and marks that are never seen: the default-ignorable ones of Unicode, whose other ones are of category C.
_INVISIBLE = re.compile("[\u034f\u115f\u1160\u17b4\u17b5\u180b-\u180f\u3164\ufe00-\ufe0f\uffa0\U000e0100-\U000e01ef]")
# Zero-width non-joiner and joiner: Persian and Indic names are written with them.
_JOINERS = "\u200c\u200d"
# In Bengali and Assamese a joiner keeps the letter ra whole: Rachel is written with it.
_WHOLE_RA = {"\u09b0\u200d\u09cd", "\u09f0\u200d\u09cd"}
# An i has its dot, whether or not another one is put there.
_DOTTED = re.compile("i\u0307+")
_TATWEEL = "\u0640"
_POINTED = {"ARABIC", "HEBREW"}
# The scripts that are written together in one word: UTS 39 §5.2, highly restrictive.
_WRITTEN_TOGETHER = (
    {"LATIN", "HAN", "HIRAGANA", "KATAKANA"},
    {"LATIN", "HAN", "BOPOMOFO"},
    {"LATIN", "HAN", "HANGUL"},
)


class MemberNameError(MalformedError):
    """This can't be the name of a person.

    ``reason``: "long" (more than 200 characters), "empty" (no letter is seen), "character" (one that is not seen, a
    line break, a symbol, one that this version of Unicode does not know), "marks" (more than four on one letter, or
    none below them), "scripts" (letters of several in one word), "same-person" (as ``other``). Of several people
    ``label`` is the one whose name it is, ``other`` the one before who has it, too.
    """

    def __init__(self, reason: Reason, label: str | None = None, other: str | None = None) -> None:
        whose = "" if label is None else f" of {label}" if other is None else f" of {label} and {other}"
        super().__init__(f"not the name of one person{whose}: {reason}")
        self.reason = reason
        self.label = label
        self.other = other


def check_person_name(name: str) -> None:
    """Raise MemberNameError unless ``name`` can be that of a person. The length is looked at first."""
    if len(name) > PERSON_NAME_CHARS_MAX:
        raise MemberNameError("long")
    if not any(unicodedata.category(each)[0] == "L" for each in _INVISIBLE.sub("", name)):
        raise MemberNameError("empty")
    if _INVISIBLE.search(name) or not all(_is_allowed(name, position) for position in range(len(name))):
        raise MemberNameError("character")
    if _has_odd_marks(name):
        raise MemberNameError("marks")
    if not all(_is_of_one_script(word) for word in _words(name)):
        raise MemberNameError("scripts")


def same_person(one: str, other: str) -> bool:
    """Whether two names are one person's. Names that could not be given today are compared as well."""
    return _look_alike(_faces(one), _faces(other))


def check_people(names: Mapping[MemberLabel, str]) -> None:
    """Raise MemberNameError unless all these are names, of as many people: for who makes, signs or takes a charter."""
    seen: dict[MemberLabel, Faces] = {}
    for label, name in names.items():
        try:
            check_person_name(name)
        except MemberNameError as error:
            raise MemberNameError(error.reason, label) from None
        faces = _faces(name)
        other = next((other for other, known in seen.items() if _look_alike(known, faces)), None)
        if other is not None:
            raise MemberNameError("same-person", label, other)
        seen[label] = faces


def skeleton(text: str) -> str:
    """The skeleton of UTS 39, §4: equal for texts that look alike. Not to be shown or stored."""
    decomposed = normalize("NFD", text)
    return _DOTTED.sub("i", normalize("NFD", decomposed.translate(_prototypes())))


Faces = tuple[frozenset[str], ...]


@lru_cache(NAMES_KEPT_MAX)
def _faces(name: str) -> Faces:
    """For each word what it looks like as it is written, in small letters, and in capitals."""
    return tuple(
        frozenset(map(skeleton, (word, word.casefold(), word.casefold().upper()))) for word in map(_bare, _words(name))
    )


def _look_alike(one: Faces, other: Faces) -> bool:
    return len(one) == len(other) and not any(map(frozenset.isdisjoint, one, other))


def _words(name: str) -> list[str]:
    """The words, in compatibility form and without what is not seen; spaces and dashes divide them."""
    shown = "".join(map(_shown, _INVISIBLE.sub("", name)))
    return "".join(map(_shown, normalize("NFKC", shown))).split()


def _shown(each: str) -> str:
    """A character as it counts: a space for spaces and dashes, nothing for what is no part of a word."""
    category = unicodedata.category(each)
    looks = each
    # Letters, accents and points can look like an apostrophe or a dash; in Hebrew and Japanese such a one is a letter.
    if category in {"Lm", "Ll", "Lu", "Sk"} or category[0] == "P":
        looks = skeleton(each)
    if category == "Pd" or each.isspace() or (looks == "-" and category[0] in "PS"):
        return " "
    if category[0] in "CPZ" or category == "Sk" or not looks.strip("'"):
        return ""
    return each


def _bare(word: str) -> str:
    """The word without the points of Arabic and Hebrew, which are mostly left out, and without what stretches it."""
    if _scripts(word).isdisjoint(_POINTED):
        return word
    decomposed = normalize("NFD", word)
    return "".join(each for each in decomposed if unicodedata.category(each) != "Mn" and each != _TATWEEL)


def _is_allowed(name: str, position: int) -> bool:
    each = name[position]
    if each in _JOINERS:
        from idna.core import valid_contextj

        return valid_contextj(name, position) or name[position - 1 : position + 2] in _WHOLE_RA
    category = unicodedata.category(each)
    # Sk are the accents that keyboards have as signs; Me encloses what it follows.
    return each in _SPACES or category == "Sk" or (category[0] in "LMNP" and category != "Me")


def _has_odd_marks(name: str) -> bool:
    """Whether a letter bears too many combining marks, or marks stand where nothing is to bear them."""
    run = MARKS_MAX
    for each in normalize("NFD", name):
        category = unicodedata.category(each)
        if category[0] == "M":
            run += 1
        elif each not in _JOINERS:
            run = 0 if category[0] in "LN" else MARKS_MAX
        if run > MARKS_MAX:
            return True
    return False


def _is_of_one_script(word: str) -> bool:
    found = _scripts(word)
    return len(found) <= 1 or any(found <= together for together in _WRITTEN_TOGETHER)


def _scripts(word: str) -> set[str]:
    from confusable_homoglyphs.categories import alias

    return {alias(each) for each in word} - {"COMMON", "INHERITED"}


@cache
def _prototypes() -> dict[int, str]:
    """For each character that has look-alikes the one that stands for them all. Made at the first comparison."""
    from confusable_homoglyphs.utils import load

    # The package has each pair in both directions. Marks of direction set off letters that run from right to left.
    pairs = {
        each.strip("\u200e"): [like["c"].strip("\u200e") for like in found]
        for each, found in load("confusables.json").items()
    }
    table: dict[int, str] = {}
    for each, alike in pairs.items():
        # All look-alikes have their prototype, which may be several characters, in common, and it alone has several.
        prototype = max((each, *alike), key=lambda one: (len(pairs[one]), len(one), one))
        if len(each) == 1 and prototype != each:
            table[ord(each)] = prototype
    # Of two that have only each other either may stand in the prototypes of others: so these are mapped, too.
    return {each: _settle(prototype, table) for each, prototype in table.items()}


def _settle(text: str, table: Mapping[int, str]) -> str:
    settled = normalize("NFD", text)
    while (mapped := normalize("NFD", settled.translate(table))) != settled:
        settled = mapped
    return settled
