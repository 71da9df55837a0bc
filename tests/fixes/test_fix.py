"""`infraspec fix`: what is violated is fixed in the source, and nothing else changes."""

from __future__ import annotations

import json
import re
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infraspec.cli import main
from infraspec.fixes.judgement import Infrastructure
from infraspec.fixes.proof import Fixes, Prover
from infraspec.reporting.github.suggestions import review, shown_lines
from tests.terraform.sources import write

CONTRACT = """\
[project]
application = "shop"

[environments.prod]
account_id = "111122223333"
region = "eu-west-1"
"""
TRUST = """\
data "aws_iam_policy_document" "trust" {
  statement {
    actions = ["sts:AssumeRole"]
    principals {
      type        = "Service"
      identifiers = ["ecs-tasks.amazonaws.com"]
    }
  }
}
"""
TASK = """\
resource "aws_ecs_task_definition" "api" {
  family             = "api"
  execution_role_arn = aws_iam_role.execution.arn
  container_definitions = jsonencode([{
    name    = "api"
    image   = "public.ecr.aws/docker/library/nginx:1.27"
    secrets = [
      { name = "DB", valueFrom = aws_secretsmanager_secret.db.arn },
      { name = "KEY", valueFrom = aws_secretsmanager_secret.key.arn },
    ]
    logConfiguration = { logDriver = "awsfirelens" }
  }])
}

resource "aws_secretsmanager_secret" "db" {
  name = "shop-prod-db"
}

resource "aws_secretsmanager_secret" "key" {
  name = "shop-prod-key"
}
"""
ROLE = """\
resource "aws_iam_role" "execution" {
  name               = "shop-prod-execution"
  assume_role_policy = data.aws_iam_policy_document.trust.json
}
"""
POLICIES = {
    "inline": """\
resource "aws_iam_role_policy" "read" {
  role = aws_iam_role.execution.id # what it reads
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [
      {
        Effect   = "Allow"
        Action   = "logs:PutLogEvents"
        Resource = "*"
      } // the last one
    ]
  })
}
""",
    "one statement": """\
resource "aws_iam_role_policy" "read" {
  role   = aws_iam_role.execution.id
  policy = jsonencode({
    Version   = "2012-10-17",
    Statement = { Effect = "Allow", Action = "logs:PutLogEvents", Resource = "*" }
  })
}
""",
    "document": """\
resource "aws_iam_role_policy" "read" {
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.read.json
}

data "aws_iam_policy_document" "read" {
  statement {
    actions   = ["logs:PutLogEvents"]
    resources = ["*"]
  }
}
""",
    "local": """\
locals {
  read = { Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "logs:PutLogEvents", Resource = "*" }] }
}

resource "aws_iam_role_policy" "read" {
  role   = aws_iam_role.execution.id
  policy = jsonencode(local.read)
}
""",
    "heredoc": """\
resource "aws_iam_role_policy" "read" {
  role   = aws_iam_role.execution.id
  policy = <<-EOT
    {
      "Version": "2012-10-17",
      "Statement": [
        {"Effect": "Allow", "Action": "logs:PutLogEvents", "Resource": "*"}
      ]
    }
  EOT
}
""",
    "none": "",
}
"""Ways to write the policy of a role."""


def fixes_of(directory: Path, files: dict[str, str], *, contract: str = CONTRACT) -> Fixes:
    """Return the fixes of a repository."""
    write(directory, {"infraspec.toml": contract, **files})
    return Prover(Infrastructure(directory)).run()


def left(directory: Path, fixes: Fixes) -> list[str]:
    """Write fixes; return what is violated then."""
    for path, text in fixes.after.items():
        path.write_bytes(text.encode())
    again = Prover(Infrastructure(directory)).run()
    return [finding.key for finding in (*(one.finding for one in again.fixed), *(one.finding for one in again.unfixed))]


@pytest.mark.parametrize("form", POLICIES)
def test_statements_go_where_the_policy_is(form: str, tmp_path: Path) -> None:
    """The missing actions on both secrets are one statement, in the policy of the role however it is written."""
    source = TRUST + TASK + ROLE + POLICIES[form]
    fixes = fixes_of(tmp_path, {"main.tf": source})
    assert () == fixes.unfixed
    assert 2 == len(fixes.fixed)
    (text,) = fixes.after.values()
    assert 1 == text.count("secretsmanager:GetSecretValue")
    kept = iter(text.splitlines())
    assert all(
        any(line.replace(",", "") in other.replace(",", "") for other in kept)
        for line in source.splitlines()
        if "Statement" not in line
    )
    assert [] == left(tmp_path, fixes)


@pytest.mark.parametrize("ending", ["\n", "\r\n"])
def test_what_is_not_touched_stays(ending: str, tmp_path: Path) -> None:
    """Line ends, comments and the end of the file without a line end are those of before."""
    source = f"# é\n{TRUST}{TASK}{ROLE}".replace("\n", ending).removesuffix(ending)
    write(tmp_path, {"infraspec.toml": CONTRACT})
    (tmp_path / "main.tf").write_bytes(source.encode())
    fixes = Prover(Infrastructure(tmp_path)).run()
    (text,) = fixes.after.values()
    assert text.startswith(source)
    assert text.count("\n") == text.count(ending)
    assert [] == left(tmp_path, fixes)


INCOMPLETE = {
    "document": """\
resource "aws_iam_role_policy" "read" {
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.read.json
}

data "aws_iam_policy_document" "read" {
  statement {
    actions   = ["secretsmanager:GetSecretValue"]
    resources = [aws_secretsmanager_secret.db.arn]
  }

  statement {
    ACTION    = ["secretsmanager:GetSecretValue"]
    RESOURCE  = [aws_secretsmanager_secret.key.arn]
  }
}
""",
    "inline": """\
resource "aws_iam_role_policy" "read" {
  role = aws_iam_role.execution.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [
      { Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = aws_secretsmanager_secret.db.arn },
      {
        Effect   = "Allow"
        ACTION   = "secretsmanager:GetSecretValue"
        RESOURCE = aws_secretsmanager_secret.key.arn
      },
    ]
  })
}
""",
}


