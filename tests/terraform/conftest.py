"""Hold the tests of the folder to the whole text of plans and errors."""

from collections.abc import Mapping
from typing import Any

import pytest

from infraspec.core.errors import InfraspecError
from infraspec.terraform.plan import Plan, Resource
from tests.whole_results import Transcript, described, overhear


@pytest.fixture(autouse=True)
def whole_results(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch, transcript: Transcript) -> None:
    """Compare all that a test is told with what is kept."""
    overhear(request, monkeypatch, transcript, "infraspec.terraform", _told)


def _told(returned: Any) -> list[str]:
    return of_plan(returned) if isinstance(returned, Plan) else []


def of_plan(plan: Plan) -> list[str]:
    """Describe all of a plan."""
    about = [f"output {name}: {_value(plan.outputs, name)}" for name in plan.outputs]
    about += [f"{name}: {described(value)}" for name, value in _settings(plan)]
    return [*map(_of_resource, plan.resources), *about, *map(str, plan.diagnostics)]


def _settings(plan: Plan) -> list[tuple[str, Any]]:
    names = ("account", "region", "partition", "regions", "accounts", "uncertain", "changes", "refactorings", "origin")
    return [(name, getattr(plan, name)) for name in names]


def _of_resource(resource: Resource) -> str:
    head = f"{resource.address} of {resource.provider} at {resource.location} {' '.join(resource.actions)}".rstrip()
    return "\n".join([head, *(f"  {name} = {_value(resource.values, name)}" for name in resource.values)])


def _value(values: Mapping[str, Any], name: str) -> str:
    try:
        return described(values[name])
    except InfraspecError as error:
        return f"{type(error).__name__}: {error}"
