"""What a task definition names has to be there: a table of small sources, over several layouts."""

from __future__ import annotations

import json
import textwrap
from collections.abc import Iterator
from pathlib import Path

import pytest

from infraspec.checks.access.secret_access import check_secret_access
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from infraspec.core.json_text import object_keys
from infraspec.core.unknown import JsonText, Sensitive, Text, Unknown, Value
from infraspec.ecs.task_definition import TaskDefinition, task_definitions
from tests.terraform.sources import plan_of

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
CONTRACT = Contract.model_validate(
    {
        "project": {"application": "app"},
        "environments": {"prod": {"account_id": "111122223333", "region": "eu-west-1"}},
    }
)
BASE = """
provider "aws" { region = "eu-west-1" }
resource "aws_iam_role" "all" {
  name               = "all"
  assume_role_policy = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" }
  }] })
}
resource "aws_iam_role_policy" "all" {
  role   = aws_iam_role.all.id
  policy = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] })
}
resource "aws_ecs_task_definition" "app" {
  family                   = "app"
  requires_compatibilities = ["FARGATE"]
  execution_role_arn       = aws_iam_role.all.arn
  task_role_arn            = aws_iam_role.all.arn
  container_definitions    = jsonencode([%s])
}
"""
OF_DATABASE = 'resource "aws_secretsmanager_secret" "db" { name = "db" }\n'
FOUND = "it is there"


def judged(directory: Path, container: str, source: str = "", definition: str = "") -> list[Finding]:
    """Return the findings about what a container names."""
    body = f'{{ name = "app", image = "nginx:1", {container} }}' if "image" not in container else f"{{ {container} }}"
    plan = plan_of(directory, BASE % f"{body}{definition}" + textwrap.dedent(source))
    found = check_secret_access(plan, task_definitions(plan), CONTRACT, "prod")
    assert VIOLATED not in {one.verdict for one in found if not one.subject.endswith(FOUND)}
    return [one for one in found if one.subject.endswith(FOUND)]


ID = "aws_secretsmanager_secret.db.id"


def put(value: str, more: str = "", owner: str = ID) -> str:
    """Return a secret with a value."""
    version = f'resource "aws_secretsmanager_secret_version" "db" {{\n  secret_id = {owner}\n  {value}\n  {more}\n}}\n'
    return OF_DATABASE + version


ROTATION = """
resource "aws_secretsmanager_secret_rotation" "db" {
  secret_id           = aws_secretsmanager_secret.db.id
  rotation_lambda_arn = "arn:aws:lambda:eu-west-1:111122223333:function:rotate"
}
"""
IGNORED = "lifecycle { ignore_changes = [secret_string] }"
KEY = 'resource "random_password" "db" { length = 20 }\n'
LIST = 'secret_string = jsonencode(["password"])'
OF_VARIABLE = 'variable "all" {\n  sensitive = true\n  default = "{\\"hidden\\":1}"\n}\n'


@pytest.mark.parametrize(
    ("source", "suffix", "expected"),
    [
        (put('secret_string = jsonencode({ password = "x" })'), ":password::", []),
        (put('secret_string = jsonencode({ pass = "x" })'), ":password::", [VIOLATED]),
        (put('secret_string = jsonencode({ Password = "x" })'), ":password::", [VIOLATED]),
        (put('secret_string = jsonencode({ pass = "x" })'), "", []),
        (put('secret_string = jsonencode({ pass = "x" })'), ":::", []),
        (put('secret_string = jsonencode({ pass = "x" })'), ":password:AWSCURRENT:", [VIOLATED]),
        (put('secret_string = jsonencode({ pass = "x" })'), ":password:AWSPREVIOUS:", []),
        (put('secret_string = jsonencode({ pass = "x" })'), ":password::11111111", []),
        (put('secret_string = "plain"'), ":password::", [VIOLATED]),
        (put(LIST), ":password::", [VIOLATED]),
        (KEY + put("secret_string = jsonencode({ password = random_password.db.result })"), ":password::", []),
        (KEY + put("secret_string = jsonencode({ pass = random_password.db.result })"), ":password::", [VIOLATED]),
        (KEY + put("secret_string = random_password.db.result"), ":password::", []),
        (put('secret_string_wo = jsonencode({ pass = "x" })'), ":password::", [VIOLATED]),
        (put('secret_string = <<-E\n  { "pass": "x" }\n  E\n'), ":password::", [VIOLATED]),
        (put("secret_string = jsonencode(merge({ pass = 1 }, { password = 2 }))"), ":password::", []),
        (put('secret_string = jsonencode({ pass = "x" })', IGNORED), ":password::", [UNDETERMINED]),
        (put('secret_string = jsonencode({ pass = "x" })', 'version_stages = ["OLD"]'), ":password::", []),
        (put('secret_string = jsonencode({ pass = "x" })') + ROTATION, ":password::", [UNDETERMINED]),
        (put('secret_string = jsonencode({ pass = "x" })', "count = var.n") + 'variable "n" {}', ":password::",
         [UNDETERMINED]),
        (put('secret_string = jsonencode({ pass = "x" })', "", '"db"'), ":password::", [VIOLATED]),
        (put('secret_string = jsonencode({ pass = "x" })', "", "aws_secretsmanager_secret.db.arn"), ":password::",
         [VIOLATED]),
        (OF_VARIABLE + put("secret_string = var.all"), ":password::", [VIOLATED]),
        (OF_VARIABLE + put("secret_string = var.all"), ":hidden::", []),
        (OF_DATABASE, ":password::", []),
    ],
)  # fmt: skip
def test_a_json_key_is_one_of_the_value(tmp_path: Path, source: str, suffix: str, expected: list[Verdict]) -> None:
    """A key that the value of the source lacks is VIOLATED; what is not known, or put there by others, is not."""
    value = f'secrets = [{{ name = "DB", valueFrom = "${{aws_secretsmanager_secret.db.arn}}{suffix}" }}]'
    found = judged(tmp_path, value, source)
    assert expected == [one.verdict for one in found]
    told = json.dumps([[one.expected, one.found, one.reason, one.remedy] for one in found])
    assert '\\"x\\"' not in told
    assert "hidden" not in told
    assert "password" in told or not expected


