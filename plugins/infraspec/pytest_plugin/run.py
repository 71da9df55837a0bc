"""A run that is about an infrastructure repository: when it is read, when AWS is asked, and what the run writes.

The plugin registers this module for such a run alone, so that others start faster.
"""

from __future__ import annotations

import os
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

from infraspec.core.errors import AwsError, InfraspecError, InputErrorGroup, ReportError, counted, writing
from infraspec.pytest_plugin.fixtures import KEY, STARTED, session_of
from infraspec.pytest_plugin.options import SETTINGS
from infraspec.pytest_plugin.own_checks import Hooks
from infraspec.pytest_plugin.session import Session
from infraspec.reporting.allure.files import write_files
from infraspec.reporting.language import Language, chosen
from infraspec.reporting.run.recorder import REPOSITORY, Recorder, environment_of, is_about_contract, recorder_of
from infraspec.reporting.run.results import prepare, write
from infraspec.reporting.run.results_builder import gather
from infraspec.reporting.run.summary import arrange, write_summary

_SEVERAL = 2
"""How many environments a worker has at least, where each is read by one worker alone."""
_CACHE = "infraspec-cache"
_ENDED = (pytest.ExitCode.OK, pytest.ExitCode.TESTS_FAILED)


def pytest_configure(config: pytest.Config) -> None:
    """Keep the session object of the run, and collect what tests leave.

    pytest calls this when the module is registered, also late: the hook is a historic one.
    """
    session = config.stash[KEY] = Session(config.stash[SETTINGS], Hooks(config.hook))
    if not _is_worker(config):
        if folder := _allure_folder(config):
            with _usage_errors(config), writing(
                "the results of Allure cannot be written", f"--alluredir {folder}", "a folder, or room for a new one"
            ):  # fmt: skip
                folder.mkdir(parents=True, exist_ok=True)
        config.pluginmanager.register(Recorder(config, config.stash[STARTED]), Recorder.NAME)
    if session.settings.is_live:
        with _usage_errors(config):
            session.live.arm(config)


def pytest_sessionstart(session: pytest.Session) -> None:
    """Read the contract, where one is meant; with xdist, where only workers collect, everything.

    So the errors of the input are said once, before any worker starts.
    """
    config = session.config
    folder = _allure_folder(config)
    if session_of(config).settings.are_meant and folder:
        from infraspec.reporting.allure.plugin import register  # noqa: PLC0415 - allure-pytest is optional

        register(config, folder, lambda: session_of(config).contract)
    if _is_worker(config):
        _join_live_run(config)
        _use_cache(config)
        return
    if not session_of(config).settings.are_meant:
        return
    with _usage_errors(config):
        chosen(session_of(config).settings.lang.value, None, {})
        if path := session_of(config).settings.results_file:
            prepare(path)
        session_of(config).names  # noqa: B018 - read for its errors
        _use_cache(config)
        if config.getoption("dist", "no") != "no" and not config.option.collectonly:
            session_of(config).read_all(plans=not _shares_environments(config))
        if session_of(config).settings.is_live and not config.option.collectonly:
            session_of(config).live.begin()


def _use_cache(config: pytest.Config) -> None:
    """Let the run give kept verdicts, where they are wanted and can be."""
    session = session_of(config)
    if session.settings.cache_directory is None or config.option.collectonly:
        return
    from infraspec.pytest_plugin.verdict_cache import obstacle  # noqa: PLC0415 - few runs keep verdicts

    if obstacle(config):
        session.cache = None
    elif session.cache:
        config.pluginmanager.register(session.cache, _CACHE)


def pytest_unconfigure(config: pytest.Config) -> None:
    """Stop the sandbox of this run, however it ended."""
    if not _is_worker(config):
        session_of(config).end()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Give each worker whole environments, where there are several for each, so that one alone reads it."""
    if config.getvalue("dist") != "load" or not _shares_environments(config):
        return None
    from infraspec.pytest_plugin.scheduling import EnvironmentScheduling  # noqa: PLC0415 - xdist is optional

    return EnvironmentScheduling(config, log, session_of(config).names)


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item: pytest.Item) -> None:
    """Skip the tests of an environment that cannot be read, but for the first, which says why."""
    environment = environment_of(item)
    if _is_worker(item.config) and environment in session_of(item.config).unread:
        pytest.skip(f"{environment} cannot be read: another test says why")


def _join_live_run(config: pytest.Config) -> None:
    """Compare who a worker asks as with the contract; an error ends the run as the controller's does."""
    if "infraspec" not in config.workerinput:  # type: ignore[attr-defined] # xdist sets it
        return
    try:
        session_of(config).live.join(config.workerinput["infraspec"])  # type: ignore[attr-defined] # likewise
    except InfraspecError as error:
        pytest.exit(f"{type(error).__name__}: {error}", returncode=pytest.ExitCode.USAGE_ERROR)


