"""The roles and policies that a plan names and does not have, in the snapshots of the accounts they are of.

An ARN is answered by the snapshot of its own account and partition alone, and a name by that of an account that is
known. What the plan itself may make, change or delete is answered by no snapshot: that is of before.

Source: IAM User Guide, "Grant a user permissions to pass a role to an AWS service", its warning.

Source: Terraform AWS provider, "Data Source: aws_iam_policy". Its `name` and `arn` name one policy alone, and no policy
of the account can have the ARN of one of AWS's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct, field

from infraspec.core.finding import Verdict
from infraspec.core.truth import Truth, all_of, any_of, not_
from infraspec.core.unknown import ComputedFrom, JsonText, Text, Unknown, Value, render
from infraspec.iam.policy.matching import match
from infraspec.iam.policy.partial_arn import PartialArn
from infraspec.iam.policy.pattern import Form, Pattern
from infraspec.iam.policy.statements import IdentityPolicy, managed_statements
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import COMMAND, EXPORT, Change, IamSnapshot, Plan, Resource, snapshot_of
from infraspec.terraform.provider.policy_document import STATEMENTS

INLINE, ATTACHMENT, ATTACHMENTS, EXCLUSIVE = (
    "aws_iam_role_policy", "aws_iam_role_policy_attachment", "aws_iam_policy_attachment",
    "aws_iam_role_policy_attachments_exclusive",
)  # fmt: skip


class PolicyAttachment(Struct, frozen=True):
    """A policy before it is compiled: an inline document of `source`, or an attached ARN."""

    source: Resource
    value: Value
    attribute: str
    attached: bool = False
    perhaps: bool = False


def attached_to_roles(plan: Plan) -> Iterator[tuple[Value, PolicyAttachment]]:
    """Yield what resources of their own attach, each with the value that names the role."""
    for inline in plan.managed(INLINE):
        yield inline.attribute("role"), PolicyAttachment(inline, inline.attribute("policy"), "policy")
    for attachment in plan.managed(ATTACHMENT, ATTACHMENTS):
        policy = PolicyAttachment(attachment, attachment.attribute("policy_arn"), "policy_arn", attached=True)
        to_one = attachment.type == ATTACHMENT
        for role in [attachment.attribute("role")] if to_one else listed(attachment.stated("roles")):
            yield role, policy
    for attachment in plan.managed(EXCLUSIVE):
        for arn in listed(attachment.attribute("policy_arns")):
            yield attachment.attribute("role_name"), PolicyAttachment(attachment, arn, "policy_arns", attached=True)


def listed(value: Value) -> list[Value]:
    """Return the entries of a list, or what is not known as one of them; nothing if it is not set."""
    if value is None:
        return []
    return list(value) if isinstance(value, list | tuple) else [value]


def as_far_as_certain(
    policy: IdentityPolicy, plan: Plan, source: Resource, owner: Resource | None = None
) -> IdentityPolicy:
    """Take account of a count or for_each that is not known: it may make no instance at all, or another one."""
    if plan.belongs_to(source, owner):
        return policy
    why = plan.doubt_of(source, owner)
    return policy.perhaps((str(why), why.value) if why else None)


_VERSION = "2012-10-17"


def with_managed(plan: Plan, value: Value) -> Value:
    """Fill in the text of AWS's policies: in place of a whole document, or of the statements taken from one."""
    if isinstance(value, Unknown):
        statements = _statements(plan, value)
        return value if statements is None else {"Version": _VERSION, "Statement": list(statements)}
    if not isinstance(value, JsonText) or not isinstance(value.tree, Mapping):
        return value
    given = value.tree.get("Statement")
    if not isinstance(given, list):
        return value
    return {**value.tree, "Statement": [one for entry in given for one in _statements(plan, entry) or (entry,)]}


