"""The paths that the documentation named before 0.2 work for one release, and say where to import from."""

from __future__ import annotations

import subprocess
import sys
from importlib import import_module

import pytest

from infraspec.moved import MOVED


@pytest.mark.parametrize("path", MOVED)
def test_path_before(path: str) -> None:
    """It is the module at its new path, with a warning that names it."""
    sys.modules.pop(path, None)
    with pytest.warns(DeprecationWarning, match=f"{path} is {MOVED[path]} now"):
        module = import_module(path)

    assert module is import_module(MOVED[path])


def test_what_never_was() -> None:
    """Another module that is not there is missed as ever."""
    with pytest.raises(ModuleNotFoundError, match=r"infraspec\.fixtures\.nowhere"):
        import_module("infraspec.fixtures.nowhere")


@pytest.mark.parametrize("name", ["infraspec.plugin", "infraspec.pytest_plugin.plugin"])
def test_plugin(pytester: pytest.Pytester, name: str) -> None:
    """The plugin is loaded by either name, also where its entry point has loaded it already."""
    pytester.makeconftest(f'pytest_plugins = ["{name}"]')
    pytester.makepyfile(
        "from infraspec.fixtures.static import AssertProven\n"
        "def test_it(run_rule):\n"
        "    assert run_rule(lambda plan: [], '') == []\n"
    )
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-p", "no:cacheprovider"],
        cwd=pytester.path,
        check=False,
        capture_output=True,
        text=True,
    )

    assert "1 passed" in done.stdout, done.stdout + done.stderr
    assert "infraspec.fixtures.static is infraspec.pytest_plugin.fixtures.static now" in done.stdout
