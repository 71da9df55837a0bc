"""What a plan file says besides values and changes: refactorings, failed checks, an incomplete plan.

They are taken from what `data.aws_caller_identity`, `data.aws_region` and `data.aws_partition` returned, from the
provider blocks, and else from the ARNs of the managed resources, if all that are looked at agree.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from itertools import islice

import msgspec
from msgspec import Struct, field

from infraspec.contract.models import partition_of
from infraspec.core.arn import Arn
from infraspec.core.unknown import Sensitive, Value
from infraspec.terraform.plan import Diagnostic, Refactoring, Resource
from infraspec.terraform.planfile.instances import AWS, changed_address, is_aws, is_region, unknown_region
from infraspec.terraform.planfile.records import (
    ABSENT,
    CheckAddress,
    Output,
    PlanFileDocument,
    PlannedCheck,
    ResourceChange,
)
from infraspec.terraform.planfile.values import decode, hide_marked, merge_unknown

_ACCOUNT = re.compile(r"\d{12}")
_LOOKED_AT = 200


class AccountEvidence(Struct):
    """What one file shows: managed resources' values by provider configuration, and what data sources returned.

    `certain` says that the provider configuration of each resource is known; a state as `terraform show -json`
    prints it does not tell, so there everything has to agree. `regions` are those of the provider blocks.
    """

    resources: Iterable[Resource]
    values: Mapping[str, Iterable[msgspec.Raw]]
    certain: bool = True
    regions: Mapping[str, Value] = field(default_factory=dict)

    def settings(self) -> dict[str, Value]:
        """Return the fields of a Plan that are known: account, region, partition and regions.

        The default provider is in regions only if its region is known: what a caller knows of it stands otherwise.
        """
        arns = {provider: list(self._arns(provider)) for provider in self.values if is_aws(provider)}
        regions = self._regions(arns)
        own = arns.get(AWS, [])
        returned = self._returned("aws_caller_identity", "account_id")
        account = self._agreed(_accounts(returned), _accounts({arn.account for arn in own}))
        partition = self._agreed(self._returned("aws_partition", "partition"), {arn.partition for arn in own})
        region = regions.get(AWS)
        if partition is None and isinstance(region, str):
            partition = partition_of(region)
        known = {"account": account, "partition": partition, "regions": regions}
        if is_region(region):
            known["region"] = region
        return {name: value for name, value in known.items() if value is not None}

    def _regions(self, arns: Mapping[str, list[Arn]]) -> dict[str, Value]:
        found = {}
        for provider in dict.fromkeys([*self.regions, *arns]):
            returned = self._returned("aws_region", "region", "name", provider=provider)
            told = _regions(returned) or _regions([self.regions.get(provider)])
            shown = _regions(arn.region for arn in arns.get(provider, ()))
            region = self._agreed(told, shown)
            if region is not None or provider != AWS:
                found[provider] = region or unknown_region(provider)
        return found

    def _agreed(self, told: set[str], shown: set[str]) -> str | None:
        """Return the one value that is told, else the one that ARNs show; None if there are several."""
        candidates = (told or shown) if self.certain else told | shown
        return next(iter(candidates)) if len(candidates) == 1 else None

    def _returned(self, type_: str, *attributes: str, provider: str = AWS) -> set[str]:
        """Return what the data sources of a type and provider returned, in the first attribute that is known."""
        found: set[str] = set()
        for resource in self.resources:
            if resource.mode == "data" and resource.type == type_ and resource.provider == provider:
                known = (value for value in map(resource.stated, attributes) if isinstance(value, str) and value)
                found.update(islice(known, 1))
        return found

    def _arns(self, provider: str) -> Iterator[Arn]:
        """Yield the ARNs of a provider's resources: enough to notice a disagreement, few enough to cost nothing."""
        found = _own_arns(self.values[provider])
        return islice(found, _LOOKED_AT) if self.certain else found


class _OwnArn(msgspec.Struct):
    arn: msgspec.Raw = ABSENT


