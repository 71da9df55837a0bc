"""Topics, queues, streams, mail and events."""

from __future__ import annotations

from infraspec.core.rules import ALARM_DELIVERY
from infraspec.resource_types.listing import Call, Listing, attributes
from infraspec.resource_types.model import IN_PLACE, REPLACED, Drift, Policy, PolicyKind, ResourceType, words

RESOURCE = PolicyKind.RESOURCE

_NO_TOPIC = ("NotFound", "NotFoundException")

TYPES = (
    ResourceType("aws_appsync_api_key", secrets=("key",)),
    ResourceType("aws_appsync_graphql_api", "name", renaming=IN_PLACE, tag_types=("appsync:apis",)),
    ResourceType(
        "aws_chatbot_slack_channel_configuration",
        identity=("configuration_name",),
        compared_by=ALARM_DELIVERY.id,
        listing=Listing("sns", has_tags=False),
    ),
    ResourceType("aws_cloudwatch_event_bus", "name", renaming=REPLACED, tag_types=("events:event-bus",)),
    ResourceType(
        "aws_cloudwatch_event_bus_policy",
        policies=(Policy(RESOURCE, of="event_bus_name", owners=("aws_cloudwatch_event_bus",)),),
    ),
    ResourceType(
        "aws_cloudwatch_event_connection",
        secrets=words(
            "auth_parameters.api_key.value auth_parameters.basic.password "
            "auth_parameters.oauth.client_parameters.client_secret "
            "auth_parameters.oauth.oauth_http_parameters.body.value "
            "auth_parameters.oauth.oauth_http_parameters.header.value "
            "auth_parameters.oauth.oauth_http_parameters.query_string.value "
            "auth_parameters.invocation_http_parameters.body.value "
            "auth_parameters.invocation_http_parameters.header.value "
            "auth_parameters.invocation_http_parameters.query_string.value"
        ),
    ),
    ResourceType(
        "aws_cloudwatch_event_rule",
        "name",
        renaming=REPLACED,
        tag_types=("events:rule",),
        drift=Drift(
            words("event_pattern schedule_expression state"),
            left_out=words("event_pattern schedule_expression"),
            defaults={"state": "ENABLED"},
        ),
        listing=Listing(
            "events",
            Call("ListRules", "Rules"),
            attributes("Name Arn id=Name EventPattern State ScheduleExpression Description EventBusName"),
            tags_call=Call("ListTagsForResource", "Tags", {"ResourceARN": "arn"}),
        ),
    ),
    ResourceType(
        "aws_cloudwatch_event_target",
        identity=words("rule arn"),
        drift=Drift(("arn",)),
        listing=Listing(
            "events",
            Call("ListTargetsByRule", "Targets", {"Rule": "name"}),
            attributes("Arn RoleArn target_id=Id"),
            "aws_cloudwatch_event_rule",
            has_tags=False,
            owned={"rule": "name"},
            address="{owner} target {target_id}",
        ),
    ),
    ResourceType("aws_kinesis_analytics_application", tag_types=("kinesisanalytics:application",)),
    ResourceType(
        "aws_kinesis_firehose_delivery_stream",
        "name",
        renaming=REPLACED,
        tag_types=("firehose:deliverystream",),
        secrets=words(
            "redshift_configuration.password splunk_configuration.hec_token "
            "http_endpoint_configuration.access_key snowflake_configuration.private_key "
            "snowflake_configuration.key_passphrase"
        ),
    ),
    ResourceType(
        "aws_kinesis_resource_policy",
        policies=(Policy(RESOURCE, of="resource_arn", owners=("aws_kinesis_stream",), services="kinesis"),),
    ),
    ResourceType("aws_kinesis_stream", "name", renaming=REPLACED, tag_types=("kinesis:stream",), stateful=True),
    ResourceType("aws_kinesisanalyticsv2_application", tag_types=("kinesisanalytics:application",)),
    ResourceType(
        "aws_mq_broker",
        "broker_name",
        renaming=REPLACED,
        tag_types=("mq:broker",),
        secrets=words("user.password ldap_server_metadata.service_account_password"),
        stateful=True,
    ),
    ResourceType("aws_mq_configuration", tag_types=("mq:configuration",)),
    ResourceType("aws_msk_cluster", "cluster_name", renaming=REPLACED, tag_types=("kafka:cluster",), stateful=True),
    ResourceType(
        "aws_msk_cluster_policy",
        policies=(Policy(RESOURCE, of="cluster_arn", owners=("aws_msk_cluster", "aws_msk_serverless_cluster")),),
    ),
    ResourceType("aws_msk_serverless_cluster", "cluster_name", tag_types=("kafka:cluster",)),
    ResourceType("aws_pinpoint_adm_channel", secrets=words("client_id client_secret")),
    ResourceType(
        "aws_pinpoint_apns_channel", secrets=words("bundle_id certificate private_key team_id token_key token_key_id")
    ),
    ResourceType(
        "aws_pinpoint_apns_sandbox_channel",
        secrets=words("bundle_id certificate private_key team_id token_key token_key_id"),
    ),
    ResourceType(
        "aws_pinpoint_apns_voip_channel",
        secrets=words("bundle_id certificate private_key team_id token_key token_key_id"),
    ),
    ResourceType(
        "aws_pinpoint_apns_voip_sandbox_channel",
        secrets=words("bundle_id certificate private_key team_id token_key token_key_id"),
    ),
    ResourceType("aws_pinpoint_baidu_channel", secrets=words("api_key secret_key")),
    ResourceType("aws_pinpoint_gcm_channel", secrets=words("api_key service_json")),
    ResourceType(
        "aws_pinpointsmsvoicev2_resource_policy",
        policies=(
            Policy(
                RESOURCE,
                of="resource_arn",
                owners=(
                    "aws_pinpointsmsvoicev2_opt_out_list",
                    "aws_pinpointsmsvoicev2_phone_number",
                    "aws_pinpointsmsvoicev2_pool",
                    "aws_pinpointsmsvoicev2_sender_id",
                ),
            ),
        ),
    ),
    ResourceType("aws_scheduler_schedule", "name"),
    ResourceType("aws_scheduler_schedule_group", "name", renaming=REPLACED, tag_types=("scheduler:schedule-group",)),
    ResourceType(
        "aws_schemas_registry_policy",
        policies=(Policy(RESOURCE, of="registry_name", owners=("aws_schemas_registry",)),),
    ),
    ResourceType(
        "aws_ses_identity_policy",
        policies=(Policy(RESOURCE, of="identity", owners=("aws_ses_domain_identity", "aws_ses_email_identity")),),
    ),
    ResourceType(
        "aws_sesv2_email_identity_policy",
        policies=(Policy(RESOURCE, of="email_identity", owners=("aws_sesv2_email_identity",)),),
    ),
    ResourceType("aws_sns_platform_application", secrets=words("platform_credential platform_principal")),
    ResourceType(
        "aws_sns_topic",
        "name",
        renaming=REPLACED,
        tag_types=("sns:topic",),
        assigned={"arn": "arn:{partition}:sns:{region}:{account}:{name}", "id": "{arn}", "name": "{name}"},
        policies=(Policy(RESOURCE, services="sns"),),
        drift=Drift(("kms_master_key_id",), left_out=("kms_master_key_id",)),
        listing=Listing(
            "sns",
            Call("ListTopics", "Topics"),
            attributes(
                "name=TopicArn.-1 arn=TopicArn id=TopicArn display_name=Attributes.DisplayName "
                "kms_master_key_id=Attributes.KmsMasterKeyId?"
            ),
            detail=Call("GetTopicAttributes", "Attributes", {"TopicArn": "arn"}, absent=_NO_TOPIC),
        ),
    ),
    ResourceType(
        "aws_sns_topic_policy",
        identity=("arn",),
        policies=(Policy(RESOURCE, of="arn", owners=("aws_sns_topic",), services="sns"),),
        drift=Drift(("policy",)),
        listing=Listing.of_policy(
            "sns",
            Call("GetTopicAttributes", "Attributes.Policy", {"TopicArn": "arn"}, absent=_NO_TOPIC),
            "aws_sns_topic",
            {"arn": "arn"},
        ),
    ),
    ResourceType(
        "aws_sns_topic_subscription",
        identity=words("topic_arn protocol endpoint"),
        compared_by=ALARM_DELIVERY.id,
        listing=Listing(
            "sns",
            Call("ListSubscriptionsByTopic", "Subscriptions", {"TopicArn": "arn"}),
            attributes("TopicArn Protocol Endpoint"),
            "aws_sns_topic",
            has_tags=False,
            also=("GetSubscriptionAttributes",),
        ),
    ),
    ResourceType(
        "aws_sqs_queue",
        "name",
        renaming=REPLACED,
        tag_types=("sqs:queue",),
        stateful=True,
        assigned={
            "arn": "arn:{partition}:sqs:{region}:{account}:{name}",
            "id": "{url}",
            "url": "https://sqs.{region}.{dns_suffix}/{account}/{name}",
            "name": "{name}",
        },
        policies=(Policy(RESOURCE, services="sqs"),),
    ),
    ResourceType(
        "aws_sqs_queue_policy", policies=(Policy(RESOURCE, of="queue_url", owners=("aws_sqs_queue",), services="sqs"),)
    ),
)
