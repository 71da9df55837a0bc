"""Who owns a file of the repository, as its CODEOWNERS file says.

Source: GitHub Docs, "About code owners"; GitLab Docs, "Code Owners": where the file may lie.
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from functools import cached_property
from pathlib import Path

from infraspec.contract.models import Contract
from infraspec.contract.paths import resolve
from infraspec.reporting.repository import Repository

_FOLDERS = (".github", ".gitlab", "docs", "")


class FileOwners:
    """The owners of files, by the CODEOWNERS file that the contract names or that lies where platforms look for it."""

    def __init__(self, contract: Contract, repository: Repository) -> None:
        self._contract = contract
        self._repository = repository

    def of(self, files: Iterable[str]) -> tuple[str, ...]:
        """Return the owners of files, paths from the root of the repository, each once; none if nobody says."""
        found = self._file
        if found is None:
            return ()
        from codeowners import CodeOwners  # noqa: PLC0415 - runs without findings need none of it

        try:
            owners = CodeOwners(found.read_text(encoding="utf-8"))
        except (OSError, ValueError):  # the rule `process` says what is wrong with it
            return ()
        base = found.parent.parent if found.parent.name in _FOLDERS else found.parent
        paths = [os.path.relpath(Path(self._repository.root) / file, base) for file in dict.fromkeys(files)]
        names = (name for path in paths if not path.startswith("..") for _, name in owners.of(Path(path).as_posix()))
        return tuple(dict.fromkeys(names))

    @cached_property
    def _file(self) -> Path | None:
        process = self._contract.process
        if process and process.codeowners:
            return resolve(self._contract, process.codeowners)
        roots = (resolve(self._contract, Path()), Path(self._repository.root))
        candidates = (root / folder / "CODEOWNERS" for root in roots for folder in _FOLDERS)
        return next((path for path in candidates if path.is_file()), None)
