"""The tables of the resource types that the sandbox can create."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import boto3
import pytest

from infraspec.resource_types.listing import names
from infraspec.sandbox.applying import AppliedPlan
from infraspec.sandbox.resources.making import MAKINGS, Argument, SandboxCall
from infraspec.sandbox.running import Running
from infraspec.terraform.configuration.evaluation import Library
from infraspec.terraform.provider.known_data import KnownData
from infraspec.terraform.source import evaluate

NETWORK = """
provider "aws" { region = "eu-west-1" }
resource "aws_vpc" "a" { cidr_block = "10.7.0.0/16" }
resource "aws_subnet" "a" {
  count             = 2
  vpc_id            = aws_vpc.a.id
  cidr_block        = "10.7.${count.index}.0/24"
  availability_zone = "eu-west-1${["a", "b"][count.index]}"
}
resource "aws_lb" "a" {
  name    = "untagged"
  subnets = aws_subnet.a[*].id
}
resource "aws_lb_target_group" "a" {
  name     = "untagged"
  port     = "8080"
  protocol = "HTTP"
  vpc_id   = aws_vpc.a.id
}
resource "aws_lb_listener" "a" {
  load_balancer_arn = aws_lb.a.arn
  port              = 80
  protocol          = "HTTP"
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.a.arn
  }
}
"""


def _unknown(part: Argument, shape: Any) -> Iterator[str]:
    """Yield what a structure of the API does not have."""
    if shape.type_name == "list":
        shape = shape.member
    written = {*names(part.takes).values(), *names(part.own).values(), *part.flags, *part.nested}
    written |= {*part.defaults, *part.fixed}
    yield from written - set(shape.members if shape.type_name == "structure" else written)
    for name, nested in part.nested.items():
        for one in nested if isinstance(nested, tuple) else (nested,):
            yield from _unknown(one, shape.members[name])


@pytest.mark.parametrize("type_", sorted(MAKINGS))
def test_every_argument_is_one_of_the_api(type_: str) -> None:
    """Each argument of a call and each attribute of its answer has a name that the operation knows."""
    making = MAKINGS[type_]
    calls = (*making.create, *(making.update or ()), *(making.delete or ()))
    assert [] == [name for call in calls for name in _not_of_the_api(call)]


def _not_of_the_api(call: SandboxCall) -> Iterator[str]:
    service, _, operation = call.call.partition(".")
    client = boto3.client(service, region_name="eu-west-1")
    model = client.meta.service_model.operation_model(client.meta.method_to_api_mapping[operation])
    yield from _unknown(call, model.input_shape)
    key, _, given = call.gives.rpartition(": ")
    shape = model.output_shape
    for step in filter(None, key.split(".")):
        shape = shape.member if step == "0" else shape.members[step]
    if given:
        yield from {path.partition(".")[0] for path in names(given).values()} - set(shape.members)


def test_what_has_no_tags_is_applied(empty: Running, tmp_path: Path) -> None:
    """A load balancer, its target group and its listener are made without tags, of which AWS takes no empty list."""
    (tmp_path / "main.tf").write_text(NETWORK)
    plan = evaluate(
        tmp_path, arguments=(), environ={}, workspace="default", known=KnownData.of({}), library=Library(str)
    )
    assert () == AppliedPlan(empty.account).apply(plan)
