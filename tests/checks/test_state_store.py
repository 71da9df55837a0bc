"""The bucket and the lock table of a backend: from a table of answers to verdicts."""

from __future__ import annotations

import json
from typing import Any

import pytest
from msgspec.structs import replace

from infraspec.checks.state.state_store import check_state_store
from infraspec.core.finding import Finding, Verdict
from infraspec.core.unknown import Unknown, Value
from infraspec.live.facts.stores import state_store
from infraspec.terraform.configuration.settings import RootSettings
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Plan
from tests.live.answers import Answers
from tests.live.deployed import CONTRACT, moved, reference

BUCKET = "daily-report-tool-prod-terraform-state-123456789012"
TABLE = "daily-report-tool-prod-terraform-lock"
ARN = f"arn:aws:s3:::{BUCKET}"
PROVEN, VIOLATED = Verdict.PROVEN, Verdict.VIOLATED
FLAGS = ("BlockPublicAcls", "BlockPublicPolicy", "IgnorePublicAcls", "RestrictPublicBuckets")
POLICY = json.dumps(
    {
        "Version": "2012-10-17",
        "Statement": [
            {
                "Effect": "Deny",
                "Principal": "*",
                "Action": "s3:*",
                "Resource": [ARN, f"{ARN}/*"],
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            }
        ],
    }
)
HEALTHY: dict[tuple[str, str], Any] = {
    ("s3", "head_bucket"): {},
    ("s3", "get_bucket_versioning"): {"Status": "Enabled"},
    ("s3", "get_bucket_encryption"): {
        "ServerSideEncryptionConfiguration": {
            "Rules": [{"ApplyServerSideEncryptionByDefault": {"SSEAlgorithm": "aws:kms"}}]
        }
    },
    ("s3", "get_public_access_block"): {"PublicAccessBlockConfiguration": dict.fromkeys(FLAGS, True)},
    ("s3", "get_bucket_policy"): {"Policy": POLICY},
    ("dynamodb", "describe_table"): {
        "Table": {
            "TableArn": f"arn:aws:dynamodb:ap-northeast-1:123456789012:table/{TABLE}",
            "KeySchema": [{"AttributeName": "LockID", "KeyType": "HASH"}],
            "AttributeDefinitions": [{"AttributeName": "LockID", "AttributeType": "S"}],
        }
    },
}
HALF_OPEN = {"PublicAccessBlockConfiguration": {**dict.fromkeys(FLAGS, True), "BlockPublicAcls": False}}
SORTED = {
    "Table": {
        "TableArn": "arn",
        "KeySchema": [{"AttributeName": "LockID", "KeyType": "RANGE"}, {"AttributeName": "id", "KeyType": "HASH"}],
        "AttributeDefinitions": [{"AttributeName": "LockID", "AttributeType": "S"}],
    }
}
OTHER_KEY = {"Table": {"TableArn": "arn", "KeySchema": [{"AttributeName": "id", "KeyType": "HASH"}]}}
SETTINGS = Environments(CONTRACT).settings()["prod"]


def judged(plan: Plan | None = None, settings: RootSettings = SETTINGS, **changes: Any) -> list[Finding]:
    """Return the findings with some answers changed."""
    table = {key: changes.get(key[1], answer) for key, answer in HEALTHY.items()}
    calls = Answers(table, "123456789012", region="ap-northeast-1")
    store = state_store(calls, reference() if plan is None else plan, settings.backend)
    assert all(parameters.get("region", calls.region) == "ap-northeast-1" for _, _, parameters in calls.asked)
    return check_state_store(store, settings)


def bad(**changes: Any) -> list[tuple[str, str]]:
    """Return the subjects that are violated, with their addresses."""
    return [(one.address, one.subject) for one in judged(**changes) if one.verdict is VIOLATED]


