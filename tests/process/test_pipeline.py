"""The pipeline of the reference infrastructure, executed: what is red is not merged, what is applied leaves its log."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tests.process.pipeline import JobRun, Pipeline, calls, started

FIXTURES = Path(__file__).parents[2] / "fixtures"
REFERENCE, INCIDENT = FIXTURES / "daily-report-tool", FIXTURES / "incident-v16"
ENVIRONMENTS = ("dev", "staging", "prod")
REQUEST = {
    "number": 7,
    "pull_request": {
        "number": 7, "base": {"sha": "1" * 40}, "head": {"repo": {"full_name": "example/tool"}},
        "labels": [], "body": "",
    },
}  # fmt: skip


def required() -> list[str]:
    """Return the checks that the ruleset of the branch asks for."""
    rules = json.loads((REFERENCE / ".github/rulesets/main.json").read_text("utf-8"))["rules"]
    (status,) = (one["parameters"] for one in rules if one["type"] == "required_status_checks")
    return [str(one["context"]) for one in status["required_status_checks"]]


def is_merged(jobs: list[JobRun]) -> bool:
    """Tell whether GitHub merges: each required check is reported, and has passed or was skipped."""
    conclusions = {job.title: job.conclusion for job in jobs}
    return all(conclusions.get(name) in {"success", "skipped"} for name in required())


def requested(repository: Path, directory: Path, *failing: str) -> tuple[list[JobRun], Pipeline]:
    """Return what becomes of a pull request with the files of a repository."""
    pipeline = started(repository, directory, failing)
    return pipeline.run("pull-request.yml", "pull_request", REQUEST), pipeline


def test_a_green_change_is_merged(tmp_path: Path) -> None:
    """Every job of a pull request runs to its end, and every check that the branch asks for passes."""
    jobs, pipeline = requested(REFERENCE, tmp_path)
    comment = [call for call in calls(pipeline) if call.startswith("gh pr comment 7")]

    assert {job.title: "success" for job in jobs} == {job.title: job.conclusion for job in jobs}, jobs
    assert set(required()) <= {job.title for job in jobs}
    assert is_merged(jobs)
    assert 1 == len(comment)
    assert (pipeline.artifacts["static-suite"] / "infraspec-results.json").is_file()


def test_a_red_change_is_refused(tmp_path: Path) -> None:
    """The change of the incident fails the static suite, and is not merged; the comment says why all the same."""
    jobs, pipeline = requested(INCIDENT, tmp_path)
    conclusions = {job.title: job.conclusion for job in jobs}

    assert "failure" == conclusions["static suite"]
    assert not is_merged(jobs)
    assert any(call.startswith("gh pr comment 7") for call in calls(pipeline))
    assert "REFRESH_TOKEN_KEY" in (pipeline.artifacts["static-suite"] / "comment.md").read_text("utf-8")


def test_an_apply_keeps_its_log(tmp_path: Path) -> None:
    """A merged change is applied to one environment after the other, and the live suite looks at each afterwards."""
    pipeline = started(REFERENCE, tmp_path)
    jobs = pipeline.run("apply.yml", "push", {})
    made = calls(pipeline)
    applied = [at for at, call in enumerate(made) if " apply " in call]
    looked = [at for at, call in enumerate(made) if "tests_live" in call]

    assert {"success"} == {job.conclusion for job in jobs}
    assert [f"-chdir=terraform/environments/{name}" for name in ENVIRONMENTS] == [made[at].split()[1] for at in applied]
    assert 3 == len(looked)
    assert max(applied) < min(looked)
    assert all((pipeline.artifacts[f"apply-{name}"] / "apply.log").is_file() for name in ENVIRONMENTS)


def test_an_apply_that_fails(tmp_path: Path) -> None:
    """It is red in spite of the pipe, its log is kept, and the live suite does not take it for done."""
    pipeline = started(REFERENCE, tmp_path, ['"terraform "*environments/prod*apply*'])
    conclusions = {job.title: job.conclusion for job in pipeline.run("apply.yml", "push", {})}

    assert ("success", "failure") == (conclusions["apply to dev"], conclusions["apply to prod"])
    assert "terraform fails" in (pipeline.artifacts["apply-prod"] / "apply.log").read_text("utf-8")
    assert not any("tests_live" in call for call in calls(pipeline))


@pytest.mark.parametrize("failing", [(), ("*tests_live*",)], ids=["green", "red"])
def test_scheduled_runs(tmp_path: Path, failing: tuple[str, ...]) -> None:
    """Every environment is looked at, and whatever was found, its numbers are published and its channels told."""
    pipeline = started(REFERENCE, tmp_path, failing)
    jobs = pipeline.run("scheduled.yml", "schedule", {"schedule": "17 */6 * * *"})
    made = calls(pipeline)

    assert {"failure" if failing else "success"} == {job.conclusion for job in jobs}
    assert 3 == sum("tests_live" in call for call in made)
    assert 3 == sum(call == "infraspec report metrics" for call in made)
    assert 3 == sum(call.startswith("infraspec report notify") for call in made)


def test_a_deployment_is_looked_at(tmp_path: Path) -> None:
    """The live suite runs for the environment that a deployment was made to, once it has succeeded."""
    pipeline = started(REFERENCE, tmp_path)
    payload = {"deployment_status": {"state": "success"}, "deployment": {"environment": "staging"}}
    waiting = {**payload, "deployment_status": {"state": "in_progress"}}

    assert ["success"] == [job.conclusion for job in pipeline.run("deployed.yml", "deployment_status", payload)]
    assert ["skipped"] == [job.conclusion for job in pipeline.run("deployed.yml", "deployment_status", waiting)]
    assert ["--infraspec-env staging"] == [
        "--infraspec-env staging" for call in calls(pipeline) if "--infraspec-env staging" in call
    ]
