"""Roles whose needs stand in lists and sets of blocks."""

from __future__ import annotations

from pathlib import Path

from infraspec.checks.access.task_access import check_task_access
from infraspec.contract.models import Contract
from tests.terraform.sources import plan_of

CONTRACT = Contract.model_validate(
    {"project": {"application": "shop"}, "environments": {"prod": {"account_id": "111122223333"}}}
)
LISTENERS = [
    f"arn:aws:elasticloadbalancing:eu-west-1:111122223333:listener/app/shop/{number * 16}/{number * 16}"
    for number in "12"
]
SOURCE = """
resource "aws_iam_role" "deploy" {
  name = "deploy"
  assume_role_policy = jsonencode({
    Version   = "2012-10-17"
    Statement = [{
      Effect = "Allow", Action = "sts:AssumeRole", Principal = { Service = "codedeploy.amazonaws.com" }
    }]
  })
}
resource "aws_iam_role_policy_attachment" "deploy" {
  role       = aws_iam_role.deploy.name
  policy_arn = "arn:aws:iam::aws:policy/AWSCodeDeployRoleForECS"
}
resource "aws_codedeploy_deployment_group" "shop" {
  app_name              = "shop"
  deployment_group_name = "shop"
  service_role_arn      = aws_iam_role.deploy.arn
  ecs_service {
    cluster_name = "shop"
    service_name = "shop"
  }
  load_balancer_info {
    target_group_pair_info {
      prod_traffic_route {
        listener_arns = LISTENERS
      }
      target_group {
        name = "blue"
      }
      target_group {
        name = "green"
      }
    }
  }
}
"""


def test_each_listener_of_a_deployment_is_asked_for(tmp_path: Path) -> None:
    """A set of listeners is as many needs."""
    text = str(LISTENERS).replace("'", '"')
    found = check_task_access(plan_of(tmp_path, SOURCE.replace("LISTENERS", text)), CONTRACT, "prod")
    named = {listener for listener in LISTENERS for one in found if listener in one.subject}
    assert set(LISTENERS) == named
