"""What `infraspec conventions` writes, from the repository of a contract."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from infraspec import contract as contracts
from infraspec.checks.migration import plan_migration
from infraspec.errors import ContractError, ErrorCollector
from infraspec.reporting.conventions_document import conventions
from infraspec.reporting.migration_text import as_markdown, as_text
from infraspec.terraform.environments import Environments


def document(infra: Path, language: str) -> str:
    """Return the rules of a contract as Markdown; its files need not be there."""
    return conventions(contracts.load(infra, environments=()), language)


def migration_document(infra: Path, names: Sequence[str], plan_file: Path | None, language: str, form: str) -> str:
    """Return the migration of environments, all if none is named, as "text" or "markdown". InfraspecError for input."""
    contract = contracts.load(infra, environments=names or None)
    chosen = list(names or contract.environments)
    if plan_file is not None and len(chosen) > 1:
        raise ContractError(
            "a plan file belongs to one environment",
            place=f"--plan {plan_file}",
            found=", ".join(chosen),
            remedy=f"choose one, such as --env {chosen[0]}",
        )
    environments = Environments(contract, plan_file=plan_file)
    plans, errors = [], ErrorCollector()
    for name in chosen:
        with errors.collect(name if len(chosen) > 1 else ""):
            plans.append(plan_migration(environments.plan(name), contract, name))
    errors.finalize()
    return as_text(plans, language) if form == "text" else as_markdown(plans, language)
