"""The table of the roles of workloads is whole, and its documentation says the same."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.core.rules import RULES
from infraspec.ecs.access_table import EXECUTION, ROWS, TASK, Access, RoleRows
from infraspec.workloads.access_table import workload_roles

DOCUMENT = Path(__file__).parents[2] / "docs" / "workloads.md"
HEAD = ["| feature | role | permission | on | AWS document |", "|---|---|---|---|---|"]
ROLES = [rows for roles in workload_roles().values() for rows in roles]


def rendered() -> list[str]:
    """Return the table as the documentation shows it."""
    rows = [row for role in ROLES for row in (role.trust, *role.needs) if row.actions]
    return HEAD + list(dict.fromkeys(map(_line, rows)))


def _line(row: Access) -> str:
    actions = ", ".join(f"`{action}`" for action in row.actions)
    resource = f"{row.resource} ({row.note})" if row.note else row.resource
    cells = (row.feature, row.role, actions, resource, f"[{row.source}]({row.source.url})")
    return f"| {' | '.join(cell.replace('|', ' or ') for cell in cells)} |"


def test_the_documentation_shows_the_table() -> None:
    """Each row stands in docs/workloads.md as it is, and nothing else does."""
    section = DOCUMENT.read_text(encoding="utf-8").partition("\n## The table\n")[2]
    assert "\n".join(rendered()) == "\n".join(line for line in section.splitlines() if line.startswith("|"))


def test_every_rule_of_the_table_is_one() -> None:
    """The rules that the table names are rules of infraspec."""
    assert set() == set(workload_roles()) - set(RULES)


@pytest.mark.parametrize("rows", ROLES, ids=lambda rows: rows.trust.named_by)
def test_a_row_is_whole(rows: RoleRows) -> None:
    """A row has actions, a document of AWS, and says why it is not certain, if it is not."""
    for row in rows.needs:
        assert row.actions
        assert row.source.url.startswith("https://docs.aws.amazon.com/")
        assert row.certain or row.note


@pytest.mark.parametrize("rule", workload_roles())
def test_the_contract_may_switch_every_service_of_a_rule(rule: str) -> None:
    """The checks of a rule are the services whose actions its rows have; those of a job are those of tasks."""
    rows = [row for roles in workload_roles()[rule] for row in (roles.trust, *roles.needs)]
    actions = [action for row in rows for action in row.actions if not action.startswith("{")]
    actions += [action for row in rows if row.reads for action in ("ssm:GetParameters", "kms:Decrypt")]
    if rule == "workload-access":
        actions += [action for row in ROWS.values() if row.role in {EXECUTION, TASK} for action in row.actions]
    assert tuple(sorted({action.partition(":")[0] for action in actions})) == RULES[rule].checks
