"""What AWS does not take, whoever asks: states, sizes and limits; and what of moto itself is for the operator alone."""

from __future__ import annotations

import json
from http.client import HTTPConnection
from typing import Any, NamedTuple

import pytest

from infraspec.sandbox.running import Running
from tests.sandbox.test_enforcement import TRUST, allow, code_of, document, error_of

BUCKET = "refusals-111122223333"


def policy(letters: int) -> str:
    """Write a policy of so many letters, with white space that does not count."""
    empty = document(allow("s3:GetObject", "arn:aws:s3:::"))
    missing = letters - len(empty.replace(" ", ""))
    return document(allow("s3:GetObject", "arn:aws:s3:::" + "x" * missing))


class Case(NamedTuple):
    """A request that is taken, and what makes it one that is refused, with the code."""

    service: str
    operation: str
    good: dict[str, Any]
    bad: dict[str, Any]
    code: str


def _with_files(number: int) -> dict[str, Any]:
    files = [{"value": f"arn:aws:s3:::limits/{one}.env", "type": "s3"} for one in range(number)]
    return {
        "family": "files",
        "containerDefinitions": [{"name": "a", "image": "b", "memory": 64, "environmentFiles": files}],
    }


def _task(cpu: str, memory: str, **more: Any) -> dict[str, Any]:
    containers = [{"name": "app", "image": "public.ecr.aws/shop/app:1"}]
    fargate = {"requiresCompatibilities": ["FARGATE"], "networkMode": "awsvpc"}
    return {"family": "sized", "containerDefinitions": containers, **fargate, "cpu": cpu, "memory": memory, **more}


def _public(**more: Any) -> str:
    everybody = {"Effect": "Allow", "Principal": "*", "Action": "s3:GetObject", "Resource": f"arn:aws:s3:::{BUCKET}/*"}
    return document({**everybody, **more})


_OF_ORGANIZATION = {"StringEquals": {"aws:PrincipalOrgID": "o-exampleorg1"}}
CASES = {
    "a secret": Case(
        "secretsmanager",
        "put_secret_value",
        {"SecretId": "limits", "SecretString": "x" * 65536},
        {"SecretString": "é" * 40000},
        "ValidationException",
    ),
    "a standard parameter": Case(
        "ssm",
        "put_parameter",
        {"Name": "/limits", "Type": "String", "Value": "x" * 4096, "Overwrite": True},
        {"Value": "x" * 4097},
        "ValidationException",
    ),
    "an advanced parameter": Case(
        "ssm",
        "put_parameter",
        {"Name": "/advanced", "Type": "String", "Value": "x" * 8192, "Tier": "Advanced", "Overwrite": True},
        {"Value": "x" * 8193},
        "ValidationException",
    ),
    "the policy of a role": Case(
        "iam",
        "put_role_policy",
        {"RoleName": "limits", "PolicyName": "own", "PolicyDocument": policy(10240)},
        {"PolicyName": "more", "PolicyDocument": document(allow("s3:GetObject"))},
        "LimitExceeded",
    ),
    "the policy of a user": Case(
        "iam",
        "put_user_policy",
        {"UserName": "limits", "PolicyName": "own", "PolicyDocument": policy(2048)},
        {"PolicyDocument": policy(2049)},
        "LimitExceeded",
    ),
    "the policy of a group": Case(
        "iam",
        "put_group_policy",
        {"GroupName": "limits", "PolicyName": "own", "PolicyDocument": policy(5120)},
        {"PolicyDocument": policy(5121)},
        "LimitExceeded",
    ),
    "a managed policy": Case(
        "iam",
        "create_policy",
        {"PolicyName": "limits", "PolicyDocument": policy(6144)},
        {"PolicyName": "over", "PolicyDocument": policy(6145)},
        "LimitExceeded",
    ),
    "a trust policy": Case(
        "iam",
        "create_role",
        {"RoleName": "trusted", "AssumeRolePolicyDocument": document(TRUST)},
        {"RoleName": "over", "AssumeRolePolicyDocument": document({**TRUST, "Sid": "x" * 2048})},
        "LimitExceeded",
    ),
    "a size of Fargate": Case(
        "ecs", "register_task_definition", _task("0.5 vCPU", "3 GB"), _task("256", "3072"), "ClientException"
    ),
    "a CPU of Fargate": Case(
        "ecs", "register_task_definition", _task("16384", "122880"), _task("300", "1024"), "ClientException"
    ),
    "environment files": Case("ecs", "register_task_definition", _with_files(10), _with_files(11), "ClientException"),
    "the policy of a bucket": Case(
        "s3",
        "put_bucket_policy",
        {"Bucket": BUCKET, "Policy": _public(Condition=_OF_ORGANIZATION)},
        {"Policy": _public()},
        "AccessDenied",
    ),
}


@pytest.fixture(scope="module", autouse=True)
def _there(empty: Running) -> None:
    client = empty.account.client
    client("secretsmanager").create_secret(Name="limits", SecretString="x")
    client("iam").create_role(RoleName="limits", AssumeRolePolicyDocument=document(TRUST))
    client("iam").create_user(UserName="limits")
    client("iam").create_group(GroupName="limits")
    client("s3").create_bucket(Bucket=BUCKET, CreateBucketConfiguration={"LocationConstraint": "eu-west-1"})
    client("s3").put_public_access_block(Bucket=BUCKET, PublicAccessBlockConfiguration={"BlockPublicPolicy": True})


