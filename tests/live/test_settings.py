"""What is set beside a resource and a listing does not have: replicas, rotation of keys, logs of a load balancer."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from infraspec.checks.deployed.attachments import extra_attachments
from infraspec.checks.deployed.drift import check_drift
from infraspec.core.errors import RunnerPermissionError
from infraspec.core.finding import Location, Verdict
from infraspec.core.unknown import Value
from infraspec.live.plan import live_plan
from infraspec.terraform.plan import Plan, Resource
from tests.live.deployed import deployed, reference
from tests.live.world import SOURCE, World, contract, source

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
_KEY = "kms_key_id = aws_kms_key.secrets.arn"
REPLICATED = SOURCE.replace(_KEY, _KEY + '\n  replica { region = "eu-central-1" }', 1)
BALANCER, BUCKET = "module.network.aws_lb.this", "module.state.aws_s3_bucket.state"


def denied(**_: object) -> None:
    """Refuse to answer."""
    raise RunnerPermissionError("the runner may not look", remedy="add the statement")


def verdict(plan: Plan, live: Plan, address: str) -> Verdict:
    """Return what `drift` says of a resource."""
    (finding,) = [one for one in check_drift(plan, live, {}) if one.address == address]
    return finding.verdict


@pytest.mark.parametrize(
    ("replicas", "expected"),
    [
        ([{"Region": "eu-central-1", "KmsKeyId": "alias/aws/secretsmanager", "Status": "InSync"}], PROVEN),
        ([], VIOLATED),
        ([{"Region": "us-east-1", "KmsKeyId": "alias/aws/secretsmanager"}], VIOLATED),
        ([{"Region": "eu-central-1", "KmsKeyId": "arn:aws:kms:eu-central-1:111122223333:key/other"}], VIOLATED),
    ],
)
def test_replicas_of_a_secret_are_compared(replicas: list[Any], expected: Verdict, tmp_path: Path) -> None:
    """A replica that was removed, is elsewhere or is under another key is VIOLATED."""
    plan, world = source(tmp_path, REPLICATED), World()
    world.secret["ReplicationStatus"] = replicas
    live = live_plan(world.answers(), plan, contract(), "prod")

    assert expected is verdict(plan, live, "aws_secretsmanager_secret.db")


def test_replicas_and_rotation_that_may_not_be_looked_at_are_not_known(tmp_path: Path) -> None:
    """Of a secret or key of which only this may not be seen, only this is UNDETERMINED."""
    plan = source(tmp_path, REPLICATED)
    answers = World().answers(secretsmanager__describe_secret=denied, kms__get_key_rotation_status=denied)
    live = live_plan(answers, plan, contract(), "prod")
    found = {one.address: one for one in check_drift(plan, live, {})}

    for address, name in (("aws_secretsmanager_secret.db", "replica"), ("aws_kms_key.secrets", "rotation")):
        assert (UNDETERMINED, "add the statement") == (found[address].verdict, found[address].remedy)
        assert name in found[address].found


@pytest.mark.parametrize(
    ("own", "there", "expected"),
    [
        ([{"enabled": False, "bucket": "logs"}], [{"enabled": "false", "bucket": "", "prefix": ""}], PROVEN),
        ([{"enabled": False, "bucket": "logs"}], [{"enabled": "true", "bucket": "logs"}], VIOLATED),
        ([{"enabled": True, "bucket": "logs"}], [{"enabled": "true", "bucket": "logs", "prefix": ""}], PROVEN),
        ([{"enabled": True, "bucket": "logs"}], [{"enabled": "false", "bucket": "logs"}], VIOLATED),
        ([{"enabled": True, "bucket": "logs"}], [{"enabled": "true", "bucket": "lab"}], VIOLATED),
        (None, [{"enabled": "true", "bucket": "lab"}], VIOLATED),
        (None, [{"enabled": "false", "bucket": ""}], PROVEN),
    ],
)
def test_what_is_off_says_nothing_else(own: Value, there: Value, expected: Verdict) -> None:
    """Where logs are off, it is all one where they would go."""

    def with_logs(plan: Plan, logs: Value) -> Plan:
        values = {"access_logs": logs}
        return plan.replaced(
            resources=tuple(
                replace(one, values={**one.values, **values}) if one.address == BALANCER else one
                for one in plan.resources
            )
        )

    assert expected is verdict(with_logs(reference(), own), with_logs(deployed(), there), BALANCER)


def _anywhere(_attribute: str) -> Location:
    return Location("main.tf", 1)


def test_a_lifecycle_that_a_bucket_got_by_hand_is_extra() -> None:
    """It deletes what the bucket keeps; where the bucket has its rules as an argument it is none."""
    type_, name = "aws_s3_bucket_lifecycle_configuration", deployed().by_address[BUCKET].get("bucket")
    own = next(one for one in reference().managed(type_))
    plan = reference().replaced(resources=tuple(one for one in reference().resources if one is not own))
    rest = tuple(one for one in deployed().resources if one.type != type_)
    by_hand = Resource("the lifecycle", "managed", type_, "x", None, "", {"bucket": name, "rule": [{"id": "all"}]})
    live = deployed().replaced(resources=(*rest, by_hand))
    bucket = plan.by_address[BUCKET]
    inline = plan.replaced(
        resources=tuple(replace(one, locate=_anywhere) if one is bucket else one for one in plan.resources)
    )

    assert [("the lifecycle", True, name)] == [
        (one.arn, one.certain, one.import_id) for one in extra_attachments(plan, live)
    ]
    assert [] == list(extra_attachments(inline, live))
