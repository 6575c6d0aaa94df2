# SPDX-License-Identifier: AGPL-3.0-or-later
"""JSON of the portal, read at a cost that its length bounds.

Python's parser takes as long as there are values, and holds the whole process meanwhile: 16 MiB of ``{},{},`` took
3.6 s. Every value has a comma, a colon or a bracket of its own, and these are counted at the speed of memory before
anything is made of them. Longer texts cost next to nothing, but not longer numbers: 10 MiB of them took half a second.
"""

import json
from typing import Any

from oversight.wire.portal_errors import PortalUnreachable

# The longest answer with a meaning: 10,000 postings of a thread.
VALUES_MAX = 32 * 1024
# Of 2^63 with its sign: no answer with a meaning has a longer number, and every digit more takes longer.
NUMBER_CHARS_MAX = 20
_MARKS = b",:[{"


def read_json(body: bytes) -> Any:
    """Raises PortalUnreachable (``unreadable``) for what is no JSON, or more of it than any answer holds."""
    if sum(body.count(mark) for mark in _MARKS) > VALUES_MAX:
        raise PortalUnreachable("the portal's answer holds too many values", "unreadable")
    try:
        return json.loads(body, parse_int=_whole, parse_float=_fraction)
    except (ValueError, RecursionError):
        raise PortalUnreachable("the portal's answer can't be read", "unreadable") from None


def _whole(digits: str) -> int:
    return int(_short(digits))


def _fraction(digits: str) -> float:
    return float(_short(digits))


def _short(digits: str) -> str:
    if len(digits) > NUMBER_CHARS_MAX:
        raise ValueError("a number that is too long")
    return digits
