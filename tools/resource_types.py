"""Bring the files of the catalogue of resource types into their one form: `make format`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from textwrap import fill, indent
from typing import Any

import msgspec

from infraspec.resource_types import FAMILIES, ResourceType, decoded

_WIDTH = 119
"""A comma follows."""


def written(types: Sequence[ResourceType]) -> str:
    """Return a file of the catalogue: sorted, in the order of the fields, without what is said of every type."""
    entries = msgspec.to_builtins(sorted(types, key=lambda known: known.type))
    return "[\n" + ",\n".join(indent(_laid_out(entry, "", 2), "  ") for entry in entries) + "\n]\n"


def _laid_out(value: Any, key: str, depth: int) -> str:
    """Return a value behind its key, on one line if that has room for it."""
    line = key + json.dumps(value, ensure_ascii=False)
    if len(line) + depth <= _WIDTH or not isinstance(value, dict | list | tuple):
        return line
    if isinstance(value, dict):
        parts = [_laid_out(item, f"{json.dumps(name)}: ", depth + 2) for name, item in value.items()]
        return f"{key}{{\n" + indent(",\n".join(parts), "  ") + "\n}"
    if all(isinstance(item, str) and " " not in item for item in value):
        words = fill(line[len(key) + 1 : -1], _WIDTH - depth - 2, break_on_hyphens=False, break_long_words=False)
        return f"{key}[\n" + indent(words, "  ") + "\n]"
    return f"{key}[\n" + indent(",\n".join(_laid_out(item, "", depth + 2) for item in value), "  ") + "\n]"


def main() -> None:
    """Write the files."""
    for file in FAMILIES:
        file.write_text(written(decoded(file)), encoding="utf-8", newline="\n")


if __name__ == "__main__":
    main()