@pytest.mark.parametrize("form", INCOMPLETE)
@pytest.mark.parametrize("element", ["ACTION", "RESOURCE"])
def test_a_statement_that_lacks_an_element_is_written_anew(form: str, element: str, tmp_path: Path) -> None:
    """AWS refuses the whole policy: the statement that is needed takes its place, which fixes what others allow too."""
    lines = [line for line in INCOMPLETE[form].splitlines() if element not in line]
    names = {"document": ("actions", "resources"), "inline": ("Action", "Resource")}[form]
    policy = "\n".join(lines).replace("ACTION", names[0]).replace("RESOURCE", names[1]) + "\n"
    fixes = fixes_of(tmp_path, {"main.tf": TRUST + TASK + ROLE + policy})
    text = fixes.after[tmp_path.resolve() / "main.tf"]
    assert text.count("secretsmanager:GetSecretValue") == 2
    assert text.count("secretsmanager:*") == text.count('["*"]') == 0
    assert not left(tmp_path, fixes)
    assert not fixes.unfixed
    assert {"secret-access", "policies"} == {one.finding.rule for one in fixes.fixed}
    assert {"DB", "KEY"} == {
        re.findall('secret "(\\w+)"', one.finding.key)[0] for one in fixes.fixed if "secret " in one.finding.key
    }


def test_a_condition_is_not_lost_with_a_statement_that_lacks_an_element(tmp_path: Path) -> None:
    """Whoever wrote a condition meant it: a statement that has one is not replaced."""
    policy = (
        INCOMPLETE["document"]
        .replace(
            '    ACTION    = ["secretsmanager:GetSecretValue"]\n',
            """\
    condition {
      test     = "Bool"
      variable = "aws:SecureTransport"
      values   = ["true"]
    }
""",
        )
        .replace("RESOURCE ", "resources")
    )
    fixes = fixes_of(tmp_path, {"main.tf": TRUST + TASK + ROLE + policy})
    assert not fixes.after
    assert any("a statement has Action or NotAction" in one.reason for one in fixes.unfixed)


def test_instances_are_one_patch(tmp_path: Path) -> None:
    """Roles and secrets of for_each get a policy of for_each, each with its own secret."""
    each = 'for_each = toset(["a", "b"])\n'
    task = TASK.replace('"api" {\n', f'"api" {{\n  {each}', 1).replace(".db.arn", ".db[each.key].arn")
    task = task.replace("execution.arn", "execution[each.key].arn").replace(
        '      { name = "KEY", valueFrom = aws_secretsmanager_secret.key.arn },\n', ""
    )
    task = task.replace('"db" {\n', f'"db" {{\n  {each}').replace('"shop-prod-db"', '"shop-prod-${each.key}"')
    role = ROLE.replace("{\n", f"{{\n  {each}", 1).replace("prod-execution", "prod-${each.key}")
    fixes = fixes_of(tmp_path, {"main.tf": TRUST + task + role})
    (text,) = fixes.after.values()
    assert 'resource "aws_iam_role_policy"' in text
    assert "aws_secretsmanager_secret.db[each.key].arn]" in text
    assert [] == left(tmp_path, fixes)


def test_what_carries_the_value_is_used(tmp_path: Path) -> None:
    """A module that is given the ARN names its variable; nothing new is passed to it."""
    root = 'module "task" {\n  source = "./task"\n  secret = aws_secretsmanager_secret.db.arn\n}\n'
    secret = TASK[
        TASK.index('resource "aws_secretsmanager_secret" "db"') : TASK.index(
            '\nresource "aws_secretsmanager_secret" "key"'
        )
    ]
    task = TASK[: TASK.index('resource "aws_secretsmanager_secret" "db"')].replace(
        '      { name = "KEY", valueFrom = aws_secretsmanager_secret.key.arn },\n', ""
    )
    task = task.replace("aws_secretsmanager_secret.db.arn", "var.secret") + 'variable "secret" {}\n'
    fixes = fixes_of(tmp_path, {"main.tf": root + secret, "task/main.tf": TRUST + task + ROLE})
    ((path, text),) = fixes.after.items()
    assert "task/main.tf" == path.relative_to(tmp_path).as_posix()
    assert "Resource = [var.secret]" in text
    assert [] == left(tmp_path, fixes)


def test_environments_share_a_patch(tmp_path: Path) -> None:
    """A name that each environment has of its own is written by the variable that differs."""
    contract = """\
        [project]
        application = "shop"
        [environments.dev]
        variables = {environment = "dev"}
        [environments.prod]
        variables = {environment = "prod"}
        [names.patterns]
        aws_sqs_queue = "{application}-{environment}-{name}"
        [tags.common]
        Environment = "{environment}"
        """
    source = 'variable "environment" {}\nresource "aws_sqs_queue" "jobs" {\n  name = "shop-jobs"\n}\n'
    fixes = fixes_of(tmp_path, {"main.tf": source}, contract=contract)
    (text,) = fixes.after.values()
    assert '  name = "shop-${var.environment}-jobs"\n  tags = {\n    Environment = var.environment\n  }\n' in text
    assert [] == left(tmp_path, fixes)


SHARED = """\
locals {
  common = { Team = "orders", Owner = "a" }
  other  = { Team = "spare" }
}

resource "aws_sqs_queue" "tagged" {
  tags = local.common
}

resource "aws_sqs_queue" "spare" {
  tags = merge(local.other, { Owner = "b" })
}

"""


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("", "  tags = local.common\n"),
        ("  tags = { Size = 1 }\n", "  tags = merge(local.common, { Size = 1 })\n"),
        (
            "  tags = merge(\n    var.own, # its own\n    { Size = 1 },\n  )\n",
            "  tags = merge(\n    local.common,\n    var.own, # its own\n    { Size = 1 },\n  )\n",
        ),
        ("  tags = merge(var.own, { Size = 1 })\n", "  tags = merge(local.common, var.own, { Size = 1 })\n"),
    ],
)
def test_a_map_of_the_module_has_the_tags(written: str, expected: str, tmp_path: Path) -> None:
    """Tags whose value the contract leaves open come from the map that other tags of the module are made of."""
    contract = CONTRACT + "[tags.common]\nTeam = {}\nOwner = {}\n"
    source = SHARED + 'variable "own" {\n  default = {}\n}\n\nresource "aws_sqs_queue" "jobs" {\n%s}\n'
    fixes = fixes_of(tmp_path, {"main.tf": source % written}, contract=contract)
    assert [source % expected] == [*fixes.after.values()]
    assert [] == left(tmp_path, fixes)


