"""`infraspec plan` as a user runs it: a process of its own, its exit code and what it prints."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infraspec.terraform.provider.schema import defaults_of, demands
from tests.terraform.sources import write

ROOT = Path(__file__).parents[2]
INPUT_ERROR = 2
SECRET = "hunter2"  # noqa: S105 - the word that no output may hold

SHOP = {
    "shop/main.tf": """\
        variable "image_tag" {
          type    = string
          default = "v1"
        }

        variable "token" {
          type      = string
          sensitive = true
          default   = "hunter2-variable"
        }

        data "aws_caller_identity" "current" {}

        data "aws_ami" "latest" {
          name_regex = aws_secretsmanager_secret.database.arn
        }

        resource "aws_sqs_queue" "jobs" {
          for_each = toset(["mail", "bills"])
          name     = "${terraform.workspace}-${each.key}-${var.image_tag}"
          tags     = { Account = data.aws_caller_identity.current.account_id, Token = "t:${var.token}" }
        }

        resource "aws_secretsmanager_secret" "database" {
          name = "shop-database"
        }

        resource "aws_secretsmanager_secret_version" "database" {
          secret_id     = aws_secretsmanager_secret.database.id
          secret_string = jsonencode({ password = "hunter2-string" })
        }

        resource "aws_db_instance" "main" {
          identifier = "shop"
          password   = "hunter2-password"
        }

        resource "aws_iam_role_policy" "read" {
          name   = "read"
          role   = "execution"
          policy = jsonencode({ Statement = [{ Resource = [aws_secretsmanager_secret.database.arn] }] })
        }

        module "topic" {
          source   = "./topic"
          for_each = { "eu.west" = 11, tokyo = 1 }
          number   = each.value
        }

        output "topics" {
          value = { for name, topic in module.topic : name => topic.names[0] }
        }

        output "token" {
          value     = var.token
          sensitive = true
        }
        """,
    "shop/topic/main.tf": """\
        variable "number" {
          type = number
        }

        resource "aws_sns_topic" "this" {
          count = var.number
          name  = "topic-${count.index}"
        }

        output "names" {
          value = aws_sns_topic.this[*].name
        }
        """,
}

CONTRACT = """\
    [project]
    application = "shop"

    [environments.prod]
    root = "shop"
    account_id = "111122223333"
    workspace = "blue"
    variables = { image_tag = "contract" }
    """

STAGING = """
    [environments.staging]
    root = "shop"
    """

VALUES = {
    "values.tf": """\
        variable "text" {
          default = "default"
        }

        variable "hosts" {
          type    = list(string)
          default = []
        }

        variable "size" {
          type    = object({ cpu = number, memory = optional(number, 512) })
          default = { cpu = 1 }
        }

        output "text" {
          value = var.text
        }

        output "hosts" {
          value = var.hosts
        }

        output "size" {
          value = var.size
        }

        output "workspace" {
          value = terraform.workspace
        }
        """,
    "one.tfvars": 'text = "one"\n',
    "two.tfvars": 'text = "two"\nhosts = ["a", "b"]\n',
    "two.tfvars.json": '{"size": {"cpu": 4}}',
    "values.json": '{"hosts": ["${x}"]}',
}


@dataclass(frozen=True)
class Ran:
    """What a run has left: exit code, standard output and standard error."""

    code: int
    out: str
    err: str

    @property
    def document(self) -> dict[str, Any]:
        """Return standard output read as JSON."""
        document: dict[str, Any] = json.loads(self.out)
        return document

    @property
    def outputs(self) -> dict[str, Any]:
        """Return the outputs of the plan that was printed as JSON, by name."""
        return {name: output["value"] for name, output in self.document["planned_values"]["outputs"].items()}


def run(directory: Path, *arguments: str, **environ: str) -> Ran:
    """Run `python -m infraspec plan` in a directory and require that it shows neither a traceback nor a secret."""
    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "INFRASPEC_"))}
    process = subprocess.run(
        [sys.executable, "-m", "infraspec", "plan", *arguments],
        cwd=directory,
        env={**inherited, "PYTHONPATH": str(ROOT / "plugins"), "PYTHONUTF8": "1", **environ},
        check=False,
        capture_output=True,
        encoding="utf-8",
    )
    printed = process.stdout + process.stderr
    assert "Traceback" not in printed
    assert SECRET not in printed
    return Ran(process.returncode, process.stdout, process.stderr)


def test_text(tmp_path: Path) -> None:
    """Text shows every resource with its place and values, marks what is not known, and closes with the count."""
    ran = run(write(tmp_path, SHOP), "--root", "shop", "--known", "aws_caller_identity.account_id=123456789012")

    assert ran.code == 0
    assert ran.err == ""
    blocks = ran.out.split("\n\n")
    assert blocks[-3:] == [
        'output "token" {\n  value = (sensitive value)\n}',
        'output "topics" {\n  value = {\n    eu.west = "topic-0"\n    tokyo = "topic-0"\n  }\n}',
        "source shop: 18 resources, 2 module instances\n",
    ]
    assert blocks[0].splitlines() == [
        "# data.aws_ami.latest  (shop/main.tf:14)",
        'data "aws_ami" "latest" {',
        "  name_regex = (known after apply: aws_secretsmanager_secret.database.arn)",
        "}",
    ]
    assert [block.splitlines()[0] for block in blocks[1:3]] == [
        '# aws_sqs_queue.jobs["bills"]  (shop/main.tf:18)',
        '# aws_sqs_queue.jobs["mail"]  (shop/main.tf:18)',
    ]
    assert '  name     = "default-bills-v1"' in blocks[1]
    assert '    Account = "123456789012"' in blocks[1]
    assert "    Token = (sensitive value)" in blocks[1] or '    Token = "t:' in blocks[1]
    assert "  secret_string = (sensitive value)" in ran.out
    assert "  password   = (sensitive value)" in ran.out


def computed(resource_type: str) -> frozenset[str]:
    """Return what the provider sets of a type where the source does not."""
    wanted = demands(resource_type)
    return wanted.computed if wanted else frozenset()


def test_json(tmp_path: Path) -> None:
    """JSON has the shape of planned_values in `terraform show -json`, sorted by address, with what is not known."""
    ran = run(write(tmp_path, SHOP), "--root", "shop", "--format", "json")

    assert (ran.code, ran.err) == (0, "")
    assert list(ran.document) == ["format_version", "planned_values", "unknown"]
    module = ran.document["planned_values"]["root_module"]
    addresses = [resource["address"] for resource in module["resources"]]
    assert addresses == sorted(addresses)
    assert [child["address"] for child in module["child_modules"]] == [
        'module.topic["eu.west"]',
        'module.topic["tokyo"]',
    ]
    shown = {resource["address"]: resource for resource in module["resources"]}
    assert shown['aws_sqs_queue.jobs["mail"]'] == {
        "address": 'aws_sqs_queue.jobs["mail"]',
        "mode": "managed",
        "type": "aws_sqs_queue",
        "name": "jobs",
        "index": "mail",
        "provider_name": "registry.terraform.io/hashicorp/aws",
        "values": {
            "name": "default-mail-v1",
            "tags": {"Token": "(sensitive value)"},
            "tags_all": {"Token": "(sensitive value)"},
            **defaults_of("aws_sqs_queue"),
        },
        "sensitive_values": {"tags": {"Token": True}, "tags_all": {"Token": True}},
    }
    assert shown["data.aws_ami.latest"]["mode"] == "data"
    assert "data.aws_caller_identity.current" not in shown
    assert shown["aws_db_instance.main"]["sensitive_values"] == {"password": True}
    topics = [resource["index"] for resource in module["child_modules"][0]["resources"]]
    assert sorted(topics) == list(range(11))
    written = {
        address: [path for path in paths if path not in computed(shown[address]["type"])]
        for address, paths in ran.document["unknown"].items()
        if address in shown
    }
    assert {"arn", "url"} <= {*ran.document["unknown"]['aws_sqs_queue.jobs["mail"]']}
    assert {address: paths for address, paths in written.items() if paths} == {
        'aws_sqs_queue.jobs["bills"]': ["tags.Account", "tags_all.Account"],
        'aws_sqs_queue.jobs["mail"]': ["tags.Account", "tags_all.Account"],
        "aws_iam_role_policy.read": ["policy"],
        "aws_secretsmanager_secret_version.database": ["secret_id"],
        "data.aws_ami.latest": ["name_regex"],
    }
    assert list(ran.document["planned_values"]["outputs"]) == ["token", "topics"]
    assert ran.document["planned_values"]["outputs"] == {
        "topics": {"sensitive": False, "value": {"eu.west": "topic-0", "tokyo": "topic-0"}},
        "token": {"sensitive": True, "value": "(sensitive value)"},
    }


@pytest.mark.parametrize("form", ["text", "json"])
def test_same_output_every_time(tmp_path: Path, form: str) -> None:
    """What is printed depends on the source alone, not on the order in which Python's sets run."""
    write(tmp_path, SHOP)
    printed = {run(tmp_path, "--root", "shop", "--format", form, PYTHONHASHSEED=seed).out for seed in ("1", "2")}

    assert len(printed) == 1


