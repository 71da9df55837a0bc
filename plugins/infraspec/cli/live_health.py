"""What AWS says of the runner: credentials, account, clock, endpoints, and what it may read."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

from infraspec import contract as contracts
from infraspec.adoption.checkup import Line
from infraspec.aws.failures import failures
from infraspec.aws.session import Clients
from infraspec.contract.models import Contract, Environment
from infraspec.core.arn import Arn
from infraspec.core.errors import InfraspecError, RunnerPermissionError
from infraspec.core.regular_expressions import fits
from infraspec.terraform.environments import Environments

MOST_SKEW = 240
"""Seconds that the clock may differ: AWS refuses requests whose time is 5 minutes off or more, AWS General Reference,
"Signature Version 4 signing process"."""

PROBES: tuple[tuple[str, str, Mapping[str, Any]], ...] = (
    ("cloudwatch", "describe_alarms", {"MaxRecords": 1}),
    ("ecr", "describe_repositories", {"maxResults": 1}),
    ("ecs", "list_clusters", {"maxResults": 1}),
    ("elbv2", "describe_load_balancers", {"PageSize": 1}),
    ("events", "list_rules", {"Limit": 1}),
    ("iam", "list_roles", {"MaxItems": 1}),
    ("kms", "list_keys", {"Limit": 1}),
    ("logs", "describe_log_groups", {"limit": 1}),
    ("rds", "describe_db_instances", {"MaxRecords": 20}),
    ("secretsmanager", "list_secrets", {"MaxResults": 1}),
    ("sns", "list_topics", {}),
    ("ssm", "describe_parameters", {"MaxResults": 1}),
)
"""One read of each service that the live suite asks; none returns a secret."""

_ENDPOINT = re.compile(r"AWS_ENDPOINT_URL(_[A-Z0-9_]+)?")


def live_lines(directory: Path, environment: str | None, make: type[Clients] = Clients) -> Iterator[Line]:
    """Yield what is to be said of the runner in the environments of a contract, or in one of them."""
    yield from endpoint_lines(os.environ)
    try:
        contract = contracts.load(directory, environments=[])
    except InfraspecError:
        return  # the check-up has said so
    for name in [environment] if environment else contract.environments:
        yield from _environment(contract, name, make)


def endpoint_lines(environ: Mapping[str, str]) -> Iterator[Line]:
    """Yield the variables that would send requests elsewhere; the live suite does not heed them."""
    for name in sorted(filter(_ENDPOINT.fullmatch, environ)):
        yield Line.warning(
            "endpoint", f"{name} is set, which the live suite does not heed", f"unset {name}, or use ENV=local"
        )


def _environment(contract: Contract, name: str, make: type[Clients]) -> Iterator[Line]:
    environment = contract.environments[name]
    try:
        region = _region(contract, name)
        if region is None:
            yield Line.problem(name, "the region is not known", f'[environments.{name}]\nregion = "eu-west-1"')
            return
        clients = make(region, role=environment.live.role)
        with failures("sts", "get_caller_identity", region):
            answer = clients.client("sts").get_caller_identity()
    except InfraspecError as error:
        yield Line.problem(name, str(error).splitlines()[0], error.remedy or error.found)
        return
    yield _account(environment, name, answer)
    if environment.live.runner:
        yield _runner(environment.live.runner, name, answer["Arn"])
    yield from clock_lines(answer.get("ResponseMetadata", {}).get("HTTPHeaders", {}), datetime.now(tz=UTC))
    yield from _permissions(clients, name, region)


def _region(contract: Contract, name: str) -> str | None:
    region = contract.environments[name].region or Environments(contract).plan(name).region
    return region if isinstance(region, str) else os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def _account(environment: Environment, name: str, answer: Mapping[str, Any]) -> Line:
    account, arn = answer["Account"], answer["Arn"]
    if environment.account_id is None:
        table = f'[environments.{name}]\naccount_id = "{account}"'
        return Line.warning(name, f"account {account}, which the contract does not name: {arn}", table)
    if environment.account_id != account:
        remedy = "check AWS_PROFILE, or name the role to assume as environments.NAME.live.role"
        return Line.problem(name, f"account {account}, not {environment.account_id}: {arn}", remedy)
    return Line.ok(name, f"account {account}: {arn}")


def _runner(pattern: str, name: str, arn: str) -> Line:
    kind, _, rest = Arn.parse(arn).resource.partition("/")
    role = rest.split("/")[0] if kind == "assumed-role" else ""
    if fits(pattern, role):
        return Line.ok(name, f"the runner is {role}")
    remedy = "assume that role, or name it as environments.NAME.live.role"
    return Line.problem(name, f"the runner is {role or arn}, not a role named {pattern}", remedy)


def clock_lines(headers: Mapping[str, str], now: datetime) -> Iterator[Line]:
    """Yield how far this machine's clock is from the one of AWS, by the Date of an answer."""
    if date := headers.get("date"):
        skew = round((now - parsedate_to_datetime(date)).total_seconds())
        if abs(skew) <= MOST_SKEW:
            yield Line.ok("clock", f"{skew:+d} s from AWS")
        else:
            yield Line.problem("clock", f"{skew:+d} s from AWS", "set the clock, such as with timedatectl set-ntp true")


def _permissions(clients: Clients, name: str, region: str) -> Iterator[Line]:
    denied = []
    for service, operation, parameters in PROBES:
        try:
            with failures(service, operation, region):
                getattr(clients.client(service), operation)(**parameters)
        except RunnerPermissionError as error:
            denied.append((service, error))
        except InfraspecError as error:
            yield Line.problem(name, str(error).splitlines()[0], error.remedy or error.found)
            return
    if denied:
        services = ", ".join(service for service, _ in denied)
        yield Line.problem(name, f"the runner may not read {services}", denied[0][1].remedy)
    else:
        yield Line.ok(name, f"the runner may read {', '.join(service for service, _, _ in PROBES)}")
