"""`infraspec conventions`: the rules as a document, and the way of existing resources to them."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infraspec.cli import main

REFERENCE = Path(__file__).parents[2] / "fixtures" / "daily-report-tool"
CONTRACT = """
[project]
application = "shop"

[environments.dev]
region = "eu-west-1"

[environments.prod]
region = "eu-west-1"

[names.patterns]
aws_db_instance = "{application}-{environment}-{engine}"
aws_ecs_cluster = ["{application}-{environment}-cluster", "regex:legacy-[a-z]+"]
aws_secretsmanager_secret = "{application}-{environment}-{kind}-{version}"

[names.placeholders]
kind = "database|jwt"

[names.attributes]
aws_db_instance = "identifier"

[tags]
exempt = ["aws_ecs_cluster"]

[tags.common]
Owner = {}
Team = { regex = "t-[a-z]+" }

[tags.resource.aws_db_instance]
Backup = ["daily", "hourly"]

[[waivers]]
rule = "names"
address = "aws_db_instance.old"
reason = "a|b"
owner = "team"
expires = 2999-01-01
"""
GOOD = 'tags = { Owner = "a", Team = "t-a" }'
SOURCE = f"""
resource "aws_ecs_cluster" "a" {{
  name = "shop-prod"
}}

resource "aws_secretsmanager_secret" "s" {{
  name = "shop/prod/database"
  {GOOD}
}}

resource "aws_db_instance" "d" {{
  identifier = "prod-shop-postgres"
  tags = {{ Owner = "a", Team = "t-a", Backup = "daily" }}
}}

