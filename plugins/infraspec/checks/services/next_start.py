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
from collections.abc import Iterable, Iterator, Mapping

from infraspec.checks.access.trust import Trust
from infraspec.checks.common.resources_by_arn import ArnIndex
from infraspec.checks.common.roles_in_snapshots import RoleLookup
from infraspec.checks.services.rollout_state import without_running_services
from infraspec.core.finding import Finding, Related
from infraspec.core.rule import Subject
from infraspec.core.rules import RULES
from infraspec.ecs.access_table import ROWS
from infraspec.ecs.fleet import DeployedService
from infraspec.ecs.requirement import AccessContext
from infraspec.ecs.service import Service
from infraspec.ecs.start import Refusal, StartFacts, StartLogGroup, StoredImage, StoredRole, StoredValue
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource

RULE = RULES["next-start"]


def check_next_start(start_readings: Iterable[tuple[DeployedService, StartFacts]]) -> list[Finding]:
    """Judge each thing that the revision of each live service needs."""
    return [
        finding for one, facts in start_readings if one.live is not None for finding in _judged(one, one.live, facts)
    ]


def _judged(one: DeployedService, live: Service, facts: StartFacts) -> Iterator[Finding]:
    resource, service = one.declared.resource, Related("service", live.arn)
    for image in facts.images:
        yield _image(RULE.about(resource, f'container "{image.container}", image', related=[service]), image)
    for value in facts.values:
        yield _value(RULE.about(resource, f"{value.kind} {_name(value.target)}", related=[service]), value, live)
    for role in facts.roles:
        yield _role(RULE.about(resource, f"{role.kind} role", related=[service]), role, live)
    for group in facts.log_groups:
        subject = RULE.about(resource, f'container "{group.container}", log group', related=[service])
        yield _log_group(subject, group)
    if facts.network.subnets:
        yield _subnets(RULE.about(resource, "subnets", related=[service]), facts.network.subnets)
    if facts.network.security_groups:
        subject = RULE.about(resource, "security groups", related=[service])
        yield _security_groups(subject, facts.network.security_groups)


def _unseen(subject: Subject, expected: str, found: str, what: str, refused: Refusal | None) -> Finding:
    """Return the finding about what its owner does not show: in another account, or by its own policy."""
    there = f"let the runner describe {what} there, run the suite for that account too, or keep a copy in this one"
    return subject.undetermined(
        expected=expected,
        found=refused.found if refused else found,
        reason="whether it is there is known where it is; that the service runs says nothing of the next task",
        remedy=refused.remedy if refused else there,
    )


def _image(subject: Subject, image: StoredImage) -> Finding:
    if not image.in_ecr:
        return subject.advice(
            expected="an image in a private repository of ECR, which can be asked",
            found=image.reference,
            reason="it is in another registry, which is not asked",
            remedy="copy it to ECR, or let a pull-through cache rule do so",
        )
    expected = f"{image.reference} in its repository"
    if not image.is_seen:
        elsewhere = "its repository is of another account, which does not let the runner look"
        return _unseen(subject, expected, elsewhere, "the image", image.refused)
    gone = image.running - image.kept if image.is_pinned else frozenset()
    if not image.has_repository:
        found, reason = "there is no such repository", "the next task cannot pull its image"
    elif gone:
        found = f"{', '.join(sorted(gone))}, which runs, is not there any more"
        reason = "a service keeps the digest of its deployment: no task can start"
    elif not image.named:
        found, reason = "there is no such image", f"the next {_next(image)} of this revision fails"
    elif image.running and image.named not in image.running:
        return _moved(subject, image)
    else:
        what = "is the image that runs" if image.running else "is there"
        return subject.proven(f"{image.reference} {what}: {image.named}")
    push = "push it again, or deploy a revision whose image is there; a lifecycle rule must not expire what runs"
    return subject.violated(expected=expected, found=found, reason=reason, remedy=push)


def _moved(subject: Subject, image: StoredImage) -> Finding:
    """Judge an image that does not run, and whose name is that of the one that does."""
    expected = f"{image.reference} is the image that runs: {', '.join(sorted(image.running))}"
    if image.is_index:
        return subject.undetermined(
            expected=expected,
            found=f"it is {image.named}, which stands for images of several platforms",
            reason="what runs may be one of them, or the tag was moved",
            remedy="name the image by its digest, or waive the finding where tags are immutable",
        )
    return subject.violated(
        expected=expected,
        found=f"it is {image.named}",
        reason=f"the tag was moved: the next {_next(image)} of the same revision runs something else",
        remedy='make tags immutable, and give every image its own:\nimage_tag_mutability = "IMMUTABLE"',
    )


