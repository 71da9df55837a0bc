"""What the runner may not read of all that the live suite reads: each part is read, and what AWS refuses is kept."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from typing import Any

from infraspec.aws.calls import Calls
from infraspec.checks.alarms.alarm_delivery import alert_topics
from infraspec.checks.alarms.alarm_state import alarm_names
from infraspec.checks.deployed.databases import database_identifiers
from infraspec.checks.deployed.log_groups import log_group_names
from infraspec.contract.models import Contract
from infraspec.core.errors import InfraspecError
from infraspec.ecs.fleet import declared_services
from infraspec.ecs.task_definition import task_definitions
from infraspec.live.facts.alarms import alarm_states, live_subscriptions
from infraspec.live.facts.databases import live_databases
from infraspec.live.facts.schedules import last_runs
from infraspec.live.facts.secret_readings import chain_evidence
from infraspec.live.facts.services import read_fleet, running_task_definitions
from infraspec.live.facts.start_readings import start_facts
from infraspec.live.facts.stores import live_log_groups, state_store
from infraspec.live.plan import live_plan, strays
from infraspec.terraform.configuration.settings import Backend
from infraspec.terraform.plan import Plan


def missing_statement(
    calls: Calls, plan: Plan, contract: Contract, environment: str, backend: Backend | None
) -> Mapping[str, Any] | None:
    """Return the statement that lets the runner read what it may not, None if it may read all that can be tried.

    What is asked for with an answer that was refused is not tried.
    """
    for read in _parts(calls, plan, contract, environment, backend):
        with suppress(InfraspecError):  # what is refused is kept; of other errors the run tells
            read()
    statements = [found for remedy in calls.refusals().values() if (found := _statement(remedy))]
    actions = sorted({action for one in statements for action in _listed(one["Action"])})
    resources = sorted({resource for one in statements for resource in _listed(one["Resource"])})
    if not actions:
        return None
    return {"Effect": "Allow", "Action": actions, "Resource": "*" if "*" in resources else resources}


def _parts(
    calls: Calls, plan: Plan, contract: Contract, environment: str, backend: Backend | None
) -> Iterator[Callable[[], object]]:
    live = live_plan(calls, plan, contract, environment)
    yield lambda: strays(calls, plan, live, contract, environment)
    yield live.with_principals
    yield lambda: alarm_states(calls, alarm_names(plan), 1)
    yield lambda: live_subscriptions(calls, alert_topics(plan, live))
    yield lambda: live_databases(calls, database_identifiers(plan), live)
    yield lambda: last_runs(calls, live)
    yield lambda: live_log_groups(calls, log_group_names(plan, task_definitions(plan)))
    yield lambda: running_task_definitions(calls, live)
    yield lambda: [start_facts(calls, one) for one in read_fleet(calls, declared_services(plan)).services]
    yield lambda: chain_evidence(calls, live, task_definitions(live), contract, environment)
    if backend is not None and backend.type == "s3":
        yield lambda: state_store(calls, plan, backend)


def _statement(remedy: str) -> Mapping[str, Any] | None:
    """Return the statement of a remedy that adds one to the policy of the runner itself."""
    try:
        found = json.loads(remedy[remedy.index("{") :])
    except ValueError:
        return None
    return found if found.get("Effect") == "Allow" and "Principal" not in found else None


def _listed(value: str | list[str]) -> list[str]:
    return [value] if isinstance(value, str) else value
