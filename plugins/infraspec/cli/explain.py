"""`infraspec explain`: why a role may do something, or may not."""

from __future__ import annotations

import sys
from pathlib import Path

import click

from infraspec.checks.access.explanation import explain as explained
from infraspec.checks.access.secret_access import placed
from infraspec.checks.network.reachability import check_reachability
from infraspec.cli.common import INFRA, ONE_ENVIRONMENT, PATH, TEXT_OR_JSON, reported
from infraspec.cli.terminal import show_document, waiting
from infraspec.core.errors import RequestError, listing
from infraspec.core.unknown import render
from infraspec.ecs.task_definition import task_definitions
from infraspec.reporting.explanation import EXIT_CODES, explanation_document, tone_of
from infraspec.reporting.network_paths import paths_document, worst_tone
from infraspec.terraform.aws_attributes import narrow
from infraspec.terraform.environments import environment_plan
from infraspec.terraform.plan import Plan


@click.command()
@INFRA
@ONE_ENVIRONMENT
@click.option("--plan", "plan_file", type=PATH, help="Plan file, as written by `terraform show -json`.")
@click.option(
    "--snapshot",
    "snapshots",
    multiple=True,
    type=PATH,
    help="IAM of an account, for roles that are not in the plan; may be repeated.",
)
@click.option(
    "--path",
    "way",
    nargs=2,
    metavar="SERVICE DESTINATION",
    help="Explain a network path instead: from a service to secretsmanager, ecr.api, load balancer, a database.",
)
@click.option("--role", help="Address, name or ARN of a role, or the address of a function.")
@click.option("--action", help="IAM action, such as secretsmanager:GetSecretValue.")
@click.option("--resource", help="ARN, *, or Terraform address of a resource.")
@click.option(
    "--context", "keys", multiple=True, metavar="KEY=VALUE", help="Condition key of the request; may be repeated."
)
@TEXT_OR_JSON
@reported
def explain(  # noqa: PLR0917 - click passes by name
    infra: Path,
    environment: str | None,
    plan_file: Path | None,
    snapshots: tuple[Path, ...],
    way: tuple[str, str] | None,
    role: str | None,
    action: str | None,
    resource: str | None,
    keys: tuple[str, ...],
    form: str,
) -> None:
    """Explain whether a role is allowed to do something, which statement decides, and what to add if none does.

    \b
    infraspec explain --env prod --role shop-prod-app-execution \\
        --action secretsmanager:GetSecretValue --resource aws_secretsmanager_secret.db
    infraspec explain --env prod --plan plan.json --role module.iam.aws_iam_role.task \\
        --action s3:GetObject --resource 'arn:aws:s3:::shop-prod-reports/2026/*' --format json

    All policies count that the plan attaches to the role: inline and managed policies, the permissions boundary, and
    the policy of the resource. The condition keys that every request of ECS with a role carries are known; give others
    with --context:

    \b
    infraspec explain … --action kms:Decrypt --resource aws_kms_key.main \\
        --context kms:ViaService=secretsmanager.eu-west-1.amazonaws.com

    A role that is not in the plan is read from a snapshot of its account:

    \b
    aws iam get-account-authorization-details --output json > iam.json
    infraspec explain … --snapshot iam.json --role arn:aws:iam::111122223333:role/shared-execution

    --role also takes the Terraform address of a function, a schedule or another workload that has one role.

    --path explains how the tasks of a service reach a destination: routes, endpoints, security groups, network ACLs:

    \b
    infraspec explain --env prod --path shop-prod-app secretsmanager

    A Terraform address stands for the ARN that the resource will have; the six characters that AWS appends to the name
    of a secret are unknown. Where the action is on log streams or objects, it stands for any of them.

    \b
    exit code  0  allowed, or reached
               1  denied, or not reached
               2  wrong input: no such role, action, resource, network path or environment
               3  undetermined: cannot be decided from what is known
    """  # noqa: D301 - \b keeps click from wrapping the examples
    if way is not None:
        _explain_path(infra, environment, plan_file, way, form)
    if role is None or action is None or resource is None:
        raise click.UsageError("give --role, --action and --resource, or --path SERVICE DESTINATION")
    context = _keys(keys)
    with waiting("evaluating the source"):
        evaluated, contract, name = environment_plan(infra, environment, plan_file, snapshots)
        found = explained(placed(evaluated, contract, name), role, action, resource, context)
    show_document(explanation_document(found), form)
    sys.exit(EXIT_CODES[tone_of(found.outcome)])


def _explain_path(
    infra: Path, environment: str | None, plan_file: Path | None, way: tuple[str, str], form: str
) -> None:
    with waiting("evaluating the source"):
        plan, contract, name = environment_plan(infra, environment, plan_file, ())
        found = check_reachability(plan, task_definitions(plan), contract, name)
    service, destination = way
    of_service = [finding for finding in found if service in _names(plan, finding.address)]
    if not of_service:
        known = listing(sorted({finding.address for finding in found})) or "nothing: no service has subnets"
        raise RequestError(
            f"no network path of {service} is known", expected=known, found=service, remedy="name one of these"
        )
    ends = [finding for finding in of_service if destination.lower() in finding.subject.lower()]
    if not ends:
        known = listing([finding.subject for finding in of_service])
        raise RequestError(
            f"no network path from {service} to {destination} is known", expected=known, found=destination
        )
    show_document(paths_document(ends), form)
    sys.exit(EXIT_CODES[worst_tone(ends)])


def _names(plan: Plan, address: str) -> tuple[str, ...]:
    resource = plan.by_address[address]
    return address, render(resource.stated("name")), render(narrow(plan, resource.stated("name")))


def _keys(pairs: tuple[str, ...]) -> dict[str, str | list[str]]:
    """Read KEY=VALUE; a key that is given more than once has several values."""
    values: dict[str, list[str]] = {}
    for pair in pairs:
        key, equals, value = pair.partition("=")
        if not equals or ":" not in key:
            raise click.UsageError(f"--context must be KEY=VALUE, such as aws:PrincipalOrgID=o-1, not {pair}")
        values.setdefault(key, []).append(value)
    return {key: found[0] if len(found) == 1 else found for key, found in values.items()}
