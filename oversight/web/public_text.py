# SPDX-License-Identifier: AGPL-3.0-or-later
"""What is wrong with a text that everyone will read, in words, beside its field (docs/protocol.md §1.2)."""

from crypto.public_text import find_forbidden
from oversight.marking import N_
from oversight.web.forms import FieldError

SHOWN_BEFORE = 30

REFUSED = N_(
    "In line %(line)s, after “%(before)s”, stands a character that nobody sees or that changes the order of reading: "
    "%(code_point)s. Delete it, or type these words anew"
)
REFUSED_FIRST = N_(
    "Line %(line)s begins with a character that nobody sees or that changes the order of reading: %(code_point)s. "
    "Delete it, or type these words anew"
)


def text_problem(field: str, text: str, *, one_line: bool = False) -> FieldError | None:
    """The error of a field whose text no charter or finding may hold; where, which character, and after which words."""
    found = find_forbidden(text, one_line=one_line)
    if found is None:
        return None
    # Set apart from the sentence around them, as <bdi> would do it: the words can be in another direction.
    before, code_point = (f"\u2068{part}\u2069" for part in (found.before[-SHOWN_BEFORE:], found.code_point))
    message = REFUSED if found.before else REFUSED_FIRST
    return FieldError(field, message, {"line": found.line, "before": before, "code_point": code_point})
