"""Plans under review, each a small plan file."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infraspec.checks.plan_review.plan_review import check_plan_review, table
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from infraspec.terraform import environments as plan_files
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Plan
from tests.checks.layout import environments

V, U, P = Verdict.VIOLATED, Verdict.UNDETERMINED, Verdict.PROVEN
ROLE = "arn:aws:iam::111122223333:role/app"
CLEAR = "correct-horse-battery"
CREATE, UPDATE, DELETE, REPLACE = ["create"], ["update"], ["delete"], ["delete", "create"]


def contract(**rules: Any) -> Contract:
    """Return a contract with a table for the review."""
    return Contract.model_validate(
        {
            "project": {"application": "app"},
            "environments": {"prod": {"account_id": "111122223333", "region": "eu-west-1"}},
            "plan_review": rules,
        }
    )


def change(address: str, actions: list[str], before: Any = None, after: Any = None, **more: Any) -> dict[str, Any]:
    """Return an entry of resource_changes; `more` goes to the change, but for what belongs to the entry."""
    outer: dict[str, Any] = {
        key: more.pop(key) for key in ("action_reason", "previous_address", "deposed") if key in more
    }
    type_, name = address.removesuffix("[0]").split(".")[-2:]
    detail = {"actions": actions, "before": before, "after": after, "after_unknown": {}, **more}
    index = {"index": 0} if address.endswith("[0]") else {}
    return {"address": address, "mode": "managed", "type": type_, "name": name, "change": detail, **outer, **index}


def plan(*changes: dict[str, Any], **rest: Any) -> Plan:
    """Return the plan of a plan file."""
    content = {"format_version": "1.2", "planned_values": {}, "resource_changes": list(changes), **rest}
    return plan_files.from_bytes(json.dumps(content).encode(), "plan.json")


def review(*changes: dict[str, Any], rules: dict[str, Any] | None = None, **rest: Any) -> list[Finding]:
    """Return the findings about a plan file."""
    return check_plan_review(plan(*changes, **rest), contract(**(rules or {})), "prod")


def risks(findings: list[Finding]) -> list[tuple[str, Verdict]]:
    """Return kind and verdict of each risk."""
    return [(finding.subject, finding.verdict) for finding in findings if finding.subject]


def policy(*statements: dict[str, Any]) -> str:
    """Return a policy as text."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: Any, resource: Any = "*", **rest: Any) -> dict[str, Any]:
    """Return an Allow statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **rest}


def for_everyone(**rest: Any) -> str:
    """Return a policy that names everyone."""
    return policy(allow("s3:GetObject", "arn:aws:s3:::b/*", Principal="*", **rest))


DB = {"identifier": "app", "skip_final_snapshot": True, "publicly_accessible": False}
GROUP: dict[str, Any] = {"name": "app", "ingress": []}
OPEN = {"from_port": 22, "to_port": 22, "protocol": "tcp", "cidr_blocks": ["0.0.0.0/0"], "ipv6_cidr_blocks": []}
HTTPS = {**OPEN, "from_port": 443, "to_port": 443}
SEVERAL = {**OPEN, "from_port": 1, "to_port": 1024}
RULE = {"ip_protocol": "tcp", "from_port": 22, "to_port": 22, "cidr_ipv4": "10.0.0.0/8", "cidr_ipv6": None}
OWN = {"role": "app", "policy": policy(allow("s3:GetObject", "arn:aws:s3:::b/*"))}
WIDER = {**OWN, "policy": policy(allow(["s3:GetObject", "s3:PutObject"], "arn:aws:s3:::b/*"))}
FIXING = (
    "aws:PrincipalAccount",
    "aws:PrincipalArn",
    "aws:PrincipalOrgPaths",
    "aws:ResourceAccount",
    "aws:SourceAccount",
    "aws:SourceArn",
    "aws:SourceOrgID",
    "aws:SourceOrgPaths",
    "aws:SourceOwner",
    "aws:SourceVpc",
    "aws:userid",
    "aws:VpcSourceIp",
    "kms:CallerAccount",
    "s3:DataAccessPointAccount",
    "s3:DataAccessPointArn",
)
MANY = ("GetObject", "PutObject", "ListBucket", "DeleteObject", "GetBucketPolicy", "PutBucketPolicy", "GetObjectAcl")
MANAGED = "arn:aws:iam::111122223333:policy/{}"
READ_ONLY = "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"
INLINE = {"name": "read", "policy": OWN["policy"]}
BROAD = {**OWN, "policy": policy(allow("s3:*"))}
NEW_ROLE = change("aws_iam_role.app", CREATE, None, {"name": "app", "assume_role_policy": "{}"})
BLOCK = {
    "bucket": "b",
    "block_public_acls": True,
    "block_public_policy": True,
    "ignore_public_acls": True,
    "restrict_public_buckets": True,
}
IP = {"IpAddress": {"aws:SourceIp": "203.0.113.0/24"}}
WORLD_IP = {"IpAddress": {"aws:SourceIp": "0.0.0.0/0"}}
OUR_ROLES = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::111122223333:role/*"}}
ANY_ROLES = {"ArnLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/admin"}}
REFERER = {"StringEquals": {"aws:Referer": "https://example.com"}}

CASES: dict[str, tuple[list[dict[str, Any]], list[tuple[str, Verdict]]]] = {
    # data
    "a database is destroyed": ([change("aws_db_instance.a", DELETE, DB)], [("stateful-destroy", V)]),
    "a database is replaced": ([change("aws_db_instance.a", REPLACE, DB, DB)], [("stateful-destroy", V)]),
    "a database is replaced, the new one first": (
        [change("aws_db_instance.a", ["create", "delete"], DB, DB)],
        [("stateful-destroy", V)],
    ),
    "a database is updated": ([change("aws_db_instance.a", UPDATE, DB, {**DB, "multi_az": True})], []),
    "a database is forgotten": ([change("aws_db_instance.a", ["forget"], DB)], []),
    "a database is moved": (
        [change("aws_db_instance.a", ["no-op"], DB, DB, previous_address="aws_db_instance.b")],
        [],
    ),
    "a left-over database is destroyed": (
        [change("aws_db_instance.a", ["no-op"], DB, DB), change("aws_db_instance.a", DELETE, DB, deposed="00ff")],
        [("stateful-destroy", V)],
    ),
    "a key is destroyed": (
        [
            change("aws_kms_key.a", DELETE, {"deletion_window_in_days": 7, "policy": "{}"}),
            change("aws_kms_key.b", DELETE, {"policy": "{}"}),
        ],
        [("stateful-destroy", V), ("stateful-destroy", V)],
    ),
    "a queue and a service are destroyed": (
        [change("aws_sqs_queue.a", DELETE, {}), change("aws_ecs_service.a", DELETE, {})],
        [("stateful-destroy", V)],
    ),
    # secrets
    "a secret is deleted with a window": (
        [change("aws_secretsmanager_secret.a", DELETE, {"recovery_window_in_days": 30})],
        [],
    ),
    "a secret is deleted at once": (
        [change("aws_secretsmanager_secret.a", DELETE, {"recovery_window_in_days": 0})],
        [("secret-deletion", V)],
    ),
    "an imported secret is deleted": (
        [change("aws_secretsmanager_secret.a", DELETE, {"recovery_window_in_days": None})],
        [("secret-deletion", U)],
    ),
    "a secret is created without a window": (
        [
            change("aws_secretsmanager_secret.a", CREATE, None, {"recovery_window_in_days": 0}),
            change("aws_secretsmanager_secret.b", CREATE, None, {"recovery_window_in_days": 7}),
            change(
                "aws_secretsmanager_secret.c",
                UPDATE,
                {"recovery_window_in_days": 0, "description": "old"},
                {"recovery_window_in_days": 0, "description": "new"},
            ),
        ],
        [("secret-deletion", V)],
    ),
    "a secret loses its window": (
        [
            change(
                "aws_secretsmanager_secret.a", UPDATE, {"recovery_window_in_days": 30}, {"recovery_window_in_days": 0}
            )
        ],
        [("secret-deletion", V)],
    ),
    # permissions
    "a policy allows more": ([change("aws_iam_role_policy.a", UPDATE, OWN, WIDER)], [("iam-widening", V)]),
    "a policy allows less": ([change("aws_iam_role_policy.a", UPDATE, WIDER, OWN)], []),
    "a policy allows a whole service": (
        [change("aws_iam_policy.a", UPDATE, OWN, BROAD)],
        [("iam-widening", V), ("iam-broad", V)],
    ),
    "a policy allows much more": (
        [
            change(
                "aws_iam_role_policy.a",
                UPDATE,
                OWN,
                {**OWN, "policy": policy(*(allow(f"s3:{name}", f"arn:aws:s3:::{name}") for name in MANY))},
            )
        ],
        [("iam-widening", V)],
    ),
    "a policy for a role that is there": ([change("aws_iam_role_policy.a", CREATE, None, OWN)], [("iam-widening", V)]),
    "a policy for a new role": (
        [NEW_ROLE, change("aws_iam_role_policy.a", CREATE, None, OWN)],
        [("iam-new", P)],
    ),
    "a policy for a role of which not even the name is known": (
        [change("aws_iam_role_policy.a", CREATE, None, {"policy": OWN["policy"]}, after_unknown={"role": True})],
        [("iam-new", P)],
    ),
    "a broad policy for a new role": (
        [NEW_ROLE, change("aws_iam_role_policy.a", CREATE, None, BROAD)],
        [("iam-new", P), ("iam-broad", V)],
    ),
    "a policy that is not attached yet": ([change("aws_iam_policy.a", CREATE, None, OWN)], [("iam-new", P)]),
    "a policy that is not known": (
        [change("aws_iam_role_policy.a", UPDATE, OWN, {"role": "app"}, after_unknown={"policy": True})],
        [("iam-widening", U)],
    ),
    "a policy goes to another role": (
        [change("aws_iam_role_policy.a", REPLACE, OWN, {**OWN, "role": "other"})],
        [("iam-widening", V)],
    ),
    "a policy with a deny is destroyed": (
        [change("aws_iam_role_policy.a", DELETE, {**OWN, "policy": policy({**allow("s3:*"), "Effect": "Deny"})})],
        [("iam-widening", V)],
    ),
    "a policy with a deny is destroyed with its role": (
        [
            change("aws_iam_role_policy.a", DELETE, {**OWN, "policy": policy({**allow("s3:*"), "Effect": "Deny"})}),
            change("aws_iam_role.app", DELETE, {"name": "app"}),
        ],
        [],
    ),
    "a managed policy is attached": (
        [
            change(
                "aws_iam_role_policy_attachment.a",
                CREATE,
                None,
                {"role": "app", "policy_arn": "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"},
            )
        ],
        [("iam-widening", V)],
    ),
    "a list of all policies gets one more": (
        [
            change(
                "aws_iam_role_policy_attachments_exclusive.a",
                UPDATE,
                {"role_name": "app", "policy_arns": ["arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess"]},
                {
                    "role_name": "app",
                    "policy_arns": [
                        "arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess",
                        "arn:aws:iam::aws:policy/IAMFullAccess",
                    ],
                },
            )
        ],
        [("iam-widening", V), ("iam-broad", V)],
    ),
    "everything is attached to a new role": (
        [
            NEW_ROLE,
            change(
                "aws_iam_role_policy_attachment.a",
                CREATE,
                None,
                {"role": "app", "policy_arn": "arn:aws:iam::aws:policy/AdministratorAccess"},
            ),
        ],
        [("iam-new", P), ("iam-broad", V)],
    ),
    "the arguments of a role attach policies": (
        [
            change(
                "aws_iam_role.a",
                UPDATE,
                {"name": "a", "managed_policy_arns": [READ_ONLY], "inline_policy": [INLINE]},
                {
                    "name": "a",
                    "managed_policy_arns": [READ_ONLY, "arn:aws:iam::aws:policy/IAMFullAccess"],
                    "inline_policy": [INLINE, {"name": "write", "policy": WIDER["policy"]}],
                },
            )
        ],
        [("iam-widening", V), ("iam-broad", V), ("iam-widening", V)],
    ),
    "the arguments of a new role attach policies": (
        [
            change(
                "aws_iam_role.a",
                CREATE,
                None,
                {"name": "a", "managed_policy_arns": [READ_ONLY], "inline_policy": [INLINE]},
            )
        ],
        [("iam-new", P), ("iam-new", P)],
    ),
    "the inline policies of a role are not known": (
        [change("aws_iam_role.a", UPDATE, {"name": "a"}, {"name": "a"}, after_unknown={"inline_policy": True})],
        [("iam-widening", U)],
    ),
    "nothing limits the sessions of a user any more": (
        [change("aws_transfer_user.a", UPDATE, {"role": "app", "policy": OWN["policy"]}, {"role": "app"})],
        [("iam-widening", V)],
    ),
    "the sessions of a user are limited": (
        [change("aws_transfer_user.a", UPDATE, {"role": "app"}, {"role": "app", "policy": OWN["policy"]})],
        [],
    ),
    "policies are attached to users and groups": (
        [
            change("aws_iam_user_policy_attachment.a", CREATE, None, {"user": "u", "policy_arn": MANAGED.format("a")}),
            change(
                "aws_iam_group_policy_attachment.a", CREATE, None, {"group": "g", "policy_arn": MANAGED.format("a")}
            ),
            change(
                "aws_iam_policy_attachment.a",
                UPDATE,
                {"name": "a", "policy_arn": MANAGED.format("a"), "roles": ["r"], "users": ["u"], "groups": []},
                {"name": "a", "policy_arn": MANAGED.format("a"), "roles": ["r"], "users": ["u", "v"], "groups": ["g"]},
            ),
            change("aws_iam_group_policy_attachment.b", DELETE, {"group": "g", "policy_arn": MANAGED.format("a")}),
        ],
        [("iam-widening", V)] * 4,
    ),
    **{
        f"{name} is attached": (
            [
                change(
                    "aws_iam_user_policy_attachment.a",
                    CREATE,
                    None,
                    {"user": "u", "policy_arn": f"arn:aws:iam::aws:policy/{name}"},
                )
            ],
            [("iam-widening", V), ("iam-broad", V)],
        )
        for name in ("AdministratorAccess", "PowerUserAccess", "IAMFullAccess", "job-function/SystemAdministrator")
    },
    "a boundary is taken off": (
        [change("aws_iam_role.a", UPDATE, {"name": "a", "permissions_boundary": "arn:b"}, {"name": "a"})],
        [("iam-widening", V)],
    ),
    "another boundary": (
        [
            change(
                "aws_iam_role.a",
                UPDATE,
                {"name": "a", "permissions_boundary": "arn:b"},
                {"name": "a", "permissions_boundary": "arn:c"},
            )
        ],
        [("iam-widening", U)],
    ),
    # exposure
    "a database becomes public": (
        [change("aws_db_instance.a", UPDATE, DB, {**DB, "publicly_accessible": True})],
        [("public-exposure", V)],
    ),
    "a database was public": (
        [change("aws_db_instance.a", UPDATE, {"publicly_accessible": True}, {"publicly_accessible": True})],
        [],
    ),
    "a bucket policy for everyone": (
        [change("aws_s3_bucket_policy.a", CREATE, None, {"bucket": "b", "policy": for_everyone()})],
        [("public-exposure", V)],
    ),
    "a bucket policy for some addresses": (
        [change("aws_s3_bucket_policy.a", CREATE, None, {"bucket": "b", "policy": for_everyone(Condition=IP)})],
        [("iam-widening", V)],
    ),
    "a bucket policy for all addresses": (
        [change("aws_s3_bucket_policy.a", CREATE, None, {"bucket": "b", "policy": for_everyone(Condition=WORLD_IP)})],
        [("public-exposure", U)],
    ),
    "a bucket policy for roles of one account": (
        [change("aws_s3_bucket_policy.a", CREATE, None, {"bucket": "b", "policy": for_everyone(Condition=OUR_ROLES)})],
        [("iam-widening", V)],
    ),
    "a bucket policy for roles of any account": (
        [change("aws_s3_bucket_policy.a", CREATE, None, {"bucket": "b", "policy": for_everyone(Condition=ANY_ROLES)})],
        [("public-exposure", U)],
    ),
    "a bucket policy for a referer": (
        [change("aws_s3_bucket_policy.a", CREATE, None, {"bucket": "b", "policy": for_everyone(Condition=REFERER)})],
        [("public-exposure", U)],
    ),
    "a bucket policy that was for everyone": (
        [
            change(
                "aws_s3_bucket_policy.a",
                UPDATE,
                {"bucket": "b", "policy": for_everyone()},
                {"bucket": "b", "policy": for_everyone(Sid="Same")},
            )
        ],
        [],
    ),
    "an ACL": ([change("aws_s3_bucket_acl.a", CREATE, None, {"acl": "public-read"})], [("public-exposure", V)]),
    "the block is lifted": (
        [change("aws_s3_bucket_public_access_block.a", UPDATE, BLOCK, {**BLOCK, "block_public_acls": False})],
        [("public-exposure", V)],
    ),
    "the block is destroyed": (
        [change("aws_s3_bucket_public_access_block.a", DELETE, BLOCK)],
        [("public-exposure", V)],
    ),
    "the block of the account is destroyed": (
        [change("aws_s3_account_public_access_block.a", DELETE, {**BLOCK, "bucket": None})],
        [("public-exposure", V)],
    ),
    "the block is destroyed with its bucket": (
        [
            change("aws_s3_bucket_public_access_block.a", DELETE, BLOCK),
            change("aws_s3_bucket.a", DELETE, {"bucket": "b", "id": "b"}),
        ],
        [("stateful-destroy", V)],
    ),
    "the block is complete": ([change("aws_s3_bucket_public_access_block.a", CREATE, None, BLOCK)], []),
    "a public repository": ([change("aws_ecrpublic_repository.a", CREATE, None, {})], [("public-exposure", V)]),
    "a trust policy for everyone": (
        [
            change(
                "aws_iam_role.a",
                CREATE,
                None,
                {
                    "name": "a",
                    "assume_role_policy": policy(
                        {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": "*"}}
                    ),
                },
            )
        ],
        [("public-exposure", V)],
    ),
    "an endpoint for everyone": (
        [change("aws_vpc_endpoint.a", CREATE, None, {"policy": for_everyone()})],
        [("iam-new", P)],
    ),
    # ingress
    "a group opens a port": (
        [change("aws_security_group.a", UPDATE, GROUP, {**GROUP, "ingress": [OPEN]})],
        [("open-ingress", V)],
    ),
    "a group was open": (
        [change("aws_security_group.a", UPDATE, {**GROUP, "ingress": [SEVERAL]}, {**GROUP, "ingress": [OPEN]})],
        [],
    ),
    "a group was open on another port": (
        [change("aws_security_group.a", UPDATE, {**GROUP, "ingress": [HTTPS]}, {**GROUP, "ingress": [HTTPS, OPEN]})],
        [("open-ingress", V)],
    ),
    "a group opens ports of other protocols": (
        [
            change(
                "aws_security_group.a",
                UPDATE,
                {**GROUP, "ingress": [OPEN]},
                {**GROUP, "ingress": [{**OPEN, "protocol": "udp"}, {**OPEN, "to_port": 23}, {**OPEN, "from_port": 21}]},
            )
        ],
        [("open-ingress", V)] * 3,
    ),
    "a rule for ports that are not known": (
        [
            change(
                "aws_vpc_security_group_ingress_rule.a",
                UPDATE,
                {**RULE, "cidr_ipv4": "0.0.0.0/0"},
                {"cidr_ipv4": "0.0.0.0/0", "ip_protocol": "tcp"},
                after_unknown={"from_port": True, "to_port": True},
            )
        ],
        [("open-ingress", V)],
    ),
    "a rule for a protocol that is not known": (
        [
            change(
                "aws_vpc_security_group_ingress_rule.a",
                CREATE,
                None,
                {"cidr_ipv6": "::/0", "from_port": 22, "to_port": 22},
                after_unknown={"ip_protocol": True},
            )
        ],
        [("open-ingress", V)],
    ),
    "a group opens IPv6": (
        [
            change(
                "aws_security_group.a",
                CREATE,
                None,
                {**GROUP, "ingress": [{**OPEN, "cidr_blocks": None, "ipv6_cidr_blocks": ["::/0"]}]},
            )
        ],
        [("open-ingress", V)],
    ),
    "a rule opens a port": (
        [
            change("aws_vpc_security_group_ingress_rule.a", UPDATE, RULE, {**RULE, "cidr_ipv4": "0.0.0.0/0"}),
        ],
        [("open-ingress", V)],
    ),
    "a rule for some addresses": ([change("aws_vpc_security_group_ingress_rule.a", CREATE, None, RULE)], []),
    "a rule for addresses that are not known": (
        [
            change(
                "aws_vpc_security_group_ingress_rule.a",
                CREATE,
                None,
                {key: value for key, value in RULE.items() if key != "cidr_ipv4"},
                after_unknown={"cidr_ipv4": True},
            )
        ],
        [("open-ingress", U)],
    ),
    "an old rule outwards": (
        [change("aws_security_group_rule.a", CREATE, None, {**OPEN, "type": "egress"})],
        [],
    ),
    "an old rule inwards": (
        [change("aws_security_group_rule.a", CREATE, None, {**OPEN, "type": "ingress"})],
        [("open-ingress", V)],
    ),
    "a group opens all ports, by either name": (
        [
            change("aws_security_group.a", CREATE, None, {**GROUP, "ingress": [{**OPEN, "protocol": protocol}]})
            for protocol in ("-1", "all")
        ],
        [("open-ingress", V), ("open-ingress", V)],
    ),
    "a group was open on all ports": (
        [
            change(
                "aws_security_group.a",
                UPDATE,
                {**GROUP, "ingress": [{**OPEN, "protocol": protocol}]},
                {**GROUP, "ingress": [OPEN]},
            )
            for protocol in ("-1", "all")
        ],
        [],
    ),
    "a rule is taken away": ([change("aws_security_group_rule.a", DELETE, {**OPEN, "type": "ingress"})], []),
}


def configured(address: str, *arguments: str) -> dict[str, Any]:
    """Return the configuration part of a plan with one resource block."""
    resource = {"address": address, "expressions": {name: {} for name in arguments}}
    return {"root_module": {"resources": [resource]}}


@pytest.mark.parametrize("name", CASES)
def test_risks(name: str) -> None:
    """Each kind of risk is found where it is new, and only there."""
    changes, expected = CASES[name]
    arguments = {
        name for entry in changes for part in ("after", "after_unknown") for name in entry["change"][part] or ()
    }
    configuration = configured(changes[0]["address"], *arguments)
    assert risks(review(*changes, configuration=configuration)) == expected


@pytest.mark.parametrize(
    ("condition", "expected"),
    [
        ({"ForAnyValue:StringEquals": {"aws:PrincipalOrgID": "o-a1b2c3"}}, ("iam-widening", V)),
        ({"StringLike": {"aws:SourceAccount": "*"}}, ("public-exposure", U)),
        ({"StringEqualsIgnoreCase": {"aws:SourceVpc": "vpc-1"}}, ("iam-widening", V)),
        ({"ArnEquals": {"aws:SourceArn": "arn:aws:sns:eu-west-1:111122223333:a"}}, ("iam-widening", V)),
        ({"StringNotEquals": {"aws:SourceVpc": "vpc-1"}}, ("public-exposure", U)),
        ({"StringLike": {"aws:PrincipalArn": "arn:aws:iam"}}, ("public-exposure", U)),
        ({"StringEquals": {"aws:SourceVpce": ["vpce-1", "??"]}}, ("public-exposure", U)),
        ({"StringEquals": {"aws:SourceVpce": ["vpce-1", "vpce-2"]}}, ("iam-widening", V)),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/7"}}, ("public-exposure", U)),
        ({"IpAddress": {"aws:SourceIp": "10.0.0.0/8"}}, ("iam-widening", V)),
        ({"Null": {"aws:SourceVpc": "false"}}, ("public-exposure", U)),
        *(({"StringLike": {key: "some*"}}, ("iam-widening", V)) for key in FIXING),
    ],
)
def test_a_condition_may_say_who(condition: dict[str, Any], expected: tuple[str, Verdict]) -> None:
    """One that leaves out most of the world is no exposure; what everyone or nobody sets says nothing."""
    made = change("aws_s3_bucket_policy.a", CREATE, None, {"bucket": "b", "policy": for_everyone(Condition=condition)})
    configuration = configured("aws_s3_bucket_policy.a", "bucket", "policy")
    assert risks(review(made, configuration=configuration)) == [expected]


@pytest.mark.parametrize(
    ("statement", "is_broad"),
    [
        ({"Effect": "Allow", "NotAction": "iam:*", "Resource": "*"}, True),
        (allow("sts:AssumeRole"), True),
        (allow(["s3:GetObject", "iam:PassRole"]), True),
        (allow("*"), True),
        (allow("s3:*", ["arn:aws:s3:::b", "*"]), True),
        (allow("s3:Get*"), False),
        (allow("*", "arn:aws:s3:::b/*"), False),
        (allow("s3:*", Condition={"StringEquals": {"aws:SourceVpc": "vpc-1"}}), False),
    ],
)
def test_a_statement_may_be_broad(statement: dict[str, Any], *, is_broad: bool) -> None:
    """It allows all of a service, all but some, or taking on any role, on everything and in each case."""
    made = change("aws_iam_policy.a", UPDATE, OWN, {**OWN, "policy": policy(statement)})
    configuration = configured("aws_iam_policy.a", "policy")
    found = risks(review(made, configuration=configuration))
    assert found == [("iam-widening", V), *[("iam-broad", V)] * is_broad]


def test_a_policy_that_may_be_the_providers_own() -> None:
    """An unknown policy is judged unless the configuration says that nobody sets it."""
    entry = change("aws_kms_key.a", CREATE, None, {}, after_unknown={"policy": True})
    assert risks(review(entry, configuration=configured("aws_kms_key.a", "policy"))) == [("iam-new", P)]
    assert risks(review(entry, configuration=configured("aws_kms_key.a"))) == []


def test_a_group_without_source_may_have_dynamic_blocks() -> None:
    """A plan file leaves dynamic blocks out of the configuration: what is unknown may be opened to everyone."""
    entry = change("aws_security_group.a", CREATE, None, {"name": "a"}, after_unknown={"ingress": True})
    assert risks(review(entry, configuration=configured("aws_security_group.a", "name"))) == [("open-ingress", U)]


def test_the_contract_sets_the_tiers() -> None:
    """What is not critical passes; disposable things, further types and public ports are the contract's."""
    destroyed = change("module.a.aws_db_instance.b[0]", DELETE, DB)
    assert risks(review(destroyed, rules={"critical": ["iam-new"]})) == [("stateful-destroy", P)]
    assert risks(review(destroyed, rules={"disposable": ["module.a.*"]})) == []
    assert risks(review(destroyed, rules={"disposable": ["aws_db_instance"]})) == []
    assert risks(review(change("aws_instance.a", DELETE, {}), rules={"stateful_types": ["aws_instance"]})) == [
        ("stateful-destroy", V)
    ]
    secret = change("aws_secretsmanager_secret.a", DELETE, {"recovery_window_in_days": 0})
    assert risks(review(secret, rules={"disposable": ["aws_secretsmanager_secret.a"]})) == []
    opened = change("aws_security_group.a", CREATE, None, {**GROUP, "ingress": [HTTPS, OPEN]})
    assert [finding.found for finding in review(opened, rules={"public_ports": [443, 80]})] == [
        "0.0.0.0/0 reaches port 22 (tcp)"
    ]


