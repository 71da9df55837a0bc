"""`infraspec get`: the modules that a repository calls and does not have, fetched into the cache of the user.

Nothing of the repository or of what is fetched is run: git runs without hooks, with protocols that are named here, and
Terraform runs in an empty directory with nothing but the source of one module.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Collection, Iterable, Sequence
from pathlib import Path

import click
from msgspec.structs import replace

from infraspec import contract as contracts
from infraspec.cli.common import INFRA, echo, reported
from infraspec.contract.models import Contract
from infraspec.core.errors import InfraspecError
from infraspec.terraform.configuration.module_cache import Package, package_of, without_credentials
from infraspec.terraform.environments import Environments

PROTOCOLS = ("https", "ssh")
"""What git may speak. Source: git documentation, "protocol.allow"."""
_SETTINGS = {
    "core.hooksPath": "/dev/null",
    "core.fsmonitor": "false",
    "submodule.recurse": "false",
    "filter.lfs.smudge": "",
    "filter.lfs.process": "",
    "filter.lfs.required": "false",
    "protocol.allow": "never",
}
_URL = re.compile(r"(?P<protocol>[a-z]+)://(?:[^/@\s]+@)?(?P<host>[A-Za-z0-9\[][^/\s]*)?/[^\s\x00-\x1f]*")
_CONSTRAINT = re.compile(r"[\w .,<>=!~+-]*")
_REF = re.compile(r"[A-Za-z0-9][\w./+-]*")
_OF_USERS = ("TF_TOKEN_", "TF_CLI_CONFIG_FILE", "GIT_ASKPASS", "GIT_SSL_")
"""The environment variables of the tools that say who asks, and nothing of what is done."""
_SECONDS = 300
_MOST_ROUNDS = 8


class FetchError(Exception):
    """Why something could not be fetched, for people, without credentials."""


@click.command()
@INFRA
@click.option("--env", "environment", help="Environment of the contract.  [default: all]")
@click.option("--update", is_flag=True, help="Clear the cache first: branches and version ranges may have moved.")
@reported
def get(infra: Path, environment: str | None, *, update: bool) -> None:
    """Download missing modules from git and registries.

    \b
    infraspec get
    infraspec get --infra ../my-infrastructure --env prod --update

    They are stored in a cache outside the repository, $XDG_CACHE_HOME/infraspec/modules, which every run uses. If
    Terraform or OpenTofu is installed, `terraform get` or `tofu get` downloads them; otherwise git downloads those with
    a git source. No code of the repository is run, and no submodules are downloaded.

    \b
    exit code  0  all modules are downloaded
               1  a module could not be downloaded
               2  wrong input
    """  # noqa: D301 - \b keeps click from wrapping the examples
    contract = contracts.load(infra, environments=[environment] if environment else None)
    if update:
        shutil.rmtree(Package("", "").directory.parent, ignore_errors=True)
    failed: dict[Package, bool] = {}
    for _ in range(_MOST_ROUNDS):  # what was fetched may call further modules
        missing = _missing(contract, [environment] if environment else [*contract.environments], failed)
        for package in missing:
            failed[package] = False
            try:
                fetch(package, package.directory)
                echo(f"fetched      {package.shown}")
            except FetchError as error:
                failed[package] = True
                echo(f"not downloaded  {package.shown}: {error}")
    if not failed:
        echo("all modules are downloaded")
    sys.exit(1 if any(failed.values()) else 0)


def _missing(contract: Contract, names: Iterable[str], seen: Collection[Package]) -> list[Package]:
    """Return what the environments lack and nobody has tried to fetch; one that cannot be read is said to be so."""
    environments = Environments(contract)
    found: dict[Package, None] = {}
    for name in names:
        try:
            absent = environments.plan(name).absent
            found |= dict.fromkeys(replace(package_of(*each), folder="") for each in absent)
        except InfraspecError as error:
            echo(f"{name}: {str(error).splitlines()[0]}", err=True)
    return [package for package in found if package not in seen]


def fetch(package: Package, target: Path) -> None:
    """Fetch a package into a directory, which is whole or not there. Raises FetchError."""
    tool = shutil.which("terraform") or shutil.which("tofu")
    if package.kind == "git":
        _demand_safe(package)
    elif package.kind != "registry" or _CONSTRAINT.fullmatch(package.ref) is None:
        raise FetchError("neither a git nor a registry source; let Terraform download it: terraform get")
    elif tool is None:
        raise FetchError("a registry module needs Terraform or OpenTofu, and neither is installed")
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent) as work:
        made = _by_tool(tool, package, Path(work)) if tool else _by_git(package, Path(work))
        shutil.rmtree(made / ".git", ignore_errors=True)
        (made / ".git").mkdir()  # where a repository ends, which no link is followed out of
        shutil.rmtree(target, ignore_errors=True)
        made.replace(target)


def _demand_safe(package: Package) -> None:
    """Raise FetchError for what git may take for an option, or for another protocol than those that are allowed."""
    found = _URL.fullmatch(package.url)
    if found is None or found["protocol"] not in PROTOCOLS:
        raise FetchError(f"not a URL of {' or '.join(PROTOCOLS)}")
    if package.ref and (_REF.fullmatch(package.ref) is None or ".." in package.ref):
        raise FetchError("its ref is not a commit, tag or branch")


def _by_git(package: Package, work: Path) -> Path:
    """Fetch one commit; one that is named by the beginning of its hash is looked for among all."""
    made = work / "package"
    _run(["git", "init", "--quiet", "--template=", str(made)], work)
    fetching = ["git", "fetch", "--quiet", "--no-tags", "--no-recurse-submodules"]
    try:
        _run([*fetching, "--depth=1", "--", package.url, package.ref or "HEAD"], made)
        wanted = "FETCH_HEAD"
    except FetchError:
        if not package.ref:
            raise
        _run([*fetching, "--", package.url, "+refs/*:refs/*"], made)
        wanted = package.ref
    _run(["git", "checkout", "--quiet", "--force", "--detach", wanted], made)
    return made


def _by_tool(tool: str, package: Package, work: Path) -> Path:
    """Let Terraform fetch the module of an empty configuration. Source: Terraform CLI documentation, "get"."""
    source = f"git::{package.url}" + (f"?ref={package.ref}" if package.ref else "")
    call = {"source": source} if package.kind == "git" else {"source": package.url}
    if package.kind == "registry" and package.ref:
        call["version"] = package.ref
    (work / "main.tf.json").write_text(json.dumps({"module": {"package": call}}), encoding="utf-8")
    _run([tool, "get", "-no-color"], work)
    return work / ".terraform" / "modules" / "package"


def _run(command: Sequence[str], directory: Path) -> None:
    """Run a program in a directory, with git's settings for whoever calls git. Raises FetchError."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("TF_", "GIT_"))}
    kept |= {name: value for name, value in os.environ.items() if name.startswith(_OF_USERS)}
    settings = {**_SETTINGS, **{f"protocol.{name}.allow": "always" for name in PROTOCOLS}}
    for index, (name, value) in enumerate(settings.items()):
        kept |= {f"GIT_CONFIG_KEY_{index}": name, f"GIT_CONFIG_VALUE_{index}": value}
    kept |= {
        "GIT_CONFIG_COUNT": str(len(settings)),
        "GIT_ALLOW_PROTOCOL": ":".join(PROTOCOLS),
        "GIT_TERMINAL_PROMPT": "0",
        "GIT_SSH_COMMAND": "ssh -oBatchMode=yes",
        "CHECKPOINT_DISABLE": "1",
        "TF_IN_AUTOMATION": "1",
        "TF_INPUT": "0",
    }
    try:
        ran = subprocess.run(  # noqa: S603 - no shell, and what is given was looked at
            command,
            cwd=directory,
            env=kept,
            timeout=_SECONDS,
            check=False,
            capture_output=True,
            stdin=subprocess.DEVNULL,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise FetchError(f"{Path(command[0]).name}: {type(error).__name__}") from None
    if ran.returncode:
        said = [line for line in ran.stderr.decode("utf-8", "replace").splitlines() if line.strip()]
        raise FetchError(
            without_credentials(said[-1]) if said else f"{Path(command[0]).name} exited with code {ran.returncode}"
        )
