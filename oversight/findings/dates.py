# SPDX-License-Identifier: AGPL-3.0-or-later
"""Dates in a text, in the forms and the languages in which people write them."""

import re
from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache

from babel.dates import get_month_names

from oversight.findings.folding import clean, fold

# ruff: noqa: SIM905 — lists of names are read more easily as one text.
LOCALES = (
    "en es fr de it pt pl nl ro ru uk tr ar ar_SY ar_DZ ar_MA fa ur hi zh sr el he sq hy ka az uz kk ky tg ps "
    "bg hr cs hu"
).split()
_PERSIAN = "فروردین اردیبهشت خرداد تیر مرداد شهریور مهر آبان آذر دی بهمن اسفند".split()
_HIJRI = ("محرم", "صفر", "ربيع الأول", "ربيع الآخر", "جمادى الأولى", "جمادى الآخرة", "رجب", "شعبان", "رمضان", "شوال")
_OTHER_CALENDARS = (*_PERSIAN, *_HIJRI, "ذو القعدة", "ذو الحجة", "ramadan", "muharram", "shawwal")
_YEAR = r"(?:1[3-5]\d\d|19\d\d|20\d\d|2[4-6]\d\d)"
_NUMERIC = (
    re.compile(rf"(?<!\d)(?P<year>{_YEAR})\s?[-/.年년]\s?(?P<one>\d{{1,2}})\s?[-/.月월]\s?(?P<two>\d{{1,2}})(?!\d)"),
    re.compile(rf"(?<!\d)(?P<one>\d{{1,2}})\s?[-/.]\s?(?P<two>\d{{1,2}})\s?[-/.]\s?(?P<year>{_YEAR}|\d\d)(?!\d)"),
    re.compile(r"(?<!\d)(?P<one>\d{1,2})\s?[月월]\s?(?P<two>\d{1,2})(?P<year>)(?=\s?[日号일])"),
)
_NUMERIC_MONTH = (
    re.compile(rf"(?<!\d)(?P<year>{_YEAR})\s?[-年년]\s?(?P<month>0?[1-9]|1[0-2])(?!\d)"),
    re.compile(rf"(?<![\d./-])(?P<month>0?[1-9]|1[0-2])[-/.](?P<year>{_YEAR})(?![\d/-])"),
)
# What may stand between a day, a month and a year, in some of the languages.
_BETWEEN = r"(?:\s|,|\.|/|-|'|’|،|st\b|nd\b|rd\b|th\b|º|ª|\bof\b|\bde\b|\bdel\b|\bthe\b|من|شهر|ماه){0,4}"


@dataclass(frozen=True)
class FoundDate:
    """A date as the text has it. ``day``: whether it names one; ``numbers``: year, month and day, 0 if not known.

    Of two numbers that could be day or month, ``numbers`` holds both ways.
    """

    quote: str
    start: int
    end: int
    day: bool
    numbers: frozenset[tuple[int, int, int]]


class Taken:
    """Stretches of a text that don't overlap, found again without looking at each."""

    def __init__(self) -> None:
        self._bounds: list[tuple[int, int]] = []

    def take(self, start: int, end: int) -> bool:
        """Whether this stretch overlaps none that was taken before; then it is taken too."""
        at = bisect_left(self._bounds, (start, end))
        if (at and self._bounds[at - 1][1] > start) or (at < len(self._bounds) and self._bounds[at][0] < end):
            return False
        self._bounds.insert(at, (start, end))
        return True


def find_dates(text: str) -> list[FoundDate]:
    """Every date of the text that names a day, or a month of a year. Positions are those in ``clean(text)``."""
    cleaned = clean(text)
    found = [*_numeric(cleaned), *_worded(cleaned)]
    found.sort(key=lambda each: (not each.day, each.start))
    taken = Taken()
    kept = [each for each in found if taken.take(each.start, each.end)]
    return sorted(kept, key=lambda each: each.start)


def _numeric(text: str) -> Iterator[FoundDate]:
    for pattern in _NUMERIC:
        for match in pattern.finditer(text):
            one, two, year = int(match["one"]), int(match["two"]), _year(match["year"])
            if 1 <= min(one, two) <= 12 and max(one, two) <= 31:
                numbers = frozenset({(year, one, two), (year, two, one)})
                yield FoundDate(match[0], match.start(), match.end(), True, numbers)
    for pattern in _NUMERIC_MONTH:
        for match in pattern.finditer(text):
            numbers = frozenset({(_year(match["year"]), int(match["month"]), 0)})
            yield FoundDate(match[0], match.start(), match.end(), False, numbers)


def _worded(text: str) -> Iterator[FoundDate]:
    day_first, month_first, month_year = _patterns()
    for pattern in (day_first, month_first, month_year):
        for match in pattern.finditer(text.casefold() if len(text.casefold()) == len(text) else text):
            groups = match.groupdict()
            day, month = groups.get("day"), _month_numbers().get(fold(match["month"]).rstrip("."), 0)
            year = _year(groups.get("year") or "")
            if day is not None and not 1 <= int(day) <= 31:
                continue
            numbers = frozenset({(year, month, int(day or 0))})
            yield FoundDate(
                text[match.start() : match.end()].strip(), match.start(), match.end(), day is not None, numbers
            )


def _year(text: str | None) -> int:
    number = int(text or 0)
    return number + 2000 if 0 < number < 100 else number


@cache
def _month_numbers() -> dict[str, int]:
    """The names of months as they are folded; those of other calendars than ours are 0."""
    names = {fold(name): 0 for name in _OTHER_CALENDARS}
    for locale in LOCALES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for number, name in get_month_names(width, context, locale).items():
                    if any(char.isalpha() for char in name) and len(name.rstrip(".")) > 2:
                        names[fold(name).rstrip(".")] = number
    return names


@cache
def _patterns() -> tuple[re.Pattern[str], ...]:
    month = "(?P<month>" + "|".join(sorted(_spellings(), key=len, reverse=True)) + r")\.?"
    year = rf"(?P<year>{_YEAR})(?!\d)"
    return (
        re.compile(rf"(?<!\d)(?P<day>\d{{1,2}}){_BETWEEN}(?<![^\W\d_]){month}(?![^\W\d_])(?:{_BETWEEN}{year})?"),
        re.compile(rf"(?<![^\W\d_]){month}{_BETWEEN}(?P<day>\d{{1,2}})(?!\d)(?:{_BETWEEN}{year})?"),
        re.compile(rf"(?<![^\W\d_]){month}{_BETWEEN}{year}"),
    )


@cache
def _spellings() -> frozenset[str]:
    """The names of months in small letters as they are written, and without their marks."""
    found = {fold(name) for name in _OTHER_CALENDARS} | set(_OTHER_CALENDARS)
    for locale in LOCALES:
        for width in ("wide", "abbreviated"):
            for context in ("format", "stand-alone"):
                for name in get_month_names(width, context, locale).values():
                    written = clean(name).casefold().rstrip(".")
                    if any(char.isalpha() for char in written) and len(written) > 2:
                        found |= {written, fold(name).rstrip(".")}
    return frozenset(re.escape(name) for name in found)
