"""The statement to add to a role's policy, as HCL ready to paste, written with python-hcl2.

A module sees the outputs of the modules that it calls, and its own variables. So an attribute goes up through outputs
to the module that both are in, and down through variables. Source: Terraform, "Output values" and "Input variables".

Sources: AWS Secrets Manager User Guide, "Access AWS Secrets Manager secrets from a different account"; AWS Key
Management Service Developer Guide, "Allowing users in other accounts to use a KMS key"; Amazon ECR User Guide, "Private
repository policies in Amazon ECR", whose statements have no Resource.
"""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Sequence
from functools import lru_cache
from typing import Any

from msgspec import Struct, field

from infraspec.checks.common.resources_by_arn import DOCUMENT_TYPE, ArnIndex
from infraspec.checks.common.roles import Role
from infraspec.core.finding import SourceChange
from infraspec.core.unknown import Character, PolicyElsewhere, Unknown, Value, concatenate, parts_of, render
from infraspec.core.visible_text import hcl_string
from infraspec.ecs.requirement import Requirement
from infraspec.iam.evaluation.decision import Decision
from infraspec.iam.policy.partial_arn import shown
from infraspec.terraform.plan import Resource

_STEP = re.compile(r"module\.[\w-]+(?:\[[^\]]*\])?\.?")
_KEY = re.compile(r"\[[^\]]*\]")


def reference_from(module: str, address: str) -> tuple[str, tuple[str, ...]]:
    """Return the expression for an attribute (`module.db.aws_db_instance.this.arn`) inside a module, "" for the root.

    With it come the lines that pass it there, each as a comment that names the module it belongs into: none within
    one module.
    """
    here, there = module_steps(module), module_steps(address)
    local = address.removeprefix("".join(f"{step}." for step in there))
    differing = (depth for depth, (own, other) in enumerate(zip(here, there, strict=False)) if own != other)
    shared = next(differing, min(len(here), len(there)))
    name, value, lines = passed_as(local), local, []
    for depth in range(len(there), shared, -1):
        lines.append(f'# {_place(there[:depth])}: output "{name}" {{ value = {value} }}')
        value = f"{there[depth - 1]}.{name}"
    for depth in range(shared, len(here)):
        called = _KEY.sub("", here[depth]).removeprefix("module.")
        lines.append(f'# {_place(here[:depth])}, in module "{called}": {name} = {value}')
        lines.append(f'# {_place(here[: depth + 1])}: variable "{name}" {{ type = string }}')
        value = f"var.{name}"
    return value, tuple(lines)


def module_steps(address: str) -> list[str]:
    """Return the module calls that an address begins with, from the root on."""
    steps, position = [], 0
    while found := _STEP.match(address, position):
        steps.append(found[0].removesuffix("."))
        position = found.end()
    return steps


def passed_as(local: str) -> str:
    """Name what is passed by the resource's name and the attribute, by its type if the name says nothing."""
    local = local.removeprefix("var.")
    named = re.sub(r"^(?:data\.)?aws_(\w+)\.(?:this|main|default)\b", r"\1", local)
    if named == local:
        named = re.sub(r"^.*?([\w-]+(?:\[[^\]]*\])?\.\w+)$", r"\1", local)
    return re.sub(r"\W+", "_", named).strip("_")


def _place(steps: list[str]) -> str:
    return _KEY.sub("", ".".join(steps)) or "the root module"


_SUFFIX = 7


def policy_to_extend(role: Role, decision: Decision, owners: ArnIndex) -> Resource | None:
    """Return what holds the text of the policy that the statement belongs into: its policy document, or itself.

    The policy is that of the closest statement, or else the first of the role; one that IAM does not attach to the role
    holds nothing that would help.
    """
    closest = [decision.nearest.hit.policy] if decision.nearest else []
    attached = [policy for policy in (*closest, *role.policies) if not policy.absent]
    found = (owners.plan.by_address.get(policy.name) for policy in attached)
    policy = next((resource for resource in found if resource is not None and resource.mode == "managed"), None)
    return policy and (owners.document_of(policy) or policy)


