"""Which feature of a task definition needs which permission, of which role: each row with the AWS document it is from.

`docs/access.md` shows this table. Which resource each action is asked for is worked out by the modules that use a row.
"""

from __future__ import annotations

from msgspec import Struct

EXECUTION, TASK = "execution", "task"
_ECS = "https://docs.aws.amazon.com/AmazonECS/latest/developerguide/"
_ECR = "https://docs.aws.amazon.com/AmazonECR/latest/userguide/"


class Source(Struct, frozen=True):
    """An AWS document, by its title."""

    title: str
    url: str

    def __str__(self) -> str:
        return self.title


class Access(Struct, frozen=True):
    """One row: a feature, the role that needs the actions, and the resource as a policy names it.

    `certain` is false where the feature works without the permission under a condition that no plan shows; `note` then
    says which. What such a row asks for is never VIOLATED. The actions of a row that `is_one_statement` are of use only
    together: those that are missing are one finding, with one statement to add.
    """

    feature: str
    role: str
    actions: tuple[str, ...]
    resource: str
    source: Source
    note: str = ""
    certain: bool = True
    is_one_statement: bool = False


_EXECUTION_ROLE = Source("Amazon ECS task execution IAM role", f"{_ECS}task_execution_IAM_role.html")
_TASK_ROLE = Source("Amazon ECS task IAM role", f"{_ECS}task-iam-roles.html")
_PULL_THROUGH = Source(
    "IAM permissions required to sync an upstream registry with an Amazon ECR private registry",
    f"{_ECR}pull-through-cache-iam.html",
)
_LOGS = Source("Send Amazon ECS logs to CloudWatch (awslogs)", f"{_ECS}using_awslogs.html")
_SECRETS = Source(
    "Pass Secrets Manager secrets through Amazon ECS environment variables",
    f"{_ECS}secrets-envvar-secrets-manager.html",
)
_PARAMETERS = Source(
    "Pass Systems Manager parameters through Amazon ECS environment variables",
    f"{_ECS}secrets-envvar-ssm-paramstore.html",
)
_LOG_SECRETS = Source("Pass secrets for Amazon ECS logging configuration", f"{_ECS}secrets-logconfig.html")
_KEYS = Source(
    "Secret encryption and decryption in AWS Secrets Manager (permissions for the KMS key)",
    "https://docs.aws.amazon.com/secretsmanager/latest/userguide/security-encryption.html",
)
_PARAMETER_KEYS = Source(
    "AWS KMS encryption for AWS Systems Manager Parameter Store SecureString parameters",
    "https://docs.aws.amazon.com/kms/latest/developerguide/services-parameter-store.html",
)
_IMAGES = Source(
    "Using Amazon ECR images with Amazon ECS (minimum required permissions)",
    "https://docs.aws.amazon.com/AmazonECR/latest/userguide/ECR_on_ECS.html",
)
_REGISTRIES = Source(
    "Using non-AWS container images in Amazon ECS (private registry authentication)", f"{_ECS}private-auth.html"
)
_FILES = Source(
    "Pass environment variables to an Amazon ECS container (environment files)",
    f"{_ECS}use-environment-file.html",
)
_FIRELENS = Source("Send Amazon ECS logs to an AWS service or AWS Partner (FireLens)", f"{_ECS}using_firelens.html")
_FSX = Source("Use FSx for Windows File Server volumes with Amazon ECS", f"{_ECS}wfsx-volumes.html")
_GMSA = Source("Using gMSA for EC2 Linux containers on Amazon ECS", f"{_ECS}linux-gmsa.html")
_DOMAINLESS = Source("Using gMSA for Linux containers on Fargate", f"{_ECS}fargate-linux-gmsa.html")
_EXEC = Source("Monitor Amazon ECS containers with ECS Exec", f"{_ECS}ecs-exec.html")
_EFS = Source(
    "Using IAM to control access to file systems (Amazon EFS)",
    "https://docs.aws.amazon.com/efs/latest/ug/iam-access-control-nfs-efs.html",
)
_S3_FILES = Source(
    "How S3 Files works with IAM",
    "https://docs.aws.amazon.com/AmazonS3/latest/userguide/s3-files-security-iam.html",
)

