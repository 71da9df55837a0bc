"""The bucket and the lock table of a backend as AWS has them, as resources of the types that configure them.

Source: Amazon S3 API Reference, GetBucketVersioning, GetBucketEncryption, GetPublicAccessBlock and GetBucketPolicy;
Amazon DynamoDB API Reference, DescribeTable.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any

from msgspec import Struct
from msgspec.structs import replace

from infraspec.aws.calls import Calls
from infraspec.checks.common.live_comparison import Whereabouts
from infraspec.core.errors import RunnerPermissionError
from infraspec.core.truth import Truth
from infraspec.core.unknown import RefusedRead, Unknown, Value
from infraspec.monitoring.live_readings import LogGroup
from infraspec.resource_types.listing import at
from infraspec.terraform.aws_attributes import AwsAttributes
from infraspec.terraform.configuration.settings import Backend
from infraspec.terraform.plan import Plan, Resource


def live_log_groups(calls: Calls, names: Iterable[str]) -> dict[str, LogGroup]:
    """Return the log groups of the names that exist, by name."""
    wanted = set(names)
    listed = calls.pages("logs", "describe_log_groups", "logGroups") if wanted else ()  # as the inventory asks it
    groups = {group["logGroupName"]: group for group in listed if group["logGroupName"] in wanted}
    return {
        name: LogGroup(
            name,
            str(group.get("arn", "")).removesuffix(":*"),
            group.get("retentionInDays") or 0,
            group.get("kmsKeyId") or "",
        )
        for name, group in sorted(groups.items())
    }


_ABSENT = ("404", "NoSuchBucket", "NotFound")
_BUCKET, _TABLE = "aws_s3_bucket", "aws_dynamodb_table"


def state_store(calls: Calls, plan: Plan, backend: Backend) -> Plan:
    """Return the bucket and the table of an s3 backend that exist.

    They have the addresses of the source `plan` where it makes them, and their ARNs otherwise: each region may have a
    table of the name, and all of AWS but one bucket. A table of another account is not asked for.
    """
    arguments, attributes = backend.arguments, plan.derived(AwsAttributes)
    region = arguments.get("region")
    where = region if isinstance(region, str) else None
    resources: list[Resource] = []
    bucket, table = arguments.get("bucket"), arguments.get("dynamodb_table")
    if isinstance(bucket, str):
        resources += _bucket(calls, Whereabouts(attributes, None, None), bucket, where)
    if isinstance(table, str) and backend.account in {None, calls.account}:
        resources += _table(calls, Whereabouts(attributes, calls.account, where or calls.region), table, where)
    return Plan(
        f"the account {calls.account}",
        tuple(resources),
        account=calls.account,
        region=where or calls.region,
        partition=calls.partition,
    )


def _bucket(calls: Calls, whereabouts: Whereabouts, name: str, region: str | None) -> Iterator[Resource]:
    if calls.ask("s3", "head_bucket", region=region, absent=_ABSENT, Bucket=name) is None:
        return
    arn = f"arn:{calls.partition}:s3:::{name}"

    settings: dict[str, Mapping[str, Value]] = {}
    for kind, setting in _SETTINGS.items():
        try:
            answer = calls.ask("s3", setting.operation, region=region, absent=setting.absent, Bucket=name)
        except RunnerPermissionError as error:
            settings[kind] = setting.values(Unknown(f"the {kind} of {arn}", RefusedRead(error.remedy)))
        else:
            if answer and (found := at(answer, setting.path)):
                settings[kind] = setting.values(found)
    yield _placed(whereabouts, _BUCKET, "bucket", name, arn, {"bucket": name, "arn": arn})
    for kind, values in settings.items():
        address, held = f"{arn} {kind.replace('_', ' ')}", {"bucket": name, **values}
        yield _placed(whereabouts, f"{_BUCKET}_{kind}", "bucket", name, address, held)


_FLAGS = {
    "block_public_acls": "BlockPublicAcls",
    "block_public_policy": "BlockPublicPolicy",
    "ignore_public_acls": "IgnorePublicAcls",
    "restrict_public_buckets": "RestrictPublicBuckets",
}


def _flags(found: Any) -> dict[str, Value]:
    return {own: found if isinstance(found, Unknown) else found.get(key) for own, key in _FLAGS.items()}


def _rules(found: Any) -> dict[str, Value]:
    path = "*.ApplyServerSideEncryptionByDefault.SSEAlgorithm"
    algorithms = [found] if isinstance(found, Unknown) else at(found, path)
    return {"rule": [{"apply_server_side_encryption_by_default": [{"sse_algorithm": one}]} for one in algorithms]}


class _Setting(Struct, frozen=True):
    """A setting of a bucket: what is asked, where the answer has it, and the attributes that it is in Terraform."""

    operation: str
    path: str
    values: Callable[[Any], dict[str, Value]]
    absent: tuple[str, ...] = ()


_SETTINGS = {
    "versioning": _Setting(
        "get_bucket_versioning", "Status", lambda found: {"versioning_configuration": [{"status": found}]}
    ),
    "server_side_encryption_configuration": _Setting(
        "get_bucket_encryption",
        "ServerSideEncryptionConfiguration.Rules",
        _rules,
        ("ServerSideEncryptionConfigurationNotFoundError",),
    ),
    "public_access_block": _Setting(
        "get_public_access_block",
        "PublicAccessBlockConfiguration",
        _flags,
        ("NoSuchPublicAccessBlockConfiguration",),
    ),
    "policy": _Setting("get_bucket_policy", "Policy", lambda found: {"policy": found}, ("NoSuchBucketPolicy",)),
}


def _table(calls: Calls, whereabouts: Whereabouts, name: str, region: str | None) -> Iterator[Resource]:
    found = calls.ask(
        "dynamodb", "describe_table", region=region, absent=("ResourceNotFoundException",), TableName=name
    )
    if found is None:
        return
    table = found["Table"]
    keys = [one["AttributeName"] for one in table.get("KeySchema", ()) if one.get("KeyType") == "HASH"]
    kinds = [
        {"name": one["AttributeName"], "type": one["AttributeType"]} for one in table.get("AttributeDefinitions", ())
    ]
    values = {"name": name, "arn": table["TableArn"], "hash_key": keys[0] if keys else None, "attribute": kinds}
    yield _placed(whereabouts, _TABLE, "name", name, table["TableArn"], values)


def _placed(  # noqa: PLR0917 - the parts of a resource
    whereabouts: Whereabouts, type_: str, attribute: str, name: str, address: str, values: Mapping[str, Value]
) -> Resource:
    """Make a resource, in the place of the source's that has the name."""
    attributes = whereabouts.attributes
    for source in attributes.plan.managed(type_):
        if attributes.narrow(source.stated(attribute)) == name and whereabouts.has(source) is not Truth.NO:
            return replace(source, values=values, actions=())
    return Resource(address, "managed", type_, name, None, "", values, "aws")
