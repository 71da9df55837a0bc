from __future__ import annotations

import json
import textwrap
from collections.abc import Mapping, Sequence
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from botocore.exceptions import ClientError

from infraspec import contract as contracts
from infraspec.aws.failures import failures
from infraspec.checks.process.incidents import check_incidents
from infraspec.checks.services.diagnosis import Diagnosis
from infraspec.contract.models import Contract
from infraspec.contract.operations import Incidents
from infraspec.core.errors import RequestError, RunnerPermissionError
from infraspec.core.finding import Verdict
from infraspec.live.diagnosing import diagnoses
from infraspec.process.playbooks import read_playbooks
from infraspec.reporting import document
from infraspec.reporting.diagnosis import diagnosis_document, exit_code
from infraspec.reporting.incident_record import incident_record, record_id
from tests.docs.blocks import blocks
from tests.live.fleet import DENIED, SECRET, Cluster, source
from tests.live.incident import ALLOWING, CONTRACT, PLAYBOOK, TERRAFORM, failing, healthy, repaired, rolled_back
from tests.live.test_services import in_shared
from tests.terraform.sources import write

HOURS = timedelta(hours=2)
PLAYBOOKS = '[playbooks]\ndirectory = "docs/playbooks"\n[incidents]\ndirectory = "docs/incidents"\n'


def as_text(found: Sequence[Diagnosis]) -> str:
    """Return what a pipe gets."""
    return document.as_text(diagnosis_document(found))


def as_json(found: Sequence[Diagnosis]) -> str:
    """Return what programs get."""
    return document.as_json(diagnosis_document(found).data())


def loaded(directory: Path) -> Contract:
    """Write the contract and its one playbook beside the source."""
    write(directory, {"main.tf": TERRAFORM} if not (directory / "main.tf").exists() else {})
    for name in ("playbooks", "incidents"):
        (directory / "docs" / name).mkdir(parents=True, exist_ok=True)
    (directory / "docs" / "playbooks" / "denied.md").write_text(PLAYBOOK, encoding="utf-8")
    (directory / "infraspec.toml").write_text(textwrap.dedent(CONTRACT) + PLAYBOOKS, encoding="utf-8")
    return contracts.load(directory)


def diagnosed(directory: Path, cluster: Cluster, text: str = TERRAFORM, **options: Any) -> list[Diagnosis]:
    """Diagnose the service of a source."""
    given = {"service": None, "back": HOURS, **options}
    return diagnoses(cluster.calls(), source(directory, text), loaded(directory), **given)


def test_a_healthy_service(tmp_path: Path) -> None:
    """Nothing is wrong, and CloudTrail is not asked."""
    calls = healthy().calls()

    found = diagnoses(calls, source(tmp_path, TERRAFORM), loaded(tmp_path), service=None, back=HOURS)

    assert exit_code(found) == 0
    assert as_text(found).startswith("web in shop: healthy\n")
    assert "Fix" not in as_text(found)
    assert calls.count("cloudtrail", "lookup_events") == 0


@pytest.mark.parametrize("make", [rolled_back, failing])
def test_the_incident(make: Any, tmp_path: Path) -> None:
    """Cause, secret, role and the statement that is missing are named, and what goes back is printed."""
    found = diagnosed(tmp_path, make())
    text = as_text(found)

    assert exit_code(found) == 1
    assert "cause:       secret-access-denied\n" in text
    assert f"message:     {DENIED}\n" in text
    assert f"secret:      {SECRET}\n" in text
    assert "role:        aws_iam_role.execution (" in text
    assert "Fix: add to aws_iam_role_policy.execution (" in text
    assert "aws_secretsmanager_secret.db.arn" in text
    assert "playbook:    docs/playbooks/denied.md" in text
    assert '\naws ecs update-service --cluster "$CLUSTER" --service "$SERVICE" --task-definition "$PREVIOUS"' in text


def test_the_commands_of_the_playbook_have_their_names(tmp_path: Path) -> None:
    """Cluster and service are filled in, and the revision that worked last if ECS knows it."""
    (one,) = json.loads(as_json(diagnosed(tmp_path, rolled_back())))["services"]

    assert one["rollback"][:3] == ["CLUSTER=shop", "SERVICE=web", "PREVIOUS=web:15"]
    (one,) = json.loads(as_json(diagnosed(tmp_path, failing())))["services"]
    assert one["rollback"][2].startswith("PREVIOUS=$(aws ecs list-task-definitions")


def test_without_a_playbook(tmp_path: Path) -> None:
    """There is a command to go back all the same."""
    contract = loaded(tmp_path).model_copy(update={"playbooks": None})

    found = diagnoses(rolled_back().calls(), source(tmp_path, TERRAFORM), contract, service=None, back=HOURS)

    assert '\naws ecs update-service --cluster "$CLUSTER"' in as_text(found)


def test_the_service_has_got_over_it(tmp_path: Path) -> None:
    """After the fix the tasks of before are history."""
    found = diagnosed(tmp_path, repaired(), ALLOWING)

    assert exit_code(found) == 0
    assert as_text(found).startswith("web in shop: recovered\n")


