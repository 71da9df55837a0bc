"""Errors of the input end the run with a message: place, what was expected, remedy; never a traceback."""

import pytest

from tests.plugin.project import CONTRACT, Project, assert_not_passed, text_of

USAGE_ERROR = 4

CASES = {
    "no contract": ({"infraspec.toml": ""}, (), ["infraspec.toml"]),
    "invalid TOML": ({"infraspec.toml": "[project\n"}, (), ["infraspec.toml:1", "TOML"]),
    "unknown key": ({"infraspec.toml": CONTRACT + 'regoin = "x"\n'}, (), ["infraspec.toml:8", "region"]),
    "unknown environment": ({}, ("--infraspec-env", "prd"), ["prd", "dev"]),
    "missing root": ({"infraspec.toml": CONTRACT + 'root = "nowhere"\n'}, (), ["nowhere"]),
    "syntax errors of two files": (
        {"a.tf": 'resource "x" {', "b.tf": "locals {\n  a = [1,\n}\n"},
        (),
        ["a.tf:1", "b.tf:", "^"],
    ),
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
    "for_each of a list": (
        {"q.tf": 'resource "aws_sqs_queue" "q" {\n  for_each = ["a"]\n}\n'},
        (),
        ["q.tf:2", "toset"],
    ),
    "module that calls itself": ({"m.tf": 'module "m" {\n  source = "./"\n}\n'}, (), ["m.tf:2", "module.m"]),
    "waiver without a day": (
        {
            "infraspec.toml": CONTRACT
            + '[[waivers]]\nrule = "names"\naddress = "*"\nreason = "r"\nowner = "o"\nexpires = "soon"\n'
        },
        (),
        ["infraspec.toml:13"],
    ),
    "broken task definition file": (
        {"infraspec.toml": CONTRACT + 'task_definitions = ["td.json"]\n', "td.json": '{"family": "x",'},
        (),
        ["td.json:1"],
    ),
}


@pytest.mark.parametrize(("files", "arguments", "fragments"), CASES.values(), ids=CASES)
def test_input_error(
    pytester: pytest.Pytester, files: dict[str, str], arguments: tuple[str, ...], fragments: list[str]
) -> None:
    """The run ends with exit code 4 and a message that names the place."""
    result = Project(files).run(pytester, *arguments)

    assert result.ret == USAGE_ERROR
    text = text_of(result)
    for fragment in fragments:
        assert fragment in text
    assert "Traceback" not in text
    assert "INTERNALERROR" not in text


def test_missing_contract_shows_the_six_lines(pytester: pytest.Pytester) -> None:
    """A folder without a contract gets the contract to begin with."""
    result = Project({"README.md": ""}, base=None).run(pytester)

    assert result.ret == USAGE_ERROR
    assert "[environments." in text_of(result)


@pytest.mark.parametrize(
    "attribute",
    ["local.a", "aws_sqs_queue.q.name", 'file("/etc/hostname")', "nosuch.reference.here"],
    ids=["cycle in locals", "self reference", "file outside the root", "undeclared"],
)
def test_error_of_an_attribute_that_a_check_reads(pytester: pytest.Pytester, attribute: str) -> None:
    """An attribute that has no value fails the check that reads it, with its place and no traceback."""
    files = {
        "infraspec.toml": CONTRACT + '[names.patterns]\naws_sqs_queue = "{application}-{name}"\n',
        "l.tf": "locals {\n  a = local.b\n  b = local.a\n}\n",
        "q.tf": f'resource "aws_sqs_queue" "q" {{\n  name = {attribute}\n}}\n',
    }
    result = Project(files).run(pytester)

    assert_not_passed(result, failed=1)
    text = text_of(result)
    assert ".tf:2" in text
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
