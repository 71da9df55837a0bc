"""A sandbox that no plan was applied to, for tests that make what they need."""

from collections.abc import Iterator

import pytest

from infraspec.sandbox.running import Running, start_empty


@pytest.fixture(scope="session")
def empty() -> Iterator[Running]:
    """Run a sandbox of account 111122223333 in eu-west-1; a test uses names of its own."""
    with start_empty(account="111122223333", region="eu-west-1") as running:
        yield running
