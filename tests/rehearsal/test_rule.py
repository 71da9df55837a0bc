"""What the rule `playbooks` says of the record of rehearsals, of commands of AWS and of names."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
from botocore import xform_name

from infraspec.checks.process.playbook_rehearsals import rehearsed
from infraspec.contract.models import Contract
from infraspec.core.errors import ProcessFileError
from infraspec.core.finding import Verdict
from infraspec.process import aws_cli
from infraspec.process.aws_cli import wrong_words
from infraspec.process.rehearsals import RecordedRehearsal, read_rehearsals, write_rehearsals
from tests.rehearsal.pages import BY_NAME

PAGE = BY_NAME["escalation-en"]
TODAY = date(2026, 12, 1)
GOOD = RecordedRehearsal(PAGE.page.file, "prod", date(2026, 11, 1), "", "ran", 9, PAGE.digest)


def judged(directory: Path, *records: RecordedRehearsal, within: str | None = None) -> tuple[Verdict, str]:
    """Return the verdict on one page by a record, and what was found."""
    contract = Contract.model_validate(
        {
            "project": {"application": "shop"},
            "environments": {"prod": {}},
            "playbooks": {"directory": ".", "rehearsals": "rehearsals.json", "rehearsed_within": within},
        }
    ).model_copy(update={"path": directory / "infraspec.toml"})
    assert contract.playbooks
    if records:
        write_rehearsals(directory / "rehearsals.json", "rehearsals.json", records)
    (finding,) = rehearsed(contract, contract.playbooks, [PAGE], TODAY)
    return finding.verdict, finding.found or finding.reason


@pytest.mark.parametrize(
    ("changed", "within", "verdict", "said"),
    [
        ({}, None, Verdict.PROVEN, "ran on 2026-11-01 in prod, in 9 seconds"),
        ({}, "30d", Verdict.PROVEN, "ran on 2026-11-01 in prod, in 9 seconds"),
        ({}, "29d", Verdict.VIOLATED, "the last one on 2026-11-01, 30 days ago"),
        ({"commands": "other"}, None, Verdict.VIOLATED, "one of 2026-11-01, of other commands"),
        ({"result": "stopped"}, None, Verdict.VIOLATED, "stopped on 2026-11-01 in prod"),
        ({"playbook": "docs/other.md"}, None, Verdict.VIOLATED, "none of this page"),
    ],
)
def test_record(changed: dict[str, str], within: str | None, verdict: Verdict, said: str, tmp_path: Path) -> None:
    """A page has to have restored, by the commands that it has now, within the time that the contract sets."""
    record = RecordedRehearsal(**{name: changed.get(name, getattr(GOOD, name)) for name in GOOD.__struct_fields__})

    assert (verdict, said) == judged(tmp_path, record, within=within)


def test_no_record_yet(tmp_path: Path) -> None:
    """A contract may name the record before there is one: nobody has rehearsed then."""
    assert (Verdict.VIOLATED, "none of this page") == judged(tmp_path)


def test_a_later_rehearsal_replaces_the_earlier(tmp_path: Path) -> None:
    """The record has one line for each page and environment, in the order of their paths."""
    path = tmp_path / "rehearsals.json"
    other = RecordedRehearsal("a.md", "prod", TODAY, "", "ran", 1, "x")
    write_rehearsals(path, "r", [GOOD])
    write_rehearsals(path, "r", [other, RecordedRehearsal(PAGE.page.file, "prod", TODAY, "", "stopped", 1, "y")])

    assert [("a.md", "ran"), (PAGE.page.file, "stopped")] == [
        (one.playbook, one.result) for one in read_rehearsals(path, "r")
    ]


@pytest.mark.parametrize("text", ["{}", "[1]", "[", '[{"playbook": "a.md"}]'])
def test_a_record_that_is_none(text: str, tmp_path: Path) -> None:
    """It is an error of the input with the command that writes it again."""
    (tmp_path / "r.json").write_text(text, encoding="utf-8")
    with pytest.raises(ProcessFileError, match="infraspec rehearse --all --record"):
        read_rehearsals(tmp_path / "r.json", "r.json")


@pytest.mark.parametrize(
    ("command", "wrong"),
    [
        ("aws ecs list-service-deployments --cluster a --service b", ""),
        ("aws ecs list-service-deployment --cluster a", "operation list-service-deployment list-service-deployments"),
        ("aws ecs list-tasks --clusters a", "option --clusters --cluster"),
        ("aws esc list-tasks", "service esc es"),
        ("aws ecs wait services-steady", "waiter services-steady services-stable"),
        ("aws ecs wait services-stable", ""),
        ("aws --region eu-west-1 --debug ecs list-tasks", ""),
        ("aws ecs list-tasks --no-cli-pager --max-items=5 --output text", ""),
        ("aws ecs update-service --no-force-new-deployment --service a", ""),
        ("aws ecs update-service --disable-execute-command --service a", ""),
        ("aws logs tail a --since 5m", ""),
        ("aws s3 cp a b --recursive", ""),
        ("aws deploy list-applications", ""),
        ("aws codedeploy list-applications", "service codedeploy deploy"),
        ("aws ec2 authorize-security-group-egress --group-id a --protocol tcp --port 443 --cidr 10.0.0.0/8", ""),
        ("aws secretsmanager get-secret-value --secret a", ""),
        ("aws lambda invoke --function-name a out.json", ""),
        ("aws help", ""),
    ],
)
def test_words_of_the_cli(command: str, wrong: str) -> None:
    """Service, operation, waiter and options are those of AWS's models and of the CLI; the nearest is named."""
    found = wrong_words(command.split())

    assert wrong == "; ".join(f"{one.what} {one.word} {one.nearest}" for one in found)


def test_words_that_are_not_known() -> None:
    """A word that an expansion decides is passed over."""
    assert [] == wrong_words(["aws", None, "list-tasks"])
    assert [] == wrong_words(["aws", "ecs", None, "--nothing"])
    assert [] == wrong_words(["aws", "ecs", "list-tasks", None])


def test_names_of_the_api() -> None:
    """The CLI writes each operation and each option of every service as infraspec does."""
    directory = aws_cli.models()
    assert directory
    names: set[str] = set()
    for service in ("ecs", "ec2", "rds", "storagegateway", "dynamodb", "socialmessaging", "cognito-idp", "s3", "mturk"):
        model = aws_cli._model(directory / service, "service-2")
        names |= {*model["operations"], *(name for one in model["shapes"].values() for name in one.get("members", ()))}

    assert [] == [name for name in sorted(names) if xform_name(name, "-") not in aws_cli.spellings(name)]
