"""Deployments of ECS services: what a service, its tasks and its deployments tell after each kind of change."""

from collections.abc import Callable
from typing import Any

import pytest

from infraspec.ecs.stop_cause import FailureClass, classify
from infraspec.sandbox.running import Running

ACCOUNT, REGION = "111122223333", "eu-west-1"
TRUST = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"sts:AssumeRole","Principal":{"Service":"ecs-tasks.amazonaws.com"}}]}'  # noqa: E501
MANAGED = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"


class Shop:
    """A small service in an account of its own: a role, a secret with a value, a log group and an image."""

    def __init__(self, running: Running) -> None:
        self.aws = running.account
        self.ecs, self.iam = self.aws.client("ecs"), self.aws.client("iam")
        self.secrets, self.logs = self.aws.client("secretsmanager"), self.aws.client("logs")
        self.number = 0

    def new(self) -> None:
        """Make another set of everything, so that a test finds nothing of one before."""
        self.number += 1
        self.name = f"shop-{self.number}"
        self.iam.create_role(RoleName=self.name, AssumeRolePolicyDocument=TRUST)
        self.iam.attach_role_policy(RoleName=self.name, PolicyArn=MANAGED)
        self.secret = self.secrets.create_secret(Name=self.name, SecretString='{"password": "x"}')["ARN"]
        self.allow(self.secret)
        self.logs.create_log_group(logGroupName=self.name)
        self.aws.client("ecr").create_repository(repositoryName=self.name)
        self.push("1")
        self.ecs.create_cluster(clusterName=self.name)

    def push(self, tag: str) -> None:
        """Push an image."""
        image_type = "application/vnd.docker.distribution.manifest.v2+json"
        digest = f"sha256:{tag * 64}"
        config = f'{{"digest": "{digest}", "size": 1}}'
        manifest = f'{{"schemaVersion": 2, "mediaType": "{image_type}", "config": {config}, "layers": []}}'
        self.aws.client("ecr").put_image(repositoryName=self.name, imageTag=tag, imageManifest=manifest)

    def allow(self, arn: str) -> None:
        """Let the execution role read one secret, and nothing else."""
        statement = f'{{"Effect":"Allow","Action":"secretsmanager:GetSecretValue","Resource":"{arn}"}}'
        document = f'{{"Version":"2012-10-17","Statement":[{statement}]}}'
        self.iam.put_role_policy(RoleName=self.name, PolicyName="read", PolicyDocument=document)

    def revision(self, value_from: str = "", tag: str = "1") -> str:
        """Register a revision that reads a value, and return its ARN."""
        container = {
            "name": "app",
            "image": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{self.name}:{tag}",
            "memory": 512,
            "secrets": [{"name": "PASSWORD", "valueFrom": value_from or self.secret}],
            "logConfiguration": {
                "logDriver": "awslogs",
                "options": {
                    "awslogs-group": self.name,
                    "awslogs-region": REGION,
                    "awslogs-stream-prefix": "app",
                },
            },
        }
        role = f"arn:aws:iam::{ACCOUNT}:role/{self.name}"
        made = self.ecs.register_task_definition(
            family=self.name, executionRoleArn=role, containerDefinitions=[container]
        )
        return str(made["taskDefinition"]["taskDefinitionArn"])

    def create(self, revision: str, *, breaker: bool = True, rollback: bool = True) -> None:
        """Create the service with two tasks."""
        configuration = {"deploymentCircuitBreaker": {"enable": breaker, "rollback": rollback}}
        self.ecs.create_service(
            cluster=self.name,
            serviceName=self.name,
            taskDefinition=revision,
            desiredCount=2,
            deploymentConfiguration=configuration,
        )

    def update(self, **changes: Any) -> None:
        """Update the service."""
        self.ecs.update_service(cluster=self.name, service=self.name, **changes)

    def service(self) -> dict[str, Any]:
        """Describe the service."""
        found: dict[str, Any] = self.ecs.describe_services(cluster=self.name, services=[self.name])["services"][0]
        return found

    def tasks(self, status: str = "RUNNING") -> list[dict[str, Any]]:
        """Describe the tasks of the service."""
        arns = self.ecs.list_tasks(cluster=self.name, serviceName=self.name, desiredStatus=status)["taskArns"]
        return self.ecs.describe_tasks(cluster=self.name, tasks=arns)["tasks"] if arns else []

    def statuses(self) -> list[str]:
        """List the states of the service deployments, the newest first."""
        made = self.ecs.list_service_deployments(cluster=self.name, service=self.name)["serviceDeployments"]
        return [one["status"] for one in made]


