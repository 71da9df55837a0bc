"""Which environments a run is about, of those that a contract has: a shard of them, or what a change may concern."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Sequence
from pathlib import Path

from infraspec.contract.models import Contract
from infraspec.core.errors import SelectionError
from infraspec.terraform.environment_files import EnvironmentFiles

_SHARD = re.compile(r"([1-9]\d{0,4})/([1-9]\d{0,4})")


def in_shard(names: Sequence[str], shard: str) -> list[str]:
    """Return the names of a shard, such as `3/8`: the third of eight runs of neighbours that differ by one at most.

    Raises SelectionError for another text.
    """
    found = _SHARD.fullmatch(shard.strip())
    number, count = (int(found[1]), int(found[2])) if found else (1, 0)
    if number > count:
        raise SelectionError(
            "there is no such shard",
            place=f"--infraspec-shard {shard}",
            expected="the number of the shard and how many there are, such as 3/8",
            remedy="count from 1: 1/8 to 8/8",
        )
    return list(names[(number - 1) * len(names) // count : number * len(names) // count])


def changed_since(contract: Contract, names: Sequence[str], reference: str) -> list[str]:
    """Return the names of the environments that what has changed since a commit may concern.

    A Terraform file that is part of no environment concerns the first one, whose tests say what nobody makes, and what
    concerns the environment that others have to be like concerns all. Raises SelectionError if Git cannot tell.
    """
    files = EnvironmentFiles(contract)
    changed = changed_files(contract.directory, reference)
    if contract.consistency and any(files.affects(path, reference_of(contract)) for path in changed):
        return list(names)
    affected = [name for name in names if any(files.affects(path, name) for path in changed)]
    first = next(iter(contract.environments), "")
    if first in names and first not in affected and any(map(files.belongs_to_none, changed)):
        affected.insert(0, first)
    return affected


def reference_of(contract: Contract) -> str:
    """Return the environment that `consistency` compares the others with."""
    reference = contract.consistency.reference if contract.consistency else None
    return reference or next(iter(contract.environments))


def changed_files(directory: Path, reference: str) -> list[str]:
    """Return what differs from the commit in which HEAD left a reference: absolute paths, also of new and gone files.

    Source: git-diff, git-ls-files and git-merge-base manual pages. Raises SelectionError.
    """
    top = Path(_git(directory, reference, "rev-parse", "--show-toplevel").rstrip("\n"))
    base = _git(directory, reference, "merge-base", "--end-of-options", reference, "HEAD").strip()
    shown = _git(top, reference, "diff", "--name-only", "--no-renames", "--no-ext-diff", "-z", base, "--")
    new = _git(top, reference, "ls-files", "--others", "--exclude-standard", "-z")
    return sorted({str(top / path) for path in (shown + new).split("\0") if path})


def _git(directory: Path, reference: str, *words: str) -> str:
    try:
        done = subprocess.run(  # noqa: S603 - the words are ours, and the reference is no option
            ["git", "-c", "core.fsmonitor=false", "-C", str(directory), *words],  # noqa: S607 - the user's git
            capture_output=True,
            check=True,
            stdin=subprocess.DEVNULL,
        )
    except FileNotFoundError:
        raise SelectionError(
            "Git is not installed, and what has changed cannot be determined without it",
            place=f"--infraspec-changed-from {reference}",
            remedy="install Git, or omit the option",
        ) from None
    except subprocess.CalledProcessError as error:
        told = error.stderr.decode("utf-8", "replace").strip().splitlines()
        raise SelectionError(
            "Git cannot determine what has changed",
            place=f"--infraspec-changed-from {reference}",
            expected="a commit or branch that the checkout has, and the commits since",
            found=told[0] if told else f"git {words[0]} found nothing in common with HEAD",
            remedy=f"git fetch origin {reference.removeprefix('origin/')}\n"
            "in a workflow: actions/checkout with fetch-depth: 0",
        ) from None
    return done.stdout.decode("utf-8", "surrogateescape")
