"""The form in which Terraform has what an AWS API answers: names in its own case, objects as blocks, tags as a map."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from typing import Any

from infraspec.core.unknown import Value
from infraspec.resource_types.listing import Attributes, Blocks, at, snake

_OF_AWS = "aws:"


def attributes_of(answer: Mapping[str, Any], attributes: Attributes) -> dict[str, Value]:
    """Return the attributes that an answer has; what AWS has not is left out."""
    found = {name: _read(answer, where) for name, where in attributes.items()}
    return {name: value for name, value in found.items() if value is not None}


def blocks(trees: Mapping[str, Any] | Iterable[Mapping[str, Any]] | None) -> list[Value]:
    """Return an object, or a list of them, as nested blocks; empty ones are none."""
    listed = [trees] if isinstance(trees, Mapping) else trees or ()
    return [{snake(name): _nested(item) for name, item in tree.items()} for tree in listed if tree]


def tag_map(tags: object) -> dict[str, str]:
    """Return tags as a map, whether AWS gives them as one or as pairs; without those that AWS itself sets."""
    if isinstance(tags, Mapping):
        found = {str(key): str(value) for key, value in tags.items()}
    else:
        pairs = tags if isinstance(tags, list | tuple) else ()
        found = {_first(pair, "Key", "key", "TagKey"): _first(pair, "Value", "value", "TagValue") for pair in pairs}
    return {key: value for key, value in found.items() if not key.startswith(_OF_AWS)}


def json_text(document: object) -> str | None:
    """Return a policy document as text: some services give text, IAM's client an object."""
    if document is None or document == "":
        return None
    return document if isinstance(document, str) else json.dumps(document)


def _read(answer: Mapping[str, Any], where: str | Blocks) -> Value:
    if isinstance(where, str):
        value = at(answer, where.removesuffix("?"))
        return None if value == "" and where.endswith("?") else value
    found = at(answer, where.path)
    if where.attributes is None:
        return blocks(found)
    listed = [found] if isinstance(found, Mapping) else found or ()
    made = [attributes_of(one, where.attributes) for one in listed]
    return [block for block in made if block or where.path]


def _nested(item: Any) -> Value:
    if isinstance(item, Mapping):
        return blocks(item)
    if isinstance(item, list | tuple):
        return [blocks(one)[0] if isinstance(one, Mapping) and one else one for one in item]
    return item


def _first(pair: Mapping[str, str], *keys: str) -> str:
    return next((pair[key] for key in keys if key in pair), "")
