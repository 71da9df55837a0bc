"""`infraspec explain`: why a role may do something, or may not."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from infraspec.checks.access.explanation import explain as explained
from infraspec.checks.access.secret_access import placed
from infraspec.cli.common import INFRA, ONE_ENVIRONMENT, PATH, TEXT_OR_JSON, reported
from infraspec.cli.terminal import show_document, waiting
from infraspec.reporting.explanation import EXIT_CODES, explanation_document, tone_of
from infraspec.terraform.environments import environment_plan


@click.command()
@INFRA
@ONE_ENVIRONMENT
@click.option("--plan", "plan_file", type=PATH, help="A plan, as `terraform show -json` writes it.")
@click.option(
    "--snapshot",
    "snapshots",
    multiple=True,
    type=PATH,
    help="What IAM has in an account, for roles that are not in the plan; may be repeated.",
)
@click.option("--role", required=True, help="Address, name or ARN of a role, or a function's address.")
@click.option("--action", required=True, help="What is asked: secretsmanager:GetSecretValue.")
@click.option("--resource", required=True, help="ARN, *, or Terraform address of a resource.")
@click.option(
    "--context", "keys", multiple=True, metavar="KEY=VALUE", help="A condition key of the request; may be repeated."
)
@TEXT_OR_JSON
@reported
def explain(  # noqa: PLR0917 - click passes by name
    infra: Path,
    environment: str | None,
    plan_file: Path | None,
    snapshots: tuple[Path, ...],
    role: str,
    action: str,
    resource: str,
    keys: tuple[str, ...],
    form: str,
) -> None:
    """Explain whether a role is allowed to do something, which statement decides, and what to add if none does.

    \b
    infraspec explain --env prod --role shop-prod-app-execution \\
        --action secretsmanager:GetSecretValue --resource aws_secretsmanager_secret.db
    infraspec explain --env prod --plan plan.json --role module.iam.aws_iam_role.task \\
        --action s3:GetObject --resource 'arn:aws:s3:::shop-prod-reports/2026/*' --format json

    All policies that the plan attaches to the role count: inline and managed ones, its boundary, the policy of the
    resource. Of the request is known what is of every request that ECS makes with a role; what else a Condition asks
    for is given with --context:

    \b
    infraspec explain … --action kms:Decrypt --resource aws_kms_key.main \\
        --context kms:ViaService=secretsmanager.eu-west-1.amazonaws.com

    A role that is not in the plan is as a snapshot of its account has it, which AWS writes:

    \b
    aws iam get-account-authorization-details --output json > iam.json
    infraspec explain … --snapshot iam.json --role arn:aws:iam::111122223333:role/shared-execution

    A function, a schedule or another workload with one role stands for that role, by its Terraform address.

    A resource by its Terraform address is the ARN it will have, the six characters that AWS appends to a secret's name
    unknown; of a log group it is any stream, of a bucket any object, if the action is about these.

    \b
    exit code  0  allowed
               1  denied
               2  wrong input: no such role, action, resource or environment
               3  undetermined: cannot be decided from what is known
    """  # noqa: D301 - \b keeps click from wrapping the examples
    context = _keys(keys)
    with waiting("evaluating the source"):
        evaluated, contract, name = environment_plan(infra, environment, plan_file, snapshots)
        found = explained(placed(evaluated, contract, name), role, action, resource, context)
    show_document(explanation_document(found), form)
    sys.exit(EXIT_CODES[tone_of(found.outcome)])


def _keys(pairs: tuple[str, ...]) -> dict[str, str | list[str]]:
    """Read KEY=VALUE; a key that is given more than once has several values."""
    values: dict[str, list[str]] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or ":" not in key:
            raise click.UsageError(f"--context is KEY=VALUE, such as aws:PrincipalOrgID=o-1, not {pair}")
        values.setdefault(key, []).append(value)
    return {key: found[0] if len(found) == 1 else found for key, found in values.items()}