def _statements(plan: Plan, value: Value) -> Sequence[Value] | None:
    """Return the statements that an unknown stands for, if they are those of a policy of AWS."""
    match value:
        case Unknown(cause=ComputedFrom((document,), by)) if by == STATEMENTS:
            found = plan.find(document)
        case Unknown():
            found = plan.find(value)
        case _:
            return None
    if found is None or (found[0].mode, found[0].type, found[1]) != ("data", "aws_iam_policy", "policy"):
        return None
    return statements_of(found[0])


def statements_of(source: Resource) -> Sequence[Value] | None:
    """Return the statements of the policy that a data source names; None if they are not known here."""
    named = next((one for name in ("name", "arn") if isinstance(one := source.stated(name), str)), "")
    return managed_statements(named)


_ROLE_ARN = re.compile(r"^arn:(?P<partition>[^:]*):iam::(?P<account>\d{12}):role/(?:.*/)?(?P<name>[^/]+)$", re.DOTALL)
_POLICY_ARN = re.compile(
    r"^arn:(?P<partition>[^:]*):iam::(?P<account>\d{12}|aws):policy/(?:.*/)?(?P<name>[^/]+)$", re.DOTALL
)
_POLICIES_EXCLUSIVE = "aws_iam_role_policies_exclusive"
INTO_THE_PLAN = "bring the role into the plan, let the live suite read it in the account"


class RoleLookup(NamedTuple):
    """What is known of a role that something names.

    `resource` is the role, `snapshot` what has it if it is not the plan. Without a role, `why` says why nothing is
    known of it and `remedy` how to know it; or, where nothing more is to be known, `settled` is the verdict on it,
    `why` what was found and `reason` what that means.
    """

    resource: Resource | None = None
    snapshot: IamSnapshot | None = None
    why: str = "the role is not in this plan"
    remedy: str = INTO_THE_PLAN
    settled: Verdict | None = None
    reason: str = ""


class _Name(NamedTuple):
    partition: Value
    account: Value
    name: Value
    arn: str = ""