OPEN = CONTRACT + "[tags.common]\nOwner = {}\n"


def queues(*owners: str) -> str:
    """Return queues with these expressions as tags, and one without tags."""
    queue = 'resource "aws_sqs_queue" "q{0}" {{\n  name = "q{0}"\n  tags = {{ Owner = {1} }}\n}}\n'
    bare = 'resource "aws_sqs_queue" "bare" {\n  name = "bare"\n}\n'
    return 'variable "owner" {}\n' + "".join(queue.format(*pair) for pair in enumerate(owners)) + bare


@pytest.mark.parametrize("owner", ["var.owner", '"platform"'])
def test_a_tag_is_written_as_the_others_write_it(owner: str, tmp_path: Path) -> None:
    """A value that the contract leaves open is the expression that all others of the module have."""
    fixes = fixes_of(tmp_path, {"main.tf": queues(owner, owner)}, contract=OPEN)
    (text,) = fixes.after.values()
    assert text.endswith(f'  name = "bare"\n  tags = {{\n    Owner = {owner}\n  }}\n}}\n')
    assert [] == left(tmp_path, fixes)


@pytest.mark.parametrize("owners", [("var.owner", '"platform"'), ("upper(var.owner)",) * 2])
def test_a_tag_that_is_written_otherwise_is_not_taken(owners: tuple[str, str], tmp_path: Path) -> None:
    """Where the others do not agree, or take it from elsewhere, a variable of the root module has the value."""
    fixes = fixes_of(tmp_path, {"main.tf": queues(*owners)}, contract=OPEN)
    (text,) = fixes.after.values()
    assert text == queues(*owners) + PROVIDER.replace("VALUE", "var.owner")
    assert [] == left(tmp_path, fixes)


PROVIDER = """
provider "aws" {
  default_tags {
    tags = {
      Owner = VALUE
    }
  }
}
"""


@pytest.mark.parametrize("provider", ["", 'provider "aws" {\n  region = "eu-west-1"\n}\n'])
def test_a_value_that_nobody_has_is_asked_for(provider: str, tmp_path: Path) -> None:
    """A tag that no resource has gets a variable of the root module, whose value is listed as awaited."""
    contract = CONTRACT + "[tags.common]\nCostCenter = {}\n"
    module = 'resource "aws_sqs_queue" "jobs" {\n  name = "jobs"\n}\n'
    given = {"terraform.tfvars": 'size = "small"\n', "variables.tf": 'variable "size" {}\n'}
    files = given | {"main.tf": provider + 'module "jobs" {\n  source = "./jobs"\n}\n', "jobs/main.tf": module}
    fixes = fixes_of(tmp_path, files, contract=contract)
    assert [] == left(tmp_path, fixes)
    text = "".join(fixes.after.values())
    assert 'variable "cost_center" {\n  type = string\n}' in text
    assert "CostCenter = var.cost_center" in text
    assert ["prod"] == [name for name, _ in fixes.awaited]


def test_a_map_of_the_caller_has_the_tags(tmp_path: Path) -> None:
    """A module that is given tags gets those that its caller has for its own resources, once for all that it makes."""
    contract = CONTRACT + "[tags.common]\nTeam = {}\nOwner = {}\n"
    module = 'variable "tags" {\n  default = {}\n}\n\nresource "aws_sqs_queue" "jobs" {\n  tags = var.tags\n}\n'
    module += 'resource "aws_sns_topic" "jobs" {\n  tags = merge(var.tags, { Size = 1 })\n}\n'
    fixes = fixes_of(
        tmp_path,
        {"main.tf": SHARED + 'module "a" {\n  source = "./a"\n}\n', "a/main.tf": module},
        contract=contract,
    )
    assert [SHARED + 'module "a" {\n  source = "./a"\n  tags   = local.common\n}\n'] == [*fixes.after.values()]
    assert [] == left(tmp_path, fixes)


@pytest.mark.parametrize(("labels", "number"), [(("main",), 0), (("main", "other"), 2)])
def test_the_only_name_that_a_pattern_allows_is_given_to_the_only_resource(
    labels: tuple[str, ...], number: int, tmp_path: Path
) -> None:
    """A pattern without an open word names one resource; of two, both would have the same name."""
    contract = CONTRACT + '[names.patterns]\naws_ecs_cluster = "{application}-{environment}-cluster"\n'
    clusters = "".join(f'resource "aws_ecs_cluster" "{label}" {{\n  name = "tf-{label}"\n}}\n' for label in labels)
    fixes = fixes_of(tmp_path, {"main.tf": clusters}, contract=contract)
    assert number == len(fixes.unfixed)
    assert number == len(left(tmp_path, fixes))


def test_the_environment_is_a_new_variable_where_none_says_it(tmp_path: Path) -> None:
    """What differs by the name of the environment is one text, with a variable whose values are in variable files."""
    environments = "".join(f'[environments.{name}]\nvar_files = ["{name}.tfvars"]\n' for name in ("dev", "prod"))
    contract = f'[project]\napplication = "shop"\n{environments}[tags.common]\nEnvironment = "{{environment}}"\n'
    queues = "".join(f'resource "aws_sqs_queue" "q{number}" {{\n  name = "q{number}"\n}}\n' for number in range(5))
    source = {
        "main.tf": 'variable "size" {\n}\n\nprovider "aws" {\n}\n' + queues,
        "dev.tfvars": "size = 1",
        "prod.tfvars": "size = 2\n",
    }
    fixes = fixes_of(tmp_path, source, contract=contract)
    assert [] == left(tmp_path, fixes)
    after = {path.name: text for path, text in fixes.after.items()}
    assert 'size        = 1\nenvironment = "dev"\n' == after["dev.tfvars"]
    assert 'size        = 2\nenvironment = "prod"\n' == after["prod.tfvars"]
    assert "Environment = var.environment" in after["main.tf"]
    assert 1 == after["main.tf"].count('variable "environment"')


