# SPDX-License-Identifier: AGPL-3.0-or-later
"""How urgent a report says it is: codes ``UR-…`` of the taxonomy, in four levels that order the queue."""

from collections.abc import Iterable
from enum import IntEnum

from crypto.taxonomy import SURRENDER_PREFIX, URGENCY_NOW, URGENCY_SOON


class Level(IntEnum):
    """The smaller, the further up. ``NOW``: hours count. ``SOON``: days count. ``NOTED``: a reason was named."""

    NOW = 0
    SOON = 1
    NOTED = 2
    NONE = 3


_ORDER = {code: place for place, code in enumerate((*URGENCY_NOW, *URGENCY_SOON))}


def level(codes: Iterable[str]) -> Level:
    """The level of the most urgent code; a code that we don't know is noted."""
    return min((_level(code) for code in codes), default=Level.NONE)


def names_surrender(codes: Iterable[str]) -> bool:
    """Whether a handing-over is near: of two reports of one level, this one comes first."""
    return any(code.startswith(SURRENDER_PREFIX) for code in codes)


def sort_codes(codes: Iterable[str]) -> list[str]:
    """Most urgent first, surrender before all others; unknown ones last, by their letters."""
    return sorted(codes, key=lambda code: (_ORDER.get(code, len(_ORDER)), code))


def _level(code: str) -> Level:
    if code in URGENCY_NOW:
        return Level.NOW
    return Level.SOON if code in URGENCY_SOON else Level.NOTED