PRECEDENCE: dict[str, tuple[tuple[str, ...], dict[str, Any]]] = {
    "the environment": ((), {"text": "environment", "hosts": ["e"]}),
    "a file": (("--var-file", "one.tfvars"), {"text": "one"}),
    "the last of file and value": (("--var", "text=var", "--var-file", "one.tfvars"), {"text": "one"}),
    "the last of value and file": (("--var-file=one.tfvars", "--var=text=a=b"), {"text": "a=b"}),
    "the last of all": (
        ("--var", "text=1", "--var-file", "two.tfvars", "--var", "text= 2 ", "--workspace", "blue"),
        {"text": " 2 ", "hosts": ["a", "b"], "workspace": "blue"},
    ),
    "expressions": (
        ("--var", 'hosts=["x", "y"]', "--var-file", "two.tfvars.json", "--var", 'size={ cpu = "2" }'),
        {"hosts": ["x", "y"], "size": {"cpu": 2, "memory": 512}},
    ),
    "JSON by the end of its name": (("--var-file", "values.json"), {"hosts": ["${x}"]}),
}


@pytest.mark.parametrize(("arguments", "expected"), PRECEDENCE.values(), ids=PRECEDENCE)
def test_variables(tmp_path: Path, arguments: tuple[str, ...], expected: dict[str, Any]) -> None:
    """Values of variables win in Terraform's order: environment, files and values as they are given."""
    environ = {"TF_VAR_text": "environment", "TF_VAR_hosts": '["e"]', "TF_VAR_absent": "x"}
    ran = run(write(tmp_path, VALUES), "--root", ".", "--format", "json", *arguments, **environ)

    assert (ran.code, ran.err) == (0, "")
    default = {"text": "environment", "hosts": ["e"], "size": {"cpu": 1, "memory": 512}, "workspace": "default"}
    assert ran.outputs == {**default, **expected}