WATCHED = """\
resource "aws_ecs_cluster" "main" {
  name = "shop"
}

resource "aws_ecs_service" "api" {
  name            = "api"
  cluster         = aws_ecs_cluster.main.id
  task_definition = "api:1"
  desired_count   = 1
}

resource "aws_secretsmanager_secret" "db" {
  name = "shop-db"
}
"""


@pytest.mark.parametrize("root", [("prod",), ("dev", "prod")])
def test_the_first_alarms_come_with_their_way_to_people(root: tuple[str, ...], tmp_path: Path) -> None:
    """Where there is no topic, alarms get topics with subscriptions and a log of events, once, in the root module."""
    entries = "".join(f'[environments.{name}]\nroot = "{name}"\naccount_id = "111122223333"\n' for name in root)
    main = 'provider "aws" {\n  region = "eu-west-1"\n}\n\nmodule "app" {\n  source = "../app"\n}\n'
    contract = f'[project]\napplication = "shop"\n{entries}[alarms]\n'
    fixes = fixes_of(
        tmp_path, {"app/main.tf": WATCHED, **{f"{name}/main.tf": main for name in root}}, contract=contract
    )
    assert not fixes.unfixed
    for name in root:
        text = next(text for path, text in fixes.after.items() if path.parent.name == name)
        assert 1 == text.count('resource "aws_sns_topic" "critical"')
        assert 1 == text.count('variable "critical_email_endpoint"')
        assert f'name = "shop-{name}-critical"' in text
        assert 4 <= text.count("log_group_name = aws_cloudwatch_log_group.events.name")
    (app,) = (text for path, text in fixes.after.items() if path.parent.name == "app" and path.name == "main.tf")
    assert "deployment_circuit_breaker {" in app
    assert [] == left(tmp_path, fixes)


BROKEN = {
    "metric": (r"  metric_name +=[^\n]+\n", ""),
    "other metric": ("CPUUtilization", "CPUReservation"),
    "statistic": ('"Average"', '"Minimum"'),
    "namespace": ("AWS/ECS", "AWS/EC2"),
    "dimension": (r"    ServiceName +=[^\n]+\n", ""),
}


@pytest.mark.parametrize("fault", BROKEN)
def test_an_alarm_that_watches_something_else_is_set_right(fault: str, tmp_path: Path) -> None:
    """An alarm that has the name of what is to be watched, and watches it no more, is changed where it stands."""
    contract = CONTRACT + "[alarms]\n"
    named = WATCHED.replace('= "api"', '= "${var.name}-api"') + 'variable "name" {\n}\n'
    whole = fixes_of(tmp_path, {"main.tf": named}, contract=contract)
    ((path, text),) = whole.after.items()
    begin = text.index('resource "aws_cloudwatch_metric_alarm" "service_cpu"')
    end = text.index("\n}\n", begin)
    broken = text[:begin] + re.sub(*BROKEN[fault], text[begin:end]) + text[end:]
    assert broken != text
    fixes = fixes_of(tmp_path, {"main.tf": broken}, contract=contract)
    assert not fixes.unfixed
    assert text.count("resource ") == fixes.after[path].count("resource ")
    assert [] == left(tmp_path, fixes)


LACKING = {
    "document": re.sub(r"    principals \{.*?\n    \}\n", "", TRUST, flags=re.DOTALL) + ROLE,
    "json": """resource "aws_iam_role" "execution" {
  name = "shop-prod-execution"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "sts:AssumeRole" }]
  })
}
""",
}


@pytest.mark.parametrize("form", LACKING)
def test_a_statement_without_its_principal_gets_it(form: str, tmp_path: Path) -> None:
    """A statement of a trust policy that lacks its principal gets the service, and no second statement is added."""
    fixes = fixes_of(tmp_path, {"main.tf": TASK + LACKING[form]})
    assert [] == left(tmp_path, fixes)
    (text,) = fixes.after.values()
    assert 1 == text.count("sts:AssumeRole")
    assert "ecs-tasks.amazonaws.com" in text


USED = """
resource "aws_sns_topic" "own" {
}

resource "aws_sns_topic_subscription" "own" {
  topic_arn = aws_sns_topic.own.arn
  protocol  = "email"
  endpoint  = "ops@example.com"
}

resource "aws_cloudwatch_metric_alarm" "cpu" {
  alarm_name          = "cpu"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 70
  namespace           = "AWS/ECS"
  metric_name         = "CPUUtilization"
  statistic           = "Average"
  period              = 60
  evaluation_periods  = 2
  alarm_actions       = ACTIONS

  dimensions = {
    ClusterName = aws_ecs_cluster.main.name
    ServiceName = aws_ecs_service.api.name
  }
}
"""


@pytest.mark.parametrize(
    ("actions", "expected"),
    [
        ("[aws_sns_topic.own.arn]", "[aws_sns_topic.own.arn, aws_sns_topic.warning.arn]"),
        ("tolist([aws_sns_topic.own.arn])", "concat(tolist([aws_sns_topic.own.arn]), [aws_sns_topic.warning.arn])"),
    ],
)
def test_an_alarm_keeps_the_topic_that_it_has(actions: str, expected: str, tmp_path: Path) -> None:
    """An alarm whose topic is that of no level goes to that of its level too, and tells whom it told before."""
    source = {"main.tf": WATCHED + USED.replace("ACTIONS", actions)}
    fixes = fixes_of(tmp_path, source, contract=CONTRACT + "[alarms]\n")
    assert [] == left(tmp_path, fixes)
    assert f"alarm_actions       = {expected}\n" in "".join(fixes.after.values())


def test_what_another_patch_changes_is_tried_once_more(tmp_path: Path) -> None:
    """An alarm names a cluster by the name that another patch gives it."""
    contract = CONTRACT + '[alarms]\n[names.patterns]\naws_ecs_cluster = "{application}-{environment}-cluster"\n'
    fixes = fixes_of(tmp_path, {"main.tf": WATCHED}, contract=contract)
    assert not fixes.unfixed
    assert [] == left(tmp_path, fixes)
    (text,) = fixes.after.values()
    assert 'name = "shop-prod-cluster"' in text
    assert 'ClusterName = "shop-prod-cluster"' in text
    assert 'log_group_name = "/aws/events/' not in text


