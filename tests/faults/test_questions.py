"""A question whose answer is disturbed for a while is answered as ever; one that stays so ends in a named error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from infraspec.aws.snapshot import Snapshot
from infraspec.core.errors import AwsError, CredentialsError
from infraspec.sandbox.running import Running
from tests.faults.proxy import FAULTS, HIDDEN, Proxy

QUESTIONS: dict[str, tuple[str, str, str, dict[str, Any]]] = {
    "json": ("ecs", "list_clusters", "clusterArns", {}),
    "query": ("iam", "list_roles", "Roles", {}),
    "ec2": ("ec2", "describe_vpcs", "Vpcs", {}),
    "rest-xml": ("s3", "list_buckets", "Buckets", {}),
    "rest-json": ("lambda", "list_functions", "Functions", {}),
}
"""An operation of each protocol that AWS speaks: a repository's own rules may read more than the suite does."""
LASTING = sorted(set(FAULTS) - {"expired", "slow"})


def _answer(snapshot: Snapshot, protocol: str) -> tuple[Any, ...]:
    service, operation, key, parameters = QUESTIONS[protocol]
    return snapshot.pages(service, operation, key, **parameters)


def _assert_passes(faulty: Proxy, ask: Callable[[], Snapshot], protocol: str) -> None:
    fault, faulty.fault = faulty.fault, ""
    expected = _answer(ask(), protocol)
    ((operation, before),) = faulty.asked.items()
    faulty.fault, faulty.times = fault, before + 1

    assert expected == _answer(ask(), protocol)
    assert before + before + 1 == faulty.asked[operation]


@pytest.mark.parametrize("protocol", QUESTIONS)
@pytest.mark.parametrize("fault", LASTING)
def test_passing_fault(faulty: Proxy, ask: Callable[[], Snapshot], fault: str, protocol: str) -> None:
    """Whatever happens to an answer once, the question is asked again and answered as without it."""
    faulty.fault = fault
    _assert_passes(faulty, ask, protocol)


def test_answer_that_is_late_once(faulty: Proxy, ask_within: Callable[[float], Callable[[], Snapshot]]) -> None:
    """A question that is not answered in time is asked again."""
    faulty.fault = "slow"
    _assert_passes(faulty, ask_within(1), "json")


def test_answers_that_are_all_late(faulty: Proxy, ask_within: Callable[[float], Callable[[], Snapshot]]) -> None:
    """An AWS that takes its time for ever does not take the suite's."""
    faulty.fault, faulty.times = "slow", float("inf")
    with pytest.raises(AwsError, match="ReadTimeoutError: Read timeout on endpoint URL"):
        _answer(ask_within(0.1)(), "json")


@pytest.mark.parametrize("protocol", QUESTIONS)
@pytest.mark.parametrize("fault", LASTING)
def test_lasting_fault(faulty: Proxy, ask: Callable[[], Snapshot], fault: str, protocol: str) -> None:
    """What stays so is an error that names operation and cause, and nothing of what was answered."""
    faulty.fault, faulty.times = fault, float("inf")
    with pytest.raises(AwsError) as raised:
        _answer(ask(), protocol)

    service, operation, *_ = QUESTIONS[protocol]
    assert f"{service}.{operation} in " in str(raised.value)
    assert raised.value.found
    assert HIDDEN not in str(raised.value)


@pytest.mark.parametrize("protocol", QUESTIONS)
def test_credentials_that_expire(faulty: Proxy, ask: Callable[[], Snapshot], protocol: str) -> None:
    """Credentials that expire while the suite runs are told from an AWS that does not answer."""
    faulty.fault, faulty.times = "expired", float("inf")
    with pytest.raises(CredentialsError, match="the AWS credentials have expired"):
        _answer(ask(), protocol)

    assert [1] == list(faulty.asked.values())


def test_outage_is_waited_for_once(faulty: Proxy, ask: Callable[[], Snapshot]) -> None:
    """Behind an address that does not answer no further question waits; it says which one did."""
    faulty.fault, faulty.times = "reset", float("inf")
    snapshot = ask()
    with pytest.raises(AwsError, match="AWS did not answer"):
        snapshot.ask("ecs", "list_clusters")
    with pytest.raises(AwsError, match=r"rds\.describe_db_instances .*since it did not answer ecs\.list_clusters"):
        snapshot.ask("rds", "describe_db_instances")

    assert {"ListClusters": 3} == faulty.asked


def test_throttled_operation_is_waited_for_once(faulty: Proxy, ask: Callable[[], Snapshot]) -> None:
    """An operation that stays throttled is not asked for other parameters; another of the service is."""
    faulty.fault, faulty.times, faulty.operations = "throttled", float("inf"), frozenset({"ListServices"})
    snapshot = ask()
    with pytest.raises(AwsError, match="asked 3 times"):
        snapshot.ask("ecs", "list_services", cluster="one")
    with pytest.raises(AwsError, match="not asked, since it did not answer the same operation"):
        snapshot.ask("ecs", "list_services", cluster="two")

    assert snapshot.ask("ecs", "list_clusters")
    assert {"ListServices": 3, "ListClusters": 1} == faulty.asked


def test_object_that_breaks_off(sandbox: Running, faulty: Proxy, ask_as_operator: Callable[[], Snapshot]) -> None:
    """An object of a bucket, which botocore hands out as a stream, is asked for again."""
    s3 = sandbox.account.client("s3")
    s3.create_bucket(Bucket="faults", CreateBucketConfiguration={"LocationConstraint": sandbox.account.region})
    try:
        s3.put_object(Bucket="faults", Key="state", Body=b"x" * 1000)
        faulty.fault, faulty.times = "broken off", 1
        answer = ask_as_operator().ask("s3", "get_object", Bucket="faults", Key="state")
    finally:
        s3.delete_object(Bucket="faults", Key="state")
        s3.delete_bucket(Bucket="faults")

    assert answer is not None
    assert b"x" * 1000 == answer["Body"]