def test_a_finding_says_what_and_why_and_what_to_do() -> None:
    """The reason is Terraform's, with what guards the data, and the remedy can be pasted."""
    (finding,) = review(
        change(
            "aws_db_instance.a",
            REPLACE,
            {**DB, "deletion_protection": True},
            DB,
            replace_paths=[["engine"], ["tags", "a b", 0]],
            action_reason="replace_because_cannot_update",
        ),
        rules={"approvals": {"approve/destroy": ["stateful-destroy"]}},
    )
    reasons = [
        "it holds what an apply cannot bring back",
        "it cannot be changed in place",
        "AWS rejects that while deletion_protection is on, and the apply stops half-way",
        "no final snapshot is made",
    ]
    assert str(finding).splitlines() == [
        "VIOLATED plan-review: aws_db_instance.a stateful-destroy",
        "    expected:    nothing that holds data is destroyed",
        '    found:       replace (destroy first), because of engine, tags["a b"][0]',
        f"    reason:      {'; '.join(reasons)}",
        '    fix:         keep it: take back the change of engine, tags["a b"][0], or add to the resource',
        "                 lifecycle {",
        "                   prevent_destroy = true",
        "                 }",
        "                 or approve it, with the label approve/destroy on the pull request, or in the contract:",
        "                 [[waivers]]",
        '                 rule = "plan-review"',
        "                 address = 'aws_db_instance.a stateful-destroy'",
        '                 reason = "…"',
        '                 owner = "…"',
        "                 expires = YYYY-MM-DD",
    ]


