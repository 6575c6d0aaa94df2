# SPDX-License-Identifier: AGPL-3.0-or-later
"""Holds a tree of sources against the tables of its docs/architecture.md: which rooms there are, who imports whom.

A room of ``portal`` or ``oversight`` is a package or module right inside it, a room of ``static/src`` a folder in it;
the modules of ``crypto`` are grouped by its table. An import counts wherever it stands: in a function, for types alone,
in a script's comment. Only what the tables name is allowed, so that whatever is new is refused until it is named.
"""

import ast
import posixpath
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

PROGRAMS = ("crypto", "portal", "oversight")
SCRIPTS = "static/src"
# What a program's own first file stands in: it holds a docstring, and imports nothing.
FRONT = "__init__"
# An import whose address is not in the source. No table can allow it.
BY_ADDRESS = "by address"
_TITLE = re.compile(r"^### The rooms of `([^`]+)`$", re.M)
_NAME = re.compile(r"`([^`]+)`")
_FROM = re.compile(r"""\b(?:from|import)\s*\(?\s*["'`]([^"'`\s]+)["'`]""")

Edges = Mapping[str, frozenset[str]]
# A file, the room or module of crypto that it stands in, and those that it imports, itself among them.
Imports = tuple[str, str, frozenset[str]]


@dataclass(frozen=True)
class Row:
    """A room as its table has it; ``modules`` only where the table names them."""

    modules: frozenset[str]
    purpose: str
    imports: frozenset[str]


Table = dict[str, Row]


def read_tables(root: Path) -> dict[str, Table]:
    """The tables of rooms by what they are of. A table without columns of these names is a KeyError."""
    pieces = _TITLE.split((root / "docs/architecture.md").read_text(encoding="utf-8"))[1:]
    return {name: _read_table(text) for name, text in zip(pieces[::2], pieces[1::2], strict=True)}


def _read_table(text: str) -> Table:
    lines = [line.strip("|").split("|") for line in text.partition("\n#")[0].splitlines() if line.startswith("|")]
    columns = [cell.strip() for cell in lines[0]]
    table: Table = {}
    for cells in lines[2:]:
        row = dict(zip(columns, (cell.strip() for cell in cells), strict=True))
        [name] = _NAME.findall(row["room"])
        assert name not in table, f"two rows for {name}"
        table[name] = Row(_names(row.get("modules", "")), row["for"], _names(row["may import"]))
    return table


def _names(cell: str) -> frozenset[str]:
    return frozenset(_NAME.findall(cell))


def problems(root: Path) -> list[str]:
    """What in this tree is not as its tables say, one line for each, sorted."""
    tables = read_tables(root)
    found = [f"no table of {name}" for name in (*PROGRAMS, SCRIPTS) if name not in tables]
    for name, table in tables.items():
        home = {module: room for room, row in table.items() for module in row.modules}
        files = _script_imports(root) if name == SCRIPTS else _imports(root, name)
        placed = [
            (file, home.get(module, module), frozenset(home.get(target, target) for target in targets))
            for file, module, targets in files
        ]
        edges: dict[str, frozenset[str]] = {}
        for file, room, rooms in placed:
            found += _breaches(file, room, rooms, table)
            edges[room] = edges.get(room, frozenset()) | rooms - {room}
        found += _unused(name, table, edges, {module for _, module, _ in files})
        found += [f"{name}: a circle of {' → '.join(circle)}" for circle in circles(edges)]
    return sorted(set(found))


def _breaches(file: str, room: str, rooms: frozenset[str], table: Table) -> Iterator[str]:
    if room not in table and room != FRONT:
        yield f"{file}: in no room"
    allowed = table[room].imports if room in table else frozenset()
    yield from (f"{file}: imports {target}" for target in rooms - allowed - {room})


def _unused(name: str, table: Table, edges: Edges, there: set[str]) -> Iterator[str]:
    """What a table names and nothing is."""
    for room, row in table.items():
        if not row.purpose:
            yield f"{name}: {room} is for nothing"
        yield from (f"{name}: there is no {module}" for module in (row.modules or {room}) - there)
        yield from (f"{name}: {room} need not import {target}" for target in row.imports - edges.get(room, frozenset()))
    named = [module for row in table.values() for module in row.modules]
    yield from (f"{name}: {module} is in two rooms" for module in set(named) if named.count(module) > 1)


def circles(edges: Edges) -> list[list[str]]:
    """The rooms that import themselves by way of others, each way back once, from its first room by name."""

    def way(start: str, room: str, past: list[str], seen: set[str]) -> list[str] | None:
        for target in sorted(edges.get(room, ())):
            if target == start:
                return past
            if target not in seen:
                seen.add(target)
                if found := way(start, target, [*past, target], seen):
                    return found
        return None

    found = (way(room, room, [room], {room}) for room in sorted(edges))
    return [circle for circle in found if circle and circle[0] == min(circle)]


def _imports(root: Path, program: str) -> list[Imports]:
    known = {module for name in PROGRAMS for module in _modules(root, name)}
    found = []
    for module, path in _modules(root, program).items():
        parts = module.split(".")
        package = parts if path.name == "__init__.py" else parts[:-1]
        names = {_resolve(name, known) for name in _named(ast.parse(path.read_text(encoding="utf-8")), package)}
        ours = frozenset(_seen_from(program, name) for name in names if name.split(".")[0] in {*PROGRAMS, BY_ADDRESS})
        found.append((path.relative_to(root).as_posix(), _room(module), ours))
    return found


def _modules(root: Path, program: str) -> dict[str, Path]:
    paths = sorted((root / program).rglob("*.py"))
    return {".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__"): path for path in paths}


def _room(module: str) -> str:
    return (*module.split("."), FRONT)[1]


def _seen_from(program: str, module: str) -> str:
    """How a table names what is imported: a room of its own program, a room of another one, and crypto as a whole."""
    first, *rest = module.split(".")
    if first == program:
        return _room(module)
    return first if first == "crypto" else ".".join([first, *rest[:1]])


def _resolve(name: str, known: set[str]) -> str:
    """The module of ``module.name``; what is no module is a name in the one that it stands behind."""
    while name not in known and "." in name:
        name = name.rpartition(".")[0]
    return name


def _named(tree: ast.Module, package: list[str]) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            above = package[: len(package) - node.level + 1] if node.level else []
            base = ".".join([*above, *([node.module] if node.module else [])])
            yield from (f"{base}.{alias.name}" for alias in node.names)
        elif isinstance(node, ast.Call) and ast.unparse(node.func).endswith(("import_module", "__import__")):
            given = node.args[0] if node.args else None
            yield str(given.value) if isinstance(given, ast.Constant) else BY_ADDRESS


def _script_imports(root: Path) -> list[Imports]:
    """Packages are left aside: tests/static/rooms.test.mjs holds them."""
    found = []
    for path in sorted((root / SCRIPTS).rglob("*.*")):
        file = path.relative_to(root / SCRIPTS).as_posix()
        named = [name for name in _FROM.findall(path.read_text(encoding="utf-8")) if name.startswith(".")]
        targets = (posixpath.normpath(posixpath.join(posixpath.dirname(file), name)) for name in named)
        rooms = frozenset(target.split("/")[0] for target in targets)
        found.append((f"{SCRIPTS}/{file}", file.split("/")[0], rooms))
    return found


if __name__ == "__main__":
    print(*problems(Path.cwd()), sep="\n")
