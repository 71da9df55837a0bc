"""How one resource type is created, changed and deleted by calls of boto3, and the small tools for that."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeAlias

from msgspec import Struct

from infraspec.resource_types.listing import names
from infraspec.sandbox.server_process import Account

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


class Making(Struct, frozen=True):
    """One call that makes a resource (`iam.create_role`): what it takes, and which attributes come of its answer.

    `takes` and `gives` are texts as `names` reads them; what is given is that of the whole answer, or of `Role: …` in
    it. `kept` are attributes that the resource has already, as `id=bucket`. `tags` is the argument for tags, `pair` the
    names of a tag's parts, `spec` what EC2 calls a resource that is tagged as its calls do. `fixed` arguments are the
    same each time.
    """

    call: str
    takes: str
    gives: str = ""
    kept: str = ""
    tags: str = ""
    pair: tuple[str, str] = ("Key", "Value")
    spec: str = ""
    fixed: Mapping[str, Any] = {}

    def __call__(self, account: Account, values: Values) -> Attributes:
        """Make it."""
        service, _, operation = self.call.partition(".")
        if "name" in names(self.takes):
            values = {**values, "name": name_of(values)}
        arguments = {**given(values, self.takes), **self.fixed, **(tagged(self.spec, values) if self.spec else {})}
        if self.tags:
            arguments[self.tags] = tags(values, *self.pair)
        made = getattr(account.client(service), operation)(**arguments)
        key, _, given_back = self.gives.rpartition(": ")
        found = made[key] if key else made
        own = {name: values[attribute] for name, attribute in names(self.kept).items()}
        return {**own, **{name: found.get(api) for name, api in names(given_back).items()}}


def put(create: Create, delete: Delete | None = None) -> Kind:
    """Make a kind whose creation also changes what is there: put_metric_alarm, put_bucket_policy and such."""
    return Kind(create, lambda account, values, _: create(account, values), delete)


def deleting(call: str, takes: str) -> Delete:
    """Return what deletes a resource by one call, which takes attributes that came of its creation."""
    service, _, operation = call.partition(".")

    def delete(account: Account, _values: Values, attributes: Attributes) -> None:
        getattr(account.client(service), operation)(**given(attributes, takes))

    return delete


def given(values: Values, text: str) -> dict[str, Any]:
    """Return the arguments that have a value, under the names of the API: `KmsKeyId policy=PolicyDocument`."""
    return {api: values[name] for name, api in names(text).items() if values.get(name) not in (None, "", [], {})}


def integers(values: Values, text: str) -> dict[str, Any]:
    """Return the arguments that have a value, as whole numbers: Terraform may hold them as text."""
    return {api: int(value) for api, value in given(values, text).items()}


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


def tagged(kind: str, values: Values) -> dict[str, Any]:
    """Return the tags of a new resource of EC2, as its calls take them."""
    return {"TagSpecifications": [{"ResourceType": kind, "Tags": tags(values)}]} if tags(values) else {}


def name_of(values: Values, attribute: str = "name") -> str:
    """Return the name of a resource, or one that begins with its prefix as the provider makes it."""
    name = values.get(attribute)
    if name:
        return str(name)
    prefix = values.get(f"{attribute}_prefix") or "terraform-"
    return f"{prefix}20260101000000000000000001"