@pytest.mark.parametrize("address", ["aws_db_instance.a", "aws_secretsmanager_secret.a"])
@pytest.mark.parametrize(
    "reason",
    [
        "replace_because_cannot_update",
        "replace_because_tainted",
        "replace_by_request",
        "replace_by_triggers",
        "delete_because_no_resource_config",
        "delete_because_wrong_repetition",
        "delete_because_count_index",
        "delete_because_each_key",
        "delete_because_no_module",
        "delete_because_no_move_target",
        "of_a_later_terraform",
    ],
)
def test_the_reason_is_that_of_terraform(reason: str, address: str) -> None:
    """In words, if it is one that is known."""
    before = {"deletion_protection": False, "recovery_window_in_days": 0}
    (finding,) = review(change(address, REPLACE, before, before, action_reason=reason))
    plain = "it holds what an apply cannot bring back", "recovery_window_in_days is 0: the value cannot be restored"
    assert (finding.reason in plain) is (reason == "of_a_later_terraform")


@pytest.mark.parametrize(
    ("attribute", "value", "said"),
    [
        ("deletion_protection", True, "AWS rejects that while deletion_protection is on"),
        ("deletion_protection", False, ""),
        ("deletion_protection_enabled", True, "AWS rejects that while deletion protection is on"),
        ("skip_final_snapshot", False, "a final snapshot is kept"),
        ("skip_final_snapshot", True, "no final snapshot is made"),
        ("force_destroy", False, "AWS rejects that while there are objects in it"),
        ("force_destroy", True, "its content is deleted with it (force_destroy)"),
        ("force_delete", True, "its images are deleted with it (force_delete)"),
        ("force_delete", "true", ""),
    ],
)
def test_what_guards_the_data_is_said(attribute: str, value: Any, said: str) -> None:
    """Or that nothing does."""
    (finding,) = review(change("aws_db_instance.a", DELETE, {attribute: value}))
    lost, _, guard = finding.reason.partition("; ")
    assert ("it holds what an apply cannot bring back", said) == (lost, guard.partition(", and the apply")[0])


