"""The resource instances of a plan or state: planned_values joined with resource_changes, or the state's own.

Terraform leaves forgotten resources in planned_values (releases 1.7 to 1.15.5), so what is destroyed or forgotten is
told by resource_changes. Data sources come from both, those that were read already from prior_state.

`configuration` names it by a key: `aws`, `aws.virginia`, or, for a provider of a module, `module.db:aws`. Releases
before 1.1 write only the last module's name (`db:aws`), and no release says what a module call passes by `providers`;
where the provider cannot be decided, the key stays as it is and its region is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from functools import partial
from typing import TypeAlias

from msgspec import Raw, Struct, field

from infraspec.core.unknown import Unknown, UnstatedRegion, Value
from infraspec.terraform.plan import Resource, ValuesOnDemand
from infraspec.terraform.planfile.records import (
    NULL,
    ConfiguredModule,
    Instance,
    Output,
    PlanFileDocument,
    PlannedConfiguration,
    PlannedModule,
    ProviderConfiguration,
    ResourceChange,
    StateValues,
)
from infraspec.terraform.planfile.values import ValueTexts, decode, lazy_values
from infraspec.terraform.provider.masking import step


def block_address(module: str, mode: str, type_: str, name: str) -> str:
    """Return the address of a resource or data block in a module instance."""
    prefix = f"{module}." if module else ""
    return f"{prefix}data.{type_}.{name}" if mode == "data" else f"{prefix}{type_}.{name}"


def indexed(address: str, key: int | str | None) -> str:
    """Return the address of an instance by count index or for_each key."""
    if key is None:
        return address
    if isinstance(key, int):
        return step(address, key)
    escaped = key.replace("\\", "\\\\").replace('"', '\\"')
    return f'{address}["{escaped}"]'


def changed_address(change: ResourceChange) -> str:
    """Return the address of a change; terraform 1.0 leaves it out of resource_drift."""
    if change.address:
        return change.address
    return indexed(block_address(change.module_address, change.mode, change.type, change.name), change.index)


_INDEX = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^\]]*)\]')


def bare(address: str) -> str:
    """Return an address without the indexes of instances."""
    return _INDEX.sub("", address) if "[" in address else address


_REGION = re.compile(r"[a-z]+(-[a-z]+)+-\d+")
_ACCOUNT_OF_ROLE = re.compile(r"arn:[^:]*:iam::(\d{12}):")
_VARIABLE = re.compile(r"var\.([\w-]+)")
AWS = "aws"


def is_region(value: object) -> bool:
    """Tell whether a value is the name of an AWS region."""
    return isinstance(value, str) and _REGION.fullmatch(value) is not None


def is_aws(provider: str) -> bool:
    """Tell whether a provider configuration (`aws.virginia`, `module.db:aws`) is one of AWS."""
    return provider.rpartition(":")[2].partition(".")[0] == AWS


class Providers(Struct):
    """The provider configurations of a plan, asked by resource."""

    configuration: PlannedConfiguration
    variables: Mapping[str, Output]
    _keys: dict[str, dict[str, str]] = field(default_factory=dict)
    _resolved: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        for path, module in modules(self.configuration.root_module):
            self._keys[path] = {resource.address: resource.provider_config_key for resource in module.resources}

    def of(self, address: str, module: str, provider_name: str) -> str:
        """Return the provider configuration of a resource instance: `aws`, `aws.virginia`, `module.db:aws`."""
        module_path = bare(module)
        local = address[len(module) + 1 :] if module else address
        block = local.partition("[")[0]
        key = self._keys.get(module_path, {}).get(block) or provider_name.rpartition("/")[2]
        cached = self._resolved.get((module_path, key))
        if cached is None:
            cached = self._resolved[module_path, key] = self._resolve(key, module_path)
        return cached

    def regions(self) -> dict[str, Value]:
        """Return the region by AWS provider configuration, Unknown where the plan does not tell it."""
        found = {
            key: self._region(key, block)
            for key, block in self.configuration.provider_config.items()
            if block.name == AWS and (block.expressions or not block.module_address)
        }
        for name in set(self._resolved.values()):
            if name not in found and is_aws(name):
                found[name] = unknown_region(name)
        return found

    def accounts(self) -> dict[str, Value]:
        """Return the account by AWS provider configuration, of those that say it: by a role, or as the only one."""
        found = {}
        for key, block in self.configuration.provider_config.items():
            assumed = block.expressions.get("assume_role")
            role = self._stated(assumed[-1].get("role_arn"), block) if isinstance(assumed, list) and assumed else None
            allowed = self._stated(block.expressions.get("allowed_account_ids"), block)
            told = _ACCOUNT_OF_ROLE.match(role) if isinstance(role, str) else None
            if block.name == AWS and told:
                found[key] = told[1]
            elif block.name == AWS and isinstance(allowed, list) and len(allowed) == 1:
                found[key] = allowed[0]
        return found

    def _stated(self, expression: Value, block: ProviderConfiguration) -> Value:
        """Return a constant, or the value of a variable of the root; None for any other expression."""
        if not isinstance(expression, dict):
            return None
        value = expression.get("constant_value")
        is_of_root = value is None and not block.module_address
        return self._variable(expression.get("references")) if is_of_root else value

    def _resolve(self, key: str, module: str) -> str:
        blocks = self.configuration.provider_config
        exact = blocks.get(key)
        if exact is not None and not exact.module_address:
            return key
        provider = key.rpartition(":")[2]
        for place in _upwards(module):
            block = blocks.get(f"{place}:{provider}" if place else provider)
            if block is not None and (block.expressions or not place):
                return f"{place}:{provider}" if place else provider
        name = provider.partition(".")[0]
        aliased = any(block.name == name and block.alias for block in blocks.values())
        return f"{module}:{provider}" if module and (aliased or "." in provider) else provider

    def _region(self, key: str, block: ProviderConfiguration) -> Value:
        value = self._stated(block.expressions.get("region"), block)
        return value if is_region(value) else unknown_region(key)

    def _variable(self, references: Value) -> Value:
        """Return the variable that is all an expression refers to; the caller checks that it looks like a region."""
        if not isinstance(references, list) or len(references) != 1:
            return None
        found = _VARIABLE.fullmatch(str(references[0]))
        variable = self.variables.get(found[1]) if found else None
        return decode(variable.value, str(references[0])) if variable is not None else None


def unknown_region(key: str) -> Unknown:
    """Return the region of a provider configuration that is not known."""
    return Unknown(f"provider.{key}.region", UnstatedRegion(key))


def _upwards(module: str) -> Iterator[str]:
    """Yield a module path and those of its callers, the root last: `module.a.module.b`, `module.a`, ``."""
    while module:
        yield module
        module = module.rpartition("module.")[0].rstrip(".")
    yield ""


def modules(root: ConfiguredModule | None) -> Iterator[tuple[str, ConfiguredModule]]:
    """Yield the modules of a configuration by the path of their calls, the root first."""
    pending = [("", root)] if root else []
    while pending:
        path, module = pending.pop()
        yield path, module
        prefix = f"{path}.module." if path else "module."
        pending += [(prefix + name, call.module) for name, call in module.module_calls.items() if call.module]


_OF_ROLES = frozenset({"execution_role_arn", "policy_arn", "role", "role_arn", "task_role_arn"})
"""Attributes that name a role or a policy whole, and no text that is made of its name."""
_REFERRED = re.compile(r"(aws_iam_(?:role|policy)\.[\w-]+)(\[(?:\d+|\".*\")\])?(?:\.(arn|id|name))?")
_NO_VALUES = re.compile(r"(?:path|terraform|each\.key|count\.index)\b")


_Roles: TypeAlias = dict[str, set[tuple[str, str, str]]]
"""What attributes may be: the address of a block, an index and an attribute."""


class References(Struct):
    """What the expressions of a configuration refer to, which a plan tells in place of the expressions.

    Source: Terraform, "JSON Output Format" ("Expression Representation": references).
    """

    modules: dict[str, ConfiguredModule]

    def roles(self, address: str, module: str) -> _Roles:
        """Return what may be in the attributes of a resource that name roles and policies, as `_referred` has it."""
        path = bare(module)
        block = bare(address[len(module) + 1 :] if module else address)
        declared = self.modules[path].resources if path in self.modules else ()
        expressions = next((each.expressions for each in declared if each.address == block), {})
        found = {name: self._referred(path, expressions[name]) for name in _OF_ROLES & expressions.keys()}
        return {name: referred for name, referred in found.items() if referred}

    def _referred(self, path: str, expression: Raw, depth: int = 0) -> set[tuple[str, str, str]]:
        """Return address, index and attribute of each role that an expression may be; none if it may be another thing.

        What a variable of the root has is known in a plan, and so is a constant: neither is what is not known.
        """
        tree = decode(expression, path)
        given = tree.get("references", []) if isinstance(tree, dict) else [""]
        names = [one for one in given if not any(other.startswith((f"{one}.", f"{one}[")) for other in given)]
        found: set[tuple[str, str, str]] = set()
        own_key = _OWN_KEY if any(name in ("each.key", "count.index") for name in names) and not depth else ""
        for name in names:
            kind, _, rest = name.partition(".")
            if _NO_VALUES.match(name) or (kind == "var" and not path):
                continue
            if role := _REFERRED.fullmatch(name):
                found.add((f"{path}." * bool(path) + role[1], role[2] or own_key, role[3] or ""))
                continue
            inner = self._elsewhere(path, kind, rest)
            further = self._referred(*inner, depth + 1) if inner and depth < _DEEPEST else set()
            if not further and not (inner and b'"references"' not in bytes(inner[1])):
                return set()
            found |= further
        return found

    def _elsewhere(self, path: str, kind: str, rest: str) -> tuple[str, Raw] | None:
        """Return the argument behind a variable, or the expression of an output, with the path of its module."""
        name = re.split(r"[.\[]", rest)
        if kind == "var":
            above, _, call = path.rpartition("module.")
            above = above.rstrip(".")
            arguments = self.modules[above].module_calls[call].expressions
            return (above, arguments.get(name[0], _CONSTANT))
        below = f"{path}.module.{name[0]}" if path else f"module.{name[0]}"
        outputs = self.modules[below].outputs if kind == "module" and below in self.modules else {}
        output = rest.rpartition(".")[2]
        return (below, outputs[output].expression) if output in outputs else None


_DEEPEST = 20
_OWN_KEY = "[each]"
"""The index of a reference that is the key of the instance itself."""
_CONSTANT = Raw(b"{}")


_GONE = frozenset({"delete", "forget"})


class Instances(Struct):
    """Resources as they are built, and the text of the managed ones' values by provider configuration."""

    providers: Providers
    references: References = field(default_factory=lambda: References({}))
    resources: list[Resource] = field(default_factory=list)
    texts: dict[str, list[Raw]] = field(default_factory=dict)

    def add_plan(self, document: PlanFileDocument) -> None:
        """Add the instances of a plan in the order of planned_values."""
        listed = document.resource_changes if isinstance(document.resource_changes, list) else []
        changes = {changed_address(change): change for change in listed if not change.deposed}
        planned = document.planned_values
        for module, instance in walk(planned.root_module) if isinstance(planned, StateValues) else ():
            address = full_address(instance, module)
            change = changes.pop(address, None)
            if change is None:
                self._add_stored(instance, address, module)
            elif not _is_gone(change):
                self._add_changed(change, instance, address, module)
        for address, change in changes.items():
            if not _is_gone(change) and (change.mode == "managed" or "read" in change.change.actions):
                self._add_changed(change, _as_instance(change), address, change.module_address)
        if document.prior_state is not None and document.prior_state.values is not None:
            self._add_read(document.prior_state.values.root_module)

    def add_state(self, root: PlannedModule) -> None:
        """Add the instances of a state as `terraform show -json` prints it."""
        for module, instance in walk(root):
            if not instance.deposed_key:
                self._add_stored(instance, full_address(instance, module), module)

    def _add_read(self, root: PlannedModule) -> None:
        """Add the data sources that were read before the plan was made."""
        known = {resource.address for resource in self.resources}
        for module, instance in walk(root):
            if instance.mode == "data":
                address = full_address(instance, module)
                if address not in known:
                    self._add_stored(instance, address, module)

    def _add_stored(self, instance: Instance, address: str, module: str) -> None:
        texts = ValueTexts(instance.values, sensitive=(instance.sensitive_values,))
        self._add(instance, address, module, texts)

    def _add_changed(self, change: ResourceChange, instance: Instance, address: str, module: str) -> None:
        detail = change.change
        after = instance.values if bytes(detail.after) in {b"", NULL} else detail.after
        texts = ValueTexts(after, detail.after_unknown, (instance.sensitive_values, detail.after_sensitive))
        self._add(instance, address, module, texts, actions=detail.actions)

    def _add(
        self, instance: Instance, address: str, module: str, texts: ValueTexts, *, actions: tuple[str, ...] = ()
    ) -> None:
        provider = self.providers.of(address, module, instance.provider_name or instance.type.partition("_")[0])
        values: Mapping[str, Value] = lazy_values(address, instance.type, texts)
        if b"true" in bytes(texts.unknown) and (roles := self.references.roles(address, module)):
            values = ValuesOnDemand(values, partial(self._bound, values, roles, instance, module))
        resource = Resource(
            address,
            instance.mode,
            instance.type,
            instance.name,
            instance.index,
            module,
            values,
            provider,
            actions=actions,
        )
        self.resources.append(resource)
        if instance.mode == "managed":
            self.texts.setdefault(provider, []).append(texts.values)

    def _bound(self, values: Mapping[str, Value], roles: _Roles, instance: Instance, module: str, name: str) -> Value:
        """Return a value, the one role or policy that it can be if it is not known."""
        value, referred = values[name], roles.get(name, set())
        if type(value) is not Unknown or len(referred) != 1:
            return value
        ((block, index, attribute),) = referred
        found = [each for each in self.resources if each.mode == "managed" and bare(each.address) == block]
        for narrower in (
            [each for each in found if index and each.address.endswith(index)],
            [each for each in found if each.module == module],
            [each for each in found if each.module == module and index == _OWN_KEY and each.key == instance.index],
        ):
            found = narrower if len(found) > 1 and narrower else found
        as_named = "name" if name == "role" and instance.type.startswith("aws_iam_role_policy") else "arn"
        return Unknown(f"{found[0].address}.{attribute or as_named}") if len(found) == 1 else value


def walk(root: PlannedModule) -> Iterator[tuple[str, Instance]]:
    """Yield the instances of a module and of those below it, each with its module's address."""
    pending = [root]
    while pending:
        module = pending.pop()
        for instance in module.resources:
            yield module.address, instance
        pending.extend(reversed(module.child_modules))


def full_address(instance: Instance, module: str) -> str:
    """Return an instance's address with module and index, which the first formats left out."""
    address = instance.address
    if module and not address.startswith(f"{module}."):
        address = f"{module}.{address}"
    if instance.index is None or address.endswith("]"):
        return address
    return indexed(address, instance.index)


def _is_gone(change: ResourceChange) -> bool:
    return bool(change.change.actions) and _GONE.issuperset(change.change.actions)


def _as_instance(change: ResourceChange) -> Instance:
    return Instance(
        address=changed_address(change),
        type=change.type,
        name=change.name,
        mode=change.mode,
        index=change.index,
        provider_name=change.provider_name,
    )
