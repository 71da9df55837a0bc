"""Resource types as tag policies name them (`logs:log-group`) and as Terraform does (`aws_cloudwatch_log_group`).

Source: AWS Organizations User Guide, "Services and resource types that support enforcement"; AWS Service Authorization
Reference for the types of each service.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import Enum

WILDCARDS = ("*", "ALL_SUPPORTED")


class Covered(Enum):
    """Whether a tag policy's resource type covers a Terraform type; MAYBE if neither is known well enough."""

    YES = "yes"
    NO = "no"
    MAYBE = "maybe"


_SERVICES: Mapping[str, str] = {
    "access-analyzer": "analyzer=accessanalyzer_analyzer",
    "acm": "certificate=acm_certificate",
    "acm-pca": "certificate-authority=acmpca_certificate_authority",
    "airflow": "environment=mwaa_environment",
    "apigateway": """restapis=api_gateway_rest_api restapis/stages=api_gateway_stage apikeys=api_gateway_api_key
        usageplans=api_gateway_usage_plan domainnames=api_gateway_domain_name,apigatewayv2_domain_name
        vpclinks=api_gateway_vpc_link,apigatewayv2_vpc_link apis=apigatewayv2_api apis/stages=apigatewayv2_stage
        clientcertificates=api_gateway_client_certificate""",
    "apprunner": "service=apprunner_service vpcconnector=apprunner_vpc_connector connection=apprunner_connection",
    "appsync": "apis=appsync_graphql_api",
    "aoss": "collection=opensearchserverless_collection",
    "athena": "workgroup=athena_workgroup datacatalog=athena_data_catalog",
    "autoscaling": "autoScalingGroup=autoscaling_group",
    "backup": "backup-plan=backup_plan backup-vault=backup_vault framework=backup_framework",
    "batch": """compute-environment=batch_compute_environment job-definition=batch_job_definition
        job-queue=batch_job_queue scheduling-policy=batch_scheduling_policy""",
    "cassandra": "keyspace=keyspaces_keyspace table=keyspaces_table",
    "cloudformation": "stack=cloudformation_stack stackset=cloudformation_stack_set",
    "cloudfront": "distribution=cloudfront_distribution",
    "cloudtrail": "trail=cloudtrail eventdatastore=cloudtrail_event_data_store",
    "cloudwatch": """alarm=cloudwatch_metric_alarm,cloudwatch_composite_alarm
        metric-stream=cloudwatch_metric_stream""",
    "codeartifact": "domain=codeartifact_domain repository=codeartifact_repository",
    "codebuild": "project=codebuild_project report-group=codebuild_report_group",
    "codecommit": "repository=codecommit_repository",
    "codedeploy": "application=codedeploy_app deploymentgroup=codedeploy_deployment_group",
    "codepipeline": """pipeline=codepipeline webhook=codepipeline_webhook
        actiontype=codepipeline_custom_action_type""",
    "codestar-connections": "connection=codestarconnections_connection",
    "cognito-identity": "identitypool=cognito_identity_pool",
    "cognito-idp": "userpool=cognito_user_pool",
    "config": "config-rule=config_config_rule config-aggregator=config_configuration_aggregator",
    "dax": "cache=dax_cluster",
    "dms": """cert=dms_certificate endpoint=dms_endpoint es=dms_event_subscription rep=dms_replication_instance
        subgrp=dms_replication_subnet_group task=dms_replication_task""",
    "ds": "directory=directory_service_directory",
    "dynamodb": "table=dynamodb_table",
    "ec2": """instance=instance volume=ebs_volume snapshot=ebs_snapshot,ebs_snapshot_copy
        vpc=vpc,default_vpc subnet=subnet,default_subnet security-group=security_group,default_security_group
        security-group-rule=vpc_security_group_ingress_rule,vpc_security_group_egress_rule
        route-table=route_table,default_route_table network-acl=network_acl,default_network_acl
        internet-gateway=internet_gateway natgateway=nat_gateway elastic-ip=eip vpc-endpoint=vpc_endpoint
        vpc-endpoint-service=vpc_endpoint_service vpc-peering-connection=vpc_peering_connection
        vpc-flow-log=flow_log network-interface=network_interface launch-template=launch_template
        image=ami,ami_copy,ami_from_instance key-pair=key_pair dhcp-options=vpc_dhcp_options
        customer-gateway=customer_gateway vpn-gateway=vpn_gateway vpn-connection=vpn_connection
        egress-only-internet-gateway=egress_only_internet_gateway placement-group=placement_group
        prefix-list=ec2_managed_prefix_list capacity-reservation=ec2_capacity_reservation
        transit-gateway=ec2_transit_gateway transit-gateway-route-table=ec2_transit_gateway_route_table
        transit-gateway-attachment=ec2_transit_gateway_vpc_attachment,ec2_transit_gateway_peering_attachment
        client-vpn-endpoint=ec2_client_vpn_endpoint dedicated-host=ec2_host fleet=ec2_fleet
        spot-fleet-request=spot_fleet_request spot-instances-request=spot_instance_request
        instance-connect-endpoint=ec2_instance_connect_endpoint""",
    "ecr": "repository=ecr_repository",
    "ecs": """cluster=ecs_cluster service=ecs_service task-definition=ecs_task_definition
        capacity-provider=ecs_capacity_provider task-set=ecs_task_set""",
    "eks": """cluster=eks_cluster nodegroup=eks_node_group addon=eks_addon fargateprofile=eks_fargate_profile
        access-entry=eks_access_entry""",
    "elasticache": """cluster=elasticache_cluster replicationgroup=elasticache_replication_group
        parametergroup=elasticache_parameter_group subnetgroup=elasticache_subnet_group user=elasticache_user
        usergroup=elasticache_user_group serverlesscache=elasticache_serverless_cache""",
    "elasticbeanstalk": """application=elastic_beanstalk_application environment=elastic_beanstalk_environment
        applicationversion=elastic_beanstalk_application_version""",
    "elasticfilesystem": "file-system=efs_file_system access-point=efs_access_point",
    "elasticloadbalancing": """loadbalancer=elb,lb,alb loadbalancer/app=lb,alb loadbalancer/net=lb,alb
        loadbalancer/gwy=lb,alb targetgroup=lb_target_group,alb_target_group listener=lb_listener,alb_listener
        listener/app=lb_listener,alb_listener listener/net=lb_listener,alb_listener
        listener-rule=lb_listener_rule,alb_listener_rule listener-rule/app=lb_listener_rule,alb_listener_rule""",
    "elasticmapreduce": "cluster=emr_cluster studio=emr_studio",
    "es": "domain=elasticsearch_domain,opensearch_domain",
    "events": "rule=cloudwatch_event_rule event-bus=cloudwatch_event_bus",
    "firehose": "deliverystream=kinesis_firehose_delivery_stream",
    "fsx": """file-system=fsx_lustre_file_system,fsx_windows_file_system,fsx_ontap_file_system,fsx_openzfs_file_system
        """,
    "glue": """crawler=glue_crawler job=glue_job trigger=glue_trigger workflow=glue_workflow
        connection=glue_connection registry=glue_registry schema=glue_schema""",
    "guardduty": "detector=guardduty_detector filter=guardduty_filter ipset=guardduty_ipset",
    "iam": """role=iam_role policy=iam_policy user=iam_user instance-profile=iam_instance_profile
        oidc-provider=iam_openid_connect_provider saml-provider=iam_saml_provider
        server-certificate=iam_server_certificate mfa=iam_virtual_mfa_device""",
    "kafka": "cluster=msk_cluster,msk_serverless_cluster",
    "kinesis": "stream=kinesis_stream",
    "kinesisanalytics": "application=kinesis_analytics_application,kinesisanalyticsv2_application",
    "kms": "key=kms_key,kms_replica_key,kms_external_key",
    "lambda": "function=lambda_function event-source-mapping=lambda_event_source_mapping",
    "logs": "log-group=cloudwatch_log_group destination=cloudwatch_log_destination",
    "memorydb": "cluster=memorydb_cluster acl=memorydb_acl user=memorydb_user subnetgroup=memorydb_subnet_group",
    "mq": "broker=mq_broker configuration=mq_configuration",
    "network-firewall": """firewall=networkfirewall_firewall firewall-policy=networkfirewall_firewall_policy
        stateful-rulegroup=networkfirewall_rule_group stateless-rulegroup=networkfirewall_rule_group""",
    "ram": "resource-share=ram_resource_share",
    "rds": """db=db_instance,rds_cluster_instance,docdb_cluster_instance,neptune_cluster_instance
        cluster=rds_cluster,docdb_cluster,neptune_cluster
        subgrp=db_subnet_group,docdb_subnet_group,neptune_subnet_group
        pg=db_parameter_group,neptune_parameter_group
        cluster-pg=rds_cluster_parameter_group,docdb_cluster_parameter_group,neptune_cluster_parameter_group
        og=db_option_group
        es=db_event_subscription,docdb_event_subscription,neptune_event_subscription
        snapshot=db_snapshot cluster-snapshot=db_cluster_snapshot db-proxy=db_proxy
        db-proxy-endpoint=db_proxy_endpoint cluster-endpoint=rds_cluster_endpoint""",
    "redshift": """cluster=redshift_cluster parametergroup=redshift_parameter_group
        subnetgroup=redshift_subnet_group eventsubscription=redshift_event_subscription""",
    "redshift-serverless": "namespace=redshiftserverless_namespace workgroup=redshiftserverless_workgroup",
    "route53": "hostedzone=route53_zone healthcheck=route53_health_check",
    "route53resolver": "resolver-endpoint=route53_resolver_endpoint resolver-rule=route53_resolver_rule",
    "s3": "bucket=s3_bucket object=s3_object,s3_bucket_object,s3_object_copy",
    "sagemaker": """domain=sagemaker_domain endpoint=sagemaker_endpoint model=sagemaker_model
        endpoint-config=sagemaker_endpoint_configuration notebook-instance=sagemaker_notebook_instance""",
    "scheduler": "schedule-group=scheduler_schedule_group",
    "secretsmanager": "secret=secretsmanager_secret",
    "servicediscovery": """service=service_discovery_service namespace=service_discovery_http_namespace,\
service_discovery_private_dns_namespace,service_discovery_public_dns_namespace""",
    "sns": "topic=sns_topic",
    "sqs": "queue=sqs_queue",
    "ssm": """parameter=ssm_parameter document=ssm_document maintenancewindow=ssm_maintenance_window
        patchbaseline=ssm_patch_baseline""",
    "states": "stateMachine=sfn_state_machine activity=sfn_activity",
    "synthetics": "canary=synthetics_canary",
    "transfer": "server=transfer_server user=transfer_user workflow=transfer_workflow",
    "wafv2": """regional/webacl=wafv2_web_acl global/webacl=wafv2_web_acl regional/ipset=wafv2_ip_set
        global/ipset=wafv2_ip_set regional/rulegroup=wafv2_rule_group global/rulegroup=wafv2_rule_group
        regional/regexpatternset=wafv2_regex_pattern_set global/regexpatternset=wafv2_regex_pattern_set""",
    "workspaces": "workspace=workspaces_workspace directory=workspaces_directory",
    "xray": "group=xray_group sampling-rule=xray_sampling_rule",
}


