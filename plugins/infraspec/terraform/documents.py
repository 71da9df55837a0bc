"""Plan and state files, told apart by what is in them."""

from __future__ import annotations

from pathlib import Path

from infraspec.core.gc_pause import paused_collector
from infraspec.terraform import from_plan_json, from_state
from infraspec.terraform.plan import Plan
from infraspec.terraform.plan_json_document import Kind, open_document
from infraspec.terraform.plan_json_text import read


def load(path: Path, *, name: str | None = None) -> Plan:
    """Load a plan, a state as `terraform show -json` prints it, or a raw state.

    Raises PlanError if the file cannot be read, is none of these, or is of a version this release does not know.
    """
    return from_bytes(read(path), name or str(path))


def from_bytes(data: bytes, name: str) -> Plan:
    """Build the Plan from the bytes of such a file."""
    with paused_collector():
        document, kind = open_document(data, name)
        if kind is Kind.PLAN:
            return from_plan_json.from_document(document, name)
        return from_state.from_document(document, kind, name)
