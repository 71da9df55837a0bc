"""Small sources with one resource of which there may be none: `COUNT` stands for its count, `EACH` for its for_each."""

from __future__ import annotations

from typing import NamedTuple


class Case(NamedTuple):
    """A rule, and the source that it judges."""

    rule: str
    source: str


TEXTS = """
variable "on" {}
variable "keys" {}

locals {
  trust = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "ecs-tasks.amazonaws.com" } }
  ] })
  read = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = "*" }
  ] })
  parameters = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "ssm:GetParameters", Resource = "*" }
  ] })
  deny = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Deny", Action = "secretsmanager:GetSecretValue", Resource = "*" }
  ] })
  deny_all = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Deny", Principal = "*", Action = "secretsmanager:GetSecretValue", Resource = "*" }
  ] })
  everything = jsonencode({ Version = "2012-10-17", Statement = [{ Effect = "Allow", Action = "*", Resource = "*" }] })
  decrypt = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "kms:Decrypt", Resource = "*" }
  ] })
  mount = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "elasticfilesystem:ClientMount", Resource = "*" }
  ] })
  others = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "*", Resource = "*", Principal = { AWS = "arn:aws:iam::111122223333:role/other" } }
  ] })
  long = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "s3:GetObject", Resource = [for n in range(160) : "arn:aws:s3:::name-${n}/some/key"] }
  ] })
  tls = jsonencode({ Version = "2012-10-17", Statement = [{
    Effect    = "Deny"
    Principal = "*"
    Action    = "s3:*"
    Resource  = ["arn:aws:s3:::state", "arn:aws:s3:::state/*"]
    Condition = { Bool = { "aws:SecureTransport" = "false" } }
  }] })
  by_name = jsonencode([{ name = "app", image = "nginx", secrets = [{ name = "DB", valueFrom = "/app/db" }] }])
  app = jsonencode([{
    name             = "app"
    image            = "nginx"
    essential        = true
    secrets          = [{ name = "DB", valueFrom = aws_secretsmanager_secret.db.arn }]
    logConfiguration = { logDriver = "json-file" }
  }])
}

resource "aws_secretsmanager_secret" "db" {
  name = "app-db"
}
"""
_ROLE = """
resource "aws_iam_role" "execution" {
  name               = "app-execution"
  assume_role_policy = local.trust
}
"""
_READ = """
resource "aws_iam_role_policy" "read" {
  name   = "read"
  role   = aws_iam_role.execution.name
  policy = local.read
}
"""
_TASK = f"""
{_ROLE}
resource "aws_ecs_task_definition" "app" {{
  family                = "app"
  execution_role_arn    = aws_iam_role.execution.arn
  container_definitions = local.app
}}
"""
_USER = """
resource "aws_iam_user" "u" {
  name = "u"
}
resource "aws_iam_user_policy" "read" {
  name   = "read"
  user   = aws_iam_user.u.name
  policy = local.read
}
"""
_BUCKET = """
terraform {
  backend "s3" {
    bucket = "state"
    key    = "x"
    region = "ap-northeast-1"
  }
}
resource "aws_s3_bucket" "state" {
  bucket = "state"
}
"""


def _counted(source: str, head: str, line: str = "COUNT") -> str:
    """Give a resource a count."""
    assert head in source
    return source.replace(head, f"{head}\n  {line}", 1)


