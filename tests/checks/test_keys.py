"""Which key a value is encrypted with, and what the role has to be allowed on it."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from infraspec.checks.access.secret_access import check_secret_access
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import JsonText, MissingVariable, Unknown, Value, concatenate
from infraspec.ecs.access_table import ROWS
from infraspec.ecs.task_definition import task_definitions
from infraspec.terraform.plan import Resource
from tests.checks.access_cases import ACCOUNT, OTHER_ACCOUNT, REGION, Case, arn, resource

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
KEY = resource("aws_kms_key.main")
TARGETED = resource("aws_kms_alias.main", name="alias/app", target_key_id=Unknown("aws_kms_key.main.key_id"))
KEY_ARN, SECRET_ARN = Unknown("aws_kms_key.main.arn"), Unknown("aws_secretsmanager_secret.db.arn")
ELSEWHERE = arn("secretsmanager", "secret:shared-AbCdEf")
READ = {"Effect": "Allow", "Action": ["secretsmanager:GetSecretValue", "ssm:GetParameters"], "Resource": "*"}
ID = "11111111-2222-3333-4444-555555555555"


def decrypt(listed: Value, **more: Value) -> dict[str, Value]:
    """Return a statement that allows to decrypt."""
    return {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": listed, **more}


def judged(value: Value, *resources: Resource, allow: Any = (), known: dict[str, Value] | None = None) -> list[Finding]:
    """Return the findings about keys of a task with one secret, whose role may read every value."""
    given = {"secrets": [{"name": "DB", "valueFrom": value}]}
    plan = Case(ROWS["secret_key"], "", "", given, resources=resources).plan(READ, *allow)
    document = {"project": {"application": "app"}, "environments": {"prod": {}}, "known": known or {}}
    contract = Contract.model_validate(document)
    found = check_secret_access(plan, task_definitions(plan), contract, "prod")
    assert all(finding.verdict is PROVEN for finding in found if "KMS key" not in finding.subject)
    return [finding for finding in found if "KMS key" in finding.subject]


def secret(**values: Value) -> Resource:
    """Build the secret of the task."""
    return resource("aws_secretsmanager_secret.db", name="db", **values)


@pytest.mark.parametrize(
    "values",
    [
        {},
        {"kms_key_id": None},
        {"kms_key_id": ""},
        {"kms_key_id": "alias/aws/secretsmanager"},
        {"kms_key_id": arn("kms", "alias/aws/secretsmanager")},
        {"kms_key_id": Unknown("aws_secretsmanager_secret.db.kms_key_id")},
    ],
    ids=str,
)
def test_the_key_of_aws_needs_nothing(values: dict[str, Value]) -> None:
    """A secret under aws/secretsmanager asks for no permission on a key."""
    assert judged(SECRET_ARN, secret(**values)) == []


@pytest.mark.parametrize(
    "key",
    [
        KEY_ARN,
        Unknown("aws_kms_key.main.key_id"),
        Unknown("aws_kms_key.main.id"),
        Unknown("aws_kms_alias.main.arn"),
        Unknown("aws_kms_alias.main.name"),
        "alias/app",
        arn("kms", "alias/app"),
    ],
    ids=str,
)
def test_a_key_is_found_by_every_name(key: Value) -> None:
    """The key is the same by its ARN, its id, and its alias; the role needs kms:Decrypt on its ARN."""
    resources = (secret(kms_key_id=key), KEY, TARGETED)
    (finding,) = judged(SECRET_ARN, *resources, allow=[decrypt(KEY_ARN)])
    assert finding.verdict is PROVEN
    (finding,) = judged(SECRET_ARN, *resources)
    assert finding.verdict is VIOLATED
    assert finding.subject == 'container "app", KMS key of secret "DB": kms:Decrypt'
    assert "resources = [\n" in finding.remedy or "aws_kms_key.main.arn" in finding.remedy


@pytest.mark.parametrize("key", [ID, arn("kms", f"key/{ID}"), "alias/elsewhere", Unknown("var.key")], ids=str)
def test_a_key_from_elsewhere_leaves_it_open(key: Value) -> None:
    """The policy of a key that is not in the plan is not known: it may not let the role in, or do so by itself."""
    for allow in ([decrypt("*")], []):
        (finding,) = judged(SECRET_ARN, secret(kms_key_id=key), allow=allow)
        assert finding.verdict is UNDETERMINED


def test_an_unknown_key_may_be_none() -> None:
    """A variable without a value may be null, and then nothing is needed."""
    (finding,) = judged(SECRET_ARN, secret(kms_key_id=Unknown("var.key", MissingVariable("key"))))
    assert finding.reason == "whether this is needed cannot be decided: var.key is unknown"
    assert finding.remedy.startswith("give var.key a value")


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        ({}, [UNDETERMINED]),
        ({"aws_secretsmanager_secret.kms_key_id": ""}, []),
        ({"aws_secretsmanager_secret.kms_key_id": "alias/aws/secretsmanager"}, []),
        ({"aws_secretsmanager_secret.kms_key_id": ID}, [UNDETERMINED]),
        ({"aws_secretsmanager_secret.other.kms_key_id": ""}, [UNDETERMINED]),
    ],
    ids=str,
)
def test_a_secret_from_elsewhere(known: dict[str, Value], expected: list[Verdict]) -> None:
    """Nothing tells the key of a secret that is not in the plan, but for the contract."""
    found = judged(ELSEWHERE, known=known)
    assert expected == [finding.verdict for finding in found]
    for finding in found:
        if ID not in known.values():
            assert finding.reason == f"which KMS key encrypts {ELSEWHERE} is unknown"
            assert '"aws_secretsmanager_secret.kms_key_id" = ""' in finding.remedy


@pytest.mark.parametrize(
    ("values", "known", "expected"),
    [
        ({}, {}, [UNDETERMINED]),
        ({"kms_key_id": ""}, {}, []),
        ({"kms_key_id": arn("kms", f"key/{ID}")}, {}, [UNDETERMINED]),
        ({}, {"aws_secretsmanager_secret.shared.kms_key_id": ""}, []),
        ({}, {"data.aws_secretsmanager_secret.shared.kms_key_id": ""}, []),
    ],
    ids=str,
)
def test_a_secret_that_a_data_source_reads(
    values: dict[str, Value], known: dict[str, Value], expected: list[Verdict]
) -> None:
    """A data source that a plan file has read tells the key, and so does the contract by its address."""
    source = resource("data.aws_secretsmanager_secret.shared", name="shared", **values)
    found = judged(Unknown("data.aws_secretsmanager_secret.shared.arn"), source, known=known)
    assert expected == [finding.verdict for finding in found]
    if expected and not values:
        assert '"aws_secretsmanager_secret.shared.kms_key_id" = ""' in found[0].remedy


@pytest.mark.parametrize(
    ("values", "known", "expected"),
    [
        ({"type": "String"}, {}, []),
        ({"type": "SecureString"}, {}, []),
        ({"type": "SecureString", "key_id": "alias/aws/ssm"}, {}, []),
        ({"type": "SecureString", "key_id": KEY_ARN}, {}, [VIOLATED]),
        ({"type": Unknown("var.type"), "key_id": KEY_ARN}, {}, [UNDETERMINED]),
        (None, {}, [UNDETERMINED]),
        (None, {"aws_ssm_parameter.type": "String"}, []),
        (None, {"aws_ssm_parameter.key_id": ""}, []),
        (None, {"aws_ssm_parameter.type": "SecureString", "aws_ssm_parameter.key_id": ID}, [UNDETERMINED]),
    ],
    ids=str,
)
def test_parameters(values: dict[str, Value] | None, known: dict[str, Value], expected: list[Verdict]) -> None:
    """Only a SecureString under a key of its own needs one; of a parameter from elsewhere the contract may tell."""
    parameter = [resource("aws_ssm_parameter.db", name="/app/db", **values)] if values is not None else []
    for named in ("/app/db", arn("ssm", "parameter/app/db")):
        assert expected == [finding.verdict for finding in judged(named, *parameter, KEY, known=known)]


def test_a_secret_of_another_account_is_under_a_key_of_its_own() -> None:
    """AWS's own key cannot be used from another account, so it is certain that there is a key to ask for."""
    foreign = arn("secretsmanager", "secret:shared-AbCdEf", OTHER_ACCOUNT)
    case = Case(ROWS["secret_key"], "", "", {"secrets": [{"name": "DB", "valueFrom": foreign}]})
    contract = Contract.model_validate({"project": {"application": "app"}, "environments": {"prod": {}}})
    plan = case.plan(READ)
    found = check_secret_access(plan, task_definitions(plan), contract, "prod")
    read, key = (finding for finding in found if "secret" in finding.subject)
    assert (read.verdict, key.verdict) == (UNDETERMINED, UNDETERMINED)
    assert "which KMS key encrypts" not in key.reason


