"""Every edit of the reference infrastructure's policies that takes a permission away is found, and no other is.

What an edit takes away is told by a reading of the policies of its own: actions and resources as regular expressions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache, partial
from pathlib import Path
from typing import Any

from msgspec.structs import replace

from infraspec import contract as contracts
from infraspec.checks.access.secret_access import check_secret_access
from infraspec.core.finding import Finding, Verdict
from infraspec.core.json_text import decode_json
from infraspec.core.unknown import JsonText, Text, Value, concatenate, render
from infraspec.ecs.task_definition import task_definitions
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Plan

REFERENCE = Path(__file__).parents[2] / "fixtures" / "daily-report-tool"
READ, TRUST = "module.iam.aws_iam_policy.read_secrets", "module.iam.aws_iam_role.execution"
MANAGED = "module.iam.aws_iam_role_policy_attachment.execution_managed"
ATTACHED = "module.iam.aws_iam_role_policy_attachment.execution_secrets"
TASK, KEY = "module.iam.aws_iam_policy.publish_metrics", "module.secretsmanager.aws_kms_key.secrets"
IMAGES = ("ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage")
ASSUME = "sts:AssumeRole"
Statement = dict[str, Any]
Edit = Callable[[list[Statement]], list[Statement]]


@dataclass(frozen=True)
class Mutant:
    """An edited plan."""

    name: str
    plan: Plan


@cache
def reference() -> Plan:
    """Return the plan of the reference infrastructure's prod environment."""
    return Environments(contracts.load(REFERENCE)).plan("prod")


def judged(plan: Plan) -> list[Finding]:
    """Return the findings about a plan."""
    return check_secret_access(plan, task_definitions(plan), contracts.load(REFERENCE), "prod")


# The edits


def with_values(address: str, **values: Value) -> Plan:
    """Return the plan with other values of one resource."""
    resources = tuple(
        replace(resource, values={**resource.values, **values}) if resource.address == address else resource
        for resource in reference().resources
    )
    return reference().replaced(resources=resources)


def without(address: str) -> Plan:
    """Return the plan without one resource."""
    return reference().replaced(resources=tuple(r for r in reference().resources if r.address != address))


def statements_of(plan: Plan, address: str, attribute: str) -> list[Statement]:
    """Return the statements of a policy, its resources narrowed."""
    narrow = AwsAttributes(plan).narrow
    tree = decode_json(plan.by_address[address].get(attribute))
    return [
        {key: _each(value, narrow) if key == "Resource" else value for key, value in statement.items()}
        for statement in _listed(tree["Statement"])
    ]


def _each(value: Value, change: Callable[[Value], Value]) -> list[Value]:
    return [change(item) for item in _listed(value)]


def _listed(value: Value) -> list[Value]:
    return list(value) if isinstance(value, list | tuple) else [value]


def _cut(arn: Value) -> Value:
    """Shorten an ARN: without the suffix that AWS chooses, or the last character."""
    parts = list(arn.parts) if isinstance(arn, Text) else [arn]
    while parts and not isinstance(parts[-1], str):
        parts.pop()
    return concatenate([*parts[:-1], str(parts[-1])[:-1]])


def _field(arn: Value, number: int, value: str) -> Value:
    """Replace a field of an ARN."""
    parts = list(arn.parts) if isinstance(arn, Text) else [arn]
    fields = str(parts[0]).split(":")
    fields[number] = value
    return concatenate([":".join(fields), *parts[1:]])


RESOURCE_EDITS: Mapping[str, Callable[[Value], Value]] = {
    "shorten the resource": _cut,
    "of another region": lambda arn: _field(arn, 3, "us-east-1"),
    "of another account": lambda arn: _field(arn, 4, "999999999999"),
    "ask for more text": lambda arn: concatenate([arn, "-*"]),
    "widen the resource": lambda arn: concatenate([arn, "*"]),
    "everything": lambda _arn: "*",
}
ACTION_EDITS: Mapping[str, Callable[[str], str]] = {
    "the last letter is missing": lambda action: action[:-1],
    "describe instead": lambda action: action.partition(":")[0] + ":Describe*",
    "by a wildcard": lambda action: action[:-1] + "*",
    "in lower case": str.lower,
    "everything": lambda _action: "*",
}


