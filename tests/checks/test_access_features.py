"""What each feature asks for, and what it does not, beside the cases of the table."""

from __future__ import annotations

import dataclasses
import json
from typing import Any

import pytest
from msgspec.structs import replace

from infraspec.checks.access.secret_access import check_secret_access
from infraspec.checks.access.task_definitions import check_task_definitions
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Location, Verdict
from infraspec.core.unknown import JsonText, MissingVariable, Unknown, Value, concatenate
from infraspec.ecs.access_table import ROWS, Access
from infraspec.ecs.task_definition import TaskDefinition, task_definitions
from infraspec.terraform.plan import Plan, Resource, Uncertain
from tests.checks.access_cases import ACCOUNT, CASES, LETS_ECS_IN, OTHER_ACCOUNT, REGION, Case, arn, resource

PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
CONTRACT = Contract.model_validate({"project": {"application": "app"}, "environments": {"prod": {}}})
SERVICE = "aws_ecs_service.app"
SYSTEM = Unknown("aws_efs_file_system.data.id")


KEY = Unknown("aws_kms_key.main.arn")
ENCRYPTED = "aws_s3_bucket_server_side_encryption_configuration.config"


def by_default(key: Value) -> Value:
    """Return the rule of a bucket that encrypts with a key."""
    return [{"apply_server_side_encryption_by_default": [{"sse_algorithm": "aws:kms", "kms_master_key_id": key}]}]


def findings(plan: Plan, *definitions: TaskDefinition) -> list[Finding]:
    """Return the findings but for those about trust."""
    found = check_secret_access(plan, definitions or task_definitions(plan), CONTRACT, "prod")
    return [finding for finding in found if "sts:AssumeRole" not in finding.subject]


def case_of(row: Access) -> Case:
    """Return the case of a row."""
    return next(case for case in CASES if case.row is row)


def of(action: str, found: list[Finding]) -> list[Verdict]:
    """Return the verdicts about an action."""
    return [finding.verdict for finding in found if finding.subject.endswith(f": {action}")]


def session(**values: Value) -> Case:
    """Return a case of ECS Exec whose service has other values."""
    case = case_of(ROWS["channel"])
    changed = tuple(
        replace(one, values={**one.values, **values}) if one.address == SERVICE else one for one in case.resources
    )
    return dataclasses.replace(case, resources=changed)


# ECS Exec


@pytest.mark.parametrize(
    "task_definition",
    [
        Unknown("aws_ecs_task_definition.app.arn"),
        Unknown("aws_ecs_task_definition.app.family"),
        "app",
        "app:3",
        arn("ecs", "task-definition/app:3"),
        concatenate(["app:", Unknown("aws_ecs_task_definition.app.revision")]),
    ],
    ids=str,
)
def test_a_service_is_found_by_every_name_of_its_task_definition(task_definition: Value) -> None:
    """ECS Exec of a service concerns the task definition that it runs, by ARN, family or family and revision."""
    case = session(task_definition=task_definition)
    found = findings(case.plan())
    assert [VIOLATED] == [finding.verdict for finding in found]
    assert found[0].subject == f"ECS Exec, service aws_ecs_service.app: {', '.join(ROWS['channel'].actions)}"


@pytest.mark.parametrize("named", ["app:3", arn("ecs", "task-definition/app:3")])
@pytest.mark.parametrize("newest_last", [True, False])
def test_ecs_exec_is_needed_by_the_revision_that_the_service_names(named: str, *, newest_last: bool) -> None:
    """Where there are two revisions of a family, as in what exists, the service's is the one that it names."""
    plan = session(task_definition=named).plan()
    app = plan.by_address["aws_ecs_task_definition.app"]
    runs, newest = (
        replace(app, address=address, values={**app.values, "arn": address})
        for address in (arn("ecs", "task-definition/app:3"), arn("ecs", "task-definition/app:4"))
    )
    both = (runs, newest) if newest_last else (newest, runs)
    found = findings(plan.replaced(resources=(*(one for one in plan.resources if one is not app), *both)))
    assert {finding.address for finding in found if "ECS Exec" in finding.subject} == {runs.address}


@pytest.mark.parametrize(
    ("enabled", "expected"),
    [(False, []), (None, []), (True, [VIOLATED]), (Unknown("var.debug"), [UNDETERMINED])],
)
def test_ecs_exec_is_needed_where_it_is_enabled(enabled: Value, expected: list[Verdict]) -> None:
    """A service without ECS Exec asks for nothing; one of which it is not known is no violation."""
    found = findings(session(enable_execute_command=enabled).plan())
    assert set(expected) == {finding.verdict for finding in found}


def test_what_is_missing_of_ecs_exec_is_one_statement() -> None:
    """The four permissions are one finding with one statement; those that the role has are proven one by one."""
    (finding,) = findings(session().plan())
    assert all(f'"{action}"' in finding.remedy for action in ROWS["channel"].actions)
    assert finding.remedy.count("Effect") + finding.remedy.count("statement {") == 1
    assert all(action in finding.expected for action in ROWS["channel"].actions)


def test_ecs_exec_of_another_task_definition_is_not_asked_for() -> None:
    """A service that runs another task definition says nothing of this one."""
    assert findings(session(task_definition="other").plan()) == []


