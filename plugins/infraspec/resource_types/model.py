"""What is known of a type of resource: the facts that a row of the catalogue may have."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from enum import Enum
from typing import Literal

from msgspec import Struct, field

from infraspec.core.unknown import Text, Value, render
from infraspec.resource_types.listing import Listing


class Renaming(Enum):
    """How a new name reaches a resource. UNKNOWN: `terraform plan` says it."""

    IN_PLACE = "in place"
    REPLACED = "replaced"
    UNKNOWN = "not known"


class PolicyKind(Enum):
    """What a policy document is attached to."""

    IDENTITY = "identity policy"
    BOUNDARY = "permissions boundary"
    SESSION = "session policy"
    TRUST = "trust policy"
    RESOURCE = "resource policy"
    ENDPOINT = "endpoint policy"
    ORGANIZATION = "policy of the organization"
    RESOURCE_CONTROL = "resource control policy"


class PolicyLimit(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """The most characters of a policy; `default` is the quota as it is before somebody has it raised to `most`.

    White space does not count, unless `blanks` says so. Several documents of one owner may have one limit (`shared`).
    """

    most: int
    source: str
    default: int = 0
    blanks: bool = False
    shared: bool = False


class StatementArguments(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How a type writes one statement of a policy as arguments, with its principal in `principal`.

    `action` names the attribute of the action, `default` what that is where it is not set. `conditions` has operator
    and key by argument; a `block` has one condition as type, key and value.
    """

    action: str = "action"
    default: str = ""
    conditions: Mapping[str, tuple[str, str]] = field(default_factory=dict)
    block: str = ""

    def document(self, values: Mapping[str, Value]) -> dict[str, Value]:
        """Return the policy with the statement that these arguments make."""
        principal = values.get("principal")
        condition: dict[str, dict[str, Value]] = {}
        for argument, (operator, key) in self.conditions.items():
            if values.get(argument):
                condition.setdefault(operator, {})[key] = values[argument]
        for one in blocks if isinstance(blocks := values.get(self.block), list | tuple) else ():
            condition.setdefault(one["type"], {})[one["key"]] = one["value"]
        is_service = isinstance(principal, str | Text) and _HOST.match(render(principal))
        statement = {
            "Effect": "Allow",
            "Principal": principal if principal == "*" else {"Service" if is_service else "AWS": principal},
            "Action": values.get(self.action) or self.default,
            "Resource": "*",
            **({"Condition": condition} if condition else {}),
        }
        return {"Version": "2012-10-17", "Statement": statement}


_HOST = re.compile(r"[a-z][a-z0-9-]*\.")
"""What the name of a service begins with, and neither an ARN nor an account."""


