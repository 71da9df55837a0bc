import pytest

from infraspec.aws.calls import Calls
from infraspec.resource_types.listing import Batch
from tests.live.answers import Answers

FLEET = Answers({("ecs", "describe_services"): lambda services: {"services": [{"serviceName": s} for s in services]}})


def test_values_are_asked_for_in_batches() -> None:
    """So many values at a time, and the answers are joined."""
    calls: Calls = FLEET

    found = calls.batches("ecs", Batch("DescribeServices", "services", "services", 2), ["a", "b", "c"])

    assert [service["serviceName"] for service in found] == ["a", "b", "c"]
    assert FLEET.count("ecs", "describe_services") == 2


def test_what_has_no_answer_is_an_error() -> None:
    """A test says what it expects to be asked."""
    with pytest.raises(AssertionError, match="no answer for ecs list_tasks"):
        FLEET.ask("ecs", "list_tasks", cluster="shop")
