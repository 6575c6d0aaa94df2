# SPDX-License-Identifier: AGPL-3.0-or-later
"""What texts cost that were made to be slow: ``python -m benchmarks.hostile_text``.

Method. Each function that takes a text from outside gets texts of one kind, of N characters and of 4 N, as long as they
may be there; the processor time of each call is printed, and the ratio of the two. Bound: the ratio is four where the
work grows as the text does; where the text is refused or the effort is bounded it is less. It fails when a ratio of
calls that take a tenth of a second or more is above eight: that would be the square.
"""

import gc
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from datetime import date
from typing import Any

from crypto.errors import CryptoError
from crypto.folding import normalize
from crypto.keyring import prepare_passphrase
from oversight.findings.check import Material, Source, Term, check_texts
from oversight.findings.difference import COMPARE_STEPS, compare_texts
from oversight.findings.effort import Effort
from oversight.members.accounts import fold_username
from oversight.members.passphrase import problem
from portal.kit.prose import render_prose

RATIO_MAX = 8
SECONDS_COUNTED = 0.1
FINDING_CHARS = 80_000
REPORT_CHARS = 1_000_000
TEXT = "They took him from the queue at the airport and nobody told us where he was for days. " * 50
MARKS = "\u0301\u0327\u0316\u0345"

Case = tuple[str, Callable[[str], Any], str, int]


def report(answer: str) -> object:
    """A finding of 4 KB against a report with this answer."""
    source = Source("R-0001", (answer,), date(2026, 11, 5), ("CO-PUB-ANON",))
    return list(check_texts([("summary", TEXT)], Material((), (source,))))


def place(answer: str) -> object:
    return list(check_texts([("summary", TEXT)], Material((Term("place", answer),), ())))


def finding(text: str) -> object:
    """A finding of this text against a name, a place and a report."""
    source = Source("R-0001", (text,), date(2026, 11, 5), ("CO-PUB-ANON",))
    terms = (Term("name", "Muhammad Kowalski"), Term("place", "Northfield Detention Centre"))
    return list(check_texts([("summary", text)], Material(terms, (source,), ("TR", "DE", "FR"))))


def compare(text: str) -> object:
    return compare_texts(text, text + " x", Effort(COMPARE_STEPS))


def compare_other(text: str) -> object:
    """Every second word is another one, and none comes twice."""
    words = range(len(text) // 12)
    both = [" ".join(f"w{number} {also}{number}" for number in words) for also in "xy"]
    return compare_texts(*both, Effort(COMPARE_STEPS))


def cases() -> Iterator[Case]:
    """What is measured: its name, the function, what the text repeats, how long it is at the most."""
    yield "normal form of marks", lambda text: normalize("NFKC", text), MARKS, REPORT_CHARS
    yield "username of marks", fold_username, MARKS, 32_000
    yield "passphrase of marks", prepare_passphrase, MARKS, 16_000
    yield "passphrase of letters and marks", prepare_passphrase, "e\u0301\u0327", 16_000
    yield "new passphrase of signs", lambda text: problem(text, ["amina"]), "4@8({[<369", 4_000
    yield "new passphrase of words", lambda text: problem(text, ["amina"]), "ab cd ef gh ", 4_000
    for name, part in (
        ("marks", MARKS),
        ("one word", "a "),
        ("letters", "a"),
        ("ligatures", "\ufdfa "),
        ("Chinese", "王小明被关押"),
    ):
        yield f"check against an answer of {name}", report, part, REPORT_CHARS
    yield "check against a place of words", place, "northfield camp ", 16_000
    for name, part in (
        ("letters", "a"),
        ("one word", "a "),
        ("dates", "1.1.2011 "),
        ("dates in words", "1 of may "),
        ("numbers", "12 345 6 "),
        ("addresses", "a@b.c "),
        ("half addresses", "a.b-c+"),
        ("marks", MARKS),
    ):
        yield f"check of a finding of {name}", finding, part, FINDING_CHARS
    for name, part in (("one word", "a "), ("lines", "a\n"), ("signs", ".,"), ("letters", "a")):
        yield f"what changed in {name}", compare, part, FINDING_CHARS
    yield "what changed in every second word", compare_other, "x", FINDING_CHARS
    for name, part in (("stars", "*"), ("emphasis", "*a **b _c "), ("lists", "- a\n"), ("nested lists", "- ")):
        yield f"a page of {name}", render_prose, part, FINDING_CHARS


def seconds(function: Callable[[str], Any], text: str) -> float:
    # What else is in memory is not to be counted: the collector goes through it the more often the longer the text is.
    gc.collect()
    gc.disable()
    before = time.process_time()
    with suppress(CryptoError):
        function(text)
    needed = time.process_time() - before
    gc.enable()
    return needed


def main() -> None:
    report("warm")
    finding("on 1 May 2011")
    problem("warm enough for all of it", ())
    failed = []
    for name, function, part, chars_max in cases():
        times = [seconds(function, (part * chars)[:chars]) for chars in (chars_max // 4, chars_max)]
        ratio = times[1] / max(times[0], 1e-6)
        print(f"{name:44} {chars_max:9} chars {times[0]:8.3f} s {times[1]:8.3f} s  x {ratio:5.1f}", flush=True)
        if times[1] > SECONDS_COUNTED and ratio > RATIO_MAX:
            failed.append(name)
    assert not failed, f"more than the text weighs: {', '.join(failed)}"


if __name__ == "__main__":
    main()