OF_AN_APPLICATION = """
resource "aws_sns_topic" "orders" {
  name = "orders"
}

resource "aws_cloudwatch_metric_alarm" "scaling" {
  alarm_name          = "scaling"
  namespace           = "AWS/SQS"
  metric_name         = "ApproximateNumberOfMessagesVisible"
  comparison_operator = "GreaterThanThreshold"
  threshold           = 1
  statistic           = "Sum"
  period              = 60
  evaluation_periods  = 1
  alarm_actions       = [aws_sns_topic.orders.arn]
}
"""


@pytest.mark.parametrize("other", ["", OF_AN_APPLICATION])
@pytest.mark.parametrize("account", ['account_id = "111122223333"\n', ""])
def test_alarms_of_what_has_a_name_that_is_not_known(other: str, account: str, tmp_path: Path) -> None:
    """A name that is not known is written by the attribute that has it; topics of an application are none of alerts."""
    named = WATCHED.replace('= "shop"', '= "${var.name}-shop"').replace('= "api"', '= "${var.name}-api"')
    watched = 'variable "name" {\n}\n\n' + named
    contract = CONTRACT.replace('account_id = "111122223333"\n', account) + "[alarms]\n"
    fixes = fixes_of(tmp_path, {"main.tf": watched + other}, contract=contract)
    assert [one.finding.key for one in fixes.unfixed] == []
    assert [] == left(tmp_path, fixes)
    text = "".join(fixes.after.values())
    assert "ServiceName = aws_ecs_service.api.name" in text
    assert "service:${aws_ecs_service.api.name}" in text


def test_whom_alerts_go_to_is_asked_for(tmp_path: Path) -> None:
    """Where variables have their values in a file, those of the addresses are listed, and nothing else is left open."""
    contract = CONTRACT.replace("[environments.prod]\n", '[environments.prod]\nvar_files = ["prod.tfvars"]\n')
    files = {"main.tf": WATCHED + 'variable "size" {\n}\n', "prod.tfvars": "size = 1\n"}
    fixes = fixes_of(tmp_path, files, contract=contract + "[alarms]\n")
    assert not [one for one in fixes.unfixed if "source" in one.reason]
    ((environment, asked),) = fixes.awaited
    assert "prod" == environment
    assert "prod.tfvars" in asked
    assert "critical_email_endpoint = …" in asked


def test_a_topic_that_reaches_nobody_is_not_the_one_of_alerts(tmp_path: Path) -> None:
    """Where no topic reaches the channels of a level, alerts get topics of their own, and those that are there stay."""
    own = 'resource "aws_sns_topic" "critical" {\n}\n'
    fixes = fixes_of(tmp_path, {"main.tf": WATCHED + own}, contract=CONTRACT + "[alarms]\nwithout = []\n")
    assert [] == left(tmp_path, fixes)
    text = "".join(fixes.after.values())
    assert own in text
    assert 'resource "aws_sns_topic" "critical_2"' in text
    assert 'resource "aws_sns_topic" "warning"' in text


def test_tags_in_blocks(tmp_path: Path) -> None:
    """A resource that has blocks in the place of a map gets one for each tag."""
    group = 'resource "aws_autoscaling_group" "hosts" {\n  max_size = 1\n  min_size = 1\n}\n'
    fixes = fixes_of(tmp_path, {"main.tf": group}, contract=CONTRACT + '[tags.common]\nOwner = "platform"\n')
    (text,) = fixes.after.values()
    assert '  tag {\n    key                 = "Owner"\n    value               = "platform"\n' in text
    assert [] == left(tmp_path, fixes)


def test_a_file_of_json_is_left_alone(tmp_path: Path) -> None:
    """What is not HCL is not edited; the finding says so."""
    source = {"main.tf.json": '{"resource": {"aws_sqs_queue": {"jobs": {"name": "jobs"}}}}'}
    fixes = fixes_of(tmp_path, source, contract=CONTRACT + '[tags.common]\nOwner = "platform"\n')
    assert {} == fixes.after
    assert ["main.tf.json is JSON: `infraspec fix` edits HCL"] == [one.reason for one in fixes.unfixed]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("public.ecr.aws/docker/library/nginx:1.27", "<ACCOUNT>.dkr.ecr.eu-west-1.amazonaws.com/api", "name an image"),
        ("aws_iam_role.execution.arn", '"arn:aws:iam::12345:role/execution"', "name a role: arn:"),
    ],
)
def test_access_that_has_no_patch_says_what_to_do(old: str, new: str, reason: str, tmp_path: Path) -> None:
    """The reason is that of the finding, with what a person has to write."""
    fixes = fixes_of(tmp_path, {"main.tf": TRUST + TASK.replace(old, new) + ROLE + POLICIES["inline"]})
    (own,) = {one.reason for one in fixes.unfixed if "; by hand: " in one.reason}
    assert reason in own


def test_a_patch_that_makes_something_worse_is_not_offered(tmp_path: Path) -> None:
    """It is listed with what it would make worse: a module that two environments share, each with a name of its own."""
    contract = """\
        [project]
        application = "shop"
        [environments.dev]
        [environments.prod]
        [names.patterns]
        aws_sqs_queue = "{application}-{environment}-{name}"
        """
    fixes = fixes_of(
        tmp_path, {"main.tf": 'resource "aws_sqs_queue" "jobs" {\n  name = "shop-dev-jobs"\n}\n'}, contract=contract
    )
    assert {} == fixes.after
    assert ["it would make names VIOLATED in dev: aws_sqs_queue.jobs"] == [one.reason for one in fixes.unfixed]


def run(directory: Path, *arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["fix", str(directory), *arguments])


