"""Logs, metrics, alarms, trails and what watches the account."""

from __future__ import annotations

from infraspec.core.rules import ALARM_STATE, LOG_GROUPS
from infraspec.resource_types.listing import Blocks, Call, Listing, attributes
from infraspec.resource_types.model import IN_PLACE, REPLACED, Drift, Policy, PolicyKind, ResourceType, words

RESOURCE = PolicyKind.RESOURCE

_ALARM = (
    "AlarmName arn=AlarmArn id=AlarmName AlarmDescription ActionsEnabled AlarmActions OKActions InsufficientDataActions"
)

TYPES = (
    ResourceType("aws_budgets_budget", "name"),
    ResourceType("aws_cloudtrail", "name", renaming=REPLACED, tag_types=("cloudtrail:trail",)),
    ResourceType("aws_cloudtrail_event_data_store", tag_types=("cloudtrail:eventdatastore",)),
    ResourceType(
        "aws_cloudwatch_composite_alarm",
        "alarm_name",
        renaming=REPLACED,
        tag_types=("cloudwatch:alarm",),
        compared_by=ALARM_STATE.id,
        listing=Listing(
            "cloudwatch",
            Call("DescribeAlarms", "CompositeAlarms", parameters={"AlarmTypes": ["CompositeAlarm"]}),
            attributes(f"{_ALARM} AlarmRule ActionsSuppressor"),
        ),
    ),
    ResourceType("aws_cloudwatch_dashboard", "dashboard_name", renaming=REPLACED),
    ResourceType(
        "aws_cloudwatch_log_delivery_destination_policy",
        policies=(
            Policy(
                RESOURCE,
                "delivery_destination_policy",
                of="delivery_destination_name",
                owners=("aws_cloudwatch_log_delivery_destination",),
            ),
        ),
    ),
    ResourceType("aws_cloudwatch_log_destination", tag_types=("logs:destination",)),
    ResourceType(
        "aws_cloudwatch_log_destination_policy",
        policies=(
            Policy(RESOURCE, "access_policy", of="destination_name", owners=("aws_cloudwatch_log_destination",)),
        ),
    ),
    ResourceType(
        "aws_cloudwatch_log_group",
        "name",
        renaming=REPLACED,
        tag_types=("logs:log-group",),
        stateful=True,
        assigned={"arn": "arn:{partition}:logs:{region}:{account}:log-group:{name}", "name": "{name}", "id": "{name}"},
        found={"arn": "arn:{partition}:logs:{region}:{account}:log-group:{name}"},
        compared_by=LOG_GROUPS.id,
        listing=Listing(
            "logs",
            Call("DescribeLogGroups", "logGroups"),
            attributes("name=logGroupName id=logGroupName retentionInDays kmsKeyId"),
        ),
    ),
    ResourceType(
        "aws_cloudwatch_log_metric_filter",
        "name",
        identity=words("log_group_name name"),
        renaming=REPLACED,
        drift=Drift(("pattern",)),
        listing=Listing(
            "logs",
            Call("DescribeMetricFilters", "metricFilters"),
            attributes(
                "name=filterName logGroupName pattern=filterPattern",
                metric_transformation=Blocks(
                    "metricTransformations",
                    attributes("name=metricName namespace=metricNamespace value=metricValue unit dimensions"),
                ),
            ),
            has_tags=False,
            defaults={"pattern": ""},
            address="arn:{partition}:logs:{region}:{account}:log-group:{log_group_name} metric filter {name}",
        ),
    ),
    ResourceType(
        "aws_cloudwatch_log_resource_policy",
        identity=("policy_name",),
        policies=(Policy(RESOURCE, "policy_document"),),
        listing=Listing(
            "logs",
            Call("DescribeResourcePolicies", "resourcePolicies"),
            attributes("policyName policyDocument"),
            is_shared=True,
            has_tags=False,
            address="log resource policy {policy_name}",
        ),
    ),
    ResourceType("aws_cloudwatch_log_stream", "name", renaming=REPLACED),
    ResourceType(
        "aws_cloudwatch_metric_alarm",
        "alarm_name",
        renaming=REPLACED,
        tag_types=("cloudwatch:alarm",),
        compared_by=ALARM_STATE.id,
        listing=Listing(
            "cloudwatch",
            Call("DescribeAlarms", "MetricAlarms", parameters={"AlarmTypes": ["MetricAlarm"]}),
            attributes(
                f"{_ALARM} MetricName Namespace Statistic ExtendedStatistic Period Unit EvaluationPeriods "
                "DatapointsToAlarm "
                "Threshold ComparisonOperator TreatMissingData ThresholdMetricId"
            ),
        ),
    ),
    ResourceType("aws_cloudwatch_metric_stream", "name", tag_types=("cloudwatch:metric-stream",)),
    ResourceType("aws_cloudwatch_query_definition", "name", renaming=IN_PLACE),
    ResourceType("aws_config_config_rule", "name", tag_types=("config:config-rule",)),
    ResourceType("aws_config_configuration_aggregator", tag_types=("config:config-aggregator",)),
    ResourceType("aws_grafana_workspace", "name"),
    ResourceType("aws_grafana_workspace_api_key", secrets=("key",)),
    ResourceType("aws_grafana_workspace_service_account_token", secrets=("key",)),
    ResourceType("aws_guardduty_detector", tag_types=("guardduty:detector",)),
    ResourceType("aws_guardduty_filter", tag_types=("guardduty:filter",)),
    ResourceType("aws_guardduty_ipset", tag_types=("guardduty:ipset",)),
    ResourceType("aws_oam_sink_policy", policies=(Policy(RESOURCE, of="sink_identifier", owners=("aws_oam_sink",)),)),
    ResourceType(
        "aws_prometheus_resource_policy",
        policies=(Policy(RESOURCE, "policy_document", of="workspace_id", owners=("aws_prometheus_workspace",)),),
    ),
    ResourceType("aws_xray_group", "group_name", tag_types=("xray:group",)),
    ResourceType("aws_xray_resource_policy", policies=(Policy(RESOURCE, "policy_document"),)),
    ResourceType("aws_xray_sampling_rule", tag_types=("xray:sampling-rule",)),
)
