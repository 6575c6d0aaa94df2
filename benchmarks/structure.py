# SPDX-License-Identifier: AGPL-3.0-or-later
"""Structure: how long files and functions are, what imports in circles, what has a docstring, how much is tested.

    python -m benchmarks.structure [--tree DIR …]

A column for each tree (this one if none is given), so that two checkouts stand side by side: ``git worktree add DIR
COMMIT`` makes another one. Nothing of a tree is run or imported.

Method: code is ``crypto``, ``portal``, ``oversight`` (Python, without migrations) and ``static/src`` (script); tests
are the Python and script files of ``tests``. Lines are those that are not blank, of a file or from the first to the
last line of a function, its docstring included. Functions are all there are, methods and those within others too; in
script those that begin a line and end with a brace under it. Empty ``__init__.py`` count as no file, and those with a
docstring alone as none either.

- *rooms in circles*: rooms of a program (a package or module right inside it; in ``static/src`` a folder, and what
  stands in none) that reach themselves by imports through other rooms, wherever the import stands in the file;
- *modules in circles*: the same for modules, imports for types alone left aside, for they are none when it runs;
- *docstrings*: the share of modules, public classes and public functions and methods of the Python code that have one;
- *tests to code*: lines of tests for each line of code.
"""

import argparse
import ast
import posixpath
import re
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from statistics import median

PROGRAMS = ("crypto", "portal", "oversight")
SCRIPTS = "static/src"
LONG_LINES = 30
_IMPORTED = re.compile(r"""^\s*(?:import|export)\b[^;]*?["'](\.[^"']+)["']|\bimport\(\s*["'](\.[^"']+)["']""", re.M)
_FUNCTION = re.compile(
    r"(?:export )?(?:default )?(?:async )?function\b"
    r"|(?:static )?(?:async |get |set )?[#\w]+\([^;=]*\) \{$|constructor\("
)
Edges = dict[str, set[str]]
Documented = ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef


def main() -> None:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.structure", description="Figures of a tree of sources.")
    parser.add_argument("--tree", action="append", type=Path, help="a checkout; a column for each")
    trees = parser.parse_args().tree or [Path()]
    columns = [measure(tree) for tree in trees]
    width = max(len(name) for name in columns[0])
    print(" " * width, *(f"{tree!s:>52}" for tree in trees))
    for name in columns[0]:
        print(f"{name:{width}}", *(f"{column[name]:>52}" for column in columns))


def measure(tree: Path) -> dict[str, str]:
    """The figures of a checkout, in the order in which they are printed."""
    figures: dict[str, str] = {}
    all_files: dict[str, int] = {}
    all_functions: dict[str, int] = {}
    texts: list[str] = []
    for name in (*PROGRAMS, SCRIPTS):
        files = {path.relative_to(tree).as_posix(): text for path, text in sources(tree, name).items()}
        lengths = {path: lines(text) for path, text in files.items()}
        functions = {
            f"{path} {function}": length
            for path, text in files.items()
            for function, length in (script_functions if name == SCRIPTS else python_functions)(text)
        }
        figures |= {f"{name}: {what}": value for what, value in _figures(lengths, functions).items()}
        figures[f"{name}: rooms in circles"] = _circle(room_edges(tree, name))
        if name != SCRIPTS:
            figures[f"{name}: modules in circles"] = _circle(module_edges(tree, name))
            figures[f"{name}: docstrings"] = docstrings(files.values())
            texts += files.values()
        all_files |= lengths
        all_functions |= functions
    figures |= {f"all: {what}": value for what, value in _figures(all_files, all_functions).items()}
    figures["all: docstrings, Python"] = docstrings(texts)
    total = sum(all_files.values())
    tests = sum(
        lines(path.read_text("utf-8")) for path in (tree / "tests").rglob("*") if path.suffix in {".py", ".mjs"}
    )
    figures["all: lines"] = f"{total:,}"
    figures["all: tests to code"] = f"{tests / total:.2f} ({tests:,} lines)"
    return figures


def _figures(lengths: Mapping[str, int], functions: Mapping[str, int]) -> dict[str, str]:
    long = sum(length > LONG_LINES for length in functions.values())
    return {
        "files": f"{len(lengths)}",
        "lines of a file, median": f"{median(lengths.values()):.0f}",
        "longest file": _longest(lengths),
        "functions": f"{len(functions)}",
        "lines of a function, median": f"{median(functions.values()):.0f}",
        f"functions over {LONG_LINES} lines": f"{long} ({long / len(functions):.1%})",
        "longest function": _longest(functions),
    }


def _longest(lengths: Mapping[str, int]) -> str:
    name = max(lengths, key=lambda key: lengths[key])
    return f"{lengths[name]} {'/'.join(name.split('/')[-2:])}"