def test_the_secret_that_a_database_makes() -> None:
    """The secret of a master user is under aws/secretsmanager unless the database names a key for it."""
    value = Unknown("aws_db_instance.db.master_user_secret[0].secret_arn")
    assert judged(value, resource("aws_db_instance.db", identifier="db")) == []
    (finding,) = judged(value, resource("aws_db_instance.db", master_user_secret_kms_key_id=KEY_ARN), KEY)
    assert finding.verdict is VIOLATED


VIA = f"secretsmanager.{REGION}.amazonaws.com"


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"StringEquals": {"kms:ViaService": VIA}}, PROVEN),
        ({"StringEquals": {"kms:ViaService": [VIA, f"ssm.{REGION}.amazonaws.com"]}}, PROVEN),
        ({"StringLike": {"kms:ViaService": "secretsmanager.*.amazonaws.com"}}, PROVEN),
        ({"StringEquals": {"kms:ViaService": "secretsmanager.*.amazonaws.com"}}, VIOLATED),
        ({"StringEquals": {"kms:ViaService": "secretsmanager.us-east-1.amazonaws.com"}}, VIOLATED),
        ({"StringEquals": {"kms:ViaService": f"ssm.{REGION}.amazonaws.com"}}, VIOLATED),
        ({"StringEquals": {"kms:CallerAccount": ACCOUNT}}, PROVEN),
        ({"StringEquals": {"kms:CallerAccount": OTHER_ACCOUNT}}, VIOLATED),
        ({"StringEquals": {"kms:EncryptionContext:SecretARN": SECRET_ARN}}, PROVEN),
        ({"StringLike": {"kms:EncryptionContext:SecretARN": arn("secretsmanager", "secret:db-??????")}}, PROVEN),
        ({"StringLike": {"kms:EncryptionContext:SecretARN": arn("secretsmanager", "secret:api-??????")}}, VIOLATED),
        ({"StringEquals": {"kms:EncryptionContext:PARAMETER_ARN": arn("ssm", "parameter/app/db")}}, VIOLATED),
        ({"StringEquals": {"kms:ViaService": Unknown("var.service")}}, UNDETERMINED),
    ],
    ids=str,
)
def test_conditions_on_how_the_key_is_used(condition: Value, expected: Verdict) -> None:
    """A key is used through Secrets Manager, in the caller's account, for one secret."""
    statement = decrypt(KEY_ARN, Condition=condition)
    (finding,) = judged(SECRET_ARN, secret(kms_key_id=KEY_ARN), KEY, allow=[statement])
    assert finding.verdict is expected