def test_a_service_of_unknown_task_definition_is_one_finding() -> None:
    """Which role ECS Exec of such a service needs is not known."""
    (finding,) = findings(
        session(task_definition=Unknown("var.task_definition", MissingVariable("task_definition"))).plan()
    )
    assert (finding.verdict, finding.address, finding.subject) == (UNDETERMINED, SERVICE, "ECS Exec")
    assert finding.remedy.startswith("give var.task_definition a value")


def test_ecs_exec_needs_a_task_role() -> None:
    """A task definition without a task role cannot open a session."""
    case = session()
    plan = case.plan()
    task = plan.by_address["aws_ecs_task_definition.app"]
    without = replace(task, values={**task.values, "task_role_arn": None})
    found = findings(plan.replaced(resources=(without, *plan.resources[1:])))
    assert [VIOLATED] == [finding.verdict for finding in found]
    assert found[0].found == "the task definition has no task role"
    assert "set task_role_arn" in found[0].remedy


def test_ecs_exec_of_a_task_definition_file() -> None:
    """A file is run by the services that name its family."""
    text = json.dumps(
        {
            "family": "web",
            "requiresCompatibilities": ["FARGATE"],
            "taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/app-task",
            "containerDefinitions": [{"name": "web", "image": "nginx"}],
        }
    )
    definition = TaskDefinition.from_json(text, "web.json")
    found = findings(session(task_definition="web:7").plan(), definition)
    assert [VIOLATED] == [finding.verdict for finding in found]
    assert found[0].location == Location("main.tf", 1)


@pytest.mark.parametrize("logging", ["NONE", "DEFAULT", None])
def test_a_session_log_is_needed_only_where_it_is_configured(logging: str | None) -> None:
    """The log group of the cluster counts with OVERRIDE alone."""
    case = case_of(ROWS["session_stream"])
    service, cluster = case.resources
    log = [{"cloud_watch_log_group_name": "/ecs/sessions"}]
    configuration = [{"execute_command_configuration": [{"logging": logging, "log_configuration": log}]}]
    changed = replace(cluster, values={**cluster.values, "configuration": configuration})
    found = findings(dataclasses.replace(case, resources=(service, changed)).plan())
    assert {finding.subject.rpartition(": ")[2].partition(":")[0] for finding in found} == {"ssmmessages"}


@pytest.mark.parametrize("cluster", ["main", arn("ecs", "cluster/main"), Unknown("aws_ecs_cluster.main.arn")], ids=str)
def test_a_cluster_is_found_by_every_name(cluster: Value) -> None:
    """The cluster's configuration counts whether the service names it by reference, name or ARN."""
    case = case_of(ROWS["session_key"])
    service, *rest = case.resources
    changed = replace(service, values={**service.values, "cluster": cluster})
    found = findings(dataclasses.replace(case, resources=(changed, *rest)).plan())
    assert of("kms:Decrypt", found) == [VIOLATED]


def logged(**log: Value) -> list[Finding]:
    """Return the findings of a cluster that logs its sessions, where the role may open them."""
    service, cluster = case_of(ROWS["session_stream"]).resources
    block = [{"execute_command_configuration": [{"logging": "OVERRIDE", "log_configuration": [log]}]}]
    changed = replace(cluster, values={**cluster.values, "configuration": block})
    case = dataclasses.replace(case_of(ROWS["channel"]), resources=(service, changed))
    return findings(case.plan(case.statement("*")))


@pytest.mark.parametrize(
    ("encrypted", "expected"),
    [(None, UNDETERMINED), (False, UNDETERMINED), (True, VIOLATED), (Unknown("var.encrypted"), UNDETERMINED)],
)
def test_the_encryption_of_a_log_is_looked_at_where_it_has_to_be_there(encrypted: Value, expected: Verdict) -> None:
    """A session does not open without that look; where no encryption is asked for it does."""
    group = logged(cloud_watch_log_group_name="/ecs/sessions", cloud_watch_encryption_enabled=encrypted)
    assert of("logs:DescribeLogGroups", group) == [expected]
    bucket = logged(s3_bucket_name="sessions", s3_bucket_encryption_enabled=encrypted)
    assert of("s3:GetEncryptionConfiguration", bucket) == [expected]
    assert of("s3:PutObject", bucket) == [VIOLATED]


def test_the_key_of_a_session_is_used_directly() -> None:
    """A statement for uses of the key through Secrets Manager does not cover the sessions."""
    case = case_of(ROWS["session_key"])
    condition = {"StringEquals": {"kms:ViaService": f"secretsmanager.{REGION}.amazonaws.com"}}
    plan = case.plan({**case.statement(case.covers), "Condition": condition})
    assert of("kms:Decrypt", findings(plan)) == [VIOLATED]


# Service Connect

PROXY = "Service Connect, service aws_ecs_service.app, "
GROUP = {"awslogs-group": "/ecs/proxy", "awslogs-region": REGION, "awslogs-stream-prefix": "proxy"}


def proxied(configuration: Value, *resources: Resource, **values: Value) -> Case:
    """Return a case whose service has Service Connect; its row is one of the execution role."""
    service, cluster = case_of(ROWS["channel"]).resources
    own = {**service.values, "enable_execute_command": False, "service_connect_configuration": configuration, **values}
    return Case(ROWS["log_stream"], "", "", resources=(replace(service, values=own), cluster, *resources))


def proxy(**log: Value) -> list[Value]:
    """Return a configuration whose proxy writes a log."""
    return [{"enabled": True, "log_configuration": [log]}]


