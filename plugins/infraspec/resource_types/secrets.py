"""Secrets, parameters, keys and certificates."""

from __future__ import annotations

from infraspec.resource_types.listing import Call, Listing, attributes
from infraspec.resource_types.model import REPLACED, Drift, Policy, PolicyKind, PolicyLimit, ResourceType, words

RESOURCE = PolicyKind.RESOURCE
_KEY = PolicyLimit(32_768, "AWS KMS Developer Guide, Resource quotas")
_SECRET = PolicyLimit(20_480, "AWS Secrets Manager quotas")

TYPES = (
    ResourceType("aws_acm_certificate", tag_types=("acm:certificate",), secrets=words("private_key private_key_wo")),
    ResourceType("aws_acmpca_certificate_authority", tag_types=("acm-pca:certificate-authority",)),
    ResourceType(
        "aws_acmpca_policy",
        policies=(Policy(RESOURCE, of="resource_arn", owners=("aws_acmpca_certificate_authority",)),),
    ),
    ResourceType(
        "aws_kms_alias",
        "name",
        renaming=REPLACED,
        assigned={"arn": "arn:{partition}:kms:{region}:{account}:{name}", "name": "{name}", "id": "{name}"},
        drift=Drift(("target_key_id",)),
        listing=Listing("kms"),
    ),
    ResourceType("aws_kms_ciphertext", secrets=words("plaintext plaintext_wo")),
    ResourceType(
        "aws_kms_external_key",
        tag_types=("kms:key",),
        secrets=("key_material_base64",),
        stateful=True,
        policies=(Policy(RESOURCE, services="kms", limit=_KEY),),
    ),
    ResourceType("aws_kms_grant", secrets=("grant_token",)),
    ResourceType(
        "aws_kms_key",
        "tags.Name",
        tag_types=("kms:key",),
        stateful=True,
        assigned={"arn": "arn:{partition}:kms:{region}:{account}:key/{key_id}", "id": "{key_id}"},
        policies=(Policy(RESOURCE, services="kms", limit=_KEY),),
        drift=Drift(("policy",)),
        listing=Listing("kms", also=words("ListAliases DescribeKey GetKeyPolicy")),
    ),
    ResourceType(
        "aws_kms_key_policy",
        policies=(
            Policy(
                RESOURCE,
                of="key_id",
                owners=("aws_kms_key", "aws_kms_external_key", "aws_kms_replica_key", "aws_kms_replica_external_key"),
                services="kms",
                limit=_KEY,
            ),
        ),
        drift=Drift(("policy",)),
        listing=Listing("kms"),
    ),
    ResourceType(
        "aws_kms_replica_external_key",
        secrets=("key_material_base64",),
        policies=(Policy(RESOURCE, services="kms", limit=_KEY),),
    ),
    ResourceType(
        "aws_kms_replica_key",
        tag_types=("kms:key",),
        stateful=True,
        policies=(Policy(RESOURCE, services="kms", limit=_KEY),),
    ),
    ResourceType("aws_kms_secrets", secrets=words("plaintext secret.payload")),
    ResourceType("aws_secretsmanager_random_password", secrets=("random_password",)),
    ResourceType(
        "aws_secretsmanager_secret",
        "name",
        renaming=REPLACED,
        tag_types=("secretsmanager:secret",),
        assigned={
            "arn": "arn:{partition}:secretsmanager:{region}:{account}:secret:{name}-{??????}",
            "id": "{arn}",
            "name": "{name}",
        },
        policies=(Policy(RESOURCE, services="secretsmanager", limit=_SECRET),),
        drift=Drift(words("kms_key_id policy"), left_out=words("kms_key_id policy"), repeated=("policy",)),
        listing=Listing(
            "secretsmanager",
            Call("ListSecrets", "SecretList", parameters={"IncludePlannedDeletion": True}),
            attributes("arn=ARN id=ARN Name KmsKeyId Description"),
            tags="Tags",
        ),
    ),
    ResourceType(
        "aws_secretsmanager_secret_policy",
        identity=("secret_arn",),
        policies=(
            Policy(
                RESOURCE,
                of="secret_arn",
                owners=("aws_secretsmanager_secret",),
                services="secretsmanager",
                limit=_SECRET,
            ),
        ),
        drift=Drift(("policy",)),
        listing=Listing.of_policy(
            "secretsmanager",
            Call("GetResourcePolicy", "ResourcePolicy", {"SecretId": "arn"}, absent=("ResourceNotFoundException",)),
            "aws_secretsmanager_secret",
            {"secret_arn": "arn"},
        ),
    ),
    ResourceType(
        "aws_secretsmanager_secret_version",
        secrets=words("secret_binary secret_string secret_string_wo has_secret_string_wo"),
    ),
    ResourceType("aws_ssm_activation", secrets=("activation_code",)),
    ResourceType("aws_ssm_document", "name", renaming=REPLACED, tag_types=("ssm:document",)),
    ResourceType("aws_ssm_maintenance_window", "name", tag_types=("ssm:maintenancewindow",)),
    ResourceType(
        "aws_ssm_maintenance_window_task",
        secrets=words(
            "task_invocation_parameters.lambda_parameters.payload "
            "task_invocation_parameters.step_functions_parameters.input"
        ),
    ),
    ResourceType(
        "aws_ssm_parameter",
        "name",
        renaming=REPLACED,
        tag_types=("ssm:parameter",),
        secrets=words("value value_wo has_value_wo"),
        stateful=True,
        assigned={"arn": "arn:{partition}:ssm:{region}:{account}:{parameter}", "name": "{name}", "id": "{name}"},
        found={"arn": "arn:{partition}:ssm:{region}:{account}:{parameter}"},
        drift=Drift(("type",)),
        listing=Listing(
            "ssm", attributes=attributes("Name arn=ARN id=Name Type KeyId Tier"), also=("DescribeParameters",)
        ),
    ),
    ResourceType("aws_ssm_parameters_by_path", secrets=("values",)),
    ResourceType("aws_ssm_patch_baseline", "name", tag_types=("ssm:patchbaseline",)),
)