class RolesInSnapshots(Struct):
    """The snapshots that a plan was given."""

    attributes: AwsAttributes
    _names: dict[str, list[tuple[Resource, Value]]] = field(default_factory=dict)

    def role(self, value: Value, account: Value = None) -> RoleLookup:
        """Look for the role that a value names, for a task in `account`, by default in that of the plan."""
        plan = self.attributes.plan
        sought = self._name(value, plan.account if account is None else account)
        if isinstance(account, str) and isinstance(sought.account, str) and sought.account != account:
            return RoleLookup(
                why=f"the role is of account {sought.account}, the task of account {account}",
                remedy=f"name a role of account {account}; "
                "it may assume the other one, or be let in by the other account",
                settled=Verdict.VIOLATED,
                reason="a role can be passed only to a service of its own account",
            )
        if plan.source is not None:
            return self._deployed(sought)
        if not isinstance(sought.account, str):
            remedy = _given("its account")
            unplaced = isinstance(sought.name, str) and bool(plan.snapshots)
            return RoleLookup(remedy=f"set account_id in [environments.NAME], or {remedy}" if unplaced else remedy)
        snapshot = snapshot_of(plan, sought.account, sought.partition)
        if snapshot is None or not isinstance(sought.name, str):
            return RoleLookup(remedy=_given(f"account {sought.account}"))
        doubt = self._doubt("aws_iam_role", sought.name, sought.account)
        if doubt:
            return RoleLookup(why=doubt, remedy="give a plan file, which tells what becomes of it")
        found = snapshot.roles.get(sought.name)
        if found is None or (sought.arn and found.stated("arn") != sought.arn):
            return _absent(snapshot, found, sought)
        return RoleLookup(found, snapshot)

    def _deployed(self, sought: _Name) -> RoleLookup:
        """Say of a role that is not among what exists why: AWS was asked for each that a task definition names."""
        plan = self.attributes.plan
        named = {
            definition.stated(attribute)
            for definition in plan.managed("aws_ecs_task_definition")
            for attribute in ("execution_role_arn", "task_role_arn")
        }
        if not sought.arn or sought.arn not in named or sought.account != plan.account:
            return RoleLookup()
        declared = self._declared(sought.name)
        made = f"apply it: the source makes it as {declared.address} ({declared.location})" if declared else ""
        return RoleLookup(
            why=f"there is no role {sought.arn} in account {sought.account}",
            remedy=made or "create the role, or deploy a revision that names one that exists",
            settled=Verdict.VIOLATED,
            reason="ECS cannot assume it: no task starts, whatever it needs",
        )

    def _declared(self, name: Value) -> Resource | None:
        """Return the role of a name in the source of what exists."""
        source = self.attributes.plan.source
        if source is None:
            return None
        attributes, account = AwsAttributes(source), self.attributes.plan.account
        roles = (role for role in source.managed("aws_iam_role") if attributes.name(role) == name)
        own = {account, source.account}
        return next((role for role in roles if attributes.account_of(role) in own), None)

    def policy(self, arn: Value) -> Resource | None:
        """Return the managed policy of an ARN, with its text, if a snapshot has it; of several, the newest version."""
        named = _POLICY_ARN.match(arn) if isinstance(arn, str) else None
        if named is None:
            return None
        account = named["account"]
        if account != "aws" and self._doubt("aws_iam_policy", named["name"], account):
            return None
        snapshots = (snapshot for snapshot in self.attributes.plan.snapshots if account in (snapshot.account, "aws"))
        policies = (snapshot.by_address.get(arn) for snapshot in snapshots)
        known = [policy for policy in policies if policy is not None and policy.stated("policy") is not None]
        return max(known, key=lambda policy: int(render(policy.stated("version"))[1:]), default=None)

    def policy_of(self, source: Resource) -> Resource | None:
        """Return the managed policy that a data source reads, by its ARN or by its name in an account."""
        arn, name = source.stated("arn"), source.stated("name")
        if isinstance(arn, str):
            return self.policy(arn)
        plan = self.attributes.plan
        snapshot = snapshot_of(plan, self.attributes.account_of(source), plan.partition)
        if snapshot is None or not isinstance(name, str):
            return None
        named = (policy for policy in snapshot.managed("aws_iam_policy") if policy.stated("name") == name)
        own = next((policy for policy in named if f":{snapshot.account}:" in policy.address), None)
        return self.policy(own.address) if own else None

    def kept(self, attached: Resource, role: Resource, snapshot: IamSnapshot) -> Truth:
        """Tell whether a role still has, after the plan, what the snapshot has in it or attached to it."""
        taken = (all_of(self._may_be_of(source, snapshot), answer) for source, answer in self._takers(attached, role))
        return not_(any_of(taken))

    def _takers(self, attached: Resource, role: Resource) -> Iterator[tuple[Resource | None, Truth]]:
        """Yield what replaces or takes away an inline policy or an attachment, and whether it does."""
        plan, name = self.attributes.plan, render(role.stated("name"))
        if attached.type == INLINE:
            own = render(attached.stated("name"))
            for inline in plan.managed(INLINE):
                named = self.attributes.name(inline)
                yield inline, all_of(self._is(inline.attribute("role"), name), self._is(named, own))
            for exclusive in plan.managed(_POLICIES_EXCLUSIVE):
                holds = any_of(self._is(one, own) for one in listed(exclusive.attribute("policy_names")))
                yield exclusive, all_of(self._is(exclusive.attribute("role_name"), name), not_(holds))
        else:
            arn = render(attached.stated("policy_arn"))
            for exclusive in plan.managed(EXCLUSIVE):
                holds = any_of(self._is(one, arn) for one in listed(exclusive.attribute("policy_arns")))
                yield exclusive, all_of(self._is(exclusive.attribute("role_name"), name), not_(holds))
            for everywhere in plan.managed(ATTACHMENTS):
                holds = any_of(self._is(one, name) for one in listed(everywhere.stated("roles")))
                yield everywhere, all_of(self._is(everywhere.attribute("policy_arn"), arn), not_(holds))
        for change in self._deletions(INLINE if attached.type == INLINE else ATTACHMENT):
            same = [
                self._is(change.before.get(key), render(value))
                for key, value in attached.values.items()
                if key in {"role", "name", "policy_arn"}
            ]
            yield None, all_of(*same)

    def account(self, source: Resource, account: Value) -> Truth:
        """Tell whether a resource of the plan is in an account."""
        own = self.attributes.account_of(source)
        if not (isinstance(own, str) and isinstance(account, str)):
            return Truth.MAYBE
        return Truth.YES if own == account else Truth.NO

    def _may_be_of(self, source: Resource | None, snapshot: IamSnapshot) -> Truth:
        if source is None:
            return Truth.YES
        there = Truth.YES if self.attributes.plan.is_certain(source) else Truth.MAYBE
        return all_of(self.account(source, snapshot.account), there)

    def _is(self, value: Value, text: str) -> Truth:
        """Tell whether a value is, or will be, a text."""
        if not isinstance(value, str | Text | Unknown):
            return Truth.MAYBE
        return match(Pattern.of(value, Form.TEXT, self.attributes.narrow), PartialArn.of(text))

    def _deletions(self, type_: str) -> Iterator[Change]:
        changes = self.attributes.plan.changes
        return (one for one in changes if one.type == type_ and "delete" in one.actions and not one.drift)

    def _name(self, value: Value, account: Value) -> _Name:
        """Return what a value says of a role: its account and name, and its ARN if that is known."""
        plan = self.attributes.plan
        narrowed = self.attributes.narrow(value)
        arn = _ROLE_ARN.match(narrowed) if isinstance(narrowed, str) else None
        if arn:
            return _Name(arn["partition"], arn["account"], arn["name"], arn.string)
        found = plan.find(value) if type(value) is Unknown else None
        if found and (found[0].mode, found[0].type) == ("data", "aws_iam_role"):
            return _Name(plan.partition, self.attributes.account_of(found[0]), self.attributes.name(found[0]))
        if isinstance(narrowed, str) and ":" not in narrowed:
            return _Name(plan.partition, account, narrowed)
        return _Name(plan.partition, None, None)

    def _doubt(self, type_: str, name: str, account: str) -> str:
        """Say that the plan may make what has a name in an account, or deletes it; nothing if it does not."""
        for resource, own in self._named(type_):
            if self.account(resource, account) is not Truth.NO and self._is(own, name) is not Truth.NO:
                return f"{resource.address} of the plan may be it"
        return self.deleted(type_, name, account)

    def deleted(self, type_: str, name: str, account: str) -> str:
        """Say that the plan deletes what has a name in an account; nothing if it does not."""
        for change in self._deletions(type_):
            arn = change.before.get("arn")
            elsewhere = isinstance(arn, str) and f":{account}:" not in arn
            named = self._is(change.before.get("name"), name) is not Truth.NO
            if "create" not in change.actions and named and not elsewhere:
                return f"the plan deletes it: {change.address}"
        return ""

    def _named(self, type_: str) -> list[tuple[Resource, Value]]:
        if type_ not in self._names:
            resources = self.attributes.plan.managed(type_)
            self._names[type_] = [(resource, self.attributes.name(resource)) for resource in resources]
        return self._names[type_]


def _absent(snapshot: IamSnapshot, found: Resource | None, sought: _Name) -> RoleLookup:
    """Say that a snapshot does not have a role; it is of a moment, so that is no proof that there is none."""
    other = ""
    remedy = f"correct the name, or create the role; if that is done, export again:\n{COMMAND} > {snapshot.origin}"
    if found is not None:
        other, remedy = f", which has {found.stated('arn')}", f"name {found.stated('arn')}"
    return RoleLookup(
        why=f"{sought.arn or sought.name} is not in {snapshot}{other}",
        remedy=remedy,
        settled=Verdict.UNDETERMINED,
        reason="without the role no task starts; a snapshot does not tell what was created since",
    )


def _given(where: str) -> str:
    return f"{INTO_THE_PLAN}, or give a snapshot of IAM in {where}, --infraspec-snapshot iam.json:\n{EXPORT}"
