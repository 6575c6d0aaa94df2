# SPDX-License-Identifier: AGPL-3.0-or-later
"""Telephone numbers in a text: as the countries of a case write them, and with their country code in any case.

A long run of digits counts as one too, whether or not any country gives out such numbers: passports and prisoners have
numbers of that kind, and somebody can be looked up by them as well.
"""

import re
from collections.abc import Iterable, Iterator

from phonenumbers import SUPPORTED_REGIONS, Leniency, PhoneNumberMatcher

from oversight.findings.effort import Effort

DIGITS_MIN = 6
REGIONS_MAX = 6
# Per group of digits and country: the library spends up to a millisecond on what looks like a number and is none.
TRY_STEPS = 300
# More than the groups of digits that there is effort for: the library must not stop before the end of a text.
TRIES_MAX = 1_000_000
NO_REGION = "ZZ"
_GROUP = re.compile(r"\d+")
_RUN = re.compile(r"(?<![\w/])(?:\+|00)?\(?\d(?:[ ()./\u2010-\u2015-]{0,2}\d){6,14}(?!\w)")


def find_phones(text: str, countries: Iterable[str], effort: Effort) -> Iterator[tuple[int, int]]:
    """Where telephone numbers stand in a cleaned text; places may be named twice and overlap.

    ``countries`` are codes of ISO 3166 (``TR``, ``GB-SCT``) whose national formats are looked for: those of the first
    REGIONS_MAX that have any. Raises EffortSpentError.
    """
    if sum(char.isdigit() for char in text) < DIGITS_MIN:
        return
    codes = dict.fromkeys(code.partition("-")[0] for code in countries)
    regions = [code for code in codes if code in SUPPORTED_REGIONS][:REGIONS_MAX]
    regions = regions or [NO_REGION]
    effort.spend(sum(1 for _ in _GROUP.finditer(text)) * len(regions) * TRY_STEPS)
    for region in regions:
        for match in PhoneNumberMatcher(text, region, leniency=Leniency.VALID, max_tries=TRIES_MAX):
            # In some countries every year is a telephone number.
            if sum(char.isdigit() for char in match.raw_string) >= DIGITS_MIN:
                yield match.start, match.end
    for run in _RUN.finditer(text):
        yield run.start(), run.end()
