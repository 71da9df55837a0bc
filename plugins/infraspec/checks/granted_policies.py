"""The policies that grants stand for: a document compiled, or what a policy's ARN names."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property

from infraspec.checks.elsewhere import Elsewhere
from infraspec.checks.grants import Grant
from infraspec.checks.managed_documents import with_managed
from infraspec.finding import Location
from infraspec.iam.document import PolicyDocument
from infraspec.iam.managed import is_managed, managed_policy, managed_policy_named
from infraspec.iam.policy import IdentityPolicy
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource
from infraspec.unknown import PolicyContent, Unknown, Value, render

_POLICY_ARN = re.compile(r"^arn:.*:policy/(?:.*/)?(?P<name>[^/]+)$", re.DOTALL)


@dataclass
class GrantedPolicies:
    """The policies of one plan, each document compiled once."""

    attributes: AwsAttributes
    elsewhere: Elsewhere
    _compiled: dict[tuple[str, str], IdentityPolicy] = field(default_factory=dict)

    def of(self, grant: Grant) -> IdentityPolicy:
        """Return the policy of a grant, as far as it is certain. Raises PolicyError."""
        policy = self.managed(grant) if grant.attached else self._document(grant.source, grant.attribute, grant.value)
        return policy.perhaps() if grant.perhaps else policy

    def managed(self, grant: Grant) -> IdentityPolicy:
        """Return the policy an ARN names: in the plan, in a snapshot, AWS's own, or opaque."""
        plan = self.attributes.plan
        found = plan.find(grant.value) if type(grant.value) is Unknown else None
        if found is not None and found[0].type == "aws_iam_policy":
            return self._policy_resource(found[0], grant)
        arn = self.attributes.narrow(grant.value)
        of_aws = isinstance(arn, str) and is_managed(arn)
        here = not of_aws and not of_other_account(render(arn), plan)
        named = _POLICY_ARN.match(render(arn)) if here else None
        declared = self._policies_by_name.get(named["name"]) if named else None
        if declared is not None:
            return self._policy_resource(declared, grant)
        exported = self.elsewhere.policy(arn)
        if exported is not None:
            return self._document(exported, "policy", exported.get("policy"))
        if of_aws:
            return managed_policy(render(arn))
        shown = render(arn)
        policy = shown.strip("${}")
        return IdentityPolicy.opaque(shown, Unknown(f"the content of {policy}", PolicyContent(policy)))

    def _policy_resource(self, resource: Resource, grant: Grant) -> IdentityPolicy:
        policy = resource.attribute("policy")
        if resource.mode == "data" and policy == resource.reference("policy"):
            name, arn = resource.get("name"), resource.get("arn")
            exported = self.elsewhere.policy_of(resource)
            if exported is not None:
                return self._document(exported, "policy", exported.get("policy"))
            known = managed_policy_named(name) if isinstance(name, str) else None
            if known is None and isinstance(arn, str) and is_managed(arn):
                known = managed_policy(arn)
            return known or IdentityPolicy.opaque(grant.source.address, policy)
        return self._document(resource, "policy", policy)

    @cached_property
    def _policies_by_name(self) -> dict[str, Resource]:
        """Return the customer managed policies by name, where one alone has it; those that data sources read last."""
        names: dict[str, list[Resource]] = {}
        for resource in self.attributes.plan.managed("aws_iam_policy"):
            name = self.attributes.name(resource)
            if isinstance(name, str) and self.attributes.plan.is_certain(resource):
                names.setdefault(name, []).append(resource)
        found = {name: resources[0] for name, resources in names.items() if len(resources) == 1}
        for resource in self.attributes.plan.data("aws_iam_policy"):
            arn = _POLICY_ARN.match(render(resource.get("arn", "")))
            name = arn["name"] if arn else resource.get("name")
            if isinstance(name, str) and name not in names:
                found.setdefault(name, resource)
        return found

    def _document(self, resource: Resource, attribute: str, value: Value) -> IdentityPolicy:
        key = (resource.address, attribute)
        if key not in self._compiled:
            document = PolicyDocument.from_value(
                with_managed(self.attributes.plan, value), place=_place(resource, attribute)
            )
            locate = _locator(resource, attribute)
            self._compiled[key] = IdentityPolicy.of(
                resource.address, document, resolve=self.attributes.narrow, locate=locate
            )
        return self._compiled[key]


def of_other_account(arn: str, plan: Plan) -> bool:
    """Tell whether an ARN is of an account that is not the plan's, both being known."""
    account, own = arn.split(":")[4:5], plan.account
    return bool(account) and account[0].isdigit() and isinstance(own, str) and account[0] != own


def _place(resource: Resource, attribute: str) -> str:
    location = resource.location_of(attribute)
    return f"{location}: {resource.address}.{attribute}" if location else f"{resource.address}.{attribute}"


def _locator(resource: Resource, attribute: str) -> Callable[[str], Location | None]:
    return lambda path: resource.location_of(f"{attribute}.{path}")
