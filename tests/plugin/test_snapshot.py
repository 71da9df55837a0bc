"""The static suite with a snapshot of IAM, by option, environment variable, ini value and contract."""

from __future__ import annotations

import pytest

from tests.plugin.project import CONTRACT, Project, text_of
from tests.terraform.iam_exports import TRUST, allow, export, role

ROLE = "arn:aws:iam::111122223333:role/shared"
DB = "arn:aws:secretsmanager:ap-northeast-1:111122223333:secret:db-??????"
TASK = f"""
data "aws_iam_role" "shared" {{
  name = "shared"
}}

resource "aws_secretsmanager_secret" "db" {{
  name = "db"
}}

resource "aws_ecs_task_definition" "app" {{
  family                   = "app"
  requires_compatibilities = ["FARGATE"]
  execution_role_arn       = "{ROLE}"
  task_role_arn            = data.aws_iam_role.shared.arn
  container_definitions = jsonencode([{{
    name    = "app"
    image   = "nginx:1"
    secrets = [{{ name = "DB", valueFrom = aws_secretsmanager_secret.db.arn }}]
  }}])
}}
"""
READER = export(role("shared", {"read": allow("secretsmanager:GetSecretValue", DB)}))
NOBODY = export(role("shared", {"read": allow("secretsmanager:GetSecretValue", f"{DB}x")}))
ONLY = ("-k", "secret_access", "-v")


def project(**files: str) -> Project:
    """Return a project whose task has a role of another stack, and the export of one that may read its secret."""
    contract = CONTRACT + "[names]\n"
    return Project(
        {"infraspec.toml": contract, "main.tf": TASK, "iam.json": READER, "other.json": NOBODY, **files}, None
    )


def test_the_option_makes_a_role_known(pytester: pytest.Pytester) -> None:
    """Without a snapshot a role of another stack is undetermined, with one it is proven; the header names the file."""
    without = project().run(pytester, *ONLY)
    without.assert_outcomes(failed=1)
    assert "3 undetermined" in text_of(without)
    given = project().run(pytester, *ONLY, "--infraspec-snapshot", "infra/iam.json")
    given.assert_outcomes(passed=1)
    assert "infraspec: snapshot infra/iam.json (option)" in text_of(given)


def test_the_contract_makes_a_role_known_and_the_option_wins(pytester: pytest.Pytester) -> None:
    """A snapshot of the contract is read; an option takes its place, and the finding shows the line of that file."""
    declared = project(**{"infraspec.toml": CONTRACT + 'snapshots = ["iam.json"]\n'})
    declared.run(pytester, *ONLY).assert_outcomes(passed=1)
    result = declared.run(pytester, *ONLY, "--infraspec-snapshot", "infra/other.json")
    result.assert_outcomes(failed=1)
    text = text_of(result)
    assert f"{ROLE} inline policy read Statement.0 (infra/other.json:" in text
    assert "1 violated" in text


@pytest.mark.parametrize("place", ["environment variable", "ini"])
def test_the_other_places_of_a_setting(place: str, pytester: pytest.Pytester, monkeypatch: pytest.MonkeyPatch) -> None:
    """An environment variable names snapshots with commas, an ini value relative to the ini file."""
    made = project(**{"second.json": export(role("shared", trust=TRUST, account="444455556666"))})
    two = ", ".join(str(pytester.path / "infra" / name) for name in ("iam.json", "second.json"))
    if place == "ini":
        result = made.run(pytester, *ONLY, "-o", f"infraspec_snapshot={two}")
    else:
        monkeypatch.setenv("INFRASPEC_SNAPSHOT", two)
        result = made.run(pytester, *ONLY)
    result.assert_outcomes(passed=1)
    assert f"iam.json ({place})" in text_of(result).replace("second.json", "iam.json")


def test_the_live_suite_says_that_it_reads_none(pytester: pytest.Pytester) -> None:
    """A live run asks AWS itself: the header says that a snapshot is not read, and it need not even be there."""
    result = project().run(pytester, "--infraspec-live", "--collect-only", "--infraspec-snapshot", "none.json")
    told = "infraspec: snapshot none.json (option), ignored: the live suite asks AWS itself"
    assert told in text_of(result)
    assert "cannot be read" not in text_of(result)
