"""What an ARN, id or name that AWS assigns will look like, so far as a resource type promises it.

`${aws_secretsmanager_secret.db.arn}` is known only after apply, but it will be
`arn:aws:secretsmanager:REGION:ACCOUNT:secret:NAME-` and six characters. Only what AWS documents is stated here; the
rest of an attribute stays unknown under its own name, so the same attribute is equal to itself wherever it stands.

Sources: Service Authorization Reference, "Resource types defined by …" of each service; Terraform AWS provider
documentation of each resource; AWS Secrets Manager User Guide, "Secrets Manager secret" (the ARN's suffix).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property
from typing import TypeAlias

from msgspec.structs import replace

from infraspec.core.errors import InfraspecError
from infraspec.core.unknown import (
    Application,
    JsonText,
    Sensitive,
    Text,
    Unknown,
    Value,
    characters,
    computed_from,
    concatenate,
    is_one_value,
    parts_of,
    render,
    unknowns,
)
from infraspec.resource_types import resource_type
from infraspec.resource_types.managed_policies import arn_of
from infraspec.terraform.language.expressions import again
from infraspec.terraform.plan import Plan, Resource, snapshot_of
from infraspec.terraform.provider.known_data import account_unknown, dns_suffix

SUFFIX_LENGTH = 6
"""How many characters AWS appends, after a hyphen, to a secret's name in its ARN."""

MASTER_USER_ARN = "master_user_secret[0].secret_arn"
"""The secret that RDS makes for the master user of a database."""
_MASTER_SECRET = re.compile(r"^master_user_secret(\[0\]|\.0)?\.secret_arn$")
_PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
_MAIN = "aws"
"""The provider configuration whose account is the plan's."""
_OTHERWISE = frozenset({"aws_iam_policy_document", "aws_secretsmanager_random_password"})
"""Data sources that are what they are configured with, or that answer otherwise each time."""
_Shape: TypeAlias = "Callable[[AwsAttributes, Resource], Value]"


def narrow(plan: Plan, value: Value) -> Value:
    """Narrow the unknown parts of one value."""
    return plan.derived(AwsAttributes).narrow(value)


