# SPDX-License-Identifier: AGPL-3.0-or-later
"""Trying mutants: a process forked for each, from one that has collected the tests already."""

import contextlib
import gc
import hashlib
import json
import os
import pickle
import resource
import signal
import sys
import time
from collections.abc import Callable, Iterable, Sequence
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from tests.mutation.mutants import Mutant
from tests.mutation.selection import Selection, Trace, lighten, run_item, trace_tests
from tests.mutation.swap import Swapper, forget_ours

KILLED, SURVIVED, TIMED_OUT, UNTESTED = "killed", "survived", "timed out", "no test"
# Processor time that a mutant's tests may take: this much, and so many times what they took without it.
SECONDS_MORE = 8
SECONDS_TIMES = 5
# Time by the clock, for one that waits instead of working.
CLOCK_TIMES = 20
MEMORY_BYTES = 6 * 1024**3
SAVE_SECONDS = 10


class Results:
    """What was found before, by mutant; kept as long as nothing has changed that it depends on."""

    def __init__(self, path: Path, sources: dict[str, str], tests: Iterable[str]) -> None:
        self.path = path
        self._modules = {name: _digest(source.encode()) for name, source in sources.items()}
        self.code = _digest("".join(self._modules.values()).encode())
        files = sorted(file for folder in tests for file in Path(folder).rglob("*") if file.suffix in (".py", ".json"))
        self._tests = _digest(b"".join(f"{file}\n".encode() + file.read_bytes() for file in files))
        self._found: dict[str, dict[str, str]] = json.loads(path.read_text()) if path.exists() else {}

    def get(self, mutant: Mutant) -> str | None:
        found = self._found.get(mutant.key)
        if found is None or found["module"] != self._modules[mutant.path]:
            return None
        is_final = found["result"] in (KILLED, TIMED_OUT)
        return found["result"] if is_final or found["tests"] == self._tests else None

    def put(self, mutant: Mutant, result: str) -> None:
        self._found[mutant.key] = {"result": result, "module": self._modules[mutant.path], "tests": self._tests}

    def save(self) -> None:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        partial = self.path.with_suffix(".part")
        partial.write_text(json.dumps(self._found, indent=0, ensure_ascii=False))
        partial.replace(self.path)


class MutationRun:
    """A plugin for pytest that, instead of running the tests once, runs those of every mutant."""

    def __init__(self, sources: dict[str, str], mutants: Sequence[Mutant], results: Results, jobs: int) -> None:
        self._sources = sources
        self._left = [mutant for mutant in mutants if results.get(mutant) is None]
        self._results = results
        self._jobs = jobs
        self._kept = results.path.with_suffix(".trace")
        self._running: dict[int, Mutant] = {}
        self._saved = time.monotonic()

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        if session.testsfailed:
            raise session.Interrupted("errors during collection")
        if not self._left:
            return True
        lighten(session.items)
        trace = self._trace(session.items)
        if trace.failed:
            session.testsfailed = len(trace.failed)
            print("\n".join(["These tests fail without a mutant:", *trace.failed]))
            return True
        print(f"{len(self._left)} mutants to try …", flush=True)
        selection = Selection(self._sources, trace)
        swapper = Swapper(self._sources)
        items = {item.nodeid: item for item in session.items}
        gc.freeze()
        try:
            for done, mutant in enumerate(self._left, 1):
                self._start(mutant, selection, swapper, items)
                if sys.stdout.isatty() or not done % 100:
                    print(f"\r{done} of {len(self._left)}", end="", flush=True)
            while self._running:
                self._wait()
        finally:
            self._results.save()
        print()
        return True

    def _trace(self, items: Sequence[pytest.Item]) -> Trace:
        """What each test runs, known from an earlier run as far as neither the code nor the file of tests changed."""
        files = sorted({item.nodeid.split("::")[0] for item in items})
        kept: dict[str, tuple[str, Trace]] = pickle.loads(self._kept.read_bytes()) if self._kept.exists() else {}
        whole = Trace()
        for file in files:
            digest = self._results.code + _digest(Path(file).read_bytes())
            if file not in kept or kept[file][0] != digest:
                mine = [item for item in items if item.nodeid.split("::")[0] == file]
                print(f"{len(mine)} tests of {Path(file).name} are run without a mutant …", flush=True)
                kept[file] = digest, _in_child(partial(trace_tests, mine, self._sources))
            if kept[file][1].failed:
                kept[file] = "", kept[file][1]
            for name in ("lines", "seconds"):
                getattr(whole, name).update(getattr(kept[file][1], name))
            whole.failed += kept[file][1].failed
        self._kept.parent.mkdir(parents=True, exist_ok=True)
        self._kept.write_bytes(pickle.dumps(kept))
        return whole

    def _start(self, mutant: Mutant, selection: Selection, swapper: Swapper, items: dict[str, pytest.Item]) -> None:
        tests = selection.tests_of(mutant)
        if not tests:
            self._results.put(mutant, UNTESTED)
            return
        while len(self._running) >= self._jobs:
            self._wait()
        pid = os.fork()
        if not pid:
            _quieten()
            _limit(selection.seconds_of(tests))
            status = 2
            try:
                status = _try_mutant(mutant, [items[test] for test in tests], swapper)
            finally:
                os._exit(status)
        self._running[pid] = mutant

    def _wait(self) -> None:
        pid, status = os.wait()
        mutant = self._running.pop(pid)
        if os.WIFSIGNALED(status):
            late = os.WTERMSIG(status) in (signal.SIGXCPU, signal.SIGALRM, signal.SIGKILL)
            result = TIMED_OUT if late else KILLED
        else:
            result = SURVIVED if os.WEXITSTATUS(status) == 0 else KILLED
        self._results.put(mutant, result)
        if time.monotonic() - self._saved > SAVE_SECONDS:
            self._results.save()
            self._saved = time.monotonic()


