"""Every question is asked once, with all its pages, and what AWS does not answer is an error that says what to do."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, timedelta
from secrets import token_hex
from typing import Any

import pytest
from boto3.session import Session
from botocore.exceptions import ClientError, EndpointConnectionError, NoCredentialsError
from botocore.parsers import ResponseParserError

from infraspec.aws.calls import Calls, Question
from infraspec.aws.session import CallerIdentity, Clients
from infraspec.aws.snapshot import Snapshot, is_shared
from infraspec.core.errors import AwsError, CredentialsError, ResourceRefusalError, RunnerPermissionError
from infraspec.resource_types.listing import Batch
from tests.aws.moto_server import ACCOUNT, REGION

IDENTITY = CallerIdentity(ACCOUNT, "aws", f"arn:aws:sts::{ACCOUNT}:assumed-role/runner/1")
DENIED = (
    f"User: {IDENTITY.arn} is not authorized to perform: ecs:ListClusters on resource: "
    f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/* because no identity-based policy allows the ecs:ListClusters action"
)


class Fake:
    """A client that answers one operation from a function and counts."""

    def __init__(self, answer: Callable[..., Mapping[str, Any]]) -> None:
        self.answer = answer
        self.calls: list[Mapping[str, Any]] = []

    def client(self, *_: str | None) -> Fake:
        """Stand for the client of every service."""
        return self

    def can_paginate(self, _operation: str) -> bool:
        """Leave paging to the snapshot."""
        return False

    def __getattr__(self, operation: str) -> Callable[..., Mapping[str, Any]]:
        def call(**parameters: Any) -> Mapping[str, Any]:
            self.calls.append(parameters)
            return self.answer(**parameters)

        return call


def snapshot_of(fake: Fake) -> Snapshot:
    """Return a snapshot of a fake client."""
    clients = Clients(REGION)
    clients.client = fake.client  # type: ignore[method-assign,assignment] # the fake stands for every client
    return Snapshot(clients, IDENTITY)


def failing(error: Exception) -> Fake:
    """Return a client that raises."""

    def answer(**_: Any) -> Mapping[str, Any]:
        raise error

    return Fake(answer)


def client_error(code: str, message: str = "", status: int = 400) -> ClientError:
    """Return what botocore raises for an error of AWS."""
    response: Any = {
        "Error": {"Code": code, "Message": message},
        "ResponseMetadata": {"HTTPStatusCode": status, "RetryAttempts": 0},
    }
    return ClientError(response, "Operation")


def test_snapshot_is_calls() -> None:
    """A snapshot is what live models take."""
    calls: Calls = snapshot_of(Fake(dict))

    assert (ACCOUNT, "aws", REGION) == (calls.account, calls.partition, calls.region)


def test_services_are_described_ten_at_a_time_and_once(moto: str) -> None:
    """23 services cost ⌈23/10⌉ describe_services, however often they are asked for."""
    clients = Clients(REGION, is_local=True)
    seen: list[str] = []
    events = clients.client("ecs").meta.events
    events.register("before-call.ecs", lambda model, **_: seen.append(model.name))
    ecs = Session(region_name=REGION).client("ecs")
    ecs.create_cluster(clusterName="main")
    ecs.register_task_definition(family="app", containerDefinitions=[{"name": "app", "image": "app", "memory": 128}])
    for number in range(23):
        ecs.create_service(cluster="main", serviceName=f"app-{number}", taskDefinition="app", desiredCount=1)

    snapshot = Snapshot(clients, CallerIdentity.of(clients))
    for _ in range(3):
        names = snapshot.pages("ecs", "list_services", "serviceArns", cluster="main")
        batch = Batch("DescribeServices", "services", "services", 10)
        found = snapshot.batches("ecs", batch, names, cluster="main")

    assert {f"app-{number}" for number in range(23)} == {service["serviceName"] for service in found}
    assert 3 == seen.count("DescribeServices")
    assert seen.count("ListServices") <= 3


def test_times_are_aware_and_in_utc(moto: str) -> None:
    """Times of an answer are aware datetimes in UTC, and nothing of the transport is left in it."""
    Session(region_name=REGION).client("secretsmanager").create_secret(Name="db", SecretString="x")
    clients = Clients(REGION, is_local=True)

    answer = Snapshot(clients, CallerIdentity.of(clients)).ask("secretsmanager", "describe_secret", SecretId="db")

    assert answer is not None
    assert timedelta(0) == answer["CreatedDate"].utcoffset()
    assert UTC == answer["CreatedDate"].tzinfo
    assert "ResponseMetadata" not in answer


def test_what_is_absent_is_none() -> None:
    """A code that the caller takes for "there is none" is None, and is asked once; any other is an error."""
    fake = failing(client_error("ResourceNotFoundException", "no such secret"))
    snapshot = snapshot_of(fake)
    absent = ("ResourceNotFoundException",)

    for _ in range(2):
        assert snapshot.ask("secretsmanager", "describe_secret", absent=absent, SecretId="x") is None
    assert 1 == len(fake.calls)
    assert () == snapshot.pages("secretsmanager", "list_secret_version_ids", "Versions", absent=absent, SecretId="x")
    with pytest.raises(AwsError, match="ResourceNotFoundException: no such secret"):
        snapshot.ask("secretsmanager", "describe_secret", SecretId="x")


def test_tokens_without_a_paginator_are_followed() -> None:
    """An operation that botocore cannot page is paged by its token."""
    pages: dict[str | None, dict[str, Any]] = {
        None: {"serviceDeployments": [1, 2], "nextToken": "a"},
        "a": {"serviceDeployments": [3], "nextToken": "b"},
        "b": {"serviceDeployments": [4]},
    }
    fake = Fake(lambda **parameters: pages[parameters.get("nextToken")])

    found = snapshot_of(fake).pages("ecs", "list_service_deployments", "serviceDeployments", service="app")

    assert (1, 2, 3, 4) == found
    assert 3 == len(fake.calls)


@pytest.mark.parametrize(("token", "found"), [(lambda: "a", "the same token twice"), (token_hex, "10000 pages")])
def test_pages_that_do_not_end_are_an_error(token: Callable[[], str], found: str) -> None:
    """A service that answers with a token for ever is not asked for ever, and what it has said so far is not all."""
    fake = Fake(lambda **_: {"serviceDeployments": [1], "nextToken": token()})

    with pytest.raises(AwsError, match="pages that do not end") as raised:
        snapshot_of(fake).pages("ecs", "list_service_deployments", "serviceDeployments", service="app")
    assert found in raised.value.found


@pytest.mark.parametrize(
    ("code", "message", "action", "resource"),
    [
        ("AccessDeniedException", DENIED, "ecs:ListClusters", f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/*"),
        ("AccessDenied", "Access Denied", "s3:GetEncryptionConfiguration", "*"),
        ("UnauthorizedOperation", "You are not authorized to perform this operation.", "ec2:DescribeVpcs", "*"),
    ],
)
def test_what_the_runner_may_not_ask(code: str, message: str, action: str, resource: str) -> None:
    """A denial names action and resource and has the statement to paste; it is asked once."""
    operation = {"s3": ("s3", "get_bucket_encryption"), "ec2": ("ec2", "describe_vpcs")}.get(
        action.partition(":")[0], ("ecs", "list_clusters")
    )
    fake = failing(client_error(code, message))
    snapshot = snapshot_of(fake)

    for _ in range(2):
        with pytest.raises(RunnerPermissionError) as caught:
            snapshot.ask(*operation)

    assert f"the runner may not {action}" in str(caught.value)
    assert f'"Resource": "{resource}"' in str(caught.value)
    assert 1 == len(fake.calls)


@pytest.mark.parametrize(
    ("error", "kind", "words"),
    [
        (client_error("ExpiredToken", "The security token included in the request is expired"), "", "have expired"),
        (client_error("UnrecognizedClientException", "invalid"), "", "does not know these credentials"),
        (NoCredentialsError(), "", "there are no AWS credentials"),
    ],
)
def test_credentials(error: Exception, kind: str, words: str) -> None:
    """Credentials that are missing, expired or wrong are errors of their own, with what to do."""
    with pytest.raises(CredentialsError, match=words) as caught:
        snapshot_of(failing(error)).ask("ecs", "list_clusters")

    assert caught.value.remedy


@pytest.mark.parametrize(
    "error",
    [EndpointConnectionError(endpoint_url="https://ecs.example"), client_error("ThrottlingException", "slow", 429)],
)
def test_what_does_not_answer_is_asked_once(error: Exception) -> None:
    """An error of the connection is one of AWS, and the tests after it do not wait for it again."""
    fake = failing(error)
    snapshot = snapshot_of(fake)

    for _ in range(2):
        with pytest.raises(AwsError, match=r"ecs\.list_clusters in eu-west-1: AWS did not answer"):
            snapshot.ask("ecs", "list_clusters")

    assert 1 == len(fake.calls)


def test_a_page_of_html_is_no_answer() -> None:
    """Something else than AWS has answered; what it wrote is not shown."""
    error = ResponseParserError("Unable to parse response, invalid XML received: b'<!DOCTYPE html><p>canary</p>'")

    with pytest.raises(AwsError, match=r"ecs\.list_clusters in eu-west-1: what answers is not AWS") as caught:
        snapshot_of(failing(error)).ask("ecs", "list_clusters")

    assert caught.value.remedy
    assert "canary" not in str(caught.value)


def test_other_region_is_another_question() -> None:
    """The region is part of the question."""
    fake = Fake(lambda **_: {"Vpcs": []})
    snapshot = snapshot_of(fake)

    snapshot.pages("ec2", "describe_vpcs", "Vpcs")
    snapshot.pages("ec2", "describe_vpcs", "Vpcs", region=REGION)
    snapshot.pages("ec2", "describe_vpcs", "Vpcs", region="us-east-1")

    assert 2 == len(fake.calls)


@pytest.mark.parametrize("operation", ["list_subscriptions_by_topic", "get_object"])
def test_what_may_hold_secrets_stays_in_the_process(operation: str) -> None:
    """Also what is no read of the suite's own, and a contract allows."""
    service = "s3" if operation == "get_object" else "sns"

    assert not is_shared(Question(service, operation, REGION, "", (), {}))