def edits(index: int, statement: Statement) -> Iterator[tuple[str, Edit]]:
    """Yield the edits of one statement of a policy."""

    def changed(**values: Value) -> Edit:
        return lambda all_: [*all_[:index], {**statement, **values}, *all_[index + 1 :]]

    yield "drop it", lambda all_: [*all_[:index], *all_[index + 1 :]]
    yield "add a deny", lambda all_: [*all_, {**statement, "Sid": "", "Effect": "Deny"}]
    yield "deny instead", changed(Effect="Deny")
    for name, change in ACTION_EDITS.items():
        yield f"action: {name}", changed(Action=[change(action) for action in _listed(statement["Action"])])
    resources = _listed(statement["Resource"])
    for position, resource in enumerate(resources):
        rest = [*resources[:position], *resources[position + 1 :]]
        yield f"resource {position}: drop it", changed(Resource=rest)
        yield f"resource {position}: add a deny", _denying(statement, resource)
        if resource != "*":
            for name, edit in RESOURCE_EDITS.items():
                yield f"resource {position}: {name}", changed(Resource=[*rest, edit(resource)])


def _denying(statement: Statement, resource: Value) -> Edit:
    return lambda all_: [*all_, {"Effect": "Deny", "Action": statement["Action"], "Resource": [resource]}]


def mutants() -> Iterator[Mutant]:
    """Yield every edit of the policies of the execution role and the task role, and of what is attached."""
    for address in (READ, TASK):
        all_ = statements_of(reference(), address, "policy")
        for index, statement in enumerate(all_):
            for name, edit in edits(index, statement):
                document = {"Version": "2012-10-17", "Statement": edit(all_)}
                plan = with_values(address, policy=JsonText(document))
                yield Mutant(f"{address} Statement.{index}: {name}", plan)
    for address in (MANAGED, ATTACHED):
        yield Mutant(f"{address}: drop it", without(address))
        yield Mutant(f"{address}: at the task role", with_values(address, role="daily-report-tool-prod-backend-task"))
    denied = "arn:aws:iam::aws:policy/AWSDenyAll"
    yield Mutant("AWSDenyAll instead", with_values(MANAGED, policy_arn=denied))


# What a permission takes, and what policies say of it, read anew


def needs(plan: Plan) -> Iterator[tuple[str, str]]:
    """Yield the action and resource of everything the one task definition asks for."""
    narrow = AwsAttributes(plan).narrow
    head = f":{render(plan.region)}:{render(plan.account)}:"
    (task,) = plan.managed("aws_ecs_task_definition")
    (container,) = decode_json(task.get("container_definitions"))
    repository = render(narrow(container["image"])).partition("/")[2].partition(":")[0]
    yield "ecr:GetAuthorizationToken", "*"
    for action in IMAGES:
        yield action, f"arn:aws:ecr{head}repository/{repository}"
    group = render(narrow(container["logConfiguration"]["options"]["awslogs-group"]))
    for action in ("logs:CreateLogStream", "logs:PutLogEvents"):
        yield action, f"arn:aws:logs{head}log-group:{group}:log-stream:app/app/x"
    for secret in container["secrets"]:
        arn = render(narrow(secret["valueFrom"]))
        if ":ssm:" in arn:
            yield "ssm:GetParameters", arn
            continue
        yield "secretsmanager:GetSecretValue", ":".join(arn.split(":")[:7])
        yield "kms:Decrypt", render(narrow(plan.by_address[KEY].attribute("arn")))


def allowed(plan: Plan, action: str, resource: str) -> bool:
    """Tell whether the policies attached to the execution role allow an action, by regular expressions."""
    effects = {
        statement["Effect"]
        for statement in _statements(plan)
        if any(_matches(pattern.lower(), action.lower()) for pattern in _listed(statement["Action"]))
        and any(_matches(pattern, resource) for pattern in _listed(statement["Resource"]))
    }
    return effects == {"Allow"}


def _statements(plan: Plan) -> Iterator[Statement]:
    for attachment in plan.managed("aws_iam_role_policy_attachment"):
        role, policy = render(attachment.get("role")), attachment.get("policy_arn")
        if "execution" not in role:
            continue
        if str(policy).endswith("AWSDenyAll"):
            yield {"Effect": "Deny", "Action": "*", "Resource": "*"}
        elif str(policy).endswith("AmazonECSTaskExecutionRolePolicy"):
            actions = ["ecr:GetAuthorizationToken", *IMAGES, "logs:CreateLogStream", "logs:PutLogEvents"]
            yield {"Effect": "Allow", "Action": actions, "Resource": "*"}
        else:
            address = render(policy).strip("${}").removesuffix(".arn")
            held = statements_of(plan, address, "policy")
            yield from held if all(_listed(statement["Resource"]) for statement in held) else ()  # else AWS refuses it


def _matches(pattern: Value, text: str) -> bool:
    written = re.escape(render(pattern)).replace(r"\*", ".*").replace(r"\?", ".")
    return re.fullmatch(written, text, re.DOTALL) is not None


