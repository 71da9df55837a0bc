"""Allure: what a run leaves for it, in which names, and what never stands in it."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from infraspec.core.rules import RULES
from infraspec.reporting import allure
from tests.plugin.project import CONTRACT, INCIDENT, ROOT, SUITE, Project
from tests.plugin.test_outcomes import NOT_ALLOWED, REGISTRY

CI = {
    "GITHUB_ACTIONS": "true",
    "GITHUB_SERVER_URL": "https://github.com",
    "GITHUB_REPOSITORY": "example/infrastructure",
    "GITHUB_SHA": "a" * 40,
    "GITHUB_RUN_ID": "77",
    "GITHUB_RUN_NUMBER": "12",
    "GITHUB_WORKFLOW": "checks",
}
CATEGORIES = json.loads(Path(allure.__path__[0], "categories.json").read_text(encoding="utf-8"))


@dataclass(frozen=True)
class Report:
    """The folder of results, and how the run ended."""

    folder: Path
    code: int
    output: str

    @property
    def results(self) -> dict[str, dict[str, Any]]:
        """The test results by name."""
        found = [json.loads(path.read_text(encoding="utf-8")) for path in self.folder.glob("*-result.json")]
        return {result["name"]: result for result in found}

    def labels(self, name: str) -> dict[str, str]:
        """Return the labels of a test."""
        return {str(label["name"]): str(label["value"]) for label in self.results[name]["labels"]}

    def attachment(self, test: str, name: str) -> str:
        """Return the text of an attachment."""
        sources = {str(one["name"]): str(one["source"]) for one in self.results[test]["attachments"]}
        return (self.folder / sources[name]).read_text(encoding="utf-8")

    @property
    def text(self) -> str:
        """Everything that the run has left."""
        return "\n".join(path.read_text(encoding="utf-8") for path in sorted(self.folder.iterdir()))


def run(
    directory: Path, infra: Path, *arguments: str, suite: Path = SUITE, environ: Mapping[str, str] | None = None
) -> Report:
    """Run a suite in a process of its own, in a directory, with Allure's results."""
    clean = {name: value for name, value in os.environ.items() if not name.startswith(("GITHUB_", "CI", "INFRASPEC"))}
    command = [sys.executable, "-m", "pytest", "-p", "infraspec.plugin", "-p", "no:cacheprovider", str(suite)]
    (directory / "pytest.ini").write_text(
        f"[pytest]\npythonpath = {ROOT / 'plugins'}\naddopts = --import-mode=importlib\nstrict = true\n"
    )
    done = subprocess.run(
        [*command, "--infraspec-dir", str(infra), "--alluredir", "allure", *arguments],
        cwd=directory,
        env={**clean, **(environ or {})},
        capture_output=True,
        text=True,
        check=False,
    )
    return Report(directory / "allure", done.returncode, done.stdout + done.stderr)


@pytest.fixture(scope="module")
def incident(tmp_path_factory: pytest.TempPathFactory) -> Report:
    """Return what the incident leaves, with two workers, in GitHub Actions, where results of before are cleaned up."""
    directory = tmp_path_factory.mktemp("incident")
    (directory / "allure").mkdir()
    (directory / "allure" / "old-result.json").write_text("{}")
    arguments = ("--infraspec-env", "dev,prod", "-n", "2", "--clean-alluredir")
    return run(directory, INCIDENT, *arguments, environ=CI)


def test_where_a_test_stands(incident: Report) -> None:
    """Epic is the suite, feature the domain, story the rule; the severity is the rule's, the tree has environments."""
    labels = incident.labels("secret-access: prod")
    wanted = {
        "epic": "Static suite",
        "feature": "IAM",
        "story": "secret-access",
        "severity": "blocker",
        "owner": "@example/platform-team",
        "parentSuite": "Static suite",
        "suite": "prod",
        "subSuite": "IAM",
        "package": "infraspec.tests_static.test_rules",
    }

    assert 1 == incident.code, incident.output
    assert wanted == {name: labels[name] for name in wanted}
    assert "failed" == incident.results["secret-access: prod"]["status"]
    assert str(ROOT) not in incident.text


def test_every_test_has_a_story(incident: Report) -> None:
    """Tests that were skipped stand where they always do: under the rule that they would have judged."""
    stories = {name: incident.labels(name).get("story") for name in incident.results}

    assert set(stories.values()) <= set(RULES)
    assert {"plan-review", "secret-access", "process", "source"} <= set(stories.values())
    assert {"source"} == {story for name, story in stories.items() if name.startswith("test_selectors")}
    assert {"skipped"} == {r["status"] for name, r in incident.results.items() if name.startswith("plan-review")}
    assert incident.results["plan-review: dev"]["statusDetails"] == {
        "message": "no plan file is given: --infraspec-plan FILE"
    }


