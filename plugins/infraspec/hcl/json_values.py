"""JSON with the place of every value, as the JSON syntax of HCL needs it.

The decoder of the standard library drops the places and keeps the last of two members of a name.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from typing import Final, TypeAlias, cast

from msgspec import Struct

from infraspec.hcl.cursor import Cursor
from infraspec.hcl.lexicon import Blank
from infraspec.hcl.nodes import exact_number

_blank: Final = cast("Blank", re.compile(r"[ \t\r\n]*+").match)
_number: Final = re.compile(r"-?(?:0|[1-9][0-9]*+)(\.[0-9]++)?([eE][+-]?[0-9]++)?").match
_word: Final = re.compile(r"[A-Za-z]++").match
_text: Final = cast("Blank", re.compile(r'"(?:[^"\\\x00-\x1f]++|\\(?:["\\/bfnrt]|u[0-9a-fA-F]{4}))*+').match)
"""The opening quote and the text up to the closing one, or to what may not be in it."""
_ESCAPES: Final = r"an escape: one of \" \\ \/ \b \f \n \r \t \uXXXX"
_lone_surrogate: Final = re.compile("[\ud800-\udfff]")
_WORDS: Final[dict[str, bool | None]] = {"true": True, "false": False, "null": None}
_LARGEST_NUMBER: Final = 4000
"""The digits of the largest number, beyond which it is hardly one."""


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
            raise self.error("text follows the JSON value", self.ahead, expected="the end of the file")
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
                raise self.error("a name in an object is missing", self.ahead, expected='a name in quotes (")')
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
        character = self.look()
        if not character:
            raise self.error("the bracket is not closed", opened, expected=f'"{closer}"', found="the end of the file")
        if character == closer:
            self.pos = self.ahead + 1
            return False
        if first:
            return True
        if character != ",":
            raise self.error("the comma is missing", self.ahead, expected=f'"," or "{closer}"')
        self.pos = self.ahead + 1
        if self.look() in ("}", "]"):
            raise self.error("a comma stands before the closing bracket", self.ahead, expected="a value")
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
            raise self.error("the text has no closing quote", at, expected='"', found="the end of the file")
        if self.text[end] == "\\":
            raise self.error("the backslash begins no escape sequence", end, expected=_ESCAPES)
        raise self.error("a control character stands in the text", end, expected=_ESCAPES)

    def _number_or_word(self) -> JsonScalar:
        at = self.pos
        if found := _number(self.text, at):
            self.pos = found.end()
            return JsonScalar(self._decode_number(found), at, self.pos)
        word = _word(self.text, at)
        if word is None or word[0] not in _WORDS:
            raise self.error("a JSON value is missing", at, expected='a value, such as "text", 1, true, null, [ or {')
        self.pos = word.end()
        return JsonScalar(_WORDS[word[0]], at, self.pos)

    def _decode_number(self, found: re.Match[str]) -> int | float | Decimal:
        exponent = (found[2] or "e0")[1:]
        if len(found[0]) > _LARGEST_NUMBER or abs(Decimal(exponent)) > _LARGEST_NUMBER:
            raise self.error(
                "the number is too large", found.start(), expected=f"at most {_LARGEST_NUMBER} digits", found="more"
            )
        value = Decimal(found[0])
        return exact_number(value)