def test_the_keys_that_there_are_are_told(tmp_path: Path) -> None:
    """The finding names the keys that the source writes, at the place of the value, and no value."""
    source = put('secret_string = jsonencode({ pass = "hunter2", user = "app" })')
    (found,) = judged(
        tmp_path, 'secrets = [{ name = "DB", valueFrom = "${aws_secretsmanager_secret.db.arn}:password::" }]', source
    )
    assert "aws_secretsmanager_secret_version.db has the keys pass, user" == found.found
    assert "main.tf:" in found.remedy
    assert "hunter2" not in f"{found}"


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        ('{"a": 1}', frozenset({"a"})),
        ("[1]", frozenset()),
        ("no", frozenset()),
        (Sensitive("x", '{"a": 1}'), frozenset({"a"})),
        (Sensitive("x", None), None),
        (JsonText({"a": Unknown("b")}), frozenset({"a"})),
        (Text(('{"', Unknown("k"), '": 1}')), None),
        (Text(("{", Unknown("rest"), "}")), None),
        (Unknown("x"), None),
        (None, None),
    ],
)
def test_the_keys_of_an_object(value: Value, expected: frozenset[str] | None) -> None:
    """The names of the keys are known, or none of them is."""
    assert expected == object_keys(value)


ECR = "111122223333.dkr.ecr.eu-west-1.amazonaws.com"
REPOSITORY = 'resource "aws_ecr_repository" "app" { name = "app" }\n'


@pytest.mark.parametrize(
    ("image", "source", "expected"),
    [
        ('"nginx"', "", []),
        ('"nginx:1.27@sha256:' + "0" * 64 + '"', "", []),
        ('"registry.example.com:5000/team/app_one:v1"', "", []),
        ('"public.ecr.aws/x/y:1"', "", []),
        ('"nginx:"', "", [VIOLATED]),
        ('"Nginx:1"', "", [VIOLATED]),
        ('"nginx:1 "', "", [VIOLATED]),
        ('"nginx:1:2"', "", [VIOLATED]),
        ('"nginx@sha256:abc"', "", [VIOLATED]),
        ('"https://registry.example.com/app:1"', "", [VIOLATED]),
        ('""', "", [VIOLATED]),
        ("var.image", 'variable "image" {}', []),
        (f'"{ECR}/app:1"', REPOSITORY, []),
        (f'"{ECR}/apq:1"', REPOSITORY, [UNDETERMINED]),
        (f'"{ECR}/apq:1"', "", []),
        (f'"{ECR.replace("111122223333", "444455556666")}/apq:1"', REPOSITORY, []),
        (f'"{ECR}/apq:1"', REPOSITORY + 'data "aws_ecr_repository" "apq" { name = "apq" }', []),
        (f'"{ECR}/hub/nginx:1"', REPOSITORY + """
         resource "aws_ecr_pull_through_cache_rule" "hub" {
           ecr_repository_prefix = "hub"
           upstream_registry_url = "registry-1.docker.io"
         }""", []),
        ('"${aws_ecr_repository.app.repository_url}:1"', REPOSITORY, []),
    ],
)  # fmt: skip
def test_an_image_can_be(tmp_path: Path, image: str, source: str, expected: list[Verdict]) -> None:
    """A reference that is none is VIOLATED; a repository that the plan does not make beside its own is left open."""
    found = judged(tmp_path, f'name = "app", image = {image}', source)
    assert expected == [one.verdict for one in found if "image" in one.subject]


