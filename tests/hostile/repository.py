"""A repository that a hostile pull request brings: what it writes is a command, or is unseen, where it is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from pathlib import Path

PAYLOADS: Mapping[str, str] = {
    "colour": "\x1b[31mred",
    "title": "\x1b]0;title\x07",
    "c1": "\x9b31mred",
    "null": "a\x00b",
    "backspace": "a\x08\x08b",
    "command": "::error file=x::boo",
    "new line": "a\n::error::boo",
    "return": "a\r::add-mask::boo",
    "indented": "a\n    ::set-output name=x::boo",
    "separator": "a\u2028::error::boo",
    "old command": "##[error]boo",
    "azure": "##vso[task.setvariable variable=x]boo",
    "override": "\u202egnp.exe",
    "isolate": "\u2066boo\u2069",
    "mark": "\u200fboo",
    "zero width": "se\u200bcret",
    "joiner": "se\u2060cret",
    "order mark": "\ufeffboo",
    "tag": "boo\U000e0041",
    "user": "https://user:canary4711@example.com/boo",
}
"""By what it is meant to do."""
CANARY = "canary4711"


def hcl(text: str) -> str:
    """Write a text as a string of HCL, which has escapes for all of it."""
    return json.dumps(text, ensure_ascii=True).replace("${", "$${").replace("%{", "%%{")


def toml(text: str) -> str:
    """Write a text as a string of TOML."""
    return '"' + "".join(f"\\U{ord(one):08x}" if not one.isalnum() else one for one in text) + '"'


def _blocks(at: int, payload: str) -> Iterator[str]:
    written = hcl(payload)
    containers = json.dumps(
        [
            {
                "name": f"app-{payload}",
                "image": f"111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop:{payload}",
                "environment": [{"name": payload, "value": payload}],
                "secrets": [{"name": payload, "valueFrom": f"arn:aws:secretsmanager:eu-west-1:111122223333:{payload}"}],
                "logConfiguration": {"logDriver": payload, "options": {payload: payload}},
            }
        ]
    )
    yield f"""
resource "aws_secretsmanager_secret" "s{at}" {{
  name        = {written}
  description = {written}
  tags        = {{ {written} = {written} }}
}}
resource "aws_sns_topic" "each{at}" {{
  for_each = toset([{written}])
  name     = each.key
}}
resource "aws_iam_role" "r{at}" {{
  name               = {written}
  assume_role_policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [
      {{ Sid = {written}, Effect = "Allow", Action = "sts:AssumeRole", Principal = {{ Service = {written} }} }},
    ]
  }})
}}
resource "aws_ecs_task_definition" "t{at}" {{
  family                = {written}
  execution_role_arn    = aws_iam_role.r{at}.arn
  container_definitions = {hcl(containers)}
}}
resource "aws_ecs_service" "v{at}" {{
  name            = {written}
  task_definition = aws_ecs_task_definition.t{at}.arn
}}
module "m{at}" {{
  source = {hcl("git::https://user:canary4711@example.com/" + payload)}
  name   = {written}
}}
variable "v{at}" {{
  description = {written}
}}
"""


def contract() -> str:
    """Return a contract whose names, owners and reasons are hostile."""
    every = " ".join(PAYLOADS.values())
    return f"""
[project]
application = "shop"
owner = {toml(every)}

[environments.prod]
root = "."
region = "eu-west-1"
account_id = "111122223333"

[names.patterns]
aws_secretsmanager_secret = "shop-prod-{{secret}}"

[names.placeholders]
secret = "[a-z]+"

[tags.common]
{toml(PAYLOADS["override"])} = {{}}
{toml(PAYLOADS["new line"])} = {{}}
{toml(PAYLOADS["colour"])} = {toml(every)}

[[waivers]]
rule = "names"
address = "aws_secretsmanager_secret.s1"
reason = {toml(every)}
owner = {toml(PAYLOADS["indented"])}
expires = 2099-01-01
"""


def write_repository(directory: Path) -> Path:
    """Write the repository, file names included, and return its directory."""
    directory.mkdir(parents=True)
    (directory / "infraspec.toml").write_text(contract(), encoding="utf-8")
    for at, (name, payload) in enumerate(PAYLOADS.items()):
        source = "".join(_blocks(at, payload))
        usable = "" if name == "user" else payload.replace("/", "_").replace("\x00", "_")
        (directory / f"{at}{usable}.tf").write_text(source, encoding="utf-8")
        (directory / f"{name}.auto.tfvars").write_text(f"v{at} = {hcl(payload)}\n", encoding="utf-8")
    (directory / "broken.tf.json.txt").write_text("{", encoding="utf-8")
    return directory
