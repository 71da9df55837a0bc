"""`infraspec plan`: what Terraform source evaluates to."""

from __future__ import annotations

from pathlib import Path

import click

from infraspec.cli.common import ONE_ENVIRONMENT, PATH, TEXT_OR_JSON, echo, reported, repository
from infraspec.cli.terminal import show_document, waiting
from infraspec.reporting.planned_values import plan_document
from infraspec.terraform.environments import PlanRequest


class _PlanCommand(click.Command):
    """A command that keeps --var and --var-file in the order given, in which they win."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse as usual; `arguments` are ("var", "NAME=VALUE") and ("var_file", "FILE") in order."""
        _, _, order = self.make_parser(ctx).parse_args(list(args))
        rest = super().parse_args(ctx, args)
        given = {name: iter(ctx.params.pop(name) or ()) for name in ("var", "var_file")}
        ctx.params["arguments"] = tuple((one.name, next(given[one.name], "")) for one in order if one.name in given)
        return rest


@click.command(cls=_PlanCommand)
@click.option("--root", type=PATH, help="Root module to evaluate, without a contract.")
@click.option(
    "--infra", type=PATH, help="Infrastructure repository: where infraspec.toml is.  [default: here or above]"
)
@ONE_ENVIRONMENT
@click.option("--var", multiple=True, metavar="NAME=VALUE", help="Value of a root variable, as terraform's -var.")
@click.option("--var-file", multiple=True, metavar="FILE", help="File of variable values, as terraform's -var-file.")
@click.option("--workspace", help="terraform.workspace.  [default: default]")
@click.option(
    "--known",
    multiple=True,
    metavar="KEY=VALUE",
    help="Value of a data source: aws_caller_identity.account_id=…",
)
@TEXT_OR_JSON
@reported
def plan(  # noqa: PLR0917 - click passes by name
    root: Path | None,
    infra: Path | None,
    environment: str | None,
    workspace: str | None,
    known: tuple[str, ...],
    form: str,
    arguments: tuple[tuple[str, str], ...],
) -> None:
    """Print what Terraform source evaluates to, without terraform and without credentials.

    \b
    infraspec plan --infra . --env prod
    infraspec plan --root terraform/environments/prod --var image_tag=v16 --var-file prod.tfvars
    infraspec plan --root . --known aws_caller_identity.account_id=123456789012 --format json

    JSON has the structure of planned_values in `terraform show -json`, and `unknown`: by resource address the paths
    that are known only after apply. Text marks these with "known after apply" and what they are.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    if root is not None and (infra is not None or environment is not None):
        raise click.UsageError("--root cannot be combined with --infra and --env")
    request = PlanRequest(
        root=root,
        infra=infra or repository(),
        environment=environment,
        arguments=arguments,
        workspace=workspace,
        known=known,
    )
    with waiting("evaluating the source"):
        evaluated = request.evaluate()
    show_document(plan_document(evaluated), form)
    for diagnostic in evaluated.diagnostics:
        echo(f"{diagnostic.severity}: {diagnostic}", err=True)
