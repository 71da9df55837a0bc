"""Machines and functions, and what builds, deploys and orchestrates on them."""

from __future__ import annotations

from infraspec.resource_types.model import REPLACED, Policy, PolicyKind, ResourceType, words

RESOURCE = PolicyKind.RESOURCE

TYPES = (
    ResourceType("aws_ami", tag_types=("ec2:image",)),
    ResourceType("aws_ami_copy", tag_types=("ec2:image",)),
    ResourceType("aws_ami_from_instance", tag_types=("ec2:image",)),
    ResourceType("aws_athena_data_catalog", tag_types=("athena:datacatalog",)),
    ResourceType("aws_athena_workgroup", "name", renaming=REPLACED, tag_types=("athena:workgroup",)),
    ResourceType(
        "aws_autoscaling_group", "name", renaming=REPLACED, tag_types=("autoscaling:autoScalingGroup",), tag_blocks=True
    ),
    ResourceType("aws_bedrockagentcore_api_key_credential_provider", secrets=words("api_key api_key_wo")),
    ResourceType("aws_bedrockagentcore_harness", secrets=("environment_variables",)),
    ResourceType(
        "aws_bedrockagentcore_resource_policy",
        policies=(
            Policy(
                RESOURCE,
                of="resource_arn",
                owners=(
                    "aws_bedrockagentcore_agent_runtime",
                    "aws_bedrockagentcore_gateway",
                    "aws_bedrockagentcore_memory",
                ),
            ),
        ),
    ),
    ResourceType("aws_codeartifact_domain", tag_types=("codeartifact:domain",)),
    ResourceType(
        "aws_codeartifact_domain_permissions_policy",
        policies=(Policy(RESOURCE, "policy_document", of="domain", owners=("aws_codeartifact_domain",)),),
    ),
    ResourceType("aws_codeartifact_repository", "repository", tag_types=("codeartifact:repository",)),
    ResourceType(
        "aws_codeartifact_repository_permissions_policy",
        policies=(Policy(RESOURCE, "policy_document", of="repository", owners=("aws_codeartifact_repository",)),),
    ),
    ResourceType(
        "aws_codebuild_project",
        "name",
        renaming=REPLACED,
        tag_types=("codebuild:project",),
        secrets=words("secondary_sources.auth.resource source.auth.resource"),
    ),
    ResourceType("aws_codebuild_report_group", tag_types=("codebuild:report-group",)),
    ResourceType(
        "aws_codebuild_resource_policy",
        policies=(Policy(RESOURCE, of="resource_arn", owners=("aws_codebuild_project", "aws_codebuild_report_group")),),
    ),
    ResourceType("aws_codebuild_source_credential", secrets=("token",)),
    ResourceType("aws_codebuild_webhook", secrets=("secret",)),
    ResourceType("aws_codecommit_repository", "repository_name", tag_types=("codecommit:repository",), stateful=True),
    ResourceType("aws_codedeploy_app", "name", tag_types=("codedeploy:application",)),
    ResourceType("aws_codedeploy_deployment_group", "deployment_group_name", tag_types=("codedeploy:deploymentgroup",)),
    ResourceType(
        "aws_codepipeline",
        "name",
        renaming=REPLACED,
        tag_types=("codepipeline:pipeline",),
        secrets=("stage.action.configuration.OAuthToken",),
    ),
    ResourceType("aws_codepipeline_custom_action_type", tag_types=("codepipeline:actiontype",)),
    ResourceType(
        "aws_codepipeline_webhook",
        tag_types=("codepipeline:webhook",),
        secrets=("authentication_configuration.secret_token",),
    ),
    ResourceType("aws_codestarconnections_connection", tag_types=("codestar-connections:connection",)),
    ResourceType("aws_ec2_capacity_reservation", tag_types=("ec2:capacity-reservation",)),
    ResourceType("aws_ec2_fleet", tag_types=("ec2:fleet",)),
    ResourceType("aws_ec2_host", tag_types=("ec2:dedicated-host",)),
    ResourceType("aws_ec2_instance_connect_endpoint", tag_types=("ec2:instance-connect-endpoint",)),
    ResourceType("aws_elastic_beanstalk_application", "name", tag_types=("elasticbeanstalk:application",)),
    ResourceType("aws_elastic_beanstalk_application_version", tag_types=("elasticbeanstalk:applicationversion",)),
    ResourceType("aws_elastic_beanstalk_environment", "name", tag_types=("elasticbeanstalk:environment",)),
    ResourceType(
        "aws_emr_cluster",
        "name",
        tag_types=("elasticmapreduce:cluster",),
        secrets=words(
            "kerberos_attributes.ad_domain_join_password "
            "kerberos_attributes.cross_realm_trust_principal_password "
            "kerberos_attributes.kdc_admin_password"
        ),
    ),
    ResourceType("aws_emr_studio", tag_types=("elasticmapreduce:studio",)),
    ResourceType("aws_glue_catalog_database", "name"),
    ResourceType(
        "aws_glue_connection", tag_types=("glue:connection",), secrets=words("connection_properties athena_properties")
    ),
    ResourceType("aws_glue_crawler", "name", tag_types=("glue:crawler",)),
    ResourceType("aws_glue_job", "name", renaming=REPLACED, tag_types=("glue:job",)),
    ResourceType("aws_glue_registry", tag_types=("glue:registry",)),
    ResourceType("aws_glue_resource_policy", policies=(Policy(RESOURCE),)),
    ResourceType("aws_glue_schema", tag_types=("glue:schema",)),
    ResourceType("aws_glue_trigger", "name", tag_types=("glue:trigger",)),
    ResourceType("aws_glue_workflow", "name", tag_types=("glue:workflow",)),
    ResourceType("aws_imagebuilder_component", "name"),
    ResourceType("aws_imagebuilder_image_pipeline", "name"),
    ResourceType("aws_instance", "tags.Name", tag_types=("ec2:instance",)),
    ResourceType("aws_key_pair", "key_name", renaming=REPLACED, tag_types=("ec2:key-pair",)),
    ResourceType("aws_lambda_alias", "name", renaming=REPLACED),
    ResourceType("aws_lambda_event_source_mapping", tag_types=("lambda:event-source-mapping",)),
    ResourceType(
        "aws_lambda_function",
        "function_name",
        renaming=REPLACED,
        tag_types=("lambda:function",),
        assigned={"arn": "arn:{partition}:lambda:{region}:{account}:function:{name}"},
    ),
    ResourceType("aws_lambda_layer_version", "layer_name"),
    ResourceType(
        "aws_lambda_resource_policy", policies=(Policy(RESOURCE, of="resource_arn", owners=("aws_lambda_function",)),)
    ),
    ResourceType("aws_launch_configuration", "name", renaming=REPLACED),
    ResourceType("aws_launch_template", "name", renaming=REPLACED, tag_types=("ec2:launch-template",)),
    ResourceType("aws_lightsail_bucket_access_key", secrets=("secret_access_key",)),
    ResourceType("aws_lightsail_database", secrets=("master_password",), stateful=True),
    ResourceType("aws_lightsail_key_pair", secrets=("private_key",)),
    ResourceType(
        "aws_mwaa_environment", "name", tag_types=("airflow:environment",), secrets=("airflow_configuration_options",)
    ),
    ResourceType("aws_placement_group", "name", tag_types=("ec2:placement-group",)),
    ResourceType("aws_sagemaker_domain", tag_types=("sagemaker:domain",)),
    ResourceType("aws_sagemaker_endpoint", "name", tag_types=("sagemaker:endpoint",)),
    ResourceType("aws_sagemaker_endpoint_configuration", tag_types=("sagemaker:endpoint-config",)),
    ResourceType("aws_sagemaker_model", "name", tag_types=("sagemaker:model",)),
    ResourceType(
        "aws_sagemaker_model_package_group_policy",
        policies=(
            Policy(
                RESOURCE,
                "resource_policy",
                of="model_package_group_name",
                owners=("aws_sagemaker_model_package_group",),
            ),
        ),
    ),
    ResourceType("aws_sagemaker_notebook_instance", "name", tag_types=("sagemaker:notebook-instance",)),
    ResourceType("aws_sfn_activity", "name", tag_types=("states:activity",)),
    ResourceType("aws_sfn_state_machine", "name", renaming=REPLACED, tag_types=("states:stateMachine",)),
    ResourceType("aws_spot_fleet_request", tag_types=("ec2:spot-fleet-request",)),
    ResourceType("aws_spot_instance_request", tag_types=("ec2:spot-instances-request",)),
    ResourceType("aws_synthetics_canary", "name", tag_types=("synthetics:canary",)),
    ResourceType("aws_workspaces_directory", tag_types=("workspaces:directory",)),
    ResourceType("aws_workspaces_workspace", tag_types=("workspaces:workspace",)),
)