CASES = {
    "a name": Case("names", 'resource "aws_sqs_queue" "q" {\n  COUNT\n  name = "Wrong Name"\n}\n'),
    "a good name": Case("names", 'resource "aws_sqs_queue" "q" {\n  EACH\n  name = "app-prod-q"\n}\n'),
    "tags": Case("tags", 'resource "aws_sqs_queue" "q" {\n  COUNT\n  name = "app-prod-q"\n}\n'),
    "a policy": Case("policies", _ROLE + _counted(_READ.replace("local.read", "local.everything"), '"read" {')),
    "policies that are too long together": Case(
        "policies",
        _ROLE
        + _counted(_READ.replace("local.read", "local.long"), '"read" {')
        + _READ.replace('"read"', '"more"').replace("local.read", "local.long"),
    ),
    "a task definition": Case("secret-access", _counted(_TASK, '"app" {')),
    "a policy that allows": Case("secret-access", _TASK + _counted(_READ, '"read" {')),
    "policies that allow, by key": Case("secret-access", _TASK + _counted(_READ, '"read" {', "EACH")),
    "a policy that denies": Case(
        "secret-access",
        _TASK + _READ + _counted(_READ.replace('"read"', '"deny"').replace("local.read", "local.deny"), '"deny" {'),
    ),
    "an attachment": Case(
        "secret-access",
        _TASK
        + """
resource "aws_iam_policy" "read" {
  name   = "read"
  policy = local.read
}
resource "aws_iam_role_policy_attachment" "read" {
  COUNT
  role       = aws_iam_role.execution.name
  policy_arn = aws_iam_policy.read.arn
}
""",
    ),
    "a managed policy, named by its ARN": Case(
        "secret-access",
        _TASK
        + """
resource "aws_iam_policy" "read" {
  COUNT
  name   = "read"
  policy = local.read
}
resource "aws_iam_role_policy_attachment" "read" {
  role       = aws_iam_role.execution.name
  policy_arn = "arn:aws:iam::111122223333:policy/read"
}
""",
    ),
    "a role, named by its ARN": Case(
        "secret-access",
        _counted(_TASK, '"execution" {').replace(
            "aws_iam_role.execution.arn", '"arn:aws:iam::111122223333:role/app-execution"'
        )
        + _READ.replace("aws_iam_role.execution.name", '"app-execution"'),
    ),
    "a parameter, named by its name": Case(
        "secret-access",
        _TASK.replace("local.app", "local.by_name")
        + _READ.replace("local.read", "local.parameters")
        + """
resource "aws_ssm_parameter" "db" {
  COUNT
  name  = "/app/db"
  type  = "String"
  value = "x"
}
""",
    ),
    "the alias of a key, named by its ARN": Case(
        "secret-access",
        _TASK.replace("local.app", "local.by_name")
        + _READ.replace("local.read", "local.parameters")
        + """
resource "aws_ssm_parameter" "db" {
  name   = "/app/db"
  type   = "SecureString"
  value  = "x"
  key_id = "alias/app"
}
resource "aws_kms_key" "app" {}
resource "aws_kms_alias" "app" {
  COUNT
  name          = "alias/app"
  target_key_id = aws_kms_key.app.key_id
}
resource "aws_iam_role_policy" "decrypt" {
  name   = "decrypt"
  role   = aws_iam_role.execution.name
  policy = jsonencode({ Version = "2012-10-17", Statement = [
    { Effect = "Allow", Action = "kms:Decrypt", Resource = aws_kms_key.app.arn }
  ] })
}
""",
    ),
    "the policy of a secret": Case(
        "secret-access",
        _TASK
        + _READ
        + """
resource "aws_secretsmanager_secret_policy" "deny" {
  COUNT
  secret_arn = aws_secretsmanager_secret.db.arn
  policy     = local.deny_all
}
""",
    ),
    "the policy of a key": Case(
        "secret-access",
        _TASK
        + _READ
        + _READ.replace('"read"', '"decrypt"').replace("local.read", "local.decrypt")
        + """
resource "aws_kms_key" "k" {}
resource "aws_secretsmanager_secret" "k" {
  name       = "app-k"
  kms_key_id = aws_kms_key.k.arn
}
resource "aws_ecs_task_definition" "other" {
  family             = "other"
  execution_role_arn = aws_iam_role.execution.arn
  container_definitions = jsonencode([{
    name = "other", image = "nginx", secrets = [{ name = "K", valueFrom = aws_secretsmanager_secret.k.arn }]
    logConfiguration = { logDriver = "json-file" }
  }])
}
resource "aws_kms_key_policy" "k" {
  COUNT
  key_id = aws_kms_key.k.id
  policy = local.others
}
""",
    ),
    "a service with ECS Exec": Case(
        "secret-access",
        _counted(_TASK, '"app" {', "task_role_arn = aws_iam_role.execution.arn")
        + _READ
        + """
resource "aws_ecs_service" "s" {
  COUNT
  name                   = "s"
  task_definition        = aws_ecs_task_definition.app.arn
  enable_execute_command = true
}
""",
    ),
    "the log of a proxy of Service Connect": Case(
        "secret-access",
        _TASK
        + _READ
        + """
resource "aws_ecs_service" "s" {
  COUNT
  name            = "s"
  task_definition = aws_ecs_task_definition.app.arn
  service_connect_configuration {
    enabled = true
    log_configuration {
      log_driver = "awslogs"
      options    = { awslogs-group = "proxy", awslogs-region = "eu-west-1" }
    }
  }
}
""",
    ),
    "the policy of a file system": Case(
        "secret-access",
        _counted(
            _TASK,
            '"app" {',
            """task_role_arn = aws_iam_role.execution.arn
  volume {
    name = "v"
    efs_volume_configuration {
      file_system_id     = aws_efs_file_system.f.id
      transit_encryption = "ENABLED"
      authorization_config {
        iam = "ENABLED"
      }
    }
  }""",
        ).replace("local.app", "local.mounting")
        + _READ
        + """
locals {
  mounting = jsonencode([{
    name = "app", image = "nginx", mountPoints = [{ sourceVolume = "v", containerPath = "/v" }]
    logConfiguration = { logDriver = "json-file" }
  }])
}
resource "aws_efs_file_system" "f" {}
resource "aws_efs_file_system_policy" "f" {
  COUNT
  file_system_id = aws_efs_file_system.f.id
  policy         = local.others
}
""",
    ),
    "the logs of a task definition": Case(
        "task-definitions", _counted(_TASK, '"app" {').replace("local.app", 'jsonencode([{ name = "a", image = "x" }])')
    ),
    "a secret": Case(
        "secret-readers", _USER + 'resource "aws_secretsmanager_secret" "counted" {\n  COUNT\n  name = "counted"\n}\n'
    ),
    "a user, a reader": Case(
        "secret-readers", _counted(_USER, '"u" {').replace("aws_iam_user.u.name", 'join("", aws_iam_user.u[*].name)')
    ),
    "a reader by a policy": Case("secret-readers", _counted(_USER, '"read" {')),
    "a role, a reader": Case(
        "secret-readers",
        _counted(_ROLE, '"execution" {', 'COUNT\n  inline_policy {\n    name   = "read"\n    policy = local.read\n  }'),
    ),
    "a reader but for a policy": Case(
        "secret-readers",
        _USER
        + """
resource "aws_iam_user_policy" "deny" {
  COUNT
  name   = "deny"
  user   = aws_iam_user.u.name
  policy = local.deny
}
""",
    ),
    "the versions of a bucket": Case(
        "state-bucket",
        _BUCKET
        + """
resource "aws_s3_bucket_versioning" "v" {
  COUNT
  bucket = aws_s3_bucket.state.id
  versioning_configuration {
    status = "Enabled"
  }
}
""",
    ),
    "the versions of a bucket, suspended": Case(
        "state-bucket",
        _BUCKET
        + """
resource "aws_s3_bucket_versioning" "v" {
  COUNT
  bucket = aws_s3_bucket.state.id
  versioning_configuration {
    status = "Suspended"
  }
}
""",
    ),
    "the policy of a bucket": Case(
        "state-bucket",
        _BUCKET
        + """
resource "aws_s3_bucket_policy" "p" {
  COUNT
  bucket = aws_s3_bucket.state.id
  policy = local.tls
}
""",
    ),
    "a bucket": Case("state-bucket", _counted(_BUCKET, '"state" {')),
}
