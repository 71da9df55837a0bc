"""What a plan file says besides values and changes: refactorings, failed checks, an incomplete plan."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from infraspec.terraform.plan import Diagnostic, Refactoring
from infraspec.terraform.plan_json_addresses import changed_address
from infraspec.terraform.plan_json_records import Check, CheckAddress, Document, Output, ResourceChange
from infraspec.terraform.plan_json_values import decode, hide_marked, merge_unknown
from infraspec.unknown import Sensitive, Value

_OUTCOMES = {
    "fail": "failed",
    "error": "could not be evaluated, because of an error",
    "unknown": "cannot be told before apply",
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


def diagnostics(document: Document) -> Iterator[Diagnostic]:
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


def planned_outputs(document: Document, outputs: dict[str, Output]) -> dict[str, Value]:
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


def _check_diagnostics(check: Check) -> Iterator[Diagnostic]:
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
