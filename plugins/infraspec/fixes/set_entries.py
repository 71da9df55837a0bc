"""Entries of objects of HCL: set, added, or merged over a value that is no object."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from pathlib import Path

from infraspec.core.visible_text import hcl_string
from infraspec.fixes.text_edits import Edit, items_added
from infraspec.fixes.tokens import expression_end, opening
from infraspec.hcl import ast
from infraspec.hcl.ast import Expression


def object_text(entries: Mapping[str, str], indent: str = "") -> str:
    """Return the text of an object."""
    width, keys = max(map(len, keys_of(entries))), keys_of(entries)
    return "\n".join(["{", *(f"{indent}  {key:{width}} = {value}" for key, value in keys.items()), f"{indent}}}"])


def keys_of(entries: Mapping[str, str]) -> dict[str, str]:
    """Return entries by their keys as HCL writes them."""
    return {name if re.fullmatch(r"[A-Za-z_][\w-]*", name) else hcl_string(name): one for name, one in entries.items()}


def set_entries(file: Path, text: str, node: ast.Object, entries: Mapping[str, str]) -> Iterator[Edit]:
    """Set entries of an object."""
    present = {str(key.value): value for key, value in node.items if isinstance(key, ast.Literal)}
    for name in entries.keys() & present.keys():
        yield Edit(file, present[name].at, expression_end(text, present[name].at), entries[name])
    added = keys_of({name: one for name, one in entries.items() if name not in present})
    if added:
        yield from items_added(file, text, node.at, [f"{key} = {one}" for key, one in added.items()], commas=False)


def merged(file: Path, text: str, node: Expression, entries: Mapping[str, str]) -> Iterator[Edit]:
    """Merge entries over the value of an argument."""
    last = node.arguments[-1] if isinstance(node, ast.Call) and node.name == "merge" and node.arguments else None
    if isinstance(last, ast.Object) and isinstance(node, ast.Call) and not node.expand:
        yield from set_entries(file, text, last, entries)
        return
    end = expression_end(text, node.at)
    if last is not None and isinstance(node, ast.Call) and not node.expand:
        yield from items_added(file, text, opening(text, node.at, "("), [object_text(entries)], commas=True)
        return
    written = ", ".join(f"{key} = {one}" for key, one in keys_of(entries).items())
    yield Edit(file, node.at, node.at, "merge(")
    yield Edit(file, end, end, f", {{ {written} }})")
