"""What the rule `rollout` says of a live service: its last deployment, counts, targets and circuit breaker."""

from __future__ import annotations

from collections.abc import Iterator

from infraspec.checks.common.unknown_remedies import how_to_know
from infraspec.core.finding import Finding, Related
from infraspec.core.rule import Subject
from infraspec.core.rules import RULES
from infraspec.core.unknown import unknowns
from infraspec.ecs.fleet import DeclaredService, DeployedService, Fleet
from infraspec.ecs.service import Deployment, Service, ServiceDeployment, TargetGroup, Task, revision_of
from infraspec.ecs.stop_cause import StopCause

RULE = RULES["rollout"]

_ATTRIBUTES = {
    "revision": "task_definition",
    "counts": "desired_count",
    "targets": "load_balancer",
    "circuit breaker": "deployment_circuit_breaker",
}
"""The argument of aws_ecs_service that each part of the judgement is about."""
_LEAVING = frozenset({"draining"})
_COMING = frozenset({"initial"})
_FAILED_TO_START = "TaskFailedToStart"
_FEW = 3


def about(one: DeployedService, part: str, name: str = "") -> Subject:
    """Return a part of the judgement of a service as a subject, under its `name` if it has one."""
    resource = one.declared.resource
    place = resource.location_of(_ATTRIBUTES[part]) if part in _ATTRIBUTES else resource.location
    return RULE.about(resource, name or part, place, [Related("service", one.live.arn)] if one.live else ())


def unseen(one: DeployedService, live: Service, part: str, facts: str) -> list[Finding]:
    """Return that a part of the judgement rests on what the runner may not look at, if it does."""
    refusal = live.refused.get(facts)
    return [about(one, part).unseen(refusal.found, refusal.remedy)] if refusal else []


def is_failing(live: Service) -> bool:
    """Tell whether the deployment that is under way has tasks that failed, and none that ran since."""
    return live.primary is not None and (live.primary.failed > 0 or live.primary.rollout_state == "FAILED")


def deployment(subject: Subject, live: Service, waited: int, *, is_current: bool) -> Finding:
    """Judge the last service deployment, or else what the service says of its rollout.

    `is_current` tells whether it was to bring the revision that is meant now.
    """
    last, primary = live.last, live.primary
    if last is not None and not last.is_under_way:
        return _ended(subject, live, last, is_current=is_current)
    if last is not None and last.is_rollback:
        return _rolled_back(subject, live, last)
    if last is not None or (primary is not None and primary.rollout_state == "IN_PROGRESS"):
        return _under_way(subject, live, waited)
    if primary is not None and primary.rollout_state == "FAILED":
        return subject.say("failed", said=primary.reason, reason=_reasons(live, primary))
    if primary is not None and primary.rollout_state == "COMPLETED":
        return subject.proven(primary.reason or "its rollout is COMPLETED")
    if len(live.deployments) == 1 and primary is not None and primary.running == primary.desired:
        return subject.proven("ECS reports no rollout state; there is one deployment, and all its tasks run")
    return subject.say("no-state", deployments=len(live.deployments))


def _ended(subject: Subject, live: Service, last: ServiceDeployment, *, is_current: bool) -> Finding:
    if last.status == "SUCCESSFUL":
        return subject.proven(f"{_named(last)} was SUCCESSFUL")
    if not is_current:
        return subject.say("of-another-revision", deployment=_named(last), status=last.status, reason=last.reason)
    return _rolled_back(subject, live, last)


def _rolled_back(subject: Subject, live: Service, last: ServiceDeployment) -> Finding:
    reason = start_failures([task for task in live.tasks if task.task_definition == last.task_definition])
    status = last.status + (f": {last.reason}" if last.reason else "")
    wording = "rolled-back" if reason else "rolled-back-long-ago"
    return subject.say(wording, deployment=_named(last), status=status, reason=reason)


def _under_way(subject: Subject, live: Service, waited: int) -> Finding:
    state, primary = "IN_PROGRESS", live.primary
    if primary:
        tasks = f"{primary.running} of {primary.desired} tasks of {revision_of(primary.task_definition)} run"
        state = f"{primary.rollout_state or state}: {tasks}{f', {primary.failed} failed' if primary.failed else ''}"
    wording = "failing" if is_failing(live) else "not-ended" if waited else "under-way"
    return subject.say(wording, state=state, waited=waited, reason=_reasons(live, primary))


