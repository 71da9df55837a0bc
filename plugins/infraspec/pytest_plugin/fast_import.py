"""Modules of infraspec, imported as Python itself imports them.

pytest rewrites the assertions of every module of a distribution that has a plugin. These have none that a user could
see fail, and pytest's importer takes twice as long as Python's and cannot use the byte code that an installer has
compiled. Source: pytest, "Writing plugins", Assertion Rewriting; Python Library Reference, importlib, "MetaPathFinder".
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder
from types import ModuleType

_PACKAGE = "infraspec."
_SUITES = ("infraspec.tests_static", "infraspec.tests_live")
"""The suites, as the wheel has them: their assertions are rewritten as those of any test."""


class OwnModules(MetaPathFinder):
    """Find the modules of infraspec where Python finds them, before pytest does."""

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
