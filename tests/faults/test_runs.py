"""A run of the live suite whose AWS, worker or disk fails has no false verdict, and leaves nothing behind."""

from __future__ import annotations

import json
import os
import re
import socket
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest

from tests.faults.proxy import Proxy
from tests.plugin.project import CONTRACT, REFERENCE, ROOT, Project, run_suite, text_of
from tests.samples import some

SUITE = ROOT / "tests_live"
FILE = ("--infraspec-results", "out/results.json")
SMALL = Project({"infraspec.toml": CONTRACT})
HEAD = """
import os, pytest, signal

pytestmark = pytest.mark.live

"""


def _results(pytester: pytest.Pytester) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((pytester.path / "out/results.json").read_text())
    return found


def _own(pytester: pytest.Pytester, text: str) -> Path:
    path = pytester.path / "test_own.py"
    path.write_text(HEAD + text)
    return path


def _production(pytester: pytest.Pytester, variables: Mapping[str, str]) -> Path:
    """Return the reference infrastructure whose production the sandbox of the session plays, as that is asked."""
    for name, value in variables.items():
        pytester._monkeypatch.setenv(name, value)
    pytester._monkeypatch.setenv("TF_VAR_pager_integration_key", "sandbox-pager_integration_key")
    pytester._monkeypatch.setenv("PYTHONPATH", str(ROOT))
    text = (REFERENCE / "infraspec.toml").read_text()
    return Project({"infraspec.toml": text + '\n[sandbox]\nenvironment = "prod"\n'}, REFERENCE).write(
        pytester.path / "infra"
    )


def test_passing_faults(pytester: pytest.Pytester, faulty: Proxy, variables: Mapping[str, str]) -> None:
    """A suite each of whose questions is disturbed at first has proven everything, as without that."""
    infra = _production(pytester, variables)
    faulty.fault, faulty.times = "any", 1
    result = run_suite(pytester, infra, *FILE, "-p", "tests.faults.unhurried", suite=SUITE)
    counts = _results(pytester)["counts"]

    assert {"passed", "skipped"} == set(result.parseoutcomes())
    assert 0 == sum(count["violated"] + count["undetermined"] for count in counts)
    assert all(count["proven"] for count in counts)
    assert min(faulty.asked.values()) > 1


@pytest.mark.parametrize("fault", some(["expired", "cut"], 2))
def test_lasting_fault_of_a_service(
    pytester: pytest.Pytester, faulty: Proxy, variables: Mapping[str, str], fault: str
) -> None:
    """Tests that need what cannot be asked are broken, with the cause; no rule has a finding that fails."""
    infra = _production(pytester, variables)
    faulty.fault, faulty.times = fault, float("inf")
    faulty.operations = frozenset({"DescribeServices", "DescribeLogGroups", "GetRolePolicy", "DescribeDBInstances"})
    result = run_suite(pytester, infra, *FILE, "-p", "tests.faults.unhurried", suite=SUITE)
    data = _results(pytester)

    assert 1 == result.ret
    assert "Traceback" not in text_of(result)
    assert data["problems"]
    assert {"CredentialsError" if fault == "expired" else "AwsError"} == {one["error"] for one in data["problems"]}
    assert all(re.match(r"\w+\.\w+ in ", one["message"]) for one in data["problems"])
    assert 0 == sum(count["violated"] for count in data["counts"])


def test_sandbox_that_is_stopped(pytester: pytest.Pytester) -> None:
    """A run whose sandbox ends before it does says so, has no verdict about what it could not ask, and ends."""
    own = _own(
        pytester,
        "import json, urllib.request\n\n"
        "def test_before(snapshot):\n"
        "    snapshot.ask('ecs', 'list_clusters')\n"
        "    answer = urllib.request.urlopen(os.environ['AWS_ENDPOINT_URL'] + '/infraspec-sandbox').read()\n"
        "    os.kill(json.loads(answer)['pid'], signal.SIGKILL)\n\n"
        "@pytest.mark.parametrize('service, operation', [('iam', 'list_roles'), ('ec2', 'describe_vpcs')])\n"
        "def test_after(snapshot, service, operation):\n"
        "    snapshot.ask(service, operation)\n",
    )
    pytester._monkeypatch.setenv("PYTHONPATH", str(ROOT))
    result = SMALL.run(pytester, "--infraspec-live", *FILE, "-p", "tests.faults.unhurried", suite=own)

    result.assert_outcomes(passed=1, failed=2)
    assert "SandboxError: http://127.0.0.1:" in text_of(result)
    assert "the sandbox is not running any more" in text_of(result)
    assert "Traceback" not in text_of(result)
    assert ["AwsError", "AwsError", "SandboxError"] == sorted(one["error"] for one in _results(pytester)["problems"])


