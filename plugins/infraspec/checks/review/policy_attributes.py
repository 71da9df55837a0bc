"""Which resource types hold a policy document, in which attribute, and what the policy is attached to.

Source: Terraform AWS provider, the documentation of each resource.
"""

from __future__ import annotations

from msgspec import Struct


class PolicyAttribute(Struct, frozen=True):
    """An attribute with a policy.

    `principals` says that its statements name principals, as those of resource and trust policies do. `target` is the
    attribute that says what it is attached to, empty if that is the resource itself; `types` are the target's types.
    """

    name: str = "policy"
    principals: bool = True
    target: str = ""
    types: tuple[str, ...] = ()


_USER, _GROUP, _ROLE = ("aws_iam_user",), ("aws_iam_group",), ("aws_iam_role",)


def _of(type_: str, target: str, name: str = "policy") -> PolicyAttribute:
    return PolicyAttribute(name, target=target, types=(type_,))


POLICIES: dict[str, tuple[PolicyAttribute, ...]] = {
    "aws_iam_policy": (PolicyAttribute(principals=False),),
    "aws_iam_role_policy": (PolicyAttribute(principals=False, target="role", types=_ROLE),),
    "aws_iam_user_policy": (PolicyAttribute(principals=False, target="user", types=_USER),),
    "aws_iam_group_policy": (PolicyAttribute(principals=False, target="group", types=_GROUP),),
    "aws_ssoadmin_permission_set_inline_policy": (
        PolicyAttribute(
            "inline_policy", principals=False, target="permission_set_arn", types=("aws_ssoadmin_permission_set",)
        ),
    ),
    "aws_iam_role": (PolicyAttribute("assume_role_policy"),),
    "aws_kms_key": (PolicyAttribute(),),
    "aws_kms_key_policy": (_of("aws_kms_key", "key_id"),),
    "aws_s3_bucket": (PolicyAttribute(),),
    "aws_s3_bucket_policy": (_of("aws_s3_bucket", "bucket"),),
    "aws_secretsmanager_secret": (PolicyAttribute(),),
    "aws_secretsmanager_secret_policy": (_of("aws_secretsmanager_secret", "secret_arn"),),
    "aws_ecr_repository_policy": (_of("aws_ecr_repository", "repository"),),
    "aws_ecr_registry_policy": (PolicyAttribute(),),
    "aws_ecrpublic_repository_policy": (_of("aws_ecrpublic_repository", "repository_name"),),
    "aws_sqs_queue": (PolicyAttribute(),),
    "aws_sqs_queue_policy": (_of("aws_sqs_queue", "queue_url"),),
    "aws_sns_topic": (PolicyAttribute(),),
    "aws_sns_topic_policy": (_of("aws_sns_topic", "arn"),),
    "aws_efs_file_system_policy": (_of("aws_efs_file_system", "file_system_id"),),
    "aws_s3files_file_system_policy": (_of("aws_s3files_file_system", "file_system_id"),),
    "aws_backup_vault_policy": (_of("aws_backup_vault", "backup_vault_name"),),
    "aws_glacier_vault": (PolicyAttribute("access_policy"),),
    "aws_cloudwatch_log_resource_policy": (PolicyAttribute("policy_document"),),
    "aws_cloudwatch_event_bus_policy": (_of("aws_cloudwatch_event_bus", "event_bus_name"),),
    "aws_dynamodb_resource_policy": (_of("aws_dynamodb_table", "resource_arn"),),
    "aws_kinesis_resource_policy": (_of("aws_kinesis_stream", "resource_arn"),),
    "aws_opensearch_domain": (PolicyAttribute("access_policies"),),
    "aws_opensearch_domain_policy": (_of("aws_opensearch_domain", "domain_name", "access_policies"),),
    "aws_elasticsearch_domain": (PolicyAttribute("access_policies"),),
    "aws_elasticsearch_domain_policy": (_of("aws_elasticsearch_domain", "domain_name", "access_policies"),),
    "aws_codeartifact_domain_permissions_policy": (_of("aws_codeartifact_domain", "domain", "policy_document"),),
    "aws_codeartifact_repository_permissions_policy": (
        _of("aws_codeartifact_repository", "repository", "policy_document"),
    ),
    "aws_api_gateway_rest_api": (PolicyAttribute(),),
    "aws_api_gateway_rest_api_policy": (_of("aws_api_gateway_rest_api", "rest_api_id"),),
    "aws_vpc_endpoint": (PolicyAttribute(),),
    "aws_vpc_endpoint_policy": (_of("aws_vpc_endpoint", "vpc_endpoint_id"),),
}

ATTACHMENTS: dict[str, dict[str, tuple[str, ...]]] = {
    "aws_iam_role_policy_attachment": {"role": _ROLE},
    "aws_iam_user_policy_attachment": {"user": _USER},
    "aws_iam_group_policy_attachment": {"group": _GROUP},
    "aws_iam_policy_attachment": {"roles": _ROLE, "users": _USER, "groups": _GROUP},
}
"""Resources that attach the policy of `policy_arn`: the attributes that name to whom, and their types."""

EXCLUSIVE = "aws_iam_role_policy_attachments_exclusive"
"""The resource that lists in `policy_arns` all policies that the role of `role_name` has."""

NOT_PUBLIC_TYPES = frozenset({"aws_vpc_endpoint", "aws_vpc_endpoint_policy"})
"""Types whose policies name everyone as a rule: they limit what an endpoint lets through, and grant nothing."""
