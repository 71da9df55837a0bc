"""What live models ask of AWS, whoever answers: an account, the sandbox, or a table of answers in a test."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol

from msgspec import Struct

from infraspec.resource_types.listing import Batch, snake


class Question(Struct, frozen=True):
    """A call, and the `key` that the pages of its answer are joined under; without one, the answer is that of ask."""

    service: str
    operation: str
    region: str
    key: str
    absent: tuple[str, ...]
    parameters: Mapping[str, Any]


class Calls(Protocol):
    """Read operations of one account and region, each asked once in a run.

    `service` and `operation` are boto3's names (`ecs`, `describe_services`), parameters and answers those of its API;
    times are aware datetimes. The first arguments are positional: an API may have a parameter `service` or `key`.
    `absent` lists the error codes that mean "there is none", such as ResourceNotFoundException. Errors:
    RunnerPermissionError if the runner may not ask, AwsError if AWS did not answer.
    """

    account: str
    partition: str
    region: str
    taken: datetime
    """When the run began to ask, in UTC."""

    def renewed(self) -> Calls:
        """Return the same, that has asked nothing yet: for what changes while it is watched."""

    def answer(self, question: Question) -> Any:
        """Return the answer to a question, None if there is no such thing."""

    def prepare(self, questions: Sequence[Question]) -> None:
        """Get answers that will be wanted, many at a time; errors are for who asks. By default each is got then."""
        del questions

    def refusals(self) -> Mapping[str, str]:
        """Return what the runner was not let ask so far, each with what lets it."""
        return {}

    def ahead(
        self,
        service: str,
        operation: str,
        each: Iterable[Mapping[str, Any]],
        key: str = "",
        /,
        *,
        region: str | None = None,
        absent: Collection[str] = (),
    ) -> None:
        """Prepare the answers of one operation for each of many parameters; a `key` is that of pages."""
        where, gone = region or self.region, tuple(sorted(absent))
        self.prepare([Question(service, operation, where, key, gone, parameters) for parameters in each])

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
        """Return the answer of one call, None if there is no such thing."""
        where, gone = region or self.region, tuple(sorted(absent))
        answer: Mapping[str, Any] | None = self.answer(Question(service, operation, where, "", gone, parameters))
        return answer

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
        """Return what all pages of an operation have under `key`."""
        where, gone = region or self.region, tuple(sorted(absent))
        return tuple(self.answer(Question(service, operation, where, key, gone, parameters)) or ())

    def batches(
        self, service: str, batch: Batch, values: Sequence[str], /, *, region: str | None = None, **parameters: Any
    ) -> tuple[Any, ...]:
        """Return what is said of all values, asked for as many at a time as the operation takes."""
        distinct, given = list(dict.fromkeys(values)), {**batch.parameters, **parameters}
        return tuple(
            item
            for start in range(0, len(distinct), batch.size)
            for item in self.pages(
                service,
                snake(batch.operation),
                batch.key,
                region=region,
                **{**given, batch.argument: distinct[start : start + batch.size]},
            )
        )
