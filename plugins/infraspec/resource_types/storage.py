"""Buckets, file systems, disks, backups and what moves files."""

from __future__ import annotations

from infraspec.resource_types.listing import Call, Listing, attributes
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

RESOURCE, SESSION = PolicyKind.RESOURCE, PolicyKind.SESSION
_BUCKET = PolicyLimit(20_480, "Amazon S3 User Guide, Bucket policies")
_FILE_SYSTEM = PolicyLimit(20_000, "Creating file system policies")

TYPES = (
    ResourceType("aws_backup_framework", tag_types=("backup:framework",)),
    ResourceType("aws_backup_plan", "name", renaming=IN_PLACE, tag_types=("backup:backup-plan",)),
    ResourceType("aws_backup_vault", "name", renaming=REPLACED, tag_types=("backup:backup-vault",), stateful=True),
    ResourceType(
        "aws_backup_vault_policy", policies=(Policy(RESOURCE, of="backup_vault_name", owners=("aws_backup_vault",)),)
    ),
    ResourceType("aws_datasync_location_fsx_windows_file_system", secrets=("password",)),
    ResourceType("aws_datasync_location_object_storage", secrets=("secret_key",)),
    ResourceType("aws_datasync_location_smb", secrets=("password",)),
    ResourceType("aws_datasync_task", "name"),
    ResourceType("aws_ebs_snapshot", "tags.Name", tag_types=("ec2:snapshot",), stateful=True),
    ResourceType("aws_ebs_snapshot_copy", tag_types=("ec2:snapshot",)),
    ResourceType("aws_ebs_volume", "tags.Name", tag_types=("ec2:volume",), stateful=True),
    ResourceType(
        "aws_efs_access_point",
        "tags.Name",
        tag_types=("elasticfilesystem:access-point",),
        assigned={"arn": "arn:{partition}:elasticfilesystem:{region}:{account}:access-point/{id}"},
    ),
    ResourceType(
        "aws_efs_file_system",
        "tags.Name",
        tag_types=("elasticfilesystem:file-system",),
        stateful=True,
        assigned={"arn": "arn:{partition}:elasticfilesystem:{region}:{account}:file-system/{id}"},
        found={"arn": "arn:{partition}:elasticfilesystem:{region}:{account}:file-system/{id}"},
    ),
    ResourceType(
        "aws_efs_file_system_policy",
        policies=(
            Policy(
                RESOURCE,
                of="file_system_id",
                owners=("aws_efs_file_system",),
                services="elasticfilesystem",
                limit=_FILE_SYSTEM,
            ),
        ),
    ),
    ResourceType("aws_fsx_lustre_file_system", "tags.Name", tag_types=("fsx:file-system",), stateful=True),
    ResourceType(
        "aws_fsx_ontap_file_system", tag_types=("fsx:file-system",), secrets=("fsx_admin_password",), stateful=True
    ),
    ResourceType(
        "aws_fsx_ontap_storage_virtual_machine",
        secrets=words(
            "svm_admin_password active_directory_configuration.self_managed_active_directory_configuration.password"
        ),
    ),
    ResourceType("aws_fsx_ontap_volume", stateful=True),
    ResourceType("aws_fsx_openzfs_file_system", tag_types=("fsx:file-system",), stateful=True),
    ResourceType("aws_fsx_openzfs_volume", stateful=True),
    ResourceType("aws_fsx_s3_access_point_attachment", policies=(Policy(RESOURCE, "s3_access_point.policy"),)),
    ResourceType(
        "aws_fsx_windows_file_system",
        "tags.Name",
        tag_types=("fsx:file-system",),
        secrets=("self_managed_active_directory.password",),
        stateful=True,
    ),
    ResourceType("aws_glacier_vault", stateful=True, policies=(Policy(RESOURCE, "access_policy"),)),
    ResourceType(
        "aws_glacier_vault_lock", policies=(Policy(RESOURCE, of="vault_name", owners=("aws_glacier_vault",)),)
    ),
    ResourceType(
        "aws_media_store_container_policy",
        policies=(Policy(RESOURCE, of="container_name", owners=("aws_media_store_container",)),),
    ),
    ResourceType("aws_s3_access_point", "name", policies=(Policy(RESOURCE),)),
    ResourceType(
        "aws_s3_bucket",
        "bucket",
        renaming=REPLACED,
        tag_types=("s3:bucket",),
        stateful=True,
        assigned={"arn": "arn:{partition}:s3:::{name}", "id": "{name}", "bucket": "{name}"},
        found={"arn": "arn:{partition}:s3:::{name}", "id": "{name}"},
        policies=(Policy(RESOURCE, services="s3 s3express", limit=_BUCKET),),
        drift=Drift(),
        listing=Listing(
            "s3",
            Call("ListBuckets", "Buckets"),
            attributes("bucket=Name id=Name"),
            tags_call=Call("GetBucketTagging", "TagSet", {"Bucket": "bucket"}, absent=("NoSuchTagSet",)),
        ),
    ),
    ResourceType("aws_s3_bucket_object", tag_types=("s3:object",)),
    ResourceType("aws_s3_bucket_object_lock_configuration", secrets=("token",)),
    ResourceType(
        "aws_s3_bucket_policy",
        identity=("bucket",),
        policies=(
            Policy(
                RESOURCE,
                of="bucket",
                owners=("aws_s3_bucket", "aws_s3_directory_bucket"),
                services="s3 s3express",
                limit=_BUCKET,
            ),
        ),
        drift=Drift(("policy",)),
        listing=Listing.of_policy(
            "s3",
            Call("GetBucketPolicy", "Policy", {"Bucket": "bucket"}, absent=("NoSuchBucketPolicy",)),
            "aws_s3_bucket",
            {"bucket": "bucket"},
        ),
    ),
    ResourceType("aws_s3_bucket_replication_configuration", secrets=("token",)),
    ResourceType("aws_s3_directory_bucket", "bucket", stateful=True),
    ResourceType("aws_s3_object", tag_types=("s3:object",), assigned={"arn": "arn:{partition}:s3:::{bucket}/{key}"}),
    ResourceType(
        "aws_s3_object_copy",
        tag_types=("s3:object",),
        secrets=words("customer_key kms_encryption_context kms_key_id source_customer_key"),
    ),
    ResourceType("aws_s3control_access_grants_instance_resource_policy", policies=(Policy(RESOURCE),)),
    ResourceType(
        "aws_s3control_access_point_policy",
        policies=(Policy(RESOURCE, of="access_point_arn", owners=("aws_s3_access_point",)),),
    ),
    ResourceType(
        "aws_s3control_bucket_policy", policies=(Policy(RESOURCE, of="bucket", owners=("aws_s3control_bucket",)),)
    ),
    ResourceType(
        "aws_s3control_multi_region_access_point_policy",
        policies=(Policy(RESOURCE, "details.policy"),),
    ),
    ResourceType(
        "aws_s3control_object_lambda_access_point_policy",
        policies=(Policy(RESOURCE, of="name", owners=("aws_s3control_object_lambda_access_point",)),),
    ),
    ResourceType(
        "aws_s3files_file_system",
        assigned={"arn": "arn:{partition}:s3files:{region}:{account}:file-system/{id}"},
        found={"arn": "arn:{partition}:s3files:{region}:{account}:file-system/{id}"},
    ),
    ResourceType(
        "aws_s3files_file_system_policy",
        policies=(
            Policy(
                RESOURCE,
                of="file_system_id",
                owners=("aws_s3files_file_system",),
                services="s3files",
                limit=_FILE_SYSTEM,
            ),
        ),
    ),
    ResourceType("aws_s3tables_table", stateful=True),
    ResourceType(
        "aws_s3tables_table_bucket_policy",
        policies=(Policy(RESOURCE, "resource_policy", of="table_bucket_arn", owners=("aws_s3tables_table_bucket",)),),
    ),
    ResourceType(
        "aws_s3tables_table_policy",
        policies=(Policy(RESOURCE, "resource_policy", of="name", owners=("aws_s3tables_table",)),),
    ),
    ResourceType(
        "aws_s3vectors_vector_bucket_policy",
        policies=(Policy(RESOURCE, of="vector_bucket_arn", owners=("aws_s3vectors_vector_bucket",)),),
    ),
    ResourceType("aws_storagegateway_file_system_association", secrets=("password",)),
    ResourceType(
        "aws_storagegateway_gateway", secrets=words("smb_guest_password smb_active_directory_settings.password")
    ),
    ResourceType("aws_transfer_access", policies=(Policy(SESSION),)),
    ResourceType("aws_transfer_certificate", secrets=words("certificate certificate_chain private_key")),
    ResourceType("aws_transfer_host_key", secrets=words("host_key_body host_key_body_wo")),
    ResourceType(
        "aws_transfer_server",
        tag_types=("transfer:server",),
        secrets=words("host_key post_authentication_login_banner pre_authentication_login_banner"),
    ),
    ResourceType("aws_transfer_user", tag_types=("transfer:user",), policies=(Policy(SESSION),)),
    ResourceType("aws_transfer_workflow", tag_types=("transfer:workflow",)),
)
