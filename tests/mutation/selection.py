# SPDX-License-Identifier: AGPL-3.0-or-later
"""Which tests concern a mutant: those that run its lines. Found by running every test once under a tracer."""

import ast
import sys
import time
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import CodeType, FrameType
from typing import Any

import pytest
from _pytest.runner import runtestprotocol

from tests.mutation.mutants import Mutant

EXAMPLES_MAX = 20
# A function that runs more often than this in one test shows no new lines any more.
CALLS_MAX = 40
# Processor time of the tests that one mutant gets.
SECONDS_MAX = 8.0
Lines = dict[str, dict[str, list[int]]]


def lighten(items: Iterable[pytest.Item]) -> None:
    """Give every property few examples, the same ones each time, and no search for a smaller one."""
    # Not before pytest has prepared to rewrite its assertions.
    from hypothesis import HealthCheck, Phase, settings

    for item in items:
        function = getattr(item, "function", None)
        found = getattr(function, "_hypothesis_internal_use_settings", None)
        if found is not None:
            function._hypothesis_internal_use_settings = settings(  # type: ignore[union-attr]
                found,
                max_examples=min(found.max_examples, EXAMPLES_MAX),
                database=None,
                derandomize=True,
                deadline=None,
                phases=[Phase.explicit, Phase.generate],
                suppress_health_check=list(HealthCheck),
            )


def run_item(item: pytest.Item, following: pytest.Item | None) -> bool:
    """Run one test; whether it passed or was skipped."""
    return not any(report.failed for report in runtestprotocol(item, log=False, nextitem=following))


class Tracer:
    """Notes the lines of the given files that run between ``start`` and ``stop``."""

    def __init__(self, files: Iterable[str]) -> None:
        self._files = {str(Path(file).resolve()): file for file in files}
        self.lines: dict[str, set[int]] = defaultdict(set)
        self._calls_left: dict[CodeType, int] = {}

    def start(self) -> None:
        self.lines = defaultdict(set)
        self._calls_left = {}
        sys.settrace(self._trace)

    def stop(self) -> dict[str, list[int]]:
        sys.settrace(None)
        return {file: sorted(lines) for file, lines in self.lines.items()}

    def _trace(self, frame: FrameType, event: str, argument: Any) -> Any:
        code = frame.f_code
        left = self._calls_left.get(code)
        if left is None:
            left = CALLS_MAX if code.co_filename in self._files else 0
        self._calls_left[code] = max(0, left - 1)
        if not left:
            return None
        lines = self.lines[self._files[code.co_filename]]
        lines.add(frame.f_lineno)

        def trace_line(frame: FrameType, event: str, argument: Any) -> Any:
            lines.add(frame.f_lineno)
            return trace_line

        return trace_line


@dataclass
class Trace:
    """The lines that each test runs, by file; the processor time that each takes; those that failed."""

    lines: Lines = field(default_factory=dict)
    seconds: dict[str, float] = field(default_factory=dict)
    failed: list[str] = field(default_factory=list)


def trace_tests(items: Sequence[pytest.Item], files: Iterable[str]) -> Trace:
    """Run the tests, each once."""
    tracer, trace = Tracer(files), Trace()
    for item, following in zip(items, [*items[1:], None], strict=True):
        before = time.process_time()
        tracer.start()
        passed = run_item(item, following)
        trace.lines[item.nodeid] = tracer.stop()
        trace.seconds[item.nodeid] = time.process_time() - before
        if not passed:
            trace.failed.append(item.nodeid)
    return trace


class Selection:
    """Chooses the tests of a mutant, the likeliest to fail and the quickest first."""

    def __init__(self, sources: dict[str, str], trace: Trace) -> None:
        self._seconds = trace.seconds
        self._tests: dict[str, dict[int, set[str]]] = defaultdict(lambda: defaultdict(set))
        for test, files in trace.lines.items():
            for file, numbers in files.items():
                for number in numbers:
                    self._tests[file][number].add(test)
        self._trees = {path: ast.parse(source) for path, source in sources.items()}

    def tests_of(self, mutant: Mutant) -> list[str]:
        """The tests that run the mutant's lines; of a constant, the lines that name it; else all of the module.

        Whatever is outside of functions gets the tests of its own file as well: what ``dataclass`` makes has no lines.
        """
        tests = self._at(mutant.path, mutant.lines) if mutant.in_body else set()
        if mutant.names:
            tests = set().union(*(self._at(path, lines) for path, lines in self._uses(set(mutant.names))))
        own = self._own(mutant.path)
        if not mutant.in_body:
            tests |= {test for test in self._seconds if own in test}
        if not tests and (not mutant.in_body or self._runs_at_import(mutant)):
            tests = set().union(*self._tests[mutant.path].values())
        chosen: list[str] = []
        seconds = 0.0
        for test in sorted(tests, key=lambda test: (own not in test, self._seconds[test], test)):
            seconds += self._seconds[test]
            if seconds > SECONDS_MAX and chosen:
                break
            chosen.append(test)
        return chosen

    def _own(self, path: str) -> str:
        """What the tests of a module have in their names: ``test_charter`` and ``test_charter_limits`` for the charter,
        ``test_age`` for ``age_pq``, which has no file of its own."""
        words = Path(path).stem.split("_")
        names = [f"/test_{'_'.join(words[:size])}" for size in range(len(words), 0, -1)]
        return next((name for name in names if any(name in test for test in self._seconds)), names[0])

    def seconds_of(self, tests: Iterable[str]) -> float:
        return sum(self._seconds[test] for test in tests)

    def _at(self, path: str, lines: Iterable[int]) -> set[str]:
        return set().union(*(self._tests[path].get(line, set()) for line in lines))

    def _uses(self, names: set[str]) -> list[tuple[str, range]]:
        """Where constants are used, or others that are made of them."""
        found: list[tuple[str, range]] = []
        while True:
            uses = [
                (path, statement)
                for path, tree in self._trees.items()
                for statement in ast.walk(tree)
                if isinstance(statement, ast.stmt) and names & _loaded(statement)
            ]
            found = [(path, range(node.lineno, (node.end_lineno or node.lineno) + 1)) for path, node in uses]
            made = {name for path, node in uses if node in self._trees[path].body for name in _stored(node)}
            if made <= names:
                return found
            names |= made

    def _runs_at_import(self, mutant: Mutant) -> bool:
        name = mutant.function.split(".")[0]
        outside = [node for node in self._trees[mutant.path].body if not isinstance(node, ast.FunctionDef)]
        return any(name in _loaded(node) for statement in outside for node in ast.walk(statement))


def _loaded(node: ast.AST) -> set[str]:
    """The names that a statement reads, without what stands below it if it holds others."""
    parts = (
        [node] if not hasattr(node, "body") else [part for part in ast.iter_child_nodes(node) if not _is_block(part)]
    )
    names = [inner for part in parts for inner in ast.walk(part)]
    plain = {name.id for name in names if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Load)}
    return plain | {name.attr for name in names if isinstance(name, ast.Attribute)}


def _is_block(node: ast.AST) -> bool:
    return isinstance(node, ast.stmt | ast.ExceptHandler | ast.match_case)


def _stored(node: ast.AST) -> set[str]:
    if not isinstance(node, ast.Assign | ast.AnnAssign):
        return set()
    return {name.id for name in ast.walk(node) if isinstance(name, ast.Name) and isinstance(name.ctx, ast.Store)}
