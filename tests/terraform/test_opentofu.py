"""Source: OpenTofu documentation, "Files and Directories", "The enabled Meta-Argument", "Provider Configuration"."""

from collections.abc import Mapping
from pathlib import Path

import pytest

from infraspec.core.errors import InfraspecError
from infraspec.core.unknown import Unknown, Value
from infraspec.terraform.configuration.evaluation import Library
from infraspec.terraform.configuration.settings import read_settings
from infraspec.terraform.plan import Plan
from tests.terraform.sources import output_of, plan_of, write

BUCKET = 'resource "aws_s3_bucket" "a" {\n  bucket = "NAME"\n}\n'
OPENTOFU_LOCK = 'provider "registry.opentofu.org/hashicorp/aws" {\n  version = "6.0.0"\n}\n'
TERRAFORM_LOCK = 'provider "registry.terraform.io/hashicorp/aws" {\n  version = "6.0.0"\n}\n'


def bucket(name: str) -> str:
    """Return a bucket of a name."""
    return BUCKET.replace("NAME", name)


def bucket_of(plan: Plan) -> Value:
    """Return the name of the one bucket of a plan."""
    return plan.by_address["aws_s3_bucket.a"].values["bucket"]


@pytest.mark.parametrize(
    ("files", "expected"),
    [
        ({"main.tf": bucket("tf"), "main.tofu": bucket("tofu")}, "tofu"),
        ({"main.tofu": bucket("tofu")}, "tofu"),
        ({"main.tf.json": '{"resource": {"aws_s3_bucket": {"a": {"bucket": "tf"}}}}',
          "main.tofu.json": '{"resource": {"aws_s3_bucket": {"a": {"bucket": "tofu"}}}}'}, "tofu"),
        ({"main.tf": bucket("tf"), "a_override.tofu": bucket("tofu")}, "tofu"),
        ({"main.tf": bucket("tf"), "a_override.tf": bucket("old"), "a_override.tofu": bucket("tofu")}, "tofu"),
        ({"main.tf": bucket("tf"), "main.tofu": bucket("tofu"), ".opentofu-version": "1.10.0"}, "tofu"),
        ({"main.tf": bucket("tf"), "main.tofu": bucket("tofu"), ".terraform.lock.hcl": OPENTOFU_LOCK}, "tofu"),
        ({"main.tofu": bucket("tofu"), ".terraform-version": "1.13.0"}, "tofu"),
        ({"main.tf": bucket("tf"), "main.tofutest.hcl": "run x {", "main.tftest.hcl": "run x {"}, "tf"),
    ],
)  # fmt: skip
def test_files_of_opentofu(tmp_path: Path, files: Mapping[str, str], expected: str) -> None:
    """A .tofu file takes the place of the .tf file of its name; others are read beside it, test files are not."""
    assert expected == bucket_of(plan_of(tmp_path, files))


@pytest.mark.parametrize(
    "files",
    [
        {".terraform-version": "1.13.0"},
        {".terraform.lock.hcl": TERRAFORM_LOCK},
        {".tool-versions": "python 3.11\nterraform 1.13.0\n"},
    ],
)
def test_what_the_tools_would_make_differently_is_not_known(tmp_path: Path, files: Mapping[str, str]) -> None:
    """Where a root is for Terraform by one sign and for OpenTofu by another, only what both say alike is known."""
    same = 'resource "aws_sns_topic" "same" {\n  name = "same"\n}\n'
    rest = 'output "value" {\n  value = local.a\n}\n' + same
    plan = plan_of(
        tmp_path,
        {
            "main.tf": bucket("tf")
            + rest
            + 'locals {\n  a = 1\n}\nresource "aws_sqs_queue" "old" {}\nvariable "v" {}\n',
            "main.tofu": bucket("tofu") + rest + 'locals {\n  a = 2\n}\nresource "aws_sqs_queue" "new" {}\n',
            **files,
        },
    )

    assert Unknown('the tool is OpenTofu ? "tofu" : "tf"') == bucket_of(plan)
    assert plan.by_address["aws_sns_topic.same"].values["name"] == "same"
    assert {"aws_sqs_queue.new[?]", "aws_sqs_queue.old[?]"} == plan.uncertain.keys()
    assert Unknown("the tool is OpenTofu ? 2 : 1") == plan.outputs["value"]


