"""Which provider configuration each resource of a plan uses, and the region of each.

`configuration` names it by a key: `aws`, `aws.virginia`, or, for a provider of a module, `module.db:aws`. Releases
before 1.1 write only the last module's name (`db:aws`), and no release says what a module call passes by `providers`;
where the provider cannot be told, the key stays as it is and its region is unknown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from msgspec import Struct, field

from infraspec.terraform.plan_json_records import Configuration, ConfiguredModule, ProviderConfiguration, Variable
from infraspec.terraform.plan_json_values import decode
from infraspec.unknown import Unknown, UnstatedRegion, Value

_INDEX = re.compile(r'\[(?:"(?:[^"\\]|\\.)*"|[^\]]*)\]')
_REGION = re.compile(r"[a-z]+(-[a-z]+)+-\d+")
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

    configuration: Configuration
    variables: Mapping[str, Variable]
    _keys: dict[str, dict[str, str]] = field(default_factory=dict)
    _resolved: dict[tuple[str, str], str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.configuration.root_module:
            self._keys.update(_keys_by_module(self.configuration.root_module))

    def of(self, address: str, module: str, provider_name: str) -> str:
        """Return the provider configuration of a resource instance: `aws`, `aws.virginia`, `module.db:aws`."""
        module_path = _INDEX.sub("", module) if "[" in module else module
        local = address[len(module) + 1 :] if module else address
        block = local.partition("[")[0]
        key = self._keys.get(module_path, {}).get(block) or provider_name.rpartition("/")[2]
        cached = self._resolved.get((module_path, key))
        if cached is None:
            cached = self._resolved[module_path, key] = self._resolve(key, module_path)
        return cached

    def regions(self) -> dict[str, Value]:
        """Return the region by AWS provider configuration, Unknown where the plan does not tell it."""
        found = {key: self._region(key, block) for key, block in self._aws_blocks()}
        for name in set(self._resolved.values()):
            if name not in found and is_aws(name):
                found[name] = unknown_region(name)
        return found

    def _aws_blocks(self) -> Iterator[tuple[str, ProviderConfiguration]]:
        for key, block in self.configuration.provider_config.items():
            if block.name == AWS and (block.expressions or not block.module_address):
                yield key, block

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
        expression = block.expressions.get("region")
        if isinstance(expression, dict):
            value = expression.get("constant_value")
            if value is None and not block.module_address:
                value = self._variable(expression.get("references"))
            if is_region(value):
                return value
        return unknown_region(key)

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


def _keys_by_module(root: ConfiguredModule) -> Iterator[tuple[str, dict[str, str]]]:
    pending = [("", root)]
    while pending:
        path, module = pending.pop()
        yield path, {resource.address: resource.provider_config_key for resource in module.resources}
        for name, call in module.module_calls.items():
            if call.module is not None:
                pending.append((f"{path}.module.{name}" if path else f"module.{name}", call.module))
