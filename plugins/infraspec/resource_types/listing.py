"""How an account lists the resources of a type, and what Terraform calls that which AWS says of each."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any

from msgspec import Struct, field

_BOUNDARY = re.compile(r"(?<=[a-z0-9])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z])")


def snake(name: str) -> str:
    """Write a name of an API as Terraform and boto3 do: `cloudWatchLogGroupName`, `cloud_watch_log_group_name`."""
    return _BOUNDARY.sub("_", name).lower()


class Blocks(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """Nested blocks: an object, or each of a list, at a path of an answer.

    Without `attributes` they have all that AWS says, under the names that Terraform makes of the API's.
    """

    path: str
    attributes: Attributes | None = None


Attributes = Mapping[str, str | Blocks]
"""Attribute → where an answer has it: a dotted path, with `0` for the first of a list, `*` for each, and `-1` for
the part of an ARN after its last colon; before `?` an empty text is none."""


def names(text: str, /) -> dict[str, str]:
    """Return attribute → the API's name, of a text with a word for each: `arn=ListenerArn`, or the API's name alone.

    Terraform calls most as the API does, in its own form: `KmsKeyId` is `kms_key_id`.
    """
    pairs = (word.rpartition("=") for word in text.split())
    return {name or snake(api): api for name, _, api in pairs}


def at(answer: Any, path: str) -> Any:
    """Return what an answer has at a path, None if it has nothing there."""
    step, _, rest = path.partition(".")
    if not step:
        return answer
    if step == "*":
        return [at(one, rest) for one in answer or ()]
    if isinstance(answer, Mapping):
        return at(answer.get(step), rest)
    if step == "-1" and isinstance(answer, str):
        return answer.rpartition(":")[2]
    is_there = step == "0" and isinstance(answer, list | tuple) and answer
    return at(answer[0], rest) if is_there else None


Choice = Mapping[str, tuple[str | None, ...]]
"""Path of an entry → the values that are meant, None for nothing."""


class ApiCall(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An operation that reads, by the API's name, and the path of its answer that has what was asked for.

    `arguments` are parameters that are attributes of the resource that it is asked of, `parameters` those that are
    always the same, `absent` the codes of errors that say that there is none. Where it
    `is_paged`, what it tells is a list; where it `is_paired`, what it tells is pairs of Key and Value, whose dotted
    keys become objects. An attribute before `?` may be left out; a parameter before `[]` is a list of one.
    """

    operation: str
    key: str = ""
    arguments: Mapping[str, str] = field(default_factory=dict)
    parameters: Mapping[str, Any] = field(default_factory=dict)
    absent: tuple[str, ...] = ()
    is_paged: bool = False
    is_paired: bool = False


class Batch(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """An operation that is asked for as many as `size` at once, named by one of its parameters."""

    operation: str
    key: str
    argument: str
    size: int
    parameters: Mapping[str, Any] = field(default_factory=dict)


class Listing(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """How an account lists the resources of a type. What is peculiar is read by a function of `live.resources`.

    `call` lists them: all of the account, or with `of` those of each resource of another type. Where it
    `is_policy`, the policy of each is asked for, and where it `is_setting`, something else of which each has one or
    none; where it `is_named`, each resource of the source by what the source says of it, and no other. Of those whose
    ids alone are listed, `describe` says the rest. `only` and `unless` choose by what an entry says. All of the account
    are looked at where the type `is_shared`, and otherwise those that belong to the environment.

    `tags` is where an entry has its tags, `tags_call` or `tags_batch` what is asked for them; without one of these the
    Resource Groups Tagging API says them, which also says whose those are that are asked for by `tags_call`. `details`
    are asked of each that belongs, and join its entry, each under its key. `owned` are attributes of the resource that
    it is `of`, under the names that they have here, and `defaults` what there is where AWS says nothing.

    `observed` is what AWS says of how the resource does, under names that Terraform does not have.

    `arn` and `address` are text with attributes in braces, as `assigned` of the type; `{owner}` is the ARN of what it
    is of. `also` are the operations that functions of `live.resources` ask beside these.
    """

    service: str
    call: ApiCall | None = None
    attributes: Attributes = field(default_factory=dict)
    of: str = ""
    is_policy: bool = False
    is_setting: bool = False
    is_named: bool = False
    describe: Batch | None = None
    only: Choice = field(default_factory=dict)
    unless: Choice = field(default_factory=dict)
    is_shared: bool = False
    has_tags: bool = True
    tags: str = ""
    tags_call: ApiCall | None = None
    tags_batch: Batch | None = None
    details: tuple[ApiCall, ...] = ()
    owned: Mapping[str, str] = field(default_factory=dict)
    defaults: Mapping[str, Any] = field(default_factory=dict)
    observed: Attributes = field(default_factory=dict)
    arn: str = ""
    address: str = "{arn}"
    also: tuple[str, ...] = ()

    def operations(self) -> Iterator[str]:
        """Yield the operations that are asked, by the API's names."""
        asked = (self.call, self.describe, *self.details, self.tags_call, self.tags_batch)
        yield from (one.operation for one in asked if one is not None)
        yield from self.also
