"""A part of the environments, and verdicts that are kept: the same is said as by one run of all that judges anew.

A usual run makes one of five changes, INFRASPEC_EDITS=all makes each.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from infraspec import contract as contracts
from infraspec.core.errors import SelectionError
from infraspec.pytest_plugin.selection import changed_since, in_shard
from tests.plugin.project import INCIDENT, ROOT
from tests.samples import some

NAMES = ("dev", "staging", "prod", "tools")
_CONTRACT = """
[project]
application = "shop"
[environments.dev]
root = "roots/dev"
variables = {environment = "dev"}
task_definitions = ["tasks/dev-*.json"]
[environments.staging]
root = "roots/staging"
var_files = ["settings/staging.tfvars"]
[environments.prod]
root = "roots/prod"
[environments.tools]
root = "roots/tools"
[suite]
allow_empty = ["task-definitions", "secret-access", "secret-access:source"]
[tags.common]
Application = "{application}"
[tags]
policy = "tag-policy.json"
[names.patterns]
aws_sqs_queue = "{application}-{environment}-{name}"
"""
_QUEUE = 'resource "aws_sqs_queue" "jobs" {{\n  name = "shop-{name}-jobs"\n  tags = {{ Application = "shop" }}\n}}\n'
FILES = {
    "infraspec.toml": _CONTRACT,
    "README.md": "# shop\n",
    "tag-policy.json": '{"tags": {"Application": {"tag_key": {"@@assign": "Application"}}}}',
    "modules/queue/main.tf": 'variable "name" {}\n' + _QUEUE.format(name="${var.name}"),
    "modules/role/main.tf": (
        'variable "folder" { default = "policies" }\n'
        'resource "aws_iam_role" "app" {\n  name = "shop-app"\n  tags = { Application = "shop" }\n'
        '  assume_role_policy = file("${path.module}/trust.json")\n}\n'
        'resource "aws_iam_role_policy" "app" {\n  role = aws_iam_role.app.id\n'
        '  policy = file("${path.root}/../../${var.folder}/app.json")\n}\n'
    ),
    "modules/role/trust.json": (
        '{"Statement": [{"Effect": "Allow", "Action": "sts:AssumeRole",'
        ' "Principal": {"Service": "ecs-tasks.amazonaws.com"}}]}'
    ),
    "policies/app.json": '{"Statement": [{"Effect": "Allow", "Action": "sqs:SendMessage", "Resource": "*"}]}',
    "roots/dev/main.tf": (
        'variable "environment" {}\nmodule "queue" {\n  source = "../../modules/queue"\n  name = var.environment\n}\n'
    ),
    "roots/staging/main.tf": (
        'variable "name" {}\nmodule "queue" {\n  source = "../../modules/queue"\n  name = var.name\n}\n'
    ),
    "settings/staging.tfvars": 'name = "staging"\n',
    "roots/prod/main.tf": 'module "role" {\n  source = "../../modules/role"\n}\n' + _QUEUE.format(name="prod"),
    "roots/prod/prod.auto.tfvars": "",
    "roots/tools/main.tf": _QUEUE.format(name="tools"),
    "roots/tools/.terraform-version": "1.9.0\n",
    "tasks/dev-old.json": json.dumps({"family": "old", "containerDefinitions": [{"name": "app", "image": "old"}]}),
    "tasks/dev-app.json": json.dumps({"family": "app", "containerDefinitions": [{"name": "app", "image": "app:v1"}]}),
}
_BROKEN_QUEUE = FILES["modules/queue/main.tf"].replace("shop-${var.name}", "Shop_${var.name}")
EDITS: dict[str, Mapping[str, str | None]] = {
    "module": {"modules/queue/main.tf": _BROKEN_QUEUE},
    "another file of a module": {"modules/queue/more.tf": 'resource "aws_sqs_queue" "more" { name = "x" }\n'},
    "root": {"roots/tools/main.tf": FILES["roots/tools/main.tf"].replace("shop-", "")},
    "file that a function reads": {"policies/app.json": FILES["policies/app.json"].replace("SendMessage", "*")},
    "file in the module that a function reads": {"modules/role/trust.json": '{"Statement": []}'},
    "values": {"settings/staging.tfvars": 'name = "Staging_2"\n'},
    "values that were empty": {"roots/prod/terraform.tfvars": "unknown = 1\n"},
    "task definition": {"tasks/dev-app.json": FILES["tasks/dev-app.json"].replace("app:v1", "app:latest")},
    "new task definition": {"tasks/dev-other.json": FILES["tasks/dev-app.json"].replace('"app"', '"other"')},
    "gone task definition": {"tasks/dev-old.json": None},
    "gone module": {"modules/role/main.tf": None},
    "tag policy": {"tag-policy.json": '{"tags": {"Application": {"tag_key": {"@@assign": "APPLICATION"}}}}'},
    "contract": {"infraspec.toml": _CONTRACT.replace('Application = "{application}"', 'Owner = "team"')},
    "module of nobody": {"modules/tasks/main.tf": 'resource "aws_ecs_task_definition" "app" { family = "app" }\n'},
    "broken root": {"roots/dev/main.tf": 'resource "aws_sqs_queue" {\n'},
    "page": {"README.md": "# another\n"},
}
"""What is changed, by path, None for a file that is removed."""
UNSEEN = {"page", "task definition", "new task definition", "module of nobody"}
"""What changes no verdict here."""
NARROW = {"root": {"tools", "prod"}, "values": {"staging", "prod"}, "page": {"prod"}}
"""What some concern: prod reads a file whose path is an expression, below the folder of the repository."""


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Return a repository with a commit."""
    for name, text in FILES.items():
        _write(tmp_path / "shop", {name: text})
    _git(tmp_path / "shop", "init", "--quiet", "--initial-branch=main")
    _git(tmp_path / "shop", "add", "--all")
    _git(tmp_path / "shop", "commit", "--quiet", "--message=first")
    return tmp_path / "shop"