def test_the_proxy_of_service_connect_writes_its_log_with_the_execution_role() -> None:
    """It is a container of the task: its log stream is asked for as that of every other."""
    case = proxied(proxy(log_driver="awslogs", options=GROUP))
    found = findings(case.plan())
    assert [(one.subject, one.verdict) for one in found] == [
        (f"{PROXY}log group: logs:CreateLogStream, logs:PutLogEvents", VIOLATED),
    ]
    assert "the execution role aws_iam_role.execution must be allowed to perform" in found[0].expected
    allowed = case.plan(case.statement(arn("logs", "log-group:/ecs/proxy:*")))
    assert {PROVEN} == {finding.verdict for finding in findings(allowed)}


def test_the_proxy_of_service_connect_reads_the_secrets_of_its_driver() -> None:
    """A secret option is read by the execution role, and decrypted under its key."""
    key = Unknown("aws_kms_key.main.arn")
    secret = resource("aws_secretsmanager_secret.splunk", name="splunk", kms_key_id=key)
    option = {"name": "splunk-token", "value_from": Unknown("aws_secretsmanager_secret.splunk.arn")}
    log = proxy(log_driver="splunk", options={}, secret_option=[option])
    found = findings(proxied(log, secret, resource("aws_kms_key.main")).plan())
    assert [(one.subject, one.verdict) for one in found] == [
        (f'{PROXY}log option "splunk-token": secretsmanager:GetSecretValue', VIOLATED),
        (f'{PROXY}KMS key of log option "splunk-token": kms:Decrypt', VIOLATED),
    ]


@pytest.mark.parametrize(
    ("configuration", "expected"),
    [
        ([{"enabled": False, "log_configuration": [{"log_driver": "awslogs", "options": GROUP}]}], []),
        ([{"enabled": True}], []),
        (None, []),
        ([{"enabled": Unknown("var.mesh"), "log_configuration": [{"log_driver": "awslogs", "options": GROUP}]}],
         [UNDETERMINED, UNDETERMINED]),
        (Unknown("var.connect"), [UNDETERMINED, UNDETERMINED]),
        (proxy(log_driver="awslogs", options=Unknown("var.options")), [UNDETERMINED]),
        (proxy(log_driver=Unknown("var.driver"), options=GROUP), [UNDETERMINED]),
    ],
)  # fmt: skip
def test_a_proxy_whose_log_is_not_known_is_reported(configuration: Value, expected: list[Verdict]) -> None:
    """What is off asks for nothing; what is not known may ask for anything."""
    assert expected == [finding.verdict for finding in findings(proxied(configuration).plan())]


def test_a_proxy_of_a_task_definition_that_is_not_known_is_reported() -> None:
    """Which execution role it writes with is not known."""
    log = proxy(log_driver="awslogs", options=GROUP)
    (finding,) = findings(
        proxied(log, task_definition=Unknown("var.task_definition", MissingVariable("task_definition"))).plan()
    )
    assert (finding.verdict, finding.address, finding.subject) == (UNDETERMINED, SERVICE, "Service Connect")


# Volumes


def mounted(iam: Value = "ENABLED", system: Value = SYSTEM, *resources: Resource, **container: Value) -> Case:
    """Return a case with an EFS volume."""
    authorization = [{"access_point_id": Unknown("aws_efs_access_point.app.id"), "iam": iam}]
    block = [{"file_system_id": system, "authorization_config": authorization}]
    volume = [{"name": "data", "efs_volume_configuration": block}, {"name": "scratch"}]
    return Case(ROWS["mount"], "", "", container, {"volume": volume}, resources)


def test_a_file_system_without_a_policy_lets_every_client_in() -> None:
    """A file system of the plan without a policy asks nothing of the role."""
    found = findings(mounted("ENABLED", SYSTEM, resource("aws_efs_file_system.data")).plan())
    assert [PROVEN] == of("elasticfilesystem:ClientMount", found)
    assert "has no policy, and the default policy allows every client" in found[0].reason


@pytest.mark.parametrize(
    ("iam", "expected"), [("DISABLED", []), (None, []), ("", []), (Unknown("var.iam"), [UNDETERMINED])]
)
def test_iam_authorization_has_to_be_enabled(iam: Value, expected: list[Verdict]) -> None:
    """Without IAM authorization the task role is not asked; where it is not known, nothing is VIOLATED."""
    assert expected == of("elasticfilesystem:ClientMount", findings(mounted(iam).plan()))


def test_a_file_system_from_elsewhere_may_have_any_policy() -> None:
    """Of a file system that is not in the plan it is not known whether its policy lets the role in."""
    case = mounted(system="fs-12345678")
    assert of("elasticfilesystem:ClientMount", findings(case.plan())) == [UNDETERMINED]
    allow = {"Effect": "Allow", "Action": "elasticfilesystem:Client*", "Resource": arn("elasticfilesystem", "*")}
    inline = dataclasses.replace(case, row=ROWS["mount"])
    assert of("elasticfilesystem:ClientMount", findings(inline.plan(allow))) == [PROVEN]


def test_a_statement_of_a_file_system_without_a_resource_may_be_about_it() -> None:
    """The console of EFS writes such statements: what one says is neither proof nor violation."""
    here, action = resource("aws_efs_file_system.data"), "elasticfilesystem:ClientMount"
    for effect in ("Allow", "Deny"):
        document = JsonText({"Statement": [{"Effect": effect, "Action": "elasticfilesystem:*", "Principal": "*"}]})
        policy = resource("aws_efs_file_system_policy.data", file_system_id=SYSTEM, policy=document)
        case = mounted("ENABLED", SYSTEM, here, policy)
        own = [{**case.statement("*"), "Action": "elasticfilesystem:*"}] if effect == "Deny" else []
        found = findings(case.plan(*own))
        assert of(action, found) == [UNDETERMINED]
        assert "does not document whether a statement without a Resource is about" in found[0].reason