def test_the_command(tmp_path: Path) -> None:
    """It shows the diff and fails, writes it with --write, and has nothing to do then; --rule and --finding choose."""
    source = TRUST + TASK + ROLE
    write(tmp_path, {"infraspec.toml": CONTRACT, "main.tf": source})
    shown = run(tmp_path)
    assert 1 == shown.exit_code
    assert "2 findings fixed, if this is applied:\n" in shown.stdout
    assert '+resource "aws_iam_role_policy"' in shown.stdout
    assert source == (tmp_path / "main.tf").read_text("utf-8")
    assert (0, "nothing is violated\n") == (
        run(tmp_path, "--rule", "tags").exit_code,
        run(tmp_path, "--rule", "tags").stdout,
    )
    assert "1 finding fixed, if" in run(tmp_path, "--finding", '"DB"').stdout
    assert 0 == run(tmp_path, "--write").exit_code
    assert (0, "nothing is violated\n") == (run(tmp_path).exit_code, run(tmp_path).stdout)
    assert 2 == run(tmp_path, "--rule", "tag").exit_code


def test_what_cannot_be_read_is_said(tmp_path: Path) -> None:
    """Where another rule is asked for, the file that hides its findings is named, and the command fails."""
    queue = 'resource "aws_sqs_queue" "jobs" {\n  name = "jobs"\n}\n'
    write(tmp_path, {"infraspec.toml": CONTRACT, "main.tf": queue, "broken.tf": 'resource "aws_sns_topic" {\n'})
    shown = run(tmp_path, "--rule", "names")
    assert 1 == shown.exit_code
    assert "nothing is violated in what could be read\n\nnot read:\n" in shown.stdout
    assert "broken.tf:1: the block is not closed\n" in shown.stdout


WIDE = """\
resource "aws_iam_role_policy" "all" {
  role = aws_iam_role.execution.id
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [
      # everything
      { Effect = "Allow", Action = "*", Resource = "*" },
    ]
  })
}
"""
EACH = """\
resource "aws_iam_role_policy" "all" {
  role   = aws_iam_role.execution.id
  policy = data.aws_iam_policy_document.all.json
}

data "aws_iam_policy_document" "all" {
  statement {
    actions   = ["secretsmanager:*"]
    resources = [aws_secretsmanager_secret.db.arn, aws_secretsmanager_secret.key.arn]
  }

  statement { # unused
    actions   = ["logs:*"]
    resources = ["*"]
  }
}
"""


@pytest.mark.parametrize("policy", [WIDE, EACH])
def test_statements_with_wildcards_are_narrowed(policy: str, tmp_path: Path) -> None:
    """What a task needs of a statement is all that is left of it, and is proven."""
    write(tmp_path, {"infraspec.toml": CONTRACT, "main.tf": TRUST + TASK + ROLE + policy})
    shown = run(tmp_path, "--narrow")
    assert "      secretsmanager:GetSecretValue\n" in shown.stdout
    assert 0 == run(tmp_path, "--narrow", "--write").exit_code
    text = (tmp_path / "main.tf").read_text("utf-8")
    assert "secretsmanager:*" not in text
    assert 'Action = "*"' not in text
    assert "[aws_secretsmanager_secret.db.arn, aws_secretsmanager_secret.key.arn]" in " ".join(text.split()).replace(
        "[ ", "["
    ).replace(", ]", "]")
    assert (0, "nothing is violated\n") == (run(tmp_path).exit_code, run(tmp_path).stdout)
    assert "no statement that a task needs contains a wildcard\n" == run(tmp_path, "--narrow").stdout


def test_a_narrowed_statement_is_passed_what_it_names(tmp_path: Path) -> None:
    """A statement in a module names resources of another one by variables, which the patch passes."""
    role = TRUST + ROLE + WIDE + 'output "arn" {\n  value = aws_iam_role.execution.arn\n}\n'
    root = 'module "iam" {\n  source = "./iam"\n}\n' + TASK.replace("aws_iam_role.execution", "module.iam")
    write(tmp_path, {"infraspec.toml": CONTRACT, "main.tf": root, "iam/main.tf": role})
    assert 0 == run(tmp_path, "--narrow", "--write").exit_code
    text = (tmp_path / "iam/main.tf").read_text("utf-8")
    assert 'Action = "*"' not in text
    assert "var.key_arn" in text
    assert "key_arn = aws_secretsmanager_secret.key.arn" in (tmp_path / "main.tf").read_text("utf-8")
    assert (0, "nothing is violated\n") == (run(tmp_path).exit_code, run(tmp_path).stdout)


def test_a_review_has_suggestions_in_the_lines_of_the_request(tmp_path: Path) -> None:
    """A patch of lines that the request shows is a suggestion; another one is a diff in the body of the review."""
    contract = CONTRACT + '[tags.common]\nOwner = "platform"\n'
    queue = 'resource "aws_sqs_queue" "{0}" {{\n  name = "{0}"\n}}\n'
    write(tmp_path, {"infraspec.toml": contract, "a.tf": queue.format("a"), "b.tf": queue.format("b")})
    diff = tmp_path / "request.diff"
    diff.write_text(
        '--- a/a.tf\n+++ b/a.tf\n@@ -1,2 +1,3 @@\n resource "aws_sqs_queue" "a" {\n+  name = "a"\n }\n', "utf-8"
    )
    told = json.loads(run(tmp_path, "--review", str(diff)).stdout)
    (comment,) = told["comments"]
    assert ("a.tf", 2, "RIGHT") == (comment["path"], comment["line"], comment["side"])
    suggested = '```suggestion\n  name = "a"\n  tags = {\n    Owner = "platform"\n  }\n```'
    assert comment["body"].endswith(suggested)
    assert "b.tf:2\n" in told["body"]
    assert "a.tf:2" not in told["body"]


def test_a_review_counts_lines_as_git_does() -> None:
    """A path in quotes is read, a separator of Unicode ends no line, and what is not seen is no suggestion."""
    before = {"日.tf": 'a = "\u2028"\nb = 1\nc = 1\n', "e.tf": "a = 1\n"}
    after = {"日.tf": 'a = "\u2028"\nb = 2\nc = 1\n', "e.tf": 'a = "\u202e"\n'}
    diff = (
        '+++ "b/\\346\\227\\245.tf"\n@@ -0,0 +1,3 @@\n+a = "\u2028"\n+b = 1\n+c = 1\n'
        "+++ b/e.tf\n@@ -0,0 +1 @@\n+a = 1\n"
    )

    shown = shown_lines(diff)
    written = review(before, after, shown, "told")

    assert {"日.tf": {1, 2, 3}, "e.tf": {1}} == shown
    assert [("日.tf", 2, "b = 2")] == [
        (one["path"], one["line"], one["body"].splitlines()[4]) for one in written["comments"]
    ]
    assert '+a = "\\u202e"' in written["body"]


