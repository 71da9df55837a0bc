"""`infraspec report notify` and `metrics`: channels are told what has changed, CloudWatch how many findings there are.

They are no part of the run, so that they cannot change its outcome. What was not delivered is told after the next run;
what was not published is lost, and an error.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path

import click
from msgspec.structs import replace

from infraspec import contract as contracts
from infraspec.cli.common import DRY_RUN, INFRA_BRIEF, PATH, RESULTS, echo, reported
from infraspec.contract.models import Contract
from infraspec.contract.operations import NotificationChannel, Notifications
from infraspec.core.errors import ContractError, InfraspecError, ReportError
from infraspec.core.runtime import require
from infraspec.reporting.language import speaking
from infraspec.reporting.notify.metrics import Publication, filled, narrow_client, publications
from infraspec.reporting.notify.notices import (
    Message,
    NoticeChange,
    changes,
    digest,
    followed,
    masked,
    notices,
    remember,
    remembered,
    send_by_topic,
    send_by_url,
    singles,
)
from infraspec.reporting.run.recorder import REPOSITORY
from infraspec.reporting.run.results import read


@click.command()
@RESULTS
@INFRA_BRIEF
@click.option("--store", type=PATH, required=True, help="Folder that records what was sent to each channel.")
@DRY_RUN
@reported
def notify(results: Path, infra: Path, store: Path, dry_run: bool) -> None:  # noqa: FBT001 - click passes by name
    """Notify the channels of [notifications] of what has changed since the last time.

    \b
    infraspec report notify --store history infraspec-results.json

    Messages that cannot be delivered are reported, and sent again after the next run; the exit code stays 0.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    for line in tell(results, infra, store, dry_run=dry_run):
        echo(line)


def tell(file: Path, infra: Path, store: Path, *, dry_run: bool) -> Iterator[str]:
    """Tell every channel what has changed, or only say what would be told; return lines that say what was done.

    Raises errors of the contract, the file and the store. What cannot be delivered is a line.
    """
    results = read(file)
    contract = contracts.load(infra, environments=[])
    table = contract.notifications
    if table is None:
        raise ContractError(
            "the contract has no channels to notify",
            place=str(contract.path),
            remedy='[notifications.channels.chat]\nurl_variable = "CHAT_URL"',
        )
    memory = remembered(store)
    known = dict(memory.channels)
    names = {*contract.environments, REPOSITORY}
    now = notices(results, table.levels, contract.environments)
    for name, channel in table.channels.items():
        told = [one for one in followed(known.get(name, ()), results) if one.environment in names]
        found = list(changes(told, now, results, channel.levels))
        if not found:
            yield f"{name}: nothing has changed"
        for change in found:
            with speaking(results.run.language):
                messages = _messages(change, channel, contract)
            if dry_run:
                yield from (f"{name}: {one.title}\n{_indented(one.body)}" for one in messages)
                continue
            try:
                for message in messages:
                    _send(channel, message, change.environment, contract, table)
            except InfraspecError as error:
                variables = filter(None, (one.url_variable for one in table.channels.values()))
                secrets = [os.environ.get(variable, "") for variable in variables]
                yield masked(f"{name}: NOT DELIVERED: {type(error).__name__}: {error}", secrets)
            else:
                told = [one for one in told if one.environment != change.environment] + list(change.open)
                yield from (f"{name}: {message.title}" for message in messages)
        known[name] = tuple(told)
    if not dry_run:
        remember(replace(memory, channels={name: known[name] for name in table.channels}), store)


def _messages(change: NoticeChange, channel: NotificationChannel, contract: Contract) -> Sequence[Message]:
    application = contract.project.application
    found = list(singles(change, application)) if channel.each else [digest(change, application)]
    return [replace(one, title=masked(one.title), body=masked(one.body)) for one in found]


def _send(
    channel: NotificationChannel, message: Message, environment: str, contract: Contract, table: Notifications
) -> None:
    if channel.url_variable:
        send_by_url(_url(channel.url_variable, contract), message, channel.url_variable)
    elif channel.topic:
        of = environment if environment in contract.environments else next(iter(contract.environments))
        role = filled(table.role, contract, of) if table.role else None
        send_by_topic(filled(channel.topic, contract, of), role, message)


def _url(variable: str, contract: Contract) -> str:
    url = os.environ.get(variable, "").strip()
    if not url:
        raise ContractError(
            f"the environment variable {variable} is not set",
            place=str(contract.path),
            expected="the channel's apprise URL",
            remedy=f"export {variable}=…, in a workflow from its secrets",
        )
    return url


def _indented(text: str) -> str:
    return "\n".join(f"    {line}".rstrip() for line in text.splitlines())


@click.command()
@RESULTS
@INFRA_BRIEF
@DRY_RUN
@click.option("--best-effort", is_flag=True, help="Exit with 0 even if something could not be published.")
@reported
def metrics(results: Path, infra: Path, dry_run: bool, best_effort: bool) -> None:  # noqa: FBT001 - click passes by name
    """Publish the numbers of a run as CloudWatch metrics, as configured in [metrics] of the contract.

    \b
    infraspec report metrics infraspec-results.json

    A metric that cannot be published is an error, after the others are published: otherwise nobody would notice before
    the alarm on missing runs. An incomplete run publishes nothing.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    for line in publish(results, infra, dry_run=dry_run, best_effort=best_effort):
        echo(line)


def publish(file: Path, infra: Path, *, dry_run: bool, best_effort: bool = False) -> Iterator[str]:
    """Publish the metrics of a run, or only say what would be; return lines that say what was done.

    Raises errors of the contract and of the file, and at the end, unless it is best effort, ReportError if a run was
    not whole or AWS refused anything.
    """
    results = read(file)
    contract = contracts.load(infra, environments=[])
    if contract.metrics is None:
        raise ContractError(
            "the contract has no table [metrics]", place=str(contract.path), remedy="add the table\n[metrics]"
        )
    found = publications(results, contract, contract.metrics, datetime.now(tz=UTC))
    missing = []
    if not results.run.complete:
        missing.append("the run is incomplete")
        yield "nothing is published: the run is incomplete"
    for name in results.run.environments:
        if name not in contract.environments:
            yield f"{name}: not published: not an environment of the contract"
    for publication in found:
        where = f"{publication.environment}: {publication.namespace} in {publication.region}"
        said = ", ".join(f"{one.name} {one.value:g}" for one in publication.data)
        if dry_run:
            yield f"{where}: {said}"
            continue
        try:
            _publish(publication)
        except InfraspecError as error:
            missing.append(f"{publication.environment}: {type(error).__name__}")
            yield f"{where}: NOT PUBLISHED: {type(error).__name__}: {error}"
        else:
            yield f"{where}: published {said}"
    if missing and not (best_effort or dry_run):
        raise ReportError(
            "the metrics are not published",
            place=str(file),
            expected="the numbers of each environment published to CloudWatch",
            found="; ".join(missing),
            remedy="fix the errors above, or continue without metrics: --best-effort",
        )


def _publish(publication: Publication) -> None:
    require("live", "publishing metrics")
    from infraspec.aws.failures import failures  # noqa: PLC0415 - boto3 is optional

    client = narrow_client("cloudwatch", "PutMetricData", publication.region, publication.role, publication.policy())
    for request in publication.requests():
        with failures("cloudwatch", "put_metric_data", publication.region):
            client.put_metric_data(**request)
