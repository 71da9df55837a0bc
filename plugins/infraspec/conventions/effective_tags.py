"""The tags a resource will carry: its own over the provider's default_tags.

Source: Terraform AWS provider, "Resource Tagging": `tags_all` holds what results of `default_tags` and `tags`.
`aws_autoscaling_group` has `tag` blocks and takes no default_tags.

Source: AWS Organizations User Guide, "Services and resource types that support enforcement"; AWS Service Authorization
Reference for the types of each service.

The schema of the Terraform AWS provider says it; a type that it does not have is judged by whether it has tags at all.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping

from msgspec import Struct

from infraspec.core.finding import Verdict
from infraspec.core.truth import Truth
from infraspec.core.unknown import AFTER_APPLY, Text, Unknown, Value, render, unknowns
from infraspec.resource_types import TYPES, resource_type
from infraspec.terraform.provider.schema import has_tags


class Exemptions(Struct, frozen=True):
    """The entries of `tags.exempt`. A type holds no dot and an address does, so an entry may be either."""

    pattern: re.Pattern[str] | None

    @classmethod
    def of(cls, entries: Iterable[str]) -> Exemptions:
        """Compile the entries."""
        patterns = [expression_of(entry) for entry in entries]
        return cls(re.compile("|".join(patterns), re.DOTALL) if patterns else None)

    def covers(self, type_: str, address: str) -> bool:
        """Tell whether an entry is the type or matches the address."""
        if self.pattern is None:
            return False
        return bool(self.pattern.fullmatch(type_) or self.pattern.fullmatch(address))


def expression_of(entry: str) -> str:
    """Return the regular expression of an entry."""
    return ".*".join(re.escape(piece) for piece in re.split(r"\*+", entry))


class TagFault(Struct, frozen=True):
    """One key that is VIOLATED or UNDETERMINED.

    `value` and `remarks` are for the line to paste: the value if there is one only, and what stands in the comment.
    `unknown` names what would have to be known, for an UNDETERMINED one.
    """

    verdict: Verdict
    key: str
    expected: str
    found: str
    reason: str
    value: str = "…"
    remarks: tuple[str, ...] = ()
    unknown: str = ""


WILDCARDS = ("*", "ALL_SUPPORTED")


_TAG_TYPES = frozenset(tag_type for known in TYPES.values() for tag_type in known.tag_types)


def covers(tag_type: str, terraform_type: str) -> Truth:
    """Tell whether `service:type`, `service:*` or `service:ALL_SUPPORTED` covers a Terraform type.

    A type that is not listed is judged by the naming convention of the provider, `aws_SERVICE_TYPE`; where that
    says nothing either, it may be covered.
    """
    service, _, name = tag_type.partition(":")
    listed = resource_type(terraform_type).tag_types
    if listed:
        is_any = name in WILDCARDS and any(own.startswith(f"{service}:") for own in listed)
        return Truth.YES if is_any or tag_type in listed else Truth.NO
    stem = f"aws_{_snake(service)}"
    if name in WILDCARDS:
        return Truth.YES if terraform_type.startswith(f"{stem}_") else Truth.MAYBE
    if tag_type in _TAG_TYPES:
        return Truth.NO
    return Truth.YES if terraform_type == f"{stem}_{_snake(name)}" else Truth.MAYBE


def _snake(name: str) -> str:
    return name.replace("-", "_").replace("/", "_").lower()


_PROVIDERS = ("aws_", "awscc_")


def taggable(type_: str, values: Mapping[str, Value]) -> Truth:
    """Tell whether a resource takes tags; only AWS resources do.

    MAYBE: default_tags of the provider are all that is seen, and the type is not known.
    """
    known = _takes_tags(type_)
    if known is not None:
        return Truth.YES if known else Truth.NO
    if "tags" in values:
        return Truth.YES
    return Truth.MAYBE if values.get("tags_all") is not None else Truth.NO


def is_classified(type_: str) -> bool:
    """Tell whether it is known of a type whether it takes tags."""
    return _takes_tags(type_) is not None


def _takes_tags(type_: str) -> bool | None:
    if not type_.startswith(_PROVIDERS):
        return False
    return resource_type(type_).tag_blocks or has_tags(type_)


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
        certain = {key: value for key, value in own.items() if value is not None} if isinstance(own, dict) else {}
        return cls(certain, _unknown(merged))

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


def _unknown(value: Value) -> Unknown:
    """Return what a value that is no tag depends on."""
    if isinstance(value, Unknown):
        return value
    return next(unknowns(value), None) or Unknown(f"a value of type {type(value).__name__}", AFTER_APPLY)
