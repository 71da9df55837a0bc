"""The smallest plan for each row of the access table: a feature, and the statement that it needs."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from infraspec.core.finding import Location
from infraspec.core.unknown import JsonText, Unknown, Value
from infraspec.ecs.access_table import EXECUTION, ROWS, Access
from infraspec.terraform.plan import Plan, Resource

ACCOUNT, OTHER_ACCOUNT, REGION = "111122223333", "444455556666", "eu-west-1"
LETS_ECS_IN = JsonText(
    {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
        ],
    }
)


def resource(address: str, **values: Value) -> Resource:
    """Build an instance in the root module."""
    mode = "data" if address.startswith("data.") else "managed"
    type_, name = address.removeprefix("data.").split(".")
    return Resource(address, mode, type_, name, None, "", values, "aws", Location("main.tf", 1))


def arn(service: str, rest: str, account: str = ACCOUNT) -> str:
    """Return an ARN of the region."""
    return f"arn:aws:{service}:{REGION}:{account}:{rest}"


@dataclass(frozen=True)
class Case:
    """A row, the feature that needs it, and a resource that covers it and one that does not.

    `container` and `values` are of the task definition, `resources` further ones of the plan; `covers` is what the
    statement lists.
    """

    row: Access
    covers: Value
    misses: Value
    container: Mapping[str, Value] = field(default_factory=dict)
    values: Mapping[str, Value] = field(default_factory=dict)
    resources: tuple[Resource, ...] = ()

    def __str__(self) -> str:
        return next(name for name, row in ROWS.items() if row is self.row)

    @property
    def definition(self) -> dict[str, Value]:
        """The container definition."""
        return {"name": "app", "image": "nginx:1", **self.container}

    def plan(self, *statements: Mapping[str, Value], policy: Value = None) -> Plan:
        """Return the plan whose two roles have the given statements, or a policy of the role that the row is about."""
        document = policy or JsonText({"Version": "2012-10-17", "Statement": list(statements)})
        task = resource(
            "aws_ecs_task_definition.app",
            family="app",
            requires_compatibilities=["FARGATE"],
            execution_role_arn=Unknown("aws_iam_role.execution.arn"),
            task_role_arn=Unknown("aws_iam_role.task.arn"),
            container_definitions=JsonText([self.definition]),
            **self.values,
        )
        roles = [
            resource(f"aws_iam_role.{kind}", name=f"app-{kind}", assume_role_policy=LETS_ECS_IN)
            for kind in ("execution", "task")
        ]
        role = "execution" if self.row.role == EXECUTION else "task"
        inline = resource("aws_iam_role_policy.own", role=Unknown(f"aws_iam_role.{role}.id"), policy=document)
        return Plan("source", (task, *roles, inline, *self.resources), account=ACCOUNT, region=REGION)

    def statement(self, resources: Value) -> dict[str, Value]:
        """Return the statement that allows the row's actions on resources."""
        return {"Effect": "Allow", "Action": list(self.row.actions), "Resource": resources}


def _attribute(address: str) -> Unknown:
    return Unknown(address)


_SECRET = resource("aws_secretsmanager_secret.db", name="db")
_KEY, _SECOND_KEY = resource("aws_kms_key.main"), resource("aws_kms_key.other")
_UNDER_KEY = resource("aws_secretsmanager_secret.db", name="db", kms_key_id=_attribute("aws_kms_key.main.arn"))
_SECURE = resource(
    "aws_ssm_parameter.db", name="/app/db", type="SecureString", key_id=_attribute("aws_kms_key.main.key_id")
)
_PLAIN = resource("aws_ssm_parameter.db", name="/app/db", type="String")
_SECRET_ARN, _SECRET_PATTERN = _attribute("aws_secretsmanager_secret.db.arn"), arn("secretsmanager", "secret:db-??????")
_OTHER_SECRET = arn("secretsmanager", "secret:other-??????")
_PARAMETER_ARN, _OTHER_PARAMETER = arn("ssm", "parameter/app/db"), arn("ssm", "parameter/app/other")
_KEY_ARN, _OTHER_KEY = _attribute("aws_kms_key.main.arn"), _attribute("aws_kms_key.other.arn")
_IMAGE = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/app:1"
_CACHED = f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/quay/app:1"
_RULE = resource("aws_ecr_pull_through_cache_rule.quay", ecr_repository_prefix="quay", upstream_registry_url="quay.io")
_LOGS = {"awslogs-group": "/ecs/app", "awslogs-region": REGION, "awslogs-stream-prefix": "app"}
_GROUP, _OTHER_GROUP = arn("logs", "log-group:/ecs/app:*"), arn("logs", "log-group:/ecs/app")
_FILE = "arn:aws:s3:::app-config/app.env"
_DELIVERY = arn("firehose", "deliverystream/app")


