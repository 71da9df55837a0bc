"""Functions and queues as an account has them: asked for by what the source names, and judged as the source."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from infraspec.checks.access.function_access import check_function_access
from infraspec.checks.access.task_access import check_task_access
from infraspec.checks.access.workload_access import check_workload_access
from infraspec.checks.deployed.drift import check_drift
from infraspec.checks.deployed.workload_state import check_workload_state
from infraspec.checks.invocation.invoke_access import check_invoke_access
from infraspec.core.errors import RunnerPermissionError
from infraspec.core.finding import Finding, Verdict
from infraspec.live.facts.schedules import last_runs
from infraspec.live.plan import live_plan
from infraspec.terraform.plan import Plan
from tests.live.answers import Answers
from tests.live.world import ACCOUNT, REGION, World, contract, source

LAMBDA = f"arn:aws:lambda:{REGION}:{ACCOUNT}:function:app-prod-import"
QUEUE = f"arn:aws:sqs:{REGION}:{ACCOUNT}:app-prod-orders"
URL = f"https://sqs.{REGION}.amazonaws.com/{ACCOUNT}/app-prod-orders"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/app-prod-import"
RULE = f"arn:aws:events:{REGION}:{ACCOUNT}:rule/app-prod-hourly"
SOURCE = """
resource "aws_iam_role" "import" {
  name               = "app-prod-import"
  assume_role_policy = jsonencode({ Statement = [
    { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "lambda.amazonaws.com" } }
  ] })
}
resource "aws_iam_role_policy" "import" {
  name   = "read"
  role   = aws_iam_role.import.name
  policy = jsonencode({ Statement = [{ Effect = "Allow", Action = "sqs:*", Resource = aws_sqs_queue.orders.arn }] })
}
resource "aws_lambda_function" "import" {
  function_name = "app-prod-import"
  role          = aws_iam_role.import.arn
  runtime       = "python3.13"
  handler       = "app.handle"
  environment {
    variables = { TOKEN = "hunter2" }
  }
}
resource "aws_sqs_queue" "orders" {
  name = "app-prod-orders"
}
resource "aws_lambda_event_source_mapping" "orders" {
  function_name    = aws_lambda_function.import.arn
  event_source_arn = aws_sqs_queue.orders.arn
}
resource "aws_cloudwatch_event_rule" "hourly" {
  name                = "app-prod-hourly"
  schedule_expression = "rate(1 hour)"
}
resource "aws_cloudwatch_event_target" "hourly" {
  rule = aws_cloudwatch_event_rule.hourly.name
  arn  = aws_lambda_function.import.arn
}
resource "aws_lambda_permission" "hourly" {
  statement_id  = "hourly"
  function_name = aws_lambda_function.import.function_name
  action        = "lambda:InvokeFunction"
  principal     = "events.amazonaws.com"
  source_arn    = aws_cloudwatch_event_rule.hourly.arn
}
"""
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "lambda.amazonaws.com"}}
READ = {"Statement": [{"Effect": "Allow", "Action": "sqs:*", "Resource": QUEUE}]}
STATEMENT = {
    "Sid": "hourly",
    "Effect": "Allow",
    "Principal": {"Service": "events.amazonaws.com"},
    "Action": "lambda:InvokeFunction",
    "Resource": LAMBDA,
    "Condition": {"ArnLike": {"AWS:SourceArn": RULE}},
}
ANSWERS: Mapping[tuple[str, str], Any] = {
    ("lambda", "get_function_concurrency"): {},
    ("lambda", "get_function_configuration"): {
        "FunctionName": "app-prod-import",
        "FunctionArn": LAMBDA,
        "Role": ROLE,
        "Runtime": "python3.13",
        "Handler": "app.handle",
        "Timeout": 3,
        "MemorySize": 128,
        "State": "Active",
        "LastUpdateStatus": "Successful",
        "VpcConfig": {"SubnetIds": [], "SecurityGroupIds": []},
        "Environment": {"Variables": {"TOKEN": "hunter2"}},
    },
    ("lambda", "get_policy"): {"Policy": json.dumps({"Statement": [STATEMENT]})},
    ("lambda", "list_event_source_mappings"): {
        "EventSourceMappings": [
            {"UUID": "1", "FunctionArn": LAMBDA, "EventSourceArn": QUEUE, "BatchSize": 10, "State": "Enabled"}
        ]
    },
    ("lambda", "list_tags"): {"Tags": {}},
    ("sqs", "get_queue_url"): {"QueueUrl": URL},
    ("sqs", "get_queue_attributes"): {
        "Attributes": {
            "VisibilityTimeout": "30",
            "MessageRetentionPeriod": "345600",
            "DelaySeconds": "0",
            "ApproximateNumberOfMessages": "4",
        }
    },
    ("iam", "list_roles"): {"Roles": [{"RoleName": "app-prod-import"}]},
    ("iam", "get_role"): {
        "Role": {"RoleName": "app-prod-import", "Arn": ROLE, "AssumeRolePolicyDocument": {"Statement": [TRUST]}}
    },
    ("iam", "list_role_policies"): {"PolicyNames": ["read"]},
    ("iam", "get_role_policy"): {"PolicyDocument": READ},
    ("iam", "list_attached_role_policies"): {"AttachedPolicies": []},
    ("iam", "list_policies"): {"Policies": []},
    ("events", "list_rules"): {
        "Rules": [{"Name": "app-prod-hourly", "Arn": RULE, "State": "ENABLED", "ScheduleExpression": "rate(1 hour)"}]
    },
    ("events", "list_targets_by_rule"): {"Targets": [{"Id": "1", "Arn": LAMBDA}]},
    ("events", "list_tags_for_resource"): {"Tags": []},
    ("resourcegroupstaggingapi", "get_resources"): {"ResourceTagMappingList": []},
    ("secretsmanager", "list_secrets"): {"SecretList": []},
    ("ssm", "describe_parameters"): {"Parameters": []},
    ("kms", "list_aliases"): {"Aliases": []},
    ("ecs", "list_clusters"): {"clusterArns": []},
    ("ecs", "list_task_definition_families"): {"families": []},
}


def refusing(**_: object) -> None:
    """Refuse as AWS refuses the runner."""
    raise RunnerPermissionError("the runner may not", remedy='{"Action": "lambda:GetPolicy"}')


def of(directory: Path, *, text: str = SOURCE, **answers: Any) -> tuple[Plan, Plan, Answers]:
    """Return the source, what exists, and what was asked; `answers` by operation take the place of others."""
    own = {key: answers.get(key[1], answer) for key, answer in ANSWERS.items()}
    table = {**World().answers().table, **own}
    calls, plan = Answers(table), source(directory, text)
    return plan, live_plan(calls, plan, contract(), "prod"), calls


def verdicts(findings: list[Finding]) -> set[Verdict]:
    """Return the verdicts of findings."""
    return {one.verdict for one in findings}


def test_what_is_deployed_as_the_source_says_is_proven(tmp_path: Path) -> None:
    """The calls and roles of a function that nobody changed hold, and nothing differs."""
    plan, live, _ = of(tmp_path)
    compared = [one for one in check_drift(plan, live, {}) if not one.advice]

    assert {Verdict.PROVEN} == verdicts(check_invoke_access(live, contract(), "prod"))
    assert {Verdict.PROVEN} == verdicts(compared)


def test_nobody_lists_the_functions_and_queues_of_the_account(tmp_path: Path) -> None:
    """Each is asked for by its name."""
    _, live, calls = of(tmp_path)
    live.managed("aws_lambda_function", "aws_sqs_queue", "aws_lambda_event_source_mapping")

    asked = [(operation, given) for service, operation, given in calls.asked if service in {"lambda", "sqs"}]
    assert ("get_function_configuration", {"FunctionName": "app-prod-import"}) in asked
    assert ("get_queue_url", {"QueueName": "app-prod-orders"}) in asked
    assert ("list_event_source_mappings", {"FunctionName": LAMBDA, "EventSourceArn": QUEUE}) in asked


def test_no_value_of_an_environment_is_shown(tmp_path: Path) -> None:
    """The environment of a function may hold a secret."""
    _, live, _ = of(tmp_path)

    assert "hunter2" not in repr(live.managed("aws_lambda_function"))
    assert "hunter2" not in str(check_function_access(live, contract(), "prod"))


def test_a_policy_that_may_not_be_read_leaves_the_caller_open(tmp_path: Path) -> None:
    """The roles of the function do not rest on it."""
    _, live, _ = of(tmp_path, get_policy=refusing)

    assert {Verdict.UNDETERMINED} == verdicts(check_invoke_access(live, contract(), "prod"))
    assert Verdict.VIOLATED not in verdicts(check_function_access(live, contract(), "prod"))


def test_a_function_that_may_not_be_read_leaves_its_role_open(tmp_path: Path) -> None:
    """Its policy does not rest on it."""
    _, live, _ = of(tmp_path, get_function_configuration=refusing)
    found = verdicts(check_function_access(live, contract(), "prod"))

    assert Verdict.UNDETERMINED in found
    assert Verdict.VIOLATED not in found
    assert {Verdict.PROVEN} == verdicts(check_invoke_access(live, contract(), "prod"))


@pytest.mark.parametrize(
    "statements",
    [
        [],
        [{**STATEMENT, "Principal": {"Service": "s3.amazonaws.com"}}],
        [{**STATEMENT, "Condition": {"ArnLike": {"AWS:SourceArn": f"{RULE}-other"}}}],
    ],
)
def test_a_policy_that_somebody_changed_keeps_the_caller_out(tmp_path: Path, statements: list[Any]) -> None:
    """The policy of the account decides, whatever the source says."""
    _, live, _ = of(tmp_path, get_policy={"Policy": json.dumps({"Statement": statements})})

    assert {Verdict.VIOLATED} == verdicts(check_invoke_access(live, contract(), "prod"))


def test_a_statement_that_somebody_added_lets_the_caller_in(tmp_path: Path) -> None:
    """That the statement of the source is gone, drift says."""
    added = json.dumps({"Statement": [{**STATEMENT, "Sid": "by-hand"}]})
    plan, live, _ = of(tmp_path, get_policy={"Policy": added})
    gone = [one.address for one in check_drift(plan, live, {}) if one.verdict is Verdict.VIOLATED]

    assert {Verdict.PROVEN} == verdicts(check_invoke_access(live, contract(), "prod"))
    assert ["aws_lambda_permission.hourly"] == gone


def test_what_is_not_read_is_not_proven(tmp_path: Path) -> None:
    """A type that the live suite does not read, and one that AWS has none of, are UNDETERMINED."""
    more = """
