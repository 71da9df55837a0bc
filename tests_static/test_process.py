"""The repository says what to do in an incident, keeps records of them, and has every change tested and reviewed."""

from collections.abc import Sequence

import pytest

from infraspec.checks.incidents import check_incidents
from infraspec.checks.playbooks import check_playbooks
from infraspec.checks.process import check_process
from infraspec.contract.models import Contract
from infraspec.fixtures.static import AssertProven
from infraspec.process.checklist import PullRequest
from infraspec.process.playbooks import Playbook


def test_playbooks(contract: Contract, playbooks: Sequence[Playbook], assert_proven: AssertProven) -> None:
    """Every failure has a playbook with an owner, times, and links and commands that exist."""
    if contract.playbooks is None:
        pytest.skip("the contract has no [playbooks]")
    assert_proven("playbooks", check_playbooks(contract, contract.playbooks, playbooks))


def test_incidents(contract: Contract, playbooks: Sequence[Playbook], assert_proven: AssertProven) -> None:
    """Every incident record has its times, its timeline, its five whys and its playbook."""
    if contract.incidents is None:
        pytest.skip("the contract has no [incidents]")
    assert_proven("incidents", check_incidents(contract, contract.incidents, playbooks))


def test_process(contract: Contract, pull_request: PullRequest | None, assert_proven: AssertProven) -> None:
    """Changes are asked about by a checklist, owned, tested by workflows that can do no harm, and reviewed."""
    if contract.process is None:
        pytest.skip("the contract has no [process]")
    assert_proven("process", check_process(contract, contract.process, pull_request))
