# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m tests.fuzz.differential --seconds N --seed S``: do both readers of each format say the same?

Prints every difference with its input in hex, and how many inputs of each format were tried. Fails on a difference, and
where nothing was tried or nothing accepted. The same seed tries the same inputs, as far as the time goes.
"""

import argparse
import sys
import time
from random import Random

from tests.fuzz.comparison import Comparison, running_script
from tests.fuzz.formats import load_formats

DIFFERENCES_MAX = 20


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz.differential")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", help="a format; may be given again", metavar="FORMAT")
    arguments = parser.parse_args()
    formats = [each for each in load_formats() if not arguments.only or each.name in arguments.only]
    until = time.monotonic() + arguments.seconds
    with running_script() as script:
        comparison = Comparison(script)
        for each in formats:
            comparison.try_as_it_is(each)
        generators = {each.name: Random(f"{arguments.seed} {each.name}") for each in formats}
        while time.monotonic() < until and len(comparison.differences) < DIFFERENCES_MAX:
            for each in formats:
                comparison.try_altered(each, generators[each.name])
    return _report(comparison, [each.name for each in formats])


def _report(comparison: Comparison, names: list[str]) -> int:
    for difference in comparison.differences:
        print(f"DIFFERENCE {difference}")
    for name in names:
        outcomes = {answer: count for (of, answer), count in sorted(comparison.outcomes.items()) if of == name}
        counted = ", ".join(f"{count} {answer}" for answer, count in outcomes.items())
        print(f"{name}: {comparison.tried[name]} tried: {counted or 'nothing'}")
    idle = [name for name in names if not comparison.outcomes[name, "accepted"]]
    print(f"{sum(comparison.tried.values())} tried, {len(comparison.differences)} differences")
    if idle or not names:
        print(f"NOTHING ACCEPTED: {', '.join(idle) or 'no such format'}")
    return 1 if comparison.differences or idle or not names else 0


if __name__ == "__main__":
    sys.exit(main())