def test_a_module_with_files_for_both(tmp_path: Path) -> None:
    """A called module is read as the tool of the root module reads it, and either way where that is not known."""
    files = {
        "main.tf": 'module "m" {\n  source = "./m"\n}\noutput "value" {\n  value = module.m.name\n}\n',
        "m/main.tf": 'output "name" {\n  value = "tf"\n}\n',
        "m/main.tofu": 'output "name" {\n  value = "tofu"\n}\n',
    }
    pinned = {"terraform": "tf", "opentofu": "tofu"}
    found = {
        tool: plan_of(tmp_path / tool, {**files, f".{tool}-version": "1.10.0"}).outputs["value"] for tool in pinned
    }

    assert pinned == found
    assert Unknown('the tool is OpenTofu ? "tofu" : "tf"') == plan_of(tmp_path / "either", files).outputs["value"]


def test_blocks_that_the_tools_would_make_differently(tmp_path: Path) -> None:
    """Of nested blocks and types that differ nothing is known, nor whether what one of them enables is there."""
    text = (
        'variable "v" {{\n  type = {0}\n  default = 1\n}}\nresource "aws_lambda_function" "f" {{\n'
        "  environment {{\n    variables = {{ A = var.v }}\n  }}\n}}\n"
        'resource "aws_sqs_queue" "q" {{\n  lifecycle {{\n    {1}\n  }}\n}}\n'
        'resource "aws_sns_topic" "t" {{\n  provider = aws.{2}\n  {3}\n}}\n'
        'provider "aws" {{\n  alias = "a"\n}}\nprovider "aws" {{\n  alias = "b"\n}}\n'
        'resource "aws_sqs_queue" "{2}" {{\n  lifecycle {{\n    enabled = true\n  }}\n}}\n'
    )
    files = {
        "main.tf": text.format("number", "prevent_destroy = true", "a", "count = 2"),
        "main.tofu": text.format("string", "enabled = false", "b", 'for_each = toset(["x"])').replace("A =", "B ="),
        ".terraform-version": "1.13.0",
    }
    plan = plan_of(tmp_path, files)

    assert isinstance(plan.by_address["aws_lambda_function.f"].values["environment"], Unknown)
    doubtful = {"aws_sqs_queue.q[?]", 'aws_sns_topic.t["?"]', "aws_sqs_queue.a[?]", "aws_sqs_queue.b[?]"}
    assert doubtful == plan.uncertain.keys()


def test_backends_that_differ(tmp_path: Path) -> None:
    """What one tool alone would take as its backend is not known; that of an override file is the one that counts."""
    text = 'terraform {\n  backend "s3" {\n    bucket = "NAME"\n  }\n}\n'
    files = {"a.tf": text, "a.tofu": text.replace("NAME", "tofu"), ".terraform-version": "1.13.0"}
    settled = {"a.tf": text, "a_override.tf": text.replace("NAME", "later")}
    found = [
        read_settings(write(tmp_path / str(at), each), Library()).backend.arguments["bucket"]
        for at, each in enumerate((files, settled))
    ]

    assert isinstance(found[0], Unknown)
    assert found[1] == "later"


