"""CODEOWNERS: who has to approve a change of a file.

Source: GitHub Docs, "About code owners".
"""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

from codeowners import CodeOwners
from msgspec import Struct

LOCATIONS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks for the file; it reads the first that is there."""

_OWNER = re.compile(r"@[\w.-]+(?:/[\w.-]+)?|[^@\s]+@[^@\s]+\.[^@\s]+")


class OwnersFile(Struct, frozen=True):
    """A CODEOWNERS file: where it lies from the root of the repository, empty if there is none, and its text."""

    place: str = ""
    text: str = ""


def owners_file(root: Path) -> OwnersFile:
    """Return the CODEOWNERS file of a checkout."""
    place = next((one for one in LOCATIONS if (root / one).is_file()), "")
    return OwnersFile(place, (root / place).read_text(encoding="utf-8", errors="replace")) if place else OwnersFile()


def owners_file_at(root: Path, commit: str) -> OwnersFile | None:
    """Return the CODEOWNERS file of a commit; None if a checkout does not have the commit.

    GitHub asks for reviews by the file of the base branch: a change cannot choose who has to approve it.
    """
    if (
        not re.fullmatch(r"[0-9a-f]{40}|[0-9a-f]{64}", commit)
        or _git(root, "cat-file", "-e", f"{commit}^{{tree}}") is None
    ):
        return None
    texts = ((place, _git(root, "cat-file", "blob", f"{commit}:{place}")) for place in LOCATIONS)
    return next((OwnersFile(place, text) for place, text in texts if text is not None), OwnersFile())


def _git(root: Path, *words: str) -> str | None:
    """Return what git says of a repository; None if it fails or is not installed."""
    command = ["git", "-c", "core.fsmonitor=false", "-C", str(root), *words]
    try:
        done = subprocess.run(command, capture_output=True, check=True, stdin=subprocess.DEVNULL)  # noqa: S603 - git
    except (OSError, subprocess.CalledProcessError):
        return None
    return done.stdout.decode(errors="replace")


class OwnedPath(Struct, frozen=True):
    """Who owns a path, by which pattern, on which line."""

    owners: tuple[str, ...]
    pattern: str | None
    line: int


class Owners:
    """A CODEOWNERS file; a line that GitHub does not take is left out, as GitHub does."""

    def __init__(self, text: str) -> None:
        self.skipped: dict[int, str] = {}
        """Lines that GitHub leaves out, and why."""
        self._file = CodeOwners("\n".join(self._lines(text)))

    def _lines(self, text: str) -> Iterator[str]:
        for number, line in enumerate(text.splitlines(), 1):
            bare = re.sub(r"(?<=\s)#.*$", "", line).strip()
            pattern, *owners = bare.split() or [""]
            fault = ""
            if pattern.startswith("!") or re.search(r"[\[\]]|\\#", pattern):
                fault = f"CODEOWNERS does not support the pattern {pattern}"
            elif wrong := next((one for one in owners if not _OWNER.fullmatch(one)), ""):
                fault = f"{wrong} is no owner"
            if fault and not bare.startswith("#"):
                self.skipped[number] = fault
            yield "" if fault else bare

    def of(self, path: str) -> OwnedPath:
        """Return who owns a path: the last pattern that matches counts."""
        owners, line, pattern, _ = self._file.matching_line(path.lstrip("/"))
        return OwnedPath(tuple(name for _, name in owners), pattern, line or 0)
