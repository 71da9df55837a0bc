"""One thing that cannot be read is one finding: what does not use it is judged as before, and nothing is made up.

Each file of a few trees is broken in each way that files break, one at a time. No rule may end in an error, something
has to name the file, an environment without the file keeps every verdict, and no verdict becomes its opposite: what is
not read may be as it should, or not.
"""

from __future__ import annotations

import random
import shutil
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

import pytest

from infraspec import contract as contracts
from infraspec.checks.access.secret_access import check_secret_access
from infraspec.checks.access.task_definitions import check_task_definitions
from infraspec.checks.conventions.names import check_names
from infraspec.checks.policies.policies import check_policies
from infraspec.checks.policies.secret_readers import check_secret_readers
from infraspec.checks.state.consistency import check_consistency
from infraspec.checks.state.source import check_source
from infraspec.core.errors import InfraspecError
from infraspec.core.finding import Finding, Verdict
from infraspec.ecs.task_definition import task_definitions
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Plan
from tests.edits.trees import TREES, Tree
from tests.edits.writer import written

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "fixtures" / "daily-report-tool"
SEED = 20261201
SAMPLE = 10
"""How many of the many ways to break the reference infrastructure are tried."""

CONTRACT = """
[project]
application = "shop"

[environments.dev]
root = "dev"
account_id = "111122223333"
region = "eu-west-1"

[environments.prod]
root = "prod"
account_id = "123456789012"
region = "eu-west-1"
"""
MAIN = """
provider "aws" { region = "eu-west-1" }
variable "image" { type = string }
variable "level" { default = "info" }
locals {
  queues  = jsondecode(file("${path.module}/queues.json"))
  regions = yamldecode(file("${path.module}/regions.yaml"))
}
module "app" {
  source = "../modules/app"
  name   = "shop-NAME"
  image  = var.image
}
resource "aws_sqs_queue" "q" {
  for_each = toset(local.queues)
  name     = each.key
}
resource "aws_sns_topic" "t" {
  name         = "shop-NAME-topic"
  display_name = join(" ", local.regions)
}
"""
MODULE = """
variable "name" {}
variable "image" {}
resource "aws_secretsmanager_secret" "db" { name = "${var.name}-db" }
resource "aws_cloudwatch_log_group" "l" { name = "/ecs/${var.name}" }
resource "aws_iam_role" "execution" {
  name               = "${var.name}-execution"
  assume_role_policy = file("${path.module}/trust.json")
}
resource "aws_iam_role" "task" {
  name               = "${var.name}-task"
  assume_role_policy = file("${path.module}/trust.json")
}
resource "aws_iam_role_policy" "logs" {
  role   = aws_iam_role.execution.id
  policy = file("${path.module}/logs.json")
}
"""
SECRETS = """
resource "aws_iam_role_policy" "secrets" {
  role   = aws_iam_role.execution.id
  policy = templatefile("${path.module}/secrets.json.tpl", { arn = aws_secretsmanager_secret.db.arn })
}
resource "aws_ecs_task_definition" "app" {
  family                   = var.name
  requires_compatibilities = ["FARGATE"]
  execution_role_arn       = aws_iam_role.execution.arn
  task_role_arn            = aws_iam_role.task.arn
  container_definitions    = templatefile("${path.module}/app.json.tpl", {
    image = var.image, secret = aws_secretsmanager_secret.db.arn, group = aws_cloudwatch_log_group.l.name
  })
}
resource "aws_ecs_task_definition" "worker" {
  family                   = "${var.name}-worker"
  requires_compatibilities = ["FARGATE"]
  execution_role_arn       = aws_iam_role.execution.arn
  container_definitions    = jsonencode([{ name = "worker", image = "busybox" }])
}
"""
FILES = {
    "infraspec.toml": CONTRACT,
    **{
        f"{name}/{file}": text.replace("NAME", name)
        for name in ("dev", "prod")
        for file, text in {
            "main.tf": MAIN,
            "outputs.tf": 'output "topic" { value = aws_sns_topic.t.arn }\n',
            "terraform.tfvars": 'level = "debug"\nimage = "nginx:1.27"\n',
            "queues.json": '["shop-NAME-a", "shop-NAME-b"]\n',
            "regions.yaml": "- eu-west-1\n- eu-central-1\n",
        }.items()
    },
    "modules/app/main.tf": MODULE,
    "modules/app/secrets.tf": SECRETS,
    "modules/app/app.json.tpl": """[{
  "name": "app",
  "image": "${image}",
  "secrets": [{ "name": "DB", "valueFrom": "${secret}" }],
  "logConfiguration": {
    "logDriver": "awslogs",
    "options": { "awslogs-group": "${group}", "awslogs-region": "eu-west-1", "awslogs-stream-prefix": "app" }
  }
}]
""",
    "modules/app/trust.json": """{ "Version": "2012-10-17", "Statement": [
  { "Effect": "Allow", "Action": "sts:AssumeRole", "Principal": { "Service": "ecs-tasks.amazonaws.com" } }
] }
""",
    "modules/app/logs.json": """{ "Version": "2012-10-17", "Statement": [
  { "Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*" }
] }
""",
    "modules/app/secrets.json.tpl": """{ "Version": "2012-10-17", "Statement": [
  { "Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": "${arn}" }
] }
""",
}


