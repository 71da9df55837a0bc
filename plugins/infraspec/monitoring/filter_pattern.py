"""CloudWatch Logs filter patterns: whether one counts a log event.

Source: Amazon CloudWatch Logs User Guide, "Filter pattern syntax for metric filters". Patterns of JSON and of plain
text are read; space-delimited ones, regular expressions and whatever else is not known give None.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, TypeAlias

Answer: TypeAlias = bool | None
"""True, False, or None where it cannot be told."""

_TOKEN = re.compile(
    r"""\s*(?:
      (?P<selector>\$(?:\.[\w$@-]+|\.?\[\s*(?:'[^']*'|"[^"]*"|\d+|\*)\s*\])*)
    | (?P<text>"(?:[^"\\]|\\.)*")
    | (?P<operator>&&|\|\||!=|<=|>=|=|<|>|\(|\))
    | (?P<regex>%[^%]*%)
    | (?P<word>[^\s()=<>!&|"]+)
    )""",
    re.VERBOSE,
)
_STEP = re.compile(r"""\.([\w$@-]+)|\[\s*(?:'([^']*)'|"([^"]*)"|(\d+)|(\*))\s*\]""")
_TERM = re.compile(r'\s*([?-]?)("(?:[^"\\]|\\.)*"|[^\s"]+)')


class _UnreadableError(ValueError):
    """The pattern is of a form that is not read."""


def counts(pattern: str, event: str) -> Answer:
    """Tell whether a metric filter with the pattern counts the log event, a line or a JSON document."""
    stripped = pattern.strip()
    try:
        if not stripped.startswith("{"):
            return _text(stripped, event)
        if not stripped.endswith("}"):
            return None
        try:
            document = json.loads(event)
        except json.JSONDecodeError:
            return False
        return _Json(stripped[1:-1]).evaluate(document)
    except _UnreadableError:
        return None


def _text(pattern: str, event: str) -> Answer:
    """Match terms: all plain ones, no `-` one; `?` ones are alternatives, which count only among themselves."""
    if pattern.startswith("["):
        return None
    required: list[bool] = []
    forbidden: list[bool] = []
    optional: list[bool] = []
    for sign, term in _TERM.findall(pattern):
        if term.startswith("%"):
            return None
        found = (json.loads(term) if term.startswith('"') else term) in event
        {"": required, "-": forbidden, "?": optional}[sign].append(found)
    if optional and not required and not forbidden:
        return any(optional)
    return all(required) and not any(forbidden)


@dataclass
class _Json:
    """A recursive-descent evaluator of `{ … }`."""

    source: str

    def __post_init__(self) -> None:
        self._tokens = list(self._scan())
        self._at = 0

    def evaluate(self, document: Any) -> Answer:
        answer = self._either(document)
        if self._at < len(self._tokens):
            raise _UnreadableError
        return answer

    def _scan(self) -> Iterator[tuple[str, str]]:
        at = 0
        source = self.source.rstrip()
        while at < len(source):
            match = _TOKEN.match(source, at)
            if match is None:
                raise _UnreadableError
            at = match.end()
            yield str(match.lastgroup), match[str(match.lastgroup)]

    def _either(self, document: Any) -> Answer:
        return self._chain("||", self._both, document, _either)

    def _both(self, document: Any) -> Answer:
        return self._chain("&&", self._unary, document, _both)

    def _chain(
        self,
        operator: str,
        operand: Callable[[Any], Answer],
        document: Any,
        join: Callable[[Answer, Answer], Answer],
    ) -> Answer:
        answer = operand(document)
        while self._take(operator):
            answer = join(answer, operand(document))
        return answer

    def _unary(self, document: Any) -> Answer:
        if self._take("("):
            answer = self._either(document)
            if not self._take(")"):
                raise _UnreadableError
            return answer
        return self._comparison(document)

    def _comparison(self, document: Any) -> Answer:
        kind, selector = self._next()
        if kind != "selector":
            raise _UnreadableError
        found = list(_select(document, selector))
        kind, operator = self._next()
        if operator in {"IS", "NOT", "EXISTS"}:
            return self._property(operator, found)
        kind, wanted = self._next()
        if kind not in {"text", "word"} or operator not in _COMPARE:
            raise _UnreadableError
        answers = [_COMPARE[operator](value, kind, wanted) for value in found]
        if operator == "!=" and not found:
            return None
        return True if True in answers else None if None in answers else False

    def _property(self, operator: str, found: list[Any]) -> Answer:
        if operator == "EXISTS":
            return bool(found)
        _, word = self._next()
        if operator == "NOT" and word == "EXISTS":
            return not found
        if operator == "IS" and word in {"NULL", "TRUE", "FALSE"}:
            wanted = {"NULL": None, "TRUE": True, "FALSE": False}[word]
            return any(value is wanted for value in found)
        raise _UnreadableError

    def _take(self, operator: str) -> bool:
        if self._at < len(self._tokens) and self._tokens[self._at] == ("operator", operator):
            self._at += 1
            return True
        return False

    def _next(self) -> tuple[str, str]:
        if self._at >= len(self._tokens):
            raise _UnreadableError
        self._at += 1
        return self._tokens[self._at - 1]


def _select(document: Any, selector: str) -> Iterator[Any]:
    """Yield what a selector finds: nothing where a step is missing."""
    values = [document]
    rest = selector[1:].replace(".[", "[")
    at = 0
    while at < len(rest):
        match = _STEP.match(rest, at)
        if match is None:
            raise _UnreadableError
        at = match.end()
        key = next((part for part in match.groups()[:3] if part is not None), None)
        values = [item for value in values for item in _step(value, key, match[4], every=match[5] is not None)]
    yield from values


def _step(value: Any, key: str | None, index: str | None, *, every: bool) -> list[Any]:
    if key is not None:
        return [value[key]] if isinstance(value, Mapping) and key in value else []
    if not isinstance(value, list):
        return []
    if every:
        return value
    return [value[int(index)]] if index is not None and int(index) < len(value) else []


def _equals(value: Any, kind: str, wanted: str) -> Answer:
    text = json.loads(wanted) if kind == "text" else wanted
    if isinstance(value, bool) or value is None or isinstance(value, dict | list):
        return False
    if isinstance(value, str):
        return re.fullmatch(".*".join(map(re.escape, text.split("*"))), value, re.DOTALL) is not None
    try:
        return bool(float(text) == value)
    except ValueError:
        return False


def _differs(value: Any, kind: str, wanted: str) -> Answer:
    answer = _equals(value, kind, wanted)
    return None if answer is None else not answer


def _ordered(compare: Callable[[float, float], bool]) -> Callable[[Any, str, str], Answer]:
    def answer(value: Any, _kind: str, wanted: str) -> Answer:
        if not isinstance(value, int | float) or isinstance(value, bool):
            return False
        try:
            return compare(value, float(wanted.strip('"')))
        except ValueError:
            return None

    return answer


_COMPARE: Mapping[str, Callable[[Any, str, str], Answer]] = {
    "=": _equals,
    "!=": _differs,
    "<": _ordered(lambda left, right: left < right),
    ">": _ordered(lambda left, right: left > right),
    "<=": _ordered(lambda left, right: left <= right),
    ">=": _ordered(lambda left, right: left >= right),
}


def _both(left: Answer, right: Answer) -> Answer:
    if left is False or right is False:
        return False
    return None if left is None or right is None else True


def _either(left: Answer, right: Answer) -> Answer:
    if left is True or right is True:
        return True
    return None if left is None or right is None else False