class Policy(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An attribute that holds a policy document; a path (`inline_policy.policy`) leads into nested blocks.

    `services` are those whose actions a resource policy may name, separated by blanks; any if empty. `of` is the
    attribute that says whose the policy is, empty if it is the resource's own, and `owners` the types of those. `when`
    names other attributes with the values that make it a policy. `for_everybody` says that what it is of is meant for
    everybody, as a public registry is. `version` is the one Version that AWS takes, if it takes no other and not none.
    With `arguments` the resource is one statement, and `attribute` that which names the principal.
    """

    kind: PolicyKind
    attribute: str = "policy"
    of: str = ""
    owners: tuple[str, ...] = ()
    services: str = ""
    limit: PolicyLimit | None = None
    when: Mapping[str, tuple[str | None, ...]] = field(default_factory=dict)
    for_everybody: bool = False
    version: str = ""
    arguments: StatementArguments | None = None

    @property
    def names_principals(self) -> bool:
        """Tell whether its statements say who is meant."""
        return self.kind in _WITH_PRINCIPALS

    def documents(self, values: Mapping[str, Value]) -> Iterator[tuple[str, Value]]:
        """Yield the documents that a resource of these values has, each with its path: `inline_policy.0.policy`."""
        if not self.applies(values):
            return
        if self.arguments is None:
            yield from _documents(values, self.attribute, "")
        elif values.get(self.attribute) is not None:
            yield self.attribute, self.arguments.document(values)

    def applies(self, values: Mapping[str, Value]) -> bool:
        """Tell whether the attribute of a resource of these values is such a policy."""
        return all(values.get(name) in accepted for name, accepted in self.when.items())


_WITH_PRINCIPALS = frozenset({PolicyKind.TRUST, PolicyKind.RESOURCE, PolicyKind.ENDPOINT, PolicyKind.RESOURCE_CONTROL})


def _documents(values: Mapping[str, Value], path: str, place: str) -> Iterator[tuple[str, Value]]:
    name, _, rest = path.partition(".")
    value = values.get(name)
    if not rest or not isinstance(value, list | tuple | dict):
        if value is not None and value != "":
            yield f"{place}{name}", value
        return
    for index, block in enumerate([value] if isinstance(value, dict) else value):
        if isinstance(block, dict):
            yield from _documents(block, rest, f"{place}{name}.{index}.")


class Attaching(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What a resource attaches to a role, user or group (the type `holder`), or says of what is attached to it.

    `to` is the attribute that names the holder, or a list of them; without it the resource is the holder itself.
    Managed policies are those whose ARNs `arns` has; inline ones have `names`, and `documents` unless they are listed
    only. With `alone` the list is complete: the `holder` has no other policy of this kind, or the `policy` no other
    holder of this type.
    """

    holder: str
    to: str = ""
    arns: str = ""
    names: str = ""
    documents: str = ""
    alone: Literal["", "holder", "policy"] = ""


class NestedFields(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How the fields of nested blocks, or of a JSON document, are compared; a path is dotted, and has no indices.

    `names` are the fields that tell the entries of a list apart, the list of the attribute itself being at the empty
    path. A list that is `ordered` is compared with its order. `defaults` are what AWS fills in where nothing is set,
    and `repeats` the field beside it that it fills one in from. A block whose `switch` is off says nothing else, and an
    `ignored` path is not compared. Of what is at or below a `hidden` path no value is ever shown, unless a pattern of
    `shown` fits. With `only_set`, what the source does not set is AWS's to choose, unless it has a default.
    """

    names: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    ordered: tuple[str, ...] = ()
    defaults: Mapping[str, Value] = field(default_factory=dict)
    repeats: Mapping[str, str] = field(default_factory=dict)
    hidden: tuple[str, ...] = ()
    shown: tuple[str, ...] = ()
    only_set: bool = False
    switch: str = ""
    ignored: tuple[str, ...] = ()


class DriftAttributes(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What the rule `drift` compares; only that the resource exists if `compared` is empty.

    `left_out` is what an answer of AWS leaves out where there is none: where the source does not set it, there is to be
    none either, unless the provider leaves alone what is not set. `repeated` is what a state repeats of other
    resources, as it was when it was written: it is compared only if the source sets it. `inherited` is what AWS sets
    where the source sets neither it nor one of the arguments that go with it: a replica has what its source has, and a
    service without a launch type the capacity of its cluster. `defaults` says what an argument is that is not set.
    Those of `nested` are compared field by field.
    """

    compared: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    repeated: tuple[str, ...] = ()
    inherited: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    defaults: Mapping[str, Value] = field(default_factory=dict)
    nested: Mapping[str, NestedFields] = field(default_factory=dict)


class PublicSetting(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An attribute whose `values` make a resource public, and why; `private` is the value to set instead, as HCL.

    `default` is what it is where it is not set.
    """

    attribute: str
    values: tuple[Value, ...]
    reason: str
    private: str
    default: Value = None


class ResourceType(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """What is known of a type of resource, or of the data source of its name.

    `name` is the attribute that holds the name; a dotted path leads into a map or block (`tags.Name`). `identity` are
    the attributes that together tell a resource apart in AWS, where that is not the name alone. `renaming` is what a
    change of the name does. `tag_types` are what tag policies call it (`logs:log-group`); `tag_blocks`, that its tags
    are blocks of their own. `secrets` are the paths, without indices, of attributes that hold a secret, a map as a
    whole. A `stateful` one holds what an apply cannot bring back: data, images, messages, users, keys; secrets are
    judged apart.

    `assigned` is what AWS makes of an attribute, as text with the parts that are known: a placeholder names another
    attribute, or the `partition`, `region`, `account` and `dns_suffix`; `found` is the same for the data source.

    `policies` are the documents that it holds, `attaches` the policies that it gives to roles, users and groups.

    `public` are the attributes that open it to everyone. `drift` is what is compared with the account, and
    `compared_by` the rule that does so in place of `drift`.
    `listing` is how the account lists what it has.
    """

    type: str
    name: str = ""
    identity: tuple[str, ...] = ()
    renaming: Renaming = Renaming.UNKNOWN
    tag_types: tuple[str, ...] = ()
    tag_blocks: bool = False
    secrets: tuple[str, ...] = ()
    stateful: bool = False
    assigned: Mapping[str, str] = field(default_factory=dict)
    found: Mapping[str, str] = field(default_factory=dict)
    policies: tuple[Policy, ...] = ()
    attaches: tuple[Attaching, ...] = ()
    public: tuple[PublicSetting, ...] = ()
    drift: DriftAttributes | None = None
    compared_by: str = ""
    listing: Listing | None = None
