"""What starts tasks and calls others: how it names what it starts, and what of that is not known."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import pytest

from infraspec.checks.access.function_access import check_function_access
from infraspec.checks.access.task_access import check_task_access
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from infraspec.workloads.state_machine import sdk_action
from tests.terraform.sources import plan_of
from tests.workloads.test_edits import EDITS, inline, role

PLACE = {"account_id": "111122223333", "region": "eu-west-1"}
CONTRACT = Contract.model_validate({"project": {"application": "edits"}, "environments": {"prod": PLACE}})
PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
WORKER = "arn:aws:lambda:eu-west-1:111122223333:function:worker"
LOST = {"Effect": "Allow", "Action": "lambda:InvokeFunction", "Resource": f"{WORKER}-of-others"}
FOUND = {**LOST, "Resource": WORKER}


def judged(directory: Path, definition: str, *statements: dict[str, str], service: str = "states") -> list[Finding]:
    """Return the findings about the role of a state machine with a definition, an expression."""
    machine = f"""
provider "aws" {{
  region = "eu-west-1"
}}
variable "definition" {{
  type = string
}}
resource "aws_sfn_state_machine" "flow" {{
  name       = "flow"
  role_arn   = aws_iam_role.own.arn
  definition = {definition}
}}
"""
    own = role(f"{service}.amazonaws.com") + inline("one", *statements)
    return check_task_access(plan_of(directory, {"main.tf": machine + EDITS.common + own}), CONTRACT, "prod")


def state(resource: str, **given: str) -> str:
    """Return a definition with one state, whose arguments are expressions."""
    parts = ", ".join(f'"{name.replace("_PATH", ".$")}" = {value}' for name, value in given.items())
    task = f'{{ Type = "Task", Resource = {resource}, Parameters = {{ {parts} }}, End = true }}'
    return f'jsonencode({{ StartAt = "One", States = {{ One = {task} }} }})'


INVOKE = '"arn:aws:states:::lambda:invoke"'
CALL = f'{{ Type = "Task", Resource = {INVOKE}, Arguments = {{ FunctionName = "worker" }} }}'


@pytest.mark.parametrize(
    "definition",
    [
        state("aws_lambda_function.worker.arn"),
        state(INVOKE, FunctionName="aws_lambda_function.worker.arn"),
        state(INVOKE, FunctionName="aws_lambda_function.worker.function_name"),
        state(INVOKE, FunctionName='"worker"'),
        state('"arn:aws:states:::lambda:invoke.waitForTaskToken"', FunctionName=f'"{WORKER}"'),
        '<<EOT\n{"States": {"One": {"Type": "Task", "Resource": "${aws_lambda_function.worker.arn}"}}}\nEOT\n',
        f'jsonencode({{ States = {{ Each = {{ Type = "Map", Iterator = {{ States = {{ One = {CALL} }} }} }} }} }})',
    ],
)
def test_a_state_calls_a_function(tmp_path: Path, definition: str) -> None:
    """However a state names its function, the role has to be allowed to invoke that one."""
    for statement, expected in ((FOUND, PROVEN), (LOST, VIOLATED)):
        found = judged(tmp_path, definition, statement)
        assert [expected] == [one.verdict for one in found if one.subject.endswith("lambda:InvokeFunction")]


@pytest.mark.parametrize(
    ("definition", "expected"),
    [
        ("var.definition", "var.definition"),
        (state('"arn:aws:states:::bedrock:invokeModel"', ModelId='"one"'), "arn:aws:states:::bedrock:invokeModel"),
        ('"no JSON"', "a definition that is not JSON"),
    ],
)
def test_what_is_not_known_of_a_state_machine_is_said(tmp_path: Path, definition: str, expected: str) -> None:
    """A definition that hides its states, and an integration without a row, are UNDETERMINED."""
    found = [one for one in judged(tmp_path, definition, FOUND) if one.verdict is not PROVEN]
    assert [UNDETERMINED] == [one.verdict for one in found]
    assert expected in found[0].subject


def test_what_is_known_at_run_time_alone_is_left_open(tmp_path: Path) -> None:
    """A state that is told its queue when it runs may send to any."""
    definition = state('"arn:aws:states:::sqs:sendMessage"', QueueUrl_PATH='"$.queue"')
    send = {"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "arn:aws:sqs:eu-west-1:111122223333:work"}
    for resource, expected in ((send["Resource"], UNDETERMINED), ("*", PROVEN)):
        found = judged(tmp_path, definition, {**send, "Resource": resource})
        assert [expected] == [one.verdict for one in found if one.subject.endswith("sqs:SendMessage")]


@pytest.mark.parametrize(
    ("service", "expected"),
    [("states", PROVEN), ("states.eu-west-1", PROVEN), ("states.us-east-1", VIOLATED), ("lambda", VIOLATED)],
)
def test_the_service_may_be_named_with_its_region(tmp_path: Path, service: str, expected: Verdict) -> None:
    """Step Functions is let in by its name, and by its name in the region of the state machine."""
    trust, *_ = judged(tmp_path, state(INVOKE, FunctionName='"worker"'), FOUND, service=service)
    assert expected == trust.verdict


def test_actions_of_the_sdk_are_called_as_iam_calls_them() -> None:
    """The SDK has names of its own for some services, and begins actions with a small letter."""
    assert "dynamodb:Query" == sdk_action("arn:aws:states:::aws-sdk:dynamodb:query")
    assert "states:StartExecution" == sdk_action("arn:aws:scheduler:::aws-sdk:sfn:startExecution")
    assert sdk_action("arn:aws:states:::lambda:invoke") is None


def test_a_deployment_moves_the_traffic_of_each_listener(tmp_path: Path) -> None:
    """What stands in a list is asked for of each entry; CodeDeploy may act on the rules of a listener too."""
    group = """
