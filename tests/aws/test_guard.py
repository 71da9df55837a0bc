"""Only reads leave the process, whichever way a session is made, and values of secrets where the contract opts in."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from typing import Any

import boto3
import botocore.session
import pytest

from infraspec.aws.commands import CommandOutcome, Commands
from infraspec.aws.guard import GUARD
from infraspec.aws.runner_policy import CANARY, COMMANDS
from infraspec.aws.secret_values import SecretShape, SecretValues
from infraspec.aws.session import Clients
from infraspec.core.errors import GuardError
from tests.aws.moto_server import ACCOUNT, REGION

TOPIC = f"arn:aws:sns:{REGION}:{ACCOUNT}:critical"
SESSIONS: dict[str, Callable[[str], Any]] = {
    "default": lambda service: boto3.client(service, region_name=REGION),
    "session": lambda service: boto3.Session(region_name=REGION).client(service),
    "botocore": lambda service: botocore.session.get_session().create_client(service, region_name=REGION),
    "resource": lambda service: boto3.resource(service, region_name=REGION).meta.client,
    "ours": lambda service: Clients(REGION, is_local=True).client(service),
}


@pytest.fixture
def guard() -> Iterator[None]:
    """Arm the guard for one test; boto3's default session does not outlive it."""
    levels = {
        name: logging.getLogger(name).level for name in ("boto3", "botocore", "s3transfer", "testinfra", "urllib3")
    }
    GUARD.arm()
    yield
    GUARD.disarm()
    boto3.DEFAULT_SESSION = None
    for name, level in levels.items():
        logging.getLogger(name).setLevel(level)


@pytest.mark.parametrize("kind", SESSIONS)
def test_writes_do_not_leave_the_process(moto: str, guard: None, kind: str) -> None:
    """A write raises GuardError, which says how to allow a read; a read is answered."""
    client = SESSIONS[kind]("sns" if kind == "resource" else "ecs")
    write, read = ("create_topic", "list_topics") if kind == "resource" else ("create_cluster", "list_clusters")
    parameters = {"Name": "t"} if kind == "resource" else {}

    with pytest.raises(GuardError, match="the live suite only reads") as caught:
        getattr(client, write)(**parameters)

    assert "reads = [" in caught.value.remedy
    assert 200 == getattr(client, read)()["ResponseMetadata"]["HTTPStatusCode"]


def test_nothing_is_signed_either(moto: str, guard: None) -> None:
    """No URL is made with which somebody else could write."""
    client = boto3.client("s3", region_name=REGION)

    with pytest.raises(GuardError):
        client.generate_presigned_url("put_object", Params={"Bucket": "b", "Key": "k"})


def test_default_session_of_before_is_forgotten(moto: str) -> None:
    """boto3's default session, made before the guard was armed, is not used after."""
    boto3.client("ecs", region_name=REGION)
    assert boto3.DEFAULT_SESSION is not None
    GUARD.arm()
    try:
        with pytest.raises(GuardError):
            boto3.client("ecs", region_name=REGION).create_cluster()
    finally:
        GUARD.disarm()
        boto3.DEFAULT_SESSION = None


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("secretsmanager", "get_secret_value", {"SecretId": "db"}),
        ("secretsmanager", "batch_get_secret_value", {"SecretIdList": ["db"]}),
        ("ssm", "get_parameter", {"Name": "/db", "WithDecryption": True}),
        ("ssm", "get_parameters_by_path", {"Path": "/"}),
        ("ecr", "get_authorization_token", {}),
        ("sts", "get_session_token", {}),
        ("ecs", "execute_command", {"task": "t", "command": "sh", "interactive": True}),
    ],
)
def test_reads_that_hand_out_secrets(moto: str, guard: None, service: str, operation: str, parameters: Any) -> None:
    """An operation that is named as a read and returns secrets or credentials is none."""
    with pytest.raises(GuardError):
        getattr(boto3.client(service, region_name=REGION), operation)(**parameters)


def test_reads_of_the_contract(moto: str, guard: None) -> None:
    """The contract can allow further reads."""
    client = boto3.client("glue", region_name=REGION)
    with pytest.raises(GuardError, match="glue:GetDatabases"):
        client.get_databases()

    GUARD.allow(reads=["glue:GetDatabases"])

    assert [] == client.get_databases()["DatabaseList"]


def test_permitted_sessions(moto: str, guard: None) -> None:
    """A session that is made for an operation may ask it and no other; one made outside may not."""
    with GUARD.permitting("cloudwatch:PutMetricData"):
        publisher = boto3.Session(region_name=REGION).client("cloudwatch")
    metric: Any = {"Namespace": "n", "MetricData": [{"MetricName": "m", "Value": 1}]}

    publisher.put_metric_data(**metric)

    with pytest.raises(GuardError):
        publisher.delete_alarms(AlarmNames=["a"])
    with pytest.raises(GuardError):
        boto3.Session(region_name=REGION).client("cloudwatch").put_metric_data(**metric)


