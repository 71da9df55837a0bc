"""A repository that a pipeline has checked out: its files, and what people see of their paths."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, TypeVar

from infraspec.core.runtime import read_regular
from infraspec.process.expressions import HOLE

T = TypeVar("T")


class CheckedOut:
    """A repository that a pipeline has checked out."""

    def __init__(self, root: Path, shown: Callable[[str], str] = str) -> None:
        self.root, self._shown = root, shown
        self.paths: dict[str, str] = {}
        """The paths from the root, by what people see."""
        self._parsed: dict[str, Any] = {}
        self._texts: dict[str, str | None] = {}

    def shown(self, path: str) -> str:
        """Return a path from the root as people see it."""
        found = self._shown(path)
        self.paths[found] = path
        return found

    def parsed(self, path: str, parse: Callable[[str, str], T]) -> T | None:
        """Return what a file is parsed into, from its text and what people see of its path; None if there is none."""
        text = self.text(path)
        if text is not None and path not in self._parsed:
            self._parsed[path] = parse(text, self.shown(path))
        return self._parsed.get(path)

    def text(self, path: str) -> str | None:
        """Return the text of a file, from the root; None if there is none."""
        if path not in self._texts:
            self._texts[path] = None
            with suppress(OSError, UnicodeDecodeError, ValueError):
                content = read_regular(self.root / path, path, within=self.root)
                self._texts[path] = content.decode("utf-8-sig").replace("\r\n", "\n")
        return self._texts[path]

    def exists(self, path: str) -> bool:
        """Tell whether there is a file or a directory."""
        try:
            return (self.root / path).exists()
        except (OSError, ValueError):
            return False

    def matches(self, pattern: str, directory: str) -> Sequence[str] | None:
        """Return the paths that a pattern matches in a directory; None if that is not known."""
        if HOLE in directory or pattern.startswith("/") or ".." in pattern:
            return None
        try:
            found = sorted((self.root / directory).glob(pattern.rstrip("/")))
        except (OSError, ValueError, NotImplementedError):
            return None
        base = self.root / directory
        return [path.relative_to(base).as_posix() for path in found if path.is_dir() or not pattern.endswith("/")]
