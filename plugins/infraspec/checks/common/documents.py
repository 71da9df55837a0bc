"""The policy that a resource of a plan holds, ready to be asked; one that AWS refuses allows and denies nothing."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from infraspec.checks.common.policy_owners import listed
from infraspec.checks.common.roles_in_snapshots import with_managed
from infraspec.core.errors import PolicyError
from infraspec.core.truth import Truth
from infraspec.core.unknown import Text, Unknown, Value, concatenate
from infraspec.iam.lint.refusals import certain_refusal, least_size, over_limit, refusals
from infraspec.iam.policy.document import PolicyDocument, Statement, completed
from infraspec.iam.policy.statements import DocumentRefusal, IdentityPolicy
from infraspec.resource_types import Policy, PolicyKind, resource_type
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource

_INDEX = re.compile(r"\.\d+(?=\.|$)")
_UNLISTED = Policy(PolicyKind.RESOURCE)


def held_policy(
    attributes: AwsAttributes,
    resource: Resource,
    path: str,
    value: Value,
    *,
    name: str = "",
    bound: Callable[[Statement], Truth] = lambda _statement: Truth.YES,
) -> IdentityPolicy:
    """Compile the policy that a resource holds at a path, `policy` or `inline_policy.0.policy`.

    What exists already AWS has accepted. Raises PolicyError if such a one cannot be read.
    """
    use, location = _use(resource, path), resource.location_of(path)
    place = f"{location}: {resource.address}.{path}" if location else f"{resource.address}.{path}"
    named, is_new = name or resource.address, _is_to_be_made(attributes.plan, resource)
    try:
        whole = with_managed(attributes.plan, value)
        document = PolicyDocument.from_value(whole, place=place, with_principals=use.names_principals)
    except PolicyError as error:
        if not is_new:
            raise
        where = error.place.removeprefix(place).lstrip(".")
        reason, at = (
            ": ".join(filter(None, (where, error.message))),
            resource.location_of(f"{path}.{where}".rstrip(".")),
        )
        meant = _completed(whole, error.lacking, with_principals=use.names_principals)
        policy = None if meant is None else IdentityPolicy.of(named, meant, resolve=attributes.narrow, bound=bound)
        refused = DocumentRefusal(named, at, reason, error.remedy, policy, error.lacking)
        return IdentityPolicy(named, (), refused=refused)
    policy = IdentityPolicy.of(
        named,
        document,
        resolve=attributes.narrow,
        locate=lambda part: resource.location_of(f"{path}.{part}"),
        bound=bound,
    )
    long = over_limit(use.limit, least_size(value, use.limit, attributes.narrow)) if use.limit else None
    faults = (*refusals(document, use, attributes.narrow), *([long] if long else []))
    fault = certain_refusal(faults) if is_new else None
    if fault is None:
        return policy
    if not fault.certain:
        return policy.perhaps((f"AWS may refuse it: {fault.reason}", None))
    reason = f"{fault.statement} {fault.about or fault.found}: {fault.reason}".lstrip()
    at = resource.location_of(f"{path}.{fault.path}".rstrip("."))
    return IdentityPolicy(named, (), refused=DocumentRefusal(named, at, reason, fault.remedy, policy))


def _completed(value: Value, lacking: tuple[str, str] | None, *, with_principals: bool) -> PolicyDocument | None:
    """Return a document with what one statement lacks; None if that is not all that AWS refuses."""
    if not lacking or not lacking[0]:
        return None
    try:
        return PolicyDocument.from_value(completed(value, *lacking), with_principals=with_principals)
    except PolicyError:
        return None


def _use(resource: Resource, path: str) -> Policy:
    attribute = _INDEX.sub("", path)
    policies = (policy for policy in resource_type(resource.type).policies if policy.attribute == attribute)
    return next((policy for policy in policies if policy.applies(resource.values)), _UNLISTED)


def _is_to_be_made(plan: Plan, resource: Resource) -> bool:
    """Tell whether AWS is still to see a policy: what is read in an account, or left as it is, it has accepted."""
    of_plan = plan.source is None and plan.by_address.get(resource.address) is resource
    return of_plan and resource.mode == "managed" and resource.actions != ("no-op",)


def grant_policy(attributes: AwsAttributes, grant: Resource) -> IdentityPolicy:
    """Return a grant of a KMS key as the policy of the key that it is; AWS KMS API Reference, "GrantConstraints"."""
    operations = grant.attribute("operations")
    statement = {
        "Effect": "Allow",
        "Principal": {"AWS": grant.attribute("grantee_principal")},
        "Action": [
            concatenate(["kms:", name]) for name in listed(operations) if isinstance(name, str | Text | Unknown)
        ],
        "Resource": "*",
    }
    for block in listed(grant.stated("constraints")):
        exactly, among = (block.get(f"encryption_context_{kind}") or {} for kind in ("equals", "subset"))
        hidden = next((part for part in (exactly, among) if not isinstance(part, Mapping)), None)
        pairs = {} if hidden else {f"kms:EncryptionContext:{key}": text for key, text in {**exactly, **among}.items()}
        keys = {"ForAllValues:StringEquals": {"kms:EncryptionContextKeys": list(exactly)}} if exactly else {}
        statement["Condition"] = hidden or {"StringEquals": pairs, **keys}
    document = PolicyDocument.from_value({"Statement": statement}, with_principals=True)
    resolve = attributes.narrow
    return IdentityPolicy.of(grant.address, document, resolve=resolve, locate=lambda _path: grant.location)