provider "aws" {
  region = "eu-west-1"
}
resource "aws_codedeploy_deployment_group" "web" {
  service_role_arn = aws_iam_role.own.arn
  ecs_service {
    cluster_name = "main"
    service_name = "web"
  }
  load_balancer_info {
    target_group_pair_info {
      prod_traffic_route {
        listener_arns = ["arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/web/1/2"]
      }
    }
  }
}
"""
    allow = {"Effect": "Allow", "Action": "elasticloadbalancing:ModifyListener", "Resource": "*"}
    own = role("codedeploy.amazonaws.com") + inline("one", allow)
    found = check_task_access(plan_of(tmp_path, {"main.tf": group + EDITS.common + own}), CONTRACT, "prod")
    assert [PROVEN] == [one.verdict for one in found if one.subject.endswith("ModifyListener")]


HIDDEN = 'jsonencode({ States = { One = { Type = "Task", Resource = RUN, Arguments = "{% $states.input %}" } } })'


def test_a_state_whose_input_is_computed_leaves_open_what_it_starts(tmp_path: Path) -> None:
    """Nothing is said to be refused, and nothing to be allowed, where the whole input is known at run time alone."""
    found = judged(tmp_path, HIDDEN.replace("RUN", '"arn:aws:states:::ecs:runTask"'), FOUND)
    asked = {one.verdict for one in found if not one.subject.endswith("states.amazonaws.com")}
    assert {UNDETERMINED} == asked


def test_the_roles_of_a_task_definition_that_is_read_are_not_known(tmp_path: Path) -> None:
    """A task definition of a data source has roles that may have to be passed, and it does not say which."""
    given = (
        'aws_ecs_task_definition.read.arn, NetworkConfiguration = { AwsvpcConfiguration = { Subnets = ["subnet-1"] } }'
    )
    read = 'data "aws_ecs_task_definition" "read" {\n  task_definition = "others"\n}\n'
    definition = state('"arn:aws:states:::ecs:runTask"', TaskDefinition=f"data.{given}")
    own = role("states.amazonaws.com") + inline("one", FOUND)
    machine = f"""
