"""`infraspec rehearse`: the commands of a playbook, run in the sandbox in which its failure was made."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

import click

from infraspec import contract as contracts
from infraspec.cli.common import INFRA, PATH, TEXT_OR_JSON, reported
from infraspec.cli.terminal import show_document, waiting
from infraspec.contract.models import Contract
from infraspec.core.errors import ContractError, RequestError
from infraspec.core.runtime import require
from infraspec.process.playbooks import read_playbooks
from infraspec.process.rehearsals import RecordedRehearsal, recorded_name, write_rehearsals
from infraspec.reporting.explanation import EXIT_CODES
from infraspec.reporting.rehearsal import rehearsal_document, tone_of
from infraspec.sandbox.rehearsal.rehearsing import STEP_SECONDS, Rehearsal, Rehearser, chosen


@click.command()
@click.argument("playbook", required=False, default="")
@click.option("--all", "everything", is_flag=True, help="Rehearse all playbooks, one after the other.")
@INFRA
@click.option("--env", "environment", help="Environment of the contract.  [default: as in [sandbox], or the first]")
@click.option("--lang", "languages", multiple=True, metavar="LANGUAGE", help="Only this language; may be repeated.")
@click.option("--set", "variables", multiple=True, metavar="NAME=VALUE", help="What a person would fill in.")
@click.option("--role", default="", help="Role of who is on call, by name or ARN.  [default: an administrator]")
@click.option("--step-seconds", default=STEP_SECONDS, show_default=True, help="How long a step may take.")
@click.option(
    "--record", "record", type=PATH, is_flag=False, flag_value=Path(), help="Write what came of it to this file."
)
@TEXT_OR_JSON
@reported
def rehearse(  # noqa: PLR0917 - click passes by name
    playbook: str,
    everything: bool,  # noqa: FBT001 - as above
    infra: Path,
    environment: str | None,
    languages: tuple[str, ...],
    variables: tuple[str, ...],
    role: str,
    step_seconds: float,
    record: Path | None,
    form: str,
) -> None:
    """Rehearse a playbook: make its failure happen in a sandbox, run its commands, and see whether they restore.

    \b
    infraspec rehearse secret-access-denied --env prod --lang en
    infraspec rehearse --all --env prod --record

    The sandbox has the repository's own Terraform applied. The live suite has to see the failure; then the blocks of
    commands (sh, bash, console) run in order in one shell, with the AWS CLI, until the live suite is green again. The
    first step that fails ends it. --record without a file writes to `rehearsals` of [playbooks].

    \b
    A REHEARSAL RUNS THE CODE IN THE PLAYBOOK on this machine, as you. Do not rehearse a pull request that you have
    not read. Commands get an empty directory, an empty environment, and credentials of the sandbox alone; PATH has
    the AWS CLI, infraspec, tools such as jq, and stand-ins for curl, gh, git, make, psql and terraform. That keeps
    mistakes away from real accounts, and no attacker. infraspec check never runs a playbook.

    \b
    What a person fills in is written ${NAME:?what it is} in the playbook, and given by --set NAME=VALUE; CLUSTER,
    SERVICE, ACCOUNT and REGION are known without. docs/rehearse.md lists the failures and the stand-ins.

    \b
    exit code  0  every playbook restores
               1  one does not: a step fails, or it is not healthy in the end
               2  wrong input: no such playbook or environment, commands that no shell can read
    """  # noqa: D301 - \b keeps click from wrapping the examples
    _refuse_unclear(playbook, everything=everything)
    require("rehearse", "infraspec rehearse")
    contract = contracts.load(infra, environments=[environment] if environment else None)
    name = environment or contract.sandbox.environment or next(iter(contract.environments))
    directory, shown, file = _places(contract, record)
    pages = chosen(read_playbooks(directory, shown), playbook, languages)
    with waiting("starting the sandbox") as tell:
        rehearser = Rehearser(
            contract, name, variables=_pairs(variables), role=role, step_seconds=step_seconds, tell=tell
        )
        done = [rehearser.rehearse(page) for page in pages]
    if file is not None:
        write_rehearsals(file, str(file), (_recorded(one, contract.directory) for one in done))
    show_document(rehearsal_document(done), form)
    sys.exit(EXIT_CODES[tone_of(done)])


def _refuse_unclear(playbook: str, *, everything: bool) -> None:
    if bool(playbook) == everything:
        raise RequestError(
            "which playbook is not said" if not playbook else "one playbook and all of them are asked for",
            place="rehearse",
            expected="the id or the file of a playbook, or --all",
            remedy="infraspec rehearse --all",
        )


def _places(contract: Contract, record: Path | None) -> tuple[Path, str, Path | None]:
    """Return where the playbooks are, how that is shown, and where the record goes."""
    if contract.playbooks is None:
        raise ContractError(
            "the contract has no playbooks",
            place=str(contract.path),
            expected="a table [playbooks]",
            remedy='[playbooks]\ndirectory = "docs/playbooks"',
        )
    directory = contract.playbooks.directory
    file = record
    if record == Path():
        if contract.playbooks.rehearsals is None:
            raise ContractError(
                "the contract does not say where rehearsals are recorded",
                place=f"{contract.path}: playbooks.rehearsals",
                expected="a file of the repository",
                remedy='rehearsals = "docs/playbooks/rehearsals.json"',
            )
        file = contracts.resolve(contract, contract.playbooks.rehearsals)
    return contracts.resolve(contract, directory), contracts.display(contract, directory), file


def _pairs(variables: Sequence[str]) -> dict[str, str]:
    pairs = {}
    for text in variables:
        name, equals, value = text.partition("=")
        if not equals or not name.isidentifier():
            raise RequestError(
                "a variable is not understood", place="--set", expected="NAME=VALUE", found=text, remedy="--set TASK=…"
            )
        pairs[name] = value
    return pairs


def _recorded(one: Rehearsal, root: Path) -> RecordedRehearsal:
    return RecordedRehearsal(
        recorded_name(one.playbook, root),
        one.environment,
        datetime.now(UTC).date(),
        one.failure,
        one.result,
        round(one.seconds),
        one.playbook.digest,
    )
