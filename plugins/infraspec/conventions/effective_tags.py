"""The tags a resource will carry: its own over the provider's default_tags.

Source: Terraform AWS provider, "Resource Tagging": `tags_all` holds what results of `default_tags` and `tags`.
`aws_autoscaling_group` has `tag` blocks and takes no default_tags.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from infraspec.resource_types import resource_type
from infraspec.unknown import AFTER_APPLY, Text, Unknown, Value, render, unknowns


class EffectiveTags(Struct, frozen=True):
    """Tags by key; with `open` there may be others, which depend on it. `source` is the attribute they are set by."""

    tags: Mapping[str, Value]
    open: Unknown | None = None
    source: str = "tags"

    @classmethod
    def of(cls, type_: str, values: Mapping[str, Value]) -> EffectiveTags:
        """Read the effective tags from a resource's values."""
        if resource_type(type_).tag_blocks:
            return cls._from_blocks(values)
        merged = values.get("tags_all")
        if isinstance(merged, dict):
            return cls(merged)
        own = values.get("tags")
        if merged is None:
            return cls._from_value(own)
        # What the resource sets itself wins over default_tags, so it is certain even if the rest is not.
        return cls(_present(own) if isinstance(own, dict) else {}, _unknown(merged))

    @classmethod
    def _from_value(cls, own: Value) -> EffectiveTags:
        if own is None:
            return cls({})
        if isinstance(own, dict):
            return cls(own)
        if isinstance(own, list):  # awscc: a list of { key, value }
            return _from_pairs(own, "tags")
        return cls({}, _unknown(own))

    @classmethod
    def _from_blocks(cls, values: Mapping[str, Value]) -> EffectiveTags:
        blocks = values.get("tag")
        if blocks is None:
            return _from_pairs(values["tags"], "tag") if isinstance(values.get("tags"), list) else cls({}, None, "tag")
        return _from_pairs(blocks, "tag") if isinstance(blocks, list) else cls({}, _unknown(blocks), "tag")


def tag_text(value: Value) -> str | Text | Unknown:
    """Return the value of a tag, which is not None, as the text that AWS gets."""
    if isinstance(value, (str, Text, Unknown)):
        return value
    return render(value) if isinstance(value, (bool, int, float)) else _unknown(value)


def _from_pairs(pairs: list[Value], source: str) -> EffectiveTags:
    tags: dict[str, Value] = {}
    open_: Unknown | None = None
    for pair in pairs:
        key = pair.get("key") if isinstance(pair, dict) else pair
        if isinstance(pair, dict) and isinstance(key, str):
            tags[key] = pair.get("value")
        else:
            open_ = _unknown(key)
    return EffectiveTags(tags, open_, source)


def _present(tags: dict[str, Value]) -> dict[str, Value]:
    return {key: value for key, value in tags.items() if value is not None}


def _unknown(value: Value) -> Unknown:
    """Return what a value that is no tag depends on."""
    if isinstance(value, Unknown):
        return value
    return next(unknowns(value), None) or Unknown(f"a value of type {type(value).__name__}", AFTER_APPLY)
