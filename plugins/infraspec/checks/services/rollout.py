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
        yield service.advice(
            expected="a service of the account that the run asks",
            found=f"{render(one.declared.name)} is one of account {one.elsewhere}",
            reason="nothing is said of it: the run does not ask there",
            remedy=f"run the suite with credentials of account {one.elsewhere} and a contract that names it",
        )
    elif live is None or live.status != "ACTIVE":
        yield _absent(one, service)
    else:
        meant = expected.get(live.name)
        yield service.proven(f"{live.arn} is ACTIVE")
        yield _revision(one, live, rules, meant)
        yield deployment(about(one, "deployment"), live, waited, is_current=_is_current(one, live, meant))
        yield counts(about(one, "counts"), live, one.declared, waited)
        yield from targets(one, live, waited)
        yield from circuit_breaker(about(one, "circuit breaker"), live)


def _absent(one: DeployedService, service: Subject) -> Finding:
    declared = one.declared
    name, cluster = render(declared.name), render(declared.cluster)
    expected = f"the service {name} in the cluster {cluster}, ACTIVE"
    if declared.key is None:
        unknown = next(unknowns(declared.unknown), Unknown("its name", AFTER_APPLY))
        return service.undetermined(
            expected=expected,
            found=f"{unknown.address} is not known",
            reason="AWS knows a service by region, cluster and name",
            remedy=how_to_know(unknown),
        )
    if one.live is not None:
        found = f"it is {one.live.status}"
    elif one.cluster_exists:
        found = f"the cluster {cluster} has no service of this name"
    else:
        found = f"there is no cluster {cluster} that is ACTIVE"
    absent = service.violated(
        expected=expected,
        found=found,
        reason="what the source declares is not deployed, or was deleted",
        remedy="terraform apply creates it; if it was renamed, deploy the source that says so",
    )
    return doubted(absent, declared.doubt) if declared.doubt else absent


def _revision(one: DeployedService, live: Service, rules: Rollout, meant: ExpectedRevision | None) -> Finding:
    subject, running = about(one, "revision"), live.primary.task_definition if live.primary else live.task_definition
    others = sorted({task.revision for task in live.tasks if task.is_running and task.task_definition != running})
    wanted, source = _wanted(one, meant)
    if not wanted:
        return _no_revision(subject, one.declared.family)
    images, expected, shown = ", ".join(images_of(one.running)), f"{wanted}, {source}", revision_of(running)
    shown += f" ({images})" if images else ""
    by_pipeline = meant is None and not one.declared.revision and one.declared.ignores("task_definition")
    matches = meant.is_met_by(running, one.running) if meant else revision_of(running) == wanted
    mend = f"infraspec diagnose --service {live.name} says why; mend that, and deploy again"
    if matches and not others:
        started = sum(task.is_running and task.task_definition == running for task in live.tasks)
        proof = "; ECS has read its secrets with its role when they started" if started else ""
        tasks = "1 task runs it" if started == 1 else f"{started} tasks run it"
        return subject.proven(f"the service is set to {shown}, {source}; {tasks}{proof}")
    if matches:
        found = f"{', '.join(others)} still runs beside it"
        if (live.is_rolling_out and not is_failing(live)) or live.controller != "ECS":
            reason, remedy = "the deployment has not ended", "wait for its end: [rollout]\nwait = 900"
            return subject.undetermined(expected=expected, found=found, reason=reason, remedy=remedy)
        reason = "the revision that is meant has not replaced it"
        return subject.violated(expected=expected, found=found, reason=reason, remedy=mend)
    if by_pipeline and not rules.newest:
        return subject.undetermined(
            expected=expected,
            found=shown,
            reason="ignore_changes leaves task_definition to a pipeline, and only that knows what it has deployed",
            remedy=f"say it: --infraspec-revision {live.name}={revision_of(running).partition(':')[2]}\n"
            "or that the newest is meant: [rollout]\nnewest = true",
        )
    reason = "it was not deployed, or the deployment was rolled back"
    return subject.violated(expected=expected, found=shown, reason=reason, remedy=mend)


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
        return subject.undetermined(
            expected="a task definition of a known family",
            found=f"{unknown.address} is not known",
            reason="the family says which revision is the newest",
            remedy=how_to_know(unknown),
        )
    return subject.violated(
        expected=f"an active revision of {family}",
        found="none",
        reason="the revisions of the family that the source names are deregistered, or were never registered",
        remedy="terraform apply registers one",
    )


def _other(service: Service) -> Finding:
    return RULE.about(service.arn, "service").advice(
        expected="services of the source",
        found=f"{service.name}, {service.running} of {service.desired} tasks of {revision_of(service.task_definition)}",
        reason=f"it runs in the cluster {service.cluster_name} and is not in the source: not judged",
        remedy="bring it into the source, or to the environment that it belongs to",
    )


skip = without_services