def _read(services: Mapping[str, str]) -> dict[str, frozenset[str]]:
    table: dict[str, frozenset[str]] = {}
    for service, types in services.items():
        for entry in types.split():
            name, _, terraform = entry.partition("=")
            table[f"{service}:{name}"] = frozenset(f"aws_{type_}" for type_ in terraform.split(","))
    return table


TERRAFORM_TYPES: Mapping[str, frozenset[str]] = _read(_SERVICES)
"""Terraform types by tag policy type."""

_SERVICES_OF: dict[str, set[str]] = {}
for _tag_type, _terraform_types in TERRAFORM_TYPES.items():
    for _type in _terraform_types:
        _SERVICES_OF.setdefault(_type, set()).add(_tag_type.partition(":")[0])


def covers(tag_type: str, terraform_type: str) -> Covered:
    """Tell whether `service:type`, `service:*` or `service:ALL_SUPPORTED` covers a Terraform type.

    A type that is in no table is judged by the naming convention of the provider, `aws_SERVICE_TYPE`; where that
    says nothing either, it may be covered.
    """
    service, _, name = tag_type.partition(":")
    known_services = _SERVICES_OF.get(terraform_type)
    if known_services is not None:
        if name in WILDCARDS:
            return _yes(service in known_services)
        return _yes(terraform_type in TERRAFORM_TYPES.get(tag_type, ()))
    stem = f"aws_{_snake(service)}"
    if name in WILDCARDS:
        return Covered.YES if terraform_type.startswith(f"{stem}_") else Covered.MAYBE
    if tag_type in TERRAFORM_TYPES:
        return Covered.NO
    return Covered.YES if terraform_type == f"{stem}_{_snake(name)}" else Covered.MAYBE


def _yes(covered: bool) -> Covered:  # noqa: FBT001 - the one argument of a private conversion
    return Covered.YES if covered else Covered.NO


def _snake(name: str) -> str:
    return name.replace("-", "_").replace("/", "_").lower()
