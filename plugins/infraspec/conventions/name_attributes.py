"""The name of a resource: which one it has, and what a new one does to it.

Source: the argument references of the Terraform AWS provider. Where the provider makes a name up from a prefix
(`name_prefix`, `identifier_prefix`, `bucket_prefix`), the name is that prefix and an unknown rest.
"""

from __future__ import annotations

from collections.abc import Mapping

from infraspec.conventions.effective_tags import EffectiveTags
from infraspec.resource_types import Renaming, resource_type
from infraspec.unknown import Text, Unknown, Value, computed_from, concatenate, render

_TAGS = "tags."


def read_name(type_: str, values: Mapping[str, Value], address: str, path: str) -> Value:
    """Return the name of a resource: str, Text, Unknown, or None if it has none.

    A name the provider makes up is Unknown, one made from a prefix is Text that begins with the prefix. Something
    that is no text (a list) is returned as it is.
    """
    if path.startswith(_TAGS):
        return _tag(EffectiveTags.of(type_, values), path.removeprefix(_TAGS))
    name = read_path(values, path)
    if isinstance(name, str):
        return name
    made_up = isinstance(name, Unknown) and name.address == f"{address}.{path}"
    if name is None or made_up:
        return _from_prefix(values, address, path, name)
    return render(name) if isinstance(name, (bool, int, float)) else name


def _tag(effective: EffectiveTags, key: str) -> Value:
    value = effective.tags.get(key)
    return effective.open if value is None else value


def renaming(type_: str, attribute: str) -> Renaming:
    """Tell what a change of the attribute that holds the name does; a tag is always changed in place."""
    return Renaming.IN_PLACE if attribute.startswith(_TAGS) else resource_type(type_).renaming


def read_path(value: Value, path: str) -> Value:
    """Follow a dotted path into maps and blocks; Unknown on the way makes the name unknown, absence makes it None."""
    for step in path.split("."):
        if isinstance(value, Mapping):
            value = value.get(step)
        elif isinstance(value, list):
            index = int(step) if step.isdecimal() else None
            value = value[index] if index is not None and index < len(value) else None
        elif isinstance(value, (Unknown, Text)):
            whole = value.address if isinstance(value, Unknown) else value
            value = Unknown(f"{whole}.{step}", computed_from(value))
        else:
            return None
    return value


def _from_prefix(values: Mapping[str, Value], address: str, path: str, name: Unknown | None) -> Value:
    unknown = name or Unknown(f"{address}.{path}")
    prefix = values.get(f"{path}_prefix")
    if prefix is None or prefix == "" or "." in path:
        return name if "." in path else unknown
    return concatenate((prefix, unknown)) if isinstance(prefix, (str, Text, Unknown)) else unknown
