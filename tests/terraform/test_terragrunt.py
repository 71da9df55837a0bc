"""Units of Terragrunt are the root modules that Terragrunt makes of them.

Source: Terragrunt documentation, "Blocks", "Attributes" and "Functions".
"""

import re
from pathlib import Path
from typing import Any

import pytest

from infraspec.adoption.roots import find_roots
from infraspec.core.errors import InfraspecError
from infraspec.core.unknown import OtherStack, Unknown, UnreadData, Value
from infraspec.terraform.configuration.evaluation import Library
from infraspec.terraform.configuration.settings import read_settings
from infraspec.terraform.environments import force
from infraspec.terraform.plan import Plan
from infraspec.terraform.provider.known_data import KnownData
from infraspec.terraform.source import evaluate
from infraspec.terraform.terragrunt import read_root
from tests.terraform.sources import write

MODULE = """
    variable "name" { type = string }
    variable "sizes" {
      type    = map(number)
      default = {}
    }
    variable "untyped" { default = null }
    resource "aws_sqs_queue" "jobs" {
      name = var.name
      tags = { sizes = jsonencode(var.sizes), untyped = var.untyped }
    }
    output "name" { value = var.name }
    output "sizes" { value = var.sizes }
    output "untyped" { value = var.untyped }
"""
SOURCE = 'terraform {\n  source = "${get_repo_root()}/modules//queue"\n}\n'
INCLUDE = 'include "root" {\n  path = find_in_parent_folders("root.hcl")\n}\n'
EXPOSED = INCLUDE.replace("}\n", "  expose = true\n}\n")
UNIT = "live/prod/eu-west-1/queue"


def unit_plan(directory: Path, files: dict[str, str], unit: str = UNIT, **options: Any) -> Plan:
    """Write a repository with the module, and evaluate a unit."""
    write(directory, {"infraspec.toml": "", "modules/queue/main.tf": MODULE, **files})
    return evaluate(directory / unit, boundary=directory, **options)


def named(text: str) -> str:
    """Return the inputs that name the queue by an expression."""
    return f"inputs = {{\n  name = {text}\n}}\n"


