"""Rule `rollout`: every service of the source runs, with the revision that is meant, all of it and healthy.

A waiter of the AWS CLI is content with one deployment whose tasks all run. So are a service that was rolled back and
one that was scaled to nothing; here they are not. Sources: Amazon ECS Developer Guide, "Amazon ECS service
deployments" and "How the Amazon ECS deployment circuit breaker detects failures".
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from msgspec.structs import replace

from infraspec.checks.common.unknown_remedies import doubted, how_to_know
from infraspec.checks.services.rollout_state import (
    circuit_breaker,
    counts,
    deployment,
    is_failing,
    targets,
    without_services,
)
from infraspec.contract.live import Rollout
from infraspec.core.finding import Finding, Related, Verdict
from infraspec.core.rules import ROLLOUT as RULE
from infraspec.core.unknown import AFTER_APPLY, Unknown, render, unknowns
from infraspec.ecs.fleet import DeployedService, ExpectedRevision, Fleet, images_of
from infraspec.ecs.service import Service, revision_of

_ATTRIBUTES = {
    "revision": "task_definition",
    "counts": "desired_count",
    "targets": "load_balancer",
    "circuit breaker": "deployment_circuit_breaker",
}
"""The argument of aws_ecs_service that each part of the judgement is about."""


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
    live = one.live
    if one.elsewhere:
        yield _placed(one, _of_other_account(one))
        return
    if live is None or live.status != "ACTIVE":
        yield _placed(one, _absent(one))
        return
    yield _placed(one, _proven("service", f"{live.arn} is ACTIVE"))
    meant = expected.get(live.name)
    yield _placed(one, _revision(one, live, rules, meant))
    current = _current(one, live, meant)
    for finding in (
        deployment(live, waited, is_current=current),
        counts(live, one.declared, waited),
        *targets(live, waited),
        *circuit_breaker(live),
    ):
        yield _placed(one, finding)


def _placed(one: DeployedService, finding: Finding) -> Finding:
    resource = one.declared.resource
    attribute = next((name for start, name in _ATTRIBUTES.items() if finding.subject.startswith(start)), "")
    place = resource.location_of(attribute) if attribute else resource.location
    related = (Related("service", one.live.arn),) if one.live else ()
    return replace(
        finding, rule=RULE.id, address=resource.address, location=place, related=(*finding.related, *related)
    )


def _proven(subject: str, reason: str) -> Finding:
    return Finding(RULE.id, Verdict.PROVEN, "", subject, reason=reason)


def _of_other_account(one: DeployedService) -> Finding:
    return Finding(
        RULE.id,
        Verdict.PROVEN,
        "",
        "service",
        expected="a service of the account that the run asks",
        found=f"{render(one.declared.name)} is one of account {one.elsewhere}",
        reason="nothing is said of it: the run does not ask there",
        remedy=f"run the suite with credentials of account {one.elsewhere} and a contract that names it",
        advice=True,
    )


def _absent(one: DeployedService) -> Finding:
    declared = one.declared
    name, cluster = render(declared.name), render(declared.cluster)
    expected = f"the service {name} in the cluster {cluster}, ACTIVE"
    if declared.key is None:
        unknown = next(unknowns(declared.unknown), Unknown("its name", AFTER_APPLY))
        return Finding(
            RULE.id,
            Verdict.UNDETERMINED,
            "",
            "service",
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
    absent = Finding(
        RULE.id,
        Verdict.VIOLATED,
        "",
        "service",
        expected=expected,
        found=found,
        reason="what the source declares is not deployed, or was deleted",
        remedy="terraform apply creates it; if it was renamed, deploy the source that says so",
    )
    return doubted(absent, declared.doubt) if declared.doubt else absent


def _revision(one: DeployedService, live: Service, rules: Rollout, meant: ExpectedRevision | None) -> Finding:
    running = live.primary.task_definition if live.primary else live.task_definition
    others = sorted({task.revision for task in live.tasks if task.is_running and task.task_definition != running})
    wanted, source = _wanted(one, meant)
    if not wanted:
        return _no_revision(one)
    base = Finding(RULE.id, Verdict.PROVEN, "", "revision", expected=f"{wanted}, {source}", found=_shown(one, running))
    by_pipeline = meant is None and not one.declared.revision and one.declared.ignores("task_definition")
    matches = meant.is_met_by(running, one.running) if meant else revision_of(running) == wanted
    if matches and not others:
        started = sum(task.is_running and task.task_definition == running for task in live.tasks)
        proof = "; ECS has read its secrets with its role when they started" if started else ""
        tasks = "1 task runs it" if started == 1 else f"{started} tasks run it"
        return _proven("revision", f"the service is set to {base.found}, {source}; {tasks}{proof}")
    if matches:
        open_ = (live.is_rolling_out and not is_failing(live)) or live.controller != "ECS"
        return replace(
            base,
            verdict=Verdict.UNDETERMINED if open_ else Verdict.VIOLATED,
            found=f"{', '.join(others)} still runs beside it",
            reason="the deployment has not ended" if open_ else "the revision that is meant has not replaced it",
            remedy="wait for its end: [rollout]\nwait = 900" if open_ else _why(live),
        )
    if by_pipeline and not rules.newest:
        return replace(
            base,
            verdict=Verdict.UNDETERMINED,
            reason="ignore_changes leaves task_definition to a pipeline, and only that knows what it has deployed",
            remedy=f"say it: --infraspec-revision {live.name}={revision_of(running).partition(':')[2]}\n"
            "or that the newest is meant: [rollout]\nnewest = true",
        )
    return replace(
        base,
        verdict=Verdict.VIOLATED,
        reason="it was not deployed, or the deployment was rolled back",
        remedy=_why(live),
    )


def _wanted(one: DeployedService, meant: ExpectedRevision | None) -> tuple[str, str]:
    """Return the revision that is meant, and who says so; empty if nothing does."""
    if meant is not None:
        return meant.text, "as --infraspec-revision says"
    declared = one.declared
    if declared.revision and not declared.ignores("task_definition"):
        return f"{declared.family}:{declared.revision}", "as the state of the source says"
    return revision_of(one.newest), f"the newest active revision of {render(declared.family)}"


def _current(one: DeployedService, live: Service, meant: ExpectedRevision | None) -> bool:
    """Tell whether the last service deployment was to bring the revision that is meant now."""
    last = live.last
    if last is None or not last.task_definition:
        return True
    if meant is not None:
        return meant.is_met_by(last.task_definition, None) or not meant.is_met_by(live.task_definition, one.running)
    wanted, _ = _wanted(one, None)
    return revision_of(last.task_definition) == wanted or revision_of(live.task_definition) != wanted


def _no_revision(one: DeployedService) -> Finding:
    family = one.declared.family
    unknown = next(unknowns(family), None)
    return Finding(
        RULE.id,
        Verdict.UNDETERMINED if unknown else Verdict.VIOLATED,
        "",
        "revision",
        expected="a task definition of a known family" if unknown else f"an active revision of {family}",
        found=f"{unknown.address} is not known" if unknown else "none",
        reason="the family says which revision is the newest"
        if unknown
        else "the revisions of the family that the source names are deregistered, or were never registered",
        remedy=how_to_know(unknown) if unknown else "terraform apply registers one",
    )


def _shown(one: DeployedService, running: str) -> str:
    images = ", ".join(images_of(one.running))
    return f"{revision_of(running)} ({images})" if images else revision_of(running)


def _why(live: Service) -> str:
    return f"infraspec diagnose --service {live.name} says why; mend that, and deploy again"


def _other(service: Service) -> Finding:
    return Finding(
        RULE.id,
        Verdict.PROVEN,
        service.arn,
        "service",
        expected="services of the source",
        found=f"{service.name}, {service.running} of {service.desired} tasks of {revision_of(service.task_definition)}",
        reason=f"it runs in the cluster {service.cluster_name} and is not in the source: not judged",
        remedy="bring it into the source, or to the environment that it belongs to",
        advice=True,
    )


skip = without_services