def sources(tree: Path, name: str) -> dict[Path, str]:
    """The files of a program that hold code, with their text."""
    suffix = ".js" if name == SCRIPTS else ".py"
    found = {path: path.read_text("utf-8") for path in sorted((tree / name).rglob(f"*{suffix}"))}
    return {path: text for path, text in found.items() if "migrations" not in path.parts and not _is_front(path, text)}


def _is_front(path: Path, text: str) -> bool:
    return path.name == "__init__.py" and all(isinstance(node, ast.Expr) for node in ast.parse(text).body)


def lines(text: str) -> int:
    return sum(1 for line in text.splitlines() if line.strip())


def python_functions(text: str) -> Iterator[tuple[str, int]]:
    for node in ast.walk(ast.parse(text)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield f"{node.name}:{node.lineno}", lines("\n".join(text.splitlines()[node.lineno - 1 : node.end_lineno]))


def script_functions(text: str) -> Iterator[tuple[str, int]]:
    rows = text.splitlines()
    for number, row in enumerate(rows):
        code = row.lstrip()
        indent = row[: len(row) - len(code)]
        if _FUNCTION.match(code) and not code.startswith(("if ", "if(", "for ", "while ", "switch ", "catch ")):
            length = next((end for end, last in enumerate(rows[number:]) if last == f"{indent}}}"), 0)
            yield (
                f"{code.partition('(')[0].split()[-1]}:{number + 1}",
                lines("\n".join(rows[number : number + length + 1])),
            )


def docstrings(texts: Iterable[str]) -> str:
    there = [ast.get_docstring(node) is not None for text in texts for node in _public(ast.parse(text))]
    return f"{sum(there) / len(there):.0%} of {len(there)}"


def _public(node: ast.Module | ast.ClassDef) -> Iterator[Documented]:
    yield node
    for child in node.body:
        if isinstance(child, ast.ClassDef) and not child.name.startswith("_"):
            yield from _public(child)
        elif isinstance(child, ast.FunctionDef | ast.AsyncFunctionDef) and not child.name.startswith("_"):
            yield child


def module_edges(tree: Path, program: str, *, types: bool = False) -> Edges:
    """What each module imports of its own program; with ``types`` also what it imports for types alone."""
    paths = {
        ".".join(path.relative_to(tree).with_suffix("").parts).removesuffix(".__init__"): path
        for path in (tree / program).rglob("*.py")
    }
    edges: Edges = {}
    for module, path in paths.items():
        named = set(_named(ast.parse(path.read_text("utf-8")), types))
        edges[module] = {name for each in named for name in [_known(each, paths)] if name} - {module}
    return edges


def _named(tree: ast.AST, types: bool) -> Iterator[str]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.If) and not types and "TYPE_CHECKING" in ast.unparse(node.test):
            continue
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)
        yield from _named(node, types)


def _known(name: str, paths: Mapping[str, Path]) -> str:
    while name and name not in paths:
        name = name.rpartition(".")[0]
    return name


def room_edges(tree: Path, program: str) -> Edges:
    """What each room of a program imports of its other rooms. ``crypto`` is flat: each of its modules is a room."""
    between = script_edges(tree) if program == SCRIPTS else module_edges(tree, program, types=True)
    room = _script_room if program == SCRIPTS else _python_room
    edges: Edges = {}
    for module, targets in between.items():
        edges.setdefault(room(module), set()).update({room(target) for target in targets} - {room(module)})
    return edges


def _python_room(module: str) -> str:
    return ".".join(module.split(".")[:2])


def _script_room(file: str) -> str:
    return file.partition("/")[0] if "/" in file else "in none"


def script_edges(tree: Path) -> Edges:
    edges: Edges = {}
    for path in (tree / SCRIPTS).rglob("*.js"):
        file = path.relative_to(tree / SCRIPTS).as_posix()
        named = {first or second for first, second in _IMPORTED.findall(path.read_text("utf-8"))}
        edges[file] = {posixpath.normpath(posixpath.join(posixpath.dirname(file), name)) for name in named}
    return edges


def _circle(edges: Edges) -> str:
    """How many reach themselves, and which if they are few."""
    names = sorted(name for name in edges if name in _reached(edges, name))
    short = ", ".join(name.rpartition(".")[2] for name in names)
    return f"{len(names)}" + (f": {short}" if names and len(short) < 40 else "")


def _reached(edges: Edges, start: str) -> set[str]:
    found: set[str] = set()
    waiting = list(edges.get(start, ()))
    while waiting:
        if (name := waiting.pop()) not in found:
            found.add(name)
            waiting.extend(edges.get(name, ()))
    return found


if __name__ == "__main__":
    main()
