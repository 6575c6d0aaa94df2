# SPDX-License-Identifier: AGPL-3.0-or-later
"""How much of a text occurs word for word in a confidential one, in time that grows as the two together do."""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

from crypto.taxonomy import Outcome
from oversight.findings.folding import folded_words, is_undivided

SHINGLE = 5
CONTAINMENT_BLOCKS = 0.10
RUN_BLOCKS = 8
RUN_WARNS = 5


@dataclass(frozen=True)
class Overlap:
    """``containment`` is the share of word 5-shingles that both have, of the shorter text's; ``run`` the longest."""

    containment: float
    run: int
    quote: str

    @property
    def outcome(self) -> Outcome:
        if self.run >= RUN_BLOCKS or self.containment >= CONTAINMENT_BLOCKS:
            return "block"
        return "warn" if self.run >= RUN_WARNS else "pass"


@dataclass(frozen=True)
class FoldedText:
    """A text as its folded words; of a script that does not divide them, its characters."""

    words: Sequence[str]

    @cached_property
    def shingles(self) -> frozenset[tuple[str, ...]]:
        return frozenset(tuple(self.words[at : at + SHINGLE]) for at in range(len(self.words) - SHINGLE + 1))


def fold_words(text: str) -> FoldedText:
    """``text`` is cleaned."""
    found: list[str] = []
    for folded in folded_words(text):
        found.extend(folded if is_undivided(folded) else (folded,))
    return FoldedText(found)


def compare(text: FoldedText, confidential: FoldedText) -> Overlap:
    """What ``text`` takes from ``confidential``."""
    shared = text.shingles & confidential.shingles
    if not shared:
        return Overlap(0.0, 0, "")
    start, run = _longest_run(text.words, confidential.words)
    shorter = min(len(text.shingles), len(confidential.shingles))
    return Overlap(len(shared) / shorter, run, " ".join(text.words[start : start + run]))


def _longest_run(text: Sequence[str], confidential: Sequence[str]) -> tuple[int, int]:
    """Where in the text the longest run of words begins that ``confidential`` has too, and how long it is.

    The other text is read word by word through the automaton of all runs of this one. To compare each place with each
    would take the product of both lengths where words repeat.
    """
    states = _automaton(text)
    best = (0, 0)
    at, length = 0, 0
    for word in confidential:
        while at and word not in states[at].following:
            at = states[at].shorter
            length = states[at].length
        if word in states[at].following:
            at = states[at].following[word]
            length += 1
        if length > best[1]:
            best = (states[at].end - length, length)
    return best


@dataclass
class _State:
    """Runs that end at the same places: the longest has ``length`` words, and the first place is before ``end``."""

    length: int
    end: int
    shorter: int
    following: dict[str, int]


def _automaton(words: Sequence[str]) -> list[_State]:
    """The suffix automaton (Blumer et al. 1985): at most two states for each word, and three transitions."""
    states = [_State(0, 0, -1, {})]
    last = 0
    for end, word in enumerate(words, 1):
        states.append(_State(end, end, 0, {}))
        new, at = len(states) - 1, last
        while at >= 0 and word not in states[at].following:
            states[at].following[word] = new
            at = states[at].shorter
        if at >= 0:
            states[new].shorter = _state_of(states, at, word)
        last = new
    return states


def _state_of(states: list[_State], at: int, word: str) -> int:
    """The state of the runs of ``at`` followed by ``word``, which is divided where longer ones end elsewhere."""
    found = states[at].following[word]
    if states[found].length == states[at].length + 1:
        return found
    old = states[found]
    states.append(_State(states[at].length + 1, old.end, old.shorter, dict(old.following)))
    divided = len(states) - 1
    old.shorter = divided
    while at >= 0 and states[at].following.get(word) == found:
        states[at].following[word] = divided
        at = states[at].shorter
    return divided
