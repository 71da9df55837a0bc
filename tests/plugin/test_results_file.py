"""The results file: what a run writes for `infraspec report`, and what never stands in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest
from jsonschema import Draft202012Validator

from infraspec.reporting.run.results import schema
from tests.plugin.project import CONTRACT, INCIDENT, Project, run_suite, text_of
from tests.plugin.test_outcomes import NOT_ALLOWED, REGISTRY, WAIVER
from tests.plugin.test_plan_review import PLAN, TABLE

FILE = ("--infraspec-results", "out/results.json")


@pytest.fixture(autouse=True)
def _no_ci(monkeypatch: pytest.MonkeyPatch) -> None:
    """Take away what a CI system of our own would say."""
    for name in ("GITHUB_EVENT_PATH", "GITHUB_SHA", "CI_COMMIT_SHA", "GIT_COMMIT", "INFRASPEC_LABELS"):
        monkeypatch.delenv(name, raising=False)


def results(pytester: pytest.Pytester, name: str = "out/results.json") -> dict[str, Any]:
    """Return the results file of a run, which has to be valid."""
    data: dict[str, Any] = json.loads((pytester.path / name).read_text(encoding="utf-8"))
    Draft202012Validator(schema()).validate(data)
    return data


def unproven(data: Mapping[str, Any]) -> list[dict[str, Any]]:
    """Return the entries of a results file but for proofs."""
    return [entry for entry in data["findings"] if entry["state"] != "proven"]


def test_proofs_say_what_they_rest_on(pytester: pytest.Pytester) -> None:
    """Each proof of access is in the file with what it rests on, and a run says once what none of them looks at."""
    shown = run_suite(pytester, INCIDENT, *FILE, "-k", "secret_access").stdout.str()
    proofs = [entry["finding"] for entry in results(pytester)["findings"] if entry["state"] == "proven"]
    lines = shown.splitlines()
    titles = [at for at, line in enumerate(lines) if line.startswith("unseen ")]

    assert any(one["rests_on"] and one["unseen"] for one in proofs)
    assert ["unseen   Not covered by PROVEN:"] == [lines[at] for at in titles]
    below = "         the service control and resource control policies of the organization"
    assert below == lines[titles[0] + 1].rstrip(";")


def test_a_run_writes_what_it_has_found(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """Environments, commit, counts, and the finding with all its fields, places relative to the repository."""
    monkeypatch.setenv("GITHUB_SHA", "a" * 40)
    run_suite(pytester, INCIDENT, *FILE)
    data = results(pytester)
    finding = unproven(data)[0]

    assert ["dev", "staging", "prod"] == data["run"]["environments"]
    assert ("a" * 40, "daily-report-tool", True) == tuple(
        data["run"][name] for name in ("commit", "application", "complete")
    )
    assert ["dev", "staging", "prod"] == [entry["environment"] for entry in unproven(data)]
    assert ("failing", None) == (finding["state"], finding["waiver"])
    assert ("secret-access", "violated") == (finding["finding"]["rule"], finding["finding"]["verdict"])
    assert {"file": "fixtures/incident-v16/terraform/modules/ecs/main.tf", "line": 80} == finding["finding"]["location"]
    assert ["advice", "rests_on", "unseen", "also"] == [name for name, value in finding["finding"].items() if not value]
    assert {
        "environment": "prod",
        "rule": "secret-access",
        "proven": 14,
        "violated": 1,
        "undetermined": 0,
        "waived": 0,
        "known": 0,
    } in data["counts"]
    assert any("no plan file is given" in skipped["reason"] for skipped in data["skipped"])


def test_workers_make_no_difference(pytester: pytest.Pytester) -> None:
    """With two workers the file is the same byte for byte, but for the times; and no path in it is absolute."""
    run_suite(pytester, INCIDENT, "--infraspec-results", "alone.json", "--infraspec-env", "dev,prod")
    run_suite(pytester, INCIDENT, "--infraspec-results", "shared.json", "--infraspec-env", "dev,prod", "-n", "2")
    texts = [(pytester.path / name).read_text(encoding="utf-8").splitlines() for name in ("alone.json", "shared.json")]
    alone, shared = ([line for line in text if not re.search('"(time|seconds)"', line)] for text in texts)

    assert len(texts[0]) - 2 == len(alone)
    assert alone == shared
    assert str(INCIDENT.parents[1]) not in "\n".join(alone)


@pytest.mark.parametrize("below", [".", "service/infra"])
def test_paths_begin_at_the_repository(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch, below: str) -> None:
    """Wherever the run starts, places are relative to the root of the git repository, texts too."""
    repository = pytester.mkdir("repository")
    subprocess.run(["git", "init", "--quiet", str(repository)], check=True)
    infra = Project({"main.tf": 'module "m" {\n  source = "./../m"\n}\n'}, base=None).write(repository / below / "env")
    module = Project({"main.tf": NOT_ALLOWED}, base=None).write(infra.parent / "m")
    (infra / "infraspec.toml").write_text(CONTRACT + '[names.patterns]\naws_ecs_task_definition = "x"\n')
    monkeypatch.chdir(infra)
    run_suite(pytester, Path(), "--infraspec-results", str(pytester.path / "results.json"), "--rootdir", str(infra))
    data = results(pytester, "results.json")

    files = {entry["finding"]["location"]["file"] for entry in data["findings"]}
    assert {(module / "main.tf").relative_to(repository).as_posix()} == files
    assert str(repository) not in json.dumps(data)


def test_waived_and_lapsed_findings(pytester: pytest.Pytester) -> None:
    """A finding has the waiver that waives it, or the one that no longer does."""
    for expires, state in (("2999-12-31", "waived"), ("2020-01-31", "failing")):
        Project({"main.tf": NOT_ALLOWED, "infraspec.toml": CONTRACT + WAIVER.format(expires=expires)}).run(
            pytester, *FILE
        )
        (entry,) = unproven(results(pytester))
        expected = {"reason": "the policy follows", "owner": "platform-team", "expires": expires}
        assert (state, expected) == (entry["state"], entry["waiver"])


def test_doubts_that_warn(pytester: pytest.Pytester) -> None:
    """What is undetermined and only warned of is in the file too."""
    contract = CONTRACT + '[suite]\nundetermined = "warn"\n'
    Project({"main.tf": REGISTRY, "infraspec.toml": contract}).run(pytester, *FILE)
    (entry,) = unproven(results(pytester))

    assert ("warning", "undetermined") == (entry["state"], entry["finding"]["verdict"])


def test_changes_of_a_plan(pytester: pytest.Pytester) -> None:
    """Each change of a plan is in the file, those that are no risk too, and so is the plan's name."""
    plan = json.loads(PLAN)
    created = {**plan["resource_changes"][0], "address": "aws_sqs_queue.new"}
    del created["action_reason"]
    created["change"] = {"actions": ["create"], "before": None, "after": {"name": "new"}, "after_unknown": {}}
    plan["resource_changes"].append(created)
    contract = CONTRACT + 'plan = "plan.json"\n' + TABLE
    Project({"infraspec.toml": contract, "plan.json": json.dumps(plan)}).run(pytester, *FILE, "-k", "plan_review")
    data = results(pytester)
    found = {entry["finding"]["address"]: (entry["state"], entry["finding"]["found"]) for entry in data["findings"]}

    assert {"aws_sqs_queue.jobs": ("failing", "destroy"), "aws_sqs_queue.new": ("proven", "create")} == found
    assert [{"environment": "dev", "file": "plan.json"}] == data["run"]["plans"]
    assert data["run"]["complete"] is False


