"""Rule `tags`: resources carry the tags that the contract demands."""

from __future__ import annotations

import json
import re
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import get_close_matches
from functools import partial
from typing import TypeAlias

from msgspec.structs import replace

from infraspec.checks.common.unknown_remedies import of_what_may_be_absent
from infraspec.contract import located, place_of
from infraspec.contract.models import Contract
from infraspec.conventions.effective_tags import (
    EffectiveTags,
    Exemptions,
    TagFault,
    expression_of,
    is_classified,
    taggable,
)
from infraspec.conventions.hcl_lines import tag_blocks, tag_map, tag_pairs
from infraspec.conventions.placeholders import facts_of
from infraspec.conventions.tags import TagRules
from infraspec.core.errors import EmptySelectionError
from infraspec.core.finding import Finding, SourceChange, Verdict
from infraspec.core.rule import Rule
from infraspec.core.rules import NAMES, RULES, TAG_POLICY, TAGS
from infraspec.core.truth import Truth
from infraspec.core.visible_text import hcl_string
from infraspec.resource_types import resource_type
from infraspec.terraform.plan import Plan, Resource
from infraspec.terraform.provider.schema import resource_types

RULE = RULES["tags"]

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
    usual = partial(plan.derived, usual_values)
    for resource in plan.managed():
        demanded, described = requirements[resource.type]
        if not demanded.tags or exempt.covers(resource.type, resource.address):
            continue
        takes = Truth.YES if resource.type in contract.tags.resource else _takes_tags(plan, resource)
        if takes is not Truth.NO:
            findings.append(judge(RULE, resource, demanded.faults, described, takes, usual))
    return _by_provider(findings)


_MANY = 5


def _by_provider(findings: Sequence[Finding]) -> list[Finding]:
    """Return findings, those that many resources share with the change of their provider first: one fixes them all."""
    alike = Counter(one.changes[-1].entries for one in findings if one.changes)
    return [
        replace(one, changes=(one.changes[-1], *one.changes[:-1]))
        if one.changes and one.changes[-1].kind == "default_tags" and alike[one.changes[-1].entries] >= _MANY
        else one
        for one in findings
    ]


def tagged(plan: Plan) -> Iterator[tuple[Resource, Truth]]:
    """Yield the managed resources that take tags, or may."""
    for resource in plan.managed():
        takes = _takes_tags(plan, resource)
        if takes is not Truth.NO:
            yield resource, takes


def _takes_tags(plan: Plan, resource: Resource) -> Truth:
    """Tell whether a resource takes tags; nothing is said of one that exists and whose tags AWS was not asked for."""
    if plan.source is not None and "tags" not in resource.values:
        return Truth.NO
    return taggable(resource.type, resource.values)


def usual_values(plan: Plan) -> Mapping[str, str]:
    """Return the tags whose value all resources that have them share, and are known to."""
    found: dict[str, set[str]] = {}
    for resource in plan.managed():
        for key, value in EffectiveTags.of(resource.type, resource.values).tags.items():
            found.setdefault(key, set()).add(value if type(value) is str else "")
    return {key: values.pop() for key, values in found.items() if len(values) == 1 and "" not in values}


def _nothing() -> Mapping[str, str]:
    return {}


def judge(  # noqa: PLR0917 - what a rule says of a resource
    rule: Rule,
    resource: Resource,
    faults_of: Faults,
    described: str,
    takes: Truth,
    usual: Callable[[], Mapping[str, str]] = _nothing,
) -> Finding:
    """Judge the effective tags of a resource by the faults that a rule finds in them.

    `usual` has values that the others share: where several are allowed, a fix takes that.
    """
    effective = EffectiveTags.of(resource.type, resource.values)
    faults = faults_of(effective)
    if not faults:
        return rule.about(resource).proven(expected=described)
    violated = [fault for fault in faults if fault.verdict is Verdict.VIOLATED]
    reasons = [fault.reason for fault in faults]
    subject = rule.about(resource, location=resource.location_of(effective.source))
    say = subject.violated if violated else subject.undetermined
    remedy = _lines(resource.type, violated) if violated else _to_know(resource.type, faults)
    if violated and not resource_type(resource.type).tag_blocks and resource.stated("tags") is not None:
        remedy = f"# merge into the tags of {resource.address}\n{remedy}"
    if violated and takes is Truth.MAYBE:
        say = subject.undetermined
        reasons.append(f"whether {resource.type} supports tags is unknown")
        remedy += f'\nor, if it takes none:\n[tags]\nexempt = ["{resource.type}"]'
    finding = say(
        expected="\n".join(dict.fromkeys(fault.expected for fault in faults)),
        found="\n".join(fault.found for fault in faults if fault.found) or "unknown tags",
        reason="; ".join(reasons),
        remedy=remedy,
    )
    if finding.verdict is not Verdict.VIOLATED or resource.type.startswith("awscc_"):
        return finding
    return replace(finding, changes=tuple(_changes(resource, violated, usual)))


