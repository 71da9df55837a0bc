"""Values that are known only after apply, text that holds one, and values that must not be shown.

A value of the Terraform language is None, bool, int, float, str, list or dict of such values, or one of the classes
here. They compare by what they name: the same unknown on both sides is equal to itself, and to nothing else.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Iterable, Iterator
from decimal import Decimal
from functools import cached_property
from typing import Any, TypeAlias, TypeVar

from msgspec import Struct

Part = TypeVar("Part")
Value: TypeAlias = Any
"""A value of the Terraform language: JSON-like, with Unknown, Text, JsonText and Sensitive in any place."""


class AfterApply(Struct, frozen=True):
    """Terraform or AWS makes it on apply. A reference (`aws_kms_key.main.arn`) says so without a cause."""


class MissingVariable(Struct, frozen=True):
    """An input variable has no value; `module` is the address of the module it is of, empty in the root."""

    name: str
    module: str = ""

    @property
    def in_sandbox(self) -> str:
        """The value that the sandbox takes where a pipeline would give one."""
        return f"sandbox-{self.name}"


class UnreadData(Struct, frozen=True):
    """A data source has not been read: `source` is its address, `attribute` what is asked of it."""

    source: str
    attribute: str


class OtherStack(Struct, frozen=True):
    """An output, or all of them, is that of another stack, whose state the attribute of a data source holds."""

    source: str
    attribute: str
    output: str = ""


class AbsentModule(Struct, frozen=True):
    """The source of the module of an address is not here, so its outputs are not known; a command fetches it."""

    address: str
    command: str = "infraspec get"


class UnstatedAccount(Struct, frozen=True):
    """A provider configuration (`aws`, `aws.shared`) does not say in which account it works."""

    provider: str


class UnstatedRegion(Struct, frozen=True):
    """A provider configuration does not say in which region it works."""

    provider: str


class ComputedFrom(Struct, frozen=True):
    """Something is computed from what is not known: a function, an operator, a name that is cut from an ARN.

    `by` says what makes it of them, where somebody asks for that, and `call` how to compute it again.
    """

    arguments: tuple[Unknown, ...]
    by: str = ""
    call: Application | None = None


class Application(Struct, frozen=True):
    """A function of values of which something is not known yet, and the address of its result."""

    function: str
    arguments: tuple[Value, ...]
    result: str

    @classmethod
    def of(cls, unknown: Unknown) -> Application | None:
        """Return the function that an unknown is the result of, if it is one."""
        call = unknown.cause.call if isinstance(unknown.cause, ComputedFrom) else None
        return call if call is not None and call.result == unknown.address else None


class NoConstant(Struct, frozen=True):
    """A setting that Terraform itself reads, of a backend for instance, is not written as a constant."""

    written: str


class ConditionKey(Struct, frozen=True):
    """A condition key or policy variable has the value that AWS sees in a request."""

    key: str


class RolePolicies(Struct, frozen=True):
    """A role is neither in the plan nor in a snapshot, so nothing is known of its policies."""

    role: str


class PolicyContent(Struct, frozen=True):
    """A managed policy is known by its ARN or name, not by its text."""

    policy: str
    of_aws: bool = False


class PolicyElsewhere(Struct, frozen=True):
    """The policy of a resource that is not in the plan, of another account for instance, is not known."""

    owner: str


class EncryptionKey(Struct, frozen=True):
    """A secret or parameter that is not in the plan does not say which key encrypts it.

    `source` is what `[known]` names it by, `attribute` the one that names its key.
    """

    source: str
    attribute: str


class AliasTarget(Struct, frozen=True):
    """The KMS key behind an alias that is not in the plan is not known."""

    alias: str


class Contested(Struct, frozen=True):
    """Two resources settle the same thing differently, and the later one wins; `remedy` makes them agree."""

    remedy: str


class RefusedRead(Struct, frozen=True):
    """AWS does not let the runner read it; `remedy` says what lets it in."""

    remedy: str


class UnreadFile(Struct, frozen=True):
    """It stands in a file that is not in the repository, such as a credential spec in a bucket."""

    file: str


class Placeholder(Struct, frozen=True):
    """A deployment tool fills a placeholder of a file in."""

    name: str


class AtRunTime(Struct, frozen=True):
    """What has this name comes to be while something runs: the id of a task, the key of an object."""

    what: str


class BeyondLimit(Struct, frozen=True):
    """Computing it would cost more than an input may: `what` is which limit it passed, and where."""

    what: str


class Erroneous(Struct, frozen=True):
    """The source has an error where it would get its value: `what` is the place and the error."""

    what: str


class Withheld(Struct, frozen=True):
    """The value is sensitive, so nothing of it may be shown."""


Cause: TypeAlias = (
    AfterApply
    | MissingVariable
    | UnreadData
    | OtherStack
    | AbsentModule
    | UnstatedAccount
    | UnstatedRegion
    | ComputedFrom
    | NoConstant
    | ConditionKey
    | RolePolicies
    | PolicyContent
    | PolicyElsewhere
    | EncryptionKey
    | AliasTarget
    | Contested
    | RefusedRead
    | UnreadFile
    | Placeholder
    | AtRunTime
    | BeyondLimit
    | Erroneous
    | Withheld
)
"""Why something is not known: all the reasons there are."""
AFTER_APPLY, _WITHHELD = AfterApply(), Withheld()


class Unknown:
    """A value that is not known, named by its Terraform address and attribute.

    `address` is such as `module.db.aws_db_instance.this[0].endpoint`, `var.image_tag`, or a function that could not
    be computed: `uuid()`, `upper(aws_kms_key.main.arn)`. It is text to show, and what tells unknowns apart; `cause`
    says why it is not known, None that it is known after apply.
    """

    __slots__ = ("address", "cause")

    def __init__(self, address: str, cause: Cause | None = None) -> None:
        self.address = address
        self.cause = cause

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Unknown) and other.address == self.address

    def __hash__(self) -> int:
        return hash(self.address)

    def __repr__(self) -> str:
        return f"<{self.address}>"

    def __str__(self) -> str:
        return f"${{{self.address}}}"


class Reference(Struct, frozen=True):
    """What the address of an unknown says of an attribute of an AWS resource: nothing else, no function of it.

    `certain` tells that the instance is certain to be there, and not the one that stands for any of an unknown count.
    """

    mode: str
    type: str
    attribute: str
    certain: bool

    @classmethod
    def of(cls, unknown: Unknown) -> Reference | None:
        """Read the address of an attribute such as `module.db.aws_db_instance.this[0].arn`; None if it is another."""
        found = _REFERENCE.fullmatch(unknown.address)
        if found is None:
            return None
        mode = "data" if found["data"] else "managed"
        return cls(mode, found["type"], found["attribute"], "[?]" not in unknown.address)


_KEY = r'(?:\[(?:"(?:[^"\\]|\\.)*"|\d+|\?)\])?'
_REFERENCE = re.compile(
    rf"(?:module\.[\w-]+{_KEY}\.)*(?P<data>data\.)?(?P<type>aws_\w+)\.[\w-]+{_KEY}\.(?P<attribute>\w+)"
)
_SEVERAL_VALUES = re.compile(r'\b(?:uuid|bcrypt|timestamp)\(|\[\?]|\["\?"]')


def is_one_value(text: str) -> bool:
    """Tell whether an address, or text with addresses in it, is one value wherever it stands.

    The instance that stands for any may be another one elsewhere, and `uuid()` is another value at each call.
    """
    return _SEVERAL_VALUES.search(text) is None


class Sensitive(Unknown):
    """A value that is known but must not be shown, named by where it comes from.

    Everything that does not deal with sensitivity treats it as unknown, so it cannot reach a message, a repr or a
    report. `reveal` gives the value to the evaluator alone, which marks what it computes from it.
    """

    __slots__ = ("_value",)

    def __init__(self, address: str, value: Value = None) -> None:
        super().__init__(address, _WITHHELD)
        self._value = value

    def reveal(self) -> Value:
        """Return the value itself."""
        return self._value

    def __eq__(self, other: object) -> bool:
        """Compare what is hidden too: what is computed from a sensitive value is named after it."""
        return isinstance(other, Sensitive) and other.address == self.address and bool(other._value == self._value)

    def __hash__(self) -> int:
        return hash(self.address)

    def __repr__(self) -> str:
        return f"<{self.address} (sensitive)>"

    def __str__(self) -> str:
        return "(sensitive value)"

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.address,)


class Ephemeral(Sensitive):
    """A sensitive value that no plan or state keeps, of an ephemeral variable or resource: nothing takes the mark away.

    One that is not known either says why by the cause of what it hides.
    """

    __slots__ = ()

    def __init__(self, address: str, value: Value = None) -> None:
        super().__init__(address, value)
        if isinstance(value, Unknown):
            self.cause = value.cause


def marked(address: str, value: Value, *by: Value) -> Sensitive:
    """Return a value that is sensitive because of others that it comes from, ephemeral if one of them is."""
    is_ephemeral = any(isinstance(part, Ephemeral) for part in unknowns(by))
    return Ephemeral(address, value) if is_ephemeral else Sensitive(address, value)


class OpenList(Unknown):
    """A list, set or tuple that certainly has some texts, `items`, in any order and perhaps among others.

    Everything that does not look for `items` treats it as unknown. No item holds anything sensitive.
    """

    __slots__ = ("items",)

    def __init__(self, address: str, items: Iterable[Value], cause: Cause | None = None) -> None:
        super().__init__(address, cause)
        self.items = tuple(item for item in items if _is_shown(item))

    @property
    def entries(self) -> tuple[Value, ...]:
        """What certainly is in it, and an unknown that stands for all that may be."""
        return (*self.items, Unknown(self.address, self.cause))

    def __reduce__(self) -> tuple[object, ...]:
        return type(self), (self.address, self.items, self.cause)


def _is_shown(item: Value) -> bool:
    return isinstance(item, (str, Text, Unknown)) and not any(isinstance(part, Sensitive) for part in unknowns(item))


def shows(value: Value) -> bool:
    """Tell whether anything of a value is known, which an Unknown as a whole hides unless it is an OpenList."""
    return not isinstance(value, Unknown) or isinstance(value, OpenList)


def opened(unknown: Unknown, items: Iterable[Value]) -> Unknown:
    """Return a list that is unknown, with what it certainly has."""
    found = OpenList(unknown.address, items, unknown.cause)
    return found if found.items else unknown


class Text:
    """Text with unknown parts: `parts` alternates str and Unknown, and holds at least one Unknown."""

    __slots__ = ("__dict__", "_parts")

    def __init__(self, parts: tuple[str | Unknown, ...]) -> None:
        self._parts = parts

    @property
    def parts(self) -> tuple[str | Unknown, ...]:
        """The parts in order; no two neighbours are both str."""
        return self._parts

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Text) and other.parts == self.parts

    def __hash__(self) -> int:
        return hash(self.parts)

    def __repr__(self) -> str:
        return f"<{self}>"

    def __str__(self) -> str:
        return "".join(map(str, self.parts))


class JsonText(Text):
    """The JSON text of a tree that holds unknowns; the tree is kept."""

    __slots__ = ("tree",)

    def __init__(self, tree: Value) -> None:
        super().__init__(())
        self.tree = tree

    @cached_property
    def _encoded(self) -> tuple[str | Unknown, ...]:
        return tuple(merged(_json_parts(self.tree)))

    @property
    def parts(self) -> tuple[str | Unknown, ...]:
        """The encoded text, unknown leaves standing in it as they are."""
        return self._encoded


def composed(text: str) -> str:
    """Bring text to Unicode's form NFC, in which Terraform keeps every text."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def parts_of(value: Value) -> tuple[str | Unknown, ...]:
    """Return the parts of a text, or a value that is no text as the one part."""
    return value.parts if isinstance(value, Text) else (value,)