URL = "${aws_ecr_repository.app.repository_url}"
HUB = "docker.io/team/app"


def pushed(name: str, label: str = "app", more: str = "") -> str:
    """Return what builds and pushes an image."""
    return f'resource "docker_registry_image" "{label}" {{\n  name = "{name}"\n  {more}\n}}\n'


@pytest.mark.parametrize(
    ("image", "source", "expected"),
    [
        (f"{URL}:v1", pushed(f"{URL}:v1"), []),
        (f"{URL}:v2", pushed(f"{URL}:v1"), [UNDETERMINED]),
        (f"{URL}:v2", pushed(f"{URL}:v1") + pushed(f"{URL}:v2", "next"), []),
        (URL, pushed(f"{URL}:v1"), [UNDETERMINED]),
        (URL, pushed(URL), []),
        (f"{URL}:latest", pushed(URL), []),
        (f"{URL}:v1", pushed(URL), [UNDETERMINED]),
        (f"{ECR}/app:v2", pushed(f"{URL}:v1"), [UNDETERMINED]),
        (f"{ECR}/app:v1", pushed(f"{URL}:v1"), []),
        (f"{ECR}/app:v2", pushed(f"{ECR}/other:v1"), []),
        (f"{HUB}:v2", pushed(f"{HUB}:v1"), [UNDETERMINED]),
        (f"{HUB}:${{var.tag}}", pushed(f"{HUB}:v1"), []),
        (f"{HUB}:v2", pushed(f"{HUB}:${{var.tag}}"), []),
        (f"{HUB}@sha256:{'0' * 64}", pushed(f"{HUB}:v1"), []),
        (f"{HUB}@${{docker_registry_image.app.sha256_digest}}", pushed(f"{HUB}:v1"), []),
        ("${docker_registry_image.app.name}", pushed(f"{HUB}:v1"), []),
        (f"{HUB}:v2", pushed(f"{HUB}:v1") + f'data "docker_registry_image" "two" {{ name = "{HUB}:v2" }}', []),
        (f"{URL}:v2", pushed(f"{URL}:v1") + 'data "aws_ecr_image" "two" {\n  repository_name = "app"\n'
         '  image_tag = "v2"\n}\n', []),
        (f"{HUB}:v2", pushed(f"{HUB}:v1", more="count = 0"), []),
    ],
)  # fmt: skip
def test_a_tag_that_the_plan_does_not_push(tmp_path: Path, image: str, source: str, expected: list[Verdict]) -> None:
    """Where the plan pushes other tags of the repository, whether this one is there is left open."""
    variable = 'variable "tag" {}\n'
    found = judged(tmp_path, f'name = "app", image = "{image}"', REPOSITORY + variable + source)
    assert expected == [one.verdict for one in found if "image" in one.subject]


def test_what_is_named_is_found_at_its_line(tmp_path: Path) -> None:
    """Each finding stands at the line of the argument, in a container of many lines."""
    container = """
    name  = "app"
    image = "nginx:"
    readonlyRootFilesystem = true
    logConfiguration = {
      logDriver = "awslogs"
      options = {
        awslogs-region = "eu-west-1"
        awslogs-group  = "/ecs/app"
      }
    }
    environmentFiles = [{
      type  = "s3"
      value = "arn:aws:s3:::config/app.txt"
    }]
    secrets = [{
      name      = "DB"
      valueFrom = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf:gone::"
    }]
    """
    found = judged(tmp_path, container, services("true") + "\n" + OF_DATABASE)
    lines = (tmp_path / "main.tf").read_text("utf-8").splitlines()
    places = [one.location for one in found if one.location]
    shown = [lines[place.line - 1].strip().partition(" ")[0] for place in places]
    assert ["image", "awslogs-group", "value", "readonlyRootFilesystem"] == shown


def group(name: str, more: str = "") -> str:
    """Return a log group."""
    return f'resource "aws_cloudwatch_log_group" "app" {{\n  name = "{name}"\n  {more}\n}}\n'


