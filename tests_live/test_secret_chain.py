"""A task that starts now can read its secrets."""

from collections.abc import Sequence

import pytest

from infraspec.aws.calls import Calls
from infraspec.aws.secret_values import SecretValues
from infraspec.checks.secret_chain import check_secret_chain
from infraspec.contract.models import Contract
from infraspec.ecs.task_definition import TaskDefinition
from infraspec.fixtures.static import AssertProven
from infraspec.live.chain_facts import chain_evidence
from infraspec.terraform.plan import Plan

pytestmark = pytest.mark.live


def test_secret_chain(  # noqa: PLR0917 - fixtures
    snapshot: Calls,
    live_plan: Plan,
    live_task_definitions: Sequence[TaskDefinition],
    secret_values: SecretValues,
    contract: Contract,
    environment: str,
    assert_proven: AssertProven,
) -> None:
    """Each secret exists, is whole, and the documents of role, secret and key let the execution role read it."""
    evidence = chain_evidence(snapshot, live_plan, live_task_definitions, contract, environment, shapes=secret_values)
    findings = check_secret_chain(live_plan, live_task_definitions, evidence, contract, environment)
    if not findings:
        pytest.skip("no task definition reads a secret or parameter")
    assert_proven("secret-chain", findings)