def grantable(action: str, resource: Value, named: Value, owners: ArnIndex) -> Value:
    """Return a resource as a policy should name it: by its attribute, or by its ARN with an open suffix.

    `resource` is narrowed, `named` is what was written for it.
    """
    if resource == "*":
        return "*"
    owner = owners.find(resource)
    if owner is not None and not (owner.mode == "data" and owner.type != "aws_secretsmanager_secret"):
        arn = owner.reference("arn")
        ending = {"aws_cloudwatch_log_group": ":*", "aws_s3_bucket": _key_of(resource)}.get(owner.type, "")
        return concatenate([arn, ending]) if ending else arn
    if type(named) is Unknown and action == "secretsmanager:GetSecretValue":
        return named
    if isinstance(resource, str) and ":secret:" in resource and resource[-_SUFFIX] == "-":
        return f"{resource[: 1 - _SUFFIX]}??????"
    kept: list[str | Unknown] = []
    for part in parts_of(resource):
        if isinstance(part, str) and ":log-stream:" in part:
            return concatenate([*kept, part.partition(":log-stream:")[0], ":*"])
        kept.append(part)
    return resource


def _key_of(resource: Value) -> str:
    _, slash, key = render(resource).partition("/")
    return f"/{'*' if '${' in render(resource) else key}" if slash else ""


_ADDRESS = re.compile(
    r"^(?:module\.[\w-]+(?:\[[^\]]*\])?\.)*(?:data\.|var\.|local\.)?[a-z][\w-]*\.[\w-]+(?:\[[^\]]*\])?"
)
_BEFORE_CAPITALS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ANYWHERE = ("aws_caller_identity.", "aws_region.")


class _Writer(Struct):
    """Writes values as HCL expressions, seen from one module; collects what it cannot refer to from there."""

    module: str
    comments: list[str] = field(default_factory=list)
    references: list[tuple[str, str]] = field(default_factory=list)

    def expression(self, value: Value) -> str:
        """Return a value as python-hcl2 takes it: a quoted template, or `${reference}`."""
        parts = parts_of(value)
        if len(parts) == 1 and isinstance(parts[0], Unknown) and not isinstance(parts[0], Character):
            reference = self._reference(parts[0])
            return f"${{{reference}}}" if reference else '"*"'
        return f'"{"".join(map(self._piece, parts))}"'

    def _piece(self, part: str | Unknown) -> str:
        if isinstance(part, str):
            return hcl_string(part)[1:-1]
        if isinstance(part, Character):
            return "?"
        reference = self._reference(part)
        return f"${{{reference}}}" if reference else "*"

    def _reference(self, unknown: Unknown) -> str:
        """Name an unknown from inside the module."""
        address = unknown.address
        if address.startswith(_ANYWHERE) or not _ADDRESS.match(address) or " " in address:
            return ""
        expression, lines = reference_from(self.module, address)
        self.comments.extend(lines)
        self.references.append((address, expression))
        return expression


def expression_in(module: str, value: Value) -> tuple[str, tuple[str, ...], tuple[tuple[str, str], ...]]:
    """Return a value as an expression inside a module, the lines that pass it there, and the attributes it names."""
    writer = _Writer(module)
    written = writer.expression(value)
    expression = written if written.startswith('"') else written[2:-1]
    return expression, tuple(dict.fromkeys(writer.comments)), tuple(writer.references)


def change_of(actions: tuple[str, ...], resource: Value, into: Resource, path: str = "") -> SourceChange:
    """Return what adds the least statement that allows actions on a resource to a policy, or to a role without one."""
    named, _, references = expression_in(into.module, resource)
    return SourceChange("statement", into.address, path, actions=actions, resources=(named,), references=references)


