"""CODEOWNERS: who has to approve a change of a file.

Source: GitHub Docs, "About code owners".
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from codeowners import CodeOwners
from msgspec import Struct

LOCATIONS = (".github/CODEOWNERS", "CODEOWNERS", "docs/CODEOWNERS")
"""Where GitHub looks for the file; it reads the first that is there."""

_OWNER = re.compile(r"@[\w.-]+(?:/[\w.-]+)?|[^@\s]+@[^@\s]+\.[^@\s]+")


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
                fault = f"{pattern} is no pattern that CODEOWNERS takes"
            elif wrong := next((one for one in owners if not _OWNER.fullmatch(one)), ""):
                fault = f"{wrong} is no owner"
            if fault and not bare.startswith("#"):
                self.skipped[number] = fault
            yield "" if fault else bare

    def of(self, path: str) -> OwnedPath:
        """Return who owns a path: the last pattern that matches counts."""
        owners, line, pattern, _ = self._file.matching_line(path.lstrip("/"))
        return OwnedPath(tuple(name for _, name in owners), pattern, line or 0)
