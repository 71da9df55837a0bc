"""The catalogue of resource types agrees with itself and with the provider's schema."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from infraspec.resource_types import _FAMILIES, TYPES, Renaming, ResourceType, resource_type
from infraspec.terraform.provider.schema import Schema, resource_types, schema

_NOT_IN_PROVIDER = frozenset({"aws_opsworks_application", "aws_opsworks_rds_db_instance", "aws_opsworks_stack"})
"""Types that the provider has no more, and whose secrets older plans and states hold."""


def _schemas(known: ResourceType) -> list[Schema]:
    return [found for mode in ("managed", "data") if (found := schema(known.type, mode)) is not None]


def _paths(known: ResourceType) -> Iterator[str]:
    """Yield every attribute path that a row names."""
    yield from filter(None, (known.name, *known.identity, *known.secrets, *known.assigned, *known.found))
    for policy in known.policies:
        yield from filter(None, (policy.attribute, policy.of))
    if known.drift:
        drift = known.drift
        yield from (*drift.compared, *drift.left_out, *drift.repeated, *drift.inherited, *drift.defaults)


def _has(held: Schema, path: str) -> bool:
    """Tell whether a schema has an attribute path; what is inside a map or a set of objects is left to AWS."""
    name, _, rest = path.partition(".")
    block = held.block(name)
    if rest and block is not None and block.attributes is not None:
        return _has(block.attributes, rest.removeprefix("0."))
    return held.attribute(name) is not None or block is not None


def test_each_type_stands_once() -> None:
    """A type has one row, in one family, and the rows of a family are sorted."""
    names = [known.type for family in _FAMILIES for known in family.TYPES]
    assert [] == [name for name, count in Counter(names).items() if count > 1]
    for family in _FAMILIES:
        assert sorted(known.type for known in family.TYPES) == [known.type for known in family.TYPES]


@pytest.mark.parametrize("name", sorted(name for name in TYPES if name.startswith("aws_")))
def test_attributes_exist(name: str) -> None:
    """The provider has each type, and each attribute that the catalogue names."""
    schemas = _schemas(TYPES[name])
    assert (name in _NOT_IN_PROVIDER) is (not schemas)
    assert [] == [path for path in _paths(TYPES[name]) if schemas and not any(_has(held, path) for held in schemas)]


def test_owners_exist() -> None:
    """What a policy is of is a type that the provider has."""
    owners = {owner for known in TYPES.values() for policy in known.policies for owner in policy.owners}
    assert set() == owners - set(resource_types())


def test_a_type_that_is_not_listed_has_no_facts() -> None:
    """Of a type that is not listed nothing is said."""
    assert ResourceType("aws_new_thing") == resource_type("aws_new_thing")


def test_what_is_renamed_has_a_name() -> None:
    """What a new name does is said of types whose name is known, and that it is no tag."""
    renamed = [known for known in TYPES.values() if known.renaming is not Renaming.UNKNOWN]
    assert [] == [known.type for known in renamed if not known.name or known.name.startswith("tags.")]


_OF_THE_API = {("aws_iam_policy", "update_date"), ("aws_cloudwatch_metric_alarm", "threshold_metric_id")}
"""What the live suite reads beside the attributes of the provider."""
LISTED = [one for one in TYPES.values() if one.listing is not None]


@pytest.mark.parametrize("known", LISTED, ids=[one.type for one in LISTED])
def test_what_a_listing_makes_are_attributes_of_the_provider(known: ResourceType) -> None:
    """A misspelt name would be an attribute that no check reads."""
    assert known.listing is not None
    (held,) = (found for found in (schema(known.type, "managed"),) if found is not None)
    made = {*known.listing.attributes, *known.listing.owned, *known.listing.defaults}
    assert set() == {name for name in made if not _has(held, name) and (known.type, name) not in _OF_THE_API}


def test_the_page_of_live_models_has_what_is_listed() -> None:
    """The table of docs/live-models.md names the types that are looked at, by service, and what is asked for them."""
    types: dict[str, set[str]] = {}
    asked: dict[str, set[str]] = {}
    for known in LISTED:
        if known.listing is not None:
            types.setdefault(known.listing.service, set()).add(f"`{known.type}`")
            asked.setdefault(known.listing.service, set()).update(known.listing.operations())
    rows = [
        f"| {name} | {', '.join(sorted(types[name]))} | {', '.join(sorted(asked[name]))} |" for name in sorted(types)
    ]
    page = (Path(__file__).parents[2] / "docs/live-models.md").read_text(encoding="utf-8").splitlines()
    assert rows == [line for line in page if line.startswith("| ") and "`aws_" in line]
