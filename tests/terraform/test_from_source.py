"""Root modules evaluate as Terraform would plan them: variables, instances, modules, providers, policies."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from infraspec.core.errors import (
    CycleError,
    FileAccessError,
    InfraspecError,
    InputErrorGroup,
    TerraformError,
)
from infraspec.core.finding import Location
from infraspec.core.unknown import JsonText, Sensitive, Unknown, Value
from infraspec.terraform.configuration.evaluation import Library
from infraspec.terraform.configuration.variables import Assignment, VariableFile
from infraspec.terraform.plan import Plan
from infraspec.terraform.provider.known_data import KnownData
from infraspec.terraform.source import evaluate
from tests.terraform.sources import output_of, plan_of, write
from tests.whole_results import Transcript

DOCUMENT = 'data "aws_iam_policy_document" "d" {\n%s\n}\n'


def addresses(plan: Plan) -> list[str]:
    """Return the addresses of the managed resources."""
    return [resource.address for resource in plan.managed()]


def test_instances_of_count_and_for_each(tmp_path: Path) -> None:
    """Count and for_each make instances with index and key in their address."""
    plan = plan_of(
        tmp_path,
        """
        resource "aws_sqs_queue" "plain" { name = "plain" }
        resource "aws_sqs_queue" "counted" {
          count = 2
          name  = "q${count.index}"
        }
        resource "aws_sqs_queue" "each" {
          for_each = { b = 1, a = 2 }
          name     = "${each.key}${each.value}"
        }
        resource "aws_sqs_queue" "none" { count = 0 }
        """,
    )

    assert addresses(plan) == [
        "aws_sqs_queue.plain",
        "aws_sqs_queue.counted[0]",
        "aws_sqs_queue.counted[1]",
        'aws_sqs_queue.each["a"]',
        'aws_sqs_queue.each["b"]',
    ]
    assert [resource.values["name"] for resource in plan.managed()] == ["plain", "q0", "q1", "a2", "b1"]


@pytest.mark.parametrize(
    ("argument", "address"),
    [("count = var.unset", "aws_sqs_queue.q[?]"), ("for_each = var.unset", 'aws_sqs_queue.q["?"]')],
)
def test_unknown_number_of_instances(tmp_path: Path, argument: str, address: str) -> None:
    """A count or for_each that is not known stands as one instance that says so."""
    plan = plan_of(tmp_path, f'variable "unset" {{}}\nresource "aws_sqs_queue" "q" {{\n{argument}\n}}')

    assert [address] == addresses(plan)
    assert plan.managed()[0].key == "?"


@pytest.mark.parametrize(
    ("argument", "fragment"),
    [
        ('for_each = ["a"]', "toset"),
        ("for_each = null", "null"),
        ("for_each = toset([1, 2])", "set of strings"),
        ("count = -1", "at least 0"),
        ('count = "many"', "number"),
        ("count = sensitive(1)", "nonsensitive"),
        ("count = 1\nfor_each = {}", "either count or for_each"),
    ],
)
def test_wrong_number_of_instances_is_an_error(tmp_path: Path, argument: str, fragment: str) -> None:
    """A count or for_each of a wrong type is an error with its line."""
    with pytest.raises(InfraspecError, match=r"aws_sqs_queue\.q|either") as caught:
        plan_of(tmp_path, f'resource "aws_sqs_queue" "q" {{\n{argument}\n}}')

    assert fragment in str(caught.value)
    assert "main.tf:" in str(caught.value)


def test_what_passes_a_limit_is_not_known(tmp_path: Path) -> None:
    """Too many instances are one that stands for any; the rest is judged as ever, and the place is told."""
    plan = plan_of(tmp_path, 'resource "aws_sqs_queue" "q" { count = 1e9 }\nresource "aws_sqs_queue" "other" {}')

    assert ["aws_sqs_queue.q[?]", "aws_sqs_queue.other"] == [each.address for each in plan.resources]
    (told,) = plan.diagnostics
    assert "aws_sqs_queue.q would make 1000000000 instances" in told.message
    assert "main.tf:1" in str(told.location)


def test_dynamic_blocks(tmp_path: Path) -> None:
    """Dynamic blocks stand among static ones in order, with their own iterator."""
    plan = plan_of(
        tmp_path,
        """
        resource "aws_security_group" "sg" {
          dynamic "ingress" {
            for_each = [80, 443]
            iterator = port
            content {
              from_port = port.value
              to_port   = port.value + port.key
              protocol  = "tcp"
            }
          }
          ingress {
            from_port = 22
            to_port   = 22
            protocol  = "tcp"
          }
        }
        """,
    )

    ports = [(block["from_port"], block["to_port"]) for block in plan.managed()[0].values["ingress"]]
    assert ports == [(80, 80), (443, 444), (22, 22)]


def test_unknown_dynamic_block_is_unknown_in_the_list(tmp_path: Path) -> None:
    """Blocks of an unknown number are one unknown among those that are known."""
    plan = plan_of(
        tmp_path,
        """
        variable "unset" {}
        resource "aws_security_group" "sg" {
          ingress { from_port = 22 }
          dynamic "ingress" {
            for_each = var.unset
            content { from_port = ingress.value }
          }
        }
        """,
    )

    first, second = plan.managed()[0].values["ingress"]
    assert first["from_port"] == 22
    assert isinstance(second, Unknown)


def test_precedence_of_variables(tmp_path: Path) -> None:
    """Later sources win: environment, terraform.tfvars, auto files in order, then arguments in order."""
    names = ["env", "tfvars", "json", "auto_a", "auto_b", "file", "var"]
    files = {
        "main.tf": "".join(f'variable "{name}" {{ default = "default" }}\n' for name in ["unset", *names])
        + 'output "all" { value = ['
        + ", ".join(f"var.{name}" for name in ["unset", *names])
        + "] }",
        "terraform.tfvars": "\n".join(f'{name} = "tfvars"' for name in names[1:]),
        "terraform.tfvars.json": json.dumps(dict.fromkeys(names[2:], "json")),
        "a.auto.tfvars": "\n".join(f'{name} = "auto_a"' for name in names[3:]),
        "b.auto.tfvars": "\n".join(f'{name} = "auto_b"' for name in names[4:]),
        "x.tfvars": 'file = "file"\nvar = "file"\n',
    }
    plan = plan_of(
        tmp_path,
        files,
        environ={f"TF_VAR_{name}": "env" for name in names} | {"TF_VAR_foreign": "x"},
        arguments=[VariableFile(tmp_path / "x.tfvars"), Assignment("var", "var")],
    )

    assert ["default", *names] == plan.outputs["all"]


def test_order_of_arguments_counts(tmp_path: Path) -> None:
    """Of -var and -var-file the later one wins."""
    write(tmp_path, {"x.tfvars": 'a = "file"'})
    plan = plan_of(
        tmp_path,
        'variable "a" {}\noutput "value" { value = var.a }',
        arguments=[Assignment("a", "var"), VariableFile(tmp_path / "x.tfvars")],
    )

    assert plan.outputs["value"] == "file"


def test_text_of_an_argument_is_parsed_by_the_type(tmp_path: Path) -> None:
    """A text for a list is an expression, for a string or no type it is itself."""
    plan = plan_of(
        tmp_path,
        """
        variable "list" { type = list(string) }
        variable "text" { type = string }
        variable "plain" {}
        output "value" { value = [var.list, var.text, var.plain] }
        """,
        arguments=[Assignment("list", '["a"]'), Assignment("text", '["a"]'), Assignment("plain", "1")],
    )

    assert plan.outputs["value"] == [["a"], '["a"]', "1"]


@pytest.mark.parametrize(
    ("arguments", "fragment"),
    [
        ([Assignment("imag_tag", "v1")], "did you mean image_tag?"),
        ([VariableFile(Path("nowhere.tfvars"))], "nowhere.tfvars"),
    ],
)
def test_wrong_argument_is_an_error(tmp_path: Path, arguments: list[Any], fragment: str) -> None:
    """A variable that is not declared, or a file that is not there, is an error with a hint."""
    with pytest.raises(InfraspecError) as caught:
        plan_of(tmp_path, 'variable "image_tag" {}', arguments=arguments)

    assert fragment in str(caught.value)


def test_value_of_a_wrong_type_names_the_path(tmp_path: Path) -> None:
    """A value that does not fit the type constraint is an error that says where in the value."""
    with pytest.raises(InfraspecError) as caught:
        plan_of(
            tmp_path,
            """
            variable "db" {
              type    = object({ port = number })
              default = { port = "http" }
            }
            output "value" { value = var.db.port }
            """,
        ).outputs["value"]

    assert "port" in str(caught.value)
    assert "main.tf:" in str(caught.value)


def test_optional_attributes(tmp_path: Path) -> None:
    """optional() attributes get their defaults."""
    plan = plan_of(
        tmp_path,
        """
        variable "db" {
          type    = object({ engine = optional(string, "postgres"), port = optional(number), name = string })
          default = { name = "x" }
        }
        output "value" { value = var.db }
        """,
    )

    assert plan.outputs["value"] == {"engine": "postgres", "port": None, "name": "x"}


def test_false_validation_is_an_error_diagnostic(tmp_path: Path) -> None:
    """A validation that is false is reported with its message and place; one that is not known says nothing."""
    plan = plan_of(
        tmp_path,
        """
        variable "environment" {
          default = "production"
          validation {
            condition     = contains(["dev", "prod"], var.environment)
            error_message = "environment is dev or prod."
          }
        }
        variable "unset" {
          validation {
            condition     = var.unset != ""
            error_message = "not empty."
          }
        }
        """,
    )

    (diagnostic,) = plan.diagnostics
    assert diagnostic.severity == "error"
    assert "environment is dev or prod." in diagnostic.message
    assert diagnostic.location is not None
    assert diagnostic.location.line == 4


def test_a_false_condition_of_what_may_not_be_there_is_a_warning(tmp_path: Path) -> None:
    """What no instance may ask for stops nothing: a validation in a module, a precondition of a resource."""
    condition = 'condition = false\n error_message = "never"'
    root = f"""
        variable "many" {{}}
        module "m" {{
          source = "./m"
          count  = var.many
          name   = "x"
        }}
        resource "aws_sqs_queue" "q" {{
          count = var.many
          lifecycle {{
            precondition {{
              {condition}
            }}
          }}
        }}
        """
    child = f'variable "name" {{\n validation {{\n {condition.replace("false", "length(var.name) > 3")}\n }}\n}}\n'
    plan = plan_of(tmp_path, {"main.tf": root, "m/main.tf": child})
    assert ["warning", "warning"] == [one.severity for one in plan.diagnostics if "never" in one.message]


UNDECLARED = {
    "module.m.name": 'module "queues" { source = "./m" }',
    "module.queue.name": 'module "queues" { source = "./m" }',
    "local.nme": "locals { name = 1 }",
    "var.nme": 'variable "name" { default = 1 }',
    "aws_sqs_queue.mail.arn": 'resource "aws_sqs_queue" "mails" {}',
    "data.aws_vpc.mian.id": 'data "aws_vpc" "main" {}',
    "aws_sqs_queue.mails.arnn": 'resource "aws_sqs_queue" "mails" {}',
}


@pytest.mark.parametrize("reference", UNDECLARED)
@pytest.mark.parametrize("inside", [False, True])
def test_what_is_not_declared(reference: str, tmp_path: Path, transcript: Transcript, *, inside: bool) -> None:
    """The error names the module that lacks it, and what is like it or how to declare it."""
    text = f'{UNDECLARED[reference]}\noutput "value" {{ value = {reference} }}\n'
    files = {"main.tf": text, "m/main.tf": ""}
    if inside:
        files = {"main.tf": 'module "top" { source = "./top" }', "top/main.tf": text, "top/m/main.tf": ""}
    try:
        transcript([str(value) for value in plan_of(tmp_path, files).outputs.values()])
    except InfraspecError as error:
        transcript([str(error)])


def test_modules(tmp_path: Path) -> None:
    """Modules take arguments, give outputs, and are called with count and for_each."""
    plan = plan_of(
        tmp_path,
        {
            "main.tf": """
                module "queue" {
                  source   = "./queue"
                  for_each = toset(["a", "b"])
                  name     = each.key
                }
                output "arns" { value = [for q in module.queue : q.arn] }
                """,
            "queue/main.tf": """
                variable "name" { type = string }
                resource "aws_sqs_queue" "this" { name = "q-${var.name}" }
                output "arn" { value = aws_sqs_queue.this.arn }
                """,
        },
    )

    assert addresses(plan) == ['module.queue["a"].aws_sqs_queue.this', 'module.queue["b"].aws_sqs_queue.this']
    assert [Unknown(f"{address}.arn") for address in addresses(plan)] == plan.outputs["arns"]
    assert plan.module_calls == 2


@pytest.mark.parametrize(
    ("call", "fragment"),
    [
        ('source = "./nowhere"', "no such directory"),
        ("source = 5", "no source"),
    ],
)
def test_wrong_module_call_is_an_error(tmp_path: Path, call: str, fragment: str) -> None:
    """A call that does not fit its module is an error at the call."""
    with pytest.raises(TerraformError) as caught:
        plan_of(
            tmp_path,
            {"main.tf": f'module "queue" {{\n{call}\n}}', "queue/main.tf": 'variable "name" {}\n'},
        )

    assert fragment in str(caught.value)
    assert "main.tf:" in caught.value.place


@pytest.mark.parametrize(
    ("call", "said"),
    [
        ('source = "./queue"', 'main.tf:1: module "queue" is called without name'),
        ('source = "./queue"\nname = "a"\nsize = 1', 'main.tf:4: module "queue" has no input variable "size"'),
        ("source = var.x", 'main.tf:2: the root module has no input variable "x"'),
    ],
)
def test_a_module_call_that_does_not_fit(tmp_path: Path, call: str, said: str) -> None:
    """It is refused where it stands, and the rest of the module is evaluated all the same."""
    files = {"main.tf": f'module "queue" {{\n{call}\n}}', "queue/main.tf": 'variable "name" {}\n'}
    refused = [str(each) for each in plan_of(tmp_path, files).diagnostics if each.severity == "error"]

    assert [said] == [each.partition("\n")[0].removeprefix(f"{tmp_path}/") for each in refused]


def test_module_that_contains_itself_is_an_error(tmp_path: Path) -> None:
    """A module that calls itself, directly or not, ends with an error instead of never."""
    files = {
        "main.tf": 'module "a" { source = "./a" }',
        "a/main.tf": 'module "b" { source = "../b" }',
        "b/main.tf": 'module "a" { source = "../a" }',
    }
    with pytest.raises(CycleError, match=r"module\.a\.module\.b\.module\.a") as caught:
        plan_of(tmp_path, files, library=Library(lambda path: os.path.relpath(path, tmp_path)))
    assert caught.value.found == "a"


def test_registry_module_is_opaque(tmp_path: Path) -> None:
    """A module whose source is not here has unknown outputs and is reported."""
    plan = plan_of(
        tmp_path,
        """
        module "vpc" { source = "terraform-aws-modules/vpc/aws" }
        output "value" { value = module.vpc.vpc_id }
        """,
    )

    assert Unknown("module.vpc.vpc_id") == plan.outputs["value"]
    (diagnostic,) = plan.diagnostics
    assert "terraform-aws-modules/vpc/aws" in diagnostic.message


def test_installed_module_is_evaluated(tmp_path: Path) -> None:
    """A module that terraform init has downloaded is found by modules.json, with the modules it calls."""
    entries = [
        {"Key": "", "Source": "", "Dir": "."},
        {"Key": "vpc", "Source": "registry/vpc", "Dir": ".terraform/modules/vpc"},
        {"Key": "vpc.inner", "Source": "registry/inner", "Dir": ".terraform/modules/vpc.inner"},
    ]
    plan = plan_of(
        tmp_path,
        {
            "main.tf": 'module "vpc" { source = "registry/vpc" }',
            ".terraform/modules/modules.json": json.dumps({"Modules": entries}),
            ".terraform/modules/vpc/main.tf": 'module "inner" { source = "registry/inner" }',
            ".terraform/modules/vpc.inner/main.tf": 'resource "aws_sqs_queue" "q" {}',
        },
    )

    assert addresses(plan) == ["module.vpc.module.inner.aws_sqs_queue.q"]
    assert ["module.vpc", "module.vpc.module.inner"] == list(plan.fetched)
    assert {(tmp_path / "main.tf").as_posix()} == {place.file for place in plan.fetched.values()}


def test_default_tags_by_alias(tmp_path: Path) -> None:
    """tags_all joins the tags with the default tags of the provider configuration that the resource uses."""
    plan = plan_of(
        tmp_path,
        {
            "main.tf": """
                provider "aws" {
                  region = "ap-northeast-1"
                  default_tags { tags = { Owner = "platform", Team = "a" } }
                }
                provider "aws" {
                  alias  = "dr"
                  region = "us-east-1"
                }
                resource "aws_sqs_queue" "here" { tags = { Team = "b" } }
                resource "aws_sqs_queue" "there" {
                  provider = aws.dr
                  tags     = { Team = "c" }
                }
                module "m" {
                  source    = "./m"
                  providers = { aws = aws.dr }
                }
                """,
            "m/main.tf": """
                resource "aws_sqs_queue" "q" {}
                data "aws_region" "current" {}
                output "region" { value = data.aws_region.current.region }
                """,
        },
    )

    tags = {resource.address: resource.values.get("tags_all") for resource in plan.managed()}
    assert tags == {
        "aws_sqs_queue.here": {"Owner": "platform", "Team": "b"},
        "aws_sqs_queue.there": {"Team": "c"},
        "module.m.aws_sqs_queue.q": None,
    }
    assert plan.regions == {"aws": "ap-northeast-1", "aws.dr": "us-east-1"}
    assert plan.by_address["module.m.aws_sqs_queue.q"].provider == "aws.dr"


@pytest.mark.parametrize(("region", "expected"), [("eu-west-1", "eu-west-1"), (None, Unknown("aws_region.region"))])
def test_empty_region_is_none(tmp_path: Path, region: str | None, expected: Value) -> None:
    """A provider whose region is an empty text takes that of the environment, as if none were written."""
    source = 'variable "region" { default = "" }\nprovider "aws" { region = var.region }'

    assert expected == plan_of(tmp_path, source, known=KnownData.of({}, region=region)).region


def test_known_data(tmp_path: Path) -> None:
    """Data sources answer what is known of them, most specific first; the rest is unknown."""
    known = KnownData.of(
        {
            "aws_caller_identity.account_id": "111122223333",
            "data.aws_availability_zones.names": ["a", "c"],
            "aws_vpc.main.id": "vpc-1",
            "aws_vpc.id": "vpc-any",
        },
        region="eu-west-1",
    )
    plan = plan_of(
        tmp_path,
        """
        data "aws_caller_identity" "current" {}
        data "aws_region" "current" {}
        data "aws_partition" "current" {}
        data "aws_availability_zones" "zones" {}
        data "aws_vpc" "main" {}
        data "aws_vpc" "other" {}
        output "value" {
          value = [
            data.aws_caller_identity.current.account_id, data.aws_region.current.name,
            data.aws_partition.current.partition, data.aws_availability_zones.zones.names,
            data.aws_vpc.main.id, data.aws_vpc.other.id, data.aws_vpc.main.cidr_block,
          ]
        }
        """,
        known=known,
    )

    *values, cidr = plan.outputs["value"]
    assert values == ["111122223333", "eu-west-1", "aws", ["a", "c"], "vpc-1", "vpc-any"]
    assert Unknown("data.aws_vpc.main.cidr_block") == cidr
    assert (plan.account, plan.region) == ("111122223333", "eu-west-1")


def test_policy_document_is_rendered(tmp_path: Path) -> None:
    """A policy document is the JSON that the provider makes of it."""
    plan = plan_of(
        tmp_path,
        DOCUMENT
        % """
        source_policy_documents = [
          jsonencode({ Statement = [{ Sid = "Base", Effect = "Deny", Action = "*", Resource = "*" }] }),
        ]
        statement {
          sid       = "Read"
          actions   = ["a:B", "a:C"]
          resources = ["*"]
          principals {
            type        = "Service"
            identifiers = ["ecs-tasks.amazonaws.com"]
          }
          condition {
            test     = "StringEquals"
            variable = "aws:PrincipalTag/a"
            values   = ["&{aws:username}"]
          }
        }
        dynamic "statement" {
          for_each = ["x", "y"]
          content {
            actions   = ["s:${statement.value}"]
            resources = ["*"]
          }
        }
        """
        + 'output "value" { value = data.aws_iam_policy_document.d.json }',
    )

    tree = json.loads(plan.outputs["value"])
    assert tree["Version"] == "2012-10-17"
    assert tree["Statement"][1] == {
        "Sid": "Read",
        "Effect": "Allow",
        "Action": ["a:C", "a:B"],
        "Resource": "*",
        "Principal": {"Service": "ecs-tasks.amazonaws.com"},
        "Condition": {"StringEquals": {"aws:PrincipalTag/a": "${aws:username}"}},
    }
    assert [statement.get("Sid") for statement in tree["Statement"]] == ["Base", "Read", None, None]


def test_policy_document_keeps_unknown_parts(tmp_path: Path) -> None:
    """An ARN that is not known yet stands in its place of the rendered document."""
    plan = plan_of(
        tmp_path,
        DOCUMENT
        % """
        statement {
          actions   = ["secretsmanager:GetSecretValue"]
          resources = [aws_secretsmanager_secret.db.arn]
        }
        """
        + 'resource "aws_secretsmanager_secret" "db" {}\n'
        + 'output "value" { value = data.aws_iam_policy_document.d.json }',
    )

    value = plan.outputs["value"]
    assert isinstance(value, JsonText)
    assert Unknown("aws_secretsmanager_secret.db.arn") == value.tree["Statement"][0]["Resource"]


def test_override_documents_replace_by_sid(tmp_path: Path) -> None:
    """A statement of an override document takes the place of the one with the same sid."""
    plan = plan_of(
        tmp_path,
        """
        data "aws_iam_policy_document" "over" {
          statement {
            sid       = "A"
            actions   = ["new:*"]
            resources = ["*"]
          }
        }
        data "aws_iam_policy_document" "d" {
          override_policy_documents = [data.aws_iam_policy_document.over.json]
          statement {
            sid       = "A"
            actions   = ["old:*"]
            resources = ["*"]
          }
        }
        output "value" { value = data.aws_iam_policy_document.d.json }
        """,
    )

    assert [statement["Action"] for statement in json.loads(plan.outputs["value"])["Statement"]] == ["new:*"]


def test_override_files(tmp_path: Path) -> None:
    """Override files replace arguments, and nested blocks by type; other blocks stay."""
    plan = plan_of(
        tmp_path,
        {
            "main.tf": """
                resource "aws_security_group" "sg" {
                  name        = "base"
                  description = "kept"
                  ingress { from_port = 1 }
                  egress { from_port = 2 }
                }
                locals { a = "base" }
                output "value" { value = local.a }
                """,
            "main_override.tf": """
                resource "aws_security_group" "sg" {
                  name = "override"
                  ingress { from_port = 9 }
                }
                locals { a = "override" }
                """,
        },
    )

    (group,) = plan.managed()
    assert (group.values["name"], group.values["description"]) == ("override", "kept")
    assert tuple([b["from_port"] for b in group.values[t]] for t in ("ingress", "egress")) == ([9], [2])
    assert plan.outputs["value"] == "override"
    assert group.location_of("name") == Location(str(tmp_path / "main_override.tf"), 3)


def test_json_configuration(tmp_path: Path) -> None:
    """A .tf.json file is configuration like any other."""
    resource = {"aws_sqs_queue": {"q": {"name": "${var.name}-q", "tags": {"a": "b"}}}}
    plan = plan_of(
        tmp_path,
        {"main.tf.json": json.dumps({"variable": {"name": {"default": "x"}}, "resource": resource})},
    )

    (queue,) = plan.managed()
    assert (queue.values["name"], queue.values["tags"]) == ("x-q", {"a": "b"})


def test_refactoring_blocks_are_read(tmp_path: Path) -> None:
    """moved, import and removed blocks are listed; check blocks are accepted."""
    plan = plan_of(
        tmp_path,
        """
        moved {
          from = aws_sqs_queue.old
          to   = aws_sqs_queue.new
        }
        import {
          to = aws_sqs_queue.new
          id = "https://example.com/queue"
        }
        removed {
          from = aws_sqs_queue.gone
          lifecycle { destroy = false }
        }
        check "health" {
          assert {
            condition     = true
            error_message = "no"
          }
        }
        resource "aws_sqs_queue" "new" {}
        """,
    )

    assert [(found.kind, found.source, found.target) for found in plan.refactorings] == [
        ("moved", "aws_sqs_queue.old", "aws_sqs_queue.new"),
        ("import", "https://example.com/queue", "aws_sqs_queue.new"),
        ("removed", "aws_sqs_queue.gone", ""),
    ]


def test_import_blocks_with_for_each(tmp_path: Path) -> None:
    """An import block is read once for each element of a map, a set or a list; an unknown one is kept as written."""
    plan = plan_of(
        tmp_path,
        """
        variable "more" { type = map(string) }
        import {
          for_each = { a = "id-a" }
          to       = aws_sqs_queue.by_key[each.key]
          id       = each.value
        }
        import {
          for_each = toset(["b"])
          to       = aws_sqs_queue.by_key[each.value]
          id       = "id-${each.key}"
        }
        import {
          for_each = [{ key = "c", id = "id-c" }]
          to       = aws_sqs_queue.by_key[each.value.key]
          id       = each.value.id
        }
        import {
          for_each = var.more
          to       = aws_sqs_queue.by_key[each.key]
          id       = each.value
        }
        resource "aws_sqs_queue" "by_key" { for_each = toset(["a", "b", "c"]) }
        """,
    )

    assert [(found.source, found.target) for found in plan.refactorings] == [
        ("id-a", 'aws_sqs_queue.by_key["a"]'),
        ("id-b", 'aws_sqs_queue.by_key["b"]'),
        ("id-c", 'aws_sqs_queue.by_key["c"]'),
        ("${each.value}", "aws_sqs_queue.by_key[each.key]"),
    ]


def test_sensitive_attribute_is_masked_by_its_type(tmp_path: Path) -> None:
    """The password of a database does not show, although nothing marks it."""
    plan = plan_of(tmp_path, 'resource "aws_db_instance" "db" { password = "hunter2" }')

    value = plan.managed()[0].values["password"]
    assert isinstance(value, Sensitive)
    assert "hunter2" not in repr(dict(plan.managed()[0].values))


@pytest.mark.parametrize(
    ("source", "chain"),
    [
        ('locals {\n a = local.b\n b = local.a\n}\noutput "value" { value = local.a }', "local.a → local.b → local.a"),
        ('resource "aws_sqs_queue" "q" { name = aws_sqs_queue.q.name }', "aws_sqs_queue.q.name → aws_sqs_queue.q.name"),
    ],
)
def test_cycle_is_an_error_with_its_chain(tmp_path: Path, source: str, chain: str) -> None:
    """Values that depend on themselves are an error that names the chain, even inside try."""
    plan = plan_of(tmp_path, source)

    with pytest.raises(CycleError) as caught:
        [*map(dict, [plan.outputs, *(resource.values for resource in plan.resources)])]

    assert chain in str(caught.value)


def test_deep_reference_chain_is_not_known(tmp_path: Path) -> None:
    """A chain of locals deeper than the stack ends with an unknown, and its place."""
    chain = "\n".join(f"a{number} = local.a{number + 1}" for number in range(20000))
    source = f'locals {{\n{chain}\na20000 = 1\n}}\nresource "aws_sqs_queue" "q" {{\n count = local.a0\n}}'

    plan = plan_of(tmp_path, source)

    assert ["aws_sqs_queue.q[?]"] == [each.address for each in plan.resources]
    assert "the configuration refers too deeply: what uses it is unknown" == plan.diagnostics[0].message


def test_files_inside_the_repository_are_read(tmp_path: Path) -> None:
    """file, templatefile and fileset read what lies in the repository, also beside the root module."""
    write(
        tmp_path,
        {
            "infraspec.toml": "",
            "policies/p.json.tftpl": '{"who": "${name}"}',
            "policies/a.txt": "text",
            "root/main.tf": """
                output "value" {
                  value = [
                    jsondecode(templatefile("${path.module}/../policies/p.json.tftpl", { name = "me" })).who,
                    file("../policies/a.txt"),
                    fileset("../policies", "*.txt"),
                  ]
                }
                """,
        },
    )

    assert evaluate(tmp_path / "root").outputs["value"] == ["me", "text", ["a.txt"]]


@pytest.mark.parametrize("path", ["/etc/passwd", "../outside.txt", "~/.aws/credentials"])
def test_file_outside_is_an_error(tmp_path: Path, path: str) -> None:
    """A path that leads out of the repository is refused, even inside try."""
    write(tmp_path, {"outside.txt": "secret"})
    with pytest.raises(FileAccessError, match="outside"):
        plan_of(tmp_path / "root", f'output "value" {{ value = try(file("{path}"), "") }}').outputs["value"]


def test_all_syntax_errors_are_reported(tmp_path: Path) -> None:
    """Every broken file of the configuration is named, not the first alone."""
    with pytest.raises(InputErrorGroup) as caught:
        plan_of(tmp_path, {"a.tf": 'resource "x" {', "b.tf": "locals { a = }", "c.tf": "locals {}"})

    assert {"a.tf", "b.tf"} == {Path(error.place.split(":")[0]).name for error in caught.value.errors}


@pytest.mark.parametrize(
    ("source", "fragment"),
    [
        ('resource "aws_sqs_queue" "q" {}\nresource "aws_sqs_queue" "q" {}', "declared twice"),
        ("locals { a = 1 }\nlocals { a = 2 }", "declared twice"),
        ('resorce "aws_sqs_queue" "q" {}', 'no block type "resorce"'),
        ('resource "aws_sqs_queue" {}', "2 labels"),
        ("a = 1", "outside of any block"),
    ],
)
def test_wrong_declaration_is_an_error(tmp_path: Path, source: str, fragment: str) -> None:
    """A declaration that Terraform refuses is an error with place and caret."""
    with pytest.raises(TerraformError) as caught:
        plan_of(tmp_path, source)

    assert fragment in str(caught.value)
    assert "^" in caught.value.excerpt


def test_root_without_configuration_is_an_error(tmp_path: Path) -> None:
    """A directory that is missing or holds no configuration is an error with a remedy."""
    for directory in (tmp_path, tmp_path / "nowhere"):
        with pytest.raises(InfraspecError) as caught:
            evaluate(directory)
        assert caught.value.remedy


def test_locations_lead_into_the_source(tmp_path: Path) -> None:
    """A path into an attribute is traced through jsonencode, locals, variables and policy documents."""
    plan = plan_of(
        tmp_path,
        {
            "main.tf": """
                locals {
                  containers = [
                    {
                      name = "app"
                      secrets = [
                        { name = "A", valueFrom = "x" },
                        { name = "B", valueFrom = "y" },
                      ]
                    },
                  ]
                }
                module "m" {
                  source     = "./m"
                  containers = local.containers
                }
                data "aws_iam_policy_document" "d" {
                  statement { actions = ["a:B"] }
                  statement { actions = ["a:C"] }
                }
                resource "aws_iam_role_policy" "p" { policy = data.aws_iam_policy_document.d.json }
                """,
            "m/main.tf": """
                variable "containers" {}
                resource "aws_ecs_task_definition" "t" { container_definitions = jsonencode(var.containers) }
                """,
        },
    )
    main = str(tmp_path / "main.tf")
    task = plan.by_address["module.m.aws_ecs_task_definition.t"]
    policy = plan.by_address["aws_iam_role_policy.p"]

    assert Location(main, 8) == task.location_of("container_definitions.0.secrets.1.valueFrom")
    assert Location(main, 19) == policy.location_of("policy.Statement.1")
    assert Location(main, 21) == policy.location_of("policy")


def test_plan_is_shown_in_one_line(tmp_path: Path) -> None:
    """A Plan in a failing test's message says what it is of; writing out its resources would take seconds."""
    assert repr(plan_of(tmp_path, 'resource "aws_sns_topic" "a" {}')).endswith(": 1 resources>")


