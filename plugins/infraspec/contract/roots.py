"""Directories that hold Terraform, for a remedy to name."""

from __future__ import annotations

import os
from collections.abc import Iterator
from difflib import SequenceMatcher
from pathlib import Path

_DEPTH = 6
_DIRECTORIES = 3000


def holds_terraform(directory: Path) -> bool:
    """Tell whether a directory has a `*.tf` or `*.tf.json` file of its own."""
    return any(name.endswith((".tf", ".tf.json")) for name in _names(directory))


def roots_below(directory: Path) -> list[str]:
    """Return the directories at and below one that hold Terraform, from there, sorted.

    Hidden directories, `.terraform` among them, are left out, and so is what lies deeper than six levels.
    """
    found = (path for path in _walk(directory) if holds_terraform(directory / path))
    return sorted(path.as_posix() for path in found)


def nearest_roots(directory: Path, wanted: str) -> list[str]:
    """Return the directories that hold Terraform, the one most like the wanted path first, modules last."""
    return sorted(
        roots_below(directory),
        key=lambda path: ("modules" in path.split("/"), -SequenceMatcher(None, path, wanted).ratio(), path),
    )


def _walk(directory: Path) -> Iterator[Path]:
    pending, seen = [Path()], 0
    while pending and seen < _DIRECTORIES:
        path = pending.pop(0)
        seen += 1
        yield path
        if len(path.parts) < _DEPTH:
            pending += [path / name for name in _names(directory / path) if _is_plain(directory / path / name)]


def _is_plain(path: Path) -> bool:
    return path.name[0] != "." and path.name != "node_modules" and path.is_dir() and not path.is_symlink()


def _names(directory: Path) -> list[str]:
    try:
        return sorted(os.listdir(directory))  # noqa: PTH208 - names, not paths
    except (OSError, ValueError):
        return []
