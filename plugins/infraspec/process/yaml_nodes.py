"""YAML with the lines that its keys stand on.

Source: YAML 1.2.2, which GitHub's workflow files and front matter are written in (`on` is text, not true).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from infraspec.errors import ProcessFileError


def parse_mapping(text: str, place: str, first_line: int = 1) -> Mapping[str, Any]:
    """Read a YAML mapping that begins on `first_line`; ProcessFileError with the line if it is none."""
    tree = _load(text, place, first_line)
    if tree is None:
        return {}
    if not isinstance(tree, Mapping):
        raise ProcessFileError(
            "the document is no mapping", place=place, expected="key: value lines", found=type(tree).__name__
        )
    _shift(tree, first_line - 1)
    return tree


def parse_sequence(text: str, place: str) -> Sequence[Any]:
    """Read a YAML list; ProcessFileError with the line if it is none."""
    tree = _load(text, place, 1)
    if not isinstance(tree, list):
        raise ProcessFileError("the document is no list", place=place, expected="- … lines", found=type(tree).__name__)
    return tree


def _load(text: str, place: str, first_line: int) -> Any:
    from ruamel import yaml  # noqa: PLC0415 - a repository without playbooks has no YAML to read

    try:
        return yaml.YAML(typ="rt").load(text)
    except yaml.error.MarkedYAMLError as error:
        line = first_line + (error.problem_mark.line if error.problem_mark else 0)
        raise ProcessFileError(
            f"no YAML: {error.problem}", place=f"{place}:{line}", remedy="correct the line, or put its text in quotes"
        ) from None
    except (yaml.error.YAMLError, ValueError, RecursionError) as error:
        raise ProcessFileError(f"no YAML: {error}", place=place) from None


def line_of(node: Any, key: Any, default: int = 0) -> int:
    """Return the line of a key of a mapping or an item of a list, from 1; `default` if there is none."""
    lines = getattr(node, "lc", None)  # a scalar has none
    if lines is None:
        return default
    if isinstance(node, Mapping) and key in node:
        return int(lines.key(key)[0]) + 1
    if isinstance(node, list) and isinstance(key, int) and 0 <= key < len(node):
        return int(lines.item(key)[0]) + 1
    return default


def _shift(node: Any, lines: int) -> None:
    """Move the recorded lines of a tree down; an aliased node is moved once."""
    seen: set[int] = set()
    waiting = [node] if lines else []
    while waiting:
        current = waiting.pop()
        if id(current) in seen or not hasattr(current, "lc"):
            continue
        seen.add(id(current))
        for entry in (current.lc.data or {}).values():
            for at in range(0, len(entry), 2):
                entry[at] += lines
        waiting.extend(current.values() if isinstance(current, Mapping) else current)
