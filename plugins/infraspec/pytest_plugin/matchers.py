"""Findings about attributes, names and tags, for rules of a repository's own.

Each gives all three verdicts: what is known only after apply is UNDETERMINED, and nothing is taken for granted.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from msgspec.structs import replace

from infraspec.checks.conventions.names import check_names
from infraspec.checks.conventions.tags import check_tags
from infraspec.contract.models import Contract
from infraspec.contract.static import Tags, TagValue
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import Value, render, unknowns
from infraspec.terraform.plan import Plan, Resource


def attribute(
    rule: str,
    resource: Resource,
    path: str,
    holds: Callable[[Value], bool],
    *,
    expected: str,
    remedy: str,
    default: Value = None,
) -> Finding:
    """Judge one attribute of a resource.

    `path` is dotted where it leads into a block (`versioning.0.enabled`); `default` is what the provider assumes where
    it is not set. `holds` is asked only about values that are known. `remedy` is the HCL that fixes it.
    """
    value = _at(resource, path, default)
    unknown = next(unknowns(value), None)
    if unknown is not None:
        verdict, reason = Verdict.UNDETERMINED, f"it depends on {unknown}, which is unknown"
    elif holds(value):
        verdict, reason = Verdict.PROVEN, ""
    else:
        verdict, reason = Verdict.VIOLATED, f"{path} is {'not set' if value is None else render(value)}"
    return Finding(
        rule,
        verdict,
        resource.address,
        path,
        resource.location_of(path.partition(".")[0]),
        expected,
        "not set" if value is None else render(value),
        reason,
        "" if verdict is Verdict.PROVEN else remedy,
    )


def names(
    rule: str, plan: Plan, contract: Contract, environment: str, patterns: Mapping[str, str | Sequence[str]]
) -> list[Finding]:
    """Judge the names of all resources of the types in `patterns`, written as in `[names.patterns]`.

    The placeholders of the contract may be used. Raises ContractError for a pattern that is wrong.
    """
    given = {type_: text if isinstance(text, str) else list(text) for type_, text in patterns.items()}
    own = contract.model_copy(update={"names": contract.names.model_copy(update={"patterns": given})})
    return [replace(finding, rule=rule) for finding in check_names(plan, own, environment)]


def tags(
    rule: str, plan: Plan, contract: Contract, environment: str, required: Mapping[str, Mapping[str, TagValue]]
) -> list[Finding]:
    """Judge the tags of all resources of the types in `required`, written as in `[tags.resource]`.

    A provider's default_tags count. Raises ContractError for a rule that is wrong.
    """
    demanded = Tags.model_validate({"resource": required})
    own = contract.model_copy(update={"tags": demanded})
    chosen = plan.replaced(resources=plan.managed(*required)) if required else plan
    return [replace(finding, rule=rule) for finding in check_tags(chosen, own, environment)]


def _at(resource: Resource, path: str, default: Value) -> Value:
    value: Value = resource.values
    for step in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, Sequence) and not isinstance(value, str):
            value = value[int(step)] if step.isdecimal() and int(step) < len(value) else None
        elif next(unknowns(value), None) is not None:
            return value
        else:
            value = None
        if value is None:
            return default
    return value
