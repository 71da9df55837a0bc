"""`infraspec runner-policy`: the policy of the role that the live suite runs with."""

from __future__ import annotations

import json
from pathlib import Path

import click

from infraspec.aws.runner_policy import command_statements, publishing_statements
from infraspec.aws.runner_policy import runner_policy as policy
from infraspec.checks.state.state_backend import state_place
from infraspec.cli.common import INFRA, ONE_ENVIRONMENT, reported
from infraspec.reporting.notify.metrics import filled
from infraspec.terraform.environments import environment_of


@click.command("runner-policy")
@INFRA
@ONE_ENVIRONMENT
@reported
def runner_policy(infra: Path, environment: str | None) -> None:
    """Print the IAM policy that the live suite needs: what it reads, what the contract consents to, and [metrics].

    \b
    infraspec runner-policy --env staging > runner.json
    aws iam put-role-policy --role-name infraspec-runner --policy-name infraspec --policy-document file://runner.json

    The state of Terraform is allowed where the backend of the environment names its bucket and key, the values of
    secrets where the contract does; the values of all others are denied.
    """  # noqa: D301 - \b keeps click from wrapping the examples
    contract, name, settings = environment_of(infra, environment)
    chosen = contract.environments[name]
    place = state_place(settings.backend, chosen) if settings and settings.backend.type == "s3" else None
    objects = [f"arn:{chosen.partition}:s3:::{'/'.join(place)}"] if place else []
    hosts = [host for host in contract.hosts.values() if name in host.environments]
    commands = command_statements(
        hosts, partition=chosen.partition, region=chosen.region or "*", account=chosen.account_id or "*"
    )
    table, publishing = contract.metrics, []
    if table is not None:
        role = filled(table.role, contract, name) if table.role else None
        publishing = publishing_statements(filled(table.namespace, contract, name), role)
    click.echo(json.dumps(policy(chosen.live, objects, [*commands, *publishing]), indent=2))