def test_a_volume_that_is_mounted_read_only_needs_no_write() -> None:
    """ClientWrite is asked for a volume that a container may write to."""
    for read_only, expected in ((True, []), (False, [UNDETERMINED]), (Unknown("var.ro"), [UNDETERMINED])):
        points = [{"sourceVolume": "data", "readOnly": read_only}, {"sourceVolume": "scratch", "readOnly": False}]
        found = findings(mounted(mountPoints=points).plan())
        assert expected == of("elasticfilesystem:ClientWrite", found)


def test_an_access_point_is_part_of_the_request() -> None:
    """A statement for one access point allows mounts through it, and no other."""
    points = [resource("aws_efs_access_point.app"), resource("aws_efs_access_point.other")]
    case = mounted("ENABLED", SYSTEM, *case_of(ROWS["mount"]).resources, *points)
    for name, expected in (("app", PROVEN), ("other", UNDETERMINED)):
        condition = {"ArnEquals": {"elasticfilesystem:AccessPointArn": Unknown(f"aws_efs_access_point.{name}.arn")}}
        statement = {**case.statement("*"), "Action": "elasticfilesystem:ClientMount", "Condition": condition}
        assert of("elasticfilesystem:ClientMount", findings(case.plan(statement)))[0] is expected


def let_in(principal: Value, **condition: Value) -> Resource:
    """Return the policy of a file system that lets a principal mount it."""
    statement: dict[str, Value] = {
        "Effect": "Allow",
        "Principal": {"AWS": principal},
        "Action": "elasticfilesystem:ClientMount",
        "Resource": Unknown("aws_efs_file_system.data.arn"),
        **({"Condition": condition} if condition else {}),
    }
    document = JsonText({"Version": "2012-10-17", "Statement": [statement]})
    return resource("aws_efs_file_system_policy.data", file_system_id=SYSTEM, policy=document)


@pytest.mark.parametrize(
    ("policy", "transit", "expected"),
    [
        (let_in("*"), None, PROVEN),
        (let_in("*", Bool={"elasticfilesystem:AccessedViaMountTarget": "true"}), None, PROVEN),
        (let_in(Unknown("aws_iam_role.task.arn")), None, VIOLATED),
        (let_in(f"arn:aws:iam::{ACCOUNT}:root"), None, VIOLATED),
        (let_in("*", Bool={"aws:SecureTransport": "true"}), None, VIOLATED),
        (let_in("*", Bool={"aws:SecureTransport": "true"}), "ENABLED", PROVEN),
        (let_in("*", Bool={"aws:SecureTransport": "true"}), Unknown("var.transit"), UNDETERMINED),
        (let_in("*", StringEquals={"aws:SourceVpc": "vpc-1"}), "ENABLED", UNDETERMINED),
        (let_in("*", StringEquals={"aws:PrincipalAccount": ACCOUNT}), "ENABLED", VIOLATED),
        (let_in("*", ArnLike={"aws:PrincipalArn": f"arn:aws:iam::{ACCOUNT}:role/*"}), "ENABLED", VIOLATED),
    ],
)
def test_without_iam_a_volume_is_mounted_by_nobody(policy: Resource, transit: Value, expected: Verdict) -> None:
    """What the policy of the file system does not let everybody do, a task without IAM authorization may not do."""
    case = mounted("DISABLED", SYSTEM, resource("aws_efs_file_system.data"), policy)
    (block,) = case.values["volume"][0]["efs_volume_configuration"]
    volume = [{"name": "data", "efs_volume_configuration": [{**block, "transit_encryption": transit}]}]
    (found,) = findings(dataclasses.replace(case, values={"volume": volume}).plan())
    assert (expected, 'volume "data", EFS file system: elasticfilesystem:ClientMount without IAM') == (
        found.verdict,
        found.subject,
    )
    assert expected is PROVEN or 'iam = "ENABLED"' in found.remedy


def test_a_policy_that_may_be_there_leaves_it_open() -> None:
    """Of a policy of which it is not known whether there is one, nothing is VIOLATED."""
    policy = let_in(Unknown("aws_iam_role.task.arn"))
    policy = replace(policy, address=f"{policy.address}[?]", key="?")
    plan = mounted("DISABLED", SYSTEM, resource("aws_efs_file_system.data"), policy).plan()
    count = Uncertain("count", "aws_efs_file_system_policy.data", Unknown("var.n"))
    (found,) = findings(plan.replaced(uncertain={policy.address: count}))
    assert (UNDETERMINED, True) == (found.verdict, "var.n" in found.reason)


def test_without_iam_and_without_a_policy_nothing_is_asked() -> None:
    """A file system without a policy lets every client in."""
    assert [] == findings(mounted("DISABLED", SYSTEM, resource("aws_efs_file_system.data")).plan())


# Outputs of FireLens


def routed(**options: Value) -> Case:
    """Return a case whose log goes through FireLens."""
    return Case(ROWS["firelens_logs"], "", "", {"logConfiguration": {"logDriver": "awsfirelens", "options": options}})


