"""Modules that moved: their documented paths before 0.2 still work for one release, and say where to import from.

To keep the path of a module that you move, add a line to MOVED. Only what the documentation names belongs there; a
path may lead through folders that are gone. `infraspec.plugin` is a module of its own, since pytest registers it.
Source: Python Library Reference, importlib, "MetaPathFinder".
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from importlib import import_module
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from warnings import warn

MOVED = {
    "infraspec.arn": "infraspec.core.arn",
    "infraspec.errors": "infraspec.core.errors",
    "infraspec.finding": "infraspec.core.finding",
    "infraspec.fixtures.live": "infraspec.pytest_plugin.fixtures.live",
    "infraspec.fixtures.own_rules": "infraspec.pytest_plugin.fixtures.own_rules",
    "infraspec.fixtures.session": "infraspec.pytest_plugin.fixtures",
    "infraspec.fixtures.static": "infraspec.pytest_plugin.fixtures.static",
    "infraspec.hookspecs": "infraspec.pytest_plugin.hookspecs",
    "infraspec.iam.context": "infraspec.iam.policy.context",
    "infraspec.iam.decision": "infraspec.iam.evaluation.decision",
    "infraspec.iam.document": "infraspec.iam.policy.document",
    "infraspec.iam.principal": "infraspec.iam.policy.principals",
    "infraspec.matchers": "infraspec.pytest_plugin.matchers",
    "infraspec.terraform.settings": "infraspec.terraform.configuration.settings",
    "infraspec.unknown": "infraspec.core.unknown",
}
"""Where each module is now, by its path before."""


class MovedModules(MetaPathFinder, Loader):
    """Find modules by their path before, when no other finder has found them."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Return the spec of a module that moved, or of a folder that it was in."""
        del path, target
        is_folder = any(old.startswith(f"{fullname}.") for old in MOVED)
        return ModuleSpec(fullname, self, is_package=is_folder) if is_folder or fullname in MOVED else None

    def exec_module(self, module: ModuleType) -> None:
        """Put the module at its new path in the place of the one before; a folder stays empty."""
        name = module.__name__
        if new := MOVED.get(name):
            warn(f"{name} is {new} now; the path before goes with 0.3", DeprecationWarning, stacklevel=2)
            sys.modules[name] = import_module(new)


def install() -> None:
    """Let the paths before be imported."""
    if not any(isinstance(finder, MovedModules) for finder in sys.meta_path):
        sys.meta_path.append(MovedModules())