class AwsAttributes:
    """The shapes of a plan's attributes; remembers what it has worked out."""

    def __init__(self, plan: Plan) -> None:
        self.plan = plan
        self._known: dict[str, Value] = {}

    def narrow(self, value: Value) -> Value:
        """Return text, or an unknown, with its unknown parts replaced by what is known of them.

        The result is str, Text (whose parts may be Character: one unknown character) or Unknown. Anything else,
        sensitive values and JSON text among it, is returned as it is.
        """
        if type(value) is Unknown:
            return self._attribute(value)
        if type(value) is Text:
            return concatenate(self._piece(part) for part in value.parts)
        return value

    def is_filled(self, value: Value) -> bool:
        """Tell whether what is not known is certainly not empty: the id, ARN or name of a managed resource."""
        found = self.plan.find(value) if isinstance(value, Unknown) else None
        return found is not None and found[0].mode == "managed" and found[1] in {"id", "arn", "name"}

    def account_of(self, resource: Resource) -> Value:
        """Return the account a resource is created in; a provider alias may assume a role in another one."""
        told = self.plan.accounts.get(resource.provider)
        if resource.provider == _MAIN or told == account_unknown(_MAIN):
            return self.plan.account
        if told is not None:
            return told
        provider = resource.provider.rsplit(":", 1)[-1].rsplit("/", 1)[-1]
        alias = provider if "." in provider else ""
        return account_unknown(alias) if alias else self.plan.account

    def region_of(self, resource: Resource) -> Value:
        """Return the region a resource is created in: its own argument, or its provider's."""
        own = resource.stated("region")
        if isinstance(own, (str, Text)) and resource.mode == "managed":
            return self.narrow(own)
        return self.plan.region_of(resource)

    def arn(
        self, resource: Resource, service: str, *parts: Value, regional: bool = True, in_account: bool = True
    ) -> Value:
        """Join an ARN of the resource's partition, region and account."""
        region = self.region_of(resource) if regional else ""
        account = self.account_of(resource) if in_account else ""
        return self.join("arn:", self.plan.partition, f":{service}:", region, ":", account, ":", *parts)

    def name(self, resource: Resource, attribute: str = "name") -> Value:
        """Return a resource's name: what is configured, or its prefix and an unknown rest."""
        own = f"{resource.address}.{attribute}"
        configured = resource.stated(attribute)
        if _given(configured, own):
            return self.narrow(configured)
        prefix = resource.stated(f"{attribute}_prefix")
        if _given(prefix, f"{own}_prefix"):
            return self.join(
                self.narrow(prefix), Unknown(f"{own} after its prefix", computed_from(resource.reference(attribute)))
            )
        return resource.reference(attribute)

    def text(self, resource: Resource, attribute: str) -> Value:
        """Return an attribute as text with what is known of it; unknown if it is not configured."""
        value = resource.stated(attribute)
        own = f"{resource.address}.{attribute}"
        return self.narrow(value) if _given(value, own) else resource.reference(attribute)

    @staticmethod
    def join(*parts: Value) -> Value:
        """Join pieces of text; a lone unknown stays one."""
        joined = concatenate(part for part in parts if isinstance(part, (str, Text, Unknown)))
        return joined.parts[0] if isinstance(joined, Text) and len(joined.parts) == 1 else joined

    def _piece(self, part: str | Unknown) -> str | Text | Unknown:
        narrowed = self.narrow(part)
        return narrowed if isinstance(narrowed, (str, Text, Unknown)) else part

    def _attribute(self, unknown: Unknown) -> Value:
        address = unknown.address
        if address not in self._known:
            self._known[address] = unknown  # what depends on itself stays unknown
            found = self.plan.find(unknown)
            self._known[address] = self._shape(unknown, *found) if found else self._computed(unknown)
        return self._known[address]

    @cached_property
    def _asking(self) -> Mapping[object, Sequence[Resource]]:
        """The data sources by what they ask: all that ask the same have the same answer."""
        found: dict[object, list[Resource]] = {}
        for one in self.plan.resources:
            if one.mode == "data" and one.type not in _OTHERWISE:
                found.setdefault(self._question(one), []).append(one)
        return found

    def _question(self, source: Resource) -> object:
        """Return what a data source is asked by: what its source sets, not what the contract answers."""
        is_set = (lambda _name: True) if source.locate is None else source.sets
        values = (
            {} if source.type in _OTHERWISE else {name: source.values[name] for name in source.values if is_set(name)}
        )
        asked = source.type, source.provider, render(values)
        hidden = any(isinstance(one, Sensitive) for one in unknowns(values))
        return asked if values and not hidden and is_one_value(asked[2]) else source.address

    def _computed(self, unknown: Unknown) -> Value:
        """Compute the result of a function again of what is known of its arguments; nothing else may be in it."""
        value = self._again(unknown)
        value = self.join(value) if isinstance(value, Text) else value
        if not isinstance(value, (str, Text, Unknown)):
            return unknown
        call = Application.of(unknown)
        given = set(unknowns([self._all(one) for one in call.arguments] if call else []))
        return value if set(unknowns(value)) <= given else unknown

    def _again(self, unknown: Unknown) -> Value:
        call = Application.of(unknown)
        if call is None:
            return unknown
        try:
            return again(replace(call, arguments=tuple(map(self._all, call.arguments))))
        except InfraspecError:
            return unknown

    def _all(self, value: Value) -> Value:
        """Narrow what an argument of a function holds."""
        if isinstance(value, list):
            return type(value)(map(self._all, value))
        return self._again(value) if type(value) is Unknown and Application.of(value) else self.narrow(value)

    def _shape(self, unknown: Unknown, resource: Resource, attribute: str) -> Value:
        alike = self._asking.get(self._question(resource), ()) if resource.mode == "data" else ()
        first = next((one for one in alike if attribute in one.values), alike[0] if alike else resource)
        if first is not resource:
            return self.narrow(first.attribute(attribute))
        planned = resource.stated(attribute)
        if _given(planned, unknown.address) and not isinstance(planned, JsonText):
            return self.narrow(planned)
        own = self.plan.additions.shapes.get((resource.type, attribute)) or _shape_of(resource, attribute)
        return own(self, resource) if own else unknown


def parameter_path(name: Value) -> Value:
    """Return the resource part of a Systems Manager parameter's ARN: `parameter/NAME`, without a doubled slash."""
    head = name.parts[0] if isinstance(name, Text) else name
    if not isinstance(head, str):
        return concatenate(["parameter", Unknown(f"the path of {name}", computed_from(name))])
    return concatenate(["parameter" if head.startswith("/") else "parameter/", name])


def _given(value: Value, own: str) -> bool:
    """Tell whether a value says more than that it is not known."""
    return isinstance(value, (str, Text, Unknown)) and value != "" and value != Unknown(own)


def _shape_of(resource: Resource, attribute: str) -> _Shape | None:
    """Return the shape of an attribute: one of those that are worked out, or a template of the catalogue."""
    if _MASTER_SECRET.match(attribute) and resource.type in {"aws_db_instance", "aws_rds_cluster"}:
        return _master_secret
    worked_out = _WORKED_OUT.get((resource.mode, resource.type, attribute))
    template = "" if worked_out else _templates(resource).get(attribute, "")
    return (lambda aws, resource: _filled(aws, resource, template)) if template else worked_out


