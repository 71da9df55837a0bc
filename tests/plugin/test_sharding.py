"""A run over several machines: by a matrix whose results are merged, and by gateways of execnet."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infraspec.pytest_plugin.scheduling import EnvironmentScheduling
from tests.plugin.project import CONTRACT, INCIDENT, ROOT, SUITE, Project, run_suite, text_of


def test_matrix_by_environment(pytester: pytest.Pytester) -> None:
    """The results of one job per environment, merged, are those of one run, and the report is the same."""
    names = ("dev", "staging", "prod")
    for name in names:
        run_suite(pytester, INCIDENT, "--infraspec-env", name, "--infraspec-results", f"{name}.json")
    run_suite(pytester, INCIDENT, "--infraspec-results", "whole.json")
    files = [f"{name}.json" for name in names]
    merged = report(pytester.path, "merge", *files)
    (pytester.path / "merged.json").write_text(merged, encoding="utf-8")

    assert without_time(merged) == without_time((pytester.path / "whole.json").read_text(encoding="utf-8"))
    assert report(pytester.path, "comment", "merged.json") == report(pytester.path, "comment", "whole.json")


NAMES = ["eu", "eu-prod", "prod", "qa", "uat"]


@pytest.mark.parametrize(
    ("test", "scope"),
    [
        ("t.py::test_names[prod]", "prod"),
        ("t.py::test_names[eu-prod]", "eu-prod"),
        ("t.py::test_own[eu-aws_iam_role.x]", "eu"),
        ("t.py::test_own[x-qa-y]", "qa"),
        ("t.py::test_own[production]", "t.py::test_own[production]"),
        ("t.py::test_owners", "t.py::test_owners"),
    ],
)
def test_tests_of_one_environment_run_together(monkeypatch: pytest.MonkeyPatch, test: str, scope: str) -> None:
    """Where workers share the environments, the tests of one run in one worker, and the others where there is time."""
    scheduling = EnvironmentScheduling.__new__(EnvironmentScheduling)
    monkeypatch.setattr(scheduling, "_names", frozenset(NAMES), raising=False)

    assert scope == scheduling._split_scope(test)


def test_environments_that_are_done_are_counted_no_more(
    monkeypatch: pytest.MonkeyPatch, pytestconfig: pytest.Config
) -> None:
    """What is counted after each test of a worker does not grow with the environments that it is done with."""
    names = [f"e{number}" for number in range(50)]
    tests = [f"t.py::test_{rule}[{name}]" for name in names for rule in ("names", "tags")]
    worker = Worker()
    monkeypatch.setattr(pytestconfig.option, "tx", ["popen"])
    scheduling = EnvironmentScheduling(pytestconfig, None, names)
    scheduling.add_node(worker)
    scheduling.add_node_collection(worker, tests)
    scheduling.schedule()
    counted = []
    while worker.given:
        scheduling.mark_test_complete(worker, worker.given.pop(0))
        counted.append(len(scheduling.assigned_work[worker]))
        if not scheduling.workqueue:
            break
    assert max(counted) <= 3
    assert worker.sent == list(range(len(tests)))


class Worker:
    """A worker of xdist that keeps the places of the tests it is given."""

    gateway = SimpleNamespace(id="gw0")
    shutting_down = False

    def __init__(self) -> None:
        self.given: list[int] = []
        self.sent: list[int] = []

    def send_runtest_some(self, places: list[int]) -> None:
        """Take tests."""
        self.given += places
        self.sent += places

    def shutdown(self) -> None:
        """End when all is done."""


def test_a_rule_without_its_table_is_one_skipped_test(pytester: pytest.Pytester) -> None:
    """What the contract does not ask for is told once, not in each environment, by each way to run a part of them."""
    extra = "".join(f'\n[environments.{name}]\nroot = "{name}"\n' for name in NAMES)
    roots = {f"{name}/main.tf": 'resource "aws_sqs_queue" "q" {}\n' for name in NAMES}
    project = Project({"infraspec.toml": CONTRACT + 'root = "uat"\n' + extra, **roots})
    directory = project.write(pytester.path / "whole")
    for arguments in ((), ("-n", "2"), ("--infraspec-shard", "1/2"), ("--infraspec-env", "qa")):
        run_suite(pytester, directory, *arguments, "--infraspec-results", "found.json")
        skipped = json.loads((pytester.path / "found.json").read_text("utf-8"))["skipped"]
        assert [("repository", "the contract has no [alarms]")] == [
            (row["environment"], row["reason"]) for row in skipped if "test_alarms[" in row["test"]
        ]
    run_suite(pytester, directory, "--infraspec-shard", "2/2", "--infraspec-results", "found.json")
    skipped = json.loads((pytester.path / "found.json").read_text("utf-8"))["skipped"]
    assert not [row for row in skipped if "test_alarms[" in row["test"]]


def test_many_environments_are_shared_by_workers(pytester: pytest.Pytester) -> None:
    """Workers that read an environment each give the results of one process; one that is broken is told of once."""
    extra = "".join(f'\n[environments.{name}]\nroot = "{name}"\n' for name in NAMES)
    roots = {f"{name}/main.tf": f'resource "aws_sqs_queue" "q" {{\n  name = "{name}"\n}}\n' for name in NAMES}
    project = Project({"infraspec.toml": CONTRACT + 'root = "uat"\n' + extra, **roots})
    directory = project.write(pytester.path / "whole")
    for arguments in (
        ("-p", "no:xdist", "--infraspec-results", "one.json"),
        ("-n", "2", "--infraspec-results", "two.json"),
    ):
        run_suite(pytester, directory, *arguments)
    texts = [(pytester.path / name).read_text(encoding="utf-8") for name in ("one.json", "two.json")]
    assert without_time(texts[0]) == without_time(texts[1])

    (directory / "qa" / "main.tf").unlink()
    contract = directory / "infraspec.toml"
    contract.write_text(contract.read_text("utf-8").replace('root = "qa"', 'plan = "qa/plan.json"'), "utf-8")
    (directory / "qa" / "plan.json").write_text("{", "utf-8")
    result = run_suite(pytester, directory, "-n", "2", "-rs")

    assert 1 == result.ret
    assert {"errors": 1}.items() <= result.parseoutcomes().items()
    assert "qa cannot be read: another test says why" in text_of(result)


@pytest.fixture
def package(pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the name of the suite's package, which every machine has, as it has the infrastructure repository."""
    shutil.copytree(SUITE, pytester.path / "site" / "shop_suite")
    paths = [str(pytester.path / "site"), str(ROOT / "plugins"), *sys.path]
    monkeypatch.setenv("INFRASPEC_DIR", str(INCIDENT))
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, paths)))
    return "shop_suite"


