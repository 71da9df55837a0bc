"""Type constraints of input variables: reading them, and converting values to them.

Source: Terraform Language, "Type Constraints" (Conversion of Complex Types, Optional Object Type Attributes). Unknown
parts pass a conversion; of sensitive ones no error says anything.

Source: Terraform Language, "Type Constraints" (Conversion of Complex Types). `[1, "a"]` becomes `["1", "a"]`; objects
of the same attributes are unified attribute by attribute, others as maps; tuples of the same length element by element.

Source: Terraform Language Documentation, "Conditional Expressions" (Result Types): `true ? 1 : "a"` is `"1"`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence

from msgspec import Struct
from msgspec.structs import replace

from infraspec.core.errors import EvaluationError
from infraspec.core.unknown import Application, Sensitive, Unknown, Value, marked
from infraspec.hcl.ast import Call, Expression, Literal, Name, Object, Parentheses, Tuple
from infraspec.terraform.language import partial_values
from infraspec.terraform.language.conversions import reveal, to_bool, to_number, to_text
from infraspec.terraform.language.partial_values import Undetermined
from infraspec.terraform.language.values import (
    ListValue,
    MapValue,
    SetValue,
    UnorderedTuple,
    is_indefinite,
    type_name,
    with_items,
)


class ValuePath(Struct, frozen=True):
    """A path such as `["web"].ports[0]`; empty for the value itself.

    `hidden` says that the value may be a secret: the path then has no key of a map, and no error shows a value.
    """

    text: str = ""
    hidden: bool = False

    def __str__(self) -> str:
        return self.text

    def index(self, position: int) -> ValuePath:
        """Return the path of an element of a list, set or tuple."""
        return self._then(f"[{position}]")

    def key(self, key: str) -> ValuePath:
        """Return the path of an element of a map."""
        return self._then("[…]" if self.hidden else f'["{key}"]')

    def attribute(self, name: str) -> ValuePath:
        """Return the path of an attribute that the type of an object names."""
        return self._then(f".{name}")

    def hide(self) -> ValuePath:
        """Return the path of the same part, the value of which may be a secret."""
        return replace(self, hidden=True)

    def _then(self, step: str) -> ValuePath:
        return replace(self, text=self.text + step)


_PRIMITIVE = frozenset({"string", "number", "bool"})


def unified(items: Sequence[Value]) -> list[Value]:
    """Return the items converted to one type.

    Raises EvaluationError if there is none, Undetermined if it depends on a value that is not known.
    """
    kinds = {_kind(item) for item in items if item is not None}
    known = kinds - {"unknown"}
    if known <= _PRIMITIVE:
        return _unified_primitives(items, known, uncertain="unknown" in kinds)
    if len(known) > 1:
        raise _no_common_type(known)
    if "unknown" in kinds and any(_is_convertible(item) for item in items):
        raise Undetermined
    return _unified_objects(items) if known == {"object"} else _unified_sequences(items)


def _kind(value: Value) -> str:
    match value:
        case Unknown() | UnorderedTuple():
            return "string" if partial_values.is_scalar(value) else "unknown"
        case dict():
            return "object"
        case list():
            return "list"
        case _:
            return type_name(value)


def _no_common_type(kinds: set[str]) -> EvaluationError:
    found = " and ".join(sorted(kinds))
    return EvaluationError("elements have no common type", expected="elements of one type", found=found)


def _is_convertible(value: Value) -> bool:
    """Tell whether the value holds a number or bool, which an unknown text beside it would turn to text."""
    if isinstance(value, dict):
        return any(map(_is_convertible, value.values()))
    if isinstance(value, list):
        return any(map(_is_convertible, value))
    return isinstance(value, (bool, int, float))


def holds_untyped(value: Value) -> bool:
    """Tell whether a part of a value is of any type: unknown, null, or a list, set or map that is empty."""
    if isinstance(value, (dict, list)):
        parts = value.values() if isinstance(value, dict) else value
        return any(map(holds_untyped, parts)) if value else isinstance(value, (ListValue, MapValue, SetValue))
    return value is None or (isinstance(value, Unknown) and not partial_values.is_scalar(value))


def _unified_primitives(items: Sequence[Value], known: set[str], *, uncertain: bool) -> list[Value]:
    if "string" in known:
        return [None if item is None else to_text(item) for item in items]
    if known and uncertain:
        raise Undetermined
    if len(known) > 1:
        raise _no_common_type(known)
    return list(items)


def _unified_objects(items: Sequence[Value]) -> list[Value]:
    objects = [item for item in items if isinstance(item, dict)]
    if all(item.keys() == objects[0].keys() for item in objects):
        columns = {key: iter(unified([item[key] for item in objects])) for key in objects[0]}
        return [_rebuilt(item, lambda key: columns[key]) for item in items]
    values = iter(unified([value for item in objects for value in item.values()]))
    return [_rebuilt(item, lambda _: values) for item in items]


def _rebuilt(item: Value, source: Callable[[str], Iterator[Value]]) -> Value:
    return with_items(item, ((key, next(source(key))) for key in item)) if isinstance(item, dict) else item


def _unified_sequences(items: Sequence[Value]) -> list[Value]:
    lists = [item for item in items if isinstance(item, list)]
    kind = next((kind for kind in (ListValue, SetValue) if any(isinstance(item, kind) for item in lists)), list)
    if kind is not SetValue and any(map(is_indefinite, lists)):
        raise Undetermined
    make = SetValue.of if kind is SetValue else kind
    if len({isinstance(item, SetValue) for item in lists}) > 1 and (element := _element_type(lists, kind)):
        try:
            made = iter([make([_convert(element, value, ValuePath()) for value in item]) for item in lists])
        except EvaluationError:  # an error if that one is taken
            raise Undetermined from None
        return [next(made) if isinstance(item, list) else item for item in items]
    if all(type(item) is list and len(item) == len(lists[0]) for item in lists):
        rows = iter(zip(*[unified(column) for column in zip(*lists, strict=True)], strict=True))
        return [list(next(rows, ())) if isinstance(item, list) else item for item in items]
    make = ListValue if make is list else make  # of tuples of different lengths it is a list
    values = iter(unified([value for item in lists for value in item]))
    return [make([next(values) for _ in item]) if isinstance(item, list) else item for item in items]


def _element_type(lists: Sequence[list[Value]], kind: type[list[Value]]) -> TypeConstraint | None:
    """Return the type that a tuple takes beside a set, and a set beside a list; None if it has no element to tell it.

    Source: go-cty, "convert.Unify": of a set and something else the type is that of one of them.
    """
    elements = [value for item in lists if isinstance(item, kind) for value in item]
    known = (value for value in elements if not holds_untyped(value))
    return next(map(_type_of, known), None)


def _type_of(value: Value) -> TypeConstraint:
    """Return the type of a value no part of which is untyped."""
    match value:
        case ListValue() | SetValue():
            return CollectionType("set" if isinstance(value, SetValue) else "list", _type_of(value[0]))
        case MapValue():
            return CollectionType("map", _type_of(next(iter(value.values()))))
        case list():
            return TupleType(tuple(map(_type_of, value)))
        case dict():
            return ObjectType(tuple(AttributeType(name, _type_of(item)) for name, item in value.items()))
        case _:
            return PrimitiveType("string" if isinstance(value, Unknown) else type_name(value))


_OF_SETS = frozenset({"fileset", "setintersection", "setproduct", "setsubtract", "setunion", "toset"})
"""Functions that give a set, whatever is in it."""


def common_type(value: Value, other: Value) -> Value:
    """Return a value as the branches' common type has it.

    It stays as it is where they have none, which Terraform refuses, or where the other's type is not known.
    """
    if isinstance(value, Sensitive):
        return marked(value.address, common_type(value.reveal(), other), value)
    if value is None or isinstance(value, Unknown):
        return value
    call = Application.of(other) if isinstance(other, Unknown) else None
    if call and call.function in _OF_SETS:
        other = SetValue([other])
    try:
        converted, _ = unified([value, "" if partial_values.is_scalar(other) else reveal(other)])
    except (EvaluationError, Undetermined):
        return value
    return converted


_PRIMITIVES: dict[str, Callable[[Value], Value]] = {"string": to_text, "number": to_number, "bool": to_bool}
_VALID = "string, number, bool, any, list(…), set(…), map(…), tuple([…]) or object({…})"

Default = Callable[[Expression], Value]
"""Evaluates the default of an optional attribute."""


class TypeConstraint(Struct, frozen=True):
    """What a value must be, or be convertible to. Its text is that of the language."""

    @staticmethod
    def from_expression(node: Expression, default: Default) -> TypeConstraint:
        """Read `list(object({ name = string, port = optional(number, 443) }))`, or `"list"` as before Terraform 0.12.

        Raises EvaluationError if it is no type.
        """
        if isinstance(node, Literal) and node.value in ("string", "list", "map"):
            return _read(Name(str(node.value), node.at), default)
        return _read(node, default)

    def convert(self, value: Value, *, hidden: bool = False) -> Value:
        """Return the value as this type wants it.

        Raises EvaluationError that names the path of the part that does not fit, its type and the one expected; and
        shows the part itself if it is text or a number, unless the value is sensitive or `hidden`.
        """
        return _convert(self, value, ValuePath(hidden=hidden))


class AnyType(TypeConstraint, frozen=True):
    """`any`: whatever the value is."""

    def __str__(self) -> str:
        return "any"


class PrimitiveType(TypeConstraint, frozen=True):
    """`string`, `number` or `bool`."""

    name: str

    def __str__(self) -> str:
        return self.name


class CollectionType(TypeConstraint, frozen=True):
    """`list(element)`, `set(element)` or `map(element)`."""

    name: str
    element: TypeConstraint

    def __str__(self) -> str:
        return f"{self.name}({self.element})"


class TupleType(TypeConstraint, frozen=True):
    """`tuple([elements])`."""

    elements: tuple[TypeConstraint, ...]

    def __str__(self) -> str:
        return f"tuple([{', '.join(map(str, self.elements))}])"


class AttributeType(Struct, frozen=True):
    """An attribute of an object; `default` is None if an optional one has none."""

    name: str
    type: TypeConstraint
    optional: bool = False
    default: Value = None

    def __str__(self) -> str:
        return f"{self.name} = optional({self.type})" if self.optional else f"{self.name} = {self.type}"


class ObjectType(TypeConstraint, frozen=True):
    """`object({ attributes })`."""

    attributes: tuple[AttributeType, ...]

    def __str__(self) -> str:
        return f"object({{ {', '.join(map(str, self.attributes))} }})"


def _read(node: Expression, default: Default) -> TypeConstraint:
    match node:
        case Name(name="any"):
            return AnyType()
        case Name(name=name) if name in _PRIMITIVES:
            return PrimitiveType(name)
        case Name(name=("list" | "set" | "map") as name):
            return CollectionType(name, AnyType())
        case Call(name=("list" | "set" | "map") as name, arguments=(element,)):
            return CollectionType(name, _read(element, default))
        case Call(name="tuple", arguments=(Tuple(items=items),)):
            return TupleType(tuple(_read(item, default) for item in items))
        case Call(name="object", arguments=(Object(items=attributes),)):
            return ObjectType(tuple(_read_attribute(key, item, default) for key, item in attributes))
        case Parentheses(inner=inner):
            return _read(inner, default)
        case _:
            raise _no_type(node)


def _no_type(node: Expression) -> EvaluationError:
    match node:
        case Literal(value=str() as text):
            return EvaluationError(
                "a type is written without quotes", expected=_VALID, found=f'"{text}"', remedy=f"type = {text}"
            )
        case Call(name="optional"):
            return EvaluationError("optional(…) stands only for an attribute of object({…})", expected=_VALID)
        case Call(name=found) | Name(name=found):
            return EvaluationError("this is no type", expected=_VALID, found=found)
        case _:
            return EvaluationError("this is no type", expected=_VALID, found=type(node).__name__.lower())


def _read_attribute(key: Expression, node: Expression, default: Default) -> AttributeType:
    if not isinstance(key, Literal) or not isinstance(key.value, str):
        raise EvaluationError("the attributes of object({…}) are plain names", expected="name = type")
    match node:
        case Call(name="optional", arguments=(inner,)):
            return AttributeType(key.value, _read(inner, default), optional=True)
        case Call(name="optional", arguments=(inner, value)):
            constraint = _read(inner, default)
            converted = _convert(constraint, default(value), ValuePath(f" (default of {key.value})"))
            return AttributeType(key.value, constraint, optional=True, default=converted)
        case Call(name="optional"):
            raise EvaluationError("optional(…) takes a type and perhaps a default", expected="1 or 2 arguments")
        case _:
            return AttributeType(key.value, _read(node, default))


def _convert(constraint: TypeConstraint, value: Value, path: ValuePath) -> Value:
    if isinstance(value, Sensitive):
        return marked(value.address, _hidden(constraint, value.reveal(), path.hide()), value)
    if value is None or isinstance(value, Unknown):
        return value
    match constraint:
        case PrimitiveType():
            return _primitive(constraint, value, path)
        case CollectionType(name="map"):
            return _map(constraint, value, path)
        case CollectionType():
            return _list_or_set(constraint, value, path)
        case TupleType():
            return _tuple(constraint, value, path)
        case ObjectType():
            return _object(constraint, value, path)
        case _:
            return value


def _hidden(constraint: TypeConstraint, value: Value, path: ValuePath) -> Value:
    try:
        return _convert(constraint, value, path)
    except EvaluationError as error:
        raise EvaluationError(error.message, expected=error.expected, found="a sensitive value") from None


def _mismatch(constraint: TypeConstraint, path: ValuePath, found: str) -> EvaluationError:
    return EvaluationError(f"the value{path} is not of its type", expected=str(constraint), found=found)


def _primitive(constraint: PrimitiveType, value: Value, path: ValuePath) -> Value:
    try:
        return _PRIMITIVES[constraint.name](value)
    except EvaluationError as error:
        raise _mismatch(constraint, path, type_name(value) if path.hidden else error.found) from None


def _list_or_set(constraint: CollectionType, value: Value, path: ValuePath) -> Value:
    if not isinstance(value, list):
        raise _mismatch(constraint, path, type_name(value))
    items = [_convert(constraint.element, item, path.index(position)) for position, item in enumerate(value)]
    items = _of_one_type(constraint, items, path)
    if constraint.name == "set":
        return SetValue.of(items)
    return partial_values.application("tolist", [SetValue(items)]) if is_indefinite(value) else ListValue(items)


def _map(constraint: CollectionType, value: Value, path: ValuePath) -> Value:
    if not isinstance(value, dict):
        raise _mismatch(constraint, path, type_name(value))
    items = [_convert(constraint.element, item, path.key(key)) for key, item in value.items()]
    return MapValue(zip(value, _of_one_type(constraint, items, path), strict=True))


def _of_one_type(constraint: CollectionType, items: list[Value], path: ValuePath) -> list[Value]:
    """Unify the elements where the constraint leaves their type open; an unknown one leaves the others as they are."""
    if not isinstance(constraint.element, AnyType):
        return items
    try:
        return unified(items)
    except EvaluationError as error:
        raise _mismatch(constraint, path, error.found) from None
    except Undetermined:
        return items


def _tuple(constraint: TupleType, value: Value, path: ValuePath) -> Value:
    if not isinstance(value, list) or isinstance(value, SetValue):
        raise _mismatch(constraint, path, type_name(value))
    if len(value) != len(constraint.elements):
        raise _mismatch(constraint, path, f"{len(value)} elements")
    pairs = enumerate(zip(constraint.elements, value, strict=True))
    return [_convert(element, item, path.index(position)) for position, (element, item) in pairs]


def _object(constraint: ObjectType, value: Value, path: ValuePath) -> Value:
    if not isinstance(value, dict):
        raise _mismatch(constraint, path, type_name(value))
    return {attribute.name: _attribute(attribute, value, path) for attribute in constraint.attributes}


def _attribute(attribute: AttributeType, value: dict[str, Value], path: ValuePath) -> Value:
    inside = path.attribute(attribute.name)
    if attribute.name not in value and not attribute.optional:
        raise EvaluationError(
            f"the value{path} lacks an attribute",
            expected=f"{inside} of type {attribute.type}",
            found=f"{len(value)} attributes" if path.hidden else _names(value),
        )
    found = value.get(attribute.name)
    return attribute.default if found is None else _convert(attribute.type, found, inside)


def _names(value: dict[str, Value]) -> str:
    return "attributes " + (", ".join(sorted(map(str, value))) or "(none)")
