"""The parts of infraspec that need more installed than the static suite, by the extra that brings it."""

from __future__ import annotations

from importlib.util import find_spec

from infraspec.errors import MissingExtraError

_MODULES = {"live": "boto3", "sandbox": "moto"}


def require(extra: str, what: str) -> None:
    """Raise MissingExtraError if what the extra `live` or `sandbox` brings is not installed, and `what` needs it."""
    if find_spec(_MODULES[extra]) is None:
        raise MissingExtraError(
            f"{what} needs {_MODULES[extra]}, which is not installed",
            remedy=f"pip install 'pytest-infraspec[{extra}]'",
        )