def _write(directory: Path, files: Mapping[str, str | None]) -> None:
    for name, text in files.items():
        path = directory / name
        if text is None:
            path.unlink()
            continue
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def _git(directory: Path, *words: str) -> None:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", *who, *words], cwd=directory, check=True)


def run(directory: Path, *options: str) -> tuple[int, str, dict[str, Any]]:
    """Run `infraspec check`, and return exit code, output and results, without what differs from run to run."""
    results = directory.parent / "results.json"
    results.unlink(missing_ok=True)
    done = subprocess.run(
        [
            sys.executable,
            "-m",
            "infraspec",
            "check",
            "--results",
            str(results),
            *options,
            "--",
            "-p",
            "no:cacheprovider",
        ],
        cwd=directory,
        env={**os.environ, "PYTHONPATH": str(ROOT / "plugins")},
        capture_output=True,
        text=True,
        check=False,
    )
    found = json.loads(results.read_text()) if results.is_file() else {}
    for name in ("time", "seconds"):
        found.get("run", {}).pop(name, None)
    return done.returncode, done.stdout + done.stderr, found


def verdicts(found: Mapping[str, Any]) -> dict[str, list[Any]]:
    """Return what is said of each environment: counts, findings and problems."""
    return {
        name: [
            [one for one in found[part] if one["environment"] == name]
            for part in ("counts", "findings", "problems", "skipped")
        ]
        for name in (*NAMES, "repository")
    }


def shown(text: str) -> Iterator[str]:
    """Yield the lines that say what is wrong."""
    return (line for line in text.splitlines() if line.startswith((" ", "roots/", "modules/", "tasks/", "total")))


@pytest.mark.parametrize("edit", some(list(EDITS), each=5))
def test_what_a_change_concerns_is_chosen(tree: Path, edit: str) -> None:
    """An environment of which a verdict changes is among those that a change is said to concern."""
    _, _, before = run(tree)
    _write(tree, EDITS[edit])
    _, _, after = run(tree)
    contract = contracts.load(tree, environments=[])
    chosen = changed_since(contract, NAMES, "HEAD")

    was, now = verdicts(before), verdicts(after)
    assert {name for name in NAMES if was[name] != now[name]} <= {*chosen}
    assert after != before or edit in UNSEEN
    assert NARROW.get(edit, {*chosen}) == {*chosen}


@pytest.mark.parametrize("edit", some(list(EDITS), each=5))
def test_kept_verdicts_are_those_of_now(tree: Path, edit: str) -> None:
    """After a change, a run with verdicts of before says what one without says, and so does a third run."""
    cache = ("--cache", str(tree.parent / "kept"))
    run(tree, *cache)
    _write(tree, EDITS[edit])
    anew = run(tree)
    for _ in range(2):
        again = run(tree, *cache)
        assert (anew[0], anew[2]) == (again[0], again[2])
        assert list(shown(anew[1])) == list(shown(again[1]))


