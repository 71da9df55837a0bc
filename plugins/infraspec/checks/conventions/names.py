"""Rule `names`: every resource of a type that has a naming pattern is named after it."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from functools import cache

from msgspec.structs import replace

from infraspec.checks.common.unknown_remedies import of_what_may_be_absent
from infraspec.contract import located
from infraspec.contract.models import Contract
from infraspec.conventions.hcl_lines import attribute_line
from infraspec.conventions.naming import NamingRule, read_name
from infraspec.conventions.placeholders import REGION, facts_of
from infraspec.core.errors import ContractError, ErrorCollector
from infraspec.core.finding import Finding, SourceChange, Verdict
from infraspec.core.rules import RULES
from infraspec.core.unknown import Text, Unknown, Value, parts_of, render
from infraspec.core.visible_text import hcl_string
from infraspec.resource_types import resource_type
from infraspec.terraform.plan import Plan, Resource

RULE = RULES["names"]

_MOST_SUGGESTIONS = 300  # looking for the nearest valid name takes longer than all the rest
_LONGEST_SHOWN = 60
_Rules = Callable[[str, str | None], NamingRule]


@of_what_may_be_absent
def check_names(plan: Plan, contract: Contract, environment: str) -> list[Finding]:
    """Judge the name of each managed resource whose type has patterns in `[names]`.

    Raises ContractError (all of them at once) if a pattern is wrong or a type's name attribute is not known.
    """
    rules = _rules(plan, contract, environment)
    attributes: dict[str, str] = {}
    collector = ErrorCollector()
    for type_ in contract.names.patterns:
        with collector.collect():
            rules(type_, None)
        with collector.collect():
            attributes[type_] = name_attribute(plan, contract, type_)
    with located(contract):
        collector.finalize()
    suggestions = _MOST_SUGGESTIONS
    findings: list[Finding] = []
    for type_, patterns in contract.names.patterns.items():
        regional = _is_regional(patterns)
        for resource in plan.managed(type_):
            if _hangs_on_another(resource):
                continue
            rule = rules(type_, _region(plan, resource) if regional else None)
            finding = _judge(resource, attributes[type_], rule, environment, suggest=suggestions > 0)
            finding = _with_change(finding, resource, attributes[type_], rule, plan)
            suggestions -= finding.verdict is Verdict.VIOLATED
            findings.append(finding)
    return findings


def _hangs_on_another(resource: Resource) -> bool:
    """Tell whether AWS has it, the source has not, and it takes no tags, as an alias of a key.

    It is in the plan for its name, which is right then, or for what it belongs to, and says nothing of who made it.
    """
    return resource.address.startswith("arn:") and "tags" not in resource.values


def name_attribute(plan: Plan, contract: Contract, type_: str) -> str:
    """Return the attribute that holds the name of a type: the contract's, the table's, or `name` if there is one.

    Raises ContractError if the plan has resources of the type and none of them has a name.
    """
    configured = contract.names.attributes.get(type_) or resource_type(type_).name
    if configured:
        return configured
    resources = plan.managed(type_)
    if resources and not any("name" in r.values or "name_prefix" in r.values for r in resources):
        raise ContractError(
            f"which attribute of {type_} holds its name is unknown",
            place=f"names.patterns.{type_}",
            expected="an attribute name, or a dotted path such as tags.Name",
            found=f"{resources[0].address} has no attribute name",
            remedy=f'add it to the contract:\n[names.attributes]\n{type_} = "…"',
        )
    return "name"


def naming_rules(plan: Plan, contract: Contract, environment: str) -> Callable[[Resource], NamingRule]:
    """Return what gives the naming rule of a resource, whose type has patterns. ContractError if a pattern is wrong."""
    rules = _rules(plan, contract, environment)
    regional = {type_ for type_, patterns in contract.names.patterns.items() if _is_regional(patterns)}
    return lambda resource: rules(resource.type, _region(plan, resource) if resource.type in regional else None)


def _is_regional(patterns: str | Sequence[str]) -> bool:
    return any("{region}" in p.lower() for p in ([patterns] if isinstance(patterns, str) else patterns))


def _rules(plan: Plan, contract: Contract, environment: str) -> _Rules:
    """Return the naming rule by type and, where a resource's region differs from the plan's, by region."""
    facts = facts_of(contract, environment, region=plan.region, account=plan.account)

    @cache
    def rule(type_: str, region: str | None) -> NamingRule:
        own = facts if region is None else {**facts, REGION: region}
        if region == "":
            own = {name: value for name, value in facts.items() if name != REGION}
        names = contract.names
        return NamingRule.parse(names.patterns[type_], names.placeholders, own, key=f"names.patterns.{type_}")

    return rule


def _region(plan: Plan, resource: Resource) -> str | None:
    own = resource.stated("region")
    region = own if own is not None else plan.regions.get(resource.provider)
    if region is None:
        return None
    return region if isinstance(region, str) else ""


def _judge(resource: Resource, attribute: str, rule: NamingRule, environment: str, *, suggest: bool) -> Finding:
    name = read_name(resource.type, resource.values, resource.address, attribute)
    text = name if isinstance(name, str | Text | Unknown) else None
    verdict = Verdict.VIOLATED if text is None else rule.judge(text)
    if verdict is Verdict.PROVEN:
        return RULE.about(resource).proven(expected=rule.described, found=render(name))
    subject = RULE.about(resource, location=resource.location_of(attribute))
    found = _shown(resource, attribute, name)
    if verdict is Verdict.UNDETERMINED:
        reason, remedy = _why(resource, attribute, rule, name, environment)
        return subject.undetermined(expected=rule.described, found=found, reason=reason, remedy=remedy)
    nearest = None
    if text is not None:
        text = Text((text,)) if isinstance(text, Unknown) else text
        nearest = rule.suggest(text) if suggest else None
        reason = rule.explain(text)
        if isinstance(text, Text):
            reason = reason.replace(str(text), _shown(resource, attribute, text))
    elif name is None:
        found, reason = f"no {attribute}", f"{attribute} is not set"
    else:
        reason = f"{attribute} holds a {type(name).__name__}, not text"
    line = _template(resource, attribute, rule)
    if nearest:
        line = attribute_line(_written(resource, attribute), nearest)
    if resource.key is not None:
        line = f"# what the line that all instances share has to give for {resource.address}\n{line}"
    finding = subject.violated(expected=rule.described, found=found, reason=reason, remedy=line)
    return replace(finding, changes=(_change(resource, attribute, nearest),)) if nearest else finding


def _change(resource: Resource, attribute: str, name: str) -> SourceChange:
    path, _, key = _written(resource, attribute).rpartition(".")
    return SourceChange("arguments", resource.address, path, entries=((key, hcl_string(name)),))


def _with_change(finding: Finding, resource: Resource, attribute: str, rule: NamingRule, plan: Plan) -> Finding:
    """Return a finding for which no name is near with the name that its pattern leaves to the resource."""
    if finding.verdict is not Verdict.VIOLATED or finding.changes:
        return finding
    name = name_by_label(resource, rule, is_only=len(plan.managed(resource.type)) == 1)
    return replace(finding, changes=(_change(resource, attribute, name),)) if name else finding


def name_by_label(resource: Resource, rule: NamingRule, *, is_only: bool) -> str | None:
    """Return the name that a resource has by its label in the source, where the pattern leaves one word open.

    One that leaves none open is the name of the only resource of a type.
    """
    text, _ = rule.patterns[0].template()
    if is_only and not _OPEN.search(text):
        return text if rule.judge(text) is Verdict.PROVEN else None
    label = resource.name if resource.key is None else f"{resource.name}-{resource.key}"
    name = _OPEN.sub(label.replace("_", "-").lower(), text)
    return name if len(_OPEN.findall(text)) == 1 and rule.judge(name) is Verdict.PROVEN else None


_OPEN = re.compile(r"\{\w+\}")


def _shown(resource: Resource, attribute: str, name: Value) -> str:
    """Write a name, what the provider makes of it left out and long unknown parts cut short."""
    if not isinstance(name, Text):
        return render(name)
    pieces = []
    for part in name.parts:
        if part == resource.reference(attribute):
            pieces.append("… (the provider adds the rest)")
        elif isinstance(part, Unknown) and len(part.address) > _LONGEST_SHOWN:
            pieces.append(f"${{{part.address[:_LONGEST_SHOWN]}…}}")
        else:
            pieces.append(str(part))
    return "".join(pieces)


def _written(resource: Resource, attribute: str) -> str:
    """Return the attribute that the name is written in: `name_prefix` where the provider adds the rest."""
    prefix = f"{attribute}_prefix"
    return (
        prefix if resource.values.get(prefix) and not isinstance(resource.stated(attribute), str | Text) else attribute
    )


def _template(resource: Resource, attribute: str, rule: NamingRule) -> str:
    text, note = rule.patterns[0].template()
    return attribute_line(_written(resource, attribute), text) + (f" # {note}" if note else "")


def _why(resource: Resource, attribute: str, rule: NamingRule, name: Value, environment: str) -> tuple[str, str]:
    if isinstance(name, str):
        facts = [fact for pattern in rule.patterns for fact in pattern.unsettled]
        lines = "\n".join(f'{fact} = "…"' for fact in dict.fromkeys(facts))
        reason = f"the name has the right form, but the {' and the '.join(facts)} it has to hold is unknown"
        return reason, f"[environments.{environment}]\n{lines}"
    made_up = resource.reference(attribute)
    if name == made_up or (isinstance(name, Text) and name.parts[-1] == made_up):
        reason = "the provider makes the name up, or a part of it"
    else:
        parts = parts_of(name)
        unknown = next(part for part in parts if isinstance(part, Unknown))
        reason = f"it depends on {_shown(resource, attribute, Text((unknown,)))}, which is unknown"
    return reason, f"write a name that is known before apply:\n{_template(resource, attribute, rule)}"
