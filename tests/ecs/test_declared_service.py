"""Services as the source declares them, and placeholders of deployment tools."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from infraspec.core.unknown import Unknown, Value, concatenate, render
from infraspec.ecs.fleet import declared_families, declared_services, is_scaled
from infraspec.ecs.task_definition import first_placeholder, with_placeholders
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.plan import Plan
from tests.checks.access_cases import ACCOUNT, REGION, arn, resource
from tests.whole_results import Transcript, described

WEB = resource("aws_ecs_task_definition.web", family="web", revision=7)
NEW = resource("aws_ecs_task_definition.new", family="new")
MAIN = resource("aws_ecs_cluster.main", name="main")
SERVICES: dict[str, Mapping[str, Value]] = {
    "bare": {},
    "a family": {"task_definition": "web"},
    "a family and revision": {"task_definition": "web:3"},
    "an ARN": {"task_definition": arn("ecs", "task-definition/web:3")},
    "no family": {"task_definition": "a b"},
    "a task definition of the plan": {"task_definition": Unknown("aws_ecs_task_definition.web.arn")},
    "one before its first apply": {"task_definition": Unknown("aws_ecs_task_definition.new.arn")},
    "a family of unknown revision": {"task_definition": concatenate(["web:", Unknown("var.revision")])},
    "a revision of the plan": {
        "task_definition": concatenate(["web:", Unknown("aws_ecs_task_definition.web.revision")])},
    "a family that is not known": {"task_definition": concatenate([Unknown("var.family"), ":3"])},
    "what is not known": {"task_definition": Unknown("var.definition"), "cluster": Unknown("var.cluster")},
    "a cluster by ARN": {"cluster": arn("ecs", "cluster/main")},
    "a cluster by name": {"cluster": "main"},
    "a cluster of the plan": {"cluster": Unknown("aws_ecs_cluster.main.id")},
    "something else as its cluster": {"cluster": Unknown("aws_ecs_task_definition.web.arn")},
    "a count": {"desired_count": 3},
    "a count that is not known": {"desired_count": Unknown("var.count")},
    "a name that is not known": {"name": Unknown("var.name")},
}  # fmt: skip
SCALED = {
    "nobody": (),
    "a target": (resource("aws_appautoscaling_target.web", resource_id="service/default/web", min_capacity=2),),
    "a target of another": (
        resource("aws_appautoscaling_target.web", resource_id="service/default/x", min_capacity=2),),
    "a target that is not known": (
        resource("aws_appautoscaling_target.web", resource_id=Unknown("var.id"), min_capacity=2),),
    "a schedule": (
        resource("aws_appautoscaling_target.web", resource_id="service/default/web", min_capacity=2),
        resource("aws_appautoscaling_scheduled_action.web", resource_id="service/default/web")),
}  # fmt: skip


def _told(plan: Plan) -> list[str]:
    attributes = AwsAttributes(plan)
    return [
        "\n".join([
            f"{render(one.cluster)}/{render(one.name)} in {render(one.region)}",
            f"  runs {render(one.family)}:{one.revision}",
            f"  at least {render(one.least)}, key {one.key}, unknown {one.unknown}, account {one.account}",
            f"  doubt {one.doubt and described(one.doubt)}, scaled {is_scaled(one.resource, attributes)}",
            f"  ignores its count {one.ignores('desired_count')}",
        ])
        for one in declared_services(plan)
    ]  # fmt: skip


@pytest.mark.parametrize("scaled", SCALED.values(), ids=SCALED)
@pytest.mark.parametrize("values", SERVICES.values(), ids=SERVICES)
def test_services(values: Mapping[str, Value], scaled: tuple[Value, ...], transcript: Transcript) -> None:
    """A service has its key, its task definition, and how many tasks it has at least."""
    service = resource("aws_ecs_service.web", **{"name": "web", "task_definition": "web", "desired_count": 2, **values})
    plan = Plan("source", (service, WEB, NEW, MAIN, *scaled), account=ACCOUNT, region=REGION)
    transcript(_told(plan))


def test_families() -> None:
    """The families of a plan are those that are known."""
    unknown = resource("aws_ecs_task_definition.x", family=Unknown("var.family"))
    assert declared_families(Plan("source", (WEB, NEW, unknown))) == {"web", "new"}


PLACEHOLDERS: dict[str, Value] = {
    "plain": "plain",
    "${TAG}": Unknown("placeholder TAG"),
    "app:${TAG}": concatenate(["app:", Unknown("placeholder TAG")]),
    "${A}-${B}": concatenate([Unknown("placeholder A"), "-", Unknown("placeholder B")]),
    "{{ must_env `TAG` }}": Unknown("placeholder TAG"),
    '{{ env "TAG" }}': Unknown("placeholder TAG"),
    "{{ TAG }}": Unknown("placeholder TAG"),
    "{{ tfstate `aws_iam_role.app['x'].arn` }}": Unknown('aws_iam_role.app["x"].arn'),
    "<IMAGE1_NAME>": Unknown("placeholder IMAGE1_NAME"),
    "%TAG%": Unknown("placeholder TAG"),
    "__TAG__": Unknown("placeholder TAG"),
    "arn:aws:iam::ACCOUNT_ID:role/x": concatenate(["arn:aws:iam::", Unknown("placeholder ACCOUNT_ID"), ":role/x"]),
    "AWS_REGION": Unknown("placeholder AWS_REGION"),
    "MY_REGION": "MY_REGION",
    "REGIONAL": "REGIONAL",
    "<1>": "<1>",
    "50%": "50%",
}


@pytest.mark.parametrize(("text", "expected"), PLACEHOLDERS.items())
def test_placeholders(text: str, expected: Value) -> None:
    """Each tool's placeholder in a text is an unknown part, wherever in a tree it stands."""
    assert with_placeholders({"a": [text, 1, None]}) == {"a": [expected, 1, None]}
    assert bool(first_placeholder(text)) is (expected != text)
    assert first_placeholder(text) in text
