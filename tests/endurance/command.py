# SPDX-License-Identifier: AGPL-3.0-or-later
"""What the commands of this folder have in common: a seed that is printed first, and how often what happened, last."""

import argparse
import logging
import random
from collections.abc import Mapping
from time import monotonic


def begin(parser: argparse.ArgumentParser) -> argparse.Namespace:
    """Read the options, of which one is ``--seed``, print them, and seed all chance of the tests."""
    parser.add_argument("--seed", type=int, default=1)
    given = parser.parse_args()
    print(" ".join(f"--{name} {value}" for name, value in vars(given).items()), flush=True)
    random.seed(given.seed)
    # Of what goes wrong on purpose.
    logging.basicConfig(handlers=[logging.NullHandler()])
    return given


class Minutes:
    """Whether so many minutes from now are not over yet."""

    def __init__(self, minutes: float) -> None:
        self._end = monotonic() + minutes * 60

    def __call__(self, _: object) -> bool:
        return monotonic() < self._end


def say(counts: Mapping[str, int]) -> None:
    print(", ".join(f"{what}: {count}" for what, count in sorted(counts.items())))
