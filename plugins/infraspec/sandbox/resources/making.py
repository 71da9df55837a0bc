"""How a resource of the plan is made, changed and deleted by calls of boto3, as the tables of this package say it.

What kind of value an argument takes is not written down: botocore's model of the API has it.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeAlias

import msgspec
from msgspec import Struct

from infraspec.resource_types.listing import at, names
from infraspec.sandbox.server_process import Account

Values: TypeAlias = Mapping[str, Any]
"""The planned values of one resource, all of them known."""
Attributes: TypeAlias = dict[str, Any]
"""What other resources can name of a created one: Terraform's attributes, such as id and arn."""
Create: TypeAlias = Callable[[Account, Values], Attributes]
Change: TypeAlias = Callable[[Account, Values, Attributes], Any]
Choice: TypeAlias = Mapping[str, tuple[Any, ...]]
"""Path of the values → what is meant there."""


class Kind(Struct, frozen=True):
    """The calls of one resource type. Without `update` a change is not applied, without `delete` it stays.

    `drifted` tells whether what is there is not what was applied, as Terraform's refresh finds out.
    """

    create: Create
    update: Change | None = None
    delete: Change | None = None
    drifted: Change = lambda _account, _values, _attributes: False


class Argument(Struct, frozen=True, forbid_unknown_fields=True):
    """What a structure of the API is filled with.

    `takes` and `own` are texts as `names` reads them, of paths: of what the plan says, and of the attributes that the
    resource has by then. `of` is the path of the blocks that there is one for each of; an entry that is no block is
    `item`. `flags` are booleans, with what the API has for true and false. What has no value has the `defaults`, and
    what has none at all is left out; `fixed` is the same each time. `only` and `unless` choose as those of a Listing.
    """

    of: str = ""
    takes: str = ""
    own: str = ""
    flags: Mapping[str, tuple[str, str, str]] = {}
    nested: Mapping[str, Argument | tuple[Argument, ...]] = {}
    defaults: Mapping[str, Any] = {}
    fixed: Mapping[str, Any] = {}
    only: Choice = {}
    unless: Choice = {}

    def is_meant(self, values: Values) -> bool:
        """Tell whether there is one for these values."""
        is_chosen = all(at(values, path) in chosen for path, chosen in self.only.items())
        return is_chosen and not any(at(values, path) in chosen for path, chosen in self.unless.items())

    def taken(self, values: Values, attributes: Values, shape: Any) -> dict[str, Any]:
        """Return the arguments that have a value, in the form of the API."""
        said = [(api, at(values, path)) for path, api in names(self.takes).items()]
        found = {api: _converted(value, _member(shape, api)) for api, value in said if not is_empty(value)}
        found |= {api: yes if at(values, path) else no for api, (path, yes, no) in self.flags.items()}
        for api, parts in self.nested.items():
            made = _made(parts if isinstance(parts, tuple) else (parts,), values, attributes, _member(shape, api))
            found |= {api: made} if made else {}
        return {**self.defaults, **found}

    def owned(self, attributes: Values, shape: Any) -> dict[str, Any]:
        """Return the arguments that name what was made before."""
        said = [(api, at(attributes, path)) for path, api in names(self.own).items()]
        return {api: _converted(value, _member(shape, api)) for api, value in said if not is_empty(value)}