def test_a_destroyed_resource_may_have_moved() -> None:
    """Where one of the type is created, a moved block may be what is missing; else a removed block keeps it."""
    gone, other = change("aws_s3_bucket.a", DELETE, {}), change("module.m.aws_s3_bucket.b", CREATE, None, {})
    moved = "moved {\n  from = aws_s3_bucket.a\n  to   = module.m.aws_s3_bucket.b\n}"
    assert moved in review(gone, other)[0].remedy
    assert "removed {\n  from = aws_s3_bucket.a\n" in review(gone)[0].remedy


def test_a_secret_is_never_shown() -> None:
    """Attributes that changed are named; the values of secrets are in neither findings nor table."""
    changes = (
        change("aws_db_instance.a", UPDATE, {**DB, "password": CLEAR}, {**DB, "password": f"{CLEAR}2", "port": 1}),
        change("aws_ssm_parameter.a", DELETE, {"value": CLEAR}, before_sensitive={"value": True}),
    )
    made = plan(*changes)
    findings = check_plan_review(made, contract(), "prod")
    assert findings[0].found == "update in place: password, port"
    assert CLEAR not in repr((findings, made.changes, table(made, findings)))
    assert CLEAR not in repr([dict(entry.before) for entry in made.changes])


def test_a_plan_without_changes_is_proven() -> None:
    """No-op, reads and drift are no changes of the plan."""
    drift = [change("aws_db_instance.a", DELETE, DB)]
    findings = review(change("aws_db_instance.a", ["no-op"], DB, DB), resource_drift=drift)
    assert [(finding.verdict, finding.reason) for finding in findings] == [(P, "no resource changes")]


