"""Files that expressions may read: inside the repository and the modules in use, nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

from infraspec.errors import FileAccessError

_MARKERS = ("infraspec.toml", ".git")


def boundary_of(root: Path) -> Path:
    """Return the nearest directory at or above the root that holds infraspec.toml or .git, else the root itself."""
    resolved = root.resolve()
    for directory in (resolved, *resolved.parents):
        if any((directory / marker).exists() for marker in _MARKERS):
            return directory
    return resolved


class RootFiles:
    """Resolve the paths that `file`, `templatefile` and `fileset` are given.

    Terraform runs in the root module's directory, so relative paths start there. `allow` adds the directory of a
    module in use: `${path.module}/policy.json` is read although the module lies beside the root.
    """

    def __init__(self, root: Path, boundary: Path) -> None:
        self.root = root
        self._allowed = {boundary.resolve(), root.resolve()}

    def allow(self, directory: Path) -> None:
        """Let expressions read below a module's directory."""
        self._allowed.add(directory.resolve())

    def resolve(self, path: str) -> Path:
        """Return the absolute path of a readable place; FileAccessError if it lies outside."""
        absolute = Path(os.path.normpath(self.root.resolve() / Path(path).expanduser()))
        real = absolute.resolve()
        if not any(real.is_relative_to(directory) for directory in self._allowed):
            raise FileAccessError(
                f"the file {path!r} lies outside the infrastructure repository",
                expected="a path inside " + ", ".join(sorted(map(str, self._allowed))),
                found=str(real),
                remedy="copy the file into the repository, or run with the directory that holds both",
            )
        return absolute
