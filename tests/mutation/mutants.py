# SPDX-License-Identifier: AGPL-3.0-or-later
"""The mutants of a Python file: each is the file with one small fault, such as a programmer could make.

Not mutated: docstrings, annotations, decorators, imports, ``__all__``, and what an error says (its class is).
"""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

COMPARISONS: dict[type[ast.cmpop], str] = {
    ast.Lt: "<=", ast.LtE: "<", ast.Gt: ">=", ast.GtE: ">", ast.Eq: "!=", ast.NotEq: "==",
    ast.In: "not in", ast.NotIn: "in", ast.Is: "is not", ast.IsNot: "is",
}  # fmt: skip
OPERATORS: dict[type[ast.operator], str] = {
    ast.Add: "-", ast.Sub: "+", ast.Mult: "//", ast.FloorDiv: "*", ast.Mod: "*", ast.Pow: "*", ast.Div: "*",
    ast.BitAnd: "|", ast.BitOr: "&", ast.BitXor: "|", ast.LShift: ">>", ast.RShift: "<<",
}  # fmt: skip
NAMES = {
    "min": "max", "max": "min", "all": "any", "any": "all", "startswith": "endswith", "endswith": "startswith",
    "removeprefix": "removesuffix", "removesuffix": "removeprefix", "rpartition": "partition", "upper": "lower",
    "lower": "upper",
}  # fmt: skip
CONTEXT_CHARS = 40


@dataclass(frozen=True)
class Mutant:
    """One fault. ``lines`` are those of the statement it is in; ``function`` is dotted, empty outside of functions.

    ``in_body`` says that the fault is inside of a function, so that the rest of the module stays as it is. ``names``
    are the names that a statement of the module defines, when the fault is there.
    """

    path: str
    function: str
    change: str
    lines: range
    source: str
    in_body: bool
    names: tuple[str, ...]

    @property
    def key(self) -> str:
        return f"{self.path} {self.function or '(module)'}: {self.change}"


@dataclass(frozen=True)
class _Edit:
    node: ast.AST
    start: int
    end: int
    text: str


def find_mutants(path: str, source: str) -> list[Mutant]:
    """All mutants of a file, in the order of its lines. Two of one key are told apart by a number."""
    tree = ast.parse(source)
    places = _Places(source, tree)
    found: dict[str, Mutant] = {}
    edits = [edit for node in _mutable(tree) for edit in _edits(node, places)]
    for edit in sorted(edits, key=lambda edit: (edit.start, edit.end)):
        mutated = places.data[: edit.start] + edit.text.encode() + places.data[edit.end :]
        if mutated == places.data:
            continue
        first = mutant = places.mutant(path, edit, mutated.decode())
        number = 1
        while mutant.key in found:
            number += 1
            mutant = Mutant(**{**vars(first), "change": f"{first.change} ({number})"})
        found[mutant.key] = mutant
    return list(found.values())


class _Places:
    """Where nodes stand in the source, and what they stand in."""

    def __init__(self, source: str, tree: ast.Module) -> None:
        self.data = source.encode()
        self._starts = [0]
        for line in self.data.splitlines(keepends=True):
            self._starts.append(self._starts[-1] + len(line))
        self.parents = {child: node for node in ast.walk(tree) for child in ast.iter_child_nodes(node)}

    def span(self, node: ast.AST) -> tuple[int, int]:
        start = self._starts[node.lineno - 1] + node.col_offset  # type: ignore[attr-defined]
        return start, self._starts[node.end_lineno - 1] + node.end_col_offset  # type: ignore[attr-defined]

    def text(self, node: ast.AST) -> str:
        start, end = self.span(node)
        return self.data[start:end].decode()

    def replace(self, node: ast.AST, text: str) -> _Edit:
        return _Edit(node, *self.span(node), text)

    def between(self, node: ast.AST, left: ast.AST, right: ast.AST, text: str) -> _Edit:
        """Another operator between the two sides of a node."""
        start, end = self.span(left)[1], self.span(right)[0]
        gap = self.data[start:end].decode()
        return _Edit(node, start, end, re.sub(r"(not\s+in|is\s+not|[^\s()]+)", text, gap, count=1))

    def above(self, node: ast.AST) -> Iterator[ast.AST]:
        while node in self.parents:
            node = self.parents[node]
            yield node

    def mutant(self, path: str, edit: _Edit, mutated: str) -> Mutant:
        chain = [edit.node, *self.above(edit.node)]
        scopes = [node for node in chain if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef)]
        functions = [node for node in scopes if not isinstance(node, ast.ClassDef)]
        in_body = bool(functions) and any(statement in chain for statement in functions[-1].body)
        statement = next(node for node in chain if isinstance(node, ast.stmt))
        targets = [node.id for node in ast.walk(statement) if isinstance(node, ast.Name) and _is_stored(node)]
        return Mutant(
            path=path,
            function=".".join(node.name for node in reversed(scopes)),
            change=self._change(edit, chain),
            lines=_header(statement),
            source=mutated,
            in_body=in_body,
            names=tuple(targets) if not scopes else (),
        )

    def _change(self, edit: _Edit, chain: list[ast.AST]) -> str:
        """The change with a little of what is around it, to be told from others and to be found again."""
        shown = chain[0]
        for node in chain:
            if isinstance(node, ast.mod | ast.ExceptHandler) or (isinstance(node, ast.stmt) and hasattr(node, "body")):
                break
            if not hasattr(node, "lineno"):
                continue
            start, end = self.span(node)
            if start <= edit.start and edit.end <= end:
                shown = node
                if end - start >= CONTEXT_CHARS or isinstance(node, ast.stmt):
                    break
        start, end = self.span(shown)
        changed = self.data[start : edit.start] + edit.text.encode() + self.data[edit.end : end]
        before, after = (" ".join(part.decode().split()) for part in (self.data[start:end], changed))
        return f"{before} → {after}"