resource "aws_sfn_state_machine" "flow" {{
  name       = "flow"
  role_arn   = aws_iam_role.own.arn
  definition = {definition}
}}
"""
    found = check_task_access(plan_of(tmp_path, {"main.tf": read + machine + EDITS.common + own}), CONTRACT, "prod")
    assert [UNDETERMINED] * 2 == [one.verdict for one in found if one.subject.endswith("iam:PassRole")]


CONTRACTED = """
resource "aws_iam_role_policy" "one" {
  role   = aws_iam_role.own.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [] })
}
resource "aws_lambda_function" "report" {
  function_name = "report"
  role          = aws_iam_role.own.arn
  environment {
    variables = { LOGIN = aws_secretsmanager_secret.login.arn }
  }
}
"""


@pytest.mark.parametrize(
    ("readers", "expected"), [({}, []), ({"login": ["own"]}, [VIOLATED]), ({"log*": ["others"]}, [])]
)
def test_the_contract_says_which_secrets_of_the_environment_are_read(
    tmp_path: Path, readers: dict[str, list[str]], expected: list[Verdict]
) -> None:
    """A role that the contract has among the readers of a secret needs it where its function names the secret."""
    plan = plan_of(tmp_path, {"main.tf": EDITS.common + role("lambda.amazonaws.com") + CONTRACTED})
    table = {**CONTRACT.model_dump(exclude_unset=True), "policies": {"secret_readers": readers}}
    found = check_function_access(plan, Contract.model_validate(table), "prod")
    assert expected == [one.verdict for one in found if one.subject.endswith("secretsmanager:GetSecretValue")]


def starting(directory: Path, named: str, *statements: Mapping[str, object]) -> list[Finding]:
    """Return the findings about starting tasks of a function whose environment has a value under TASK_DEFINITION."""
    function = f"""
