# SPDX-License-Identifier: AGPL-3.0-or-later
"""``python -m tests.mutation [--jobs N] [--sample N] [--only PATH] [TARGET…]``: mutate, test, report.

The exit status is 1 below the bound. A sample of some hundred takes minutes and tells the score to a few percent.

Results are kept in var/mutants: a mutant that was killed is tried again only when its module has changed, one that
survived also when a test has. So a run can be stopped, gone on with, and limited to a module.
"""

import argparse
import sys
from pathlib import Path
from random import Random

import pytest

from tests.mutation.mutants import find_mutants
from tests.mutation.report import print_report
from tests.mutation.run import MutationRun, Results

# What is mutated, and where its tests are.
TARGETS = {
    "crypto": ["tests/crypto"],
    "oversight/workflow": ["tests/oversight/workflow"],
}
# They start Node or a program again and again, and don't see what is mutated in this process.
LEFT_OUT = ["tests/crypto/test_age_interop.py"]
KEPT = Path("var/mutants")


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.mutation")
    parser.add_argument("targets", nargs="*", default=[name for name in TARGETS if Path(name).is_dir()])
    parser.add_argument("--only", action="append", default=[], metavar="PATH", help="mutate these modules alone")
    parser.add_argument(
        "--sample", type=int, metavar="N", help="so many of each target, chosen by chance, always the same"
    )
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--report", action="store_true", help="say again what the last run found")
    options = parser.parse_args()
    passed = True
    for target in options.targets:
        if options.only and not any(path.startswith(f"{target}/") for path in options.only):
            continue
        sources = {str(path): path.read_text("utf-8") for path in sorted(Path(target).rglob("*.py"))}
        chosen = [path for path in sources if not options.only or path in options.only]
        mutants = [mutant for path in chosen for mutant in find_mutants(path, sources[path])]
        if options.sample is not None and options.sample < len(mutants):
            mutants = Random(options.sample).sample(mutants, options.sample)
        results = Results(KEPT / f"{target.replace('/', '-')}.json", sources, TARGETS[target])
        if not options.report:
            run = MutationRun(sources, mutants, results, options.jobs)
            ignored = [f"--ignore={path}" for path in LEFT_OUT]
            status = pytest.main(["-p", "no:cacheprovider", "--capture=sys", *ignored, *TARGETS[target]], plugins=[run])
            if status:
                print(f"{target}: the tests fail, or can't be collected, without a mutant: see above.")
                return int(status)
        passed &= print_report(target, mutants, results)
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