def concatenate(parts: Iterable[str | Unknown | Text]) -> str | Text:
    """Join known and unknown pieces of text; the result is str if all of it is known.

    A lone JsonText stays one, so that its tree can still be decoded.
    """
    pieces = [part for part in parts if part or not isinstance(part, str)]
    if len(pieces) == 1 and isinstance(pieces[0], Text):
        return pieces[0]
    flat = merged(part for piece in pieces for part in (piece.parts if isinstance(piece, Text) else (piece,)))
    if not flat:
        return ""
    return composed(flat[0]) if len(flat) == 1 and isinstance(flat[0], str) else Text(tuple(flat))


def unknowns(value: Value) -> Iterator[Unknown]:
    """Yield every Unknown (Sensitive too) in a value, in order, with repetitions."""
    if isinstance(value, Unknown):
        yield value
    elif isinstance(value, JsonText):
        yield from unknowns(value.tree)
    elif isinstance(value, Text):
        for part in value.parts:
            if isinstance(part, Unknown):
                yield part
    elif isinstance(value, dict):
        for item in value.values():
            yield from unknowns(item)
    elif isinstance(value, (list, tuple)):
        for item in value:
            yield from unknowns(item)


def computed_from(*values: Value) -> Cause:
    """Return why what is computed from values is not known: because of the unknowns in them, else until apply."""
    found = {unknown.address: unknown for unknown in unknowns(values)}
    if not found:
        return AFTER_APPLY
    shown = tuple(each for each in found.values() if not isinstance(each, Sensitive))
    if not shown:
        return _WITHHELD
    if len(shown) == 1 and isinstance(shown[0].cause, ComputedFrom):
        return shown[0].cause
    return ComputedFrom(tuple(_plain(each) for each in shown))


