"""Resources that none of a statement's actions can be asked about.

Sources: Service Authorization Reference ("Resource types"); IAM User Guide, "IAM JSON policy elements: Resource";
Secrets Manager User Guide, "Permissions policy examples"; CloudWatch Logs User Guide, on the ARN of a log group.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches

from infraspec.iam.document import Statement
from infraspec.iam.lint.actions import expand, names_one
from infraspec.iam.lint.arns import Entry, renamed
from infraspec.iam.lint.fault import Fault, Resolve
from infraspec.iam.reference import Action
from infraspec.resource_types import Policy, PolicyKind
from infraspec.unknown import Reference, Text, Unknown, Value, render

_FEW = 3
_ARNS_ALONE = frozenset(PolicyKind) - {PolicyKind.TRUST, PolicyKind.RESOURCE, PolicyKind.ENDPOINT}
"""The kinds of policies whose resources are ARNs: those of services may name them otherwise."""
_SUFFIX = re.compile(r"-(\?{6}|[A-Za-z0-9]{6})$")
_ARN = re.compile(r"arn:|\*|\?|\$\{")
_ONLY_ON_ALL = re.compile(
    r"ecr(-public)?:getauthorizationtoken|s3:listallmybuckets"
    r"|ec2:describe(instances|images|vpcs|subnets|securitygroups|volumes|snapshots|keypairs|regions)",
    re.IGNORECASE,
)
"""Actions that are certainly asked about no resource; of others the reference says so, and some are all the same."""
_THOROUGH = re.compile(r"(logs|s3|secretsmanager|kms|sqs|sns|dynamodb|ecr|iam|sts):|ssm:\w*parameter", re.IGNORECASE)
"""Actions of whose resources the reference says all; of others it is known to leave some out."""


def resource_faults(statement: Statement, use: Policy, resolve: Resolve) -> Iterator[Fault]:
    """Yield the faults of a statement's resources; unknown parts of them may be anything."""
    if statement.resources is None or use.kind is PolicyKind.TRUST:
        return
    entries = [Entry.of(resource, resolve) for resource in statement.resources]
    malformed = list(_malformed(statement, entries, use))
    yield from malformed
    if malformed or not entries or any(entry.text == "*" for entry in entries):
        return
    mismatches = [*_never_more(statement, entries), *_without_resource(statement, entries)]
    yield from mismatches
    if not mismatches:
        yield from _of_other_services(statement, entries)
        yield from _without_suffix(statement, entries)


def _malformed(statement: Statement, entries: Sequence[Entry], use: Policy) -> Iterator[Fault]:
    if use.kind not in _ARNS_ALONE:
        return
    for index, entry in enumerate(entries):
        text = entry.text
        if isinstance(text, str) and not _ARN.match(text):
            yield Fault.of(
                "malformed-resource",
                statement,
                f"Resource.{index}",
                about=text,
                expected='an ARN or "*"',
                found=text or '""',
                reason="IAM refuses a resource that is neither an ARN nor *",
                remedy="write the ARN: arn:PARTITION:SERVICE:REGION:ACCOUNT:RESOURCE",
            )


def _without_resource(statement: Statement, entries: Sequence[Entry]) -> Iterator[Fault]:
    """Yield the actions that none of the resources is one of, those that take the same types together."""
    groups: dict[tuple[str, ...], tuple[list[str], tuple[Action, ...]]] = {}
    for name in statement.actions or ():
        actions = expand(name) if isinstance(name, str) else ()
        if not actions or any(_may_be_on(action, entry) for action in actions for entry in entries):
            continue
        shapes = tuple(dict.fromkeys(kind.arn for action in actions for kind in action.types))
        groups.setdefault(shapes if names_one(str(name)) else (), ([], actions))[0].append(str(name))
    for named, actions in groups.values():
        yield _mismatch(statement, entries, named, actions)


def _mismatch(statement: Statement, entries: Sequence[Entry], named: list[str], actions: tuple[Action, ...]) -> Fault:
    kinds = sorted(
        (kind for action in actions for kind in action.types), key=lambda kind: kind.name.startswith("accesspoint")
    )
    types = list(dict.fromkeys(kind.arn for kind in kinds))
    verb = "allows" if statement.effect == "Allow" else "denies"
    listed = ", ".join(named[:_FEW])
    if types:
        expected = f"{listed} on " + " or ".join(types[:_FEW])
        reason = f"none of the resources is one: the statement {verb} nothing by {listed}"
        remedy = _remedy(entries, types)
    else:
        expected = f'{listed} on "*"'
        reason = f"AWS documents {listed} for all resources only: the statement {verb} nothing by it"
        remedy = f'give {listed} a statement of its own with the resource "*"'
    certain = all(map(_THOROUGH.match if types else _ONLY_ON_ALL.fullmatch, named))
    certain = certain and not _is_shared(statement, entries, named)
    return Fault.of(
        "resource-mismatch",
        statement,
        "Resource",
        about=listed,
        expected=expected,
        found=", ".join(str(entry) for entry in entries[:_FEW]) or "no resource",
        reason=reason,
        remedy=remedy,
        certain=certain,
    )