def test_the_table_has_every_verdict(incident: Report) -> None:
    """The page and the CSV have the proven rows too, the violated one first, with link and fix."""
    page = incident.attachment("secret-access: prod", "secret-access: verdicts")
    lines = incident.attachment("secret-access: prod", "secret-access: verdicts as CSV").splitlines()
    place = "fixtures/incident-v16/terraform/modules/ecs/main.tf"

    assert re.findall(r'<tr class="(\w+)">', page) == ["violated", *["proven"] * 14]
    assert f'<a href="https://github.com/example/infrastructure/blob/{"a" * 40}/{place}#L80">{place}:80</a>' in page
    assert "var.refresh_token_arn" in page
    assert "<script" not in page
    assert lines[0] == "verdict,state,address,subject,place,expected,found,reason,fix,waiver"
    assert 14 == sum(line.startswith("proven,proven,") for line in lines)
    assert "names: verdicts" in [one["name"] for one in incident.results["names: prod"]["attachments"]]


def test_how_iam_decided(incident: Report) -> None:
    """The trace names the request, the layers, each statement about the action with its line, and what missed."""
    trace = incident.attachment("secret-access: prod", "secret-access: decisions of IAM").splitlines()

    assert trace[0].endswith('container "app", secret "REFRESH_TOKEN_KEY": secretsmanager:GetSecretValue')
    assert "  decision: ImplicitlyDenied" in trace
    assert "- identity policies: allows no, denies no" in trace
    assert (
        "    - Allow Statement.0 (ReadSecrets) (terraform/modules/iam/main.tf:30): action yes, resource no"
    ) in trace
    assert "- resource policy: none" in trace


def test_what_is_planned(incident: Report) -> None:
    """The resource of a finding, and those that take part in it, are there with their planned values."""
    values = incident.attachment("secret-access: prod", "secret-access: planned values")

    assert values.startswith("# module.ecs.aws_ecs_task_definition.this  (")
    assert 'resource "aws_iam_role" "execution" {' in values
    assert "valueFrom = (known after apply: module.ecs.aws_secretsmanager_secret.refresh_token.arn)" in values


def test_the_way_to_the_playbook(incident: Report) -> None:
    """A failing test links to the rule's page and to the playbooks for what its finding leads to."""
    result = incident.results["secret-access: prod"]
    links = {link["name"]: link["url"] for link in result["links"]}
    books = f"https://github.com/example/infrastructure/blob/{'a' * 40}/fixtures/incident-v16/docs/playbooks"

    assert links == {
        "docs/access.md": "https://github.com/example/infraspec/blob/main/docs/access.md",
        "playbook secret-access-denied (en)": f"{books}/en/secret-access-denied.md",
        "playbook secret-access-denied (ja)": f"{books}/ja/secret-access-denied.md",
    }
    assert result["description"].startswith("**secret-access**: The roles of a task have every permission")
    assert result["description"].count("The roles of a task") == 1
    assert "See docs/access.md of infraspec." in result["description"]
    assert "Playbook: secret-access-denied (ja), fixtures/incident-v16/docs/playbooks/ja/" in result["description"]


def test_the_files_of_the_controller(incident: Report) -> None:
    """Environment, categories and executor are there, though workers have cleaned the folder up."""
    properties = (incident.folder / "environment.properties").read_text(encoding="utf-8").splitlines()
    executor = json.loads((incident.folder / "executor.json").read_text(encoding="utf-8"))

    assert "old-result.json" not in [path.name for path in incident.folder.iterdir()]
    assert {"Application=daily-report-tool", "Environments=dev, prod", f"Commit={'a' * 40}"} <= set(properties)
    assert CATEGORIES == json.loads((incident.folder / "categories.json").read_text(encoding="utf-8"))
    assert executor == {
        "name": "GitHub Actions",
        "type": "github",
        "url": "https://github.com/example/infrastructure",
        "buildOrder": 12,
        "buildName": "checks #12",
        "buildUrl": "https://github.com/example/infrastructure/actions/runs/77",
    }


def test_ids_last(tmp_path: Path) -> None:
    """A test has the same ids when lines are inserted, from another place, and with workers; names and story too."""
    infra = Project({"main.tf": NOT_ALLOWED}).write(tmp_path / "infra")
    before, after = tmp_path / "before", tmp_path / "somewhere" / "else"
    before.mkdir()
    after.mkdir(parents=True)
    first = run(before, infra)
    (infra / "main.tf").write_text("# a line\n\n# and others\n" + (infra / "main.tf").read_text(encoding="utf-8"))
    second = run(after, infra, "-n", "2")

    def ids(report: Report) -> dict[str, tuple[str, ...]]:
        return {
            name: tuple(r[key] for key in ("historyId", "testCaseId", "fullName")) for name, r in report.results.items()
        }

    def message(report: Report) -> str:
        return str(report.results["secret-access: dev"]["statusDetails"]["message"])

    assert ids(first)
    assert ids(first) == ids(second)
    assert len(ids(first)) == len({history for history, *_ in ids(first).values()})
    assert message(first) != message(second)