def test_a_tag_that_many_lack_is_given_by_the_provider(tmp_path: Path) -> None:
    """One block of default tags, with what each environment has of its own as a variable, is the patch."""
    contract = """\
        [project]
        application = "shop"
        [environments.dev]
        variables = {environment = "dev"}
        [environments.prod]
        variables = {environment = "prod"}
        [tags.common]
        Environment = "{environment}"
        """
    queues = "".join(f'resource "aws_sqs_queue" "q{number}" {{\n  name = "q{number}"\n}}\n' for number in range(3))
    source = {
        "main.tf": 'variable "environment" {}\nprovider "aws" {\n  region = "eu-west-1"\n}\n'
        'module "a" {\n  source = "./a"\n}\nmodule "b" {\n  source = "./a"\n}\n',
        "a/main.tf": queues,
    }
    fixes = fixes_of(tmp_path, source, contract=contract)
    ((path, text),) = fixes.after.items()
    assert "main.tf" == path.relative_to(tmp_path).as_posix()
    assert "  default_tags {\n    tags = {\n      Environment = var.environment\n    }\n  }\n}\n" in text
    assert [] == left(tmp_path, fixes)


def test_what_is_waived_is_not_fixed(tmp_path: Path) -> None:
    """A comment in the source that waives a finding, or a rule that is off, leaves nothing to fix."""
    waiver = '# infraspec:ignore[tags] reason="moves away" until=2999-12-31\n'
    source = 'resource "aws_sqs_queue" "q" {\n  name = "q"\n}\n'
    tags = CONTRACT + '[tags.common]\nOwner = "platform"\n'
    assert Fixes() == fixes_of(tmp_path / "waived", {"main.tf": waiver + source}, contract=tags)
    assert Fixes() == fixes_of(tmp_path / "off", {"main.tf": source}, contract=tags + '[rules]\ntags = "off"\n')
    assert 1 == len(fixes_of(tmp_path / "neither", {"main.tf": source}, contract=tags).fixed)


@pytest.mark.parametrize("known", ["", ROLE])
def test_a_task_definition_gets_an_execution_role(known: str, tmp_path: Path) -> None:
    """It is the only role that ECS may assume for it, or else a new one; what the task needs of it comes with it."""
    task = TASK.replace("  execution_role_arn = aws_iam_role.execution.arn\n", "")
    fixes = fixes_of(tmp_path, {"main.tf": TRUST + task + known})
    assert () == fixes.unfixed
    (text,) = fixes.after.values()
    role = "execution" if known else "api_execution"
    assert f"execution_role_arn = aws_iam_role.{role}.arn\n" in text
    assert 1 == text.count('resource "aws_iam_role" ')
    assert "secretsmanager:GetSecretValue" in text
    assert [] == left(tmp_path, fixes)


def test_the_role_of_the_application_is_no_execution_role(tmp_path: Path) -> None:
    """Where ECS may assume that role alone, the task definition gets another one: the application gains no access."""
    task = TASK.replace("execution_role_arn = ", "task_role_arn      = ")
    fixes = fixes_of(tmp_path, {"main.tf": TRUST + task + ROLE})
    (text,) = fixes.after.values()
    assert "execution_role_arn = aws_iam_role.api_execution.arn\n" in text
    assert [] == left(tmp_path, fixes)


def test_what_is_new_has_a_label_of_its_own(tmp_path: Path) -> None:
    """A label that the module has already is given no second time, and what names the new resource follows."""
    taken = 'resource "aws_iam_role" "api_execution" {\n  assume_role_policy = "{}"\n  count = 0\n}\n'
    task = TASK.replace("  execution_role_arn = aws_iam_role.execution.arn\n", "")
    fixes = fixes_of(tmp_path, {"main.tf": TRUST + task + taken})
    (text,) = fixes.after.values()
    assert "execution_role_arn = aws_iam_role.api_execution_2.arn\n" in text
    assert "role       = aws_iam_role.api_execution_2.name\n" in text
    assert [] == left(tmp_path, fixes)


def test_a_container_without_a_log_group_gets_one(tmp_path: Path) -> None:
    """Where the module has no log group, it gets one, and the execution role may write to it."""
    task = TASK.replace('"awsfirelens"', '"awslogs"')
    fixes = fixes_of(tmp_path, {"main.tf": TRUST + task + ROLE})
    assert () == fixes.unfixed
    (text,) = fixes.after.values()
    assert 'resource "aws_cloudwatch_log_group" "api" {\n  name = "/ecs/api"\n}\n' in text
    assert "aws_cloudwatch_log_group.api.name" in text
    assert [] == left(tmp_path, fixes)


HEREDOC = """\
resource "aws_ecs_task_definition" "api" {
  family                = "api"
  execution_role_arn    = aws_iam_role.execution.arn
  container_definitions = <<-EOT
    [
      { "name": "sidecar", "image": "nginx", "logConfiguration": { "logDriver": "awsfirelens" } },
      {
        "name" : "api", "image": "${var.image}",
        "portMappings" : [{ "containerPort" : ${var.port} }]LOGS
      }
    ]
  EOT
}

variable "image" {
  default = "public.ecr.aws/docker/library/nginx:1.27"
}

variable "port" {
  default = 80
}
"""


@pytest.mark.parametrize("logs", ["", ',\n        "logConfiguration": {"logDriver": "awslogs", "options": {}}'])
def test_containers_in_a_heredoc_are_edited_as_json(logs: str, tmp_path: Path) -> None:
    """What a container lacks is written as JSON into the text, references interpolated."""
    fixes = fixes_of(tmp_path, {"main.tf": TRUST + HEREDOC.replace("LOGS", logs) + ROLE})
    assert () == fixes.unfixed
    (text,) = fixes.after.values()
    assert '"awslogs-group": "${aws_cloudwatch_log_group.api.name}"' in text
    assert 'resource "aws_cloudwatch_log_group" "api"' in text
    assert [] == left(tmp_path, fixes)


