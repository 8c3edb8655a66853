"""Making mutants of a Python file: one small change each, at one place of its text."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import NamedTuple

_COMPARISONS: dict[type[ast.cmpop], tuple[str, str]] = {
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
}
_OPERATORS: dict[type[ast.operator], tuple[str, str]] = {
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "+"),
    ast.FloorDiv: ("//", "*"),
    ast.Mod: ("%", "+"),
    ast.LShift: ("<<", ">>"),
    ast.RShift: (">>", "<<"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
}


class Mutant(NamedTuple):
    """One change of a file."""

    line: int
    function: str
    """Qualified name of what it is in."""
    before: str
    """The changed text, with what is around it on its line."""
    after: str
    start: int
    """Byte offsets of what is replaced in the file."""
    end: int
    replacement: bytes

    @property
    def name(self) -> str:
        """What it is known by: stays the same while the code around it moves."""
        return f"{self.function}: {self.before} -> {self.after}"


class _Finder(ast.NodeVisitor):
    def __init__(self, source: bytes) -> None:
        self._source = source
        self._lines = [0]
        for line in source.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))
        self._scope: list[str] = []
        self.changes: list[tuple[int, int, bytes, str]] = []

    def _at(self, line: int, column: int) -> int:
        return self._lines[line - 1] + column

    def _start(self, node: ast.expr | ast.stmt) -> int:
        return self._at(node.lineno, node.col_offset)

    def _end(self, node: ast.expr | ast.stmt) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._at(node.end_lineno, node.end_col_offset)

    def _change(self, start: int, end: int, text: str | bytes) -> None:
        replacement = text.encode() if isinstance(text, str) else text
        self.changes.append((start, end, replacement, ".".join(self._scope) or "<module>"))

    def _swap(self, after: int, before: int, swap: tuple[str, str]) -> None:
        """Replace an operator that stands somewhere between two operands."""
        between = self._source[after:before]
        place = between.find(swap[0].encode())
        if place >= 0:
            self._change(after + place, after + place + len(swap[0]), swap[1])

    def _negate(self, test: ast.expr) -> None:
        start, end = self._start(test), self._end(test)
        self._change(start, end, b"(not (" + self._source[start:end] + b"))")

    def _inside(self, node: ast.FunctionDef | ast.ClassDef) -> None:
        self._scope.append(node.name)
        body = node.body
        if body and isinstance(body[0], ast.Expr) and isinstance(body[0].value, ast.Constant):
            body = body[1:]
        if isinstance(node, ast.FunctionDef):
            for default in (*node.args.defaults, *node.args.kw_defaults):
                if default is not None:
                    self.visit(default)
        for each in body:
            self.visit(each)
        self._scope.pop()

    visit_FunctionDef = visit_ClassDef = _inside  # noqa: N815 names of the visitor's

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Compare(self, node: ast.Compare) -> None:
        left: ast.expr = node.left
        for operator, right in zip(node.ops, node.comparators, strict=True):
            self._swap(self._end(left), self._start(right), _COMPARISONS[type(operator)])
            left = right
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        swap = ("and", "or") if isinstance(node.op, ast.And) else ("or", "and")
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._swap(self._end(left), self._start(right), swap)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        sign = {ast.Not: "not", ast.USub: "-"}.get(type(node.op), "")
        if sign:
            self._change(self._start(node), self._start(node) + len(sign), "")
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        swap = _OPERATORS.get(type(node.op))
        if swap is not None and not isinstance(node.left, ast.JoinedStr):
            self._swap(self._end(node.left), self._start(node.right), swap)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool):
            self._change(self._start(node), self._end(node), str(not value))
        elif isinstance(value, int):
            self._change(self._start(node), self._end(node), str(value + 1))

    def visit_If(self, node: ast.If) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_IfExp(self, node: ast.IfExp) -> None:
        self._negate(node.test)
        self.generic_visit(node)

    def visit_comprehension(self, node: ast.comprehension) -> None:
        for test in node.ifs:
            self._change(self._start(test), self._end(test), "True")
        self.generic_visit(node)

    def visit_Return(self, node: ast.Return) -> None:
        value = node.value
        # None is as false as a False that is returned: who asks for the truth gets it.
        is_same = isinstance(value, ast.Constant) and (value.value is None or value.value is False)
        if value is not None and not is_same:
            self._change(self._start(value), self._end(value), "None")
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if isinstance(node.value, ast.Constant):
            return  # a docstring
        if not isinstance(node.value, ast.Yield | ast.YieldFrom):
            self._change(self._start(node), self._end(node), "pass")
        self.generic_visit(node)

    def visit_Raise(self, node: ast.Raise) -> None:
        self._change(self._start(node), self._end(node), "pass")

    def visit_Continue(self, node: ast.Continue) -> None:
        self._change(self._start(node), self._end(node), "break")

    def visit_Break(self, node: ast.Break) -> None:
        self._change(self._start(node), self._end(node), "continue")

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._change(self._start(node), self._end(node), "pass")
        self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """Leave texts alone: they are words for people, mostly."""


def mutants(source: bytes) -> Iterator[Mutant]:
    """Yield every mutant of a file, in order of place; none that is the file itself."""
    finder = _Finder(source)
    finder.visit(ast.parse(source))
    seen: dict[str, int] = {}
    for start, end, replacement, function in sorted(set(finder.changes)):
        if source[start:end] == replacement:
            continue
        first = source.rfind(b"\n", 0, start) + 1
        last = source.find(b"\n", end)
        before = source[first:last].decode()
        after = (source[first:start] + replacement + source[end:last]).decode()
        mutant = Mutant(
            source.count(b"\n", 0, start) + 1,
            function,
            " ".join(before.split()),
            " ".join(after.split()),
            start,
            end,
            replacement,
        )
        # The same line twice in one function is told apart by number.
        number = seen[mutant.name] = seen.get(mutant.name, 0) + 1
        yield mutant if number == 1 else mutant._replace(function=f"{function}#{number}")
