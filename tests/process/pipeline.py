"""A small runner of workflows: steps run in bash, actions by a table of stand-ins, programs of others are recorded.

`make`, the shell and the static suite are the real ones. terraform, gh, pipx and what asks AWS are in the folder `bin`,
as scripts that write down how they were called; a test says which of them fail. There is no plan that a current
Terraform has made, so reviewing one is written down too.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any

from msgspec import Struct, field

from infraspec.process.expressions import Evaluator
from infraspec.process.markdown import parse_mapping
from infraspec.process.worlds import World

ROOT = Path(__file__).parents[2]
PLAN = ROOT / "fixtures/plans/daily-report-tool-prod.json"
PROGRAMS = ("terraform", "gh", "pipx", "aws")
_RECORD = """#!/bin/bash
echo "{name} $*" >> "$CALLS"
case "{name} $*" in {failing}) echo "{name} fails" >&2; exit 1;; esac
case "{name} $*" in "terraform "*" show -json "*) cat "{plan}";; esac
"""
_PYTHON = """#!/bin/bash
case "$*" in
  *tests_live*|*--infraspec-plan*)
    echo "python $*" >> "$CALLS"
    case "python $*" in {failing}) exit 1;; esac
    exit 0;;
esac
export INFRASPEC_DIR="$PWD"  # and not that of the pytest.ini which is above the suites here
exec {python} "${{@/#infraspec.tests_static/{root}/tests_static}}"
"""
_MODULE = """#!/bin/bash
case "{name} $*" in
  "infraspec report metrics"*|"infraspec report notify"*) echo "{name} $*" >> "$CALLS"; exit 0;;
