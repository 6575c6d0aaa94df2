# SPDX-License-Identifier: AGPL-3.0-or-later
"""How much work a check of a finding may be, counted and not timed: no text moves it, and every machine agrees.

A step is about a microsecond. What the effort does not suffice for is not begun, and the check says that it was not
done: a text that was not checked blocks like one in which something was found.
"""


class EffortSpentError(Exception):
    """What was to be done next takes more steps than are left."""


class Effort:
    """Steps that are left."""

    def __init__(self, steps: int) -> None:
        self.left = steps

    def spend(self, steps: int) -> None:
        """Take so many steps. Raises EffortSpentError, and takes none, if fewer are left."""
        if steps > self.left:
            raise EffortSpentError
        self.left -= steps
