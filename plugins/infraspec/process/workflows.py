"""GitHub workflow files: what starts them, what their jobs may do, and which actions they run.

Source: GitHub Docs, "Workflow syntax for GitHub Actions" and "Security hardening for GitHub Actions".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from msgspec import Struct

from infraspec.core.errors import ProcessFileError, collected
from infraspec.core.finding import Location
from infraspec.core.runtime import read_regular
from infraspec.process.markdown import line_of, parse_mapping

_COMMIT = re.compile(r"@[0-9a-f]{40}$|@sha256:[0-9a-f]{64}$")


class ActionUse(Struct, frozen=True):
    """An action or a reusable workflow that a job runs."""

    target: str
    location: Location

    @property
    def pinned(self) -> bool:
        """Whether it cannot change under the same name: a commit, an image digest, or a file of this repository."""
        return self.target.startswith("./") or _COMMIT.search(self.target) is not None


class Job(Struct, frozen=True, eq=False):
    """A job. `permissions` are its own or the workflow's; None if neither says any."""

    name: str
    title: str
    location: Location
    permissions: Any
    uses: tuple[ActionUse, ...]
    commands: str


class Workflow(Struct, frozen=True, eq=False):
    """A workflow file with the events that start it."""

    file: str
    events: Mapping[str, Any]
    jobs: tuple[Job, ...]
    tree: Mapping[str, Any] = {}


def read_workflows(directory: Path, shown: str) -> tuple[Workflow, ...]:
    """Read the workflow files of a directory; ProcessFileError (all at once) for those that are none."""
    paths = sorted([*directory.glob("*.yml"), *directory.glob("*.yaml")])
    return tuple(collected(lambda path: _read(path, f"{shown.rstrip('/')}/{path.name}"), paths))


def _read(path: Path, shown: str) -> Workflow:
    try:
        return workflow_of(read_regular(path, shown).decode("utf-8-sig"), shown)
    except (OSError, UnicodeDecodeError) as error:
        raise ProcessFileError(f"the file cannot be read: {error}", place=shown) from None


def workflow_of(text: str, shown: str) -> Workflow:
    """Read a workflow from its text."""
    tree = parse_mapping(text, shown)
    jobs = tree.get("jobs")
    if not isinstance(jobs, Mapping):
        raise ProcessFileError("the workflow has no jobs", place=shown, expected="jobs:")
    default = tree.get("permissions")
    return Workflow(shown, _events(tree.get("on")), tuple(_jobs(jobs, shown, default)), tree)


def _events(on: Any) -> dict[str, Any]:
    if isinstance(on, str):
        return {on: None}
    if isinstance(on, Mapping):
        return dict(on)
    return dict.fromkeys(on) if isinstance(on, Sequence) else {}


def _jobs(jobs: Mapping[str, Any], shown: str, default: Any) -> Iterator[Job]:
    for name, job in jobs.items():
        place = Location(shown, line_of(jobs, name))
        if not isinstance(job, Mapping):
            raise ProcessFileError("a job is a mapping", place=str(place), found=type(job).__name__)
        steps = [step for step in job.get("steps") or () if isinstance(step, Mapping)]
        uses = tuple(
            ActionUse(str(node["uses"]), Location(shown, line_of(node, "uses")))
            for node in (job, *steps)
            if "uses" in node
        )
        commands = "\n".join(str(step["run"]) for step in steps if "run" in step)
        title = str(job.get("name") or name)
        yield Job(str(name), title, place, job.get("permissions", default), uses, commands)