def _is_stored(node: ast.Name) -> bool:
    return isinstance(node.ctx, ast.Store)


def _header(statement: ast.stmt) -> range:
    """The lines of a statement; of one that holds others, those before the first of them."""
    body = getattr(statement, "body", None)
    last = max(statement.lineno, body[0].lineno - 1) if body else statement.end_lineno or statement.lineno
    return range(statement.lineno, last + 1)


def _mutable(node: ast.AST) -> Iterator[ast.AST]:
    """The nodes in which a fault may be put."""
    yield node
    left_out: set[ast.AST] = set(getattr(node, "decorator_list", ()))
    match node:
        case ast.Raise():
            yield from _codes(node)
            return
        case ast.Import() | ast.ImportFrom() | ast.JoinedStr() | ast.Subscript(value=ast.Name(id="Literal")):
            return
        case ast.Assign(targets=[ast.Name(id="__all__" | "T" | "P")]):
            return
        case ast.Expr(value=ast.Constant()):
            return
        case ast.FunctionDef() | ast.AsyncFunctionDef():
            left_out |= {node.returns} if node.returns else set()
        case ast.arg():
            return
        case ast.AnnAssign():
            left_out.add(node.annotation)
        case ast.Call(func=ast.Name(id="cast" | "TypeVar" | "super")):
            return
        case ast.Call(func=ast.Attribute(attr="encode" | "decode")):
            left_out |= {argument for argument in node.args if isinstance(argument, ast.Constant)}
    for child in ast.iter_child_nodes(node):
        if child not in left_out:
            yield from _mutable(child)


def _codes(node: ast.Raise) -> Iterator[ast.AST]:
    """What an error holds apart from its message: a code, as in ``ShareError("mixed", "of another set", 2)``."""
    if isinstance(node.exc, ast.Call) and len(node.exc.args) > 1:
        constants = [argument for argument in node.exc.args if isinstance(argument, ast.Constant)]
        yield from (
            part for part in constants if isinstance(part.value, str) and re.fullmatch("[a-z0-9-]+", part.value)
        )


def _edits(node: ast.AST, places: _Places) -> Iterator[_Edit]:
    """The faults at one node."""
    yield from _operator_edits(node, places)
    yield from _value_edits(node, places)
    yield from _statement_edits(node, places)
    if isinstance(node, ast.Call):
        yield from _call_edits(node, places)


def _operator_edits(node: ast.AST, places: _Places) -> Iterator[_Edit]:
    match node:
        case ast.Compare():
            for (left, right), operator in zip(pairwise([node.left, *node.comparators]), node.ops, strict=True):
                yield places.between(node, left, right, COMPARISONS[type(operator)])
        case ast.BoolOp():
            word = " and " if isinstance(node.op, ast.And) else " or "
            for value in node.values:
                rest = [f"({places.text(other)})" for other in node.values if other is not value]
                yield places.replace(node, f"({word.join(rest)})")
        case ast.BinOp(op=ast.Add()) if not _is_sum(node):
            yield places.replace(node, f"({places.text(node.left)})")
            if not (isinstance(node.left, ast.BinOp) and isinstance(node.left.op, ast.Add)):
                yield places.replace(node, f"({places.text(node.right)})")
        case ast.BinOp() if not _is_union(node):
            yield places.between(node, node.left, node.right, OPERATORS[type(node.op)])
        case ast.AugAssign():
            yield places.between(node, node.target, node.value, f"{OPERATORS[type(node.op)]}=")
        case ast.UnaryOp(op=ast.Not() | ast.USub() | ast.Invert()):
            yield places.replace(node, f"({places.text(node.operand)})")


