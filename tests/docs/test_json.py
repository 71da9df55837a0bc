"""Every JSON block of the documentation is read by the code that reads such a document, or compared with its output."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from datetime import UTC, datetime

import pytest

from infraspec.checks.conventions.tag_policy import check_tag_policy
from infraspec.cli.simulate import decided
from infraspec.contract.models import Contract
from infraspec.conventions.tag_policy import TagPolicy
from infraspec.core.finding import Verdict
from infraspec.iam.lint.document import document_faults
from infraspec.iam.lint.faults import FINDINGS, PolicyFault
from infraspec.iam.policy.document import PolicyDocument
from infraspec.process.gitlab.project import read_project
from infraspec.reporting.notify.metrics import Publication
from infraspec.resource_types import Policy, PolicyKind
from infraspec.terraform.plan import Plan, Resource
from tests.docs.blocks import Block, blocks

USES = {"trust": PolicyKind.TRUST, "resource": PolicyKind.RESOURCE}


def faults(block: Block) -> list[PolicyFault]:
    """Lint a policy document, or a statement of one; the mark of the block says what kind it is."""
    tree = json.loads(block.text)
    document = tree if "Statement" in tree else {"Version": "2012-10-17", "Statement": [tree]}
    use = Policy(USES.get(block.mark, PolicyKind.IDENTITY))
    return list(document_faults(PolicyDocument.from_value(document, with_principals=use.names_principals), use))


def has_the_fault_of_its_section(block: Block) -> None:
    """Assert that the lint finds what the section is about, and nothing else."""
    section = block.heading.strip("`")
    assert section in FINDINGS
    assert {section} == {fault.finding for fault in faults(block)}


def has_no_fault(block: Block) -> None:
    """Assert that the lint finds nothing."""
    assert [] == faults(block)


def is_a_case(block: Block) -> None:
    """Assert that `infraspec simulate` decides each line."""
    lines = block.text.encode().splitlines()
    assert len(lines) == len(list(decided(lines, "cases.jsonl")))


def is_what_the_session_may(block: Block) -> None:
    """Assert that it is the statement of the session that publishes metrics."""
    time = datetime(2026, 11, 25, tzinfo=UTC)
    publication = Publication("prod", "shop-prod", "eu-west-1", None, "static", time, ())
    assert publication.policy()["Statement"] == [json.loads(block.text)]


def is_a_tag_policy(block: Block) -> None:
    """Assert that it is read with what stands in it, and that a log group without the tag violates it."""
    (rule,) = TagPolicy.from_json(block.text).rules
    ((key, entry),) = json.loads(block.text)["tags"].items()
    assert (key, entry["tag_key"]["@@assign"]) == (rule.policy_key, rule.tag_key)
    group = Resource("aws_cloudwatch_log_group.main", "managed", "aws_cloudwatch_log_group", "main", None, "", {})
    contract = Contract.model_validate({"project": {"application": "shop"}, "environments": {"prod": {}}})
    (finding,) = check_tag_policy(Plan("test", [group]), contract, "prod", TagPolicy.from_json(block.text))
    assert finding.verdict is Verdict.VIOLATED


def is_a_project(block: Block) -> None:
    """Assert that the settings of a project of GitLab are read, and say that nobody pushes to the branch."""
    settings = read_project(block.text, "project.json", "main")
    assert ((), []) == (settings.pushers, [name for name, wanted, found in settings.judged() if wanted != found])


READERS: Mapping[str, Callable[[Block], None]] = {
    "docs/iam.md": is_a_case,
    "docs/live.md": has_no_fault,
    "docs/metrics-and-notifications.md": is_what_the_session_may,
    "docs/names-and-tags.md": is_a_tag_policy,
    "docs/process.md": is_a_project,
    "docs/policies.md": has_the_fault_of_its_section,
}
TAKEN = [block for block in blocks("json") if block.page in READERS]


@pytest.mark.parametrize("block", TAKEN, ids=str)
def test_document_is_read(block: Block) -> None:
    """It is the document that the page says it is."""
    READERS[block.page](block)