provider "aws" {{
  region = "eu-west-1"
}}
resource "aws_lambda_function" "start" {{
  function_name = "start"
  role          = aws_iam_role.own.arn
  environment {{
    variables = {{
      CLUSTER         = aws_ecs_cluster.main.name
      TASK_DEFINITION = {named}
    }}
  }}
}}
"""
    text = function + EDITS.common + role("lambda.amazonaws.com") + inline("one", *map(dict, statements))
    found = check_function_access(plan_of(directory, {"main.tf": text}), CONTRACT, "prod")
    return [one for one in found if one.subject.endswith(("ecs:RunTask", "iam:PassRole"))]


RUN = {"Effect": "Allow", "Action": "ecs:RunTask", "Resource": "*"}
PASS = {"Effect": "Allow", "Action": "iam:PassRole", "Resource": "*"}


@pytest.mark.parametrize(
    "named",
    [
        "aws_ecs_task_definition.job.arn",
        "aws_ecs_task_definition.job.arn_without_revision",
        "aws_ecs_task_definition.job.family",
        '"nightly"',
        '"arn:aws:ecs:eu-west-1:111122223333:task-definition/nightly"',
        '"arn:aws:ecs:eu-west-1:111122223333:task-definition/nightly:3"',
    ],
)
def test_a_function_passes_both_roles_of_the_task_that_its_environment_names(named: str, tmp_path: Path) -> None:
    """The task definition may be named by a reference, its ARN, or its family."""
    assert {PROVEN} == {one.verdict for one in starting(tmp_path / "may", named, RUN, PASS)}
    refused = [one for one in starting(tmp_path / "may not", named, RUN) if one.verdict is VIOLATED]
    assert ["aws_iam_role.execution.arn", "aws_iam_role.task.arn"] == sorted(
        word.strip(",:")
        for one in refused
        for word in one.subject.split()
        if word.startswith("aws_iam_role.") and word.endswith(".arn:")
    )


def test_a_function_may_start_the_task_on_the_cluster_that_its_environment_names(tmp_path: Path) -> None:
    """A condition on the cluster is judged by the cluster that is named beside the task definition."""
    name = "aws_ecs_task_definition.job.arn"

    def allowed(cluster: str) -> set[Verdict]:
        run = {**RUN, "Condition": {"ArnEquals": {"ecs:cluster": cluster}}}
        return {one.verdict for one in starting(tmp_path / cluster[-4:], name, run, PASS)}

    assert allowed("= aws_ecs_cluster.main.arn") == {PROVEN}
    assert allowed("arn:aws:ecs:eu-west-1:111122223333:cluster/other") == {PROVEN, VIOLATED}


def test_whether_a_function_starts_what_it_only_names_is_not_known(tmp_path: Path) -> None:
    """Where no policy of its role allows `ecs:RunTask` by that name, one finding says that it is open."""
    update = {"Effect": "Allow", "Action": "ecs:UpdateService", "Resource": "*"}
    found = starting(tmp_path, "aws_ecs_task_definition.job.arn", update)

    assert [
        (UNDETERMINED, "it is not needed by a function that does not start the task that its environment names")
    ] == [(one.verdict, one.reason) for one in found]


def test_a_value_that_is_a_family_by_chance_is_none(tmp_path: Path) -> None:
    """A text that equals a family is a task definition only where the name of the variable says so."""
    named = '"prod"\n      STAGE           = "nightly"'

    assert starting(tmp_path, named, RUN) == []


MOUNT = '  file_system_config {\n    arn              = PLACE\n    local_mount_path = "/mnt/f"\n  }\n'
IN_SUBNETS = "  vpc_config {\n    subnet_ids         = PLACE\n    security_group_ids = []\n  }\n"
FUNCTION = """
provider "aws" {
  region = "eu-west-1"
}
variable "unknown" {}
resource "aws_subnet" "a" {
  vpc_id     = "vpc-0abc"
  cidr_block = "10.0.0.0/24"
}
resource "aws_efs_file_system" "f" {}
resource "aws_efs_access_point" "f" {
  file_system_id = aws_efs_file_system.f.id
}
resource "aws_db_instance" "d" {
  identifier = "d"
}
resource "aws_lambda_function" "own" {
  function_name = "own"
  role          = aws_iam_role.own.arn
SETTING}
"""


@pytest.mark.parametrize(
    ("setting", "place", "action", "expected"),
    [
        (IN_SUBNETS, "[aws_subnet.a.id]", "ec2:CreateNetworkInterface", VIOLATED),
        (IN_SUBNETS, "aws_subnet.a[*].id", "ec2:CreateNetworkInterface", VIOLATED),
        (IN_SUBNETS, "[aws_subnet.a.id, var.unknown]", "ec2:CreateNetworkInterface", VIOLATED),
        (IN_SUBNETS, "[var.unknown]", "ec2:CreateNetworkInterface", UNDETERMINED),
        (IN_SUBNETS, "var.unknown", "ec2:CreateNetworkInterface", UNDETERMINED),
        (IN_SUBNETS, "[aws_db_instance.d.kms_key_id]", "ec2:CreateNetworkInterface", UNDETERMINED),
        (IN_SUBNETS, "[]", "ec2:CreateNetworkInterface", None),
        (MOUNT, "aws_efs_access_point.f.arn", "elasticfilesystem:ClientMount", PROVEN),
        (MOUNT, "var.unknown", "elasticfilesystem:ClientMount", UNDETERMINED),
    ],
)
def test_an_id_of_a_resource_is_there(
    setting: str, place: str, action: str, expected: Verdict | None, tmp_path: Path
) -> None:
    """A resource that Terraform makes has an id and an ARN, whatever they are: what asks for them is needed."""
    source = FUNCTION.replace("SETTING", setting.replace("PLACE", place)) + role("lambda.amazonaws.com")
    found = check_function_access(plan_of(tmp_path, {"main.tf": source}), CONTRACT, "prod")
    verdicts = {one.verdict for one in found if action in one.subject + one.expected}

    assert verdicts == ({expected} if expected else set()), [str(one) for one in found]
