"""Functions of paths and files. What may be read is decided by Files."""

from __future__ import annotations

import os
import posixpath
from pathlib import Path

from infraspec.errors import EvaluationError
from infraspec.terraform.files import unreadable
from infraspec.terraform.functions.characters import well_formed
from infraspec.terraform.functions.digests import HASHES, base64_text
from infraspec.terraform.functions.glob import matcher
from infraspec.terraform.functions.parameters import text
from infraspec.terraform.functions.registry import Files, function
from infraspec.terraform.symbolic import Undetermined
from infraspec.terraform.values import SetValue


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
        return well_formed(_read(files, path).decode())
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
    names = (_relative(folder, name, start) for folder, _, found in os.walk(start) for name in found)
    return SetValue.of(name for name in names if matches(name))


def _relative(folder: str, name: str, start: Path) -> str:
    return (Path(folder) / name).relative_to(start).as_posix()


@function("filebase64", text, files=True)
def content_base64(files: Files, path: str) -> str:
    """Return the content of a file in base64."""
    return base64_text(_read(files, path))


def _register(name: str, digest: str, *, hexadecimal: bool) -> None:
    @function(name, text, files=True)
    def compute(files: Files, path: str) -> str:
        found = HASHES[digest](_read(files, path))
        return found.hex() if hexadecimal else base64_text(found)


for _name in HASHES:
    _register(f"file{_name}", _name, hexadecimal=True)
for _name in ("sha256", "sha512"):
    _register(f"filebase64{_name}", _name, hexadecimal=False)


def _read(files: Files, path: str) -> bytes:
    try:
        return files.resolve(path).read_bytes()
    except (OSError, ValueError) as error:
        raise unreadable(path, error) from None
