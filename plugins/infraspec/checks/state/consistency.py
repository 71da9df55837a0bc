"""Rule `consistency`: the environments are made of the same modules and resources, but for what the contract allows."""

from __future__ import annotations

import re
from collections.abc import Mapping

from infraspec.checks.common.unknown_remedies import how_to_know
from infraspec.checks.state.state_backend import without_source
from infraspec.contract.models import Contract
from infraspec.contract.static import Consistency
from infraspec.conventions.effective_tags import Exemptions
from infraspec.core.finding import Finding, Location
from infraspec.core.rules import RULES
from infraspec.terraform.configuration.settings import RootSettings
from infraspec.terraform.plan import Plan, Uncertain

RULE = RULES["consistency"]

_ABSENT = "-"
_ANY_KEY = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^\]"]*)\]')
_KEY = re.compile(r'\["(?:[^"\\]|\\.)*"\]')


def check_consistency(
    sources: Mapping[str, Plan], root_settings: Mapping[str, RootSettings], contract: Contract, environment: str
) -> list[Finding]:
    """Compare an environment with the reference: the same resource addresses, and module calls from the same source.

    `sources` and `root_settings` are those of all environments that have source. The reference is compared with none.
    """
    rules = contract.consistency or Consistency()
    reference = rules.reference or next(iter(sources), environment)
    if environment not in sources or reference not in sources:
        return []
    if environment == reference:
        return [RULE.about(root_settings[environment].root).proven("the others are compared with it")]
    own, other = (_parts(sources[name], root_settings[name], name) for name in (environment, reference))
    counts = {
        _ANY_KEY.sub("", address): (name, why)
        for name in (environment, reference)
        for address, why in sources[name].uncertain.items()
    }
    allowed = Exemptions.of(rules.allow)
    findings = []
    for address in sorted({*own, *other}):
        here, there = own.get(address), other.get(address)
        same = here is not None and there is not None and here[0] == there[0]
        source, place = here or there or ("", None)
        doubt = _doubt_of(address, counts) if not source else None
        if allowed.covers(address, address) or (same and not doubt):
            findings.append(RULE.about(address, location=place).proven())
        elif doubt:
            findings.append(_open(address, place, doubt, environment, reference))
        else:
            findings.append(_differs(address, here, there, environment, reference))
    return findings


def _doubt_of(address: str, counts: Mapping[str, tuple[str, Uncertain]]) -> tuple[str, Uncertain] | None:
    """Return the environment and the count that leave open whether an address is there."""
    block = _ANY_KEY.sub("", address)
    ends = [found.start() for found in re.finditer(r"\.|$", block)] if counts else []
    return next((counts[block[:end]] for end in ends if block[:end] in counts), None)


def _open(
    address: str, place: Location | None, doubt: tuple[str, Uncertain], environment: str, reference: str
) -> Finding:
    name, why = doubt
    return RULE.about(address, f"{environment} and {reference}", place).say(
        "not-known",
        environment=environment,
        reference=reference,
        name=name,
        why=why,
        remedy=how_to_know(why.value).replace("NAME", name),
    )


_Part = tuple[str, Location | None]


def _parts(plan: Plan, settings: RootSettings, environment: str) -> dict[str, _Part]:
    """Return what an environment is made of: by address the source of a module, nothing for a resource.

    The environment's name in the key of an instance is `{environment}`, so that keys made from it are the same.
    """
    word = re.compile(rf"(?<![A-Za-z0-9]){re.escape(environment)}(?![A-Za-z0-9])")
    parts: dict[str, _Part] = {
        call.address: (f"{call.source} {call.version}".strip(), call.location) for call in settings.calls
    }
    return parts | {
        _KEY.sub(lambda key: word.sub("{environment}", key[0]), resource.address): ("", resource.location)
        for resource in plan.managed()
    }


def _differs(address: str, here: _Part | None, there: _Part | None, environment: str, reference: str) -> Finding:
    if here and there:
        expected, found = f"{there[0]}, as in {reference}", here[0]
        remedy = f'source = "{there[0].split(" ")[0]}"'
    elif there:
        expected, found, remedy = f"{address}, as in {reference}", f"it is not in {environment}", "add it here, or"
    else:
        expected, found, remedy = f"nothing that {reference} lacks", f"it is in {environment} alone", "add it there, or"
    allow = f"let them differ in the contract:\n[consistency]\nallow = ['{address}']"
    return RULE.about(address, f"{environment} and {reference}", (here or there or ("", None))[1]).say(
        "different",
        expected=expected,
        found=found,
        environment=environment,
        reference=reference,
        remedy=remedy,
        allow=allow,
    )


def consistency_table(sources: Mapping[str, Plan], root_settings: Mapping[str, RootSettings]) -> str:
    """Return the addresses in which environments differ, with a mark for each that has one."""
    parts = {name: _parts(plan, root_settings[name], name) for name, plan in sources.items()}
    addresses = sorted({address for own in parts.values() for address in own})
    rows = [
        [address, *("yes" if address in own else _ABSENT for own in parts.values())]
        for address in addresses
        if len({own.get(address, (None,))[0] for own in parts.values()}) > 1
    ]
    same = len(addresses) - len(rows)
    if not rows:
        return f"{same} addresses, the same in {', '.join(parts)}"
    rows.insert(0, ["address", *parts])
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]
    return "\n".join([*lines, f"{same} addresses are the same"])


skip = without_source
exhibit = consistency_table
