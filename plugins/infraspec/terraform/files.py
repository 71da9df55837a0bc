"""Files that expressions may read: inside the repository and the modules in use, nowhere else."""

from __future__ import annotations

import os
from pathlib import Path

from infraspec.errors import FileAccessError, FileReadError

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
        """Return the absolute path of a readable place.

        FileAccessError if it lies outside, FileReadError if there can be no such path.
        """
        try:
            absolute = Path(os.path.normpath(self.root.resolve() / Path(path).expanduser()))
            real = absolute.resolve()
        except (OSError, RuntimeError, ValueError) as error:
            raise unreadable(path, error) from None
        if not any(real.is_relative_to(directory) for directory in self._allowed):
            raise FileAccessError(
                f"the file {path!r} lies outside the infrastructure repository",
                expected="a path inside " + ", ".join(sorted(map(str, self._allowed))),
                found=str(real),
                remedy="copy the file into the repository, or run with the directory that holds both",
            )
        return absolute


def unreadable(path: str, error: Exception) -> FileReadError:
    """Return the error for a file that an expression names and that cannot be read."""
    return FileReadError(
        f"the file {path!r} cannot be read: {getattr(error, 'strerror', None) or error}",
        expected="a file that exists when the configuration is read",
        found=path,
        remedy="create the file, or correct the path; a file that a resource makes is read with a data source",
    )
