"""Values as the AWS provider would have them: converted to the types of its attributes.

A conversion is looked up once per type and attribute. A type or attribute that is not known has none: values stay as
they are. Source: Terraform Language, "Type Constraints" (Conversion of Primitive Types, Conversion of Complex Types).

The facts are in aws_schema.txt, which tools/aws_schema.mjs writes from the schema that the provider publishes; its head
explains the codes. What is not there (another provider, an attribute of another version) is not known: None.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Collection
from functools import cache, partial
from pathlib import Path
from typing import NoReturn, TypeAlias

from msgspec import Struct

from infraspec.core.errors import EvaluationError
from infraspec.core.unknown import Sensitive, Unknown, Value, marked
from infraspec.terraform.language.conversions import to_bool, to_number, to_text
from infraspec.terraform.language.values import (
    BlockValue,
    ListValue,
    MapValue,
    SetValue,
    is_indefinite,
    named_unknown,
    type_name,
)

_DATA = Path(__file__).with_name("aws_schema.txt")
_EARLIER = Path(__file__).with_name("aws_earlier.json")
_FLAGS = "!?=~"
_BLOCKS = ("[", "{", "1")
"""What the code of nested blocks begins with that make a list or a set."""


class SchemaSetting(Struct, frozen=True):
    """An attribute or nested block: the code of its type, and who sets it (configuration, provider, or either)."""

    flag: str
    code: str

    @property
    def settable(self) -> bool:
        """Tell whether a configuration may set it."""
        return self.flag != "="

    @property
    def computed(self) -> bool:
        """Tell whether the provider sets it when the configuration does not."""
        return self.flag in ("?", "=")

    @property
    def may_have_default(self) -> bool:
        """Tell whether the provider may put a constant in place of what is not set.

        The published schema leaves defaults out: any optional number or bool may have one, and so may a string that is
        documented with one.
        """
        return self.flag == "~" or (self.flag == "" and self.code in ("n", "b", "*"))


class Schema(Struct, frozen=True):
    """The attributes and nested blocks of a resource type, a data source or a nested block."""

    codes: dict[str, str]

    def names(self) -> Collection[str]:
        """Return the names of all attributes and blocks, sorted."""
        return self.codes.keys()

    def code(self, name: str) -> str:
        """Return the code of a type without its flag, empty for a name that is not known."""
        return self.codes.get(name, "").lstrip(_FLAGS)

    def setting(self, name: str) -> SchemaSetting | None:
        """Return an attribute or nested block; None for a name that is not known."""
        code = self.code(name)
        return SchemaSetting(self.codes[name].removesuffix(code), code) if code else None


class Demands(Struct, frozen=True):
    """What a type, a nested block or a block of the language takes: codes, and what has to be set or cannot."""

    codes: dict[str, str]
    required: frozenset[str]
    unsettable: frozenset[str]
    computed: frozenset[str]


@cache
def demands(name: str) -> Demands | None:
    """Return what is taken by `aws_vpc`, `data.aws_vpc`, a structure `@1f` or `lifecycle`; None if it is not known."""
    known = _schema(name)
    if known is None:
        return None
    flagged = known.codes.items()
    return Demands(
        {name: code.lstrip(_FLAGS) for name, code in flagged},
        frozenset(name for name, code in flagged if code[0] == "!"),
        frozenset(name for name, code in flagged if code[0] == "="),
        frozenset(name for name, code in flagged if code[0] in "?="),
    )


@cache
def _defaults() -> dict[str, dict[str, Value]]:
    found: dict[str, dict[str, Value]] = json.loads(_DATA.with_name("aws_defaults.json").read_bytes())
    return found


def defaults_of(resource_type: str) -> dict[str, Value]:
    """Return the constants that the provider puts in place of what is not set, where its documentation has them."""
    return _defaults().get(resource_type, {})


@cache
def provider_version() -> str:
    """Return the version of hashicorp/aws that the schema is of, such as 6.66.0."""
    with _DATA.open(encoding="utf-8") as file:
        return file.readline().split()[2].rstrip(":")


def schema(resource_type: str, mode: str = "managed") -> Schema | None:
    """Return what is known of a resource type, or of a data source (`mode` "data"); None if nothing is."""
    return _schema(resource_type if mode == "managed" else f"data.{resource_type}")


def structure(code: str) -> Schema:
    """Return the attributes of a structure, by its code `@1f`."""
    found = _schema(code)
    if found is None:
        raise KeyError(code)
    return found


@cache
def taken_earlier(major: int) -> frozenset[str]:
    """Return the paths, such as `aws_eip.vpc`, of what a major version or a later one took and the schema does not."""
    versions: dict[str, list[str]] = json.loads(_EARLIER.read_bytes())
    return frozenset(path for version, paths in versions.items() if int(version) >= major for path in paths)


@cache
def resource_types(prefix: str = "aws_") -> tuple[str, ...]:
    """Return the names of all managed resource types, sorted, or of all data sources with the prefix `data.aws_`."""
    return tuple(name.decode() for name in _lines() if name.startswith(prefix.encode()))


@cache
def _schema(name: str) -> Schema | None:
    encoded = _lines().get(name.encode())
    return None if encoded is None else Schema(json.loads(encoded))


@cache
def _lines() -> dict[bytes, bytes]:
    """Return the encoded attributes by name of type or structure."""
    pairs = (line.partition(b"\t") for line in _DATA.read_bytes().splitlines())
    return {name: encoded for name, _, encoded in pairs if encoded}


Converter: TypeAlias = Callable[[Value], Value]


@cache
def is_computed(resource_type: str, name: str, mode: str = "managed") -> bool | None:
    """Tell whether an attribute that is not set is known only after apply (True) or is what `unset` says (False).

    None: it cannot be decided, because the schema does not know it, or the provider may put a default in its place.
    """
    known = schema(resource_type, mode)
    setting = known.setting(name) if known else None
    return None if setting is None or setting.may_have_default else setting.computed


def unset(resource_type: str, name: str) -> Value:
    """Return what an attribute is that is neither set nor computed: an empty list for nested blocks, else null."""
    known = schema(resource_type)
    return [] if known and known.code(name).startswith(_BLOCKS) else None


def absent(code: str, address: str, name: str) -> Value:
    """Return what an attribute of a nested block is that the configuration does not set; `code` is its structure's.

    Null, or an empty list for blocks, if the provider leaves it unset; else Unknown: it computes it, or may do so.
    """
    setting = structure(code).setting(name)
    if setting is None or setting.computed or setting.may_have_default:
        return named_unknown(address, name)
    return [] if setting.code.startswith(_BLOCKS) else None


@cache
def has_tags(resource_type: str) -> bool | None:
    """Tell whether a resource type has an attribute `tags` that can be set; None if the type is not known."""
    known = schema(resource_type)
    if known is None:
        return None
    tags = known.setting("tags")
    return tags is not None and tags.settable


def conform(resource_type: str, name: str, value: Value, mode: str = "managed") -> Value:
    """Convert the configured value of an attribute or nested block to the type that the provider gives it.

    A set is sorted. Nested blocks are converted inside, and keep the order of the configuration even where the provider
    has a set of them; the block of which there is one at most (`timeouts`) becomes an object. What is not set is not
    added. Null and what is unknown pass; a sensitive value stays sensitive. A list from a set whose order is not known
    stays that set.

    Raises EvaluationError, in which no sensitive value is shown, if a value cannot be converted.
    """
    convert = _converter(resource_type, name, mode)
    if convert is None:
        return value
    try:
        return convert(value)
    except _MismatchError as mismatch:
        raise mismatch.as_error(resource_type, name) from None


class _MismatchError(Exception):
    """A value that is not of its type; `steps` leads to it, innermost first."""

    def __init__(self, expected: str, found: str) -> None:
        super().__init__()
        self.expected = expected
        self.found = found
        self.steps: list[str | int] = []

    def as_error(self, resource_type: str, name: str) -> EvaluationError:
        path = ".".join(map(str, [name, *reversed(self.steps)]))
        return EvaluationError(
            f"{resource_type}.{path} has a value of the wrong type", expected=self.expected, found=self.found
        )


@cache
def _converter(resource_type: str, name: str, mode: str) -> Converter | None:
    known = schema(resource_type, mode)
    code = known.code(name) if known else ""
    return _converter_to(code) if code else None


@cache
def _converter_to(code: str) -> Converter | None:
    """Return the conversion to a type, None if every value is of it."""
    if len(code) == 1:
        return _CONVERTED_PRIMITIVES.get(code)
    if code[0] == "@":
        return _guarded(_object_converter(code))
    convert = _CONVERTED_COLLECTIONS["[" if code[0] in "LS" and code[1] == "@" else code[0]]
    element = _converter_to(code[1:])
    return _guarded(lambda value: convert(value, element))


def _guarded(convert: Converter) -> Converter:
    """Let null and what is unknown pass, and convert what a sensitive value hides."""

    def guarded(value: Value) -> Value:
        if value is None:
            return value
        if not isinstance(value, Unknown):
            return convert(value)
        return _to_sensitive(value, guarded) if isinstance(value, Sensitive) else value

    return guarded


def _to_sensitive(value: Sensitive, convert: Converter) -> Sensitive:
    try:
        return marked(value.address, convert(value.reveal()), value)
    except _MismatchError as mismatch:
        raise _MismatchError(mismatch.expected, "a sensitive value of another type") from None


def _primitive(convert: Converter, own: type) -> Converter:
    def converted(value: Value) -> Value:
        try:
            return convert(value)
        except EvaluationError as error:
            raise _MismatchError(error.expected, error.found) from None

    guarded = _guarded(converted)
    return lambda value: value if type(value) is own else guarded(value)


_CONVERTED_PRIMITIVES: dict[str, Converter] = {
    "s": _primitive(to_text, str),
    "n": _primitive(to_number, int),
    "b": _primitive(to_bool, bool),
}


def _refuse(value: Value, expected: str) -> NoReturn:
    raise _MismatchError(expected, type_name(value))


def _items(value: Value, expected: str, element: Converter | None) -> list[Value]:
    """Return the converted items of a list, tuple or set."""
    if not isinstance(value, (list, tuple)):
        _refuse(value, expected)
    if element is None:
        return list(value)
    result: list[Value] = []
    try:
        for item in value:
            result.append(element(item))  # noqa: PERF401 - the handler counts the items before the wrong one
    except _MismatchError as mismatch:
        mismatch.steps.append(len(result))
        raise
    return result


def _to_list(value: Value, element: Converter | None) -> Value:
    items = _items(value, "a list", element)
    return SetValue.of(items) if is_indefinite(value) else ListValue(items)


def _to_map(value: Value, element: Converter | None) -> Value:
    if not isinstance(value, dict):
        _refuse(value, "a map")
    return MapValue(_members(value, lambda _: element))


def _to_blocks(value: Value, convert: Converter | None) -> Value:
    items = _items([value] if isinstance(value, dict) else value, "a list of objects", convert)
    return SetValue.of(items) if is_indefinite(value) else items


def _to_block(value: Value, convert: Converter | None) -> Value:
    if isinstance(value, list) and len(value) <= 1:
        value = value[0] if value else None
    return convert(value) if convert else value


_CONVERTED_COLLECTIONS: dict[str, Callable[[Value, Converter | None], Value]] = {
    "L": _to_list,
    "S": lambda value, element: SetValue.of(_items(value, "a set", element)),
    "M": _to_map,
    "[": _to_blocks,
    "{": _to_blocks,
    "1": _to_blocks,
    "(": _to_block,
}


def _members(items: dict[str, Value], converter: Callable[[str], Converter | None]) -> dict[str, Value]:
    result: dict[str, Value] = {}
    for name, item in items.items():
        convert = converter(name)
        try:
            result[name] = item if convert is None else convert(item)
        except _MismatchError as mismatch:
            mismatch.steps.append(name)
            raise
    return result


def _object_converter(code: str) -> Converter:
    """Return the conversion to an object; its structure is read on first use, since it may hold itself."""

    @cache
    def converter(name: str) -> Converter | None:
        found = structure(code).code(name)
        return _converter_to(found) if found else None

    def convert(value: Value) -> Value:
        if not isinstance(value, dict):
            _refuse(value, "an object")
        members = _members(value, converter)
        return BlockValue(members, value.address, partial(absent, code)) if isinstance(value, BlockValue) else members

    return convert