def _next(image: StoredImage) -> str:
    """Return what resolves the reference: a deployment, or each task where the digest is not kept."""
    return "deployment" if image.is_pinned else "task"


def _value(subject: Subject, value: StoredValue, live: Service) -> Finding:
    expected = f"{value.target}, for {', '.join(value.readers)}"
    if value.exists is None:
        elsewhere = "it is of another account or region, and cannot be looked at"
        return _unseen(subject, expected, elsewhere, f"the {value.kind}", value.refused)
    if not value.exists:
        return subject.violated(
            expected=expected,
            found=f"there is no such {value.kind}",
            reason="the next task does not start",
            remedy=f"create it, or take {' and '.join(value.readers)} out of the task definition",
        )
    if value.deleted is not None:
        return subject.violated(
            expected=f"{expected}, not scheduled for deletion",
            found=f"it is scheduled for deletion, DeletedDate {value.deleted:%Y-%m-%d}",
            reason="a secret that is scheduled for deletion cannot be read: the next task does not start",
            remedy=f"aws secretsmanager restore-secret --secret-id {value.target}",
        )
    started = [task.started for task in live.tasks if task.is_running and task.started is not None]
    old = [one for one in started if value.changed is not None and one < value.changed]
    if not old:
        return subject.proven(f"{value.target} is there")
    command = f"aws ecs update-service --cluster {live.cluster_name} --service {live.name} --force-new-deployment"
    return subject.advice(
        expected="tasks that have started since its last change",
        found=f"it was changed on {value.changed:%Y-%m-%d %H:%M} UTC; {len(old)} of {len(started)} tasks are older",
        reason="a task reads its values once, when it starts; the change may have been of description or tags alone",
        remedy=f"if the value is new, start the tasks anew:\n{command}",
    )


def _role(subject: Subject, role: StoredRole, live: Service) -> Finding:
    if role.trust is None:
        return subject.violated(
            expected=role.arn,
            found="there is no such role",
            reason="ECS cannot assume it, and the next task does not start",
            remedy="terraform apply creates it; a role that was made anew under its name needs new sessions: "
            "deploy again",
        )
    _, partition, _, region, account, _ = live.arn.split(":", 5)
    resource = Resource(
        role.arn, "managed", "aws_iam_role", role.arn, None, "", {"assume_role_policy": json.dumps(role.trust)}
    )
    plan = Plan("live", (resource,), account=account, region=region, partition=partition)
    attributes = AwsAttributes(plan)
    context = AccessContext(attributes, account, region)
    return Trust(ArnIndex(attributes)).judge(
        ROWS[f"trust_{role.kind}"], role.arn, RoleLookup(resource), context, subject
    )


def _log_group(subject: Subject, group: StartLogGroup) -> Finding:
    if group.exists:
        return subject.proven(f"{group.name} is there")
    if group.is_created:
        return subject.proven(f"{group.name} is not there, and awslogs-create-group makes it")
    return subject.violated(
        expected=f"the log group {group.name}",
        found="there is none",
        reason="in blocking mode the container does not start; in the other, the default since 2025, what it writes "
        "is lost",
        remedy=f'resource "aws_cloudwatch_log_group" "this" {{\n  name = "{group.name}"\n}}',
    )


def _subnets(subject: Subject, subnets: Mapping[str, int | None]) -> Finding:
    gone = [name for name, free in subnets.items() if free is None]
    if not gone and any(subnets.values()):
        return subject.proven(", ".join(f"{name} has {free} free addresses" for name, free in subnets.items()))
    return subject.violated(
        expected="subnets that exist, with free addresses",
        found=f"there is no {', '.join(gone)}" if gone else f"no address is free in {', '.join(subnets)}",
        reason="a task in awsvpc mode needs an address of one of them",
        remedy="name subnets that exist" if gone else "add a subnet, or let go of addresses",
    )


def _security_groups(subject: Subject, groups: Mapping[str, bool]) -> Finding:
    missing = [name for name, is_there in groups.items() if not is_there]
    if not missing:
        return subject.proven(f"{', '.join(groups)} are there")
    return subject.violated(
        expected=", ".join(groups),
        found=f"there is no {', '.join(missing)}",
        reason="the network interface of the next task cannot be made",
        remedy="name security groups that exist",
    )


def _name(target: str) -> str:
    """Return a secret's or a parameter's name, as short as people know it."""
    return target.partition(":secret:")[2] or target.partition(":parameter")[2] or target


skip = without_running_services
