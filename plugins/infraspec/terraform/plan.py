"""The Plan model: what every check reads, whether it came from source, from a plan file or from a state.

A Plan is a set of resource instances with their planned values. Values are those of `infraspec.core.unknown`: a part
that is known only after apply is an Unknown in its place, a sensitive one is Sensitive.
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from functools import cached_property
from typing import TYPE_CHECKING, Any, TypeVar

from msgspec import Struct, field

from infraspec.core.errors import InfraspecError, PlanError, RequestError, did_you_mean, listing
from infraspec.core.unknown import (
    Cause,
    MissingVariable,
    OtherStack,
    Unknown,
    UnreadData,
    UnstatedAccount,
    UnstatedRegion,
    Value,
)
from infraspec.resource_types import PolicyKind
from infraspec.terraform.provider.schema import is_computed

if TYPE_CHECKING:
    from infraspec.contract.waivers import InlineWaiver
    from infraspec.core.finding import Location


_ABSENT: Any = object()


class ValuesOnDemand(Mapping[str, Value]):
    """Values each of which is worked out when it is first asked for; the names are there from the beginning."""

    __slots__ = ("_compute", "_done", "_names")

    def __init__(self, names: Collection[str], compute: Callable[[str], Value]) -> None:
        self._names = names
        self._compute = compute
        self._done: dict[str, Value] = {}

    def __getitem__(self, name: str) -> Value:
        if name not in self._done:
            if name not in self._names:
                raise KeyError(name)
            self._done[name] = self._compute(name)
        return self._done[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)

    def __contains__(self, name: object) -> bool:
        return name in self._names

    def __repr__(self) -> str:
        return repr(dict(self))

    def __reduce__(self) -> tuple[object, ...]:
        return dict, (dict(self),)


class Resource(Struct, frozen=True, eq=False):
    """One instance of a managed resource or data source.

    `address` is the instance's (`module.db["a"].aws_db_instance.this[0]`), `module` the module instance's part of it
    (`module.db["a"]`, empty in the root), `key` its count index or for_each key, None without either, "?" if count or
    for_each is unknown. `values` has the configured attributes, and from a plan or state all planned ones; nested
    blocks are lists of dicts. `provider` is the provider configuration (`aws`, `aws.virginia`). `actions` are those of
    the plan (`("create",)`; empty from source and state). `ignore_changes` are the attributes that Terraform leaves to
    others once the resource exists, or `all`; the source alone says them.
    """

    address: str
    mode: str
    type: str
    name: str
    key: int | str | None
    module: str
    values: Mapping[str, Value]
    provider: str = ""
    location: Location | None = None
    actions: tuple[str, ...] = ()
    locate: Callable[[str], Location | None] | None = None
    ignore_changes: tuple[str, ...] = ()

    def get(self, attribute: str, default: Value = None) -> Value:
        """Return a configured or planned attribute; Unknown if the provider computes it, the default if it is unset.

        A plan or state has what the provider computes, as far as it is known.
        """
        value = self.values.get(attribute, _ABSENT)
        if value is not _ABSENT:
            return value
        if self.locate is not None and is_computed(self.type, attribute, self.mode):
            return self.reference(attribute)
        return default

    def __getitem__(self, attribute: str) -> Value:
        """Return an attribute as `get` does. Raises RequestError, which names what there is, if it is not set."""
        value = self.get(attribute, _ABSENT)
        if value is not _ABSENT:
            return value
        raise RequestError(
            f"{self.address} has no value of `{attribute}`",
            place=str(self.location or ""),
            expected=f"one of {listing(sorted(self.values), 30)}",
            found=attribute,
            remedy=did_you_mean(attribute, list(self.values)) or f'if it may be unset, ask resource.get("{attribute}")',
        )

    def stated(self, attribute: str, default: Value = None) -> Value:
        """Return an attribute as the source, plan or state states it, or the default, whoever may compute it."""
        return self.values.get(attribute, default)

    def attribute(self, attribute: str) -> Value:
        """Return an attribute as an expression would see it: Unknown if nothing is known of it."""
        return self.values[attribute] if attribute in self.values else self.reference(attribute)

    def of_block(self, name: str, attribute: str) -> Value:
        """Return an attribute of a block that may be given once; None without the block, or what hides it."""
        block = self.stated(name)
        first = block[0] if isinstance(block, list | tuple) and block else block
        if isinstance(first, Mapping):
            return first.get(attribute)
        return None if first in (None, [], ()) else first

    def reference(self, attribute: str) -> Unknown:
        """Return an attribute as a reference to it, whatever is known of it."""
        cause = data_cause(self.address, self.type, attribute) if self.mode == "data" else None
        return Unknown(f"{self.address}.{attribute}", cause)

    def sets(self, attribute: str) -> bool:
        """Tell whether the source sets an attribute or block; a plan or state has what the provider computes too."""
        return self.locate is not None and self.locate(attribute) is not None

    def location_of(self, attribute: str) -> Location | None:
        """Return where an attribute (`container_definitions`) or nested block is set, or where the resource begins."""
        found = self.locate(attribute) if self.locate else None
        return found or self.location


_DERIVED = frozenset({"aws_iam_policy_document", "aws_caller_identity", "aws_region", "aws_partition"})
"""Data sources that answer from the account, the region or their own configuration."""
_OUTPUTS = {"terraform_remote_state": ("outputs",), "tfe_outputs": ("values", "nonsensitive_values")}
"""Data sources that read the state of another stack, and what they return of it."""


def data_cause(address: str, type_: str, attribute: str) -> Cause | None:
    """Return why an attribute of the data source of an address is not known, if that is because it was not read."""
    if type_ in _DERIVED:
        return None
    return OtherStack(address, attribute) if attribute in _OUTPUTS.get(type_, ()) else UnreadData(address, attribute)


NOT_EVALUATED = "is not evaluated"
"""What a diagnostic says of a module that is not here."""


class Diagnostic(Struct, frozen=True):
    """Something about the input that is no error but limits what can be said: an opaque module, a failed validation.

    `severity` is "error" (a validation or precondition that is false: Terraform would stop) or "warning". `remedy` is
    what fixes it or makes it known, if that is more than the message says.
    """

    severity: str
    message: str
    location: Location | None = None
    remedy: str = ""

    def __str__(self) -> str:
        text = f"{self.location}: {self.message}" if self.location else self.message
        return f"{text}\n  remedy:   {self.remedy}" if self.remedy else text


class Fault(Struct, frozen=True):
    """What the schema of a provider refuses in the source; `kind` is a text of the rule `source`, with its `values`."""

    kind: str
    address: str
    name: str
    location: Location
    values: Mapping[str, object]


_ANY = re.compile(r'\[\?\]|\["\?"\]')
"""What an address has in place of the key of an instance that stands for any."""


class Uncertain(Struct, frozen=True):
    """Why it is not known whether there is an instance: `argument` is count, for_each or enabled, `value` what it is.

    `address` is that of the resource or module without a key.
    """

    argument: str
    address: str
    value: Unknown

    def __str__(self) -> str:
        return f"the {self.argument} of {self.address} is unknown: {self.value.address}"


def uncertainties(uncertain: Mapping[str, Uncertain], address: str) -> Mapping[str, Uncertain]:
    """Return those of an address, outermost first: of the modules that it is in, and of itself."""
    begun = [address[: found.end()] for found in _ANY.finditer(address)]
    return {part: uncertain[part] for part in (*begun, address) if part in uncertain}


class Refactoring(Struct, frozen=True):
    """A moved, import or removed block. `kind` is its type; `source` and `target` are addresses or ids, or empty."""

    kind: str
    source: str
    target: str
    location: Location | None = None


class ChangeKind(Enum):
    """What a plan does to an object. Source: Terraform, "JSON Output Format", Change Representation."""

    CREATE = "create"
    UPDATE = "update"
    REPLACE = "replace"
    DELETE = "delete"
    FORGET = "forget"
    READ = "read"
    NO_OP = "no-op"


_KINDS: dict[tuple[str, ...], ChangeKind] = {(kind.value,): kind for kind in ChangeKind}


@dataclasses.dataclass(frozen=True, slots=True)
class Change:
    """What a plan file does to one resource, or in `drift` what has happened to it since the last apply.

    `actions` are such as ("delete", "create"), `reason` is Terraform's ("replace_because_tainted"), `deposed` the key
    of an object that an earlier replacement left behind. `replace_paths` are the attributes that force a replacement,
    where Terraform says so. `before` and `after` hold the attributes, secrets hidden and what is not known until apply
    Unknown; empty where there is no object. `configured` are the arguments that the configuration sets, as far as the
    plan file says: no `dynamic` blocks, None if nothing.
    """

    address: str
    actions: tuple[str, ...]
    reason: str = ""
    previous_address: str = ""
    importing: bool = False
    drift: bool = False
    type: str = ""
    mode: str = "managed"
    deposed: str = ""
    replace_paths: tuple[str, ...] = ()
    before: Mapping[str, Value] = dataclasses.field(default_factory=dict, compare=False, repr=False)
    after: Mapping[str, Value] = dataclasses.field(default_factory=dict, compare=False, repr=False)
    configured: frozenset[str] | None = dataclasses.field(default=None, compare=False, repr=False)
    compare: Callable[[], tuple[str, ...]] = dataclasses.field(default=tuple, compare=False, repr=False)

    @property
    def kind(self) -> ChangeKind:
        """What is done, as one word; PlanError for actions that are not known."""
        if "create" in self.actions and len(self.actions) > 1:
            return ChangeKind.REPLACE
        kind = _KINDS.get(self.actions)
        if kind is None:
            raise PlanError(
                "a change has actions that this release does not know",
                place=self.address,
                expected=", ".join(kind.value for kind in ChangeKind),
                found=", ".join(self.actions) or "none",
                remedy="use a release of infraspec that supports this version of terraform",
            )
        return kind

    @property
    def creates_first(self) -> bool:
        """Whether a replacement makes the new object before it destroys the old one."""
        return self.kind is ChangeKind.REPLACE and self.actions[0] == "create"

    @property
    def destroys(self) -> bool:
        """Whether an object is deleted, for good or to be replaced."""
        return "delete" in self.actions

    @property
    def changed(self) -> tuple[str, ...]:
        """The names of the attributes that differ, secrets and what is not known until apply among them."""
        return self.compare()


class Additions(Struct, frozen=True):
    """What a repository's own plugins know of AWS that infraspec does not.

    `shapes` gives what an attribute of a resource type will look like, by type and attribute, as a function of an
    AwsAttributes and the Resource; `access` lists further functions from a TaskDefinition and its AccessContext to the
    Requirements that its roles have to meet; `rules` are the ids of their checks.
    """

    shapes: Mapping[tuple[str, str], Callable[..., Value]] = field(default_factory=dict)
    access: tuple[Callable[..., Iterable[object]], ...] = ()
    rules: tuple[str, ...] = ()


T = TypeVar("T")


@dataclasses.dataclass(frozen=True, repr=False)
class Plan:
    """The resource instances of one environment, in order of address appearance.

    `origin` says what it was built from ("source terraform/environments/prod", "plan plan.json"). `account`,
    `region` and `partition` are those of the default AWS provider or of the contract, Unknown where not known.
    """

    origin: str
    resources: Sequence[Resource]
    diagnostics: tuple[Diagnostic, ...] = ()
    examine: Callable[[], Sequence[Fault]] = dataclasses.field(default=tuple, compare=False)
    """Compare the source with the schemas of its providers."""
    outputs: Mapping[str, Value] = dataclasses.field(default_factory=dict)
    sensitive_outputs: frozenset[str] = frozenset()
    """The outputs declared sensitive; the value of one may be Unknown all the same."""
    refactorings: tuple[Refactoring, ...] = ()
    changes: tuple[Change, ...] = ()
    """What a plan file does, no-op included, then the drift that terraform found."""
    given: Mapping[str, str] = dataclasses.field(default_factory=dict)
    """The variables of a plan file that are text."""
    from_plan_file: bool = False
    """Whether there is a plan file behind it, which alone says what changes."""
    account: Value = dataclasses.field(
        default_factory=lambda: Unknown("aws_caller_identity.account_id", UnstatedAccount("aws"))
    )
    region: Value = dataclasses.field(default_factory=lambda: Unknown("aws_region.region", UnstatedRegion("aws")))
    partition: Value = "aws"
    regions: Mapping[str, Value] = dataclasses.field(default_factory=dict)
    """Region by provider configuration (`aws`, `aws.virginia`); `region` where one is not listed."""
    accounts: Mapping[str, Value] = dataclasses.field(default_factory=dict)
    """Account by provider configuration, as far as the source tells; another one may be that of anybody."""
    ignored_tags: Mapping[str, tuple[Value, ...]] = dataclasses.field(default_factory=dict)
    """The keys of tags that a provider configuration leaves alone; a * at the end stands for any text."""
    unseen_inputs: Mapping[str, Sequence[Callable[[], Value]]] = dataclasses.field(default_factory=dict, compare=False)
    """What modules are given whose source is not here, by their addresses."""
    problems: Sequence[InfraspecError] = ()
    """The errors of the source that leave something without a value: more, once more of it was evaluated."""
    fetched: Mapping[str, Location] = dataclasses.field(default_factory=dict)
    """Where modules that terraform has fetched, which the user does not own, are called, by address of the module."""
    waivers: tuple[InlineWaiver, ...] = ()
    """What comments in the source waive."""
    refused_waivers: tuple[Fault, ...] = ()
    """Comments that are meant for waivers and are none."""
    module_calls: int = 0
    """How many module instances were evaluated (0 from a plan or state)."""
    absent: tuple[tuple[str, str], ...] = ()
    """The sources of modules that are not here, each with the version that is demanded."""
    additions: Additions = dataclasses.field(default_factory=Additions)
    modules: Mapping[str, Any] = dataclasses.field(default_factory=dict, compare=False)
    """The instances of modules by address, with what they declare; of source alone."""
    source: Plan | None = None
    """The source, where a plan is of what exists in its place: what is to be changed is changed there."""
    uncertain: Mapping[str, Uncertain] = dataclasses.field(default_factory=dict)
    """Why it is not known whether there is an instance, by the address of the one that stands for any."""
    snapshots: tuple[IamSnapshot, ...] = ()
    """What IAM had, an account each, when it was exported: for the roles and policies that the plan has not."""
    organization: tuple[tuple[PolicyKind, str, Value], ...] = ()
    """The policies of the organization that the contract gives, each level with its kind and file."""
    _derived: dict[object, Any] = dataclasses.field(default_factory=dict, init=False, compare=False)

    def __repr__(self) -> str:
        return f"<Plan of {self.origin}: {len(self.resources)} resources>"

    def derived(self, make: Callable[..., T], *arguments: Value) -> T:
        """Return what is worked out of the plan and some arguments, once for all that ask for the same."""
        key = (make, arguments)
        if key not in self._derived:
            self._derived[key] = make(self, *arguments)
        made: T = self._derived[key]
        return made

    @property
    def unevaluated(self) -> list[str]:
        """What is said of each module that was not evaluated, as it is not here."""
        return [each.message for each in self.diagnostics if NOT_EVALUATED in each.message]

    @property
    def is_whole(self) -> bool:
        """Whether all of the source was evaluated, so that what is not in the plan is not in the source."""
        return not self.problems and not self.unevaluated

    @cached_property
    def by_address(self) -> Mapping[str, Resource]:
        """The instances by address."""
        return {resource.address: resource for resource in self.resources}

    @cached_property
    def _by_type(self) -> Mapping[tuple[str, str], tuple[Resource, ...]]:
        groups: dict[tuple[str, str], list[Resource]] = {}
        for resource in self.resources:
            groups.setdefault((resource.mode, resource.type), []).append(resource)
        return {key: tuple(group) for key, group in groups.items()}

    def managed(self, *types: str) -> tuple[Resource, ...]:
        """Return the managed instances of the given types, or of all."""
        if not types:
            return tuple(resource for resource in self.resources if resource.mode == "managed")
        return tuple(r for type_ in types for r in self._by_type.get(("managed", type_), ()))

    def data(self, *types: str) -> tuple[Resource, ...]:
        """Return the data source instances of the given types."""
        return tuple(r for type_ in types for r in self._by_type.get(("data", type_), ()))

    def types(self) -> Iterator[str]:
        """Yield the types of the managed instances, sorted."""
        yield from sorted({type_ for mode, type_ in self._by_type if mode == "managed"})

    def find(self, unknown: Unknown) -> tuple[Resource, str] | None:
        """Return the instance and attribute path that an unknown names: (resource, "arn"), or None."""
        address = unknown.address
        cut = len(address)
        while (cut := address.rfind(".", 0, cut)) > 0:
            resource = self.by_address.get(address[:cut])
            if resource is not None:
                return resource, address[cut + 1 :]
        return None

    def configures(self, resource: Resource, attribute: str) -> bool | None:
        """Tell whether the configuration sets an argument, which a plan file repeats as it was; None if not known."""
        if resource.locate is not None:
            return resource.sets(attribute)
        known = self._configured.get(resource.address)
        return None if known is None else attribute in known

    @cached_property
    def _configured(self) -> Mapping[str, frozenset[str]]:
        return {one.address: one.configured for one in self.changes if one.configured is not None and not one.drift}

    def uncertainties(self, address: str) -> Mapping[str, Uncertain]:
        """Return why it is not known whether what has an address is there, of itself and of the modules it is in."""
        return uncertainties(self.uncertain, address) if self.uncertain else {}

    def left_out(self, source: Resource) -> str:  # noqa: ARG002 - a sandbox may lack something
        """Return why something of the source cannot be there; nothing of a plan."""
        return ""

    def made_up(self, variable: MissingVariable) -> str | None:  # noqa: ARG002 - a sandbox has made one up
        """Return the value that a sandbox made up for a variable; None of an account."""
        return None

    def unlisted(self, type_: str) -> Unknown | None:  # noqa: ARG002 - a plan of an account has some
        """Return why there may be more resources of a type than are known, None if there are not."""
        return None

    def with_principals(self) -> Plan | Unknown:
        """Return the plan with all that is known of its account's principals, Unknown where they may not be seen."""
        return self

    def with_network(self) -> Plan | Unknown:
        """Return the plan with all that is known of the network around its tasks, Unknown where it may not be seen."""
        return self

    def is_certain(self, resource: Resource, beside: Resource | None = None) -> bool:
        """Tell whether a resource is there for certain, or with `beside` whenever that is."""
        given = self.uncertainties(beside.address) if beside else {}
        return self.uncertainties(resource.address).keys() <= given.keys()

    def belongs_to(self, resource: Resource, owner: Resource | None) -> bool:
        """Tell whether a resource that refers to an owner is there for certain, and for every one of its instances.

        An owner that stands for any may be another one than what the resource refers to.
        """
        return self.is_certain(resource, owner) and (owner is None or self.is_certain(owner, resource))

    def doubt_of(self, resource: Resource, owner: Resource | None = None) -> Uncertain | None:
        """Return why it is not certain that a resource is there, or which of the instances of its owner it is for."""
        found = self.uncertainties(resource.address) or (self.uncertainties(owner.address) if owner else {})
        return next(iter(found.values()), None)

    def region_of(self, resource: Resource) -> Value:
        """Return the region a resource is created in: its own argument (AWS provider 6), else its provider's.

        One that the provider is still to compute is the provider's.
        """
        own = resource.stated("region")
        if own and own != resource.reference("region"):
            return own
        return self.regions.get(resource.provider, self.region)

    def replaced(self, **changes: Value) -> Plan:
        """Return a copy with some fields changed."""
        return dataclasses.replace(self, **changes)


