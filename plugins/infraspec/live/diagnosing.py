"""The diagnoses of an environment's services: what AWS is asked for them, put together.

Who changed a service, its roles and its secrets, AWS CloudTrail says. Sources: AWS CloudTrail API Reference,
LookupEvents (management events of 90 days, one attribute a call, two calls a second); AWS CloudTrail User Guide,
"Global service events": those of IAM are in one region of a partition.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any

from msgspec.structs import replace

from infraspec.aws.calls import Calls
from infraspec.checks.services.diagnosis import Diagnosis, diagnose
from infraspec.contract.models import Contract
from infraspec.contract.paths import display, resolve
from infraspec.core.arn import Arn
from infraspec.core.errors import InfraspecError, RequestError, closest
from infraspec.core.unknown import render
from infraspec.ecs.fleet import DeclaredService, DeployedService, declared_services
from infraspec.live.facts.services import read_fleet
from infraspec.live.facts.start_readings import start_facts
from infraspec.process.history import RecordedChange, RecordedChanges
from infraspec.process.playbooks import Playbook, read_playbooks
from infraspec.terraform.plan import Plan

_IAM_REGIONS = {"aws": "us-east-1", "aws-cn": "cn-north-1", "aws-us-gov": "us-gov-west-1"}
_ECS = ("UpdateService", "RegisterTaskDefinition", "DeregisterTaskDefinition")
_SECRETS = ("DeleteSecret", "UpdateSecret", "PutSecretValue", "PutResourcePolicy")
_IAM = (
    "PutRolePolicy", "DeleteRolePolicy", "AttachRolePolicy", "DetachRolePolicy", "CreatePolicyVersion",
    "SetDefaultPolicyVersion", "PutRolePermissionsBoundary", "UpdateAssumeRolePolicy",
)  # fmt: skip
_SUFFIX = re.compile(r"-[A-Za-z0-9]{6}$")


def diagnoses(
    calls: Calls,
    plan: Plan,
    contract: Contract,
    *,
    service: str | None,
    back: timedelta,
    deployed: Plan | None = None,
) -> list[Diagnosis]:
    """Diagnose the services of the source, or the one that is named; `back` says how far to look back.

    `deployed` is what is deployed, as a plan. Raises RequestError if the source has no such service.
    """
    fleet = read_fleet(calls, _chosen(declared_services(plan), service, plan))
    asked = [one for one in fleet.services if not one.elsewhere]
    if not asked:
        raise _not_asked(fleet.services, calls)
    since, pages = calls.taken - back, _playbooks(contract)
    found = [
        diagnose(
            one,
            start_facts(calls, one),
            source=plan,
            deployed=deployed,
            playbooks=pages,
            since=since,
            asked=fleet.read,
        )
        for one in asked
    ]

    return [
        one if one.is_healthy else replace(one, changes=changes_of(calls, _names(one, plan), since, _region(one)))
        for one in found
    ]


def _chosen(declared: Sequence[DeclaredService], service: str | None, plan: Plan) -> list[DeclaredService]:
    known = {render(one.name): one for one in declared}
    if declared and service is None:
        return list(declared)
    if service in known:
        return [known[service]]
    like = closest(service, list(known)) if service else ""
    raise RequestError(
        f"there is no service {service} in {plan.origin}" if service else f"there are no services in {plan.origin}",
        place="--service" if service else "aws_ecs_service",
        expected="the name of a service of the source",
        found=", ".join(known) or "none",
        remedy=f"--service {like}" if like else "infraspec plan prints the resources there are",
    )


def _not_asked(services: Sequence[DeployedService], calls: Calls) -> RequestError:
    names = ", ".join(f"{render(one.declared.name)} of account {one.elsewhere}" for one in services)
    return RequestError(
        "the service is in another account than the one being queried",
        place=services[0].declared.resource.address,
        expected=f"a service of account {calls.account}",
        found=names,
        remedy="ask with credentials of that account, and a contract that names it",
    )


def _playbooks(contract: Contract) -> tuple[Playbook, ...]:
    """Return the playbooks of the contract, those of its first language first."""
    if contract.playbooks is None:
        return ()
    directory, languages = contract.playbooks.directory, contract.playbooks.languages
    found = read_playbooks(resolve(contract, directory), display(contract, directory))
    order = {language: place for place, language in enumerate(languages)}
    return tuple(sorted(found, key=lambda page: order.get(page.language, len(order))))


def _names(one: Diagnosis, plan: Plan) -> list[str]:
    """Return the names that a change has to be about: service, family, roles and their policies, secret, parameter."""
    cause, running = one.cause, one.one.running
    roles = [running.execution_role, running.task_role] if running else []
    arns = [*roles, cause.role if cause else "", cause.secret if cause else "", cause.parameter if cause else ""]
    short = [_short(arn) for arn in arns if isinstance(arn, str) and arn]
    policies = [policy.name for policy in one.explanation.role.policies] if one.explanation else []
    named = [plan.by_address[name].stated("name") for name in policies if name in plan.by_address]
    names = [render(one.one.declared.name), render(one.one.declared.family), *short, *map(render, named)]
    return list(dict.fromkeys(name for name in names if name and name != "null"))


def _region(one: Diagnosis) -> str | None:
    return Arn.parse(one.live.arn).region if one.live else None


def _short(arn: str) -> str:
    """Return the name in an ARN; of a secret without its suffix, which requests leave out as often as not."""
    _, secret, name = arn.partition(":secret:")
    return _SUFFIX.sub("", name) if secret else arn.rpartition("/")[2]


def changes_of(calls: Calls, names: Sequence[str], since: datetime, region: str | None = None) -> RecordedChanges:
    """Look up the operations that name one of `names`, such as a service, a role, a secret, in the region of these.

    If CloudTrail cannot be asked, the note says why, and which permission is missing.
    """
    found: list[RecordedChange] = []
    asked = [(region or calls.region, operation) for operation in (*_ECS, *_SECRETS)]
    asked += [(_IAM_REGIONS.get(calls.partition, calls.region), operation) for operation in _IAM]
    note = ""
    try:
        for place, operation in asked:
            events = calls.pages(
                "cloudtrail",
                "lookup_events",
                "Events",
                region=place,
                LookupAttributes=[{"AttributeKey": "EventName", "AttributeValue": operation}],
                StartTime=since,
            )
            found += filter(None, (_change(event, names) for event in events))
    except InfraspecError as error:
        note = f"CloudTrail was not asked for all: {error}"
    return RecordedChanges(since, tuple(sorted(found, key=lambda change: change.at, reverse=True)), note)


def _change(event: Mapping[str, Any], names: Sequence[str]) -> RecordedChange | None:
    """Read an event if it is about one of the names; nothing of its parameters is kept but these names."""
    record = _record(event)
    text = json.dumps([record.get(key) for key in ("requestParameters", "resources", "responseElements")])
    text += json.dumps([one.get("ResourceName") for one in event.get("Resources") or ()])
    about = tuple(name for name in names if _is_in(name, text))
    if not about:
        return None
    who = (record.get("userIdentity") or {}).get("arn") or event.get("Username") or "nobody whom CloudTrail names"
    return RecordedChange(event["EventTime"], event["EventName"], who, about, record.get("errorCode") or "")


def _is_in(name: str, text: str) -> bool:
    """Tell whether a text has a name, whole, or with the suffix of a secret's ARN."""
    return re.search(rf"(?<![\w-]){re.escape(name)}(?:-[A-Za-z0-9]{{6}}\b(?=[^\w-]))?(?![\w-])", text) is not None


def _record(event: Mapping[str, Any]) -> Mapping[str, Any]:
    try:
        record = json.loads(event.get("CloudTrailEvent") or "{}")
    except ValueError:
        return {}
    return record if isinstance(record, dict) else {}
