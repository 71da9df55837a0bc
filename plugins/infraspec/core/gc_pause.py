"""The garbage collector, kept from walking over what lives as long as the run."""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager


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
