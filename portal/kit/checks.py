# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the command ``check`` of both programs says, item by item, and what ``serve`` refuses before it begins."""

from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from datetime import date

WELL, FAILED, SOON = 0, 1, 3
"""Exit statuses of ``check``: everything is well; something failed; all works, and somebody is needed soon."""
CHARTER_DAYS = 60
"""So many days before its end a charter is spoken of: a new one takes a meeting of its governors."""
Check = tuple[str, Callable[[], Awaitable[str]]]
"""An item's name, and what looks at it: it says in a line what is well, or raises SoonError, or any other error."""


class SoonError(Exception):
    """It works, and somebody has to do something soon."""


async def print_checks(checks: Iterable[Check]) -> int:
    """Look at every item, also after one has failed; print a line for each. Returns the exit status."""
    status = WELL
    for name, look in checks:
        try:
            print(f"ok      {name:9} {await look()}")
        except SoonError as error:
            status = status or SOON
            print(f"soon    {name:9} {error}")
        except Exception as error:
            status = FAILED
            print(f"failed  {name:9} {type(error).__name__}: {_first_line(error)}")
    return status


async def refuse(checks: Iterable[Check]) -> None:
    """Raise what the first item that fails raises. What is needed soon keeps nobody from serving today."""
    for _, look in checks:
        with suppress(SoonError):
            await look()


def check_charter_ends(ends: Iterable[tuple[str, date]], today: date) -> str:
    """``ends``: each commission's short name, and the last day of its newest charter. Raises SoonError."""
    last = sorted((end, slug) for slug, end in ends)
    soon = [_say_end(slug, end, today) for end, slug in last if (end - today).days <= CHARTER_DAYS]
    if soon:
        raise SoonError("; ".join(soon))
    return _say_end(last[0][1], last[0][0], today) if last else "none yet"


def _say_end(slug: str, end: date, today: date) -> str:
    days = (end - today).days
    return f"{slug} ended on {end}" if days < 0 else f"{slug} ends on {end}, in {days} days"


def _first_line(error: Exception) -> str:
    """Object stores tell theirs in many."""
    return str(error).partition("\n")[0]