def test_a_resource_may_be_named_with_its_kind(tmp_path: Path) -> None:
    """`resource.TYPE.NAME` is `TYPE.NAME`."""
    source = (
        'resource "aws_sqs_queue" "jobs" { name = "jobs" }\noutput "value" { value = resource.aws_sqs_queue.jobs.name }'
    )
    assert plan_of(tmp_path, source).outputs["value"] == "jobs"


def test_a_set_with_null_is_no_for_each(tmp_path: Path) -> None:
    """A variable without a value among the elements is said, with the ways out."""
    source = (
        'variable "owner" {\n  type    = string\n  default = null\n}\n'
        'resource "aws_ses_email_identity" "all" {\n  for_each = toset(["a@example.com", var.owner])\n}\n'
    )
    with pytest.raises(InfraspecError, match="a set of strings without null") as caught:
        plan_of(tmp_path, source)
    assert "compact" in caught.value.remedy


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ('convert("1", number)', 1),
        ('convert([1, "a"], list(string))', ["1", "a"]),
        ('convert({}, object({ a = optional(string, "x") }))', {"a": "x"}),
        ("convert(null, string)", None),
        ('can(convert("x", number))', False),
        (
            'provider::terraform::decode_tfvars("a = 1\\nb = [\\"x\\", { c = null }]\\n")',
            {"a": 1, "b": ["x", {"c": None}]},
        ),
        ('provider::terraform::decode_tfvars("")', {}),
        ('can(provider::terraform::decode_tfvars("b {}"))', False),
        ('can(provider::terraform::decode_tfvars("a = var.b"))', False),
        ('provider::aws::arn_parse("arn:aws:iam::111122223333:role/a").account_id', "111122223333"),
    ],
)
def test_conversion_and_functions_of_providers(tmp_path: Path, expression: str, expected: Value) -> None:
    """What `convert` and functions of providers give is what Terraform 1.15.5 plans."""
    assert expected == output_of(tmp_path, f'output "value" {{\n  value = {expression}\n}}\n')


def test_conversion_of_what_is_not_known(tmp_path: Path) -> None:
    """An unknown stays one; whether it can be converted is not known."""
    source = 'variable "x" {}\noutput "value" {\n  value = [convert(var.x, number), can(convert(var.x, number))]\n}\n'

    assert all(isinstance(value, Unknown) for value in output_of(tmp_path, source))
