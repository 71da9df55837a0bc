"""What is read lies in the repository: a link of a file, or of the folder around it, that leads out is not opened.

What is opened is what Python says so, and not what is printed.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import pytest
from click.testing import CliRunner

from infraspec.cli import main

PRIVATE = "hunter2"
_watched: list[str] = []
_opened: list[str] = []


def _see(event: str, said: tuple[object, ...]) -> None:
    if event == "open" and _watched and isinstance(said[0], (str, bytes)):
        path = os.path.realpath(os.fsdecode(said[0]))
        if any(path.startswith(f"{place}/") for place in _watched) and os.path.isfile(path):  # noqa: PTH113 - cheap
            _opened.append(path)


sys.addaudithook(_see)


@contextmanager
def watched(*places: Path) -> Iterator[list[str]]:
    """Yield the files of some places that are opened inside."""
    _opened.clear()
    _watched[:] = [os.path.realpath(place) for place in places]
    try:
        yield _opened
    finally:
        _watched.clear()


CONTRACT = """
[project]
application = "shop"

[environments.prod]
root = "root"
region = "eu-west-1"
account_id = "111122223333"
{environment}
[names.patterns]
aws_sqs_queue = "shop-{{name}}"

[names.placeholders]
name = "[a-z]+"

[playbooks]
directory = "playbooks"
owners = ["shop"]
commands = ["make"]

[incidents]
directory = "incidents"

[process]
codeowners = "CODEOWNERS"
owned = ["infraspec.toml"]
workflows = "workflows"
branch = "main"
{process}
"""
QUEUE = f'resource "aws_sqs_queue" "{PRIVATE}" {{\n  name = "{PRIVATE}"\n}}\n'
PAGE = f"---\nid: {PRIVATE}\nlanguage: en\nowner: {PRIVATE}\ntargets: {{confirm: 5}}\n---\n\n# {PRIVATE}\n"
TASK = f'{{"family": "{PRIVATE}", "containerDefinitions": [{{"name": "{PRIVATE}", "image": "x"}}]}}'
LINKED: Mapping[str, str] = {
    "root/x.tf": QUEUE,
    "root/x_override.tf": QUEUE,
    "root/x.tofu": QUEUE,
    "root/x.tf.json": f'{{"resource": {{"aws_sqs_queue": {{"q": {{"name": "{PRIVATE}"}}}}}}}}',
    "root/terraform.tfvars": f'x = "{PRIVATE}"\n',
    "root/terraform.tfvars.json": f'{{"x": "{PRIVATE}"}}\n',
    "root/x.auto.tfvars": f'x = "{PRIVATE}"\n',
    "root/.terraform.lock.hcl": f'provider "registry.terraform.io/hashicorp/{PRIVATE}" {{\n  version = "1.0.0"\n}}\n',
    "root/.terraform-version": f"{PRIVATE}\n",
    "root/.terraform/modules/modules.json": f'{{"Modules": [{{"Key": "m", "Source": "x", "Dir": "{PRIVATE}"}}]}}',
    "root/terragrunt.hcl": f'inputs = {{\n  x = "{PRIVATE}"\n}}\n',
    "root/named.tfvars": f'x = "{PRIVATE}"\n',
    "plan.json": f'{{"format_version": "1.2", "terraform_version": "{PRIVATE}"}}',
    "iam.json": f'{{"RoleDetailList": "{PRIVATE}"}}',
    "task.json": TASK,
    "infraspec.toml": f'[project]\napplication = "{PRIVATE}"\n',
    "CODEOWNERS": f"* @{PRIVATE}\n",
    "Makefile": f"{PRIVATE}:\n\ttrue\n",
    "playbooks/x.md": PAGE,
    "workflows/x.yml": f"name: {PRIVATE}\non: push\njobs: {{}}\n",
    ".github/workflows/x.yml": f"name: {PRIVATE}\non: push\njobs: {{}}\n",
    ".gitlab-ci.yml": f"{PRIVATE}:\n  script: x\n",
    ".gitmodules": f'[submodule "{PRIVATE}"]\n\tpath = root\n\turl = x\n',
    "template.md": f"- [ ] {PRIVATE}\n",
    "labels.yml": f"- name: {PRIVATE}\n",
    "incidents/x.md": PAGE,
}
"""Content by path, each of which is a link out of the repository."""
ENVIRONMENT = {
    "root/named.tfvars": 'var_files = ["named.tfvars"]\n',
    "plan.json": 'plan = "plan.json"\n',
    "iam.json": 'iam_snapshot = "iam.json"\n',
}
PROCESS = {
    "template.md": 'template = "template.md"\nchecklist = ["x"]\n',
    "labels.yml": 'labels_file = "labels.yml"\nlabels = ["x"]\n',
}
OWN = 'variable "x" {\n  default = "own"\n}\n\nresource "aws_sqs_queue" "own" {\n  name = var.x\n}\n'
COMMANDS = (["fix"], ["init", "--dry-run"], ["doctor"])
"""What reads most: all rules of the static suite, a repository without a contract, and what else there is to know."""


def _repository(directory: Path, name: str) -> Path:
    for folder in (".git", "root", "playbooks", "workflows", "incidents"):
        (directory / folder).mkdir(parents=True)
    (directory / "root" / "main.tf").write_text(OWN)
    (directory / "CODEOWNERS").write_text("* @shop/ops\n")
    (directory / "playbooks" / "make.md").write_text(PAGE.replace(PRIVATE, "own") + "\n```sh\nmake x\n```\n")
    contract = CONTRACT.format(environment=ENVIRONMENT.get(name, ""), process=PROCESS.get(name, ""))
    (directory / "infraspec.toml").write_text(contract)
    return directory


def _link_of_a_file(repository: Path, name: str, outside: Path) -> None:
    place = repository / name
    place.parent.mkdir(parents=True, exist_ok=True)
    place.unlink(missing_ok=True)
    place.symlink_to(os.path.relpath(outside / Path(name).name, place.parent))


def _link_of_its_folder(repository: Path, name: str, outside: Path) -> None:
    place = (repository / name).parent
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.is_dir():
        for path in place.iterdir():
            path.rename(outside / path.name)
        place.rmdir()
    place.symlink_to(outside, target_is_directory=True)


CASES: Mapping[str, tuple[str, Callable[[Path, str, Path], None]]] = {
    **{name: (name, _link_of_a_file) for name in LINKED},
    **{f"{name} in a folder": (name, _link_of_its_folder) for name in LINKED if "/" in name},
}


def _told(repository: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.chdir(repository)
    return (CliRunner().invoke(main, command).output for command in COMMANDS)


@pytest.mark.parametrize("case", CASES)
def test_a_link_out_of_the_repository(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing behind it is opened, and no word of it is shown."""
    name, link = CASES[case]
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / Path(name).name).write_text(LINKED[name])
    repository = _repository(tmp_path / "repository", name)
    link(repository, name, outside)
    with watched(outside) as opened:
        told = "".join(_told(repository, monkeypatch))

    assert [] == sorted(set(opened))
    assert PRIVATE not in told