WAYS: dict[str, dict[str, str]] = {
    "a constant": {f"{UNIT}/terragrunt.hcl": SOURCE + named('"jobs-prod"')},
    "a relative source": {
        f"{UNIT}/terragrunt.hcl": 'terraform {\n  source = "../../../../modules/queue"\n}\n' + named('"jobs-prod"')
    },
    "a local value": {
        f"{UNIT}/terragrunt.hcl": SOURCE
        + 'locals {\n  name = "jobs-${local.stage}"\n  stage = "prod"\n}\n'
        + named("local.name")
    },
    "configuration beside the unit": {f"{UNIT}/main.tf": MODULE, f"{UNIT}/terragrunt.hcl": named('"jobs-prod"')},
    "an include": {
        "live/root.hcl": SOURCE + named('"jobs-prod"'),
        f"{UNIT}/terragrunt.hcl": INCLUDE,
    },
    "an include without a name": {
        "live/terragrunt.hcl": SOURCE + named('"jobs-prod"'),
        f"{UNIT}/terragrunt.hcl": "include {\n  path = find_in_parent_folders()\n}\n",
    },
    "the child over its include": {
        "live/root.hcl": SOURCE + named('"wrong"'),
        f"{UNIT}/terragrunt.hcl": INCLUDE + named('"jobs-prod"'),
    },
    "the later include over the earlier": {
        "live/root.hcl": SOURCE + named('"wrong"'),
        "live/prod/env.hcl": named('"jobs-prod"'),
        f"{UNIT}/terragrunt.hcl": INCLUDE + 'include "env" {\n  path = find_in_parent_folders("env.hcl")\n}\n',
    },
    "an include that is not merged": {
        "live/root.hcl": named('"wrong"'),
        f"{UNIT}/terragrunt.hcl": EXPOSED.replace("expose", 'merge_strategy = "no_merge"\n  expose')
        + SOURCE
        + named('"jobs-${include.root.inputs.name == "wrong" ? "prod" : "?"}"'),
    },
    "a local value of an include": {
        "live/root.hcl": 'locals {\n  stage = "prod"\n}\n' + SOURCE,
        f"{UNIT}/terragrunt.hcl": EXPOSED + named('"jobs-${include.root.locals.stage}"'),
    },
    "another configuration that is read": {
        "live/prod/env.hcl": 'locals {\n  stage = basename(get_terragrunt_dir())\n}\ninputs = {\n  what = "jobs"\n}\n',
        f"{UNIT}/terragrunt.hcl": SOURCE
        + 'locals {\n  env = read_terragrunt_config(find_in_parent_folders("env.hcl"))\n}\n'
        + named('"${local.env.inputs.what}-${local.env.locals.stage}"'),
    },
    "another configuration, read by an include": {
        "live/prod/env.hcl": 'locals {\n  stage = "prod"\n}\n',
        "live/root.hcl": 'locals {\n  env = read_terragrunt_config(find_in_parent_folders("env.hcl"))\n}\n'
        + SOURCE
        + named('"jobs-${local.env.locals.stage}"'),
        f"{UNIT}/terragrunt.hcl": INCLUDE,
    },
    "a default for what cannot be read": {
        f"{UNIT}/terragrunt.hcl": SOURCE
        + 'locals {\n  env = read_terragrunt_config("none.hcl", { inputs = { stage = "prod" } })\n}\n'
        + named('"jobs-${local.env.inputs.stage}"'),
    },
    "a file of values": {
        "live/prod/values.tfvars": 'stage = "prod"\n',
        "live/prod/values.yaml": "what: jobs\n",
        f"{UNIT}/terragrunt.hcl": SOURCE
        + 'locals {\n  vars = jsondecode(read_tfvars_file(find_in_parent_folders("values.tfvars")))\n'
        + '  yaml = yamldecode(file(find_in_parent_folders("values.yaml")))\n}\n'
        + named('"${local.yaml.what}-${local.vars.stage}"'),
    },
    "the path to the include": {
        "live/root.hcl": SOURCE + named('"jobs-${split("/", path_relative_to_include())[0]}"'),
        f"{UNIT}/terragrunt.hcl": INCLUDE,
    },
    "the path from the repository": {
        f"{UNIT}/terragrunt.hcl": SOURCE + named('"jobs-${split("/", get_path_from_repo_root())[1]}"')
    },
    "an environment variable": {
        f"{UNIT}/terragrunt.hcl": SOURCE + named('"jobs-${get_env("STAGE_OF_NOBODY", "prod")}"')
    },
    "a feature": {
        f"{UNIT}/terragrunt.hcl": SOURCE
        + 'feature "stage" {\n  default = "prod"\n}\n'
        + named('"jobs-${feature.stage.value}"')
    },
    "the values of a stack": {
        f"{UNIT}/terragrunt.values.hcl": 'stage = "prod"\n',
        f"{UNIT}/terragrunt.hcl": SOURCE + named('"jobs-${values.stage}"'),
    },
    "a variable file": {
        "live/prod/prod.tfvars": 'name = "jobs-prod"\n',
        f"{UNIT}/terragrunt.hcl": named('"wrong"')
        + SOURCE.replace(
            "\n}\n",
            '\n  extra_arguments "files" {\n    commands = get_terraform_commands_that_need_vars()\n'
            '    optional_var_files = ["${get_terragrunt_dir()}/none.tfvars"]\n'
            '    arguments = ["-var-file=${find_in_parent_folders("prod.tfvars")}"]\n  }\n}\n',
        ),
    },
    "values that are generated": {
        f"{UNIT}/terragrunt.hcl": SOURCE
        + 'generate "values" {\n  path = "x.auto.tfvars.json"\n  if_exists = "overwrite"\n'
        + '  contents = jsonencode({ name = "jobs-prod" })\n}\n'
    },
    "a queue that is generated": {
        f"{UNIT}/terragrunt.hcl": 'locals {\n  stage = "prod"\n}\n'
        'generate = {\n  main = {\n    path = "main.tf"\n    if_exists = "overwrite"\n'
        '    contents = replace(file("../../../../modules/queue/main.tf"), "var.name", "local.name")\n'
        '  }\n  names = {\n    path = "names.tf"\n    contents = "locals {\\n name = \\"jobs-${local.stage}\\"\\n}"\n'
        "  }\n}\n" + named('"unused"')
    },
}


@pytest.mark.parametrize("files", WAYS.values(), ids=WAYS)
def test_ways_to_say_a_value(tmp_path: Path, files: dict[str, str]) -> None:
    """However a unit says a value, its module has it as a root module with the value would."""
    plan = unit_plan(tmp_path, files)

    assert ["jobs-prod"] == [each.values["name"] for each in plan.managed("aws_sqs_queue")]


