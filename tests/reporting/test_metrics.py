from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from msgspec.structs import replace

from infraspec import contract as contracts
from infraspec.contract.models import Contract
from infraspec.contract.operations import RUN_METRICS, Metrics
from infraspec.core.errors import InfraspecError, NarrowSessionError
from infraspec.reporting.notify.metrics import BATCH, Datum, Publication, narrow_client, publications
from infraspec.reporting.run.results import Count, Problem, Results
from tests.reporting.history import at

NOW = datetime(2026, 11, 1, 8, 10, tzinfo=UTC)
TEXT = """
[project]
application = "shop"
[environments.dev]
root = "."
account_id = "111122223333"
region = "eu-west-1"
[environments.prod]
root = "."
region = "eu-central-1"
"""
RULES = {"dev": ("secret-access", "names")}


@pytest.fixture
def contract(tmp_path: Path) -> Contract:
    """Return a contract of two environments."""
    (tmp_path / "infraspec.toml").write_text(TEXT, encoding="utf-8")
    (tmp_path / "main.tf").touch()
    return contracts.load(tmp_path)


def values(results: Results, contract: Contract) -> dict[str, float]:
    """Return the metrics of dev by name."""
    (found,) = publications(results, contract, Metrics(), NOW)
    return {one.name: one.value for one in found.data}


def counted(*counts: tuple[str, int, int, int], **changes: object) -> Results:
    """Return a live run of dev with the numbers of some rules: proven, violated, undetermined."""
    found = tuple(Count("dev", rule, proven, violated, doubt, 1, 2) for rule, proven, violated, doubt in counts)
    results = at(1, ran={"dev": ()}, suite="live")
    return replace(results, counts=found, run=replace(results.run, seconds=12.5), **changes)


def broken(test: str) -> Problem:
    """Return a test of dev without a verdict."""
    return Problem("broken", f"test_x.py::{test}[dev]", "dev", "AwsError")


def test_metrics_of_a_run(contract: Contract) -> None:
    """Counts over all rules, the time, the two checks of the requirements, and the share of deployments."""
    results = counted(("secret-access", 3, 1, 1), ("names", 4, 2, 0), ("rollout", 3, 1, 0))

    assert {
        "RunCompleted": 1,
        "Duration": 12.5,
        "Proven": 10,
        "Violated": 4,
        "Undetermined": 1,
        "Waived": 3,
        "Known": 6,
        "Broken": 0,
        "PermissionCheckFailures": 2,
        "ConsistencyCheckFailures": 3,
        "DeploymentSuccessRate": 75,
    } == values(results, contract)


def test_the_names_of_metrics(contract: Contract) -> None:
    """What a run publishes is what the rule `alarms` takes for published."""
    assert RUN_METRICS == set(
        values(counted(("secret-access", 1, 0, 0), ("names", 1, 0, 0), ("rollout", 1, 0, 0)), contract)
    )


def test_what_was_not_looked_at_has_no_metric(contract: Contract) -> None:
    """Zero failures would say that somebody looked: the alarm on missing data goes off instead."""
    found = values(counted(("names", 1, 0, 0)), contract)

    assert "PermissionCheckFailures" not in found
    assert "DeploymentSuccessRate" not in found
    assert 0 == found["ConsistencyCheckFailures"]
    assert "ConsistencyCheckFailures" not in values(counted(("secret-access", 1, 0, 0)), contract)


def test_tests_without_a_verdict_are_failures(contract: Contract) -> None:
    """Each of the check that it is part of."""
    found = values(counted(("names", 1, 0, 0), problems=(broken("test_secret_access"), broken("test_own"))), contract)

    assert (2, 1, 1) == tuple(found[name] for name in ("Broken", "PermissionCheckFailures", "ConsistencyCheckFailures"))


def test_a_part_of_a_run_publishes_nothing(contract: Contract) -> None:
    """A run that ended early is none: its absence is what the dead-man's switch looks for."""
    assert () == publications(at(1, ran=RULES, complete=False), contract, Metrics(), NOW)


def test_namespace_region_and_role(contract: Contract) -> None:
    """Of each environment its own; environments that the contract does not have are left out."""
    table = Metrics(namespace="{application}/{environment}", role="arn:aws:iam::{account_id}:role/{environment}")
    results = at(1, ran={"dev": ("names",), "local": ("names",)})
    (found,) = publications(results, contract, table, NOW)

    assert ("dev", "shop/dev", "eu-west-1", "arn:aws:iam::111122223333:role/dev") == (
        found.environment,
        found.namespace,
        found.region,
        found.role,
    )
    assert '"cloudwatch:namespace": "shop/dev"' in json.dumps(found.policy())


@pytest.mark.parametrize(
    ("table", "text", "message"),
    [
        (Metrics(namespace="AWS/shop"), TEXT, "does not take this namespace"),
        (Metrics(namespace="{team}"), TEXT, "a placeholder has no value"),
        (Metrics(role="arn:aws:iam::{account_id}:role/x"), TEXT.replace("account_id", "#"), "placeholder has no value"),
        (Metrics(), TEXT.replace('region = "eu-west-1"', ""), "where the metrics go is unknown"),
    ],
)
def test_where_they_cannot_go(tmp_path: Path, table: Metrics, text: str, message: str) -> None:
    """The error comes before anything is published."""
    (tmp_path / "infraspec.toml").write_text(text, encoding="utf-8")
    (tmp_path / "main.tf").touch()

    with pytest.raises(InfraspecError, match=message):
        publications(at(1, ran=RULES), contracts.load(tmp_path), table, NOW)


@pytest.mark.parametrize("now", [NOW + timedelta(days=14), NOW - timedelta(hours=3)])
def test_times_that_cloudwatch_does_not_take(contract: Contract, now: datetime) -> None:
    """Two weeks back and two hours ahead."""
    with pytest.raises(InfraspecError, match="accepts no metrics with this time"):
        publications(at(1, ran=RULES), contract, Metrics(), now)


@pytest.mark.parametrize(("number", "sizes"), [(1, [1]), (BATCH, [BATCH]), (BATCH + 1, [BATCH, 1])])
def test_requests_are_no_larger_than_allowed(number: int, sizes: list[int]) -> None:
    """A thousand metrics a call, each with its two dimensions, time and unit."""
    data = tuple(Datum(f"m{at}", at) for at in range(number))
    requests = list(Publication("dev", "shop-dev", "eu-west-1", None, "live", NOW, data).requests())

    assert sizes == [len(request["MetricData"]) for request in requests]
    assert {
        "MetricName": "m0",
        "Value": 0,
        "Unit": "Count",
        "Timestamp": NOW,
        "Dimensions": [{"Name": "Environment", "Value": "dev"}, {"Name": "Suite", "Value": "live"}],
    } == requests[0]["MetricData"][0]


@pytest.mark.parametrize("role", [None, "arn:aws:iam::123456789012:role/metrics"])
def test_the_client_can_do_one_thing(moto: str, role: str | None) -> None:
    """Everything but the one operation is refused before it is sent, with and without a role."""
    client = narrow_client("cloudwatch", "PutMetricData", "eu-west-1", role, {"Version": "2012-10-17"})

    client.put_metric_data(Namespace="x", MetricData=[{"MetricName": "m", "Value": 1}])
    with pytest.raises(NarrowSessionError, match="ListMetrics is called on a client for PutMetricData"):
        client.list_metrics()
    with pytest.raises(NarrowSessionError):
        client.delete_alarms(AlarmNames=["a"])
