"""The changes of a plan file: what each does, why, and the attributes before and after it.

Source: Terraform, "JSON Output Format": `resource_changes`, `resource_drift` and "Change Representation".
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from functools import partial

from infraspec.terraform.masking import step
from infraspec.terraform.plan import Change
from infraspec.terraform.plan_json_addresses import changed_address
from infraspec.terraform.plan_json_records import ChangeDetail, ConfiguredModule, ResourceChange
from infraspec.terraform.plan_json_values import ValueTexts, decode, lazy_values

_INDEX = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^\]]*)\]')


def changes(
    planned: Iterable[ResourceChange], drifted: Iterable[ResourceChange], configuration: ConfiguredModule | None = None
) -> Iterator[Change]:
    """Yield the changes of managed resources (no-op too) and the reads of data sources, then the drift found."""
    configured = dict(_arguments(configuration)) if configuration else {}
    for group, drift in ((planned, False), (drifted, True)):
        for entry in group:
            address = changed_address(entry)
            yield _change(entry, address, configured.get(_INDEX.sub("", address)), drift=drift)


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
    names = (name for name in {**old, **new, **later} if old.get(name) != new.get(name) or _is_pending(later.get(name)))
    return tuple(sorted(names))


def _is_pending(unknown: object) -> bool:
    if isinstance(unknown, dict):
        return any(map(_is_pending, unknown.values()))
    if isinstance(unknown, list):
        return any(map(_is_pending, unknown))
    return unknown is True


def _arguments(root: ConfiguredModule) -> Iterator[tuple[str, frozenset[str]]]:
    """Yield the address of each resource block, without indexes, and the arguments that it sets."""
    pending = [("", root)]
    while pending:
        prefix, module = pending.pop()
        for resource in module.resources:
            yield prefix + resource.address, frozenset(resource.expressions)
        for name, call in module.module_calls.items():
            if call.module is not None:
                pending.append((f"{prefix}module.{name}.", call.module))
