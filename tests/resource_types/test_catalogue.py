"""The catalogue of resource types agrees with itself and with the provider's schema."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from infraspec.core.rules import RULES
from infraspec.live.resources.network import _PEERS, _PORTS
from infraspec.resource_types import FAMILIES, TYPES, Renaming, ResourceType, decoded, resource_type
from infraspec.terraform.provider.schema import Schema, resource_types, schema, structure
from tools.resource_types import written

_NOT_IN_PROVIDER = frozenset({"aws_opsworks_application", "aws_opsworks_rds_db_instance", "aws_opsworks_stack"})
"""Types that the provider has no more, and whose secrets older plans and states hold."""


def _schemas(known: ResourceType) -> list[Schema]:
    return [found for mode in ("managed", "data") if (found := schema(known.type, mode)) is not None]


def _paths(known: ResourceType) -> Iterator[str]:
    """Yield every attribute path that a row names."""
    yield from filter(None, (known.name, *known.identity, *known.secrets, *known.assigned, *known.found))
    for policy in known.policies:
        yield from filter(None, (policy.attribute, policy.of))
    yield from (setting.attribute for setting in known.public)
    if known.drift:
        drift = known.drift
        yield from (*drift.compared, *drift.left_out, *drift.repeated, *drift.inherited, *drift.defaults)


def _has(held: Schema, path: str) -> bool:
    """Tell whether a schema has an attribute path; what is inside a map or a set of objects is left to AWS."""
    name, _, rest = path.partition(".")
    code = held.code(name)
    if rest and code[1:2] == "@" and code[0] != "M":
        return _has(structure(code[1:]), rest.removeprefix("0."))
    return code != ""


def test_each_type_stands_once() -> None:
    """A type has one object, in one family, and each file of the folder is a family."""
    names = [known.type for family in FAMILIES for known in decoded(family)]
    assert [] == [name for name, count in Counter(names).items() if count > 1]
    assert sorted(FAMILIES) == sorted(FAMILIES[0].parent.glob("*.json"))


@pytest.mark.parametrize("family", FAMILIES, ids=lambda family: family.stem)
def test_a_file_has_one_form(family: Path) -> None:
    """A file is as `make format` writes it: sorted, and without what is said of every type."""
    assert written(decoded(family)) == family.read_text(encoding="utf-8")


def test_long_lists_and_objects_are_broken_between_their_items() -> None:
    """What has no room on a line is read from several as it was."""
    long = [f"attribute-{number:03}.of_a_block" for number in range(30)]
    blanks = [f"attribute {number:03} of a block" for number in range(30)]
    types = [ResourceType("b", secrets=tuple(long), tag_types=tuple(blanks)), ResourceType("a", "x" * 200)]
    text = written(types)

    assert types[::-1] == msgspec.json.decode(text, type=list[ResourceType])
    assert 1 == sum(len(line) > 120 for line in text.splitlines())


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (
            '[{"type": "a"}, {"type": "aws_x", "policies": [{"kind": "trust policy", "onwers": []}]}]',
            "bad.json: aws_x: Object contains unknown field `onwers` - at `$[1].policies[0]`",
        ),
        ('[{"type": "aws_x", "name": 3}]', "bad.json: aws_x: Expected `str`, got `int` - at `$[0].name`"),
        (
            '[{"type": "aws_x", "renaming": "never"}]',
            "bad.json: aws_x: Invalid enum value 'never' - at `$[0].renaming`",
        ),
        ('[{"name": "name"}]', "bad.json: None: Object missing required field `type` - at `$[0]`"),
        ('["aws_x"]', "bad.json: Expected `object`, got `str` - at `$[0]`"),
        ('[{"type": "aws_x"', "bad.json: Input data was truncated"),
    ],
)
def test_an_error_names_the_file_the_type_and_the_field(content: str, message: str, tmp_path: Path) -> None:
    """A mistake in a file is found where it is, and nothing is read past it."""
    file = tmp_path / "bad.json"
    file.write_text(content, encoding="utf-8")

    with pytest.raises(ValueError, match=f"^{re.escape(message)}$"):
        decoded(file)


def test_what_compares_a_type_is_a_rule() -> None:
    """A misspelt id would leave a type to nobody."""
    assert set() == {known.compared_by for known in TYPES.values()} - {"", *RULES}


def test_a_rule_of_a_security_group_is_told_by_all_that_it_says() -> None:
    """AWS has no two of one group that say the same, so what is compared is what names one."""
    for direction in ("egress", "ingress"):
        drift = TYPES[f"aws_vpc_security_group_{direction}_rule"].drift
        assert drift is not None
        assert (drift.compared, drift.left_out) == (("ip_protocol", *_PORTS, *_PEERS), _PEERS)


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
