"""Who may do what in the sandbox, and how it says no: as AWS, service by service."""

import json
from typing import Any, NamedTuple

import pytest
from botocore.exceptions import ClientError

from infraspec.aws.runner_policy import canary_statements, policy_of
from infraspec.contract.live import Canary
from infraspec.sandbox.running import Running
from infraspec.sandbox.server_process import Account

ACCOUNT, REGION = "111122223333", "eu-west-1"
ROLE = f"arn:aws:iam::{ACCOUNT}:role/reader"
SESSION = f"arn:aws:sts::{ACCOUNT}:assumed-role/reader/test"
TRUST = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}}


def document(*statements: dict[str, Any]) -> str:
    """Write a policy document."""
    return json.dumps({"Version": "2012-10-17", "Statement": list(statements)})


def allow(action: str | list[str], resource: str | list[str] = "*", **more: Any) -> dict[str, Any]:
    """Write a statement that allows."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def deny(action: str, resource: str = "*", **more: Any) -> dict[str, Any]:
    """Write a statement that denies."""
    return {"Effect": "Deny", "Action": action, "Resource": resource, **more}


class Reader:
    """A role that can be given policies, and a session of it that asks."""

    def __init__(self, running: Running) -> None:
        self.operator = running.account
        self.iam = self.operator.client("iam")
        self.secrets = self.operator.client("secretsmanager")
        self.iam.create_role(RoleName="reader", AssumeRolePolicyDocument=document(TRUST))
        self.secret = self.secrets.create_secret(
            Name="enforced", SecretString="x", Tags=[{"Key": "team", "Value": "a"}]
        )["ARN"]
        given = self.operator.client("sts").assume_role(RoleArn=ROLE, RoleSessionName="test")["Credentials"]
        self.own = Account(running.endpoint, ACCOUNT, REGION, "aws", given["AccessKeyId"])

    def may(self, *statements: dict[str, Any]) -> None:
        """Let the role do what the statements say, and nothing else."""
        self.iam.put_role_policy(RoleName="reader", PolicyName="own", PolicyDocument=document(*statements))

    def reads(self) -> str:
        """Read the secret as the role; return the error's code, or nothing."""
        return code_of(self.own, "secretsmanager", "get_secret_value", SecretId=self.secret)


def error_of(account: Account, service: str, operation: str, /, **parameters: Any) -> dict[str, Any]:
    """Return what AWS says against a request, nothing if it does not."""
    try:
        getattr(account.client(service), operation)(**parameters)
    except ClientError as error:
        return {**error.response["Error"], "Status": error.response["ResponseMetadata"]["HTTPStatusCode"]}
    return {}


def code_of(account: Account, service: str, operation: str, /, **parameters: Any) -> str:
    """Return the code of the error of a request, nothing if there is none."""
    return str(error_of(account, service, operation, **parameters).get("Code", ""))


@pytest.fixture(scope="module")
def reader(empty: Running) -> Reader:
    """Make the role, its secret and its session once."""
    return Reader(empty)


class Case(NamedTuple):
    """What the role is given, and the code of the error when it reads the secret."""

    statements: tuple[dict[str, Any], ...]
    code: str


ALLOWED, REFUSED = "", "AccessDeniedException"
READ = "secretsmanager:GetSecretValue"
CASES = {
    "nothing": Case((allow("s3:ListAllMyBuckets"),), REFUSED),
    "the exact ARN": Case((allow(READ, "{secret}"),), ALLOWED),
    "another secret": Case((allow(READ, "arn:aws:secretsmanager:*:*:secret:other-??????"),), REFUSED),
    "the suffix as question marks": Case((allow(READ, "{prefix}-??????"),), ALLOWED),
    "the name without its suffix": Case((allow(READ, "{prefix}"),), REFUSED),
    "another case of the action": Case((allow("SecretsManager:getsecretvalue", "*"),), ALLOWED),
    "an explicit deny": Case((allow("*"), deny(READ, "{secret}")), REFUSED),
    "a deny of another secret": Case((allow("*"), deny(READ, "{prefix}-x")), ALLOWED),
    "a condition that holds": Case(
        (allow(READ, Condition={"StringEquals": {"secretsmanager:ResourceTag/team": "a"}}),), ALLOWED
    ),
    "a condition that does not hold": Case(
        (allow(READ, Condition={"StringEquals": {"aws:ResourceTag/team": "b"}}),), REFUSED
    ),
    "a deny without TLS": Case((allow("*"), deny("*", Condition={"Bool": {"aws:SecureTransport": "false"}})), ALLOWED),
    "another region": Case((allow(READ, Condition={"StringEquals": {"aws:RequestedRegion": "us-east-1"}}),), REFUSED),
}


