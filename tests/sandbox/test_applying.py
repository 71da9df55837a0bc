"""What the reference infrastructure is in the sandbox, as boto3 tells it."""

from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from infraspec import contract as contracts
from infraspec.sandbox.resources.peculiar import KINDS
from infraspec.sandbox.running import Running
from infraspec.terraform.environments import Environments

PREFIX = "daily-report-tool-prod"
SERVICE = f"{PREFIX}-backend"
REFERENCE = Path(__file__).resolve().parents[2] / "fixtures/daily-report-tool"
TAGS = {
    "Application": "daily-report-tool",
    "Environment": "prod",
    "ManagedBy": "terraform",
    "Owner": "platform-team",
    "CostCenter": "engineering",
}


def test_the_whole_reference_is_applied(sandbox: Running) -> None:
    """Every managed resource of production has been created, and none is missing."""
    plan = Environments(contracts.load(REFERENCE)).plan("prod")
    assert sandbox.not_applied == ()
    assert Counter(map(_type, sandbox.deployment.attributes)) == Counter(r.type for r in plan.managed())


def _type(address: str) -> str:
    return next(part for part in address.split(".") if part.startswith("aws_"))


@pytest.mark.parametrize("name", ["dev", "staging", "prod"])
def test_every_type_of_the_reference_is_known(name: str) -> None:
    """No environment of the reference has a type that the sandbox does not know."""
    plan = Environments(contracts.load(REFERENCE)).plan(name)
    assert set(plan.types()) <= set(KINDS)


def test_the_account_is_the_one_of_the_environment(sandbox: Running) -> None:
    """The runner asks the account and region of the contract's environment."""
    identity = sandbox.account.client("sts").get_caller_identity()
    assert identity["Account"] == "123456789012"
    assert sandbox.environment["AWS_REGION"] == "ap-northeast-1"


def test_values_that_are_known_only_after_apply_are_filled_in(sandbox: Running) -> None:
    """The policy of the execution role names the ARNs that the secrets got when they were created."""
    secrets = sandbox.account.client("secretsmanager").list_secrets()["SecretList"]
    arns = {secret["ARN"] for secret in secrets if secret["Name"].startswith(PREFIX)}
    iam = sandbox.account.client("iam")
    arn = "arn:aws:iam::123456789012:policy/DailyReportSecretsManagerAccess-Prod"
    version = iam.get_policy(PolicyArn=arn)["Policy"]["DefaultVersionId"]
    document = iam.get_policy_version(PolicyArn=arn, VersionId=version)["PolicyVersion"]["Document"]
    assert len(arns) == 3
    assert set(document["Statement"][0]["Resource"]) == arns


def test_tags_are_the_effective_ones(sandbox: Running) -> None:
    """A secret carries the provider's default tags and its own."""
    secret = sandbox.account.client("secretsmanager").describe_secret(SecretId=f"{PREFIX}-jwt-v1")
    assert _pairs(secret["Tags"]) == TAGS | {"SecretType": "jwt", "RotationEnabled": "true"}


def _pairs(tags: list[dict[str, str]]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def test_a_task_definition_names_what_was_created(sandbox: Running) -> None:
    """The task definition has no hole left: image, roles and secrets are those of the account."""
    task = sandbox.account.client("ecs").describe_task_definition(taskDefinition=SERVICE)["taskDefinition"]
    (container,) = task["containerDefinitions"]
    assert container["image"] == f"123456789012.dkr.ecr.ap-northeast-1.amazonaws.com/{SERVICE}:1.15.0"
    assert task["executionRoleArn"] == f"arn:aws:iam::123456789012:role/{SERVICE}-execution"
    assert all("${" not in secret["valueFrom"] for secret in container["secrets"])


def test_the_image_of_a_task_definition_is_in_the_repository(sandbox: Running) -> None:
    """What the pipeline pushes is there under the tag that the task definition names."""
    images = sandbox.account.client("ecr").describe_images(repositoryName=SERVICE)["imageDetails"]
    assert [image["imageTags"] for image in images] == [["1.15.0"]]


def test_secrets_have_values_with_the_keys_that_are_read(sandbox: Running) -> None:
    """What operators put in is there: an object where a task definition reads a key, else text."""
    client = sandbox.account.client("secretsmanager")
    assert '"api_key"' in client.get_secret_value(SecretId=f"{PREFIX}-api-key-v1")["SecretString"]
    assert "{" not in client.get_secret_value(SecretId=f"{PREFIX}-database-v1")["SecretString"]


def test_a_security_group_lets_out_what_its_rules_say(sandbox: Running) -> None:
    """The rule that lets everything out, which AWS makes, is taken away as Terraform takes it."""
    filters = [{"Name": "group-name", "Values": [SERVICE]}]
    (group,) = sandbox.account.client("ec2").describe_security_groups(Filters=filters)["SecurityGroups"]
    assert {rule["FromPort"] for rule in group["IpPermissionsEgress"]} == {443, 5432}
    assert "-1" not in {rule["IpProtocol"] for rule in group["IpPermissionsEgress"]}


def test_databases_are_as_configured(sandbox: Running) -> None:
    """The instance and its replica have the settings of the source."""
    instances = sandbox.account.client("rds").describe_db_instances()["DBInstances"]
    by_name: dict[str, Any] = {instance["DBInstanceIdentifier"]: instance for instance in instances}
    primary, replica = by_name[f"{PREFIX}-postgres"], by_name[f"{PREFIX}-postgres-replica-1"]
    assert (primary["MultiAZ"], primary["BackupRetentionPeriod"], primary["DeletionProtection"]) == (True, 30, True)
    assert primary["MasterUserSecret"]["SecretArn"]
    assert replica["ReadReplicaSourceDBInstanceIdentifier"] == f"{PREFIX}-postgres"
    assert replica["BackupRetentionPeriod"] == 30


def test_a_promoted_replica_has_no_source(sandbox: Running) -> None:
    """Amazon RDS User Guide, "Promoting a read replica": it is an instance of its own from then on."""
    rds = sandbox.account.client("rds")
    size = {"DBInstanceClass": "db.m7g.large", "AllocatedStorage": 20}
    user = {"MasterUsername": "admin", "MasterUserPassword": "hunter2-hunter2"}
    rds.create_db_instance(DBInstanceIdentifier="own", Engine="postgres", **size, **user)
    rds.create_db_instance_read_replica(DBInstanceIdentifier="promoted", SourceDBInstanceIdentifier="own")
    rds.promote_read_replica(DBInstanceIdentifier="promoted")
    own, promoted = (
        rds.describe_db_instances(DBInstanceIdentifier=name)["DBInstances"][0] for name in ("own", "promoted")
    )

    assert [] == own["ReadReplicaDBInstanceIdentifiers"]
    assert not promoted.get("ReadReplicaSourceDBInstanceIdentifier")
