# SPDX-License-Identifier: AGPL-3.0-or-later
"""What no public signed text may hold: what is not seen, or reorders what is read. docs/protocol.md §1.2, §4.3.

The set is fixed, whatever the version of Unicode: all readers have to agree. Text from right to left needs none of
it; the joiners of Persian, of Indic scripts and of emoji (U+200C, U+200D) are allowed.
"""

import re
import unicodedata
from dataclasses import dataclass

from crypto.errors import MalformedError

# Controls but the newline; marks, embeddings, overrides and isolates of direction; separators of lines; annotations,
# noncharacters; tags.
_FORBIDDEN = (
    "\x00-\x09\x0b-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069\ufff9-\ufffb\ufffe\uffff"
    "\U000e0000-\U000e007f"
)
_IN_TEXT = re.compile(f"[{_FORBIDDEN}]")
_IN_LINE = re.compile(f"[\n{_FORBIDDEN}]")
# In canonical JSON a control character is an escape; all other escapes are of quotation marks and of backslashes, which
# are taken out before.
_IN_JSON = re.compile(rf'[{_FORBIDDEN}]|\\[^"n]')

# Blank, or never seen, though Unicode counts them among letters and symbols or keeps them free for such.
_BLANK = re.compile("[\u115f\u1160\u2065\u2800\u3164\uffa0\ufff0-\ufff8\U000e0000-\U000e0fff]")
_UNSEEN_CATEGORIES = frozenset({"Cc", "Cf", "Zs", "Zl", "Zp", "Mn", "Mc", "Me"})


@dataclass(frozen=True)
class RefusedText:
    """The first character for which a text is refused: in which line it stands, from 1, and after what of that line."""

    character: str
    line: int
    before: str

    @property
    def code_point(self) -> str:
        """As ``U+202E``."""
        return f"U+{ord(self.character):04X}"


def find_forbidden(text: str, *, one_line: bool = False) -> RefusedText | None:
    """What a form has to refuse in ``text``, if anything; a text of one line has no newline either."""
    found = (_IN_LINE if one_line else _IN_TEXT).search(text)
    if found is None:
        return None
    lines = text[: found.start()].split("\n")
    return RefusedText(found[0], len(lines), lines[-1])


def check_public_texts(document: str) -> None:
    """Check all texts in a line of canonical JSON, which the caller has read. Raises MalformedError."""
    if _IN_JSON.search(document.replace("\\\\", "")):
        raise MalformedError("a text holds a character that is not seen or changes the order of reading")


def is_seen(text: str) -> bool:
    """Whether anything of it can be seen: not white space, controls, fillers and marks without a letter alone.

    A character that this version of Unicode does not know counts as seen.
    """
    return any(
        unicodedata.category(character) not in _UNSEEN_CATEGORIES and not _BLANK.match(character) for character in text
    )