@pytest.mark.parametrize("case", CASES)
def test_what_the_role_may_read(reader: Reader, case: str) -> None:
    """The policies of the role decide, with resources, conditions and explicit denies."""
    statements, code = CASES[case]
    prefix = reader.secret.rpartition("-")[0]
    reader.may(
        *({**one, "Resource": one["Resource"].format(secret=reader.secret, prefix=prefix)} for one in statements)
    )
    assert reader.reads() == code


def test_a_boundary_limits(reader: Reader) -> None:
    """What the boundary does not allow is denied, and the message says that it is the boundary."""
    reader.may(allow("*"))
    arn = reader.iam.create_policy(PolicyName="limit", PolicyDocument=document(allow("s3:*")))["Policy"]["Arn"]
    reader.iam.put_role_permissions_boundary(RoleName="reader", PermissionsBoundary=arn)
    message = error_of(reader.own, "secretsmanager", "get_secret_value", SecretId=reader.secret)["Message"]
    reader.iam.delete_role_permissions_boundary(RoleName="reader")
    assert message.endswith(f"because no permissions boundary allows the {READ} action")
    assert reader.reads() == ""


def test_the_policy_of_a_secret_counts(reader: Reader) -> None:
    """It lets in whom it names, and keeps out whom it denies."""
    reader.may(allow("s3:ListAllMyBuckets"))
    let_in = {"Effect": "Allow", "Action": READ, "Resource": "*", "Principal": {"AWS": ROLE}}
    reader.secrets.put_resource_policy(SecretId=reader.secret, ResourcePolicy=document(let_in))
    assert reader.reads() == ""
    reader.may(allow("*"))
    reader.secrets.put_resource_policy(SecretId=reader.secret, ResourcePolicy=document({**let_in, "Effect": "Deny"}))
    message = error_of(reader.own, "secretsmanager", "get_secret_value", SecretId=reader.secret)["Message"]
    reader.secrets.delete_resource_policy(SecretId=reader.secret)
    assert message.endswith("with an explicit deny in a resource-based policy")


def test_the_key_of_a_secret_counts(reader: Reader) -> None:
    """Who may read the secret but not use its key gets the message of KMS."""
    key = reader.operator.client("kms").create_key()["KeyMetadata"]["Arn"]
    secret = reader.secrets.create_secret(Name="under-key", SecretString="x", KmsKeyId=key)["ARN"]
    reader.may(allow(READ))
    error = error_of(reader.own, "secretsmanager", "get_secret_value", SecretId=secret)
    assert (error["Code"], error["Message"]) == ("AccessDeniedException", "Access to KMS is not allowed")
    reader.may(allow([READ, "kms:Decrypt"]))
    assert code_of(reader.own, "secretsmanager", "get_secret_value", SecretId=secret) == ""


def test_a_session_policy_limits(reader: Reader, empty: Running) -> None:
    """A session that was assumed with a policy may do what both allow."""
    reader.may(allow("*"))
    given = reader.operator.client("sts").assume_role(
        RoleArn=ROLE, RoleSessionName="less", Policy=document(allow("s3:*"))
    )["Credentials"]
    session = Account(empty.endpoint, ACCOUNT, REGION, "aws", given["AccessKeyId"])
    assert code_of(session, "secretsmanager", "get_secret_value", SecretId=reader.secret) == "AccessDeniedException"


