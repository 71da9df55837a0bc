"""Hooks for rules and knowledge of a repository's own: implement them in its conftest.py or in a plugin."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import pytest

if TYPE_CHECKING:  # every pytest run imports this module
    from infraspec.contract.models import Contract
    from infraspec.core.finding import Finding
    from infraspec.core.unknown import Value
    from infraspec.ecs.requirement import AccessContext, Requirement
    from infraspec.ecs.task_definition import TaskDefinition
    from infraspec.terraform.aws_attributes import AwsAttributes
    from infraspec.terraform.plan import Plan, Resource


@pytest.hookspec
def pytest_infraspec_checks() -> Mapping[str, Callable[..., Sequence[Finding]]] | None:
    """Return checks that the static suite runs for every environment, by the id of their rule.

    A check is a function that returns findings. Its parameters name the fixtures that it needs: `plan`,
    `task_definitions`, `contract`, `environment` or others of the suite. Waivers, baseline and reports treat its rule
    like one of infraspec's.
    """


@pytest.hookspec
def pytest_infraspec_resources(environment: str, plan: Plan, contract: Contract) -> Iterable[Resource] | None:
    """Return resources that another source than Terraform declares, such as a CloudFormation template.

    They join the plan of the environment, so every check sees them; an address has to be new to it.
    """


@pytest.hookspec
def pytest_infraspec_name_attributes() -> Mapping[str, str] | None:
    """Return the attribute with the name of a resource type; `[names.attributes]` of the contract takes precedence."""


@pytest.hookspec
def pytest_infraspec_arn_shapes() -> Mapping[tuple[str, str], Callable[[AwsAttributes, Resource], Value]] | None:
    """Return the format of attributes that are known only after apply, by resource type and attribute."""


@pytest.hookspec
def pytest_infraspec_required_access(
    task_definition: TaskDefinition, context: AccessContext
) -> Iterable[Requirement] | None:
    """Return permissions that the roles of a task definition need besides those that AWS documents.

    `secret-access` proves them, and `policies` counts them as used.
    """
