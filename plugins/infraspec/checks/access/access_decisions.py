"""Decide what a role needs, once for each role, action and resource, and what else has a say in it.

Beside the policies of the role and of the resource that is: whether the permission is needed at all, the file system
that has no policy, and the second form that the resource's ARN may have.

Sources: IAM User Guide, "AWS global condition context keys"; AWS KMS Developer Guide, "Condition keys for AWS KMS";
AWS Secrets Manager User Guide, "Secret encryption and decryption" (the encryption context); AWS Systems Manager User
Guide, "AWS KMS encryption for Parameter Store SecureString parameters".

What is encrypted with the key that AWS manages (`aws/secretsmanager`, `aws/ssm`) asks for no permission on a key: AWS
Key Management Service Developer Guide, "AWS managed keys". Such a key cannot be used from another account, so a secret
that is read from another account is under a customer managed key.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import TypeAlias

from msgspec import Struct
from msgspec.structs import replace

from infraspec.checks.access.surroundings import Endpoints, Obstacle, Organization, key_obstacle
from infraspec.checks.common.resources_by_arn import ArnIndex
from infraspec.checks.common.roles import Role, of_other_account
from infraspec.checks.common.unknown_remedies import how_to_know, remedy
from infraspec.conventions.effective_tags import EffectiveTags, tag_text
from infraspec.core.finding import Finding
from infraspec.core.rule import Placed
from infraspec.core.truth import Truth
from infraspec.core.unknown import (
    AliasTarget,
    ConditionKey,
    EncryptionKey,
    Text,
    Unknown,
    Value,
    concatenate,
    is_known,
    render,
    sources,
    unknowns,
)
from infraspec.ecs.requirement import AccessDoubt, Key, Requirement
from infraspec.iam.evaluation.decision import Decision, Outcome, decide
from infraspec.iam.policy.context import ABSENT, Context, ContextEntry
from infraspec.iam.policy.matching import match
from infraspec.iam.policy.partial_arn import PartialArn, arn_fields
from infraspec.iam.policy.pattern import Form, Pattern
from infraspec.iam.policy.principals import Principal
from infraspec.terraform.aws_attributes import MASTER_USER_ARN
from infraspec.terraform.plan import Plan, Resource
from infraspec.terraform.provider.known_data import KnownData, data_source_key
from infraspec.workloads.named_roles import values_at

_ABSENT_FOR_ROLES = ("aws:username",)
_SUFFIXES = {"aws": "amazonaws.com", "aws-us-gov": "amazonaws.com", "aws-cn": "amazonaws.com.cn"}
_REGISTRY = re.compile(r"\.dkr\.ecr\.(?P<region>[a-z0-9-]+)\.")
_ENCRYPTION = {"secretsmanager": ["SecretARN", "SecretVersionId"], "ssm": ["PARAMETER_ARN"]}
"""The keys of the encryption context, that of the ARN first."""


def request_context(role: Value, resource: Value, via: Value = None, region: Value = None) -> Context:
    """Return what is known of a request of a role on a resource, both narrowed ARNs; the rest is unknown.

    `via` is the ARN of the secret or parameter on whose behalf a KMS key is used, `region` where AWS is asked if the
    resource does not say it.
    """
    principal, target = arn_fields(role), arn_fields(resource)
    values: dict[str, Value] = {
        "aws:SecureTransport": "true",
        "aws:PrincipalIsAWSService": "false",
        "aws:PrincipalType": "AssumedRole",
        "aws:PrincipalArn": role,
        "aws:PrincipalAccount": principal.get("account"),
        "aws:RequestedRegion": target.get("region") or region,
        "aws:ResourceAccount": target.get("account"),
    }
    if via is not None:
        values |= _through(arn_fields(via), via, principal.get("account"))
    known = {key: value for key, value in values.items() if value is not None and value != ""}
    closed = ("kms:EncryptionContext:",) if "kms:EncryptionContextKeys" in known else ()
    return Context.of(known, absent=_ABSENT_FOR_ROLES, closed=closed)


_MAYBE_THERE = ContextEntry(Truth.MAYBE, (Unknown("a tag that others set", ConditionKey("a tag")),))
_TAGGED = ("secretsmanager", "ssm", "kms", "ecr", "acm-pca")
"""Services whose requests carry the tags of what they are about; those of others may."""


_Tags: TypeAlias = tuple[dict[str, ContextEntry], tuple[str, ...]]
"""Condition keys, in lower case, and the beginnings of which there are no others."""


@dataclass
class RequestTags:
    """The tags that condition keys ask for, of the roles and resources of one plan."""

    owners: ArnIndex
    _known: dict[tuple[str, tuple[str, ...]], _Tags] = field(default_factory=dict)

    def told(self, context: Context, role: Role, action: str, resource: Value) -> Context:
        """Return the context of a request with the tags of role and resource, as far as the plan makes them.

        Sources: IAM User Guide, "AWS global condition context keys": the key of a tag is compared without regard to
        letter case. A request that reads tags nothing, and ECS gives the sessions of a role no tags of their own.
        """
        service, _, name = action.lower().partition(":")
        owner, keys, closed = self.owners.find(resource), dict[str, ContextEntry](), tuple[str, ...]()
        if role.resource is not None and role.snapshot is None:
            keys, closed = self._of(role.resource, "aws:principaltag/")
        if resource == "*":
            closed += ("aws:resourcetag/",)
        if owner is not None:
            more, whole = self._of(owner, "aws:resourcetag/", f"{service}:resourcetag/", sent=service in _TAGGED)
            keys, closed = keys | more, closed + whole
        if service in _TAGGED and name.startswith(("get", "batchget", "batchcheck", "decrypt")):
            keys, closed = keys | {"aws:tagkeys": ABSENT}, (*closed, "aws:requesttag/")
        return context.extended(keys, closed)

    def _of(self, resource: Resource, *heads: str, sent: bool = True) -> _Tags:
        """Return the condition keys that the tags of a resource are, and the beginnings of which there are no others.

        `sent` says that a request is certain to carry them.
        """
        known = (resource.address, heads)
        if known not in self._known:
            tags, is_whole = _tags_of(resource, self.owners.plan)
            if not sent:
                tags = {key: replace(tag, present=Truth.MAYBE) for key, tag in tags.items() if tag.values}
            entries = {f"{head}{key}": tag for head in heads for key, tag in tags.items()}
            self._known[known] = entries, heads if is_whole else ()
        return self._known[known]


def _tags_of(resource: Resource, plan: Plan) -> tuple[dict[str, ContextEntry], bool]:
    """Return the tags of a resource, their keys in lower case, and whether it has no others."""
    left_alone = any(name == "all" or name.startswith("tags") for name in resource.ignore_changes)
    if resource.mode != "managed" or left_alone or plan.source is not None or not plan.is_certain(resource):
        return {}, False
    effective = EffectiveTags.of(resource.type, resource.values)
    ignored = plan.ignored_tags.get(resource.provider, ())
    patterns = [Pattern.of(pattern, Form.LIKE) for pattern in ignored]
    tags: dict[str, ContextEntry] = {}
    for key, value in effective.tags.items():
        hidden = patterns and any(match(pattern, PartialArn.of(key)) is not Truth.NO for pattern in patterns)
        told = ContextEntry(Truth.NO) if value is None else ContextEntry(Truth.YES, (tag_text(value),))
        tags[key.lower()] = _MAYBE_THERE if hidden or key.lower() in tags else told
    tags |= {pattern.lower(): _MAYBE_THERE for pattern in ignored if isinstance(pattern, str) and pattern[-1:] != "*"}
    is_whole = effective.open is None and all(isinstance(one, str) and one[-1:] != "*" for one in ignored)
    return tags, is_whole


def _through(fields: Mapping[str, Value], via: Value, caller: Value) -> dict[str, Value]:
    """Return the keys of a request to KMS that another service makes on behalf of the role."""
    service = fields.get("service")
    suffix = _SUFFIXES.get(render(fields.get("partition")))
    if service not in _ENCRYPTION or suffix is None:
        return {}
    region = fields["region"]
    return {
        "kms:ViaService": concatenate([service, ".", region, f".{suffix}"]),
        "kms:CallerAccount": caller,
        **{f"kms:EncryptionContext:{key}": Unknown(key, ConditionKey(key)) for key in _ENCRYPTION[service]},
        f"kms:EncryptionContext:{_ENCRYPTION[service][0]}": via,
        "kms:EncryptionContextKeys": _ENCRYPTION[service],
    }


_SECRET, _PARAMETER = "aws_secretsmanager_secret", "aws_ssm_parameter"
_SECURE = "SecureString"
_TYPES = {"secretsmanager": _SECRET, "ssm": _PARAMETER, "s3": "aws_s3_bucket"}
_ENCRYPTED = "aws_s3_bucket_server_side_encryption_configuration"
_DEFAULT_KEY = "rule.apply_server_side_encryption_by_default.kms_master_key_id"
_OWN_KEYS = {_SECRET: "secretsmanager", _PARAMETER: "ssm"}
"""Whose key of AWS, each of which one service alone may use, encrypts a type that names none."""
_KEY_ATTRIBUTES = {_SECRET: "kms_key_id", _PARAMETER: "key_id"}


@dataclass
class Keys:
    """The keys of a plan's secrets and parameters. `known` is what the contract says of data sources."""

    owners: ArnIndex
    known: KnownData = field(default_factory=KnownData)
    _keys: dict[tuple[str, Value, bool], Key | None] = field(default_factory=dict)

    def of(self, service: str, target: Value, named: Value = None) -> Key | None:
        """Return the key of a secret (`secretsmanager`) or parameter (`ssm`), given by its ARN.

        None if it is under AWS's own key, or a parameter that is not encrypted. What is `named` by text is another
        one than that of the plan where the plan makes none.
        """
        asked = service, target, isinstance(named, str)
        if asked not in self._keys:
            self._keys[asked] = self._find(target, _TYPES[service], by_text=asked[2])
        return self._keys[asked]

    def arn(self, key: Value, resource: Resource | None) -> Value:
        """Follow a key's id, ARN or alias to the key's ARN; None if the key is AWS's own.

        An id is that of a key in the account and region of `resource`, or of the plan.
        """
        if not key:
            return None
        found = self.owners.plan.find(key) if isinstance(key, Unknown) else None
        if isinstance(key, Unknown) and (found is None or found[0].mode == "data"):
            known = self.owners.find(self.owners.attributes.narrow(key))
            found = (known, "arn") if known is not None and known.type == "aws_kms_key" else found
        if found is not None and found[0].type == "aws_kms_key":
            return found[0].reference("arn")
        alias = found[0] if found is not None and found[0].type == "aws_kms_alias" else self._alias(key)
        if alias is not None and alias.mode == "managed":
            return self.arn(alias.attribute("target_key_id"), resource)
        text = render(key)
        _, of_aws, service = text.rpartition("alias/aws/")
        if of_aws and (resource is None or service == _OWN_KEYS.get(resource.type, service)):
            return None
        if "alias/" in text:
            return self._key_arn(Unknown(f"the key behind {text}", AliasTarget(text)), resource)
        is_id = isinstance(key, str) and not key.startswith("arn:")
        return self._key_arn(key, resource) if is_id else key

    def _key_arn(self, key: Value, resource: Resource | None) -> Value:
        attributes, plan = self.owners.attributes, self.owners.plan
        if resource is not None:
            return attributes.arn(resource, "kms", "key/", key)
        return attributes.join("arn:", plan.partition, ":kms:", plan.region, ":", plan.account, ":key/", key)

    def _find(self, target: Value, type_: str, *, by_text: bool) -> Key | None:
        if type_ == "aws_s3_bucket":
            return self._of_object(target)
        database = self._database(target)
        if database is not None:
            return self._configured(database.stated("master_user_secret_kms_key_id"), database)
        resource = self.owners.find(target)
        if resource is None or resource.type != type_:
            return self._elsewhere(target, type_, None)
        if resource.mode == "data":
            return self._elsewhere(target, type_, resource)
        if by_text and (absent := self.owners.plan.doubt_of(resource)):
            reason = f"{absent}; which KMS key encrypts {render(target)} without an instance is unknown"
            return Key(
                self._hidden(target, _encryption(None, type_)), AccessDoubt(reason, None, how_to_know(absent.value))
            )
        if resource.type == _SECRET:
            return self._configured(resource.stated("kms_key_id"), resource)
        kind = resource.stated("type")
        if isinstance(kind, str) and kind != _SECURE:
            return None
        key = self._configured(resource.stated("key_id"), resource)
        doubt = AccessDoubt.of(next(unknowns(kind), None))
        return Key(key.arn, doubt) if key is not None and doubt is not None else key

    def object_at(self, target: Value) -> Resource | None:
        """Return the object of the plan that has an ARN."""
        return self._objects.get(render(target))

    @cached_property
    def _objects(self) -> dict[str, Resource]:
        objects = self.owners.plan.managed("aws_s3_object", "aws_s3_bucket_object")
        return {render(self.owners.attributes.narrow(one.reference("arn"))): one for one in objects}

    def _of_object(self, target: Value) -> Key | None:
        """Return the key of an object of S3: its own, or the default one of its bucket, if the plan has either."""
        own, bucket = self.object_at(target), self.owners.find(target)
        if own is not None and own.stated("kms_key_id"):
            return self._configured(own.stated("kms_key_id"), own)
        for configuration in self.owners.plan.managed(_ENCRYPTED):
            named = configuration.attribute("bucket")
            found = self.owners.plan.find(named) if isinstance(named, Unknown) else None
            is_own = found[0] is bucket if found else bucket and self.owners.attributes.name(bucket, "bucket") == named
            for key in values_at((configuration.values,), _DEFAULT_KEY) if is_own else ():
                return self._configured(key.value, configuration)
        return None

    def _configured(self, key: Value, resource: Resource) -> Key | None:
        """Return the key that a resource is configured with; an unknown value may turn out to be null."""
        if isinstance(key, Unknown) and key.address.startswith(f"{resource.address}."):
            return None  # computed by AWS: nothing is configured
        arn = self.arn(key, resource)
        if arn is None:
            return None
        certain = not isinstance(arn, Unknown) or self.owners.plan.find(arn) is not None
        return Key(arn, None if certain else AccessDoubt.of(arn))

    def _elsewhere(self, target: Value, type_: str, source: Resource | None) -> Key | None:
        """Return the key of what is not in the plan; `source` is the data source that reads it, if there is one."""
        text = render(target)
        if type_ == _PARAMETER and self._said(source, type_, "type") not in (None, _SECURE):
            return None
        key = self._said(source, type_, _KEY_ATTRIBUTES[type_])
        if key is not None:
            arn = self.arn(key, source)
            return None if arn is None else Key(arn)
        unread = _encryption(source, type_)
        hidden = self._hidden(target, unread)
        if of_other_account(text, self.owners.plan):
            return Key(hidden)
        return Key(hidden, AccessDoubt(f"which KMS key encrypts {text} is unknown", None, remedy(unread)))

    def _hidden(self, target: Value, cause: EncryptionKey) -> Value:
        key = Unknown(f"the KMS key of {render(target)}", cause)
        return self.owners.attributes.join("arn:", self.owners.plan.partition, ":kms:", key)

    def _said(self, source: Resource | None, type_: str, attribute: str) -> Value:
        """Return what a data source or the contract says of an attribute; None if nothing."""
        if source is not None:
            value = source.stated(attribute)
            if is_known(value) and value is not None:
                return value
            try:
                return self.known.answer(source.address, type_, source.name, attribute)
            except KeyError:
                return None
        return self.known.values.get(f"{type_}.{attribute}")

    def _database(self, target: Value) -> Resource | None:
        """Return the database whose master password a secret holds: RDS made the secret."""
        for part in target.parts if isinstance(target, Text) else ():
            for source in sources(part) if isinstance(part, Unknown) else ():
                found = self.owners.plan.find(source)
                if found is not None and found[1] == MASTER_USER_ARN:
                    return found[0]
        return None

    def _alias(self, key: Value) -> Resource | None:
        return self._aliases.get(key[key.index("alias/") :]) if isinstance(key, str) and "alias/" in key else None

    @cached_property
    def _aliases(self) -> dict[Value, Resource]:
        aliases = self.owners.plan.managed("aws_kms_alias")
        certain = filter(self.owners.plan.is_certain, aliases)  # without it, the name may be that of another key
        return {self.owners.attributes.name(alias): alias for alias in certain}