def statement_to_add(actions: tuple[str, ...], resource: Value, *, module: str, as_block: bool) -> str:
    """Return the least statement that allows actions on a resource.

    `module` is the address of the module instance the policy is in. With `as_block` it is a `statement` block for
    data aws_iam_policy_document, else an object for a policy written with jsonencode.
    """
    writer = _Writer(module)
    statement = _written(actions, (writer.expression(resource),), as_block)
    return "\n".join([*dict.fromkeys(writer.comments), statement])


def policy_to_add(actions: tuple[str, ...], resource: Value, role: Resource) -> str:
    """Return an inline policy for a role of the plan with the least statement that allows actions."""
    lines = statement_to_add(actions, resource, module=role.module, as_block=False).splitlines()
    comments = [line for line in lines if line.startswith("#")]
    statement = "\n".join(lines[len(comments) :])
    named = policy_name(actions)
    key = "" if role.key is None else f"[{hcl_string(role.key) if isinstance(role.key, str) else role.key}]"
    policy = inline_policy(f"{role.name}_{named}", named, f"aws_iam_role.{role.name}{key}.id", [statement])
    return "\n".join([*comments, policy])


def policy_name(actions: Sequence[str]) -> str:
    """Name a policy after the action that it allows, or the service of several."""
    services = {action.partition(":")[0].replace("-", "_") for action in actions}
    if len(services) > 1:
        return "access"
    name = actions[0].partition(":")[2]
    return services.pop() if actions[1:] else f"{services.pop()}_{_BEFORE_CAPITALS.sub('_', name).lower()}"


def inline_policy(label: str, name: str, role: str, statements: Iterable[str], each: str = "") -> str:
    """Return the policy of a role, which an expression names, with statements that are objects."""
    listed = ",\n".join(textwrap.indent(statement, " " * 6) for statement in statements)
    return f"""resource "aws_iam_role_policy" "{label}" {{
{each}  name   = "{name}"
  role   = {role}
  policy = jsonencode({{
    Version   = "2012-10-17"
    Statement = [
{listed}
    ]
  }})
}}"""


def principal_to_add(
    action: str, kind: str, principal: Value, *, module: str, as_block: bool, resource: str = ""
) -> str:
    """Return the statement of a trust or resource policy that lets a principal do an action.

    `kind` is `Service` or `AWS`; `resource` is `*` in the policy of a resource, and is left out in a trust policy.
    """
    return _principal_to_add(_Writer(module), (action,), kind, principal, as_block=as_block, resource=resource)


def principal_change(  # noqa: PLR0917 - what a statement has
    actions: tuple[str, ...], kind: str, principal: Value, into: Resource, path: str, resource: Value = ""
) -> SourceChange:
    """Return what adds such a statement to a policy: `path` is the attribute that has it if `into` is no document."""
    writer, as_block = _Writer(into.module), into.type == DOCUMENT_TYPE
    text = _principal_to_add(writer, actions, kind, principal, as_block=as_block, resource=resource)
    statement, own = "\n".join(line for line in text.splitlines() if line[:1] != "#"), "" if as_block else path
    return SourceChange("statement", into.address, own, statement, references=tuple(writer.references))


def _principal_to_add(
    writer: _Writer, actions: tuple[str, ...], kind: str, principal: Value, *, as_block: bool, resource: Value
) -> str:
    named, on = writer.expression(principal), writer.expression(resource)
    quoted = [f'"{action}"' for action in actions]
    if as_block:
        principals = {"type": f'"{kind}"', "identifiers": [named], "__is_block__": True}
        resources = {"resources": [on]} if resource else {}
        statement: dict[str, Any] = {"actions": quoted, **resources, "principals": [principals]}
    else:
        of = {"Resource": on} if resource else {}
        statement = {
            "Effect": '"Allow"',
            "Action": quoted[0] if len(quoted) == 1 else quoted,
            "Principal": {kind: named},
            **of,
        }
    return "\n".join([*dict.fromkeys(writer.comments), _dumped(statement, as_block)])


