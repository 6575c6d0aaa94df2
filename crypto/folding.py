# SPDX-License-Identifier: AGPL-3.0-or-later
"""Normal forms of Unicode for texts from outside, in time that grows as the text does.

Marks that follow a letter are put in order when a text is normalised, and that takes the square of their number: a
quarter of a megabyte of marks holds a processor for 22 seconds. So no run of them is taken that is longer than UAX #15,
§13 (Stream-Safe Text Format) allows. No language needs a third of it.

Nobody else calls ``unicodedata.normalize``. How long a text may be is for the caller to say, before.
"""

import re
import unicodedata
from functools import lru_cache
from typing import Literal

NONSTARTERS_MAX = 30

# A run of more than that has this many characters of the kind at least: each is two marks at the most when it is
# decomposed, and the letter before them brings three. Marks are neither letters nor digits but for two, of half width.
_SUSPECTED = re.compile(r"(?:[^\w\s\x00-\u02ff]|[\uff9e\uff9f]){14}")


def normalize(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
    """The normal form, without the marks of a run that come after the thirtieth: for comparing, not for keeping."""
    return unicodedata.normalize(form, _cut(text))


def is_stream_safe(text: str) -> bool:
    """Whether no run of marks is longer than NONSTARTERS_MAX, as they are counted when the text is decomposed."""
    return len(_cut(text)) == len(text)


def _cut(text: str) -> str:
    if _SUSPECTED.search(text) is None:
        return text
    kept = []
    run = 0
    for char in text:
        leading, trailing, alone = _nonstarters(char)
        if run + leading > NONSTARTERS_MAX:
            continue
        run = run + leading if alone else trailing
        kept.append(char)
    return "".join(kept)


@lru_cache(maxsize=4096)
def _nonstarters(char: str) -> tuple[int, int, bool]:
    """How many marks a character begins and ends with when it is decomposed, and whether it has nothing else."""
    classes = [unicodedata.combining(part) for part in unicodedata.normalize("NFKD", char)]
    if all(classes):
        return len(classes), len(classes), True
    return _leading(classes), _leading(classes[::-1]), False


def _leading(classes: list[int]) -> int:
    return next(at for at, found in enumerate(classes) if found == 0)