def _encryption(source: Resource | None, type_: str) -> EncryptionKey:
    named = data_source_key(source.address) if source is not None else type_
    return EncryptionKey(named, _KEY_ATTRIBUTES[type_])


_OF_EFS = "elasticfilesystem:"
_OF_FILE_SYSTEMS = (_OF_EFS, "s3files:")


def rests_on(decision: Decision) -> tuple[str, ...]:
    """Name the policies that were asked, each kind with them."""
    layers = decision.layers.all() if decision.layers else ()
    names = [(layer.name, [policy.name for policy in layer.policies]) for layer in layers]
    return tuple(f"{kind}: {', '.join(policies)}" for kind, policies in names if policies)


def unseen(
    owners: ArnIndex, role: Role, action: str, resource: Value, organization: Organization, *, around: Iterable[str]
) -> tuple[str, ...]:
    """Name what has a say in a request too, where it exists, and is in neither plan nor contract.

    `around` is what of it is around the request: on its way, and of what it asks for.
    """
    owner, service = owners.find(resource), action.partition(":")[0]
    given = ((organization.scps, "service control"), (organization.rcps, "resource control"))
    missing = [kind for levels, kind in given if not levels]
    found = [f"the {' and '.join(missing)} policies of the organization"] if missing else []
    found += around
    if resource != "*" and (owner is None or owner.mode == "data"):
        what = "the state and the grants of KMS keys" if service == "kms" else "the policies of resources"
        found.append(f"{what} that are not in the plan")
    if role.snapshot is not None:
        found.append(f"what has changed since {role.snapshot.origin}")
    return tuple(found)