_STREAMS = "`LOG-GROUP-ARN:*`"
_SECRET = "`arn:…:secret:NAME-??????`, or the secret's ARN"  # noqa: S105 - the form of an ARN
_PARAMETER = "`arn:…:parameter/NAME`"
_OBJECT, _BUCKET = "the object's ARN", "the bucket's ARN"
_IN_CACHE = "not needed while the image is in the cache already"
_BY_HEAD = "not needed by an agent that learns the bucket's Region from HeadBucket, as the open source one does"

TRUST_EXECUTION = Access(
    "`executionRoleArn`",
    EXECUTION,
    ("sts:AssumeRole",),
    "trust policy, Service `ecs-tasks.amazonaws.com`",
    _EXECUTION_ROLE,
)
TRUST_TASK = Access(
    "`taskRoleArn`", TASK, ("sts:AssumeRole",), "trust policy, Service `ecs-tasks.amazonaws.com`", _TASK_ROLE
)
TOKEN = Access(
    "image in a private ECR repository", EXECUTION, ("ecr:GetAuthorizationToken",), "`*` only", _EXECUTION_ROLE
)
LAYERS = Access(
    "image in a private ECR repository",
    EXECUTION,
    ("ecr:GetDownloadUrlForLayer", "ecr:BatchGetImage"),
    "`arn:…:repository/NAME`",
    _IMAGES,
    "a repository of another account has to allow it in its own policy too",
)
IMPORT = Access(
    "image behind a pull-through cache rule",
    EXECUTION,
    ("ecr:BatchImportUpstreamImage",),
    "`arn:…:repository/PREFIX/NAME`",
    _PULL_THROUGH,
    _IN_CACHE,
    certain=False,
)
CREATE_REPOSITORY = Access(
    "image behind a pull-through cache rule, repository not in the plan",
    EXECUTION,
    ("ecr:CreateRepository",),
    "`arn:…:repository/PREFIX/NAME`",
    _PULL_THROUGH,
    _IN_CACHE,
    certain=False,
)
LOG_STREAM = Access("log driver `awslogs`", EXECUTION, ("logs:CreateLogStream", "logs:PutLogEvents"), _STREAMS, _LOGS)
LOG_GROUP = Access(
    "`awslogs-create-group` = `true`",
    EXECUTION,
    ("logs:CreateLogGroup",),
    _STREAMS,
    _LOGS,
    "AmazonECSTaskExecutionRolePolicy does not have it",
)
SECRET = Access(
    "`secrets` from Secrets Manager",
    EXECUTION,
    ("secretsmanager:GetSecretValue",),
    _SECRET,
    _SECRETS,
    "IAM sees the ARN without JSON key, version stage and version id, and a partial ARN as it is written",
)
PARAMETER = Access(
    "`secrets` from Parameter Store",
    EXECUTION,
    ("ssm:GetParameters",),
    _PARAMETER,
    _PARAMETERS,
    "`ssm:GetParameter` is another permission",
)
SECRET_BY_PARAMETER = Access(
    "parameter `/aws/reference/secretsmanager/NAME`",
    EXECUTION,
    ("secretsmanager:GetSecretValue",),
    _SECRET,
    _PARAMETERS,
)
LOG_SECRET = Access(
    "`secretOptions` from Secrets Manager", EXECUTION, ("secretsmanager:GetSecretValue",), _SECRET, _LOG_SECRETS
)
LOG_PARAMETER = Access(
    "`secretOptions` from Parameter Store", EXECUTION, ("ssm:GetParameters",), _PARAMETER, _LOG_SECRETS
)
SECRET_KEY = Access(
    "secret under a customer managed key",
    EXECUTION,
    ("kms:Decrypt",),
    "the key's ARN",
    _KEYS,
    "through `kms:ViaService` `secretsmanager.REGION.amazonaws.com`; the key's policy has to let the role in, or leave "
    "that to IAM; `aws/secretsmanager` needs nothing",
)
PARAMETER_KEY = Access(
    "SecureString parameter under a customer managed key",
    EXECUTION,
    ("kms:Decrypt",),
    "the key's ARN",
    _PARAMETER_KEYS,
    "through `kms:ViaService` `ssm.REGION.amazonaws.com`; likewise; `aws/ssm` needs nothing",
)
REGISTRY = Access("`repositoryCredentials`", EXECUTION, ("secretsmanager:GetSecretValue",), _SECRET, _REGISTRIES)
FILE = Access("`environmentFiles`", EXECUTION, ("s3:GetObject",), _OBJECT, _FILES)
FILE_BUCKET = Access(
    "`environmentFiles`", EXECUTION, ("s3:GetBucketLocation",), _BUCKET, _FILES, _BY_HEAD, certain=False
)
ROUTER = Access(
    "`firelensConfiguration` with `config-file-type` = `s3`", EXECUTION, ("s3:GetObject",), _OBJECT, _FIRELENS
)
ROUTER_BUCKET = Access(
    "`firelensConfiguration` with `config-file-type` = `s3`",
    EXECUTION,
    ("s3:GetBucketLocation",),
    _BUCKET,
    _FIRELENS,
    _BY_HEAD,
    certain=False,
)
FSX = Access("FSx for Windows volume", EXECUTION, ("fsx:DescribeFileSystems",), "`*` only", _FSX)
FSX_SECRET = Access(
    "FSx for Windows volume, `credentialsParameter` a secret",
    EXECUTION,
    ("secretsmanager:GetSecretValue",),
    _SECRET,
    _FSX,
)
FSX_PARAMETER = Access(
    "FSx for Windows volume, `credentialsParameter` a parameter", EXECUTION, ("ssm:GetParameters",), _PARAMETER, _FSX
)
SPEC_OBJECT = Access("`credentialSpecs` (gMSA) in S3", EXECUTION, ("s3:GetObject",), _OBJECT, _GMSA)
SPEC_PARAMETER = Access(
    "`credentialSpecs` (gMSA) in Parameter Store", EXECUTION, ("ssm:GetParameters",), _PARAMETER, _GMSA
)
SPEC_SECRET = Access(
    "`credentialspecdomainless:` (gMSA without a domain join)",
    EXECUTION,
    ("secretsmanager:GetSecretValue",),
    "the secret that the credential spec names",
    _DOMAINLESS,
    "which secret that is stands in the file; a role that may read no secret at all is a violation",
)
CHANNEL = Access(
    "`enable_execute_command` of the service (ECS Exec)",
    TASK,
    (
        "ssmmessages:CreateControlChannel",
        "ssmmessages:CreateDataChannel",
        "ssmmessages:OpenControlChannel",
        "ssmmessages:OpenDataChannel",
    ),
    "`*` only",
    _EXEC,
    is_one_statement=True,
)
SESSION_KEY = Access(
    "ECS Exec, `kms_key_id` of the cluster", TASK, ("kms:Decrypt",), "the key's ARN", _EXEC, "asked for directly"
)
SESSION_GROUPS = Access(
    "ECS Exec, log group of the cluster (`OVERRIDE`)",
    TASK,
    ("logs:DescribeLogGroups",),
    "`*`",
    _EXEC,
    "not needed to write the log once the session has ended",
    certain=False,
)
SESSION_GROUPS_ENCRYPTED = Access(
    "ECS Exec, log group of the cluster with `cloud_watch_encryption_enabled`",
    TASK,
    ("logs:DescribeLogGroups",),
    "`*`",
    _EXEC,
    "the agent opens no session if it cannot see that the group has a key",
)
SESSION_STREAM = Access(
    "ECS Exec, log group of the cluster (`OVERRIDE`)",
    TASK,
    ("logs:CreateLogStream", "logs:PutLogEvents"),
    _STREAMS,
    _EXEC,
)
SESSION_STREAMS = Access(
    "ECS Exec, log group of the cluster (`OVERRIDE`)",
    TASK,
    ("logs:DescribeLogStreams",),
    _STREAMS,
    _EXEC,
    "not needed to write: it finds the sequence token, which CloudWatch Logs ignores",
    certain=False,
)
SESSION_BUCKET = Access(
    "ECS Exec, bucket of the cluster (`OVERRIDE`)",
    TASK,
    ("s3:GetBucketLocation",),
    _BUCKET,
    _EXEC,
    _BY_HEAD,
    certain=False,
)
SESSION_BUCKET_KEY = Access(
    "ECS Exec, bucket of the cluster (`OVERRIDE`)",
    TASK,
    ("s3:GetEncryptionConfiguration",),
    _BUCKET,
    _EXEC,
    "not needed unless the bucket lets in nothing but what names its encryption",
    certain=False,
)
SESSION_BUCKET_ENCRYPTED = Access(
    "ECS Exec, bucket of the cluster with `s3_bucket_encryption_enabled`",
    TASK,
    ("s3:GetEncryptionConfiguration",),
    _BUCKET,
    _EXEC,
    "the agent opens no session if it cannot see that the bucket is encrypted",
)
SESSION_OBJECT = Access(
    "ECS Exec, bucket of the cluster (`OVERRIDE`)", TASK, ("s3:PutObject",), "`BUCKET-ARN/*`", _EXEC
)
MOUNT = Access(
    "EFS volume with `iam` = `ENABLED`",
    TASK,
    ("elasticfilesystem:ClientMount",),
    "the file system's ARN",
    _EFS,
    "the file system's policy may allow it instead; without a policy it lets every client in",
)
WRITE = Access(
    "EFS volume with `iam` = `ENABLED`, mounted to be written",
    TASK,
    ("elasticfilesystem:ClientWrite",),
    "the file system's ARN",
    _EFS,
    "not needed if no container writes to it",
    certain=False,
)
S3_FILES_MOUNT = Access(
    "S3 Files volume",
    TASK,
    ("s3files:ClientMount",),
    "the file system's ARN",
    _S3_FILES,
    "the file system's policy may allow it instead; without a policy it lets nobody in",
)
S3_FILES_WRITE = Access(
    "S3 Files volume, mounted to be written",
    TASK,
    ("s3files:ClientWrite",),
    "the file system's ARN",
    _S3_FILES,
    "not needed if no container writes to it",
    certain=False,
)
TABLE: tuple[Access, ...] = (
    TRUST_EXECUTION, TRUST_TASK, TOKEN, LAYERS, IMPORT, CREATE_REPOSITORY, LOG_STREAM, LOG_GROUP, SECRET, PARAMETER,
    SECRET_BY_PARAMETER, LOG_SECRET, LOG_PARAMETER, SECRET_KEY, PARAMETER_KEY, REGISTRY, FILE, FILE_BUCKET, ROUTER,
    ROUTER_BUCKET, FSX, FSX_SECRET, FSX_PARAMETER, SPEC_OBJECT, SPEC_PARAMETER, SPEC_SECRET, CHANNEL, SESSION_KEY,
    SESSION_GROUPS, SESSION_GROUPS_ENCRYPTED, SESSION_STREAM, SESSION_STREAMS, SESSION_BUCKET, SESSION_BUCKET_KEY,
    SESSION_BUCKET_ENCRYPTED, SESSION_OBJECT, MOUNT, WRITE, S3_FILES_MOUNT, S3_FILES_WRITE,
)  # fmt: skip
"""Every row, in the order of the documentation."""
