"""`infraspec conventions`: the naming and tagging rules of a contract, and the way of existing resources to them."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import click

from infraspec import contract as contracts
from infraspec.checks.conventions.migration import plan_migration
from infraspec.cli.common import INFRA, PATH, echo, reported
from infraspec.core.errors import ContractError, collected
from infraspec.reporting.conventions import conventions_document, migration_document
from infraspec.reporting.document import as_markdown, as_text
from infraspec.terraform.environments import Environments


@click.command()
@INFRA
@click.option(
    "--lang", type=click.Choice(["en", "ja"]), default="en", show_default=True, help="Language of the document."
)
@click.option("--migration", is_flag=True, help="Write how to migrate existing resources, instead of the rules.")
@click.option("--env", "environments", multiple=True, help="Environment to migrate; repeatable.  [default: all]")
@click.option("--plan", "plan_file", type=PATH, help="Plan or state of the one environment, as JSON.")
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
    """Write the naming and tagging rules of a contract as a document, or a migration plan.

    \b
    infraspec conventions --infra . --lang ja > docs/conventions.md
    infraspec conventions --infra . --migration --env prod --plan state.json

    The migration plan lists each existing resource whose name or tags break a rule: the new name, whether renaming
    replaces the resource, and the steps that keep its data. Existing resources are those of the plan or state of the
    environment, or of --plan; without either, every resource of the source is taken to exist.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    if migration:
        echo(_migration(infra, environments, plan_file, lang, form))
    elif environments or plan_file:
        raise click.UsageError("--env and --plan belong to --migration")
    else:
        echo(as_markdown(conventions_document(contracts.load(infra, environments=()), lang)))


def _migration(infra: Path, names: Sequence[str], plan_file: Path | None, language: str, form: str) -> str:
    """Return the migration of environments, all if none is named, as "text" or "markdown". InfraspecError for input."""
    contract = contracts.load(infra, environments=names or None)
    chosen = list(names or contract.environments)
    if plan_file is not None and len(chosen) > 1:
        raise ContractError(
            "a plan file is for one environment",
            place=f"--plan {plan_file}",
            found=", ".join(chosen),
            remedy=f"choose one, such as --env {chosen[0]}",
        )
    environments = Environments(contract, plan_file=plan_file)
    plans = collected(lambda name: plan_migration(environments.plan(name), contract, name), chosen, environments=True)
    found = migration_document(plans, language)
    return as_text(found) if form == "text" else as_markdown(found)