def _own_arns(values: Iterable[msgspec.Raw]) -> Iterator[Arn]:
    """Yield the `arn` of resources, leaving their other values alone."""
    for raw in values:
        try:
            text = msgspec.json.decode(msgspec.json.decode(raw, type=_OwnArn).arn, type=str)
            arn = Arn.parse(text)
        except (msgspec.MsgspecError, RecursionError, ValueError):
            continue
        yield arn


def _regions(values: Iterable[Value]) -> set[str]:
    return {value for value in values if is_region(value)}


def _accounts(values: set[str]) -> set[str]:
    return {value for value in values if _ACCOUNT.fullmatch(value)}


_OUTCOMES = {
    "fail": "failed",
    "error": "could not be evaluated, because of an error",
    "unknown": "cannot be decided before apply",
}


def refactorings(planned: Iterable[ResourceChange]) -> Iterator[Refactoring]:
    """Yield what moved, import and removed blocks do in this plan."""
    for entry in planned:
        if entry.previous_address:
            yield Refactoring("moved", entry.previous_address, changed_address(entry))
        if entry.change.importing is not None:
            yield Refactoring("import", str(entry.change.importing.get("id") or ""), changed_address(entry))
        if entry.change.actions == ("forget",) and not entry.deposed:
            yield Refactoring("removed", changed_address(entry), "")


def diagnostics(document: PlanFileDocument) -> Iterator[Diagnostic]:
    """Yield why a plan is not the whole truth: errors, deferred changes, checks that do not hold."""
    if document.errored:
        yield Diagnostic("error", "terraform stopped with an error while planning, so the plan is not complete")
    elif document.complete is False:
        yield Diagnostic(
            "warning",
            "the plan is not complete: after it is applied, terraform will plan further changes"
            " (resources were targeted or deferred)",
        )
    if document.deferred_changes:
        yield Diagnostic("warning", f"terraform deferred {len(document.deferred_changes)} changes to a later plan")
    for check in document.checks:
        yield from _check_diagnostics(check)


def check_diagnostic(address: str, kind: str, status: str, messages: Iterable[str]) -> Diagnostic | None:
    """Return what a check's status means, None if it passed.

    A condition of a resource, output or variable that is false stops Terraform; a check block only warns.
    """
    outcome = _OUTCOMES.get(status)
    if outcome is None:
        return None
    severity = "warning" if status == "unknown" or kind == "check" else "error"
    reasons = "; ".join(message for message in messages if message)
    subject = address if kind == "check" else f"a condition of {address}"
    return Diagnostic(severity, f"{subject} {outcome}" + (f": {reasons}" if reasons else ""))


def planned_outputs(document: PlanFileDocument, outputs: dict[str, Output]) -> dict[str, Value]:
    """Return the outputs of the root module, unknown and sensitive parts in their place."""
    values = {name: output_value(name, output) for name, output in outputs.items()}
    changed = document.output_changes
    for name, change in (changed if isinstance(changed, dict) else {}).items():
        if change.actions == ("delete",):
            continue
        place = f"output.{name}"
        value = values[name] if name in values else decode(change.after, place)
        if not isinstance(value, Sensitive):
            value = merge_unknown(value, decode(change.after_unknown, place), place)
            value = hide_marked(value, decode(change.after_sensitive, place), place)
        values[name] = value
    return values


def output_value(name: str, output: Output) -> Value:
    """Return the value of an output, Sensitive if it is marked so."""
    place = f"output.{name}"
    return Sensitive(place) if output.sensitive else decode(output.value, place)


def _check_diagnostics(check: PlannedCheck) -> Iterator[Diagnostic]:
    failed = [instance for instance in check.instances or () if instance.status in _OUTCOMES]
    kind = check.address.kind
    if not failed:
        found = check_diagnostic(_shown(check.address), kind, check.status, ())
        if found:
            yield found
    for instance in failed:
        messages = (problem.message for problem in instance.problems)
        address = instance.address.to_display or _shown(check.address)
        found = check_diagnostic(address, kind, instance.status, messages)
        if found:
            yield found


def _shown(address: CheckAddress) -> str:
    return address.to_display or "a check"
