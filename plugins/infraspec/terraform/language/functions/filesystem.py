"""Functions of paths and files. What may be read is decided by Files.

Source: Terraform Language, "fileset Function".
"""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path

from infraspec.core import regular_expressions
from infraspec.core.errors import EvaluationError, FileAccessError, FileReadError, LimitError
from infraspec.core.limits import BUDGET, MOST_HASHED_BYTES, Allowance
from infraspec.core.runtime import read_regular, regular, repository_of
from infraspec.terraform.language.functions.encoding import HASHES, base64_text
from infraspec.terraform.language.functions.parameters import Files, Function, function, text, well_formed
from infraspec.terraform.language.partial_values import Undetermined
from infraspec.terraform.language.values import SetValue


class RootFiles:
    """Resolve the paths that `file`, `templatefile` and `fileset` are given.

    Terraform runs in the root module's directory, so relative paths start there. What is read lies in the repository
    of `boundary`, or in the root itself. `texts` has other contents of some files, by resolved path.
    """

    def __init__(self, root: Path, boundary: Path, texts: Mapping[Path, str] | None = None) -> None:
        self.root = root
        self._texts = texts or {}
        self.allowance = Allowance()
        self.beginnings: dict[str, str] = {}
        self.further: Callable[[str], Function | None] = lambda _name: None
        self._allowed = {repository_of(boundary), root.resolve()}

    def allow(self, directory: Path) -> None:
        """Let a directory be read that is part of the configuration and lies elsewhere."""
        self._allowed.add(directory.resolve())

    def holds(self, path: Path) -> bool:
        """Tell whether a path, and what it links to, lies where files may be read."""
        real = path.resolve()
        return any(real.is_relative_to(directory) for directory in self._allowed)

    def read(self, path: str) -> bytes:
        """Return the content of a file.

        FileAccessError if it lies outside, FileReadError if it cannot be read.
        """
        try:
            file = self.resolve(path)
            text = self._texts.get(file.resolve()) if self._texts else None
            return read_regular(file) if text is None else text.encode()
        except (OSError, ValueError) as error:
            raise unreadable(path, error) from None

    def replaced(self, path: str) -> str | None:
        """Return the text that a file has in place of its own."""
        return self._texts.get(self.resolve(path).resolve()) if self._texts else None

    def resolve(self, path: str) -> Path:
        """Return the absolute path of a readable place.

        FileAccessError if it lies outside, FileReadError if there can be no such path.
        """
        try:
            absolute = Path(os.path.normpath(self.root.resolve() / Path(path).expanduser()))
            real, is_allowed = absolute.resolve(), self.holds(absolute)
        except (OSError, RuntimeError, ValueError) as error:
            raise unreadable(path, error) from None
        if not is_allowed:
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


_STEPS_OF_ENTRY = 100
"""The steps that looking at a file takes."""

_TOKEN = re.compile(
    r"(?P<deep>\*\*/)|(?P<rest>\*\*)|(?P<any>\*)|(?P<one>\?)|(?P<class>\[[!^]?[^]]+])|\\(?P<escaped>.)|(?P<other>.)",
    re.DOTALL,
)


def matcher(pattern: str) -> Callable[[str], bool]:
    """Return what tells whether a relative path matches; EvaluationError for a pattern that is none."""
    translated = "".join(_translated(pattern))
    try:
        regular_expressions.fits(translated, "")
    except regular_expressions.PatternError:
        raise EvaluationError("failed to glob pattern", expected="*, ?, **, {a,b} or [abc]", found=pattern) from None
    return partial(regular_expressions.fits, f"(?s){translated}")


def _translated(pattern: str) -> Iterator[str]:
    depth = 0
    for match in _TOKEN.finditer(pattern):
        found = match[0]
        if match["other"] in {"{", "}"}:
            depth += 1 if found == "{" else -1
            yield "(?:" if found == "{" else ")"
        elif match["other"] == "," and depth:
            yield "|"
        elif match["class"]:
            yield _class(found)
        else:
            yield _WILDCARDS.get(found) or re.escape(match["escaped"] or found)


