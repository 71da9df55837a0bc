"""Who gives policies to roles, users and groups, and who says that they have no others.

Which resources those are is data: `attaches` of the catalogue. What two of them settle differently has no value that
lasts: each apply of the one undoes the other, so neither is certain.

Sources: Terraform AWS provider, "Resource: aws_iam_role" (managed_policy_arns and inline_policy take exclusive
management over), "Resource: aws_iam_policy_attachment" (exclusive across the account),
"Resource: aws_iam_role_policies_exclusive" and "Resource: aws_iam_role_policy_attachments_exclusive"; IAM API
Reference, PutRolePolicy (a policy of the same name is replaced).
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct, field

from infraspec.core.truth import Truth, all_of, any_of, not_
from infraspec.core.unknown import Contested, OpenList, Text, Unknown, Value, render
from infraspec.iam.policy.matching import match
from infraspec.iam.policy.partial_arn import PartialArn, shown
from infraspec.iam.policy.pattern import Form, Pattern
from infraspec.resource_types import TYPES
from infraspec.resource_types.model import Attaching
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource

_NAMES = frozenset({"name", "id"})
"""What a role, user or group is named by where something is attached to it."""


class PolicyAttachment(Struct, frozen=True):
    """A policy before it is compiled: an inline document of `source`, or an attached ARN.

    `holder` names the role, user or group that has it; without it that is the source. `name` is that of an inline one.
    """

    source: Resource
    value: Value
    attribute: str
    attached: bool = False
    perhaps: bool = False
    holder: Value = None
    name: Value = None


class PolicyList(Struct, frozen=True):
    """The list of a resource beside which there is nothing; `certain` tells whether there is such a list."""

    source: Resource
    how: Attaching
    entries: list[Value]
    holders: list[Value]
    certain: Truth = Truth.YES

    @property
    def attribute(self) -> str:
        """The attribute that has the list."""
        return self.how.to if self.how.alone == "policy" else (self.how.arns or self.how.names).partition(".")[0]


def attachments(attributes: AwsAttributes, holder: str) -> Iterator[PolicyAttachment]:
    """Yield what resources of their own give to the roles, users or groups of a plan."""
    for source, how in _attaching(attributes.plan, holder):
        for name in _holders(source, how) if how.to else ():
            if how.documents:
                document = source.attribute(how.documents)
                yield PolicyAttachment(source, document, how.documents, holder=name, name=_name(attributes, source))
            for arn in listed(source.attribute(how.arns)) if how.arns else ():
                yield PolicyAttachment(source, arn, how.arns, attached=True, holder=name)


def listed(value: Value) -> list[Value]:
    """Return the entries of a list, or what is not known as one of them; nothing if it is not set."""
    if value is None:
        return []
    if isinstance(value, OpenList):
        return list(value.entries)
    return list(value) if isinstance(value, list | tuple) else [value]


def _attaching(plan: Plan, holder: str) -> Iterator[tuple[Resource, Attaching]]:
    for type_, attaches in _TYPES.items():
        for how in attaches:
            if how.holder == holder:
                yield from ((source, how) for source in plan.managed(type_))


_TYPES = {known.type: known.attaches for known in TYPES.values() if known.attaches}


def _holders(source: Resource, how: Attaching) -> list[Value]:
    """Return what names the holders: a list that is not set has none, one name that is not set is not known."""
    return listed(source.stated(how.to)) if how.alone == "policy" else [source.attribute(how.to)]


def _name(attributes: AwsAttributes, source: Resource) -> Value:
    """Return the name of an inline policy; None for one that the provider makes, which is like no other."""
    configured = [attributes.plan.configures(source, one) for one in ("name", "name_prefix")]
    return None if configured == [False, False] else attributes.name(source)


def same_text(attributes: AwsAttributes, one: Value, other: Value) -> Truth:
    """Tell whether two values are, or will be, the same text."""
    one, other = attributes.narrow(one), attributes.narrow(other)
    if isinstance(one, str) and isinstance(other, str):
        return Truth.YES if one == other else Truth.NO
    if not isinstance(one, str | Text | Unknown) or not isinstance(other, str | Text | Unknown):
        return Truth.MAYBE
    return match(Pattern.of(one, Form.TEXT), PartialArn.of(other))


class PolicyOwners(Struct):
    """The lists of a plan, and the inline policies of one name."""

    attributes: AwsAttributes
    _lists: dict[str, list[PolicyList]] = field(default_factory=dict)
    _inline: dict[str, dict[str, list[PolicyAttachment]]] = field(default_factory=dict)

    def names(self, reference: Value, holder: Resource) -> Truth:
        """Tell whether something names a role, user or group."""
        found = self.attributes.plan.find(reference) if isinstance(reference, Unknown) else None
        if found is not None and found[0].type == holder.type and found[0].mode == "managed":
            return Truth.YES if found[0] is holder and found[1] in _NAMES else Truth.NO
        return self.same(reference, self.attributes.name(holder))

    def same(self, one: Value, other: Value) -> Truth:
        """Tell whether two values are, or will be, the same text."""
        return same_text(self.attributes, one, other)

    def takers(
        self, given: PolicyAttachment, holder: Resource
    ) -> Iterator[tuple[PolicyList | PolicyAttachment, Truth]]:
        """Yield what takes a policy away from a holder or replaces it, and whether it does."""
        for one in self._lists_for(holder.type):
            if one.source is not given.source and bool(one.how.arns) is given.attached:
                yield one, self._takes(one, given, holder)
        if given.attached or given.name is None:
            return
        inline = self._inline_of(holder.type)
        for other in (*inline.get(holder.address, ()), *inline.get("", ())):
            if other.source is not given.source and other.name is not None and other.value != given.value:
                yield other, all_of(self.same(other.name, given.name), self.names(other.holder, holder))

    def doubt(self, given: PolicyAttachment, holder: Resource) -> tuple[str, Unknown] | None:
        """Return why a holder of the plan may not have what the plan gives to it, and what settles that."""
        if self.attributes.plan.source is not None:
            return None  # a plan of what exists
        taker = next((one for one, answer in self.takers(given, holder) if answer is not Truth.NO), None)
        if taker is None:
            return None
        one, other = placed(given.source, given.attribute), placed(taker.source, taker.attribute)
        if isinstance(taker, PolicyAttachment):
            named = f"the name {render(given.name)}" if isinstance(given.name, str) else "perhaps the same name"
            reason = f"{one} and {other} have {named} in {holder.address}: the later one replaces the other"
            remedy = f"give one of {given.source.address} and {taker.source.address} another name"
        else:
            what = f"policies of {holder.address}" if taker.how.alone == "holder" else f"attachments of {_told(given)}"
            reason = f"{other} lists all {what}, and what {one} gives it is not among them: each apply undoes the other"
            remedy = _to_list(taker, given, holder)
        last = f"which of {given.source.address} and {taker.source.address} is applied last"
        return reason, Unknown(last, Contested(remedy))

    def _takes(self, one: PolicyList, given: PolicyAttachment, holder: Resource) -> Truth:
        if one.how.alone == "policy":
            about, listing = any_of(self.same(arn, given.value) for arn in one.entries), one.holders
        elif one.how.to:
            about, listing = any_of(self.names(name, holder) for name in one.holders), one.entries
        else:
            about, listing = Truth.YES if one.source is holder else Truth.NO, one.entries
        if about is Truth.NO:
            return about
        sought = given.value if given.attached else given.name
        by_name = one.how.alone == "policy"
        lists = any_of(self.names(entry, holder) if by_name else self.same(entry, sought) for entry in listing)
        return all_of(one.certain, about, not_(lists))

    def _lists_for(self, holder: str) -> list[PolicyList]:
        if holder not in self._lists:
            found = (_list(self.attributes.plan, *one) for one in _attaching(self.attributes.plan, holder))
            self._lists[holder] = [one for one in found if one is not None]
        return self._lists[holder]

    def _inline_of(self, holder: str) -> dict[str, list[PolicyAttachment]]:
        """Return the inline policies by the address of who has them; that is empty where it is not known by one."""
        if holder not in self._inline:
            found: dict[str, list[PolicyAttachment]] = {}
            for one in (given for given in attachments(self.attributes, holder) if not given.attached):
                named = self.attributes.plan.find(one.holder) if isinstance(one.holder, Unknown) else None
                found.setdefault(named[0].address if named else "", []).append(one)
            for one in _own_inline(self.attributes.plan, holder):
                found.setdefault(one.source.address, []).append(one)
            self._inline[holder] = found
        return self._inline[holder]


def _own_inline(plan: Plan, holder: str) -> Iterator[PolicyAttachment]:
    """Yield the inline policies that are written in their holders."""
    for source, how in _attaching(plan, holder):
        attribute, _, document = how.documents.partition(".")
        for index, block in enumerate(listed(source.stated(attribute)) if document else ()):
            if isinstance(block, dict) and block.get("name") is not None:
                value, path = block.get(document), f"{attribute}.{index}.{document}"
                yield PolicyAttachment(source, value, path, holder=source.reference("name"), name=block["name"])


def _list(plan: Plan, source: Resource, how: Attaching) -> PolicyList | None:
    """Return the list that a resource has, if it is meant to be complete and is not left to others."""
    attribute = (how.arns or how.names).partition(".")[0]
    if not how.alone or {"all", attribute} & set(source.ignore_changes):
        return None
    if how.to:
        entries = listed(source.attribute(how.arns or how.names))
        return PolicyList(source, how, entries, _holders(source, how))
    value = source.stated(attribute)
    computed = isinstance(value, Unknown) and value.address.startswith(f"{source.address}.")
    blocks = how.names != ""
    if value is None or computed or (blocks and value == []) or not plan.configures(source, attribute):
        return None
    entries = [entry.get("name") if isinstance(entry, dict) else entry for entry in listed(value)]
    known = isinstance(value, list | tuple) and (not blocks or any(isinstance(entry, dict) for entry in value))
    named = [entry for entry in entries if entry is not None]
    return PolicyList(source, how, named, [], Truth.YES if known else Truth.MAYBE)


def placed(resource: Resource, attribute: str) -> str:
    """Name a resource with the place of an attribute."""
    place = resource.location_of(attribute)
    return f"{resource.address} ({place})" if place else resource.address


def _told(given: PolicyAttachment) -> str:
    return shown(given.value) if given.attached else f"{given.source.address}.name"


def _to_list(one: PolicyList, given: PolicyAttachment, holder: Resource) -> str:
    """Return the change that makes a list agree with what is given beside it."""
    where = f"{one.attribute} of {placed(one.source, one.attribute)}"
    if one.how.documents:
        return f"take the blocks {where} out, or write the policy of {given.source.address} as one of them"
    entry = f"{holder.address}.name" if one.how.alone == "policy" else _told(given)
    written = f'"{entry}"' if entry.startswith("arn:") else entry
    add = f"add {written} to {where}"
    return add if one.how.to else f"{add}, or take {one.attribute} out of it"
