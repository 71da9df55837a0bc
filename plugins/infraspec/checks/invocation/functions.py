"""Lambda functions as callers name them, and the policy that a function, a version or an alias has.

An aws_lambda_permission adds one statement to it. A policy is that of the unqualified function, or of one version or
alias: what calls an alias needs a permission there. Sources: AWS Lambda Developer Guide, "Viewing resource-based IAM
policies in Lambda" and "Using Lambda aliases in event sources and permissions policies"; AWS Lambda API Reference,
"AddPermission"; Terraform AWS provider, "Resource: aws_lambda_permission".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from msgspec import Struct
from msgspec.structs import replace

from infraspec.checks.common.policy_owners import same_text
from infraspec.checks.common.resources_by_arn import ArnIndex
from infraspec.checks.common.roles_in_snapshots import as_far_as_certain
from infraspec.core.truth import Truth, all_of
from infraspec.core.unknown import Text, Unknown, Value, parts_of, render, unknowns
from infraspec.iam.policy.document import PolicyDocument
from infraspec.iam.policy.statements import IdentityPolicy
from infraspec.resource_types import resource_type
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource

PERMISSION, FUNCTION, ALIAS = "aws_lambda_permission", "aws_lambda_function", "aws_lambda_alias"
_OF_VERSION = frozenset({"qualified_arn", "qualified_invoke_arn", "response_streaming_invoke_arn"})
_QUALIFIER = re.compile(r"^:([\w$-]+)", re.ASCII)
_HOLE = "\ue003"
_NAMED = re.compile(
    rf"^(?:.*:path/[\d-]+/functions/)?(?:(?:arn:[^:]*:lambda:(?P<region>[^:]*):)?(?P<account>[^:]*):function:)?"
    rf"(?P<name>[\w{_HOLE}-]+)(?::(?P<qualifier>[\w${_HOLE}-]+))?(?:/invocations|/response-streaming-invocations)?$",
    re.DOTALL,
)
_LATEST = "$LATEST"


class Callee(Struct, frozen=True):
    """A function as something names it: that of the plan, or by its name; `qualifier` is empty where there is none.

    `account` and `region` are those of the name, if it has some.
    """

    function: Resource | None
    name: Value
    qualifier: Value = ""
    account: Value = ""
    region: Value = ""


class Functions:
    """The functions of a plan, by what names them, with their policies."""

    def __init__(self, owners: ArnIndex) -> None:
        self.owners, self.attributes, self.plan = owners, owners.attributes, owners.plan
        self._by_name: dict[str, list[Resource]] = {}
        for function in self.plan.managed(FUNCTION):
            self._by_name.setdefault(render(self.attributes.name(function, "function_name")), []).append(function)
        self._permissions = [(permission, self._permitted(permission)) for permission in self.plan.managed(PERMISSION)]

    def named(self, value: Value) -> Callee | None:
        """Return the function that a name, an ARN, a part of one, or an ARN to invoke it with stands for."""
        parts = parts_of(value) if isinstance(value, str | Text | Unknown) else ()
        for index, part in enumerate(parts):
            found = self.plan.find(part) if isinstance(part, Unknown) else None
            if found is not None and found[0].type in {FUNCTION, ALIAS}:
                return self._attribute(*found, parts[index + 1 :])
        return self._in_text(self.attributes.narrow(value)) if parts else None

    def _attribute(self, resource: Resource, attribute: str, after: tuple[str | Unknown, ...]) -> Callee:
        """Return the function that an attribute names, with the qualifier that text after it adds."""
        if resource.type == ALIAS:
            of = self.named(resource.attribute("function_name"))
            name = self.attributes.name(resource)
            return Callee(of.function, of.name, name) if of else Callee(None, resource.reference("function_name"), name)
        qualifier: Value = resource.reference("version") if attribute in _OF_VERSION else ""
        head = after[0] if after else ""
        if isinstance(head, str) and (written := _QUALIFIER.match(head)):
            qualifier = written[1]
        elif head == ":" and after[1:]:
            qualifier = after[1]
        if resource.mode == "managed":
            return Callee(resource, self.attributes.name(resource, "function_name"), qualifier)
        asked = resource.stated("qualifier")
        if attribute == "invoke_arn" and asked:
            qualifier = asked
        name = self.attributes.narrow(resource.attribute("function_name"))
        return self._in_text(name, qualifier) or Callee(None, name, qualifier)

    def _in_text(self, value: Value, qualifier: Value = "") -> Callee | None:
        holes = list(unknowns(value))
        coded = "".join(part if isinstance(part, str) else _HOLE for part in parts_of(value))
        found = _NAMED.match(coded)
        if found is None or coded == _HOLE:
            return None

        def filled(group: str) -> Value:
            start = coded.count(_HOLE, 0, found.start(group))
            text = found[group] or ""
            pieces = re.split(f"({_HOLE})", text)
            named = iter(holes[start:])
            return self.attributes.join(*(next(named) if piece == _HOLE else piece for piece in pieces))

        name, account, region = filled("name"), filled("account"), filled("region")
        given = filled("qualifier") if found["qualifier"] else qualifier
        of_text = Callee(None, name, given, account, region)
        fitting = [one for one in self._by_name.get(render(name), ()) if self._in_place(of_text, one)]
        return replace(of_text, function=fitting[0]) if len(fitting) == 1 else of_text

    def _in_place(self, named: Callee, function: Resource) -> bool:
        """Tell whether a function may be in the account and region that something names."""
        own = self.attributes.account_of(function), self.attributes.region_of(function)
        told = zip((named.account, named.region), own, strict=True)
        return not any(one != other and isinstance(one, str) and one and isinstance(other, str) for one, other in told)

    def policies(self, callee: Callee) -> list[IdentityPolicy]:
        """Return the statements of the policy that a caller of a function meets, each as a policy of its own."""
        of_function: list[IdentityPolicy] = []
        if callee.function is not None and not callee.qualifier:
            arn = self.attributes.narrow(callee.function.reference("arn"))
            of_function = self.owners.policies(arn, None, "lambda:InvokeFunction")
        return [*of_function, *self._granted(callee)]

    def _granted(self, callee: Callee) -> Iterator[IdentityPolicy]:
        for permission, theirs in self._permissions:
            answer = self.same(callee, theirs)
            if answer is Truth.NO:
                continue
            policy = permission_policy(self.attributes, permission)
            if answer is Truth.MAYBE:
                shown = permission.reference("function_name") if theirs is None else theirs.name
                unknown = next(unknowns([shown, theirs.qualifier if theirs else ""]), permission.reference("qualifier"))
                policy = policy.perhaps((f"it may be for another function: {unknown.address} is unknown", unknown))
            yield as_far_as_certain(policy, self.plan, permission, callee.function)

    def _permitted(self, permission: Resource) -> Callee | None:
        callee = self.named(permission.attribute("function_name"))
        qualifier = permission.stated("qualifier")
        if callee is None or not qualifier:
            return callee
        return Callee(callee.function, callee.name, self.attributes.narrow(qualifier))

    def same(self, one: Callee, other: Callee | None) -> Truth:
        """Tell whether two name the same function, and the same version or alias of it."""
        if other is None:
            return Truth.MAYBE
        if one.function is not None and other.function is not None:
            same = Truth.YES if one.function is other.function else Truth.NO
        elif any(
            named.function is None and whole.function is not None and not self._in_place(named, whole.function)
            for named, whole in ((one, other), (other, one))
        ):
            same = Truth.NO
        else:
            same = same_text(self.attributes, one.name, other.name)
        return all_of(same, self._same_qualifier(one.qualifier, other.qualifier))

    def _same_qualifier(self, one: Value, other: Value) -> Truth:
        if one == other:
            return Truth.YES
        if {one, other} == {"", _LATEST}:
            return Truth.MAYBE
        if not one or not other:
            known = isinstance(one or other, str)
            of_version = isinstance(one or other, Unknown) and (one or other).address.endswith(".version")
            return Truth.NO if known or of_version else Truth.MAYBE
        return same_text(self.attributes, one, other)


def permission_policy(attributes: AwsAttributes, permission: Resource) -> IdentityPolicy:
    """Return a permission of a function or layer as the statement that it adds to the policy there."""
    values = {name: permission.stated(name) for name in permission.values}
    given = {name: value for name, value in values.items() if value != permission.reference(name)}
    principal = attributes.narrow(permission.attribute("principal"))
    arguments = next(policy.arguments for policy in resource_type(permission.type).policies if policy.arguments)
    told = {**given, "principal": principal, "action": permission.attribute("action")}
    document = PolicyDocument.from_value(arguments.document(told), with_principals=True)
    resolve = attributes.narrow
    return IdentityPolicy.of(permission.address, document, resolve=resolve, locate=lambda _path: permission.location)


def layer_policies(attributes: AwsAttributes, layer: Resource | None) -> Iterator[IdentityPolicy]:
    """Yield the statements of the policy of a version of a layer: an aws_lambda_layer_version_permission is one."""
    for permission in attributes.plan.managed("aws_lambda_layer_version_permission") if layer else ():
        named, version = permission.attribute("layer_name"), permission.attribute("version_number")
        found = attributes.plan.find(named) if isinstance(named, Unknown) else None
        if layer is None or (found and found[0] is not layer):
            continue
        policy = permission_policy(attributes, permission)
        certain = found and version == layer.reference("version")
        unknown = next(unknowns([named, version]), permission.reference("version_number"))
        yield policy if certain else policy.perhaps((f"it may be of another version than {layer.address}", unknown))
