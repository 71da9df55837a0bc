"""What CONTRIBUTING.md says of adding a rule, a type of resource, a report and a function, done in a copy of the tree.

The lists of files are whole: with what they name alone, the package has what was added wherever it has the others.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from infraspec.core.rules import RULES
from infraspec.reporting.run.results import encode
from tests.plugin.project import CONTRACT, ROOT, Project
from tests.reporting.results import RESULTS

PACKAGE = "plugins/infraspec"
TEXT = (ROOT / "CONTRIBUTING.md").read_text(encoding="utf-8")
RULE = """,
  {
    "id": "queue-age",
    "room": "deployed",
    "domain": "Queues",
    "severity": "critical",
    "sentence": "Messages are kept long enough to be looked at.",
    "why": "What is deleted on a Friday evening is missed on Monday.",
    "page": "contract",
    "empty": "there is no queue"
  }
]
"""
CHECK = '''"""Rule `queue-age`: messages are kept for four days."""

from infraspec.core.finding import Finding
from infraspec.core.rules import RULES
from infraspec.terraform.plan import Plan

RULE = RULES["queue-age"]


def check_queue_age(plan: Plan) -> list[Finding]:
    """Judge each queue."""
    return [
        RULE.about(queue).violated(expected="four days", found="an hour", reason="it is short", remedy="make it longer")
        if queue.get("message_retention_seconds") == 3600
        else RULE.about(queue).proven("it is long enough")
        for queue in plan.managed("aws_sqs_queue")
    ]
'''
FUNCTION = '''

@function("shout", text)
def shout(value: str) -> str:
    """Say it louder."""
    return value.upper() + "!"
'''
ROW = """,
  {
    "type": "aws_iot_thing",
    "name": "name",
    "listing": {
      "service": "iot",
      "call": {"operation": "ListThings", "key": "things"},
      "attributes": {"name": "thingName", "arn": "thingArn", "id": "thingName"},
      "has_tags": false
    }
  }
]
"""
KIND = """{
  "aws_iot_thing": {
    "create": [
      {"call": "iot.create_thing", "takes": "name=thingName", "gives": "arn=thingArn id=thingName name=thingName"}
    ]
  },
  "aws_sns_topic": {
"""
REPORT = '''"""How many findings there are."""

from infraspec.reporting.run.results import Results


def tally(results: Results) -> str:
    """Count them."""
    return f"{len(results.findings)} findings"
'''
COMMAND = '''

@click.command()
@RESULTS
@reported
def tally(results: Path) -> None:
    """Count the findings."""
    from infraspec.reporting.tally import tally as counted

    click.echo(counted(read(results)))
'''
QUEUE = 'resource "aws_sqs_queue" "a" {\n  message_retention_seconds = 3600\n}\n'
THING = 'resource "aws_iot_thing" "door" {\n  name = "hello-dev-door"\n}\n'
SOURCE = """
output "known" { value = shout("hello") }
output "unknown" { value = shout(aws_sns_topic.a.arn) }
resource "aws_sns_topic" "a" {}
"""


def listed(section: str) -> list[str]:
    """Return the files that a section of CONTRIBUTING.md lists."""
    return re.findall(r"^\| `([^`]+)`", TEXT.partition(f"## {section}\n")[2].partition("\n## ")[0], re.MULTILINE)


def insert(path: Path, before: str, after: str) -> None:
    """Replace a text that stands in a file once."""
    text = path.read_text(encoding="utf-8")
    assert 1 == text.count(before)
    path.write_text(text.replace(before, after), encoding="utf-8")


@pytest.fixture(scope="module")
def copy(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a copy of the package and the static suite in which one of each is added."""
    copy = tmp_path_factory.mktemp("copy")
    for folder in ("plugins", "tests_static"):
        shutil.copytree(ROOT / folder, copy / folder, ignore=shutil.ignore_patterns("__pycache__"))
    package = copy / PACKAGE
    insert(package / "core/rules.json", "\n]\n", RULE)
    (package / "checks/deployed/queue_age.py").write_text(CHECK, encoding="utf-8")
    with (package / "terraform/language/functions/strings.py").open("a", encoding="utf-8") as file:
        file.write(FUNCTION)
    insert(package / "resource_types/messaging.json", "\n]\n", ROW)
    insert(package / "sandbox/resources/observation.json", '{\n  "aws_sns_topic": {\n', KIND)
    (package / "reporting/tally.py").write_text(REPORT, encoding="utf-8")
    with (package / "cli/report/results.py").open("a", encoding="utf-8") as file:
        file.write(COMMAND)
    row = '_COMMANDS = {\n    "tally": ("infraspec.cli.report.results:tally", "Count the findings."),\n'
    insert(package / "cli/report/__init__.py", "_COMMANDS = {\n", row)
    return copy


def run(copy: Path, *arguments: str, directory: Path | None = None) -> str:
    """Return what Python prints that imports the copy."""
    environment = {**os.environ, "PYTHONPATH": str(copy / "plugins")}
    command = [sys.executable, *arguments]
    result = subprocess.run(
        command, cwd=directory or copy, env=environment, capture_output=True, text=True, check=False
    )
    return result.stdout + result.stderr


@pytest.mark.parametrize(
    ("hcl", "expected"),
    [(QUEUE, "VIOLATED queue-age: aws_sqs_queue.a"), ('resource "aws_sns_topic" "a" {}\n', "there is no queue")],
)
def test_the_suite_has_the_rule(copy: Path, hcl: str, expected: str) -> None:
    """The files of the package are enough: the suite judges the rule, and -k knows it by its id."""
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


def test_the_language_has_the_function(copy: Path, tmp_path: Path) -> None:
    """One file is enough: expressions may call it, and of what is not known it is unknown, by its name."""
    program = (
        "import sys; from pathlib import Path; from tests.terraform.sources import plan_of\n"
        f"outputs = plan_of(Path(sys.argv[1]), {SOURCE!r}).outputs\n"
        "print(outputs['known'], outputs['unknown'])"
    )

    assert "HELLO! ${shout(aws_sns_topic.a.arn)}" == run(copy, "-c", program, str(tmp_path), directory=ROOT).strip()


def test_the_live_suite_has_the_type(copy: Path, tmp_path: Path) -> None:
    """A row is enough to list the type, under its address, to let the runner read it, and to judge its name."""
    program = f"""
import sys
from pathlib import Path
from infraspec.aws.guard import READS
from infraspec.live.plan import live_plan
from tests.live.answers import Answers
from tests.live.world import contract, source
thing = {{"thingName": "app-prod-door", "thingArn": "arn:aws:iot:x"}}
answers = Answers({{("iot", "list_things"): {{"things": [thing]}}}})
written = source(Path(sys.argv[1]), {THING.replace("hello-dev", "app-prod")!r})
[found] = live_plan(answers, written, contract(), "prod").managed("aws_iot_thing")
print(found.address, found.get("name"), *READS["iot"])
"""

    shown = run(copy, "-c", program, str(tmp_path), directory=ROOT)
    assert "aws_iot_thing.door app-prod-door ListThings" == shown.strip()


def test_the_sandbox_has_the_type(copy: Path, tmp_path: Path) -> None:
    """With the calls that make one, the sandbox holds what the source says of the type."""
    Project({"infraspec.toml": CONTRACT, "main.tf": THING}, base=None).write(tmp_path)
    program = """
import sys
from pathlib import Path
import boto3
from infraspec import contract
from infraspec.sandbox.running import start
with start(contract.load(Path(sys.argv[1])), "dev") as running:
    own = running.operator
    client = boto3.client(
        "iot", endpoint_url=running.endpoint, region_name="ap-northeast-1",
        aws_access_key_id=own["AWS_ACCESS_KEY_ID"], aws_secret_access_key=own["AWS_SECRET_ACCESS_KEY"],
    )
    print(running.not_applied, *(thing["thingName"] for thing in client.list_things()["things"]))
"""

    assert "() hello-dev-door" == run(copy, "-c", program, str(tmp_path)).strip()


def test_there_is_the_report(copy: Path, tmp_path: Path) -> None:
    """`infraspec report` has it in its help and runs it."""
    path = tmp_path / "results.json"
    path.write_bytes(encode(RESULTS))
    command = ("-m", "infraspec", "report")

    assert "Count the findings." in run(copy, *command, "--help")
    assert f"{len(RESULTS.findings)} findings" == run(copy, *command, "tally", str(path)).strip()


@pytest.mark.parametrize(
    ("section", "count"),
    [("Add a rule", 5), ("Add a resource type", 3), ("Add a report", 5), ("Add a Terraform function", 2)],
)
def test_the_lists_of_files_are_short_and_true(section: str, count: int) -> None:
    """There are few files, and each is there, or is named after what is added."""
    files = listed(section)

    assert count == len(files)
    assert [] == [
        name for name in files if not re.search("RULE|TYPE|REPORT|FAMILY", name) and not (ROOT / name).exists()
    ]
