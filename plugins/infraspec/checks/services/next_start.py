"""Rule `next-start`: what the next task of each service needs is still there.

A task that runs shows that everything was there when it started. Images expire by lifecycle rules, secrets are
scheduled for deletion, roles and log groups are tidied up: the service goes on until a task is replaced. Whether the
roles may still do what they have to is the business of the rules `secret-access` and `secret-chain`. Sources: Amazon
ECS Developer Guide, "Stopped tasks error messages" and "Container image resolution" (a deployment pins the digest that
the tag stands for when it begins, unless `versionConsistency` is disabled); the log driver of Docker, which in
non-blocking mode makes the log stream while the container runs already; AWS Secrets Manager API Reference,
DescribeSecret (LastChangedDate).
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator

from msgspec.structs import replace

from infraspec.checks.access.trust import Trust
from infraspec.checks.common.resources_by_arn import ArnIndex
from infraspec.checks.common.roles_in_snapshots import RoleLookup
from infraspec.checks.services.rollout_state import without_running_services
from infraspec.core.finding import Finding, Related, Verdict
from infraspec.core.rules import NEXT_START as RULE
from infraspec.ecs.access_table import TRUST_EXECUTION, TRUST_TASK
from infraspec.ecs.fleet import DeployedService
from infraspec.ecs.requirement import AccessContext
from infraspec.ecs.service import Service
from infraspec.ecs.start import Network, Refusal, StartFacts, StartLogGroup, StoredImage, StoredRole, StoredValue
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource

_ROWS = {"execution": TRUST_EXECUTION, "task": TRUST_TASK}


def check_next_start(start_readings: Iterable[tuple[DeployedService, StartFacts]]) -> list[Finding]:
    """Judge each thing that the revision of each live service needs."""
    return [
        finding for one, facts in start_readings if one.live is not None for finding in _judged(one, one.live, facts)
    ]


def _judged(one: DeployedService, live: Service, facts: StartFacts) -> Iterator[Finding]:
    resource = one.declared.resource
    findings = [
        *map(_image, facts.images),
        *(finding for value in facts.values for finding in _value(value, live)),
        *(_role(role, live) for role in facts.roles),
        *map(_log_group, facts.log_groups),
        *_network(facts.network),
    ]
    for finding in findings:
        related = (Related("service", live.arn), *finding.related)
        yield replace(finding, rule=RULE.id, address=resource.address, location=resource.location, related=related)


def _good(subject: str, reason: str) -> Finding:
    return Finding(RULE.id, Verdict.PROVEN, "", subject, reason=reason)


def _bad(subject: str, expected: str, found: str, reason: str, remedy: str) -> Finding:
    return Finding(RULE.id, Verdict.VIOLATED, "", subject, expected=expected, found=found, reason=reason, remedy=remedy)


def _advice(subject: str, expected: str, found: str, reason: str, remedy: str) -> Finding:
    return replace(_bad(subject, expected, found, reason, remedy), verdict=Verdict.PROVEN, advice=True)


def _unseen(subject: str, expected: str, found: str, what: str, refused: Refusal | None) -> Finding:
    """Return the finding about what its owner does not show: in another account, or by its own policy."""
    there = f"let the runner describe {what} there, run the suite for that account too, or keep a copy in this one"
    return Finding(
        RULE.id,
        Verdict.UNDETERMINED,
        "",
        subject,
        expected=expected,
        found=refused.found if refused else found,
        reason="whether it is there is known where it is; that the service runs says nothing of the next task",
        remedy=refused.remedy if refused else there,
    )


def _image(image: StoredImage) -> Finding:
    subject, expected = f'container "{image.container}", image', f"{image.reference} in its repository"
    push = "push it again, or deploy a revision whose image is there; a lifecycle rule must not expire what runs"
    if not image.in_ecr:
        return _advice(
            subject,
            "an image in a private repository of ECR, which can be asked",
            image.reference,
            "it is in another registry, which is not asked",
            "copy it to ECR, or let a pull-through cache rule do so",
        )
    if not image.is_seen:
        elsewhere = "its repository is of another account, which does not let the runner look"
        return _unseen(subject, expected, elsewhere, "the image", image.refused)
    if not image.has_repository:
        return _bad(subject, expected, "there is no such repository", "the next task cannot pull its image", push)
    gone = image.running - image.kept if image.is_pinned else frozenset()
    if gone:
        found = f"{', '.join(sorted(gone))}, which runs, is not there any more"
        return _bad(subject, expected, found, "a service keeps the digest of its deployment: no task can start", push)
    if not image.named:
        fails = f"the next {_next(image)} of this revision fails"
        return _bad(subject, expected, "there is no such image", fails, push)
    if image.running and image.named not in image.running and image.is_index:
        return Finding(
            RULE.id,
            Verdict.UNDETERMINED,
            "",
            subject,
            expected=f"{image.reference} is the image that runs: {', '.join(sorted(image.running))}",
            found=f"it is {image.named}, which stands for images of several platforms",
            reason="what runs may be one of them, or the tag was moved",
            remedy="name the image by its digest, or waive the finding where tags are immutable",
        )
    if image.running and image.named not in image.running:
        return _bad(
            subject,
            f"{image.reference} is the image that runs: {', '.join(sorted(image.running))}",
            f"it is {image.named}",
            f"the tag was moved: the next {_next(image)} of the same revision runs something else",
            'make tags immutable, and give every image its own:\nimage_tag_mutability = "IMMUTABLE"',
        )
    what = "is the image that runs" if image.running else "is there"
    return _good(subject, f"{image.reference} {what}: {image.named}")


def _next(image: StoredImage) -> str:
    """Return what resolves the reference: a deployment, or each task where the digest is not kept."""
    return "deployment" if image.is_pinned else "task"


def _value(value: StoredValue, live: Service) -> Iterator[Finding]:
    subject = f"{value.kind} {_name(value.target)}"
    expected = f"{value.target}, for {', '.join(value.readers)}"
    if value.exists is None:
        elsewhere = "it is of another account or region, and cannot be looked at"
        yield _unseen(subject, expected, elsewhere, f"the {value.kind}", value.refused)
        return
    if not value.exists:
        remedy = f"create it, or take {' and '.join(value.readers)} out of the task definition"
        yield _bad(subject, expected, f"there is no such {value.kind}", "the next task does not start", remedy)
        return
    if value.deleted is not None:
        yield _bad(
            subject,
            f"{expected}, not scheduled for deletion",
            f"it is scheduled for deletion, DeletedDate {value.deleted:%Y-%m-%d}",
            "a secret that is scheduled for deletion cannot be read: the next task does not start",
            f"aws secretsmanager restore-secret --secret-id {value.target}",
        )
        return
    stale = _older(value, live)
    if stale:
        yield stale
    else:
        yield _good(subject, f"{value.target} is there")


def _older(value: StoredValue, live: Service) -> Finding | None:
    """Return the advice that tasks run with a value from before the last change."""
    changed = value.changed
    if changed is None:
        return None
    running = [task for task in live.tasks if task.is_running and task.started is not None]
    old = [task for task in running if task.started and task.started < changed]
    if not old:
        return None
    command = f"aws ecs update-service --cluster {live.cluster_name} --service {live.name} --force-new-deployment"
    return _advice(
        f"{value.kind} {_name(value.target)}",
        "tasks that have started since its last change",
        f"it was changed on {changed:%Y-%m-%d %H:%M} UTC; {len(old)} of {len(running)} tasks are older",
        "a task reads its values once, when it starts; the change may have been of description or tags alone",
        f"if the value is new, start the tasks anew:\n{command}",
    )


def _role(role: StoredRole, live: Service) -> Finding:
    if role.trust is None:
        return _bad(
            f"{role.kind} role",
            role.arn,
            "there is no such role",
            "ECS cannot assume it, and the next task does not start",
            "terraform apply creates it; a role that was made anew under its name needs new sessions: deploy again",
        )
    finding = _trust(role, live)
    return replace(finding, subject=f"{role.kind} role")


def _trust(role: StoredRole, live: Service) -> Finding:
    _, partition, _, region, account, _ = live.arn.split(":", 5)
    resource = Resource(
        role.arn, "managed", "aws_iam_role", role.arn, None, "", {"assume_role_policy": json.dumps(role.trust)}
    )
    plan = Plan("live", (resource,), account=account, region=region, partition=partition)
    attributes = AwsAttributes(plan)
    context = AccessContext(attributes, account, region)
    return Trust(ArnIndex(attributes)).judge(_ROWS[role.kind], role.arn, RoleLookup(resource), context)


def _log_group(group: StartLogGroup) -> Finding:
    subject = f'container "{group.container}", log group'
    if group.exists:
        return _good(subject, f"{group.name} is there")
    if group.is_created:
        return _good(subject, f"{group.name} is not there, and awslogs-create-group makes it")
    return _bad(
        subject,
        f"the log group {group.name}",
        "there is none",
        "in blocking mode the container does not start; in the other, the default since 2025, what it writes is lost",
        f'resource "aws_cloudwatch_log_group" "this" {{\n  name = "{group.name}"\n}}',
    )


def _network(network: Network) -> Iterator[Finding]:
    gone = [name for name, free in network.subnets.items() if free is None]
    if network.subnets and (gone or not any(network.subnets.values())):
        yield _bad(
            "subnets",
            "subnets that exist, with free addresses",
            f"there is no {', '.join(gone)}" if gone else f"no address is free in {', '.join(network.subnets)}",
            "a task in awsvpc mode needs an address of one of them",
            "name subnets that exist" if gone else "add a subnet, or let go of addresses",
        )
    elif network.subnets:
        yield _good("subnets", ", ".join(f"{name} has {free} free addresses" for name, free in network.subnets.items()))
    missing = [name for name, there in network.security_groups.items() if not there]
    if missing:
        yield _bad(
            "security groups",
            ", ".join(network.security_groups),
            f"there is no {', '.join(missing)}",
            "the network interface of the next task cannot be made",
            "name security groups that exist",
        )
    elif network.security_groups:
        yield _good("security groups", f"{', '.join(network.security_groups)} are there")


def _name(target: str) -> str:
    """Return a secret's or a parameter's name, as short as people know it."""
    return target.partition(":secret:")[2] or target.partition(":parameter")[2] or target


skip = without_running_services
