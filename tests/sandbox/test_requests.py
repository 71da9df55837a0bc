"""What a request says takes part in the decision: tags, address, parameters, passed roles and the keys of secrets."""

from __future__ import annotations

from typing import Any, NamedTuple

import pytest

from infraspec.sandbox.running import Running
from infraspec.sandbox.server_process import Account
from tests.sandbox.test_enforcement import ACCOUNT, REGION, TRUST, allow, code_of, document, error_of

ROLES = f"arn:aws:iam::{ACCOUNT}:role"
CONTAINER = [{"name": "app", "image": "public.ecr.aws/shop/app:1"}]


class Asker:
    """A role with the policy that a test gives it, and a session of it."""

    def __init__(self, running: Running) -> None:
        self.operator = running.account
        self._iam = self.operator.client("iam")
        self._iam.create_role(RoleName="asker", AssumeRolePolicyDocument=document(TRUST))
        sts = self.operator.client("sts")
        given = sts.assume_role(RoleArn=f"{ROLES}/asker", RoleSessionName="test")["Credentials"]
        self.own = Account(running.endpoint, ACCOUNT, REGION, "aws", given["AccessKeyId"])

    def may(self, *statements: dict[str, Any]) -> None:
        """Let the role do what the statements say, and nothing else."""
        self._iam.put_role_policy(RoleName="asker", PolicyName="own", PolicyDocument=document(*statements))

    def asks(self, service: str, operation: str, **parameters: Any) -> str:
        """Ask, and return the code of the error, nothing if there is none."""
        return code_of(self.own, service, operation, **parameters)


@pytest.fixture(scope="module")
def asker(empty: Running) -> Asker:
    """Make the role and its session once."""
    return Asker(empty)


class Case(NamedTuple):
    """A request that a condition lets through, and what makes it one that it does not."""

    action: str
    condition: dict[str, Any]
    parameters: dict[str, Any]
    other: dict[str, Any]


def _metric(namespace: str) -> dict[str, Any]:
    return {"Namespace": namespace, "MetricData": [{"MetricName": "one", "Value": 1}]}


def _tagged(name: str, *tags: str) -> dict[str, Any]:
    return {"Name": name, "SecretString": "x", "Tags": [{"Key": tag, "Value": "a"} for tag in tags]}