@pytest.hookimpl(optionalhook=True)
def pytest_configure_node(node: Any) -> None:
    """Give an xdist worker what it has to know of a live run."""
    session = session_of(node.config)
    if session.settings.is_live and not node.config.option.collectonly:
        node.workerinput["infraspec"] = session.live.for_worker()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """End the run with the errors of the input, all of them and no traceback, before a test runs on them."""
    specs = [(item, getattr(item, "callspec", None)) for item in items]
    items[:] = [item for item, spec in specs if not spec or spec.params.get("own_check", True)]  # none is no test
    _leave_out_other_parts(config, items)
    if _is_worker(config) or not session_of(config).is_used:
        return
    with _usage_errors(config):
        if error := session_of(config).broken:
            raise error
        wanted = any("plan" in getattr(item, "fixturenames", ()) for item in items)
        if wanted and not config.option.collectonly:
            session_of(config).read_all()
            _leave_out_unread(config, items)


def _leave_out_other_parts(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what a part of the environments is not about: no environment, and, but for one part, the repository."""
    session = session_of(config)
    is_part = session.settings.shard.value or session.settings.changed_from.value
    if not session.is_used or session.broken or not is_part:
        return
    left_out = [item for item in items if is_about_contract(item) and not _is_of_part(session, item)]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def _is_empty_part(session: Session) -> bool:
    """Tell whether a shard, or what has changed, leaves no environment."""
    is_part = bool(session.settings.shard.value or session.settings.changed_from.value)
    return is_part and "names" in vars(session) and not session.names


def _is_of_part(session: Session, item: pytest.Item) -> bool:
    environment = environment_of(item)
    return session.is_first_shard if environment == REPOSITORY else isinstance(environment, str)


def _leave_out_unread(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave one test of the environments of which nothing can be read, which says why: others would say it again."""
    unread = session_of(config).unread
    about = [item for item in items if "plan" in getattr(item, "fixturenames", ()) and hasattr(item, "callspec")]
    left_out = [item for item in about if item.callspec.params.get("environment") in unread][1:]
    if left_out:
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, config: pytest.Config) -> None:
    """Write the table of verdicts, and what went wrong with the run as a whole."""
    recorder = recorder_of(config)
    for error in recorder.errors:
        terminalreporter.write_line(f"{type(error).__name__}: {error}", red=True)
    if recorder.records or recorder.flaky:
        session = session_of(config)
        _tell_kept(terminalreporter, session)
        is_open = any(record["counts"]["undetermined"] for record in recorder.records) and not _is_part(config)
        answers = session.answers() if is_open else None
        write_summary(
            terminalreporter,
            recorder,
            session.contract,
            session.baseline,
            session.shown,
            answers=answers,
            language=_language(config),
        )


def _tell_kept(terminal: pytest.TerminalReporter, session: Session) -> None:
    """Say how many environments have the verdicts of an earlier run, or why none has."""
    if session.settings.cache_directory is None:
        return
    from infraspec.pytest_plugin.verdict_cache import obstacle  # noqa: PLC0415 - few runs keep verdicts

    if why := obstacle(terminal.config):
        terminal.write_line(f"infraspec: kept verdicts are not used: {why}")
        return
    held, of = sum(map(session.holds, session.names)), len(session.names)
    terminal.write_line(f"infraspec: {held} of {counted(of, 'environment')} unchanged since their verdicts were kept")


