"""The roles that resources name for AWS to act with, and what the rows of a table say that each needs.

The ARN in a `target` and the values of `keys` are filled with what stands in the blocks around the role. `{a|b}` is the
first of two that stands there, `{path>attribute}` that attribute of the resource that a value names, and `{path@kind}`
the ARN of what a value names by less: the name of a function, the URL of a queue.

Sources: Amazon States Language; AWS Lambda API Reference, "Invoke" (FunctionName); Amazon SQS Developer Guide, "Queue
and message identifiers".
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cached_property

from msgspec import Struct, field
from msgspec.structs import replace

from infraspec.core.finding import Location
from infraspec.core.json_text import decode_json
from infraspec.core.rule import Placed
from infraspec.core.unknown import AtRunTime, Text, Unknown, Value, computed_from, render
from infraspec.ecs.access_table import NAMED_ROLES, Access, RoleRows
from infraspec.ecs.references import EcrImage, ecr_image
from infraspec.ecs.required_access import value_access
from infraspec.ecs.requirement import PLACEHOLDER, AccessContext, AccessDoubt, Need, Requirement
from infraspec.ecs.service_access import PlanServices
from infraspec.terraform.aws_attributes import AwsAttributes, parameter_path
from infraspec.terraform.plan import Resource
from infraspec.terraform.provider.schema import is_computed
from infraspec.workloads.state_machine import sdk_action, states


class NamedValue(Struct, frozen=True):
    """What stands at a path through nested blocks; `blocks` are those around it, the innermost first.

    What `hides` it is an unknown block on the way there.
    """

    value: Value
    path: str
    blocks: tuple[Mapping[str, Value], ...]
    hides: bool = False


def values_at(blocks: tuple[Mapping[str, Value], ...], path: str, place: str = "") -> Iterator[NamedValue]:
    """Yield what stands at a path (`volume_configuration.managed_ebs_volume.role_arn`) inside the innermost block.

    `*` stands for every name of a block. JSON text on the way is read; text that is none is as good as unknown.
    """
    name, _, rest = path.partition(".")
    if name == "*":
        for key in blocks[0]:
            yield from values_at(blocks, f"{key}.{rest}" if rest else key, place)
        return
    value, place = blocks[0].get(name), f"{place}{name}"
    if rest and isinstance(value, str | Text):
        value = _json(value)
    if not rest or isinstance(value, Unknown):
        yield NamedValue(value, place, blocks, hides=bool(rest))
        return
    if isinstance(value, Mapping):
        yield from values_at((value, *blocks), rest, f"{place}.")
        return
    for index, entry in enumerate(value if isinstance(value, list | tuple) else ()):
        if isinstance(entry, Mapping):
            yield from values_at((entry, *blocks), rest, f"{place}.{index}.")
        elif isinstance(entry, Unknown):
            yield NamedValue(entry, f"{place}.{index}", blocks, hides=True)


def _json(value: str | Text) -> Value:
    try:
        return decode_json(value)
    except ValueError:
        return Unknown("text that is not JSON", computed_from(value))


class NamedRole(Struct, frozen=True):
    """A role that something names for AWS to act with, at a place; None where it has to name one and does not.

    `access` is the row of its trust policy.
    """

    owner: Placed
    access: Access
    value: Value
    place: Location | None
    named: NamedValue | None = None
    doubt: AccessDoubt | None = None
    needs: tuple[Access, ...] = ()
    covers: Mapping[str, str] = field(default_factory=dict)


def _is_left_to_aws(resource: Resource, named: NamedValue) -> bool:
    """Tell whether AWS chooses a role itself, as an attribute that it computes says, or asks for none: it is off."""
    shown, off = render(named.value), any(block.get("enabled") in (False, "false") for block in named.blocks)
    by_itself = "." not in named.path and is_computed(resource.type, named.path) is True
    return off or "/aws-service-role/" in shown or (by_itself and shown.startswith(f"${{{resource.address}."))


_COLONS = 6
"""How many colons the ARN of a task definition has that names a revision; without one it is the newest that runs."""
_MADE = re.compile(r"\$\{the [^}]*\}")
_KINDS = {
    "function": ("lambda", "function:"),
    "bus": ("events", "event-bus/"),
    "table": ("dynamodb", "table/"),
    "task-definition": ("ecs", "task-definition/"),
    "job": ("glue", "job/"),
    "job-definition": ("batch", "job-definition/"),
    "job-queue": ("batch", "job-queue/"),
    "file-system": ("elasticfilesystem", "file-system/"),
    "project": ("codebuild", "project/"),
    "cluster": ("ecs", "cluster/"),
}
"""What may be named by less than its ARN: its service, and how the resource part of its ARN begins."""
_QUEUE_URL = re.compile(r"https://[^/]*/(?P<account>[^/]+)/(?P<name>[^/]+)")
_QUALIFIED = re.compile(r"(arn:[^:]*:lambda:[^:]*:[^:]*:function:[^:]+):[^:]+")
_ALIAS = "aws_lambda_alias"
_KEYS = frozenset({"kms_master_key_id", "kms_key_id", "kms_key_arn", "kms_key_identifier"})
"""Attributes that name a KMS key by its id, ARN or alias."""
_SDK = ":::aws-sdk:"
"""In the ARN of a target or integration that is an action of the SDK."""
_STORES = frozenset({"aws_secretsmanager_secret", "aws_ssm_parameter", "aws_secretsmanager_secret_version"})
_STORED = re.compile(r"arn:[^:]*:(?:secretsmanager:[^:]*:[^:]*:secret|ssm:[^:]*:[^:]*:parameter)")
_STATES, _RESOURCE = "definition", "Resource"
ANYTHING = ".+"
"""The pattern of a row that asks only that something is there."""


class NamedRoles:
    """The roles that resources of a plan name, each with what it needs by the `rows`.

    `find` returns the resource of the plan of an ARN, `key_arn` follows a key's id or alias to its ARN, `is_reader`
    tells whether the contract has a role among the readers of the secret of an ARN, `is_meant_to` whether a policy of a
    role names an action.
    """

    def __init__(
        self,
        attributes: AwsAttributes,
        rows: Iterable[RoleRows] = NAMED_ROLES,
        find: Callable[[Value], Resource | None] = lambda _arn: None,
        key_arn: Callable[[Value, Resource | None], Value] = lambda key, _resource: key,
    ) -> None:
        self.attributes, self.rows, self.find, self.key_arn = attributes, tuple(rows), find, key_arn
        self.is_reader: Callable[[Value, Value], bool] = lambda _role, _secret: False
        self.is_meant_to: Callable[[Value, str], bool] = lambda _role, _action: False
        self._services = PlanServices(attributes, lambda _service: False)

    def __iter__(self) -> Iterator[NamedRole]:
        """Yield the roles in the order of the table. What AWS computes by itself is not named by anybody."""
        for rows in self.rows:
            type_, _, path = rows.trust.named_by.partition(".")
            for resource in self.attributes.plan.managed(type_):
                yield from self._of(resource, path, rows)

    def _of(self, resource: Resource, path: str, rows: RoleRows) -> Iterator[NamedRole]:
        row = rows.trust
        path, _, followed = path.partition(">")
        for named in values_at((resource.values,), path.partition("@")[0]):
            beside = next(iter(_found(row.beside, named.blocks)), None) if row.beside and not named.hides else None
            if not (beside or named.value) or _is_left_to_aws(resource, named):
                continue
            holds, hidden = self._holds(row, named.blocks)
            if not holds:
                continue
            doubt = hidden or AccessDoubt.of(beside if isinstance(beside, Unknown) else None)
            value = named.value or None
            if followed and not named.hides:
                context = self.context(resource)
                value = self._followed(_as_arn(value, path.partition("@")[2], context), followed.split(">"), context)
                if value is None:
                    continue
            yield NamedRole(
                resource, row, value, resource.location_of(named.path), named, doubt, rows.needs, rows.covers
            )

    def context(self, resource: Resource) -> AccessContext:
        """Return where a resource is, to look things up from there."""
        return AccessContext.of(self.attributes, resource, find=self.find)

    def requirements(self, role: NamedRole, name: str, context: AccessContext) -> Iterator[Requirement]:
        """List what a role of a `name` needs."""
        owner, told = f"{role.access.role} role {name}", set(self._unsettled(role))
        for row in filter(None, (self._as_meant(row, role) for row in role.needs)):
            for blocks in self._blocks(row, role):
                holds, doubt = self._holds(row, blocks)
                unsure = {*self._targets(row, blocks, context), doubt and doubt.unknown}
                if holds and told.isdisjoint(unsure):
                    yield from self._of_row(row, blocks, replace(role, doubt=role.doubt or doubt), owner, context)

    def _as_meant(self, row: Access, role: NamedRole) -> Access | None:
        """Return a row as it is asked of a role, None if nothing says that the role does what the row is for."""
        if not row.intended or self.is_meant_to(role.value, row.intended):
            return row
        return replace(row, certain=False) if row.intended in row.actions else None

    def _targets(
        self, row: Access, blocks: tuple[Mapping[str, Value], ...], context: AccessContext
    ) -> Iterator[Unknown]:
        """Yield the targets of a row that are not known, where they decide whether it holds."""
        for named in self._filled(row.target, blocks, context) if row.where else ():
            target = context.narrow(named)
            if isinstance(target, Unknown):
                yield target

    def hidden(self, role: NamedRole) -> Iterator[Unknown | str]:
        """Yield what hides what a role is used for: what is not known, and what no row is about.

        What stands beside the role says what its target is, if it has to: the first of what the rows cover.
        """
        settled = bool(role.access.beside and role.named and _found(role.access.beside, role.named.blocks))
        for path, pattern in list(role.covers.items())[settled:]:
            for value in self._uses(role, path):
                if isinstance(value, Unknown):
                    yield value
                elif not re.fullmatch(pattern, render(value), re.DOTALL):
                    yield render(value)

    def _unsettled(self, role: NamedRole) -> Iterator[Unknown]:
        """Yield what is not known of what a role is used for."""
        for path in role.covers:
            yield from (value for value in self._uses(role, path) if isinstance(value, Unknown))

    def _uses(self, role: NamedRole, path: str) -> Iterator[Value]:
        """Yield what stands at a path that says what a role is used for: of a definition, in each of its states."""
        around = role.named.blocks if role.named else ()
        blocks: list[tuple[Mapping[str, Value], ...]] = [around]
        if path == _RESOURCE:
            found = list(states(around[-1].get(_STATES)))
            yield from (one for one in found if isinstance(one, Unknown))
            blocks = [(one,) for one in found if isinstance(one, Mapping)]
        for block in blocks:
            yield from map(self.attributes.narrow, _found(path, block))

    def _blocks(self, row: Access, role: NamedRole) -> Iterator[tuple[Mapping[str, Value], ...]]:
        """Yield the blocks around a role, inside each that a row is asked for."""
        around = role.named.blocks if role.named else ()
        if not row.each:
            yield around
        elif row.each == _STATES:
            for state in states(around[-1].get(_STATES)):
                if isinstance(state, Mapping):
                    yield (state, *around)
        else:
            for named in values_at(around[-1:], f"{row.each}.?"):
                if not named.hides:
                    yield (named.blocks[0], *around)

    def _holds(self, row: Access, blocks: tuple[Mapping[str, Value], ...]) -> tuple[bool, AccessDoubt | None]:
        """Tell whether what a row asks for stands beside it, and what that rests on that is not known."""
        doubt = None
        for path, pattern in row.when.items():
            found = [self.attributes.narrow(one) for one in _found(path, blocks)]
            is_unsure = (one for one in found if isinstance(one, Unknown) and not self._is_there(pattern, one))
            hidden = next(is_unsure, None)
            matches = any(re.fullmatch(pattern, render(one), re.DOTALL) for one in found if one is not hidden)
            if not (matches if pattern else not found) and (hidden is None or path == _RESOURCE):
                return False, None
            doubt = doubt or (None if matches else AccessDoubt.of(hidden))
        return True, doubt

    def _is_there(self, pattern: str, value: Unknown) -> bool:
        """Tell whether what is not known is certainly something, where no more is asked."""
        return pattern in {"", ANYTHING} and self.attributes.is_filled(value)

    def _of_row(
        self,
        row: Access,
        blocks: tuple[Mapping[str, Value], ...],
        role: NamedRole,
        owner: str,
        context: AccessContext,
    ) -> Iterator[Requirement]:
        filled = ((key, list(self._filled(text, blocks, context))) for key, text in row.keys.items())
        keys = {key: context.narrow(values[0]) for key, values in filled if len(values) == 1}
        for named in self._filled(row.target, blocks, context):
            target = context.narrow(named)
            doubt, shown = role.doubt or AccessDoubt.in_row(row) or self._unsure(row, named, blocks), render(target)
            latest = Unknown(f"the revision of {shown}", AtRunTime("the revision"))
            is_family = ":task-definition/" in shown and shown.count(":") < _COLONS
            alternative = context.attributes.join(target, ":", latest) if is_family else None
            if row.where and (row.where not in shown or _SDK in shown):
                if not isinstance(target, Unknown):
                    continue
                doubt = AccessDoubt.of(target)
            if self._is_settled(row, role, target, blocks, context):
                continue
            purpose = row.purpose or (named.address if type(named) is Unknown else _MADE.sub("*", shown))
            need = Need(owner, purpose, "", named, role.place)
            if row.reads:
                parameter = replace(row, actions=row.actions[1:] or ("ssm:GetParameters",))
                for one in value_access(need, context, row, parameter):
                    yield replace(one, access=replace(one.access, role=row.role), doubt=one.doubt or doubt)
                continue
            for action in row.actions:
                for text in self._filled(action, blocks, context) if "{" in action else (action,):
                    if isinstance(text, str):
                        yield Requirement(need, row, text, target, doubt, alternative=alternative, keys=keys)

    def _is_settled(
        self,
        row: Access,
        role: NamedRole,
        target: Value,
        blocks: tuple[Mapping[str, Value], ...],
        context: AccessContext,
    ) -> bool:
        """Tell whether a row asks for nothing, as something else in the plan or the contract says."""
        if row.declared and not self.is_reader(role.value, target):
            return True
        return bool(row.unless) and any(context.exists(one) for one in self._filled(row.unless, blocks, context))

    def _unsure(self, row: Access, named: Value, blocks: tuple[Mapping[str, Value], ...]) -> AccessDoubt | None:
        """Return the doubt whether there is a target at all: in what is hidden, or of what is not in the plan."""
        if not isinstance(named, Unknown) or self.attributes.plan.find(named) is not None:
            return None
        return AccessDoubt.of(named) if ">" in row.target or named == blocks[0].get("Input") else None

    def _filled(
        self, template: str, blocks: tuple[Mapping[str, Value], ...], context: AccessContext
    ) -> Iterator[Value]:
        """Yield a template as often as what it consists of stands in the blocks around a role."""
        whole = PLACEHOLDER.fullmatch(template)
        if whole:
            yield from self._looked_up(whole[1], blocks, context)
            return
        words = PLACEHOLDER.findall(template)
        paths = [word for word in words if "." in word and not set(word) & set("<>@")]
        if not all(_found(path, blocks) for path in paths):  # of what may be left out
            return
        several = next((word for word in words if ">" in word or "@" in word), None)
        for one in self._looked_up(several, blocks, context) if several else (None,):
            yield context.fill(
                template,
                lambda word, one=one: one if word == several else next(iter(_found(word, blocks)), None),  # type: ignore[misc]
            )

    def _looked_up(self, word: str, blocks: tuple[Mapping[str, Value], ...], context: AccessContext) -> Iterator[Value]:
        """Yield what stands at the path of a placeholder, as an ARN and followed if it says so."""
        path, *attributes = word.split(">")
        path, _, kind = path.partition("@")
        for name, found in _stated(path, blocks):
            value = _AMONG[kind](name, found, context) if kind in _AMONG else _as_arn(found, kind, context)
            if value is None and kind in _AMONG:
                continue
            followed = self._followed(value, attributes, context) if attributes else value
            if followed is not None:
                yield followed

    def looked_up(self, word: str, blocks: tuple[Mapping[str, Value], ...], context: AccessContext) -> Iterator[Value]:
        """Yield what stands at the path of a placeholder and is not empty, of lists each entry."""
        for value in self._looked_up(word, blocks, context):
            yield from filter(None, value if isinstance(value, list | tuple) else (value,))

    def task_definition(self, value: Value) -> Resource | None:
        """Return the task definition of the plan that an ARN or family names."""
        return self._services.task_definition(value)

    def _followed(self, value: Value, attributes: list[str], context: AccessContext) -> Value:
        """Return an attribute of what a value names, of what that names, and so on; the ARN of a role it is."""
        for attribute in attributes:
            value = self._attribute(value, attribute, context)
        return value

    def _attribute(self, value: Value, attribute: str, context: AccessContext) -> Value:
        known = self.attributes.plan.find(value) if isinstance(value, Unknown) else None
        resource = (
            self._services.task_definition(value) or (known[0] if known else None) or self._by_arn(value, context)
        )
        attribute, _, kind = attribute.partition("@")
        if resource is None:
            if attribute in _KEYS:
                return None
            return Unknown(f"the {attribute} of {render(value)}", computed_from(value))
        if resource.type == _ALIAS:
            function = _as_arn(resource.stated("function_name"), "function", context)
            return self._attribute(function, attribute, context)
        if resource.mode == "data" and attribute not in _KEYS:
            return resource.attribute(attribute)
        if "." in attribute:
            return list(_several(values_at((resource.values,), attribute)))
        found = resource.stated(attribute)
        if attribute in _KEYS:
            is_own = isinstance(found, Unknown) and found.address.startswith(f"{resource.address}.")
            return None if is_own or not found else self.key_arn(found, resource)
        if kind:
            return _as_arn(found, kind, context) if found else None
        return self._role(found, value, context) if "role" in attribute else found

    def _by_arn(self, value: Value, context: AccessContext) -> Resource | None:
        """Return what has an ARN; a version or alias of a function is of that function."""
        narrowed = context.narrow(value)
        qualified = _QUALIFIED.fullmatch(render(narrowed))
        return self.find(qualified[1] if qualified and not isinstance(narrowed, Unknown) else narrowed)

    def _role(self, role: Value, value: Value, context: AccessContext) -> Value:
        """Return the ARN of the role that an attribute of what a value names has."""
        found = self.attributes.plan.find(role) if isinstance(role, Unknown) else None
        if found is not None and found[0].type == "aws_iam_role":
            return found[0].reference("arn")
        if not isinstance(role, str) or not role or role.startswith("arn:"):
            return role or None
        if role in self._roles:
            return self._roles[role].reference("arn")
        return context.arn(
            "iam", "role", Unknown(f"the path of the role {role}", computed_from(value)), role, region=""
        )

    @cached_property
    def _roles(self) -> dict[Value, Resource]:
        return {self.attributes.name(role): role for role in self.attributes.plan.managed("aws_iam_role")}


def _found(word: str, blocks: tuple[Mapping[str, Value], ...]) -> list[Value]:
    """Return what stands at a path, or at the first of several, in the innermost block that has it."""
    return [value for _name, value in _stated(word, blocks)]


def _stated(word: str, blocks: tuple[Mapping[str, Value], ...]) -> list[tuple[str, Value]]:
    """Return what stands at a path, or at the first of several, with the name that it stands under."""
    for path in word.split("|"):
        found = ([*_each(values_at(blocks[at:], path))] for at in range(len(blocks)))
        first = next(filter(None, found), [])
        if first:
            return first
    return []


def _each(named: Iterable[NamedValue]) -> Iterator[tuple[str, Value]]:
    for one in named:
        value, name = one.value, one.path.rpartition(".")[2]
        yield from ((name, entry) for entry in (value if isinstance(value, list | tuple) else (value,)) if entry)


def _several(named: Iterable[NamedValue]) -> Iterator[Value]:
    """Yield what is given, of a list or a set each entry."""
    return (value for _name, value in _each(named))


def _as_arn(value: Value, kind: str, context: AccessContext) -> Value:
    """Return the ARN of what a value names: by an attribute of the resource, its ARN, its name, or its URL."""
    if not kind or value is None:
        return value
    found = context.attributes.plan.find(value) if isinstance(value, Unknown) else None
    if found is not None and found[0].mode == "managed":
        return value if found[1].endswith("arn") else found[0].reference("arn")
    narrowed = context.narrow(value)
    text = render(narrowed)
    if kind == "action":
        return sdk_action(text)
    if text.startswith("arn:") or (isinstance(narrowed, Unknown) and found is None):
        return narrowed
    special = _SPECIAL.get(kind)
    return special(narrowed, context) if special else context.arn(*_KINDS[kind], narrowed)


def _image(value: Value, context: AccessContext) -> Value:
    image = ecr_image(value)
    if not isinstance(image, EcrImage):
        return image
    return context.arn("ecr", "repository/", image.repository, region=image.region, account=image.account)


def _service(value: Value, context: AccessContext) -> Value:
    services = context.attributes.plan.managed("aws_ecs_service")
    named = next((one for one in services if context.attributes.name(one) == value), None)
    return named.reference("arn") if named else value


def _secret(value: Value, context: AccessContext) -> Value:
    return context.secret(value) if isinstance(value, str) else value


def _stored(_name: str, value: Value, context: AccessContext) -> Value:
    """Return the ARN of the secret or parameter that a value names; None if it names none."""
    found = context.attributes.plan.find(value) if isinstance(value, Unknown) else None
    if found is not None:
        resource, attribute = found
        named = resource.type in _STORES and attribute in {"arn", "id", "name"}
        return resource.reference("arn") if named else None
    narrowed = context.narrow(value)
    shown = render(narrowed)
    if _STORED.match(shown) or not isinstance(narrowed, str):
        return narrowed if _STORED.match(shown) else None
    parameter = context.arn("ssm", parameter_path(narrowed))
    return context.secret_named(narrowed) or (parameter if context.find(parameter) is not None else None)


def _named_task(name: str, value: Value, context: AccessContext) -> Value:
    """Return the ARN of the task definition that a value names: by a reference, its ARN, or its family.

    A text that is equal to a family is one where the `name` of the variable says so.
    """
    type_ = "aws_ecs_task_definition"
    found = context.attributes.plan.find(value) if isinstance(value, Unknown) else None
    if found is not None:
        is_family = found[1] in {"family", "id"}
        named = found[0].type == type_ and (is_family or found[1] in {"arn", "arn_without_revision"})
        return (context.arn("ecs", "task-definition/", value) if is_family else value) if named else None
    narrowed = context.narrow(value)
    if ":task-definition/" in render(narrowed):
        return narrowed
    told = isinstance(narrowed, str) and _TOLD_TASK.search(name)
    families = (one.stated("family") for one in context.attributes.plan.managed(type_) if told)
    return context.arn("ecs", "task-definition/", narrowed) if narrowed in families else None


def _named_cluster(_name: str, value: Value, context: AccessContext) -> Value:
    """Return the ARN of the cluster that a value names: by a reference, its ARN, or its name."""
    plan = context.attributes.plan
    found = plan.find(value) if isinstance(value, Unknown) else None
    if found is not None:
        named = found[0].type == "aws_ecs_cluster" and found[1] in {"arn", "id", "name"}
        return found[0].reference("arn") if named else None
    narrowed = context.narrow(value)
    if ":cluster/" in render(narrowed):
        return narrowed
    clusters = plan.managed("aws_ecs_cluster") if isinstance(narrowed, str) else ()
    return next((one.reference("arn") for one in clusters if one.stated("name") == narrowed), None)


def _queue(value: Value, context: AccessContext) -> Value:
    url = _QUEUE_URL.fullmatch(value) if isinstance(value, str) else None
    return context.arn("sqs", url["name"], account=url["account"]) if url else context.arn("sqs", value)


_TOLD_TASK = re.compile(r"task|family", re.IGNORECASE)
_AMONG: Mapping[str, Callable[[str, Value, AccessContext], Value]] = {
    "stored": _stored,
    "named-task": _named_task,
    "named-cluster": _named_cluster,
}
"""What is one value among others, such as those of an environment, which may be about anything."""
_SPECIAL: Mapping[str, Callable[[Value, AccessContext], Value]] = {
    "image": _image,
    "service": _service,
    "secret": _secret,
    "queue": _queue,
}
"""What is not only the end of its ARN."""
