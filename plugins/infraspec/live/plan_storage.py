"""The repositories, buckets and tables that exist, with the policies of the first two."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from infraspec.live.scope import Scope, json_text, tag_map
from infraspec.live.shapes import chosen
from infraspec.terraform.plan import Resource

_REPOSITORY, _REPOSITORY_POLICY = "aws_ecr_repository", "aws_ecr_repository_policy"
_BUCKET, _BUCKET_POLICY, _TABLE = "aws_s3_bucket", "aws_s3_bucket_policy", "aws_dynamodb_table"
_OF_REPOSITORY = {
    "repositoryName": "name",
    "repositoryArn": "arn",
    "repositoryUri": "repository_url",
    "registryId": "registry_id",
    "imageTagMutability": "image_tag_mutability",
}


def repository_resources(scope: Scope, _managed: Callable[..., tuple[Resource, ...]]) -> Iterator[Resource]:
    """Yield the repositories of ECR and their policies."""
    for repository in scope.calls.pages("ecr", "describe_repositories", "repositories"):
        name, arn = repository["repositoryName"], repository["repositoryArn"]
        if not scope.belongs(_REPOSITORY, name, tags=scope.tags_of(arn)):
            continue
        answer = scope.calls.ask("ecr", "list_tags_for_resource", resourceArn=arn) or {}
        values = {**chosen(repository, _OF_REPOSITORY), "id": name}
        yield scope.resource(_REPOSITORY, name, address=arn, values=values, tags=tag_map(answer.get("tags")))
        policy = scope.calls.ask(
            "ecr", "get_repository_policy", repositoryName=name, absent=("RepositoryPolicyNotFoundException",)
        )
        if policy:
            held = {"repository": name, "policy": policy["policyText"]}
            yield scope.resource(_REPOSITORY_POLICY, name, address=f"{arn} policy", values=held)


def bucket_resources(scope: Scope, _managed: Callable[..., tuple[Resource, ...]]) -> Iterator[Resource]:
    """Yield the buckets and their policies."""
    for bucket in scope.calls.pages("s3", "list_buckets", "Buckets"):
        name = bucket["Name"]
        arn = scope.arn("s3", name, region=False, account=False)
        if not scope.belongs(_BUCKET, name, tags=scope.tags_of(arn)):
            continue
        tags = scope.calls.ask("s3", "get_bucket_tagging", Bucket=name, absent=("NoSuchTagSet",)) or {}
        values = {"bucket": name, "arn": arn, "id": name}
        yield scope.resource(_BUCKET, name, address=arn, values=values, tags=tag_map(tags.get("TagSet")))
        answer = scope.calls.ask("s3", "get_bucket_policy", Bucket=name, absent=("NoSuchBucketPolicy",)) or {}
        policy = json_text(answer.get("Policy"))
        if policy:
            held = {"bucket": name, "policy": policy}
            yield scope.resource(_BUCKET_POLICY, name, address=f"{arn} policy", values=held)


def table_resources(scope: Scope, _managed: Callable[..., tuple[Resource, ...]]) -> Iterator[Resource]:
    """Yield the tables of DynamoDB."""
    for name in scope.calls.pages("dynamodb", "list_tables", "TableNames"):
        arn = scope.arn("dynamodb", f"table/{name}")
        tags = scope.tags_of(arn)
        if scope.belongs(_TABLE, name, tags=tags):
            values = {"name": name, "arn": arn, "id": name}
            yield scope.resource(_TABLE, name, address=arn, values=values, tags=tags)