def test_environment_of_the_contract(tmp_path: Path) -> None:
    """The contract's environment counts, and the command line wins over it."""
    write(tmp_path, {**SHOP, "infraspec.toml": CONTRACT})
    plain = run(tmp_path)
    changed = run(
        tmp_path, "--infra", ".", "--env", "prod", "--var", "image_tag=v16", "--workspace", "green",
        "--known", "aws_caller_identity.account_id=123456789012",
    )  # fmt: skip

    assert (plain.code, changed.code) == (0, 0)
    assert '"blue-mail-contract"' in plain.out
    assert 'Account = "111122223333"' in plain.out
    assert '"green-mail-v16"' in changed.out
    assert 'Account = "123456789012"' in changed.out


def test_variable_that_is_in_a_file_only(tmp_path: Path) -> None:
    """A value in a variable file without a variable is a warning, with its line."""
    ran = run(
        write(tmp_path, {**VALUES, "more.tfvars": 'text = "x"\ntxet = "y"\n'}),
        "--root",
        ".",
        "--var-file",
        "more.tfvars",
    )

    assert ran.code == 0
    assert ran.err == 'warning: more.tfvars:2: there is no variable "txet" in .\n'


def test_known_data_that_answers_nothing(tmp_path: Path) -> None:
    """A mistyped key is a warning with the key that is most likely meant."""
    ran = run(write(tmp_path, SHOP), "--root", "shop", "--known", "aws_caller_identity.current.acount_id=hunter2")

    assert ran.code == 0
    assert ran.err == (
        "warning: the known data aws_caller_identity.current.acount_id answers for no data source: "
        "did you mean aws_caller_identity.current.account_id?\n"
    )


