"""A run as metrics of CloudWatch: for each environment how many findings there are, and that somebody looked.

Source: Amazon CloudWatch API Reference, "PutMetricData": at most 1,000 metrics and 1 MB a request, times at most two
weeks back and two hours ahead.

The session policy is what AWS enforces where a role is assumed; the list of operations is enforced here in any case.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any, Literal, TypeAlias
from urllib.parse import urlsplit

from msgspec import Struct

from infraspec.aws.session import Clients
from infraspec.contract.models import Contract
from infraspec.contract.operations import Metrics
from infraspec.core.errors import NarrowSessionError, ReportError
from infraspec.core.rules import rule_named, rule_of
from infraspec.reporting.run.results import Count, Results, function_of

_HERE = ("127.0.0.1", "localhost", "::1")


def narrow_client(service: str, operation: str, region: str, role: str | None, policy: Mapping[str, Any]) -> Any:
    """Return a client of a service on which one operation can be called, such as `PutMetricData`.

    With `role` it is assumed for no more than `policy` allows. Raises CredentialsError if it cannot be.
    """
    local = urlsplit(os.environ.get("AWS_ENDPOINT_URL", "")).hostname in _HERE
    session_policy = json.dumps(policy, separators=(",", ":")) if role else None
    client = Clients(region, role=role, session_policy=session_policy, is_local=local).client(service)

    def check(model: Any, **_: Any) -> None:
        if model.name != operation:
            raise NarrowSessionError(
                f"{model.name} is called on a client for {operation}", expected=operation, found=str(model.name)
            )

    client.meta.events.register_first(f"before-parameter-build.{service}", check)
    return client


Unit: TypeAlias = Literal["Count", "Seconds", "Percent"]

BATCH = 1000
_BACK, _AHEAD = timedelta(days=14), timedelta(hours=2)


class Datum(Struct, frozen=True):
    """One value."""

    name: str
    value: float
    unit: Unit = "Count"


class Publication(Struct, frozen=True):
    """What is published of one environment, with the dimensions Environment and Suite."""

    environment: str
    namespace: str
    region: str
    role: str | None
    suite: str
    time: datetime
    data: tuple[Datum, ...]

    def requests(self) -> Iterator[dict[str, Any]]:
        """Return the parameters of each call of PutMetricData."""
        dimensions = [{"Name": "Environment", "Value": self.environment}, {"Name": "Suite", "Value": self.suite}]
        rows = [
            {
                "MetricName": one.name,
                "Value": one.value,
                "Unit": one.unit,
                "Timestamp": self.time,
                "Dimensions": dimensions,
            }
            for one in self.data
        ]
        for at in range(0, len(rows), BATCH):
            yield {"Namespace": self.namespace, "MetricData": rows[at : at + BATCH]}

    def policy(self) -> dict[str, Any]:
        """Return what the session that publishes may do: this, in this namespace, and nothing else."""
        statement = {
            "Effect": "Allow",
            "Action": "cloudwatch:PutMetricData",
            "Resource": "*",
            "Condition": {"StringEquals": {"cloudwatch:namespace": self.namespace}},
        }
        return {"Version": "2012-10-17", "Statement": [statement]}


def publications(results: Results, contract: Contract, table: Metrics, now: datetime) -> tuple[Publication, ...]:
    """Return what is to be published of a whole run.

    A run that ended early or was about a part of the suite publishes nothing, so that the alarm on missing runs goes
    off. Raises ReportError for a run that CloudWatch would not take, and for a namespace that it does not allow.
    """
    time = datetime.fromisoformat(results.run.time).astimezone(UTC)
    if not now - _BACK < time < now + _AHEAD:
        raise ReportError(
            "CloudWatch accepts no metrics with this time",
            place="run.time of the results",
            expected="a time of the last two weeks",
            found=results.run.time,
            remedy="publish the metrics of a run right after it",
        )
    if not results.run.complete:
        return ()
    return tuple(
        _publication(results, contract, table, name, time)
        for name in results.run.environments
        if name in contract.environments
    )


def _publication(results: Results, contract: Contract, table: Metrics, name: str, time: datetime) -> Publication:
    environment = contract.environments[name]
    if environment.region is None:
        raise ReportError(
            "where the metrics go is unknown",
            place=str(contract.path),
            expected=f"the region of {name}",
            remedy=f'[environments.{name}]\nregion = "eu-west-1"',
        )
    namespace = filled(table.namespace, contract, name)
    if namespace.startswith(("AWS/", ":")):
        raise ReportError(
            "CloudWatch does not take this namespace",
            place=str(contract.path),
            expected="[metrics] namespace that begins neither with AWS/ nor with a colon",
            found=namespace,
        )
    role = filled(table.role, contract, name) if table.role else None
    return Publication(name, namespace, environment.region, role, results.run.suite, time, tuple(_data(results, name)))


def filled(template: str, contract: Contract, name: str) -> str:
    """Return a text of the contract with the placeholders of an environment filled in. Raises ReportError."""
    environment = contract.environments[name]
    known: Mapping[str, str | None] = {
        "application": contract.project.application,
        "environment": name,
        "account_id": environment.account_id,
        "region": environment.region,
        "partition": environment.partition,
    }
    text = template
    for key, value in known.items():
        if value is not None:
            text = text.replace(f"{{{key}}}", value)
    if "{" in text:
        raise ReportError(
            "a placeholder has no value",
            place=str(contract.path),
            expected=", ".join(f"{{{key}}}" for key in known) + f", known of {name}",
            found=text,
        )
    return text


def _data(results: Results, environment: str) -> Iterator[Datum]:
    counts = [count for count in results.counts if count.environment == environment]
    problems = [problem for problem in results.problems if problem.environment == environment]
    denied = sum(rule_of(rule_named(function_of(one.test))).metric == "permissions" for one in problems)
    yield Datum("RunCompleted", 1)
    yield Datum("Duration", results.run.seconds, "Seconds")
    for name in ("proven", "violated", "undetermined", "waived", "known"):
        yield Datum(name.capitalize(), sum(getattr(count, name) for count in counts))
    yield Datum("Broken", len(problems))
    permissions = [count for count in counts if rule_of(count.rule).metric == "permissions"]
    others = [count for count in counts if rule_of(count.rule).metric != "permissions"]
    if permissions or denied:
        yield Datum("PermissionCheckFailures", _bad(permissions) + denied)
    if others or len(problems) > denied:
        yield Datum("ConsistencyCheckFailures", _bad(others) + len(problems) - denied)
    deployments = [count for count in counts if rule_of(count.rule).metric == "deployments"]
    looked = sum(count.proven for count in deployments) + _bad(deployments)
    if looked:
        yield Datum("DeploymentSuccessRate", round(100 * (1 - _bad(deployments) / looked), 2), "Percent")


def _bad(counts: Sequence[Count]) -> int:
    return sum(count.violated + count.undetermined for count in counts)
