"""The pytest plugin: options, hooks for own rules, header, parametrization, and findings shown as text.

Every pytest run imports this, so it imports little: a run that is about an infrastructure repository has
`infraspec.pytest_plugin.run` as well.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Generator, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from time import perf_counter
from types import ModuleType
from typing import TYPE_CHECKING

import pytest

from infraspec.core.errors import InfraspecError
from infraspec.core.visible_text import visible
from infraspec.pytest_plugin import hookspecs
from infraspec.pytest_plugin.fixtures import STARTED, session_of, types_of
from infraspec.pytest_plugin.options import SETTINGS, Settings, add_options
from infraspec.pytest_plugin.rule_tests import tested_rule, without_table
from infraspec.reporting.run.recorder import REPOSITORY, UnprovenError, kept_report

if TYPE_CHECKING:
    from infraspec.pytest_plugin.session import Session

pytest_plugins = [
    "infraspec.pytest_plugin.fixtures.static",
    "infraspec.pytest_plugin.fixtures.live",
    "infraspec.pytest_plugin.fixtures.own_rules",
]


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options."""
    add_options(parser)


def pytest_addhooks(pluginmanager: pytest.PytestPluginManager) -> None:
    """Declare the hooks for own rules."""
    pluginmanager.add_hookspecs(hookspecs)


@pytest.hookimpl(tryfirst=True)
def pytest_load_initial_conftests(early_config: pytest.Config, args: list[str]) -> None:
    """Keep what is for the tests of an application out of a run of a suite that is named as a package.

    Its options, settings and conftest.py may need what is not installed here. A file of settings with a setting of
    infraspec is meant for it. And find the file of settings where it is without the paths that options have as values.
    """
    if any(argument.startswith("--infraspec-") and "=" not in argument for argument in args):
        from infraspec.pytest_plugin.isolation import find_settings_again  # noqa: PLC0415 - few runs are told so

        find_settings_again(early_config, args)
    known = early_config.known_args_namespace
    if any(_is_suite(argument) for argument in known.file_or_dir):
        from infraspec.pytest_plugin.isolation import isolate  # noqa: PLC0415 - few runs are of a suite

        isolate(early_config, args)


@pytest.hookimpl(tryfirst=True)  # before allure-pytest, which makes its folder there
def pytest_configure(config: pytest.Config) -> None:
    """Read the settings, register the markers, and begin a run that is about an infrastructure repository."""
    config.stash[STARTED] = perf_counter()
    config.add_cleanup(import_plainly())
    config.addinivalue_line("markers", "live: the test talks to AWS; the network is not blocked")
    config.addinivalue_line(
        "markers", "resources(*types, allow_empty=False): run the test once for each resource of these types"
    )
    config.stash[SETTINGS] = Settings.of(config)
    if config.stash[SETTINGS].are_meant:
        session_of(config)


def pytest_report_header(config: pytest.Config) -> list[str]:
    """Say what is checked and where that was set, if anything was."""
    settings = config.stash[SETTINGS]
    return list(map(visible, settings.header())) if settings.are_meant else []


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Run a test once for each environment of the contract, own check, or resource of the types that it names."""
    if "environment" not in metafunc.fixturenames:
        return
    session = session_of(metafunc.config)
    session.is_used = True
    names: list[str] = []
    shown: list[str] = []
    try:
        names, shown = session.names, session.shown_names
        if "own_check" in metafunc.fixturenames:
            checks = session.hooks.checks()
            metafunc.parametrize(
                "own_check", list(checks.items()) or [None], ids=[*checks] or ["none"], scope="session"
            )
        if "resource" in metafunc.fixturenames:
            pairs = session.resources(types_of(metafunc.definition))
            ids = [f"{name}-{resource.address if resource else 'none'}" for name, resource in pairs]
            metafunc.parametrize(("environment", "resource"), pairs, ids=ids, indirect=True)
            return
        if reason := _without_table(metafunc, session):
            once = pytest.param(REPOSITORY, marks=pytest.mark.skip(reason=reason), id=REPOSITORY)
            metafunc.parametrize("environment", [once], indirect=True, scope="session")
            return
    except InfraspecError as error:
        session.broken = error
    metafunc.parametrize("environment", names, ids=shown, indirect=True, scope="session")


def _without_table(metafunc: pytest.Metafunc, session: Session) -> str:
    """Return why the rule of a test judges nothing in any environment: that is one skipped test."""
    rule = tested_rule(metafunc.function)
    return without_table(rule, session.contract) if rule else ""


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show findings and errors of the input as their own text, without a traceback."""
    report = yield
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, (UnprovenError, InfraspecError)) and report.outcome == "failed":
        text = str(error) if isinstance(error, UnprovenError) else f"{type(error).__name__}: {error}"
        report.longrepr = visible(text)
    return kept_report(item, call, report)


def _is_suite(argument: str) -> bool:
    return argument.startswith(_SUITES)


_PACKAGE = "infraspec."
_SUITES = ("infraspec.tests_static", "infraspec.tests_live")
"""The suites, as the wheel has them: their assertions are rewritten as those of any test."""


class OwnModules(MetaPathFinder):
    """Find the modules of infraspec where Python finds them, before pytest does.

    pytest rewrites the assertions of every module of a distribution that has a plugin. These have none that a user
    could see fail, and pytest's importer takes twice as long as Python's and cannot use the byte code that an installer
    has compiled. Source: pytest, "Writing plugins", Assertion Rewriting; Python Library Reference, "MetaPathFinder".
    """

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module of infraspec; None, so that the next finder is asked, of any other one."""
        if not fullname.startswith(_PACKAGE) or fullname.startswith(_SUITES):
            return None
        return PathFinder.find_spec(fullname, path, target)


def import_plainly() -> Callable[[], None]:
    """Import the modules of infraspec without pytest's importer, until the function that is returned is called."""
    finder = OwnModules()
    sys.meta_path.insert(0, finder)

    def end() -> None:
        if finder in sys.meta_path:
            sys.meta_path.remove(finder)

    return end
