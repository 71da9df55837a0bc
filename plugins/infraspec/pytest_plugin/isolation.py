"""A suite that is named as a package runs by itself, whatever the tests of the application beside it need.

Source: pytest, "Configuration" (Initialization: determining rootdir and configfile) and "Writing plugins" (Plugin
discovery order at tool startup): without a path among the arguments, pytest takes settings, options and conftest.py of
the directory that it is run in, and of its test directories.
"""

from __future__ import annotations

import copy
import os
import tomllib
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest
from _pytest.config.findpaths import determine_setup

_PREFIX = "infraspec_"
_CONTRACT = "infraspec.toml"


def find_settings_again(config: pytest.Config, args: list[str]) -> None:
    """Find the file of settings as if the values of options were none of the paths that tests are looked for in.

    pytest looks for it before it knows the options of plugins, and takes `--infraspec-plan ../plan.json` for a path.
    """
    known = config.known_args_namespace
    root, file, settings, *_ = determine_setup(
        inifile=known.inifilename,
        override_ini=known.override_ini,
        args=known.file_or_dir,
        rootdir_cmd_arg=known.rootdir or None,
        invocation_dir=config.invocation_params.dir,
    )
    if (root, file) == (config.rootpath, config.inipath):
        return
    del args[: len(config.getini("addopts"))]
    config._rootpath, config._inipath, config._inicfg = root, file, settings  # noqa: SLF001 - pytest has no other way
    config._inicache.clear()  # noqa: SLF001 - likewise
    args[:0] = config.getini("addopts")
    if (configure := getattr(config, "_configure_python_path", None)) is not None:  # a plugin's own before pytest 9.1
        configure()
    config.pluginmanager.consider_preparse(args)
    known = config._parser.parse_known_args(args, namespace=copy.copy(config.option))  # noqa: SLF001 - likewise
    known.confcutdir = known.confcutdir or str(file.parent if file else root)
    config.known_args_namespace = known


def isolate(config: pytest.Config, args: list[str]) -> None:
    """Take out of a run what a file of settings says that is not about infraspec, and the conftest.py of elsewhere.

    Rules of its own come from the arguments, and from `own_rules` of the contract.
    """
    given: dict[str, Any] = config._inicfg  # noqa: SLF001 - pytest has no other way to leave a file out
    if not any(name.startswith(_PREFIX) for name in given):
        del args[: len(config.getini("addopts"))]
        kept = {name: value for name, value in given.items() if getattr(value, "origin", "") == "override"}
        given.clear()
        given.update(kept)
        config._inicache.clear()  # noqa: SLF001 - likewise
    known = config._parser.parse_known_args(args, namespace=copy.copy(config.option))  # noqa: SLF001 - likewise
    beside = _own_rules(Path(known.infraspec_dir or os.environ.get("INFRASPEC_DIR") or "."))
    args += beside
    here = [argument for argument in (*known.file_or_dir, *beside) if Path(argument.partition("::")[0]).exists()]
    suites = [str(found) for argument in known.file_or_dir if (found := _directory(argument))]
    known.file_or_dir = here or suites
    if here or suites:
        places = [Path(path.partition("::")[0]).resolve() for path in here or suites]
        known.confcutdir = known.confcutdir or os.path.commonpath(places)
    config.known_args_namespace = known


def _directory(argument: str) -> Path | None:
    """Return the directory of a suite, whose own conftest.py is read."""
    module = ".".join(argument.partition("::")[0].split(".")[:2])
    spec = None if Path(argument).exists() else find_spec(module)
    return Path(spec.origin).parent if spec and spec.origin else None


def _own_rules(directory: Path) -> list[str]:
    """Return the directories that the contract names; what is wrong with it is said when it is read."""
    try:
        suite = tomllib.loads((directory / _CONTRACT).read_text(encoding="utf-8")).get("suite", {})
        return [str(directory / path) for path in suite.get("own_rules", [])]
    except (OSError, ValueError, AttributeError, TypeError):
        return []
