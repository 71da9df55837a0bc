"""The contract that is written: valid by our own loader, and what it demands holds for the majority."""

from __future__ import annotations

import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from infraspec import contract as contracts
from infraspec.adoption import adopt
from infraspec.adoption.contract_text import contract_text, quoted, starting_files
from infraspec.adoption.contract_text import write as write_files
from infraspec.checks.conventions.names import check_names
from infraspec.checks.conventions.tags import check_tags
from infraspec.core.finding import Verdict
from infraspec.core.rules import RULES
from infraspec.process.workflows import workflow_of
from infraspec.terraform.environments import Environments
from tests.terraform.sources import write

ROOT = Path(__file__).parents[2]
REFERENCE = ROOT / "fixtures" / "daily-report-tool"

SHOP = {
    "terraform/envs/dev/main.tf": 'provider "aws" {\n  region = "eu-west-1"\n}\n'
    'module "shop" {\n  source = "../../shop"\n  env = "dev"\n}\n',
    "terraform/envs/prod/main.tf": 'provider "aws" {\n  region = "eu-west-1"\n}\n'
    'module "shop" {\n  source = "../../shop"\n  env = "prod"\n}\n'
    'resource "aws_sqs_queue" "old" {\n  name = "Legacy Queue"\n}\n',
    "terraform/shop/main.tf": """\
        variable "env" {}

        resource "aws_sqs_queue" "jobs" {
          for_each = toset(["mail", "bills"])
          name     = "shop-${var.env}-${each.key}"
          tags     = { Environment = var.env, Team = "orders" }
        }

        resource "aws_sns_topic" "alerts" {
          name = "shop-${var.env}-alerts"
          tags = { Environment = var.env, Team = "orders" }
        }
        """,
    "terraform/bootstrap/main.tf": 'provider "aws" {}\noutput "o" {\n  value = each.key\n}\n',
}


@pytest.mark.parametrize("name", ["reference", "shop"])
def test_round_trip(tmp_path: Path, name: str) -> None:
    """What is written loads as the contract that was meant, and names only rules that exist."""
    directory = REFERENCE if name == "reference" else write(tmp_path / "shop", SHOP)
    adoption = adopt(directory)
    text = contract_text(adoption)
    copy = tmp_path / "infraspec.toml"
    copy.write_text(text, encoding="utf-8")

    loaded = contracts.load(copy, rules=RULES, environments=[])

    assert loaded.model_dump(exclude={"path"}) == adoption.contract().model_dump(exclude={"path"})
    assert tomllib.loads(text)["project"]["application"] == ("daily-report-tool" if name == "reference" else "shop")


def test_a_value_by_the_name_of_a_file(tmp_path: Path) -> None:
    """The environments of state files alone have their names as values, with the file that has the name."""
    root = 'terraform {\n  backend "s3" {}\n}\nvariable "env" {}\nresource "aws_sqs_queue" "q" {\n  name = var.env\n}\n'
    files = {"main.tf": root, "dev.s3.tfbackend": "", "prod.s3.tfbackend": ""}
    adoption = adopt(write(tmp_path, files))
    (tmp_path / "infraspec.toml").write_text(contract_text(adoption), encoding="utf-8")

    contract = contracts.load(tmp_path, rules=RULES)

    assert contract.model_dump(exclude={"path"}) == adoption.contract().model_dump(exclude={"path"})
    assert {"dev": {"env": "dev"}, "prod": {"env": "prod"}} == {
        name: environment.variables for name, environment in contract.environments.items()
    }
    assert 'variables = { env = "prod" }  # by the name of the backend file prod.s3.tfbackend' in contract_text(
        adoption
    )