def _plain(unknown: Unknown) -> Unknown:
    """Return an unknown of the same name and cause that holds nothing else: no module, no characters."""
    return unknown if type(unknown) is Unknown else Unknown(unknown.address, unknown.cause)


def sources(unknown: Unknown) -> Iterator[Unknown]:
    """Yield what is not known in the first place: an unknown itself, or what it is computed from, in order."""
    pending, seen = [unknown], set[int]()
    while pending:
        each = pending.pop()
        if id(each) not in seen:
            seen.add(id(each))
            if isinstance(each.cause, ComputedFrom):
                pending.extend(reversed(each.cause.arguments))
            else:
                yield each


def is_known(value: Value) -> bool:
    """Tell whether nothing in the value is unknown or sensitive."""
    return next(unknowns(value), None) is None


def render(value: Value) -> str:
    """Write a value for a message: text as it is, `${address}` for an unknown, JSON for the rest."""
    if isinstance(value, str):
        return value
    if isinstance(value, (Unknown, Text)):
        return str(value)
    return composed("".join(map(str, _json_parts(value))))


def merged(parts: Iterable[str | Part]) -> list[str | Part]:
    """Join neighbouring text and drop empty text; everything else stays as it is."""
    result: list[str | Part] = []
    pending: list[str] = []
    for part in parts:
        if not isinstance(part, str):
            if pending:
                result.append("".join(pending))
                pending.clear()
            result.append(part)
        elif part:
            pending.append(part)
    if pending:
        result.append("".join(pending))
    return result