def _middle(text: str) -> int:
    """Return the offset of a line in the middle."""
    return text.find("\n", len(text) // 2) + 1


BREAKS: Mapping[str, Callable[[str], bytes | None]] = {
    "cut off": lambda text: text[: _middle(text) or len(text) // 2].encode(),
    "a stray line": lambda text: f"{text[: _middle(text)]}  ?? = [\n{text[_middle(text) :]}".encode(),
    "an unclosed bracket": lambda text: text[::-1].replace("}", "", 1).replace("]", "", 1)[::-1].encode(),
    "an unclosed quote": lambda text: text[: text.rfind('"')].encode() + text[text.rfind('"') + 1 :].encode(),
    "no text": lambda text: text.encode() + b"\xff\xfe",
    "not there": lambda _text: None,
}
"""The ways in which a file breaks; a configuration file that is not there is no error of what is."""

RULES: Mapping[str, Callable[[Plan, Environments, str], list[Finding]]] = {
    "source": lambda plan, _e, _n: check_source(plan),
    "task-definitions": lambda plan, e, n: check_task_definitions(plan, task_definitions(plan), e.contract, n),
    "secret-access": lambda plan, e, n: check_secret_access(plan, task_definitions(plan), e.contract, n),
    "policies": lambda plan, e, n: check_policies(plan, task_definitions(plan), e.contract, n),
    "secret-readers": lambda plan, e, n: check_secret_readers(plan, e.contract, n),
    "names": lambda plan, e, n: check_names(plan, e.contract, n),
    "consistency": lambda _plan, e, n: check_consistency(e.sources(), e.settings(), e.contract, n),
}
Judged = dict[tuple[str, str, str], Finding]


def judged(root: Path) -> Judged:
    """Return what the rules find in each environment, by environment, rule and what it is about."""
    environments = Environments(contracts.load(root), environ={}, lenient=True)
    return {
        (name, rule, finding.key): finding
        for name in environments.contract.environments
        for rule, check in RULES.items()
        for finding in check(environments.plan(name), environments, name)
    }


def breaks(root: Path) -> Iterator[tuple[str, str]]:
    """Yield each file of a tree with each way to break it."""
    for path in sorted(root.rglob("*")):
        if path.is_file() and path.suffix in {".tf", ".tfvars", ".json", ".tpl", ".yaml", ".tftpl"}:
            for how in BREAKS:
                if path.suffix not in {".tf", ".tfvars"} or how != "not there":
                    yield path.relative_to(root).as_posix(), how


def wrong(root: Path, file: str, how: str, before: Judged) -> Iterator[str]:
    """Yield what is wrong with the verdicts once a file is broken in some way."""
    path = root / file
    text = path.read_text(encoding="utf-8")
    content = BREAKS[how](text)
    path.unlink() if content is None else path.write_bytes(content)
    try:
        after = judged(root)
    except InfraspecError as error:
        yield f"{file}, {how}: {type(error).__name__} {error}"
        return
    finally:
        path.write_text(text, encoding="utf-8")
    new = [one for key, one in after.items() if before.get(key) != one and one.verdict is not Verdict.PROVEN]
    if after != before and not any(name in str(one) for one in new for name in (path.name, "JSON", "YAML")):
        yield f"{file}, {how}: nothing names it"
    own = file.split("/", maxsplit=1)[0]
    for (environment, rule, subject), one in before.items():
        found = after.get((environment, rule, subject))
        shown = f"{file}, {how}: {environment} {rule} {subject} was {one.verdict} and is {found}"
        if own in {"dev", "prod"} and environment != own and rule != "consistency" and one != found:
            yield shown
        opposite = found and {one.verdict, found.verdict} == {Verdict.PROVEN, Verdict.VIOLATED}
        if opposite and rule != "source" and "not JSON" not in str(found):
            yield shown


def small(root: Path) -> Path:
    """Write the small tree."""
    for name, text in FILES.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def test_what_breaks_in_a_small_tree(tmp_path: Path) -> None:
    """Every file of two environments and a module is broken in every way: one finding, and all else as before."""
    root = small(tmp_path)
    before = judged(root)

    assert [] == [text for file, how in breaks(root) for text in wrong(root, file, how, before)]


def test_what_breaks_in_the_reference(tmp_path: Path) -> None:
    """So it is of the reference infrastructure, some of whose files are broken, as a seed chooses."""
    root = tmp_path / "infra"
    shutil.copytree(REFERENCE, root)
    before = judged(root)
    every = [(file, how) for file, how in breaks(root) if file.startswith("terraform/")]
    chosen = random.Random(SEED).sample(every, SAMPLE)  # noqa: S311 - to choose tests

    assert [] == [text for file, how in chosen for text in wrong(root, file, how, before)]


@pytest.mark.parametrize("name", ["template", "heredoc"])
def test_what_breaks_in_a_layout(tmp_path: Path, name: str) -> None:
    """So it is of a service whose documents are templates, or texts with unknown parts."""
    layout = next(one for one in TREES.layouts if one.form == name)
    contract = '[project]\napplication = "shop"\n\n[environments.main]\nroot = "."\n'
    for file, text in {"infraspec.toml": contract, **written(Tree(layout))}.items():
        path = tmp_path / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    before = judged(tmp_path)

    assert [] == [text for file, how in breaks(tmp_path) for text in wrong(tmp_path, file, how, before)]
