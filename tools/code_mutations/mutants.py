"""The mutants of a module: each place where one comparison, `not`, constant or statement can be changed.

Left out is what says nothing at run time or is checked by mypy: docstrings, annotations, decorators, keywords of a
class, Literal types, names of type variables, `__slots__`, and `assert_never`.
"""

from __future__ import annotations

import ast
import copy
import hashlib
from collections.abc import Callable, Iterator
from functools import cached_property
from typing import Any

import msgspec

KINDS = ("comparison", "not", "constant", "statement")
MARK = "~"
NEGATED: dict[type[ast.cmpop], tuple[type[ast.cmpop], ...]] = {
    ast.Eq: (ast.NotEq,), ast.NotEq: (ast.Eq,), ast.Is: (ast.IsNot,), ast.IsNot: (ast.Is,),
    ast.In: (ast.NotIn,), ast.NotIn: (ast.In,),
    ast.Lt: (ast.GtE, ast.LtE), ast.GtE: (ast.Lt, ast.Gt), ast.Gt: (ast.LtE, ast.GtE), ast.LtE: (ast.Gt, ast.Lt),
}  # fmt: skip
REMOVED = (ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Raise, ast.Continue, ast.Break)


class Mutant(msgspec.Struct, frozen=True):
    """One change of one module's text, between two offsets; the lines of its statement, and the function it is in."""

    path: str
    package: str
    kind: str
    line: int
    first: int
    last: int
    start: int
    end: int
    before: str
    after: str
    function: str
    digest: str

    @property
    def place(self) -> str:
        """Where it is, as file:line."""
        return f"{self.path.removeprefix('plugins/infraspec/')}:{self.line}"

    @property
    def key(self) -> tuple[str, str, str]:
        """What it is wherever the function stands: by which it is argued to be equivalent."""
        return self.function, self.digest, " ".join(f"{self.before} -> {self.after}".split())

    def applied(self, source: str) -> str:
        """Make the change in the module's text."""
        return source[: self.start] + self.after + source[self.end :]


def mutants_of(path: str, source: str, package: str) -> Iterator[Mutant]:
    """Yield all mutants of a module."""
    yield from _Finder(path, source, package).found()


class _Finder(ast.NodeVisitor):
    """Walk a module, and note each change with the text that it replaces."""

    def __init__(self, path: str, source: str, package: str) -> None:
        self._path, self._source, self._package = path, source, package
        self._mutants: list[Mutant] = []
        self._names: list[str] = []
        self._function: ast.AST | None = None
        self._digest, self._qualname = "", "<module>"
        self._shown: ast.AST | None = None
        self._lines = (1, 1)

    def found(self) -> list[Mutant]:
        self.visit(ast.parse(self._source))
        return self._mutants

    @cached_property
    def _offsets(self) -> list[int]:
        offsets = [0]
        for line in self._source.splitlines(keepends=True):
            offsets.append(offsets[-1] + len(line))
        return offsets

    def _offset(self, line: int, column: int) -> int:
        text = self._source[self._offsets[line - 1] : self._offsets[line]]
        return self._offsets[line - 1] + len(text.encode()[:column].decode())

    def _note(self, kind: str, node: Any, after: Callable[[], str]) -> None:
        whole: Any = self._shown or node
        start = self._offset(whole.lineno, whole.col_offset)
        end = self._offset(whole.end_lineno, whole.end_col_offset)
        change = (start, end, self._source[start:end], after())
        place = (self._path, self._package, kind, node.lineno, *self._lines)
        self._mutants.append(Mutant(*place, *change, self._qualname, self._digest))

    def _replaced(self, kind: str, node: Any, field: str, value: Any) -> None:
        """Note the change of a field, which is undone; an f-string is written anew as a whole."""
        old = getattr(node, field)

        def change() -> str:
            setattr(node, field, value)
            whole = self._shown or node
            text = ast.unparse(whole)
            setattr(node, field, old)
            return f"({text})" if isinstance(whole, ast.Compare) else text

        self._note(kind, node, change)

    def _inside(self, node: ast.FunctionDef | ast.ClassDef) -> None:
        outer = (self._function, self._digest, self._qualname)
        self._names.append(node.name)
        if isinstance(node, ast.FunctionDef) and self._function is None:
            self._function, self._qualname = node, ".".join(self._names)
            bare = copy.deepcopy(node)
            if ast.get_docstring(bare):
                del bare.body[0]
            self._digest = hashlib.sha256(ast.dump(bare).encode()).hexdigest()[:12]
        for part in node.body:
            self.visit(part)
        self._names.pop()
        self._function, self._digest, self._qualname = outer

    def visit(self, node: ast.AST) -> None:
        if isinstance(node, ast.stmt):
            body = getattr(node, "body", None)
            self._lines = node.lineno, max(node.lineno, body[0].lineno - 1) if body else node.end_lineno or node.lineno
        if self._function is not None and isinstance(node, REMOVED) and not _declares(node):
            self._note("statement", node, lambda: "pass")
        super().visit(node)

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        for default in [*node.args.defaults, *node.args.kw_defaults]:
            if default is not None:
                self.visit(default)
        self._inside(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._inside(node)

    def visit_If(self, node: ast.If) -> None:
        if not (isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"):
            self.generic_visit(node)

    def visit_match_case(self, node: ast.match_case) -> None:
        self._lines = node.pattern.lineno, (node.guard or node.pattern).end_lineno or node.pattern.lineno
        self.generic_visit(node)

    def visit_Expr(self, node: ast.Expr) -> None:
        if not _declares(node):
            self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        named = {target.id for target in node.targets if isinstance(target, ast.Name)}
        if not named & {"__slots__", "__all__"}:
            self.generic_visit(node)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None and not (isinstance(node.annotation, ast.Name) and node.annotation.id == "TypeAlias"):
            self.visit(node.value)

    def visit_Call(self, node: ast.Call) -> None:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in {"TypeVar", "assert_never"}:
            return
        self.visit(node.func)
        for given in node.args[1:] if name == "cast" else node.args:
            self.visit(given)
        for keyword in node.keywords:
            self.visit(keyword.value)

    def visit_Subscript(self, node: ast.Subscript) -> None:
        if not (isinstance(node.value, ast.Name) and node.value.id == "Literal"):
            self.generic_visit(node)

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        outer, self._shown = self._shown, self._shown or node
        self.generic_visit(node)
        self._shown = outer

    def visit_Compare(self, node: ast.Compare) -> None:
        for index, operator in enumerate(node.ops):
            for other in NEGATED[type(operator)]:
                ops = [*node.ops[:index], other(), *node.ops[index + 1 :]]
                self._replaced("comparison", node, "ops", ops)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.Not) and self._shown is None:
            self._note("not", node, lambda: f"({ast.unparse(node.operand)})")
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        value = node.value
        if isinstance(value, bool):
            self._replaced("constant", node, "value", not value)
        elif isinstance(value, (int, float)):
            self._replaced("constant", node, "value", value + 1)
        elif isinstance(value, str):
            self._replaced("constant", node, "value", value + MARK)
        elif isinstance(value, bytes):
            self._replaced("constant", node, "value", value + MARK.encode())


def _declares(node: ast.AST) -> bool:
    """Tell whether a statement does nothing at run time: a docstring, a bare annotation, `...`, assert_never."""
    match node:
        case ast.Expr(value=ast.Constant()):
            return True
        case ast.Expr(value=ast.Call(func=ast.Name(id="assert_never"))):
            return True
        case ast.AnnAssign(value=None):
            return True
    return False
