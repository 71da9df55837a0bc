"""A table of answers in the place of AWS, and the list of what was asked."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

Answer: TypeAlias = Mapping[str, Any] | Callable[..., Mapping[str, Any] | None] | None
"""What an operation returns: always the same, or a function of its parameters. None: there is no such thing."""


@dataclass
class Answers:
    """The answers by (service, operation), as boto3 names them; what has none is an error of the test."""

    table: Mapping[tuple[str, str], Answer]
    account: str = "111122223333"
    partition: str = "aws"
    region: str = "eu-west-1"
    taken: datetime = datetime(2026, 11, 25, 9, tzinfo=UTC)
    asked: list[tuple[str, str, Mapping[str, Any]]] = field(default_factory=list)
    """Every call: service, operation, parameters; the region if it is another one."""

    def renewed(self) -> Answers:
        """Return the same answers."""
        return self

    def ask(
        self,
        service: str,
        operation: str,
        /,
        *,
        region: str | None = None,
        absent: Collection[str] = (),
        **parameters: Any,
    ) -> Mapping[str, Any] | None:
        """Return the answer of the table."""
        self.asked.append(
            (service, operation, {**parameters, **({"region": region} if region not in {None, self.region} else {})})
        )
        if (service, operation) not in self.table:
            raise AssertionError(f"the test has no answer for {service} {operation} {parameters}")
        answer = self.table[service, operation]
        found = answer(**parameters) if callable(answer) else answer
        if found is None and not absent:
            raise AssertionError(f"{service} {operation} answers that there is none, which the caller does not expect")
        return found

    def pages(
        self,
        service: str,
        operation: str,
        key: str,
        /,
        *,
        region: str | None = None,
        absent: Collection[str] = (),
        **parameters: Any,
    ) -> tuple[Any, ...]:
        """Return what the answer has under a key."""
        found = self.ask(service, operation, region=region, absent=absent, **parameters)
        return tuple(found.get(key, ())) if found else ()

    def batches(
        self,
        service: str,
        operation: str,
        key: str,
        /,
        *,
        argument: str,
        values: Sequence[str],
        size: int,
        region: str | None = None,
        **parameters: Any,
    ) -> tuple[Any, ...]:
        """Return what the answers have under a key, for so many values at a time."""
        found: list[Any] = []
        for start in range(0, len(values), size):
            chosen = {argument: list(values[start : start + size])}
            found += self.pages(service, operation, key, region=region, **parameters, **chosen)
        return tuple(found)

    def count(self, service: str, operation: str) -> int:
        """Return how often an operation was asked for."""
        return sum((service, operation) == call[:2] for call in self.asked)