class AccessJudgement(Struct, frozen=True):
    """The answer, what `iam` decided, why it is not that (`doubt`), and what shows a YES if not a statement.

    `obstacle` is what stops what the policies allow.
    """

    answer: Truth
    decision: Decision
    doubt: AccessDoubt | None = None
    reason: str = ""
    obstacle: Obstacle | None = None


@dataclass
class AccessDecisions:
    """The decisions over one plan."""

    owners: ArnIndex
    _decisions: dict[tuple[str, str, Value, Value], Decision] = field(default_factory=dict)

    def judge(self, role: Role, requirement: Requirement, caller: Placed | None = None) -> AccessJudgement:
        """Judge one requirement of a role, for the task definition or the resource that makes the request."""
        judgement = self._by_policies(role, requirement)
        if judgement.answer is Truth.NO:
            return judgement
        obstacle = key_obstacle(self.owners, requirement)
        if caller is not None and (obstacle is None or obstacle.answer is not Truth.NO):
            request, principal = judgement.decision.request, self._principal(role)
            obstacle = self._endpoints.obstacle(requirement, caller, request, principal) or obstacle
        if obstacle is None:
            return judgement
        if obstacle.answer is Truth.NO and requirement.doubt is None and not requirement.undecidable:
            return replace(judgement, answer=Truth.NO, obstacle=obstacle)
        doubt = judgement.doubt or AccessDoubt(f"{obstacle.found}: {obstacle.reason}", None, obstacle.remedy)
        return replace(judgement, answer=Truth.MAYBE, doubt=doubt)

    @cached_property
    def _endpoints(self) -> Endpoints:
        return Endpoints(self.owners)

    @cached_property
    def _tags(self) -> RequestTags:
        return RequestTags(self.owners)

    @cached_property
    def organization(self) -> Organization:
        """The policies of the organization that limit the account."""
        return Organization.of(self.owners)

    def proof(self, finding: Finding, role: Role, requirement: Requirement, decision: Decision) -> Finding:
        """Return a proof with what it rests on, and what it does not look at."""
        around = self._endpoints.unseen(requirement)
        missed = unseen(self.owners, role, requirement.action, requirement.resource, self.organization, around=around)
        basis = dict.fromkeys((*finding.rests_on, *rests_on(decision)))
        return replace(finding, rests_on=tuple(basis), unseen=tuple(dict.fromkeys((*finding.unseen, *missed))))

    def _region(self, requirement: Requirement) -> Value:
        """Return where AWS is asked about nothing in particular: ECR about images of a region, others in the task's."""
        plan = self.owners.plan
        if requirement.action.startswith("ecr:"):
            found = _REGISTRY.search(render(self.owners.attributes.narrow(requirement.need.named)))
            return found["region"] if found else None
        return plan.region if set(plan.regions.values()) <= {plan.region} else None

    def _principal(self, role: Role) -> Principal:
        return Principal.role(self.owners.attributes.narrow(role.arn))

    def _by_policies(self, role: Role, requirement: Requirement) -> AccessJudgement:
        decision = self._decide(role, requirement, requirement.resource)
        if requirement.undecidable:
            return AccessJudgement(Truth.MAYBE, decision, requirement.doubt)
        if decision.allowed is Truth.YES:
            return AccessJudgement(Truth.YES, decision)
        if requirement.action.startswith(_OF_FILE_SYSTEMS) and decision.outcome is not Outcome.EXPLICITLY_DENIED:
            return self._of_file_system(requirement, decision)
        if decision.allowed is Truth.MAYBE:
            return AccessJudgement(Truth.MAYBE, decision, requirement.doubt)
        if requirement.alternative is not None:
            other = self._decide(role, requirement, requirement.alternative)
            if other.allowed is not Truth.NO:
                shown = render(requirement.alternative)
                doubt = AccessDoubt(f"it is allowed on {shown}, which AWS does not document for policies")
                return AccessJudgement(Truth.MAYBE, decision, doubt)
        return AccessJudgement(Truth.MAYBE if requirement.doubt else Truth.NO, decision, requirement.doubt)

    def anonymous(self, requirement: Requirement) -> Decision:
        """Decide on a request that nobody in particular makes, by the policy of the resource alone."""
        resource, action = requirement.resource, requirement.action
        return decide(
            (),
            action,
            resource,
            resource_policies=self.owners.policies(resource, None, action),
            principal=Principal.of("anonymous"),
            context=Context.of(dict(requirement.keys), absent=("aws:PrincipalArn", "aws:PrincipalAccount")),
        )

    def _of_file_system(self, requirement: Requirement, decision: Decision) -> AccessJudgement:
        """Judge what the role's policies leave open: of EFS, a file system without a policy lets every client in.

        That of an S3 file system is empty by default: Amazon S3 User Guide, "Creating file system policies".
        """
        has_policy, is_open = self.owners.has_policy(requirement.resource), requirement.action.startswith(_OF_EFS)
        if has_policy is False and is_open:
            reason = f"{render(requirement.resource)} has no policy, and the default policy allows every client"
            return AccessJudgement(Truth.YES, decision, reason=reason)
        doubt = requirement.doubt
        if has_policy is None:
            absent = self.owners.doubt_of_policy(requirement.resource)
            doubt = AccessDoubt(
                f"{absent or f'the policy of {render(requirement.resource)} is not in this plan'}: it may allow it"
                + (", and without a policy every client is allowed" if is_open else ""),
                absent.value if absent else None,
                remedy=f"allow {requirement.action} to the role, or bring the file system and its policy into the plan",
            )
        undecided = doubt is not None or decision.allowed is Truth.MAYBE
        return AccessJudgement(Truth.MAYBE if undecided else Truth.NO, decision, doubt)

    def _decide(self, role: Role, requirement: Requirement, resource: Value) -> Decision:
        key = (role.address, requirement.action, resource, requirement.via)
        if key not in self._decisions:
            narrow, named = self.owners.attributes.narrow, requirement.need.named
            principal, plan = self._principal(role), self.owners.plan
            theirs = arn_fields(resource).get("account")
            context = request_context(principal.value, resource, requirement.via, self._region(requirement))
            context = self._tags.told(context, role, requirement.action, resource)
            # By the attribute that a resource comes from messages name it, and two resources differ.
            of_attribute = type(named) is Unknown and narrow(named) == resource
            self._decisions[key] = decide(
                role.policies,
                requirement.action,
                PartialArn.of(named, narrow) if of_attribute else PartialArn.of(resource),
                boundary=role.boundary,
                resource_policies=self.owners.policies(resource, principal.account, requirement.action),
                scps=self.organization.limits(principal.account, plan).scps,
                rcps=self.organization.limits(theirs, plan).rcps,
                principal=principal,
                context=context.updated(requirement.keys) if requirement.keys else context,
            )
        return self._decisions[key]