def _class(text: str) -> str:
    inverted = text[1] in "!^"
    inside = text[2 if inverted else 1 : -1].replace("\\", "\\\\").replace("[", "\\[")
    return f"[{'^/' if inverted else ''}{inside}]"


_WILDCARDS = {"**/": "(?:.*/)?", "**": ".*", "*": "[^/]*", "?": "[^/]"}


@function("abspath", text, files=True)
def absolute(files: Files, path: str) -> str:
    """Return the absolute path."""
    return "/" + posixpath.normpath(posixpath.join(files.root.resolve().as_posix(), path)).lstrip("/")


@function("dirname", text)
def directory(path: str) -> str:
    """Return all but the last part of a path."""
    return posixpath.normpath(posixpath.dirname(path) or ".").replace("//", "/")


@function("basename", text)
def base(path: str) -> str:
    """Return the last part of a path."""
    if not path:
        return "."
    return posixpath.basename(path.rstrip("/")) or "/"


@function("pathexpand", text)
def expand(path: str) -> str:
    """Return the path; one in the home directory depends on the machine."""
    if path.startswith("~"):
        raise Undetermined
    return path


@function("file", text, files=True)
def content(files: Files, path: str) -> str:
    """Return the content of a file of UTF-8 text."""
    try:
        return well_formed(files.read(path).decode())
    except UnicodeDecodeError:
        raise EvaluationError(
            "the file is not UTF-8 text", expected="UTF-8", found=path, remedy=f'filebase64("{path}") reads any file'
        ) from None


@function("fileexists", text, files=True)
def exists(files: Files, path: str) -> bool:
    """Tell whether a file exists."""
    found = files.resolve(path)
    try:
        is_directory, is_file = found.is_dir(), found.is_file()
    except OSError as error:
        raise unreadable(path, error) from None
    if is_directory:
        raise EvaluationError("the path is a directory, not a file", found=path, remedy="use fileset")
    return is_file


@function("fileset", text, text, files=True)
def matching(files: Files, path: str, pattern: str) -> SetValue:
    """Return the paths of the files below a directory that match a pattern, relative to the directory."""
    start = files.resolve(path)
    pattern = posixpath.normpath(pattern)
    if ".." in pattern.split("/") or pattern.startswith("/"):
        raise Undetermined
    matches = matcher(pattern)
    return SetValue.of(filter(matches, _below(start)))


def _below(start: Path) -> Iterator[str]:
    for folder, folders, names in os.walk(start):
        BUDGET.spend(_STEPS_OF_ENTRY * (len(folders) + len(names)))
        yield from ((Path(folder) / name).relative_to(start).as_posix() for name in names)


@function("filebase64", text, files=True)
def content_base64(files: Files, path: str) -> str:
    """Return the content of a file in base64."""
    return base64_text(files.read(path))


def _register(name: str, digest: str, *, hexadecimal: bool) -> None:
    @function(name, text, files=True)
    def compute(files: Files, path: str) -> str:
        found = _digest(digest, files, path)
        return found.hex() if hexadecimal else base64_text(found)


for _name in HASHES:
    _register(f"file{_name}", _name, hexadecimal=True)
for _name in ("sha256", "sha512"):
    _register(f"filebase64{_name}", _name, hexadecimal=False)


def _digest(name: str, files: Files, path: str) -> bytes:
    found = hashlib.new(name)
    try:
        with regular(files.resolve(path)) as stream:
            size = os.fstat(stream.fileno()).st_size
            if size > MOST_HASHED_BYTES:
                raise LimitError(
                    "the file is too large", expected=f"at most {MOST_HASHED_BYTES:,} bytes", found=str(size)
                )
            BUDGET.spend(size >> 8)
            while part := stream.read(1 << 20):
                found.update(part)
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
    return found.digest()
