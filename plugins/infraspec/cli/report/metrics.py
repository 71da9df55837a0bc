"""`infraspec report metrics`: it publishes a run once, and is no part of it, so that it cannot change it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import click

from infraspec import contract as contracts
from infraspec.cli.common import DRY_RUN, INFRA_BRIEF, RESULTS, reported
from infraspec.core.errors import ContractError, InfraspecError
from infraspec.core.runtime import require
from infraspec.reporting.notify.metrics import Publication, publications
from infraspec.reporting.run.results import read


@click.command()
@RESULTS
@INFRA_BRIEF
@DRY_RUN
@reported
def metrics(results: Path, infra: Path, dry_run: bool) -> None:  # noqa: FBT001 - click passes by name
    """Publish the numbers of a run as metrics of CloudWatch, as [metrics] of the contract says.

    \b
    infraspec report metrics infraspec-results.json

    A run that is not whole publishes nothing. What AWS refuses is said, and the exit code stays 0.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    for line in publish(results, infra, dry_run=dry_run):
        click.echo(line)


def publish(file: Path, infra: Path, *, dry_run: bool) -> Iterator[str]:
    """Publish the metrics of a run, or only say what would be; return lines that say what was done.

    Raises errors of the contract and of the file. What AWS refuses is a line: it must not end a workflow.
    """
    results = read(file)
    contract = contracts.load(infra, environments=[])
    if contract.metrics is None:
        raise ContractError(
            "the contract does not say where metrics go", place=str(contract.path), remedy="add the table\n[metrics]"
        )
    found = publications(results, contract, contract.metrics, datetime.now(tz=UTC))
    if not results.run.complete:
        yield "nothing is published: the run is not whole"
    for name in results.run.environments:
        if name not in contract.environments:
            yield f"{name}: not published, it is no environment of the contract"
    for publication in found:
        where = f"{publication.environment}: {publication.namespace} in {publication.region}"
        said = ", ".join(f"{one.name} {one.value:g}" for one in publication.data)
        if dry_run:
            yield f"{where}: {said}"
            continue
        try:
            _publish(publication)
        except InfraspecError as error:
            yield f"{where}: NOT PUBLISHED: {type(error).__name__}: {error}"
        else:
            yield f"{where}: published {said}"


def _publish(publication: Publication) -> None:
    require("live", "publishing metrics")
    from infraspec.aws.failures import failures  # noqa: PLC0415 - boto3 is optional
    from infraspec.reporting.notify.metrics import narrow_client  # noqa: PLC0415 - likewise

    client = narrow_client("cloudwatch", "PutMetricData", publication.region, publication.role, publication.policy())
    for request in publication.requests():
        with failures("cloudwatch", "put_metric_data", publication.region):
            client.put_metric_data(**request)