def counts(subject: Subject, live: Service, declared: DeclaredService, waited: int) -> Finding:
    """Judge that as many tasks run as are wanted, all of one deployment."""
    if live.desired == 0:
        return _nothing(subject, live, declared)
    primary, number = live.primary, len(live.deployments)
    if live.controller != "ECS" and primary is not None and primary.running == primary.desired and not primary.pending:
        return subject.proven(f"{primary.running} of {primary.desired} tasks of the primary task set run")
    if live.running == live.desired and live.pending == 0 and number <= 1:
        return subject.proven(f"{live.running} of {live.desired} tasks run, in one deployment")
    said = {
        "desired": live.desired,
        "running": live.running,
        "pending": live.pending,
        "deployments": "one deployment" if number == 1 else f"{number} deployments",
        "reason": "its deployment fails" if is_failing(live) else _last_event(live),
    }
    is_open = live.is_rolling_out and not is_failing(live) and not waited
    wording = "tasks-under-way" if is_open else "other-tasks"
    return subject.say(wording, cluster=live.cluster_name, name=live.name, **said)


def _last_event(live: Service) -> str:
    return live.events[0].message if live.events else "ECS does not say why"


def _nothing(subject: Subject, live: Service, declared: DeclaredService) -> Finding:
    least, running = declared.least, live.running
    unknown = next(unknowns(least), None)
    if unknown is not None:
        return subject.say("least-not-known", running=running, unknown=unknown.address, remedy=how_to_know(unknown))
    wording = "scaled-to-nothing" if isinstance(least, int) and least > 0 else "nothing-to-run"
    return subject.say(wording, least=least, running=running, cluster=live.cluster_name, name=live.name)


def targets(one: DeployedService, live: Service, waited: int) -> Iterator[Finding]:
    """Judge the health of the targets of each target group."""
    if live.desired == 0:
        return
    served = min(live.running, live.desired) if live.controller == "ECS" and live.strategy == "ROLLING" else 0
    for group in live.target_groups:
        name = group.arns[0].rpartition(":")[2].removeprefix("targetgroup/").rpartition("/")[0] or group.arns[0]
        open_ = live.is_rolling_out and not is_failing(live) and not waited
        yield _health(about(one, "targets", f"targets of {name}"), group, served, open_=open_)


def _health(subject: Subject, group: TargetGroup, served: int, *, open_: bool) -> Finding:
    """Judge the targets of a group; there is one at least for each of the `served` tasks."""
    counted = [target for target in group.targets if target.state not in _LEAVING]
    bad = [target for target in counted if target.state != "healthy"]
    few = bool(counted) and len(group.targets) < served  # those that drain are of tasks that are about to stop
    if counted and not bad and not few and not group.missing:
        return subject.proven(f"{len(counted)} of {len(counted)} {subject.name} are healthy")
    lines = [f"{target.id} is {target.state}{f' ({target.reason})' if target.reason else ''}" for target in bad]
    lines += [f"there is no target group {arn}" for arn in group.missing]
    if few:
        lines.append(f"{len(counted)} of the {served} tasks that run are registered")
    is_coming = open_ or (bad and all(target.state in _COMING for target in bad) and not group.missing)
    wording = "registering" if is_coming else "no-target" if len(bad) == len(counted) else "unhealthy-target"
    return subject.say(wording, targets=subject.name, found="\n".join(lines) or "no targets", group=group.arns[0])


def circuit_breaker(subject: Subject, live: Service) -> Iterator[Finding]:
    """Judge that a rolling deployment that cannot succeed ends, and goes back."""
    breaker = live.circuit_breaker
    if live.controller != "ECS" or live.strategy != "ROLLING":
        return
    if breaker.enabled and breaker.rollback:
        yield subject.proven("a deployment that cannot succeed is rolled back")
    else:
        yield subject.say("no-rollback" if breaker.enabled else "no-circuit-breaker")


def start_failures(tasks: list[Task]) -> str:
    """Return the distinct reasons of tasks that did not start, each once and whole; empty if there are none.

    Texts that differ in the ids of task and request alone are one reason.
    """
    reasons: dict[tuple[str, ...], str] = {}
    for task in tasks:
        if task.has_stopped and task.stop_code == _FAILED_TO_START:
            reasons.setdefault(StopCause.of(task.reason).subject, task.reason)
    return "\n".join(list(reasons.values())[:_FEW])


def _reasons(live: Service, primary: Deployment | None) -> str:
    tasks = [task for task in live.tasks if primary is not None and task.task_definition == primary.task_definition]
    said = primary.reason if primary is not None else ""
    return "\n".join(filter(None, (start_failures(tasks), said))) or _last_event(live)


def _named(last: ServiceDeployment) -> str:
    of = f" of {revision_of(last.task_definition)}" if last.task_definition else ""
    at = f" ({last.created:%Y-%m-%d %H:%M} UTC)" if last.created else ""
    return f"the last deployment{of}{at}"


def without_services(fleet: Fleet) -> str:
    """Return that there is nothing to judge where a source declares no services."""
    return "" if fleet.services else "the source has no services"


def without_running_services(fleet: Fleet) -> str:
    """Return that there is nothing to judge where no service of the source is there."""
    there = any(one.live for one in fleet.services)
    return without_services(fleet) or ("" if there else "no service of the source exists: see the rule rollout")
