"""Every service runs the revision that is meant, no task has failed, and the next one would start."""

from collections.abc import Mapping, Sequence

import pytest

from infraspec.aws.calls import Calls
from infraspec.checks.next_start import check_next_start
from infraspec.checks.rollout import check_rollout
from infraspec.checks.stopped_tasks import check_stopped_tasks
from infraspec.checks.whereabouts import nothing_judged
from infraspec.contract.models import Contract
from infraspec.ecs.declared_service import declared_families
from infraspec.ecs.deployed import Fleet
from infraspec.ecs.expected_revision import ExpectedRevision
from infraspec.fixtures.static import AssertProven
from infraspec.live.start_facts import start_facts
from infraspec.process.playbooks import Playbook
from infraspec.terraform.plan import Plan

pytestmark = pytest.mark.live


@pytest.fixture(autouse=True)
def _services(fleet: Fleet) -> None:
    """Skip where the source declares no services."""
    if not fleet.services:
        pytest.skip("the source has no services")


def test_rollout(
    fleet: Fleet,
    contract: Contract,
    expected_revisions: Mapping[str, ExpectedRevision],
    assert_proven: AssertProven,
) -> None:
    """Each service is there, runs the revision that is meant, all of it, and its targets are healthy."""
    findings = check_rollout(fleet, contract.rollout, expected_revisions)
    if told := nothing_judged(findings):
        pytest.skip(told)
    assert_proven("rollout", findings)


def test_stopped_tasks(fleet: Fleet, plan: Plan, playbooks: Sequence[Playbook], assert_proven: AssertProven) -> None:
    """No task has failed to start or crashed, so far as ECS still knows."""
    if not any(one.live for one in fleet.services):
        pytest.skip("no service of the source is there: the rule rollout says so")
    assert_proven("stopped-tasks", check_stopped_tasks(fleet, playbooks, declared_families(plan)))


def test_next_start(fleet: Fleet, snapshot: Calls, assert_proven: AssertProven) -> None:
    """Image, secrets, roles, log groups and network of the next task are there."""
    if not any(one.live for one in fleet.services):
        pytest.skip("no service of the source is there: the rule rollout says so")
    assert_proven("next-start", check_next_start((one, start_facts(snapshot, one)) for one in fleet.services))
