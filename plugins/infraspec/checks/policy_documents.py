"""Every policy document that a plan's resources hold, with what it is for and how long it may be."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec import Struct

from infraspec.iam.lint import sizes
from infraspec.iam.lint.fault import Kind, Use
from infraspec.iam.lint.sizes import Limit
from infraspec.terraform.plan import Plan, Resource
from infraspec.unknown import Unknown, Value

_IDENTITY, _TRUST, _ENDPOINT = Use(Kind.IDENTITY), Use(Kind.TRUST), Use(Kind.ENDPOINT)
_BOUNDARY, _ORGANIZATION, _ANY = Use(Kind.BOUNDARY), Use(Kind.ORGANIZATION), Use(Kind.RESOURCE)


def _of(service: str) -> Use:
    return Use(Kind.RESOURCE, service)


_KEY, _SECRET = (_of("kms"), sizes.KEY), (_of("secretsmanager"), sizes.SECRET)
_BUCKET = (_of("s3 s3express"), sizes.BUCKET)
_OPEN: tuple[Use, None] = (_ANY, None)
_HOLDERS: dict[tuple[str, str], tuple[Use, Limit | None]] = {
    ("aws_iam_policy", "policy"): (_IDENTITY, sizes.MANAGED),
    ("aws_iam_role_policy", "policy"): (_IDENTITY, sizes.ROLE),
    ("aws_iam_role", "inline_policy"): (_IDENTITY, sizes.ROLE),
    ("aws_iam_role", "assume_role_policy"): (_TRUST, sizes.TRUST),
    ("aws_iam_user_policy", "policy"): (_IDENTITY, sizes.USER),
    ("aws_iam_group_policy", "policy"): (_IDENTITY, sizes.GROUP),
    ("aws_ssoadmin_permission_set_inline_policy", "inline_policy"): (_IDENTITY, sizes.PERMISSION_SET),
    ("aws_organizations_policy", "content"): (_ORGANIZATION, sizes.ORGANIZATION),
    ("aws_secretsmanager_secret", "policy"): _SECRET,
    ("aws_secretsmanager_secret_policy", "policy"): _SECRET,
    ("aws_kms_key", "policy"): _KEY,
    ("aws_kms_key_policy", "policy"): _KEY,
    ("aws_kms_external_key", "policy"): _KEY,
    ("aws_kms_replica_key", "policy"): _KEY,
    ("aws_s3_bucket", "policy"): _BUCKET,
    ("aws_s3_bucket_policy", "policy"): _BUCKET,
    ("aws_s3_access_point", "policy"): _OPEN,
    ("aws_s3control_access_point_policy", "policy"): _OPEN,
    ("aws_sns_topic", "policy"): (_of("sns"), None),
    ("aws_sns_topic_policy", "policy"): (_of("sns"), None),
    ("aws_sqs_queue", "policy"): (_of("sqs"), None),
    ("aws_sqs_queue_policy", "policy"): (_of("sqs"), None),
    ("aws_ecr_repository_policy", "policy"): (_of("ecr"), None),
    ("aws_ecr_registry_policy", "policy"): (_of("ecr"), None),
    ("aws_dynamodb_resource_policy", "policy"): (_of("dynamodb"), sizes.TABLE),
    ("aws_kinesis_resource_policy", "policy"): (_of("kinesis"), None),
    ("aws_backup_vault_policy", "policy"): _OPEN,
    ("aws_efs_file_system_policy", "policy"): (_of("elasticfilesystem"), sizes.FILE_SYSTEM),
    ("aws_s3files_file_system_policy", "policy"): (_of("s3files"), sizes.FILE_SYSTEM),
    ("aws_cloudwatch_event_bus_policy", "policy"): _OPEN,
    ("aws_cloudwatch_log_resource_policy", "policy_document"): _OPEN,
    ("aws_glue_resource_policy", "policy"): _OPEN,
    ("aws_codeartifact_domain_permissions_policy", "policy_document"): _OPEN,
    ("aws_codeartifact_repository_permissions_policy", "policy_document"): _OPEN,
    ("aws_opensearch_domain", "access_policies"): _OPEN,
    ("aws_opensearch_domain_policy", "access_policies"): _OPEN,
    ("aws_elasticsearch_domain", "access_policies"): _OPEN,
    ("aws_elasticsearch_domain_policy", "access_policies"): _OPEN,
    ("aws_ses_identity_policy", "policy"): _OPEN,
    ("aws_sesv2_email_identity_policy", "policy"): _OPEN,
    ("aws_msk_cluster_policy", "policy"): _OPEN,
    ("aws_s3tables_table_policy", "resource_policy"): _OPEN,
    ("aws_s3tables_table_bucket_policy", "resource_policy"): _OPEN,
    ("aws_lambda_resource_policy", "policy"): _OPEN,
    ("aws_acmpca_policy", "policy"): _OPEN,
    ("aws_vpc_endpoint", "policy"): (_ENDPOINT, None),
    ("aws_vpc_endpoint_policy", "policy"): (_ENDPOINT, None),
    ("aws_api_gateway_rest_api", "policy"): (_ENDPOINT, None),
    ("aws_api_gateway_rest_api_policy", "policy"): (_ENDPOINT, None),
    ("aws_ecrpublic_repository_policy", "policy"): (_ENDPOINT, None),
}
"""By resource type and attribute: what the document is for, and its limit if one is known.

