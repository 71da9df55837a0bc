from __future__ import annotations

import pickle

import pytest

from infraspec.core.errors import ContractError, ErrorCollector, InfraspecError, InputErrorGroup, PlanError


def raised(*found: tuple[str, InfraspecError]) -> InfraspecError:
    """Return what a collector raises of errors, each collected in an environment."""
    collector = ErrorCollector()
    for environment, error in found:
        with collector.collect(environment):
            raise error
    with pytest.raises(InfraspecError) as caught:
        collector.finalize()
    return caught.value


def wrong(place: str = "plan.json:1:1", remedy: str = "write it again") -> InfraspecError:
    """Return an error."""
    return PlanError("no JSON", place=place, expected="a plan", remedy=remedy)


def test_what_environments_share_is_said_once() -> None:
    """The error is raised by itself, and names the environments before the remedy; so it does in another process."""
    error = raised(("dev", wrong()), ("prod", wrong()))

    said = "plan.json:1:1: no JSON\n  expected: a plan\n  in:       dev, prod\n  remedy:   write it again"
    assert (PlanError, said) == (type(error), str(error))
    assert said == str(pickle.loads(pickle.dumps(error)))  # noqa: S301 - its own bytes


def test_what_differs_is_said_in_order() -> None:
    """Another place, another remedy and another kind of error are other errors, in the order in which they came."""
    other = ContractError("no JSON", place="plan.json:1:1", expected="a plan", remedy="write it again")
    errors = wrong(), wrong("state.json:1:1"), wrong(remedy="none"), other

    group = raised(("dev", errors[0]), ("prod", InputErrorGroup([errors[1], wrong(), errors[2]])), ("prod", other))

    assert isinstance(group, InputErrorGroup)
    assert list(map(id, errors)) == list(map(id, group.errors))
    assert [("dev", "prod"), ("prod",), ("prod",), ("prod",)] == [error.environments for error in group.errors]


def test_an_error_of_no_environment_names_none() -> None:
    """Where a run is about one environment alone, nothing is said of it."""
    assert str(wrong()) == str(raised(("", wrong()), ("", wrong())))
