"""What CONTRIBUTING.md says of adding a rule, done in a copy: the suite has it, and so has all that reads rules."""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infraspec.core.rules import RULES
from tests.plugin.project import CONTRACT, ROOT, Project

SECTION = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8").partition("## Add a rule\n")[2].partition("\n## ")[0]
ENTRY = """QUEUE_AGE = Rule(
    id="queue-age",
    suites=_STATIC,
    domain="Queues",
    severity="critical",
    sentence="Messages are kept long enough to be looked at.",
    why="What is deleted on a Friday evening is missed on Monday.",
    page="contract",
    empty="there is no queue",
)
"""
CHECK = '''"""Rule `queue-age`: messages are kept for four days."""

from infraspec.core.rules import QUEUE_AGE as RULE
from infraspec.finding import Finding
from infraspec.terraform.plan import Plan


def check_queue_age(plan: Plan) -> list[Finding]:
    """Judge each queue."""
    return [
        RULE.about(queue).violated(expected="four days", found="an hour", reason="it is short", remedy="make it longer")
        if queue.get("message_retention_seconds") == 3600
        else RULE.about(queue).proven("it is long enough")
        for queue in plan.managed("aws_sqs_queue")
    ]
'''
QUEUE = 'resource "aws_sqs_queue" "a" {\n  message_retention_seconds = 3600\n}\n'


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the package and the static suite in which the rule is added."""
    tmp_path = tmp_path_factory.mktemp("copy")
    for folder in ("plugins", "tests_static"):
        shutil.copytree(ROOT / folder, tmp_path / folder)
    rules = tmp_path / "plugins" / "infraspec" / "core" / "rules.py"
    text = rules.read_text(encoding="utf-8").replace("\nRULES: ", f"{ENTRY}\nRULES: ")
    rules.write_text(text, encoding="utf-8")
    (tmp_path / "plugins" / "infraspec" / "checks" / "queue_age.py").write_text(CHECK, encoding="utf-8")
    return tmp_path


def run(copy: Path, *arguments: str) -> str:
    """Return what Python prints that imports the copy."""
    environment = {**os.environ, "PYTHONPATH": str(copy / "plugins")}
    command = [sys.executable, *arguments]
    return subprocess.run(command, cwd=copy, env=environment, capture_output=True, text=True, check=False).stdout


@pytest.mark.parametrize(
    ("hcl", "expected"),
    [(QUEUE, "VIOLATED queue-age: aws_sqs_queue.a"), ('resource "aws_sns_topic" "a" {}\n', "there is no queue")],
)
def test_the_suite_has_the_rule(copy: Path, hcl: str, expected: str) -> None:
    """The two files of the package are enough: the suite judges the rule, and -k knows it by its id."""
    infra = Project({"infraspec.toml": CONTRACT, "main.tf": hcl}, base=None).write(copy / "infra")
    suite = ("-m", "pytest", "tests_static", "-p", "no:cacheprovider", "-rs", "-k", "queue-age")

    assert expected in run(copy, *suite, "--infraspec-dir", str(infra))


def test_whatever_reads_rules_knows_it(copy: Path) -> None:
    """Reports, notifications and the contract's check of ids read the same object."""
    program = (
        "from infraspec.core.rules import RULES, rule_of; from infraspec.reporting.run.results import by_rule\n"
        "print(rule_of('queue-age').is_critical, 'queue-age' in RULES, by_rule('dev', 'queue-age', ['dev'])[1])"
    )

    assert f"True True {len(RULES)}" == run(copy, "-c", program).strip()


def test_the_list_of_files_is_short_and_true() -> None:
    """Five files, and each is there, or is named after the rule."""
    files = re.findall(r"^\| `([^`]+)`", SECTION, re.MULTILINE)

    assert 5 == len(files)
    assert [] == [name for name in files if "RULE" not in name and not (ROOT / name).exists()]
