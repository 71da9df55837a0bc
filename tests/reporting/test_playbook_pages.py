"""Which playbooks are shown beside findings."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec import contract as contracts
from infraspec.contract.models import Contract
from infraspec.core.errors import ProcessFileError
from infraspec.core.finding import Finding, Verdict
from infraspec.process.playbooks import read_playbooks
from infraspec.reporting.allure.labels import failure_classes, playbook_pages
from tests.live.deployed import CONTRACT


def finding(rule: str, subject: str = "") -> Finding:
    """Return a finding of a rule."""
    return Finding(rule, Verdict.VIOLATED, "aws_ecs_task_definition.app", subject)


@pytest.mark.parametrize(
    ("rule", "subject", "expected"),
    [
        ("secret-access", 'container "app", secret "DB": secretsmanager:GetSecretValue', "secret-access-denied"),
        ("secret-access", 'container "app", secret "DB": ssm:GetParameters', "parameter-unreadable"),
        ("secret-access", 'container "app", secret "DB": kms:Decrypt', "kms-access-denied"),
        ("secret-access", 'container "app", image: ecr:BatchGetImage', "image-pull-failed"),
        ("secret-access", 'container "app", log driver: logs:PutLogEvents', "logging-failed"),
        ("secret-access", 'container "app": ssmmessages:OpenDataChannel', None),
        ("secret-access", "execution role", None),
        ("task-definitions", 'container "app", secret "DB"', "secret-reference-invalid"),
        ("policies", "policy Statement.0: kms:Decrypt", None),
        ("names", "", None),
    ],
)
def test_what_a_task_would_stop_with(rule: str, subject: str, expected: str | None) -> None:
    """By the action that a role may not do, and for a reference that ECS cannot read."""
    assert ((expected,) if expected else ()) == failure_classes([finding(rule, subject)])


def test_each_class_is_named_once_in_the_order_of_the_findings() -> None:
    """Ten findings of one cause need one playbook."""
    found = [finding("secret-access", f"x: {action}") for action in ("kms:Decrypt", "ecr:x", "kms:Decrypt")]
    assert ("kms-access-denied", "image-pull-failed") == failure_classes(found)


def test_the_pages_of_the_reference_infrastructure() -> None:
    """A playbook is shown in each of its languages, in order of their paths."""
    pages = playbook_pages(CONTRACT, [finding("secret-access", "x: kms:Decrypt")])
    assert [("kms-access-denied", "en"), ("kms-access-denied", "ja")] == [(page.id, page.language) for page in pages]
    assert all(page.file.endswith(f"docs/playbooks/{page.language}/kms-access-denied.md") for page in pages)


@pytest.mark.parametrize("found", [[], [finding("names")]])
def test_no_pages_without_a_stopped_task(found: list[Finding]) -> None:
    """A name that is wrong stops no task."""
    assert () == playbook_pages(CONTRACT, found)


def contract(directory: Path, **files: str) -> Contract:
    """Return the contract of a repository with these playbooks."""
    (directory / "playbooks").mkdir()
    for name, text in files.items():
        (directory / "playbooks" / f"{name}.md").write_text(text, encoding="utf-8")
    (directory / "main.tf").write_text("", encoding="utf-8")
    (directory / "infraspec.toml").write_text(
        '[project]\napplication = "app"\n[environments.prod]\nroot = "."\n[playbooks]\ndirectory = "playbooks"\n',
        encoding="utf-8",
    )
    return contracts.load(directory)


def test_no_pages_without_playbooks_or_with_malformed_ones(tmp_path: Path) -> None:
    """What is wrong with a playbook is said by the rule about playbooks, not by a report."""
    bad = [finding("secret-access", "x: kms:Decrypt")]
    assert () == playbook_pages(CONTRACT.model_copy(update={"playbooks": None}), bad)
    broken = contract(tmp_path, broken="---\nid: kms-access-denied\nlanguage: 7\n---\n# KMS\n")
    with pytest.raises(ProcessFileError):
        read_playbooks(tmp_path / "playbooks", "playbooks")
    assert () == playbook_pages(broken, bad)
