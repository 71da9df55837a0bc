"""The Plan model from a state: a raw state file (version 4), or what `terraform show -json` prints of a state.

Its records become those of a state as `terraform show -json` prints it, so that one piece of code builds the Plan.
Deposed objects, which terraform is about to destroy, are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw, Struct

from infraspec.core.errors import PlanError
from infraspec.core.unknown import Value
from infraspec.terraform.plan import Diagnostic, Plan, Resource
from infraspec.terraform.planfile.document import STATE_REMEDY, FileKind
from infraspec.terraform.planfile.instances import Instances, Providers, block_address, indexed
from infraspec.terraform.planfile.outcome import AccountEvidence, check_diagnostic, output_value
from infraspec.terraform.planfile.records import (
    ABSENT,
    NULL,
    Output,
    PlanFileDocument,
    PlannedConfiguration,
    StateValues,
    misshapen,
)
from infraspec.terraform.planfile.values import ValueTexts, lazy_values

_PROVIDER = re.compile(
    r'(?:(?P<module>.*)\.)?provider(?:\["(?P<source>[^"]+)"\]|\.(?P<legacy>[\w-]+))(?:\.(?P<alias>[\w-]+))?'
)


class RawInstance(Struct, gc=False):
    """An instance of a resource of a raw state."""

    index_key: int | str | None = None
    attributes: Raw = ABSENT
    attributes_flat: Raw = ABSENT
    sensitive_attributes: list[list[dict[str, Any]]] | None = None
    deposed: str = ""


class RawResource(Struct, gc=False):
    """A resource of a raw state."""

    type: str
    name: str
    mode: str = "managed"
    module: str = ""
    provider: str = ""
    instances: list[RawInstance] = []

    def address(self, key: int | str | None) -> str:
        """Return the address of an instance."""
        return indexed(block_address(self.module, self.mode, self.type, self.name), key)


class RawCheckObject(Struct, gc=False):
    """The outcome of a check for one object."""

    object_addr: str = ""
    status: str = ""
    failure_messages: list[str] | None = None


class RawCheck(Struct, gc=False):
    """The outcome of a check of a raw state."""

    object_kind: str = ""
    config_addr: str = ""
    status: str = ""
    objects: list[RawCheckObject] | None = None


def raw_resources(document: PlanFileDocument, name: str) -> Iterator[tuple[RawResource, RawInstance]]:
    """Yield the current instances of a raw state; PlanError for values as terraform 0.11 kept them."""
    resources: list[RawResource] = _decode(document.resources, list[RawResource], name)
    for resource, instance in ((one, each) for one in resources for each in one.instances if not each.deposed):
        if not bytes(instance.attributes) and bytes(instance.attributes_flat):
            raise PlanError(
                f"{resource.address(instance.index_key)} has values in the form of terraform 0.11",
                place=name,
                expected="attributes",
                found="attributes_flat",
                remedy="terraform apply -refresh-only writes them anew; " + STATE_REMEDY + " prints them",
            )
        yield resource, instance


def provider_of(text: str) -> str:
    """Return the provider configuration as a plan names it (`aws.virginia`, `module.db:aws`).

    The text is such as `module.db.provider["registry.terraform.io/hashicorp/aws"].virginia`.
    """
    found = _PROVIDER.fullmatch(text)
    if found is None:
        return text
    kind = found["legacy"] or found["source"].rpartition("/")[2]
    name = f"{kind}.{found['alias']}" if found["alias"] else kind
    return f"{found['module']}:{name}" if found["module"] else name


def marks(instance: RawInstance) -> Value:
    """Return the sensitive paths of an instance as a tree that is true where a value is sensitive.

    A path that cannot be read marks the attribute it starts at, or everything.
    """
    tree: dict[Any, Any] = {}
    for path in instance.sensitive_attributes or ():
        keys = [_key(part) for part in path]
        known = keys[: keys.index(None)] if None in keys else keys
        if not known:
            return True
        node = tree
        for key in known[:-1]:
            child = node.setdefault(key, {})
            if child is True:
                break
            node = child
        else:
            node[known[-1]] = True
    return tree


def _key(part: dict[str, Any]) -> str | int | None:
    """Read a step: {"type": "get_attr", "value": "x"} or {"type": "index", "value": {"value": 0, "type": "number"}}."""
    value = part.get("value")
    if isinstance(value, dict):
        value = value.get("value")
    return value if isinstance(value, (str, int)) and not isinstance(value, bool) else None


def _decode(raw: Any, kind: Any, name: str) -> Any:
    if not isinstance(raw, Raw) or bytes(raw) in (b"", NULL):
        return kind()
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.MsgspecError as error:
        raise misshapen("state version 4", str(error), name, STATE_REMEDY) from None


def from_document(document: PlanFileDocument, kind: FileKind, name: str) -> Plan:
    """Build the Plan from a decoded document that is a state of either kind."""
    return _raw(document, name) if kind is FileKind.RAW_STATE else _shown(document, name)


def _shown(document: PlanFileDocument, name: str) -> Plan:
    values = document.values if isinstance(document.values, StateValues) else StateValues()
    instances = Instances(Providers(PlannedConfiguration(), {}))
    instances.add_state(values.root_module)
    return Plan(
        origin=f"state {name}",
        resources=tuple(instances.resources),
        outputs={key: output_value(key, output) for key, output in values.outputs.items()},
        **AccountEvidence(instances.resources, instances.texts, certain=False).settings(),
    )


def _raw(document: PlanFileDocument, name: str) -> Plan:
    resources = []
    texts: dict[str, list[Raw]] = {}
    for resource, instance in raw_resources(document, name):
        built = _resource(resource, instance)
        resources.append(built)
        if built.mode == "managed":
            texts.setdefault(built.provider, []).append(instance.attributes)
    diagnostics = tuple(_diagnostics(document, name))
    outputs: dict[str, Output] = _decode(document.outputs, dict[str, Output], name)
    return Plan(
        origin=f"state {name}",
        resources=tuple(resources),
        diagnostics=diagnostics,
        outputs={key: output_value(key, output) for key, output in outputs.items()},
        **AccountEvidence(resources, texts).settings(),
    )


def _resource(resource: RawResource, instance: RawInstance) -> Resource:
    address = resource.address(instance.index_key)
    values = lazy_values(address, resource.type, ValueTexts(instance.attributes), marks(instance))
    return Resource(
        address,
        resource.mode,
        resource.type,
        resource.name,
        instance.index_key,
        resource.module,
        values,
        provider_of(resource.provider),
    )


def _diagnostics(document: PlanFileDocument, name: str) -> Iterator[Diagnostic]:
    for check in _decode(document.check_results, list[RawCheck], name):
        for entry in check.objects or ():
            address = entry.object_addr or check.config_addr
            found = check_diagnostic(address, check.object_kind, entry.status, entry.failure_messages or ())
            if found:
                yield found