def test_worker_that_is_killed(pytester: pytest.Pytester) -> None:
    """The test that a worker was killed in is broken in the results; no file is half there, and nothing runs on."""
    temporary = pytester.mkdir("temporary")
    pytester._monkeypatch.setenv("TMPDIR", str(temporary))
    own = _own(
        pytester,
        "@pytest.mark.parametrize('number', range(4))\n"
        "def test_one(snapshot, pytestconfig, number):\n"
        "    (pytestconfig.rootpath / f'{os.getpid()}.pid').write_text(os.environ['AWS_ENDPOINT_URL'])\n"
        "    snapshot.ask('ecs', 'list_clusters')\n"
        "    if number == 1:\n"
        "        os.kill(os.getpid(), signal.SIGKILL)\n",
    )
    result = SMALL.run(pytester, "--infraspec-live", *FILE, "-n", "2", "--alluredir", "allure", suite=own)

    result.assert_outcomes(passed=3, failed=1)
    (problem,) = _results(pytester)["problems"]
    assert ("broken", "WorkerEndedError") == (problem["kind"], problem["error"])
    assert problem["test"] in {"test_own.py::test_one[local-1]", "test_own.py::test_one[1-local]"}
    files = list((pytester.path / "allure").iterdir())
    assert {".json", ".properties"} == {path.suffix for path in files}
    assert all(json.loads(path.read_text()) for path in files if path.suffix == ".json")
    assert [] == [path.name for path in temporary.glob("infraspec-*")]
    pids = {int(path.stem): path.read_text() for path in pytester.path.glob("*.pid")}
    assert all(_is_gone(pid) for pid in pids)
    assert all(_is_free(int(endpoint.rpartition(":")[2])) for endpoint in pids.values())


def test_results_that_cannot_be_written(pytester: pytest.Pytester) -> None:
    """A run that cannot leave its results says why without a traceback, and is no success."""
    own = _own(
        pytester,
        "def test_one(snapshot, pytestconfig):\n"
        "    (pytestconfig.rootpath / 'out').rename(pytestconfig.rootpath / 'elsewhere')\n",
    )
    result = SMALL.run(pytester, "--infraspec-live", *FILE, suite=own)

    assert 4 == result.ret
    result.assert_outcomes(passed=1)
    assert "ReportError: --infraspec-results out/results.json: the results cannot be written" in text_of(result)
    assert "Traceback" not in text_of(result)


@pytest.mark.parametrize("workers", [(), ("-n", "1")], ids=["alone", "worker"])
def test_full_disk(tmp_path: Path, workers: tuple[str, ...]) -> None:
    """A run whose files cannot grow keeps its verdicts, says that Allure's results miss some, and has no half ones."""
    infra = SMALL.write(tmp_path / "infra")
    (tmp_path / "pytest.ini").write_text("[pytest]\n")
    (tmp_path / "test_own.py").write_text(
        "import resource, pytest\n\n"
        "@pytest.mark.parametrize('number', range(3))\n"
        "def test_one(environment, number):\n"
        "    if number == 1:\n"
        "        resource.setrlimit(resource.RLIMIT_FSIZE, (200, resource.RLIM_INFINITY))\n"
    )
    plugins = ("-p", "infraspec.plugin", "-p", "no:cacheprovider", "-s", *workers)
    options = ("--infraspec-dir", str(infra), "--alluredir", "allure")
    result = subprocess.run(
        [sys.executable, "-m", "pytest", "test_own.py", *plugins, *options],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugins")},
        capture_output=True,
        text=True,
        check=False,
    )

    assert 4 == result.returncode
    assert "3 passed" in result.stdout
    assert "ReportError: --alluredir " in result.stdout
    assert "found:    File too large" in result.stdout
    assert "Traceback" not in result.stdout + result.stderr
    assert [] == list((tmp_path / "allure").glob("*.tmp"))


def _is_gone(pid: int) -> bool:
    """Tell whether a process is no more; what is killed takes a moment to be gone."""
    for _ in range(100):
        try:
            os.kill(pid, 0)
        except ProcessLookupError:
            return True
        time.sleep(0.05)
    return False


def _is_free(port: int) -> bool:
    for _ in range(100):
        with socket.socket() as probe:
            if probe.connect_ex(("127.0.0.1", port)):
                return True
        time.sleep(0.05)
    return False