OUTPUTS = "dependency.roles.outputs"
ROLE = 'dependency "roles" {\n  config_path = "../roles"\n  mock_outputs = {\n    arn = "mock"\n  }\n}\n'


@pytest.mark.parametrize(
    ("text", "address", "cause"),
    [
        ('get_env("NOBODY_SETS_IT")', 'get_env("NOBODY_SETS_IT")', UnreadData("terragrunt.get_env", "NOBODY_SETS_IT")),
        ('run_cmd("git", "tag")', 'run_cmd("git", "tag")', UnreadData("terragrunt.run_cmd", "git tag")),
        ("get_platform()", "get_platform()", UnreadData("terragrunt.get_platform", "value")),
        (f"{OUTPUTS}.arn", f"{OUTPUTS}.arn", OtherStack("dependency.roles", "outputs", "arn")),
        ("values.name", 'values("name")', UnreadData("terragrunt.values", "name")),
    ],
)  # fmt: skip
def test_what_is_not_run_is_not_known(tmp_path: Path, text: str, address: str, cause: Value) -> None:
    """A command, the environment and the state of another unit are unknown by a name that the contract can answer."""
    files = {f"{UNIT}/terragrunt.hcl": SOURCE + ROLE + named(text)}

    found = unit_plan(tmp_path, files).outputs["name"]
    assert (address, cause) == (found.address, found.cause)

    key = f"{cause.source}.{cause.attribute}"
    known = {key: {"arn": "told"} if isinstance(cause, OtherStack) else "told"}
    told = unit_plan(tmp_path, files, known=KnownData.of(known))
    assert ("told", ()) == (told.outputs["name"], told.diagnostics)


def test_skipped_outputs_are_their_mocks(tmp_path: Path) -> None:
    """Where Terragrunt never asks for the outputs, the mock outputs are what the module gets."""
    skipped = ROLE.replace("mock_outputs =", "skip_outputs = true\n  mock_outputs =")
    plan = unit_plan(tmp_path, {f"{UNIT}/terragrunt.hcl": SOURCE + skipped + named("dependency.roles.outputs.arn")})

    assert "mock" == plan.outputs["name"]


def test_what_the_environment_has_set_is_not_read(tmp_path: Path) -> None:
    """A variable of the process may be a secret: it is not known, and its default is not what Terragrunt would take."""
    files = {f"{UNIT}/terragrunt.hcl": SOURCE + named('nonsensitive(get_env("QUEUE", "other"))')}

    found = unit_plan(tmp_path, files, environ={"QUEUE": "jobs"}).outputs["name"]
    told = unit_plan(tmp_path, files, known=KnownData.of({"terragrunt.get_env.QUEUE": "x"})).outputs["name"]

    assert isinstance(found, Unknown)
    assert "x" == told
    of_terraform = {f"{UNIT}/terragrunt.hcl": SOURCE + named('get_env("TF_VAR_queue", "other")')}
    assert "jobs" == unit_plan(tmp_path, of_terraform, environ={"TF_VAR_queue": "jobs"}).outputs["name"]


@pytest.mark.parametrize(
    ("strategy", "expected"), [("shallow", {"b": 2}), ("deep", {"a": 1, "b": 2}), ("no_merge", {"b": 2})]
)
def test_strategies_of_merging(tmp_path: Path, strategy: str, expected: dict[str, int]) -> None:
    """A deep merge goes into objects, a shallow one replaces them."""
    include = INCLUDE.replace("}\n", f'  merge_strategy = "{strategy}"\n}}\n')
    files = {
        "live/root.hcl": "inputs = {\n  sizes = { a = 1, b = 1 }\n}\n",
        f"{UNIT}/terragrunt.hcl": include + SOURCE + 'inputs = {\n  name = "x"\n  sizes = { b = 2 }\n}\n',
    }

    assert expected == unit_plan(tmp_path, files).outputs["sizes"]


def test_inputs_that_may_have_more_leave_open_what_they_do_not_say(tmp_path: Path) -> None:
    """Inputs that are not known as a whole may set every variable that the child does not."""
    files = {
        "live/root.hcl": 'inputs = jsondecode(run_cmd("inputs"))\n',
        f"{UNIT}/terragrunt.hcl": INCLUDE + SOURCE + named('"jobs"'),
    }

    outputs = unit_plan(tmp_path, files).outputs

    assert "jobs" == outputs["name"]
    assert isinstance(outputs["untyped"], Unknown)
    assert isinstance(outputs["sizes"], Unknown)