@pytest.fixture(scope="module")
def account(empty: Running) -> Shop:
    """Open a shop in the empty sandbox."""
    return Shop(empty)


@pytest.fixture
def shop(account: Shop) -> Shop:
    """Return the shop with a new set of everything."""
    account.new()
    return account


def test_a_service_that_can_start_reaches_steady_state(shop: Shop) -> None:
    """As many tasks as desired run since a known time, and the deployment is completed."""
    shop.create(shop.revision())
    service = shop.service()
    (deployment,) = service["deployments"]
    assert (service["runningCount"], service["pendingCount"]) == (2, 0)
    assert (deployment["rolloutState"], deployment["runningCount"], deployment["failedTasks"]) == ("COMPLETED", 2, 0)
    assert service["events"][0]["message"] == f"(service {shop.name}) has reached a steady state."
    assert all(task["lastStatus"] == "RUNNING" and task["startedAt"] for task in shop.tasks())
    assert shop.statuses() == ["SUCCESSFUL"]


def test_a_new_revision_takes_the_place_of_the_old_one(shop: Shop) -> None:
    """After an update the tasks are of the new revision, and those of the old one were stopped by ECS."""
    shop.create(shop.revision())
    new = shop.revision()
    shop.update(taskDefinition=new)
    assert {task["taskDefinitionArn"] for task in shop.tasks()} == {new}
    assert {task["stopCode"] for task in shop.tasks("STOPPED")} == {"ServiceSchedulerInitiated"}
    assert shop.statuses() == ["SUCCESSFUL", "SUCCESSFUL"]


def test_a_family_stands_for_its_newest_active_revision(shop: Shop) -> None:
    """One that was deregistered is found by its number alone; a family without any is none."""
    first, second = shop.revision(), shop.revision()

    def described(name: str) -> str:
        answer = shop.ecs.describe_task_definition(taskDefinition=name, include=["TAGS"])
        return str(answer["taskDefinition"]["taskDefinitionArn"])

    assert described(shop.name) == second
    shop.ecs.deregister_task_definition(taskDefinition=second)
    assert (described(shop.name), described(second)) == (first, second)
    shop.ecs.deregister_task_definition(taskDefinition=first)
    with pytest.raises(shop.ecs.exceptions.ClientException):
        described(shop.name)


def test_scaling_starts_and_stops_tasks_without_a_deployment(shop: Shop) -> None:
    """The desired count alone makes no deployment."""
    shop.create(shop.revision())
    shop.update(desiredCount=3)
    assert (len(shop.tasks()), shop.service()["runningCount"]) == (3, 3)
    shop.update(desiredCount=1)
    assert (len(shop.tasks()), shop.service()["runningCount"]) == (1, 1)
    assert len(shop.statuses()) == 1


def test_forcing_a_deployment_starts_new_tasks(shop: Shop) -> None:
    """The tasks are others than before."""
    shop.create(shop.revision())
    before = {task["taskArn"] for task in shop.tasks()}
    shop.update(forceNewDeployment=True)
    assert not before & {task["taskArn"] for task in shop.tasks()}


