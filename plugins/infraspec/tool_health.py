"""What is installed: Python, packages, and programs that some tasks need."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Iterator
from importlib.metadata import PackageNotFoundError, version
from importlib.util import find_spec

from infraspec.adoption.health import Line

_PYTHON = (3, 11)
_PACKAGES = ("pytest", "pytest-xdist")
_EXTRAS = {
    "live": ("boto3", "the live suite and infraspec doctor --live"),
    "sandbox": ("moto", "the sandbox, which plays AWS on this machine"),
    "allure": ("allure-pytest", "Allure results"),
}
_PROGRAMS = {
    "git": ("the commit in reports", "https://git-scm.com/downloads"),
    "terraform": (
        "`terraform init -backend=false`, which fetches modules, and plans",
        "https://developer.hashicorp.com/terraform/install",
    ),
    "session-manager-plugin": (
        "`aws ecs execute-command`, by hand in an incident",
        "https://docs.aws.amazon.com/systems-manager/latest/userguide/session-manager-working-with-install-plugin.html",
    ),
}


def tool_lines() -> Iterator[Line]:
    """Yield what is to be said of this machine; what is optional is a warning at most."""
    found = ".".join(map(str, sys.version_info[:3]))
    if sys.version_info[:2] >= _PYTHON:
        yield Line.ok("python", found)
    else:
        yield Line.problem("python", f"{found} is too old", "install Python 3.11 or newer")
    yield Line.ok("infraspec", _version("pytest-infraspec") or "not installed, from a checkout")
    for package in _PACKAGES:
        if installed := _version(package):
            yield Line.ok(package, installed)
        else:
            yield Line.problem(package, "is not installed", f"pip install {package}")
    if find_spec("infraspec.tests_static") is None:
        yield Line.warning(
            "suite",
            "infraspec.tests_static is not here: this is a checkout",
            "pytest tests_static in the checkout, or pip install pytest-infraspec",
        )
    for extra, (package, purpose) in _EXTRAS.items():
        if installed := _version(package):
            yield Line.ok(extra, f"{package} {installed}")
        else:
            remedy = f"pip install 'pytest-infraspec[{extra}]'"
            yield Line.warning(extra, f"not installed (optional): {purpose}", remedy)
    for program, (purpose, source) in _PROGRAMS.items():
        path = shutil.which(program)
        yield (
            Line.ok(program, path)
            if path
            else Line.warning(program, f"not found (optional): {purpose}", f"install it: {source}")
        )


def _version(package: str) -> str | None:
    try:
        return version(package)
    except PackageNotFoundError:
        return None