resource "aws_iot_topic_rule" "a" {
  name        = "app_prod_orders"
  enabled     = true
  sql         = "SELECT * FROM 'orders'"
  sql_version = "2016-03-23"
  lambda {
    function_arn = aws_lambda_function.import.arn
  }
}
"""
    _, live, _ = of(tmp_path, text=SOURCE + more)
    found = check_invoke_access(live, contract(), "prod")

    assert [Verdict.UNDETERMINED] == [one.verdict for one in found if one.address == "aws_iot_topic_rule.a"]


def test_a_function_whose_name_is_not_known_is_not_proven(tmp_path: Path) -> None:
    """Nothing tells which function of the account it is before the state is known."""
    text = SOURCE.replace('"app-prod-import"\n  role', '"app-${aws_sqs_queue.orders.id}-${uuid()}"\n  role')
    _, live, _ = of(tmp_path, text=text)

    assert Verdict.UNDETERMINED in verdicts(check_function_access(live, contract(), "prod"))
    assert Verdict.VIOLATED not in verdicts(check_function_access(live, contract(), "prod"))


@pytest.mark.parametrize(
    ("result", "verdict"),
    [
        ("OK", Verdict.PROVEN),
        ("No records processed", Verdict.PROVEN),
        ("PROBLEM: Function call failed", Verdict.VIOLATED),
    ],
)
def test_the_last_batch_of_a_mapping(tmp_path: Path, result: str, verdict: Verdict) -> None:
    """A batch that was not handled is told by Lambda."""
    (mapping,) = ANSWERS["lambda", "list_event_source_mappings"]["EventSourceMappings"]
    answer = {"EventSourceMappings": [{**mapping, "LastProcessingResult": result}]}
    plan, live, _ = of(tmp_path, list_event_source_mappings=answer)
    found = check_workload_state(plan, live, {})

    assert [verdict] == [one.verdict for one in found if one.address == "aws_lambda_event_source_mapping.orders"]


def test_messages_are_told_of_dead_letter_queues_alone(tmp_path: Path) -> None:
    """Messages that wait for a function are nothing to tell; those that it failed on are."""
    failed = 'function_name = "app-prod-import"\n  dead_letter_config {\n    target_arn = aws_sqs_queue.orders.arn\n  }'
    configuration = {
        **ANSWERS["lambda", "get_function_configuration"],
        "DeadLetterConfig": {"TargetArn": QUEUE},
    }
    plan, live, _ = of(tmp_path)
    dead, there, _ = of(
        tmp_path,
        text=SOURCE.replace('function_name = "app-prod-import"', failed),
        get_function_configuration=configuration,
    )

    assert [] == [one for one in check_workload_state(plan, live, {}) if one.address == "aws_sqs_queue.orders"]
    assert [True] == [
        one.advice for one in check_workload_state(dead, there, {}) if one.address == "aws_sqs_queue.orders"
    ]


def test_a_queue_with_its_policy_as_an_argument(tmp_path: Path) -> None:
    """The policy is the queue's own, and is compared with that of the account."""
    allowed = {"Effect": "Allow", "Principal": {"Service": "s3.amazonaws.com"}, "Action": "sqs:SendMessage"}
    text = SOURCE.replace(
        'name = "app-prod-orders"',
        f'name = "app-prod-orders"\n  policy = jsonencode({{ Statement = [{_hcl(allowed)}] }})',
    )
    own = ANSWERS["sqs", "get_queue_attributes"]["Attributes"]
    same = {"Attributes": {**own, "Policy": json.dumps({"Statement": [allowed]})}}
    plan, live, _ = of(tmp_path, text=text, get_queue_attributes=same)
    changed, other, _ = of(tmp_path, text=text)

    assert [] == list(live.managed("aws_sqs_queue_policy"))
    assert [] == _differing(plan, live)
    assert ["aws_sqs_queue.orders"] == _differing(changed, other)


