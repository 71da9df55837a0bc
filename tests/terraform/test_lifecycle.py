from pathlib import Path

import pytest

from infraspec.terraform.plan import Plan, Resource
from infraspec.terraform.planfile.merge import complete
from tests.terraform.sources import plan_of

CASES = {
    "[task_definition]": ("task_definition",),
    '[tags["Name"], load_balancer[0].container_name]': ("tags", "load_balancer"),
    '["desired_count"]': ("desired_count",),
    "all": ("all",),
    "[]": (),
}


@pytest.mark.parametrize("text", CASES)
def test_ignore_changes(text: str, tmp_path: Path) -> None:
    """The attributes are known by their first names, quoted or not."""
    plan = plan_of(
        tmp_path, f'resource "aws_ecs_service" "a" {{\n  lifecycle {{\n    ignore_changes = {text}\n  }}\n}}\n'
    )

    assert plan.by_address["aws_ecs_service.a"].ignore_changes == CASES[text]


def test_a_plan_file_has_it_from_the_source(tmp_path: Path) -> None:
    """A plan or state does not say what the source ignores."""
    source = plan_of(tmp_path, 'resource "aws_ecs_service" "a" {\n  lifecycle {\n    ignore_changes = all\n  }\n}\n')
    planned = Plan("a plan", (Resource("aws_ecs_service.a", "managed", "aws_ecs_service", "a", None, "", {}),))

    assert complete(planned, source).by_address["aws_ecs_service.a"].ignore_changes == ("all",)


def test_nothing_is_ignored(tmp_path: Path) -> None:
    """A resource without lifecycle, or with one that is about something else, ignores nothing."""
    text = 'resource "aws_s3_bucket" "a" {\n  lifecycle {\n    prevent_destroy = true\n  }\n}\n'

    assert plan_of(tmp_path, text).by_address["aws_s3_bucket.a"].ignore_changes == ()