@pytest.mark.parametrize(
    ("enabled", "expected"),
    [
        ("true", ["aws_sqs_queue.q"]),
        ("false", []),
        ('"false"', []),
        ("var.on", []),
        ("!var.on", ["aws_sqs_queue.q"]),
        ("data.aws_ssm_parameter.p.value == 1", ["aws_sqs_queue.q[?]"]),
    ],
)
def test_enabled(tmp_path: Path, enabled: str, expected: list[str]) -> None:
    """What is not enabled is not there, and what is perhaps enabled is perhaps there."""
    source = f"""
        variable "on" {{
          default = false
        }}
        data "aws_ssm_parameter" "p" {{
          name = "p"
        }}
        resource "aws_sqs_queue" "q" {{
          name = "q"
          lifecycle {{
            enabled = {enabled}
          }}
        }}
        module "m" {{
          source = "./m"
          lifecycle {{
            enabled = {enabled}
          }}
        }}
    """
    plan = plan_of(tmp_path, {"main.tf": source, "m/main.tf": 'resource "aws_sqs_queue" "q" {}\n'})
    found = [resource.address for resource in plan.resources if resource.mode == "managed"]

    assert [
        *expected,
        *(f"module.m{each.removeprefix('aws_sqs_queue.q')}.aws_sqs_queue.q" for each in expected),
    ] == found
    assert sum("?" in each for each in found) == len(plan.uncertain)


def test_an_object_that_is_not_enabled_is_null(tmp_path: Path) -> None:
    """A reference to what is not enabled gives null."""
    source = """
        resource "aws_sqs_queue" "q" {
          name = "q"
          lifecycle {
            enabled = false
          }
        }
        output "value" {
          value = aws_sqs_queue.q == null ? "none" : aws_sqs_queue.q.name
        }
    """
    assert output_of(tmp_path, source) == "none"


def test_what_is_perhaps_enabled_has_attributes(tmp_path: Path) -> None:
    """An attribute of an object that may not be there is that of the object, and whether it is there is not known."""
    source = """
        variable "on" {}
        resource "aws_sqs_queue" "q" {
          name = "q"
          lifecycle {
            enabled = var.on
          }
        }
        output "value" {
          value = [aws_sqs_queue.q.name, aws_sqs_queue.q != null]
        }
    """
    name, there = output_of(tmp_path, source)

    assert name == "q"
    assert isinstance(there, Unknown)


@pytest.mark.parametrize("argument", ["count = 1", "for_each = {}"])
def test_enabled_is_alone(tmp_path: Path, argument: str) -> None:
    """Enabled is refused beside count and for_each, and where it is null."""
    block = 'resource "aws_sqs_queue" "q" {\nARGUMENT\nlifecycle {\nenabled = VALUE\n}\n}\n'

    with pytest.raises(InfraspecError, match="enabled"):
        plan_of(tmp_path / "a", block.replace("ARGUMENT", argument).replace("VALUE", "true"))
    with pytest.raises(InfraspecError, match=r"enabled of aws_sqs_queue\.q"):
        plan_of(tmp_path / "b", block.replace("ARGUMENT", "").replace("VALUE", "null"))


SOURCE = """
    variable "dir" {
      DEFAULT
    }
    locals {
      base = "./modules"
    }
    module "m" {
      source = "${local.base}/${var.dir}"
    }
    output "value" {
      value = module.m.name
    }
"""


def test_module_source_of_variables_and_locals(tmp_path: Path) -> None:
    """The source of a module is evaluated; one that is not known gives a module of which nothing is known."""
    files = {"modules/a/main.tf": 'output "name" {\n  value = "a"\n}\n'}
    known = plan_of(tmp_path / "known", {"main.tf": SOURCE.replace("DEFAULT", 'default = "a"\nconst = true'), **files})
    unknown = plan_of(tmp_path / "unknown", {"main.tf": SOURCE.replace("DEFAULT", ""), **files})

    assert known.outputs["value"] == "a"
    assert Unknown("module.m.name") == unknown.outputs["value"]
    assert not unknown.is_whole
    assert "var.dir" in str(unknown.diagnostics[0])


PROVIDERS = """
    variable "regions" {
      default = ["eu-west-1", "us-east-1"]
    }
    provider "aws" {
      region = "eu-central-1"
    }
    provider "aws" {
      alias    = "by_region"
      for_each = toset(var.regions)
      region   = each.value
      default_tags {
        tags = { Region = each.key }
      }
    }
    resource "aws_sns_topic" "t" {
      for_each = toset(var.regions)
      provider = aws.by_region[each.key]
    }
    module "m" {
      for_each  = toset(var.regions)
      source    = "./m"
      providers = { aws = aws.by_region[each.key] }
    }
"""
MODULE = 'data "aws_region" "r" {}\nresource "aws_sqs_queue" "q" {\n  name = data.aws_region.r.region\n}\n'