class _Chosen:
    """A plugin for the tests that are imported anew: only those that were chosen, and those that are new."""

    def __init__(self, chosen: Sequence[str], known: Iterable[str]) -> None:
        self._order = {test: place for place, test in enumerate(chosen)}
        self._known = set(known)

    def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
        items[:] = [item for item in items if item.nodeid in self._order or item.nodeid not in self._known]
        items.sort(key=lambda item: self._order.get(item.nodeid, -1))
        lighten(items)


def _try_mutant(mutant: Mutant, items: Sequence[pytest.Item], swapper: Swapper) -> int:
    """0 if all tests pass, 1 if one fails."""
    if swapper.swap(mutant):
        return int(not all(run_item(item, None) for item in items))
    known = [item.nodeid for item in items[0].session.items]
    forget_ours(mutant)
    sys.dont_write_bytecode = True
    files = sorted({item.nodeid.split("::")[0] for item in items})
    chosen = _Chosen([item.nodeid for item in items], known)
    return int(pytest.main(["-x", "-p", "no:cacheprovider", "--capture=sys", *files], plugins=[chosen]))


def _in_child(work: Callable[[], Any]) -> Any:
    """What ``work`` returns, done in a process of its own so that it leaves no trace in this one."""
    reading, writing = os.pipe()
    pid = os.fork()
    if not pid:
        os.close(reading)
        status = 1
        with contextlib.suppress(Exception), open(writing, "wb") as pipe:  # noqa: PTH123 - a descriptor
            pickle.dump(work(), pipe)
            status = 0
        os._exit(status)
    os.close(writing)
    with open(reading, "rb") as pipe:  # noqa: PTH123 - a descriptor
        data = pipe.read()
    os.waitpid(pid, 0)
    return pickle.loads(data)


def _quieten() -> None:
    nothing = os.open(os.devnull, os.O_RDWR)
    for descriptor in (0, 1, 2):
        os.dup2(nothing, descriptor)


def _limit(seconds: float) -> None:
    """Let the kernel end this process when it takes far longer than the tests do, or far more memory."""
    allowed = SECONDS_MORE + int(SECONDS_TIMES * seconds)
    resource.setrlimit(resource.RLIMIT_CPU, (allowed, allowed + 5))
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    signal.signal(signal.SIGALRM, signal.SIG_DFL)
    signal.alarm(CLOCK_TIMES * allowed)


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()[:16]