def test_rules_hold_for_the_majority(tmp_path: Path) -> None:
    """Names and tags that the contract demands are those of at least three quarters of what is there."""
    adoption = adopt(write(tmp_path, SHOP))
    contract = adoption.contract()
    environments = Environments(contract, environ={})

    found = []
    for name in contract.environments:
        found += check_names(environments.plan(name), contract, name)
        found += check_tags(environments.plan(name), contract, name)
    proven = sum(1 for finding in found if finding.verdict is Verdict.PROVEN)

    assert list(contract.environments) == ["dev", "prod"]
    assert contract.names.patterns == {
        "aws_sqs_queue": "{application}-{environment}-{name}",
    }
    assert contract.tags.common == {"Environment": "{environment}", "Team": "orders"}
    assert [(f.address, f.rule) for f in found if f.verdict is not Verdict.PROVEN] == [
        ("aws_sqs_queue.old", "names"),
        ("aws_sqs_queue.old", "tags"),
    ]
    assert proven == 10
    assert "# 4 of 5" in contract_text(adoption)


def test_what_cannot_be_evaluated_is_left_out(tmp_path: Path) -> None:
    """A root module with an error stands in the contract as a comment with the reason."""
    text = contract_text(adopt(write(tmp_path, SHOP)))

    assert "# Left out: " in text
    assert "cannot be used here" in text.partition("# Left out: ")[2].splitlines()[0]
    assert '# root = "terraform/bootstrap"' in text
    assert "bootstrap" not in tomllib.loads(text)["environments"]


def test_what_is_no_environment_is_left_out(tmp_path: Path) -> None:
    """Beside environments, a root module that is none by its name is a comment; where something runs, it is first."""
    task = 'resource "aws_ecs_task_definition" "t" {\n  family = "t"\n  container_definitions = "[]"\n}\n'
    files = {f"{name}/main.tf": 'provider "aws" {}\n' for name in ("dev", "prod", "network")}
    adoption = adopt(write(tmp_path, {**files, "worker/main.tf": 'provider "aws" {}\n' + task}))
    text = contract_text(adoption)

    assert list(tomllib.loads(text)["environments"]) == ["worker", "dev", "prod"]
    assert '# [environments.network]\n# root = "network"' in text


def test_another_application_is_left_out(tmp_path: Path) -> None:
    """What is no environment by name, and named and tagged otherwise, is a comment and does not count."""
    other = 'provider "aws" {}\nresource "aws_ecs_task_definition" "t" {\n  family = "t"\n}\n' + "".join(
        f'resource "aws_sqs_queue" "q{number}" {{\n  name = "demo-{number}"\n}}\n' for number in range(2)
    )
    adoption = adopt(write(tmp_path, {**SHOP, "vendored/main.tf": other}))

    assert [each.name for each in adoption.environments] == ["dev", "prod"]
    assert "another application" in contract_text(adoption)
    assert "# 4 of 5" in contract_text(adoption)


def test_the_only_root_is_kept_with_its_error(tmp_path: Path) -> None:
    """A contract has an environment, even if it cannot be evaluated yet; the suite says what is wrong."""
    adoption = adopt(write(tmp_path, {"main.tf": SHOP["terraform/bootstrap/main.tf"]}))
    text = contract_text(adoption)

    assert "# It is evaluated in part, because of an error: " in text
    assert list(tomllib.loads(text)["environments"]) == ["main"]
    assert adoption.allow_empty == ()


def test_task_definition_files_without_terraform(tmp_path: Path) -> None:
    """A repository of task definition files alone has an environment that lists them."""
    files = {"app.json": '{"family": "app", "containerDefinitions": [{"name": "app", "image": "nginx"}]}'}
    adoption = adopt(write(tmp_path, files))
    (tmp_path / "infraspec.toml").write_text(contract_text(adoption), encoding="utf-8")

    contract = contracts.load(tmp_path, rules=RULES)

    assert contract.environments["main"].task_definitions == ["app.json"]
    assert contract.suite.allow_empty == ["source"]


