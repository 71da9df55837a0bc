"""Which resource types take tags.

Source: the argument references of the Terraform AWS provider. A type is listed as taggable only where its page has
`tags`; one that is in neither table is judged by whether it has tags at all.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

from infraspec.conventions.effective_tags import TAG_BLOCK_TYPES
from infraspec.unknown import Value


class Taggable(Enum):
    """YES and NO are certain; MAYBE: default_tags of the provider are all that is seen, and the type is not listed."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"


def _types(text: str) -> frozenset[str]:
    return frozenset(f"aws_{name}" for name in text.split())


TAGGABLE = TAG_BLOCK_TYPES | _types("""
    accessanalyzer_analyzer acm_certificate acmpca_certificate_authority alb alb_listener alb_listener_rule
    alb_target_group ami ami_copy ami_from_instance amplify_app api_gateway_api_key api_gateway_client_certificate
    api_gateway_domain_name api_gateway_rest_api api_gateway_stage api_gateway_usage_plan api_gateway_vpc_link
    apigatewayv2_api apigatewayv2_domain_name apigatewayv2_stage apigatewayv2_vpc_link appautoscaling_target
    appconfig_application appconfig_configuration_profile appconfig_deployment_strategy appconfig_environment
    appflow_flow appmesh_gateway_route appmesh_mesh appmesh_route appmesh_virtual_gateway appmesh_virtual_node
    appmesh_virtual_router appmesh_virtual_service apprunner_auto_scaling_configuration_version
    apprunner_connection apprunner_observability_configuration apprunner_service apprunner_vpc_connector
    appstream_fleet appstream_stack appsync_graphql_api athena_data_catalog athena_workgroup
    backup_framework backup_plan backup_report_plan backup_vault batch_compute_environment batch_job_definition
    batch_job_queue batch_scheduling_policy bedrock_guardrail bedrockagent_agent bedrockagent_knowledge_base
    budgets_budget ce_anomaly_monitor ce_anomaly_subscription ce_cost_category cloud9_environment_ec2
    cloudformation_stack cloudformation_stack_set cloudfront_distribution cloudhsm_v2_cluster cloudtrail
    cloudtrail_event_data_store cloudwatch_composite_alarm cloudwatch_event_bus cloudwatch_event_rule
    cloudwatch_log_destination cloudwatch_log_group cloudwatch_metric_alarm cloudwatch_metric_stream
    codeartifact_domain codeartifact_repository codebuild_project codebuild_report_group codecommit_repository
    codedeploy_app codedeploy_deployment_group codepipeline codepipeline_custom_action_type codepipeline_webhook
    codestarconnections_connection codestarnotifications_notification_rule cognito_identity_pool cognito_user_pool
    config_aggregate_authorization config_config_rule config_configuration_aggregator customer_gateway
    datapipeline_pipeline datasync_agent datasync_location_efs datasync_location_s3 datasync_task dax_cluster
    db_cluster_snapshot db_event_subscription db_instance db_option_group db_parameter_group db_proxy
    db_proxy_endpoint db_snapshot db_subnet_group default_network_acl default_route_table default_security_group
    default_subnet default_vpc default_vpc_dhcp_options detective_graph devicefarm_project
    directory_service_directory dlm_lifecycle_policy dms_certificate dms_endpoint dms_event_subscription
    dms_replication_instance dms_replication_subnet_group dms_replication_task docdb_cluster docdb_cluster_instance
    docdb_cluster_parameter_group docdb_event_subscription docdb_subnet_group dx_connection dx_lag
    dx_private_virtual_interface dx_public_virtual_interface dx_transit_virtual_interface dynamodb_table ebs_snapshot
    ebs_snapshot_copy ebs_volume ec2_capacity_reservation ec2_carrier_gateway ec2_client_vpn_endpoint ec2_fleet
    ec2_host ec2_instance_connect_endpoint ec2_managed_prefix_list ec2_network_insights_path
    ec2_traffic_mirror_filter ec2_traffic_mirror_session ec2_traffic_mirror_target ec2_transit_gateway
    ec2_transit_gateway_peering_attachment ec2_transit_gateway_route_table ec2_transit_gateway_vpc_attachment
    ecr_repository ecrpublic_repository ecs_capacity_provider ecs_cluster ecs_service ecs_task_definition
    ecs_task_set efs_access_point efs_file_system egress_only_internet_gateway eip eks_access_entry eks_addon
    eks_cluster eks_fargate_profile eks_identity_provider_config eks_node_group eks_pod_identity_association
    elastic_beanstalk_application elastic_beanstalk_application_version elastic_beanstalk_environment
    elasticache_cluster elasticache_parameter_group elasticache_replication_group elasticache_serverless_cache
    elasticache_subnet_group elasticache_user elasticache_user_group elasticsearch_domain elb emr_cluster
    emr_studio emrcontainers_virtual_cluster emrserverless_application fis_experiment_template flow_log
    fsx_lustre_file_system fsx_ontap_file_system fsx_openzfs_file_system fsx_windows_file_system gamelift_fleet
    glacier_vault globalaccelerator_accelerator glue_connection glue_crawler glue_data_quality_ruleset
    glue_job glue_registry glue_schema glue_trigger glue_workflow grafana_workspace
    guardduty_detector guardduty_filter guardduty_ipset guardduty_threatintelset iam_instance_profile
    iam_openid_connect_provider iam_policy iam_role iam_saml_provider iam_server_certificate iam_service_linked_role
    iam_user iam_virtual_mfa_device imagebuilder_component imagebuilder_container_recipe
    imagebuilder_distribution_configuration imagebuilder_image imagebuilder_image_pipeline imagebuilder_image_recipe
    imagebuilder_infrastructure_configuration inspector_assessment_template instance internet_gateway iot_policy
    iot_thing_type iot_topic_rule ivs_channel kendra_index key_pair keyspaces_keyspace keyspaces_table
    kinesis_analytics_application kinesis_firehose_delivery_stream kinesis_stream kinesis_video_stream
    kinesisanalyticsv2_application kms_external_key kms_key kms_replica_key lambda_event_source_mapping lambda_function
    launch_template lb lb_listener lb_listener_rule lb_target_group lightsail_instance macie2_classification_job
    macie2_custom_data_identifier media_convert_queue media_package_channel memorydb_acl memorydb_cluster
    memorydb_parameter_group memorydb_subnet_group memorydb_user mq_broker mq_configuration msk_cluster
    msk_serverless_cluster mwaa_environment nat_gateway neptune_cluster neptune_cluster_instance
    neptune_cluster_parameter_group neptune_event_subscription neptune_parameter_group neptune_subnet_group network_acl
    network_interface networkfirewall_firewall networkfirewall_firewall_policy networkfirewall_rule_group
    networkmanager_global_network networkmanager_site opensearch_domain opensearchserverless_collection
    organizations_account organizations_organizational_unit organizations_policy pinpoint_app placement_group
    prometheus_workspace qldb_ledger quicksight_dashboard quicksight_data_set quicksight_data_source ram_resource_share
    rds_cluster rds_cluster_endpoint rds_cluster_instance rds_cluster_parameter_group redshift_cluster
    redshift_event_subscription redshift_parameter_group redshift_subnet_group redshiftserverless_namespace
    redshiftserverless_workgroup rolesanywhere_profile rolesanywhere_trust_anchor route53_health_check
    route53_resolver_endpoint route53_resolver_firewall_domain_list route53_resolver_firewall_rule_group
    route53_resolver_query_log_config route53_resolver_rule route53_zone route_table s3_bucket s3_bucket_object
    s3_object s3_object_copy sagemaker_domain sagemaker_endpoint sagemaker_endpoint_configuration
    sagemaker_feature_group sagemaker_image sagemaker_model sagemaker_notebook_instance scheduler_schedule_group
    schemas_discoverer schemas_registry schemas_schema secretsmanager_secret security_group
    service_discovery_http_namespace service_discovery_private_dns_namespace service_discovery_public_dns_namespace
    service_discovery_service servicecatalog_portfolio servicecatalog_product servicecatalog_provisioned_product
    sfn_activity sfn_state_machine shield_protection signer_signing_profile sns_topic spot_fleet_request
    spot_instance_request sqs_queue ssm_activation ssm_document ssm_maintenance_window ssm_parameter ssm_patch_baseline
    ssmincidents_response_plan ssoadmin_permission_set storagegateway_gateway subnet swf_domain synthetics_canary
    timestreamwrite_database timestreamwrite_table transfer_server transfer_user transfer_workflow
    verifiedaccess_instance vpc vpc_dhcp_options vpc_endpoint vpc_endpoint_service vpc_ipam vpc_ipam_pool
    vpc_peering_connection vpc_peering_connection_accepter vpc_security_group_egress_rule
    vpc_security_group_ingress_rule vpn_connection vpn_gateway waf_rule waf_web_acl wafregional_rule
    wafregional_web_acl wafv2_ip_set wafv2_regex_pattern_set wafv2_rule_group wafv2_web_acl workspaces_directory
    workspaces_ip_group workspaces_workspace xray_group xray_sampling_rule
""")
"""Types that take tags."""

