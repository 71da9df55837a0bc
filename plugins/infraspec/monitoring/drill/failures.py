"""The table of failures: what each makes AWS emit, and what a healthy system emits."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Mapping
from functools import cache
from importlib import resources

from msgspec import Struct, convert
from msgspec.structs import replace

from infraspec.contract.alarms import Alarms, DrilledFailures
from infraspec.core.errors import ContractError, ErrorCollector, did_you_mean
from infraspec.core.unknown import Value
from infraspec.monitoring.catalogue import AlarmSubject, subjects
from infraspec.monitoring.evaluation import FOREVER, MetricKey
from infraspec.monitoring.sample_events import Fill
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Resource

_PLACEHOLDER = re.compile(r"\{([a-z_]+)\}")


class EmittedEvent(Struct, frozen=True, forbid_unknown_fields=True):
    """Events of a kind (`sample_events.SAMPLES`), each so many minutes; `times` limits how many."""

    event: str
    about: str = ""
    every: int = 1
    times: int = FOREVER


class EmittedMetric(Struct, frozen=True, forbid_unknown_fields=True):
    """A metric of AWS with the value it has from then on, or which is not published any more."""

    namespace: str
    name: str
    dimensions: dict[str, str] = {}
    value: float = 0
    gone: bool = False
    every: int = 1
    about: str = ""

    def key(self, fill: Fill) -> MetricKey:
        """Return the metric of one subject."""
        pairs = ((name, _filled(value, fill)) for name, value in self.dimensions.items())
        return MetricKey(_filled(self.namespace, fill), self.name, tuple(sorted(pairs)))


class Emissions(Struct, frozen=True, forbid_unknown_fields=True):
    """What something emits."""

    events: tuple[EmittedEvent, ...] = ()
    metrics: tuple[EmittedMetric, ...] = ()


class FailureMode(Struct, frozen=True, forbid_unknown_fields=True):
    """One failure: who has to hear of it, at which level, within how many minutes, and what it emits."""

    what: str
    watches: str
    level: str
    minutes: int
    source: str
    engine: str = ""
    events: tuple[EmittedEvent, ...] = ()
    metrics: tuple[EmittedMetric, ...] = ()


def _filled(text: str, fill: Fill) -> str:
    return _PLACEHOLDER.sub(lambda match: fill(match[1]), text)


@cache
def failures() -> Mapping[str, FailureMode]:
    """Return the failures by name."""
    return convert(_table("failures.toml"), dict[str, FailureMode])


def asked_failures(drill: DrilledFailures | None, alarms: Alarms) -> Mapping[str, FailureMode]:
    """Return the failures that a contract asks about, with the level and the minutes that it asks for.

    Raises ContractError, all of them at once, for a failure or a level that does not exist.
    """
    asked, collector = dict(failures()), ErrorCollector()
    changes = drill.failures if drill else {}
    for place, name in [
        *(("without", one) for one in (drill.without if drill else ())),
        *(("failures", one) for one in changes),
    ]:
        with collector.collect():
            _refuse_unknown(f"drill.{place}", name, failures(), "failure")
    for name, change in changes.items():
        if name in asked:
            own = {field: value for field in ("level", "minutes") if (value := getattr(change, field)) is not None}
            asked[name] = replace(asked[name], **own)
    for name, failure in asked.items():
        with collector.collect():
            _refuse_unknown(f"drill.failures.{name}.level", failure.level, alarms.levels, "level")
    collector.finalize()
    return {name: failure for name, failure in asked.items() if drill is None or name not in drill.without}


def _refuse_unknown(place: str, name: str, known: Collection[str], kind: str) -> None:
    if name not in known:
        raise ContractError(
            f"there is no such {kind}",
            place=place,
            expected=f"one of {', '.join(known)}",
            found=name,
            remedy=did_you_mean(name, known) or f"name one of these, or take the {kind} out",
        )


@cache
def normal() -> Mapping[str, Emissions]:
    """Return what is emitted while nothing fails, by the kind of what emits it."""
    return convert(_table("normal.toml"), dict[str, Emissions])


def _table(name: str) -> object:
    return tomllib.loads(resources.files(__package__).joinpath(name).read_text(encoding="utf-8"))


_OWN = {
    "function": ("aws_lambda_function", "function", "function_name"),
    "queue": ("aws_sqs_queue", "queue", "name"),
    "schedule": ("aws_scheduler_schedule", "schedule_group", "group_name"),
}
"""Kinds that the alarm catalogue does not know: the type, the placeholder, and the attribute that gives its value."""


def subjects_of(kind: str, attributes: AwsAttributes, facts: Mapping[str, str], environment: str) -> list[AlarmSubject]:
    """Return the resources that a failure of a kind can be about."""
    plan = attributes.plan
    common = {"account": plan.account, "region": plan.region, **facts}
    if kind == "certificate":
        return [
            AlarmSubject(one.address, {**common, "certificate_arn": one.reference("arn")}, one)
            for one in plan.managed("aws_acm_certificate")
        ]
    if kind not in _OWN:
        return subjects(kind, attributes, facts, environment)
    type_, placeholder, attribute = _OWN[kind]
    default = {"group_name": "default"}.get(attribute)
    return [
        AlarmSubject(one.address, {**common, placeholder: _named(attributes, one, attribute, default)}, one)
        for one in plan.managed(type_)
    ]


def _named(attributes: AwsAttributes, resource: Resource, attribute: str, default: str | None) -> Value:
    return default if default and resource.stated(attribute) is None else attributes.name(resource, attribute)
