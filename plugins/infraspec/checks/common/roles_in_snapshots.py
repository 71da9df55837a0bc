"""The roles and policies that a plan names and does not have, in the snapshots of the accounts they are of.

An ARN is answered by the snapshot of its own account and partition alone, and a name by that of an account that is
known. What the plan itself may make, change or delete is answered by no snapshot: that is of before.

Source: IAM User Guide, "Grant a user permissions to pass a role to an AWS service", its warning.

Source: Terraform AWS provider, "Data Source: aws_iam_policy". Its `name` and `arn` name one policy alone, and no policy
of the account can have the ARN of one of AWS's.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cached_property
from operator import itemgetter
from typing import NamedTuple, TypeAlias

from msgspec import Struct

from infraspec.checks.common.policy_owners import PolicyAttachment, PolicyOwners, same_text
from infraspec.core.arn import Arn
from infraspec.core.beginnings import Beginnings
from infraspec.core.finding import Verdict
from infraspec.core.truth import Truth, all_of, any_of, not_
from infraspec.core.unknown import (
    ComputedFrom,
    JsonText,
    Placeholder,
    Text,
    Unknown,
    UnstatedAccount,
    Value,
    concatenate,
    is_one_value,
    parts_of,
    render,
)
from infraspec.iam.policy.matching import match
from infraspec.iam.policy.partial_arn import PartialArn, arn_fields
from infraspec.iam.policy.pattern import Form, Pattern
from infraspec.iam.policy.statements import IdentityPolicy, managed_statements
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import COMMAND, EXPORT, Change, IamSnapshot, Plan, Resource, snapshot_of
from infraspec.terraform.provider.policy_document import STATEMENTS

INLINE, ATTACHMENT = "aws_iam_role_policy", "aws_iam_role_policy_attachment"


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
INTO_THE_PLAN = "bring the role into the plan, let the live suite read it in the account"


class RoleLookup(NamedTuple):
    """What is known of a role that something names.

    `resource` is the role, `snapshot` what has it if it is not the plan. Without a role, `why` says why nothing is
    known of it and `remedy` how to know it; or, where nothing more is to be known, `settled` is the verdict on it,
    `why` what was found and `reason` what that means. `arn` is what should be named instead.
    """

    resource: Resource | None = None
    snapshot: IamSnapshot | None = None
    why: str = "the role is not in this plan"
    remedy: str = INTO_THE_PLAN
    settled: Verdict | None = None
    reason: str = ""
    arn: Unknown | None = None


class _Name(NamedTuple):
    partition: Value
    account: Value
    name: Value
    arn: str = ""
    other: str = ""
    """The ARN of what is no role."""


class Named(NamedTuple):
    """What of a plan a text names: for certain, perhaps, or not, where only the name is the same."""

    resource: Resource
    answer: Truth


_Placed: TypeAlias = tuple[int, Resource]
"""A resource with its place in the plan."""


class Identities:
    """The roles or the policies of a plan, by what names them.

    An ARN names what has that partition, account, path and name. A bare name is unique in its account, whatever the
    path. Source: IAM User Guide, "IAM identifiers".
    """

    def __init__(self, attributes: AwsAttributes, type_: str) -> None:
        self.attributes, self.type = attributes, type_

    def arn(self, resource: Resource) -> Value:
        """Return the ARN of a resource, as far as it is known."""
        return self.attributes.narrow(resource.reference("arn"))

    def named(self, value: Value, beside: Resource | None = None) -> Named | None:
        """Return what has an ARN or name, or may have it, or has its name alone; certain `beside` what refers to it."""
        narrowed = self.attributes.narrow(value)
        if not isinstance(narrowed, str | Text) and not (
            isinstance(narrowed, Unknown) and is_one_value(narrowed.address)
        ):
            return None
        alike = [Named(one, self._has(one, narrowed, beside)) for one in self._by_name.get(name_in(narrowed), ())]
        possible = [named for named in alike if named.answer is not Truth.NO]
        if possible[1:]:
            return possible[0]._replace(answer=Truth.MAYBE)
        certain = (one for one in alike if self.attributes.plan.is_certain(one.resource, beside))
        return next(iter(possible or certain), None)

    def _has(self, resource: Resource, value: str | Text | Unknown, beside: Resource | None) -> Truth:
        plan, of = self.attributes.plan, self.attributes.account_of
        here = Truth.YES if plan.is_certain(resource, beside) else Truth.MAYBE
        if render(value).startswith("arn:"):
            return all_of(here, self._is(value, self.arn(resource)))
        return here if beside is None else all_of(here, same_text(self.attributes, of(resource), of(beside)))

    def _is(self, arn: Value, own: Value) -> Truth:
        """Compare two ARNs. Where nobody says the account, it is taken for the own one: no other could be used there.

        Source: IAM User Guide, "Grant a user permissions to pass a role to an AWS service" (roles of the same account).
        """
        accounts = [arn_fields(one).get("account") for one in (arn, own)]
        unsaid = any(
            isinstance(one, Unknown) and isinstance(one.cause, Placeholder | UnstatedAccount) for one in accounts
        )
        pair = (_apart_from_account(arn), _apart_from_account(own)) if unsaid else (arn, own)
        return same_text(self.attributes, *pair)

    def called(self, name: str) -> list[Resource]:
        """Return what has, or may have, a name, in order of the plan."""
        known, unknown = self._by_known_name
        alike = (one for pattern, one in unknown.beside(name) if match(pattern, PartialArn.of(name)) is not Truth.NO)
        return [resource for _, resource in sorted([*known.get(name, ()), *alike], key=itemgetter(0))]

    @cached_property
    def _by_known_name(self) -> tuple[dict[str, list[_Placed]], Beginnings[tuple[Pattern, _Placed]]]:
        """Return the resources with their places in the plan: by name, and by how a name begins that is not known."""
        known: dict[str, list[_Placed]] = {}
        unknown: Beginnings[tuple[Pattern, _Placed]] = Beginnings()
        for placed in enumerate(self.attributes.plan.managed(self.type)):
            name = self.attributes.name(placed[1])
            if isinstance(name, str):
                known.setdefault(name, []).append(placed)
            else:
                pattern = Pattern.of(name, Form.TEXT, self.attributes.narrow)
                unknown.add(pattern.prefix, (pattern, placed))
        return known, unknown

    @cached_property
    def _by_name(self) -> dict[Value, list[Resource]]:
        found: dict[Value, list[Resource]] = {}
        for resource in self.attributes.plan.managed(self.type):
            found.setdefault(self.attributes.name(resource), []).append(resource)
        return found


def name_in(value: Value) -> Value:
    """Return the name in an ARN, known or partly known, and any other text as it is."""
    parts = parts_of(value)
    if not render(parts[0]).startswith("arn:"):
        return value
    last = max(index for index, part in enumerate(parts) if isinstance(part, str) and (index == 0 or "/" in part))
    return concatenate([str(parts[last]).rpartition("/")[2], *parts[last + 1 :]])


def _apart_from_account(arn: Value) -> Value:
    """Return an ARN without the account in it."""
    head, *rest = parts_of(arn)
    fields = str(head).split(":", 5)
    if len(fields) > len(("arn", "partition", "service", "region", "account")):
        return concatenate([":".join([*fields[:4], "", fields[5]]), *rest])
    return concatenate([head, *rest[1:]])


class RolesInSnapshots(Struct, dict=True):
    """The snapshots that a plan was given."""

    attributes: AwsAttributes
    owners: PolicyOwners

    @cached_property
    def roles(self) -> Identities:
        """The roles of the plan by what names them."""
        return Identities(self.attributes, "aws_iam_role")

    @cached_property
    def policies(self) -> Identities:
        """The customer managed policies of the plan by what names them."""
        return Identities(self.attributes, "aws_iam_policy")

    def role(self, value: Value, account: Value = None) -> RoleLookup:
        """Look for the role that a value names, for a task in `account`, by default in that of the plan."""
        plan = self.attributes.plan
        sought = self._name(value, plan.account if account is None else account)
        if isinstance(account, str) and isinstance(sought.account, str) and sought.account != account:
            return RoleLookup(
                why=f"the role is of account {sought.account}, the task of account {account}",
                remedy=f"name a role of account {account}; "
                "it may assume the other role, or the other account may allow it",
                settled=Verdict.VIOLATED,
                reason="a role can be passed only to a service of its own account",
            )
        narrowed = self.attributes.narrow(value)
        near = self.roles.named(narrowed) if render(narrowed).startswith("arn:") else None
        if near is not None and near.answer is Truth.NO:
            return self._misnamed(narrowed, near.resource, plan.account if account is None else account)
        if plan.source is not None or sought.other:
            return self._deployed(sought) if plan.source is not None else _no_role(sought.other)
        if not isinstance(sought.account, str):
            remedy = _given("its account")
            unplaced = isinstance(sought.name, str) and bool(plan.snapshots)
            return RoleLookup(remedy=f"set account_id in [environments.NAME], or {remedy}" if unplaced else remedy)
        snapshot = snapshot_of(plan, sought.account, sought.partition)
        if snapshot is None or not isinstance(sought.name, str):
            return RoleLookup(remedy=_given(f"account {sought.account}"))
        doubt = self._doubt("aws_iam_role", sought.name, sought.account)
        if doubt:
            return RoleLookup(why=doubt, remedy="give a plan file, which shows what happens to it")
        found = snapshot.roles.get(sought.name)
        if found is None or (sought.arn and found.stated("arn") != sought.arn):
            return _absent(snapshot, found, sought)
        return RoleLookup(found, snapshot)

    def _misnamed(self, arn: Value, near: Resource, account: Value) -> RoleLookup:
        """Say of an ARN that it is not that of the role of the plan that has its name, which is one in an account."""
        why = f"{near.address}, which has its name, is {render(self.roles.arn(near))}"
        lookup = RoleLookup(why=why, remedy=f"set it to {near.address}.arn")
        if self.attributes.account_of(near) != account:
            return lookup
        return lookup._replace(
            why=f"{render(arn)} names no role: {why}",
            settled=Verdict.VIOLATED,
            reason="a role is named by its whole ARN, path included: ECS cannot assume it",
        )

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
        attributes, account = source.derived(AwsAttributes), self.attributes.plan.account
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

    def kept(self, attached: PolicyAttachment, role: Resource, snapshot: IamSnapshot) -> Truth:
        """Tell whether a role still has, after the plan, what the snapshot has in it or attached to it."""
        takers = self.owners.takers(attached, role)
        taken = [all_of(self._may_be_of(one.source, snapshot), answer) for one, answer in takers]
        for change in self._deletions(attached.source.type):
            same = (
                self._is(change.before.get(key), render(value))
                for key, value in attached.source.values.items()
                if key in {"role", "name", "policy_arn"}
            )
            taken.append(all_of(*same))
        return not_(any_of(taken))

    def account(self, source: Resource, account: Value) -> Truth:
        """Tell whether a resource of the plan is in an account."""
        own = self.attributes.account_of(source)
        if not (isinstance(own, str) and isinstance(account, str)):
            return Truth.MAYBE
        return Truth.YES if own == account else Truth.NO

    def _may_be_of(self, source: Resource, snapshot: IamSnapshot) -> Truth:
        there = Truth.YES if self.attributes.plan.is_certain(source) else Truth.MAYBE
        return all_of(self.account(source, snapshot.account), there)

    def _is(self, value: Value, text: str) -> Truth:
        """Tell whether a value is, or will be, a text."""
        if not isinstance(value, str | Text | Unknown):
            return Truth.MAYBE
        return match(Pattern.of(value, Form.TEXT, self.attributes.narrow), PartialArn.of(text))

    def _deletions(self, type_: str) -> Sequence[Change]:
        return self._deleted.get(type_, ())

    @cached_property
    def _deleted(self) -> Mapping[str, list[Change]]:
        """What the plan deletes, by type."""
        deleted: dict[str, list[Change]] = {}
        for one in self.attributes.plan.changes:
            if "delete" in one.actions and not one.drift:
                deleted.setdefault(one.type, []).append(one)
        return deleted

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
        if isinstance(narrowed, str) and Arn.is_arn(narrowed):
            return _Name(plan.partition, None, None, other=narrowed)
        return _Name(plan.partition, None, None)

    def _doubt(self, type_: str, name: str, account: str) -> str:
        """Say that the plan may make what has a name in an account, or deletes it; nothing if it does not."""
        identities = self.roles if type_ == self.roles.type else self.policies
        for resource in identities.called(name):
            if self.account(resource, account) is not Truth.NO:
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


def _no_role(arn: str) -> RoleLookup:
    return RoleLookup(
        why=f"{arn} is the ARN of no role",
        remedy="name a role: arn:PARTITION:iam::ACCOUNT:role/PATH/NAME",
        settled=Verdict.VIOLATED,
        reason="ECS assumes roles alone",
    )


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
        reason="without the role no task starts; a snapshot does not show what was created since",
    )


def _given(where: str) -> str:
    return f"{INTO_THE_PLAN}, or give a snapshot of IAM in {where}, --infraspec-snapshot iam.json:\n{EXPORT}"