def test_first_run_of_the_suite(tmp_path: Path) -> None:
    """The suite runs on what was written without an error: it fails for what the majority does otherwise alone."""
    adoption = adopt(write(tmp_path, SHOP))
    write_files(tmp_path, starting_files(adoption))
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", str(ROOT / "tests_static"), "--infraspec-dir", str(tmp_path), "-q"],
        cwd=ROOT,
        check=False,
        capture_output=True,
        encoding="utf-8",
    )

    last = ran.stdout.strip().splitlines()[-1]
    assert ran.returncode == 1, ran.stdout
    assert last.startswith("2 failed, "), ran.stdout
    assert "error" not in last


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    """A file that is there stays as it is, and the second time all are there."""
    write(tmp_path, {**SHOP, "infraspec.mk": "mine\n"})
    adoption = adopt(tmp_path)
    write_files(tmp_path, starting_files(adoption))
    written = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    again = starting_files(adopt(tmp_path))
    write_files(tmp_path, again)

    assert (tmp_path / "infraspec.mk").read_text(encoding="utf-8") == "mine\n"
    assert all(file.exists for file in again)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()} == written


def test_pipeline_by_host(tmp_path: Path) -> None:
    """GitLab gets an include, GitHub a workflow with pinned actions that may do no more than read."""
    write(tmp_path, SHOP)
    github = {file.path: file.text for file in starting_files(adopt(tmp_path))}
    (tmp_path / ".gitlab-ci.yml").write_text("stages: [test]\n", encoding="utf-8")
    gitlab = {file.path for file in starting_files(adopt(tmp_path))}
    workflow = workflow_of(github[".github/workflows/infraspec.yml"], "infraspec.yml")

    assert set(github) == {"infraspec.toml", ".github/workflows/infraspec.yml", "infraspec.mk"}
    assert gitlab == {"infraspec.toml", "infraspec.gitlab-ci.yml", "infraspec.mk"}
    assert all(use.pinned for job in workflow.jobs for use in job.uses)
    assert [job.permissions for job in workflow.jobs] == [{"contents": "read"}]


def test_odd_names(tmp_path: Path) -> None:
    """Names with quotes, blanks and line breaks neither break the contract nor leave a comment."""
    files = {f"{name}/main.tf": 'provider "aws" {}\n' for name in ('a "b"', "c\n[d]", "é")}
    files["x\ny/main.tf"] = "resource {"
    adoption = adopt(write(tmp_path, files))
    (tmp_path / "infraspec.toml").write_text(contract_text(adoption), encoding="utf-8")

    roots = {each.root.as_posix() for each in contracts.load(tmp_path).environments.values()}

    assert roots == {'a "b"', "c\n[d]", "é"}


QUOTED: dict[str, object] = {
    "text": 'a "b" \\ \t é \x7f',
    "list": ["a", "{b}"],
    "table": {"regex": "a|b", "odd key": "x"},
    "empty table": {},
}


@pytest.mark.parametrize("value", QUOTED.values(), ids=QUOTED)
def test_quoting(value: object) -> None:
    """Values are written as TOML that reads back the same."""
    assert tomllib.loads(f"key = {quoted(value)}") == {"key": value}


def test_several_applications_are_told_by_directory(tmp_path: Path) -> None:
    """Where directories have names of their own, no pattern is of one application; each may have its own contract."""
    queues = "".join(
        f'resource "aws_sqs_queue" "q{number}" {{\n  name = "NAME-dev-job{number}"\n}}\n' for number in range(4)
    )
    apps = {name: 'provider "aws" {}\n' + queues.replace("NAME", name) for name in ("billing", "shop")}
    adoption = adopt(write(tmp_path, {f"apps/{name}/dev/main.tf": text for name, text in apps.items()}))
    text = contract_text(adoption)

    assert {"apps/billing": "billing", "apps/shop": "shop"} == adoption.applications
    assert "#   billing: infraspec init apps/billing\n" in text
    assert "{application}" not in str(adoption.contract().names.patterns)