def test_the_table_has_every_change() -> None:
    """A line for each change, its risks below, and the counts."""
    made = plan(
        change("aws_db_instance.a", DELETE, DB),
        change("aws_sns_topic.a", ["no-op"], {}, {}, previous_address="aws_sns_topic.b"),
        change("aws_sns_topic.c", CREATE, None, {}, importing={"id": "x"}),
        change("aws_sns_topic.d", ["forget"], {}),
    )
    assert table(made, check_plan_review(made, contract(), "prod")).splitlines() == [
        "aws_db_instance.a: destroy",
        "    stateful-destroy (violated): destroy",
        "aws_sns_topic.a: no change, moved from aws_sns_topic.b",
        "aws_sns_topic.c: create, imported",
        "aws_sns_topic.d: forget: it stays, and terraform no longer manages it",
        "1 delete, 1 no-op, 1 create, 1 forget",
    ]


SOURCE = """
locals {
  old = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app/old-AbCdEf"
}

resource "aws_secretsmanager_secret" "new" {
  name = "app/new"
}

resource "aws_iam_role_policy" "read" {
  role = "app"
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect   = "Allow"
      Action   = "secretsmanager:GetSecretValue"
      Resource = [local.old, aws_secretsmanager_secret.new.arn]
    }]
  })
}

resource "aws_security_group" "a" {
  name = "a"
}
"""


