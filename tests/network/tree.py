"""A small repository with a service on Fargate, its network, load balancer and database, in several layouts."""

from __future__ import annotations

from itertools import product
from pathlib import Path

WAYS = ("nat", "public", "endpoints")
"""How the tasks leave their subnets: by a NAT gateway, with public addresses, or through endpoints alone."""
FORMS = ("inline", "rule", "single")
"""How the rules of security groups are written."""
LAYOUTS = tuple(product(WAYS, FORMS))

_COMMON = """
provider "aws" { region = "eu-west-1" }
resource "aws_vpc" "main" {
  cidr_block           = "10.0.0.0/16"
  enable_dns_support   = true
  enable_dns_hostnames = true
}
resource "aws_internet_gateway" "main" {
  vpc_id = aws_vpc.main.id
}
resource "aws_subnet" "public" {
  for_each          = { a = 0, c = 1 }
  vpc_id            = aws_vpc.main.id
  availability_zone = "eu-west-1${each.key}"
  cidr_block        = cidrsubnet("10.0.0.0/16", 8, each.value)
}
resource "aws_subnet" "tasks" {
  for_each          = { a = 10, c = 11 }
  vpc_id            = aws_vpc.main.id
  availability_zone = "eu-west-1${each.key}"
  cidr_block        = cidrsubnet("10.0.0.0/16", 8, each.value)
}
resource "aws_route_table" "public" {
  vpc_id = aws_vpc.main.id
}
resource "aws_route" "public" {
  route_table_id         = aws_route_table.public.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.main.id
}
resource "aws_route_table_association" "public" {
  for_each       = aws_subnet.public
  subnet_id      = each.value.id
  route_table_id = aws_route_table.public.id
}
resource "aws_route_table" "tasks" {
  vpc_id = aws_vpc.main.id
}
resource "aws_route_table_association" "tasks" {
  for_each       = aws_subnet.tasks
  subnet_id      = each.value.id
  route_table_id = aws_route_table.tasks.id
}
resource "aws_lb" "main" {
  name            = "shop"
  security_groups = [aws_security_group.balancer.id]
  subnets         = values(aws_subnet.public)[*].id
}
resource "aws_lb_target_group" "main" {
  name        = "shop"
  vpc_id      = aws_vpc.main.id
  protocol    = "HTTP"
  port        = 8080
  target_type = "ip"
}
resource "aws_lb_listener" "main" {
  load_balancer_arn = aws_lb.main.arn
  port              = 80
  default_action {
    type             = "forward"
    target_group_arn = aws_lb_target_group.main.arn
  }
}
resource "aws_db_instance" "main" {
  identifier             = "shop"
  engine                 = "postgres"
  vpc_security_group_ids = [aws_security_group.database.id]
}
resource "aws_iam_role" "execution" {
  name               = "shop-execution"
  assume_role_policy = "{}"
}
resource "aws_ecs_task_definition" "main" {
  family                   = "shop"
  network_mode             = "awsvpc"
  requires_compatibilities = ["FARGATE"]
  execution_role_arn       = aws_iam_role.execution.arn
  container_definitions = jsonencode([{
    name         = "app"
    image        = "111122223333.dkr.ecr.eu-west-1.amazonaws.com/shop:1"
    portMappings = [{ containerPort = 8080 }]
    environment  = [{ name = "DB_HOST", value = aws_db_instance.main.address }]
    secrets      = [{ name = "KEY", valueFrom = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:key-AbCdEf" }]
    logConfiguration = {
      logDriver = "awslogs"
      options   = { awslogs-group = "/shop", awslogs-region = "eu-west-1", awslogs-stream-prefix = "app" }
    }
  }])
}
resource "aws_ecs_service" "main" {
  name            = "shop"
  launch_type     = "FARGATE"
  task_definition = aws_ecs_task_definition.main.arn
  network_configuration {
    subnets          = values(aws_subnet.tasks)[*].id
    security_groups  = [aws_security_group.tasks.id]
    assign_public_ip = ADDRESS
  }
  load_balancer {
    target_group_arn = aws_lb_target_group.main.arn
    container_name   = "app"
    container_port   = 8080
  }
}
"""
_NAT = """
resource "aws_eip" "nat" {
  domain = "vpc"
}
resource "aws_nat_gateway" "main" {
  allocation_id = aws_eip.nat.id
  subnet_id     = aws_subnet.public["a"].id
}
resource "aws_route" "tasks" {
  route_table_id         = aws_route_table.tasks.id
  destination_cidr_block = "0.0.0.0/0"
  nat_gateway_id         = aws_nat_gateway.main.id
}
"""
_PUBLIC = """
resource "aws_route" "tasks" {
  route_table_id         = aws_route_table.tasks.id
  destination_cidr_block = "0.0.0.0/0"
  gateway_id             = aws_internet_gateway.main.id
}
"""
_ENDPOINTS = """
resource "aws_vpc_endpoint" "interface" {
  for_each            = toset(["ecr.api", "ecr.dkr", "logs", "secretsmanager"])
  vpc_id              = aws_vpc.main.id
  service_name        = "com.amazonaws.eu-west-1.${each.key}"
  vpc_endpoint_type   = "Interface"
  private_dns_enabled = true
  subnet_ids          = values(aws_subnet.tasks)[*].id
  security_group_ids  = [aws_security_group.endpoints.id]
}
resource "aws_vpc_endpoint" "s3" {
  vpc_id          = aws_vpc.main.id
  service_name    = "com.amazonaws.eu-west-1.s3"
  route_table_ids = [aws_route_table.tasks.id]
}
"""
_OF_WAY = {"nat": (_NAT, "false"), "public": (_PUBLIC, "true"), "endpoints": (_ENDPOINTS, "false")}
_GROUPS = {
    "tasks": (("egress", 443, "0.0.0.0/0"), ("egress", 5432, "database"), ("ingress", 8080, "balancer")),
    "balancer": (("ingress", 80, "0.0.0.0/0"), ("egress", 8080, "tasks")),
    "database": (("ingress", 5432, "tasks"),),
    "endpoints": (("ingress", 443, "10.0.0.0/16"),),
}
"""Direction, port and other end of each rule of the security groups."""


