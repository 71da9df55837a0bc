"""Who writes to the log groups of a plan: what names one where its logs go, and what AWS makes a group for.

Sources: Amazon CloudWatch Logs User Guide, "Enable logging from AWS services"; Amazon RDS User Guide, "Publishing
database logs to Amazon CloudWatch Logs"; Terraform AWS provider, the arguments of each type.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache, cached_property
from pathlib import Path

import msgspec
from msgspec import Struct

from infraspec.core.json_text import decode_json
from infraspec.core.unknown import JsonText, Text, Unknown, Value, render
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource


class OfNamespace(Struct, frozen=True, forbid_unknown_fields=True):
    """Whose metrics are in a namespace: those of a type of resource, by the dimension that has its name."""

    dimension: str
    type: str
    source: str
    """The documentation that says so."""
    role: str = ""
    """The attribute that has the role which publishes them."""


class KnownPublishers(Struct, frozen=True, forbid_unknown_fields=True):
    """What is known of namespaces and of log groups."""

    aws_beginnings: tuple[str, ...]
    """How namespaces begin that AWS alone publishes in."""
    aws: frozenset[str]
    """Further ones."""
    workloads: Mapping[str, OfNamespace]
    insights: Mapping[str, OfNamespace]
    own_groups: Mapping[str, tuple[str, str]]
    """How log groups begin that AWS makes: of which type, and the attribute that has the name of its resource."""
    exports: frozenset[str]
    """Types that write there only what they are told to."""
    writers: frozenset[str]
    """Types that have an argument for where their logs go."""

    def is_of_aws(self, namespace: str) -> bool:
        """Tell whether AWS itself publishes the metrics of a namespace."""
        return namespace in self.aws or namespace.startswith(self.aws_beginnings)


@cache
def known_publishers() -> KnownPublishers:
    """Return what is known of namespaces and of log groups."""
    return msgspec.json.decode(Path(__file__).with_name("publishers.json").read_bytes(), type=KnownPublishers)


_TARGETS = frozenset({"aws_cloudwatch_event_target", "aws_cloudwatch_log_delivery_destination", "aws_pipes_pipe"})
"""Types that write to what they name anywhere."""
_OF_GROUP = re.compile(r"group|destination|target|arn$", re.IGNORECASE)
"""The keys that have the name or the ARN of a log group, and not of a stream."""
_EXPORTS = ("enabled_cloudwatch_logs_exports", "enabled_cluster_log_types")


@dataclass
class LogWriters:
    """The writers of one plan."""

    attributes: AwsAttributes

    def of(self, group: Value) -> list[Resource]:
        """Return what is there for certain and writes to the log group of a name, a value of an argument."""
        name = render(self.attributes.narrow(group))
        return list(filter(self.attributes.plan.is_certain, [*self._naming.get(name, ()), *self._owners(name)]))

    def _owners(self, name: str) -> Iterator[Resource]:
        for beginning, (type_, attribute) in known_publishers().own_groups.items():
            if not name.startswith(beginning):
                continue
            owner, _, log = name.removeprefix(beginning).partition("/")
            for resource in self.attributes.plan.managed(type_):
                if render(self.attributes.name(resource, attribute)) == owner and _exports(resource, log):
                    yield resource

    @cached_property
    def _naming(self) -> Mapping[str, list[Resource]]:
        found: dict[str, list[Resource]] = {}
        for resource in self.attributes.plan.managed(*sorted(known_publishers().writers)):
            everywhere = resource.type in _TARGETS
            values = {name: self.attributes.narrow(value) for name, value in resource.values.items()}
            for name in dict.fromkeys(_groups(values, inside=everywhere)):
                found.setdefault(name, []).append(resource)
        return found


def _exports(resource: Resource, log: str) -> bool:
    """Tell whether a resource writes the log of a name; most write all that they have."""
    if resource.type not in known_publishers().exports:
        return not log
    told = next((value for name in _EXPORTS if (value := resource.stated(name))), ())
    return isinstance(told, list | tuple) and (log in told or (resource.type == "aws_eks_cluster" and bool(told)))


def _groups(value: Value, key: str = "", *, inside: bool) -> Iterator[str]:
    """Yield the names of log groups in a value: in what is about logs, or, `inside` of that, everywhere."""
    if isinstance(value, str | Text) and not isinstance(value, JsonText) and render(value).startswith(("[", "{")):
        value = _decoded(value)
    if isinstance(value, JsonText):
        value = value.tree
    if isinstance(value, Mapping):
        for name, item in value.items():
            if not str(name).startswith("environment"):
                yield from _groups(item, str(name), inside=inside or "log" in str(name).lower())
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _groups(item, key, inside=inside)
    elif inside and isinstance(value, str | Text | Unknown) and _OF_GROUP.search(key):
        text = render(value)
        yield text.partition(":log-group:")[2].removesuffix(":*") or text


def _decoded(text: str | Text) -> Value:
    try:
        tree: Value = decode_json(text)
    except ValueError:
        return None
    return tree
