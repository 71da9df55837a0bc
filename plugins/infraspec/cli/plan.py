"""`infraspec plan`: what Terraform source evaluates to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from infraspec.cli.common import ONE_ENVIRONMENT, PATH, TEXT_OR_JSON, reported
from infraspec.cli.terminal import show_document, waiting
from infraspec.reporting.planned_values import plan_document
from infraspec.terraform.environments import PlanRequest


class _Ordered(click.Option):
    """An option that remembers its place among the others: --var and --var-file win in the order given."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **{"multiple": True, "expose_value": False, "callback": self.remember, **kwargs})

    @staticmethod
    def remember(context: click.Context, parameter: click.Parameter, values: tuple[str, ...]) -> None:
        """Keep the values; `ordered_arguments` puts them in order."""
        context.meta.setdefault("infraspec.arguments", {})[parameter.name] = list(values)


def ordered_arguments(context: click.Context, arguments: list[str]) -> list[tuple[str, str]]:
    """Return ("var", "NAME=VALUE") and ("var_file", "FILE") in the order of the command line."""
    values: dict[str, list[str]] = context.meta.get("infraspec.arguments", {})
    remaining = {name: list(items) for name, items in values.items()}
    order = [name for word in arguments for name in ("var_file", "var") if word.split("=")[0] == _flag(name)]
    return [(name, remaining[name].pop(0)) for name in order if remaining.get(name)]


def _flag(name: str) -> str:
    return "--" + name.replace("_", "-")


class _PlanCommand(click.Command):
    """Keep the words of the command line, which tell the order of --var and --var-file."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as usual."""
        ctx.meta["infraspec.words"] = list(args)
        return super().parse_args(ctx, args)


@click.command(cls=_PlanCommand)
@click.option("--root", type=PATH, help="Root module to evaluate, without a contract.")
@click.option("--infra", type=PATH, help="Infrastructure repository: where infraspec.toml is.  [default: .]")
@ONE_ENVIRONMENT
@click.option("--var", cls=_Ordered, metavar="NAME=VALUE", help="Value of a root variable, as terraform's -var.")
@click.option("--var-file", cls=_Ordered, metavar="FILE", help="File of variable values, as terraform's -var-file.")
@click.option("--workspace", help="terraform.workspace.  [default: default]")
@click.option(
    "--known", multiple=True, metavar="KEY=VALUE", help="What a data source returns: aws_caller_identity.account_id=…"
)
@TEXT_OR_JSON
@click.pass_context
@reported
def plan(  # noqa: PLR0917 - click passes by name
    context: click.Context,
    root: Path | None,
    infra: Path | None,
    environment: str | None,
    workspace: str | None,
    known: tuple[str, ...],
    form: str,
) -> None:
    """Print what Terraform source evaluates to, without terraform and without credentials.

    \b
    infraspec plan --infra . --env prod
    infraspec plan --root terraform/environments/prod --var image_tag=v16 --var-file prod.tfvars
    infraspec plan --root . --known aws_caller_identity.account_id=123456789012 --format json

    JSON has the shape of planned_values in `terraform show -json`, and `unknown`: by resource address the paths
    that are known only after apply. Text marks these with "known after apply" and what they are.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    if root is not None and (infra is not None or environment is not None):
        raise click.UsageError("--root stands alone; --infra and --env go together")
    request = PlanRequest(
        root=root,
        infra=infra or Path(),
        environment=environment,
        arguments=tuple(ordered_arguments(context, context.meta["infraspec.words"])),
        workspace=workspace,
        known=known,
    )
    with waiting("evaluating the source"):
        evaluated = request.evaluate()
    show_document(plan_document(evaluated), form)
    for diagnostic in evaluated.diagnostics:
        click.echo(f"{diagnostic.severity}: {diagnostic}", err=True)