@pytest.mark.parametrize(
    ("options", "listed", "expected"),
    [
        ({"Name": "s3", "bucket": "logs"}, "arn:aws:s3:::logs/*", {"s3:PutObject": PROVEN}),
        ({"name": "s3", "Bucket": "logs"}, "arn:aws:s3:::other/*", {"s3:PutObject": VIOLATED}),
        (
            {"Name": "cloudwatch", "log_group_name": "/ecs/$(task)", "region": REGION},
            arn("logs", "log-group:/ecs/*:*"),
            {"logs:CreateLogStream": UNDETERMINED, "logs:PutLogEvents": UNDETERMINED},
        ),
        (
            {"Name": "cloudwatch_logs", "log_group_name": "/ecs/app", "region": "us-east-1"},
            arn("logs", "log-group:/ecs/app:*"),
            {"logs:CreateLogStream": VIOLATED, "logs:PutLogEvents": VIOLATED},
        ),
        ({"Name": "opensearch", "Host": "logs.example.com", "AWS_Auth": "Off"}, "*", {}),
        ({"Name": "datadog", "apikey": "…"}, "*", {}),
        (
            {"Name": "es", "Host": Unknown("aws_opensearch_domain.logs.endpoint"), "AWS_Auth": "On"},
            arn("es", "domain/logs/*"),
            {"es:ESHttpPost": PROVEN},
        ),
        (
            {"Name": "es", "Host": Unknown("aws_opensearch_domain.logs.endpoint"), "AWS_Auth": "On"},
            arn("es", "domain/other/*"),
            {"es:ESHttpPost": VIOLATED},
        ),
        ({"config": "x"}, "*", {}),
        ({"Name": Unknown("var.output"), "bucket": "logs"}, "*", {"logs:CreateLogStream": UNDETERMINED}),
        (
            {"Name": "opensearch", "AWS_Auth": Unknown("var.signed")},
            "arn:aws:s3:::*",
            {"es:ESHttpPost": UNDETERMINED},
        ),
    ],
)
def test_an_output_of_firelens_is_written_by_the_task(
    options: dict[str, Value], listed: str, expected: dict[str, Verdict]
) -> None:
    """The task role needs what the output writes with; another company's output needs nothing of AWS."""
    actions = ["s3:PutObject", "logs:CreateLogStream", "logs:PutLogEvents", "es:ESHttpPost"]
    allow = {"Effect": "Allow", "Action": actions, "Resource": listed}
    case = dataclasses.replace(
        routed(**options), resources=(resource("aws_opensearch_domain.logs", domain_name="logs"),)
    )
    judged = findings(case.plan(allow))
    found = {action: one.verdict for one in judged for action in one.subject.rpartition(": ")[2].split(", ")}
    some = {action: verdict for action, verdict in found.items() if action in expected}
    assert (expected, len(expected) > 0) == (some, len(found) > 0)


def test_a_role_of_the_output_is_assumed_first() -> None:
    """With a role of its own the output asks for that role alone; whether it lets the task in is not known."""
    router = f"arn:aws:iam::{ACCOUNT}:role/router"
    case = routed(Name="s3", bucket="logs", role_arn=router)
    assume = {"Effect": "Allow", "Action": "sts:AssumeRole", "Resource": router}
    for statement, expected in ((assume, UNDETERMINED), ({**assume, "Effect": "Deny"}, VIOLATED)):
        plan = case.plan(statement)
        found = check_secret_access(plan, task_definitions(plan), CONTRACT, "prod")
        assert [expected] == [one.verdict for one in found if "log output" in one.subject]


def test_a_log_group_that_the_plan_makes_is_not_made_by_firelens() -> None:
    """With auto_create_group the group is made where there is none; without the permission it is no violation then."""
    group = resource("aws_cloudwatch_log_group.app", name="/ecs/app")
    case = routed(Name="cloudwatch_logs", log_group_name="/ecs/app", auto_create_group="On")
    for resources, expected in (((), VIOLATED), ((group,), UNDETERMINED)):
        found = findings(dataclasses.replace(case, resources=resources).plan())
        assert [expected] == of("logs:CreateLogGroup", found)


# Environment files under a key


@pytest.mark.parametrize(
    ("resources", "expected"),
    [
        ([("aws_s3_object.env", {"bucket": "config", "key": "app.env", "kms_key_id": KEY})], [VIOLATED]),
        ([("aws_s3_bucket_object.env", {"bucket": "config", "key": "app.env", "kms_key_id": KEY})], [VIOLATED]),
        ([("aws_s3_object.env", {"bucket": "config", "key": "other.env", "kms_key_id": KEY})], []),
        ([("aws_s3_object.env", {"bucket": "config", "key": "app.env"})], []),
        ([(ENCRYPTED, {"bucket": "config", "rule": by_default(KEY)})], [VIOLATED]),
        ([(ENCRYPTED, {"bucket": Unknown("aws_s3_bucket.config.bucket"), "rule": by_default(KEY)})], [VIOLATED]),
        ([(ENCRYPTED, {"bucket": "other", "rule": by_default(KEY)})], []),
        ([(ENCRYPTED, {"bucket": "config", "rule": by_default("alias/aws/s3")})], []),
        ([(ENCRYPTED, {"bucket": "config", "rule": by_default(None)})], []),
    ],
)
def test_an_environment_file_under_a_key_is_decrypted(
    resources: list[tuple[str, dict[str, Value]]], expected: list[Verdict]
) -> None:
    """The execution role has to decrypt an object that it, or its bucket, has under a customer managed key."""
    made = [resource("aws_s3_bucket.config", bucket="config"), resource("aws_kms_key.main")]
    made += [resource(address, **values) for address, values in resources]
    files = {"environmentFiles": [{"type": "s3", "value": "arn:aws:s3:::config/app.env"}]}
    case = Case(ROWS["file"], "", "", files, resources=tuple(made))
    read = {"Effect": "Allow", "Action": "s3:*", "Resource": "*"}
    assert expected == of("kms:Decrypt", findings(case.plan(read)))
    through = {"StringEquals": {"kms:ViaService": f"s3.{REGION}.amazonaws.com"}}
    decrypt = {"Effect": "Allow", "Action": "kms:Decrypt", "Resource": KEY, "Condition": through}
    assert [PROVEN for _ in expected] == of("kms:Decrypt", findings(case.plan(read, decrypt)))


