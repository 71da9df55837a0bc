"""Where the resources of a source are: in the account and region that a live run asks, in others, or nobody knows.

A run asks one account and one region. What a provider alias, or the argument `region` of AWS provider 6, puts elsewhere
is not there to be found, and what has its name there is another thing. Source: Terraform AWS provider, "Enhanced Region
Support"; Terraform Language Documentation, "alias: Multiple Provider Configurations".
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import NamedTuple

from msgspec import Struct

from infraspec.arn import Arn
from infraspec.checks.unknown_remedies import how_to_know
from infraspec.finding import Finding, Verdict
from infraspec.iam.answer import Answer, both
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource
from infraspec.terraform.schema import is_computed
from infraspec.unknown import Unknown, Value, unknowns

_GLOBAL = ("aws_iam_", "aws_s3_")
"""The types that are listed for all regions together."""


class _Place(NamedTuple):
    """The account or the region of a resource, and whether it is the one that the run asks."""

    value: Value
    answer: Answer


class Whereabouts(Struct, frozen=True):
    """The account and region that a run asks, and where the resources of a source are.

    What belongs to the provider without an alias, and nothing tells where that is, is where the run asks.
    """

    attributes: AwsAttributes
    account: Value
    region: Value

    def has(self, resource: Resource) -> Answer:
        """Tell whether a resource is where the run asks."""
        return both(*(place.answer for place in self._places(resource)))

    def elsewhere(self, resource: Resource) -> str:
        """Return the other account, the other region, or both, that a resource is in; empty if it may be here."""
        return " ".join(str(place.value) for place in self._places(resource) if place.answer is Answer.NO)

    def unknown(self, resource: Resource) -> Unknown | None:
        """Return what is not known of where a resource is."""
        doubts = (place.value for place in self._places(resource) if place.answer is Answer.MAYBE)
        return next((one for value in doubts for one in unknowns(value)), None)

    def is_other_region(self, resource: Resource) -> bool:
        """Tell whether a resource is in the account of the run, in another region."""
        account, region = self._places(resource)
        return account.answer is Answer.YES and region.answer is Answer.NO

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
    rule: str, resources: Iterable[Resource], whereabouts: Whereabouts
) -> tuple[list[Resource], list[Finding]]:
    """Return those of the resources that are where a run asks, and what a rule has to say of the others.

    Each of which it is not known where it is, is UNDETERMINED; those that are elsewhere are one advice.
    """
    here: list[Resource] = []
    findings: list[Finding] = []
    others: list[Resource] = []
    for resource in resources:
        match whereabouts.has(resource):
            case Answer.YES:
                here.append(resource)
            case Answer.MAYBE:
                findings.append(not_placed(rule, resource, whereabouts))
            case Answer.NO:
                others.append(resource)
    return here, [*findings, *([_left_out(rule, others, whereabouts)] if others else ())]


def not_placed(rule: str, resource: Resource, whereabouts: Whereabouts) -> Finding:
    """Return the finding about a resource of which it is not known whether it is where a run asks."""
    unknown = whereabouts.unknown(resource)
    return Finding(
        rule,
        Verdict.UNDETERMINED,
        resource.address,
        "",
        resource.location,
        expected=f"a resource of {whereabouts.asked}, which the run asks, or of another one",
        found=f"{unknown.address} is not known" if unknown else "its account or region is not known",
        reason=f"it was not looked for: what has its name in {whereabouts.asked} may be another one",
        remedy=how_to_know(unknown) if unknown else "give a plan or state file that tells its ARN",
    )


def nothing_judged(findings: Iterable[Finding]) -> str:
    """Return what a rule has to say if it judges nothing; empty if it does, or has nothing to say."""
    found = list(findings)
    told = "; ".join(one.found for one in found)
    return f"nothing is judged of {told}" if found and all(one.advice for one in found) else ""


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


def _left_out(rule: str, others: list[Resource], whereabouts: Whereabouts) -> Finding:
    return Finding(
        rule,
        Verdict.PROVEN,
        whereabouts.attributes.plan.origin,
        "resources of other regions or accounts",
        expected=whereabouts.asked,
        found=counted(Counter(f"{one.type} in {whereabouts.elsewhere(one)}" for one in others)),
        reason=f"{rule} says nothing of these resources: they are not where the run asks",
        remedy=where_to_ask(others, whereabouts),
        advice=True,
    )


def _compared(own: Value, main: Value, asked: Value) -> _Place:
    """Compare an account or region with the one that is asked; `main` is that of the provider without an alias."""
    if own == asked or not isinstance(asked, str) or (isinstance(own, Unknown) and own == main):
        return _Place(own, Answer.YES)
    return _Place(own, Answer.NO if isinstance(own, str) else Answer.MAYBE)


def _of_arn(resource: Resource) -> tuple[str, str]:
    """Return account and region by the ARN that a state or plan knows; empty where it does not tell."""
    arn = resource.get("arn")
    if not isinstance(arn, str) or not is_computed(resource.type, "arn") or not Arn.is_arn(arn):
        return "", ""
    parsed = Arn.parse(arn)
    return parsed.account, parsed.region
