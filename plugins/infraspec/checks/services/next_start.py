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
from infraspec.checks.common.resources_by_arn import arn_index
from infraspec.checks.common.roles_in_snapshots import RoleLookup
from infraspec.checks.services.rollout_state import without_running_services
from infraspec.core.finding import Finding, Related, Verdict
from infraspec.core.rule import Subject
from infraspec.core.rules import RULES
from infraspec.ecs.access_table import ROWS
from infraspec.ecs.fleet import DeployedService
from infraspec.ecs.requirement import AccessContext
from infraspec.ecs.service import Service
from infraspec.ecs.start import Network, Refusal, StartFacts, StartLogGroup, StoredImage, StoredRole, StoredValue
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
        subject = RULE.about(resource, f'container "{image.container}", image', related=[service])
        yield _beside_tasks(subject, _image(subject, image), live)
    for value in facts.values:
        subject = RULE.about(resource, f"{value.kind} {_name(value.target)}", related=[service])
        yield _beside_tasks(subject, _value(subject, value, live), live)
    for role in facts.roles:
        yield _role(RULE.about(resource, f"{role.kind} role", related=[service]), role, live)
    for group in facts.log_groups:
        subject = RULE.about(resource, f'container "{group.container}", log group', related=[service])
        yield _log_group(subject, group)
    yield from _network(facts.network, resource, service)


def _network(network: Network, resource: Resource, service: Related) -> Iterator[Finding]:
    for part, refusal in network.refused.items():
        yield RULE.about(resource, part, related=[service]).unseen(refusal.found, refusal.remedy)
    if network.subnets:
        yield _subnets(RULE.about(resource, "subnets", related=[service]), network.subnets)
    if network.security_groups:
        subject = RULE.about(resource, "security groups", related=[service])
        yield _security_groups(subject, network.security_groups)


def _beside_tasks(subject: Subject, finding: Finding, live: Service) -> Finding:
    """Return a finding that rests on the tasks that run as well: nothing is proven where these may not be seen."""
    refusal = live.refused.get("tasks")
    if refusal is None or finding.verdict is not Verdict.PROVEN:
        return finding
    return subject.unseen(refusal.found, refusal.remedy)


def _unseen(subject: Subject, expected: str, found: str, what: str, refused: Refusal | None) -> Finding:
    """Return the finding about what its owner does not show: in another account, or by its own policy."""
    if refused:
        return subject.say("refused", expected=expected, found=refused.found, remedy=refused.remedy)
    return subject.say("unseen", expected=expected, found=found, what=what)


def _image(subject: Subject, image: StoredImage) -> Finding:
    if not image.in_ecr:
        return subject.say("elsewhere", reference=image.reference)
    if not image.is_seen:
        expected = f"{image.reference} in its repository"
        elsewhere = "its repository is of another account, which does not let the runner look"
        return _unseen(subject, expected, elsewhere, "the image", image.refused)
    gone = image.running - image.kept if image.is_pinned else frozenset()
    if not image.has_repository:
        wording = "no-repository"
    elif gone:
        wording = "gone"
    elif not image.named:
        wording = "no-image"
    elif image.running and image.named not in image.running:
        wording = "perhaps-moved" if image.is_index else "moved"
    else:
        what = "is the image that runs" if image.running else "exists"
        return subject.proven(f"{image.reference} {what}: {image.named}")
    shown = {"gone": ", ".join(sorted(gone)), "running": ", ".join(sorted(image.running))}
    resolved = "deployment" if image.is_pinned else "task"  # each task where the digest is not kept
    return subject.say(wording, reference=image.reference, named=image.named, next=resolved, **shown)


def _value(subject: Subject, value: StoredValue, live: Service) -> Finding:
    target, readers = value.target, ", ".join(value.readers)
    if value.exists is None:
        elsewhere = "it is of another account or region, and cannot be looked at"
        return _unseen(subject, f"{target}, for {readers}", elsewhere, f"the {value.kind}", value.refused)
    if not value.exists:
        every = " and ".join(value.readers)
        return subject.say("no-value", target=target, readers=readers, kind=value.kind, every=every)
    if value.deleted is not None:
        return subject.say("deleted", target=target, readers=readers, deleted=f"{value.deleted:%Y-%m-%d}")
    started = [task.started for task in live.tasks if task.is_running and task.started is not None]
    old = [one for one in started if value.changed is not None and one < value.changed]
    if not old:
        return subject.proven(f"{target} exists")
    when, number, older = f"{value.changed:%Y-%m-%d %H:%M}", len(started), len(old)
    return subject.say("changed", changed=when, old=older, started=number, cluster=live.cluster_name, name=live.name)


def _role(subject: Subject, role: StoredRole, live: Service) -> Finding:
    if role.refused:
        return subject.unseen(role.refused.found, role.refused.remedy)
    if role.trust is None:
        return subject.say("no-role", arn=role.arn)
    _, partition, _, region, account, _ = live.arn.split(":", 5)
    resource = Resource(
        role.arn, "managed", "aws_iam_role", role.arn, None, "", {"assume_role_policy": json.dumps(role.trust)}
    )
    plan = Plan("live", (resource,), account=account, region=region, partition=partition)
    attributes = plan.derived(AwsAttributes)
    context = AccessContext(attributes, account, region)
    return Trust(plan.derived(arn_index)).judge(
        ROWS[f"trust_{role.kind}"], role.arn, RoleLookup(resource), context, subject
    )


def _log_group(subject: Subject, group: StartLogGroup) -> Finding:
    if group.refused:
        return subject.unseen(group.refused.found, group.refused.remedy)
    if group.exists:
        return subject.proven(f"{group.name} exists")
    if group.is_created:
        return subject.proven(f"{group.name} does not exist, and awslogs-create-group creates it")
    return subject.say("no-log-group", name=group.name)


def _subnets(subject: Subject, subnets: Mapping[str, int | None]) -> Finding:
    gone = [name for name, free in subnets.items() if free is None]
    if not gone and any(subnets.values()):
        return subject.proven(", ".join(f"{name} has {free} free addresses" for name, free in subnets.items()))
    return subject.say("no-subnets" if gone else "no-addresses", gone=", ".join(gone), subnets=", ".join(subnets))


def _security_groups(subject: Subject, groups: Mapping[str, bool]) -> Finding:
    missing = [name for name, is_there in groups.items() if not is_there]
    if not missing:
        return subject.proven(f"{', '.join(groups)} exist")
    return subject.say("no-security-groups", groups=", ".join(groups), missing=", ".join(missing))


def _name(target: str) -> str:
    """Return a secret's or a parameter's name, as short as people know it."""
    return target.partition(":secret:")[2] or target.partition(":parameter")[2] or target


skip = without_running_services