def _templates(resource: Resource) -> Mapping[str, str]:
    known = resource_type(resource.type)
    return known.assigned if resource.mode == "managed" else known.found


def _filled(aws: AwsAttributes, resource: Resource, template: str) -> Value:
    """Return a template of the catalogue, filled with what is known of a resource."""
    pieces = _PLACEHOLDER.split(template)
    pieces[1::2] = [_part(aws, resource, name) for name in pieces[1::2]]
    return aws.join(*pieces)


def _part(aws: AwsAttributes, resource: Resource, name: str) -> Value:
    """Return what a placeholder stands for: something of the account, or another attribute."""
    own = _PARTS.get(name)
    if own is not None:
        return own(aws, resource)
    if name == "name":
        return aws.name(resource, resource_type(resource.type).name)
    template = _templates(resource).get(name)
    return _filled(aws, resource, template) if template else aws.text(resource, name)


def standing_for(aws: AwsAttributes, resource: Resource, placeholder: str) -> Value:
    """Return what a placeholder of the catalogue stands for that is no attribute; None if there is none of the name."""
    own = _PARTS.get(placeholder)
    return own(aws, resource) if own is not None else None


def _found_secret(aws: AwsAttributes, resource: Resource) -> Value:
    if not isinstance(resource.stated("name"), (str, Text)):
        return resource.reference("arn")
    return _declared(aws, resource) or _filled(aws, resource, resource_type(resource.type).assigned["arn"])


def _secret_of_version(aws: AwsAttributes, resource: Resource) -> Value:
    secret = aws.narrow(resource.stated("secret_id"))
    head = secret.parts[0] if isinstance(secret, Text) else secret
    is_arn = isinstance(head, str) and head.startswith("arn:")
    return secret if is_arn else resource.reference("arn")


def _master_secret(aws: AwsAttributes, resource: Resource) -> Value:
    whole = resource.reference(MASTER_USER_ARN)
    rest = Unknown(f"{whole.address} after its prefix", computed_from(whole))
    return aws.arn(resource, "secretsmanager", "secret:rds!", rest)


def _path(aws: AwsAttributes, resource: Resource) -> Value:
    """Return the path of something of IAM, which is / if it is not set."""
    unset = not isinstance(resource.stated("path"), (str, Text, Unknown))
    return "/" if unset else aws.text(resource, "path")


def _found_role(aws: AwsAttributes, resource: Resource) -> Value:
    """Return the ARN of a role that is looked up by its name: of the plan, of a snapshot, or but for its path."""
    here = _declared(aws, resource)
    if here is not None:
        return here
    snapshot = snapshot_of(aws.plan, aws.account_of(resource), aws.plan.partition)
    known = snapshot.roles.get(aws.name(resource)) if snapshot else None
    if known:
        return known.stated("arn")
    return _filled(aws, resource, "arn:{partition}:iam::{account}:role{path}{name}")


def _found_policy(aws: AwsAttributes, resource: Resource) -> Value:
    """Return the ARN of a policy that is looked up by its name: of the plan or of AWS; of another it is not known."""
    name, partition = resource.stated("name"), aws.plan.partition
    here = _declared(aws, resource)
    of_aws = arn_of(name, partition) if isinstance(name, str) and isinstance(partition, str) else None
    return resource.reference("arn") if here and of_aws else here or of_aws or resource.reference("arn")


def _declared(aws: AwsAttributes, source: Resource) -> Value:
    """Return the ARN of what the plan makes under the name that a data source looks up, which is one in its place."""
    wanted = aws.name(source), aws.account_of(source), aws.region_of(source)
    for resource in aws.plan.managed(source.type):
        own = aws.name(resource), aws.account_of(resource), aws.region_of(resource)
        if own == wanted and aws.plan.is_certain(resource, source):
            return aws.narrow(resource.reference("arn"))
    return None


def _found_key(aws: AwsAttributes, resource: Resource) -> Value:
    """Return the ARN of a key of the plan that is looked up by what the plan knows it by."""
    asked = resource.stated("key_id")
    aliases = (one for one in aws.plan.managed("aws_kms_alias") if asked in (aws.name(one), one.reference("name")))
    alias = next(aliases, None)
    target = alias.attribute("target_key_id") if alias else asked
    found = aws.plan.find(target) if isinstance(target, Unknown) else None
    of_key = found is not None and (found[0].mode, found[0].type) == ("managed", "aws_kms_key")
    return aws.narrow(found[0].reference("arn")) if found and of_key else resource.reference("arn")