def test_the_breaker_rolls_back_to_what_ran_before(shop: Shop) -> None:
    """The service is as before, and the service deployment alone tells that it failed."""
    good = shop.revision()
    shop.create(good)
    bad = shop.revision(tag="2")
    shop.update(taskDefinition=bad)
    service = shop.service()
    assert service["taskDefinition"] == good
    assert service["deployments"][0]["rolloutState"] == "COMPLETED"
    assert {task["taskDefinitionArn"] for task in shop.tasks()} == {good}
    assert shop.statuses() == ["ROLLBACK_SUCCESSFUL", "SUCCESSFUL"]
    newest = shop.ecs.list_service_deployments(cluster=shop.name, service=shop.name)["serviceDeployments"][0]
    (told,) = shop.ecs.describe_service_deployments(serviceDeploymentArns=[newest["serviceDeploymentArn"]])[
        "serviceDeployments"
    ]
    revisions = [told["targetServiceRevision"]["arn"], told["rollback"]["serviceRevisionArn"]]
    found = shop.ecs.describe_service_revisions(serviceRevisionArns=revisions)["serviceRevisions"]
    assert [one["taskDefinition"] for one in found] == [bad, good]
    assert told["deploymentCircuitBreaker"] == {"status": "TRIGGERED", "failureCount": 3, "threshold": 3}


def test_the_first_deployment_has_nothing_to_go_back_to(shop: Shop) -> None:
    """It stays failed, and no task runs."""
    shop.create(shop.revision(tag="2"))
    service = shop.service()
    assert (service["runningCount"], service["deployments"][0]["rolloutState"]) == (0, "FAILED")
    assert shop.statuses() == ["ROLLBACK_FAILED"]


def test_without_rollback_the_failed_deployment_stays(shop: Shop) -> None:
    """The tasks of the revision before go on beside the failed deployment."""
    shop.create(good := shop.revision(), rollback=False)
    shop.update(taskDefinition=shop.revision(tag="2"))
    states = [(one["status"], one["rolloutState"]) for one in shop.service()["deployments"]]
    assert states == [("PRIMARY", "FAILED"), ("ACTIVE", "COMPLETED")]
    assert {task["taskDefinitionArn"] for task in shop.tasks()} == {good}


def test_without_a_breaker_a_deployment_goes_on_for_ever(shop: Shop) -> None:
    """It is in progress with failed tasks: nothing ever says FAILED."""
    shop.create(shop.revision(), breaker=False)
    shop.update(taskDefinition=shop.revision(tag="2"))
    primary = shop.service()["deployments"][0]
    assert (primary["rolloutState"], primary["failedTasks"]) == ("IN_PROGRESS", 3)
    assert "unable to consistently start tasks" in shop.service()["events"][0]["message"]


def _without_permission(shop: Shop) -> str:
    shop.allow("arn:aws:secretsmanager:eu-west-1:111122223333:secret:other-AbCdEf")
    return shop.revision()


def _without_key(shop: Shop) -> str:
    return shop.revision(f"{shop.secret}:user::")


def _of_missing_secret(shop: Shop) -> str:
    shop.allow("*")
    return shop.revision(f"{shop.secret[:-6]}AbCdEf")


def _of_missing_stage(shop: Shop) -> str:
    return shop.revision(f"{shop.secret}::AWSPREVIOUS:")


def _of_deleted_secret(shop: Shop) -> str:
    shop.secrets.delete_secret(SecretId=shop.secret, RecoveryWindowInDays=7)
    return shop.revision()


def _under_another_key(shop: Shop) -> str:
    key = shop.aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    shop.secrets.update_secret(SecretId=shop.secret, KmsKeyId=key)
    return shop.revision()


def _of_missing_parameter(shop: Shop) -> str:
    document = '{"Version":"2012-10-17","Statement":[{"Effect":"Allow","Action":"ssm:GetParameters","Resource":"*"}]}'
    shop.iam.put_role_policy(RoleName=shop.name, PolicyName="parameters", PolicyDocument=document)
    return shop.revision("/nowhere")


def _of_denied_parameter(shop: Shop) -> str:
    shop.aws.client("ssm").put_parameter(Name=f"/{shop.name}", Value="x", Type="String", Overwrite=True)
    return shop.revision(f"/{shop.name}")


