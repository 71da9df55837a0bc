"""Actions that do not exist, and actions that mean nothing where they stand.

Sources: Service Authorization Reference; IAM User Guide, "IAM JSON policy elements: Action"; Amazon S3 User Guide,
"Required permissions for Amazon S3 API operations"; Amazon DynamoDB Developer Guide, "Using IAM with DynamoDB
transactions" and "Using IAM security policies with PartiQL for DynamoDB"; AWS KMS API Reference, "ReEncrypt".
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from difflib import SequenceMatcher, get_close_matches
from functools import cache

from msgspec import Struct

from infraspec.iam.lint import reference
from infraspec.iam.lint.faults import PolicyFault
from infraspec.iam.lint.reference import Action
from infraspec.iam.policy.document import Statement
from infraspec.iam.policy.pattern import matcher
from infraspec.resource_types import Policy, PolicyKind

PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    f"{service}:{operation.lower()}": tuple(f"{service}:{action}" for action in actions)
    for service, operations in reference.KNOWN.operations.items()
    for operation, actions in operations.items()
}
"""The actions that a policy has to allow, by `service:operation` in lower case."""


_FEW = 3
_TRUST = ("sts:AssumeRole", "sts:AssumeRoleWithSAML", "sts:AssumeRoleWithWebIdentity")
_TRUST_ACTIONS = frozenset(
    {*(name.lower() for name in _TRUST), "sts:tagsession", "sts:setsourceidentity", "sts:setcontext"}
)


def action_faults(statement: Statement, use: Policy) -> Iterator[PolicyFault]:
    """Yield the faults of a statement's actions, each with what may have been meant."""
    listed = statement.actions if statement.actions is not None else statement.not_actions or ()
    element = "Action" if statement.actions is not None else "NotAction"
    for index, entry in enumerate(listed):
        if not isinstance(entry, str) or entry == "*":
            continue
        fault = _unknown(statement, f"{element}.{index}", entry)
        if fault is None and element == "Action":
            fault = foreign_action(statement, f"{element}.{index}", entry, use)
        if fault is not None:
            yield fault


@cache
def expand(entry: str) -> tuple[Action, ...]:
    """Return the actions that an entry of a policy stands for; none for `*` and for what is not known."""
    prefix, _, name = entry.lower().partition(":")
    service = reference.service(prefix)
    if service is None:
        return ()
    if not _wild(name):
        return (service.action(name),) if name in service.names else ()
    matches = matcher(name)
    return tuple(service.action(known) for known in service.names if matches(known))


def names_one(entry: str) -> bool:
    """Tell whether an entry names one action, without wildcards."""
    return not _wild(entry)


class Mistake(Struct, frozen=True):
    """What is wrong with the name of an action, what was expected, and what may have been meant.

    It is `certain` where there is one of nearly that name, or of that name elsewhere: the reference lacks some, and a
    pattern may come to match. `is_operation` says that it is the name of an
    operation, which is allowed by the actions `meant`.
    """

    reason: str
    expected: str
    meant: tuple[str, ...] = ()
    certain: bool = True
    is_operation: bool = False

    @property
    def remedy(self) -> str:
        """The question that fixes it."""
        if self.is_operation:
            return f"the operation is allowed by {', '.join(self.meant)}: use that"
        return (
            f"did you mean {' or '.join(self.meant)}?" if self.meant else "take it out, or look it up in the reference"
        )


def mistake(entry: str) -> Mistake | None:
    """Return what is wrong with an action, or a pattern of actions; None if AWS has it, or may have it."""
    prefix, colon, name = entry.partition(":")
    if not colon:
        meant = tuple(_elsewhere(entry.lower())[:_FEW])
        return Mistake("an action is SERVICE:NAME", "a service and an action", meant)
    if _wild(prefix) or reference.is_retired(prefix.lower()):
        return None
    service = reference.service(prefix.lower())
    if service is None:
        near = [f"{other}:{name}" for other in _near(prefix.lower(), reference.prefixes())]
        meant = tuple((near or _elsewhere(name.lower()))[:_FEW])
        return Mistake(f'AWS has no service "{prefix}"', "a service's prefix", meant, bool(meant))
    if name.lower() in service.names or service.has_unlisted(name):
        return None
    if _wild(name):
        if any(map(matcher(name.lower()), service.names)):
            return None
        return Mistake(f"no action of {prefix} matches {name}", f"a pattern of actions of {prefix}", certain=False)
    reason, expected = f"{prefix} has no action {name}", f"an action of {prefix}"
    if needed := PERMISSIONS.get(entry.lower()):
        return Mistake(reason, expected, needed, is_operation=True)
    near = _near(name.lower(), service.names)
    elsewhere = [] if near else _elsewhere(name.lower())
    meant = tuple([*(f"{prefix}:{service.names[other]}" for other in near), *elsewhere][:_FEW])
    return Mistake(reason, expected, meant, bool(near or elsewhere))


def _unknown(statement: Statement, part: str, entry: str) -> PolicyFault | None:
    found = mistake(entry)
    if found is None:
        return None
    return PolicyFault.say(
        "unknown-action",
        statement,
        part,
        about=entry,
        certain=found.certain,
        wanted=found.expected,
        reference=reference.version(),
        wrong=found.reason,
        verb="is allowed" if statement.effect == "Allow" else "is denied",
        meant=found.remedy,
    )


def foreign_action(statement: Statement, part: str, entry: str, use: Policy) -> PolicyFault | None:
    """Return that an action means nothing in a kind of policy. A trust policy with another service is refused."""
    prefix = entry.lower().partition(":")[0]
    if use.kind is PolicyKind.TRUST:
        if _wild(entry) or entry.lower() in _TRUST_ACTIONS:
            return None
        refused, trust = prefix != "sts", ", ".join(_TRUST)
        remedy = "move the statement to a policy of the role" if refused else f"use one of {trust}"
        return PolicyFault.say(
            "foreign-in-trust", statement, part, about=entry, refused=refused, actions=trust, remedy=remedy
        )
    if use.kind is not PolicyKind.RESOURCE or not use.services or _wild(prefix) or prefix in use.services.split():
        return None
    return PolicyFault.say("foreign-on-resource", statement, part, about=entry, service=use.services.split()[0])


def _near(name: str, known: Iterable[str]) -> list[str]:
    """Return the closest of the known names, and those that are about as close."""
    near = get_close_matches(name, list(known), n=_FEW, cutoff=0.75)
    ratios = {other: SequenceMatcher(a=other, b=name).ratio() for other in near}
    return [other for other in near if ratios[other] > ratios[near[0]] - 0.05]


def _elsewhere(name: str) -> list[str]:
    """Return the actions of that name in all services."""
    services = (reference.service(prefix) for prefix in reference.prefixes())
    return [f"{one.prefix}:{one.names[name]}" for one in services if one is not None and name in one.names]


def _wild(text: str) -> bool:
    return "*" in text or "?" in text