def test_an_untyped_variable_takes_json(tmp_path: Path) -> None:
    """Inputs are passed as text, of which the type of the variable decides how it is read."""
    files = {
        f"{UNIT}/terragrunt.hcl": SOURCE + 'inputs = {\n  name = "x"\n  untyped = ["a"]\n  sizes = { a = "1" }\n}\n'
    }

    outputs = unit_plan(tmp_path, files).outputs

    assert ('["a"]', {"a": 1}) == (outputs["untyped"], outputs["sizes"])


PROVIDER = """
    locals {
      account = %s
    }
    generate "provider" {
      path      = "provider.tf"
      if_exists = "overwrite_terragrunt"
      contents  = <<EOF
    provider "aws" {
      region              = "eu-west-1"
      allowed_account_ids = ["${local.account}"]
      default_tags {
        tags = { Owner = "team-${local.account}" }
      }
    }
    EOF
    }
    remote_state {
      backend = "s3"
      config = {
        bucket = "states-${local.account}"
        key    = "${path_relative_to_include()}/terraform.tfstate"
      }
      generate = {
        path      = "backend.tf"
        if_exists = "overwrite"
      }
    }
"""


def test_what_is_generated_is_configuration(tmp_path: Path) -> None:
    """The provider and the backend that an include generates are those of the unit, at their place in its text."""
    files = {
        "live/root.hcl": PROVIDER % '"111122223333"',
        f"{UNIT}/terragrunt.hcl": INCLUDE + SOURCE + named('"jobs"'),
    }

    plan = unit_plan(tmp_path, files)
    root = read_root(tmp_path / UNIT, Library(), KnownData(), {}, tmp_path)
    backend = read_settings(tmp_path / UNIT, Library(), root.configuration).backend

    assert ("eu-west-1", "111122223333") == (plan.region, plan.account)
    assert "team-111122223333" == plan.managed("aws_sqs_queue")[0].values["tags_all"]["Owner"]
    assert {"bucket": "states-111122223333", "key": "prod/eu-west-1/queue/terraform.tfstate"} == backend.arguments
    assert (str(tmp_path / "live/root.hcl"), 9) == _place(root.configuration.providers["aws"].location)


def _place(location: Any) -> tuple[str, int]:
    return location.file, location.line


def test_a_hole_in_what_is_generated_is_one_unknown(tmp_path: Path) -> None:
    """What is not known of a generated text is not known in its place, and the rest of it is."""
    files = {
        "live/root.hcl": PROVIDER % 'get_env("ACCOUNT_OF_NOBODY")',
        f"{UNIT}/terragrunt.hcl": INCLUDE + SOURCE + named('"jobs"'),
    }

    plan = unit_plan(tmp_path, files)

    assert "eu-west-1" == plan.region
    assert isinstance(plan.account, Unknown)


@pytest.mark.parametrize(
    "source", ["git::https://example.com/x.git//queue?ref=v1", "tfr:///example/queue/aws?version=1"]
)
def test_a_source_that_is_not_here(tmp_path: Path, source: str) -> None:
    """A unit whose source has not been fetched is not evaluated, and says so."""
    plan = unit_plan(tmp_path, {f"{UNIT}/terragrunt.hcl": f'terraform {{\n  source = "{source}"\n}}\n'})

    assert (False, ()) == (plan.is_whole, plan.resources)


