"""Functions of files, inside what may be read and outside."""

from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from infraspec.core.errors import EvaluationError, FileAccessError, FileReadError
from infraspec.core.unknown import Sensitive, Unknown
from infraspec.terraform.language.functions import call
from infraspec.terraform.language.functions.filesystem import RootFiles
from infraspec.terraform.language.values import SetValue

CONTENT = b"h\xc3\xa9llo\n"


@pytest.fixture
def files(tmp_path: Path) -> RootFiles:
    """Make a root with some files, and one outside of it."""
    root = tmp_path / "root"
    for name in ("a.txt", "b.json", "policies/read.json", "policies/deep/write.json", "policies/.hidden.json"):
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(CONTENT)
    (root / "binary").write_bytes(b"\xff\xfe")
    (tmp_path / "outside.txt").write_text("secret")
    return RootFiles(root, root)


@pytest.mark.parametrize(
    ("function", "expected"),
    [
        ("file", CONTENT.decode()),
        ("filebase64", base64.b64encode(CONTENT).decode()),
        ("filemd5", hashlib.md5(CONTENT, usedforsecurity=False).hexdigest()),
        ("filesha1", hashlib.sha1(CONTENT, usedforsecurity=False).hexdigest()),
        ("filesha256", hashlib.sha256(CONTENT).hexdigest()),
        ("filesha512", hashlib.sha512(CONTENT).hexdigest()),
        ("filebase64sha256", base64.b64encode(hashlib.sha256(CONTENT).digest()).decode()),
        ("filebase64sha512", base64.b64encode(hashlib.sha512(CONTENT).digest()).decode()),
        ("fileexists", True),
    ],
)
def test_reading(files: RootFiles, function: str, expected: object) -> None:
    """Content and digests are those of the file's bytes."""
    assert expected == call(function, ["a.txt"], files)


@pytest.mark.parametrize(
    ("path", "pattern", "expected"),
    [
        (".", "*.txt", ["a.txt"]),
        (".", "*", ["a.txt", "b.json", "binary"]),
        (".", "./*.json", ["b.json"]),
        (".", "**/*.json", ["b.json", "policies/.hidden.json", "policies/deep/write.json", "policies/read.json"]),
        ("policies", "*.json", [".hidden.json", "read.json"]),
        ("policies", "**", [".hidden.json", "deep/write.json", "read.json"]),
        (".", "{a.txt,b.*}", ["a.txt", "b.json"]),
        (".", "[ab].*", ["a.txt", "b.json"]),
        (".", "[!a].*", ["b.json"]),
        (".", "?.txt", ["a.txt"]),
        (".", "policies/*", ["policies/.hidden.json", "policies/read.json"]),
        ("absent", "*", []),
    ],
)
def test_fileset(files: RootFiles, path: str, pattern: str, expected: list[str]) -> None:
    """A pattern gives the set of paths below the directory, relative to it."""
    found = call("fileset", [path, pattern], files)
    assert isinstance(found, SetValue)
    assert expected == found


def test_a_fileset_that_leaves_its_directory_is_unknown(files: RootFiles) -> None:
    """A pattern with `..` is not answered."""
    assert isinstance(call("fileset", ["policies", "../*"], files), Unknown)


@pytest.mark.parametrize("function", ["file", "fileexists", "filebase64", "filesha256"])
def test_outside_of_the_root(files: RootFiles, function: str) -> None:
    """A file outside of what may be read is refused."""
    with pytest.raises(FileAccessError):
        call(function, ["../outside.txt"], files)


def test_absent_files(files: RootFiles) -> None:
    """A file that is not there does not exist, and reading it is an error with a remedy."""
    assert call("fileexists", ["absent"], files) is False
    with pytest.raises(FileReadError) as caught:
        call("file", ["absent"], files)
    assert caught.value.remedy


@pytest.mark.parametrize("path", ["policies", "a\0b", "x" * 5000, "~nobody-of-this-name/x"])
def test_paths_that_are_no_files(files: RootFiles, path: str) -> None:
    """Directories and impossible names are errors of their own kind."""
    with pytest.raises(EvaluationError):
        call("file", [path], files)


def test_a_file_that_is_no_text(files: RootFiles) -> None:
    """Text must be UTF-8; filebase64 reads any file."""
    with pytest.raises(EvaluationError, match="UTF-8") as caught:
        call("file", ["binary"], files)
    assert "filebase64" in caught.value.remedy
    assert call("filebase64", ["binary"], files) == "//4="


def test_abspath(files: RootFiles) -> None:
    """An absolute path starts at the root module."""
    assert call("abspath", ["x/../a.txt"], files) == str(files.root.resolve() / "a.txt")
    assert call("abspath", ["/a//b"], files) == "/a/b"


def test_unknown_paths(files: RootFiles) -> None:
    """What an unknown path holds is unknown; what a sensitive one holds is sensitive."""
    assert call("file", [Unknown("var.path")], files) == Unknown("file(var.path)")
    found = call("file", [Sensitive("var.path", "a.txt")], files)
    assert isinstance(found, Sensitive)
    assert found.reveal() == CONTENT.decode()
    with pytest.raises(FileReadError) as caught:
        call("file", [Sensitive("var.path", "hunter2")], files)
    assert "hunter2" not in str(caught.value)