def s3_files(system: Value, *resources: Resource, **configuration: Value) -> Case:
    """Return a case with a volume of S3 Files."""
    volume = [{"name": "data", "s3files_volume_configuration": [{"file_system_arn": system, **configuration}]}]
    return Case(ROWS["s3_files_mount"], "", "", values={"volume": volume}, resources=resources)


def test_the_policy_of_an_s3_file_system_may_let_the_role_in() -> None:
    """Without a policy nobody is let in; one that is not in the plan may do so."""
    system, mount = Unknown("aws_s3files_file_system.data.arn"), "s3files:ClientMount"
    here = resource("aws_s3files_file_system.data")
    role = Unknown("aws_iam_role.task.arn")
    allow = {"Effect": "Allow", "Action": mount, "Principal": {"AWS": role}, "Resource": "*"}
    document = JsonText({"Version": "2012-10-17", "Statement": [allow]})
    identity = Unknown("aws_s3files_file_system.data.id")
    policy = resource("aws_s3files_file_system_policy.data", file_system_id=identity, policy=document)
    assert of(mount, findings(s3_files(system, here).plan())) == [VIOLATED]
    assert of(mount, findings(s3_files(system, here, policy).plan())) == [PROVEN]
    elsewhere = findings(s3_files(arn("s3files", "file-system/fs-1")).plan())
    assert of(mount, elsewhere) == [UNDETERMINED]
    assert "is not in this plan: it may allow it" in elsewhere[0].reason


def test_an_access_point_of_s3_files_is_part_of_the_request() -> None:
    """A statement for one access point allows mounts through it, and through no other."""
    system, mount = Unknown("aws_s3files_file_system.data.arn"), "s3files:ClientMount"
    points = [arn("s3files", f"file-system/fs-1/access-point/fsap-{number}") for number in (1, 2)]
    case = s3_files(system, resource("aws_s3files_file_system.data"), access_point_arn=points[0])
    for point, expected in zip(points, (PROVEN, VIOLATED), strict=True):
        condition = {"ArnEquals": {"s3files:AccessPointArn": point}}
        statement = {**case.statement("*"), "Action": mount, "Condition": condition}
        assert of(mount, findings(case.plan(statement))) == [expected]


def test_volumes_of_a_file() -> None:
    """Volumes of task definition JSON are read as those of Terraform."""
    fsx = {"fileSystemId": "fs-1", "authorizationConfig": {"credentialsParameter": arn("ssm", "parameter/ad")}}
    efs = {"fileSystemId": "fs-2", "authorizationConfig": {"iam": "ENABLED"}}
    text = json.dumps(
        {
            "family": "web",
            "executionRoleArn": f"arn:aws:iam::{ACCOUNT}:role/app-execution",
            "taskRoleArn": f"arn:aws:iam::{ACCOUNT}:role/app-task",
            "containerDefinitions": [{"name": "web", "image": "nginx"}],
            "volumes": [
                {"name": "share", "fsxWindowsFileServerVolumeConfiguration": fsx},
                {"name": "data", "efsVolumeConfiguration": efs},
                {"name": "lake", "s3filesVolumeConfiguration": {"fileSystemArn": arn("s3files", "file-system/fs-3")}},
            ],
        },
        indent=1,
    )
    roles = [
        resource(f"aws_iam_role.{kind}", name=f"app-{kind}", assume_role_policy=LETS_ECS_IN)
        for kind in ("execution", "task")
    ]
    parameter = resource("aws_ssm_parameter.ad", name="/ad", type="String")
    plan = Plan("source", (*roles, parameter), account=ACCOUNT, region=REGION)
    found = findings(plan, TaskDefinition.from_json(text, "web.json"))
    assert [(finding.subject, finding.verdict) for finding in found] == [
        ('volume "share", FSx for Windows file system: fsx:DescribeFileSystems', VIOLATED),
        ('volume "share", credentials of the file system: ssm:GetParameters', VIOLATED),
        ('volume "data", EFS file system: elasticfilesystem:ClientMount', UNDETERMINED),
        ('volume "lake", S3 file system: s3files:ClientMount', UNDETERMINED),
    ]
    assert found[1].location == Location("web.json", 17)


@pytest.mark.parametrize(
    ("volumes", "subject"),
    [
        (Unknown("var.volumes"), "volumes"),
        ([Unknown("var.volume")], "volumes.0"),
        ([{"name": "data", "efs_volume_configuration": [Unknown("var.efs")]}], "volumes.0.efsVolumeConfiguration"),
    ],
)
def test_volumes_that_are_not_known_are_reported(volumes: Value, subject: str) -> None:
    """A volume of which nothing is known may ask for anything."""
    case = Case(ROWS["mount"], "", "", values={"volume": volumes})
    (finding,) = findings(case.plan())
    assert (finding.verdict, finding.subject) == (UNDETERMINED, subject)


