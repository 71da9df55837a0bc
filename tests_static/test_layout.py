"""State, versions and layout of the Terraform are as the contract says."""

from collections.abc import Mapping

import pytest

from infraspec.checks.layout import check_consistency, check_modules, consistency_table
from infraspec.checks.state_backend import check_state_backend
from infraspec.checks.state_bucket import check_state_bucket
from infraspec.checks.versions import check_versions
from infraspec.contract.models import Contract
from infraspec.fixtures.static import AssertProven
from infraspec.terraform.plan import Plan
from infraspec.terraform.settings import RootSettings


def test_state_backend(
    root_settings: Mapping[str, RootSettings], contract: Contract, environment: str, assert_proven: AssertProven
) -> None:
    """The state is remote, encrypted, locked, and no other environment's."""
    if contract.state is None:
        pytest.skip("the contract has no [state]")
    if environment not in root_settings:
        pytest.skip(f"{environment} has no source")
    assert_proven("state-backend", check_state_backend(root_settings, contract, environment))


def test_state_bucket(
    plan: Plan,
    root_settings: Mapping[str, RootSettings],
    contract: Contract,
    environment: str,
    assert_proven: AssertProven,
) -> None:
    """The bucket of the state keeps versions, is encrypted, private and speaks TLS only; the table locks."""
    if contract.state is None or not contract.state.managed:
        pytest.skip("the contract has no [state], or the bucket is made elsewhere")
    if environment not in root_settings:
        pytest.skip(f"{environment} has no source")
    assert_proven("state-bucket", check_state_bucket(plan, root_settings[environment]))


def test_versions(
    root_settings: Mapping[str, RootSettings], contract: Contract, environment: str, assert_proven: AssertProven
) -> None:
    """Terraform, providers and modules are pinned, and the lock file holds what is required."""
    if contract.versions is None:
        pytest.skip("the contract has no [versions]")
    if environment not in root_settings:
        pytest.skip(f"{environment} has no source")
    assert_proven("versions", check_versions(root_settings[environment], contract))


def test_consistency(
    sources: Mapping[str, Plan],
    root_settings: Mapping[str, RootSettings],
    contract: Contract,
    environment: str,
    assert_proven: AssertProven,
) -> None:
    """The environments are made of the same modules and resources, but for what the contract allows."""
    if contract.consistency is None:
        pytest.skip("the contract has no [consistency]")
    if environment not in root_settings:
        pytest.skip(f"{environment} has no source")
    table = consistency_table(sources, root_settings)
    assert_proven("consistency", check_consistency(sources, root_settings, contract, environment), table=table)


def test_modules(plan: Plan, contract: Contract, assert_proven: AssertProven) -> None:
    """No resource lies in a root module, but for what the contract allows."""
    if contract.modules is None:
        pytest.skip("the contract has no [modules]")
    assert_proven("modules", check_modules(plan, contract))