def _secrets(value: Value) -> dict[str, Value]:
    return {"secrets": [{"name": "DB", "valueFrom": value}]}


def _log_secrets(value: Value) -> dict[str, Value]:
    options = [{"name": "splunk-token", "valueFrom": value}]
    return {"logConfiguration": {"logDriver": "splunk", "secretOptions": options}}


def _routed(output: str, **options: Value) -> dict[str, Value]:
    return {"logConfiguration": {"logDriver": "awsfirelens", "options": {"Name": output, **options}}}


def _fsx(credentials: Value) -> dict[str, Value]:
    authorization = [{"credentials_parameter": credentials, "domain": "example.com"}]
    system = {"file_system_id": "fs-1", "root_directory": "\\share", "authorization_config": authorization}
    return {"volume": [{"name": "share", "fsx_windows_file_server_volume_configuration": [system]}]}


def _efs(file_system: Value) -> dict[str, Value]:
    authorization = [{"access_point_id": None, "iam": "ENABLED"}]
    system = {"file_system_id": file_system, "authorization_config": authorization}
    return {"volume": [{"name": "data", "efs_volume_configuration": [system]}]}


def _service(**configuration: Value) -> tuple[Resource, ...]:
    block = [{"execute_command_configuration": [configuration]}] if configuration else []
    return (
        resource(
            "aws_ecs_service.app",
            name="app",
            cluster=_attribute("aws_ecs_cluster.main.id"),
            task_definition=_attribute("aws_ecs_task_definition.app.arn"),
            enable_execute_command=True,
        ),
        resource("aws_ecs_cluster.main", name="main", configuration=block),
    )


def _session_log(**log: Value) -> tuple[Resource, ...]:
    return _service(logging="OVERRIDE", log_configuration=[log])


_ENCRYPTED_BUCKET = (
    resource("aws_s3_bucket.config", bucket="app-config"),
    resource(
        "aws_s3_bucket_server_side_encryption_configuration.config",
        bucket=_attribute("aws_s3_bucket.config.id"),
        rule=[{"apply_server_side_encryption_by_default": [{"kms_master_key_id": _KEY_ARN}]}],
    ),
)
_FILE_SYSTEM = (
    resource("aws_efs_file_system.data"),
    resource("aws_efs_file_system.other"),
    resource(
        "aws_efs_file_system_policy.data",
        file_system_id=_attribute("aws_efs_file_system.data.id"),
        policy=JsonText({"Version": "2012-10-17", "Statement": []}),
    ),
)
_S3_FILES = [
    {
        "name": "data",
        "s3files_volume_configuration": [{"file_system_arn": _attribute("aws_s3files_file_system.data.arn")}],
    }
]
_S3_SYSTEMS = (resource("aws_s3files_file_system.data"), resource("aws_s3files_file_system.other"))
_S3_ARN, _OTHER_S3 = _attribute("aws_s3files_file_system.data.arn"), _attribute("aws_s3files_file_system.other.arn")
_MOUNTED = _efs(_attribute("aws_efs_file_system.data.id"))
_SYSTEM_ARN, _OTHER_SYSTEM = _attribute("aws_efs_file_system.data.arn"), _attribute("aws_efs_file_system.other.arn")
_REPOSITORY, _OTHER_REPOSITORY = arn("ecr", "repository/app"), arn("ecr", "repository/other")
_SESSION_GROUP = _session_log(cloud_watch_log_group_name="/ecs/sessions")
_SESSION_STREAMS = arn("logs", "log-group:/ecs/sessions:*")
_SESSION_FILES = _session_log(s3_bucket_name="sessions", s3_key_prefix="exec/")
_GROUP_WITH_KEY = _session_log(cloud_watch_log_group_name="/ecs/sessions", cloud_watch_encryption_enabled=True)
_FILES_WITH_KEY = _session_log(s3_bucket_name="sessions", s3_bucket_encryption_enabled=True)

