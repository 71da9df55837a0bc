"""Allure's results on a disk that is full: the run goes on without them, and says so at its end.

allure-pytest writes a file beside its place and moves it there, in each xdist worker. What fails there ends the run
with a traceback, and leaves the part that was written.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import allure_commons
import pytest

from infraspec.errors import ReportError
from infraspec.reporting.recorder import recorder_of

NAME = "infraspec-allure-writing"
_PARTS = ("*-result.json.tmp", "*-container.json.tmp", "*-attachment*.tmp")


class AllureWriting:
    """What could not be written; a plugin of pytest and of allure_commons, whose other plugins its hooks are around."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._found = ""

    def _guarded(self) -> Generator[None, Any, Any]:
        try:
            return (yield)
        except OSError as error:
            self._found = self._found or error.strerror or type(error).__name__
            return None

    @allure_commons.hookimpl(wrapper=True, tryfirst=True)
    def report_result(self) -> Generator[None, Any, Any]:
        """Go on if the result of a test cannot be written."""
        return (yield from self._guarded())

    @allure_commons.hookimpl(wrapper=True, tryfirst=True)
    def report_container(self) -> Generator[None, Any, Any]:
        """Go on if what fixtures did cannot be written."""
        return (yield from self._guarded())

    @allure_commons.hookimpl(wrapper=True, tryfirst=True)
    def report_attached_data(self) -> Generator[None, Any, Any]:
        """Go on if an attachment cannot be written."""
        return (yield from self._guarded())

    @pytest.hookimpl(optionalhook=True)
    def pytest_testnodedown(self, node: Any) -> None:
        """Take what a worker could not write."""
        self._found = self._found or getattr(node, "workeroutput", {}).get(NAME, "")

    @pytest.hookimpl(trylast=True)
    def pytest_sessionfinish(self, session: pytest.Session) -> None:
        """Take away what is half written, by killed workers too; a run that misses anything is no success."""
        config = session.config
        if hasattr(config, "workeroutput"):
            config.workeroutput[NAME] = self._found
            return
        for pattern in _PARTS:
            for part in self._folder.glob(pattern):
                part.unlink(missing_ok=True)
        if self._found:
            recorder_of(config).errors.append(
                ReportError(
                    "Allure's results are not complete",
                    place=f"--alluredir {self._folder}",
                    expected="a folder that the user running the tests may write to",
                    found=self._found,
                    remedy="make room, or choose another place",
                )
            )
            session.exitstatus = pytest.ExitCode.USAGE_ERROR


def register(config: pytest.Config, folder: Path) -> None:
    """Register the plugin for a run whose results Allure gets in this folder."""
    plugin = AllureWriting(folder)
    config.pluginmanager.register(plugin, NAME)
    allure_commons.plugin_manager.register(plugin, NAME)
    config.add_cleanup(lambda: allure_commons.plugin_manager.unregister(name=NAME))
