"""The templates for CI systems run what there is."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from infraspec.reporting.run.results import encode
from tests.cli.test_documentation import COMMANDS, commands
from tests.reporting.results import RESULTS

ROOT = Path(__file__).parents[2]
ACTION = ROOT / "action.yml"
WORKFLOWS = sorted((ROOT / ".github" / "workflows").glob("*.yml"))
TEMPLATES = [ACTION, *WORKFLOWS, ROOT / ".gitlab" / "infraspec.gitlab-ci.yml"]
PAGE = (ROOT / "docs" / "ci.md").read_text(encoding="utf-8")


def read(path: Path) -> Any:
    """Return the content of a YAML file."""
    return YAML(typ="safe").load(path)


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: path.stem)
def test_commands_exist(path: Path) -> None:
    """Each `infraspec report …` of a template is a command."""
    found = set(re.findall(r"infraspec report ([a-z]+)", path.read_text(encoding="utf-8")))
    report: Any = COMMANDS["report"]

    assert found <= set(commands(report))


@pytest.mark.parametrize("path", WORKFLOWS, ids=lambda path: path.stem)
def test_nobody_may_more_than_needed(path: Path) -> None:
    """Workflows have no permission but those that a job names; what checks code out may not write."""
    workflow = read(path)

    assert workflow["permissions"] == {}
    for job in workflow["jobs"].values():
        writes = {name for name, level in job.get("permissions", {}).items() if level == "write"} - {"id-token"}
        checks_out = any("actions/checkout" in step.get("uses", "") for step in job.get("steps", ()))
        assert not (writes and checks_out)
    assert "secrets." not in path.read_text(encoding="utf-8")


def test_callers_of_the_page_give_inputs_that_there_are() -> None:
    """Workflows of the documentation use inputs of the reusable ones, all that are required among them."""
    calls = re.findall(r"workflows/(\w+\.yml)@v0\n    with:\n((?:      .*\n)+)", PAGE)

    assert {name for name, _ in calls} == {path.name for path in WORKFLOWS}
    for name, block in calls:
        inputs = read(ROOT / ".github" / "workflows" / name)["on"]["workflow_call"]["inputs"]
        given = set(re.findall(r"^      ([a-z-]+):", block, re.MULTILINE))
        assert given <= set(inputs)
        assert {key for key, value in inputs.items() if value.get("required")} <= given
    step = re.search(r"uses: infraspec/pytest-infraspec@v0\n  with:\n((?:    .*\n)+)", PAGE)
    assert step is not None
    assert set(re.findall(r"^    ([a-z-]+):", step[1], re.MULTILINE)) <= set(read(ACTION)["inputs"])


def test_steps_of_the_action(tmp_path: Path) -> None:
    """The action's script passes environments, plan and own tests on, and writes annotations and summary."""
    scripts = {step.get("name"): step.get("run") for step in read(ACTION)["runs"]["steps"]}
    binaries = tmp_path / "infraspec" / "bin"
    binaries.mkdir(parents=True)
    said = 'echo "$INFRASPEC_DIR|$INFRASPEC_ENV|$INFRASPEC_PLAN|$*"'
    (binaries / "infraspec").write_text(
        f'#!/bin/sh\nif [ "$1" = check ]; then {said}; else exec "{sys.executable}" -m infraspec "$@"; fi\n'
    )
    (binaries / "python").write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    for path in binaries.iterdir():
        path.chmod(0o755)
    (tmp_path / "results.json").write_bytes(encode(RESULTS))
    environ = {
        **os.environ,
        "RUNNER_TEMP": str(tmp_path),
        "GITHUB_STEP_SUMMARY": str(tmp_path / "summary.md"),
        "INFRASPEC_DIR": "infra dir",
        "INFRASPEC_ENV": "dev,prod",
        "INFRASPEC_PLAN": "",
        "TESTS": "tests/one tests/two",
        "RESULTS": "results.json",
        "BASE": "",
        "PYTHONPATH": os.pathsep.join(sys.path),
    }

    def run(name: str) -> str:
        return subprocess.run(
            ["bash", "-eo", "pipefail", "-c", scripts[name]],
            cwd=tmp_path,
            env=environ,
            check=True,
            capture_output=True,
            text=True,
            encoding="utf-8",
        ).stdout

    suite = "check -- tests/one tests/two --alluredir allure-results"
    stopped, said, resumed = run("Run the static suite").splitlines()
    assert f"infra dir|dev,prod||{suite}" == said
    assert stopped.removeprefix("::stop-commands::") == resumed.strip(":")
    assert re.fullmatch(r"::stop-commands::[0-9a-f]{32}", stopped)
    assert stopped != run("Run the static suite").splitlines()[0], "nobody knows the token of a run"
    assert "::error " in run("Write annotations and summary")
    assert "<!-- infraspec-report -->" in (tmp_path / "summary.md").read_text(encoding="utf-8")