# Images


def cached(*resources: Resource, image: str = "quay/app") -> list[Finding]:
    """Return the findings about the cache of an image."""
    container = {"image": f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/{image}:1"}
    pull = {"Effect": "Allow", "Action": ["ecr:GetAuthorizationToken", "ecr:Batch*", "ecr:Get*"], "Resource": "*"}
    return findings(Case(ROWS["token"], "*", "", container, resources=resources).plan(pull))


def rule(prefix: str) -> Resource:
    """Build a pull-through cache rule."""
    return resource(
        "aws_ecr_pull_through_cache_rule.one", ecr_repository_prefix=prefix, upstream_registry_url="quay.io"
    )


@pytest.mark.parametrize(
    ("prefix", "image", "expected"),
    [("quay", "quay/app", 1), ("quay", "quayside/app", 0), ("quay", "app", 0), ("ROOT", "library/nginx", 1)],
)
def test_a_rule_is_for_the_repositories_below_its_prefix(prefix: str, image: str, expected: int) -> None:
    """A rule concerns the images below its prefix, or with ROOT all."""
    assert len(of("ecr:CreateRepository", cached(rule(prefix), image=image))) == expected
    assert len(of("ecr:BatchImportUpstreamImage", cached(rule(prefix), image=image))) == expected


def test_a_repository_of_the_plan_need_not_be_created() -> None:
    """A repository below the prefix that is in the plan needs no ecr:CreateRepository."""
    repository = resource("aws_ecr_repository.app", name="quay/app")
    found = cached(rule("quay"), repository)
    assert of("ecr:CreateRepository", found) == []
    assert of("ecr:BatchImportUpstreamImage", found) == [PROVEN]
    assert (
        of("ecr:BatchImportUpstreamImage", cached(rule("ROOT"), resource("aws_ecr_repository.app", name="quay/app")))
        == []
    )


def test_the_policy_of_the_registry_may_allow_it() -> None:
    """The registry's policy lets a role fill the cache as its own policies do."""
    entry = {
        "Effect": "Allow",
        "Principal": {"AWS": f"arn:aws:iam::{ACCOUNT}:role/app-execution"},
        "Action": ["ecr:CreateRepository", "ecr:BatchImportUpstreamImage"],
        "Resource": arn("ecr", "repository/quay/*"),
    }
    registry = resource("aws_ecr_registry_policy.own", policy=JsonText({"Version": "2012-10-17", "Statement": [entry]}))
    assert of("ecr:CreateRepository", cached(rule("quay"))) == [UNDETERMINED]
    assert of("ecr:CreateRepository", cached(rule("quay"), registry)) == [PROVEN]


def test_a_repository_of_another_account_has_to_allow_it_too() -> None:
    """A cross-account pull needs both sides; what the other side says is not known."""
    container = {"image": f"{OTHER_ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/app:1"}
    allow = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*"}
    token, *layers = findings(Case(ROWS["token"], "*", "", container).plan(allow))
    assert token.verdict is PROVEN
    assert [UNDETERMINED] * 2 == [finding.verdict for finding in layers]
    assert f"the resource policy of {arn('ecr', 'repository/app', OTHER_ACCOUNT)} is unknown" in layers[0].reason
    token, *layers = findings(Case(ROWS["token"], "*", "", container).plan())
    assert [VIOLATED] * 2 == [finding.verdict for finding in (token, *layers)]


@pytest.mark.parametrize(
    ("container", "said"),
    [
        (
            {"secrets": [{"name": "DB", "valueFrom": arn("secretsmanager", "secret:db-AbCdEf", OTHER_ACCOUNT)}]},
            {
                "secretsmanager:GetSecretValue": "the policy of arn:aws:secretsmanager:",
                "kms:Decrypt": "the policy of the",
            },
        ),
        (
            {"image": f"{OTHER_ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/app:1"},
            {"ecr:BatchGetImage": "the policy of arn:aws:ecr:"},
        ),
        (
            {"secrets": [{"name": "DB", "valueFrom": arn("ssm", "parameter/app/db", OTHER_ACCOUNT)}]},
            {"ssm:GetParameters": "AWS Resource Access Manager"},
        ),
    ],
    ids=["secret", "image", "parameter"],
)
def test_what_the_other_account_has_to_say_is_ready_to_paste(container: dict[str, Value], said: dict[str, str]) -> None:
    """Where another account's policy decides, the remedy is the statement for that policy, with the role's ARN."""
    allow = {"Effect": "Allow", "Action": "*", "Resource": "*"}
    found = {
        finding.subject.rpartition(": ")[2]: finding
        for finding in findings(Case(ROWS["token"], "*", "", container).plan(allow))
    }
    for action, words in said.items():
        finding = found[action]
        assert finding.verdict is UNDETERMINED
        assert words in finding.remedy
        assert "covers it for certain" not in finding.remedy
        if not action.startswith("ssm:"):
            assert f'"{action}"' in finding.remedy
            assert f'AWS = "arn:aws:iam::{ACCOUNT}:role/app-execution"' in finding.remedy
            assert ("Resource" in finding.remedy) is not action.startswith("ecr:")


@pytest.mark.parametrize("key", ["aws:SourceVpc", "aws:SourceVpce"])
def test_the_token_does_not_come_through_the_vpc_of_the_task(key: str) -> None:
    """A condition on the VPC lets layers pass, perhaps, and never the token of a task on Fargate."""
    case = case_of(ROWS["layers"])
    allow = {"Effect": "Allow", "Action": "ecr:*", "Resource": "*", "Condition": {"StringEquals": {key: "vpc-1"}}}
    token, *layers = findings(case.plan(allow))
    assert token.verdict is VIOLATED
    assert {finding.verdict for finding in layers} == {UNDETERMINED}


# Files and credential specs


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({"config-file-type": "file", "config-file-value": "/fluent.conf"}, []),
        ({"enable-ecs-log-metadata": "true"}, []),
        ({"config-file-type": Unknown("var.kind"), "config-file-value": Unknown("var.file")}, [UNDETERMINED] * 2),
    ],
)
def test_a_router_that_reads_no_object(options: dict[str, Value], expected: list[Verdict]) -> None:
    """The configuration of FireLens in a file of the image asks for nothing."""
    case = Case(ROWS["router"], "", "", {"firelensConfiguration": {"type": "fluentbit", "options": options}})
    assert expected == [finding.verdict for finding in findings(case.plan())]


