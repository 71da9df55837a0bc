"""The bucket of the state and its lock table are in AWS what they have to be."""

from collections.abc import Mapping

import pytest

from infraspec.aws.calls import Calls
from infraspec.checks.state_store import check_state_store
from infraspec.fixtures.static import AssertProven
from infraspec.live.state_store import state_store
from infraspec.terraform.plan import Plan
from infraspec.terraform.settings import RootSettings

pytestmark = pytest.mark.live


def test_state_store(
    plan: Plan,
    snapshot: Calls,
    root_settings: Mapping[str, RootSettings],
    environment: str,
    assert_proven: AssertProven,
) -> None:
    """The bucket keeps versions, is encrypted, private and speaks TLS only; the table locks."""
    settings = root_settings.get(environment)
    if settings is None or settings.backend.type != "s3":
        pytest.skip("the backend of the environment is not s3")
    store = state_store(snapshot, plan, settings.backend)
    assert_proven("state-store", check_state_store(store, settings))