GH = """\
#!/bin/sh
echo "$*" >> "$RUNNER_TEMP/calls"
case "$*" in
  "pr diff"*) cat "$RUNNER_TEMP/diff" ;;
  *--jq*) echo 41 ;;
  *--input*) cp "$RUNNER_TEMP/review.json" "$RUNNER_TEMP/posted.json" ;;
esac
"""
QUEUE = 'resource "aws_sqs_queue" "jobs" {\n  name = "jobs"\n}\n'
REQUEST = "--- a/infra/main.tf\n+++ b/infra/main.tf\n@@ -1,2 +1,3 @@\n resource\n+  name\n }\n"


@pytest.mark.parametrize(("diff", "is_posted"), [(REQUEST, True), (REQUEST.replace("main.tf", "other.tf"), False)])
def test_the_action_posts_suggestions(diff: str, is_posted: bool, tmp_path: Path) -> None:  # noqa: FBT001 - a case
    """What is posted is a review of the request with the fix of a changed line; suggestions before go first."""
    step = next(step for step in read(ACTION)["runs"]["steps"] if "--review" in step.get("run", ""))
    binaries, infra = tmp_path / "infraspec" / "bin", tmp_path / "infra"
    binaries.mkdir(parents=True)
    infra.mkdir()
    (infra / "main.tf").write_text(QUEUE)
    contract = '[project]\napplication = "shop"\n[environments.dev]\n[tags.common]\nOwner = "platform"\n'
    (infra / "infraspec.toml").write_text(contract)
    (tmp_path / "diff").write_text(diff)
    for name, text in (("gh", GH), ("infraspec", f'#!/bin/sh\nexec "{sys.executable}" -m infraspec "$@"\n')):
        (binaries / name).write_text(text)
        (binaries / name).chmod(0o755)
    environ = {
        **os.environ,
        "PATH": f"{binaries}{os.pathsep}{os.environ['PATH']}",
        "PYTHONPATH": os.pathsep.join(sys.path),
        "RUNNER_TEMP": str(tmp_path),
        "DIRECTORY": "infra",
        "ENVIRONMENTS": "",
        "NUMBER": "12",
        "REPOSITORY": "owner/shop",
    }
    command = ["bash", "-eo", "pipefail", "-c", step["run"]]
    ran = subprocess.run(command, cwd=tmp_path, env=environ, check=False, capture_output=True, text=True)

    assert (0, "") == (ran.returncode, ran.stderr)
    calls = (tmp_path / "calls").read_text()
    assert "--method DELETE repos/owner/shop/pulls/comments/41 --silent\n" in calls
    assert is_posted is ("repos/owner/shop/pulls/12/reviews --input" in calls)
    if is_posted:
        (comment,) = json.loads((tmp_path / "posted.json").read_bytes())["comments"]
        assert ("infra/main.tf", 2, "RIGHT") == (comment["path"], comment["line"], comment["side"])
        assert comment["body"].startswith("<!-- infraspec-fix -->\n")
        assert comment["body"].endswith('```suggestion\n  name = "jobs"\n  tags = {\n    Owner = "platform"\n  }\n```')