@pytest.mark.parametrize(
    ("why", "words"),
    [
        ("because no resource-based policy allows the kms:DescribeKey action", "the resource-based policy denies"),
        ("with an explicit deny in a resource-based policy", "out of the Deny: it is in a policy of the kind resource"),
        ("because no session policy allows the kms:DescribeKey action", "the session policy denies"),
        ("because no permissions boundary allows the kms:DescribeKey action", "the permissions boundary denies"),
        ("with an explicit deny in a service control policy", "out of the Deny: it is in a policy of the kind service"),
        ("because no identity-based policy allows the kms:DescribeKey action", '"Action": "kms:DescribeKey"'),
    ],
)
def test_the_remedy_is_of_the_policy_that_keeps_the_runner_out(why: str, words: str) -> None:
    """A statement in its own policy does not help against that of a key, a boundary or a Deny."""
    message = (
        f"User: {IDENTITY.arn} is not authorized to perform: kms:DescribeKey on resource: arn:aws:kms:::key/1 {why}"
    )

    with pytest.raises(RunnerPermissionError) as caught:
        snapshot_of(failing(client_error("AccessDeniedException", message))).ask("kms", "describe_key", KeyId="1")

    assert words in caught.value.remedy
    assert isinstance(caught.value, ResourceRefusalError) is ("resource-based" in why)


