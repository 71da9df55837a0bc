"""What a peer of the sandbox does otherwise than AWS is a skip where it is declared, a failure elsewhere."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from tests.plugin.project import CONTRACT, ROOT, Project, text_of
from tools.peer import command
from tools.peer.gaps import Gap, Gaps

USAGE_ERROR = 4
FILES = [Path(command.__file__).with_name(f"{name}.toml") for name in command.EMULATORS]
TAGS = Gap("it lists no alarms", rule="tags", types=("aws_cloudwatch_metric_alarm",))
QUERIES = Gap("it loses queries", rule="alarm-state", subject="configuration", found="no query")
SCALING = Gap("it has no such service", operation="application-autoscaling.describe_scalable_targets")
PEER = (TAGS, QUERIES, SCALING)


def _finding(rule: str, address: str, subject: str = "", found: str = "", state: str = "failing") -> dict[str, Any]:
    return {"state": state, "finding": {"rule": rule, "address": address, "subject": subject, "found": found}}


def _left(*findings: dict[str, Any], problem: dict[str, str] | None = None) -> dict[str, Any]:
    return {"records": [{"findings": list(findings)}], "problem": problem}


def _problem(error: str, operation: str) -> dict[str, str]:
    return {"error": error, "message": f"{operation} in eu-west-1: AWS did not answer"}


ALARM = 'module.monitoring.aws_cloudwatch_metric_alarm.utilization["cpu"]'
BY_GAPS: dict[str, tuple[dict[str, Any], list[Gap]]] = {
    "type": (_left(_finding("tags", ALARM)), [TAGS]),
    "warning": (_left(_finding("tags", ALARM, state="warning")), [TAGS]),
    "subject": (_left(_finding("alarm-state", ALARM, "configuration", "a\nno query b")), [QUERIES]),
    "several": (_left(_finding("tags", ALARM), _finding("tags", ALARM)), [TAGS, TAGS]),
    "waived beside": (_left(_finding("tags", ALARM), _finding("names", "aws_vpc.a", state="waived")), [TAGS]),
    "operation": (
        _left(problem=_problem("AwsError", "application-autoscaling.describe_scalable_targets")),
        [SCALING],
    ),
}
FAULTS: dict[str, dict[str, Any]] = {
    "nothing": _left(),
    "other rule": _left(_finding("names", ALARM)),
    "other type": _left(_finding("tags", "aws_vpc.this")),
    "type within another": _left(_finding("tags", "aws_cloudwatch_metric_alarm_x.this")),
    "other subject": _left(_finding("alarm-state", ALARM, "state", "no query")),
    "other cause": _left(_finding("alarm-state", ALARM, "configuration", "period 60")),
    "one of two": _left(_finding("tags", ALARM), _finding("tags", "aws_vpc.this")),
    "other operation": _left(problem=_problem("AwsError", "application-autoscaling.describe_scalable")),
    "no permission": _left(
        problem=_problem("RunnerPermissionError", "application-autoscaling.describe_scalable_targets")
    ),
}


@pytest.mark.parametrize("name", BY_GAPS)
def test_declared(name: str) -> None:
    """Where all that a test has left comes of declared gaps, they are counted."""
    left, expected = BY_GAPS[name]
    met = Gaps("peer", PEER).explained(left)

    assert met is not None
    assert expected == list(met.elements())


@pytest.mark.parametrize("name", FAULTS)
def test_undeclared(name: str) -> None:
    """What no entry is about stays a failure, also beside what one is about."""
    assert Gaps("peer", PEER).explained(FAULTS[name]) is None


def test_unused() -> None:
    """A gap that nothing came of is told."""
    gaps = Gaps("peer", PEER)
    gaps.met[TAGS] += 1

    assert (QUERIES, SCALING) == gaps.unused


@pytest.mark.parametrize("file", FILES, ids=lambda file: file.stem)
def test_file_of_the_peer(file: Path) -> None:
    """The file that `make test-peer` reads has gaps with reasons, no two alike."""
    gaps = Gap.read(file)

    assert gaps
    assert len(gaps) == len(set(gaps))


@pytest.mark.parametrize(
    "text",
    [
        '[[gap]]\nrule = "tags"\nreason = "everything"',
        '[[gap]]\nrule = "tags"\nsubject = "a"',
        '[[gap]]\nreason = "a"',
        '[[gap]]\nrule = "tags"\nsubject = "a"\noperation = "ecs.list_services"\nreason = "both"',
    ],
)
def test_gap_about_everything(tmp_path: Path, text: str) -> None:
    """A gap names what it is about, and why: a whole rule is none."""
    path = tmp_path / "peer.toml"
    path.write_text(text)
    with pytest.raises(ValueError, match="a gap has a reason"):
        Gap.read(path)


@pytest.mark.parametrize(
    ("name", "variables"),
    [("dev", {"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}), ("local", {})],
    ids=["account", "own sandbox"],
)
def test_no_gap_elsewhere(pytester: pytest.Pytester, name: str, variables: dict[str, str]) -> None:
    """A run about an account, or about infraspec's own sandbox, has no gaps: it ends before its first test."""
    monkeypatch = pytester._monkeypatch
    monkeypatch.delenv("AWS_ENDPOINT_URL", raising=False)
    monkeypatch.setenv("PYTHONPATH", str(ROOT))
    for variable, value in variables.items():
        monkeypatch.setenv(variable, value)
    arguments = ("-p", "tools.peer.gaps", "--peer-gaps", str(FILES[0]), "--infraspec-env", name)
    result = Project({"infraspec.toml": CONTRACT}).run(pytester, *arguments, suite=ROOT / "tests_live")

    assert USAGE_ERROR == result.ret
    assert "gaps are those of a peer" in text_of(result)


def test_the_suite_runs_on_moto_as_it_is() -> None:
    """Every finding and error there comes of a declared gap, and every gap is met."""
    program = Path(sys.executable).with_name("moto_server")
    done = subprocess.run(
        [sys.executable, "-m", "tools.peer.command", str(program)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=False,
        env={**os.environ, "PYTHONPATH": os.pathsep.join((str(ROOT), str(ROOT / "plugins")))},
    )

    assert (0, True) == (done.returncode, "gaps of moto_server:" in done.stdout), done.stdout[-4000:]