def test_all_is_permitted_to_who_fills_the_sandbox(moto: str, guard: None) -> None:
    """What starts the sandbox writes to it."""
    with GUARD.permitting():
        session = boto3.Session(region_name=REGION)

    session.client("ecs").create_cluster(clusterName="main")


def test_bodies_of_answers_are_not_logged(moto: str, guard: None, caplog: pytest.LogCaptureFixture) -> None:
    """With the root logger at DEBUG, nothing of botocore and urllib3 is logged."""
    caplog.set_level(logging.DEBUG)
    boto3.client("ecs", region_name=REGION).list_clusters()

    assert not [record for record in caplog.records if record.levelno < logging.WARNING and record.name != "asyncio"]


@pytest.fixture
def secrets(moto: str) -> dict[str, str]:
    """Make secrets, and return their ARNs by name."""
    values = {"object": '{"user": "a", "password": "hunter2"}', "text": "hunter2", "list": '["hunter2"]', "other": "x"}
    client = boto3.Session(region_name=REGION).client("secretsmanager")
    arns = {name: client.create_secret(Name=f"shop/{name}", SecretString=text)["ARN"] for name, text in values.items()}
    parameters = boto3.Session(region_name=REGION).client("ssm")
    parameters.put_parameter(Name="/shop/url", Value="hunter2", Type="SecureString")
    return {**arns, "parameter": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/shop/url"}


@pytest.mark.parametrize(
    ("name", "shape"),
    [
        ("object", SecretShape(is_readable=True, is_object=True, keys=("user", "password"))),
        ("text", SecretShape(is_readable=True)),
        ("list", SecretShape(is_readable=True)),
    ],
)
def test_shape_of_a_secret(secrets: dict[str, str], guard: None, name: str, shape: SecretShape) -> None:
    """Of an opted-in secret is told whether it is a JSON object, and its keys; never a value."""
    pattern = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:shop/{name}*"
    GUARD.allow(secrets=[pattern])
    values = SecretValues(Clients(REGION, is_local=True), [pattern])

    assert shape == values.shape(secrets[name])
    assert values.shape(secrets["other"]) is None
    assert "hunter2" not in repr(values)


def test_secret_that_cannot_be_read(secrets: dict[str, str], guard: None) -> None:
    """What cannot be read has AWS's error code, and raises nothing."""
    pattern = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:shop/*"
    GUARD.allow(secrets=[pattern])
    values = SecretValues(Clients(REGION, is_local=True), [pattern])

    gone = values.shape(secrets["text"].replace("shop/text", "shop/gone"))

    assert SecretShape(is_readable=False, code="ResourceNotFoundException") == gone


def test_interruption_leaves_without_the_value(secrets: dict[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Ctrl-C while a value is looked at shows no frame that holds it."""

    def interrupt(_text: str) -> None:
        raise KeyboardInterrupt

    monkeypatch.setattr("infraspec.aws.secret_values._object", interrupt)
    values = SecretValues(Clients(REGION, is_local=True), [secrets["text"]])

    with pytest.raises(KeyboardInterrupt) as caught:
        values.shape(secrets["text"])

    frames = [entry.frame.f_locals for entry in caught.traceback if "infraspec" in str(entry.path)]
    assert frames
    assert "hunter2" not in repr(frames)
    assert caught.value.__context__ is None


@pytest.mark.usefixtures("guard")
def test_clients_of_a_consent_do_what_it_is_for_and_no_more(moto: str) -> None:
    """Those of test messages publish; no other client does, and they themselves send nothing else."""
    assert moto
    narrow, reading = Clients(REGION, is_local=True, permits=CANARY), Clients(REGION, is_local=True)
    with GUARD.permitting("sns:CreateTopic"):
        boto3.Session().client("sns", region_name=REGION).create_topic(Name="critical")

    assert narrow.client("sns").publish(TopicArn=TOPIC, Message="a test")["MessageId"]
    with pytest.raises(GuardError, match="sns:Publish"):
        reading.client("sns").publish(TopicArn=TOPIC, Message="a test")
    with pytest.raises(GuardError, match="sqs:SendMessage"):
        narrow.client("sqs").send_message(QueueUrl="https://queue", MessageBody="a test")


@pytest.mark.usefixtures("guard", "moto")
def test_commands_need_clients_of_their_consent() -> None:
    """No other client sends one; moto says of each that it went well, which is why the sandbox runs none."""
    assert CommandOutcome(0) == Commands(Clients(REGION, is_local=True, permits=COMMANDS)).on_node("i-0a1b", "true")
    with pytest.raises(GuardError, match="ssm:SendCommand"):
        Commands(Clients(REGION, is_local=True)).on_node("i-0a1b", "true")
    assert hasattr(Clients(REGION, is_local=True).client("ssm").exceptions, "InvalidInstanceId")
