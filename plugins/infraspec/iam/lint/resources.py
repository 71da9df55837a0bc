"""Resources that none of a statement's actions can be asked about.

Sources: Service Authorization Reference ("Resource types"); IAM User Guide, "IAM JSON policy elements: Resource";
Secrets Manager User Guide, "Permissions policy examples"; CloudWatch Logs User Guide, on the ARN of a log group; AWS
General Reference, "Amazon Resource Names".
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from difflib import get_close_matches
from functools import cache, lru_cache

from msgspec import Struct

from infraspec.core.truth import Truth
from infraspec.core.unknown import Reference, Text, Unknown, Value, concatenate, parts_of, render
from infraspec.iam.lint.actions import expand, names_one
from infraspec.iam.lint.faults import PolicyFault, Resolve
from infraspec.iam.lint.reference import Action, ReferenceResourceType
from infraspec.iam.lint.refusals import malformed_resources
from infraspec.iam.policy.document import Statement
from infraspec.iam.policy.matching import match
from infraspec.iam.policy.partial_arn import PartialArn, is_open, policy_variable, shown
from infraspec.iam.policy.pattern import Pattern
from infraspec.resource_types import Policy, PolicyKind

_VARIABLE = re.compile(r"\$\{([^}]*)\}")
_SAME = {"codestar-connections": "codeconnections"}
"""Services that were renamed: the ARN of the one is that of the other."""
_HEADER = 5
_NO_HEADER = "arn:::::"
"""What stands for the first five fields where the last one is compared alone."""


class ArnEntry(Struct, frozen=True):
    """A resource that a policy lists: `value` as it is written, `text` with its parts narrowed.

    Policy variables in it are unknown parts too.
    """

    value: Value
    text: Value

    @classmethod
    def of(cls, value: Value, resolve: Resolve) -> ArnEntry:
        """Read a resource; `resolve` narrows its unknown parts."""
        narrowed = resolve(value)
        parts = parts_of(narrowed)
        if not any(isinstance(part, str) and "${" in part for part in parts):
            return cls(value, narrowed)
        return cls(value, concatenate(piece for part in parts for piece in _with_variables(part)))

    @property
    def service(self) -> str:
        """The service that it names for certain, or nothing."""
        split = _split(self.text)
        return _service(split[0]) if split else ""

    @property
    def may_be_all(self) -> bool:
        """Whether it is, or may be, everything: `*`, `arn:aws:s3:::*`."""
        parts = parts_of(self.text)
        if any(is_open(part) for part in parts):
            return True
        return not render(self.text).split(":", _HEADER)[-1].strip("*")

    def may_be(self, kind: ReferenceResourceType) -> bool:
        """Tell whether it matches some ARN of a type for some value of its unknown parts."""
        split = _split(self.text)
        if split is None:
            return match(_pattern(self.text), kind.subject) is not Truth.NO
        header, tail = split
        service = _service(header)
        if service and kind.service and service != renamed(kind.service):
            return False
        if kind.service == "s3" and _is_regional(header) not in (None, "${Region}" in kind.arn):
            return False
        if (kind.service, kind.name) == ("s3", "bucket") and any("/" in part for part in _known(tail)):
            return False  # a bucket's name has no slash
        pattern = _pattern(concatenate([_NO_HEADER, tail]))
        if match(pattern, _tail_subject(kind)) is not Truth.NO:
            return True
        crossing = header.endswith("*:") and not next(_known(tail), "").startswith(_type_in(kind))
        return crossing and any(match(pattern, rest) is not Truth.NO for rest in _after_type(kind))

    def __str__(self) -> str:
        return shown(self.value)


def renamed(service: str) -> str:
    """Return the name that a service has now."""
    return _SAME.get(service, service)


def _with_variables(part: str | Unknown) -> list[str | Unknown]:
    if not isinstance(part, str):
        return [part]
    pieces = _VARIABLE.split(part)
    return [policy_variable(piece) if position % 2 else piece for position, piece in enumerate(pieces)]


def _split(value: Value) -> tuple[str, Value] | None:
    """Split an ARN after its fifth colon; None if an unknown part may hold it.

    Fields hold no colon themselves; an unknown part of the first five is written `$`.
    """
    parts = parts_of(value)
    if not isinstance(parts[0], str) or not parts[0].startswith("arn:"):
        return None
    colons = 0
    for position, part in enumerate(parts):
        if not isinstance(part, str):
            continue
        fields = part.split(":", _HEADER - colons)
        colons += len(fields) - 1
        if colons == _HEADER:
            header = "".join("$" if isinstance(piece, Unknown) else piece for piece in parts[:position])
            return header + ":".join(fields[:-1]) + ":", concatenate([fields[-1], *parts[position + 1 :]])
    return None


def _service(header: str) -> str:
    """Return the service that the first fields of an ARN name for certain, or nothing."""
    service = header.split(":")[2].lower()
    return "" if set("*?$") & set(service) else renamed(service)


def _is_regional(header: str) -> bool | None:
    """Tell whether an ARN names a region; None if its region is a wildcard or not known."""
    region = header.split(":")[3]
    return None if set("*?$") & set(region) else bool(region)


@lru_cache(maxsize=512)
def _pattern(text: Value) -> Pattern:
    return Pattern.arn(text)


def _type_in(kind: ReferenceResourceType) -> str:
    """Return how the last field of a type's ARNs begins; where a policy writes that, it means that field."""
    return _tail_subject(kind).prefix.removeprefix(_NO_HEADER) or "an ARN without a type"


