"""The pytest plugin: options, hooks for own rules, header, parametrization, and findings shown as text.

Every pytest run imports this, so it imports little: a run that is about an infrastructure repository has
`infraspec.pytest_plugin.run` as well.
"""

from __future__ import annotations

from collections.abc import Generator
from time import perf_counter

import pytest

from infraspec.core.errors import InfraspecError
from infraspec.pytest_plugin import hookspecs
from infraspec.pytest_plugin.fast_import import import_plainly
from infraspec.pytest_plugin.fixtures import STARTED, session_of, types_of
from infraspec.pytest_plugin.options import SETTINGS, Settings, add_options
from infraspec.reporting.run.recorder import UnprovenError, kept_report

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
    return settings.header() if settings.are_meant else []


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
    except InfraspecError as error:
        session.broken = error
    metafunc.parametrize("environment", names, ids=shown, indirect=True, scope="session")


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item,
    call: pytest.CallInfo[None],
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Show findings and errors of the input as their own text, without a traceback."""
    report = yield
    error = call.excinfo.value if call.excinfo else None
    if isinstance(error, (UnprovenError, InfraspecError)) and report.outcome == "failed":
        report.longrepr = str(error) if isinstance(error, UnprovenError) else f"{type(error).__name__}: {error}"
    return kept_report(item, call, report)
