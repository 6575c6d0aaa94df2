# SPDX-License-Identifier: AGPL-3.0-or-later
"""How much of a text occurs word for word in a confidential one."""

from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass

from crypto.taxonomy import Outcome
from oversight.findings.folding import is_undivided, words

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


def split_words(text: str) -> list[str]:
    """The folded words; of a script that does not divide them, its characters."""
    found: list[str] = []
    for word in words(text):
        found.extend(word.folded if is_undivided(word.folded) else (word.folded,))
    return found


def compare(text: Sequence[str], confidential: Sequence[str]) -> Overlap:
    """What ``text`` takes from ``confidential``, both split into words."""
    places = defaultdict(list)
    for at in range(len(confidential) - SHINGLE + 1):
        places[tuple(confidential[at : at + SHINGLE])].append(at)
    ours = {tuple(text[at : at + SHINGLE]) for at in range(len(text) - SHINGLE + 1)}
    shared = ours & places.keys()
    if not shared:
        return Overlap(0.0, 0, "")
    start, run = _longest_run(text, confidential, places)
    return Overlap(len(shared) / min(len(ours), len(places)), run, " ".join(text[start : start + run]))


def _longest_run(
    text: Sequence[str], confidential: Sequence[str], places: dict[tuple[str, ...], list[int]]
) -> tuple[int, int]:
    """Where in the text its longest run of words begins that ``confidential`` has too, and how long it is."""
    best = (0, 0)
    # How long the run is that ends with a shingle at each place of the other text.
    before: dict[int, int] = {}
    for at in range(len(text) - SHINGLE + 1):
        now = {
            place: before.get(place - 1, SHINGLE - 1) + 1 for place in places.get(tuple(text[at : at + SHINGLE]), ())
        }
        for length in now.values():
            if length > best[1]:
                best = (at + SHINGLE - length, length)
        before = now
    return best
