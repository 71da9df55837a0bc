from pathlib import Path

import pytest

from infraspec.core.errors import InfraspecError, ProcessFileError
from infraspec.process.history import deployments_of
from infraspec.process.incidents import figures, incident_of
from infraspec.process.markdown import Page, parse_page

FRONT = {
    "id": '"one"',
    "environment": "prod",
    "severity": "critical",
    "failure_class": "secret-missing",
    "playbook": "secret-missing",
    "owner": "team",
    "started": '"2026-01-31T09:00:00+09:00"',
    "detected": "2026-01-31T00:02:00Z",
    "restored": '"2026-01-31T09:30:00+09:00"',
    "resolved": "null",
}


def record(**changed: str | None) -> Page:
    """Return an incident record with some keys changed, or left out."""
    front = {key: value for key, value in {**FRONT, **changed}.items() if value is not None}
    return parse_page("---\n" + "".join(f"{key}: {value}\n" for key, value in front.items()) + "---\n", "one.md")


def test_incident() -> None:
    """A record has its times; one that has not come yet is None."""
    incident = incident_of(record())

    assert incident.playbook == "secret-missing"
    assert incident.restored is not None
    assert (incident.restored - incident.started).total_seconds() == 1800
    assert incident.resolved is None


@pytest.mark.parametrize(
    ("changed", "key"),
    [
        ({"owner": None}, "owner"),
        ({"id": "7"}, "id"),
        ({"started": None}, "started"),
        ({"started": "yesterday"}, "started"),
        ({"started": '"2026-01-31T09:00:00"'}, "started"),
        ({"restored": '"2026-01-31T08:00:00+09:00"'}, "restored"),
    ],
)
def test_wrong_record(changed: dict[str, str | None], key: str) -> None:
    """A key that is missing or wrong is an error that names it."""
    with pytest.raises(ProcessFileError, match=key):
        incident_of(record(**changed))


def test_figures(tmp_path: Path) -> None:
    """Rate, time to recovery and success are those of the records."""
    log = tmp_path / "deployments.jsonl"
    outcomes = ["succeeded", "failed", "succeeded", "rolled-back"]
    log.write_text(
        "\n".join(
            f'{{"at": "2026-01-0{n}T00:00:00Z", "environment": "prod", "outcome": "{o}"}}'
            for n, o in enumerate(outcomes, 1)
        ),
        encoding="utf-8",
    )
    found = figures([incident_of(record())], deployments_of(log, "deployments.jsonl", ()))

    assert found.incident_rate == 0.25
    assert found.recovery_minutes == 30
    assert found.deployment_success == 0.5


def test_figures_of_nothing() -> None:
    """Without incidents and deployments there is no figure, not a perfect one."""
    assert figures([], []).deployment_success is None
    assert figures([], []).recovery_minutes is None


def test_wrong_deployments_are_reported_together(tmp_path: Path) -> None:
    """Every line that is no deployment is named."""
    log = tmp_path / "log"
    log.write_text('{"at": 1}\n\n[]\n{"at": "2026-01-01T00:00:00Z", "environment": "p", "outcome": "ok"}\n', "utf-8")
    with pytest.raises(InfraspecError) as caught:
        deployments_of(log, "log", ())
    assert all(place in str(caught.value) for place in ("log:1", "log:3", "log:4"))