def test_tests_without_a_verdict(pytester: pytest.Pytester) -> None:
    """A broken test and a failed assertion are there; the message of a foreign error is not."""
    own = pytester.path / "test_own.py"
    own.write_text(
        "def test_assertion(plan):\n    assert False, 'queue without owner'\n"
        "def test_foreign(plan):\n    raise ValueError('hunter2')\n"
        "def test_empty(assert_proven, plan):\n    assert_proven('mine', [])\n"
        "def test_unrelated():\n    assert 0\n"
    )
    Project().run(pytester, *FILE, suite=own)
    found = {problem["test"]: problem for problem in results(pytester)["problems"]}

    assert {
        "test_own.py::test_assertion[dev]",
        "test_own.py::test_foreign[dev]",
        "test_own.py::test_empty[dev]",
    } == set(found)
    assertion, foreign, empty = (found[f"test_own.py::test_{name}[dev]"] for name in ("assertion", "foreign", "empty"))
    assert ("failed", "AssertionError") == (assertion["kind"], assertion["error"])
    assert "queue without owner" == assertion["message"]
    assert ("broken", "ValueError", "") == (foreign["kind"], foreign["error"], foreign["message"])
    assert ("broken", "EmptySelectionError") == (empty["kind"], empty["error"])
    assert "matched nothing" in empty["message"]


