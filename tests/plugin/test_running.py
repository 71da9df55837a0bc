"""The suite runs alike with and without xdist and Allure, by option, environment variable and ini, and offline."""

import os
import re
from pathlib import Path

import pytest

from tests.plugin.project import (
    CONTRACT,
    INCIDENT,
    REFERENCE,
    ROOT,
    SUITE,
    Project,
    assert_not_passed,
    run_suite,
    text_of,
)

USAGE_ERROR = 4
PROD = ("--infraspec-env", "prod")


def outcomes(result: pytest.RunResult) -> set[str]:
    """Return `OUTCOME NAME` of every test, without the path that xdist shows otherwise."""
    found = re.findall(r"(PASSED|FAILED)\S* \S*::(\S+)|::(\S+) (PASSED|FAILED)", text_of(result))
    return {f"{a or d} {b or c}" for a, b, c, d in found}


def test_two_workers_give_the_same_outcomes(pytester: pytest.Pytester) -> None:
    """With -n 2 the ids and outcomes are those of a run without xdist."""
    alone = run_suite(pytester, INCIDENT, "-v")
    shared = run_suite(pytester, INCIDENT, "-v", "-n", "2")

    assert len(outcomes(alone)) > 20
    assert outcomes(alone) == outcomes(shared)
    assert "secret-access" in text_of(shared)


def test_error_of_the_input_with_workers(pytester: pytest.Pytester) -> None:
    """With -n 2 a broken contract ends the run once, before workers start."""
    result = Project({"infraspec.toml": "[project\n"}).run(pytester, "-n", "2")

    assert result.ret == 4
    assert text_of(result).count("infraspec.toml:1") == 1


def test_broken_source_with_workers(pytester: pytest.Pytester) -> None:
    """With -n 2 a syntax error is a finding, once, with its place."""
    result = Project({"a.tf": 'resource "x" {'}).run(pytester, "-n", "2")

    assert pytest.ExitCode.TESTS_FAILED == result.ret
    text = text_of(result)
    assert 1 == text.count("a.tf:1: VIOLATED source")
    assert "INTERNALERROR" not in text


@pytest.mark.parametrize("plugin", ["xdist", "allure_pytest"])
def test_without_optional_plugins(pytester: pytest.Pytester, plugin: str) -> None:
    """The suite needs neither xdist nor Allure."""
    assert_not_passed(run_suite(pytester, REFERENCE, *PROD, "-p", f"no:{plugin}"))