@pytest.mark.parametrize(
    ("container", "expected"),
    [
        ({"credentialSpecs": ["credentialspec:file://spec.json"]}, []),
        ({"dockerSecurityOptions": ["no-new-privileges", "label:user:app"]}, []),
        ({"credentialSpecs": [Unknown("var.spec")]}, [UNDETERMINED]),
        ({"credentialSpecs": [concatenate(["credentialspec:", Unknown("var.spec")])]}, [UNDETERMINED]),
        (
            {"credentialSpecs": [concatenate(["credentialspec:", Unknown("aws_s3_bucket.specs.arn"), "/app.json"])]},
            [VIOLATED],
        ),
    ],
    ids=str,
)
def test_credential_specs(container: dict[str, Any], expected: list[Verdict]) -> None:
    """A credential spec in a file of the instance asks for nothing; one that is not known may ask for anything."""
    case = Case(ROWS["spec_object"], "", "", container, resources=(resource("aws_s3_bucket.specs", bucket="specs"),))
    assert expected == [finding.verdict for finding in findings(case.plan())]


# Secrets


@pytest.mark.parametrize("listed", ["secret:db-??????", "secret:db", "secret:db*", "secret:*"])
def test_a_partial_arn_is_no_proof_whatever_is_allowed(listed: str) -> None:
    """A valueFrom without the six characters is one finding, of task-definitions, and its fix is the whole ARN."""
    partial = {"secrets": [{"name": "DB", "valueFrom": arn("secretsmanager", "secret:db") + ":password::"}]}
    case = Case(ROWS["secret"], "", "", partial, resources=(resource("aws_secretsmanager_secret.db", name="db"),))
    plan = case.plan(case.statement(arn("secretsmanager", listed)))
    found = [*check_secret_access(plan, task_definitions(plan), CONTRACT, "prod")]
    found += check_task_definitions(plan, task_definitions(plan), CONTRACT, "prod")
    (finding,) = [one for one in found if '"DB"' in one.subject]
    assert (VIOLATED, "task-definitions") == (finding.verdict, finding.rule)
    assert "use aws_secretsmanager_secret.db.arn" in finding.remedy


def test_the_partial_arn_of_credentials_is_left_open() -> None:
    """Where no rule says that it has to be whole, an allow is no proof; the fix is the whole ARN."""
    partial = {"repositoryCredentials": {"credentialsParameter": arn("secretsmanager", "secret:hub")}}
    case = Case(ROWS["registry"], "", "", partial)
    (finding,) = findings(case.plan(case.statement("*")))
    assert (UNDETERMINED, True) == (finding.verdict, "full ARN" in finding.remedy)


@pytest.mark.parametrize(
    "value", ["/aws/reference/secretsmanager/db", arn("ssm", "parameter/aws/reference/secretsmanager/db")]
)
def test_a_parameter_that_refers_to_a_secret(value: str) -> None:
    """Such a parameter, by name or ARN, needs the permission on the secret too."""
    container = {"secrets": [{"name": "DB", "valueFrom": value}]}
    case = Case(ROWS["parameter"], "", "", container, resources=(resource("aws_secretsmanager_secret.db", name="db"),))
    found = findings(case.plan({"Effect": "Allow", "Action": "ssm:GetParameters", "Resource": "*"}))
    assert of("ssm:GetParameters", found) == [PROVEN]
    assert of("secretsmanager:GetSecretValue", found) == [VIOLATED]


@pytest.mark.parametrize(("region", "expected"), [(None, PROVEN), ("us-east-1", VIOLATED)])
def test_a_parameter_refers_to_the_secret_that_a_data_source_reads(region: str | None, expected: Verdict) -> None:
    """The secret of the name is the one that is read, if that is where the task runs."""
    container = {"secrets": [{"name": "DB", "valueFrom": "/aws/reference/secretsmanager/db"}]}
    read = resource("data.aws_secretsmanager_secret.db", name="db", **({"region": region} if region else {}))
    case = Case(ROWS["parameter"], "", "", container, resources=(read,))
    listed = {"Effect": "Allow", "Action": "secretsmanager:GetSecretValue", "Resource": Unknown(f"{read.address}.arn")}
    found = findings(case.plan(listed))
    assert of("secretsmanager:GetSecretValue", found) == [expected]
