# SPDX-License-Identifier: AGPL-3.0-or-later
"""The numbers that the reporter's device gave to a thread's messages, by which one that is missing or forged shows.

docs/protocol.md §9.2, §9.3. A number is sealed with its message: it is learned when the message is opened, and kept in
its row, so that no page has to open them all. What a thread's numbers say is not secret; that they are right is only
as sure as the office's database.
"""

from collections import Counter
from collections.abc import Iterator, Mapping
from itertools import pairwise
from typing import Literal

from crypto.ids import MessageId

Place = tuple[int, int]
"""The number of a message and the generation of its keys; the number is 0 for one that does not open."""


class Numbers:
    """Those of one thread, each looked at once: there may be thousands of them."""

    def __init__(self, places: Mapping[MessageId, Place]) -> None:
        self._places = [place for place in places.values() if place[0]]
        self._count = Counter(number for number, _ in self._places)
        self._first: dict[int, int] = {}
        for number, generation in self._places:
            self._first[generation] = min(self._first.get(generation, number), number)

    def doubt(self, number: int, generation: int) -> Literal["", "doubtful", "repeated"]:
        """What speaks against one of them beside the others."""
        if any(first < number for newer, first in self._first.items() if newer > generation):
            return "doubtful"
        return "repeated" if self._count[number] > 1 else ""

    def missing(self) -> Iterator[tuple[int, int]]:
        """The gaps below the highest number that is not doubtful, each as its first and last."""
        numbers = {number for number, generation in self._places if self.doubt(number, generation) != "doubtful"}
        for before, after in pairwise([0, *sorted(numbers)]):
            if after - before > 1:
                yield before + 1, after - 1