def test_provider_with_for_each(tmp_path: Path) -> None:
    """Each instance uses the provider configuration that its key names, and works in its region."""
    plan = plan_of(tmp_path, {"main.tf": PROVIDERS, "m/main.tf": MODULE})

    for region in ("eu-west-1", "us-east-1"):
        topic = plan.by_address[f'aws_sns_topic.t["{region}"]']
        assert plan.regions[topic.provider] == region
        assert topic.values["tags_all"] == {"Region": region}
        assert plan.by_address[f'module.m["{region}"].aws_sqs_queue.q'].values["name"] == region


def test_provider_with_an_unknown_for_each(tmp_path: Path) -> None:
    """The region of a provider configuration that is not known is not known either."""
    source = PROVIDERS.replace('default = ["eu-west-1", "us-east-1"]', "")
    plan = plan_of(tmp_path, {"main.tf": source, "m/main.tf": MODULE})
    topic = plan.by_address['aws_sns_topic.t["?"]']

    assert isinstance(plan.regions[topic.provider], Unknown)
    assert isinstance(plan.by_address['module.m["?"].aws_sqs_queue.q'].values["name"], Unknown)


def test_a_provider_that_is_known_in_part(tmp_path: Path) -> None:
    """Of a for_each with something unknown in it the known keys have their regions."""
    source = """
        variable "more" {}
        provider "aws" {
          alias    = "by"
          for_each = { "0" = "eu-west-1", (var.more) = "us-east-1" }
          region   = each.value
        }
        provider "aws" {
          alias    = "in"
          for_each = toset(["eu-west-1", var.more])
          region   = each.key
        }
        resource "aws_sqs_queue" "a" {
          count    = 1
          provider = aws.by[count.index]
        }
        resource "aws_sqs_queue" "b" {
          provider = aws.in["eu-west-1"]
        }
        resource "aws_sqs_queue" "c" {
          provider = aws.in["us-east-1"]
        }
    """
    plan = plan_of(tmp_path, source)
    found = {name: plan.regions[plan.by_address[f"aws_sqs_queue.{name}"].provider] for name in ("a[0]", "b", "c")}

    assert isinstance(found.pop("a[0]"), Unknown)
    assert found == {"b": "eu-west-1", "c": "us-east-1"}


def test_a_key_that_no_provider_configuration_has(tmp_path: Path) -> None:
    """A provider configuration that for_each does not make is refused by its name."""
    source = PROVIDERS.replace("aws.by_region[each.key]\n    }\n    module", 'aws.by_region["x"]\n    }\n    module')

    plan = plan_of(tmp_path, {"main.tf": source, "m/main.tf": MODULE})

    assert ['there is no provider configuration aws.by_region["x"] here'] == [each.message for each in plan.diagnostics]


def test_names_and_blocks_of_opentofu(tmp_path: Path) -> None:
    """`tofu.workspace` is `terraform.workspace`; encryption and language blocks are accepted."""
    source = """
        language {
          compatible_with {
            opentofu = ">= 1.12"
          }
        }
        variable "phrase" {}
        terraform {
          backend "s3" {
            bucket = var.phrase
          }
          encryption {
            key_provider "pbkdf2" "k" {
              passphrase = var.phrase
            }
            method "aes_gcm" "m" {
              keys = key_provider.pbkdf2.k
            }
            state {
              method   = method.aes_gcm.m
              enforced = true
            }
          }
        }
        output "value" {
          value = [tofu.workspace, terraform.workspace, terraform.applying ? 1 : 0, tofu.applying ? 1 : 0]
        }
    """
    *names, one, other = output_of(tmp_path, source, workspace="prod")

    assert names == ["prod", "prod"]
    assert isinstance(one, Unknown)
    assert isinstance(other, Unknown)
