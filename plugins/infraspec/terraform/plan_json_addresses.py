"""Addresses of resource instances, put together where a file leaves them out."""

from __future__ import annotations

from infraspec.terraform.masking import step
from infraspec.terraform.plan_json_records import ResourceChange


def block_address(module: str, mode: str, type_: str, name: str) -> str:
    """Return the address of a resource or data block in a module instance."""
    prefix = f"{module}." if module else ""
    return f"{prefix}data.{type_}.{name}" if mode == "data" else f"{prefix}{type_}.{name}"


def indexed(address: str, key: int | str | None) -> str:
    """Return the address of an instance by count index or for_each key."""
    if key is None:
        return address
    if isinstance(key, int):
        return step(address, key)
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'{address}["{escaped}"]'


def changed_address(change: ResourceChange) -> str:
    """Return the address of a change; terraform 1.0 leaves it out of resource_drift."""
    if change.address:
        return change.address
    return indexed(block_address(change.module_address, change.mode, change.type, change.name), change.index)
