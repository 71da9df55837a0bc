"""The command line: `infraspec COMMAND`."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from infraspec import __version__
from infraspec.command import Main, reported
from infraspec.diagnose_command import diagnose
from infraspec.doctor_command import doctor
from infraspec.errors import ContractError, ProcessFileError
from infraspec.explain_command import explain
from infraspec.init_command import init
from infraspec.plan_command import plan
from infraspec.report_command import report
from infraspec.runner_policy_command import runner_policy
from infraspec.sandbox_command import sandbox
from infraspec.simulate_command import simulate


@click.group(cls=Main, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(__version__, prog_name="infraspec")
def main() -> None:
    """Prove that an AWS infrastructure is what its specification says.

    \b
    infraspec init                          read a repository, write its infraspec.toml
    pytest --pyargs infraspec.tests_static  prove what the contract says, from source
    infraspec doctor                        say what is not known, and how to make it known
    infraspec explain …                     say why a role may do something, or may not
    infraspec diagnose                      say what is wrong with a service that runs

    Nothing but the live suite and what says so asks AWS. A terminal gets tables and colours, without these where
    NO_COLOR is set; a pipe gets plain lines. The exit code is 0 if all is well, 1 if what was asked about is not, 2 if
    the input is wrong; --help of a command has more.
    """  # noqa: D301 - \b keeps click from wrapping the table


for command in (init, doctor, plan, explain, diagnose, simulate, report, runner_policy, sandbox):
    main.add_command(command)


@main.command(short_help="Write naming and tagging rules as a document.")
@click.option(
    "--infra",
    type=click.Path(path_type=Path),
    default=Path(),
    help="Infrastructure repository: where infraspec.toml is.  [default: .]",
)
@click.option(
    "--lang", type=click.Choice(["en", "ja"]), default="en", show_default=True, help="Language of the document."
)
@click.option("--migration", is_flag=True, help="The way of existing resources to the rules, instead of the rules.")
@click.option("--env", "environments", multiple=True, help="Environment to migrate; repeatable.  [default: all]")
@click.option(
    "--plan", "plan_file", type=click.Path(path_type=Path), help="Plan or state of the one environment, as JSON."
)
@click.option(
    "--format",
    "form",
    type=click.Choice(["text", "markdown"]),
    default="markdown",
    show_default=True,
    help="Of --migration.",
)
@reported
def conventions(  # noqa: PLR0917 - click passes by name
    infra: Path,
    lang: str,
    migration: bool,  # noqa: FBT001 - likewise
    environments: tuple[str, ...],
    plan_file: Path | None,
    form: str,
) -> None:
    """Write the naming and tagging rules of a contract as a document, or the migration of what breaks them.

    \b
    infraspec conventions --infra . --lang ja > docs/conventions.md
    infraspec conventions --infra . --migration --env prod --plan state.json

    A migration lists each existing resource whose name or tags break a rule, with the name to give it, whether that
    replaces it, and for what holds data the steps that keep it. Which resources exist is said by the plan or state of
    the contract's environment, or by --plan; without one, all of the source are taken to.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    from infraspec.reporting.conventions_command import document, migration_document  # noqa: PLC0415 - starts faster

    if migration:
        click.echo(migration_document(infra, environments, plan_file, lang, form))
    elif environments or plan_file:
        raise click.UsageError("--env and --plan belong to --migration")
    else:
        click.echo(document(infra, lang))


@main.command(short_help="Say which share of the checklist was ticked.")
@click.option(
    "--infra", type=click.Path(path_type=Path), default=Path(), help="Infrastructure repository.  [default: .]"
)
@click.option(
    "--pull-requests", "file", type=click.Path(path_type=Path), required=True, help="What gh pr list --json … wrote."
)
@click.option("--at-least", type=click.FloatRange(0, 1), default=0.95, show_default=True, help="Share to be reached.")
@reported
def checklist(infra: Path, file: Path, at_least: float) -> None:
    """Say which share of the checklist merged pull requests had ticked, and what they left open.

    \b
    gh pr list --state merged --limit 100 --json number,body > merged.json
    infraspec checklist --pull-requests merged.json

    The items are [process] checklist of the contract. The exit code is 1 if the share is not reached.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    from infraspec import contract as contracts  # noqa: PLC0415 - other commands start faster without
    from infraspec.process.checklist import compliance, read_pull_requests  # noqa: PLC0415 - likewise

    contract = contracts.load(infra, environments=[])
    if contract.process is None or not contract.process.checklist:
        raise ContractError(
            "the contract has no checklist", place=str(contract.path), remedy='[process]\nchecklist = ["…"]'
        )
    requests = read_pull_requests(file, str(file))
    share = compliance(requests, contract.process.checklist)
    if share is None:
        raise ProcessFileError("there is no pull request in the list", place=str(file))
    for request in requests:
        for item in request.open_items(contract.process.checklist):
            click.echo(f"#{request.number}: {item}")
    click.echo(f"{share:.1%} of {len(contract.process.checklist)} items in {len(requests)} pull requests")
    if share < at_least:
        sys.exit(1)
