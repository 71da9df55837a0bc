"""A raw state file, version 4: what terraform 0.12 and later keep in a backend.

Its records become those of a state as `terraform show -json` prints it, so that one piece of code builds the Plan.
Deposed objects, which terraform is about to destroy, are left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Raw, Struct

from infraspec.errors import PlanError
from infraspec.terraform.plan_json_addresses import block_address, indexed
from infraspec.terraform.plan_json_document import STATE_REMEDY
from infraspec.terraform.plan_json_records import ABSENT, Document, Output
from infraspec.unknown import Value

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


def resources(document: Document, name: str) -> Iterator[tuple[RawResource, RawInstance]]:
    """Yield the current instances of a raw state; PlanError for values as terraform 0.11 kept them."""
    for resource in _decode(document.resources, list[RawResource], name):
        for instance in resource.instances:
            if instance.deposed:
                continue
            if not bytes(instance.attributes) and bytes(instance.attributes_flat):
                raise PlanError(
                    f"{resource.address(instance.index_key)} has values in the form of terraform 0.11",
                    place=name,
                    expected="attributes",
                    found="attributes_flat",
                    remedy="terraform apply -refresh-only writes them anew; " + STATE_REMEDY + " prints them",
                )
            yield resource, instance


def outputs(document: Document, name: str) -> dict[str, Output]:
    """Return the outputs of a raw state."""
    return _decode(document.outputs, dict[str, Output], name) or {}


def checks(document: Document, name: str) -> list[RawCheck]:
    """Return the checks of a raw state."""
    return _decode(document.check_results, list[RawCheck], name) or []


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
    if not isinstance(raw, Raw) or bytes(raw) in (b"", b"null"):
        return []
    try:
        return msgspec.json.decode(raw, type=kind)
    except msgspec.MsgspecError as error:
        reason, _, place = str(error).partition(" - at ")
        raise PlanError(
            f"the file is not what state version 4 says: {reason[:1].lower()}{reason[1:]}",
            place=f"{name}: {place.strip('`')}" if place else name,
            remedy=STATE_REMEDY,
        ) from None
