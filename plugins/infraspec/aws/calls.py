"""What live models ask of AWS, whoever answers: an account, the sandbox, or a table of answers in a test."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from typing import Any, Protocol


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
        """Return what the answers have under `key`, asked for `size` of the values at a time as `argument`."""
        distinct = list(dict.fromkeys(values))
        parts = [distinct[start : start + size] for start in range(0, len(distinct), size)]
        return tuple(
            item
            for part in parts
            for item in self.pages(service, operation, key, region=region, **{**parameters, argument: part})
        )
