"""What AWS says of the runner: credentials, account, clock, endpoints, and what it may read."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jmespath  # type: ignore[import-untyped] # boto3 brings it, without types
import msgspec
from msgspec import Struct

from infraspec import contract as contracts
from infraspec.adoption.answers import SNAPSHOT, Answer
from infraspec.adoption.checkup import Line
from infraspec.aws.calls import Calls
from infraspec.aws.failures import failures
from infraspec.aws.session import CallerIdentity, Clients
from infraspec.aws.snapshot import Snapshot
from infraspec.contract.models import Contract, Environment
from infraspec.core.arn import Arn
from infraspec.core.errors import InfraspecError, RunnerPermissionError
from infraspec.core.regular_expressions import fits
from infraspec.core.runtime import write_whole
from infraspec.live.permissions import missing_statement
from infraspec.terraform.environments import Environments
from infraspec.terraform.planfile.iam_snapshot import LISTS
from infraspec.terraform.provider.known_data import data_source_key

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
            "endpoint", f"{name} is set, and the live suite ignores it", f"unset {name}, or use ENV=local"
        )


def _environment(contract: Contract, name: str, make: type[Clients]) -> Iterator[Line]:
    environment = contract.environments[name]
    try:
        region = _region(contract, name)
        if region is None:
            yield Line.problem(name, "the region is unknown", f'[environments.{name}]\nregion = "eu-west-1"')
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
    identity = CallerIdentity(answer["Account"], Arn.parse(answer["Arn"]).partition, answer["Arn"])
    yield from _permissions(clients, contract, name, identity)


def _region(contract: Contract, name: str) -> str | None:
    region = contract.environments[name].region or Environments(contract).plan(name).region
    return region if isinstance(region, str) else os.environ.get("AWS_REGION") or os.environ.get("AWS_DEFAULT_REGION")


def _account(environment: Environment, name: str, answer: Mapping[str, Any]) -> Line:
    account, arn = answer["Account"], answer["Arn"]
    if environment.account_id is None:
        table = f'[environments.{name}]\naccount_id = "{account}"'
        return Line.warning(name, f"account {account} is not in the contract: {arn}", table)
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
            yield Line.problem("clock", f"{skew:+d} s from AWS", "set the clock: timedatectl set-ntp true")


def _permissions(clients: Clients, contract: Contract, name: str, identity: CallerIdentity) -> Iterator[Line]:
    """Yield what the runner may not read: of each service, and of all that the live suite reads of the source."""
    denied, region = [], clients.region
    for service, operation, parameters in PROBES:
        try:
            with failures(service, operation, region):
                getattr(clients.client(service), operation)(**parameters)
        except RunnerPermissionError as error:
            denied.append((service, error))
        except InfraspecError as error:
            yield Line.problem(name, str(error).splitlines()[0], error.remedy or error.found)
            return
    missing = _missing(Snapshot(clients, identity), contract, name)
    if denied or missing:
        services = ", ".join(service for service, _ in denied)
        actions = ", ".join(missing["Action"]) if missing else services
        statement = json.dumps(missing, indent=2) if missing else "\n".join(error.remedy for _, error in denied)
        remedy = f"add to the policy of the runner (infraspec runner-policy prints all of it):\n{statement}"
        yield Line.problem(name, f"the runner may not read {services or actions}", remedy)
    else:
        yield Line.ok(name, f"the runner may read {', '.join(service for service, _, _ in PROBES)}")


def _missing(calls: Calls, contract: Contract, name: str) -> Mapping[str, Any] | None:
    environments = Environments(contract)
    try:
        plan, settings = environments.plan(name), environments.settings().get(name)
    except InfraspecError:
        return None  # the check-up has said so
    return missing_statement(calls, plan, contract, name, settings.backend if settings else None)


class _Question(Struct, frozen=True, forbid_unknown_fields=True):
    """What tells an attribute: an operation with `arguments` of the data source, and the path to rows of one value.

    Of several rows, as of the keys of all secrets, the value that all have is told; `usual` is the same as none.
    """

    service: str
    operation: str
    found: str
    arguments: Mapping[str, str] = {}
    paged: bool = False
    usual: str = ""


@cache
def _questions() -> Mapping[str, _Question]:
    """Return the questions by type and attribute. Source: the API reference of each service."""
    file = Path(__file__).with_name("account_answers.json")
    return msgspec.json.decode(file.read_bytes(), type=dict[str, _Question])


def account_values(
    contract: Contract, answers: Sequence[Answer], say: Callable[[str], None], make: type[Clients] = Clients
) -> dict[str, list[tuple[Answer, Any]]]:
    """Return what the accounts say of lines of the contract, by their key; each read is said before it is done."""
    found: dict[str, list[tuple[Answer, Any]]] = {}
    accounts = {name: _Account(contract, name, say, make) for name in contract.environments}
    for answer in answers:
        names = answer.environments or tuple(contract.environments)
        try:
            values = [accounts[name].value(answer.key, alone=len(names) == 1) for name in names]
        except InfraspecError as error:
            say(f"  {str(error).splitlines()[0]}")
            continue
        if any(value is None for value in values) or (not answer.environments and len(set(map(repr, values))) > 1):
            say(f"  {answer.key} cannot be read from the account, or is not the same in all")
        else:
            found[answer.key] = answer.of_each(values)
    return found


class _Account:
    """The account of one environment, which is read only where it is certain to be that of the environment."""

    def __init__(self, contract: Contract, name: str, say: Callable[[str], None], make: type[Clients]) -> None:
        self.contract, self.name, self.say, self.make = contract, name, say, make

    @cached_property
    def region(self) -> str | None:
        """The region of the environment, or that of the process."""
        return _region(self.contract, self.name)

    @cached_property
    def clients(self) -> Clients:
        """The clients of the role that the contract names, or of the process."""
        return self.make(self.region or "", role=self.contract.environments[self.name].live.role)

    @cached_property
    def account(self) -> str:
        """The account that these clients ask."""
        (answer,) = self.ask("sts", "get_caller_identity", {})
        return str(answer["Account"])

    def ask(self, service: str, operation: str, arguments: Mapping[str, Any], *, paged: bool = False) -> list[Any]:
        """Return the answer of a read, or all pages of it."""
        self.say(f"{service}:{operation} {dict(arguments) or ''} in {self.region}, for {self.name}")
        with failures(service, operation, self.region or ""):
            client = self.clients.client(service)
            if paged:
                return list(client.get_paginator(operation).paginate(**arguments))
            return [getattr(client, operation)(**arguments)]

    def value(self, key: str, *, alone: bool) -> Any:
        """Return the value of a line; None if the account does not tell it, or may not be that of the environment.

        The credentials of the process are for one environment, unless the contract names accounts or roles.
        """
        environment = self.contract.environments[self.name]
        if key == "region" or self.region is None:
            return self.region
        if environment.account_id not in (None, self.account) or not (
            alone or environment.account_id or environment.live.role
        ):
            self.say(f"  account {self.account} may not belong to {self.name}")
            return None
        if key == "account_id":
            return self.account
        return self._snapshot() if key == "snapshots" else self._told(key)

    def _snapshot(self) -> list[str]:
        pages = self.ask("iam", "get_account_authorization_details", {}, paged=True)
        whole = {each: [one for page in pages for one in page[each]] for each in LISTS}
        path = self.contract.directory / (
            SNAPSHOT if len(self.contract.environments) == 1 else f"{self.name}-{SNAPSHOT}"
        )
        write_whole(path, json.dumps(whole, default=str, indent=1).encode())
        self.say(f"  written to {contracts.display(self.contract, path)}")
        return [path.name]

    def _told(self, key: str) -> Any:
        read = (one for one in Environments(self.contract).plan(self.name).resources if one.mode == "data")
        prefix, _, attribute = key.rpartition(".")
        source = next((one for one in read if data_source_key(one.address) == prefix), None)
        question = _questions().get(f"{source.type if source else prefix}.{attribute}")
        if question is None:
            return None
        arguments = {given: source.stated(own) if source else None for given, own in question.arguments.items()}
        if not all(isinstance(value, str) for value in arguments.values()):
            return None
        pages = self.ask(question.service, question.operation, arguments, paged=question.paged)
        rows = [row for page in pages for row in jmespath.search(question.found, page) or ()]
        distinct = {"" if question.usual and row[0] in (None, question.usual) else row[0] for row in rows}
        if not distinct and question.usual:
            return ""
        return distinct.pop() if len(distinct) == 1 else None
