"""What can happen, one possibility after the other: a simulation is run again for each way in which it can go.

Whoever simulates asks its world where the files do not say how it goes on. What every pull request brings anew, such as
its labels, is certain to go either way for one of them; what a setting decides that is not in the repository is not.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterator
from typing import Any, TypeVar

from infraspec.core.errors import InfraspecError

T = TypeVar("T")

_MOST_RUNS = 150


class TooManyWorldsError(InfraspecError):
    """There are more ways in which it can go than anybody can look through."""


class _Fork(Exception):  # noqa: N818 - no error, but the point where a simulation is begun again
    def __init__(self, key: Hashable, options: tuple[Any, ...]) -> None:
        super().__init__(key)
        self.key, self.options = key, options


class World:
    """One way in which things can go: what was chosen, and whether each choice is certain to occur."""

    def __init__(self, chosen: dict[Hashable, Any]) -> None:
        self._chosen = chosen
        self.values: dict[str, Any] = {}
        """Facts whose value follows from a choice."""
        self.doubts: list[str] = []
        """What has to be as this world assumes, and is not known to be."""

    def choose(
        self, key: Hashable, options: tuple[Any, ...] = (True, False), *, doubt: str = "", usual: Any = None
    ) -> Any:
        """Return the option that this world has for a key; `doubt` says what is not known of any but the usual one."""
        if key not in self._chosen:
            raise _Fork(key, options)
        chosen = self._chosen[key]
        if doubt and chosen != usual and doubt not in self.doubts:
            self.doubts.append(doubt)
        return chosen


def worlds(simulate: Callable[[World], T]) -> Iterator[tuple[World, T]]:
    """Yield each world with what a simulation comes to in it, the first options first. Raises TooManyWorldsError."""
    pending: list[dict[Hashable, Any]] = [{}]
    for _ in range(_MOST_RUNS):
        if not pending:
            return
        chosen = pending.pop()
        world = World(chosen)
        try:
            result = simulate(world)
        except _Fork as fork:
            pending += [{**chosen, fork.key: option} for option in reversed(fork.options)]
            continue
        yield world, result
    raise TooManyWorldsError("there are too many ways in which it can go", expected=f"at most {_MOST_RUNS}")
