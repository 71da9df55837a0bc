"""GitHub's expression language: `${{ … }}` and `if`, evaluated with what is known of a run.

Source: GitHub Docs, "Evaluate expressions in workflows and actions" and "Contexts reference".
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, TypeAlias

from msgspec import Struct

from infraspec.core.errors import InfraspecError
from infraspec.process.worlds import World

HOLE = "\ue000"
"""What stands in a text for a part that is not known."""


class ExpressionError(InfraspecError):
    """The text is no expression that GitHub takes."""


class Unsettled(Struct, frozen=True):
    """A value that the files do not tell. A free one is another for every run, such as the labels of a pull request."""

    name: str
    free: bool = False
    like: str = "(?s:.*)"


class Operation(Struct, frozen=True):
    """A function or an operator with its operands."""

    name: str
    operands: tuple[Node, ...]
    text: str


class Constant(Struct, frozen=True):
    """A constant."""

    value: Any


class Path(Struct, frozen=True):
    """A context and what is looked up in it: names, indexes, `*`."""

    base: Node | str
    steps: tuple[Node | str, ...]
    text: str


Node: TypeAlias = Constant | Operation | Path

_TOKEN = re.compile(
    r"\s*(?:(?P<number>[-+]?0x[0-9a-fA-F]+|[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)"
    r"|(?P<string>'(?:[^']|'')*')|(?P<name>[A-Za-z_][\w-]*)|(?P<operator>&&|\|\||[!=<>]=|[!<>()\[\].,*]))"
)
_INSIDE = r"(?:'[^']*'|[^'}]|\}(?!\}))*"
_WORDS = {"true": True, "false": False, "null": None}
_LEVELS = (("||",), ("&&",), ("==", "!="), ("<", "<=", ">", ">="))
_OPERATORS = frozenset(["!", *(operator for level in _LEVELS for operator in level)])
_COMPARISONS: Mapping[str, Callable[[float, float], bool]] = {
    "<": float.__lt__,
    "<=": float.__le__,
    ">": float.__gt__,
    ">=": float.__ge__,
}
STATUS_FUNCTIONS = frozenset({"always", "success", "failure", "cancelled"})


class _Parser:
    """Recursive descent: or > and > equality > comparison > not > value with its accesses."""

    def __init__(self, text: str) -> None:
        self.text, self.at = text, 0

    def whole(self) -> Node:
        node = self.level(0)
        if self.text[self.at :].strip():
            raise self.error()
        return node

    def error(self) -> ExpressionError:
        return ExpressionError("no expression", expected="an expression of GitHub Actions", found=self.text)

    def peek(self) -> str:
        found = _TOKEN.match(self.text, self.at)
        return found[0].strip() if found else ""

    def take(self) -> tuple[str, str]:
        found = _TOKEN.match(self.text, self.at)
        if found is None:
            raise self.error()
        self.at = found.end()
        return str(found.lastgroup), found[0].strip()

    def expect(self, token: str) -> None:
        if self.take()[1] != token:
            raise self.error()

    def level(self, number: int) -> Node:
        if number == len(_LEVELS):
            return self.negation()
        begin = self.at
        node = self.level(number + 1)
        while self.peek() in _LEVELS[number]:
            operator = self.take()[1]
            right = self.level(number + 1)
            node = Operation(operator, (node, right), self.text[begin : self.at].strip())
        return node

    def negation(self) -> Node:
        begin = self.at
        if self.peek() == "!":
            self.take()
            inner = self.negation()
            return Operation("!", (inner,), self.text[begin : self.at].strip())
        return self.accesses(begin)

    def accesses(self, begin: int) -> Node:
        base = self.value()
        steps: list[Node | str] = []
        while self.peek() in {".", "["}:
            if self.take()[1] == ".":
                steps.append(self.take()[1].lower())
            elif self.peek() == "*":
                steps.append(self.take()[1])
                self.expect("]")
            else:
                steps.append(self.level(0))
                self.expect("]")
        if isinstance(base, str) or steps:
            return Path(base, tuple(steps), self.text[begin : self.at].strip())
        return base

    def value(self) -> Node | str:
        begin = self.at
        kind, text = self.take()
        if kind == "number":
            return Constant(float(int(text, 16)) if "0x" in text.lower() else float(text))
        if kind == "string":
            return Constant(text[1:-1].replace("''", "'"))
        if text == "(":
            inner = self.level(0)
            self.expect(")")
            return inner
        if kind != "name":
            raise self.error()
        if self.peek() != "(":
            return Constant(_WORDS[text]) if text in _WORDS else text.lower()
        return Operation(text.lower(), self.arguments(), self.text[begin : self.at].strip())

    def arguments(self) -> tuple[Node, ...]:
        self.take()
        found: list[Node] = []
        while self.peek() != ")":
            found.append(self.level(0))
            if self.peek() == ",":
                self.take()
        self.take()
        return tuple(found)


@cache
def parse(text: str) -> Node:
    """Return the syntax tree of an expression; ExpressionError if it is none."""
    return _Parser(text).whole()


def calls_of(node: Node | str) -> frozenset[str]:
    """Return the names of the functions that an expression calls."""
    if isinstance(node, Operation):
        return frozenset({node.name}).union(*map(calls_of, node.operands))
    return frozenset().union(*map(calls_of, (node.base, *node.steps))) if isinstance(node, Path) else frozenset()


class Evaluator:
    """Evaluates expressions in the contexts of one job or step; what is not known is decided by its world."""

    def __init__(self, contexts: Mapping[str, Any], world: World, status: Mapping[str, bool] | None = None) -> None:
        self.contexts, self.world, self.status = contexts, world, status or {}

    def condition(self, text: Any) -> bool:
        """Tell whether a step or a job with such an `if` runs; without a status function `success()` is asked too."""
        if text is None:
            return self.status["success"]
        node = parse(_bare(str(text).lower() if isinstance(text, bool) else str(text)))
        if not (calls_of(node) & STATUS_FUNCTIONS) and not self.status["success"]:
            return False
        return self.truth(self.value(node))

    def text(self, text: str) -> str:
        """Return a text with the values of its `${{ … }}`; HOLE stands for what is not known."""

        def filled(found: re.Match[str]) -> str:
            value = self.value(parse(found[1]))
            return HOLE if isinstance(value, Unsettled) else as_text(value)

        return re.sub(rf"\$\{{\{{({_INSIDE})\}}\}}", filled, text)

    def resolved(self, value: Any) -> Any:
        """Return a value of a workflow file, such as that of a matrix, with its expressions evaluated."""
        if isinstance(value, str):
            whole = re.fullmatch(rf"\s*\$\{{\{{({_INSIDE})\}}\}}\s*", value)
            return self.value(parse(whole[1])) if whole else self.text(value)
        if isinstance(value, Mapping):
            return {str(key): self.resolved(item) for key, item in value.items()}
        return [self.resolved(item) for item in value] if isinstance(value, list) else value

    def truth(self, value: Any) -> bool:
        """Return whether a value counts as true; the world says it of one that is not known."""
        if isinstance(value, Unsettled):
            return bool(self.world.choose(f"{value.name} holds", doubt=_doubt(value)))
        return value not in (None, False, "", 0) and value == value  # noqa: PLR0124 - NaN is false

    def value(self, node: Node | str) -> Any:
        """Evaluate an expression."""
        if isinstance(node, Constant):
            return node.value
        if isinstance(node, str):
            return self.contexts.get(node, Unsettled(node))
        if isinstance(node, Path):
            return self._path(node)
        if node.name in _OPERATORS:
            return self._operated(node)
        if node.name in self.status or node.name == "always":
            return node.name == "always" or self.status[node.name]
        operands = [self.value(operand) for operand in node.operands]
        if node.name in _FUNCTIONS:
            return _FUNCTIONS[node.name](self, node, operands)
        return Unsettled(node.text, free=any(isinstance(one, Unsettled) and one.free for one in operands))

    def _operated(self, node: Operation) -> Any:
        left = self.value(node.operands[0])
        if node.name == "!":
            return not self.truth(left)
        if node.name in {"&&", "||"}:
            return left if self.truth(left) == (node.name == "||") else self.value(node.operands[1])
        right = self.value(node.operands[1])
        if node.name in {"==", "!="}:
            return self.equal(left, right) == (node.name == "==")
        if holes := holes_in([left, right]):
            return Unsettled(node.text, any(one.free for one in holes))
        return _COMPARISONS[node.name](_number(left), _number(right))

    def equal(self, left: Any, right: Any) -> bool:
        """Compare as GitHub does: texts without regard to case, other types as numbers."""
        if isinstance(right, Unsettled) and not isinstance(left, Unsettled):
            left, right = right, left
        if not isinstance(left, Unsettled):
            return _equal(left, right)
        if isinstance(right, Unsettled):
            doubt = "" if left.free and right.free else _doubt(left if right.free else right)
            same = left.name == right.name
            return same or bool(self.world.choose(f"{left.name} == {right.name}", doubt=doubt))
        if left.name in self.world.values:
            return _equal(self.world.values[left.name], right)
        if isinstance(right, str) and not re.fullmatch(left.like, right, re.IGNORECASE):
            return False
        same = bool(self.world.choose(f"{left.name} == {right!r}", doubt=_doubt(left)))
        if same:
            self.world.values[left.name] = right
        return same

    def _path(self, node: Path) -> Any:
        value = self.value(node.base)
        steps = list(node.steps)
        while steps:
            step = steps.pop(0)
            if step == "*":
                return self._each(value, steps, node)
            key = step if isinstance(step, str) else self.value(step)
            value = _member(value, key, node.text)
        return value

    def _each(self, value: Any, steps: list[Node | str], node: Path) -> Any:
        if isinstance(value, Unsettled):
            return Unsettled(node.text, value.free)
        items = list(value.values()) if isinstance(value, Mapping) else value if isinstance(value, list) else []
        for step in steps:
            key = step if isinstance(step, str) else self.value(step)
            items = [_member(item, key, node.text) for item in items]
        return items


def _doubt(value: Unsettled) -> str:
    return "" if value.free else value.name


def _bare(text: str) -> str:
    found = re.fullmatch(r"\s*\$\{\{(.*)\}\}\s*", text, re.DOTALL)
    if found and "${{" not in found[1]:
        return found[1].strip()
    if "${{" in text:  # GitHub makes a text of it, which is always true
        raise ExpressionError("an `if` with a text around its expression is always true", found=text)
    return text.strip()


def _member(value: Any, key: Any, text: str) -> Any:
    if isinstance(value, Unsettled):
        return Unsettled(text, value.free)
    if isinstance(value, Mapping):
        found = {str(name).lower(): item for name, item in value.items()}
        other = found.get("*")
        return found.get(str(key).lower(), Unsettled(text, other.free) if isinstance(other, Unsettled) else other)
    if isinstance(value, list) and isinstance(key, float | int) and 0 <= key < len(value):
        return value[int(key)]
    return None


def _number(value: Any) -> float:
    if value is None or value == "":
        return 0.0
    if isinstance(value, bool | int | float):
        return float(value)
    try:
        return float(value) if isinstance(value, str) else float("nan")
    except ValueError:
        return float("nan")


def _equal(left: Any, right: Any) -> bool:
    if isinstance(left, str) and isinstance(right, str):
        return left.lower() == right.lower()
    if isinstance(left, Mapping | list) or isinstance(right, Mapping | list):
        return left is right
    return _number(left) == _number(right)


def as_text(value: Any) -> str:
    """Return what a value is in a text."""
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, float):
        return f"{value:g}" if value != int(value) else str(int(value))
    if isinstance(value, Mapping | list):
        return "Object" if isinstance(value, Mapping) else "Array"
    return str(value)


def holes_in(value: Any) -> list[Unsettled]:
    """Return what is not known in a value."""
    if isinstance(value, Mapping):
        value = list(value.values())
    if isinstance(value, list):
        return [found for item in value for found in holes_in(item)]
    return [value] if isinstance(value, Unsettled) else []


def _contains(self: Evaluator, node: Operation, operands: Sequence[Any]) -> Any:
    searched, item = operands
    if isinstance(searched, list):
        return any(self.equal(one, item) for one in searched)
    holes = holes_in([searched, item])
    if holes:
        return Unsettled(node.text, any(one.free for one in holes))
    return as_text(item).lower() in as_text(searched).lower()


def _starts_with(self: Evaluator, node: Operation, operands: Sequence[Any]) -> Any:
    searched, item = operands
    if isinstance(searched, Unsettled) and isinstance(item, str):
        plain = re.split(r"[\\\[(.]", searched.like)[0]
        if plain.startswith(item):
            return True
        return item.startswith(plain) and Unsettled(node.text, searched.free)
    if holes := holes_in([searched, item]):
        return Unsettled(node.text, any(one.free for one in holes))
    del self
    return as_text(searched).lower().startswith(as_text(item).lower())


def _ends_with(self: Evaluator, node: Operation, operands: Sequence[Any]) -> Any:
    del self
    if holes := holes_in(list(operands)):
        return Unsettled(node.text, any(one.free for one in holes))
    return as_text(operands[0]).lower().endswith(as_text(operands[1]).lower())


def _join(self: Evaluator, node: Operation, operands: Sequence[Any]) -> Any:
    del self
    if holes := holes_in(list(operands)):
        return Unsettled(node.text, any(one.free for one in holes))
    separator = as_text(operands[1]) if len(operands) > 1 else ","
    items = operands[0] if isinstance(operands[0], list) else [operands[0]]
    return separator.join(map(as_text, items))


def _format(self: Evaluator, node: Operation, operands: Sequence[Any]) -> Any:
    del self
    if holes := holes_in(list(operands)):
        return Unsettled(node.text, any(one.free for one in holes))
    texts = [as_text(one) for one in operands]
    return re.sub(r"\{(\d+)\}", lambda found: texts[int(found[1]) + 1], texts[0])


def _to_json(self: Evaluator, node: Operation, operands: Sequence[Any]) -> Any:
    del self
    if holes := holes_in(operands[0]):
        return Unsettled(node.text, any(one.free for one in holes))
    return json.dumps(operands[0], indent=2)


def _from_json(self: Evaluator, node: Operation, operands: Sequence[Any]) -> Any:
    del self
    if isinstance(operands[0], str):
        try:
            return json.loads(operands[0])
        except ValueError:
            raise ExpressionError("no JSON", found=node.text) from None
    return Unsettled(node.text, isinstance(operands[0], Unsettled) and operands[0].free)


_FUNCTIONS: Mapping[str, Callable[[Evaluator, Operation, Sequence[Any]], Any]] = {
    "contains": _contains,
    "startswith": _starts_with,
    "endswith": _ends_with,
    "join": _join,
    "format": _format,
    "tojson": _to_json,
    "fromjson": _from_json,
}