def text_of(way: str, form: str) -> str:
    """Return the source of a layout."""
    own, address = _OF_WAY[way]
    groups = "".join(_group(name, form) for name in _GROUPS if name != "endpoints" or way == "endpoints")
    return _COMMON.replace("ADDRESS", address) + own + groups


def _group(name: str, form: str) -> str:
    inline = "".join(_inline(*rule) for rule in _GROUPS[name]) if form == "inline" else ""
    apart = "" if form == "inline" else "".join(_apart(name, form, *rule) for rule in _GROUPS[name])
    head = f'resource "aws_security_group" "{name}" {{\n  name   = "{name}"\n  vpc_id = aws_vpc.main.id\n'
    return f"{head}{inline}}}\n{apart}"


def _inline(direction: str, port: int, other: str) -> str:
    # Two groups that name each other in blocks would be a cycle: the addresses of the VPC stand for the other.
    block = other if other[0].isdigit() else "10.0.0.0/16"
    return (
        f'  {direction} {{\n    protocol    = "tcp"\n    from_port   = {port}\n    to_port     = {port}\n'
        f'    cidr_blocks = ["{block}"]\n  }}\n'
    )


def _apart(name: str, form: str, direction: str, port: int, other: str) -> str:
    label = f"{name}_{direction}_{port}"
    ports = f"  from_port = {port}\n  to_port = {port}\n  security_group_id = aws_security_group.{name}.id\n"
    if form == "rule":
        end = (
            f'cidr_blocks = ["{other}"]'
            if other[0].isdigit()
            else f"source_security_group_id = aws_security_group.{other}.id"
        )
        head = f'resource "aws_security_group_rule" "{label}" {{\n  type = "{direction}"\n  protocol = "tcp"\n'
    else:
        end = (
            f'cidr_ipv4 = "{other}"'
            if other[0].isdigit()
            else f"referenced_security_group_id = aws_security_group.{other}.id"
        )
        head = f'resource "aws_vpc_security_group_{direction}_rule" "{label}" {{\n  ip_protocol = "tcp"\n'
    return f"{head}{ports}  {end}\n}}\n"


def write(folder: Path, text: str) -> Path:
    """Write a repository with the source and a contract."""
    (folder / "main.tf").write_text(text, encoding="utf-8")
    (folder / "infraspec.toml").write_text(
        '[project]\napplication = "shop"\n[environments.prod]\nroot = "."\n', "utf-8"
    )
    return folder
