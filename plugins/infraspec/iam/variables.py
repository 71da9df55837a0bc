"""Policy variables: `${aws:PrincipalTag/team}` in a Resource or in the value of a condition.

Source: IAM User Guide, "IAM policy elements: Variables and tags": variables stand in policies of version 2012-10-17,
in a Resource after the fifth colon; a default is written `${key, 'value'}`; `${*}`, `${?}` and `${$}` are characters;
a variable without a value makes the text match nothing. Whether an empty value is one AWS does not say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator

from msgspec import Struct

from infraspec.iam.answer import Answer, both
from infraspec.iam.context import Context
from infraspec.iam.pattern import Form, Part, Pattern, Verbatim, as_it_is, is_open
from infraspec.iam.subject import policy_variable
from infraspec.unknown import ConditionKey, Text, Unknown, Value, concatenate

_VARIABLE = re.compile(r"\$\{\s*(?P<name>[^},]*?)\s*(?:,\s*'(?P<default>[^']*)'\s*)?\}")
_ESCAPES = frozenset({"*", "?", "$"})
_HEADER_COLONS = 5
_WILD = re.compile(r"[*?]")


class Variable(Struct, frozen=True):
    """A variable in the text of a policy. `default` is None where none is given."""

    name: str
    default: str | None = None


class Template(Struct, frozen=True, eq=False):
    """Text of a policy with variables, which is a pattern once a request gives their values."""

    value: Value
    form: Form
    parts: tuple[Part | Variable, ...]
    certain: Answer = Answer.YES
    """Whether all the variables' names are known."""

    def filled(self, context: Context) -> tuple[Pattern, Answer]:
        """Return the pattern for a request, and whether all variables have a value: without one, nothing matches."""
        filled: list[Part] = []
        certain = self.certain
        for part in self.parts:
            if not isinstance(part, Variable):
                filled.append(part)
                continue
            value, known = _value(part, context)
            certain = both(certain, known)
            filled.extend(value)
        merged = tuple(_merged(filled))
        whole = merged[0] if len(merged) == 1 else None
        if type(whole) is str:
            return Pattern.of(whole, self.form), certain
        return Pattern(self.value, merged, self.form), certain

    def is_known(self, context: Context) -> bool:
        """Tell whether it is known what the text is in a request."""
        filled, certain = self.filled(context)
        return certain is not Answer.MAYBE and filled.is_known(context)

    def __str__(self) -> str:
        return str(self.value)


def template(value: Value, form: Form, resolve: Callable[[Value], Value] = as_it_is) -> Pattern | Template:
    """Read a value of a policy of version 2012-10-17: a template if it holds a variable, else a pattern."""
    narrowed = resolve(value)
    if type(narrowed) is str and "${" not in narrowed:
        return Pattern.of(value, form, resolve)
    texts = narrowed.parts if isinstance(narrowed, Text) else (narrowed,)
    if not any(isinstance(part, str) and "${" in part for part in texts):
        return Pattern.of(value, form, resolve)
    whole, partly = _closed(texts)
    return Template(value, form, tuple(_split(whole, form)), Answer.MAYBE if partly else Answer.YES)


def _closed(parts: tuple[Part, ...]) -> tuple[tuple[Part, ...], bool]:
    """Replace each variable whose name is partly unknown by unknown text; tell whether there is one."""
    closed: list[Part] = []
    name: list[Part] | None = None
    partly = False
    for part in parts:
        text = part if isinstance(part, str) else ""
        if name is not None:
            inside, end, text = text.partition("}") if isinstance(part, str) else (part, "", "")
            name.append(inside)
            if not end:
                continue
            closed.append(policy_variable(str(concatenate(name))))
            name = None
        elif not isinstance(part, str):
            closed.append(part)
            continue
        start = text.rfind("${")
        if start >= 0 and "}" not in text[start:]:
            name, partly, text = [text[start + 2 :]], True, text[:start]
        closed.append(text)
    if name is not None:  # what is unknown may end the variable, and go on
        closed.append(policy_variable(str(concatenate(name))))
    return tuple(closed), partly


def _split(parts: tuple[Part, ...], form: Form) -> Iterator[Part | Variable]:
    """Split text at its variables; in a Resource at those after the fifth colon. Unknown text may be a whole ARN."""
    colons = 0 if form is Form.RESOURCE else _HEADER_COLONS
    for part in parts:
        if not isinstance(part, str):
            colons = _HEADER_COLONS if is_open(part) else colons
            yield part
            continue
        position = 0
        for found in _VARIABLE.finditer(part):
            colons += part.count(":", position, found.start())
            if colons < _HEADER_COLONS:
                colons += found[0].count(":")
                yield part[position : found.end()]
            else:
                yield part[position : found.start()]
                yield (
                    Verbatim(found["name"]) if found["name"] in _ESCAPES else Variable(found["name"], found["default"])
                )
            position = found.end()
        colons += part.count(":", position)
        yield part[position:]


def _value(variable: Variable, context: Context) -> tuple[tuple[Part, ...], Answer]:
    entry = context.get(variable.name)
    if entry.present is Answer.NO:
        return ((), Answer.NO) if variable.default is None else ((Verbatim(variable.default),), Answer.YES)
    if entry.present is Answer.MAYBE and variable.default is not None:
        return (Unknown(f"context key {variable.name} or its default", ConditionKey(variable.name)),), Answer.YES
    if len(entry.values) != 1:
        return (
            Unknown(f"one of the values of context key {variable.name}", ConditionKey(variable.name)),
        ), Answer.MAYBE
    value = entry.values[0]
    if value == "":
        return (), Answer.MAYBE
    parts = value.parts if isinstance(value, Text) else (value,)
    return tuple(Verbatim(part) if isinstance(part, str) else part for part in parts), entry.present


def _merged(parts: list[Part]) -> Iterator[Part]:
    """Join neighbours of known text; text whose wildcards are characters stays apart only if it has some."""
    pending = ""
    for part in parts:
        if isinstance(part, str) and not (isinstance(part, Verbatim) and _WILD.search(part)):
            pending += part
            continue
        if pending:
            yield pending
            pending = ""
        yield part
    if pending:
        yield pending
