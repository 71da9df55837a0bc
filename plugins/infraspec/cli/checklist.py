"""`infraspec checklist`: which share of the checklist merged pull requests had ticked."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from infraspec import contract as contracts
from infraspec.cli.common import INFRA_BRIEF, PATH, echo, reported
from infraspec.core.errors import ContractError, ProcessFileError
from infraspec.process.checklist import compliance, read_pull_requests


@click.command()
@INFRA_BRIEF
@click.option("--pull-requests", "file", type=PATH, required=True, help="Output of gh pr list --json ….")
@click.option("--at-least", type=click.FloatRange(0, 1), default=0.95, show_default=True, help="Minimum share.")
@reported
def checklist(infra: Path, file: Path, at_least: float) -> None:
    """Report how much of the checklist merged pull requests completed, and which items they left open.

    \b
    gh pr list --state merged --limit 100 --json number,body > merged.json
    infraspec checklist --pull-requests merged.json

    The items are those of checklist in [process] of the contract. The exit code is 1 if the share is below the minimum.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    contract = contracts.load(infra, environments=[])
    if contract.process is None or not contract.process.checklist:
        raise ContractError(
            "the contract has no checklist", place=str(contract.path), remedy='[process]\nchecklist = ["…"]'
        )
    requests = read_pull_requests(file, str(file))
    share = compliance(requests, contract.process.checklist)
    if share is None:
        raise ProcessFileError("the list contains no pull request", place=str(file))
    for request in requests:
        for item in request.open_items(contract.process.checklist):
            echo(f"#{request.number}: {item}")
    echo(f"{share:.1%} of {len(contract.process.checklist)} items in {len(requests)} pull requests")
    if share < at_least:
        sys.exit(1)
