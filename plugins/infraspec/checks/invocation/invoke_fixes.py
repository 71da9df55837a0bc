"""What lets a caller in, ready to apply: a permission of a function, or a statement of a policy."""

from __future__ import annotations

import re

from msgspec import Struct

from infraspec.checks.common.resources_by_arn import DOCUMENT_TYPE, ArnIndex
from infraspec.checks.common.statement_hcl import expression_in, principal_change
from infraspec.checks.invocation.functions import Callee
from infraspec.checks.invocation.wirings import TargetKind, Wiring
from infraspec.core.finding import SourceChange
from infraspec.core.unknown import Value, render
from infraspec.iam.policy.partial_arn import arn_fields
from infraspec.terraform.plan import Resource


class AccessFix(Struct, frozen=True):
    """The change as text to paste, and as `infraspec fix` applies it."""

    text: str
    changes: tuple[SourceChange, ...] = ()


class _Block(Struct):
    """Text inside of a module, with what has to be passed there."""

    module: str
    comments: list[str]
    references: list[tuple[str, str]]

    def __call__(self, value: Value) -> str:
        written, comments, references = expression_in(self.module, value)
        self.comments += comments
        self.references += references
        return written

    def beside(self, resource: Resource, text: str, intro: str = "") -> AccessFix:
        """Return a block that goes beside a resource; one of several instances is a text alone."""
        told = "\n".join(filter(None, (intro, *dict.fromkeys(self.comments), text)))
        if resource.key is not None or self.comments:
            return AccessFix(told)
        return AccessFix(
            told, (SourceChange("beside", resource.address, text=text, references=tuple(self.references)),)
        )


_INVOKE = "lambda:InvokeFunction"


def permission_fix(  # noqa: PLR0917 - what a permission has
    owners: ArnIndex,
    wiring: Wiring,
    function: Resource | None,
    callee: Callee | None,
    arn: Value,
    source: Value,
    action: str = _INVOKE,
) -> AccessFix:
    """Return the aws_lambda_permission that lets a caller invoke a function."""
    block, service = _Block(wiring.caller.module, [], []), wiring.row.services[0]
    named = function.reference("function_name") if function else callee.name if callee else arn
    lines = [
        ("action", f'"{action}"'),
        ("function_name", block(named)),
        *([("qualifier", block(callee.qualifier))] if callee and callee.qualifier else []),
        ("principal", f'"{service}"'),
    ]
    if service == "*":
        lines.append(("invoked_via_function_url", "true"))
    elif source:
        lines.append(("source_arn", block(source)))
        account = owners.attributes.account_of(wiring.caller)
        if wiring.row.account == "sent" and not arn_fields(owners.attributes.narrow(source)).get("account"):
            lines.append(("source_account", block(account)))
    return block.beside(wiring.caller, _resource("aws_lambda_permission", _label(service, wiring.caller), lines))


def layer_fix(arn: Value, account: str) -> AccessFix:
    """Return the aws_lambda_layer_version_permission that lets another account use a version of a layer."""
    layer, _, version = render(arn).rpartition(":")
    lines = [
        ("statement_id", '"use"'),
        ("action", '"lambda:GetLayerVersion"'),
        ("layer_name", f'"{layer}"'),
        ("version_number", version if version.isdigit() else f'"{version}"'),
        ("principal", f'"{account}"'),
    ]
    return AccessFix(_resource("aws_lambda_layer_version_permission", "use", lines))


def _label(service: str, caller: Resource) -> str:
    word = "url" if service == "*" else service.partition(".")[0].replace("-", "_")
    return re.sub(r"\W", "_", f"{word}_{caller.name}")