@pytest.mark.parametrize(
    ("caller", "principal"),
    [(IDENTITY.arn, f"arn:aws:iam::{ACCOUNT}:role/runner"), (f"arn:aws:iam::{ACCOUNT}:user/me",) * 2],
)
@pytest.mark.parametrize(
    ("target", "why", "form"),
    [
        (
            "arn:aws:ecr:eu-west-1:111122223333:repository/web",
            "with an explicit deny in a resource-based policy",
            '{"Condition": {"ArnNotEquals": {"aws:PrincipalArn": "RUNNER"}}}',
        ),
        (
            "arn:aws:ecr:eu-west-1:111122223333:repository/web",
            "because no resource-based policy allows the ecr:DescribeImages action",
            '{"Effect": "Allow", "Principal": {"AWS": "RUNNER"}, "Action": "ecr:DescribeImages"}',
        ),
        (
            '"arn:aws:s3:::app"',
            "because no resource-based policy allows the s3:GetBucketPolicy action",
            (
                '{"Effect": "Allow", "Principal": {"AWS": "RUNNER"}, "Action": "ecr:DescribeImages", '
                '"Resource": "arn:aws:s3:::app"}'
            ),
        ),
    ],
)
def test_the_remedy_has_what_lets_the_runner_in(caller: str, principal: str, target: str, why: str, form: str) -> None:
    """A policy of a resource gets a statement, or an exception to its Deny, for the role and not for its session."""
    message = f"User: {caller} is not authorized to perform: ecr:DescribeImages on resource: {target} {why}"

    with pytest.raises(ResourceRefusalError) as caught:
        snapshot_of(failing(client_error("AccessDeniedException", message))).ask("ecr", "describe_images")

    assert json.loads(form.replace("RUNNER", principal)) == json.loads(caught.value.remedy.partition("\n")[2])
