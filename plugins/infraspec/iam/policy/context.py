"""What is known of the context of a request: the values of condition keys, and which keys are absent.

Source: IAM User Guide, "AWS global condition context keys" and "Single-valued vs. multivalued context keys". Key names
are compared without regard to letter case.

Source: IAM User Guide, "IAM policy elements: Variables and tags": variables stand in policies of version 2012-10-17,
in a Resource after the fifth colon; a default is written `${key, 'value'}`; `${*}`, `${?}` and `${$}` are characters;
a variable without a value makes the text match nothing. Whether an empty value is one AWS does not say.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import groupby
from typing import NamedTuple

from msgspec import Struct, field

from infraspec.core.truth import Truth, all_of
from infraspec.core.unknown import ConditionKey, Text, Unknown, Value, concatenate, parts_of, render
from infraspec.iam.policy.partial_arn import PartialArn, as_it_is, is_open, policy_variable
from infraspec.iam.policy.pattern import Form, Part, Pattern, Verbatim


class ContextEntry(Struct, frozen=True):
    """What is known of one key: whether it is in the request, and its values, each known, partly known or Unknown.

    A key that may be absent has one Unknown for a value, named `context key NAME`. One without any value is the empty
    list of a multivalued key.
    """

    present: Truth
    values: tuple[Value, ...] = ()


ABSENT = ContextEntry(Truth.NO)


class Context(Struct, frozen=True, eq=False):
    """The condition keys of a request, to be made with Context.of.

    A key that is not told is unknown: the request may or may not have it, with any value. Where the context is
    `complete`, it is absent.
    """

    complete: bool = False
    closed: tuple[str, ...] = ()
    """Beginnings of keys, in lower case, of which the request has no others than are told."""
    _entries: dict[str, ContextEntry] = field(default_factory=dict)
    _asked: dict[str, ContextEntry] = field(default_factory=dict)

    @classmethod
    def of(
        cls,
        values: Mapping[str, Value] | None = None,
        *,
        absent: Iterable[str] = (),
        complete: bool = False,
        closed: Iterable[str] = (),
    ) -> Context:
        """Make a context of the keys a request has, and those it has not.

        A value is text, a number, true or false, or a list of these; one that is known to be there but not what it is
        is an Unknown, or Text that holds one. None says the same as `absent`. An Entry is taken as it is: it can say of
        a key that may be absent what its values are if it is not. A key that begins as `closed` says, and is not told,
        is absent.

        >>> context = Context.of({"aws:SecureTransport": True, "aws:PrincipalAccount": "111122223333"})
        """
        entries = {key.lower(): _entry(value) for key, value in (values or {}).items()}
        beginnings = tuple(beginning.lower() for beginning in closed)
        return cls(complete, beginnings, entries | {key.lower(): ABSENT for key in absent})

    def get(self, key: str) -> ContextEntry:
        """Return what is known of a key."""
        entry = self._asked.get(key)
        if entry is None:
            entry = self._asked[key] = self._entries.get(key.lower()) or (
                ABSENT
                if self.complete or key.lower().startswith(self.closed)
                else ContextEntry(Truth.MAYBE, (Unknown(f"context key {key.lower()}", ConditionKey(key)),))
            )
        return entry

    def updated(self, values: Mapping[str, Value], closed: Iterable[str] = ()) -> Context:
        """Return the context with more keys, or other values of them, and with more that is `closed`."""
        beginnings = (beginning.lower() for beginning in closed)
        return self.extended({key.lower(): _entry(value) for key, value in values.items()}, beginnings)

    def extended(self, entries: Mapping[str, ContextEntry], closed: Iterable[str]) -> Context:
        """Return it `updated` with keys and beginnings that are in lower case."""
        return Context(self.complete, (*self.closed, *closed), {**self._entries, **entries})


def _entry(value: Value) -> ContextEntry:
    if isinstance(value, ContextEntry):
        return value
    if value is None:
        return ABSENT
    if isinstance(value, (list, tuple)):
        return ContextEntry(Truth.YES, tuple(map(scalar, value)))
    return ContextEntry(Truth.YES, (scalar(value),))


def scalar(value: Value) -> Value:
    """Return a value of a key as text, known or not."""
    return value if isinstance(value, (str, Text, Unknown)) else render(value)


_VARIABLE = re.compile(r"\$\{\s*+(?P<name>(?:[^},\s]|\s++(?=[^},\s]))*+)\s*+(?:,\s*+'(?P<default>[^']*+)'\s*+)?+\}")
_ESCAPES = frozenset({"*", "?", "$"})
_HEADER_COLONS = 5
_WILD = re.compile(r"[*?]")


class PolicyVariable(Struct, frozen=True):
    """A variable in the text of a policy. `default` is None where none is given."""

    name: str
    default: str | None = None


class PolicyTemplate(Struct, frozen=True, eq=False):
    """Text of a policy with variables, which is a pattern once a request gives their values."""

    value: Value
    form: Form
    parts: tuple[Part | PolicyVariable, ...]
    certain: Truth = Truth.YES
    """Whether all the variables' names are known."""

    def filled(self, context: Context) -> tuple[Pattern, Truth]:
        """Return the pattern for a request, and whether all variables have a value: without one, nothing matches."""
        filled: list[Part] = []
        certain = self.certain
        for part in self.parts:
            if not isinstance(part, PolicyVariable):
                filled.append(part)
                continue
            value, known = _value(part, context)
            certain = all_of(certain, known)
            filled.extend(value)
        merged = tuple(_merged(filled))
        whole = merged[0] if len(merged) == 1 else None
        if type(whole) is str:
            return Pattern.of(whole, self.form), certain
        return Pattern(self.value, merged, self.form), certain

    def is_known(self, context: Context) -> bool:
        """Tell whether it is known what the text is in a request."""
        filled, certain = self.filled(context)
        return certain is not Truth.MAYBE and filled.is_known(context)

    def __str__(self) -> str:
        return str(self.value)