CLUSTER = f"arn:aws:ecs:{REGION}:{ACCOUNT}:cluster/asked"
CASES = {
    "a tag": Case(
        "secretsmanager:CreateSecret",
        {"StringEquals": {"aws:RequestTag/team": "a"}},
        _tagged("tagged-1", "team"),
        _tagged("tagged-2", "cost"),
    ),
    "the names of tags": Case(
        "secretsmanager:CreateSecret",
        {"ForAllValues:StringEquals": {"aws:TagKeys": ["team"]}},
        _tagged("named-1", "team"),
        _tagged("named-2", "team", "cost"),
    ),
    "the namespace of a metric": Case(
        "cloudwatch:PutMetricData", {"StringEquals": {"cloudwatch:namespace": "A"}}, _metric("A"), _metric("B")
    ),
    "the cluster": Case(
        "ecs:ListTasks", {"ArnEquals": {"ecs:cluster": CLUSTER}}, {"cluster": "asked"}, {"cluster": "another"}
    ),
    "the protocol of a subscription": Case(
        "sns:Subscribe",
        {"StringEquals": {"sns:Protocol": "email"}},
        {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:asked", "Protocol": "email", "Endpoint": "a@example.com"},
        {"TopicArn": f"arn:aws:sns:{REGION}:{ACCOUNT}:asked", "Protocol": "sms", "Endpoint": "+15555550100"},
    ),
    "the stage of a secret": Case(
        "secretsmanager:GetSecretValue",
        {"StringEquals": {"secretsmanager:VersionStage": "AWSCURRENT"}},
        {"SecretId": "asked", "VersionStage": "AWSCURRENT"},
        {"SecretId": "asked"},
    ),
}


@pytest.fixture(scope="module", autouse=True)
def _asked(empty: Running) -> None:
    empty.account.client("ecs").create_cluster(clusterName="asked")
    empty.account.client("sns").create_topic(Name="asked")
    empty.account.client("secretsmanager").create_secret(Name="asked", SecretString="x")


def _operation(action: str) -> tuple[str, str]:
    service, _, name = action.partition(":")
    return service, "".join(f"_{one.lower()}" if one.isupper() else one for one in name).lstrip("_")


@pytest.mark.parametrize("name", CASES)
def test_a_condition_sees_what_the_request_says(asker: Asker, name: str) -> None:
    """The request that the condition is about goes through, and the other is refused."""
    case = CASES[name]
    asker.may(allow(case.action, Condition=case.condition))
    given, other = (asker.asks(*_operation(case.action), **parameters) for parameters in (case.parameters, case.other))
    assert ("", True) == (given, other.startswith(("AccessDenied", "AuthorizationError")))


@pytest.mark.parametrize(("addresses", "code"), [("127.0.0.0/8", ""), ("203.0.113.0/24", "AccessDenied")])
def test_the_address_counts(asker: Asker, addresses: str, code: str) -> None:
    """Who asks the sandbox is on this machine."""
    asker.may(allow("iam:ListRoles", Condition={"IpAddress": {"aws:SourceIp": addresses}}))
    assert code == asker.asks("iam", "list_roles")


def test_the_external_id_counts(asker: Asker) -> None:
    """A trust policy that asks for an external id lets in nobody without it."""
    trust = {**TRUST, "Condition": {"StringEquals": {"sts:ExternalId": "shop"}}}
    asker.operator.client("iam").create_role(RoleName="external", AssumeRolePolicyDocument=document(trust))
    asker.may(allow("sts:AssumeRole"))
    request = {"RoleArn": f"{ROLES}/external", "RoleSessionName": "test"}
    assert "AccessDenied" == asker.asks("sts", "assume_role", **request)
    assert "" == asker.asks("sts", "assume_role", **request, ExternalId="shop")


def _definition(family: str, **more: Any) -> dict[str, Any]:
    return {"family": family, "containerDefinitions": CONTAINER, **more}


PASSING: dict[str, tuple[str, str, dict[str, Any]]] = {
    "the execution role": (
        "ecs", "register_task_definition", _definition("passing", executionRoleArn=f"{ROLES}/passed")),
    "the task role": ("ecs", "register_task_definition", _definition("passing", taskRoleArn=f"{ROLES}/passed")),
    "the role of a rule's target": ("events", "put_targets", {
        "Rule": "passing", "Targets": [{"Id": "1", "Arn": CLUSTER, "RoleArn": f"{ROLES}/passed"}]}),
    "the role of a function": ("lambda", "create_function", {
        "FunctionName": "passing", "Role": f"{ROLES}/passed", "Code": {"ZipFile": b"x"}, "Handler": "a.b",
        "Runtime": "python3.13"}),
}  # fmt: skip


@pytest.mark.parametrize("name", PASSING)
def test_a_role_has_to_be_passed(asker: Asker, name: str) -> None:
    """Without iam:PassRole on the role, for the service that gets it, the request is refused."""
    service, operation, parameters = PASSING[name]
    asker.may(allow(f"{service}:*"))
    error = error_of(asker.own, service, operation, **parameters)
    assert error["Code"].startswith("AccessDenied")
    assert f"is not authorized to perform: iam:PassRole on resource: {ROLES}/passed" in error["Message"]
    other = {"StringEquals": {"iam:PassedToService": "glue.amazonaws.com"}}
    asker.may(allow(f"{service}:*"), allow("iam:PassRole", Condition=other))
    assert "iam:PassRole" in error_of(asker.own, service, operation, **parameters)["Message"]
    asker.may(allow(f"{service}:*"), allow("iam:PassRole", f"{ROLES}/passed"))
    assert "PassRole" not in str(error_of(asker.own, service, operation, **parameters).get("Message"))


def _keyed(asker: Asker, name: str) -> tuple[str, str]:
    """Make a key that its own account may be let in to, and a secret under it."""
    root = {"Effect": "Allow", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}, "Action": "kms:*", "Resource": "*"}
    key = str(asker.operator.client("kms").create_key(Policy=document(root))["KeyMetadata"]["Arn"])
    secrets = asker.operator.client("secretsmanager")
    return key, str(secrets.create_secret(Name=name, SecretString="x", KmsKeyId=key)["ARN"])


