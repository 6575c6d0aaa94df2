# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m tests.fuzz --seconds N --seed S``: altered inputs for every parser, both languages, and both programs.

Prints the seed first, each fault with its input in hex at once, and how much was tried at the end; the status is 1 if
there was one. The same seed alters the same way, as far as the time goes. ``--again TARGET HEX`` tries one input.
"""

import argparse
import asyncio
import logging
import random
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from random import Random

from tests.fuzz.targets import FAMILIES, Fault, Target, opened

# A family's honest requests are tried each time this many rounds went by, and at the end.
ROUNDS_BETWEEN_CHECKS = 50
# Of one target: the same fault is found again and again.
FAULTS_MAX = 3


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.fuzz")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--only", action="append", metavar="TARGET", help=f"or a family: {', '.join(FAMILIES)}")
    parser.add_argument("--again", nargs=2, metavar=("TARGET", "HEX"))
    arguments = parser.parse_args()
    only = [arguments.again[0]] if arguments.again else arguments.only or [*FAMILIES]
    print(f"--seed {arguments.seed}", flush=True)
    random.seed(arguments.seed)
    # Attempts look at the log themselves; what is set up before them may say what it likes.
    logging.basicConfig(handlers=[logging.NullHandler()])
    with tempfile.TemporaryDirectory() as folder:
        return asyncio.run(_run(arguments, only, Path(folder)))


async def _run(arguments: argparse.Namespace, only: Sequence[str], folder: Path) -> int:
    async with opened({name.partition("/")[0] for name in only}, folder) as every:
        targets = [each for each in every if {each.name, each.name.partition("/")[0]} & {*only}]
        if not targets:
            print(f"NO SUCH TARGET: {', '.join(only)}")
            return 1
        if arguments.again:
            fault = await targets[0].again(bytes.fromhex(arguments.again[1]))
            print(fault or "as it should be")
            return 1 if fault else 0
        return await _fuzz(targets, arguments.seed, time.monotonic() + arguments.seconds)


async def _fuzz(targets: Sequence[Target], seed: int, until: float) -> int:
    generators = {target.name: Random(f"{seed} {target.name}") for target in targets}
    tried, faults = Counter[str](), Counter[str]()
    rounds = 0
    while not rounds or time.monotonic() < until:
        for target in targets:
            if faults[target.name] < FAULTS_MAX:
                tried[target.name] += 1
                fault = await target.fault(generators[target.name])
                faults[target.name] += _told(fault)
        rounds += 1
        if rounds % ROUNDS_BETWEEN_CHECKS == 0:
            faults["is well"] += await _unwell(targets)
    faults["is well"] += await _unwell(targets)
    for family in dict.fromkeys(name.partition("/")[0] for name in tried):
        counts = [count for name, count in tried.items() if name.partition("/")[0] == family]
        print(f"{family}: {sum(counts)} tried in {len(counts)} targets")
    print(f"{sum(tried.values())} tried, {faults.total()} faults")
    return 1 if faults.total() else 0


async def _unwell(targets: Sequence[Target]) -> int:
    """How many of the programs do not take what is honest any more."""
    unwell = 0
    for name, is_well in {each.name.partition("/")[0]: each.is_well for each in targets if each.is_well}.items():
        if not await is_well():
            print(f"FAULT {name}: an honest request is not answered any more", flush=True)
            unwell += 1
    return unwell


def _told(fault: Fault | None) -> int:
    if fault is None:
        return 0
    print(f"FAULT {fault.target}: {fault.what}\n  --again {fault.target!r} {fault.data.hex()}", flush=True)
    return 1


if __name__ == "__main__":
    sys.exit(main())
