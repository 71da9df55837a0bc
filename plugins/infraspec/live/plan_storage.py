"""The repositories, buckets and tables that exist, with the policies of the first two.

What a repository or bucket does not show the runner, because its policy keeps it out, is not known.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

from infraspec.errors import ResourceRefusalError
from infraspec.live.scope import Scope, tag_map
from infraspec.live.shapes import chosen
from infraspec.terraform.plan import Resource
from infraspec.unknown import RefusedRead, Unknown

_REPOSITORY, _REPOSITORY_POLICY = "aws_ecr_repository", "aws_ecr_repository_policy"
_BUCKET, _BUCKET_POLICY, _TABLE = "aws_s3_bucket", "aws_s3_bucket_policy", "aws_dynamodb_table"
_OF_REPOSITORY = {
    "repositoryName": "name",
    "repositoryArn": "arn",
    "repositoryUri": "repository_url",
    "registryId": "registry_id",
    "imageTagMutability": "image_tag_mutability",
}
_ABSENT = ("NoSuchBucketPolicy", "NoSuchTagSet", "RepositoryPolicyNotFoundException")


def repository_resources(scope: Scope, _managed: Callable[..., tuple[Resource, ...]]) -> Iterator[Resource]:
    """Yield the repositories of ECR and their policies."""
    for repository in scope.calls.pages("ecr", "describe_repositories", "repositories"):
        name, arn = repository["repositoryName"], repository["repositoryArn"]
        if not scope.belongs(_REPOSITORY, name, tags=scope.tags_of(arn)):
            continue
        tags = _shown(scope, "ecr", "list_tags_for_resource", "tags", f"the tags of {arn}", resourceArn=arn)
        values = {**chosen(repository, _OF_REPOSITORY), "id": name}
        yield scope.resource(_REPOSITORY, name, address=arn, values=values, tags=_tags(tags))
        policy = _shown(
            scope, "ecr", "get_repository_policy", "policyText", f"the policy of {arn}", repositoryName=name
        )
        if policy:
            held = {"repository": name, "policy": policy}
            yield scope.resource(_REPOSITORY_POLICY, name, address=f"{arn} policy", values=held)


def bucket_resources(scope: Scope, _managed: Callable[..., tuple[Resource, ...]]) -> Iterator[Resource]:
    """Yield the buckets and their policies."""
    for bucket in scope.calls.pages("s3", "list_buckets", "Buckets"):
        name = bucket["Name"]
        arn = scope.arn("s3", name, region=False, account=False)
        if not scope.belongs(_BUCKET, name, tags=scope.tags_of(arn)):
            continue
        tags = _shown(scope, "s3", "get_bucket_tagging", "TagSet", f"the tags of {arn}", Bucket=name)
        values = {"bucket": name, "arn": arn, "id": name}
        yield scope.resource(_BUCKET, name, address=arn, values=values, tags=_tags(tags))
        policy = _shown(scope, "s3", "get_bucket_policy", "Policy", f"the policy of {arn}", Bucket=name)
        if policy:
            held = {"bucket": name, "policy": policy}
            yield scope.resource(_BUCKET_POLICY, name, address=f"{arn} policy", values=held)


def _shown(scope: Scope, service: str, operation: str, key: str, what: str, **parameters: str) -> Any:
    """Return what an answer has under a key, None if there is nothing, Unknown if the resource keeps the runner out."""
    try:
        answer = scope.calls.ask(service, operation, absent=_ABSENT, **parameters) or {}
    except ResourceRefusalError as error:
        return Unknown(f"{what}, which keeps the runner out,", RefusedRead(error.remedy))
    return answer.get(key)


def _tags(found: Any) -> Mapping[str, str] | Unknown:
    return found if isinstance(found, Unknown) else tag_map(found)


def table_resources(scope: Scope, _managed: Callable[..., tuple[Resource, ...]]) -> Iterator[Resource]:
    """Yield the tables of DynamoDB."""
    for name in scope.calls.pages("dynamodb", "list_tables", "TableNames"):
        arn = scope.arn("dynamodb", f"table/{name}")
        tags = scope.tags_of(arn)
        if scope.belongs(_TABLE, name, tags=tags):
            values = {"name": name, "arn": arn, "id": name}
            yield scope.resource(_TABLE, name, address=arn, values=values, tags=tags)