def _is_shared(statement: Statement, entries: Sequence[Entry], named: Sequence[str]) -> bool:
    """Tell whether every resource is one of another service for which the statement has other actions.

    `[sns:Publish, sqs:SendMessage]` on a target of either kind is not said in vain.
    """
    services = {name.lower().partition(":")[0] for name in named}
    others = [name for name in statement.actions or () if isinstance(name, str) and name not in named]
    return all(
        entry.service
        and entry.service not in services
        and any(_may_be_on(action, entry) for name in others for action in expand(name))
        for entry in entries
    )


def _may_be_on(action: Action, entry: Entry) -> bool:
    if not action.types:
        return entry.may_be_all
    return any(entry.may_be(kind) for kind in action.types)


def _is_secret(unknown: Unknown) -> bool:
    found = Reference.of(unknown)
    return found is not None and found.type == "aws_secretsmanager_secret" and found.attribute in ("arn", "id")


def _never_more(statement: Statement, entries: Sequence[Entry]) -> Iterator[Fault]:
    """Yield `"${aws_secretsmanager_secret.db.arn}-*"`: the attribute is the whole ARN, with its suffix."""
    for index, entry in enumerate(entries):
        parts = entry.value.parts if isinstance(entry.value, Text) else ()
        if len(parts) != 2 or not isinstance(parts[0], Unknown) or not _is_secret(parts[0]):  # noqa: PLR2004
            continue
        if str(parts[1]).strip("*"):
            yield Fault.of(
                "resource-mismatch",
                statement,
                f"Resource.{index}",
                about=str(entry),
                expected=parts[0].address,
                found=str(entry),
                reason=f"{parts[0].address} is the whole ARN, its six-character suffix included: nothing matches more",
                remedy=f"use {parts[0].address}",
            )


def _of_other_services(statement: Statement, entries: Sequence[Entry]) -> Iterator[Fault]:
    """Yield the resources of services that none of the actions is about."""
    named = statement.actions or ()
    actions = [expand(name) if isinstance(name, str) else () for name in named]
    if not actions or not all(actions):
        return
    services = {renamed(kind.service) for group in actions for action in group for kind in action.types}
    if not services or "" in services:
        return
    for index, entry in enumerate(entries):
        service = entry.service
        if service and service not in services:
            listed = ", ".join(map(str, named[:_FEW]))
            yield Fault.of(
                "resource-mismatch",
                statement,
                f"Resource.{index}",
                about=str(entry),
                expected=f"a resource of {' or '.join(sorted(services))}",
                found=str(entry),
                reason=f"none of the statement's actions ({listed}) is about resources of {service}",
                remedy="take it out, or add the actions that are meant for it",
                certain=bool(get_close_matches(service, services, cutoff=0.8)),
            )


def _without_suffix(statement: Statement, entries: Sequence[Entry]) -> Iterator[Fault]:
    """Yield ARNs of secrets without the six characters; only a request by a partial ARN would match them."""
    for index, entry in enumerate(entries):
        text = entry.text
        name = text.partition(":secret:")[2] if isinstance(text, str) and entry.service == "secretsmanager" else ""
        if name and not name.endswith("*") and not _SUFFIX.search(name):
            yield Fault.of(
                "secret-without-suffix",
                statement,
                f"Resource.{index}",
                about=str(entry),
                expected=f"{text}-??????",
                found=render(text),
                reason="the ARN of a secret ends with a hyphen and six characters, which this lacks: it does not match",
                remedy=f'use "{text}-??????", or the arn attribute of the secret',
            )


def _remedy(entries: Sequence[Entry], types: Sequence[str]) -> str:
    shown, service = str(entries[0]), entries[0].service
    if any(":log-stream:" in arn for arn in types) and service == "logs" and ":destination:" not in shown:
        return f'log streams come after a colon: use "{_quoted(entries[0].value)}:*"'
    if any(arn.endswith("${BucketName}/${ObjectName}") for arn in types) and service == "s3":
        return f'objects come after a slash: use "{_quoted(entries[0].value)}/*"'
    if any(arn.endswith(":::${BucketName}") for arn in types) and "/" in shown:
        return f'name the bucket itself, without what is in it: "{_quoted(entries[0].value).partition("/")[0]}"'
    return f"name a resource of the form {types[0]}, or move the action to a statement of its own"


def _quoted(value: Value) -> str:
    """Write a resource as it stands in a quoted template of HCL."""
    return render(value)