def test_who_writes_a_secret_uses_its_key(asker: Asker) -> None:
    """PutSecretValue and CreateSecret need kms:GenerateDataKey and kms:Decrypt; a key that is off keeps all out."""
    key, secret = _keyed(asker, "keyed")
    put = {"SecretId": secret, "SecretString": "y"}
    create = {"Name": "keyed-too", "SecretString": "y", "KmsKeyId": key}
    asker.may(allow("secretsmanager:*"), allow("kms:Decrypt", key))
    error = error_of(asker.own, "secretsmanager", "put_secret_value", **put)
    assert ("AccessDeniedException", "Access to KMS is not allowed") == (error["Code"], error["Message"])
    assert "AccessDeniedException" == asker.asks("secretsmanager", "create_secret", **create)
    asker.may(allow("secretsmanager:*"), allow(["kms:Decrypt", "kms:GenerateDataKey"], key))
    assert ["", ""] == [
        asker.asks("secretsmanager", "put_secret_value", **put),
        asker.asks("secretsmanager", "create_secret", **create),
    ]
    asker.operator.client("kms").disable_key(KeyId=key.rpartition("/")[2])
    assert "EncryptionFailure" == code_of(asker.operator, "secretsmanager", "put_secret_value", **put)
    assert "DecryptionFailure" == code_of(asker.operator, "secretsmanager", "get_secret_value", SecretId=secret)


def test_who_reads_or_writes_a_parameter_uses_its_key(asker: Asker) -> None:
    """A SecureString needs kms:Encrypt to be written and kms:Decrypt to be read; plain text needs no key."""
    key, _ = _keyed(asker, "keyed-parameter")
    put = {"Name": "/keyed/word", "Value": "x", "Type": "SecureString", "KeyId": key, "Overwrite": True}
    read = {"Name": "/keyed/word", "WithDecryption": True}
    asker.operator.client("ssm").put_parameter(**put)
    asker.operator.client("ssm").put_parameter(Name="/keyed/plain", Value="x", Type="String")
    asker.operator.client("ssm").put_parameter(Name="/keyed/own", Value="x", Type="SecureString")
    through = {"StringEquals": {"kms:ViaService": f"ssm.{REGION}.amazonaws.com"}}
    within = {
        "StringEquals": {"kms:EncryptionContext:PARAMETER_ARN": f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/other"}
    }
    for more, expected in (
        ((), ("AccessDeniedException", "AccessDeniedException", "AccessDeniedException")),
        ((allow("kms:Encrypt", key),), ("", "AccessDeniedException", "AccessDeniedException")),
        ((allow("kms:Decrypt", key, Condition=through),), ("AccessDeniedException", "", "")),
        ((allow("kms:Decrypt", key, Condition=within),), ("AccessDeniedException",) * 3),
    ):
        asker.may(allow("ssm:*"), *more)
        assert expected == (
            asker.asks("ssm", "put_parameter", **put),
            asker.asks("ssm", "get_parameter", **read),
            asker.asks("ssm", "get_parameters_by_path", Path="/keyed", WithDecryption=True),
        )
    asker.may(allow("ssm:*"))
    names = ["/keyed/plain", "/keyed/own"]
    assert "" == asker.asks("ssm", "get_parameter", Name="/keyed/word")
    assert "" == asker.asks("ssm", "get_parameters", Names=names, WithDecryption=True)
    asker.operator.client("kms").disable_key(KeyId=key.rpartition("/")[2])
    assert "InvalidKeyId" == code_of(asker.operator, "ssm", "get_parameter", **read)


def test_many_secrets_are_read_one_by_one(asker: Asker) -> None:
    """BatchGetSecretValue gives what GetSecretValue may read; the others are among its errors."""
    secrets = asker.operator.client("secretsmanager")
    mine, other = (secrets.create_secret(Name=f"many-{number}", SecretString="x")["ARN"] for number in (1, 2))
    _, keyed = _keyed(asker, "many-3")
    asker.may(allow("secretsmanager:BatchGetSecretValue"), allow("secretsmanager:GetSecretValue", [mine, keyed]))
    found = asker.own.client("secretsmanager").batch_get_secret_value(SecretIdList=[mine, other, keyed])
    assert [mine] == [one["ARN"] for one in found["SecretValues"]]
    assert {other: "AccessDeniedException", keyed: "AccessDeniedException"} == {
        one["SecretId"]: one["ErrorCode"] for one in found["Errors"]
    }
    asker.may(allow("secretsmanager:GetSecretValue"))
    assert "AccessDeniedException" == asker.asks("secretsmanager", "batch_get_secret_value", SecretIdList=[mine])
