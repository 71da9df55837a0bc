"""What the rule `rollout` says of a live service: its last deployment, counts, targets and circuit breaker."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from infraspec.checks.common.unknown_remedies import how_to_know
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import unknowns
from infraspec.ecs.fleet import DeclaredService, Fleet
from infraspec.ecs.service import Deployment, Service, ServiceDeployment, TargetGroup, Task, revision_of
from infraspec.ecs.stop_cause import StopCause

_BREAKER = "deployment_circuit_breaker {\n  enable   = true\n  rollback = true\n}"
_LEAVING = frozenset({"draining"})
_COMING = frozenset({"initial"})
_FAILED_TO_START = "TaskFailedToStart"
_FEW = 3


def is_failing(live: Service) -> bool:
    """Tell whether the deployment that is under way has tasks that failed, and none that ran since."""
    return live.primary is not None and (live.primary.failed > 0 or live.primary.rollout_state == "FAILED")


def deployment(live: Service, waited: int, *, is_current: bool) -> Finding:
    """Judge the last service deployment, or else what the service says of its rollout.

    `is_current` tells whether it was to bring the revision that is meant now.
    """
    last, primary = live.last, live.primary
    if last is not None and not last.is_under_way:
        return _ended(live, last, is_current=is_current)
    if last is not None and last.is_rollback:
        return _rolled_back(live, last)
    if last is not None or (primary is not None and primary.rollout_state == "IN_PROGRESS"):
        return _under_way(live, waited)
    if primary is not None and primary.rollout_state == "FAILED":
        return _bad("deployment", "a deployment that succeeds", f"it FAILED: {primary.reason}", _reasons(live, primary))
    if primary is not None and primary.rollout_state == "COMPLETED":
        return _good("deployment", primary.reason or "its rollout is COMPLETED")
    if len(live.deployments) == 1 and primary is not None and primary.running == primary.desired:
        return _good("deployment", "ECS tells no state of its rollout; there is one deployment, and all its tasks run")
    return Finding(
        "",
        Verdict.UNDETERMINED,
        "",
        "deployment",
        expected="a deployment that has succeeded",
        found=f"{len(live.deployments)} deployments of which ECS tells no state",
        reason="a service behind a Classic Load Balancer, or one that something else deploys",
        remedy="run it again when its tasks are replaced",
    )


def _ended(live: Service, last: ServiceDeployment, *, is_current: bool) -> Finding:
    if last.status == "SUCCESSFUL":
        return _good("deployment", f"{_named(last)} was SUCCESSFUL")
    if not is_current:
        return Finding(
            "",
            Verdict.PROVEN,
            "",
            "deployment",
            expected="a last deployment that succeeded",
            found=f"{_named(last)} is {last.status}: {last.reason}",
            reason="it was of another revision than the one that is meant now, which runs",
            remedy="nothing: the next deployment takes its place",
            advice=True,
        )
    return _rolled_back(live, last)


def _rolled_back(live: Service, last: ServiceDeployment) -> Finding:
    tasks = [task for task in live.tasks if task.task_definition == last.task_definition]
    return _bad(
        "deployment",
        "a deployment that succeeds",
        f"{_named(last)} is {last.status}" + (f": {last.reason}" if last.reason else ""),
        start_failures(tasks)
        or "ECS shows stopped tasks for about an hour: of why they stopped nothing is left, but the service's events",
    )


def _under_way(live: Service, waited: int) -> Finding:
    primary = live.primary
    expected = "a deployment that has ended"
    state = f"{primary.rollout_state or 'IN_PROGRESS'}: {_progress(primary)}" if primary else "IN_PROGRESS"
    if is_failing(live):
        return _bad("deployment", "a deployment that succeeds", state, _reasons(live, primary))
    if waited:
        found = f"{state}, after {waited} seconds of waiting"
        return _bad("deployment", expected, found, _reasons(live, primary))
    return Finding(
        "",
        Verdict.UNDETERMINED,
        "",
        "deployment",
        expected=expected,
        found=state,
        reason="it is under way",
        remedy="run it again, or wait for its end: [rollout]\nwait = 900",
    )


def counts(live: Service, declared: DeclaredService, waited: int) -> Finding:
    """Judge that as many tasks run as are wanted, all of one deployment."""
    found = f"{live.running} running, {live.pending} pending, in {_deployments(live)}"
    if live.desired == 0:
        return _nothing(live, declared)
    primary = live.primary
    if live.controller != "ECS" and primary is not None and primary.running == primary.desired and not primary.pending:
        return _good("counts", f"{primary.running} of {primary.desired} tasks of the primary task set run")
    if live.running == live.desired and live.pending == 0 and len(live.deployments) <= 1:
        return _good("counts", f"{live.running} of {live.desired} tasks run, in one deployment")
    open_ = live.is_rolling_out and not is_failing(live) and not waited
    return Finding(
        "",
        Verdict.UNDETERMINED if open_ else Verdict.VIOLATED,
        "",
        "counts",
        expected=f"{live.desired} running, none pending, in one deployment",
        found=found,
        reason="the deployment is under way" if open_ else _short(live),
        remedy="run it again when it has ended" if open_ else _events(live),
    )


def _short(live: Service) -> str:
    return "its deployment fails" if is_failing(live) else _last_event(live)


def _last_event(live: Service) -> str:
    return live.events[0].message if live.events else "ECS does not say why"


def _nothing(live: Service, declared: DeclaredService) -> Finding:
    least = declared.least
    unknown = next(unknowns(least), None)
    meant = isinstance(least, int) and least > 0
    base = Finding("", Verdict.PROVEN, "", "counts", found=f"0 are desired, {live.running} run")
    if unknown is not None:
        return replace(
            base,
            verdict=Verdict.UNDETERMINED,
            expected="as many tasks as the source says",
            reason=f"{unknown.address} is not known, which says how many there are to be at least",
            remedy=how_to_know(unknown),
        )
    if meant:
        scale = f"aws ecs update-service --cluster {live.cluster_name} --service {live.name} --desired-count {least}"
        return replace(
            base,
            verdict=Verdict.VIOLATED,
            expected=f"at least {least} tasks, as the source says",
            reason="the service is scaled to nothing",
            remedy=scale,
        )
    return replace(
        base,
        expected="tasks that show that the revision can start",
        reason="nothing is to run, so nothing shows that it can",
        remedy="look again when it is scaled up",
        advice=True,
    )


def targets(live: Service, waited: int) -> Iterator[Finding]:
    """Judge the health of the targets of each target group."""
    if live.desired == 0:
        return
    served = min(live.running, live.desired) if live.controller == "ECS" and live.strategy == "ROLLING" else 0
    for group in live.target_groups:
        yield _health(group, served, open_=live.is_rolling_out and not is_failing(live) and not waited)


def _health(group: TargetGroup, served: int, *, open_: bool) -> Finding:
    """Judge the targets of a group; there is one at least for each of the `served` tasks."""
    name = group.arns[0].rpartition(":")[2].removeprefix("targetgroup/").rpartition("/")[0] or group.arns[0]
    subject = f"targets of {name}"
    counted = [target for target in group.targets if target.state not in _LEAVING]
    healthy = [target for target in counted if target.state == "healthy"]
    few = bool(counted) and len(group.targets) < served  # those that drain are of tasks that are about to stop
    if counted and len(healthy) == len(counted) and not few and not group.missing:
        return _good(subject, f"{len(healthy)} of {len(counted)} targets of {name} are healthy")
    bad = [target for target in counted if target.state != "healthy"]
    coming = bool(bad) and all(target.state in _COMING for target in bad) and not group.missing
    lines = [f"{target.id} is {target.state}{f' ({target.reason})' if target.reason else ''}" for target in bad]
    lines += [f"there is no target group {arn}" for arn in group.missing]
    if few:
        lines.append(f"{len(counted)} of the {served} tasks that run are registered")
    undetermined = coming or open_
    return Finding(
        "",
        Verdict.UNDETERMINED if undetermined else Verdict.VIOLATED,
        "",
        subject,
        expected=f"targets of {name}, all of them healthy",
        found="\n".join(lines) or "no targets",
        reason="they are being registered"
        if undetermined
        else "the load balancer has nowhere to send requests to"
        if not healthy
        else "part of the requests fail, or go to fewer tasks",
        remedy="run it again, or wait longer: [rollout]\nwait = 900"
        if undetermined
        else f"aws elbv2 describe-target-health --target-group-arn {group.arns[0]}",
    )


def circuit_breaker(live: Service) -> Iterator[Finding]:
    """Judge that a rolling deployment that cannot succeed ends, and goes back."""
    if live.controller != "ECS" or live.strategy != "ROLLING":
        return
    breaker = live.circuit_breaker
    if breaker.enabled and breaker.rollback:
        yield _good("circuit breaker", "a deployment that cannot succeed is rolled back")
        return
    yield Finding(
        "",
        Verdict.VIOLATED,
        "",
        "circuit breaker",
        expected="a deployment circuit breaker that rolls back",
        found="it is not enabled" if not breaker.enabled else "it does not roll back",
        reason="a revision that cannot start is retried for ever" if not breaker.enabled else "what failed stays",
        remedy=_BREAKER,
    )


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


def _events(live: Service) -> str:
    return (
        f"aws ecs describe-services --cluster {live.cluster_name} --services {live.name} --query 'services[0].events'"
    )


def _progress(primary: Deployment) -> str:
    failed = f", {primary.failed} failed" if primary.failed else ""
    return f"{primary.running} of {primary.desired} tasks of {revision_of(primary.task_definition)} run{failed}"


def _deployments(live: Service) -> str:
    return "one deployment" if len(live.deployments) == 1 else f"{len(live.deployments)} deployments"


def _named(last: ServiceDeployment) -> str:
    of = f" of {revision_of(last.task_definition)}" if last.task_definition else ""
    at = f" ({last.created:%Y-%m-%d %H:%M} UTC)" if last.created else ""
    return f"the last deployment{of}{at}"


def _good(subject: str, reason: str) -> Finding:
    return Finding("", Verdict.PROVEN, "", subject, reason=reason)


def _bad(subject: str, expected: str, found: str, reason: str) -> Finding:
    remedy = "infraspec diagnose says which change mends it"
    return Finding("", Verdict.VIOLATED, "", subject, expected=expected, found=found, reason=reason, remedy=remedy)


def without_services(fleet: Fleet) -> str:
    """Return that there is nothing to judge where a source declares no services."""
    return "" if fleet.services else "the source has no services"


def without_running_services(fleet: Fleet) -> str:
    """Return that there is nothing to judge where no service of the source is there."""
    there = any(one.live for one in fleet.services)
    return without_services(fleet) or ("" if there else "no service of the source is there: the rule rollout says so")
