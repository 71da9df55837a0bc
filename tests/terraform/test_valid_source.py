"""Nothing that Terraform accepts ends a run: blocks, arguments and functions of every version."""

import json
from collections.abc import Mapping
from pathlib import Path

import pytest

from infraspec.core.errors import InfraspecError
from infraspec.core.unknown import Ephemeral, Sensitive, Unknown, Value
from infraspec.terraform.source import evaluate
from tests.terraform.sources import output_of, plan_of, write

CHILD = (
    'output "a" {\n  value = 1\n}\noutput "b" {\n  value = aws_sqs_queue.q.arn\n}\nresource "aws_sqs_queue" "q" {}\n'
)


@pytest.mark.parametrize(
    ("kind", "value", "expected"),
    [
        ("number", '"1"', 1),
        ("list(string)", "[1, true]", ["1", "true"]),
        ("object({ a = optional(string, 5) })", "{}", {"a": "5"}),
    ],
)
def test_output_with_a_type(tmp_path: Path, kind: str, value: str, expected: Value) -> None:
    """An output is converted to its type."""
    assert expected == output_of(tmp_path, f'output "value" {{\n  type  = {kind}\n  value = {value}\n}}\n')


def test_output_of_another_type(tmp_path: Path) -> None:
    """A value that the type of an output does not take is an error with its place."""
    plan = plan_of(tmp_path, 'output "value" {\n  type  = number\n  value = "x"\n}\n')

    with pytest.raises(InfraspecError, match=r"output\.value"):
        plan.outputs["value"]


ACTIONS = """
    action "aws_lambda_invoke" "warm" {
      config {
        function_name = aws_lambda_function.f.function_name
      }
    }
    resource "aws_lambda_function" "f" {
      function_name = "f"
      lifecycle {
        action_trigger {
          events    = [before_create, after_update]
          condition = var.on
          actions   = [action.aws_lambda_invoke.warm, action.aws_lambda_invoke.warm[0]]
        }
      }
    }
    variable "on" {
      default = true
    }
"""
WRITE_ONLY = """
    ephemeral "aws_secretsmanager_secret_version" "p" {
      secret_id = "s"
    }
    variable "token" {
      type      = string
      ephemeral = true
      default   = null
    }
    resource "aws_db_instance" "d" {
      identifier          = "d"
      password_wo         = ephemeral.aws_secretsmanager_secret_version.p.secret_string
      password_wo_version = 1
    }
"""
REFACTORED = """
    locals {
      old = { a = "1" }
    }
    resource "aws_sqs_queue" "q" {
      for_each = local.old
    }
    import {
      for_each = local.old
      to       = aws_sqs_queue.q[each.key]
      id       = each.value
    }
    import {
      to = aws_sns_topic.t
      identity = {
        arn = "arn:aws:sns:eu-west-1:111122223333:t"
      }
    }
    resource "aws_sns_topic" "t" {}
    removed {
      from = aws_s3_bucket.b
      lifecycle {
        destroy = false
      }
      provisioner "local-exec" {
        when    = destroy
        command = "echo ${self.id}"
      }
    }
    moved {
      from = aws_sqs_queue.old
      to   = aws_sqs_queue.q["a"]
    }
"""
OLD = """
    variable "a" {
      type    = "string"
      default = "x"
    }
    variable "b" {
      type    = "list"
      default = ["x"]
    }
    variable "c" {
      type = "map"
      default = {
        k = "v"
      }
    }
    resource "aws_sqs_queue" "q" {
      name       = "${var.a}-${element(var.b, 0)}-${lookup(var.c, "k")}"
      depends_on = ["aws_sns_topic.t"]
      lifecycle {
        ignore_changes = ["name"]
      }
    }
    resource "aws_sns_topic" "t" {}
"""


