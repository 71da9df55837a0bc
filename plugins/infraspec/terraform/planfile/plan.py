"""The Plan model from a plan file: what `terraform show -json PLAN` prints, formats 0.1 to 1.x.

Values are decoded when a check first asks for them; a part that is known only after apply is Unknown, named by its
address and path, and a sensitive one is Sensitive without its value.

Source: Terraform, "JSON Output Format": `resource_changes`, `resource_drift` and "Change Representation".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from functools import partial

import msgspec

from infraspec.terraform.plan import Change, Plan
from infraspec.terraform.planfile.instances import AWS, Instances, Providers, References, bare, changed_address, modules
from infraspec.terraform.planfile.outcome import AccountEvidence, diagnostics, planned_outputs, refactorings
from infraspec.terraform.planfile.records import (
    ChangeDetail,
    ConfiguredModule,
    PlanFileDocument,
    PlannedConfiguration,
    ResourceChange,
    StateValues,
)
from infraspec.terraform.planfile.values import ValueTexts, decode, has_true, lazy_values
from infraspec.terraform.provider.masking import step


def changes(
    planned: Iterable[ResourceChange], drifted: Iterable[ResourceChange], configuration: ConfiguredModule | None = None
) -> Iterator[Change]:
    """Yield the changes of managed resources (no-op too) and the reads of data sources, then the drift found."""
    configured = {
        f"{path}." * bool(path) + resource.address: frozenset(resource.expressions)
        for path, module in modules(configuration)
        for resource in module.resources
    }
    for group, drift in ((planned, False), (drifted, True)):
        for entry in group:
            address = changed_address(entry)
            yield _change(entry, address, configured.get(bare(address)), drift=drift)


def _change(entry: ResourceChange, address: str, configured: frozenset[str] | None, *, drift: bool) -> Change:
    detail = entry.change
    return Change(
        address,
        detail.actions,
        entry.action_reason,
        entry.previous_address,
        detail.importing is not None,
        drift,
        entry.type,
        entry.mode,
        entry.deposed,
        tuple("".join(_path(path)) for path in detail.replace_paths),
        before=lazy_values(address, entry.type, ValueTexts(detail.before, sensitive=(detail.before_sensitive,))),
        after=lazy_values(
            address, entry.type, ValueTexts(detail.after, detail.after_unknown, (detail.after_sensitive,))
        ),
        configured=configured,
        compare=partial(_changed, detail, address),
    )


def _path(path: list[str | int]) -> Iterator[str]:
    for position, part in enumerate(path):
        yield step("", part) if position else str(part)


def _changed(detail: ChangeDetail, address: str) -> tuple[str, ...]:
    """Compare the values themselves, as secrets look alike when they are hidden; only names come out of it."""
    before, after, unknown = (decode(raw, address) for raw in (detail.before, detail.after, detail.after_unknown))
    old, new, later = (value if isinstance(value, dict) else {} for value in (before, after, unknown))
    names = (name for name in {**old, **new, **later} if old.get(name) != new.get(name) or has_true(later.get(name)))
    return tuple(sorted(names))


def from_document(document: PlanFileDocument, name: str) -> Plan:
    """Build the Plan from a decoded document that is one."""
    configuration = (
        document.configuration if isinstance(document.configuration, PlannedConfiguration) else PlannedConfiguration()
    )
    instances = Instances(
        Providers(configuration, document.variables), References(dict(modules(configuration.root_module)))
    )
    instances.add_plan(document)
    accounts = instances.providers.accounts()
    told = {"account": accounts[AWS]} if AWS in accounts else {}
    evidence = AccountEvidence(instances.resources, instances.texts, regions=instances.providers.regions())
    planned = document.planned_values
    entries = document.resource_changes if isinstance(document.resource_changes, list) else []
    return Plan(
        origin=f"plan {name}",
        resources=tuple(instances.resources),
        diagnostics=tuple(diagnostics(document)),
        outputs=planned_outputs(document, planned.outputs if isinstance(planned, StateValues) else {}),
        refactorings=tuple(refactorings(entries)),
        changes=tuple(changes(entries, document.resource_drift, configuration.root_module)),
        given={name: text for name, one in document.variables.items() if (text := _text(one.value)) is not None},
        from_plan_file=True,
        accounts=accounts,
        **(told | evidence.settings()),
    )


def _text(value: msgspec.Raw) -> str | None:
    """Return the value of a variable that is text."""
    found = msgspec.json.decode(value) if bytes(value)[:1] == b'"' else None
    return found if isinstance(found, str) else None
