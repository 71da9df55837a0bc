"""An infrastructure repository as a dict of files, and the static suite run on it."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SUITE = ROOT / "tests_static"
REFERENCE = ROOT / "fixtures" / "daily-report-tool"
INCIDENT = ROOT / "fixtures" / "incident-v16"
MINIMAL = ROOT / "fixtures" / "minimal"

CONTRACT = """
[project]
application = "hello"

[environments.dev]
account_id = "111122223333"
region = "ap-northeast-1"
"""


@dataclass(frozen=True)
class Project:
    """Files by path; `base` is a folder that is copied first."""

    files: Mapping[str, str | bytes] = field(default_factory=dict)
    base: Path | None = MINIMAL

    def with_files(self, **files: str) -> Project:
        """Return a project with more files; `__` in a name stands for a dot."""
        return Project({**self.files, **{name.replace("__", "."): text for name, text in files.items()}}, self.base)

    def write(self, directory: Path) -> Path:
        """Write the files below a directory and return it."""
        if self.base:
            shutil.copytree(self.base, directory, dirs_exist_ok=True)
        for name, text in self.files.items():
            path = directory / name
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode() if isinstance(text, str) else text)
        return directory

    def run(self, pytester: pytest.Pytester, *arguments: str, suite: Path = SUITE) -> pytest.RunResult:
        """Run the static suite on the project in a process of its own."""
        directory = self.write(pytester.path / "infra")
        return run_suite(pytester, directory, *arguments, suite=suite)


def run_suite(pytester: pytest.Pytester, directory: Path, *arguments: str, suite: Path = SUITE) -> pytest.RunResult:
    """Run a suite on an infrastructure repository in a process of its own."""
    pytester.makeini(f"[pytest]\npythonpath = {ROOT / 'plugins'}\naddopts = --import-mode=importlib\nstrict = true\n")
    return pytester.runpytest_subprocess(
        "-p", "infraspec.plugin", "-p", "no:cacheprovider", str(suite), "--infraspec-dir", str(directory), *arguments
    )


def text_of(result: pytest.RunResult) -> str:
    """Return everything that a run has printed."""
    return "\n".join([*result.outlines, *result.errlines])


def assert_not_passed(result: pytest.RunResult, **wanted: int) -> None:
    """Assert how many tests ended otherwise than passed or skipped; rules that a contract does not use are skipped."""
    found = result.parseoutcomes()
    assert {name: count for name, count in found.items() if name not in {"passed", "skipped"}} == wanted
    assert wanted.get("failed") or found.get("passed")
