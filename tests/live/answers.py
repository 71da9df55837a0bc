"""A table of answers in the place of AWS, and the list of what was asked."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any, TypeAlias

from infraspec.aws.calls import Calls, Question

Answer: TypeAlias = Mapping[str, Any] | Callable[..., Mapping[str, Any] | None] | None
"""What an operation returns: always the same, or a function of its parameters. None: there is no such thing."""


@dataclass
class Answers(Calls):
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

    def answer(self, question: Question) -> Any:
        """Return the answer of the table, or what it has under the key of a question."""
        service, operation, parameters = question.service, question.operation, question.parameters
        elsewhere = {"region": question.region} if question.region != self.region else {}
        self.asked.append((service, operation, {**parameters, **elsewhere}))
        if (service, operation) not in self.table:
            raise AssertionError(f"the test has no answer for {service} {operation} {parameters}")
        answer = self.table[service, operation]
        found = answer(**parameters) if callable(answer) else answer
        if found is None and not question.absent:
            raise AssertionError(f"{service} {operation} answers that there is none, which the caller does not expect")
        return found.get(question.key, ()) if found and question.key else found

    def count(self, service: str, operation: str) -> int:
        """Return how often an operation was asked for."""
        return sum((service, operation) == call[:2] for call in self.asked)
