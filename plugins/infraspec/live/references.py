"""What the task definitions that exist name: the ARNs of secrets and parameters, and the names of parameters."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from typing import Any

from infraspec.ecs.value_from import Store, ValueFrom
from infraspec.terraform.plan import Resource


def referenced(task_definitions: Iterable[Resource], service: str) -> set[str]:
    """Return the ARNs of a service (`:secretsmanager:`) that the values of containers are read from."""
    parsed = (ValueFrom.parse(text) for text in named_values(task_definitions))
    return {str(value.target) for value in parsed if service in str(value.target)}


def parameter_names(task_definitions: Iterable[Resource]) -> set[str]:
    """Return the names of the parameters that the values of containers are read from."""
    names: set[str] = set()
    for text in named_values(task_definitions):
        parsed = ValueFrom.parse(text)
        if parsed.store is Store.PARAMETER_STORE and not parsed.problem:
            target = str(parsed.target)
            names.add(target.partition(":parameter")[2] if target.startswith("arn:") else target)
    return names


def named_values(task_definitions: Iterable[Resource]) -> Iterator[str]:
    """Yield every `valueFrom` and the credentials of registries."""
    for resource in task_definitions:
        for container in json.loads(resource.get("container_definitions") or "[]"):
            yield from _of_container(container)


def _of_container(container: dict[str, Any]) -> Iterator[str]:
    options = (container.get("logConfiguration") or {}).get("secretOptions") or ()
    for entry in (*(container.get("secrets") or ()), *options):
        if entry.get("valueFrom"):
            yield entry["valueFrom"]
    credentials = (container.get("repositoryCredentials") or {}).get("credentialsParameter")
    if credentials:
        yield credentials
