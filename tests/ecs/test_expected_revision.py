import pytest

from infraspec.core.errors import RequestError
from infraspec.ecs.fleet import expected_revisions


def test_one_for_all_and_one_for_each() -> None:
    """Without a service an expectation is for all; the later one wins."""
    found = expected_revisions("v3, worker=12", ["web", "worker"])

    assert {name: expected.text for name, expected in found.items()} == {"web": "v3", "worker": "12"}
    assert expected_revisions("", ["web"]) == {}


@pytest.mark.parametrize(
    ("text", "message"), [("api=3", "no such service"), ("web=", "not understood"), ("web = 3", "not understood")]
)
def test_what_is_none(text: str, message: str) -> None:
    """A misspelt service and an empty revision are errors that say how to write it."""
    with pytest.raises(RequestError, match=message) as caught:
        expected_revisions(text, ["web"])

    assert "--infraspec-revision web=16" in str(caught.value)
