"""Rule `inventory`: what belongs to the environment in AWS is in its source.

What AWS or a deployment makes by itself is left out: tasks, revisions of task definitions, network interfaces,
automatic snapshots. Source: Service Authorization Reference, the resource types of each service.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct

from infraspec.arn import Arn
from infraspec.checks.comparison import same
from infraspec.checks.whereabouts import Whereabouts
from infraspec.contract.inventory import Inventory
from infraspec.contract.waivers import matches
from infraspec.core.rules import INVENTORY as RULE
from infraspec.finding import Finding
from infraspec.iam.answer import Answer
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan, Resource
from infraspec.unknown import Text

_MADE_BY_AWS = frozenset(
    {
        ("ec2", "network-interface"),
        ("ecs", "container-instance"),
        ("ecs", "service-deployment"),
        ("ecs", "service-revision"),
        ("ecs", "task"),
        ("ecs", "task-definition"),
        ("rds", "auto-backup"),
        ("rds", "cluster-snapshot"),
        ("rds", "snapshot"),
    }
)


class Stray(Struct, frozen=True):
    """A resource that belongs to an environment by what `why` says, and is at no address of its source.

    It is not `certain` if the source may make it all the same: under an id that AWS assigned, or in a module that is
    not here. `import_id` is what Terraform imports it by, where that is not the end of its ARN.
    """

    arn: str
    type: str
    why: str
    certain: bool
    import_id: str = ""


def check_inventory(plan: Plan, strays: Sequence[Stray], settings: Inventory, *, has_state: bool) -> list[Finding]:
    """Judge each resource that the source does not make; what it does make is one proven finding.

    With `has_state` the plan holds the ids that AWS assigned, so that what is not in it is certainly not managed.
    """
    owned = Owned(plan)
    left = [one for one in strays if _kind(one.arn) not in _MADE_BY_AWS and not owned.has(one.arn)]
    allowed = [one for one in left if any(matches(pattern, one.arn) for pattern in settings.allow)]
    reason = f"{len(plan.managed())} resources of the source, {len(allowed)} more that the contract allows"
    return [
        RULE.about(plan.origin).proven(reason),
        *(_unmanaged(one, has_state=has_state) for one in left if one not in allowed),
    ]


class Owned:
    """The ARNs and ids of a source, so far as they are known."""

    def __init__(self, plan: Plan) -> None:
        self._attributes = AwsAttributes(plan)
        arns = [self._attributes.narrow(one.reference("arn")) for one in plan.managed()]
        self._arns = {arn for arn in arns if isinstance(arn, str)}
        self._ids: dict[str, list[Resource]] = {}
        for one in plan.managed():
            if isinstance(identifier := one.get("id"), str):
                self._ids.setdefault(identifier, []).append(one)
        self._shapes = [shape for shape in arns if isinstance(shape, Text) and _is_telling(shape)]

    def has(self, arn: str) -> bool:
        """Tell whether an ARN is one of the source, or has the shape of one that is known but for what AWS appends.

        An id is that of what is in the account and region of the ARN: a name may be had in each.
        """
        ends = {arn, arn.removesuffix(":*"), arn.rpartition("/")[2], arn.rpartition(":")[2]}
        if ends & self._arns or any(same(shape, arn) is not Answer.NO for shape in self._shapes):
            return True
        there = Whereabouts(self._attributes, *_place(arn))
        return any(there.has(one) is not Answer.NO for end in ends for one in self._ids.get(end, ()))


def _is_telling(shape: Text) -> bool:
    """Tell whether a shape has the name in it: that of a key, `key/${…}`, fits every key."""
    text = "".join(part for part in shape.parts if isinstance(part, str))
    return any(re.split("[:/]", text.split(":", 5)[-1], maxsplit=1)[1:])


def _place(arn: str) -> tuple[str | None, str | None]:
    """Return the account and the region of an ARN, None where it has none."""
    if not Arn.is_arn(arn):
        return None, None
    parsed = Arn.parse(arn)
    return parsed.account or None, parsed.region or None


def _kind(arn: str) -> tuple[str, str]:
    try:
        parsed = Arn.parse(arn)
    except ValueError:
        return "", ""
    return parsed.service, parsed.resource.replace(":", "/").partition("/")[0]


def _unmanaged(stray: Stray, *, has_state: bool) -> Finding:
    certain, subject = stray.certain or has_state, RULE.about(stray.arn)
    if not certain:
        return subject.undetermined(
            expected="a resource whose id the source or its state knows",
            found=f"belongs to the environment by {stray.why}; the source may make it",
            reason="the source does not know ids before apply, nor what modules make that are not here",
            remedy=_remedy(stray, certain=certain),
        )
    shown = f"{stray.type} " if stray.type else ""
    return subject.violated(
        expected="a resource of the source",
        found=f"{shown}that belongs to the environment by {stray.why}, and that the source does not make",
        reason="nobody reviews it, and no plan shows it",
        remedy=_remedy(stray, certain=certain),
    )


def _remedy(stray: Stray, *, certain: bool) -> str:
    allow = f'[inventory]\nallow = ["{stray.arn}"]'
    if not certain:
        return f"name the state of the environment in the contract: state = …\nor allow it there:\n{allow}"
    name = stray.import_id or stray.arn.replace("/", ":").rpartition(":")[2]
    block = f'import {{\n  to = {stray.type or "TYPE"}.NAME\n  id = "{name}"\n}}'
    return f"delete it, or take it over:\n{block}\nor, if somebody else makes it, in the contract:\n{allow}"