@cache
def _after_type(kind: ReferenceResourceType) -> tuple[PartialArn, ...]:
    """Return what follows each colon of the last field: a wildcard for the account may stand for all before.

    `…:*:db-*` is then a pattern of `…:111122223333:secret:db-x`. AWS does not document it, and its own policies count
    on it.
    """
    split = _split(kind.subject.value)
    rests = []
    while split is not None and (split := _split(concatenate(["arn::::", split[1]]))) is not None:
        rests.append(PartialArn.of(concatenate([_NO_HEADER, split[1]])))
    return tuple(rests)


@cache
def _tail_subject(kind: ReferenceResourceType) -> PartialArn:
    split = _split(kind.subject.value)
    return PartialArn.of(concatenate([_NO_HEADER, split[1]])) if split else kind.subject


def _known(value: Value) -> Iterator[str]:
    parts = parts_of(value)
    return (part for part in parts if isinstance(part, str))


_FEW = 3
_SUFFIX = re.compile(r"-(\?{6}|[A-Za-z0-9]{6})$")
_ONLY_ON_ALL = re.compile(
    r"ecr(-public)?:getauthorizationtoken|s3:listallmybuckets"
    r"|ec2:describe(instances|images|vpcs|subnets|securitygroups|volumes|snapshots|keypairs|regions)",
    re.IGNORECASE,
)
"""Actions that are certainly asked about no resource; of others the reference says so, and some are all the same."""
_THOROUGH = re.compile(r"(logs|s3|secretsmanager|kms|sqs|sns|dynamodb|ecr|iam|sts):|ssm:\w*parameter", re.IGNORECASE)
"""Actions of whose resources the reference says all; of others it is known to leave some out."""


def resource_faults(statement: Statement, use: Policy, resolve: Resolve) -> Iterator[PolicyFault]:
    """Yield the faults of a statement's resources; unknown parts of them may be anything."""
    if statement.resources is None or use.kind is PolicyKind.TRUST:
        return
    entries = [ArnEntry.of(resource, resolve) for resource in statement.resources]
    if not entries or any(entry.text == "*" for entry in entries) or any(malformed_resources(statement, use, resolve)):
        return
    mismatches = [*_never_more(statement, entries), *_without_resource(statement, entries)]
    yield from mismatches
    if not mismatches:
        yield from _of_other_services(statement, entries)
        yield from _without_suffix(statement, entries)


