"""The completeness of task definitions, over plans built by hand."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.checks.access.task_definitions import check_task_definitions
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import JsonText, MissingVariable, Unknown, Value
from infraspec.ecs.task_definition import EXPRESS, TaskDefinition, task_definitions
from infraspec.terraform.plan import Plan, Resource

ACCOUNT, REGION = "111122223333", "eu-west-1"
HEAD = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:"
PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
FIXTURES = Path(__file__).parents[2] / "fixtures/task_definitions"
LOGS = {
    "logDriver": "awslogs",
    "options": {"awslogs-group": "/ecs/app", "awslogs-region": REGION, "awslogs-stream-prefix": "app"},
}
SECRET = Resource(
    "aws_secretsmanager_secret.db", "managed", "aws_secretsmanager_secret", "db", None, "", {"name": "app/db-secret"}
)
CONTRACT = Contract.model_validate(
    {"project": {"application": "app"}, "environments": {"prod": {"account_id": ACCOUNT, "region": REGION}}}
)


def check(container: Value, *, contract: Contract | None = None, **values: Value) -> dict[str, Finding]:
    """Check one task definition of one container; findings by subject."""
    address = "aws_ecs_task_definition.app"
    given = {
        "container_definitions": JsonText([{"name": "app", "image": "nginx", **container}]),
        "requires_compatibilities": ["FARGATE"],
        "execution_role_arn": Unknown("aws_iam_role.execution.arn"),
        "task_role_arn": Unknown("aws_iam_role.task.arn"),
        **values,
    }
    task = Resource(address, "managed", "aws_ecs_task_definition", "app", None, "", given)
    plan = Plan("test", [task, SECRET])
    return {
        finding.subject.removeprefix('container "app", '): finding
        for finding in check_task_definitions(plan, task_definitions(plan), contract or CONTRACT, "prod")
    }


def test_a_complete_task_definition_is_proven() -> None:
    """Roles, logs and a well-formed valueFrom give one PROVEN finding each."""
    secrets = [{"name": "DB", "valueFrom": Unknown("aws_secretsmanager_secret.db.arn")}]
    found = check({"logConfiguration": LOGS, "secrets": secrets})
    expected = {"execution role": PROVEN, "task role": PROVEN, "log configuration": PROVEN, 'secret "DB"': PROVEN}
    assert expected == {subject: finding.verdict for subject, finding in found.items()}


@pytest.mark.parametrize("part", ["secrets", "logConfiguration"])
def test_a_secret_that_is_not_known_is_left_open(part: str) -> None:
    """Whether its entries are well-formed cannot be decided."""
    hidden = Unknown("var.secrets", MissingVariable("secrets"))
    options = {**LOGS, "secretOptions": hidden}
    given = {"logConfiguration": LOGS, "secrets": hidden} if part == "secrets" else {"logConfiguration": options}
    (found,) = [one for one in check(given).values() if one.verdict is not PROVEN]
    assert UNDETERMINED is found.verdict


def test_an_express_service_logs_by_itself() -> None:
    """Its log group is its own, unless it says where else to."""
    values: dict[str, Value] = {
        "primary_container": [{"image": "nginx:1"}],
        "execution_role_arn": Unknown("aws_iam_role.execution.arn"),
    }
    service = Resource("aws_ecs_express_gateway_service.app", "managed", EXPRESS, "app", None, "", values)
    plan = Plan("test", [service])
    found = check_task_definitions(plan, task_definitions(plan), CONTRACT, "prod")
    assert "ECS sends it to CloudWatch Logs" in {one.reason for one in found}


def test_a_task_definition_without_a_container() -> None:
    """ECS does not register one, so it is a violation and not a rule that matched nothing."""
    found = check({}, container_definitions=JsonText([]))["container definitions"]
    assert (VIOLATED, "a container", "none") == (found.verdict, found.expected, found.found)


@pytest.mark.parametrize(
    ("value", "expected", "said"),
    [
        (HEAD + "db-AbCdEf", PROVEN, ""),
        (HEAD + "db-AbCdEf:key::", PROVEN, ""),
        ("/app/db", PROVEN, ""),
        (HEAD + "db", VIOLATED, "without the suffix"),
        (HEAD + "app/db-secret", VIOLATED, "lacks its suffix"),
        (HEAD + "db-AbCdEf:key", VIOLATED, "2 fields"),
        (HEAD + "db-AbCdEf:k:s:i", VIOLATED, "both"),
        ("app/db-secret", VIOLATED, "must be given by its ARN"),
        (HEAD.replace("eu-west-1", "us-gov-west-1") + "db-AbCdEf", VIOLATED, "the partition aws-us-gov"),
        (Unknown("var.secret"), UNDETERMINED, "the value is needed to decide it"),
    ],
    ids=str,
)
def test_each_value_from_is_well_formed(value: Value, expected: Verdict, said: str) -> None:
    """A valueFrom is a full ARN, or the name or ARN of a parameter."""
    finding = check({"secrets": [{"name": "DB", "valueFrom": value}]})['secret "DB"']
    assert expected == finding.verdict
    if expected is not PROVEN:
        assert said in finding.reason
        assert finding.expected
        assert finding.found
        assert finding.remedy


@pytest.mark.parametrize("definitions", ["[]", JsonText([])])
def test_a_task_definition_has_containers(definitions: Value) -> None:
    """ECS does not register a task definition without containers."""
    finding = check({}, container_definitions=definitions)["container definitions"]
    assert (finding.verdict, finding.found) == (VIOLATED, "none")
    assert finding.remedy


@pytest.mark.parametrize(
    ("ending", "fixed"), [(":key", ":key::"), (":key:stage", ":key:stage:"), (":a:b:c:d", ":JSON-KEY:")]
)
def test_missing_colons_are_added(ending: str, fixed: str) -> None:
    """The remedy of a valueFrom with too few fields is the ending with all of its colons."""
    finding = check({"secrets": [{"name": "DB", "valueFrom": HEAD + "db-AbCdEf" + ending}]})['secret "DB"']
    assert f"with {fixed}" in finding.remedy


PLACES = Contract.model_validate(
    {
        "project": {"application": "app"},
        "environments": {
            "prod": {"account_id": ACCOUNT, "region": REGION},
            "staging": {"account_id": "222233334444", "region": REGION},
            "recovery": {"account_id": ACCOUNT, "region": "eu-central-1"},
            "sandbox": {"region": "ap-south-1"},
        },
    }
)


@pytest.mark.parametrize(
    ("arn", "expected", "said"),
    [
        (("secretsmanager", "us-east-1", ACCOUNT, "secret:db-AbCdEf"), PROVEN, "of region us-east-1"),
        (("ssm", "us-east-1", ACCOUNT, "parameter/x"), PROVEN, "of region us-east-1"),
        (("secretsmanager", REGION, "444455556666", "secret:db-AbCdEf"), PROVEN, "of account 444455556666"),
        (("secretsmanager", "us-east-1", "444455556666", "secret:db-AbCdEf"), PROVEN, "of account 444455556666"),
        (("ssm", REGION, "444455556666", "parameter/x"), UNDETERMINED, "AWS Resource Access Manager"),
        (("secretsmanager", REGION, "222233334444", "secret:db-AbCdEf"), VIOLATED, "of the environment staging"),
        (("secretsmanager", "us-east-1", "222233334444", "secret:db-AbCdEf"), VIOLATED, "of the environment staging"),
        (("secretsmanager", "eu-central-1", ACCOUNT, "secret:db-AbCdEf"), VIOLATED, "of the environment recovery"),
        (("ssm", "eu-central-1", ACCOUNT, "parameter/x"), VIOLATED, "of the environment recovery"),
        (("secretsmanager", "ap-south-1", ACCOUNT, "secret:db-AbCdEf"), PROVEN, "of region ap-south-1"),
    ],
    ids=lambda value: ":".join(value) if isinstance(value, tuple) else None,
)
def test_a_secret_of_elsewhere_is_another_environments_only_if_the_contract_says_so(
    arn: tuple[str, ...], expected: Verdict, said: str
) -> None:
    """ECS reads secrets of other regions and accounts; one of another environment of the contract is a violation."""
    secrets = [{"name": "DB", "valueFrom": ":".join(("arn:aws", *arn))}]
    finding = check({"secrets": secrets}, contract=PLACES)['secret "DB"']
    assert expected == finding.verdict
    assert said in finding.reason


@pytest.mark.parametrize(
    ("logs", "compatibilities", "expected"),
    [
        (LOGS, ["FARGATE"], PROVEN),
        ({"logDriver": "awsfirelens"}, ["FARGATE"], PROVEN),
        ({"logDriver": "json-file"}, ["EC2"], PROVEN),
        ({"logDriver": "json-file"}, ["FARGATE"], VIOLATED),
        (None, ["EC2"], VIOLATED),
        ({**LOGS, "options": {"awslogs-group": "/ecs/app", "awslogs-region": REGION}}, ["FARGATE"], VIOLATED),
        ({**LOGS, "options": {"awslogs-group": "/ecs/app", "awslogs-region": REGION}}, ["EC2"], PROVEN),
        ({**LOGS, "options": {}}, ["EC2"], VIOLATED),
        ({**LOGS, "options": Unknown("var.options")}, ["FARGATE"], UNDETERMINED),
        ({"logDriver": Unknown("var.driver")}, ["FARGATE"], UNDETERMINED),
        (Unknown("var.logs"), ["FARGATE"], UNDETERMINED),
    ],
    ids=str,
)
def test_every_container_has_a_log_configuration(logs: Value, compatibilities: list[str], expected: Verdict) -> None:
    """A container has a log driver that its launch type has, with the options the driver needs."""
    found = check({"logConfiguration": logs}, requires_compatibilities=compatibilities)
    assert expected == found["log configuration"].verdict


@pytest.mark.parametrize(
    ("container", "values", "expected"),
    [
        ({"logConfiguration": LOGS}, {}, VIOLATED),
        ({"logConfiguration": LOGS}, {"requires_compatibilities": ["EC2"]}, PROVEN),
        ({"logConfiguration": LOGS}, {"requires_compatibilities": Unknown("var.x")}, UNDETERMINED),
        ({"secrets": [{"name": "A", "valueFrom": "a"}]}, {"requires_compatibilities": ["EC2"]}, VIOLATED),
        ({}, {}, PROVEN),
        ({"image": Unknown("var.image")}, {}, UNDETERMINED),
        ({}, {"execution_role_arn": Unknown("var.role", MissingVariable("role"))}, UNDETERMINED),
    ],
    ids=str,
)
def test_an_execution_role_where_one_is_needed(
    container: dict[str, Value], values: dict[str, Value], expected: Verdict
) -> None:
    """An execution role is needed for secrets, and on Fargate for private images and logs."""
    assert expected == check(container, **{"execution_role_arn": None, **values})["execution role"].verdict


def test_a_task_role_is_part_of_the_specification() -> None:
    """A task definition without a task role is advice, since ECS accepts it."""
    found = check({}, task_role_arn=None)["task role"]
    assert (PROVEN, True) == (found.verdict, found.advice)


def test_unknown_definitions_are_one_finding() -> None:
    """Container definitions that are not known are UNDETERMINED once."""
    found = check({}, container_definitions=Unknown("var.definitions"), execution_role_arn=None)
    assert found["container definitions"].verdict is UNDETERMINED
    assert found["execution role"].verdict is UNDETERMINED


@pytest.mark.skipif(not FIXTURES.exists(), reason="the fixtures are not in the checkout")
def test_each_malformed_value_of_the_fixture_is_found() -> None:
    """Every malformed valueFrom of the fixture is violated with its line, and the well-formed one is not."""
    path = FIXTURES / "malformed-value-from.json"
    text = path.read_text(encoding="utf-8")
    plan = Plan("test", [], account=ACCOUNT, region="ap-northeast-1")
    definition = TaskDefinition.from_json(text, path.name)
    found = check_task_definitions(plan, [definition], CONTRACT, "prod")
    secrets = {finding.subject.split('"')[3]: finding for finding in found if "secret" in finding.subject}
    assert {"WELL_FORMED"} == {name for name, finding in secrets.items() if finding.verdict is PROVEN}
    lines = text.splitlines()
    for finding in secrets.values():
        assert finding.location is not None
        assert '"valueFrom"' in lines[finding.location.line - 1]
