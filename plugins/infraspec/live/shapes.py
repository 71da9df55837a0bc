"""The form in which Terraform has what an AWS API answers: snake_case names, nested objects as blocks."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from infraspec.unknown import Value

_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """Write a name of an API as Terraform does: `cloudWatchLogGroupName`, `cloud_watch_log_group_name`."""
    return _BOUNDARY.sub("_", name).lower()


def block(tree: Mapping[str, Any] | None) -> list[Value]:
    """Return an object as a nested block, which is a list of one; empty if there is none."""
    return [{snake(name): _nested(item) for name, item in tree.items()}] if tree else []


def blocks(trees: Iterable[Mapping[str, Any]] | None) -> list[Value]:
    """Return a list of objects as nested blocks."""
    return [one for tree in trees or () for one in block(tree)]


def chosen(tree: Mapping[str, Any], names: Mapping[str, str]) -> dict[str, Value]:
    """Return what an answer has under the names of its API, under those of Terraform: `{"KmsKeyId": "kms_key_id"}`."""
    return {own: tree[name] for name, own in names.items() if tree.get(name) is not None}


def _nested(item: Any) -> Value:
    if isinstance(item, Mapping):
        return block(item)
    if isinstance(item, list | tuple):
        return [block(one)[0] if isinstance(one, Mapping) and one else one for one in item]
    return item
