"""Database instances, their metrics and their place in the network, from a table of answers."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from msgspec.structs import replace

from infraspec.checks.deployed.database_readings import Maintenance, Readings
from infraspec.live.facts.databases import live_databases
from infraspec.terraform.plan import Plan, Resource
from tests.live.answers import Answers

ARN = "arn:aws:rds:eu-west-1:111122223333:db:shop"
TAKEN = Answers({}).taken
INSTANCE: dict[str, Any] = {
    "DBInstanceIdentifier": "shop",
    "DBInstanceArn": ARN,
    "DBInstanceStatus": "available",
    "InstanceCreateTime": TAKEN,
    "Endpoint": {"Address": "127.0.0.1", "Port": 5432},
    "BackupRetentionPeriod": 7,
    "LatestRestorableTime": TAKEN,
    "AllocatedStorage": 20,
    "PendingModifiedValues": {"MasterUserPassword": "canary", "DBInstanceClass": "db.t4g.micro"},
    "StatusInfos": [{"StatusType": "read replication", "Normal": False, "Status": "error"}],
    "DBSubnetGroup": {"Subnets": [{"SubnetIdentifier": "subnet-db"}]},
    "VpcSecurityGroups": [{"VpcSecurityGroupId": "sg-db"}],
}
SERVICE = Resource(
    "aws_ecs_service.web", "managed", "aws_ecs_service", "web", None, "",
    {"network_configuration": [{"subnets": ["subnet-app"], "security_groups": ["sg-app"]}]},
)  # fmt: skip
LIVE = Plan("live", (SERVICE,))
ANY = [{"CidrIp": "0.0.0.0/0"}]
EC2: dict[str, dict[str, Any]] = {
    "describe_subnets": {
        "Subnets": [
            {"SubnetId": "subnet-db", "VpcId": "vpc-1", "CidrBlock": "10.0.9.0/24"},
            {"SubnetId": "subnet-app", "VpcId": "vpc-1", "CidrBlock": "10.0.1.0/24"},
        ]
    },
    "describe_security_groups": {
        "SecurityGroups": [
            {
                "GroupId": "sg-db",
                "IpPermissions": [
                    {"IpProtocol": "tcp", "FromPort": 5432, "ToPort": 5432, "UserIdGroupPairs": [{"GroupId": "sg-app"}]}
                ],
            },
            {"GroupId": "sg-app", "IpPermissionsEgress": [{"IpProtocol": "-1", "IpRanges": ANY}]},
        ]
    },
    "describe_network_acls": {
        "NetworkAcls": [
            {
                "Associations": [{"SubnetId": "subnet-db"}],
                "Entries": [{"RuleNumber": 9, "RuleAction": "allow", "Protocol": "-1", "CidrBlock": "0.0.0.0/0"}],
            }
        ]
    },
}


def values(**given: Any) -> dict[str, Any]:
    """Answer GetMetricData with values by metric."""
    return {
        "MetricDataResults": [
            {"Id": query["Id"], "Values": given.get(query["MetricStat"]["Metric"]["MetricName"], [])}
            for query in given["MetricDataQueries"]
        ]
    }


def answers(*instances: dict[str, Any], maintenance: Any = (), **metrics: list[float]) -> Answers:
    """Return AWS with instances."""
    return Answers(
        {
            ("rds", "describe_db_instances"): {"DBInstances": list(instances)},
            ("rds", "describe_pending_maintenance_actions"): {"PendingMaintenanceActions": list(maintenance)},
            ("cloudwatch", "get_metric_data"): lambda **given: values(**given, **metrics),
            **{("ec2", operation): answer for operation, answer in EC2.items()},
        }
    )


def test_an_instance_is_read() -> None:
    """The value of a setting that waits, a password it may be, is not."""
    (found,) = live_databases(answers(INSTANCE), ["shop"], LIVE).databases.values()
    assert ("shop", ARN, "available", TAKEN, 5432, 7, TAKEN, 20) == (
        found.identifier, found.arn, found.status, found.created, found.port, found.retention_days,
        found.latest_restorable, found.allocated_gib,
    )  # fmt: skip
    assert ("DBInstanceClass", "MasterUserPassword") == found.pending
    assert ("read replication: error",) == found.replication
    assert "canary" not in repr(found)
    assert found.connects is None


def test_the_newest_values_of_the_metrics_are_read_in_one_call() -> None:
    """Of connections the most: a minute without a request says nothing."""
    calls = answers(
        INSTANCE,
        {**INSTANCE, "DBInstanceIdentifier": "other", "DBInstanceArn": f"{ARN}2"},
        DatabaseConnections=[0.0, 3.0],
        ReplicaLag=[2.0, 9.0],
    )
    found = live_databases(calls, ["shop", "other"], LIVE).databases
    assert {Readings(3.0, 2.0, None)} == {one.readings for one in found.values()}
    assert 1 == calls.count("cloudwatch", "get_metric_data")
    assert 1 == calls.count("rds", "describe_db_instances")
    (asked,) = [parameters for _, operation, parameters in calls.asked if operation == "get_metric_data"]
    assert timedelta(minutes=15) == asked["EndTime"] - asked["StartTime"]


def test_pending_maintenance_is_read_with_its_day() -> None:
    """The day on which AWS does it by itself, whichever of the two it is."""
    details = [{"Action": "system-update", "AutoAppliedAfterDate": TAKEN}, {"Action": "db-upgrade"}]
    calls = answers(INSTANCE, maintenance=[{"ResourceIdentifier": ARN, "PendingMaintenanceActionDetails": details}])
    (found,) = live_databases(calls, ["shop"], LIVE).databases.values()
    assert (Maintenance("system-update", "", TAKEN), Maintenance("db-upgrade")) == found.maintenance


def test_both_sides_of_the_way_are_read() -> None:
    """Subnets, security groups and ACLs of instances and services, three calls for all."""
    calls = answers(INSTANCE)
    observed = live_databases(calls, ["shop"], LIVE)
    side, service = observed.databases["shop"].side, observed.services["aws_ecs_service.web"]
    assert side is not None
    assert ("vpc-1", ("10.0.9.0/24",), ("10.0.1.0/24",)) == (side.vpc, side.cidrs, service.cidrs)
    assert frozenset({"sg-app"}) == side.groups[0].ingress[0].groups
    assert ("0.0.0.0/0",) == service.groups[0].egress[0].cidrs
    assert (True, False) == (side.entries[0][0].allow, side.entries[0][0].egress)
    assert 3 == sum(service == "ec2" for service, _, _ in calls.asked)


def test_without_databases_nothing_more_is_asked() -> None:
    """A source without one costs no call, and one that is not there only the first."""
    calls = answers()
    assert {} == live_databases(calls, [], LIVE).databases
    assert [] == calls.asked
    assert {} == live_databases(calls, ["shop"], LIVE).databases
    assert 1 == len(calls.asked)


@pytest.mark.parametrize("listening", [True, False])
def test_a_connection_is_tried_where_that_is_asked_for(monkeypatch: pytest.MonkeyPatch, *, listening: bool) -> None:
    """It is closed again at once; what cannot be opened is False, and never an error."""
    closed: list[bool] = []

    class Connection:
        def __enter__(self) -> None: ...

        def __exit__(self, *_: object) -> None:
            closed.append(True)

    def connect(address: tuple[str, int], timeout: float) -> Connection:
        assert (("127.0.0.1", 5432), 5) == (address, timeout)
        if not listening:
            raise TimeoutError
        return Connection()

    monkeypatch.setattr("socket.create_connection", connect)
    (found,) = live_databases(answers(INSTANCE), ["shop"], LIVE, connect=True).databases.values()
    assert (listening, [True] * listening) == (found.connects, closed)


def test_a_service_whose_network_is_not_known_is_left_out() -> None:
    """It has no place on the way."""
    service = replace(SERVICE, values={})
    assert {} == live_databases(answers(INSTANCE), ["shop"], Plan("live", (service,))).services
