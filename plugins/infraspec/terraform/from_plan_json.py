"""The Plan model from a plan file: what `terraform show -json PLAN` prints, formats 0.1 to 1.x.

Values are decoded when a check first asks for them; a part that is known only after apply is Unknown, named by its
address and path, and a sensitive one is Sensitive without its value.
"""

from __future__ import annotations

from pathlib import Path

from infraspec.core.gc_pause import paused_collector
from infraspec.errors import PlanError
from infraspec.terraform.plan import Plan
from infraspec.terraform.plan_json_changes import changes
from infraspec.terraform.plan_json_document import Kind, open_document
from infraspec.terraform.plan_json_identity import Evidence
from infraspec.terraform.plan_json_instances import Instances
from infraspec.terraform.plan_json_outcome import diagnostics, planned_outputs, refactorings
from infraspec.terraform.plan_json_providers import Providers
from infraspec.terraform.plan_json_records import Configuration, Document, StateValues
from infraspec.terraform.plan_json_text import REMEDY, read


def load(path: Path, *, name: str | None = None) -> Plan:
    """Load a plan file; `name` stands for it in messages instead of the path.

    Raises PlanError if it cannot be read, is no plan, or is of a format this release does not know.
    """
    return from_bytes(read(path), name or str(path))


def from_bytes(data: bytes, name: str) -> Plan:
    """Build the Plan from the bytes of a plan file, in UTF-8 or, with byte order mark, UTF-16."""
    with paused_collector():
        document, kind = open_document(data, name)
        if kind is not Kind.PLAN:
            raise PlanError(f"this is {kind.value}", place=name, expected="a plan", found=kind.value, remedy=REMEDY)
        return from_document(document, name)


def from_document(document: Document, name: str) -> Plan:
    """Build the Plan from a decoded document that is one."""
    configuration = document.configuration if isinstance(document.configuration, Configuration) else Configuration()
    instances = Instances(Providers(configuration, document.variables))
    instances.add_plan(document)
    evidence = Evidence(instances.resources, instances.texts, regions=instances.providers.regions())
    planned = document.planned_values
    entries = document.resource_changes if isinstance(document.resource_changes, list) else []
    return Plan(
        origin=f"plan {name}",
        resources=tuple(instances.resources),
        diagnostics=tuple(diagnostics(document)),
        outputs=planned_outputs(document, planned.outputs if isinstance(planned, StateValues) else {}),
        refactorings=tuple(refactorings(entries)),
        changes=tuple(changes(entries, document.resource_drift, configuration.root_module)),
        from_plan_file=True,
        **evidence.settings(),
    )