def test_the_session_of_test_messages_may_do_nothing_else(reader: Reader, empty: Running) -> None:
    """Whatever the role may: the topics and the queue of the consent, and there what a message needs."""
    reader.may(allow("*"))
    topic, other = (reader.operator.client("sns").create_topic(Name=name)["TopicArn"] for name in ("told", "other"))
    queues = [reader.operator.client("sqs").create_queue(QueueName=name)["QueueUrl"] for name in ("own", "others")]
    canary = Canary(topics=[topic], queue=f"arn:aws:sqs:{REGION}:{ACCOUNT}:own")
    given = reader.operator.client("sts").assume_role(
        RoleArn=ROLE, RoleSessionName="canary", Policy=policy_of(canary_statements(canary))
    )["Credentials"]
    session = Account(empty.endpoint, ACCOUNT, REGION, "aws", given["AccessKeyId"])
    codes = [code_of(session, "sns", "publish", TopicArn=arn, Message="a test") for arn in (topic, other)]
    codes += [code_of(session, "sqs", "receive_message", QueueUrl=url, WaitTimeSeconds=0) for url in queues]
    codes.append(code_of(session, "sqs", "send_message", QueueUrl=queues[0], MessageBody="x"))
    assert ["", "AccessDenied", "", "AccessDeniedException", "AccessDeniedException"] == codes


DENIED: list[tuple[str, str, str, int]] = [
    ("secretsmanager", "list_secrets", "AccessDeniedException", 400),
    ("ecs", "list_clusters", "AccessDeniedException", 400),
    ("logs", "describe_log_groups", "AccessDeniedException", 400),
    ("ssm", "describe_parameters", "AccessDeniedException", 400),
    ("kms", "list_keys", "AccessDeniedException", 400),
    ("dynamodb", "list_tables", "AccessDeniedException", 400),
    ("resourcegroupstaggingapi", "get_resources", "AccessDeniedException", 400),
    ("events", "list_rules", "AccessDeniedException", 400),
    ("ecr", "describe_repositories", "AccessDeniedException", 400),
    ("cloudtrail", "lookup_events", "AccessDeniedException", 400),
    ("iam", "list_roles", "AccessDenied", 403),
    ("rds", "describe_db_instances", "AccessDenied", 403),
    ("sns", "list_topics", "AccessDenied", 403),
    ("elbv2", "describe_load_balancers", "AccessDenied", 403),
    ("s3", "list_buckets", "AccessDenied", 403),
    ("ec2", "describe_vpcs", "UnauthorizedOperation", 403),
]


@pytest.mark.parametrize(("service", "operation", "code", "status"), DENIED)
def test_a_denied_request_has_the_code_of_its_protocol(
    reader: Reader, service: str, operation: str, code: str, status: int
) -> None:
    """boto3 reads the error of each service as it reads that of AWS."""
    reader.may(allow("sts:GetCallerIdentity"))
    error = error_of(reader.own, service, operation)
    assert (error["Code"], error["Status"]) == (code, status)


def test_the_message_is_that_of_aws(reader: Reader) -> None:
    """It names the session, the action, the resource, and why."""
    reader.may(allow("sts:GetCallerIdentity"))
    error = error_of(reader.own, "secretsmanager", "get_secret_value", SecretId="enforced")
    assert error["Message"] == (
        f"User: {SESSION} is not authorized to perform: {READ} on resource: {reader.secret} because no identity-based "
        f"policy allows the {READ} action"
    )


def test_who_asks_is_told(reader: Reader, empty: Running) -> None:
    """GetCallerIdentity needs no permission, and tells sessions from the runner."""
    reader.may(allow("s3:ListAllMyBuckets"))
    assert reader.own.client("sts").get_caller_identity()["Arn"] == SESSION
    runner = Account(empty.endpoint, ACCOUNT, REGION, "aws", empty.environment["AWS_ACCESS_KEY_ID"])
    assert runner.client("sts").get_caller_identity()["Arn"].split("/")[1] == "infraspec-runner"