def test_the_policy_of_the_key_has_to_allow_it_for_the_service() -> None:
    """A key policy may hand the key to the account for uses through Secrets Manager alone."""
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}

    def key(service: str) -> Resource:
        condition = {"StringEquals": {"kms:ViaService": f"{service}.{REGION}.amazonaws.com"}}
        entry = {"Effect": "Allow", "Principal": root, "Action": "kms:*", "Resource": "*", "Condition": condition}
        return replace(KEY, values={"policy": JsonText({"Version": "2012-10-17", "Statement": [entry]})})

    for service, expected in (("secretsmanager", PROVEN), ("ssm", VIOLATED)):
        (finding,) = judged(SECRET_ARN, secret(kms_key_id=KEY_ARN), key(service), allow=[decrypt(KEY_ARN)])
        assert finding.verdict is expected


def test_an_alias_in_a_policy_has_no_effect() -> None:
    """A statement that names the alias of the key does not allow to use the key."""
    for listed in (arn("kms", "alias/app"), Unknown("aws_kms_alias.main.arn"), concatenate([KEY_ARN, ":*"])):
        (finding,) = judged(SECRET_ARN, secret(kms_key_id=KEY_ARN), KEY, TARGETED, allow=[decrypt(listed)])
        assert finding.verdict is VIOLATED, listed
