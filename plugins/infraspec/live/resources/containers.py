"""The services and task definitions that exist, and what the containers of these name.

Service Connect is told of a deployment of a service, not of the service: Amazon ECS API Reference, "Deployment".
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from infraspec.core.errors import RunnerPermissionError
from infraspec.core.unknown import Value
from infraspec.ecs.references import ValueFrom, ValueStore, values_from
from infraspec.live.resources.api_to_terraform import blocks, tag_map
from infraspec.live.resources.reading import Entry, Peculiarity, Values, entries, listed_of, values_of
from infraspec.live.resources.scope import LiveScope
from infraspec.terraform.plan import Resource

_NO_FAMILY = ("ClientException",)
CLUSTER, SERVICE, TASK_DEFINITION = "aws_ecs_cluster", "aws_ecs_service", "aws_ecs_task_definition"


def services(scope: LiveScope) -> Iterator[Resource]:
    """Yield the services of the environment's clusters, and its services in clusters that it shares."""
    shared = {identity[0] for identity in scope.sources.names(SERVICE)}
    own = {cluster.stated("arn") for cluster in scope.managed(CLUSTER)}
    for entry in entries(scope, CLUSTER, {}):
        cluster = scope.resource(CLUSTER, values_of(scope, CLUSTER, entry))
        is_own = cluster.stated("arn") in own
        if is_own or cluster.stated("name") in shared:
            yield from listed_of(scope, SERVICE, cluster, Peculiarity(_service), is_all=is_own)


def task_definitions(scope: LiveScope) -> Iterator[Resource]:
    """Yield the task definitions of the services, then the newest active revisions of the environment's families.

    The revision that runs has the address of the source; another of the same family has its ARN.
    """
    named = (str(service.stated("task_definition")) for service in scope.seen(SERVICE))
    running = [arn for arn in dict.fromkeys(named) if arn != "None"]
    families = dict.fromkeys(arn.rpartition("/")[2].rpartition(":")[0] for arn in running)
    active = _active_families(scope)
    families |= dict.fromkeys(family for family in active if scope.belongs(TASK_DEFINITION, {"family": family}))
    seen: set[str] = set()
    taken: set[str] = set()
    for name in [*running, *(family for family in families if family in active)]:
        answer = scope.calls.ask(
            "ecs", "describe_task_definition", taskDefinition=name, include=["TAGS"], absent=_NO_FAMILY
        )
        if answer is None:
            continue
        described = answer["taskDefinition"]
        values = values_of(scope, TASK_DEFINITION, described)
        arn = str(values["arn"])
        if arn in seen:
            continue
        seen.add(arn)
        values["container_definitions"] = json.dumps(described["containerDefinitions"])
        values["proxy_configuration"] = _proxy(described)
        resource = scope.resource(TASK_DEFINITION, values, tags=tag_map(answer.get("tags")))
        yield replace(resource, address=arn) if resource.address in taken else resource
        taken.add(resource.address)


def _active_families(scope: LiveScope) -> Sequence[str]:
    """Return the families with an active revision; where they may not be listed, those of the source."""
    try:
        return scope.calls.pages("ecs", "list_task_definition_families", "families", status="ACTIVE")
    except RunnerPermissionError as error:
        scope.refused.setdefault(TASK_DEFINITION, error)
        return [identity[-1] for identity in scope.sources.names(TASK_DEFINITION)]


def referenced(scope: LiveScope, service: str) -> set[str]:
    """Return the ARNs of a service (`:secretsmanager:`) that the values of containers are read from."""
    targets = (str(ValueFrom.parse(text).target) for text in _named_values(scope.managed(TASK_DEFINITION)))
    return {target for target in targets if service in target}


def parameter_names(scope: LiveScope) -> set[str]:
    """Return the names of the parameters that the values of containers are read from."""
    names: set[str] = set()
    for text in _named_values(scope.managed(TASK_DEFINITION)):
        parsed = ValueFrom.parse(text)
        if parsed.store is ValueStore.PARAMETER_STORE and not parsed.problem:
            target = str(parsed.target)
            names.add(target.partition(":parameter")[2] if target.startswith("arn:") else target)
    return names


READERS = {SERVICE: services, TASK_DEFINITION: task_definitions}


def _named_values(definitions: Iterable[Resource]) -> Iterator[str]:
    """Yield every `valueFrom` and the credentials of registries."""
    for resource in definitions:
        written = resource.stated("container_definitions")
        for container in json.loads(written) if isinstance(written, str) else ():
            yield from values_from(container)
            credentials = (container.get("repositoryCredentials") or {}).get("credentialsParameter")
            if credentials:
                yield credentials


def _service(_scope: LiveScope, entry: Entry, values: Values) -> Values:
    """Add the Service Connect configuration of the primary deployment as far as its proxy writes a log."""
    primary = [one for one in entry.get("deployments") or () if one.get("status") == "PRIMARY"]
    found: list[Value] = []
    for configuration in filter(None, (one.get("serviceConnectConfiguration") for one in primary)):
        log = configuration.get("logConfiguration") or {}
        written: Value = {
            "log_driver": log.get("logDriver"),
            "options": log.get("options") or {},
            "secret_option": blocks(log.get("secretOptions")),
        }
        enabled = configuration.get("enabled", False)
        found.append({"enabled": enabled, "log_configuration": [written] if log else []})
    network = values.get("network_configuration")
    for block in network if isinstance(network, list) else ():
        block["assign_public_ip"] = block.get("assign_public_ip") == "ENABLED"
    return {**values, "service_connect_configuration": found}


def _proxy(described: Entry) -> list[Value]:
    """Return the proxy of a task definition with its properties as a map, as Terraform has them."""
    proxy = described.get("proxyConfiguration")
    if not proxy:
        return []
    properties = {one["name"]: one.get("value") for one in proxy.get("properties") or ()}
    return [{"container_name": proxy["containerName"], "type": proxy.get("type"), "properties": properties}]
