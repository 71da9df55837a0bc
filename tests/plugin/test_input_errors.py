"""Errors of the input say place, what was expected, and remedy; they end the run or are findings, without traceback."""

import os
import re

import pytest

from tests.plugin.project import CONTRACT, Project, assert_not_passed, run_suite, text_of
from tests.terraform.iam_exports import export, role

USAGE_ERROR = 4
EXPORT = "aws iam get-account-authorization-details --output json > iam.json"

CASES = {
    "no contract": ({"infraspec.toml": ""}, (), ["infraspec.toml"]),
    "invalid TOML": ({"infraspec.toml": "[project\n"}, (), ["infraspec.toml:1", "TOML"]),
    "unknown key": ({"infraspec.toml": CONTRACT + 'regoin = "x"\n'}, (), ["infraspec.toml:8", "region"]),
    "unknown environment": ({}, ("--infraspec-env", "prd"), ["prd", "dev"]),
    "no environment but a comma": ({}, ("--infraspec-env", ","), ["an empty name", "dev"]),
    "missing root": ({"infraspec.toml": CONTRACT + 'root = "nowhere"\n'}, (), ["nowhere"]),
    "unreadable plan": (
        {"plan.json": '{"format_version": "1.2", '},
        ("--infraspec-plan", "infra/plan.json"),
        ["plan.json"],
    ),
    "plan of a future format": (
        {"plan.json": '{"format_version": "9.0"}'},
        ("--infraspec-plan", "infra/plan.json"),
        ["9.0"],
    ),
    "plan that is not there": ({}, ("--infraspec-plan", "nowhere.json"), ["nowhere.json"]),
    "snapshot that is not there": ({}, ("--infraspec-snapshot", "nowhere.json"), ["nowhere.json", EXPORT]),
    "snapshot of roles alone": (
        {"iam.json": '{"Roles": []}'},
        ("--infraspec-snapshot", "infra/iam.json"),
        ["infra/iam.json: this is not an export", "aws iam list-roles", EXPORT],
    ),
    "snapshot of the contract that is not there": (
        {"infraspec.toml": CONTRACT + 'snapshots = ["iam.json"]\n'},
        (),
        ["infraspec.toml:8: the file of `environments.dev.snapshots[0]` does not exist", EXPORT],
    ),
    "two snapshots of one account that differ": (
        {"a.json": export(role("one")), "b.json": export(role("other"))},
        ("--infraspec-snapshot", "infra/a.json", "--infraspec-snapshot", "infra/b.json"),
        ["infra/a.json, infra/b.json: two files are of account 111122223333, and they differ"],
    ),
    "waiver without a day": (
        {
            "infraspec.toml": CONTRACT
            + '[[waivers]]\nrule = "names"\naddress = "*"\nreason = "r"\nowner = "o"\nexpires = "soon"\n'
        },
        (),
        ["infraspec.toml:13"],
    ),
    "workspace of another environment": (
        {"infraspec.toml": CONTRACT + 'workspace = "prod"\n[environments.prod]\n'},
        (),
        ["PairingError: infra/infraspec.toml:", "the environment `dev` is given what belongs to another one"],
    ),
    "variable file of another environment": (
        {
            "infraspec.toml": CONTRACT
            + 'var_files = ["x.tfvars"]\n[environments.prod]\nvariables = {stage = "prod"}\n',
            "x.tfvars": 'stage = "prod"\n',
            "v.tf": 'variable "stage" {}\n',
        },
        (),
        ["PairingError: infra/infraspec.toml:", 'found:    var.stage is "prod"'],
    ),
    "name prefix of another environment": (
        {
            "infraspec.toml": CONTRACT + 'var_files = ["x.tfvars"]\n[environments.prod]\n',
            "x.tfvars": 'name_prefix = "hello-prod"\n',
            "v.tf": 'variable "name_prefix" {}\n',
        },
        ("--infraspec-env", "dev"),
        ["PairingError: infra/infraspec.toml:", 'found:    var.name_prefix is "hello-prod"'],
    ),
    "account of another environment": (
        {
            "infraspec.toml": CONTRACT + 'var_files = ["x.tfvars"]\n[environments.prod]\naccount_id = "123456789012"\n',
            "x.tfvars": 'account_id = "123456789012"\n',
            "v.tf": 'variable "account_id" {}\n',
        },
        ("--infraspec-env", "dev"),
        ["PairingError: infra/infraspec.toml:", "found:    var.account_id is 123456789012"],
    ),
    "account that the provider may not work in": (
        {"p.tf": 'provider "aws" {\n  allowed_account_ids = ["123456789012"]\n}\n'},
        (),
        ["PairingError: infra/infraspec.toml:", "found:    the provider aws has allowed_account_ids 123456789012"],
    ),
    "account that is forbidden": (
        {"p.tf": 'provider "aws" {\n  forbidden_account_ids = ["111122223333"]\n}\n'},
        (),
        ["PairingError: infra/infraspec.toml:", "forbidden_account_ids 111122223333"],
    ),
    "placeholder that there is not": (
        {"infraspec.toml": CONTRACT + '[names.patterns]\naws_sqs_queue = "{aplication}-{name}"\n'},
        (),
        ["infraspec.toml:9", "did you mean {application}?"],
    ),
    "broken tag policy": (
        {"infraspec.toml": CONTRACT + '[tags]\npolicy = "p.json"\n', "p.json": '{"tags": {}'},
        (),
        ["p.json:1:12: the tag policy is not JSON"],
    ),
}


