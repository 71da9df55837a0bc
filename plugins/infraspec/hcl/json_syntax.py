"""Parse `.tf.json` and `.tfvars.json` to the tree of the native syntax.

Source: HCL JSON Syntax Specification (hashicorp/hcl, json/spec.md) and Terraform documentation, "JSON Configuration
Syntax". Text is a template, except where json_blocks.json beside says otherwise. A member `//` is a comment.

JSON does not say what is a block, so a reader needs the schema: Terraform documentation, "JSON Configuration Syntax".
Nested blocks of a provider's schema are not known here and stay attributes, but for those that configure the provider
for AWS itself.

The decoder of the standard library drops the places and keeps the last of two members of a name.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, cast

import msgspec
from msgspec import Struct

from infraspec.core.errors import HclSyntaxError
from infraspec.hcl import ast
from infraspec.hcl.lexer import Blank, Cursor
from infraspec.hcl.parser import parse_expression, parse_template, run

FILE: Final = ""
"""The parent of the blocks of a file."""


class _BlockType(Struct, frozen=True, forbid_unknown_fields=True):
    """What may stand in a block of a type, and how it is written.

    `blocks` are its block types with how many labels each has, `expressions` the attributes whose text is an
    expression (`"aws_s3_bucket.logs"` refers to the bucket), `literals` those whose text is taken as it is, `${`
    included.
    """

    blocks: Mapping[str, int] = {}
    expressions: frozenset[str] = frozenset()
    literals: frozenset[str] = frozenset()


_TYPES: Final = msgspec.json.decode(
    Path(__file__).with_name("json_blocks.json").read_bytes(), type=dict[str, _BlockType]
)
_OTHER: Final = _BlockType()
LABELS: Final = _TYPES[FILE].blocks
"""The types of the blocks of a file, with how many labels each has."""
_blank: Final = cast("Blank", re.compile(r"[ \t\r\n]*+").match)
_number: Final = re.compile(r"-?(?:0|[1-9][0-9]*+)(?:\.[0-9]++)?(?:[eE]([+-]?[0-9]++))?").match
_word: Final = re.compile(r"[A-Za-z]++").match
_text: Final = cast("Blank", re.compile(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+').match)
"""The opening quote and the text up to the closing one, or to what may not be in it."""
_lone_surrogate: Final = re.compile("[\ud800-\udfff]")
_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}


class JsonScalar(Struct, frozen=True):
    """Text, a number, true, false or null; `end` is the offset after it."""

    value: str | int | float | Decimal | bool | None
    at: int
    end: int


class JsonArray(Struct, frozen=True):
    """`[items]`."""

    items: tuple[JsonValue, ...]
    at: int
    end: int


class Member(Struct, frozen=True):
    """`"name": value` of an object."""

    name: str
    at: int
    value: JsonValue


class JsonObject(Struct, frozen=True):
    """`{members}`, in order and with repetitions."""

    members: tuple[Member, ...]
    at: int
    end: int


JsonValue: TypeAlias = JsonScalar | JsonArray | JsonObject


class JsonReader(Cursor):
    """The productions of RFC 8259, "The JavaScript Object Notation (JSON) Data Interchange Format"."""

    def look(self) -> str:
        """Find the next token and return its first character, "" at the end of the text."""
        self.ahead = ahead = _blank(self.text, self.pos).end()
        return self.text[ahead : ahead + 1]

    def document(self) -> JsonValue:
        """Parse the whole text as one value."""
        value = self.value()
        if self.look():
            raise self.error("after-json", self.ahead)
        return value

    def value(self) -> JsonValue:
        """Parse `value = object | array | string | number | "true" | "false" | "null"`."""
        character = self.look()
        self.pos = self.ahead
        if character == '"':
            return self._string()
        if character in ("{", "["):
            self.enter()
            value = self._object() if character == "{" else self._array()
            self.nesting -= 1
            return value
        return self._number_or_word()

    def _object(self) -> JsonObject:
        at = self.pos
        members: list[Member] = []
        while self._more("}", at, first=not members):
            if self.look() != '"':
                raise self.error("no-json-name", self.ahead)
            self.pos = self.ahead
            name = self._string()
            self.take(":", "the name in an object has no value")
            members.append(Member(str(name.value), name.at, self.value()))
        return JsonObject(tuple(members), at, self.pos)

    def _array(self) -> JsonArray:
        at = self.pos
        items: list[JsonValue] = []
        while self._more("]", at, first=not items):
            items.append(self.value())
        return JsonArray(tuple(items), at, self.pos)

    def _more(self, closer: str, opened: int, *, first: bool) -> bool:
        """Take the opening bracket or a comma, or else the closing bracket; tell whether an item follows."""
        if first:
            self.pos += 1
        if self.at_closer(closer, opened):
            return False
        if first:
            return True
        if not self.text.startswith(",", self.ahead):
            raise self.error("no-comma", self.ahead, closer=closer)
        self.pos = self.ahead + 1
        if self.look() in ("}", "]"):
            raise self.error("trailing-comma", self.ahead)
        return True

    def _string(self) -> JsonScalar:
        at = self.pos
        found = _text(self.text, at)
        end = found.end()
        if self.text.startswith('"', end):
            self.pos = end + 1
            decoded = json.loads(self.text[at : self.pos])
            return JsonScalar(_lone_surrogate.sub("\ufffd", decoded), at, self.pos)
        if end >= len(self.text):
            raise self.error("open-text", at)
        if self.text[end] == "\\":
            raise self.error("no-json-escape", end)
        raise self.error("control-character", end)

    def _number_or_word(self) -> JsonScalar:
        at = self.pos
        if found := _number(self.text, at):
            self.pos = found.end()
            return JsonScalar(self.exact(found[0], found[1], at), at, self.pos)
        word = _word(self.text, at)
        if word is None or word[0] not in _WORDS:
            raise self.error("no-json-value", at)
        self.pos = word.end()
        return JsonScalar(_WORDS[word[0]], at, self.pos)


_COMMENT: Final = "//"
_TextReader: TypeAlias = Callable[[JsonScalar], ast.Expression]


def parse_json(text: str, name: str, kind: Literal["configuration", "variables"] = "configuration") -> ast.File:
    """Return the tree of a JSON file: of `.tf.json`, or of the variables in `.tfvars.json`.

    Raise HclSyntaxError.
    """

    def body(reader: JsonReader) -> ast.Body:
        bodies, document = _JsonBodies(reader), reader.document()
        return bodies.body(document, FILE) if kind == "configuration" else bodies.variables(document)

    reader, read = run(JsonReader, text, name, body)
    return ast.File(reader.source, read)


class _JsonBodies:
    """JSON values as bodies, blocks and expressions."""

    def __init__(self, reader: JsonReader) -> None:
        self._reader = reader
        self._source = reader.source

    def variables(self, document: JsonValue) -> ast.Body:
        """Return a document's members as attributes whose text is taken as it is."""
        attributes: dict[str, ast.Attribute] = {}
        for member in self._members(document):
            self._add_attribute(attributes, member, self._expression(member.value, self._literal))
        return ast.Body(attributes, ())

    def body(self, value: JsonValue, parent: str) -> ast.Body:
        """Return the members of an object as the body of a block of type `parent`."""
        attributes: dict[str, ast.Attribute] = {}
        blocks: list[ast.Block] = []
        schema = _TYPES.get(parent, _OTHER).blocks
        for member in self._members(value):
            labels = schema.get(member.name)
            if labels is not None:
                blocks += self._blocks(member, member.value, labels, ())
            elif parent == FILE:
                raise self._reader.error("no-block-type", member.at, name=member.name, known=", ".join(schema))
            else:
                self._add_attribute(attributes, member, self._argument(parent, member))
        return ast.Body(attributes, tuple(blocks))

    def _members(self, value: JsonValue) -> Iterator[Member]:
        """Yield the members of an object, or of the objects in an array, which make one body together."""
        for item in value.items if isinstance(value, JsonArray) else (value,):
            if not isinstance(item, JsonObject):
                raise self._reader.error("no-object", item.at)
            yield from (member for member in item.members if member.name != _COMMENT)

    def _blocks(self, member: Member, value: JsonValue, count: int, labels: tuple[str, ...]) -> Iterator[ast.Block]:
        """Yield the blocks of a type. `count` labels are still to come, each a level of objects."""
        if isinstance(value, JsonScalar) and value.value is None:
            return
        if count:
            for labelled in self._members(value):
                yield from self._blocks(member, labelled.value, count - 1, (*labels, labelled.name))
            return
        for item in value.items if isinstance(value, JsonArray) else (value,):
            yield ast.Block(member.name, labels, self.body(item, member.name), member.at, item.end)

    def _argument(self, block: str, member: Member) -> ast.Expression:
        known = _TYPES.get(block, _OTHER)
        read = self._literal if member.name in known.literals else self._template
        return self._expression(member.value, self._reference if member.name in known.expressions else read)

    def _add_attribute(self, attributes: dict[str, ast.Attribute], member: Member, expression: ast.Expression) -> None:
        if first := attributes.get(member.name):
            raise self._duplicate(member, first.at)
        attributes[member.name] = ast.Attribute(member.name, expression, member.at, member.value.end)

    def _duplicate(self, member: Member, first: int) -> HclSyntaxError:
        lines = f"{self._source.line(first)} and {self._source.line(member.at)}"
        return self._reader.error("member-twice", member.at, name=member.name, lines=lines)

    def _expression(self, value: JsonValue, read: _TextReader) -> ast.Expression:
        if isinstance(value, JsonArray):
            return ast.Tuple(tuple(self._expression(item, read) for item in value.items), value.at)
        if isinstance(value, JsonObject):
            return self._object(value, read)
        return read(value) if isinstance(value.value, str) else ast.Literal(value.value, value.at)

    def _object(self, value: JsonObject, read: _TextReader) -> ast.Object:
        first: dict[str, int] = {}
        items: list[tuple[ast.Expression, ast.Expression]] = []
        for member in self._members(value):
            if member.name in first:
                raise self._duplicate(member, first[member.name])
            first[member.name] = member.at
            key = read(JsonScalar(member.name, member.at, member.at))
            items.append((_key(key), self._expression(member.value, read)))
        return ast.Object(tuple(items), value.at)

    def _literal(self, text: JsonScalar) -> ast.Expression:
        return ast.Literal(text.value, text.at)

    def _template(self, text: JsonScalar) -> ast.Expression:
        """Parse text as a template; `"${x}"` is a template that passes on the value of x."""
        value = str(text.value)
        return self._parsed(parse_template, text) if "${" in value or "%{" in value else ast.Literal(value, text.at)

    def _reference(self, text: JsonScalar) -> ast.Expression:
        """Parse text as an expression; the old form in `${}` is that expression too."""
        if "${" not in str(text.value):
            return self._parsed(parse_expression, text)
        node = self._template(text)
        part = node.parts[0] if isinstance(node, ast.Template) and node.wraps else None
        return part.expression if isinstance(part, ast.Interpolation) else node

    def _parsed(self, parse: Callable[[str, str], ast.Expression], text: JsonScalar) -> ast.Expression:
        """Parse text with its nodes placed where the text stands, but for the escapes before them."""
        try:
            node = parse(str(text.value), self._source.name)
        except HclSyntaxError as error:
            told = (error.message, error.expected, error.found, error.remedy)
        else:
            moved: ast.Expression = _move(node, text.at + 1)
            return moved
        raise self._reader.told(text.at, *told)


def _key(key: ast.Expression) -> ast.Expression:
    """Return the key of an object: a bare name stands for its text."""
    return ast.Literal(key.name, key.at) if isinstance(key, ast.Name) else key


def _move(value: Any, by: int) -> Any:
    if isinstance(value, tuple):
        return tuple(_move(item, by) for item in value)
    if not isinstance(value, ast.Node):
        return value
    fields = {name: getattr(value, name) for name in value.__struct_fields__}
    return type(value)(**{name: item + by if name == "at" else _move(item, by) for name, item in fields.items()})