JSON = """\
[
  {
    "name": "api",
    "image": "public.ecr.aws/docker/library/nginx:1.27",
    "cpu": 10
  }
]
"""
TEMPLATE = JSON.replace("10", "${cpu}")
TEMPLATE_FILE = """\
data "template_file" "api" {
  template = file("${path.module}/api.json")
VARS}

"""
RENDERED = {
    "templatefile": ("", 'templatefile("${path.module}/api.json", { cpu = 10 })', TEMPLATE),
    "merged": ("", 'templatefile("${path.module}/api.json", merge({ cpu = 10 }, {}))', TEMPLATE),
    "file": ("", 'file("${path.module}/api.json")', JSON),
    "template_file": (
        TEMPLATE_FILE.replace("VARS", "\n  vars = {\n    cpu = 10\n  }\n"),
        "data.template_file.api.rendered",
        TEMPLATE,
    ),
    "no_vars": (TEMPLATE_FILE.replace("VARS", ""), "data.template_file.api.rendered", JSON),
}


@pytest.mark.parametrize("form", RENDERED)
def test_containers_in_a_file_are_edited_there(form: str, tmp_path: Path) -> None:
    """Containers in a template or a file of JSON get what they lack there, and what that names is passed to it."""
    source, expression, text = RENDERED[form]
    main = f"""\
{source}resource "aws_ecs_task_definition" "api" {{
  family                = "api"
  container_definitions = {expression}
}}
"""
    write(tmp_path, {"api.json": text})
    fixes = fixes_of(tmp_path, {"main.tf": main})
    assert not fixes.unfixed
    assert left(tmp_path, fixes) == []
    written, patched = fixes.after[tmp_path / "api.json"], fixes.after[tmp_path / "main.tf"]
    assert '"awslogs-group": "${awslogs_group}"' in written
    assert written.startswith(text.rstrip("]\n }"))
    assert "awslogs_group = aws_cloudwatch_log_group.api.name" in patched


def test_a_file_that_is_no_template_is_not_made_one(tmp_path: Path) -> None:
    """Text that is read as it is, and that a template would read otherwise, is left alone: so it is said."""
    write(tmp_path, {"api.json": JSON.replace("nginx:1.27", "nginx:${tag}")})
    main = (
        'resource "aws_ecs_task_definition" "api" {\n  family = "api"\n  container_definitions = file("api.json")\n}\n'
    )
    fixes = fixes_of(tmp_path, {"main.tf": main})
    reason = "api.json is used as it is, and contains what a template would interpret"
    assert reason in [one.reason for one in fixes.unfixed]


@pytest.mark.parametrize("known", ["", 'data "aws_region" "here" {}\n\n'])
def test_a_region_that_is_not_known_is_asked_of_the_provider(known: str, tmp_path: Path) -> None:
    """Where nothing says the region, logs go to the one that the provider has."""
    write(tmp_path, {"api.json": JSON})
    contract = CONTRACT.replace('region = "eu-west-1"\n', "")
    main = (
        'resource "aws_ecs_task_definition" "api" {\n  family = "api"\n  container_definitions = file("api.json")\n}\n'
    )
    fixes = fixes_of(tmp_path, {"main.tf": known + main}, contract=contract)
    assert left(tmp_path, fixes) == []
    name = "here" if known else "current"
    assert f"awslogs_region = data.aws_region.{name}.id" in fixes.after[tmp_path / "main.tf"]
    assert fixes.after[tmp_path / "main.tf"].count('data "aws_region"') == 1


def test_what_is_refused_at_one_place_is_nowhere(tmp_path: Path) -> None:
    """Containers that are no text of the source stay, and so does the rest: no log group without a use is added."""
    source = HEREDOC.replace("LOGS", "").replace("<<-EOT", "local.x").replace("  EOT\n", "")
    source = source[: source.index("    [\n")] + "}\n" + 'locals {\n  x = replace("[{*name*: *a*}]", "*", "\\"")\n}\n'
    fixes = fixes_of(tmp_path, {"main.tf": TRUST + source + ROLE})
    assert {} == fixes.after
    assert any("log configuration" in one.finding.subject for one in fixes.unfixed)


def test_instances_of_several_families_share_a_log_group(tmp_path: Path) -> None:
    """No name is right for all of them, so Terraform completes it."""
    task = TASK.replace(
        '"api" {\n  family             = "api"', '"api" {\n  for_each = toset(["a", "b"])\n  family = each.key', 1
    )
    task = task.replace('"awsfirelens"', '"awslogs"')
    fixes = fixes_of(tmp_path, {"main.tf": TRUST + task + ROLE})
    assert () == fixes.unfixed
    (text,) = fixes.after.values()
    assert '  name_prefix = "/ecs/api-"\n' in text
    assert [] == left(tmp_path, fixes)


def test_a_log_group_that_is_named_stays(tmp_path: Path) -> None:
    """A container that lacks another option than the group gets that alone."""
    options = '"awslogs", options = { awslogs-group = "/known", awslogs-stream-prefix = "ecs" } }'
    fixes = fixes_of(tmp_path, {"main.tf": TRUST + TASK.replace('"awsfirelens" }', options) + ROLE})
    (text,) = fixes.after.values()
    assert "aws_cloudwatch_log_group" not in text
    assert 'awslogs-region = "eu-west-1"' in " ".join(text.split())


def test_a_role_that_is_named_by_its_name_is_named_by_its_arn(tmp_path: Path) -> None:
    """Terraform takes nothing less in a task definition."""
    task = TASK.replace("aws_iam_role.execution.arn", "aws_iam_role.execution.name")
    fixes = fixes_of(tmp_path, {"main.tf": TRUST + task + ROLE + POLICIES["inline"]})
    assert () == fixes.unfixed
    (text,) = fixes.after.values()
    assert "  execution_role_arn = aws_iam_role.execution.arn\n" in text
    assert [] == left(tmp_path, fixes)