def _json_parts(tree: Value) -> list[str | Unknown]:
    """Encode as Terraform's jsonencode: no blanks, keys sorted, `<`, `>` and `&` escaped."""
    parts: list[str | Unknown] = []
    _encode(tree, parts)
    return parts


def _encode(tree: Value, parts: list[str | Unknown]) -> None:
    if isinstance(tree, dict):
        mark = "{"
        for key in sorted(tree, key=str):
            parts.append(f"{mark}{encode_json(str(key))}:")
            _encode(tree[key], parts)
            mark = ","
        parts.append("}" if tree else "{}")
    elif isinstance(tree, (list, tuple)):
        mark = "["
        for item in tree:
            parts.append(mark)
            _encode(item, parts)
            mark = ","
        parts.append("]" if tree else "[]")
    elif isinstance(tree, (JsonText, Text)):
        parts.append('"')
        parts += (encode_json(part)[1:-1] if isinstance(part, str) else part for part in tree.parts)
        parts.append('"')
    elif isinstance(tree, Unknown):
        parts.append(tree)
    elif isinstance(tree, float):
        parts.append(number_text(tree))
    else:
        parts.append(json.dumps(tree, ensure_ascii=False).translate(_ESCAPES))


_ESCAPES = str.maketrans({"<": "\\u003c", ">": "\\u003e", "&": "\\u0026", "\u2028": "\\u2028", "\u2029": "\\u2029"})


def encode_json(value: Value) -> str:
    """Encode a wholly known value as Terraform's `jsonencode` does."""
    return composed("".join(map(str, _json_parts(value))))


def number_text(number: float) -> str:
    """Write a number as Terraform does, in JSON too: no exponent, no trailing zeros, as many digits as a float has."""
    if not number:
        return "-0" if math.copysign(1, number) < 0 else "0"
    return str(number) if isinstance(number, int) else format(Decimal(repr(number)), "f")


class Character(Unknown):
    """Exactly one character that is not known yet: the `position`th of the part AWS appends to `address`.

    It is an Unknown to everything that does not know it, written `?` in messages, and equal to itself alone.
    """

    __slots__ = ("position",)

    def __init__(self, address: str, position: int) -> None:
        super().__init__(address)
        self.position = position

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Character) and (other.address, other.position) == (self.address, self.position)

    def __hash__(self) -> int:
        return hash((self.address, self.position))

    def __repr__(self) -> str:
        return f"<{self.address} character {self.position}>"

    def __str__(self) -> str:
        return "?"


def characters(address: str, count: int) -> str | Text:
    """Return `count` unknown characters that belong to `address`."""
    return concatenate(Character(address, position) for position in range(count))
