"""The network that another stack made is judged as AWS has it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infraspec.checks.network.reachability import check_reachability
from infraspec.core.errors import RunnerPermissionError
from infraspec.core.finding import Verdict
from infraspec.ecs.task_definition import task_definitions
from infraspec.live.plan import live_plan
from tests.live import world
from tests.live.world import contract, source

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
TO_INTERNET = {"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1", "State": "active"}
NAT = {"DestinationCidrBlock": "0.0.0.0/0", "NatGatewayId": "nat-1", "State": "active"}
ALL = {"IpProtocol": "-1", "FromPort": -1, "ToPort": -1, "CidrIpv4": "0.0.0.0/0"}
EGRESS = {"SecurityGroupRuleId": "sgr-1", "GroupId": "sg-1", "IsEgress": True, **ALL}
INGRESS = {"SecurityGroupRuleId": "sgr-2", "GroupId": "sg-2", "IsEgress": False, **ALL}
OUT = {**EGRESS, "SecurityGroupRuleId": "sgr-3", "GroupId": "sg-2"}
IN = {**INGRESS, "SecurityGroupRuleId": "sgr-4", "GroupId": "sg-1"}
WAYS = [EGRESS, INGRESS, OUT, IN]
ARN = f"arn:aws:elasticloadbalancing:{world.REGION}:{world.ACCOUNT}:"
GROUP, BALANCER = f"{ARN}targetgroup/shared/1", f"{ARN}loadbalancer/app/shared/1"
LISTENER = f"{ARN}listener/app/shared/1/1"
ENDPOINT = {
    "VpcEndpointId": "vpce-1",
    "VpcId": "vpc-1",
    "ServiceName": f"com.amazonaws.{world.REGION}.secretsmanager",
    "VpcEndpointType": "Interface",
    "State": "available",
    "PrivateDnsEnabled": True,
    "SubnetIds": ["subnet-1"],
    "Groups": [{"GroupId": "sg-2"}],
}


def entry(number: int, *, allow: bool, egress: bool) -> dict[str, Any]:
    """Return an entry of a network ACL that is about everything."""
    action = "allow" if allow else "deny"
    return {"RuleNumber": number, "RuleAction": action, "Egress": egress, "Protocol": "-1", "CidrBlock": "0.0.0.0/0"}


OPEN = [entry(100, allow=True, egress=True), entry(100, allow=True, egress=False)]


def before(field: str, *values: str, forwards_to: str = "") -> dict[str, Any]:
    """Return the first rule of a listener, which answers by itself or forwards."""
    action = {"Type": "forward", "TargetGroupArn": forwards_to} if forwards_to else {"Type": "fixed-response"}
    kinds = {"path-pattern": "PathPatternConfig", "host-header": "HostHeaderConfig", "http-header": "HttpHeaderConfig"}
    condition = {"Field": field, kinds[field]: {"Values": [*values]}}
    return {"RuleArn": f"{LISTENER}/first", "Priority": "1", "Conditions": [condition], "Actions": [action]}


def verdicts(directory: Path, **changes: Any) -> dict[str, tuple[Verdict, str, str]]:
    """Return verdict, reason and fix of each way of the service whose subnets the source does not make."""
    account = world.World()
    place = {"subnets": ["subnet-1"], "securityGroups": ["sg-1"], "assignPublicIp": changes.get("address", "DISABLED")}
    target = {"targetGroupArn": GROUP, "containerName": "api", "containerPort": 8080}
    account.service = {
        "launchType": "FARGATE",
        "networkConfiguration": {"awsvpcConfiguration": place},
        "loadBalancers": [target],
    }
    routes, dns = changes.get("routes", [NAT]), changes.get("dns", True)
    vpc = {"VpcId": "vpc-1", "CidrBlock": "10.0.0.0/16", "OwnerId": changes.get("owner", world.ACCOUNT)}
    subnet = {"SubnetId": "subnet-1", "CidrBlock": "10.0.1.0/24", "VpcId": "vpc-1"}
    public = {"SubnetId": "subnet-2", "CidrBlock": "10.0.2.0/24", "VpcId": "vpc-1"}
    tables = [
        {"RouteTableId": "rtb-1", "VpcId": "vpc-1", "Routes": routes, "Associations": [
            {"RouteTableAssociationId": "rtbassoc-1", "Main": False, "SubnetId": "subnet-1"}
        ]},
        {"RouteTableId": "rtb-2", "VpcId": "vpc-1", "Routes": [TO_INTERNET], "Associations": [
            {"RouteTableAssociationId": "rtbassoc-2", "Main": True}
        ]},
    ]  # fmt: skip
    given = {
        "ec2__describe_vpcs": {"Vpcs": [vpc]},
        "ec2__describe_subnets": {"Subnets": [subnet, public]},
        "ec2__describe_route_tables": {"RouteTables": tables if routes is not None else []},
        "ec2__describe_nat_gateways": {
            "NatGateways": [{"NatGatewayId": "nat-1", "SubnetId": "subnet-2", "State": changes.get("nat", "available")}]
        },
        "ec2__describe_internet_gateways": {"InternetGateways": [{"InternetGatewayId": "igw-1"}]},
        "ec2__describe_vpc_endpoints": {"VpcEndpoints": changes.get("endpoints", [])},
        "ec2__describe_vpc_attribute": lambda Attribute, **_: {  # noqa: N803 - AWS's name
            Attribute[0].upper() + Attribute[1:]: {"Value": dns}
        },
        "ec2__describe_security_groups": {
            "SecurityGroups": [{"GroupId": name, "GroupName": name, "VpcId": "vpc-1"} for name in ("sg-1", "sg-2")]
        },
        "ec2__describe_security_group_rules": {"SecurityGroupRules": changes.get("rules", [EGRESS, INGRESS])},
        "ec2__describe_network_acls": {
            "NetworkAcls": [
                {
                    "NetworkAclId": "acl-1",
                    "VpcId": "vpc-1",
                    "Entries": changes.get("entries", OPEN),
                    "Associations": [{"SubnetId": "subnet-1"}, {"SubnetId": "subnet-2"}],
                }
            ]
        },
    }
    given |= {
        "elbv2__describe_load_balancers": {
            "LoadBalancers": [
                {
                    "LoadBalancerArn": BALANCER,
                    "LoadBalancerName": "shared",
                    "Type": "application",
                    "SecurityGroups": ["sg-2"],
                    "AvailabilityZones": [{"SubnetId": "subnet-2"}],
                }
            ]
        },
        "elbv2__describe_target_groups": {
            "TargetGroups": [
                {
                    "TargetGroupArn": GROUP,
                    "TargetGroupName": "shared",
                    "TargetType": changes.get("target_type", "ip"),
                    "VpcId": "vpc-1",
                    "LoadBalancerArns": changes.get("balancers", [BALANCER]),
                }
            ]
        },
        "elbv2__describe_listeners": {
            "Listeners": [{"ListenerArn": LISTENER, "LoadBalancerArn": BALANCER, "Port": 443, "DefaultActions": []}]
        },
        "elbv2__describe_rules": {
            "Rules": [
                {
                    "RuleArn": f"{LISTENER}/rule",
                    "Actions": [{"Type": "forward", "TargetGroupArn": changes.get("forwards_to", GROUP)}],
                    "Priority": "default",
                },
                *changes.get("before", []),
            ]
        },
    }
    plan = source(directory)
    given |= changes.get("answers", {})
    live = live_plan(account.answers(**given), plan, contract(), "prod")
    findings = check_reachability(live, task_definitions(live), contract(), "prod")
    return {one.subject: (one.verdict, one.reason, one.remedy) for one in findings}


@pytest.mark.parametrize(
    ("changes", "verdict", "reason"),
    [
        ({}, PROVEN, "nat-1"),
        ({"routes": []}, VIOLATED, "no route to 0.0.0.0/0"),
        ({"routes": [{**NAT, "State": "blackhole"}]}, VIOLATED, "nat-1, which does not exist"),
        ({"nat": "deleted"}, VIOLATED, "nat-1, which does not exist"),
        ({"routes": [{"DestinationCidrBlock": "0.0.0.0/0", "GatewayId": "igw-1"}]}, VIOLATED, "a public IP address"),
        ({"routes": [{"DestinationCidrBlock": "0.0.0.0/0", "TransitGatewayId": "tgw-1"}]}, UNDETERMINED, "tgw-1"),
        ({"rules": [INGRESS]}, VIOLATED, "no egress rule"),
        ({"entries": [entry(1, allow=False, egress=True), *OPEN]}, VIOLATED, "does not allow TCP 443"),
        ({"entries": [entry(1, allow=False, egress=False), *OPEN]}, VIOLATED, "does not allow TCP"),
        ({"endpoints": [ENDPOINT], "routes": []}, PROVEN, "vpce-1"),
        ({"routes": [TO_INTERNET], "address": "ENABLED"}, PROVEN, "igw-1"),
        ({"owner": "444455556666", "routes": None}, UNDETERMINED, "that of its VPC counts"),
        ({"endpoints": [{**ENDPOINT, "State": "deleted"}], "routes": []}, VIOLATED, "no route to 0.0.0.0/0"),
        ({"endpoints": [{**ENDPOINT, "PrivateDnsEnabled": False}], "routes": []}, VIOLATED, "no route to 0.0.0.0/0"),
        ({"endpoints": [ENDPOINT], "rules": [EGRESS]}, VIOLATED, "no ingress rule of sg-2"),
        ({"endpoints": [ENDPOINT], "dns": False}, VIOLATED, "private DNS requires"),
    ],
)
def test_a_network_of_another_stack_is_followed(
    tmp_path: Path, changes: dict[str, Any], verdict: Verdict, reason: str
) -> None:
    """The way to Secrets Manager, by what is changed in the account."""
    (found,) = [told for subject, told in verdicts(tmp_path, **changes).items() if "secretsmanager" in subject]
    assert verdict is found[0]
    assert reason in found[1]
    assert found[2].startswith("terraform apply, if the source has it") is (verdict is VIOLATED)


@pytest.mark.parametrize(
    ("changes", "verdict", "reason"),
    [
        ({"rules": [EGRESS, INGRESS, OUT, IN]}, PROVEN, "/rule"),
        ({"rules": [EGRESS, INGRESS, OUT]}, VIOLATED, "no ingress rule of sg-1"),
        ({"rules": [EGRESS, INGRESS, IN]}, VIOLATED, "no egress rule of sg-2"),
        ({"balancers": []}, VIOLATED, "no listener forwards"),
        ({"forwards_to": f"{ARN}targetgroup/other/1"}, VIOLATED, "no listener forwards"),
        ({"target_type": "instance"}, VIOLATED, "register by IP address"),
        ({"rules": WAYS, "before": [before("path-pattern", "/*")]}, VIOLATED, "takes every request first"),
        ({"rules": WAYS, "before": [before("host-header", "*", "a.example")]}, VIOLATED, "takes every request first"),
        ({"rules": WAYS, "before": [before("path-pattern", "/lab/*")]}, PROVEN, "/rule"),
        ({"rules": WAYS, "before": [before("http-header", "*")]}, PROVEN, "/rule"),
        ({"rules": WAYS, "before": [before("path-pattern", "/*", forwards_to=GROUP)]}, PROVEN, "/rule"),
    ],
)
def test_a_load_balancer_of_another_stack_is_followed(
    tmp_path: Path, changes: dict[str, Any], verdict: Verdict, reason: str
) -> None:
    """The way of requests to the container, by what is changed in the account."""
    (found,) = [told for subject, told in verdicts(tmp_path, **changes).items() if "from the load balancer" in subject]
    assert verdict is found[0]
    assert reason in found[1]
    assert found[2].startswith("terraform apply, if the source has it") is (verdict is VIOLATED)


def test_rules_of_a_listener_that_may_not_be_looked_at_leave_open(tmp_path: Path) -> None:
    """One of them may take the requests before the default action that forwards to the tasks."""

    def refuse(**_: Any) -> None:
        raise RunnerPermissionError("refused", place="elbv2", found="it may not", remedy="allow it")

    forward = [{"Type": "forward", "TargetGroupArn": GROUP}]
    listener = {"ListenerArn": LISTENER, "LoadBalancerArn": BALANCER, "Port": 443, "DefaultActions": forward}
    answers = {"elbv2__describe_listeners": {"Listeners": [listener]}, "elbv2__describe_rules": refuse}
    found = verdicts(tmp_path, rules=WAYS, answers=answers)
    ((verdict, reason, remedy),) = [told for subject, told in found.items() if "from the load balancer" in subject]

    assert UNDETERMINED is verdict
    assert "may take the requests before" in reason
    assert "allow it" in remedy


@pytest.mark.parametrize("operation", ["describe_route_tables", "describe_network_acls"])
def test_a_refused_read_is_one_finding_that_names_the_services(tmp_path: Path, operation: str) -> None:
    """What may not be looked at is the same for all of them, and so is the statement that lets the runner look."""
    account = world.World()
    ((one,),) = account.answers().table["ecs", "describe_services"].values()  # type: ignore[union-attr] # it is a table
    other = {**one, "serviceName": "app-prod-jobs", "serviceArn": one["serviceArn"].replace("-api", "-jobs")}
    error = RunnerPermissionError("refused", place=f"ec2:{operation}", found="it may not", remedy="allow it")

    def refuse(**_: Any) -> None:
        raise error

    listed = {"serviceArns": [one["serviceArn"], other["serviceArn"]]}
    answers = account.answers(
        ecs__describe_services={"services": [one, other]}, ecs__list_services=listed, **{f"ec2__{operation}": refuse}
    )
    live = live_plan(answers, source(tmp_path), contract(), "prod")
    (finding,) = check_reachability(live, task_definitions(live), contract(), "prod")

    assert UNDETERMINED is finding.verdict
    assert {"aws_ecs_service.api", other["serviceArn"]} == {address for address, _ in finding.instances}
    assert "allow it" in finding.remedy