@pytest.fixture
def socket_server(package: str, tmp_path: Path) -> Iterator[str]:
    """Return the address of an execnet server, as another machine would run it."""
    command = [sys.executable, "-u", "-m", "execnet.script.socketserver", "127.0.0.1:0"]
    with subprocess.Popen(
        command, cwd=tmp_path, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as process:
        try:
            assert process.stdout is not None
            said = (re.search(r"Accept loop \('127.0.0.1', (\d+)\)", line) for line in process.stdout)
            yield f"127.0.0.1:{next(found for found in said if found)[1]}"
        finally:
            process.kill()


def test_two_gateways(pytester: pytest.Pytester, package: str, socket_server: str) -> None:
    """Two machines reached by gateways give the results of one."""
    whole = ("--pyargs", package, "--infraspec-results")
    gateways = ("--dist", "load", "--tx", "popen", "--tx", f"socket={socket_server}//id=remote//chdir={pytester.path}")
    options = ("-v", "-p", "infraspec.plugin", "-p", "no:cacheprovider")
    pytester.runpytest_subprocess(*options, *whole, "whole.json", timeout=60)
    text = text_of(pytester.runpytest_subprocess(*options, *gateways, *whole, "shared.json", timeout=60))

    assert {"gw0", "remote"} <= set(re.findall(r"^\[(\w+)\] .*(?:PASSED|FAILED|SKIPPED)", text, re.MULTILINE)), text
    texts = [(pytester.path / name).read_text(encoding="utf-8") for name in ("whole.json", "shared.json")]
    assert without_time(texts[0]) == without_time(texts[1])


def without_time(text: str) -> Any:
    """Return a results file's content but for when the run was and how long it took."""
    content = json.loads(text)
    return content | {"run": {name: value for name, value in content["run"].items() if name not in ("time", "seconds")}}


def report(directory: Path, *arguments: str) -> str:
    """Run `infraspec report` and return what it prints."""
    command = [sys.executable, "-m", "infraspec", "report", *arguments]
    return subprocess.run(command, cwd=directory, check=True, capture_output=True, text=True, encoding="utf-8").stdout
