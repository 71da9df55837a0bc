"""The attributes of the AWS provider's resources and data sources: their types, and what they are when not set.

The facts are in aws_schema.txt, which tools/aws_schema.mjs writes from the schema that the provider publishes; its head
explains the codes. What is not there (another provider, an attribute of another version) is not known: None.
"""

from __future__ import annotations

import difflib
import json
from collections.abc import Collection
from functools import cache
from pathlib import Path

from msgspec import Struct

_DATA = Path(__file__).with_name("aws_schema.txt")
_FLAGS = "!?=~"
_PRIMITIVES = {"s": "string", "n": "number", "b": "bool", "*": "any"}
_COLLECTIONS = {"L": "list", "S": "set", "M": "map"}
_BLOCKS = {"[": "list", "{": "set", "(": "single"}


class Setting(Struct, frozen=True):
    """Who sets an attribute or nested block: the configuration, the provider, or either."""

    flag: str = ""

    @property
    def required(self) -> bool:
        """Tell whether a configuration must set it."""
        return self.flag == "!"

    @property
    def optional(self) -> bool:
        """Tell whether a configuration may set it or leave it."""
        return self.flag in ("", "?", "~")

    @property
    def computed(self) -> bool:
        """Tell whether the provider sets it when the configuration does not."""
        return self.flag in ("?", "=")

    @property
    def may_have_default(self) -> bool:
        """Tell whether the provider may put something in place of what is not set."""
        return self.flag == "~"


class AttributeType(Setting, frozen=True):
    """The type of an attribute.

    `kind` is "string", "number", "bool", "any", "list", "set", "map" or "object"; `element` the type of what a
    collection holds; `attributes` the schema of an object.
    """

    kind: str = "any"
    element: AttributeType | None = None
    attributes: Schema | None = None

    @property
    def may_have_default(self) -> bool:
        """Tell whether the provider may put a constant in place of what is not set.

        The published schema leaves defaults out: any optional number or bool may have one, and so may a string that is
        documented with one.
        """
        return self.flag == "~" or (self.flag == "" and self.kind in ("number", "bool", "any"))

    def __str__(self) -> str:
        """Write it as a type constraint: `set(string)`."""
        return f"{self.kind}({self.element})" if self.element else self.kind


class BlockType(Setting, frozen=True):
    """A nested block, or an attribute of objects that may be written as blocks.

    `nesting` is "list" or "set" (a list of objects in `Resource.values`) or "single" (one object, or null).
    """

    nesting: str = "list"
    attributes: Schema | None = None

    def attribute(self, name: str) -> AttributeType | None:
        """Return the type of an attribute inside the block."""
        return self.attributes.attribute(name) if self.attributes else None

    def block(self, name: str) -> BlockType | None:
        """Return a block inside the block."""
        return self.attributes.block(name) if self.attributes else None


class Schema(Struct, frozen=True):
    """The attributes and nested blocks of a resource type, a data source or a nested block."""

    codes: dict[str, str]

    def names(self) -> Collection[str]:
        """Return the names of all attributes and blocks, sorted."""
        return self.codes.keys()

    def code(self, name: str) -> str:
        """Return the code of a type without its flag, empty for a name that is not known."""
        return _split(self.codes.get(name, ""))[1]

    def attribute(self, name: str) -> AttributeType | None:
        """Return the type of an attribute; None for a block, and for a name that is not known."""
        flag, code = _split(self.codes.get(name, ""))
        return None if not code or code[0] in _BLOCKS else _attribute_type(code, flag)

    def block(self, name: str) -> BlockType | None:
        """Return a block, or an attribute that may be written as one; None for the rest."""
        flag, code = _split(self.codes.get(name, ""))
        if code[1:2] != "@" or code[0] == "M":
            return None
        return BlockType(flag, _BLOCKS.get(code[0]) or _COLLECTIONS[code[0]], structure(code[1:]))


def schema(resource_type: str, mode: str = "managed") -> Schema | None:
    """Return what is known of a resource type, or of a data source (`mode` "data"); None if nothing is."""
    return _schema(resource_type if mode == "managed" else f"data.{resource_type}")


def structure(code: str) -> Schema:
    """Return the attributes of a structure, by its code `@1f`."""
    found = _schema(code)
    if found is None:
        raise KeyError(code)
    return found


def provider_version() -> str:
    """Return the version of the AWS provider that the schema is from."""
    return _data().split(b":", 1)[0].rpartition(b" ")[2].decode()


@cache
def resource_types() -> Collection[str]:
    """Return the names of all managed resource types, sorted."""
    return tuple(name.decode() for name in _lines() if name.startswith(b"aws_"))


def closest(resource_type: str) -> str | None:
    """Return the known resource type that a misspelt one is most like, or None."""
    found = difflib.get_close_matches(resource_type, resource_types(), n=1, cutoff=0.8)
    return found[0] if found else None


def _split(code: str) -> tuple[str, str]:
    return (code[0], code[1:]) if code and code[0] in _FLAGS else ("", code)


def _attribute_type(code: str, flag: str = "") -> AttributeType:
    first = code[0]
    if first == "@":
        return AttributeType(flag, "object", attributes=structure(code))
    if first in _COLLECTIONS:
        return AttributeType(flag, _COLLECTIONS[first], element=_attribute_type(code[1:]))
    return AttributeType(flag, _PRIMITIVES[first])


@cache
def _schema(name: str) -> Schema | None:
    encoded = _lines().get(name.encode())
    return None if encoded is None else Schema(json.loads(encoded))


@cache
def _lines() -> dict[bytes, bytes]:
    """Return the encoded attributes by name of type or structure."""
    pairs = (line.partition(b"\t") for line in _data().splitlines())
    return {name: encoded for name, _, encoded in pairs if encoded}


def _data() -> bytes:
    return _DATA.read_bytes()
