"""Values as the AWS provider would have them: converted to the types of its attributes.

A conversion is looked up once per type and attribute. A type or attribute that is not known has none: values stay as
they are. Source: Terraform Language, "Type Constraints" (Conversion of Primitive Types, Conversion of Complex Types).
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache, partial
from typing import NoReturn, TypeAlias

from infraspec.errors import EvaluationError
from infraspec.terraform.attribute_types import (
    AttributeType,
    BlockType,
    Schema,
    closest,
    provider_version,
    resource_types,
    schema,
    structure,
)
from infraspec.terraform.conversions import to_bool, to_number, to_text
from infraspec.terraform.values import (
    BlockValue,
    ListValue,
    MapValue,
    SetValue,
    is_indefinite,
    named_unknown,
    type_name,
)
from infraspec.unknown import Sensitive, Unknown, Value

__all__ = [
    "AttributeType",
    "BlockType",
    "Schema",
    "absent",
    "closest",
    "conform",
    "has_tags",
    "is_computed",
    "provider_version",
    "resource_types",
    "schema",
    "unset",
]

Converter: TypeAlias = Callable[[Value], Value]


@cache
def is_computed(resource_type: str, name: str, mode: str = "managed") -> bool | None:
    """Tell whether an attribute that is not set is known only after apply (True) or is what `unset` says (False).

    None: it cannot be told, because the schema does not know it, or the provider may put a default in its place.
    """
    known = schema(resource_type, mode)
    if known is None:
        return None
    setting = known.attribute(name) or known.block(name)
    return None if setting is None or setting.may_have_default else setting.computed


@cache
def _is_empty_list(resource_type: str, name: str, mode: str) -> bool:
    known = schema(resource_type, mode)
    return known is not None and known.code(name)[:1] in ("[", "{")


def unset(resource_type: str, name: str, mode: str = "managed") -> Value:
    """Return what an attribute is that is neither set nor computed: an empty list for nested blocks, else null."""
    return [] if _is_empty_list(resource_type, name, mode) else None


def absent(code: str, address: str, name: str) -> Value:
    """Return what an attribute of a nested block is that the configuration does not set; `code` is its structure's.

    Null, or an empty list for blocks, if the provider leaves it unset; else Unknown: it computes it, or may do so.
    """
    known = structure(code)
    setting = known.attribute(name) or known.block(name)
    if setting is None or setting.computed or setting.may_have_default:
        return named_unknown(address, name)
    return [] if known.code(name)[:1] in ("[", "{") else None


@cache
def has_tags(resource_type: str) -> bool | None:
    """Tell whether a resource type has an attribute `tags` that can be set; None if the type is not known."""
    known = schema(resource_type)
    if known is None:
        return None
    tags = known.attribute("tags")
    return tags is not None and (tags.optional or tags.required)


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
        return _PRIMITIVES.get(code)
    if code[0] == "@":
        return _guarded(_object_converter(code))
    convert = _COLLECTIONS["[" if code[0] in "LS" and code[1] == "@" else code[0]]
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
        return Sensitive(value.address, convert(value.reveal()))
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


_PRIMITIVES: dict[str, Converter] = {
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


def _to_set(value: Value, element: Converter | None) -> Value:
    return SetValue.of(_items(value, "a set", element))


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


_COLLECTIONS: dict[str, Callable[[Value, Converter | None], Value]] = {
    "L": _to_list,
    "S": _to_set,
    "M": _to_map,
    "[": _to_blocks,
    "{": _to_blocks,
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
