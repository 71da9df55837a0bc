"""Which worker of xdist runs what: all tests of an environment run in one, which reads it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped] # xdist has no types


class EnvironmentScheduling(LoadScopeScheduling):  # type: ignore[misc] # likewise
    """Hands out environment by environment, and one by one the tests that are of none."""

    def __init__(self, config: pytest.Config, log: Any, names: Sequence[str]) -> None:
        super().__init__(config, log)
        self._names = frozenset(names)

    def _split_scope(self, nodeid: str) -> str:
        """Return the environment in the parameters of a test, the longest of several names; else the test itself."""
        words = nodeid.partition("[")[2].rpartition("]")[0].split("-")
        spans = [(start, end) for start in range(len(words)) for end in range(start + 1, len(words) + 1)]
        found = (name for start, end in spans if (name := "-".join(words[start:end])) in self._names)
        return max(found, key=len, default=nodeid)