def test_the_reference_infrastructure_is_proven() -> None:
    """Nothing is missing before the edits, and the reading of this test lists the needs that the check lists."""
    found = judged(reference())
    actions = [finding.subject.rpartition(": ")[2] for finding in found if ASSUME not in finding.subject]
    assert sorted(actions) == sorted(action for action, _ in needs(reference()))
    assert {finding.verdict for finding in found} == {Verdict.PROVEN}
    assert all(allowed(reference(), *need) for need in needs(reference()))


def test_every_edit_that_takes_a_permission_away_is_found() -> None:
    """The check is red exactly for the edits that change a decision, by as many findings as needs are not met."""
    total, expected, killed, survivors = 0, 0, 0, []
    for mutant in mutants():
        total += 1
        missing = sorted(need[0] for need in needs(mutant.plan) if not allowed(mutant.plan, *need))
        found = [f for f in judged(mutant.plan) if f.verdict is not Verdict.PROVEN]
        actions = sorted(action for one in found for action in one.subject.rpartition(": ")[2].split(", "))
        expected += bool(missing)
        killed += bool(missing) and actions == missing
        if actions != missing:
            survivors.append(f"{mutant.name}: expected {missing}, found {actions}")
    print(f"killed {killed} of {expected} edits that change a decision, of {total}")  # noqa: T201 - what is wanted
    assert survivors == []
    assert expected > 40


def key_mutants() -> Iterator[Mutant]:
    """Yield key policies that no longer leave the decision to IAM, or deny."""
    (statement,) = statements_of(reference(), KEY, "policy")
    role = {"AWS": "arn:aws:iam::123456789012:role/daily-report-tool-prod-backend-execution"}
    policies: tuple[list[Statement], ...] = (
        [],
        [{**statement, "Effect": "Deny"}],
        [{**statement, "Action": "kms:Describe*"}],
        [{name: value for name, value in statement.items() if name != "Resource"}],
        [{**statement, "Principal": {"AWS": "arn:aws:iam::123456789012:role/other"}}],
        [statement, {**statement, "Effect": "Deny", "Principal": "*"}],
        [statement, {**statement, "Effect": "Deny", "Principal": role, "Action": "kms:Decrypt"}],
    )
    for number, changed in enumerate(policies):
        plan = with_values(KEY, policy=JsonText({"Version": "2012-10-17", "Statement": changed}))
        yield Mutant(f"{KEY}: policy {number}", plan)


def trust_mutants() -> Iterator[tuple[str, Mutant]]:
    """Yield a role, and a trust policy of it that loses ECS or the action."""
    (statement,) = statements_of(reference(), TRUST, "assume_role_policy")
    policies: tuple[list[Statement], ...] = (
        [],
        [{**statement, "Effect": "Deny"}],
        [statement, {**statement, "Effect": "Deny"}],
        [{**statement, "Principal": {"Service": "ec2.amazonaws.com"}}],
        [{**statement, "Principal": {"AWS": "ecs-tasks.amazonaws.com"}}],
        [{**statement, "Action": "sts:AssumeRoleWithWebIdentity"}],
        [{**statement, "Condition": {"StringEquals": {"aws:SourceAccount": "999999999999"}}}],
    )
    for number, changed in enumerate(policies):
        text = JsonText({"Version": "2012-10-17", "Statement": changed})
        for role in ("execution", "task"):
            plan = with_values(f"module.iam.aws_iam_role.{role}", assume_role_policy=text)
            yield role, Mutant(f"trust of {role}: policy {number}", plan)


def golden(_work: Path) -> Iterator[tuple[str, Callable[[], list[Finding]]]]:
    """Yield each edit, for tools/golden.py."""
    for mutant in (*mutants(), *key_mutants(), *(mutant for _, mutant in trust_mutants())):
        yield mutant.name, partial(judged, mutant.plan)


def test_every_edit_of_the_key_policy_is_found() -> None:
    """A key policy that no longer leaves the decision to IAM, or denies, makes every decryption red."""
    for mutant in key_mutants():
        found = judged(mutant.plan)
        red = [finding.subject.rpartition(": ")[2] for finding in found if finding.verdict is not Verdict.PROVEN]
        assert red == ["kms:Decrypt"] * 3, mutant.name


def test_every_edit_of_a_trust_policy_is_found() -> None:
    """A trust policy that loses ECS, or the action, makes the check red for that role."""
    for role, mutant in trust_mutants():
        red = [finding.subject for finding in judged(mutant.plan) if finding.verdict is Verdict.VIOLATED]
        assert red == [f"{role} role: {ASSUME} by ecs-tasks.amazonaws.com"], mutant.name
