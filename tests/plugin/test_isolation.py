"""The suite that is named as a package runs by itself, whatever the tests of the application beside it need."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from tests.plugin.project import CONTRACT, ROOT, Project

FAILS = "import what_is_not_installed_here\n"
HOOK = """
from infraspec.core.rule import Rule


def check_it(plan):
    return [Rule.own("own-rule").about("it").proven()]


def pytest_infraspec_checks():
    return {"own-rule": check_it}
"""
APPLICATION = {
    "conftest.py": FAILS,
    "tests/conftest.py": FAILS,
    "tests/test_application.py": "def test_it():\n    assert False\n",
    "rules/conftest.py": HOOK,
}
SETTINGS = {
    "options of a plugin": "addopts = --cov=src --ds=application.settings",
    "a selection": "addopts = -k nothing tests",
    "other tests": "python_functions = check_*\npython_files = check_*.py\nusefixtures = database",
    "errors of warnings": "filterwarnings = error::what.is_not.Here",
}


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a directory that has the package as the wheel does, with the suites in it."""
    site = tmp_path_factory.mktemp("site")
    (site / "infraspec").mkdir()
    for path in (*(ROOT / "plugins" / "infraspec").iterdir(), ROOT / "tests_static", ROOT / "tests_live"):
        (site / "infraspec" / path.name).symlink_to(path)
    return site


def run(directory: Path, installed: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the suite as a user does, in the directory of the contract."""
    command = [sys.executable, "-m", *arguments]
    variables = {**os.environ, "PYTHONPATH": str(installed)}
    return subprocess.run(command, cwd=directory, env=variables, capture_output=True, text=True, check=False)


SUITE = ("pytest", "-p", "no:cacheprovider", "--pyargs", "infraspec.tests_static")


@pytest.mark.parametrize("settings", SETTINGS)
def test_settings_of_the_application(tmp_path: Path, installed: Path, settings: str) -> None:
    """Neither its conftest.py nor its pytest.ini has a say, nor has a rule that nobody names."""
    files = {**APPLICATION, "infraspec.toml": CONTRACT, "pytest.ini": f"[pytest]\n{SETTINGS[settings]}\n"}
    result = run(Project(files).write(tmp_path), installed, *SUITE)

    assert (0, "") == (result.returncode, result.stderr)
    assert re.search(r"secret-access +6 ", result.stdout)
    assert "own-rule" not in result.stdout


def test_rules_that_the_contract_names(tmp_path: Path, installed: Path) -> None:
    """The contract names the directories of a repository's own rules."""
    files = {**APPLICATION, "infraspec.toml": f'{CONTRACT}\n[suite]\nown_rules = ["rules"]\n'}
    result = run(Project(files).write(tmp_path), installed, *SUITE)

    assert 0 == result.returncode
    assert re.search(r"own-rule +1 ", result.stdout)


def test_rules_that_the_command_names(tmp_path: Path, installed: Path) -> None:
    """So does the command."""
    files = {**APPLICATION, "infraspec.toml": CONTRACT}
    result = run(Project(files).write(tmp_path), installed, *SUITE, "rules")

    assert 0 == result.returncode
    assert re.search(r"own-rule +1 ", result.stdout)


def test_settings_of_infraspec(tmp_path: Path, installed: Path) -> None:
    """A pytest.ini with a setting of infraspec is meant for it, and all of it counts."""
    files = {"pytest.ini": "[pytest]\ninfraspec_dir = infra\naddopts = -k secret_access\n"}
    Project(files, base=None).write(tmp_path)
    Project({"infraspec.toml": CONTRACT}).write(tmp_path / "infra")
    result = run(tmp_path, installed, *SUITE)

    assert 0 == result.returncode
    assert "1 passed" in result.stdout


def test_the_command_stops_at_no_settings(tmp_path: Path, installed: Path) -> None:
    """`infraspec check` runs where pytest itself would stop."""
    settings = "[pytest]\naddopts = -p no_such_plugin\nrequired_plugins = no-such-plugin\nminversion = 99\n"
    files = {**APPLICATION, "infraspec.toml": CONTRACT, "pytest.ini": settings}
    result = run(Project(files).write(tmp_path), installed, "infraspec", "check", "--", "-p", "no:cacheprovider")

    assert 0 == result.returncode
    assert re.search(r"secret-access +6 ", result.stdout)