CASES = (
    Case(ROWS["token"], "*", _REPOSITORY, {"image": _IMAGE}),
    Case(ROWS["layers"], _REPOSITORY, _OTHER_REPOSITORY, {"image": _IMAGE}),
    Case(ROWS["import"], arn("ecr", "repository/quay/*"), _REPOSITORY, {"image": _CACHED}, resources=(_RULE,)),
    Case(
        ROWS["create_repository"], arn("ecr", "repository/quay/*"), _REPOSITORY, {"image": _CACHED}, resources=(_RULE,)
    ),
    Case(ROWS["log_stream"], _GROUP, _OTHER_GROUP, {"logConfiguration": {"logDriver": "awslogs", "options": _LOGS}}),
    Case(
        ROWS["log_group"],
        _GROUP,
        arn("logs", "log-group:/ecs/other:*"),
        {"logConfiguration": {"logDriver": "awslogs", "options": {**_LOGS, "awslogs-create-group": "true"}}},
    ),
    Case(ROWS["firelens_logs"], _GROUP, _OTHER_GROUP, _routed("cloudwatch_logs", log_group_name="/ecs/app")),
    Case(
        ROWS["firelens_group"],
        _GROUP,
        arn("logs", "log-group:/ecs/other:*"),
        _routed("cloudwatch", log_group_name="/ecs/app", auto_create_group="true"),
    ),
    Case(ROWS["firelens_firehose"], _DELIVERY, f"{_DELIVERY}2", _routed("kinesis_firehose", delivery_stream="app")),
    Case(ROWS["firelens_stream"], arn("kinesis", "stream/app"), _DELIVERY, _routed("kinesis_streams", stream="app")),
    Case(ROWS["firelens_s3"], "arn:aws:s3:::logs/*", "arn:aws:s3:::logs", _routed("s3", bucket="logs")),
    Case(ROWS["firelens_search"], arn("es", "*"), "arn:aws:s3:::*", _routed("es", Host="x", AWS_Auth="On")),
    Case(ROWS["secret"], _SECRET_PATTERN, _OTHER_SECRET, _secrets(_SECRET_ARN), resources=(_SECRET,)),
    Case(ROWS["parameter"], _PARAMETER_ARN, _OTHER_PARAMETER, _secrets("/app/db"), resources=(_PLAIN,)),
    Case(
        ROWS["secret_by_parameter"],
        _SECRET_PATTERN,
        _OTHER_SECRET,
        _secrets("/aws/reference/secretsmanager/db"),
        resources=(_SECRET,),
    ),
    Case(ROWS["log_secret"], _SECRET_PATTERN, _OTHER_SECRET, _log_secrets(_SECRET_ARN), resources=(_SECRET,)),
    Case(ROWS["log_parameter"], _PARAMETER_ARN, _OTHER_PARAMETER, _log_secrets("/app/db"), resources=(_PLAIN,)),
    Case(ROWS["secret_key"], _KEY_ARN, _OTHER_KEY, _secrets(_SECRET_ARN), resources=(_UNDER_KEY, _KEY, _SECOND_KEY)),
    Case(ROWS["parameter_key"], _KEY_ARN, _OTHER_KEY, _secrets("/app/db"), resources=(_SECURE, _KEY, _SECOND_KEY)),
    Case(
        ROWS["registry"],
        _SECRET_PATTERN,
        _OTHER_SECRET,
        {"repositoryCredentials": {"credentialsParameter": _SECRET_ARN}},
        resources=(_SECRET,),
    ),
    Case(
        ROWS["file"], "arn:aws:s3:::app-config/*", _FILE + "2", {"environmentFiles": [{"type": "s3", "value": _FILE}]}
    ),
    Case(
        ROWS["file_bucket"],
        "arn:aws:s3:::app-config",
        "arn:aws:s3:::app-config/*",
        {"environmentFiles": [{"type": "s3", "value": _FILE}]},
    ),
    Case(
        ROWS["file_key"],
        _KEY_ARN,
        _OTHER_KEY,
        {"environmentFiles": [{"type": "s3", "value": _FILE}]},
        resources=(_KEY, _SECOND_KEY, *_ENCRYPTED_BUCKET),
    ),
    Case(
        ROWS["router"],
        "arn:aws:s3:::app-config/*",
        "arn:aws:s3:::other/*",
        {"firelensConfiguration": {"options": {"config-file-type": "s3", "config-file-value": _FILE}}},
    ),
    Case(
        ROWS["router_bucket"],
        "arn:aws:s3:::app-config",
        "arn:aws:s3:::other",
        {"firelensConfiguration": {"options": {"config-file-type": "s3", "config-file-value": _FILE}}},
    ),
    Case(ROWS["fsx"], "*", arn("fsx", "file-system/fs-1"), values=_fsx(_SECRET_ARN), resources=(_SECRET,)),
    Case(ROWS["fsx_secret"], _SECRET_PATTERN, _OTHER_SECRET, values=_fsx(_SECRET_ARN), resources=(_SECRET,)),
    Case(ROWS["fsx_parameter"], _PARAMETER_ARN, _OTHER_PARAMETER, values=_fsx(_PARAMETER_ARN), resources=(_PLAIN,)),
    Case(ROWS["spec_object"], _FILE, "arn:aws:s3:::other/*", {"credentialSpecs": [f"credentialspec:{_FILE}"]}),
    Case(
        ROWS["spec_parameter"],
        _PARAMETER_ARN,
        _OTHER_PARAMETER,
        {"dockerSecurityOptions": [f"credentialspec:{_PARAMETER_ARN}"]},
        resources=(_PLAIN,),
    ),
    Case(ROWS["spec_secret"], "*", arn("ssm", "*"), {"credentialSpecs": [f"credentialspecdomainless:{_FILE}"]}),
    Case(ROWS["channel"], "*", arn("ecs", "task/*"), resources=_service()),
    Case(ROWS["session_key"], _KEY_ARN, _OTHER_KEY, resources=(*_service(kms_key_id=_KEY_ARN), _KEY, _SECOND_KEY)),
    Case(ROWS["session_groups"], "*", _SESSION_STREAMS, resources=_SESSION_GROUP),
    Case(ROWS["session_groups_encrypted"], "*", _SESSION_STREAMS, resources=_GROUP_WITH_KEY),
    Case(ROWS["session_stream"], _SESSION_STREAMS, arn("logs", "log-group:/ecs/sessions"), resources=_SESSION_GROUP),
    Case(ROWS["session_streams"], _SESSION_STREAMS, arn("logs", "log-group:/ecs/other:*"), resources=_SESSION_GROUP),
    Case(ROWS["session_bucket"], "arn:aws:s3:::sessions", "arn:aws:s3:::sessions/*", resources=_SESSION_FILES),
    Case(ROWS["session_bucket_key"], "arn:aws:s3:::sessions", "arn:aws:s3:::sessions/*", resources=_SESSION_FILES),
    Case(ROWS["session_bucket_encrypted"], "arn:aws:s3:::sessions", "arn:aws:s3:::other", resources=_FILES_WITH_KEY),
    Case(ROWS["session_object"], "arn:aws:s3:::sessions/exec/*", "arn:aws:s3:::sessions", resources=_SESSION_FILES),
    Case(ROWS["mount"], _SYSTEM_ARN, _OTHER_SYSTEM, values=_MOUNTED, resources=_FILE_SYSTEM),
    Case(
        ROWS["write"],
        _SYSTEM_ARN,
        _OTHER_SYSTEM,
        {"mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}]},
        _MOUNTED,
        _FILE_SYSTEM,
    ),
    Case(ROWS["s3_files_mount"], _S3_ARN, _OTHER_S3, values={"volume": _S3_FILES}, resources=_S3_SYSTEMS),
    Case(
        ROWS["s3_files_write"],
        _S3_ARN,
        _OTHER_S3,
        {"mountPoints": [{"sourceVolume": "data", "containerPath": "/data"}]},
        {"volume": _S3_FILES},
        _S3_SYSTEMS,
    ),
)
"""A case for every row but the two of trust."""