@pytest.mark.parametrize(
    "source", [ACTIONS, WRITE_ONLY, REFACTORED, OLD], ids=["actions", "write-only", "refactored", "old"]
)
def test_accepted(tmp_path: Path, source: str) -> None:
    """Blocks and arguments of every version are read, and each resource is there with its values."""
    plan = plan_of(tmp_path, source)

    assert [dict(resource.values) for resource in plan.resources if resource.mode == "managed"]
    assert [each for each in plan.diagnostics if each.severity == "error"] == []


JSON = {
    "language": {"compatible_with": {"opentofu": ">= 1.12"}},
    "ephemeral": {"aws_secretsmanager_secret_version": {"p": {"secret_id": "s", "count": 1}}},
    "action": {"aws_lambda_invoke": {"warm": {"config": {"function_name": "f"}}}},
    "import": [{"to": "aws_sqs_queue.q", "id": "x"}],
    "removed": {"from": "aws_sns_topic.t", "lifecycle": {"destroy": False}},
    "provider": {"aws": {"alias": "by", "for_each": '${toset(["eu-west-2"])}', "region": "${each.key}"}},
    "output": {
        "value": {"type": "number", "value": "1"},
        "hidden": {"ephemeral": True, "value": "${ephemeral.aws_secretsmanager_secret_version.p[0].secret_string}"},
    },
    "module": {"m": {"source": "./m", "lifecycle": {"enabled": False}}},
    "resource": {
        "aws_sns_topic": {"n": {"lifecycle": {"enabled": "${false}"}}},
        "aws_sqs_queue": {
            "q": {
                "provider": '${aws.by["eu-west-2"]}',
                "lifecycle": {
                    "enabled": True,
                    "action_trigger": {"events": ["after_create"], "actions": ["action.aws_lambda_invoke.warm"]},
                },
            }
        },
    },
}


def test_json_of_every_version(tmp_path: Path) -> None:
    """JSON says the same as the native syntax."""
    plan = plan_of(tmp_path, {"main.tf.json": json.dumps(JSON), "m/main.tf": CHILD})

    assert [resource.address for resource in plan.resources] == ["aws_sqs_queue.q"]
    assert plan.regions == {'aws.by["eu-west-2"]': "eu-west-2"}
    assert plan.outputs["value"] == 1
    assert isinstance(plan.outputs["hidden"], Ephemeral)


def test_a_write_only_argument_is_ephemeral(tmp_path: Path) -> None:
    """What comes from an ephemeral resource does not show."""
    password = plan_of(tmp_path, WRITE_ONLY).by_address["aws_db_instance.d"].values["password_wo"]

    assert isinstance(password, Ephemeral)


@pytest.mark.parametrize(
    "value",
    ["[for e in ephemeral.x_token.t : e.token]", "ephemeral.x_token.t[*].token", "ephemeral.x_token.t[0].token"],
)
def test_parts_of_ephemeral_resources(tmp_path: Path, value: str) -> None:
    """Loops, splats and indexes of ephemeral resources are ephemeral, and not known."""
    source = f'ephemeral "x_token" "t" {{\n  count = 2\n}}\noutput "value" {{\n  value = {value}\n}}\n'

    assert isinstance(output_of(tmp_path, source), Ephemeral)


def test_query_files_are_no_configuration(tmp_path: Path) -> None:
    """A `.tfquery.hcl` file with list blocks is not read."""
    query = 'list "aws_instance" "all" {\n  provider = aws\n}\n'

    assert plan_of(tmp_path, {"main.tf": 'resource "aws_sqs_queue" "q" {}\n', "all.tfquery.hcl": query}).resources


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("keys(module.m)", ["a", "b"]),
        ("length(module.m)", 2),
        ('lookup(module.m, "a", 0)', 1),
        ("[for k, v in module.m : k]", ["a", "b"]),
        ('module.m["a"]', 1),
        ("merge(module.m, { a = 2 }).a", 2),
        ("local.m.a", 1),
        ("keys(module.many)", ["x", "y"]),
        ("values(module.many)[*].a", [1, 1]),
        ("[for k, m in module.many : keys(m)]", [["a", "b"], ["a", "b"]]),
        ("try(module.m.nope, 3)", 3),
    ],
)  # fmt: skip
def test_a_whole_module(tmp_path: Path, expression: str, expected: Value) -> None:
    """A module as a whole is the object of its outputs."""
    calls = 'module "m" {\n  source = "./m"\n}\nmodule "many" {\n  for_each = toset(["x", "y"])\n  source = "./m"\n}\n'
    source = calls + f'locals {{\n  m = module.m\n}}\noutput "value" {{\n  value = {expression}\n}}\n'

    assert expected == plan_of(tmp_path, {"main.tf": source, "m/main.tf": CHILD}).outputs["value"]


