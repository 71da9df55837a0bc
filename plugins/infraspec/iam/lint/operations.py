"""API operations whose permission has another name than they have.

Sources: Amazon S3 User Guide, "Required permissions for Amazon S3 API operations"; Amazon DynamoDB Developer Guide,
"Using IAM with DynamoDB transactions" and "Using IAM security policies with PartiQL for DynamoDB"; AWS KMS API
Reference, "ReEncrypt".
"""

from __future__ import annotations

from collections.abc import Mapping

_S3 = {
    "CompleteMultipartUpload": "PutObject",
    "CopyObject": "GetObject PutObject",
    "CreateMultipartUpload": "PutObject",
    "DeleteBucketCors": "PutBucketCORS",
    "DeleteBucketEncryption": "PutEncryptionConfiguration",
    "DeleteBucketLifecycle": "PutLifecycleConfiguration",
    "DeleteBucketReplication": "PutReplicationConfiguration",
    "DeleteBucketTagging": "PutBucketTagging",
    "DeleteObjects": "DeleteObject",
    "DeletePublicAccessBlock": "PutBucketPublicAccessBlock",
    "GetBucketAccelerateConfiguration": "GetAccelerateConfiguration",
    "GetBucketEncryption": "GetEncryptionConfiguration",
    "GetBucketLifecycle": "GetLifecycleConfiguration",
    "GetBucketLifecycleConfiguration": "GetLifecycleConfiguration",
    "GetBucketReplication": "GetReplicationConfiguration",
    "GetObjectLockConfiguration": "GetBucketObjectLockConfiguration",
    "GetPublicAccessBlock": "GetBucketPublicAccessBlock",
    "HeadBucket": "ListBucket",
    "HeadObject": "GetObject",
    "ListBuckets": "ListAllMyBuckets",
    "ListMultipartUploads": "ListBucketMultipartUploads",
    "ListObject": "ListBucket",
    "ListObjectVersions": "ListBucketVersions",
    "ListObjects": "ListBucket",
    "ListObjectsV2": "ListBucket",
    "ListParts": "ListMultipartUploadParts",
    "PutBucketAccelerateConfiguration": "PutAccelerateConfiguration",
    "PutBucketEncryption": "PutEncryptionConfiguration",
    "PutBucketLifecycle": "PutLifecycleConfiguration",
    "PutBucketLifecycleConfiguration": "PutLifecycleConfiguration",
    "PutBucketReplication": "PutReplicationConfiguration",
    "PutObjectLockConfiguration": "PutBucketObjectLockConfiguration",
    "PutPublicAccessBlock": "PutBucketPublicAccessBlock",
    "SelectObjectContent": "GetObject",
    "UploadPart": "PutObject",
    "UploadPartCopy": "GetObject PutObject",
}
_DYNAMODB = {
    "BatchExecuteStatement": "PartiQLSelect PartiQLInsert PartiQLUpdate PartiQLDelete",
    "ExecuteStatement": "PartiQLSelect PartiQLInsert PartiQLUpdate PartiQLDelete",
    "ExecuteTransaction": "PartiQLSelect PartiQLInsert PartiQLUpdate PartiQLDelete",
    "TransactGetItems": "GetItem",
    "TransactWriteItems": "PutItem UpdateItem DeleteItem ConditionCheckItem",
}
_KMS = {"ReEncrypt": "ReEncryptFrom ReEncryptTo"}
PERMISSIONS: Mapping[str, tuple[str, ...]] = {
    f"{service}:{operation.lower()}": tuple(f"{service}:{action}" for action in actions.split())
    for service, operations in (("s3", _S3), ("dynamodb", _DYNAMODB), ("kms", _KMS))
    for operation, actions in operations.items()
}
"""The actions that a policy has to allow, by `service:operation` in lower case."""
