"""What a task definition needs: one action on one resource, of one of its roles, and what that is needed for."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Any

from msgspec import Struct, field

from infraspec.core.finding import Location
from infraspec.core.unknown import AtRunTime, Unknown, Value, characters
from infraspec.ecs.access_table import Access
from infraspec.iam.policy.partial_arn import arn_fields
from infraspec.terraform.aws_attributes import SUFFIX_LENGTH, AwsAttributes
from infraspec.terraform.plan import Resource

PLACEHOLDER = re.compile(r"\{([^{}]+)\}")
"""A part of the template of an ARN."""


class Need(Struct, frozen=True):
    """What needs access: an owner (`container "app"`), a purpose, its place, and what is written there.

    `path` is the place in the task definition; `location` is set where the need is written elsewhere, as in a service.
    """

    owner: str
    purpose: str
    path: str
    named: Value
    location: Location | None = None

    def __str__(self) -> str:
        return f"{self.owner}, {self.purpose}" if self.purpose else self.owner


class AccessDoubt(Struct, frozen=True):
    """Why it is not certain that something is needed, what is not known, and how to know it (if that is special)."""

    reason: str
    unknown: Unknown | None = None
    remedy: str = ""

    @classmethod
    def of(cls, unknown: Unknown | None) -> AccessDoubt | None:
        """Return the doubt whether something is needed that an unknown decides."""
        return (
            cls(f"whether this is needed cannot be decided: {unknown.address} is unknown", unknown) if unknown else None
        )

    @classmethod
    def in_row(cls, row: Access) -> AccessDoubt | None:
        """Return the doubt that a row of the table has itself."""
        return None if row.certain else cls(f"it is {row.note}")


class Requirement(Struct, frozen=True):
    """One action on one resource that a role needs. `access` is the row that says so, with role and source.

    `resource` is narrowed. With a `doubt` a denial is no violation, and with `undecidable` an allow is no proof either.
    `alternative` is a second form of the resource's ARN that AWS may ask for instead, since its documents differ.
    `via` is the secret or parameter that a KMS key is used for, `keys` holds the condition keys of this request besides
    those of every one; None says that a key is absent. One that is `anonymous` is made by nobody, without a role.
    """

    need: Need
    access: Access
    action: str
    resource: Value
    doubt: AccessDoubt | None = None
    undecidable: bool = False
    alternative: Value = None
    via: Value = None
    keys: Mapping[str, Value] = field(default_factory=dict)
    anonymous: bool = False


class Key(Struct, frozen=True):
    """The customer managed KMS key that something is encrypted with; with a `doubt` it may as well be AWS's own."""

    arn: Value
    doubt: AccessDoubt | None = None


class AccessContext(Struct, frozen=True):
    """Where the task runs, and how to learn more of an unknown.

    `key_of` returns the KMS key of a value of a service, `secretsmanager` or `ssm`, by its ARN and what the task
    definition names it by (None: none to ask for),
    `secret_named` the ARN of a secret of that name, `secret_read` that of one which a data source reads, `is_cached`
    tells whether a repository's images come through a pull-through cache rule, `exists` whether a resource of that ARN
    is in the plan, `find` returns it, `has_policy` tells whether one has, or may have, a policy of its own.
    `on_fargate` says that the task runs there and nowhere else.
    """

    attributes: AwsAttributes
    account: Value
    region: Value
    key_of: Callable[[str, Value, Value], Key | None] = lambda _service, _target, _named: None
    secret_named: Callable[[str], Value] = lambda _name: None
    is_cached: Callable[[Value], bool] = lambda _repository: False
    exists: Callable[[Value], bool] = lambda _arn: True
    on_fargate: bool = False
    secret_read: Callable[[str], Value] = lambda _name: None
    has_policy: Callable[[Value], bool] = lambda _arn: False
    find: Callable[[Value], Resource | None] = lambda _arn: None

    @classmethod
    def of(cls, attributes: AwsAttributes, resource: Resource | None, **known: Any) -> AccessContext:
        """Return where the task of a task definition runs; one that is no resource is of the account of the plan."""
        if resource is None:
            return cls(attributes, attributes.plan.account, attributes.plan.region, **known)
        return cls(attributes, attributes.account_of(resource), attributes.region_of(resource), **known)

    def narrow(self, value: Value) -> Value:
        """Narrow the unknown parts of a value."""
        return self.attributes.narrow(value)

    def arn(self, service: str, *parts: Value, region: Value = None, account: Value = None) -> Value:
        """Join an ARN in the task's region and account, or in those given."""
        where = (self.region if region is None else region, ":", self.account if account is None else account)
        return self.attributes.join("arn:", self.attributes.plan.partition, f":{service}:", *where, ":", *parts)

    def fill(self, template: str, found: Callable[[str], Value]) -> Value:
        """Fill the parts in braces of an ARN: by what is `found` of each, or by the place of the task."""
        place = {"partition": self.attributes.plan.partition, "region": self.region, "account": self.account}
        pieces: list[Value] = PLACEHOLDER.split(template)
        for index, word in enumerate(map(str, pieces[1::2])):
            value = found(word) or place.get(word.removeprefix("aws_"))
            pieces[2 * index + 1] = self.narrow(value or Unknown(f"the {word}", AtRunTime(f"the {word}")))
        return self.attributes.join(*pieces)

    def some(self, service: str, unknown: Unknown) -> Value:
        """Return the ARN of something of a service of which nothing else is known."""
        return self.attributes.join("arn:", self.attributes.plan.partition, f":{service}:", unknown)

    def secret(self, name: str) -> Value:
        """Return the ARN of the secret of a name where the task runs, its suffix unknown."""
        suffix = characters(f"the secret {name}", SUFFIX_LENGTH)
        own = self.arn("secretsmanager", "secret:", name, "-", suffix)
        known = (self.narrow(found) for found in (self.secret_named(name), self.secret_read(name)) if found is not None)
        return next((arn for arn in known if arn_fields(arn) == arn_fields(own)), own)