def _value_edits(node: ast.AST, places: _Places) -> Iterator[_Edit]:
    match node:
        case ast.IfExp():
            yield places.replace(node, f"({places.text(node.body)})")
            yield places.replace(node, f"({places.text(node.orelse)})")
        case ast.Constant():
            yield from (places.replace(node, text) for text in _other_constants(node.value))
        case ast.Slice():
            bounds = [bound for bound in (node.lower, node.upper) if bound is not None]
            yield from (_Edit(node, *places.span(bound), "") for bound in bounds)
        case ast.Attribute(attr=name) if name in NAMES:
            end = places.span(node)[1]
            yield _Edit(node, end - len(name.encode()), end, NAMES[name])
        case ast.MatchOr(patterns=patterns):
            for one in patterns:
                yield places.replace(node, " | ".join(places.text(other) for other in patterns if other is not one))
        case ast.comprehension():
            yield from (places.replace(condition, "True") for condition in node.ifs)


def _statement_edits(node: ast.AST, places: _Places) -> Iterator[_Edit]:
    match node:
        case ast.If() | ast.While() if isinstance(node.test, ast.Call | ast.Name | ast.Attribute):
            yield _Edit(node, *places.span(node.test), f"not ({places.text(node.test)})")
        case ast.Return(value=ast.expr() as value) if places.text(value) != "None":
            yield places.replace(node, "return None")
        case ast.Raise() | ast.Expr(value=ast.Call() | ast.YieldFrom()):
            yield places.replace(node, "pass")
        case ast.Continue():
            yield places.replace(node, "break")
        case ast.Break():
            yield places.replace(node, "continue")
        case ast.ExceptHandler(type=ast.Tuple(elts=classes) as caught):
            for one in classes:
                rest = ", ".join(places.text(other) for other in classes if other is not one)
                yield _Edit(classes[0], *places.span(caught), f"({rest},)")


def _call_edits(node: ast.Call, places: _Places) -> Iterator[_Edit]:
    if isinstance(node.func, ast.Name) and node.func.id in NAMES:
        yield _Edit(node, *places.span(node.func), NAMES[node.func.id])
    plain = [argument for argument in node.args if not isinstance(argument, ast.Starred | ast.GeneratorExp)]
    for left, right in pairwise(plain):
        texts = places.text(left), places.text(right)
        start, end = places.span(left)[0], places.span(right)[1]
        gap = places.data[places.span(left)[1] : places.span(right)[0]].decode()
        if texts[0] != texts[1] and "isinstance" not in places.text(node.func):
            yield _Edit(node, start, end, texts[1] + gap + texts[0])
    arguments = [*node.args, *(keyword for keyword in node.keywords if keyword.arg)]
    for place, argument in enumerate(arguments):
        # An argument that may be left out: a keyword, or the last of several by place.
        if place and (isinstance(argument, ast.keyword) or (argument is node.args[-1] and not node.keywords)):
            yield _Edit(node, places.span(arguments[place - 1])[1], places.span(argument)[1], "")


def _other_constants(value: object) -> Iterator[str]:
    match value:
        case bool():
            yield str(not value)
        case int():
            yield str(value + 1)
            if value:
                yield str(value - 1)
        case str():
            yield repr(value + "x") if value else "'x'"
            for quantifier in re.finditer(r"\{(\d+)(,?)(\d*)\}", value):
                low, comma, high = quantifier.groups()
                for text in {f"{{{int(low) + 1}{comma}{high}}}", f"{{{low},{int(high or low) + 1}}}"}:
                    yield repr(value[: quantifier.start()] + text + value[quantifier.end() :])
        case bytes():
            yield repr(value + b"x")


def _is_sum(node: ast.BinOp) -> bool:
    """Whether numbers are added, rather than texts, bytes or lists joined."""
    for part in (node.left, node.right):
        match part:
            case ast.Constant(value=int()) | ast.Call(func=ast.Name(id="len")) | ast.Attribute(attr="size"):
                return True
            case ast.Name(id=name) if name.endswith(("SIZE", "BYTES", "_MAX")):
                return True
    return False


def _is_union(node: ast.BinOp) -> bool:
    """Whether it is a union of types, as ``str | None``."""
    if not isinstance(node.op, ast.BitOr):
        return False
    for part in (node.left, node.right):
        match part:
            case ast.Constant(value=None):
                return True
            case ast.Name(id=name) if name[0].isupper() or name in ("str", "bytes", "int", "bool"):
                return True
    return False
