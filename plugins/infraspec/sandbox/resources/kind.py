"""How one resource type is created, changed and deleted by calls of boto3, and the small tools for that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from infraspec.sandbox.account import Account

Values: TypeAlias = Mapping[str, Any]
"""The planned values of one resource, all of them known."""
Attributes: TypeAlias = dict[str, Any]
"""What other resources can name of a created one: Terraform's attributes, such as id and arn."""
Create: TypeAlias = Callable[[Account, Values], Attributes]
Update: TypeAlias = Callable[[Account, Values, Attributes], Attributes]
Delete: TypeAlias = Callable[[Account, Values, Attributes], None]


Drifted: TypeAlias = Callable[[Account, Values, Attributes], bool]


class Kind(Struct, frozen=True):
    """The calls of one resource type. Without `update` a change is not applied, without `delete` it stays.

    `drifted` tells whether what is there is not what was applied, as Terraform's refresh finds out.
    """

    create: Create
    update: Update | None = None
    delete: Delete | None = None
    drifted: Drifted = lambda _account, _values, _attributes: False


def put(create: Create, delete: Delete | None = None) -> Kind:
    """Make a kind whose creation also changes what is there: put_metric_alarm, put_bucket_policy and such."""
    return Kind(create, lambda account, values, _: create(account, values), delete)


def given(values: Values, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments that have a value, under the names that the API gives them."""
    return {api: values[name] for name, api in names.items() if values.get(name) not in (None, "", [], {})}


def block(values: Values, name: str) -> dict[str, Any]:
    """Return a nested block that stands at most once; empty without it."""
    blocks = values.get(name) or [{}]
    first: dict[str, Any] = blocks[0] if isinstance(blocks, list) else blocks
    return first or {}


def blocks(values: Values, name: str) -> list[dict[str, Any]]:
    """Return the nested blocks of a name."""
    return [item or {} for item in values.get(name) or []]


def tags(values: Values, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Return the effective tags as a list of pairs."""
    return [{key: name, value: str(text)} for name, text in tag_map(values).items()]


def tag_map(values: Values) -> dict[str, str]:
    """Return the effective tags: those of the resource over those of the provider."""
    return {name: str(text) for name, text in (values.get("tags_all") or values.get("tags") or {}).items()}


def name_of(values: Values, attribute: str = "name") -> str:
    """Return the name of a resource, or one that begins with its prefix as the provider makes it."""
    name = values.get(attribute)
    if name:
        return str(name)
    prefix = values.get(f"{attribute}_prefix") or "terraform-"
    return f"{prefix}20260101000000000000000001"


def integers(values: Values, names: Mapping[str, str]) -> dict[str, Any]:
    """Return the arguments that have a value, as whole numbers: Terraform may hold them as text."""
    return {api: int(value) for api, value in given(values, names).items()}
