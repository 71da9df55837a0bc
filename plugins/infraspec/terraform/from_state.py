"""The Plan model from a state: a raw state file (version 4), or what `terraform show -json` prints of a state."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from msgspec import Raw

from infraspec.core.gc_pause import paused_collector
from infraspec.errors import PlanError
from infraspec.terraform import state_raw
from infraspec.terraform.plan import Diagnostic, Plan, Resource
from infraspec.terraform.plan_json_document import STATE_REMEDY, Kind, open_document
from infraspec.terraform.plan_json_identity import Evidence
from infraspec.terraform.plan_json_instances import Instances
from infraspec.terraform.plan_json_outcome import check_diagnostic, output_value
from infraspec.terraform.plan_json_providers import Providers
from infraspec.terraform.plan_json_records import Configuration, Document, StateValues
from infraspec.terraform.plan_json_text import read
from infraspec.terraform.plan_json_values import ValueTexts, lazy_values


def load(path: Path, *, name: str | None = None) -> Plan:
    """Load a state file of either kind; `name` stands for it in messages instead of the path.

    Raises PlanError if it cannot be read, is no state, or is of a version this release does not know.
    """
    return from_bytes(read(path), name or str(path))


def from_bytes(data: bytes, name: str) -> Plan:
    """Build the Plan from the bytes of a state file, in UTF-8 or, with byte order mark, UTF-16."""
    with paused_collector():
        document, kind = open_document(data, name)
        if kind is Kind.PLAN:
            raise PlanError(
                f"this is {kind.value}", place=name, expected="a state", found=kind.value, remedy=STATE_REMEDY
            )
        return from_document(document, kind, name)


def from_document(document: Document, kind: Kind, name: str) -> Plan:
    """Build the Plan from a decoded document that is a state of either kind."""
    return _raw(document, name) if kind is Kind.RAW_STATE else _shown(document, name)


def _shown(document: Document, name: str) -> Plan:
    values = document.values if isinstance(document.values, StateValues) else StateValues()
    instances = Instances(Providers(Configuration(), {}))
    instances.add_state(values.root_module)
    return Plan(
        origin=f"state {name}",
        resources=tuple(instances.resources),
        outputs={key: output_value(key, output) for key, output in values.outputs.items()},
        **Evidence(instances.resources, instances.texts, certain=False).settings(),
    )


def _raw(document: Document, name: str) -> Plan:
    resources = []
    texts: dict[str, list[Raw]] = {}
    for resource, instance in state_raw.resources(document, name):
        built = _resource(resource, instance)
        resources.append(built)
        if built.mode == "managed":
            texts.setdefault(built.provider, []).append(instance.attributes)
    return Plan(
        origin=f"state {name}",
        resources=tuple(resources),
        diagnostics=tuple(_diagnostics(document, name)),
        outputs={key: output_value(key, output) for key, output in state_raw.outputs(document, name).items()},
        **Evidence(resources, texts).settings(),
    )


def _resource(resource: state_raw.RawResource, instance: state_raw.RawInstance) -> Resource:
    address = resource.address(instance.index_key)
    values = lazy_values(address, resource.type, ValueTexts(instance.attributes), state_raw.marks(instance))
    return Resource(
        address,
        resource.mode,
        resource.type,
        resource.name,
        instance.index_key,
        resource.module,
        values,
        state_raw.provider_of(resource.provider),
    )


def _diagnostics(document: Document, name: str) -> Iterator[Diagnostic]:
    for check in state_raw.checks(document, name):
        for entry in check.objects or ():
            address = entry.object_addr or check.config_addr
            found = check_diagnostic(address, check.object_kind, entry.status, entry.failure_messages or ())
            if found:
                yield found
