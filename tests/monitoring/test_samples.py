"""The packaged catalogue, and the events that filters and rules are tried on."""

from __future__ import annotations

import json

import pytest

from infraspec.contract.alarms import Alarms
from infraspec.core.errors import ContractError, InputErrorGroup
from infraspec.monitoring.catalogue import catalogue, metrics_of, packaged
from infraspec.monitoring.event_rules import takes
from infraspec.monitoring.log_metrics import counts
from infraspec.monitoring.sample_events import SAMPLES

NAMES = sorted(SAMPLES)


def fact(name: str) -> str:
    """Return a text for a placeholder; the ARN of the secret holds its name."""
    facts = {"secret_arn": "arn:aws:secretsmanager:eu-west-1:111122223333:secret:db-AbCdEf", "secret_name": "db"}
    return facts.get(name, f"the {name}")


@pytest.mark.parametrize("name", NAMES)
def test_the_suggested_filter_counts_its_events(name: str) -> None:
    """The filter pattern that is suggested for an event takes each event of the kind."""
    sample = SAMPLES[name]
    pattern = sample.suggestion(sample.filter, fact)
    lines = [json.dumps(envelope) for envelope in sample.envelopes(fact)] or sample.lines(fact)
    assert lines
    assert [True] * len(lines) == [counts(pattern, line) for line in lines]


@pytest.mark.parametrize("name", [name for name in NAMES if SAMPLES[name].pattern])
def test_the_suggested_rule_takes_its_events(name: str) -> None:
    """The event pattern that is suggested for an event takes each event of the kind."""
    sample = SAMPLES[name]
    pattern = json.loads(sample.suggestion(sample.pattern, fact))
    assert [True] * len(sample.events) == [takes(pattern, envelope) for envelope in sample.envelopes(fact)]


def test_every_item_of_the_document_is_in_the_catalogue() -> None:
    """The catalogue has an alarm for everything that the requirements ask to watch, at its level."""
    expected = {
        "secret-read-failures": ("secret", "warning"),
        "secret-access-denied": ("secret", "critical"),
        "task-start-failures": ("service", "warning"),
        "unhealthy-targets": ("target", "warning"),
        "service-cpu": ("service", "warning"),
        "service-memory": ("service", "warning"),
        "database-connection-failures": ("database", "warning"),
        "replica-lag": ("replica", "warning"),
        "permission-checks": ("environment", "warning"),
        "consistency-checks": ("environment", "warning"),
        "run-completed": ("environment", "warning"),
        "deployment-success": ("service", "warning"),
        "no-healthy-target": ("target", "critical"),
        "no-database-connection": ("database", "critical"),
        "deployment-completed": ("service", "info"),
        "database-maintenance": ("database", "info"),
    }
    items = packaged()
    assert expected == {name: (items[name].watches, items[name].level) for name in expected}


def test_the_packaged_catalogue_is_valid() -> None:
    """Every packaged alarm is complete, and says what is wrong when it fires."""
    items = catalogue(Alarms())
    assert [] == [name for name, item in items.items() if not item.reason]
    assert all(item.event or metrics_of(item) for item in items.values())


def test_an_item_changes_what_it_names_only() -> None:
    """A contract's item keeps what it does not name of the packaged one; `without` takes one away."""
    items = catalogue(Alarms.model_validate({"items": {"service-cpu": {"threshold": 90}}, "without": ["replica-lag"]}))
    assert (items["service-cpu"].threshold, items["service-cpu"].comparison) == (90, ">")
    assert "replica-lag" not in items


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        ({"without": ["cpu"]}, "the catalogue has no such alarm"),
        ({"items": {"own": {}}}, "does not say what it watches"),
        ({"items": {"own": {"watches": "service"}}}, "must be about one thing"),
        ({"items": {"service-cpu": {"level": "urgent"}}}, "has no level with channels"),
        ({"items": {"deployment-failed": {"event": "explosion"}}}, "is about the unknown event explosion"),
        ({"items": {"service-cpu": {"metric": {"name": "X"}}}}, "has a metric that is not named"),
        ({"items": {"service-cpu": {"threshold": None}}}, "does not say when it fires"),
        ({"levels": {"critical": ["fax"], "warning": [], "info": []}}, "the unknown channel fax"),
    ],
    ids=str,
)
def test_a_wrong_catalogue_is_an_error_of_the_contract(tables: dict[str, object], message: str) -> None:
    """An item that cannot be checked is said with its place and what was expected."""
    with pytest.raises((ContractError, InputErrorGroup)) as caught:
        catalogue(Alarms.model_validate(tables))
    assert message in str(caught.value)
    assert "expected:" in str(caught.value)
