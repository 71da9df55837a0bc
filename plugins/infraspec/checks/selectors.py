"""Selectors of the contract's `[names]` and `[tags]` that match nothing, which is an error of the contract."""

from __future__ import annotations

import re
from collections.abc import Iterator
from difflib import get_close_matches

from infraspec.checks.tags import tagged
from infraspec.contract import place_of
from infraspec.contract.models import Contract
from infraspec.conventions.exemption import expression_of
from infraspec.conventions.taggable import is_classified
from infraspec.core.rules import NAMES, TAG_POLICY, TAGS
from infraspec.errors import EmptySelectionError
from infraspec.terraform.plan import Plan
from infraspec.terraform.schema import resource_types


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
    allowed = [*contract.suite.allow_empty, *empty]
    hints = [hint for selector in empty if (hint := _hint(selector, known))]
    raise EmptySelectionError(
        f"nothing in {plan.origin} matches {', '.join(empty)}",
        place=place_of(contract, *_key(empty[0])),
        expected="every selector to match a managed resource",
        found=f"resources of the types {', '.join(known)}" if known else "no managed resources",
        remedy="\n".join([*hints, f"{'or ' if hints else ''}allow it:\n[suite]\nallow_empty = {_toml(allowed)}"]),
    )


def unclassified_types(plan: Plan) -> list[str]:
    """Return the AWS types of which it is not known whether they take tags, and none of whose resources has any."""
    seen = {resource.type for resource, _ in tagged(plan)}
    return [type_ for type_ in plan.types() if type_ not in seen and not is_classified(type_)]


def _empty(plan: Plan, contract: Contract) -> Iterator[tuple[str, str]]:
    types = set(plan.types())
    for type_ in contract.names.patterns:
        if type_ not in types:
            yield NAMES.id, type_
    for type_ in contract.tags.resource:
        if type_ not in types:
            yield TAGS.id, type_
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


def _toml(items: list[str]) -> str:
    return "[" + ", ".join(f'"{item}"' for item in items) + "]"