@pytest.mark.parametrize(
    ("text", "fragment"),
    [
        ('terraform {\n  source = "../none"\n}\n', "the source of the unit is no directory with configuration"),
        ("locals {\n  a = local.b\n  b = local.a\n}\n" + SOURCE + named("local.a"), "depends on itself"),
        (SOURCE + named("local.nope"), 'no local value "nope"'),
        ('include "x" {\n  path = find_in_parent_folders("x.hcl")\n}\n', "no folder above"),
        (SOURCE + named("var.name"), "cannot be used in a file of Terragrunt"),
        (INCLUDE.replace("}\n", '  merge_strategy = get_env("A")\n}\n'), "no strategy of merging"),
        ('generate "x" {\n  path = get_env("A")\n  contents = ""\n}\n' + SOURCE, "which file is generated"),
        ('include "x" {\n  path = get_env("A")\n}\n', "which file is included"),
        ('terraform {\n  source = "${get_repo_root()}/../elsewhere"\n}\n', "outside"),
    ],
)  # fmt: skip
def test_what_terragrunt_refuses_is_an_error(tmp_path: Path, text: str, fragment: str) -> None:
    """An error names what is wrong in the file of Terragrunt."""
    with pytest.raises(InfraspecError, match=fragment):
        unit_plan(tmp_path, {"live/root.hcl": "", f"{UNIT}/terragrunt.hcl": text})


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("arguments", '["-var-file=${get_env("A")}"]'),
        ("arguments", 'get_env("A")'),
        ("required_var_files", '[get_env("A")]'),
        ("optional_var_files", 'split(",", get_env("A"))'),
    ],
)
def test_arguments_that_are_not_known_are_an_error(tmp_path: Path, name: str, value: str) -> None:
    """Nothing is judged with the values that a file or argument which is not known may change."""
    extra = f'  extra_arguments "x" {{\n    commands = ["plan"]\n    {name} = {value}\n  }}\n}}\n'
    with pytest.raises(InfraspecError, match=f"{name} is unknown"):
        unit_plan(tmp_path, {f"{UNIT}/terragrunt.hcl": SOURCE.removesuffix("}\n") + extra + named('"x"')})


def test_a_value_beside_terraform_that_is_not_known(tmp_path: Path) -> None:
    """A variable that Terraform is given by its environment is not known where that is not."""
    extra = '  extra_arguments "x" {\n    commands = ["plan"]\n    env_vars = { TF_VAR_name = run_cmd("x") }\n  }\n}\n'
    plan = unit_plan(tmp_path, {f"{UNIT}/terragrunt.hcl": SOURCE.removesuffix("}\n") + extra + named('"x"')})

    assert 'run_cmd("x")' == plan.outputs["name"].address


def test_a_remote_state_that_is_not_known(tmp_path: Path) -> None:
    """Nothing is said to be missing of a backend, of which nothing is known."""
    state = 'remote_state {\n  backend = "s3"\n  config = jsondecode(run_cmd("x"))\n}\n'
    write(tmp_path, {"infraspec.toml": "", "modules/queue/main.tf": MODULE, f"{UNIT}/terragrunt.hcl": SOURCE + state})

    root = read_root(tmp_path / UNIT, Library(), KnownData(), {}, tmp_path)

    assert {Unknown} == {
        type(each) for each in read_settings(tmp_path, Library(), root.configuration).backend.arguments.values()
    }


def test_the_units_of_a_repository_are_its_roots(tmp_path: Path) -> None:
    """Neither an included file nor the module that a unit takes as its source is a root module of its own."""
    files = {
        "terragrunt.hcl": PROVIDER % '"111122223333"',
        "modules/queue/main.tf": MODULE + 'terraform {\n  backend "s3" {}\n}\n',
        "bootstrap/main.tf": 'provider "aws" {}\n',
        **{
            f"live/{stage}/queue/terragrunt.hcl": "include {\n  path = find_in_parent_folders()\n}\n" + SOURCE
            for stage in ("dev", "prod")
        },
    }
    write(tmp_path, {"infraspec.toml": "", **files})

    roots = find_roots(tmp_path, Library())

    assert ["live/dev/queue", "live/prod/queue", "bootstrap"] == [each.path for each in roots.roots]
    assert () == roots.broken


def test_a_source_in_a_submodule_that_is_not_checked_out(tmp_path: Path) -> None:
    """Nothing of the unit is seen, whatever is generated beside its source, and one command brings it."""
    files = {
        ".gitmodules": '[submodule "shared"]\n\tpath = vendor/shared\n',
        "vendor/keep": "",
        "live/root.hcl": PROVIDER % '"111122223333"',
        f"{UNIT}/terragrunt.hcl": INCLUDE + 'terraform {\n  source = "${get_repo_root()}/vendor/shared//queue"\n}\n',
    }

    plan = unit_plan(tmp_path, files)

    assert (False, ()) == (plan.is_whole, plan.resources)
    assert ["run `git submodule update --init -- vendor/shared`, which fetches it"] == [
        each.remedy for each in plan.diagnostics
    ]