An API and a public registry are for everybody, as a VPC endpoint is for everybody in the VPC.
"""
_SEARCH = frozenset(type_ for type_, attribute in _HOLDERS if attribute == "access_policies")
_OWNERS = {"aws_iam_role_policy": "role", "aws_iam_user_policy": "user", "aws_iam_group_policy": "group"}
"""The attribute that names whose an inline policy is."""
_SCP = "SERVICE_CONTROL_POLICY"
_LIKE_POLICIES = frozenset({_SCP, "RESOURCE_CONTROL_POLICY"})
"""The kinds of policies of an organization that are IAM policies."""


class Held(Struct, frozen=True):
    """A document with where it is: `attribute` is its path in the resource.

    Inline policies of one `owner` share a limit.
    """

    resource: Resource
    attribute: str
    value: Value
    use: Use
    limit: Limit | None = None
    owner: Value = None

    @property
    def place(self) -> str:
        """The place, for errors."""
        location = self.resource.location_of(self.attribute)
        name = f"{self.resource.address}.{self.attribute}"
        return f"{location}: {name}" if location else name


def held_documents(plan: Plan) -> Iterator[Held]:
    """Yield every policy document of the managed resources, in order of resource types."""
    boundaries = _boundaries(plan)
    for (type_, attribute), (use, limit) in _HOLDERS.items():
        for resource in plan.managed(type_):
            if type_ == "aws_organizations_policy" and resource.get("type", _SCP) not in _LIKE_POLICIES:
                continue
            purpose = _BOUNDARY if resource.address in boundaries else use
            purpose = _ENDPOINT if type_ in _SEARCH and _in_vpc(plan, resource) else purpose
            for path, value in _values(resource, attribute):
                yield Held(resource, path, value, purpose, limit, _owner(resource, path))


def _in_vpc(plan: Plan, resource: Resource) -> bool:
    """Tell whether a search domain, or one that its policy may be of, is reached from its VPC alone."""
    domains = (
        [resource] if not resource.type.endswith("_policy") else plan.managed(resource.type.removesuffix("_policy"))
    )
    return any(domain.get("vpc_options") for domain in domains)


def _owner(resource: Resource, path: str) -> Value:
    if resource.type == "aws_iam_role" and path.startswith("inline_policy."):
        return resource.reference("name")
    attribute = _OWNERS.get(resource.type)
    return resource.attribute(attribute) if attribute else None


def _values(resource: Resource, attribute: str) -> Iterator[tuple[str, Value]]:
    value = resource.get(attribute)
    if attribute == "inline_policy" and resource.type == "aws_iam_role":
        for index, block in enumerate(value if isinstance(value, list | tuple) else ()):
            if isinstance(block, dict) and block.get("policy"):
                yield f"inline_policy.{index}.policy", block["policy"]
    elif value is not None and value != "" and value != resource.reference(attribute):
        yield attribute, value


def _boundaries(plan: Plan) -> set[str]:
    """Return the addresses of policies that are permissions boundaries and attached to nobody."""
    users = [r.get("permissions_boundary") for r in plan.managed("aws_iam_role", "aws_iam_user")]
    attachments = [
        r.get("policy_arn")
        for r in plan.managed(
            "aws_iam_role_policy_attachment",
            "aws_iam_user_policy_attachment",
            "aws_iam_group_policy_attachment",
            "aws_iam_policy_attachment",
        )
    ]
    return {*_named(plan, users)} - {*_named(plan, attachments)}


def _named(plan: Plan, values: list[Value]) -> Iterator[str]:
    for value in values:
        found = plan.find(value) if isinstance(value, Unknown) else None
        if found is not None:
            yield found[0].address