@pytest.mark.parametrize(
    ("service", "operation", "code"),
    [
        ("ecs", "list_clusters", "UnrecognizedClientException"),
        ("iam", "list_roles", "InvalidClientTokenId"),
        ("s3", "list_buckets", "InvalidAccessKeyId"),
        ("ec2", "describe_vpcs", "AuthFailure"),
    ],
)
def test_a_key_that_nobody_has(empty: Running, service: str, operation: str, code: str) -> None:
    """It is refused with the code of the protocol."""
    stranger = Account(empty.endpoint, ACCOUNT, REGION, "aws", "AKIASTRANGERSTRANGER")
    assert code_of(stranger, service, operation) == code


def test_the_runner_reads_what_the_suite_reads_and_no_secret(reader: Reader, empty: Running) -> None:
    """It may describe a secret, and neither read its value nor change anything."""
    runner = Account(empty.endpoint, ACCOUNT, REGION, "aws", empty.environment["AWS_ACCESS_KEY_ID"])
    assert code_of(runner, "secretsmanager", "describe_secret", SecretId=reader.secret) == ""
    assert code_of(runner, "secretsmanager", "get_secret_value", SecretId=reader.secret) == "AccessDeniedException"
    assert code_of(runner, "ecs", "create_cluster", clusterName="x") == "AccessDeniedException"


def test_a_role_is_assumed_by_whom_it_trusts(reader: Reader) -> None:
    """A role that trusts ECS alone is assumed by nobody else, and one that is not there by nobody."""
    trust = {"Effect": "Allow", "Action": "sts:AssumeRole", "Principal": {"Service": "ecs-tasks.amazonaws.com"}}
    reader.iam.create_role(RoleName="of-tasks", AssumeRolePolicyDocument=document(trust))
    reader.may(allow("*"))
    for name in ("of-tasks", "nobody"):
        arn = f"arn:aws:iam::{ACCOUNT}:role/{name}"
        assert code_of(reader.own, "sts", "assume_role", RoleArn=arn, RoleSessionName="test") == "AccessDenied"
    assert code_of(reader.own, "sts", "assume_role", RoleArn=ROLE, RoleSessionName="test") == ""


def test_a_bucket_policy_denies_what_its_condition_says(reader: Reader) -> None:
    """The usual denial of requests without TLS denies nothing here, and one without a condition does."""
    s3 = reader.operator.client("s3")
    s3.create_bucket(Bucket="enforced", CreateBucketConfiguration={"LocationConstraint": REGION})
    everyone = {"Principal": "*", "Resource": "arn:aws:s3:::enforced/*"}
    insecure = {"Effect": "Deny", "Action": "s3:*", "Condition": {"Bool": {"aws:SecureTransport": "false"}}, **everyone}
    s3.put_bucket_policy(Bucket="enforced", Policy=document(insecure))
    reader.may(allow("s3:*"))
    assert code_of(reader.own, "s3", "put_object", Bucket="enforced", Key="k", Body=b"v") == ""
    s3.put_bucket_policy(Bucket="enforced", Policy=document({"Effect": "Deny", "Action": "s3:GetObject", **everyone}))
    assert code_of(reader.own, "s3", "get_object", Bucket="enforced", Key="k") == "AccessDenied"


@pytest.mark.parametrize(
    ("service", "operation", "parameters"),
    [
        ("ecs", "execute_command", {"command": "sh", "interactive": True, "task": "x"}),
        ("rds", "describe_certificates", {}),
        ("iam", "generate_service_last_accessed_details", {"Arn": ROLE}),
        ("accessanalyzer", "list_analyzers", {}),
        ("health", "describe_events", {}),
    ],
)
def test_what_is_missing_is_a_clean_501(
    empty: Running, service: str, operation: str, parameters: dict[str, Any]
) -> None:
    """An operation, or a whole service, that the sandbox has not is an error that boto3 reads, asked once."""
    error = error_of(empty.account, service, operation, **parameters)
    assert (error["Code"], error["Status"]) == ("NotImplemented", 501)
