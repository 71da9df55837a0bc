"""Rule `stopped-tasks`: no task has failed to start, or crashed, so far as ECS still knows.

ECS shows a stopped task for about an hour. So the rule is for the minutes after a deployment; what a nightly run finds
is what happened in the hour before it. Sources: Amazon ECS Developer Guide, "Viewing Amazon ECS stopped task errors"
and "Stopped tasks error messages"; Amazon ECS API Reference, "Task" (stopCode, stoppedReason).
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Sequence
from itertools import chain

from msgspec import Struct

from infraspec.checks.services.rollout_state import without_running_services
from infraspec.core.finding import Finding, Related
from infraspec.core.rules import RULES
from infraspec.ecs.fleet import DeployedService, Fleet
from infraspec.ecs.service import Service, Task
from infraspec.ecs.stop_cause import Stop, StopCause, how_stopped
from infraspec.process.playbooks import Playbook
from infraspec.terraform.plan import Resource

RULE = RULES["stopped-tasks"]

_KEPT = "ECS shows a stopped task for about an hour"


class Stopped(Struct, frozen=True):
    """Tasks that stopped for the same thing, the newest first."""

    stop: Stop
    cause: StopCause
    tasks: tuple[Task, ...]

    @property
    def newest(self) -> Task:
        """The task that stopped last."""
        return self.tasks[0]

    @property
    def failure(self) -> str:
        """The id of the failure class, or else how they stopped."""
        return self.cause.failure.value if self.cause.failure else self.stop.value

    def pages(self, playbooks: Sequence[Playbook]) -> list[str]:
        """Return the files of the playbooks about it."""
        return [page.page.file for page in playbooks if self.failure in (page.id, *page.covers)]


def check_stopped_tasks(
    fleet: Fleet, playbooks: Sequence[Playbook], declared_families: Collection[str]
) -> list[Finding]:
    """Judge the stopped tasks of every declared service, and those of the same clusters that belong to no service.

    Of the latter only those are judged whose family is one of `declared_families`, which the source declares; of the
    others it is said that they failed.
    """
    of_services = (_of_service(one, one.live, playbooks) for one in fleet.services if one.live is not None)
    alone = [task for task in fleet.tasks if not task.service]
    return [*chain.from_iterable(of_services), *_by_themselves(alone, playbooks, declared_families)]


def faults(tasks: Sequence[Task]) -> list[Stopped]:
    """Put the tasks that somebody has to look at into groups of one cause each, the newest group first."""
    groups: dict[tuple[object, ...], list[Task]] = {}
    for task in sorted((task for task in tasks if task.has_stopped), key=_when, reverse=True):
        stop = how_stopped(task)
        if stop.is_fault:
            groups.setdefault((task.task_definition, stop, *StopCause.of(task.reason).subject), []).append(task)
    return [Stopped(how_stopped(group[0]), StopCause.of(group[0].reason), tuple(group)) for group in groups.values()]


def is_past(stopped: Stopped, service: Service) -> bool:
    """Tell whether a service has recovered: it is whole again, and not by going back from this revision."""
    revision, last = stopped.newest.task_definition, service.last
    if service.is_rolling_out or service.running < service.desired or service.desired == 0:
        return False
    if last is not None and last.task_definition == revision and last.status != "SUCCESSFUL":
        return False
    if service.primary is None or service.primary.task_definition != revision:
        return True
    later = any(
        task.is_running and task.task_definition == revision and task.started.timestamp() > _when(stopped.newest)
        for task in service.tasks
        if task.started
    )
    return stopped.stop is Stop.FAILED_TO_START and later


def _of_service(one: DeployedService, live: Service, playbooks: Sequence[Playbook]) -> Iterator[Finding]:
    resource, groups, refusal = one.declared.resource, faults(live.tasks), live.refused.get("tasks")
    if refusal:
        yield RULE.about(resource, live.name).unseen(refusal.found, refusal.remedy)
        return
    for stopped in groups:
        note = "; the service has recovered" if is_past(stopped, live) else ""
        yield _said(resource, stopped, playbooks, note, [Related("service", live.arn)])
    if not groups:
        seen = _seen([task for task in live.tasks if task.has_stopped])
        yield RULE.about(resource, live.name).proven(seen)


def _by_themselves(
    tasks: Sequence[Task], playbooks: Sequence[Playbook], families: Collection[str]
) -> Iterator[Finding]:
    for stopped in faults(tasks):
        known = stopped.newest.revision.partition(":")[0] in families
        note = "" if known else "; the source does not know its family"
        yield _said(stopped.newest.task_definition, stopped, playbooks, note)


def _said(
    place: str | Resource, stopped: Stopped, playbooks: Sequence[Playbook], note: str, related: Sequence[Related] = ()
) -> Finding:
    """Say that tasks stopped: a violation, but for what a note says why it is none."""
    name = f"{stopped.newest.revision}: {stopped.failure} {stopped.cause.key}".rstrip()
    subject = RULE.about(place, name, related=[*related, *_related(stopped, playbooks)])
    return (subject.advice if note else subject.violated)(
        expected="tasks that start, and run",
        found=_found(stopped) + note,
        reason=_reason(stopped.newest),
        remedy=_remedy(stopped, playbooks),
    )


def _related(stopped: Stopped, playbooks: Sequence[Playbook]) -> list[Related]:
    cause = stopped.cause
    named = {"role": cause.role, "secret": cause.secret, "parameter": cause.parameter, "image": cause.image}
    return [
        Related("task", stopped.newest.arn),
        *(Related(role, value) for role, value in named.items() if value),
        *(Related("playbook", file) for file in stopped.pages(playbooks)),
    ]


def _found(stopped: Stopped) -> str:
    count, newest = len(stopped.tasks), stopped.newest
    tasks = "1 task" if count == 1 else f"{count} tasks"
    last = f", the last at {newest.stopped:%Y-%m-%d %H:%M:%S} UTC" if newest.stopped else ""
    return f"{tasks} of {newest.revision} {stopped.stop.value}{last}"


def _reason(task: Task) -> str:
    """Return all that ECS says, and the exit codes."""
    codes = [f'container "{c.name}": exit code {c.exit_code}' for c in task.containers if c.exit_code is not None]
    return "\n".join([*filter(None, [task.reason]), *codes]) or f"ECS gives no reason but {task.stop_code or 'none'}"


def _remedy(stopped: Stopped, playbooks: Sequence[Playbook]) -> str:
    task, follow = stopped.newest, " or ".join(stopped.pages(playbooks))
    look = f"infraspec diagnose --service {task.service} names the statement and the fix" if task.service else ""
    text = "\n".join(filter(None, [f"follow {follow}" if follow else "", look]))
    return text or f"aws ecs describe-tasks --cluster {task.cluster} --tasks {task.arn}"


def _seen(tasks: Sequence[Task]) -> str:
    """Say what was looked at."""
    counted = Counter(how_stopped(task) for task in tasks)
    kinds = ", ".join(f"{count} {stop.value}" for stop, count in counted.items())
    stops = f"of {len(tasks)} stopped tasks: {kinds}" if tasks else "no stopped task"
    return f"{stops}; {_KEPT}"


def _when(task: Task) -> float:
    return task.stopped.timestamp() if task.stopped else 0.0


skip = without_running_services