ROOT_ERRORS: dict[str, tuple[dict[str, str], tuple[str, ...], list[str]]] = {
    "missing root": ({}, ("--root", "nowhere"), ["nowhere: there is no such directory", "remedy:"]),
    "directory without Terraform": ({"README.md": ""}, ("--root", "."), [".: the directory holds no Terraform"]),
    "no contract": ({}, (), ["infraspec.toml: there is no contract", "run `infraspec init`"]),
    "unknown environment": ({"infraspec.toml": CONTRACT}, ("--env", "prd"), ["prd", "did you mean `prod`?"]),
    "which environment": ({"infraspec.toml": CONTRACT + STAGING}, (), ["--env with one of prod, staging"]),
    "root and contract": ({}, ("--root", "shop", "--env", "prod"), ["--root cannot be combined"]),
    "mistyped option": ({}, ("--rooot", "shop"), ["No such option '--rooot'", "--root"]),
    "mistyped format": ({}, ("--root", "shop", "--format", "yaml"), ["'yaml' is not one of 'text', 'json'"]),
    "value without a name": ({}, ("--root", "shop", "--var", "=x"), ["--var: a variable is given as NAME=VALUE"]),
    "mistyped variable": ({}, ("--root", "shop", "--var", "image_tga=x"), ["did you mean image_tag?"]),
    "missing file": ({}, ("--root", "shop", "--var-file", "no.tfvars"), ["no.tfvars: the file cannot be read"]),
    "broken file": (
        {"bad.tfvars": 'image_tag = "v2"\nhosts = [1\n'},
        ("--root", "shop", "--var-file", "bad.tfvars"),
        ["HclSyntaxError: bad.tfvars:", "expected:"],
    ),
    "block in a file": (
        {"bad.tfvars": 'variable "image_tag" {}\n'},
        ("--root", "shop", "--var-file", "bad.tfvars"),
        ["bad.tfvars:1:1", "NAME = VALUE"],
    ),
    "known data without an attribute": ({}, ("--root", "shop", "--known", "x"), ["--known: known data is given as"]),
    "known data that is no JSON": ({}, ("--root", "shop", "--known", "a.b=[1"), ["--known a.b: a value in brackets"]),
}