NOT_TAGGABLE = _types("""
    acm_certificate_validation ami_launch_permission api_gateway_account api_gateway_authorizer
    api_gateway_base_path_mapping api_gateway_deployment api_gateway_gateway_response api_gateway_integration
    api_gateway_integration_response api_gateway_method api_gateway_method_response api_gateway_method_settings
    api_gateway_model api_gateway_request_validator api_gateway_resource api_gateway_rest_api_policy
    api_gateway_usage_plan_key apigatewayv2_api_mapping apigatewayv2_authorizer apigatewayv2_deployment
    apigatewayv2_integration apigatewayv2_integration_response apigatewayv2_model apigatewayv2_route
    apigatewayv2_route_response appautoscaling_policy appautoscaling_scheduled_action appsync_datasource
    appsync_function appsync_resolver athena_database athena_named_query autoscaling_attachment
    autoscaling_lifecycle_hook autoscaling_notification autoscaling_policy autoscaling_schedule backup_selection
    backup_vault_notifications backup_vault_policy cloudfront_cache_policy cloudfront_function
    cloudfront_origin_access_control cloudfront_origin_access_identity cloudfront_origin_request_policy
    cloudfront_response_headers_policy cloudwatch_dashboard cloudwatch_event_api_destination
    cloudwatch_event_archive cloudwatch_event_bus_policy cloudwatch_event_connection cloudwatch_event_permission
    cloudwatch_event_target cloudwatch_log_destination_policy cloudwatch_log_metric_filter
    cloudwatch_log_resource_policy cloudwatch_log_stream cloudwatch_log_subscription_filter
    cloudwatch_query_definition codebuild_source_credential codebuild_webhook codecommit_trigger
    cognito_identity_pool_roles_attachment cognito_identity_provider cognito_resource_server cognito_user
    cognito_user_group cognito_user_pool_client cognito_user_pool_domain config_configuration_recorder
    config_configuration_recorder_status config_delivery_channel db_instance_role_association
    db_proxy_default_target_group db_proxy_target dynamodb_contributor_insights dynamodb_global_table
    dynamodb_table_item dynamodb_tag ebs_default_kms_key ebs_encryption_by_default ec2_tag ec2_transit_gateway_route
    ec2_transit_gateway_route_table_association ec2_transit_gateway_route_table_propagation ecr_lifecycle_policy
    ecr_registry_policy ecr_registry_scanning_configuration ecr_replication_configuration ecr_repository_policy
    ecs_account_setting_default ecs_cluster_capacity_providers ecs_tag efs_backup_policy efs_file_system_policy
    efs_mount_target eip_association eks_access_policy_association elasticache_user_group_association
    glue_catalog_table glue_classifier glue_partition glue_resource_policy glue_security_configuration
    guardduty_invite_accepter guardduty_member guardduty_publishing_destination iam_access_key iam_account_alias
    iam_account_password_policy iam_group iam_group_membership iam_group_policy iam_group_policy_attachment
    iam_policy_attachment iam_role_policies_exclusive iam_role_policy iam_role_policy_attachment
    iam_role_policy_attachments_exclusive iam_user_group_membership iam_user_login_profile iam_user_policy
    iam_user_policy_attachment iam_user_ssh_key internet_gateway_attachment kms_alias kms_ciphertext kms_grant
    kms_key_policy lambda_alias lambda_function_event_invoke_config lambda_function_url lambda_invocation
    lambda_layer_version lambda_layer_version_permission lambda_permission lambda_provisioned_concurrency_config
    launch_configuration lb_listener_certificate lb_target_group_attachment alb_listener_certificate
    alb_target_group_attachment load_balancer_policy main_route_table_association nat_gateway_eip_association
    network_acl_association network_acl_rule network_interface_attachment network_interface_sg_attachment
    opensearch_domain_policy organizations_policy_attachment proxy_protocol_policy ram_principal_association
    ram_resource_association rds_cluster_role_association route route53_query_log route53_record
    route53_resolver_rule_association route53_vpc_association_authorization route53_zone_association
    route_table_association s3_account_public_access_block s3_bucket_accelerate_configuration s3_bucket_acl
    s3_bucket_analytics_configuration s3_bucket_cors_configuration s3_bucket_intelligent_tiering_configuration
    s3_bucket_inventory s3_bucket_lifecycle_configuration s3_bucket_logging s3_bucket_metric s3_bucket_notification
    s3_bucket_object_lock_configuration s3_bucket_ownership_controls s3_bucket_policy s3_bucket_public_access_block
    s3_bucket_replication_configuration s3_bucket_request_payment_configuration
    s3_bucket_server_side_encryption_configuration s3_bucket_versioning s3_bucket_website_configuration
    scheduler_schedule secretsmanager_secret_policy secretsmanager_secret_rotation secretsmanager_secret_version
    security_group_rule ses_configuration_set ses_domain_dkim ses_domain_identity ses_domain_mail_from
    ses_email_identity ses_template sns_platform_application sns_sms_preferences sns_topic_data_protection_policy
    sns_topic_policy sns_topic_subscription snapshot_create_volume_permission sqs_queue_policy
    sqs_queue_redrive_allow_policy sqs_queue_redrive_policy ssm_maintenance_window_target
    ssm_maintenance_window_task ssm_patch_group ssm_resource_data_sync volume_attachment
    vpc_dhcp_options_association vpc_endpoint_policy vpc_endpoint_route_table_association
    vpc_endpoint_security_group_association vpc_endpoint_subnet_association vpc_ipv4_cidr_block_association
    vpc_peering_connection_options vpn_connection_route vpn_gateway_attachment vpn_gateway_route_propagation
    wafv2_web_acl_association wafv2_web_acl_logging_configuration
""")
"""Types that take none."""

_PROVIDERS = ("aws_", "awscc_")


def taggable(type_: str, values: Mapping[str, Value]) -> Taggable:
    """Tell whether a resource takes tags; only AWS resources do."""
    if type_ in TAGGABLE:
        return Taggable.YES
    if type_ in NOT_TAGGABLE or not type_.startswith(_PROVIDERS):
        return Taggable.NO
    if "tags" in values:
        return Taggable.YES
    return Taggable.MAYBE if values.get("tags_all") is not None else Taggable.NO


def is_classified(type_: str) -> bool:
    """Tell whether a type is in one of the tables, or none of AWS."""
    return type_ in TAGGABLE or type_ in NOT_TAGGABLE or not type_.startswith(_PROVIDERS)
