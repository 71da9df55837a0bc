"""The parts of infraspec that need more installed than the static suite, by the extra that brings it."""

from __future__ import annotations

import gc
import os
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path

from infraspec.core.errors import MissingExtraError


def write_whole(path: Path, content: bytes) -> None:
    """Write a file beside its place and put it there at once; what was there stays if that fails. Raises OSError.

    What is no file, such as /dev/stdout, is written to as it is.
    """
    place = path.resolve()
    if place.exists() and not place.is_file():
        place.write_bytes(content)
        return
    part = place.with_name(f".{place.name}.{os.getpid()}.part")
    try:
        part.write_bytes(content)
        part.replace(place)
    finally:
        part.unlink(missing_ok=True)


@contextmanager
def paused_collector() -> Iterator[None]:
    """Pause the collector: among many small objects that live on, it costs a third of the time."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if enabled:
            gc.enable()


def keep_to_the_end() -> None:
    """Tell the collector that all there is now stays until the process ends, so that it never looks at it again.

    A plan is a million objects, and pytest and the interpreter each collect twice when they end: half of the time of
    a run. What no longer is referred to is freed as before; only cycles that are garbage already stay. For the process
    of a run, that is, and not for a library.
    """
    gc.freeze()


_MODULES = {"live": "boto3", "sandbox": "moto"}


def require(extra: str, what: str) -> None:
    """Raise MissingExtraError if what the extra `live` or `sandbox` brings is not installed, and `what` needs it."""
    if find_spec(_MODULES[extra]) is None:
        raise MissingExtraError(
            f"{what} needs {_MODULES[extra]}, which is not installed",
            remedy=f"pip install 'pytest-infraspec[{extra}]'",
        )