@pytest.mark.parametrize(("files", "arguments", "fragments"), CASES.values(), ids=CASES)
def test_input_error(
    pytester: pytest.Pytester, files: dict[str, str | bytes], arguments: tuple[str, ...], fragments: list[str]
) -> None:
    """The run ends with exit code 4 and a message that names the place."""
    result = Project(files).run(pytester, *arguments)

    assert result.ret == USAGE_ERROR
    text = text_of(result)
    for fragment in fragments:
        assert fragment in text
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text


FINDINGS = {
    "syntax errors of two files": (
        {"a.tf": 'resource "x" {', "b.tf": "locals {\n  a = [1,\n}\n"},
        (),
        ["a.tf:1", "b.tf:", "^"],
    ),
    "for_each of a list": (
        {"q.tf": 'resource "aws_sqs_queue" "q" {\n  for_each = ["a"]\n}\n'},
        (),
        ["q.tf:2", "toset"],
    ),
    "module that calls itself": ({"m.tf": 'module "m" {\n  source = "./"\n}\n'}, (), ["m.tf:2", "module.m"]),
    "source in another encoding": ({"a.tf": "\ufefflocals {}".encode("utf-16-le")}, (), ["a.tf:1:1", "UTF-16"]),
    "task definition file in another encoding": (
        {
            "infraspec.toml": CONTRACT + 'task_definitions = ["td.json"]\n',
            "td.json": b'{"family": "\xe9"}',
        },
        (),
        ["td.json: the file is not UTF-8", "byte 0xe9 at offset 12"],
    ),
    "two broken task definition files": (
        {"infraspec.toml": CONTRACT + 'task_definitions = ["*.json"]\n', "a.json": "3", "b.json": '{"family": "x",'},
        (),
        ["a.json", "b.json:1:16"],
    ),
    "broken task definition file": (
        {"infraspec.toml": CONTRACT + 'task_definitions = ["td.json"]\n', "td.json": '{"family": "x",'},
        (),
        ["td.json:1"],
    ),
}
"""What cannot be read beside what can."""


@pytest.mark.parametrize(("files", "arguments", "fragments"), FINDINGS.values(), ids=FINDINGS)
def test_what_cannot_be_read_is_a_finding(
    pytester: pytest.Pytester, files: dict[str, str | bytes], arguments: tuple[str, ...], fragments: list[str]
) -> None:
    """The run ends with exit code 1 and a finding that names the place; the rest is judged."""
    result = Project(files).run(pytester, *arguments)

    text = text_of(result)
    assert 1 == result.ret
    assert [] == [fragment for fragment in fragments if fragment not in text]
    assert "Traceback" not in text
    assert re.search(r"secret-access +6 ", text)


