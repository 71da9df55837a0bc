"""Type constraints of input variables: reading them, and converting values to them.

Source: Terraform Language, "Type Constraints" (Conversion of Complex Types, Optional Object Type Attributes). Unknown
parts pass a conversion; of sensitive ones no error says anything.
"""

from __future__ import annotations

from collections.abc import Callable

from msgspec import Struct

from infraspec.errors import EvaluationError
from infraspec.hcl.nodes import Call, Expression, Literal, Name, Object, Parentheses, Tuple
from infraspec.terraform import symbolic
from infraspec.terraform.conversions import to_bool, to_number, to_text
from infraspec.terraform.symbolic import Undetermined
from infraspec.terraform.unification import unified
from infraspec.terraform.value_path import ValuePath
from infraspec.terraform.values import ListValue, MapValue, SetValue, is_indefinite, type_name
from infraspec.unknown import Sensitive, Unknown, Value

_PRIMITIVES: dict[str, Callable[[Value], Value]] = {"string": to_text, "number": to_number, "bool": to_bool}
_VALID = "string, number, bool, any, list(…), set(…), map(…), tuple([…]) or object({…})"

Default = Callable[[Expression], Value]
"""Evaluates the default of an optional attribute."""


class TypeConstraint(Struct, frozen=True):
    """What a value must be, or be convertible to. Its text is that of the language."""

    @staticmethod
    def from_expression(node: Expression, default: Default) -> TypeConstraint:
        """Read `list(object({ name = string, port = optional(number, 443) }))`.

        Raises EvaluationError if it is no type.
        """
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
        return Sensitive(value.address, _hidden(constraint, value.reveal(), path.hide()))
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
    return symbolic.application("tolist", [SetValue(items)]) if is_indefinite(value) else ListValue(items)


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
