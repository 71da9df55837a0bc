"""The whole of what each command prints that needs no AWS, in each of its forms."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest
from click.testing import CliRunner

from infraspec import contract as contracts
from infraspec.checks.access.explanation import explain
from infraspec.cli import main
from infraspec.reporting.diagnosis import HEALTHY, exit_code
from infraspec.reporting.explanation import explanation_document
from infraspec.reporting.incident_record import incident_record
from tests.cli.test_conventions import CONTRACT, SOURCE
from tests.cli.test_every_command import GOOD, folder  # noqa: F401 - a fixture
from tests.cli.test_explain import SHOP
from tests.cli.test_plan import SHOP as PLANNED
from tests.live.fleet import Cluster
from tests.live.incident import ALLOWING, TERRAFORM, failing, healthy, repaired, rolled_back, unassumed
from tests.live.test_diagnosing import as_json, as_text, diagnosed
from tests.live.test_start_facts import ANSWERS
from tests.terminal.test_explanation import CASES, LIMIT, READ, RESOURCE, SECRET
from tests.terminal.test_explanation import SOURCE as LAYERS
from tests.terraform.sources import plan_of, write
from tests.whole_results import Transcript, described

FORMS = {
    "conventions": ["", "--format markdown"],
    "explain": ["", "--format json", "--also-allow s3:*=*", "--also-deny secretsmanager:*=*"],
    "plan": [],
    "report comment": ["", "--limit 2000"],
    "simulate": ["", "--format text"],
}
LATE = {"doctor", "report kpi", "report site", "report notify"}
"""What these print or write names the day, or what is installed; their own tests pass it in."""
DECISIONS = [
    ("secretsmanager:GetSecretValue", "aws_secretsmanager_secret.db"),
    ("secretsmanager:GetSecretValue", "aws_secretsmanager_secret.api"),
    ("secretsmanager:PutSecretValue", "aws_secretsmanager_secret.db"),
    ("logs:PutLogEvents", "aws_cloudwatch_log_group.app"),
    ("s3:DeleteObject", "arn:aws:s3:::shop-files/a"),
    ("s3:GetObject", "arn:aws:s3:::shop-files/a"),
    ("s3:GetObject", "arn:aws:s3:::other/a"),
    ("s3:GetBucketLocation", "aws_s3_bucket.files"),
    ("sqs:SendMessage", "arn:aws:sqs:eu-west-1:111122223333:jobs"),
    ("kms:Decrypt", "aws_kms_key.main"),
    ("kms:Decrypt", "arn:aws:kms:eu-west-1:444455556666:key/1"),
    ("ecs:DescribeServices", "*"),
]

READ_BY_TERRAFORM = """
    data "aws_iam_policy_document" "certain" {
      statement { actions = ["s3:GetObject"] }
    }
    data "aws_iam_policy_document" "after" {
      statement { resources = [aws_secretsmanager_secret.database.arn] }
    }
"""
"""Terraform lists a data source that it can read only during apply, and none that it has read."""


def _gone() -> Cluster:
    return unassumed(None, as_event=True)


def _let_in() -> Cluster:
    return unassumed(ANSWERS["iam", "get_role"], as_event=False)


def printed(words: list[str]) -> list[str]:
    """Run a command in this process, and return its exit code with what it prints."""
    result = CliRunner().invoke(main, words)
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return [f"exit code {result.exit_code}\n{result.stdout}", *filter(None, [result.stderr])]


@pytest.mark.parametrize("name", [name for name in GOOD if name not in LATE])
def test_each_command(
    name: str,
    folder: Path,  # noqa: F811 - the fixture
    monkeypatch: pytest.MonkeyPatch,
    transcript: Transcript,
) -> None:
    """A command prints all this, whatever its own tests say of it."""
    monkeypatch.chdir(folder)
    for form in FORMS.get(name, [""]):
        given = (
            GOOD[name].replace(" --migration", "") if name == "conventions" and form != "--migration" else GOOD[name]
        )
        transcript(printed([*name.split(), *given.split(), *form.split()]))


@pytest.mark.parametrize("form", ["text", "json"])
@pytest.mark.parametrize(("action", "resource"), DECISIONS)
def test_decisions(action: str, resource: str, form: str, tmp_path: Path, transcript: Transcript) -> None:
    """An explanation says which policy decides, what came closest, and what would have to be known."""
    write(tmp_path, SHOP)
    words = ["explain", "--infra", str(tmp_path), "--role", "shop-app", "--action", action, "--resource", resource]
    transcript(printed([*words, "--format", form]))


@pytest.mark.parametrize(
    "make", [healthy, rolled_back, failing, repaired, _gone, _let_in], ids=lambda make: make.__name__
)
def test_diagnoses(make: Callable[[], Cluster], tmp_path: Path, transcript: Transcript) -> None:
    """A diagnosis says what happened, by what it is known, and how to go on; also as JSON and as a record."""
    for text in (TERRAFORM, ALLOWING):
        found = diagnosed(tmp_path, make(), text)
        transcript([f"exit code {exit_code(found)}", as_text(found), as_json(found)])
        transcript(incident_record(one, contracts.load(tmp_path), "prod") for one in found)


def test_nothing_to_diagnose_is_healthy() -> None:
    """Without a service nothing is wrong."""
    assert exit_code([]) == HEALTHY


@pytest.mark.parametrize("case", CASES)
def test_layers(case: str, tmp_path: Path, transcript: Transcript) -> None:
    """On a terminal each layer of policies has its own row, the identity policies first."""
    own, boundary, resource, _ = CASES[case]
    parts = {
        "own": own,
        "boundary": boundary or "",
        "limit": "" if boundary is None else LIMIT,
        "resource": "" if resource is None else RESOURCE.format(resource),
    }
    found = explain(plan_of(tmp_path, LAYERS.format(**parts)), "app", READ, SECRET)
    transcript(map(described, explanation_document(found).parts("terminal")))


@pytest.mark.parametrize("form", ["text", "json"])
def test_planned_values(form: str, tmp_path: Path, transcript: Transcript) -> None:
    """A plan is shown with what is known of each value, and nothing that is sensitive."""
    write(tmp_path, PLANNED | {"shop/data.tf": READ_BY_TERRAFORM})
    transcript(printed(["plan", "--root", str(tmp_path / "shop"), "--format", form]))


@pytest.mark.parametrize("language", ["en", "ja"])
@pytest.mark.parametrize("tags", ["", '[tags]\npolicy = "tags.json"\n', CONTRACT.partition("[tags]\n")[2]])
def test_conventions(language: str, tags: str, tmp_path: Path, transcript: Transcript) -> None:
    """The rules and the way to them are written in both languages, and what a contract lacks is left out."""
    before, _, _ = CONTRACT.partition("[tags]\n")
    for names in (before, before.partition("[names.patterns]")[0]):
        text = names + (f"[tags]\n{tags}" if "exempt" in tags else tags)
        write(tmp_path, {"main.tf": SOURCE, "tags.json": "{}", "infraspec.toml": text})
        words = ["conventions", "--infra", str(tmp_path), "--lang", language]
        transcript(printed(words))
        for form in ("text", "markdown"):
            transcript(printed([*words, "--migration", "--format", form]))