def _without_resource(statement: Statement, entries: Sequence[ArnEntry]) -> Iterator[PolicyFault]:
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


def _mismatch(
    statement: Statement, entries: Sequence[ArnEntry], named: list[str], actions: tuple[Action, ...]
) -> PolicyFault:
    kinds = sorted(
        (kind for action in actions for kind in action.types), key=lambda kind: kind.name.startswith("accesspoint")
    )
    types = list(dict.fromkeys(kind.arn for kind in kinds))
    listed = ", ".join(named[:_FEW])
    certain = all(map(_THOROUGH.match if types else _ONLY_ON_ALL.fullmatch, named))
    return PolicyFault.say(
        "no-such-resource" if types else "only-on-all",
        statement,
        "Resource",
        about=listed,
        certain=certain and not _is_shared(statement, entries, named),
        types=" or ".join(types[:_FEW]),
        entries=", ".join(str(entry) for entry in entries[:_FEW]) or "no resource",
        verb="allows" if statement.effect == "Allow" else "denies",
        remedy=_remedy(entries, types) if types else "",
    )


def _is_shared(statement: Statement, entries: Sequence[ArnEntry], named: Sequence[str]) -> bool:
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


def _may_be_on(action: Action, entry: ArnEntry) -> bool:
    if not action.types:
        return entry.may_be_all
    return any(entry.may_be(kind) for kind in action.types)


def _is_secret(unknown: Unknown) -> bool:
    found = Reference.of(unknown)
    return found is not None and found.type == "aws_secretsmanager_secret" and found.attribute in ("arn", "id")


def _never_more(statement: Statement, entries: Sequence[ArnEntry]) -> Iterator[PolicyFault]:
    """Yield `"${aws_secretsmanager_secret.db.arn}-*"`: the attribute is the whole ARN, with its suffix."""
    for index, entry in enumerate(entries):
        parts = entry.value.parts if isinstance(entry.value, Text) else ()
        if len(parts) != 2 or not isinstance(parts[0], Unknown) or not _is_secret(parts[0]):  # noqa: PLR2004
            continue
        if str(parts[1]).strip("*"):
            part, arn = f"Resource.{index}", parts[0].address
            yield PolicyFault.say("more-than-the-arn", statement, part, about=str(entry), arn=arn)


def _of_other_services(statement: Statement, entries: Sequence[ArnEntry]) -> Iterator[PolicyFault]:
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
            yield PolicyFault.say(
                "of-another-service",
                statement,
                f"Resource.{index}",
                about=str(entry),
                certain=bool(get_close_matches(service, services, cutoff=0.8)),
                services=" or ".join(sorted(services)),
                actions=", ".join(map(str, named[:_FEW])),
                service=service,
            )


def _without_suffix(statement: Statement, entries: Sequence[ArnEntry]) -> Iterator[PolicyFault]:
    """Yield ARNs of secrets without the six characters; only a request by a partial ARN would match them."""
    for index, entry in enumerate(entries):
        text = entry.text
        name = text.partition(":secret:")[2] if isinstance(text, str) and entry.service == "secretsmanager" else ""
        if name and not name.endswith("*") and not _SUFFIX.search(name):
            part = f"Resource.{index}"
            yield PolicyFault.say("secret-without-suffix", statement, part, about=str(entry), text=text)


def _remedy(entries: Sequence[ArnEntry], types: Sequence[str]) -> str:
    shown, quoted, service = str(entries[0]), render(entries[0].value), entries[0].service
    if any(":log-stream:" in arn for arn in types) and service == "logs" and ":destination:" not in shown:
        return f'log streams come after a colon: use "{quoted}:*"'
    if any(arn.endswith("${BucketName}/${ObjectName}") for arn in types) and service == "s3":
        return f'objects come after a slash: use "{quoted}/*"'
    if any(arn.endswith(":::${BucketName}") for arn in types) and "/" in shown:
        return f'name the bucket itself, without what is in it: "{quoted.partition("/")[0]}"'
    return f"name a resource of the form {types[0]}, or move the action to a separate statement"