resource "aws_secretsmanager_secret" "t" {{
  name = "shop-prod-jwt-v1"
  tags = {{ Owner = "a" }}
}}
"""
PATTERN = "{application}-{environment}-{engine}"
SECRET = "aws_secretsmanager_secret.s"  # noqa: S105 - an address


@pytest.fixture
def repository(tmp_path: Path) -> Path:
    """Return a repository whose resources break the rules."""
    (tmp_path / "infraspec.toml").write_text(CONTRACT, encoding="utf-8")
    (tmp_path / "main.tf").write_text(SOURCE, encoding="utf-8")
    return tmp_path


def run(repository: Path, *arguments: str) -> Result:
    """Run the command on a repository."""
    return CliRunner().invoke(main, ["conventions", "--infra", str(repository), *arguments])


def migration(repository: Path, *arguments: str) -> str:
    """Return the migration of prod."""
    result = run(repository, "--migration", "--env", "prod", *arguments)
    assert result.exit_code == 0, result.output
    return result.output


def test_the_rules_are_written_for_people(repository: Path) -> None:
    """Patterns with an example, placeholders, tags, exemptions and waivers; a bar in a cell does not end it."""
    text = run(repository).output
    for line in (
        "# Naming and tagging rules: shop",
        f"| `aws_db_instance` | `identifier` | `{PATTERN}` | `shop-prod-{{engine}}` | in place |",
        "| `aws_ecs_cluster` | `name` | `{application}-{environment}-cluster` | `shop-prod-cluster` | replaces it |",
        "|  |  | `regex:legacy-[a-z]+` | `…` |  |",
        "| `{environment}` | the environment: `dev`, `prod` |",
        r"| `{kind}` | `database\|jwt` |",
        "| `{version}` | v and a number, such as v1 |",
        "| `Owner` | any value |",
        "| `Team` | matching `t-[a-z]+` |",
        "| `aws_db_instance` | `Backup` | `daily`, `hourly` |",
        "Exempt: `aws_ecs_cluster`",
        r"| names | `aws_db_instance.old` | a\|b | team | 2999-01-01 |",
    ):
        assert line in text.splitlines()
    assert "`shop-prod-database-{version}`" in text


def test_the_rules_are_written_in_japanese(repository: Path) -> None:
    """Every word of the English document has its Japanese one."""
    text = run(repository, "--lang", "ja").output
    assert "# 命名規則とタグ規則: shop" in text.splitlines()
    assert "| `{version}` | v と数字（v1 など） |" in text.splitlines()
    english = {line for line in run(repository).output.splitlines() if line}
    prose = [line for line in text.splitlines() if line in english and not line.startswith("|")]
    assert prose == []


@pytest.mark.parametrize("language", ["en", "ja"])
def test_the_reference_has_a_document(language: str) -> None:
    """The rules of the reference infrastructure are written whole, a row for each pattern."""
    text = run(REFERENCE, "--lang", language).output
    assert "| `aws_iam_policy` | `name` | `{Application}{Service}Access-{Environment}` |" in text
    assert "DailyReport{Service}Access-Prod" in text
    assert "organization/tag-policy.json" in text


def test_the_migration_lists_names_and_tags(repository: Path) -> None:
    """The name now, the name to be, whether that replaces it, and the place; what is right is not listed."""
    rows = [line.split(" | ") for line in migration(repository).splitlines() if line.startswith("| aws_")]
    assert [(row[0].strip("| "), row[1], *row[2:5]) for row in rows] == [
        ("aws_ecs_cluster.a", "name", "shop-prod", "shop-prod-cluster", "replaced"),
        (SECRET, "name", "shop/prod/database", "shop-prod-{kind}-{version}", "replaced: data is lost"),
        ("aws_db_instance.d", "name", "prod-shop-postgres", "shop-prod-postgres", "in place"),
        ("aws_secretsmanager_secret.t", "tags", "no Team", "Team matching t-[a-z]+", "in place"),
    ]
    assert rows[2][5].endswith("main.tf:12 |")


def test_the_placeholder_of_a_name_is_filled_by_the_label(repository: Path) -> None:
    """Where no name is near and the pattern leaves one word open, it is that of the resource in the source."""
    strange = 'resource "aws_db_instance" "mysql" {\n  identifier = "x1_9.7=zz"\n}\n'
    (repository / "more.tf").write_text(strange, encoding="utf-8")
    rows = [line.split(" | ") for line in migration(repository).splitlines() if "mysql | name" in line]
    assert ["shop-prod-mysql"] == [row[3] for row in rows]


def test_a_name_is_given_once(repository: Path) -> None:
    """Where two resources of a type would have one name, each is told of the other, migrated or not."""
    kept = 'resource "aws_ecs_cluster" "k" {\n  name = "shop-prod-cluster"\n}\n'
    twin = 'resource "aws_db_instance" "e" {\n  identifier = "shop-prod-postgress"\n}\n'
    (repository / "more.tf").write_text(kept + twin, encoding="utf-8")
    names = [line.split(" | ")[3] for line in migration(repository).splitlines() if " | name | " in line]
    assert "shop-prod-cluster (also that of aws_ecs_cluster.k)" in names
    assert "shop-prod-postgres (also that of aws_db_instance.d)" in names
    assert "shop-prod-postgres (also that of aws_db_instance.e)" in names


def test_data_is_kept_in_steps(repository: Path) -> None:
    """For what holds data there is the moved block, the state command and the line to write; for the rest not."""
    text = migration(repository)
    assert f"   moved {{\n     from = {SECRET}\n     to   = {SECRET}_old\n   }}" in text
    assert f"`terraform state mv '{SECRET}' '{SECRET}_old'`" in text
    assert '   name = "shop-prod-{kind}-{version}"' in text
    assert "#### `aws_ecs_cluster.a`" not in text


def test_without_a_state_the_source_is_taken_to_exist(repository: Path) -> None:
    """The document says what it takes for granted; with a state it says nothing, and lists what the state has."""
    assumed = "No state and no plan was given"
    assert assumed in migration(repository)
    state = {
        "format_version": "1.0",
        "values": {"root_module": {"resources": [entry("aws_ecs_cluster.a", {"name": "old"})]}},
    }
    (repository / "state.json").write_text(json.dumps(state), encoding="utf-8")
    text = migration(repository, "--plan", str(repository / "state.json"))
    assert assumed not in text
    assert [line.split(" | ")[2] for line in text.splitlines() if line.startswith("| aws_")] == ["old"]


def entry(address: str, values: dict[str, str]) -> dict[str, object]:
    """Return a resource of a state or plan."""
    type_, name = address.split(".")
    return {"address": address, "mode": "managed", "type": type_, "name": name, "values": values}


def test_a_plan_that_renames_is_taken_at_its_word(repository: Path) -> None:
    """The name before the plan is the old one, that of the plan the new one; what the plan creates does not exist."""
    changes = [
        {**entry(SECRET, {}), "change": {"actions": ["delete", "create"], "before": {"name": "old"}, "after": NEW}},
        {**entry("aws_ecs_cluster.a", {}), "change": {"actions": ["create"], "before": None, "after": {"name": "x"}}},
    ]
    plan = {"format_version": "1.2", "planned_values": {}, "resource_changes": changes}
    (repository / "plan.json").write_text(json.dumps(plan), encoding="utf-8")
    text = migration(repository, "--plan", str(repository / "plan.json"))
    rows = [line.split(" | ") for line in text.splitlines() if line.startswith("| aws_")]
    assert [(row[1], row[2], row[3]) for row in rows] == [("name", "old", "shop-prod-jwt-v7")]


NEW = {"name": "shop-prod-jwt-v7", "tags": {"Owner": "a", "Team": "t-a"}}


def test_as_text_columns_are_aligned(repository: Path) -> None:
    """A full-width character takes two columns."""
    for language, word in (("en", "place"), ("ja", "場所")):
        lines = migration(repository, "--format", "text", "--lang", language).splitlines()
        header = next(line for line in lines if line.endswith(word))
        rows = [line for line in lines if line.startswith("aws_")]
        starts = {columns(row[: row.rindex("  ") + 2]) for row in rows}
        assert starts == {columns(header[: -len(word)])}


def columns(text: str) -> int:
    """Return the columns a terminal takes for ASCII and Japanese."""
    return sum(1 if character.isascii() else 2 for character in text)


def test_nothing_to_migrate_is_said() -> None:
    """The reference infrastructure keeps to its rules."""
    result = run(REFERENCE, "--migration", "--lang", "ja")
    assert result.output.count("移行は不要です。") == 3


@pytest.mark.parametrize(
    ("arguments", "code", "message"),
    [
        (("--env", "prod"), 2, "--env and --plan belong to --migration"),
        (("--migration", "--env", "nowhere"), 2, "there is no environment `nowhere`"),
        (("--migration", "--plan", "x.json"), 2, "a plan file is for one environment"),
    ],
)
def test_errors_of_the_input(repository: Path, arguments: tuple[str, ...], code: int, message: str) -> None:
    """They are said without a traceback."""
    result = run(repository, *arguments)
    assert result.exit_code == code
    assert message in result.output
    assert "Traceback" not in result.output