def test_who_changed_what(tmp_path: Path) -> None:
    """Operation, time and who; nothing else of the request, which may hold anything."""
    text = as_text(diagnosed(tmp_path, rolled_back()))

    who = "arn:aws:sts::111122223333:assumed-role/deploy/dana"
    assert f"changed:     2026-11-25 08:48:00 UTC RegisterTaskDefinition of web by {who}\n" in text
    assert "hunter2" not in text + as_json(diagnosed(tmp_path, rolled_back()))


def test_cloudtrail_may_not_be_asked(tmp_path: Path) -> None:
    """The missing permission is named, and the diagnosis is there all the same."""

    def denied(**_: Any) -> Mapping[str, Any]:
        raise RunnerPermissionError("the runner may not cloudtrail:LookupEvents")

    cluster = rolled_back()
    cluster.answers["cloudtrail", "lookup_events"] = denied

    text = as_text(diagnosed(tmp_path, cluster))

    assert "changed:     CloudTrail was not asked for all: the runner may not cloudtrail:LookupEvents\n" in text
    assert "cause:       secret-access-denied\n" in text


@pytest.mark.parametrize(
    ("text", "service", "message"),
    [(TERRAFORM, "wbe", "--service web"), ("", None, "there are no services in source")],
)
def test_no_such_service(text: str, service: str | None, message: str, tmp_path: Path) -> None:
    """A misspelt name is asked about, and a source without services is an error."""
    with pytest.raises(RequestError) as caught:
        diagnosed(tmp_path, healthy(), text, service=service)

    assert message in str(caught.value)


def test_how_far_to_look_back(tmp_path: Path) -> None:
    """Tasks that stopped before do not count."""
    found = diagnosed(tmp_path, repaired(), back=timedelta(minutes=1))

    assert not found[0].stopped


@pytest.mark.parametrize("make", [rolled_back, failing, healthy])
def test_the_record_is_one_that_the_rule_takes(make: Any, tmp_path: Path) -> None:
    """Written to the directory of the contract, it is proven."""
    contract = loaded(tmp_path)
    (one,) = diagnosed(tmp_path, make())
    record = tmp_path / "docs" / "incidents" / f"{record_id(one)}.md"

    record.write_text(incident_record(one, contract, "prod"), encoding="utf-8")

    rules = Incidents(directory=Path("docs/incidents"))
    pages = read_playbooks(tmp_path / "docs" / "playbooks", "docs/playbooks")
    findings = check_incidents(contract, rules, pages)
    expected = 1 if make is healthy else 0  # of a healthy service there is no playbook
    assert [finding.verdict for finding in findings].count(Verdict.VIOLATED) == expected
    assert len(findings) == 3


def test_the_record_says_what_happened(tmp_path: Path) -> None:
    """Times in order, the whole message, the fix, and what people have to add left open."""
    (one,) = diagnosed(tmp_path, rolled_back())

    text = incident_record(one, loaded(tmp_path), "prod")

    assert 'id: "2026-11-25-web-secret-access-denied"\n' in text
    assert 'severity: "warning"\n' in text
    assert 'owner: "on-call"\n' in text
    assert 'started: "2026-11-25T08:50:00+00:00"\nrestored: "2026-11-25T08:57:00+00:00"\n' in text
    assert f"`{DENIED}`" in text
    assert "```hcl\n{\n  Effect" in text
    assert text.count("_to be written_") == 5
    (down,) = diagnosed(tmp_path, failing())
    assert 'severity: "critical"\n' in incident_record(down, loaded(tmp_path), "prod")


def refused(**_: Any) -> Mapping[str, Any]:
    """Answer as CloudTrail does who lacks the permission."""
    message = (
        "User: arn:aws:sts::111122223333:assumed-role/infraspec-runner/1 is not authorized to perform: "
        "cloudtrail:LookupEvents because no identity-based policy allows the cloudtrail:LookupEvents action"
    )
    with failures("cloudtrail", "lookup_events", "eu-west-1"):
        raise ClientError({"Error": {"Code": "AccessDeniedException", "Message": message}}, "LookupEvents")


def test_the_example_of_the_documentation(tmp_path: Path) -> None:
    """What docs/diagnose.md shows is what is printed."""
    shown, without = blocks("text", page="docs/diagnose.md")

    text = as_text(diagnosed(tmp_path, rolled_back()))

    assert shown.text == text.replace(f"{tmp_path}/", "") + "\n"
    cluster = rolled_back()
    cluster.answers["cloudtrail", "lookup_events"] = refused
    text = as_text(diagnosed(tmp_path, cluster))
    assert without.text == text[text.index("  changed:") : text.index("  playbook:")]


def test_a_service_of_another_account_is_no_healthy_one(tmp_path: Path) -> None:
    """Nothing was asked about it."""
    with pytest.raises(RequestError) as caught:
        diagnosed(tmp_path, healthy(), in_shared('"arn:aws:iam::222233334444:role/deploy"'))

    assert "web of account 222233334444" == caught.value.found
    assert "a service of account 111122223333" == caught.value.expected