STATE = {
    "version": 4,
    "outputs": {
        "vpc": {"value": "vpc-1", "type": "string"},
        "key": {"value": "hunter2", "type": "string", "sensitive": True},
    },
}
READ = """
    data "terraform_remote_state" "net" {
      backend = "BACKEND"
      config = {
        path = "PATH"
      }
      defaults = {
        spare = 1
      }
      WORKSPACE
    }
    output "value" {
      value = data.terraform_remote_state.net.outputs
    }
"""


def read(directory: Path, files: Mapping[str, str]) -> Value:
    """Write files and return the output of the root module app."""
    return evaluate(write(directory, files) / "app").outputs["value"]


@pytest.mark.parametrize(
    ("backend", "path", "workspace", "place"),
    [
        ("local", "../net/terraform.tfstate", "", "net/terraform.tfstate"),
        ("local", "${path.module}/../net/x.tfstate", "", "net/x.tfstate"),
        ("local", "ignored", 'workspace = "prod"', "app/terraform.tfstate.d/prod/terraform.tfstate"),
    ],
)
def test_a_state_of_the_repository(tmp_path: Path, backend: str, path: str, workspace: str, place: str) -> None:
    """The outputs of another stack are read from its local state, and a sensitive one stays hidden."""
    source = READ.replace("BACKEND", backend).replace("PATH", path).replace("WORKSPACE", workspace)
    files = {"app/main.tf": source, place: json.dumps(STATE), "infraspec.toml": ""}
    found = read(tmp_path, files)

    assert isinstance(found, dict)
    assert found["vpc"] == "vpc-1"
    assert found["spare"] == 1
    assert isinstance(found["key"], Sensitive)


@pytest.mark.parametrize(
    ("backend", "path", "state"),
    [
        ("s3", "../net/terraform.tfstate", json.dumps(STATE)),
        ("local", "../absent/terraform.tfstate", json.dumps(STATE)),
        ("local", "../net/terraform.tfstate", "{"),
        ("local", "../net/terraform.tfstate", '{"encrypted_data": "x"}'),
        ("local", "../net/terraform.tfstate", '{"outputs": {"a": 1}}'),
        ("local", "/etc/terraform.tfstate", json.dumps(STATE)),
        ("local", "${data.aws_ssm_parameter.p.value}", json.dumps(STATE)),
    ],
)
def test_a_state_that_is_not_there(tmp_path: Path, backend: str, path: str, state: str) -> None:
    """The outputs of a state that is elsewhere, or cannot be read, are not known."""
    source = READ.replace("BACKEND", backend).replace("PATH", path).replace("WORKSPACE", "")
    source += 'data "aws_ssm_parameter" "p" {\n  name = "p"\n}\n'
    found = read(tmp_path, {"app/main.tf": source, "net/terraform.tfstate": state, "infraspec.toml": ""})

    assert Unknown("data.terraform_remote_state.net.outputs") == found


READS = """
    provider "aws" {
      alias  = "first"
      region = "eu-west-2"
    }
    data "aws_caller_identity" "me" {
      provider = aws.first
    }
    data "aws_ssm_parameter" "account" {
      provider = aws.first
      name     = "account"
    }
    locals {
      settings = jsondecode(data.aws_ssm_parameter.account.value)
    }
    provider "aws" {
      region = "eu-west-2"
      assume_role {
        role_arn = "arn:aws:iam::ACCOUNT:role/deploy"
      }
    }
    resource "aws_sqs_queue" "q" {
      name = "q-${data.aws_caller_identity.me.account_id}"
    }
"""


