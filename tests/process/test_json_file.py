"""JSON files that other tools wrote."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.core.errors import ProcessFileError
from infraspec.process.history import deployments_of, read_json

ENCODINGS = ("utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-32")


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_encodings(encoding: str, tmp_path: Path) -> None:
    """What a shell or an editor makes of the output of a command is read all the same."""
    (tmp_path / "list.json").write_text('[{"body": "確認"}]', encoding=encoding)
    assert read_json(tmp_path / "list.json", "list.json", "gh") == [{"body": "確認"}]


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_lines(encoding: str, tmp_path: Path) -> None:
    """Likewise where each line is an object."""
    line = '{"at": "2026-10-01T09:00:00+09:00", "environment": "prod", "outcome": "succeeded"}\n'
    (tmp_path / "log.jsonl").write_text(line * 2, encoding=encoding)
    assert len(deployments_of(tmp_path / "log.jsonl", "log.jsonl", ["prod"])) == 2


def test_what_is_no_text_is_no_log_either(tmp_path: Path) -> None:
    """A log that is not there, or no text, is the same error, with the form of a line."""
    (tmp_path / "bytes").write_bytes(b"[\xff]")
    for name, found in (("none", "No such file or directory"), ("bytes", "no UTF-8: invalid start byte")):
        with pytest.raises(ProcessFileError) as caught:
            deployments_of(tmp_path / name, name, ["prod"])
        assert (f"{name}: the file cannot be read", found) == (str(caught.value).splitlines()[0], caught.value.found)
        assert '"outcome"' in caught.value.expected


@pytest.mark.parametrize(
    ("content", "place", "found"),
    [
        (None, "a.json", "No such file or directory"),
        (b"[\n1,", "a.json:2:3", "Expecting value"),
        (b"[\xff]", "a.json", "no UTF-8: invalid start byte"),
        (b"[" * 100_000, "a.json", "nested too deeply"),
    ],
)
def test_what_is_none(content: bytes | None, place: str, found: str, tmp_path: Path) -> None:
    """The error has the place, what is wrong there, and the command that writes the file."""
    if content is not None:
        (tmp_path / "a.json").write_bytes(content)
    with pytest.raises(ProcessFileError) as caught:
        read_json(tmp_path / "a.json", "a.json", "gh pr list --json number")
    assert str(caught.value).startswith(f"{place}: ")
    assert found in str(caught.value)
    assert "gh pr list --json number" in str(caught.value)