COMMAND = "aws iam get-account-authorization-details --output json"
"""What exports the IAM of an account; it needs iam:GetAccountAuthorizationDetails and changes nothing."""
EXPORT = f"{COMMAND} > iam.json"


@dataclass(frozen=True, repr=False)
class IamSnapshot(Plan):
    """The roles, users, groups and policies of one account.

    They have the attributes of their Terraform resources and their ARN as address; what is inline, or attached, is a
    resource of its own. `newest` is the newest date in the file: the snapshot is not older than that.
    """

    newest: str = ""

    def __repr__(self) -> str:
        return f"<IamSnapshot of {self.account}: {len(self.resources)} resources>"

    def __str__(self) -> str:
        dated = f", newest date in it {self.newest}" if self.newest else ""
        return f"{self.origin} (IAM of account {self.account}{dated})"

    @cached_property
    def roles(self) -> Mapping[Value, Resource]:
        """The roles by name, which is unique in an account."""
        return {role.stated("name"): role for role in self.managed("aws_iam_role")}

    @cached_property
    def attached(self) -> Mapping[str, tuple[Resource, ...]]:
        """The inline policies and attachments of roles, by the name of the role."""
        found: dict[str, list[Resource]] = {}
        for resource in self.managed("aws_iam_role_policy", "aws_iam_role_policy_attachment"):
            found.setdefault(resource.values["role"], []).append(resource)
        return {name: tuple(resources) for name, resources in found.items()}


def snapshot_of(plan: Plan, account: Value, partition: Value) -> IamSnapshot | None:
    """Return the snapshot of an account of a partition; None if there is none, or if either is not known."""
    matching = (one for one in plan.snapshots if (one.account, one.partition) == (account, partition))
    return next(matching, None)