def _changes(
    resource: Resource, faults: Sequence[TagFault], usual: Callable[[], Mapping[str, str]]
) -> Iterator[SourceChange]:
    """Yield what sets tags: a map that the module has, the tags of the resource, those of its provider."""
    values = {fault.key: fault.value for fault in faults}
    if _OPEN in values.values():
        known = {"Name": resource.name.replace("_", "-"), **usual()}
        values = {key: known.get(key, one) if one == _OPEN else one for key, one in values.items()}
    is_map, is_known = not resource_type(resource.type).tag_blocks, _OPEN not in values.values()
    entries = tuple((key, hcl_string(value)) for key, value in values.items())
    if is_map:
        yield SourceChange("shared_tags", resource.address, "tags", entries=entries)
    if is_map and is_known:
        yield SourceChange("arguments", resource.address, "tags", entries=entries)
        yield SourceChange("default_tags", resource.address, entries=entries)
    elif is_map:
        yield _by_variables(resource, values)
    elif is_known:
        text = tag_blocks({key: (value, ()) for key, value in values.items()})
        yield SourceChange("block", resource.address, text=text)


def _by_variables(resource: Resource, values: Mapping[str, str]) -> SourceChange:
    """Return what gives all resources of a provider tags whose values a variable of the root module asks for."""
    names = {key: re.sub(r"\W+", "_", re.sub(r"(?<=[a-z0-9])(?=[A-Z])", "_", key)).strip("_").lower() for key in values}
    asked = [names[key] for key, value in values.items() if value == _OPEN]
    entries = tuple((key, f"var.{names[key]}" if one == _OPEN else hcl_string(one)) for key, one in values.items())
    needs = "\n\n".join(f'variable "{name}" {{\n  type = string\n}}' for name in asked)
    return SourceChange("default_tags", resource.address, entries=entries, needs=needs)


_OPEN = "…"
"""What a fault says for a value that the contract leaves open."""


def _lines(type_: str, faults: Sequence[TagFault]) -> str:
    tags = {fault.key: (fault.value, fault.remarks) for fault in faults}
    if resource_type(type_).tag_blocks:
        return tag_blocks(tags)
    return tag_pairs(tags) if type_.startswith("awscc_") else tag_map(tags)


def _to_know(type_: str, faults: Sequence[TagFault]) -> str:
    unknown = dict.fromkeys(fault.unknown for fault in faults if fault.unknown)
    lines = _lines(type_, faults)
    return f"make {', '.join(unknown)} known, or set what holds either way:\n{lines}" if unknown else lines


def empty_selectors(plan: Plan, contract: Contract) -> list[str]:
    """Return what matches no managed resource and is not allowed to: `names:aws_rds_cluster`, `tags:common`.

    `suite.allow_empty` allows a rule (`names`) or one selector of it (`names:aws_rds_cluster`).
    """
    allowed = set(contract.suite.allow_empty)
    return [
        f"{rule}:{selector}"
        for rule, selector in dict.fromkeys(_empty(plan, contract))
        if rule not in allowed and f"{rule}:{selector}" not in allowed
    ]


def check_selectors(plan: Plan, contract: Contract) -> None:
    """Raise EmptySelectionError if a selector matches nothing, naming the types that may have been meant."""
    empty = empty_selectors(plan, contract)
    if not empty:
        return
    known = list(plan.types())
    written = json.dumps([*contract.suite.allow_empty, *empty], ensure_ascii=False)
    hints = [hint for selector in empty if (hint := _hint(selector, known))]
    raise EmptySelectionError(
        f"nothing in {plan.origin} matches {', '.join(empty)}",
        place=place_of(contract, *_key(empty[0])),
        expected="every selector to match a managed resource",
        found=f"resources of the types {', '.join(known)}" if known else "no managed resources",
        remedy="\n".join([*hints, f"{'or ' if hints else ''}allow it:\n[suite]\nallow_empty = {written}"]),
    )


def unclassified_types(plan: Plan) -> list[str]:
    """Return the AWS types of which it is not known whether they take tags, and none of whose resources has any."""
    seen = {resource.type for resource, _ in tagged(plan)}
    return [type_ for type_ in plan.types() if type_ not in seen and not is_classified(type_)]


def _empty(plan: Plan, contract: Contract) -> Iterator[tuple[str, str]]:
    types = set(plan.types())
    for rule, wanted in ((NAMES.id, contract.names.patterns), (TAGS.id, contract.tags.resource)):
        yield from ((rule, type_) for type_ in wanted if type_ not in types)
    for entry in contract.tags.exempt:
        pattern = re.compile(expression_of(entry), re.DOTALL)
        if not any(pattern.fullmatch(r.type) or pattern.fullmatch(r.address) for r in plan.managed()):
            yield TAGS.id, entry
    untagged = next(tagged(plan), None) is None
    if untagged and contract.tags.common:
        yield TAGS.id, "common"
    if untagged and contract.tags.policy is not None:
        yield TAG_POLICY.id, "policy"


def _key(selector: str) -> tuple[str, ...]:
    """Return the key of the contract that a selector stands in, as far as it is one."""
    rule, _, name = selector.partition(":")
    if rule == NAMES.id:
        return ("names", "patterns", name)
    if rule == TAG_POLICY.id or name == "common":
        return ("tags", name)
    return ("tags", "resource", name) if name.isidentifier() else ("tags", "exempt")


def _hint(selector: str, known: list[str]) -> str:
    """Suggest the type that was meant, of the plan's or else of AWS's, unless the selector is a type that exists."""
    name = selector.partition(":")[2]
    if name in resource_types() or "." in name or "*" in name:
        return ""
    near = get_close_matches(name, known, n=1, cutoff=0.75)
    near = near or get_close_matches(name, resource_types(), n=1, cutoff=0.85)
    return f"did you mean {near[0]} by {name}?" if near else ""
