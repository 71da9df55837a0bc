"""The three revisions of a service's task definition: that of its source, its own, and those of its tasks.

Source: Amazon ECS API Reference, DescribeServices and DescribeTasks.
"""

from __future__ import annotations

from collections.abc import Collection

from infraspec.checks.comparison import Bound
from infraspec.core.rules import DRIFT as RULE
from infraspec.finding import Finding, Verdict
from infraspec.iam.answer import Answer
from infraspec.terraform.plan import Resource
from infraspec.unknown import Unknown, Value, render


def compare_revisions(source: Resource, live: Resource, bound: Bound, running: Collection[str]) -> Finding:
    """Compare three: the revision of the source or its state, that of the service, and those of its tasks.

    Without a state the source knows a family and no revision: then the other two are compared, and that is said.
    """
    own, service = bound.attributes.narrow(source.get("task_definition")), live.get("task_definition")
    if not isinstance(own, str):
        own = _family_of(own, bound) or own
    tasks = sorted({_revision(one) for one in running})
    pipeline = bool({"task_definition", "all"} & set(source.ignore_changes))
    answer = _same_revision(_family(own) if pipeline else own, service)
    if answer is not Answer.NO and all(one == _revision(service) for one in tasks):
        told = _revision(service)
        if answer is Answer.MAYBE or pipeline or ":" not in str(own):
            told += ", the service and its tasks; " + (
                "the pipeline owns the revision" if pipeline else "which one the source means only its state tells"
            )
        return Finding(RULE.id, Verdict.PROVEN, source.address, "task definition", source.location, reason=told)
    return Finding(
        RULE.id,
        Verdict.VIOLATED,
        source.address,
        "task definition",
        source.location_of("task_definition"),
        expected="one revision in the source, the service and its tasks",
        found=f"source: {_revision(own)}\nservice: {_revision(service)}\ntasks: {', '.join(tasks) or 'none'}",
        reason="the service runs another revision than the source"
        if answer is Answer.NO
        else "its tasks run another revision than the service names",
        remedy=f"terraform apply, or if a pipeline deploys, in {source.address}\nlifecycle {{\n"
        "  ignore_changes = [task_definition]\n}"
        if answer is Answer.NO
        else "wait for the deployment to end; the rule rollout says how it stands",
    )


def _family_of(value: Value, bound: Bound) -> str | None:
    """Return the family of the task definition that a reference is to."""
    found = bound.plan.find(value) if isinstance(value, Unknown) else None
    name = bound.value(found[0].get("family")) if found else None
    return name if isinstance(name, str) else None


def _same_revision(own: Value, service: Value) -> Answer:
    """Compare an ARN, `family:revision` or `family` with the ARN of a service."""
    if not isinstance(own, str) or not isinstance(service, str):
        return Answer.MAYBE
    name = service.rpartition("/")[2]
    return Answer.YES if own in {service, name, name.rpartition(":")[0]} else Answer.NO


def _family(value: Value) -> Value:
    """Return the family of an ARN or of `family:revision`."""
    name = value.rpartition("/")[2] if isinstance(value, str) else ""
    return name.partition(":")[0] or value


def _revision(value: Value) -> str:
    return value.rpartition("/")[2] if isinstance(value, str) else render(value)
