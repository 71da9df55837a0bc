"""Rule `tags`: resources carry the tags that the contract demands."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from typing import TypeAlias

from infraspec.checks.existence import of_what_may_be_absent
from infraspec.contract import located
from infraspec.contract.models import Contract
from infraspec.conventions.effective_tags import EffectiveTags
from infraspec.conventions.exemption import Exemptions
from infraspec.conventions.facts import facts_of
from infraspec.conventions.hcl_lines import tag_blocks, tag_map, tag_pairs
from infraspec.conventions.tag_fault import TagFault
from infraspec.conventions.taggable import Taggable, taggable
from infraspec.conventions.tags import TagRules
from infraspec.core.rule import Rule
from infraspec.core.rules import TAGS as RULE
from infraspec.finding import Finding, Verdict
from infraspec.resource_types import resource_type
from infraspec.terraform.plan import Plan, Resource

Faults: TypeAlias = Callable[[EffectiveTags], list[TagFault]]


@of_what_may_be_absent
def check_tags(plan: Plan, contract: Contract, environment: str) -> list[Finding]:
    """Judge the effective tags of each managed resource that takes tags and is not exempt.

    Raises ContractError (all of them at once) if a rule of `[tags]` is wrong.
    """
    facts = facts_of(contract, environment, region=plan.region, account=plan.account)
    with located(contract):
        rules = TagRules.parse(contract.tags, facts)
    requirements = {type_: (rules.of(type_), rules.of(type_).describe()) for type_ in plan.types()}
    exempt = Exemptions.of(contract.tags.exempt)
    findings: list[Finding] = []
    for resource in plan.managed():
        demanded, described = requirements[resource.type]
        if not demanded.tags or exempt.covers(resource.type, resource.address):
            continue
        takes = Taggable.YES if resource.type in contract.tags.resource else _takes_tags(plan, resource)
        if takes is not Taggable.NO:
            findings.append(judge(RULE, resource, demanded.faults, described, takes))
    return findings


def tagged(plan: Plan) -> Iterator[tuple[Resource, Taggable]]:
    """Yield the managed resources that take tags, or may."""
    for resource in plan.managed():
        takes = _takes_tags(plan, resource)
        if takes is not Taggable.NO:
            yield resource, takes


def _takes_tags(plan: Plan, resource: Resource) -> Taggable:
    """Tell whether a resource takes tags; nothing is said of one that exists and whose tags AWS was not asked for."""
    if plan.source is not None and "tags" not in resource.values:
        return Taggable.NO
    return taggable(resource.type, resource.values)


def judge(rule: Rule, resource: Resource, faults_of: Faults, described: str, takes: Taggable) -> Finding:
    """Judge the effective tags of a resource by the faults that a rule finds in them."""
    effective = EffectiveTags.of(resource.type, resource.values)
    faults = faults_of(effective)
    if not faults:
        return rule.about(resource).proven(expected=described)
    violated = [fault for fault in faults if fault.verdict is Verdict.VIOLATED]
    reasons = [fault.reason for fault in faults]
    subject = rule.about(resource, location=resource.location_of(effective.source))
    say = subject.violated if violated else subject.undetermined
    remedy = _lines(resource.type, violated) if violated else _to_know(resource.type, faults)
    if violated and not resource_type(resource.type).tag_blocks and resource.get("tags") is not None:
        remedy = f"# merge into the tags of {resource.address}\n{remedy}"
    if violated and takes is Taggable.MAYBE:
        say = subject.undetermined
        reasons.append(f"whether {resource.type} takes tags is not known")
        remedy += f'\nor, if it takes none:\n[tags]\nexempt = ["{resource.type}"]'
    return say(
        expected="\n".join(dict.fromkeys(fault.expected for fault in faults)),
        found="\n".join(fault.found for fault in faults if fault.found) or "tags that are not known",
        reason="; ".join(reasons),
        remedy=remedy,
    )


def _lines(type_: str, faults: Sequence[TagFault]) -> str:
    tags = {fault.key: (fault.value, fault.remarks) for fault in faults}
    if resource_type(type_).tag_blocks:
        return tag_blocks(tags)
    return tag_pairs(tags) if type_.startswith("awscc_") else tag_map(tags)


def _to_know(type_: str, faults: Sequence[TagFault]) -> str:
    unknown = dict.fromkeys(fault.unknown for fault in faults if fault.unknown)
    lines = _lines(type_, faults)
    return f"make {', '.join(unknown)} known, or set what holds either way:\n{lines}" if unknown else lines