esac
export INFRASPEC_DIR="$PWD"  # and not that of the pytest.ini which is above the suites here
exec {python} -m {name} "${{@/#infraspec.tests_static/{root}/tests_static}}"
"""


class JobRun(Struct, frozen=True):
    """What a job came to: the name of its check and its conclusion."""

    title: str
    conclusion: str
    log: str = ""


class Pipeline(Struct):
    """A repository that is checked out, and what its workflows have done."""

    repository: Path
    work: Path
    failing: tuple[str, ...] = ()
    """Calls that fail, as patterns of bash: `"terraform *apply*"`."""
    artifacts: dict[str, Path] = field(default_factory=dict)

    def run(self, name: str, event: str, payload: Mapping[str, Any]) -> list[JobRun]:
        """Run a workflow for an event, and return what its jobs came to, in the order in which they ran."""
        path = self.repository / ".github/workflows" / name
        tree = parse_mapping(path.read_text("utf-8"), name)
        results: dict[str, str] = {}
        found: list[JobRun] = []
        pending = dict(tree["jobs"])
        while pending:
            ready = next(key for key, job in pending.items() if set(_needs(job)) <= set(results))
            job = pending.pop(ready)
            runs = list(self._job(ready, job, results, {"event_name": event, "event": payload}))
            found += runs
            outcomes = {one.conclusion for one in runs}
            results[ready] = next((one for one in ("failure", "success") if one in outcomes), "skipped")
        return found

    def _job(
        self, name: str, job: Mapping[str, Any], results: Mapping[str, str], github: Mapping[str, Any]
    ) -> Iterator[JobRun]:
        above = [results[need] for need in _needs(job)]
        status = {"success": set(above) <= {"success"}, "failure": "failure" in above, "cancelled": False}
        base = {
            "github": {**github, "repository": "example/tool", "run_id": "1", "token": "t"},
            "needs": {need: {"result": results[need]} for need in _needs(job)},
            "inputs": github["event"].get("inputs", {}),
            "vars": {}, "secrets": {}, "runner": {"os": "Linux"}, "steps": {},
        }  # fmt: skip
        if not Evaluator(base, World({}), status).condition(job.get("if")):
            yield JobRun(str(job.get("name") or name), "skipped")
            return
        matrix = (job.get("strategy") or {}).get("matrix") or {}
        for chosen in product(*matrix.values()):
            contexts = {**base, "matrix": dict(zip(matrix, chosen, strict=True))}
            title = Evaluator(contexts, World({}), {}).text(str(job.get("name") or name))
            if matrix and "${{" not in str(job.get("name")):
                title = f"{title} ({', '.join(map(str, chosen))})"
            yield self._instance(title, job, contexts)

    def _instance(self, title: str, job: Mapping[str, Any], contexts: Mapping[str, Any]) -> JobRun:
        """Run the steps of a job in a workspace of its own."""
        workspace = self.work / f"job-{len(list(self.work.glob('job-*')))}"
        workspace.mkdir(parents=True)
        failed, log = False, ""
        environment = self._environment(workspace, contexts, job.get("env"), {})
        for step in job["steps"]:
            status = {"success": not failed, "failure": failed, "cancelled": False}
            evaluator = Evaluator({**contexts, "env": environment}, World({}), status)
            if not evaluator.condition(step.get("if")):
                continue
            own = self._environment(workspace, contexts, step.get("env"), environment)
            if "run" in step:
                code, text = self._script(evaluator.text(str(step["run"])), step.get("shell"), workspace, own)
            else:
                code, text = self._action(str(step["uses"]), evaluator.resolved(step.get("with") or {}), workspace)
            log += text
            failed = failed or (code != 0 and not step.get("continue-on-error"))
        return JobRun(title, "failure" if failed else "success", log)

    def _environment(
        self, workspace: Path, contexts: Mapping[str, Any], given: Any, before: Mapping[str, str]
    ) -> dict[str, str]:
        evaluator = Evaluator({**contexts, "env": before}, World({}), {})
        own = {str(key): evaluator.text(str(value)) for key, value in (given or {}).items()}
        base = {"PATH": f"{self.work / 'bin'}:{os.environ['PATH']}", "HOME": str(self.work), "GITHUB_SHA": "0" * 40}
        base |= {"CALLS": str(self.work / "calls"), "GITHUB_STEP_SUMMARY": str(workspace / "summary.md")}
        return {**base, **before, **own}

    def _script(self, text: str, shell: Any, workspace: Path, environment: Mapping[str, str]) -> tuple[int, str]:
        """Run a script as GitHub does: with `bash -e`, and with pipefail where the step names bash."""
        options = ["--noprofile", "--norc", "-eo", "pipefail"] if shell == "bash" else ["-e"]
        done = subprocess.run(
            ["bash", *options, "-c", text], cwd=workspace, env=environment, capture_output=True, text=True, check=False
        )
        return done.returncode, done.stdout + done.stderr

    def _action(self, target: str, given: Mapping[str, Any], workspace: Path) -> tuple[int, str]:
        """Do what an action does; one that is not known fails the job."""
        match target.partition("@")[0]:
            case "actions/checkout":
                shutil.copytree(self.repository, workspace / str(given.get("path") or ""), dirs_exist_ok=True)
                self._installed(workspace / str(given.get("path") or ""))
            case "actions/upload-artifact":
                kept = self.work / "artifacts" / str(given["name"])
                for name in str(given["path"]).split():
                    if (workspace / name).is_file():
                        kept.mkdir(parents=True, exist_ok=True)
                        shutil.copy(workspace / name, kept)
                self.artifacts[str(given["name"])] = kept
            case "actions/download-artifact":
                shutil.copytree(self.artifacts[str(given["name"])], workspace, dirs_exist_ok=True)
            case (
                "actions/setup-python" | "hashicorp/setup-terraform" | "aws-actions/configure-aws-credentials"
                | "actions/cache"
            ):  # fmt: skip
                pass
            case _:
                return 1, f"there is no {target}"
        return 0, ""

    def _installed(self, directory: Path) -> None:
        """Have the virtual environment of the makefile there, so that nothing is installed.

        The programs are links that lead out of the repository, as those of a virtual environment do.
        """
        binaries, programs = directory / ".venv/bin", self.work / "venv"
        binaries.mkdir(parents=True)
        programs.mkdir(exist_ok=True)
        patterns = "|".join(self.failing) or "nothing"
        _write(programs / "python", _PYTHON.format(python=sys.executable, failing=patterns, root=ROOT))
        for name in ("infraspec", "pytest"):
            _write(programs / name, _MODULE.format(python=sys.executable, name=name, root=ROOT))
        for program in programs.iterdir():
            (binaries / program.name).symlink_to(program)
        (directory / ".venv/.installed").touch()


def started(repository: Path, work: Path, failing: Sequence[str] = ()) -> Pipeline:
    """Return a pipeline with the programs that are written down."""
    (work / "bin").mkdir(parents=True)
    patterns = "|".join(failing) or "nothing"
    for name in PROGRAMS:
        _write(work / "bin" / name, _RECORD.format(name=name, failing=patterns, plan=PLAN))
    (work / "calls").touch()
    return Pipeline(repository, work, tuple(failing))


def calls(pipeline: Pipeline) -> list[str]:
    """Return how the programs were called, in order."""
    return (pipeline.work / "calls").read_text("utf-8").splitlines()


def _write(path: Path, text: str) -> None:
    path.write_text(text, encoding="utf-8")
    path.chmod(0o755)


def _needs(job: Mapping[str, Any]) -> list[str]:
    needs = job.get("needs") or []
    return [needs] if isinstance(needs, str) else list(needs)
