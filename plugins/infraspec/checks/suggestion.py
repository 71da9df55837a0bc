"""The statement to add to a role's policy, as HCL ready to paste, written with python-hcl2."""

from __future__ import annotations

import json
import re
import textwrap
from functools import lru_cache
from typing import Any

from msgspec import Struct, field

from infraspec.character import Character
from infraspec.checks.passing import reference_from
from infraspec.terraform.plan import Resource
from infraspec.unknown import Text, Unknown, Value

_ADDRESS = re.compile(
    r"^(?:module\.[\w-]+(?:\[[^\]]*\])?\.)*(?:data\.|var\.|local\.)?[a-z][\w-]*\.[\w-]+(?:\[[^\]]*\])?"
)
_BEFORE_CAPITALS = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")
_ANYWHERE = ("aws_caller_identity.", "aws_region.")


class _Writer(Struct):
    """Writes values as HCL expressions, seen from one module; collects what it cannot refer to from there."""

    module: str
    comments: list[str] = field(default_factory=list)

    def expression(self, value: Value) -> str:
        """Return a value as python-hcl2 takes it: a quoted template, or `${reference}`."""
        parts = value.parts if isinstance(value, Text) else (value,)
        if len(parts) == 1 and isinstance(parts[0], Unknown) and not isinstance(parts[0], Character):
            reference = self._reference(parts[0])
            return f"${{{reference}}}" if reference else '"*"'
        return f'"{"".join(map(self._piece, parts))}"'

    def _piece(self, part: str | Unknown) -> str:
        if isinstance(part, str):
            escaped = part.replace("\\", "\\\\").replace('"', '\\"')
            return escaped.replace("${", "$${").replace("%{", "%%{")
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
        return expression


def statement_to_add(action: str | tuple[str, ...], resource: Value, *, module: str, as_block: bool) -> str:
    """Return the least statement that allows an action, or several, on a resource.

    `module` is the address of the module instance the policy is in. With `as_block` it is a `statement` block for
    data aws_iam_policy_document, else an object for a policy written with jsonencode.
    """
    writer = _Writer(module)
    expression = writer.expression(resource)
    actions = (action,) if isinstance(action, str) else action
    lines = [*dict.fromkeys(writer.comments), _written(actions, expression, as_block)]
    return "\n".join(lines)


def policy_to_add(action: str | tuple[str, ...], resource: Value, role: Resource) -> str:
    """Return an inline policy for a role of the plan with the least statement that allows an action, or several."""
    actions = (action,) if isinstance(action, str) else action
    lines = statement_to_add(actions, resource, module=role.module, as_block=False).splitlines()
    comments = [line for line in lines if line.startswith("#")]
    statement = textwrap.indent("\n".join(lines[len(comments) :]), " " * 6)
    service, _, name = actions[0].replace("-", "_").partition(":")
    named = service if actions[1:] else f"{service}_{_BEFORE_CAPITALS.sub('_', name).lower()}"
    key = "" if role.key is None else f"[{json.dumps(role.key)}]"
    return "\n".join(
        [
            *comments,
            f'resource "aws_iam_role_policy" "{role.name}_{named}" {{',
            f'  name   = "{named}"',
            f"  role   = aws_iam_role.{role.name}{key}.id",
            "  policy = jsonencode({",
            '    Version   = "2012-10-17"',
            "    Statement = [",
            statement,
            "    ]",
            "  })",
            "}",
        ]
    )


def principal_to_add(
    action: str, kind: str, principal: Value, *, module: str, as_block: bool, resource: str = ""
) -> str:
    """Return the statement of a trust or resource policy that lets a principal do an action.

    `kind` is `Service` or `AWS`; `resource` is `*` in the policy of a resource, and is left out in a trust policy.
    """
    writer = _Writer(module)
    named, quoted = writer.expression(principal), f'"{action}"'
    if as_block:
        principals: dict[str, Any] = {"type": f'"{kind}"', "identifiers": [named], "__is_block__": True}
        resources = {"resources": [f'"{resource}"']} if resource else {}
        block = {"actions": [quoted], **resources, "principals": [principals], "__is_block__": True}
        text = _dumped({"statement": [block]})
    else:
        of = {"Resource": f'"{resource}"'} if resource else {}
        statement = {"Effect": '"Allow"', "Action": quoted, "Principal": {kind: named}, **of}
        text = _dumped({"statement": statement}).removeprefix("statement = ")
    return "\n".join([*dict.fromkeys(writer.comments), text])


def json_statement(action: str, resource: Value) -> dict[str, Value]:
    """Return the least statement as JSON: a character that AWS chooses is `?`, another unknown part `*`."""
    parts = resource.parts if isinstance(resource, Text) else (resource,)
    text = "".join(part if isinstance(part, str) else "?" if isinstance(part, Character) else "*" for part in parts)
    return {"Effect": "Allow", "Action": [action], "Resource": [text]}


def _dumped(body: dict[str, Any]) -> str:
    import hcl2  # noqa: PLC0415 - only a violation pays for it

    return str(hcl2.dumps(body)).strip()


@lru_cache(maxsize=512)
def _written(actions: tuple[str, ...], resource: str, as_block: bool) -> str:  # noqa: FBT001 - a cache takes no keywords
    quoted = [f'"{action}"' for action in actions]
    if as_block:
        block: dict[str, Any] = {"actions": quoted, "resources": [resource], "__is_block__": True}
        return _dumped({"statement": [block]})
    statement = {"Effect": '"Allow"', "Action": quoted, "Resource": [resource]}
    return _dumped({"statement": statement}).removeprefix("statement = ")
