"""Long rows of cases: a run without more takes some of each, INFRASPEC_EDITS=all takes all."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import TypeVar

T = TypeVar("T")


def some(cases: Sequence[T], each: int) -> Sequence[T]:
    """Return one of every so many cases, the first among them, or all that there are."""
    return cases if os.environ.get("INFRASPEC_EDITS") == "all" else cases[::each]
