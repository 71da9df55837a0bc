"""A file is written whole or not at all."""

from __future__ import annotations

import os
import resource
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from infraspec.core.errors import ReportError
from infraspec.core.runtime import write_whole
from infraspec.reporting.allure.files import write_files
from infraspec.reporting.run.results import write
from infraspec.reporting.trends.history import keep
from tests.reporting.results import RESULTS


@contextmanager
def _full_disk() -> Iterator[None]:
    """Let no file grow beyond 64 bytes: a write then ends as on a full disk, in the middle."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (64, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_content(tmp_path: Path) -> None:
    """The file has the new content, and nothing lies beside it."""
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    write_whole(path, b"new")

    assert b"new" == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())


def test_full_disk_leaves_what_was_there(tmp_path: Path) -> None:
    """A write that fails in the middle leaves the file of before, and no part of the new one."""
    path = tmp_path / "a.json"
    path.write_bytes(b"old")
    with _full_disk(), pytest.raises(OSError, match="File too large"):
        write_whole(path, b"x" * 100)

    assert b"old" == path.read_bytes()
    assert [path] == list(tmp_path.iterdir())


def test_link_stays_a_link(tmp_path: Path) -> None:
    """What a link leads to is written."""
    target, link = tmp_path / "target", tmp_path / "link"
    link.symlink_to(target)
    write_whole(link, b"new")

    assert link.is_symlink()
    assert b"new" == target.read_bytes()


def test_what_is_no_file_is_written_to() -> None:
    """A device is not replaced by a file."""
    write_whole(Path(os.devnull), b"new")

    assert not Path(os.devnull).is_file()


WRITERS: dict[str, Callable[[Path], object]] = {
    "results file": lambda folder: write(RESULTS, folder / "results.json"),
    "store": lambda folder: keep(RESULTS, folder),
    "files of Allure": lambda folder: write_files(folder, RESULTS, {}),
}


@pytest.mark.parametrize("writer", WRITERS)
def test_report_on_a_full_disk(tmp_path: Path, writer: str) -> None:
    """A report that cannot be written is a named error, and no half of it is there."""
    with _full_disk(), pytest.raises(ReportError, match="File too large"):
        WRITERS[writer](tmp_path)

    assert [] == list(tmp_path.iterdir())


def test_results_survive_a_full_disk(tmp_path: Path) -> None:
    """The results of the run before can still be read."""
    path = tmp_path / "results.json"
    write(RESULTS, path)
    before = path.read_bytes()
    with _full_disk(), pytest.raises(ReportError):
        write(RESULTS, path)

    assert before == path.read_bytes()
