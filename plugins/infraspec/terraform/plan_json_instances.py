"""The resource instances of a plan or state: planned_values joined with resource_changes, or the state's own.

Terraform leaves forgotten resources in planned_values (releases 1.7 to 1.15.5), so what is destroyed or forgotten is
told by resource_changes. Data sources come from both, those that were read already from prior_state.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Raw, Struct, field

from infraspec.terraform.plan import Resource
from infraspec.terraform.plan_json_addresses import changed_address, indexed
from infraspec.terraform.plan_json_providers import Providers
from infraspec.terraform.plan_json_records import NULL, Document, Instance, Module, ResourceChange, StateValues
from infraspec.terraform.plan_json_values import ValueTexts, lazy_values

_GONE = frozenset({"delete", "forget"})


class Instances(Struct):
    """Resources as they are built, and the text of the managed ones' values by provider configuration."""

    providers: Providers
    resources: list[Resource] = field(default_factory=list)
    texts: dict[str, list[Raw]] = field(default_factory=dict)

    def add_plan(self, document: Document) -> None:
        """Add the instances of a plan in the order of planned_values."""
        changes = _current_changes(document)
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

    def add_state(self, root: Module) -> None:
        """Add the instances of a state as `terraform show -json` prints it."""
        for module, instance in walk(root):
            if not instance.deposed_key:
                self._add_stored(instance, full_address(instance, module), module)

    def _add_read(self, root: Module) -> None:
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
        values = lazy_values(address, instance.type, texts)
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


def walk(root: Module) -> Iterator[tuple[str, Instance]]:
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


def _current_changes(document: Document) -> dict[str, ResourceChange]:
    changes = document.resource_changes
    if not isinstance(changes, list):
        return {}
    return {changed_address(change): change for change in changes if not change.deposed}


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
