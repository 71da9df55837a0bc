"""`infraspec diagnose`: what is wrong with a service, why, and what fixes it."""

from __future__ import annotations

import os
import re
import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path

import click
from msgspec.structs import fields
from pluggy import PluginManager

from infraspec import contract as contracts
from infraspec.checks.access.secret_access import placed
from infraspec.cli.common import INFRA, echo, reported
from infraspec.cli.terminal import show_document, waiting
from infraspec.core.errors import LOCAL, RequestError, SandboxError
from infraspec.core.runtime import require
from infraspec.live.diagnosing import diagnoses
from infraspec.live.plan import live_plan
from infraspec.pytest_plugin import hookspecs
from infraspec.pytest_plugin.options import Setting, Settings
from infraspec.pytest_plugin.own_checks import Hooks
from infraspec.pytest_plugin.session import Session
from infraspec.reporting import diagnosis as reports
from infraspec.reporting.incident_record import incident_record
from infraspec.terraform.environments import only_environment

_ENDPOINT = "AWS_ENDPOINT_URL"
_SPAN = re.compile(r"^(?P<number>[1-9]\d*)(?P<unit>[mhd])$")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}
_LONGEST = timedelta(days=90)


@click.command()
@INFRA
@click.option("--env", "environment", help="Environment of the contract, or local.  [default: the only one]")
@click.option("--service", help="Name of one service.  [default: every service of the source]")
@click.option("--since", default="2h", show_default=True, metavar="TIME", help="How far to look back: 30m, 2h, 1d.")
@click.option(
    "--format", "form", type=click.Choice(["text", "json", "record"]), default="text", show_default=True, help="Output."
)
@reported
def diagnose(infra: Path, environment: str | None, service: str | None, since: str, form: str) -> None:
    """Diagnose a running service: what is wrong, why, and which change fixes it.

    \b
    infraspec diagnose --env prod
    infraspec diagnose --env prod --service shop-prod-web --since 1d --format json
    infraspec diagnose --env prod --service shop-prod-web --format record > docs/incidents/today.md

    It reads the revision, service deployments, stopped tasks and events from ECS, what the next start needs, and, if
    the credentials allow cloudtrail:LookupEvents, who changed what. The message of a stopped task is matched with one
    of ten root causes. What it names is looked up in the source and in AWS, and a missing statement is printed as HCL.
    The rollback commands are those of the playbook. They are printed and never run.

    --format record writes an incident record for the directory of [incidents]: front matter, timeline, five whys. ECS
    keeps a stopped task for about an hour, so write it early.

    --env local reads from the sandbox at AWS_ENDPOINT_URL: infraspec sandbox up.

    \b
    exit code  0  nothing is wrong, or the service has recovered
               1  something is wrong, and the cause is known
               2  wrong input: no such environment or service, no credentials, a missing permission of the runner
               3  something is wrong, and infraspec does not know the cause
    """  # noqa: D301 - \b keeps click from wrapping the examples
    back = span(since)
    with waiting("evaluating the source") as say, _session(infra, environment, say) as session:
        (name,) = session.names
        contract, plan = session.contract, session.environments.plan(name)
        source, calls = placed(plan, contract, name), session.live.of(name).snapshot
        found = diagnoses(
            calls,
            source,
            contract,
            service=service,
            back=back,
            deployed=live_plan(calls, source, contract, name),
        )
    if form == "record":
        wrong = [one for one in found if not one.is_healthy] or found
        if len(wrong) > 1:
            names = ", ".join(map(reports.name_of, wrong))
            raise click.UsageError(f"a record is for one service: choose one with --service: {names}")
        echo(incident_record(wrong[0], contract, name), nl=False)
    else:
        show_document(reports.diagnosis_document(found), form)
    sys.exit(reports.exit_code(found))


@contextmanager
def _session(infra: Path, environment: str | None, say: Callable[[str], None]) -> Iterator[Session]:
    """Yield the session of a live run of one environment, whose account is that of the contract; say what it asks."""
    if environment is not None and "," in environment:
        raise click.UsageError("--env is one environment; run once for each")
    name = environment or only_environment(contracts.load(infra, environments=[]))
    given = {"directory": str(infra), "environments": name, "live": "yes"}
    if given["environments"] == LOCAL and not os.environ.get(_ENDPOINT):
        raise SandboxError(
            "no sandbox to diagnose",
            place="--env local",
            expected=f"{_ENDPOINT} set to the address of a running sandbox",
            remedy="infraspec sandbox up prints the variable to export",
        )
    names = [field.name for field in fields(Settings)]
    manager = PluginManager("pytest")
    manager.add_hookspecs(hookspecs)
    settings = Settings(**{name: Setting(given.get(name, ""), "option") for name in names})
    session = Session(settings, Hooks(manager.hook))
    require("live", "infraspec diagnose")
    with session.live.guarded(
        lambda service, operation, region: say(f"asking AWS for {service}.{operation} in {region}")
    ):
        yield session


def span(text: str) -> timedelta:
    """Read a span of time such as 30m, 2h or 1d. Raises RequestError."""
    found = _SPAN.match(text)
    value = timedelta(**{_UNITS[found["unit"]]: int(found["number"])}) if found and len(text) < 8 else None  # noqa: PLR2004
    if value is None or value > _LONGEST:
        raise RequestError(
            "the period to look back is not valid" if value is None else "CloudTrail keeps events for 90 days",
            place="--since",
            expected="minutes, hours or days: 30m, 2h, 1d",
            found=text,
            remedy="--since 2h",
        )
    return value
