"""What the source says of a resource beside what AWS has: equal, different, or not known.

Numbers and switches are compared by value, lists of text without their order, JSON documents as trees. What the source
leaves to AWS, an ARN's suffix or an id, is taken from the live resource of the same address before it is compared.

A run asks one account and one region. What a provider alias, or the argument `region` of AWS provider 6, puts elsewhere
is not there to be found, and what has its name there is another thing. Source: Terraform AWS provider, "Enhanced Region
Support"; Terraform Language Documentation, "alias: Multiple Provider Configurations".
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple

from msgspec import Struct

from infraspec.checks.common.unknown_remedies import how_to_know
from infraspec.core.arn import Arn
from infraspec.core.finding import Finding
from infraspec.core.json_text import decode_json
from infraspec.core.rule import Rule
from infraspec.core.truth import Truth, all_of, any_of
from infraspec.core.unknown import (
    Character,
    JsonText,
    MissingVariable,
    RefusedRead,
    Sensitive,
    Text,
    Unknown,
    Value,
    concatenate,
    is_known,
    unknowns,
)
from infraspec.resource_types import resource_type
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource
from infraspec.terraform.provider.schema import is_computed

_GLOBAL = ("aws_iam_", "aws_s3_")
"""The types that are listed for all regions together."""


class _Place(NamedTuple):
    """The account or the region of a resource, and whether it is the one that the run asks."""

    value: Value
    answer: Truth


class Whereabouts(Struct, frozen=True):
    """The account and region that a run asks, and where the resources of a source are.

    What belongs to the provider without an alias, and nothing tells where that is, is where the run asks.
    """

    attributes: AwsAttributes
    account: Value
    region: Value

    def has(self, resource: Resource) -> Truth:
        """Tell whether a resource is where the run asks."""
        return all_of(*(place.answer for place in self._places(resource)))

    def elsewhere(self, resource: Resource) -> str:
        """Return the other account, the other region, or both, that a resource is in; empty if it may be here."""
        return " ".join(str(place.value) for place in self._places(resource) if place.answer is Truth.NO)

    def unknown(self, resource: Resource) -> Unknown | None:
        """Return what is not known of where a resource is."""
        doubts = (place.value for place in self._places(resource) if place.answer is Truth.MAYBE)
        return next((one for value in doubts for one in unknowns(value)), None)

    def is_other_region(self, resource: Resource) -> bool:
        """Tell whether a resource is in the account of the run, in another region."""
        account, region = self._places(resource)
        return account.answer is Truth.YES and region.answer is Truth.NO

    @property
    def asked(self) -> str:
        """Where the run asks, for a message."""
        return f"account {self.account}, region {self.region}"

    def _places(self, resource: Resource) -> tuple[_Place, _Place]:
        plan, (account, region) = self.attributes.plan, _of_arn(resource)
        is_global = resource.type.startswith(_GLOBAL)
        own = account or self.attributes.account_of(resource)
        there = self.region if is_global else region or self.attributes.region_of(resource)
        return _compared(own, plan.account, self.account), _compared(there, plan.region, self.region)


def looked_at(
    rule: Rule, resources: Iterable[Resource], whereabouts: Whereabouts
) -> tuple[list[Resource], list[Finding]]:
    """Return those of the resources that are where a run asks, and what a rule has to say of the others.

    Each of which it is not known where it is, is UNDETERMINED; those that are elsewhere are one advice.
    """
    here: list[Resource] = []
    findings: list[Finding] = []
    others: list[Resource] = []
    for resource in resources:
        match whereabouts.has(resource):
            case Truth.YES:
                here.append(resource)
            case Truth.MAYBE:
                findings.append(not_placed(rule, resource, whereabouts))
            case Truth.NO:
                others.append(resource)
    if others:
        left_out = rule.about(whereabouts.attributes.plan.origin, "resources of other regions or accounts").advice(
            expected=whereabouts.asked,
            found=counted(Counter(f"{one.type} in {whereabouts.elsewhere(one)}" for one in others)),
            reason=f"{rule.id} does not check these resources: this run does not query their account or region",
            remedy=where_to_ask(others, whereabouts),
        )
        findings.append(left_out)
    return here, findings


def not_placed(rule: Rule, resource: Resource, whereabouts: Whereabouts) -> Finding:
    """Return the finding about a resource of which it is not known whether it is where a run asks."""
    unknown = whereabouts.unknown(resource)
    return rule.about(resource).undetermined(
        expected=f"a resource known to be in {whereabouts.asked}, which this run queries, or elsewhere",
        found=f"{unknown.address} is unknown" if unknown else "its account or region is unknown",
        reason=f"it was not checked: what has its name in {whereabouts.asked} may be a different resource",
        remedy=how_to_know(unknown) if unknown else "give a plan or state file that has its ARN",
    )


def nothing_judged(findings: Iterable[Finding]) -> str:
    """Return what a rule has to say if it judges nothing; empty if it does, or has nothing to say."""
    found = list(findings)
    told = "; ".join(one.found for one in found)
    return f"nothing is judged of {told}" if found and all(one.advice for one in found) else ""


def not_read(rule: Rule, plan: Plan, types: Iterable[str]) -> Iterator[Finding]:
    """Yield what of the source a rule is about and the live suite does not read, or does not find; none of a plan.

    What is compared with the account by `drift` is told there where it is missing.
    """
    if plan.source is None:
        return
    there = {one.address for one in plan.managed(*types)}
    for source in plan.source.managed(*types):
        known = resource_type(source.type)
        if why := plan.left_out(source):
            yield not_in_sandbox(rule, source, why)
        elif source.address not in there and (known.listing is None or known.drift is None):
            why = (
                "AWS has none that is certainly it" if known.listing else f"the live suite does not read {source.type}"
            )
            yield rule.about(source).undetermined(
                expected="what AWS has of it",
                found=why,
                reason="so nothing is known of what is deployed there",
                remedy="the static suite judges the source: compare what that says with AWS, and waive the finding",
            )


def not_in_sandbox(rule: Rule, source: Resource, why: str) -> Finding:
    """Say that nothing is known of a resource that could not be applied to the sandbox."""
    return rule.about(source).undetermined(
        expected="what AWS has of it",
        found="it is not in the sandbox",
        reason=why,
        remedy="run the live suite against the account: infraspec check --live --env NAME",
    )


def counted(types: Mapping[str, int]) -> str:
    """Write numbers of resources by type, or by type and place."""
    return ", ".join(f"{type_} ({count})" for type_, count in sorted(types.items()))


def where_to_ask(others: Iterable[Resource], whereabouts: Whereabouts) -> str:
    """Return how to have resources judged that are elsewhere."""
    regions = sorted({whereabouts.elsewhere(one) for one in others if whereabouts.is_other_region(one)})
    plain = "to see what was changed of them: terraform plan -refresh-only"
    if not regions:
        return plain
    written = " or ".join(f'region = "{region}"' for region in regions)
    return f"{plain}\nto have them judged: --infraspec-dir with a copy of the contract whose environment has {written}"


def _compared(own: Value, main: Value, asked: Value) -> _Place:
    """Compare an account or region with the one that is asked; `main` is that of the provider without an alias."""
    if own == asked or not isinstance(asked, str) or (isinstance(own, Unknown) and own == main):
        return _Place(own, Truth.YES)
    return _Place(own, Truth.NO if isinstance(own, str) else Truth.MAYBE)


def _of_arn(resource: Resource) -> tuple[str, str]:
    """Return account and region by the ARN that a state or plan knows; empty where it does not tell."""
    arn = resource.stated("arn")
    if not isinstance(arn, str) or not is_computed(resource.type, "arn") or not Arn.is_arn(arn):
        return "", ""
    parsed = Arn.parse(arn)
    return parsed.account, parsed.region


_DEEPEST = 8
"""How often what is known of an unknown may refer to a further one."""


class ResolvedSource:
    """The values of a source, with what AWS has assigned in the place of what was not known before apply.

    `live` has the live resources, under the addresses of the source where it knows them.
    """

    def __init__(self, plan: Plan, live: Plan) -> None:
        self.plan, self.live, self.attributes = plan, live, plan.derived(AwsAttributes)
        self.whereabouts = Whereabouts(self.attributes, live.account, live.region)
        self._live: dict[str, Mapping[str, Resource]] = {}

    def resource(self, source: Resource) -> Resource | None:
        """Return the live resource of a resource of the source; None if there is none. It asks for its type only."""
        if source.type not in self._live:
            self._live[source.type] = {one.address: one for one in self.live.managed(source.type)}
        return self._live[source.type].get(source.address)

    def value(self, value: Value, depth: int = 0) -> Value:
        """Return a value with all that is known of it; sensitive ones stay hidden."""
        match value:
            case Sensitive():
                return value
            case Unknown() | JsonText() | Text() if depth > _DEEPEST:
                return value
            case Unknown():
                return self._unknown(value, depth)
            case JsonText():
                return JsonText(self.value(value.tree, depth + 1))
            case Text():
                return concatenate(self._piece(part, depth) for part in value.parts)
            case Mapping():
                return {key: self.value(item, depth) for key, item in value.items()}
            case list() | tuple():
                return [self.value(item, depth) for item in value]
            case _:
                return value

    def _piece(self, part: str | Unknown, depth: int) -> str | Text | Unknown:
        found = part if isinstance(part, str) else self.value(part, depth + 1)
        return found if isinstance(found, str | Text | Unknown) else part

    def _unknown(self, value: Unknown, depth: int) -> Value:
        if isinstance(value.cause, MissingVariable) and (made_up := self.live.made_up(value.cause)) is not None:
            return made_up
        found = self.plan.find(value)
        resource = self.resource(found[0]) if found else None
        assigned = resource.stated(found[1]) if found and resource else None
        if assigned is not None and is_known(assigned):
            return assigned
        narrowed = self.attributes.narrow(value)
        return narrowed if narrowed == value else self.value(narrowed, depth + 1)


WITHHELD = "what it is, is not shown"


class Difference(Struct, frozen=True):
    """An attribute that is not certainly as the source says. `answer` is NO, or MAYBE if the source does not know."""

    attribute: str
    expected: Value
    found: Value
    answer: Truth

    @property
    def shown(self) -> Value:
        """What a message may have of `found`: nothing where the source has something sensitive in its place."""
        return WITHHELD if any(isinstance(one, Sensitive) for one in unknowns(self.expected)) else self.found


def refusal_of(differences: Iterable[Difference]) -> Unknown | None:
    """Return what of AWS is not known, as the runner may not look at it; None if that leaves nothing open."""
    found = (one for difference in differences for one in unknowns(difference.found))
    return next((one for one in found if isinstance(one.cause, RefusedRead)), None)


def same(expected: Value, found: Value) -> Truth:
    """Tell whether a live value is what the source says; one that AWS does not show may be."""
    found = found.reveal() if isinstance(found, Sensitive) else found
    if isinstance(found, Unknown):
        return Truth.MAYBE
    match expected:
        case JsonText():
            return _same_document(expected, found)
        case Text():
            bare = concatenate(_revealed(part) for part in expected.parts)
            return _fits(bare, found) if isinstance(bare, Text) else same(bare, found)
        case Unknown():
            return Truth.MAYBE
        case Mapping():
            return _same_map(expected, found)
        case list() | tuple() | set() | frozenset():
            return _same_items(list(expected), found)
        case str() if expected[:1] in ("{", "[") and expected != found:
            return _same_document(expected, found)
    return Truth.YES if _plain(expected) == _plain(found) else Truth.NO


def _revealed(part: str | Unknown) -> str | Unknown | Text:
    """Return what a part of a text hides, where that is text."""
    hidden = part.reveal() if isinstance(part, Sensitive) else part
    return hidden if isinstance(hidden, str | Text | Unknown) else part


def _plain(value: Value) -> Value:
    """Return a scalar as text: Terraform turns `"3"` into 3 where a number is wanted."""
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, int | float):
        return str(int(value)) if float(value).is_integer() else str(float(value))
    return "" if value is None else value


def _fits(expected: Text, found: Value) -> Truth:
    """Text with unknown parts never certainly is a live one, but may certainly not be."""
    if not isinstance(found, str):
        return Truth.NO
    pattern = "".join(
        "." if isinstance(part, Character) else ".*" if isinstance(part, Unknown) else re.escape(part)
        for part in expected.parts
    )
    return Truth.MAYBE if re.fullmatch(pattern, found, re.DOTALL) else Truth.NO


def _same_document(expected: Value, found: Value) -> Truth:
    try:
        trees = decode_json(expected), decode_json(found)
    except (ValueError, TypeError, AttributeError):
        return Truth.YES if expected == found else Truth.NO
    return same(*trees)


def _same_map(expected: Mapping[str, Value], found: Value) -> Truth:
    if not isinstance(found, Mapping) or set(expected) != set(found):
        return Truth.NO
    return all_of(*(same(value, found[key]) for key, value in expected.items()))


def _same_items(expected: list[Value], found: Value) -> Truth:
    """Compare without order; each item of the source takes the best that is left."""
    items = [found] if isinstance(found, str) and len(expected) == 1 else found
    if not isinstance(items, Sequence) or isinstance(items, str) or len(items) != len(expected):
        return Truth.NO
    left, worst = list(items), Truth.YES
    for item in sorted(expected, key=is_known, reverse=True):
        answers = [same(item, other) for other in left]
        best = any_of(answers)
        if best is Truth.NO:
            return Truth.NO
        left.pop(answers.index(best))
        worst = min(worst, best)
    return worst