def test_a_fit_store_is_proven_at_the_addresses_of_the_source() -> None:
    """The rule is the static one, by another name, and tells where the source makes the parts."""
    findings = judged()
    assert {(PROVEN, "state-store")} == {(one.verdict, one.rule) for one in findings}
    assert ["versioning", "encryption", "public access block", "TLS only", "lock table"] == [
        one.subject for one in findings
    ]
    assert "module.state.aws_s3_bucket_versioning.state" == findings[0].address
    assert findings[0].location


def test_a_store_that_is_made_elsewhere_is_judged_by_its_arn() -> None:
    """A source that does not make it says nothing of it."""
    findings = judged(reference().replaced(resources=()))
    assert {PROVEN} == {one.verdict for one in findings}
    assert f"{ARN} versioning" == findings[0].address


@pytest.mark.parametrize(
    ("operation", "answer", "subject"),
    [
        ("get_bucket_versioning", {}, "versioning"),
        ("get_bucket_versioning", {"Status": "Suspended"}, "versioning"),
        ("get_bucket_encryption", None, "encryption"),
        ("get_public_access_block", None, "public access block"),
        ("get_public_access_block", HALF_OPEN, "public access block"),
        ("get_bucket_policy", None, "TLS only"),
        ("get_bucket_policy", {"Policy": POLICY.replace("Deny", "Allow")}, "TLS only"),
        ("describe_table", OTHER_KEY, "lock table"),
        ("describe_table", SORTED, "lock table"),
        ("describe_table", None, "dynamodb_table"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_finding(operation: str, answer: Any, subject: str) -> None:
    """Whoever changed it, and whatever the source says."""
    ((_, found),) = bad(**{operation: answer})
    assert subject == found


def test_a_bucket_that_is_not_there_is_one_finding() -> None:
    """Nothing more is asked of it."""
    (finding,) = [one for one in judged(head_bucket=None) if one.verdict is not PROVEN]
    assert (VIOLATED, "bucket", f"the bucket {BUCKET} of the backend") == (
        finding.verdict,
        finding.subject,
        finding.expected,
    )
    assert finding.location


@pytest.mark.parametrize(("region", "is_it"), [(None, True), ("us-east-1", False)])
def test_a_lock_table_of_another_region_is_not_the_one_of_the_backend(region: str | None, *, is_it: bool) -> None:
    """Each region may have one of its name; a bucket is one of all."""
    (table,) = (one.address for one in reference().managed("aws_dynamodb_table"))
    buckets = [one.address for one in reference().managed("aws_s3_bucket_versioning")]
    found = {one.subject: one.address for one in judged(moved(table, *buckets, region=region))}
    assert is_it is (table == found["lock table"])
    assert found["versioning"] in buckets


@pytest.mark.parametrize(
    "given",
    [
        {"role_arn": "arn:aws:iam::222233334444:role/state"},
        {"assume_role": {"role_arn": "arn:aws:iam::222233334444:role/state"}},
        {"role_arn": Unknown("var.role")},
        {"assume_role": Unknown("local.role")},
    ],
)
def test_a_lock_table_of_another_account_is_not_looked_for(given: dict[str, Value]) -> None:
    """The backend has it by a role; one of its name in the account of the run is another one."""
    backend = replace(SETTINGS.backend, arguments={**SETTINGS.backend.arguments, **given})
    found = judged(settings=replace(SETTINGS, backend=backend))
    bad = [(one.verdict, one.subject) for one in found if one.verdict is not PROVEN]
    assert [(Verdict.UNDETERMINED, "dynamodb_table")] == bad
    assert "lock table" not in {one.subject for one in found}


def test_a_role_of_the_same_account_has_the_table_here() -> None:
    """It is looked at as without one."""
    role = {"role_arn": "arn:aws:iam::123456789012:role/state"}
    backend = replace(SETTINGS.backend, arguments={**SETTINGS.backend.arguments, **role})
    assert {PROVEN} == {one.verdict for one in judged(settings=replace(SETTINGS, backend=backend))}