def policy_fix(  # noqa: PLR0917 - what a statement has
    owners: ArnIndex, wiring: Wiring, kind: TargetKind, owner: Resource | None, arn: Value, source: Value
) -> AccessFix:
    """Return the statement that lets a caller in: for the policy that there is, or in a policy of its own."""
    service = wiring.row.services[0]
    held = owners.policy_source(arn) if owner is not None else None
    into = (owners.document_of(held) or held) if held else None
    block = _Block((into or owner or wiring.caller).module, [], [])
    on = block(owners.attributes.join(arn, f"{kind.below}*") if kind.below else arn)
    condition = block(source) if source and wiring.row.arn == "sent" else ""
    as_block = into is not None and into.type == DOCUMENT_TYPE
    statement = _statement(kind.actions, service, on, condition, as_block=as_block)
    if into is not None:
        path, references = "" if as_block else "policy", tuple(block.references)
        change = SourceChange("statement", into.address, path, statement, references=references)
        told = "\n".join([f"add to {_placed(into)} the statement", *dict.fromkeys(block.comments), statement])
        return AccessFix(told, () if block.comments else (change,))
    if owner is None:
        return AccessFix(statement)
    if not kind.policy:
        label = _label(service, wiring.caller)
        named = [("policy_name", f'"{label}"'), ("policy_document", _document(statement))]
        return AccessFix(_resource("aws_cloudwatch_log_resource_policy", label, named))
    type_, argument, attribute = kind.policy
    text = _resource(
        type_, owner.name, [(argument, block(owner.reference(attribute))), ("policy", _document(statement))]
    )
    return block.beside(owner, text)


def _placed(resource: Resource) -> str:
    return f"{resource.address} ({resource.location})" if resource.location else resource.address


def _resource(type_: str, label: str, arguments: list[tuple[str, str]]) -> str:
    width = max(len(name) for name, _ in arguments)
    lines = "\n".join(f"  {name:{width}} = {value}" for name, value in arguments)
    return f'resource "{type_}" "{label}" {{\n{lines}\n}}'


def _document(statement: str) -> str:
    indented = statement.replace("\n", "\n    ")
    return f'jsonencode({{\n    Version   = "2012-10-17"\n    Statement = [{indented}]\n  }})'


_AS_BLOCK = """statement {
  actions   = [%s]
  resources = [%s]
  principals {
    type        = "Service"
    identifiers = ["%s"]
  }%s
}"""
_AS_JSON = """{
  Effect    = "Allow"
  Action    = %s
  Resource  = %s
  Principal = { Service = "%s" }%s
}"""
_CONDITION_AS_BLOCK = """
  condition {
    test     = "ArnLike"
    variable = "aws:SourceArn"
    values   = [%s]
  }"""
_CONDITION_AS_JSON = '\n  Condition = { ArnLike = { "aws:SourceArn" = %s } }'


def _statement(actions: tuple[str, ...], service: str, on: str, source: str, *, as_block: bool) -> str:
    """Return a statement, in the words of a policy document's block or of JSON, that lets a service in for a source."""
    quoted = ", ".join(f'"{action}"' for action in actions)
    form, condition = (_AS_BLOCK, _CONDITION_AS_BLOCK) if as_block else (_AS_JSON, _CONDITION_AS_JSON)
    listed = quoted if as_block or len(actions) == 1 else f"[{quoted}]"
    return form % (listed, on, service, condition % source if source else "")


def key_fix(owners: ArnIndex, key: Resource, service: str, actions: tuple[str, ...]) -> AccessFix:
    """Return the statement of a key's policy that lets a service use it."""
    arn = owners.attributes.narrow(key.reference("arn"))
    held = owners.policy_source(arn)
    into = (owners.document_of(held) or held) if held is not None and held.stated("policy") else None
    as_block = into is not None and into.type == DOCUMENT_TYPE
    quoted = _statement(actions, service, '"*"', "", as_block=as_block)
    if into is None:
        return AccessFix(f"give {key.address} a policy that keeps the account's access and has the statement\n{quoted}")
    change = principal_change(actions, "Service", service, into, "policy", "*")
    return AccessFix(f"add to {_placed(into)} the statement\n{quoted}", (change,))
