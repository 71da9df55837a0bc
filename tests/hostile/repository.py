"""A repository that a hostile pull request brings: what it writes is a command, or is unseen, where it is shown."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

from tests.hostile.payloads import CANARY, PAYLOADS


def hcl(text: str) -> str:
    r"""Write a text as a string of HCL, which has escapes for all of it, and no \b and \f."""
    written = json.dumps(text.replace("\b", "\ue0fe").replace("\f", "\ue0ff"), ensure_ascii=True)
    return written.replace("\\ue0fe", "\\u0008").replace("\\ue0ff", "\\u000c").replace("${", "$${").replace("%{", "%%{")


def toml(text: str) -> str:
    """Write a text as a string of TOML, which takes all characters but lone surrogates."""
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
module "m{at}" {{
  source = {hcl(f"git::https://user:{CANARY}@example.com/{payload}")}
  name   = {written}
}}
variable "v{at}" {{
  description = {written}
}}
"""
    if at % 4 == 0:
        yield f"""
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
"""


def contract() -> str:
    """Return a contract whose names, owners and reasons are hostile."""
    every = " ".join(text for text in PAYLOADS.values() if "\ud800" not in text)
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
{toml(PAYLOADS["colour"])} = {toml(PAYLOADS["mark"] + PAYLOADS["error"] + PAYLOADS["override"])}

[playbooks]
directory = "playbooks"
owners = ["shop"]
required = [{toml(PAYLOADS["script"])}]

[process]
branch = {toml(PAYLOADS["mention"])}
codeowners = "CODEOWNERS"
owned = [{toml(PAYLOADS["error"])}, {toml(PAYLOADS["Markdown link"])}]
workflows = "workflows"

[[waivers]]
rule = "names"
address = "aws_secretsmanager_secret.s1"
reason = {toml(every)}
owner = {toml(PAYLOADS["set-output"])}
expires = 2099-01-01
"""


def plan_file() -> str:
    """Return a plan in which a resource is destroyed for each payload, which is its key and its values."""
    changes = [
        {
            "address": f"aws_sqs_queue.q[{json.dumps(payload)}]",
            "mode": "managed",
            "type": "aws_sqs_queue",
            "name": "q",
            "index": payload,
            "provider_name": "registry.terraform.io/hashicorp/aws",
            "action_reason": payload,
            "change": {"actions": ["delete"], "before": {"name": payload, "tags": {payload: payload}}, "after": None},
        }
        for payload in PAYLOADS.values()
        if "\ud800" not in payload
    ]
    return json.dumps({"format_version": "1.2", "terraform_version": "1.9.0", "resource_changes": changes})


def page(payload: str) -> str:
    """Return a playbook whose front matter, headings and commands are hostile."""
    written = json.dumps(payload)
    return f"""---
id: {written}
language: en
title: {written}
owner: {written}
failure_classes: [{written}]
targets: {{confirm: 5, restore: 15, fix: 30, follow-up: 1440}}
---

# {payload}

## 1. Confirm (within 5 minutes)

- [ ] [x]({payload})

```sh
{payload}
```
"""


def workflow(payload: str) -> str:
    """Return a workflow whose names and steps are hostile."""
    written = json.dumps(payload)
    return (
        f"name: {written}\non: pull_request\njobs:\n  {written}:\n    runs-on: x\n    steps:\n      - run: {written}\n"
    )


def event() -> str:
    """Return what a runner tells of a pull request whose title, text, branch, people and labels are hostile."""
    every = "\n".join(PAYLOADS.values())
    request = {
        "number": 1,
        "title": every,
        "body": "\n".join(f"- [x] {payload}\n- [ ] {payload}" for payload in PAYLOADS.values()),
        "head": {"ref": PAYLOADS["script"], "sha": PAYLOADS["error"]},
        "user": {"login": PAYLOADS["mention"]},
        "labels": [{"name": payload} for payload in PAYLOADS.values()],
    }
    return json.dumps({"action": "opened", "pull_request": request})


def whole_diff(directory: Path) -> str:
    """Return the diff of a pull request that adds every file of Terraform."""
    parts = []
    for path in sorted(directory.glob("*.tf")):
        lines = path.read_text(encoding="utf-8").removesuffix("\n").split("\n")
        head = f"diff --git a/{path.name} b/{path.name}\n--- /dev/null\n+++ b/{path.name}\n@@ -0,0 +1,{len(lines)} @@\n"
        parts.append(head + "".join(f"+{line}\n" for line in lines))
    return "".join(parts)


def write_repository(directory: Path) -> Path:
    """Write the repository, file names included, and return its directory."""
    directory.mkdir(parents=True)
    (directory / "infraspec.toml").write_text(contract(), encoding="utf-8")
    (directory / "plan.json").write_text(plan_file(), encoding="utf-8")
    (directory / "playbooks").mkdir()
    (directory / "workflows").mkdir()
    (directory / "CODEOWNERS").write_text("\n".join(f"{one} {one}" for one in map(_one_line, PAYLOADS.values())))
    for at, (name, payload) in enumerate(PAYLOADS.items()):
        source = "".join(_blocks(at, payload))
        usable = _one_line(payload).encode("utf-8", "surrogateescape")[:120].decode("utf-8", "ignore").replace("/", "_")
        (directory / f"{at}{usable}.tf").write_text(source, encoding="utf-8")
        (directory / f"{name}.auto.tfvars").write_text(f"v{at} = {hcl(payload)}\n", encoding="utf-8")
        (directory / "playbooks" / f"{at}{usable}.md").write_text(page(payload), "utf-8", "replace")
        (directory / "workflows" / f"{at}{usable}.yml").write_text(workflow(payload), "utf-8", "replace")
    (directory / "broken.tf.json.txt").write_text("{", encoding="utf-8")
    (directory / "event.json").write_text(event(), encoding="utf-8")
    (directory / "merged.json").write_text(json.dumps([json.loads(event())["pull_request"]]), encoding="utf-8")
    (directory / "pull.diff").write_text(whole_diff(directory), encoding="utf-8")
    return directory


def _one_line(payload: str) -> str:
    """Return what a name of a file takes of a payload."""
    return "" if CANARY in payload else "".join(one for one in payload if one != "\0" and not "\ud7ff" < one < "\ue000")
