"""`infraspec init`: a contract for a repository that has none."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from infraspec.adoption import Adoption, adopt
from infraspec.adoption.contract_text import StartingFile, starting_files, write
from infraspec.cli.common import PATH, TEXT_OR_JSON, echo, reported
from infraspec.cli.doctor import adoption_document
from infraspec.cli.terminal import show_document, waiting
from infraspec.core.errors import counted
from infraspec.reporting.document import as_json


@click.command()
@click.argument("directory", type=PATH, default=Path())
@click.option("--dry-run", is_flag=True, help="Print the files instead of writing them.")
@TEXT_OR_JSON
@reported
def init(directory: Path, dry_run: bool, form: str) -> None:  # noqa: FBT001 - click passes by name
    """Read a repository and write a first contract, pipeline and Makefile fragment.

    \b
    infraspec init
    infraspec init ../my-infrastructure --dry-run

    No terraform, credentials or network is needed. Environments are found by folder, variable file, backend file or
    workspace. Naming patterns and tags are those that three quarters of the resources follow; comments show the
    numbers. Existing files are never overwritten; --dry-run prints what the files would contain.

    \b
    infraspec.toml                    the contract
    .github/workflows/infraspec.yml   or infraspec.gitlab-ci.yml, where there is a .gitlab-ci.yml
    infraspec.mk                      targets for a Makefile

    \b
    exit code  0  written, printed, or all there already
               2  wrong input: no such directory, or nothing in it to begin with
    """  # noqa: D301 - \b keeps click from wrapping the examples
    with waiting("evaluating the repository"):
        adoption = adopt(directory)
    files = starting_files(adoption)
    if not dry_run:
        write(directory, files)
    if form == "json":
        echo(as_json(_document(adoption, files, dry_run=dry_run)))
        return
    if dry_run:
        for file in files:
            title = f"---- {_state(file, dry_run=True)} {file.path} ".ljust(80, "-")
            echo(f"{title}\n{file.text}")
        return
    _tell(adoption, files)


def _state(file: StartingFile, *, dry_run: bool) -> str:
    if file.exists:
        return "exists"
    return "would write" if dry_run else "written"


def _tell(adoption: Adoption, files: tuple[StartingFile, ...]) -> None:
    states = [
        (file.path, *(("exists, left as it is", "") if file.exists else ("written", file.note and f"({file.note})")))
        for file in files
    ]
    rest = "Next:\n  infraspec check\n  infraspec doctor"
    if any(file.exists for file in files):
        rest = f"Show what it would have contained: infraspec init --dry-run\n\n{rest}"
    show_document(adoption_document(_found(adoption), states, rest), "text")


def _found(adoption: Adoption) -> Iterator[tuple[str, str]]:
    """Yield labels, and what was found."""
    held, total = adoption.support
    yield "application", adoption.application + (f" ({held} of {total} names start with it)" if held else "")
    if adoption.applications:
        yield "several", ", ".join(f"{app} in {path}" for path, app in adoption.applications.items())
    for each in adoption.environments:
        plan = adoption.plans.get(each.name)
        shown = f"{len(plan.managed())} resources" if plan else "cannot be evaluated"
        wrong = adoption.fault_of(each.name)
        yield "environment", f"{each.name}: {shown}, by the {each.origin}" + (f"; {wrong}" if wrong else "")
    files = {path for paths in adoption.task_definitions.values() for path in paths}
    if files:
        yield "files", f"{len(files)} task definitions outside Terraform"
    if adoption.names:
        yield "names", f"patterns of {counted(len(adoption.names), 'resource type')}"
    common = [guess.key for guess in adoption.tags if guess.is_common]
    if common:
        yield "tags", ", ".join(common)
    left = [*(each.reason for each in adoption.left_out), *(why for _, why in adoption.unreadable())]
    if left:
        yield "left out", f"{counted(len(left), 'root module')}, the first because: {left[0]}"
    if adoption.repository.terragrunt:
        yield "left out", "the units of explicit stacks that `terragrunt stack generate` has not generated yet"


def _document(adoption: Adoption, files: tuple[StartingFile, ...], *, dry_run: bool) -> dict[str, Any]:
    return {
        "application": adoption.application,
        "applications": dict(adoption.applications),
        "environments": [
            {
                "name": each.name,
                "root": each.root.path,
                "found_by": each.origin,
                "resources": len(adoption.plans[each.name].managed()) if each.name in adoption.plans else None,
            }
            for each in adoption.environments
        ],
        "left_out": [
            *({"root": each.candidate.root.path, "reason": each.reason} for each in adoption.left_out),
            *({"root": path, "reason": reason} for path, reason in adoption.unreadable()),
        ],
        "names": {
            guess.type: {"patterns": guess.patterns, "held": guess.held, "of": guess.total} for guess in adoption.names
        },
        "tags": {guess.key: {"rule": guess.rule, "held": guess.held, "of": guess.total} for guess in adoption.tags},
        "files": [{"path": file.path, "state": _state(file, dry_run=dry_run), "text": file.text} for file in files],
    }
