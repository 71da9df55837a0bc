"""The attributes that hold secrets, by resource type or data source.

The sources are the schemas of the providers, which mark them sensitive or write-only, and what their documentation
calls sensitive ("Terraform AWS Provider", "Sensitive Data in State"). A path may lead through nested blocks
(`user.password`); an attribute of map type is sensitive as a whole.
"""

from __future__ import annotations

from collections.abc import Mapping

SECRET_ATTRIBUTES: Mapping[str, str] = {
    "aws_acm_certificate": "private_key private_key_wo",
    "aws_alb_listener": "default_action.authenticate_oidc.client_secret",
    "aws_alb_listener_rule": "action.authenticate_oidc.client_secret",
    "aws_amplify_app": (
        "access_token oauth_token basic_auth_credentials auto_branch_creation_config.basic_auth_credentials"
    ),
    "aws_amplify_branch": "basic_auth_credentials",
    "aws_api_gateway_api_key": "value",
    "aws_api_gateway_domain_name": "certificate_private_key",
    "aws_appconfig_hosted_configuration_version": "content",
    "aws_appsync_api_key": "key",
    "aws_bedrockagentcore_api_key_credential_provider": "api_key api_key_wo",
    "aws_bedrockagentcore_harness": "environment_variables",
    "aws_cloudcontrolapi_resource": "schema",
    "aws_cloudwatch_event_connection": (
        "auth_parameters.api_key.value auth_parameters.basic.password"
        " auth_parameters.oauth.client_parameters.client_secret"
        " auth_parameters.oauth.oauth_http_parameters.body.value"
        " auth_parameters.oauth.oauth_http_parameters.header.value"
        " auth_parameters.oauth.oauth_http_parameters.query_string.value"
        " auth_parameters.invocation_http_parameters.body.value"
        " auth_parameters.invocation_http_parameters.header.value"
        " auth_parameters.invocation_http_parameters.query_string.value"
    ),
    "aws_codebuild_project": "secondary_sources.auth.resource source.auth.resource",
    "aws_codebuild_source_credential": "token",
    "aws_codebuild_webhook": "secret",
    "aws_codepipeline": "stage.action.configuration.OAuthToken",
    "aws_codepipeline_webhook": "authentication_configuration.secret_token",
    "aws_cognito_identity_provider": "provider_details.client_secret provider_details.private_key",
    "aws_cognito_managed_user_pool_client": "client_secret",
    "aws_cognito_user": "password temporary_password",
    "aws_cognito_user_pool_client": "client_secret",
    "aws_connect_user": "password",
    "aws_datasync_location_fsx_windows_file_system": "password",
    "aws_datasync_location_object_storage": "secret_key",
    "aws_datasync_location_smb": "password",
    "aws_db_instance": "password password_wo",
    "aws_directory_service_directory": "password",
    "aws_directory_service_radius_settings": "shared_secret",
    "aws_directory_service_shared_directory": "notes",
    "aws_directory_service_trust": "trust_password",
    "aws_dms_certificate": "certificate_pem certificate_wallet",
    "aws_dms_endpoint": (
        "password kafka_settings.sasl_password kafka_settings.ssl_client_key_password redis_settings.auth_password"
    ),
    "aws_docdb_cluster": "master_password master_password_wo",
    "aws_docdbelastic_cluster": "admin_user_password",
    "aws_dx_bgp_peer": "bgp_auth_key",
    "aws_dx_hosted_private_virtual_interface": "bgp_auth_key",
    "aws_dx_hosted_public_virtual_interface": "bgp_auth_key",
    "aws_dx_hosted_transit_virtual_interface": "bgp_auth_key",
    "aws_dx_macsec_key_association": "cak",
    "aws_dx_private_virtual_interface": "bgp_auth_key",
    "aws_dx_public_virtual_interface": "bgp_auth_key",
    "aws_dx_transit_virtual_interface": "bgp_auth_key",
    "aws_ecr_authorization_token": "authorization_token password",
    "aws_ecrpublic_authorization_token": "authorization_token password",
    "aws_eks_cluster_auth": "token",
    "aws_elasticache_replication_group": "auth_token auth_token_wo",
    "aws_elasticache_user": "passwords authentication_mode.passwords passwords_wo",
    "aws_elasticsearch_domain": "advanced_security_options.master_user_options.master_user_password",
    "aws_elasticsearch_domain_saml_options": "saml_options.master_user_name",
    "aws_emr_cluster": (
        "kerberos_attributes.ad_domain_join_password kerberos_attributes.cross_realm_trust_principal_password"
        " kerberos_attributes.kdc_admin_password"
    ),
    "aws_fsx_ontap_file_system": "fsx_admin_password",
    "aws_fsx_ontap_storage_virtual_machine": (
        "svm_admin_password active_directory_configuration.self_managed_active_directory_configuration.password"
    ),
    "aws_fsx_windows_file_system": "self_managed_active_directory.password",
    "aws_glue_connection": "connection_properties athena_properties",
    "aws_grafana_workspace_api_key": "key",
    "aws_grafana_workspace_service_account_token": "key",
    "aws_iam_access_key": "secret ses_smtp_password_v4",
    "aws_iam_server_certificate": "private_key",
    "aws_iam_service_specific_credential": "service_password service_credential_secret",
    "aws_iam_user_login_profile": "password",
    "aws_iot_authorizer": "token_signing_public_keys",
    "aws_iot_ca_certificate": "ca_certificate_pem verification_certificate_pem",
    "aws_iot_certificate": "private_key public_key certificate_pem ca_pem",
    "aws_kinesis_firehose_delivery_stream": (
        "redshift_configuration.password splunk_configuration.hec_token http_endpoint_configuration.access_key"
        " snowflake_configuration.private_key snowflake_configuration.key_passphrase"
    ),
    "aws_kms_ciphertext": "plaintext plaintext_wo",
    "aws_kms_external_key": "key_material_base64",
    "aws_kms_grant": "grant_token",
    "aws_kms_replica_external_key": "key_material_base64",
    "aws_kms_secrets": "plaintext secret.payload",
    "aws_lb_listener": "default_action.authenticate_oidc.client_secret",
    "aws_lb_listener_rule": "action.authenticate_oidc.client_secret",
    "aws_lightsail_bucket_access_key": "secret_access_key",
    "aws_lightsail_database": "master_password",
    "aws_lightsail_key_pair": "private_key",
    "aws_memorydb_user": "authentication_mode.passwords",
    "aws_mq_broker": "user.password ldap_server_metadata.service_account_password",
    "aws_mwaa_environment": "airflow_configuration_options",
    "aws_neptune_cluster": "master_password",
    "aws_opensearch_domain": "advanced_security_options.master_user_options.master_user_password",
    "aws_opensearch_domain_saml_options": "saml_options.master_user_name",
    "aws_opsworks_application": "app_source.password app_source.ssh_key ssl_configuration.private_key",
    "aws_opsworks_rds_db_instance": "db_password",
    "aws_opsworks_stack": "custom_cookbooks_source.password custom_cookbooks_source.ssh_key",
    "aws_pinpoint_adm_channel": "client_id client_secret",
    "aws_pinpoint_apns_channel": "bundle_id certificate private_key team_id token_key token_key_id",
    "aws_pinpoint_apns_sandbox_channel": "bundle_id certificate private_key team_id token_key token_key_id",
    "aws_pinpoint_apns_voip_channel": "bundle_id certificate private_key team_id token_key token_key_id",
    "aws_pinpoint_apns_voip_sandbox_channel": "bundle_id certificate private_key team_id token_key token_key_id",
    "aws_pinpoint_baidu_channel": "api_key secret_key",
    "aws_pinpoint_gcm_channel": "api_key service_json",
    "aws_quicksight_data_source": "credentials",
    "aws_rds_cluster": "master_password master_password_wo",
    "aws_redshift_cluster": "master_password master_password_wo",
    "aws_redshift_cluster_credentials": "db_password",
    "aws_redshift_hsm_configuration": "hsm_partition_password",
    "aws_redshiftserverless_credentials": "db_password",
    "aws_redshiftserverless_namespace": "admin_user_password admin_user_password_wo admin_username",
    "aws_s3_bucket_object_lock_configuration": "token",
    "aws_s3_bucket_replication_configuration": "token",
    "aws_s3_object_copy": "customer_key kms_encryption_context kms_key_id source_customer_key",
    "aws_secretsmanager_random_password": "random_password",
    "aws_secretsmanager_secret_version": "secret_binary secret_string secret_string_wo has_secret_string_wo",
    "aws_secretsmanager_secret_versions": "versions.secret_string",
    "aws_sns_platform_application": "platform_credential platform_principal",
    "aws_ssm_activation": "activation_code",
    "aws_ssm_maintenance_window_task": (
        "task_invocation_parameters.lambda_parameters.payload"
        " task_invocation_parameters.step_functions_parameters.input"
    ),
    "aws_ssm_parameter": "value value_wo has_value_wo",
    "aws_ssm_parameters_by_path": "values",
    "aws_storagegateway_file_system_association": "password",
    "aws_storagegateway_gateway": "smb_guest_password smb_active_directory_settings.password",
    "aws_timestreaminfluxdb_db_cluster": "password",
    "aws_timestreaminfluxdb_db_instance": "password",
    "aws_transfer_certificate": "certificate certificate_chain private_key",
    "aws_transfer_host_key": "host_key_body host_key_body_wo",
    "aws_transfer_server": "host_key post_authentication_login_banner pre_authentication_login_banner",
    "aws_verifiedaccess_trust_provider": "oidc_options.client_secret native_application_oidc_options.client_secret",
    "aws_vpn_connection": "customer_gateway_configuration tunnel1_preshared_key tunnel2_preshared_key",
    "aws_wafv2_api_key": "api_key",
    "aws_workmail_user": "password",
    "github_actions_environment_secret": "plaintext_value",
    "github_actions_secret": "plaintext_value",
    "helm_release": "set_sensitive",
    "kubernetes_secret": "data binary_data",
    "kubernetes_secret_v1": "data binary_data",
    "local_file": "sensitive_content",
    "local_sensitive_file": "content content_base64",
    "mysql_user": "password plaintext_password",
    "postgresql_role": "password",
    "random_bytes": "base64 hex",
    "random_password": "result bcrypt_hash",
    "tls_cert_request": "private_key_pem",
    "tls_locally_signed_cert": "ca_private_key_pem",
    "tls_private_key": "private_key_openssh private_key_pem private_key_pem_pkcs8",
    "tls_self_signed_cert": "private_key_pem",
    "vault_generic_secret": "data data_json",
    "vault_kv_secret_v2": "data data_json",
}
"""Paths without indices, separated by blanks."""