def test_directory_from_the_environment(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """INFRASPEC_ENV chooses the environment, and the header says so."""
    monkeypatch.setenv("INFRASPEC_ENV", "staging")
    result = run_suite(pytester, REFERENCE)

    assert_not_passed(result)
    result.stdout.fnmatch_lines(["infraspec: * (option), staging (environment variable)"])


def test_directory_from_the_ini_file(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """infraspec_dir is relative to the ini file, shown from the current directory, and gives way to INFRASPEC_DIR."""
    Project().write(pytester.path / "infra")
    pytester.makeini(
        f"[pytest]\npythonpath = {ROOT / 'plugins'}\naddopts = --import-mode=importlib\ninfraspec_dir = infra\n"
    )
    arguments = ("-c", "tox.ini", "-p", "infraspec.plugin", "-p", "no:cacheprovider", str(SUITE))
    found = pytester.runpytest_subprocess(*arguments)
    monkeypatch.setenv("INFRASPEC_DIR", str(REFERENCE))
    other = pytester.runpytest_subprocess(*arguments)

    assert_not_passed(found)
    found.stdout.fnmatch_lines(["infraspec: infra (ini), all environments (default)"])
    other.stdout.fnmatch_lines([f"infraspec: {REFERENCE} (environment variable), all environments (default)"])


def test_option_wins_over_the_environment(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """An option takes precedence over an environment variable."""
    monkeypatch.setenv("INFRASPEC_ENV", "staging")
    result = run_suite(pytester, REFERENCE, *PROD)

    result.stdout.fnmatch_lines(["infraspec: * (option), prod (option)"])


def test_users_own_rule(pytester: pytest.Pytester) -> None:
    """A test of the user's own gets the plan of each environment."""
    own = pytester.path / "test_own.py"
    own.write_text("def test_own(plan, environment):\n    assert plan.managed('aws_ecs_service'), environment\n")

    run_suite(pytester, REFERENCE, suite=own).assert_outcomes(passed=3)


def test_network_is_blocked(pytester: pytest.Pytester) -> None:
    """A static test that reaches out fails with the remedy."""
    own = pytester.path / "test_own.py"
    own.write_text("import urllib.request\n\ndef test_own(plan):\n    urllib.request.urlopen('http://127.0.0.1:9/')\n")
    result = Project().run(pytester, suite=own)

    result.assert_outcomes(failed=1)
    text = text_of(result)
    assert "the static suite does not reach the network" in text
    assert "@pytest.mark.live" in text


def test_neither_boto3_nor_moto_is_imported(pytester: pytest.Pytester) -> None:
    """The static path imports no AWS client, and nothing for terminals."""
    own = pytester.path / "test_own.py"
    names = ("boto3", "botocore", "moto", "allure", "rich")
    own.write_text(
        "import sys\n\ndef test_own(plan, task_definitions, contract):\n"
        f"    assert not [name for name in {names!r} if name in sys.modules]\n"
    )
    result = Project().run(pytester, "-p", "no:allure_pytest", "-p", "no:moto", suite=own)

    result.assert_outcomes(passed=1)


def test_secrets_do_not_show(pytester: pytest.Pytester) -> None:
    """A sensitive variable does not appear in any output, not even in a failing test's."""
    files = {
        "infraspec.toml": CONTRACT + '[names.patterns]\naws_sqs_queue = "{application}-{name}"\n',
        "q.tf": """
            variable "token" { sensitive = true }
            resource "aws_sqs_queue" "q" { name = "x-${var.token}" }
            resource "aws_db_instance" "db" {
                instance_class = "db.t4g.micro"
                password       = "hunter2"
            }
            """,
        "terraform.tfvars": 'token = "hunter2"\n',
    }
    result = Project(files).run(pytester, "-vv", "--showlocals", "--alluredir", "allure")

    assert_not_passed(result, failed=1)
    written = [path.read_text(encoding="utf-8") for path in Path(pytester.path / "allure").iterdir()]
    assert "hunter2" not in "\n".join([text_of(result), *written])


def test_run_that_is_about_something_else_imports_little(pytester: pytest.Pytester) -> None:
    """Where the plugin is installed but nothing of it is used, neither models nor evaluator are imported."""
    suite = pytester.makepyfile(
        """
        import sys

        def test_of_a_user():
            heavy = {"pydantic", "infraspec.terraform", "infraspec.contract"}
            assert not heavy & set(sys.modules)
        """
    )
    pytester.makeini("[pytest]\n")
    result = pytester.runpytest_subprocess(suite, "-p", "infraspec.plugin", "-p", "no:cacheprovider")

    result.assert_outcomes(passed=1)


@pytest.mark.parametrize("option", [("--infraspec-plan", "../x.json"), ("--infraspec-plan=../x.json",)])
def test_the_value_of_an_option_is_no_place_of_tests(pytester: pytest.Pytester, option: tuple[str, ...]) -> None:
    """pytest.ini of the directory that pytest is run in holds, with its options and paths, wherever a plan lies."""
    Project({"x.json": "{}", "infra/lib/helper.py": "NAME = 'known'\n"}).write(pytester.path)
    repository = Project(
        {
            "pytest.ini": "[pytest]\naddopts = -k named\npythonpath = lib\nmarkers =\n  mine: theirs\n",
            "test_own.py": "import helper\n\ndef test_named(pytestconfig):\n    assert pytestconfig.inipath\n\n"
            "def test_other(): pass\n",
        }
    ).write(pytester.path / "infra")
    pytester.makeini(f"[pytest]\npythonpath = {ROOT / 'plugins'}\n")
    pytester.chdir()
    os.chdir(repository)
    result = pytester.runpytest_subprocess("-p", "no:cacheprovider", *option)

    result.assert_outcomes(passed=1, deselected=1)
    assert "configfile: pytest.ini" in result.outlines
    assert str(repository) in text_of(result)
