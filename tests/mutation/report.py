# SPDX-License-Identifier: AGPL-3.0-or-later
"""What came of the mutants: a line for each module, and every survivor that nobody has explained."""

import re
import tomllib
from collections import Counter
from collections.abc import Sequence
from pathlib import Path

from tests.mutation.mutants import Mutant
from tests.mutation.run import KILLED, SURVIVED, TIMED_OUT, UNTESTED, Results

EXPLAINED = Path(__file__).with_name("explained.toml")
# Killed, of all that are not explained, in percent.
SCORE_MIN = 90


def print_report(target: str, mutants: Sequence[Mutant], results: Results) -> bool:
    """Print the table and the survivors. False when the score is below the bound or an explanation is out of date."""
    explained = Explanations()
    found = {mutant: results.get(mutant) for mutant in mutants}
    alive = [mutant for mutant, result in found.items() if result in (SURVIVED, UNTESTED)]
    unexplained = [mutant for mutant in alive if not explained.has(mutant)]
    stale = sorted(explained.keys & {mutant.key for mutant, result in found.items() if result in (KILLED, TIMED_OUT)})
    if unexplained:
        print(f"\nSurvivors in {target} (line, function, what was changed):")
    for mutant in unexplained:
        note = ", which no test runs" if found[mutant] == UNTESTED else ""
        print(f"  {mutant.path}:{mutant.lines.start} {mutant.key.removeprefix(mutant.path).strip()}{note}")
    for key in stale:
        print(f"  explained, but killed: {key}")
    print(f"\n{'module':36}{'mutants':>9}{'killed':>9}{'explained':>11}{'alive':>8}{'score':>9}")
    for path in sorted({mutant.path for mutant in mutants}):
        _print_line(path, [mutant for mutant in mutants if mutant.path == path], found, unexplained)
    score = _print_line(target, mutants, found, unexplained)
    untried = sum(result is None for result in found.values())
    if untried:
        print(f"{untried} mutants have not been tried.")
    return score >= SCORE_MIN and not stale


class Explanations:
    """The mutants that no test can tell from the original, or need not: one by one, or by a pattern of their keys."""

    def __init__(self, path: Path = EXPLAINED) -> None:
        entries = tomllib.loads(path.read_text("utf-8")).get("mutants", [])
        if not all(entry["why"].strip() for entry in entries):
            raise ValueError("an explanation is empty")
        self.keys = {key for entry in entries for key in entry.get("keys", ())}
        self._patterns = [re.compile(pattern) for entry in entries for pattern in entry.get("like", ())]

    def has(self, mutant: Mutant) -> bool:
        return mutant.key in self.keys or any(pattern.search(mutant.key) for pattern in self._patterns)


def _print_line(
    name: str, mutants: Sequence[Mutant], found: dict[Mutant, str | None], unexplained: Sequence[Mutant]
) -> float:
    count = Counter(found[mutant] for mutant in mutants)
    killed = count[KILLED] + count[TIMED_OUT]
    alive = sum(mutant in unexplained for mutant in mutants)
    explained = count[SURVIVED] + count[UNTESTED] - alive
    score = 100.0 if killed + alive == 0 else 100 * killed / (killed + alive)
    print(f"{name:36}{len(mutants):9}{killed:9}{explained:11}{alive:8}{score:8.1f}%")
    return score