def test_the_contract_decides_severity_and_documentation(tmp_path: Path) -> None:
    """`[suite.severity]` wins over what infraspec thinks; the owner is the contract's where no file has one."""
    contract = CONTRACT.replace('application = "hello"', 'application = "hello"\nowner = "team-data"') + (
        '[suite]\ndocumentation = "https://wiki.example.com/{page}"\nseverity = { secret-access = "trivial" }\n'
    )
    infra = Project({"main.tf": NOT_ALLOWED, "infraspec.toml": contract}).write(tmp_path / "infra")
    report = run(tmp_path, infra, "-k", "secret_access")
    labels = report.labels("secret-access: dev")

    assert ("trivial", "team-data") == (labels["severity"], labels["owner"])
    assert "https://wiki.example.com/access" == report.results["secret-access: dev"]["links"][0]["url"]
    assert not (report.folder / "executor.json").exists()


def test_doubts_are_told_from_violations(tmp_path: Path) -> None:
    """What is undetermined is in its own category, also where it only warns."""
    for level, status in (("fail", "failed"), ("warn", "skipped")):
        contract = CONTRACT + f'[suite]\nundetermined = "{level}"\n'
        infra = Project({"main.tf": REGISTRY, "infraspec.toml": contract}).write(tmp_path / level)
        result = run(tmp_path, infra, "-k", "test_source", "--clean-alluredir").results["source: dev"]
        message = result["statusDetails"]["message"]
        found = [
            category["name"]
            for category in CATEGORIES
            if status in category["matchedStatuses"] and re.fullmatch(category["messageRegex"], message)
        ]

        assert status == result["status"]
        assert ["Undetermined"] == found


def test_secrets_are_in_no_file(tmp_path: Path) -> None:
    """Neither sensitive values nor the text of an error that is not infraspec's are in anything that Allure gets."""
    files = {
        "infraspec.toml": CONTRACT
        + '[names.patterns]\naws_sqs_queue = "{application}-{name}"\naws_db_instance = "x"\n',
        "q.tf": """
            variable "token" { sensitive = true }
            resource "aws_sqs_queue" "q" { name = "x-${var.token}" }
            resource "aws_db_instance" "db" {
              identifier = "y"
              password   = "hunter2"
            }
            """,
        "terraform.tfvars": 'token = "hunter2"\n',
    }
    infra = Project(files).write(tmp_path / "infra")
    own = tmp_path / "test_own.py"
    own.write_text(
        "import pytest\n@pytest.fixture\ndef client():\n    raise ValueError('hunter2')\n"
        "def test_client(plan, client): ...\n"
        "def test_foreign(plan):\n    print('hunter2')\n    raise ValueError('hunter2')\n"
        "def test_assertion(plan):\n    assert False, 'queue without owner'\n"
    )
    report = run(tmp_path, infra, str(own))
    messages = {name: result.get("statusDetails", {}).get("message", "") for name, result in report.results.items()}

    assert 2 == sum(name.startswith(("names", "test_foreign")) and bool(text) for name, text in messages.items())
    assert "planned values" in str(report.results["names: dev"]["attachments"])
    assert "hunter2" not in report.text
    assert "unexpected ValueError: see the log of the run" == messages["test_foreign[dev]"]
    assert "queue without owner" in messages["test_assertion[dev]"]


def test_what_an_author_says_stays(tmp_path: Path) -> None:
    """Labels that a rule of one's own sets are kept, and it stands under its rule."""
    own = tmp_path / "test_own.py"
    own.write_text(
        "import allure\nfrom infraspec.core.finding import Finding, Verdict\n"
        "@allure.severity('minor')\n@allure.epic('Ours')\n"
        "def test_backups(plan, assert_proven):\n"
        "    assert_proven('backups', [Finding('backups', Verdict.PROVEN, 'a')])\n"
        "def test_unrelated(): ...\n"
    )
    report = run(tmp_path, Project().write(tmp_path / "infra"), suite=own)
    (name,) = (name for name in report.results if name.startswith("test_backups"))
    labels = report.labels(name)

    assert ("Ours", "Own rules", "backups", "minor") == tuple(
        labels[key] for key in ("epic", "feature", "story", "severity")
    )
    assert "epic" not in report.labels("test_unrelated")


def test_without_allure(tmp_path: Path) -> None:
    """A run neither needs allure-pytest nor loads anything of it."""
    (tmp_path / "block.py").write_text("import sys\nsys.modules['allure'] = sys.modules['allure_commons'] = None\n")
    infra = Project().write(tmp_path / "infra")
    command = [sys.executable, "-m", "pytest", "-p", "no:allure_pytest", "-p", "block", "-p", "infraspec.plugin"]
    done = subprocess.run(
        [*command, str(SUITE), "-p", "no:cacheprovider", "--infraspec-dir", str(infra), "--rootdir", str(tmp_path)],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": f"{ROOT / 'plugins'}{os.pathsep}{tmp_path}"},
        capture_output=True,
        text=True,
        check=False,
    )

    assert 0 == done.returncode, done.stdout + done.stderr