@pytest.hookimpl(wrapper=True, trylast=True)
def pytest_sessionfinish(session: pytest.Session, exitstatus: int) -> Generator[None, None, None]:
    """Put failures in order before pytest shows them, and write the results file where one is wanted.

    A report of another plugin that cannot be written, such as JUnit's on a full disk, leaves the rest to be told.
    """
    config = session.config
    meant = not _is_worker(config) and session_of(config).settings.are_meant
    if meant and exitstatus == pytest.ExitCode.NO_TESTS_COLLECTED and _is_empty_part(session_of(config)):
        exitstatus = session.exitstatus = pytest.ExitCode.OK
    if meant:
        _finish(session, exitstatus)
    try:
        yield
    except OSError as error:
        if not meant:
            raise
        unwritten = ReportError(
            "a report of another plugin cannot be written",
            place=str(error.filename or "--junitxml, or an option like it"),
            expected="a folder that the user running the tests may write to",
            found=error.strerror or type(error).__name__,
            remedy="make room, or choose another place",
        )
        recorder_of(config).errors.append(unwritten)
        session.exitstatus = pytest.ExitCode.USAGE_ERROR


def _finish(session: pytest.Session, exitstatus: int) -> None:
    config = session.config
    terminal: pytest.TerminalReporter | None = config.pluginmanager.get_plugin("terminalreporter")
    if terminal is not None and recorder_of(config).records and "failed" in terminal.stats:
        environments = list(session_of(config).contract.environments)
        arrange(terminal.stats["failed"], environments, terminal.verbosity, _language(config))
    recorder = recorder_of(config)
    if any(problem["error"] == AwsError.__name__ for problem in recorder.problems):
        _keep_lost_sandbox(config)
    try:
        complete = exitstatus in _ENDED and not session.shouldfail and not _is_part(config)
        _write_results(config, complete=complete)
        if complete and config.pluginmanager.has_plugin(_CACHE) and (cache := session_of(config).cache):
            cache.write()
    except ReportError as error:
        recorder.errors.append(error)
        session.exitstatus = pytest.ExitCode.USAGE_ERROR


def _keep_lost_sandbox(config: pytest.Config) -> None:
    """Say of an AWS that did not answer that it was the sandbox, if it is gone."""
    if lost := session_of(config).live.lost():
        recorder_of(config).input_error(lost)
        recorder_of(config).errors.append(lost)


def _write_results(config: pytest.Config, *, complete: bool) -> None:
    session = session_of(config)
    path, folder = session.settings.results_file, _allure_folder(config)
    if (path is None and folder is None) or config.option.collectonly:
        return
    try:
        contract, names, baseline = session.contract, session.names, session.baseline
    except InfraspecError:
        contract, names, baseline = None, [], None
    plan = session.settings.plan.value
    known = [name for name in names if contract and (session.environments.has(name) or session.holds(name))]
    moves = {name: session.moves(name) for name in known}
    results = gather(
        recorder_of(config),
        contract,
        names,
        plan,
        baseline,
        complete=complete,
        moves=moves,
        language=_language(config),
    )
    shown = dict(zip(names, session.shown_names, strict=True)) if names else {}
    results = results.renamed(shown)
    if path:
        write(results, path)
    if folder:
        write_files(folder, results, os.environ)


def _language(config: pytest.Config) -> Language:
    """Return the language that the option asks for, or the contract, if it can be read, or the locale."""
    session, stated = session_of(config), None
    with suppress(InfraspecError):
        stated = session.contract.project.language
    return chosen(session.settings.lang.value, stated, os.environ)


def _allure_folder(config: pytest.Config) -> Path | None:
    """Return the folder of Allure's results; None if they are not wanted, or allure-pytest is not installed."""
    folder = config.getoption("allure_report_dir", None)
    return config.invocation_params.dir / folder if folder else None


def _is_part(config: pytest.Config) -> bool:
    """Tell whether only some tests of the suite were asked for."""
    options = ("keyword", "markexpr", "deselect", "lf")
    return any(config.getoption(name, None) for name in options) or any("::" in name for name in config.args)


def _shares_environments(config: pytest.Config) -> bool:
    """Tell whether the workers of xdist share the environments: each is read by one, and none by the controller."""
    session, workers = session_of(config), len(config.getoption("tx", None) or ())
    return not session.settings.is_live and len(session.names) > _SEVERAL * workers > 0


def _is_worker(config: pytest.Config) -> bool:
    return hasattr(config, "workerinput")


@contextmanager
def _usage_errors(config: pytest.Config) -> Iterator[None]:
    """Turn errors of the input into pytest's usage errors: the message, exit code 4; the results file has them too."""
    try:
        yield
    except InfraspecError as error:
        if not isinstance(error, ReportError):
            recorder_of(config).input_error(error)
            _write_results(config, complete=False)
        title = "" if isinstance(error, InputErrorGroup) else f"{type(error).__name__}: "
        raise pytest.UsageError(f"{title}{error}") from None
