"""Who may do what: IAM, organizations, directories and user pools."""

from __future__ import annotations

from infraspec.resource_types.listing import Listing, attributes
from infraspec.resource_types.model import (
    IN_PLACE,
    REPLACED,
    Drift,
    Policy,
    PolicyKind,
    PolicyLimit,
    ResourceType,
    words,
)

IDENTITY = PolicyKind.IDENTITY
TRUST = PolicyKind.TRUST
RESOURCE = PolicyKind.RESOURCE
ORGANIZATION = PolicyKind.ORGANIZATION
RESOURCE_CONTROL = PolicyKind.RESOURCE_CONTROL
SESSION = PolicyKind.SESSION
_MANAGED = PolicyLimit(6_144, "IAM and AWS STS quotas")
_ROLE = PolicyLimit(10_240, "IAM and AWS STS quotas", shared=True)
_USER = PolicyLimit(2_048, "IAM and AWS STS quotas", shared=True)
_GROUP = PolicyLimit(5_120, "IAM and AWS STS quotas", shared=True)
_TRUST = PolicyLimit(8_192, "IAM and AWS STS quotas", default=2_048)
_PERMISSION_SET = PolicyLimit(32_768, "IAM Identity Center quotas")
_ORGANIZATION = PolicyLimit(10_240, "Quotas for AWS Organizations", default=5_120)

TYPES = (
    ResourceType("aws_accessanalyzer_analyzer", tag_types=("access-analyzer:analyzer",)),
    ResourceType("aws_caller_identity", found={"account_id": "{account}", "id": "{account}"}),
    ResourceType("aws_cognito_identity_pool", "identity_pool_name", tag_types=("cognito-identity:identitypool",)),
    ResourceType(
        "aws_cognito_identity_provider", secrets=words("provider_details.client_secret provider_details.private_key")
    ),
    ResourceType("aws_cognito_managed_user_pool_client", secrets=("client_secret",)),
    ResourceType("aws_cognito_user", secrets=words("password temporary_password")),
    ResourceType("aws_cognito_user_pool", "name", tag_types=("cognito-idp:userpool",), stateful=True),
    ResourceType("aws_cognito_user_pool_client", "name", renaming=IN_PLACE, secrets=("client_secret",)),
    ResourceType("aws_directory_service_directory", tag_types=("ds:directory",), secrets=("password",)),
    ResourceType("aws_directory_service_radius_settings", secrets=("shared_secret",)),
    ResourceType("aws_directory_service_shared_directory", secrets=("notes",)),
    ResourceType("aws_directory_service_trust", secrets=("trust_password",)),
    ResourceType("aws_iam_access_key", secrets=words("secret ses_smtp_password_v4")),
    ResourceType("aws_iam_group", "name", renaming=IN_PLACE),
    ResourceType(
        "aws_iam_group_policy",
        "name",
        identity=words("group name"),
        policies=(Policy(IDENTITY, of="group", owners=("aws_iam_group",), limit=_GROUP),),
    ),
    ResourceType("aws_iam_group_policy_attachment", identity=words("group policy_arn")),
    ResourceType("aws_iam_instance_profile", "name", renaming=REPLACED, tag_types=("iam:instance-profile",)),
    ResourceType("aws_iam_openid_connect_provider", tag_types=("iam:oidc-provider",)),
    ResourceType(
        "aws_iam_policy",
        "name",
        renaming=REPLACED,
        tag_types=("iam:policy",),
        assigned={"arn": "arn:{partition}:iam::{account}:policy{path=/}{name}", "id": "{arn}", "name": "{name}"},
        policies=(Policy(IDENTITY, limit=_MANAGED),),
        drift=Drift(("policy",)),
        listing=Listing(
            "iam",
            attributes=attributes("name=PolicyName Arn id=Arn Path UpdateDate"),
            also=words("ListPolicies GetPolicy GetPolicyVersion"),
        ),
    ),
    ResourceType(
        "aws_iam_role",
        "name",
        renaming=REPLACED,
        tag_types=("iam:role",),
        assigned={"arn": "arn:{partition}:iam::{account}:role{path=/}{name}", "name": "{name}", "id": "{name}"},
        found={"id": "{name}"},
        policies=(
            Policy(TRUST, "assume_role_policy", limit=_TRUST),
            Policy(IDENTITY, "inline_policy.policy", limit=_ROLE),
        ),
        drift=Drift(
            words("assume_role_policy permissions_boundary managed_policy_arns inline_policy"),
            left_out=words("inline_policy managed_policy_arns permissions_boundary"),
            repeated=words("inline_policy managed_policy_arns"),
        ),
        listing=Listing(
            "iam",
            attributes=attributes(
                "name=RoleName Arn id=RoleName Path Description MaxSessionDuration "
                "permissions_boundary=PermissionsBoundary.PermissionsBoundaryArn"
            ),
            also=words("ListRoles GetRole ListRolePolicies GetRolePolicy ListAttachedRolePolicies"),
        ),
    ),
    ResourceType(
        "aws_iam_role_policy",
        "name",
        identity=words("role name"),
        renaming=REPLACED,
        policies=(Policy(IDENTITY, of="role", owners=("aws_iam_role",), limit=_ROLE),),
        drift=Drift(("policy",)),
        listing=Listing("iam"),
    ),
    ResourceType(
        "aws_iam_role_policy_attachment",
        identity=words("role policy_arn"),
        drift=Drift(("policy_arn",)),
        listing=Listing("iam"),
    ),
    ResourceType("aws_iam_saml_provider", "name", tag_types=("iam:saml-provider",)),
    ResourceType("aws_iam_server_certificate", "name", tag_types=("iam:server-certificate",), secrets=("private_key",)),
    ResourceType("aws_iam_service_specific_credential", secrets=words("service_password service_credential_secret")),
    ResourceType("aws_iam_user", "name", renaming=IN_PLACE, tag_types=("iam:user",)),
    ResourceType("aws_iam_user_login_profile", secrets=("password",)),
    ResourceType(
        "aws_iam_user_policy",
        "name",
        identity=words("user name"),
        policies=(Policy(IDENTITY, of="user", owners=("aws_iam_user",), limit=_USER),),
    ),
    ResourceType("aws_iam_user_policy_attachment", identity=words("user policy_arn")),
    ResourceType("aws_iam_virtual_mfa_device", tag_types=("iam:mfa",)),
    ResourceType("aws_organizations_account", "name"),
    ResourceType("aws_organizations_organizational_unit", "name", renaming=IN_PLACE),
    ResourceType(
        "aws_organizations_policy",
        "name",
        policies=(
            Policy(ORGANIZATION, "content", limit=_ORGANIZATION, when={"type": (None, "SERVICE_CONTROL_POLICY")}),
            Policy(RESOURCE_CONTROL, "content", limit=_ORGANIZATION, when={"type": ("RESOURCE_CONTROL_POLICY",)}),
        ),
    ),
    ResourceType("aws_organizations_resource_policy", policies=(Policy(RESOURCE, "content"),)),
    ResourceType("aws_ram_resource_share", "name", tag_types=("ram:resource-share",)),
    ResourceType("aws_rolesanywhere_profile", policies=(Policy(SESSION, "session_policy"),)),
    ResourceType("aws_ssoadmin_permission_set", "name"),
    ResourceType(
        "aws_ssoadmin_permission_set_inline_policy",
        policies=(
            Policy(
                IDENTITY,
                "inline_policy",
                of="permission_set_arn",
                owners=("aws_ssoadmin_permission_set",),
                limit=_PERMISSION_SET,
            ),
        ),
    ),
)