SHARED = {
    "a module": ("", {"m/m.tf": "locals {\n  a = \n}\n", "m.tf": 'module "m" {\n  source = "./m"\n}\n'}, "m/m.tf:2:7:"),
    "a file of variables": ('var_files = ["a.tfvars"]', {"a.tfvars": "a = \n"}, "a.tfvars:1:5:"),
    "a plan": ('plan = "p.json"', {"p.json": "{"}, "p.json:1:2:"),
    "a snapshot": ('snapshots = ["iam.json"]', {"iam.json": "{"}, "iam.json:1:2:"),
    "a task definition": ('task_definitions = ["td.json"]', {"td.json": "{\n"}, "td.json:2:1:"),
}


@pytest.mark.parametrize("shared", SHARED)
def test_what_environments_share_is_wrong_once(pytester: pytest.Pytester, shared: str) -> None:
    """A file that several environments read has its error once, with the environments that read it."""
    line, files, place = SHARED[shared]
    contract = CONTRACT + f"{line}\n\n[environments.test]\n\n[environments.prod]\n{line}\n"
    contract += 'root = "."\n' if line else ""
    result = Project({"infraspec.toml": contract, **files}).run(pytester)

    text = text_of(result)
    if shared in {"a plan", "a snapshot"}:
        judged, _, _ = text.partition("short test summary info")  # where CI is set, pytest's summary says it again
        assert (1, 1) == (result.ret, judged.count(place))
        return
    assert 1 == result.ret
    assert 1 == sum("reason:" in line and place in line for line in text.splitlines())
    assert f"    also in:     {'prod' if line else 'test, prod'}" in text


def test_missing_contract_names_what_writes_one(pytester: pytest.Pytester) -> None:
    """A folder without a contract is told of `infraspec init`."""
    result = Project({"main.tf": ""}, base=None).run(pytester)

    assert result.ret == USAGE_ERROR
    assert "run `infraspec init`" in text_of(result)


@pytest.mark.parametrize(
    "attribute",
    ["local.a", "aws_sqs_queue.q.name", 'file("/etc/hostname")', "{}.nothing"],
    ids=["cycle in locals", "self reference", "file outside the root", "missing attribute"],
)
def test_error_of_an_attribute_that_a_check_reads(pytester: pytest.Pytester, attribute: str) -> None:
    """An attribute that has no value is a finding, and unknown to the check that reads it, with no traceback."""
    files = {
        "infraspec.toml": CONTRACT + '[names.patterns]\naws_sqs_queue = "{application}-{name}"\n',
        "l.tf": "locals {\n  a = local.b\n  b = local.a\n}\n",
        "q.tf": f'resource "aws_sqs_queue" "q" {{\n  name = {attribute}\n}}\n',
    }
    result = Project(files).run(pytester)

    assert_not_passed(result, failed=2)
    text = text_of(result)
    assert ".tf:2" in text
    assert "Traceback" not in text


def test_error_of_an_attribute_that_nothing_reads(pytester: pytest.Pytester) -> None:
    """What is not declared is a finding, with its place and without a traceback, and the rest is judged."""
    files = {
        "infraspec.toml": CONTRACT,
        "q.tf": 'resource "aws_sqs_queue" "q" {\n  policy = nosuch.reference.here\n}\n',
    }
    result = Project(files).run(pytester)

    assert pytest.ExitCode.TESTS_FAILED == result.ret
    text = text_of(result)
    assert 'q.tf:2: VIOLATED source: source infra the root module has no resource "nosuch.reference"' in text
    assert "q.tf:2: UNDETERMINED policies: aws_sqs_queue.q policy" in text
    assert "Traceback" not in text


def test_mistyped_option(pytester: pytest.Pytester) -> None:
    """An option that does not exist is a usage error."""
    result = Project().run(pytester, "--infraspec-enviroment", "dev")

    assert result.ret == USAGE_ERROR
    assert "--infraspec-enviroment" in text_of(result)


def test_plan_file_for_several_environments(pytester: pytest.Pytester) -> None:
    """A plan file belongs to one environment."""
    contract = CONTRACT + '\n[environments.prod]\naccount_id = "123456789012"\n'
    result = Project({"infraspec.toml": contract, "plan.json": "{}"}).run(
        pytester, "--infraspec-plan", "infra/plan.json"
    )

    assert result.ret == USAGE_ERROR
    assert "--infraspec-env dev" in text_of(result)


