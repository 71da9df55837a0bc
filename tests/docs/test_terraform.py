"""Every Terraform block of the documentation is evaluated, and what the page says of it is found."""

from __future__ import annotations

import re
import shutil
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest

from infraspec import contract as contracts
from infraspec.checks.alarms.alarms import check_alarms
from infraspec.core.finding import Verdict
from infraspec.core.rules import RULES
from infraspec.core.unknown import render
from infraspec.process.playbooks import read_playbooks
from infraspec.terraform.environments import Environments
from tests.docs.blocks import ROOT, Block, blocks
from tests.docs.incident_fix import FIX, repaired
from tools.reference import CONTRACT, check
from tools.rule_examples import EXAMPLES, ROLE

REFERENCE = ROOT / "fixtures" / "daily-report-tool"


def under(block: Block, language: str) -> str:
    """Return the other block under the heading of a block, if there is one."""
    found = [one.text for one in blocks(language, page=block.page) if one.heading == block.heading]
    return found[0] if found else ""


def violates(block: Block, directory: Path) -> None:
    """Assert that the rule of the section says what the section shows, with what stands around the example."""
    rule = block.heading.strip("`")
    (directory / "infraspec.toml").write_text(CONTRACT + under(block, "toml"), encoding="utf-8")
    (directory / "main.tf").write_text(block.text + EXAMPLES[RULES[rule]].hidden, encoding="utf-8")
    found = [one for one in check(rule, contracts.load(directory)) if one.verdict is Verdict.VIOLATED]

    assert under(block, "text") == f"{found[0]}\n"


READER = """
resource "aws_iam_role_policy" "read" {
  role   = aws_iam_role.execution.name
  policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{ Effect = "Allow", Action = "secretsmanager:GetSecretValue", Resource = RESOURCE }]
  })
}

resource "aws_ecs_task_definition" "app" {
  family                = "app"
  execution_role_arn    = aws_iam_role.execution.arn
  container_definitions = jsonencode([{
    name    = "app"
    image   = "nginx"
    secrets = [{ name = "KEY", valueFrom = aws_secretsmanager_secret.jwt.arn }]
  }])
}
"""


def has_the_verdicts_of_the_table(block: Block, directory: Path) -> None:
    """Assert that a policy that allows the resource of a row gives the verdict of the row."""
    page = (ROOT / block.page).read_text(encoding="utf-8")
    rows = re.findall(r"^\| `(\S+jwt\S*)` \| ([A-Z]+) \|", page, re.MULTILINE)
    (directory / "infraspec.toml").write_text(CONTRACT, encoding="utf-8")
    for resource, verdict in rows:
        arn = f'"{resource.replace("…", "arn:aws:secretsmanager:eu-west-1:111122223333")}"'
        reader = READER.replace("RESOURCE", resource if "…" not in resource else arn)
        (directory / "main.tf").write_text(block.text + ROLE + reader, encoding="utf-8")
        found = check("secret-access", contracts.load(directory))
        assert [verdict] == [one.verdict.name for one in found if one.subject.endswith("GetSecretValue")], resource
    assert len(rows) == 4


def names_a_playbook(block: Block, directory: Path) -> None:
    """Assert that each critical alarm of the reference infrastructure that has this description names the playbook."""
    infra = Path(shutil.copytree(REFERENCE, directory / "infra"))
    for path in infra.glob("terraform/modules/monitoring/*.tf"):
        text = re.sub(r"^ *alarm_description .*\n", lambda _: block.text, path.read_text("utf-8"), flags=re.MULTILINE)
        path.write_text(text, encoding="utf-8")
    contract = contracts.load(infra)
    playbooks = read_playbooks(infra / "docs/playbooks", "docs/playbooks")
    found = check_alarms(Environments(contract).plan("prod"), contract, "prod", playbooks)

    assert {"it names docs/playbooks/ja/database-unreachable.md"} == {
        one.reason for one in found if one.subject == "playbook"
    }


def makes_the_queue_of_the_contract(block: Block, directory: Path) -> None:
    """Assert that the queue is that of the canary in docs/contract.md, and is subscribed."""
    topic = 'resource "aws_sns_topic" "critical" {\n  name = "shop-staging-critical"\n}\n'
    (directory / "infraspec.toml").write_text(CONTRACT, encoding="utf-8")
    (directory / "main.tf").write_text(block.text + topic, encoding="utf-8")
    plan = Environments(contracts.load(directory)).plan("prod")
    (table,) = (one.text for one in blocks("toml", page="docs/contract.md") if "live.canary]" in one.text)
    (subscription,) = plan.managed("aws_sns_topic_subscription")

    assert f':{plan.managed("aws_sqs_queue")[0].get("name")}"' in table
    assert ("${aws_sns_topic.critical.arn}", "sqs", "${aws_sqs_queue.canary.arn}") == tuple(
        render(subscription.get(name)) for name in ("topic_arn", "protocol", "endpoint")
    )


def waives_what_it_stands_on(block: Block, directory: Path) -> None:
    """Assert that each comment is a waiver: that of the resource covers more than that of its argument."""
    (directory / "infraspec.toml").write_text(CONTRACT, encoding="utf-8")
    (directory / "main.tf").write_text(block.text, encoding="utf-8")
    plan = Environments(contracts.load(directory)).plan("prod")

    assert ((), [("names", 2, 5), ("policies", 4, 4), ("tags", 4, 4)]) == (
        plan.refused_waivers,
        [(one.rule, one.first, one.last) for one in plan.waivers],
    )


def mends_the_incident(block: Block, directory: Path) -> None:
    """Assert that the secret may be read when the change is made; tests/sandbox/test_incident_replay.py deploys it."""
    found = check("secret-access", contracts.load(repaired(directory, block)), "dev")

    assert {Verdict.PROVEN} == {one.verdict for one in found}


READERS: Mapping[str, Callable[[Block, Path], None]] = {
    "docs/contract.md": waives_what_it_stands_on,
    "docs/alarms.md": names_a_playbook,
    "docs/incident-replay.md": mends_the_incident,
    "docs/live-operations.md": makes_the_queue_of_the_contract,
    "docs/rules.md": violates,
    "docs/verdicts.md": has_the_verdicts_of_the_table,
}
TAKEN = [block for block in blocks("terraform", "hcl") if block.page in READERS]
SHOWN = blocks("text", page="docs/rules.md")


@pytest.mark.parametrize("block", TAKEN, ids=str)
def test_source_is_what_the_page_says(block: Block, tmp_path: Path) -> None:
    """It evaluates, and a rule finds on it what the page says."""
    READERS[block.page](block, tmp_path)


def test_every_finding_has_its_source() -> None:
    """Each finding of docs/rules.md stands under a heading with source."""
    assert [one.heading for one in SHOWN] == [one.heading for one in TAKEN if one.page == "docs/rules.md"]
    assert FIX in TAKEN