@pytest.mark.parametrize(
    ("ref", "expected"), [("v1", ["jobs"]), ("v2", [])], ids=["the version that is asked for", "another version"]
)
def test_what_terragrunt_has_fetched_is_read(tmp_path: Path, ref: str, expected: list[str]) -> None:
    """A source of git is read from Terragrunt's own cache, if that has this source in this version.

    The names are what base64 makes of the SHA-1 of `git::https://example.com/modules.git` and of `ref=v1`.
    """
    copy = f"{UNIT}/.terragrunt-cache/unit/oZtUay1jPyYSkBC5qveuyhlFrk8"
    files = {
        f"{copy}/.terragrunt-source-version": "vN4PpUkEyKNU3wFbbsRUcBD8YLI",
        f"{copy}/queue/main.tf": MODULE,
        f"{UNIT}/terragrunt.hcl": "terraform {\n"
        f'  source = "git::https://example.com/modules.git//queue?ref={ref}"\n}}\n' + named('"jobs"'),
    }

    plan = unit_plan(tmp_path, files)

    assert expected == [each.values["name"] for each in plan.managed()]


RICH = {
    "live/root.hcl": """
        locals {
          account = read_terragrunt_config(find_in_parent_folders("account.hcl"))
          common  = jsondecode(read_tfvars_file("${get_parent_terragrunt_dir()}/common.tfvars"))
        }
        iam_role = "arn:aws:iam::${local.account.locals.id}:role/deploy"
        terraform {
          extra_arguments "files" {
            commands           = get_terraform_commands_that_need_vars()
            arguments          = ["-var", "untyped=x"]
            required_var_files = ["${get_parent_terragrunt_dir()}/common.tfvars"]
            optional_var_files = ["${get_terragrunt_dir()}/own.tfvars"]
            env_vars           = { TF_VAR_untyped = "y" }
          }
        }
        remote_state {
          backend = "s3"
          config  = { bucket = "states-${local.account.locals.id}", key = path_relative_to_include() }
        }
        generate "provider" {
          path      = "provider.tf"
          if_exists = "overwrite"
          disable   = false
          contents  = "provider \\"aws\\" {\\n  region = \\"${local.common.region}\\"\\n}"
        }
        generate "values" {
          path     = "more.auto.tfvars.json"
          contents = jsonencode({ sizes = { a = 1 } })
        }
        inputs = { name = "root" }
    """,
    "live/common.tfvars": 'region = "eu-west-1"\n',
    "live/account.hcl": 'locals {\n  id = "111122223333"\n}\n',
    f"{UNIT}/terragrunt.hcl": """
        include "root" {
          path           = find_in_parent_folders("root.hcl")
          expose         = true
          merge_strategy = "deep"
        }
        feature "size" {
          default = 1
        }
        dependency "roles" {
          config_path  = "../roles"
          enabled      = true
          skip_outputs = false
          mock_outputs = { arn = "mock" }
        }
        terraform {
          source = "${get_repo_root()}/modules//queue"
        }
        inputs = merge(include.root.inputs, { untyped = dependency.roles.outputs.arn, sizes = { b = 2 } })
    """,
}
WORDS = (
    "null", '"x"', "[]", "{}", "42", "true", "[null]", "{ a = null }", 'get_env("A")', '[get_env("A")]',
    '{ a = get_env("A") }', '"a-${get_env("A")}"', "dependency.roles.outputs", "dependency.roles", "include.root",
    "local.nope", "values.x", 'read_terragrunt_config("none.hcl")', "deep_merge({}, null)", 'jsondecode(run_cmd("x"))',
)  # fmt: skip


@pytest.mark.parametrize("word", WORDS)
def test_whatever_stands_in_a_file_ends_in_a_plan_or_an_error(tmp_path: Path, word: str) -> None:
    """Each value of the files of a unit, replaced by anything, is evaluated or refused with its place."""
    write(tmp_path, {"infraspec.toml": "", "modules/queue/main.tf": MODULE, **RICH})
    evaluate(tmp_path / UNIT, boundary=tmp_path)
    for name in RICH:
        path = tmp_path / name
        text = path.read_text()
        for found in re.finditer(r"(?m)^ *\w+ *= *(.+)$", text):
            path.write_text(text[: found.start(1)] + word + text[found.end(1) :])
            try:
                plan = evaluate(tmp_path / UNIT, boundary=tmp_path)
                force(plan)
            except InfraspecError as error:
                str(error)
        path.write_text(text)