@pytest.mark.parametrize(
    ("options", "source", "expected"),
    [
        ('"awslogs-group" = aws_cloudwatch_log_group.app.name', group("/ecs/app"), []),
        ('"awslogs-group" = "/ecs/app"', group("/ecs/app"), []),
        ('"awslogs-group" = "/ecs/ap"', group("/ecs/app"), [UNDETERMINED]),
        ('"awslogs-group" = "/ecs/app"', "", [UNDETERMINED]),
        ('"awslogs-group" = "/ecs/app", "awslogs-create-group" = "true"', "", []),
        ('"awslogs-group" = "/ecs/app", "awslogs-create-group" = "false"', "", [UNDETERMINED]),
        ('"awslogs-group" = "/ecs/app", "awslogs-region" = "us-east-1"', group("/ecs/app"), [UNDETERMINED]),
        ('"awslogs-group" = "/ecs/app", "awslogs-region" = "us-east-1"', group("/ecs/app", 'region = "us-east-1"'), []),
        ('"awslogs-group" = "/ecs/app"', 'data "aws_cloudwatch_log_group" "app" { name = "/ecs/app" }', []),
        ('"awslogs-group" = data.aws_cloudwatch_log_group.app.name',
         'data "aws_cloudwatch_log_group" "app" { name = "/ecs/app" }', []),
        ('"awslogs-group" = var.group', 'variable "group" {}', []),
        ('"awslogs-group" = "/ecs/app", "awslogs-region" = var.region', group("/ecs/app") + 'variable "region" {}', []),
    ],
)  # fmt: skip
def test_a_log_group_is_made(tmp_path: Path, options: str, source: str, expected: list[Verdict]) -> None:
    """A group that nothing makes, or makes in another region only, is left open."""
    region = "" if "awslogs-region" in options else ', "awslogs-region" = "eu-west-1"'
    found = judged(
        tmp_path, f'logConfiguration = {{ logDriver = "awslogs", options = {{ {options}{region} }} }}', source
    )
    assert expected == [one.verdict for one in found]
    assert all("nothing in this source creates it" in one.found for one in found)
    assert "us-east-1" not in options or not found or "aws_cloudwatch_log_group.app is in eu-west-1" in found[0].found


def stored(bucket: str) -> str:
    """Return an object of S3."""
    return f'resource "aws_s3_object" "env" {{\n  bucket = {bucket}\n  key = "app.env"\n}}\n'


BUCKET = 'resource "aws_s3_bucket" "config" { bucket = "config" }\n'


@pytest.mark.parametrize(
    ("key", "source", "expected"),
    [
        ("app.env", BUCKET + stored('"config"'), []),
        ("app.env", BUCKET + stored("aws_s3_bucket.config.id"), []),
        ("ap.env", BUCKET + stored('"config"'), [UNDETERMINED]),
        ("app.env", BUCKET, [UNDETERMINED]),
        ("app.env", BUCKET + "data " + stored('"config"').removeprefix("resource "), []),
        ("app.env", "", []),
        ("app.txt", "", [VIOLATED]),
    ],
)  # fmt: skip
def test_an_environment_file_is_made(tmp_path: Path, key: str, source: str, expected: list[Verdict]) -> None:
    """A file in a bucket of the plan that nothing puts there is left open; one that ECS does not take is VIOLATED."""
    files = f'environmentFiles = [{{ type = "s3", value = "arn:aws:s3:::config/{key}" }}]'
    assert expected == [one.verdict for one in judged(tmp_path, files, source)]


def services(enabled: str) -> str:
    """Return a service."""
    return f"""
    resource "aws_ecs_service" "app" {{
      name                   = "app"
      task_definition        = aws_ecs_task_definition.app.arn
      enable_execute_command = {enabled}
    }}"""


@pytest.mark.parametrize(
    ("container", "enabled", "expected"),
    [
        ("readonlyRootFilesystem = true", "true", [VIOLATED]),
        ("readonlyRootFilesystem = false", "true", []),
        ("readonlyRootFilesystem = true", "false", []),
        ("essential = true", "true", []),
    ],
)  # fmt: skip
def test_a_session_needs_a_file_system_that_can_be_written(
    tmp_path: Path, container: str, enabled: str, expected: list[Verdict]
) -> None:
    """With ECS Exec a root file system that is read-only is VIOLATED, unless another container can be written to."""
    found = judged(tmp_path, container, services(enabled))
    assert expected == [one.verdict for one in found]
    second = ', { name = "side", image = "nginx:1" }'
    beside = judged(tmp_path / "two", container, services(enabled), second)
    assert [UNDETERMINED for _ in expected] == [one.verdict for one in beside]


def files() -> Iterator[tuple[str, list[Verdict]]]:
    """Yield images of a task definition file, which has placeholders."""
    yield "<IMAGE>", []
    yield "${REGISTRY}/app:${TAG}", []
    yield "app:", [UNDETERMINED]


def test_a_file_is_judged_alike(tmp_path: Path) -> None:
    """A placeholder is filled in by whoever deploys; what is written is judged."""
    plan = plan_of(tmp_path, "")
    for image, expected in files():
        text = json.dumps({"family": "app", "containerDefinitions": [{"name": "app", "image": image}]})
        definition = TaskDefinition.from_json(text, "app.json")
        found = check_secret_access(plan, [definition], CONTRACT, "prod")
        assert expected == [one.verdict for one in found if one.subject.endswith(FOUND)]
