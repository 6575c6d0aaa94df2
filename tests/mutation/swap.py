# SPDX-License-Identifier: AGPL-3.0-or-later
"""Putting a mutant in the place of the code that is loaded.

A fault inside of a function is swapped into the functions that exist, in a millisecond. Any other (a constant, a
default, a field) is imported anew, with everything of ours that may have read it before.
"""

import functools
import gc
import importlib.abc
import importlib.machinery
import sys
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from types import CodeType, FunctionType, ModuleType

from tests.mutation.mutants import Mutant

OURS = ("crypto", "oversight", "portal", "tests")
Key = tuple[str, str, int]


class Swapper:
    """The functions of the files that are loaded now."""

    def __init__(self, sources: dict[str, str]) -> None:
        self._sources = sources
        files = {str(Path(path).resolve()) for path in sources}
        self._functions: dict[Key, list[FunctionType]] = defaultdict(list)
        self._caches = []
        self._codes: dict[str, list[CodeType]] = {}
        for thing in gc.get_objects():
            if isinstance(thing, FunctionType) and thing.__code__.co_filename in files:
                self._functions[_key(thing.__code__)].append(thing)
            elif isinstance(thing, functools._lru_cache_wrapper) and str(thing.__module__).split(".")[0] in OURS[:3]:
                self._caches.append(thing)

    def swap(self, mutant: Mutant) -> bool:
        """Swap the fault in; False if it must be imported instead."""
        if not mutant.in_body:
            return False
        file = str(Path(mutant.path).resolve())
        old: Sequence[CodeType] = self._old_codes(mutant.path, file)
        new: Sequence[CodeType | None] = list(_codes(compile(mutant.source, file, "exec", dont_inherit=True)))
        if [code.co_qualname for code in old] != [code.co_qualname for code in new if code]:
            new = _paired(old, new)
        swapped = False
        for before, after in zip(old, new, strict=True):
            if after is None or before == after:
                continue
            for function in self._functions[_key(before)]:
                if before.co_freevars != after.co_freevars:
                    return False
                function.__code__ = after
                swapped = True
        for cache in self._caches:
            cache.cache_clear()
        return swapped

    def _old_codes(self, path: str, file: str) -> list[CodeType]:
        if path not in self._codes:
            self._codes[path] = list(_codes(compile(self._sources[path], file, "exec", dont_inherit=True)))
        return self._codes[path]


def _key(code: CodeType) -> Key:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _codes(code: CodeType) -> Iterator[CodeType]:
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            yield constant
            yield from _codes(constant)


def _paired(old: Sequence[CodeType], new: Sequence[CodeType | None]) -> list[CodeType | None]:
    """The new code of each old one where a comprehension or lambda has gone, or is in another place."""
    by_name = {(code.co_qualname, code.co_firstlineno): code for code in new if code}
    return [by_name.get((code.co_qualname, code.co_firstlineno)) for code in old]


class MutantFinder(importlib.abc.MetaPathFinder, importlib.abc.SourceLoader):  # type: ignore[misc]
    """Imports the mutant in its module's place, and every other module as ever."""

    def __init__(self, mutant: Mutant) -> None:
        self._mutant = mutant
        self._name = mutant.path.removesuffix(".py").removesuffix("/__init__").replace("/", ".")

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> importlib.machinery.ModuleSpec | None:
        if fullname != self._name:
            return None
        spec = importlib.machinery.ModuleSpec(fullname, self, origin=self.get_filename(fullname))
        spec.has_location = True
        return spec

    def get_filename(self, fullname: str) -> str:
        return str(Path(self._mutant.path).resolve())

    def get_data(self, path: str) -> bytes:
        return self._mutant.source.encode()


def forget_ours(mutant: Mutant) -> None:
    """Make Python import everything of ours again, ``mutant`` in its module's place."""
    here = str(Path.cwd())
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None) or ""
        is_ours = file.startswith(here) and "site-packages" not in file
        if (is_ours or name in OURS) and not name.startswith("tests.mutation"):
            del sys.modules[name]
    sys.meta_path.insert(0, MutantFinder(mutant))