def test_the_source_says_what_a_plan_leaves_out(tmp_path: Path) -> None:
    """A policy with one unknown ARN is compared part by part, at its line; what nobody configures is no risk."""
    old = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:app/old-AbCdEf"
    before = {"role": "app", "policy": policy(allow("secretsmanager:GetSecretValue", [old]))}
    content = {
        "format_version": "1.2",
        "planned_values": {},
        "resource_changes": [
            change("aws_secretsmanager_secret.new", CREATE, None, {"name": "app/new"}, after_unknown={"arn": True}),
            change("aws_iam_role_policy.read", UPDATE, before, {"role": "app"}, after_unknown={"policy": True}),
            change("aws_security_group.a", CREATE, None, {"name": "a"}, after_unknown={"ingress": True}),
        ],
    }
    (tmp_path / "plan.json").write_text(json.dumps(content), encoding="utf-8")
    made = environments(tmp_path, {"dev/main.tf": SOURCE}, plan_review={})
    completed = Environments(made.contract, plan_file=tmp_path / "plan.json", environ={}).plan("dev")
    (finding,) = [entry for entry in check_plan_review(completed, made.contract, "dev") if entry.subject]
    assert (finding.verdict, finding.subject, str(finding.location)) == (V, "iam-widening", "dev/main.tf:14")
    assert finding.found.startswith(
        "allows secretsmanager:GetSecretValue on aws_secretsmanager_secret.new.arn, by Statement.0"
    )