def test_an_own_test_that_fails_leaves_no_values(pytester: pytest.Pytester) -> None:
    """Nothing of its locals, and of what it compares, raises, prints and logs, is in the results or in Allure's."""
    own = pytester.path / "test_own.py"
    own.write_text(
        "import logging, sys\n"
        "def values(plan):\n"
        "    local = 'hunter' + '2'\n"
        "    print(local)\n"
        "    print(local, file=sys.stderr)\n"
        "    logging.getLogger().error(local)\n"
        "    return local\n"
        "def test_compared(plan):\n    assert values(plan) == 'other'\n"
        "def test_told(plan):\n    assert values(plan) == 'other', 'the value is wrong'\n"
        "def test_of_lists(plan):\n    assert [values(plan)] * 3 == ['other'], 'lists\\nin two lines'\n"
        "def test_foreign(plan):\n    raise KeyError(values(plan))\n"
        "def test_exit(plan):\n    raise SystemExit(values(plan))\n"
    )
    Project().run(pytester, *FILE, "-l", "--log-level=DEBUG", "--alluredir", "allure", suite=own)
    found = {problem["test"].partition("::")[2]: problem["message"] for problem in results(pytester)["problems"]}
    written = [path.read_text(encoding="utf-8") for path in (pytester.path / "allure").iterdir()]

    assert {
        "test_compared[dev]": "",
        "test_told[dev]": "the value is wrong",
        "test_of_lists[dev]": "lists\n  in two lines",
        "test_foreign[dev]": "",
        "test_exit[dev]": "",
    } == found
    assert "hunter2" not in "".join([*written, (pytester.path / "out/results.json").read_text(encoding="utf-8")])


def test_an_error_of_the_input_is_a_result(pytester: pytest.Pytester) -> None:
    """A run that cannot begin leaves its error, in place of the results of the run before."""
    Project().run(pytester, *FILE)
    Project({"infraspec.toml": CONTRACT + 'regoin = "x"\n'}).run(pytester, *FILE)
    data = results(pytester)

    assert ([], False) == (data["counts"], data["run"]["complete"])
    assert "ContractError" == data["problems"][0]["error"]
    assert "infraspec.toml:8" in data["problems"][0]["message"]

    Project({"infraspec.toml": CONTRACT, "a.tf": 'resource "x" {'}).run(pytester, *FILE)
    (finding,) = (one for one in unproven(results(pytester)) if one["finding"]["rule"] == "source")
    assert ("violated", {"file": "a.tf", "line": 1}) == (
        finding["finding"]["verdict"],
        finding["finding"]["location"],
    )


def test_a_place_that_cannot_be_written_to(pytester: pytest.Pytester) -> None:
    """The run ends before its tests, with the place."""
    (pytester.path / "out").write_text("")
    result = Project().run(pytester, *FILE)

    assert 4 == result.ret
    assert "ReportError: --infraspec-results out/results.json" in text_of(result)
    assert "Traceback" not in text_of(result)


