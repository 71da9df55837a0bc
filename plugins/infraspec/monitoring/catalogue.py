"""The alarm catalogue of a contract: the packaged one with the contract's changes."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib import resources
from itertools import chain

from infraspec.contract.alarms import AlarmItem, Alarms, Metric
from infraspec.errors import ContractError, ErrorCollector
from infraspec.monitoring.samples import SAMPLES

_PLACE = "alarms.items"


@cache
def packaged() -> Mapping[str, AlarmItem]:
    """Return the packaged catalogue by name."""
    text = resources.files(__package__).joinpath("catalogue.toml").read_text(encoding="utf-8")
    return {name: AlarmItem.model_validate(item) for name, item in tomllib.loads(text).items()}


def catalogue(alarms: Alarms) -> Mapping[str, AlarmItem]:
    """Return the items that are asked for. Raises ContractError, all of them at once, if one cannot be checked."""
    collector = ErrorCollector()
    items = dict(packaged())
    for name, change in alarms.items.items():
        own = {field: getattr(change, field) for field in change.model_fields_set}
        items[name] = items[name].model_copy(update=own) if name in items else change
    for name in alarms.without:
        with collector.collect():
            _drop(items, name)
    for name, item in items.items():
        with collector.collect():
            _check(name, item, alarms)
    collector.finalize()
    return items


def metrics_of(item: AlarmItem) -> Mapping[str, Metric]:
    """Return the metrics of an item by the id they have in its expression; without one it is the empty text."""
    return {"": item.metric} if item.metric else item.metrics


def is_of_postgresql(item: AlarmItem) -> bool:
    """Tell whether an item is about what only the log of a PostgreSQL database tells."""
    events = chain.from_iterable((*metric.counts, *metric.ignores) for metric in metrics_of(item).values())
    return any(SAMPLES[event].origin == "postgresql" for event in events)


def _drop(items: dict[str, AlarmItem], name: str) -> None:
    if name not in items:
        raise ContractError(
            "the catalogue has no such alarm",
            place="alarms.without",
            expected=f"one of {', '.join(items)}",
            found=name,
            remedy="correct the name, or take it out",
        )
    del items[name]


def _check(name: str, item: AlarmItem, alarms: Alarms) -> None:
    for problem, expected in _problems(item, alarms):
        raise ContractError(
            f"the alarm {name} of the catalogue {problem}",
            place=f"{_PLACE}.{name}",
            expected=expected,
            remedy="correct it, or take the alarm out with [alarms] without",
        )


def _problems(item: AlarmItem, alarms: Alarms) -> Iterator[tuple[str, str]]:
    if item.watches is None:
        yield "does not say what it watches", 'watches = "service", or another kind'
    if sum(bool(getattr(item, key)) for key in ("metric", "expression", "event")) != 1:
        yield "has to be about one thing", "metric, expression (with metrics) or event"
    if item.expression and not item.metrics:
        yield "has an expression without metrics", "metrics, by the ids of the expression"
    if not item.event and (item.comparison is None or item.threshold is None):
        yield "does not say when it fires", "comparison and threshold"
    yield from _of_level(item, alarms)
    yield from _of_metrics(item)


def _of_level(item: AlarmItem, alarms: Alarms) -> Iterator[tuple[str, str]]:
    if item.level not in alarms.levels:
        yield "has no level with channels", f"level, one of {', '.join(alarms.levels)}"
    for channel in alarms.levels.get(item.level or "", ()):
        if channel not in alarms.channels:
            yield f"is of a level with the unknown channel {channel}", f"one of {', '.join(alarms.channels)}"


def _of_metrics(item: AlarmItem) -> Iterator[tuple[str, str]]:
    metrics = metrics_of(item).values()
    if any(not metric.counts and not (metric.namespace and metric.name) for metric in metrics):
        yield "has a metric that is not named", "namespace and name, or counts"
    counted = chain.from_iterable((*metric.counts, *metric.ignores) for metric in metrics)
    for event in (*counted, *([item.event] if item.event else [])):
        if event not in SAMPLES:
            yield f"is about the unknown event {event}", f"one of {', '.join(SAMPLES)}"