@pytest.mark.parametrize("name", sorted(LINKED.keys() - {"root/.terraform-version", ".gitmodules"}))
def test_the_same_file_is_read_where_it_is_none(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Were it no link it would be opened: each case is about a file that infraspec looks for.

    Two are looked at for something else alone: which of two languages is meant, and a module that is not there.
    """
    repository = _repository(tmp_path / "repository", name)
    (repository / name).parent.mkdir(parents=True, exist_ok=True)
    (repository / name).write_text(LINKED[name])
    with watched(repository) as opened:
        is_opened = any(str(repository / name) in opened for _ in _told(repository, monkeypatch))

    assert is_opened


SOURCES = {
    "var_files": 'var_files = ["{outside}/x.tfvars"]',
    "plan": 'plan = "{outside}/x.tfvars"',
    "root": 'root = "{outside}"',
}


@pytest.mark.parametrize("key", SOURCES)
def test_an_absolute_path_of_the_contract(key: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is not followed out of the repository either."""
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "x.tfvars").write_text(f'x = "{PRIVATE}"\n')
    (outside / "x.tf").write_text(QUEUE)
    repository = _repository(tmp_path / "repository", "")
    line = SOURCES[key].format(outside=outside)
    text = (repository / "infraspec.toml").read_text()
    (repository / "infraspec.toml").write_text(
        text.replace('root = "root"', line)
        if key == "root"
        else text.replace('root = "root"', f'root = "root"\n{line}')
    )
    with watched(outside) as opened:
        told = "".join(_told(repository, monkeypatch))

    assert [] == sorted(set(opened))
    assert PRIVATE not in told


def _expression(root: Path) -> None:
    (root / "main.tf").write_text('resource "aws_sqs_queue" "q" {\n  name = file("../.git/config")\n}\n')


def _source(root: Path) -> None:
    (root / "x.tf").symlink_to("../.git/config")


def _variables(root: Path) -> None:
    (root / "terraform.tfvars").symlink_to("../.git/config")


def _module(root: Path) -> None:
    (root / "x.tf").write_text('module "m" {\n  source = "../.git"\n}\n')


def _owners(root: Path) -> None:
    (root.parent / "CODEOWNERS").unlink()
    (root.parent / "CODEOWNERS").symlink_to(".git/config")


def _pages(root: Path) -> None:
    (root.parent / "playbooks" / "make.md").unlink()
    (root.parent / "playbooks").rmdir()
    (root.parent / "playbooks").symlink_to(".git")


GIT: Mapping[str, Callable[[Path], None]] = {
    "expression": _expression,
    "source": _source,
    "variables": _variables,
    "module": _module,
    "owners": _owners,
    "pages": _pages,
}


@pytest.mark.parametrize("case", GIT)
def test_git_is_never_read(case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """The folder of git has what a clone was given to authenticate with."""
    repository = _repository(tmp_path / "repository", "")
    for name in ("config", "main.tf", "x.md"):
        (repository / ".git" / name).write_text(f'[remote]\n\turl = "https://{PRIVATE}@example.com"\n')
    GIT[case](repository / "root")
    with watched(repository / ".git") as opened:
        told = "".join(_told(repository, monkeypatch))

    assert [] == sorted(set(opened))
    assert PRIVATE not in told