def template(value: Value, form: Form, resolve: Callable[[Value], Value] = as_it_is) -> Pattern | PolicyTemplate:
    """Read a value of a policy of version 2012-10-17: a template if it holds a variable, else a pattern."""
    narrowed = resolve(value)
    if type(narrowed) is str and "${" not in narrowed:
        return Pattern.of(value, form, resolve)
    texts = parts_of(narrowed)
    if not any(isinstance(part, str) and "${" in part for part in texts):
        return Pattern.of(value, form, resolve)
    whole, partly = _closed(texts)
    return PolicyTemplate(value, form, tuple(_split(whole, form)), Truth.MAYBE if partly else Truth.YES)


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


def _split(parts: tuple[Part, ...], form: Form) -> Iterator[Part | PolicyVariable]:
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
                    Verbatim(found["name"])
                    if found["name"] in _ESCAPES
                    else PolicyVariable(found["name"], found["default"])
                )
            position = found.end()
        colons += part.count(":", position)
        yield part[position:]


def _value(variable: PolicyVariable, context: Context) -> tuple[tuple[Part, ...], Truth]:
    entry = context.get(variable.name)
    if entry.present is Truth.NO:
        return ((), Truth.NO) if variable.default is None else ((Verbatim(variable.default),), Truth.YES)
    if entry.present is Truth.MAYBE and variable.default is not None:
        return (Unknown(f"context key {variable.name} or its default", ConditionKey(variable.name)),), Truth.YES
    if len(entry.values) != 1:
        return (Unknown(f"one of the values of context key {variable.name}", ConditionKey(variable.name)),), Truth.MAYBE
    value = entry.values[0]
    if value == "":
        return (), Truth.MAYBE
    parts = parts_of(value)
    return tuple(Verbatim(part) if isinstance(part, str) else part for part in parts), entry.present


def _merged(parts: list[Part]) -> Iterator[Part]:
    """Join neighbours of known text; text whose wildcards are characters stays apart only if it has some."""

    def is_plain(part: Part) -> bool:
        return isinstance(part, str) and not (isinstance(part, Verbatim) and _WILD.search(part))

    for is_text, group in groupby(parts, is_plain):
        if not is_text:
            yield from group
        elif text := "".join(map(str, group)):
            yield text


class Request(NamedTuple):
    """One request. `action` is in the letter case given; `context` says what is known of its condition keys."""

    action: str
    subject: PartialArn
    context: Context