@pytest.mark.parametrize(("target", "found"), [("nowhere", "No such file"), ("link.tf", "symbolic links")])
def test_link_that_leads_nowhere(pytester: pytest.Pytester, target: str, found: str) -> None:
    """A source file that is a broken link is a finding, since Terraform stops there, and not left out."""
    directory = Project().write(pytester.path / "infra")
    (directory / "link.tf").symlink_to(target)
    result = run_suite(pytester, directory)

    assert 1 == result.ret
    assert "link.tf: the file cannot be read" in text_of(result)
    assert found in text_of(result)


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="the superuser may read everything")
@pytest.mark.parametrize(
    "name", [".", "infraspec.toml", "main.tf", "module", "root", "td.json", "policy.json", "x.tfvars"]
)
def test_what_the_user_may_not_read(pytester: pytest.Pytester, name: str) -> None:
    """A file or directory without permission is named, with what to do about it."""
    contract = (
        '[project]\napplication = "hello"\n\n[environments.dev]\nroot = "."\ntask_definitions = ["td.json"]\n'
        'var_files = ["x.tfvars"]\n\n[environments.prod]\nroot = "root"\n\n[tags]\npolicy = "policy.json"\n'
    )
    files = dict.fromkeys(("module/main.tf", "root/main.tf", "x.tfvars"), "") | {
        "infraspec.toml": contract,
        "module.tf": 'module "m" {\n  source = "./module"\n}\n',
        "td.json": "{}",
        "policy.json": '{"tags": {}}',
    }
    directory = Project(files).write(pytester.path / "infra")
    (directory / name).chmod(0)
    try:
        result = run_suite(pytester, directory)
    finally:
        (directory / name).chmod(0o755)

    assert (USAGE_ERROR if name in {".", "infraspec.toml", "policy.json"} else 1) == result.ret
    text = text_of(result)
    assert "cannot be read" in text
    assert "its mode" in text
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text


MEANT = {
    "what the contract states": (CONTRACT + 'variables = {stage = "prod"}\n[environments.prod]\n', {}),
    "a name that holds both": (
        CONTRACT + 'var_files = ["x.tfvars"]\n[environments.prod]\n',
        {"x.tfvars": 'stage = "dev-of-prod"\n'},
    ),
    "an account of nobody": (
        CONTRACT + 'var_files = ["x.tfvars"]\n[environments.prod]\naccount_id = "123456789012"\n',
        {"x.tfvars": 'account_id = "444455556666"\n'},
    ),
    "the default of a variable": (
        CONTRACT + "[environments.prod]\n",
        {"d.tf": 'variable "env" {\n  default = "prod"\n}\n'},
    ),
    "an environment named after another one": (
        CONTRACT.replace("environments.dev", "environments.prod-eu") + 'workspace = "prod"\n[environments.prod]\n',
        {},
    ),
}


@pytest.mark.parametrize(("contract", "files"), MEANT.values(), ids=MEANT)
def test_what_is_meant_is_no_wrong_pair(pytester: pytest.Pytester, contract: str, files: dict[str, str]) -> None:
    """What may as well be meant is judged."""
    variables = 'variable "stage" {\n  default = ""\n}\nvariable "account_id" {\n  default = ""\n}\n'
    result = Project({"infraspec.toml": contract, "v.tf": variables, **files}).run(
        pytester, "-k", "test_names or source"
    )

    assert result.ret != USAGE_ERROR
    assert "PairingError" not in text_of(result)


@pytest.mark.parametrize("broken", [b'variable "x" {\n  default = "\xff"\n}\n', b'resource "a" {{\n'])
def test_a_rule_alone_says_that_a_file_was_not_read(pytester: pytest.Pytester, broken: bytes) -> None:
    """The rule `source` reports the file; in a run without that rule, the other rules do."""
    project = Project({"z.tf": broken})
    alone = project.run(pytester, "-k", "test_secret_access")
    assert 1 == alone.ret
    assert "HclSyntaxError: infra/z.tf:" in text_of(alone)

    beside = project.run(pytester, "-k", "test_secret_access or test_source")
    assert 1 == beside.ret
    assert "VIOLATED source: source infra" in text_of(beside)
    assert "HclSyntaxError" not in text_of(beside)