def _of_sealed_parameter(shop: Shop) -> str:
    _of_missing_parameter(shop)
    key = shop.aws.client("kms").create_key()["KeyMetadata"]["Arn"]
    parameter = {"Name": f"/{shop.name}-sealed", "Value": "x", "Type": "SecureString", "KeyId": key}
    shop.aws.client("ssm").put_parameter(**parameter)
    return shop.revision(parameter["Name"])


def _of_missing_image(shop: Shop) -> str:
    return shop.revision(tag="2")


def _without_log_group(shop: Shop) -> str:
    shop.logs.delete_log_group(logGroupName=shop.name)
    return shop.revision()


def _malformed(shop: Shop) -> str:
    return shop.revision(f"{shop.secret}:password")


CAUSES: dict[Callable[[Shop], str], FailureClass] = {
    _without_permission: FailureClass.SECRET_ACCESS_DENIED,
    _without_key: FailureClass.SECRET_KEY_MISSING,
    _of_missing_secret: FailureClass.SECRET_MISSING,
    _of_missing_stage: FailureClass.SECRET_MISSING,
    _of_deleted_secret: FailureClass.SECRET_PENDING_DELETION,
    _under_another_key: FailureClass.KMS_ACCESS_DENIED,
    _of_missing_parameter: FailureClass.PARAMETER_UNREADABLE,
    _of_denied_parameter: FailureClass.PARAMETER_UNREADABLE,
    _of_sealed_parameter: FailureClass.KMS_ACCESS_DENIED,
    _of_missing_image: FailureClass.IMAGE_PULL_FAILED,
    _without_log_group: FailureClass.LOGGING_FAILED,
    _malformed: FailureClass.SECRET_REFERENCE_INVALID,
}


@pytest.mark.parametrize("prepare", CAUSES, ids=lambda prepare: prepare.__name__.strip("_"))
def test_a_task_that_cannot_start_says_why(shop: Shop, prepare: Callable[[Shop], str]) -> None:
    """Each cause stops the tasks before they run, with the text from which it is told."""
    shop.create(prepare(shop))
    stopped = shop.tasks("STOPPED")
    assert {classify(task["stoppedReason"]) for task in stopped} == {CAUSES[prepare]}
    assert {task["stopCode"] for task in stopped} == {"TaskFailedToStart"}
    assert all("startedAt" not in task for task in stopped)


def test_the_text_of_a_denied_secret_is_that_of_aws(shop: Shop) -> None:
    """It names the session of the execution role, the action, the secret, and that no policy allows it."""
    shop.create(_without_permission(shop))
    task = shop.tasks("STOPPED")[0]
    session = f"arn:aws:sts::{ACCOUNT}:assumed-role/{shop.name}/{task['taskArn'].rpartition('/')[2]}"
    assert task["stoppedReason"].partition(" status code")[0] == (
        "ResourceInitializationError: unable to pull secrets or registry auth: execution resource retrieval failed: "
        "unable to retrieve secret from asm: service call has been retried 1 time(s): failed to fetch secret "
        f"{shop.secret} from secrets manager: AccessDeniedException: User: {session} is not authorized to perform: "
        f"secretsmanager:GetSecretValue on resource: {shop.secret} because no identity-based policy allows the "
        "secretsmanager:GetSecretValue action"
    )


def test_stopping_a_task_starts_another(shop: Shop) -> None:
    """The service keeps its desired count."""
    shop.create(shop.revision())
    victim = shop.tasks()[0]["taskArn"]
    shop.ecs.stop_task(cluster=shop.name, task=victim, reason="test")
    assert len(shop.tasks()) == 2
    assert victim not in {task["taskArn"] for task in shop.tasks()}


def test_more_services_than_the_api_takes_are_refused(shop: Shop) -> None:
    """AWS describes ten services at a time, and moto any number."""
    with pytest.raises(shop.ecs.exceptions.InvalidParameterException):
        shop.ecs.describe_services(cluster=shop.name, services=[f"s{index}" for index in range(11)])