def test_a_run_with_kept_verdicts_judges_nothing_again(tree: Path) -> None:
    """All environments are as kept; one whose files change is judged, and a file that is no verdict is none."""
    kept = tree.parent / "kept"
    said = [run(tree, "--cache", str(kept))[1], run(tree, "--cache", str(kept))[1]]
    _write(tree, EDITS["root"])
    said.append(run(tree, "--cache", str(kept))[1])
    for path in kept.iterdir():
        path.write_text('{"format": 1, "tests": ')
    said.append(run(tree, "--cache", str(kept))[1])

    numbers = [next(line.split()[1] for line in text.splitlines() if "unchanged since" in line) for text in said]
    assert ["0", "4", "2", "0"] == numbers


@pytest.mark.parametrize("count", [1, 2, 3, 6])
def test_shards_together_are_one_run(tree: Path, count: int) -> None:
    """The merged results of all shards are those of one run, also where there are more shards than environments."""
    _, _, whole = run(tree)
    names, parts = [], []
    for number in range(1, count + 1):
        code, _, found = run(tree, "--shard", f"{number}/{count}")
        assert code in (0, 1)
        names += found["run"]["environments"]
        part = tree.parent / f"{number}.json"
        found["run"] |= {"time": whole["run"].get("time", "2026-01-01T00:00:00Z"), "seconds": 0}
        part.write_text(json.dumps(found))
        parts.append(str(part))
    done = subprocess.run(
        [sys.executable, "-m", "infraspec", "report", "merge", *parts], capture_output=True, text=True, check=True
    )
    merged = json.loads(done.stdout)
    for name in ("time", "seconds"):
        merged["run"].pop(name, None)

    assert list(NAMES) == names
    assert whole == merged


@pytest.mark.parametrize("options", [("--workers", "2"), ()], ids=["two workers", "one process"])
def test_the_incident_is_kept_as_it_is(tmp_path: Path, options: tuple[str, ...]) -> None:
    """What is violated is violated again, with its evidence and exit code."""
    cache = ("--infra", str(INCIDENT), "--cache", str(tmp_path / "kept"), *options)
    (tmp_path / "at").mkdir()
    first, second = run(tmp_path / "at", *cache), run(tmp_path / "at", *cache)

    assert (1, first[2]) == (second[0], second[2])
    assert "3 of 3 environments unchanged" in second[1]
    assert "VIOLATED secret-access" in second[1]


@pytest.mark.parametrize("shard", ["0/2", "3/2", "1", "a/b", "-1/2", "1/0"])
def test_there_is_no_such_shard(shard: str) -> None:
    """It is an error that says how shards are counted."""
    with pytest.raises(SelectionError, match="there is no such shard"):
        in_shard(NAMES, shard)


def test_git_cannot_tell(tree: Path, tmp_path: Path) -> None:
    """A commit that is not there, an option in its place, and a folder without Git are errors with a remedy."""
    contract = contracts.load(tree, environments=[])
    for reference in ("nowhere", "--output=x"):
        with pytest.raises(SelectionError, match="Git cannot determine what has changed"):
            changed_since(contract, NAMES, reference)
    assert not list(tree.rglob("x"))
    for name, text in FILES.items():
        _write(tmp_path / "copy", {name: text})
    with pytest.raises(SelectionError, match="git fetch origin main"):
        changed_since(contracts.load(tmp_path / "copy", environments=[]), NAMES, "origin/main")


def test_nothing_has_changed(tree: Path) -> None:
    """The run says so and passes, also where the repository as a whole is for another shard."""
    assert 0 == run(tree, "--changed-from", "HEAD")[0]
    assert 0 == run(tree, "--changed-from", "HEAD", "--shard", "2/2")[0]


def test_a_cache_that_cannot_be_written_is_an_error(tree: Path) -> None:
    """It names the place, and the verdicts are said all the same."""
    (tree.parent / "kept").write_text("a file")
    code, text, _ = run(tree, "--cache", str(tree.parent / "kept"))

    assert 4 == code
    assert "verdicts cannot be kept" in text
    assert "Traceback" not in text
