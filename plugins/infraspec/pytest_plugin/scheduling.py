"""Which worker of xdist runs what: all tests of an environment run in one, which reads it."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

import pytest
from xdist.scheduler import LoadScopeScheduling  # type: ignore[import-untyped] # xdist has no types


class _Tests(list[str]):
    """Names of tests, whose places are known: xdist looks for each by going through all."""

    def __init__(self, names: Iterable[str]) -> None:
        super().__init__(names)
        self._places = {name: place for place, name in enumerate(self)}

    def index(self, name: str, *_: Any) -> int:
        return self._places[name]


class EnvironmentScheduling(LoadScopeScheduling):  # type: ignore[misc] # likewise
    """Hands out environment by environment, and one by one the tests that are of none."""

    def __init__(self, config: pytest.Config, log: Any, names: Sequence[str]) -> None:
        super().__init__(config, log)
        self._names = frozenset(names)

    def add_node_collection(self, node: Any, collection: Sequence[str]) -> None:
        """Keep the tests of a worker, which are looked for by name."""
        super().add_node_collection(node, collection)
        if node in self.registered_collections:
            self.registered_collections[node] = _Tests(self.registered_collections[node])

    def mark_test_complete(self, node: Any, item_index: int, duration: float = 0) -> None:
        """Note that a test has run; an environment that is done is counted no more."""
        super().mark_test_complete(node, item_index, duration)
        work, scope = self.assigned_work[node], self._split_scope(self.registered_collections[node][item_index])
        if all(work[scope].values()):
            del work[scope]

    def _split_scope(self, nodeid: str) -> str:
        """Return the environment in the parameters of a test, the longest of several names; else the test itself."""
        words = nodeid.partition("[")[2].rpartition("]")[0].split("-")
        spans = [(start, end) for start in range(len(words)) for end in range(start + 1, len(words) + 1)]
        found = (name for start, end in spans if (name := "-".join(words[start:end])) in self._names)
        return max(found, key=len, default=nodeid)
