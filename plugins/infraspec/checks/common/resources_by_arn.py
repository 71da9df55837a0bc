"""From an ARN to the resource of the plan it belongs to, and to the policies of that resource.

Source: Amazon ECS Developer Guide, "AWS for Fluent Bit image repositories for Amazon ECS": the addresses to write in a
task definition, by region. The role still has to be allowed to pull by a policy of its own.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from functools import cached_property

from msgspec.structs import replace

from infraspec.checks.common.documents import grant_policy, held_policy
from infraspec.checks.common.policy_owners import placed
from infraspec.checks.common.roles_in_snapshots import as_far_as_certain
from infraspec.core.truth import Truth
from infraspec.core.unknown import (
    AliasTarget,
    Character,
    Contested,
    EncryptionKey,
    PolicyElsewhere,
    Text,
    Unknown,
    Value,
    render,
    unknowns,
)
from infraspec.iam.policy.document import PolicyDocument
from infraspec.iam.policy.matching import match
from infraspec.iam.policy.partial_arn import PartialArn, arn_fields
from infraspec.iam.policy.pattern import Form, Pattern
from infraspec.iam.policy.statements import IdentityPolicy
from infraspec.resource_types import TYPES, PolicyKind, resource_type
from infraspec.terraform.aws_attributes import SUFFIX_LENGTH, AwsAttributes
from infraspec.terraform.plan import Plan, Resource, Uncertain

_PUBLISHED_REPOSITORY = re.compile(
    r"^arn:(?:aws:ecr:[^:]*:906394416424|aws-cn:ecr:[^:]*:128054284489|aws-us-gov:ecr:[^:]*:161423150738)"
    r":repository/aws-for-fluent-bit$"
)
_PULL = ["ecr:BatchCheckLayerAvailability", "ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
_PUBLISHED = IdentityPolicy.of(
    "AWS's policy of aws-for-fluent-bit",
    PolicyDocument.from_value(
        {"Version": "2012-10-17", "Statement": [{"Effect": "Allow", "Principal": "*", "Action": _PULL}]},
        with_principals=True,
    ),
)
"""The policy of a repository that AWS keeps for everybody."""
_KEYS = next(policy.owners for policy in resource_type("aws_kms_key_policy").policies)
_SERVICES = dict.fromkeys(_KEYS, "kms") | {
    known.type: known.assigned["arn"].split(":")[2] for known in TYPES.values() if "arn" in known.assigned
}
"""The service that the ARNs of a type name."""
_ATTACHED = {
    known.type: policy
    for known in TYPES.values()
    for policy in known.policies
    if policy.kind is PolicyKind.RESOURCE and policy.owners
}
"""The resources that attach a policy to another."""
DOCUMENT_TYPE = "aws_iam_policy_document"
_SERVICE = re.compile(r"arn:[^:]*:([a-z0-9-]+):")
_BARE = re.compile(r"^(arn:[^:]*:s3:::[^/]*)/|^(arn:[^:]*:logs:[^:]*:[^:]*:log-group:[^:]*):", re.DOTALL)


def arn_index(plan: Plan) -> ArnIndex:
    """Return the resources of a plan by ARN, to be asked for by `plan.derived`."""
    return ArnIndex(plan.derived(AwsAttributes))


class ArnIndex:
    """The resources of a plan by ARN. The index is built once, when first asked for."""

    def __init__(self, attributes: AwsAttributes) -> None:
        self.attributes, self.plan = attributes, attributes.plan
        self._policies: dict[str, list[tuple[Resource, IdentityPolicy]]] = {}
        self._compiled: dict[str, list[IdentityPolicy]] = {}
        self._of_service: dict[str, dict[str, Resource]] = {}
        self._of_type: dict[str, dict[Value, Resource]] = {}

    def find(self, target: Value) -> Resource | None:
        """Return the resource that a narrowed ARN, or an attribute, belongs to."""
        if isinstance(target, Unknown):
            found = self.plan.find(target)
            return found[0] if found else None
        if not isinstance(target, (str, Text)):
            return None
        for part in target.parts if isinstance(target, Text) else ():
            if isinstance(part, Character):
                return self.find(Unknown(part.address))
        text = render(target)
        bare = _BARE.match(text)
        by_arn = self._by_arn(text)
        named = by_arn.get(bare[1] or bare[2] if bare else text)
        if named is None and ":secret:" in text:
            named = by_arn.get(text[:-SUFFIX_LENGTH] + "?" * SUFFIX_LENGTH)
        return named

    def secret_named(self, name: str) -> Value:
        """Return the ARN of the plan's secret of a name, or None."""
        return self._secrets.get(name)

    def secret_read(self, name: str) -> Value:
        """Return the ARN of the secret of a name that a data source reads, or None."""
        return self._secrets_read.get(name)

    def secret_or_parameter(self, name: str) -> str:
        """Say what a bare name is in this plan: "secret", "parameter", or nothing if it is neither or both."""
        parameter, secret = name in self._parameters, name in self._secrets
        return "" if parameter == secret else "secret" if secret else "parameter"

    def policies(self, target: Value, account: Value, action: str) -> list[IdentityPolicy]:
        """Return the policies of the resource that an ARN belongs to, for an action of a principal of an account.

        Of what is not in the plan, a KMS key has a policy that is not known, and so has a resource of another account;
        of the rest it is taken for granted that no policy of its own denies the action.
        """
        registry = self._registry_policies if ":ecr:" in render(target) else ()
        return [*self._policies_of(target, account, action), *registry]

    def _policies_of(self, target: Value, account: Value, action: str) -> list[IdentityPolicy]:
        owner = self.find(target)
        if owner is not None and owner.mode == "managed":
            if owner.address not in self._compiled:
                self._compiled[owner.address] = [*self._compile(self._documents(owner), owner), *self._granted(owner)]
            return self._compiled[owner.address]
        theirs = arn_fields(target).get("account")
        if _PUBLISHED_REPOSITORY.match(render(target)):
            return [_PUBLISHED]
        foreign = theirs and isinstance(theirs, str) and isinstance(account, str) and theirs != account
        of_key = action.startswith("kms:") and ":alias/" not in render(target)
        if not foreign and not of_key:
            return []
        keys = (part.address for part in unknowns(target) if isinstance(part.cause, (EncryptionKey, AliasTarget)))
        shown = target.address if type(target) is Unknown else next(keys, render(target))
        name = f"the {'key' if action.startswith('kms:') else 'resource'} policy of {shown}"
        return [IdentityPolicy.opaque(name, Unknown(name, PolicyElsewhere(shown)))]

    def _granted(self, key: Resource) -> Iterator[IdentityPolicy]:
        """Yield what the grants of a KMS key allow, each as a policy that names whom it is given to.

        Source: AWS KMS Developer Guide, "Grants in AWS KMS": a grant allows, beside the key policy and those of IAM.
        """
        arn = PartialArn.of(self.attributes.narrow(key.reference("arn")))
        for grant in self.plan.managed("aws_kms_grant") if key.type in _KEYS and self.plan.source is None else ():
            reference = grant.attribute("key_id")
            found = self.plan.find(reference) if isinstance(reference, Unknown) else None
            named = Pattern.of(self.attributes.narrow(reference), Form.TEXT)
            if found[0] is not key if found else match(named, arn) is Truth.NO:
                continue
            policy = grant_policy(self.attributes, grant)
            yield as_far_as_certain(policy if found else policy.perhaps(), self.plan, grant, key)

    def _compile(
        self, policies: Sequence[tuple[Resource, IdentityPolicy]], owner: Resource | None = None
    ) -> Iterator[IdentityPolicy]:
        for source, policy in policies:
            others = (other for other, theirs in policies if _says(theirs) != _says(policy))
            doubt = self._doubt(source, owner) or next(
                filter(None, (self._doubt(other, owner) or self._contest(source, other, owner) for other in others)),
                None,
            )
            yield policy.perhaps(doubt) if doubt else policy

    def _doubt(self, source: Resource, owner: Resource | None) -> tuple[str, Unknown] | None:
        """Return why it is not certain that a policy is attached to a resource, or to the registry."""
        if not self.plan.belongs_to(source, owner):
            why = self.plan.doubt_of(source, owner)
            return (str(why), why.value) if why else None
        if owner is None or self._is_of(source, owner):
            return None
        reference = self.attributes.narrow(source.attribute(_ATTACHED[source.type].of))
        unknown = next(unknowns(reference), None) or owner.reference("arn")
        return f"{source.address} may be the policy of {owner.address}: {unknown.address} is unknown", unknown

    def _contest(self, source: Resource, other: Resource, owner: Resource | None) -> tuple[str, Unknown] | None:
        """Return that two resources write one policy: what is applied last replaces what the other one wrote.

        Source: Terraform AWS provider, "Resource: aws_kms_key_policy" and the like: one policy for one resource.
        """
        if owner is None and self._place(source) != self._place(other):
            return None
        named = placed(source, _attribute(source)), placed(other, _attribute(other))
        fix = f"keep one of them: delete {other.address if source is owner else source.address}"
        own = next((one for one in (source, other) if one is owner), None)
        if own is not None:
            fix += f", or take {_attribute(own)} out of {own.address}"
        whose = owner.address if owner else "the registry"
        reason = f"{named[0]} and {named[1]} each write the policy of {whose}: the later one replaces the other"
        return reason, Unknown(f"which of {source.address} and {other.address} is applied last", Contested(fix))

    def _place(self, resource: Resource) -> tuple[Value, Value]:
        return self.attributes.account_of(resource), self.attributes.region_of(resource)

    def _is_of(self, source: Resource, owner: Resource) -> bool:
        """Tell whether a policy is the resource's own, or names the resource for certain."""
        return source is owner or any(one is source for one in self._attached.get(owner.address, ()))

    def has_policy(self, target: Value) -> bool | None:
        """Tell whether the resource that an ARN belongs to has a policy; None if the plan does not tell."""
        owner = self.find(target)
        if owner is None or owner.mode == "data":
            return None
        sources = [source for source, _ in self._documents(owner)]
        certain = any(self._is_of(source, owner) and self.plan.belongs_to(source, owner) for source in sources)
        return certain or (None if sources else False)

    def doubt_of_policy(self, target: Value) -> Uncertain | None:
        """Return why it is not certain that the resource that an ARN belongs to has the policy that the plan has."""
        owner = self.find(target)
        sources = (source for source, _ in self._documents(owner)) if owner and owner.mode == "managed" else ()
        return next(filter(None, (self.plan.doubt_of(source, owner) for source in sources)), None)

    def policy_source(self, target: Value) -> Resource | None:
        """Return the resource of the plan that holds the policy of what an ARN belongs to, if one does."""
        owner = self.find(target)
        return next((source for source, _ in self._documents(owner)), None) if owner else None

    def document_of(self, policy: Resource, attribute: str = "policy") -> Resource | None:
        """Return the one data aws_iam_policy_document that a policy's text is that of; in the source, if it exists."""
        if self._source is not None:
            written = self._source.plan.by_address.get(policy.address)
            return self._source.document_of(written, attribute) if written else None
        text = policy.stated(attribute)
        return self._written_as.get(text) if isinstance(text, (str, Text)) else None

    @cached_property
    def _source(self) -> ArnIndex | None:
        source = self.plan.source
        return source.derived(arn_index) if source is not None else None

    @cached_property
    def _written_as(self) -> dict[Value, Resource | None]:
        written: dict[Value, Resource | None] = {}
        for document in self.plan.data(DOCUMENT_TYPE):
            text = document.stated("json")
            if isinstance(text, (str, Text)):
                written[text] = None if text in written else document
        return written

    def _by_arn(self, arn: str) -> dict[str, Resource]:
        """Return what may have an ARN: the resources of the service that it names, and no others are evaluated."""
        named = _SERVICE.match(arn)
        service = named[1] if named else ""
        if service not in self._of_service:
            types = [type_ for type_, theirs in _SERVICES.items() if service in ("", theirs)]
            read = self.plan.data("aws_ssm_parameter") if service in ("", "ssm") else ()
            resources = (*read, *(self.plan.managed(*types) if types else ()))
            self._of_service[service] = {self._shown(resource): resource for resource in resources}
        return self._of_service[service]

    def _shown(self, resource: Resource) -> str:
        return render(self.attributes.narrow(resource.reference("arn")))

    @cached_property
    def _secrets(self) -> dict[Value, Unknown]:
        return self._arns_by_name(self.plan.managed("aws_secretsmanager_secret"))

    @cached_property
    def _secrets_read(self) -> dict[Value, Unknown]:
        return self._arns_by_name(self.plan.data("aws_secretsmanager_secret"))

    def _arns_by_name(self, resources: tuple[Resource, ...]) -> dict[Value, Unknown]:
        return {self.attributes.name(resource): resource.reference("arn") for resource in resources}

    @cached_property
    def _parameters(self) -> frozenset[Value]:
        return frozenset(map(self.attributes.name, self.plan.managed("aws_ssm_parameter")))

    @cached_property
    def _attached(self) -> dict[str, list[Resource]]:
        attached: dict[str, list[Resource]] = {}
        for source in self.plan.managed(*_ATTACHED):
            owner = self._owner(source)
            attached.setdefault(owner.address if owner else "", []).append(source)
        return attached

    def _owner(self, source: Resource) -> Resource | None:
        policy = _ATTACHED[source.type]
        reference = source.attribute(policy.of)
        found = self.plan.find(reference) if isinstance(reference, Unknown) else None
        if found is not None:
            return found[0]
        name = self.attributes.narrow(reference)
        return next(filter(None, (self._by_name_or_arn(owner).get(name) for owner in policy.owners)), None)

    def _by_name_or_arn(self, type_: str) -> dict[Value, Resource]:
        """Return what a policy may be attached to of a type, by its name or ARN, the first of several."""
        if type_ not in self._of_type:
            attribute = resource_type(type_).name
            named = ((owner, self.attributes.name(owner, attribute)) for owner in reversed(self.plan.managed(type_)))
            self._of_type[type_] = {key: owner for owner, name in named for key in (self._shown(owner), name)}
        return self._of_type[type_]

    @cached_property
    def _registry_policies(self) -> tuple[IdentityPolicy, ...]:
        """The policies of the ECR registry: they may allow to fill the pull-through cache."""
        sources = self.plan.managed("aws_ecr_registry_policy")
        held = (held_policy(self.attributes, source, "policy", source.attribute("policy")) for source in sources)
        return tuple(self._compile(list(zip(sources, held, strict=True))))

    def _documents(self, owner: Resource) -> list[tuple[Resource, IdentityPolicy]]:
        if owner.address not in self._policies:
            documents = list(self._written(owner))
            if owner.type in _KEYS and all(self._doubt(source, owner) for source, _ in documents):
                documents.append((owner, self._default_key_policy(owner)))
            self._policies[owner.address] = documents
        return self._policies[owner.address]

    def _default_key_policy(self, key: Resource) -> IdentityPolicy:
        """Source: AWS KMS Developer Guide, "Default key policy": it gives the AWS account full access to the key."""
        root = self.attributes.join("arn:", self.plan.partition, ":iam::", self.attributes.account_of(key), ":root")
        statement = {"Effect": "Allow", "Principal": {"AWS": root}, "Action": "kms:*", "Resource": "*"}
        document = PolicyDocument.from_value({"Statement": statement}, with_principals=True)
        resolve = self.attributes.narrow
        return IdentityPolicy.of(key.address, document, resolve=resolve, locate=lambda _path: key.location)

    def _written(self, owner: Resource) -> Iterator[tuple[Resource, IdentityPolicy]]:
        attached = self._attached.get(owner.address, ())
        replaced = any(self.plan.belongs_to(source, owner) for source in attached)
        for policy in (own for own in resource_type(owner.type).policies if own.kind is PolicyKind.RESOURCE):
            for path, value in policy.documents(owner.values):
                if value != owner.reference(path) and not (replaced and self._is_left_alone(owner, path)):
                    yield owner, held_policy(self.attributes, owner, path, value)
        for source in (*attached, *(one for one in self._attached.get("", ()) if self._may_be_of(one, owner))):
            policy = _ATTACHED[source.type]
            if owner.type in policy.owners:
                if policy.arguments is None:
                    text = source.attribute(policy.attribute)
                    yield source, held_policy(self.attributes, source, policy.attribute, text)
                for path, value in policy.documents(source.values) if policy.arguments else ():
                    yield source, held_policy(self.attributes, source, path, value)

    def _is_left_alone(self, owner: Resource, path: str) -> bool:
        """Tell whether a resource does not mind another policy: it repeats what was there, or ignores changes."""
        attribute = path.partition(".")[0]
        return not self.plan.configures(owner, attribute) or bool({"all", attribute} & set(owner.ignore_changes))

    def _may_be_of(self, source: Resource, owner: Resource) -> bool:
        """Tell whether a policy may be that of a resource, which it does not name for certain."""
        reference = self.attributes.narrow(source.attribute(_ATTACHED[source.type].of))
        if not render(reference).startswith("arn:"):
            return True
        arn = PartialArn.of(self.attributes.narrow(owner.reference("arn")))
        return match(Pattern.of(reference, Form.TEXT), arn) is not Truth.NO


def _says(policy: IdentityPolicy) -> list[object]:
    """Return the statements without their names."""
    return [replace(one, sid="") for one in policy.statements]


def _attribute(source: Resource) -> str:
    held = (path for policy in resource_type(source.type).policies for path, _ in policy.documents(source.values))
    return next(held, "policy")