def _found_family(aws: AwsAttributes, resource: Resource) -> Value:
    """Return the family of a task definition that is looked up by it, not by a revision or an ARN."""
    family = aws.narrow(resource.stated("task_definition"))
    return family if isinstance(family, str) and ":" not in family else resource.reference("family")


def _found_definition(aws: AwsAttributes, resource: Resource) -> Value:
    """Return the ARN of the newest revision of a family."""
    family = _found_family(aws, resource)
    named = aws.arn(resource, "ecs", "task-definition/", family, ":", resource.reference("revision"))
    return named if isinstance(family, str) else resource.reference("arn")


def _registry(aws: AwsAttributes, resource: Resource) -> Value:
    given = resource.stated("registry_id")
    return aws.narrow(given) if _given(given, f"{resource.address}.registry_id") else aws.account_of(resource)


def _balancer(aws: AwsAttributes, resource: Resource) -> Value:
    """Return what the ARN of a listener says of the kind of its load balancer."""
    named = resource.attribute("load_balancer_arn")
    found = aws.plan.find(named) if isinstance(named, Unknown) else None
    kind = (found[0].stated("load_balancer_type") or "application") if found else None
    return _BALANCERS.get(str(kind)) or Unknown(f"{resource.address}.load_balancer_type", computed_from(named))


def _event_bus(aws: AwsAttributes, resource: Resource) -> Value:
    """Return what the ARN of a rule says of its event bus, nothing of the default one: the bus is named, or an ARN."""
    bus = aws.narrow(resource.stated("event_bus_name"))
    if bus in {None, "", "default"} or bus == resource.reference("event_bus_name"):
        return ""
    last = parts_of(bus)[-1]
    name = last.rpartition("/")[2] if isinstance(last, str) and "/" in last else bus
    return "" if name == "default" else aws.join(name, "/")


def _path_of_api(aws: AwsAttributes, resource: Resource) -> Value:
    """Return the path of a resource of a REST API: its parts from the root of the API on."""
    parent = resource.attribute("parent_id")
    found = aws.plan.find(parent) if isinstance(parent, Unknown) else None
    if found is None or found[0].type not in {"aws_api_gateway_resource", "aws_api_gateway_rest_api"}:
        return resource.reference("path")
    before = _path_of_api(aws, found[0]) if found[0].type == resource.type else ""
    return aws.join(before, "/", aws.text(resource, "path_part"))


def _called(api: str, stage: str) -> _Shape:
    """Return the shape of the ARN by which a stage of an API is called."""
    return lambda aws, resource: aws.arn(
        resource, "execute-api", aws.text(resource, api), "/", aws.text(resource, stage)
    )


_BALANCERS = {"application": "app", "network": "net", "gateway": "gwy"}
_PARTS: Mapping[str, _Shape] = {
    "partition": lambda aws, _: aws.plan.partition,
    "region": lambda aws, resource: aws.region_of(resource),
    "account": lambda aws, resource: aws.account_of(resource),
    "dns_suffix": lambda aws, _: dns_suffix(aws.plan.partition) or Unknown("aws_partition.dns_suffix"),
    "registry": _registry,
    "path=/": _path,
    "load balancer's kind": _balancer,
    "event bus/": _event_bus,
    "parameter": lambda aws, resource: parameter_path(aws.name(resource)),
    "??????": lambda _aws, resource: characters(f"{resource.address}.arn", SUFFIX_LENGTH),
}
"""What the placeholders of the catalogue stand for that are no other attributes."""
_WORKED_OUT: Mapping[tuple[str, str, str], _Shape] = {
    ("managed", "aws_secretsmanager_secret_version", "arn"): _secret_of_version,
    ("data", "aws_secretsmanager_secret_version", "arn"): _secret_of_version,
    ("data", "aws_secretsmanager_secret", "arn"): _found_secret,
    ("data", "aws_secretsmanager_secret", "id"): _found_secret,
    ("data", "aws_ecs_task_definition", "arn"): _found_definition,
    ("data", "aws_kms_key", "arn"): _found_key,
    ("data", "aws_ecs_task_definition", "family"): _found_family,
    ("managed", "aws_api_gateway_resource", "path"): _path_of_api,
    ("managed", "aws_api_gateway_deployment", "execution_arn"): _called("rest_api_id", "stage_name"),
    ("managed", "aws_apigatewayv2_stage", "execution_arn"): _called("api_id", "name"),
    ("data", "aws_iam_role", "arn"): _found_role,
    ("data", "aws_iam_policy", "arn"): _found_policy,
    ("data", "aws_iam_policy", "id"): _found_policy,
}
"""The shapes that are more than a template, by mode, resource type and attribute."""