@pytest.mark.parametrize("option", ["--infraspec-results", "--alluredir"])
def test_what_is_no_file_is_left_as_it_is(pytester: pytest.Pytester, option: str) -> None:
    """A pipe, a device or a file in the place of a folder is an error, with no traceback, and is not taken away."""
    os.mkfifo(pipe := pytester.path / "pipe")
    place = pipe if option == "--infraspec-results" else pipe / "allure"
    text = text_of(result := Project({"infraspec.toml": CONTRACT}).run(pytester, option, str(place)))

    assert pytest.ExitCode.USAGE_ERROR == result.ret
    assert f"ReportError: {option} {place}: the results" in text
    assert "remedy:   choose another place" in text
    assert "Traceback" not in text
    assert pipe.is_fifo()


def test_secrets_are_in_no_results(pytester: pytest.Pytester) -> None:
    """A sensitive variable and a password do not appear in the file, nor in JUnit XML."""
    files = {
        "infraspec.toml": CONTRACT + '[names.patterns]\naws_sqs_queue = "{application}-{name}"\n',
        "q.tf": """
            variable "token" { sensitive = true }
            resource "aws_sqs_queue" "q" { name = "x-${var.token}" }
            resource "aws_db_instance" "db" { password = "hunter2" }
            """,
        "terraform.tfvars": 'token = "hunter2"\n',
    }
    Project(files).run(pytester, *FILE, "--junitxml", "junit.xml")
    texts = [(pytester.path / name).read_text(encoding="utf-8") for name in ("out/results.json", "junit.xml")]

    assert results(pytester)["findings"]
    assert "hunter2" not in "\n".join(texts)


def test_numbers_are_properties_in_junit_xml(pytester: pytest.Pytester) -> None:
    """A test case has its rule, its environment and its counts, and nothing else."""
    Project({"main.tf": NOT_ALLOWED}).run(pytester, "--junitxml", "junit.xml", "-k", "secret_access")
    root = ET.fromstring((pytester.path / "junit.xml").read_text(encoding="utf-8"))  # noqa: S314 - our own file
    properties = {item.get("name"): item.get("value") for item in root.iter("property")}
    numbers = {"proven": "4", "violated": "1", "undetermined": "0", "waived": "0", "known": "0"}

    assert {"infraspec.rule": "secret-access", "infraspec.environment": "dev"} == {
        name: value for name, value in properties.items() if name and name.rpartition(".")[2] not in numbers
    }
    assert set(numbers) == {name.rpartition(".")[2] for name in properties if name} - {"rule", "environment"}
    assert ("1", "0") == (properties["infraspec.violated"], properties["infraspec.waived"])


def test_what_is_moved(pytester: pytest.Pytester) -> None:
    """Addresses before and after are in the file, so that findings can be followed over runs."""
    block = "moved {\n  from = aws_sqs_queue.a\n  to   = aws_sqs_queue.c\n}\n"
    Project({"main.tf": 'resource "aws_sqs_queue" "c" {\n}\n', "moves.tf": block}).run(pytester, "-k", "names", *FILE)

    assert [{"environment": "dev", "before": "aws_sqs_queue.a", "after": "aws_sqs_queue.c"}] == results(pytester)[
        "moves"
    ]


OWN = """
import pytest

def test_static(plan):
    pass

@pytest.mark.live
def test_live(environment):
    pass
"""


@pytest.mark.parametrize(("option", "suite"), [("-n1", "live"), ("-ktest_static", "static")])
def test_the_suite_and_its_time(pytester: pytest.Pytester, option: str, suite: str) -> None:
    """A run is of the live suite if a test of it is marked so, with xdist too."""
    own = pytester.makepyfile(test_own=OWN)
    Project().run(pytester, *FILE, option, suite=own)
    run = results(pytester)["run"]

    assert suite == run["suite"]
    assert run["seconds"] > 0
