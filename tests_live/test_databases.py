"""The databases of the source run, are backed up, keep up, have room, and can be reached."""

import pytest

from infraspec.aws.calls import Calls
from infraspec.checks.databases import check_databases, database_identifiers
from infraspec.checks.whereabouts import nothing_judged
from infraspec.contract.models import Contract
from infraspec.fixtures.static import AssertProven
from infraspec.live.databases import live_databases
from infraspec.terraform.plan import Plan

pytestmark = pytest.mark.live


def test_databases(  # noqa: PLR0917 - fixtures
    plan: Plan, live_plan: Plan, snapshot: Calls, contract: Contract, environment: str, assert_proven: AssertProven
) -> None:
    """Each instance is available, restorable to a moment ago, as the source says, and a service has a way to it."""
    identifiers, settings = database_identifiers(plan), contract.databases
    if not plan.managed("aws_db_instance"):
        pytest.skip("the source has no database instance")
    observed = live_databases(snapshot, identifiers, live_plan, connect=environment in settings.connect_from)
    findings = check_databases(plan, live_plan, observed, settings)
    if told := nothing_judged(findings):
        pytest.skip(told)
    assert_proven("databases", findings)
