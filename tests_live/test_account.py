"""The suite asks the account and region that the contract names."""

import pytest

from infraspec.aws.calls import Calls
from infraspec.aws.session import CallerIdentity
from infraspec.contract.models import Contract

pytestmark = pytest.mark.live


def test_account(account: CallerIdentity, snapshot: Calls, contract: Contract, environment: str) -> None:
    """The account is that of the contract; a run with any other has ended before this test."""
    expected = contract.environments[environment].account_id
    assert expected in (None, account.account)
    assert (snapshot.account, snapshot.partition) == (account.account, account.partition)
