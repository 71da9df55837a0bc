"""What the contract says of names and tags."""

from __future__ import annotations

from typing import Annotated, Any, TypeAlias

from pydantic import Discriminator, Field, Tag

from infraspec.contract.kinds import (
    FilePath,
    NonEmpty,
    Regex,
)
from infraspec.contract.table import Table

_ALTERNATIVES: dict[type, str] = {str: "<text>", list: "<list>"}


def _patterns_kind(value: Any) -> str | None:
    return _ALTERNATIVES.get(type(value))


NamePatterns: TypeAlias = Annotated[
    Annotated[NonEmpty, Tag("<text>")] | Annotated[list[NonEmpty], Field(min_length=1), Tag("<list>")],
    Discriminator(
        _patterns_kind,
        custom_error_type="contract",
        custom_error_message="a pattern in quotes or a list of alternatives",
    ),
]
"""One naming pattern or several alternatives."""


class Names(Table):
    """`[names]`: naming patterns by resource type."""

    patterns: dict[NonEmpty, NamePatterns] = Field(
        default_factory=dict,
        description="A pattern or several alternatives by resource type; {placeholder} stands for a part.",
        examples=[{"aws_ecs_cluster": "{application}-{environment}-cluster"}],
    )
    placeholders: dict[NonEmpty, Regex] = Field(
        default_factory=dict,
        description="Regular expression of a placeholder, such as engine = 'postgres|mysql'.",
        examples=[{"engine": "postgres|mysql"}],
    )
    attributes: dict[NonEmpty, NonEmpty] = Field(
        default_factory=dict,
        description="The attribute that holds the name of a resource type, where it is not known.",
        examples=[{"aws_db_instance": "identifier"}],
    )


class TagRule(Table):
    """`{ regex = "…" }`: the tag's value matches as a whole. `{}` alone asks for the key with any value."""

    regex: Regex | None = Field(
        None, description="Regular expression the whole value matches.", examples=["[a-z]+@example.com"]
    )


def _tag_kind(value: Any) -> str | None:
    return "<rule>" if isinstance(value, (dict, TagRule)) else _ALTERNATIVES.get(type(value))


TagValue: TypeAlias = Annotated[
    Annotated[str, Tag("<text>")]
    | Annotated[list[str], Field(min_length=1), Tag("<list>")]
    | Annotated[TagRule, Tag("<rule>")],
    Discriminator(
        _tag_kind,
        custom_error_type="contract",
        custom_error_message="an exact value in quotes, a list of values, { regex = '…' } or {} for any value",
    ),
]
"""An exact value (with {application} and {environment}), one of a list, or a TagRule."""


class Tags(Table):
    """`[tags]`: required tags."""

    common: dict[NonEmpty, TagValue] = Field(
        default_factory=dict,
        description="Tags every taggable resource carries.",
        examples=[{"Environment": "{environment}"}],
    )
    resource: dict[NonEmpty, dict[NonEmpty, TagValue]] = Field(
        default_factory=dict,
        description="Further tags by resource type.",
        examples=[{"aws_db_instance": {"Backup": ["daily", "hourly"]}}],
    )
    policy: FilePath | None = Field(
        None,
        description="An AWS Organizations tag policy (JSON), relative to the contract.",
        examples=["tag-policy.json"],
    )
    exempt: list[NonEmpty] = Field(
        default_factory=list,
        description="Resource types or address patterns that need no tags.",
        examples=[["aws_cloudwatch_log_stream"]],
    )