@pytest.mark.parametrize("account", ["${data.aws_caller_identity.me.id}", "${local.settings.account}"])
def test_a_provider_that_reads_through_another(tmp_path: Path, account: str) -> None:
    """Whose account the first configuration is in is not known, and that is no cycle."""
    plan = plan_of(tmp_path, READS.replace("ACCOUNT", account))

    assert plan.region == "eu-west-2"
    assert isinstance(plan.account, Unknown)
    assert not isinstance(plan.by_address["aws_sqs_queue.q"].values["name"], str)


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('length("short") <= 32 ? "short" : error("too long")', "short"),
        ("try(error(1), 2)", 2),
        ("can(error())", False),
        ("false && error()", False),
        ("[for x in [] : error(x)]", []),
        ('"%{ if false }${error()}%{ endif }"', ""),
    ],
)
def test_a_function_that_there_is_not(tmp_path: Path, expression: str, expected: Value) -> None:
    """It is an error where it is evaluated, and nothing elsewhere."""
    assert expected == output_of(tmp_path, f'output "value" {{\n  value = {expression}\n}}\n')


@pytest.mark.parametrize("expression", ["error(1)", "1 == error(1)", "error(1) && false", "upper(error(1))"])
def test_a_function_that_is_called(tmp_path: Path, expression: str) -> None:
    """A function that there is not is refused although nothing reads its result."""
    (refusal,) = plan_of(tmp_path, f"locals {{\n  value = {expression}\n}}\n").diagnostics

    assert ("error", True) == (refusal.severity, "no function" in refusal.message)


@pytest.mark.parametrize("other", ['toset(["a"])', 'toset(split(",", data.aws_ssm_parameter.p.value))'])
@pytest.mark.parametrize(("first", "expected"), [("[]", 0), ('["x"]', 1)])
def test_for_each_of_a_conditional(tmp_path: Path, first: str, other: str, expected: int) -> None:
    """A list beside a set is a set, whatever is known of that."""
    source = f"""
        data "aws_ssm_parameter" "p" {{
          name = "p"
        }}
        resource "aws_sqs_queue" "q" {{
          for_each = true ? {first} : {other}
          name     = each.value
        }}
    """
    assert expected == sum(resource.type == "aws_sqs_queue" for resource in plan_of(tmp_path, source).resources)


@pytest.mark.parametrize(("value", "expected"), [("[1]", [1]), ("{ a = 1 }", {"a": 1}), ("5", 5)])
def test_what_else_stands_beside_a_set(tmp_path: Path, value: str, expected: Value) -> None:
    """Only a list of text is certain to be a set beside one of which nothing is known."""
    unknown = 'variable "x" {}\noutput "value" {\n  value = true ? VALUE : toset(split(",", var.x))\n}\n'

    assert expected == output_of(tmp_path, unknown.replace("VALUE", value))


def test_a_dynamic_block_over_nothing(tmp_path: Path) -> None:
    """The content of a dynamic block counts where for_each makes a block of it."""
    source = """
        variable "sms" {
          default = null
        }
        resource "aws_cognito_user_pool" "p" {
          name = "p"
          dynamic "lambda_config" {
            for_each = var.sms != null ? [var.sms] : []
            content {
              custom_message = no_such_thing.here
            }
          }
        }
    """
    assert plan_of(tmp_path, source).by_address["aws_cognito_user_pool.p"].values["lambda_config"] == []
    made = plan_of(tmp_path, source.replace("default = null", 'default = "x"'))
    (block,) = made.by_address["aws_cognito_user_pool.p"].values["lambda_config"]
    assert ["custom_message"] == [name for name, value in block.items() if isinstance(value, Unknown)]
    assert ['the root module has no resource "no_such_thing.here"'] == [fault.name for fault in made.examine()]
