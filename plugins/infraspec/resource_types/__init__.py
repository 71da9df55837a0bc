"""The catalogue of resource types: each type's facts in one place, for whoever needs them.

The facts are data: a file for each family of services, an object for each type, whose fields are those of the model.

Sources: the argument references and the schemas of the Terraform AWS provider; AWS Service Authorization Reference;
AWS Organizations User Guide, "Services and resource types that support enforcement".
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

import msgspec

from infraspec.resource_types.model import (
    DriftAttributes,
    NestedFields,
    Policy,
    PolicyKind,
    PolicyLimit,
    Renaming,
    ResourceType,
)

__all__ = [
    "TYPES",
    "DriftAttributes",
    "NestedFields",
    "Policy",
    "PolicyKind",
    "PolicyLimit",
    "Renaming",
    "ResourceType",
    "resource_type",
]

_NAMES = "compute containers databases identity messaging network observation other secrets storage"
FAMILIES = tuple(Path(__file__).with_name(f"{name}.json") for name in _NAMES.split())
"""The files: one that is missing is an error, as without it nothing would be known of its types."""
_DECODER = msgspec.json.Decoder(list[ResourceType])


def decoded(file: Path) -> list[ResourceType]:
    """Return the types of a family; an error names the file, the type and the field."""
    content = file.read_bytes()
    try:
        return _DECODER.decode(content)
    except msgspec.DecodeError as error:
        place = re.search(r"\$\[(\d+)\]", str(error))
        entry = msgspec.json.decode(content)[int(place[1])] if place else None
        named = f"{entry.get('type')}: " if isinstance(entry, dict) else ""
        raise ValueError(f"{file.name}: {named}{error}") from None


TYPES: Mapping[str, ResourceType] = {known.type: known for file in FAMILIES for known in decoded(file)}
"""The types of which something is known, by name."""


def resource_type(name: str) -> ResourceType:
    """Return what is known of a type; of one that is not listed that is nothing."""
    return TYPES.get(name) or ResourceType(name)
