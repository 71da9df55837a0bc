"""What `infraspec report metrics` publishes, once for a run: it is no part of the run, so that it cannot change it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

from infraspec import contract as contracts
from infraspec.errors import ContractError, InfraspecError
from infraspec.extras import require
from infraspec.reporting.metrics import Publication, publications
from infraspec.reporting.results_file import read


def metrics(file: Path, infra: Path, *, dry_run: bool) -> Iterator[str]:
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
    from infraspec.aws.failures import failures  # noqa: PLC0415 - boto3 is loaded only to publish
    from infraspec.reporting.narrow import narrow_client  # noqa: PLC0415 - likewise

    client = narrow_client("cloudwatch", "PutMetricData", publication.region, publication.role, publication.policy())
    for request in publication.requests():
        with failures("cloudwatch", "put_metric_data", publication.region):
            client.put_metric_data(**request)