class SandboxCall(Argument, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One call (`iam.create_role`), and which attributes come of its answer: `gives`, of the whole or of `Role: …`.

    One about what was made before is not made if the plan has nothing for it.
    """

    call: str
    gives: str = ""

    def made(self, account: Account, values: Values, attributes: Attributes) -> Attributes:
        """Make the call for each block that it is of, and return the attributes of the last answer."""
        service, _, operation = self.call.partition(".")
        client = account.client(service)
        model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
        found: Attributes = {}
        for one in blocks(values, self.of):
            taken, owned = self.taken(one, attributes, model.input_shape), self.owned(attributes, model.input_shape)
            is_needed = taken or not (owned and (self.takes or self.nested))
            if self.is_meant(one) and is_needed:
                key, _, given = self.gives.rpartition(": ")
                answer = at(getattr(client, operation)(**self.fixed, **owned, **taken), key)
                found = {name: at(answer, api) for name, api in names(given).items()}
        return found


class Making(Struct, frozen=True, forbid_unknown_fields=True):
    """The calls that make, change and delete a resource; with `puts`, those that make it change it too.

    `defaults` are for what the plan has no value of, `kept` the attributes that the plan says (`id=bucket`), and
    `attributes` texts with others in braces. `parts` are what a pattern finds in another attribute.
    """

    create: tuple[SandboxCall, ...] = ()
    update: tuple[SandboxCall, ...] | None = None
    delete: tuple[SandboxCall, ...] | None = None
    puts: bool = False
    defaults: Mapping[str, Any] = {}
    kept: str = ""
    attributes: Mapping[str, str] = {}
    parts: Mapping[str, tuple[str, str]] = {}

    def made(self, account: Account, values: Values) -> Attributes:
        """Make the resource and return its attributes."""
        said = self._completed(values)
        found = {name: at(said, path) for name, path in names(self.kept).items()}
        _all(self.create, account, said, found)
        found |= {name: re.findall(pattern, str(found[of]))[0] for name, (of, pattern) in self.parts.items()}
        place = {"partition": account.partition, "region": account.region, "account": account.account}
        return found | {name: text.format_map({**place, **said, **found}) for name, text in self.attributes.items()}

    def kind(self, create: Create) -> Kind:
        """Return the kind of the resource, with what creates it: the calls of the table, or more than these."""

        def put(account: Account, values: Values, _: Attributes) -> Attributes:
            return create(account, values)

        return Kind(create, put if self.puts else self._changing(self.update), self._changing(self.delete))

    def _changing(self, calls: tuple[SandboxCall, ...] | None) -> Change | None:
        def change(account: Account, values: Values, attributes: Attributes) -> Attributes:
            return _all(calls or (), account, self._completed(values), dict(attributes))

        return None if calls is None else change

    def _completed(self, values: Values) -> dict[str, Any]:
        """Return the values with what the provider gives them: a name, defaults, and its tags."""
        said = {name: value for name, value in values.items() if not is_empty(value)}
        return {**self.defaults, **said, "name": name_of(values), "tags": tag_map(values)}


def _all(calls: tuple[SandboxCall, ...], account: Account, values: Values, attributes: Attributes) -> Attributes:
    for call in calls:
        attributes |= call.made(account, values, attributes)
    return attributes


def _made(parts: tuple[Argument, ...], values: Values, attributes: Values, shape: Any) -> Any:
    """Return the list of structures, or the one, that an argument of the shape is."""
    is_list = shape.type_name == "list"
    of_one = shape.member if is_list else shape
    found = []
    for part in parts:
        for one in blocks(values, part.of) or ([] if is_list else [{}]):
            made = {**part.owned(attributes, of_one), **part.taken(one, attributes, of_one)}
            if made and part.is_meant(one):
                found.append({**part.fixed, **made})
    return found if is_list else next(iter(found), None)


def _member(shape: Any, name: str) -> Any:
    return shape.members[name] if shape.type_name == "structure" else shape.value


def _converted(value: Any, shape: Any) -> Any:
    """Return a value in the form of the API: Terraform may hold a number as text, and has a map for a list of pairs."""
    match shape.type_name:
        case "integer" | "long":
            return int(value)
        case "float" | "double":
            return float(value)
        case "string":
            return value if isinstance(value, str) else json.dumps(value)
        case "list" if isinstance(value, Mapping):
            return tags({"tags": value}, *shape.member.members)
        case "list":
            return [_converted(one, shape.member) for one in (value if isinstance(value, list) else [value])]
        case _:
            return value


def is_empty(value: Any) -> bool:
    """Tell whether an attribute has no value."""
    return value is None or value == "" or value == [] or value == {}  # noqa: PLR1714 - 0 and False are values


def blocks(values: Values, path: str) -> list[dict[str, Any]]:
    """Return the nested blocks at a path, all of each step; the values themselves at none."""
    found = [dict(values)]
    for step in filter(None, path.split(".")):
        listed = (item for one in found for item in one.get(step) or [])
        found = [item if isinstance(item, dict) else {"item": item} for item in listed]
    return found


def tags(values: Values, key: str = "Key", value: str = "Value") -> list[dict[str, str]]:
    """Return the effective tags as a list of pairs."""
    return [{key: name, value: text} for name, text in tag_map(values).items()]


def tag_map(values: Values) -> dict[str, str]:
    """Return the effective tags: those of the resource over those of the provider."""
    return {name: str(text) for name, text in (values.get("tags_all") or values.get("tags") or {}).items()}


def name_of(values: Values, attribute: str = "name") -> str:
    """Return the name of a resource, or one that begins with its prefix as the provider makes it."""
    prefix = values.get(f"{attribute}_prefix") or "terraform-"
    return str(values.get(attribute) or f"{prefix}20260101000000000000000001")


_FAMILIES = ("identity", "network", "data", "observation", "containers", "workloads")
_DECODER = msgspec.json.Decoder(dict[str, Making])
MAKINGS: Mapping[str, Making] = {
    type_: making
    for family in _FAMILIES
    for type_, making in _DECODER.decode(Path(__file__).with_name(f"{family}.json").read_bytes()).items()
}
"""What the tables say, by resource type."""