def json_statement(action: str, resource: Value) -> dict[str, Value]:
    """Return the least statement as JSON: a character that AWS chooses is `?`, another unknown part `*`."""
    parts = parts_of(resource)
    text = "".join(part if isinstance(part, str) else "?" if isinstance(part, Character) else "*" for part in parts)
    return {"Effect": "Allow", "Action": [action], "Resource": [text]}


_LIST = re.compile(r"\[\n((?:[^\n]*[^\[{\n]\n)+?)\s*\]")
_WIDEST = 80
_MEMBER = re.compile(r"^( *(?:\w+ += .*|\])),$", re.MULTILINE)
"""A member of an object that stands on lines of its own, which takes no comma."""


def statement_of(actions: Sequence[str], resources: Sequence[str], *, as_block: bool) -> str:
    """Return the statement that allows actions on resources, which are HCL expressions."""
    named = tuple(one if one.startswith('"') else f"${{{one}}}" for one in resources)
    written = _written(tuple(actions), named, as_block)
    return _MEMBER.sub(r"\1", _LIST.sub(_on_one_line, written))


def _on_one_line(found: re.Match[str]) -> str:
    joined = " ".join(line.strip() for line in found[1].splitlines()).removesuffix(",")
    return f"[{joined}]" if len(joined) <= _WIDEST else found[0]


def _dumped(statement: dict[str, Any], as_block: bool) -> str:  # noqa: FBT001 - as of its callers
    import hcl2  # noqa: PLC0415 - only a violation pays for it

    body = [{**statement, "__is_block__": True}] if as_block else statement
    return str(hcl2.dumps({"statement": body})).strip().removeprefix("statement = ")


@lru_cache(maxsize=512)
def _written(actions: tuple[str, ...], resources: tuple[str, ...], as_block: bool) -> str:  # noqa: FBT001 - a cache takes no keywords
    quoted = [f'"{action}"' for action in actions]
    if as_block:
        return _dumped({"actions": quoted, "resources": [*resources]}, as_block)
    return _dumped({"Effect": '"Allow"', "Action": quoted, "Resource": [*resources]}, as_block)


def policy_remedy(requirement: Requirement, role: Role, owners: ArnIndex) -> tuple[str, tuple[SourceChange, ...]]:
    """Return the statement to add to the policy of a resource, which does not let the role in, and the change."""
    source = owners.policy_source(requirement.resource)
    target = (owners.document_of(source) or source) if source else None
    statement = principal_to_add(
        requirement.action,
        "AWS",
        role.arn,
        module=target.module if target else "",
        as_block=target is not None and target.type == DOCUMENT_TYPE,
        resource=_resource(requirement),
    )
    named = shown(requirement.need.named) or render(requirement.resource)
    where = f"{target.address} ({target.location})" if target else f"the policy of {named}"
    changes: tuple[SourceChange, ...] = ()
    if target is not None and source is not None and not isinstance(role.arn, str):
        on = _resource(requirement)
        changes = (principal_change((requirement.action,), "AWS", role.arn, target, "policy", on),)
    return f"add to {where} the statement\n{statement}", changes


def policy_elsewhere_remedy(cause: PolicyElsewhere, requirement: Requirement, role: Role, owners: ArnIndex) -> str:
    """Return what the policy of a resource that is not in the plan has to say.

    It names the role by its ARN: whoever keeps that policy has no reference to the role.
    """
    if requirement.action.startswith("ssm:"):
        return "share the parameter with the role's account in AWS Resource Access Manager, and waive the finding"
    statement = principal_to_add(
        requirement.action,
        "AWS",
        owners.attributes.narrow(role.arn),
        module="",
        as_block=False,
        resource=_resource(requirement),
    )
    policy = f"the policy of {cause.owner}"
    return f"see to it that {policy} has this statement, then waive the finding, or bring it into the plan\n{statement}"


def _resource(requirement: Requirement) -> str:
    """Return the Resource of a statement in the resource's own policy: S3 wants the ARN, ECR takes none."""
    service = requirement.action.partition(":")[0]
    if service == "s3" and isinstance(requirement.resource, str):
        return requirement.resource
    return "" if service == "ecr" else "*"
