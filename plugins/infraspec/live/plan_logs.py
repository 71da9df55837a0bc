"""The log groups that exist, their metric filters, and the policies that let services write to log groups."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from infraspec.live.scope import Scope
from infraspec.live.shapes import chosen
from infraspec.terraform.plan import Resource

_GROUP, _FILTER, _POLICY = (
    "aws_cloudwatch_log_group", "aws_cloudwatch_log_metric_filter", "aws_cloudwatch_log_resource_policy",
)  # fmt: skip
_ATTRIBUTES = {"logGroupName": "name", "retentionInDays": "retention_in_days", "kmsKeyId": "kms_key_id"}
_TRANSFORMATION = {"metricName": "name", "metricNamespace": "namespace", "metricValue": "value", "unit": "unit"}


def log_resources(scope: Scope, _managed: Callable[..., tuple[Resource, ...]]) -> Iterator[Resource]:
    """Yield the log groups, the metric filters, and the policies."""
    for group in scope.calls.pages("logs", "describe_log_groups", "logGroups"):
        name, arn = group["logGroupName"], group["arn"].removesuffix(":*")
        tags = scope.tags_of(arn)
        if scope.belongs(_GROUP, name, tags=tags):
            values = {**chosen(group, _ATTRIBUTES), "arn": arn, "id": name}
            yield scope.resource(_GROUP, name, address=arn, values=values, tags=tags)
    for one in scope.calls.pages("logs", "describe_metric_filters", "metricFilters"):
        group, name = one["logGroupName"], one["filterName"]
        if scope.belongs(_FILTER, group, name):
            transformations = [chosen(each, _TRANSFORMATION) for each in one.get("metricTransformations") or ()]
            dimensions = [each.get("dimensions") for each in one.get("metricTransformations") or ()]
            values = {
                "name": name,
                "log_group_name": group,
                "pattern": one.get("filterPattern", ""),
                "metric_transformation": [
                    {**each, **({"dimensions": own} if own else {})}
                    for each, own in zip(transformations, dimensions, strict=True)
                ],
            }
            address = f"{scope.arn('logs', f'log-group:{group}')} metric filter {name}"
            yield scope.resource(_FILTER, group, name, address=address, values=values)
    for policy in scope.calls.pages("logs", "describe_resource_policies", "resourcePolicies"):
        name = policy["policyName"]
        values = {"policy_name": name, "policy_document": policy.get("policyDocument")}
        yield scope.resource(_POLICY, name, address=f"log resource policy {name}", values=values)
