"""What belongs to no other family, and the secrets of other providers."""

from __future__ import annotations

from infraspec.resource_types.model import Policy, PolicyKind, ResourceType, words

RESOURCE = PolicyKind.RESOURCE

TYPES = (
    ResourceType(
        "aws_amplify_app",
        secrets=words(
            "access_token oauth_token basic_auth_credentials auto_branch_creation_config.basic_auth_credentials"
        ),
    ),
    ResourceType("aws_amplify_branch", secrets=("basic_auth_credentials",)),
    ResourceType("aws_appconfig_application", "name"),
    ResourceType("aws_appconfig_environment", "name"),
    ResourceType("aws_appconfig_hosted_configuration_version", secrets=("content",)),
    ResourceType("aws_cloudcontrolapi_resource", secrets=("schema",)),
    ResourceType("aws_cloudformation_stack", "name", tag_types=("cloudformation:stack",)),
    ResourceType("aws_cloudformation_stack_set", tag_types=("cloudformation:stackset",)),
    ResourceType(
        "aws_cloudsearch_domain_service_access_policy",
        policies=(Policy(RESOURCE, "access_policy", of="domain_name", owners=("aws_cloudsearch_domain",)),),
    ),
    ResourceType("aws_connect_user", secrets=("password",)),
    ResourceType("aws_iot_authorizer", secrets=("token_signing_public_keys",)),
    ResourceType("aws_iot_ca_certificate", secrets=words("ca_certificate_pem verification_certificate_pem")),
    ResourceType("aws_iot_certificate", secrets=words("private_key public_key certificate_pem ca_pem")),
    ResourceType(
        "aws_opsworks_application",
        secrets=words("app_source.password app_source.ssh_key ssl_configuration.private_key"),
    ),
    ResourceType("aws_opsworks_rds_db_instance", secrets=("db_password",)),
    ResourceType(
        "aws_opsworks_stack", secrets=words("custom_cookbooks_source.password custom_cookbooks_source.ssh_key")
    ),
    ResourceType(
        "aws_partition", found={"partition": "{partition}", "id": "{partition}", "dns_suffix": "{dns_suffix}"}
    ),
    ResourceType("aws_quicksight_data_source", secrets=("credentials",)),
    ResourceType("aws_region", found={"name": "{region}", "region": "{region}", "id": "{region}"}),
    ResourceType("aws_workmail_user", secrets=("password",)),
    ResourceType("github_actions_environment_secret", secrets=("plaintext_value",)),
    ResourceType("github_actions_secret", secrets=("plaintext_value",)),
    ResourceType("helm_release", secrets=("set_sensitive",)),
    ResourceType("kubernetes_secret", secrets=words("data binary_data")),
    ResourceType("kubernetes_secret_v1", secrets=words("data binary_data")),
    ResourceType("local_file", secrets=("sensitive_content",)),
    ResourceType("local_sensitive_file", secrets=words("content content_base64")),
    ResourceType("mysql_user", secrets=words("password plaintext_password")),
    ResourceType("postgresql_role", secrets=("password",)),
    ResourceType("random_bytes", secrets=words("base64 hex")),
    ResourceType("random_password", secrets=words("result bcrypt_hash")),
    ResourceType("tls_cert_request", secrets=("private_key_pem",)),
    ResourceType("tls_locally_signed_cert", secrets=("ca_private_key_pem",)),
    ResourceType("tls_private_key", secrets=words("private_key_openssh private_key_pem private_key_pem_pkcs8")),
    ResourceType("tls_self_signed_cert", secrets=("private_key_pem",)),
    ResourceType("vault_generic_secret", secrets=words("data data_json")),
    ResourceType("vault_kv_secret_v2", secrets=words("data data_json")),
)