SOURCE_ERRORS: dict[str, tuple[dict[str, str], list[str]]] = {
    "syntax of several files": (
        {"a.tf": 'resource "x" {', "b.tf": "locals {\n  a = [1,\n}\n", "c.tf.json": '{"locals": '},
        ["a.tf:1:14: ", "b.tf:3:1: ", "c.tf.json:1:", "\n    ^\n"],
    ),
    "several attributes": (
        {
            "main.tf": """\
                resource "aws_sqs_queue" "a" {
                  name          = {}.none
                  delay_seconds = tonumber("soon")
                }

                resource "aws_sqs_queue" "b" {
                  name = file("../outside.txt")
                  tags = { A = {}.none }
                }

                output "o" {
                  value = upper()
                }
                """
        },
        [
            "main.tf:2:19: ",
            "main.tf:3:19: ",
            "main.tf:7:10: ",
            "main.tf:8:16: ",
            "main.tf:12:11: ",
            "aws_sqs_queue.b.tags",
        ],
    ),
    "cycle": (
        {"main.tf": 'locals {\n  a = local.b\n  b = local.a\n}\n\noutput "o" {\n  value = local.a\n}\n'},
        ["local.a → local.b → local.a", "remedy:"],
    ),
    "module that sources itself": (
        {"main.tf": 'module "m" {\n  source = "./."\n}\n'},
        ["main.tf:2:", "module.m calls"],
    ),
    "modules that source each other": (
        {"main.tf": 'module "m" {\n  source = "./m"\n}\n', "m/main.tf": 'module "n" {\n  source = "../"\n}\n'},
        ["m/main.tf:2:", "module.m.module.n"],
    ),
}


@pytest.mark.parametrize(("files", "arguments", "fragments"), ROOT_ERRORS.values(), ids=ROOT_ERRORS)
def test_error_of_the_request(
    tmp_path: Path, files: dict[str, str], arguments: tuple[str, ...], fragments: list[str]
) -> None:
    """What is asked for wrongly is said on standard error, with exit code 2 and nothing on standard output."""
    _assert_refused(run(write(tmp_path, {**SHOP, **files}), *arguments), fragments)


@pytest.mark.parametrize(("files", "fragments"), SOURCE_ERRORS.values(), ids=SOURCE_ERRORS)
def test_error_of_the_source(tmp_path: Path, files: dict[str, str], fragments: list[str]) -> None:
    """All that is wrong with the source is said at once, each with its place."""
    _assert_refused(run(write(tmp_path, files), "--root", "."), fragments)


SENSITIVE = """\
    variable "pin" {
      type      = number
      sensitive = true
      default   = 1
    }

    variable "tokens" {
      type      = list(string)
      sensitive = true
      default   = []
    }

    variable "ports" {
      type    = map(list(number))
      default = {}
    }

    resource "aws_sqs_queue" "q" {
      tags          = var.ports
      delay_seconds = var.pin
      name          = join("-", var.tokens)
    }
    """

SECRETS: dict[str, tuple[tuple[str, ...], str]] = {
    "a value of the wrong type": (("--var", "pin=hunter2"), "not of its type"),
    "a nested value of the wrong type": (("--var", 'ports={ hunter2 = ["hunter2"] }'), "not of its type"),
    "a value that is no list": (("--var", "tokens=hunter2"), "tokens"),
    "a value that is not closed": (("--var", 'tokens=["hunter2'), "closing quote"),
    "a value without a name": (("--var", "hunter2"), "NAME=VALUE"),
    "known data without a key": (("--known", "hunter2"), "TYPE.ATTRIBUTE=VALUE"),
    "known data that is no JSON": (("--known", 'a.b=["hunter2'), "JSON"),
    "a file that is not closed": (("--var-file", "open.tfvars"), "open.tfvars:1:"),
    "a file with a bare word": (("--var-file", "bare.tfvars"), "bare.tfvars:1:"),
}


@pytest.mark.parametrize(("arguments", "fragment"), SECRETS.values(), ids=SECRETS)
def test_error_beside_a_secret(tmp_path: Path, arguments: tuple[str, ...], fragment: str) -> None:
    """An error of a value that may be a secret names its place and not the value."""
    files = {"main.tf": SENSITIVE, "open.tfvars": 'tokens = ["hunter2]\n', "bare.tfvars": "tokens = [hunter2]\n"}
    _assert_refused(run(write(tmp_path, files), "--root", ".", *arguments), [fragment])


def _assert_refused(ran: Ran, fragments: list[str]) -> None:
    assert (ran.code, ran.out) == (INPUT_ERROR, "")
    for fragment in fragments:
        assert fragment in ran.err