@pytest.mark.parametrize("text", ["{", "[]", '{"Statement": "x"}', "\xff"])
def test_what_is_no_policy_of_a_bucket_is_refused(empty: Running, text: str) -> None:
    """Requests about the bucket are decided afterwards as before."""
    s3 = empty.account.client("s3")

    assert "MalformedPolicy" == code_of(empty.account, "s3", "put_bucket_policy", Bucket=BUCKET, Policy=text)
    assert s3.get_public_access_block(Bucket=BUCKET)["PublicAccessBlockConfiguration"]["BlockPublicPolicy"]


@pytest.mark.parametrize("name", CASES)
def test_what_is_over_a_limit_is_refused(empty: Running, name: str) -> None:
    """The largest that AWS documents is taken, and one more is not."""
    case = CASES[name]
    assert "" == code_of(empty.account, case.service, case.operation, **case.good)
    assert case.code == code_of(empty.account, case.service, case.operation, **{**case.good, **case.bad})


@pytest.mark.parametrize("limit", [{"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}, {"StringLike": {"aws:userid": "*"}}])
def test_a_condition_that_everybody_meets_is_public(empty: Running, limit: dict[str, Any]) -> None:
    """A condition makes a policy of a bucket not public only with fixed values."""
    assert "AccessDenied" == code_of(
        empty.account, "s3", "put_bucket_policy", Bucket=BUCKET, Policy=_public(Condition=limit)
    )


def test_a_message_has_at_most_256_kilobytes(empty: Running) -> None:
    """They are counted in bytes, with the attributes."""
    topic = empty.account.client("sns").create_topic(Name="limits")["TopicArn"]
    attributes = {"one": {"DataType": "String", "StringValue": "x"}}
    assert "" == code_of(empty.account, "sns", "publish", TopicArn=topic, Message="x" * 262144)
    assert "InvalidParameter" == code_of(empty.account, "sns", "publish", TopicArn=topic, Message="é" * 140000)
    assert "InvalidParameter" == code_of(
        empty.account, "sns", "publish", TopicArn=topic, Message="x" * 262140, MessageAttributes=attributes
    )


def test_a_deleted_secret_is_neither_read_nor_written(empty: Running) -> None:
    """Until it is restored."""
    secrets = empty.account.client("secretsmanager")
    secrets.create_secret(Name="leaving", SecretString="x")
    secrets.delete_secret(SecretId="leaving")
    requests: tuple[tuple[str, dict[str, Any]], ...] = (
        ("get_secret_value", {}),
        ("put_secret_value", {"SecretString": "y"}),
    )
    for operation, more in requests:
        error = error_of(empty.account, "secretsmanager", operation, SecretId="leaving", **more)
        assert "InvalidRequestException" == error["Code"]
        assert "because it was marked for deletion" in error["Message"]
    secrets.restore_secret(SecretId="leaving")
    assert "" == code_of(empty.account, "secretsmanager", "get_secret_value", SecretId="leaving")


def test_a_key_that_is_not_enabled_does_nothing(empty: Running) -> None:
    """A disabled one, and one that waits for its deletion, by id, alias and what is under it."""
    kms = empty.account.client("kms")
    key = kms.create_key()["KeyMetadata"]["KeyId"]
    kms.create_alias(AliasName="alias/limits", TargetKeyId=key)
    sealed = kms.encrypt(KeyId=key, Plaintext=b"x")["CiphertextBlob"]
    kms.disable_key(KeyId=key)
    assert ["DisabledException"] * 3 == [
        code_of(empty.account, "kms", "encrypt", KeyId="alias/limits", Plaintext=b"x"),
        code_of(empty.account, "kms", "generate_data_key", KeyId=key, KeySpec="AES_256"),
        code_of(empty.account, "kms", "decrypt", CiphertextBlob=sealed),
    ]
    kms.schedule_key_deletion(KeyId=key, PendingWindowInDays=7)
    assert "KMSInvalidStateException" == code_of(empty.account, "kms", "decrypt", CiphertextBlob=sealed)


def _ask(running: Running, method: str, path: str, key: str = "") -> int:
    connection = HTTPConnection(running.endpoint.removeprefix("http://"), timeout=10)
    connection.request(method, path, body="{}", headers={"Authorization": key} if key else {})
    status = connection.getresponse().status
    connection.close()
    return status


PATHS = (
    "", "/", "/lib.js", "/data.json", "/reset", "/reset-auth", "/seed?a=1", "/config", "/proxy/passthrough",
    "/static/athena/query-results", "/state-manager/set-transition", "/recorder/start-recording",
    "/recorder/download-recording", "/nothing",
)  # fmt: skip


@pytest.mark.parametrize("method", ["GET", "POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH", "RESET"])
def test_moto_itself_is_for_the_operator(empty: Running, method: str) -> None:
    """Nobody else resets, seeds, records or looks into the sandbox, by any method or way of writing the path."""
    prefixes = ("/moto-api", "//moto-api", "/./moto-api", "/x/../moto-api", "/%6doto-api")
    keys = (
        "",
        empty.environment["AWS_ACCESS_KEY_ID"],
        "AWS4-HMAC-SHA256 Credential=A/20261202/us-east-1/sns/aws4_request",
    )
    answers = {_ask(empty, method, prefix + path, key) for prefix in prefixes for path in PATHS for key in keys}
    assert {403} == answers


def test_the_operator_sees_moto(empty: Running) -> None:
    """With the key of the operator the paths of moto answer."""
    assert 201 == _ask(empty, "GET", "/moto-api/config", empty.operator["AWS_ACCESS_KEY_ID"])


def test_a_name_like_moto_is_no_path_of_moto(empty: Running) -> None:
    """A key of a bucket may be named as the paths of moto are."""
    s3 = empty.account.client("s3")
    s3.put_object(Bucket=BUCKET, Key="moto-api/reset", Body=json.dumps({}))
    assert b"{}" == s3.get_object(Bucket=BUCKET, Key="moto-api/reset")["Body"].read()
