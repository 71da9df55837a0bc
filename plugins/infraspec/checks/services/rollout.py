"""Rule `rollout`: every service of the source runs, with the revision that is meant, all of it and healthy.

A waiter of the AWS CLI is content with one deployment whose tasks all run. So are a service that was rolled back and
one that was scaled to nothing; here they are not. Sources: Amazon ECS Developer Guide, "Amazon ECS service
deployments" and "How the Amazon ECS deployment circuit breaker detects failures".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from infraspec.checks.common.unknown_remedies import doubted, how_to_know
from infraspec.checks.services.rollout_state import (
    about,
    circuit_breaker,
    counts,
    deployment,
    is_failing,
    targets,
    unseen,
    without_services,
)
from infraspec.contract.live import Rollout
from infraspec.core.finding import Finding
from infraspec.core.rule import Subject
from infraspec.core.rules import RULES
from infraspec.core.unknown import AFTER_APPLY, Unknown, Value, render, unknowns
from infraspec.ecs.fleet import DeployedService, ExpectedRevision, Fleet, images_of
from infraspec.ecs.service import Service, revision_of

RULE = RULES["rollout"]


def check_rollout(fleet: Fleet, settings: Rollout, expected_revisions: Mapping[str, ExpectedRevision]) -> list[Finding]:
    """Judge every declared service; of the others in its clusters it is only said that they are there.

    `expected_revisions` has the revisions that somebody names, by service.
    """
    findings = [
        finding for one in fleet.services for finding in _judged(one, settings, expected_revisions, fleet.waited)
    ]
    return findings + [_other(service) for service in fleet.others]


def _judged(
    one: DeployedService, rules: Rollout, expected: Mapping[str, ExpectedRevision], waited: int
) -> Iterator[Finding]:
    live, service = one.live, about(one, "service")
    if one.elsewhere:
        yield service.say("elsewhere", name=render(one.declared.name), elsewhere=one.elsewhere)
    elif live is None or live.status != "ACTIVE":
        yield _absent(one, service)
    else:
        meant = expected.get(live.name)
        yield service.proven(f"{live.arn} is ACTIVE")
        yield from unseen(one, live, "revision", "tasks") or [_revision(one, live, rules, meant)]
        is_current = _is_current(one, live, meant)
        yield from unseen(one, live, "deployment", "deployments") or [
            deployment(about(one, "deployment"), live, waited, is_current=is_current)
        ]
        yield counts(about(one, "counts"), live, one.declared, waited)
        yield from unseen(one, live, "targets", "targets") or targets(one, live, waited)
        yield from circuit_breaker(about(one, "circuit breaker"), live)


def _absent(one: DeployedService, service: Subject) -> Finding:
    declared = one.declared
    named = {"name": render(declared.name), "cluster": render(declared.cluster)}
    if declared.key is None:
        unknown = next(unknowns(declared.unknown), Unknown("its name", AFTER_APPLY))
        return service.say("unnamed", unknown=unknown.address, remedy=how_to_know(unknown), **named)
    wording = "inactive" if one.live is not None else "absent" if one.cluster_exists else "no-cluster"
    absent = service.say(wording, status=one.live.status if one.live else "", **named)
    return doubted(absent, declared.doubt) if declared.doubt else absent


def _revision(one: DeployedService, live: Service, rules: Rollout, meant: ExpectedRevision | None) -> Finding:
    subject, running = about(one, "revision"), live.primary.task_definition if live.primary else live.task_definition
    others = sorted({task.revision for task in live.tasks if task.is_running and task.task_definition != running})
    wanted, source = _wanted(one, meant)
    if not wanted:
        return _no_revision(subject, one.declared.family)
    images, shown = ", ".join(images_of(one.running)), revision_of(running)
    shown += f" ({images})" if images else ""
    by_pipeline = meant is None and not one.declared.revision and one.declared.ignores("task_definition")
    matches = meant.is_met_by(running, one.running) if meant else revision_of(running) == wanted
    if matches and not others:
        started = sum(task.is_running and task.task_definition == running for task in live.tasks)
        proof = "; ECS has read its secrets with its role when they started" if started else ""
        tasks = "1 task runs it" if started == 1 else f"{started} tasks run it"
        return subject.proven(f"the service is set to {shown}, {source}; {tasks}{proof}")
    is_open = (live.is_rolling_out and not is_failing(live)) or live.controller != "ECS"
    wording = "not-deployed"
    if matches:
        wording = "being-replaced" if is_open else "not-replaced"
    elif by_pipeline and not rules.newest:
        wording = "by-pipeline"
    said = {"wanted": wanted, "source": source, "shown": shown, "others": ", ".join(others)}
    return subject.say(wording, name=live.name, number=revision_of(running).partition(":")[2], **said)


def _wanted(one: DeployedService, meant: ExpectedRevision | None) -> tuple[str, str]:
    """Return the revision that is meant, and who says so; empty if nothing does."""
    if meant is not None:
        return meant.text, "as --infraspec-revision says"
    declared = one.declared
    if declared.revision and not declared.ignores("task_definition"):
        return f"{declared.family}:{declared.revision}", "as the state of the source says"
    return revision_of(one.newest), f"the newest active revision of {render(declared.family)}"


def _is_current(one: DeployedService, live: Service, meant: ExpectedRevision | None) -> bool:
    """Tell whether the last service deployment was to bring the revision that is meant now."""
    last = live.last
    if last is None or not last.task_definition:
        return True
    if meant is not None:
        return meant.is_met_by(last.task_definition, None) or not meant.is_met_by(live.task_definition, one.running)
    wanted, _ = _wanted(one, None)
    return revision_of(last.task_definition) == wanted or revision_of(live.task_definition) != wanted


def _no_revision(subject: Subject, family: Value) -> Finding:
    unknown = next(unknowns(family), None)
    if unknown:
        return subject.say("no-family", unknown=unknown.address, remedy=how_to_know(unknown))
    return subject.say("no-revision", family=family)


def _other(service: Service) -> Finding:
    tasks = f"{service.running} of {service.desired} tasks of {revision_of(service.task_definition)}"
    other = RULE.about(service.arn, "service")
    return other.say("other-service", name=service.name, tasks=tasks, cluster=service.cluster_name)


skip = without_services