def test_an_account_may_be_named_by_its_id(tmp_path: Path) -> None:
    """Lambda writes the ARN of its root for it."""
    text = SOURCE.replace('principal     = "events.amazonaws.com"', f'principal     = "{ACCOUNT}"')
    named = {**STATEMENT, "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}
    plan, live, _ = of(tmp_path, text=text, get_policy={"Policy": json.dumps({"Statement": [named]})})

    assert [] == _differing(plan, live)


def _differing(plan: Plan, live: Plan) -> list[str]:
    return [one.address for one in check_drift(plan, live, {}) if one.verdict is not Verdict.PROVEN]


def _hcl(value: Mapping[str, Any]) -> str:
    return json.dumps(value).replace(": ", " = ")


def _allowing(principal: str, source: str) -> dict[str, Any]:
    """Return an answer of GetPolicy that lets a service in for a source."""
    condition = {"ArnLike": {"AWS:SourceArn": source}}
    return {
        "Policy": json.dumps(
            {"Statement": [{**STATEMENT, "Principal": {"Service": principal}, "Condition": condition}]}
        )
    }


BUCKET = """
resource "aws_s3_bucket_notification" "caller" {
  bucket = "app-prod-uploads"
  lambda_function {
    lambda_function_arn = aws_lambda_function.import.arn
    events              = ["s3:ObjectCreated:*"]
  }
}
"""
FILTER = """
resource "aws_cloudwatch_log_subscription_filter" "caller" {
  name            = "app-prod-errors"
  log_group_name  = "/app/prod"
  filter_pattern  = "ERROR"
  destination_arn = aws_lambda_function.import.arn
}
"""
REST = """
resource "aws_api_gateway_integration" "caller" {
  rest_api_id             = "a1b2c3d4e5"
  resource_id             = "x1y2z3"
  http_method             = "POST"
  integration_http_method = "POST"
  type                    = "AWS_PROXY"
  uri                     = aws_lambda_function.import.invoke_arn
}
"""
INVOKED = f"arn:aws:apigateway:{REGION}:lambda:path/2015-03-31/functions/{LAMBDA}/invocations"
EXECUTE = f"arn:aws:execute-api:{REGION}:{ACCOUNT}"
CALLERS: Mapping[str, tuple[str, str, str, str, Mapping[str, Any]]] = {
    "a bucket": (
        BUCKET,
        "s3.amazonaws.com",
        "arn:aws:s3:::app-prod-uploads",
        "s3 get_bucket_notification_configuration",
        {"LambdaFunctionConfigurations": [{"LambdaFunctionArn": LAMBDA, "Events": ["s3:ObjectCreated:*"]}]},
    ),
    "a log group": (
        FILTER,
        "logs.amazonaws.com",
        f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/app/prod:*",
        "logs describe_subscription_filters",
        {
            "subscriptionFilters": [
                {
                    "filterName": name,
                    "logGroupName": "/app/prod",
                    "filterPattern": "ERROR",
                    "destinationArn": f"{LAMBDA}{other}",
                }
                for name, other in (("app-prod-errors", ""), ("app-prod-errors-of-others", "-of-others"))
            ]
        },
    ),
    "a REST API": (
        REST,
        "apigateway.amazonaws.com",
        f"{EXECUTE}:a1b2c3d4e5/*",
        "apigateway get_integration",
        {"type": "AWS_PROXY", "httpMethod": "POST", "uri": INVOKED},
    ),
}


@pytest.mark.parametrize("name", CALLERS)
def test_what_calls_a_function_is_read_in_the_account(tmp_path: Path, name: str) -> None:
    """The policy of the function is asked for what the caller is in the account, and for no other source."""
    text, service, arn, operation, answer = CALLERS[name]

    def judged(allowed: str) -> tuple[list[Verdict], list[Verdict]]:
        asked: tuple[str, str] = (operation.split()[0], operation.split()[1])
        answers = {**ANSWERS, asked: answer, ("lambda", "get_policy"): _allowing(service, allowed)}
        plan = source(tmp_path / allowed[-4:].strip("*/:"), SOURCE + text)
        live = live_plan(Answers({**World().answers().table, **answers}), plan, contract(), "prod")
        found, there = check_invoke_access(live, contract(), "prod"), check_drift(plan, live, {})
        return tuple([one.verdict for one in some if one.address.endswith(".caller")] for some in (found, there))  # type: ignore[return-value]

    as_it_is = [Verdict.UNDETERMINED if "invoke_arn" in text else Verdict.PROVEN]  # known with a state alone
    assert judged(arn) == ([Verdict.PROVEN], as_it_is)
    assert judged("arn:aws:s3:::another") == ([Verdict.VIOLATED], as_it_is)


ROLES: Mapping[str, tuple[str, str, str, Mapping[str, Any]]] = {
    "a pipeline": (
        """
resource "aws_codepipeline" "user" {
  name     = "app-prod-release"
  role_arn = aws_iam_role.import.arn
}
""",
        "codepipeline",
        "codepipeline get_pipeline",
        {"pipeline": {"name": "app-prod-release", "roleArn": ROLE, "stages": []}},
    ),
    "a deployment group": (
        """
resource "aws_codedeploy_deployment_group" "user" {
  app_name              = "app-prod"
  deployment_group_name = "app-prod-blue-green"
  service_role_arn      = aws_iam_role.import.arn
  ecs_service {
    cluster_name = "app-prod"
    service_name = "app-prod-api"
  }
}
""",
        "codedeploy",
        "codedeploy get_deployment_group",
        {
            "deploymentGroupInfo": {
                "applicationName": "app-prod",
                "deploymentGroupName": "app-prod-blue-green",
                "serviceRoleArn": ROLE,
                "ecsServices": [{"clusterName": "app-prod", "serviceName": "app-prod-api"}],
            }
        },
    ),
    "a compute environment": (
        """
resource "aws_batch_compute_environment" "user" {
  name         = "app-prod-batch"
  type         = "UNMANAGED"
  service_role = aws_iam_role.import.arn
}
""",
        "batch",
        "batch describe_compute_environments",
        {
            "computeEnvironments": [
                {
                    "computeEnvironmentName": "app-prod-batch",
                    "computeEnvironmentArn": f"arn:aws:batch:{REGION}:{ACCOUNT}:compute-environment/app-prod-batch",
                    "serviceRole": ROLE,
                    "type": "UNMANAGED",
                    "state": "ENABLED",
                }
            ]
        },
    ),
}


@pytest.mark.parametrize("name", ROLES)
def test_what_acts_with_a_role_is_read_in_the_account(tmp_path: Path, name: str) -> None:
    """Who may assume the role is judged by the trust policy that it has there."""
    text, service, operation, answer = ROLES[name]

    asked: tuple[str, str] = (operation.split()[0], operation.split()[1])

    def verdict(principal: str) -> set[Verdict]:
        statement = {**TRUST, "Principal": {"Service": principal}}
        role = {"RoleName": "app-prod-import", "Arn": ROLE, "AssumeRolePolicyDocument": {"Statement": [statement]}}
        own = {
            **World().answers().table,
            **ANSWERS,
            asked: answer,
            ("iam", "get_role"): {"Role": role},
        }
        plan = source(tmp_path / principal, SOURCE + text)
        live = live_plan(Answers(own), plan, contract(), "prod")
        found = [*check_task_access(live, contract(), "prod"), *check_workload_access(live, contract(), "prod")]
        return {one.verdict for one in found if one.subject.endswith(f"sts:AssumeRole by {service}.amazonaws.com")}

    assert verdict(f"{service}.amazonaws.com") == {Verdict.PROVEN}
    assert verdict("ec2.amazonaws.com") == {Verdict.VIOLATED}


HOUR = datetime(2026, 11, 25, 8, tzinfo=UTC)
GROUPED = """
resource "aws_scheduler_schedule" "nightly" {
  name                = "app-prod-nightly"
  group_name          = "app-prod"
  schedule_expression = "rate(1 day)"
  flexible_time_window {
    mode = "OFF"
  }
  target {
    arn      = aws_sqs_queue.orders.arn
    role_arn = aws_iam_role.import.arn
  }
}
"""
SCHEDULE = {
    "Name": "app-prod-nightly",
    "GroupName": "app-prod",
    "Arn": f"arn:aws:scheduler:{REGION}:{ACCOUNT}:schedule/app-prod/app-prod-nightly",
    "ScheduleExpression": "rate(1 day)",
    "State": "ENABLED",
    "Target": {"Arn": QUEUE, "RoleArn": ROLE},
}


@pytest.mark.parametrize(
    ("counted", "verdict"),
    [
        ({}, Verdict.PROVEN),
        ({"Invocations": 0, "InvocationAttemptCount": 0}, Verdict.PROVEN),
        ({"FailedInvocations": 0, "InvocationDroppedCount": 0}, Verdict.VIOLATED),
        ({"Invocations": 2, "FailedInvocations": 2, "InvocationDroppedCount": 1}, Verdict.VIOLATED),
        (
            {"Invocations": 1, "FailedInvocations": 30, "InvocationAttemptCount": 1, "InvocationDroppedCount": 30},
            Verdict.PROVEN,
        ),
    ],
)
def test_how_the_last_run_of_a_schedule_ended(tmp_path: Path, counted: dict[str, int], verdict: Verdict) -> None:
    """What EventBridge could not start is violated until something starts again; `counted` are hours ago."""

    def metrics(**asked: Any) -> Mapping[str, Any]:
        found = [(one["Id"], one["MetricStat"]["Metric"]["MetricName"]) for one in asked["MetricDataQueries"]]
        results = [
            {"Id": id_, "Timestamps": [HOUR, HOUR - timedelta(hours=counted[name])], "Values": [0.0, 1.0]}
            if name in counted
            else {"Id": id_, "Timestamps": [], "Values": []}
            for id_, name in found
        ]
        return {"MetricDataResults": results}

    plan = source(tmp_path, SOURCE + GROUPED)
    own: dict[tuple[str, str], Any] = {
        ("scheduler", "get_schedule"): SCHEDULE,
        ("cloudwatch", "get_metric_data"): metrics,
    }
    calls = Answers({**World().answers().table, **ANSWERS, **own})
    live = live_plan(calls, plan, contract(), "prod")
    found = check_workload_state(plan, live, last_runs(calls, live))

    ran = {one.address: one.verdict for one in found if one.subject.endswith("last run")}
    assert ran == {"aws_cloudwatch_event_rule.hourly": verdict, "aws_scheduler_schedule.nightly": verdict}
    assert calls.count("cloudwatch", "get_metric_data") == 1


def test_metrics_that_may_not_be_read_leave_the_last_run_open(tmp_path: Path) -> None:
    """What the runner may not read is unknown, with the statement to add."""
    plan = source(tmp_path, SOURCE)
    calls = Answers({**World().answers().table, **ANSWERS, ("cloudwatch", "get_metric_data"): refusing})
    live = live_plan(calls, plan, contract(), "prod")
    found = check_workload_state(plan, live, last_runs(calls, live))

    assert [Verdict.UNDETERMINED] == [one.verdict for one in found if one.subject.endswith("last run")]
