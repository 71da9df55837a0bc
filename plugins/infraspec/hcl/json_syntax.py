"""Parse `.tf.json` and `.tfvars.json` to the tree of the native syntax.

Source: HCL JSON Syntax Specification (hashicorp/hcl, json/spec.md) and Terraform documentation, "JSON Configuration
Syntax". Text is a template, except where `json_schema` says otherwise. A member `//` is a comment.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final, TypeAlias
from typing import Literal as Choice

from infraspec.errors import HclSyntaxError
from infraspec.hcl.json_schema import BLOCKS, EXPRESSIONS, FILE, LITERALS
from infraspec.hcl.json_values import JsonArray, JsonObject, JsonReader, JsonScalar, JsonValue, Member
from infraspec.hcl.nodes import (
    Attribute,
    Block,
    Body,
    Expression,
    File,
    Interpolation,
    Literal,
    Name,
    Node,
    Object,
    Template,
    Tuple,
)
from infraspec.hcl.parser import clean, parse_expression, run
from infraspec.hcl.source import Source
from infraspec.hcl.templates import parse_template

_COMMENT: Final = "//"
_TextReader: TypeAlias = Callable[[JsonScalar], Expression]


def parse_json(text: str, name: str, kind: Choice["configuration", "variables"] = "configuration") -> File:
    """Return the tree of a JSON file: of `.tf.json`, or of the variables in `.tfvars.json`.

    Raise HclSyntaxError.
    """
    source = Source(name, clean(text))
    read = _configuration if kind == "configuration" else _variables
    return File(source, run(lambda: JsonReader(source), read)[1])


def _configuration(reader: JsonReader) -> Body:
    return _JsonBodies(reader).body(reader.document(), FILE)


def _variables(reader: JsonReader) -> Body:
    return _JsonBodies(reader).variables(reader.document())


class _JsonBodies:
    """JSON values as bodies, blocks and expressions."""

    def __init__(self, reader: JsonReader) -> None:
        self._source = reader.source
        self._error = reader.error

    def variables(self, document: JsonValue) -> Body:
        """Return a document's members as attributes whose text is taken as it is."""
        attributes: dict[str, Attribute] = {}
        for member in self._members(document):
            self._add_attribute(attributes, member, self._expression(member.value, self._literal))
        return Body(attributes, ())

    def body(self, value: JsonValue, parent: str) -> Body:
        """Return the members of an object as the body of a block of type `parent`."""
        attributes: dict[str, Attribute] = {}
        blocks: list[Block] = []
        schema = BLOCKS.get(parent, {})
        for member in self._members(value):
            labels = schema.get(member.name)
            if labels is not None:
                blocks += self._blocks(member, member.value, labels, ())
            elif parent == FILE:
                raise self._error(
                    f'Terraform has no block type "{member.name}"',
                    member.at,
                    expected=f"one of {', '.join(schema)}",
                    found=f'"{member.name}"',
                )
            else:
                self._add_attribute(attributes, member, self._argument(parent, member))
        return Body(attributes, tuple(blocks))

    def _members(self, value: JsonValue) -> Iterator[Member]:
        """Yield the members of an object, or of the objects in an array, which make one body together."""
        for item in value.items if isinstance(value, JsonArray) else (value,):
            if not isinstance(item, JsonObject):
                raise self._error("an object is missing", item.at, expected="{")
            yield from (member for member in item.members if member.name != _COMMENT)

    def _blocks(self, member: Member, value: JsonValue, count: int, labels: tuple[str, ...]) -> Iterator[Block]:
        """Yield the blocks of a type. `count` labels are still to come, each a level of objects."""
        if isinstance(value, JsonScalar) and value.value is None:
            return
        if count:
            for labelled in self._members(value):
                yield from self._blocks(member, labelled.value, count - 1, (*labels, labelled.name))
            return
        for item in value.items if isinstance(value, JsonArray) else (value,):
            yield Block(member.name, labels, self.body(item, member.name), member.at, item.end)

    def _argument(self, block: str, member: Member) -> Expression:
        read = self._template
        if member.name in EXPRESSIONS.get(block, ()):
            read = self._reference
        elif member.name in LITERALS.get(block, ()):
            read = self._literal
        return self._expression(member.value, read)

    def _add_attribute(self, attributes: dict[str, Attribute], member: Member, expression: Expression) -> None:
        first = attributes.get(member.name)
        if first:
            raise self._duplicate(member, first.at)
        attributes[member.name] = Attribute(member.name, expression, member.at, member.value.end)

    def _duplicate(self, member: Member, first: int) -> HclSyntaxError:
        lines = f"{self._source.line(first)} and {self._source.line(member.at)}"
        return self._error(
            f'"{member.name}" is set twice, in lines {lines}',
            member.at,
            expected="one member of a name in an object",
            found=f'"{member.name}" again',
            remedy=f'remove one of the two "{member.name}"',
        )

    def _expression(self, value: JsonValue, read: _TextReader) -> Expression:
        if isinstance(value, JsonArray):
            return Tuple(tuple(self._expression(item, read) for item in value.items), value.at)
        if isinstance(value, JsonObject):
            return self._object(value, read)
        return read(value) if isinstance(value.value, str) else Literal(value.value, value.at)

    def _object(self, value: JsonObject, read: _TextReader) -> Object:
        first: dict[str, int] = {}
        items: list[tuple[Expression, Expression]] = []
        for member in self._members(value):
            if member.name in first:
                raise self._duplicate(member, first[member.name])
            first[member.name] = member.at
            key = read(JsonScalar(member.name, member.at, member.at))
            items.append((_key(key), self._expression(member.value, read)))
        return Object(tuple(items), value.at)

    def _literal(self, text: JsonScalar) -> Expression:
        return Literal(text.value, text.at)

    def _template(self, text: JsonScalar) -> Expression:
        """Parse text as a template; `"${x}"` is a template that passes on the value of x."""
        value = str(text.value)
        return self._parsed(parse_template, text) if "${" in value or "%{" in value else Literal(value, text.at)

    def _reference(self, text: JsonScalar) -> Expression:
        """Parse text as an expression; the old form in `${}` is that expression too."""
        if "${" not in str(text.value):
            return self._parsed(parse_expression, text)
        node = self._template(text)
        part = node.parts[0] if isinstance(node, Template) and node.wraps else None
        return part.expression if isinstance(part, Interpolation) else node

    def _parsed(self, parse: Callable[[str, str], Expression], text: JsonScalar) -> Expression:
        """Parse text with its nodes placed where the text stands, but for the escapes before them."""
        try:
            node = parse(str(text.value), self._source.name)
        except HclSyntaxError as error:
            message, expected, found, remedy = error.message, error.expected, error.found, error.remedy
        else:
            moved: Expression = _move(node, text.at + 1)
            return moved
        raise self._error(message, text.at, expected=expected, found=found, remedy=remedy)


def _key(key: Expression) -> Expression:
    """Return the key of an object: a bare name stands for its text."""
    return Literal(key.name, key.at) if isinstance(key, Name) else key


def _move(value: Any, by: int) -> Any:
    if isinstance(value, tuple):
        return tuple(_move(item, by) for item in value)
    if not isinstance(value, Node):
        return value
    fields = {name: getattr(value, name) for name in value.__struct_fields__}
    return type(value)(**{name: item + by if name == "at" else _move(item, by) for name, item in fields.items()})
