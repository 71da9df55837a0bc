"""The permissions of execution roles, over plans built by hand."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from typing import Any

import pytest
from msgspec.structs import replace

from infraspec.checks.access.secret_access import check_secret_access
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Location, Verdict
from infraspec.core.unknown import JsonText, MissingVariable, Sensitive, Unknown, Value, concatenate
from infraspec.ecs.task_definition import TaskDefinition, task_definitions
from infraspec.hcl.parser import parse
from infraspec.terraform.plan import Change, Plan, Resource, Uncertain

ACCOUNT, REGION = "111122223333", "eu-west-1"
HEAD = f"arn:aws:secretsmanager:{REGION}:{ACCOUNT}:secret:"
MANAGED = "arn:aws:iam::aws:policy/service-role/AmazonECSTaskExecutionRolePolicy"
PROVEN, VIOLATED, UNDETERMINED = Verdict.PROVEN, Verdict.VIOLATED, Verdict.UNDETERMINED
CONTRACT = Contract.model_validate(
    {"project": {"application": "app"}, "environments": {"prod": {"account_id": ACCOUNT, "region": REGION}}}
)
ADDRESS = re.compile(r"^(?P<module>(?:module\.[^.]+\.)*)(?P<data>data\.)?(?P<type>\w+)\.(?P<name>\w+)(?P<key>\[.*\])?$")


def resource(address: str, provider: str = "aws", **values: Value) -> Resource:
    """Build an instance; its attributes are located in main.tf, line by length of the path, to be told apart."""
    found = ADDRESS.match(address)
    assert found
    return Resource(
        address,
        "data" if found["data"] else "managed",
        found["type"],
        found["name"],
        "?" if found["key"] == "[?]" else None,
        found["module"].rstrip("."),
        values,
        provider,
        Location("main.tf", 1),
        (),
        lambda path: Location(f"main.tf#{path}", len(path)),
    )


def secret(name: str, **values: Value) -> Resource:
    """Build a secret that does not exist yet."""
    return resource(f"aws_secretsmanager_secret.{name}", name=name, **values)


def arn(address: str) -> Unknown:
    """Return the ARN of a resource, known after apply."""
    return Unknown(f"{address}.arn")


def secret_arn(name: str) -> Unknown:
    """Return the ARN of a secret, known after apply."""
    return arn(f"aws_secretsmanager_secret.{name}")


ROLE = resource("aws_iam_role.execution", name="app-execution")
TRUST = "sts:AssumeRole"
DB, API = secret("db"), secret("api")


def task(used: dict[str, Value], **container: Value) -> Resource:
    """Build a task definition of one container with a public image, whose secrets are given by name."""
    definition = {
        "name": "app",
        "image": "nginx:1",
        "secrets": [{"name": name, "valueFrom": value} for name, value in used.items()],
        **container,
    }
    return resource(
        "aws_ecs_task_definition.app",
        family="app",
        requires_compatibilities=["FARGATE"],
        execution_role_arn=arn("aws_iam_role.execution"),
        container_definitions=JsonText([definition]),
    )


def statement(resources: Value, actions: Value = "secretsmanager:GetSecretValue", **more: Value) -> dict[str, Value]:
    """Return an Allow statement."""
    return {"Effect": "Allow", "Action": actions, "Resource": resources, **more}


def policy(*statements: Value, **values: Value) -> Resource:
    """Build the inline policy of the execution role."""
    document = JsonText({"Version": "2012-10-17", "Statement": list(statements)})
    given = {"role": Unknown("aws_iam_role.execution.id"), "policy": document, **values}
    return resource("aws_iam_role_policy.execution", **given)


def plan_of(*resources: Resource, **fields: Any) -> Plan:
    """Build a plan of one account and region."""
    return Plan("source", resources, account=ACCOUNT, region=REGION, **fields)


def findings(*resources: Resource, **fields: Any) -> list[Finding]:
    """Check a plan of the role, two secrets and the given resources."""
    given = {r.address for r in resources}
    base = [r for r in (ROLE, DB, API) if r.address not in given]
    plan = plan_of(*base, *resources, **fields)
    return about_permissions(check_secret_access(plan, task_definitions(plan), CONTRACT, "prod"))


def about_permissions(found: Iterable[Finding]) -> list[Finding]:
    """Return the findings but for those about who may assume the roles."""
    return [finding for finding in found if TRUST not in finding.subject]


def verdicts(found: Iterable[Finding]) -> list[Verdict]:
    """Return the verdicts."""
    return [finding.verdict for finding in found]


def test_the_incident_names_everything_that_matters() -> None:
    """A task names two secrets, its role may read one: container, secret, role, statement, both lines and the fix."""
    used = {"API_KEY": secret_arn("api"), "DB_PASSWORD": secret_arn("db")}
    first, second = findings(task(used), policy(statement([secret_arn("api")], Sid="Read")))
    assert first.verdict == PROVEN
    assert "aws_iam_role_policy.execution Statement.0 (Read)" in first.reason
    assert (second.verdict, second.address) == (VIOLATED, "aws_ecs_task_definition.app")
    assert second.subject == 'container "app", secret "DB_PASSWORD": secretsmanager:GetSecretValue'
    path = "container_definitions.0.secrets.1"
    assert Location(f"main.tf#{path}", len(path)) == second.location
    needed = f"must be allowed to perform secretsmanager:GetSecretValue on {HEAD}db-??????"
    assert f"the execution role aws_iam_role.execution {needed}" in second.expected
    assert "its Resource omits aws_secretsmanager_secret.db.arn" in second.reason
    places = {other.role: other.location for other in second.related}
    assert {"role": Location("main.tf", 1), "statement": Location("main.tf#policy.Statement.0", 18)} == places
    assert "add to aws_iam_role_policy.execution" in second.remedy
    assert "aws_secretsmanager_secret.db.arn" in second.remedy
    assert 'Effect   = "Allow"' in second.remedy


@pytest.mark.parametrize(
    ("listed", "expected"),
    [
        (secret_arn("db"), PROVEN),
        ([secret_arn("api"), secret_arn("db")], PROVEN),
        (HEAD + "db-??????", PROVEN),
        (HEAD + "db-*", PROVEN),
        (HEAD + "*", PROVEN),
        ("*", PROVEN),
        ("arn:aws:secretsmanager:*:*:secret:db-*", PROVEN),
        (HEAD + "db", VIOLATED),
        (HEAD + "api-??????", VIOLATED),
        (secret_arn("api"), VIOLATED),
        (concatenate([secret_arn("db"), "-*"]), VIOLATED),
        (concatenate([secret_arn("db"), ":password::"]), VIOLATED),
        (concatenate([secret_arn("db"), "*"]), PROVEN),
        (HEAD + "db-AbCdEf", UNDETERMINED),
        (Unknown("var.secrets"), UNDETERMINED),
        ([Unknown("var.secret"), secret_arn("db")], PROVEN),
        (concatenate([f"arn:aws:secretsmanager:{REGION}:", Unknown("var.account"), ":secret:db-*"]), UNDETERMINED),
        (
            concatenate(
                [f"arn:aws:secretsmanager:{REGION}:", Unknown("data.aws_caller_identity.me.account_id"), ":secret:db-*"]
            ),
            PROVEN,
        ),
        (f"arn:aws:secretsmanager:us-east-1:{ACCOUNT}:secret:db-*", VIOLATED),
        ([], VIOLATED),
    ],
    ids=str,
)
def test_what_a_statement_lists(listed: Value, expected: Verdict) -> None:
    """The secret is readable exactly under what covers its ARN with its six unknown characters."""
    me = resource("data.aws_caller_identity.me")
    assert [expected] == verdicts(findings(task({"DB": secret_arn("db")}), policy(statement(listed)), me))


def test_the_fix_is_at_the_policy_document() -> None:
    """Text of a policy document is fixed where it is written, as a block; of two with the same text, at the policy."""
    text = JsonText({"Version": "2012-10-17", "Statement": [statement([secret_arn("api")])]})
    written = [resource(f"data.aws_iam_policy_document.{name}", json=text) for name in ("read", "same")]
    task_definition = task({"DB": secret_arn("db")})

    (finding,) = findings(task_definition, policy(policy=text), written[0])
    assert "add to data.aws_iam_policy_document.read (main.tf:1) the statement\nstatement {" in finding.remedy
    (finding,) = findings(task_definition, policy(policy=text), *written)
    assert "add to aws_iam_role_policy.execution (main.tf:1) the statement\n{" in finding.remedy


@pytest.mark.parametrize(
    ("listed", "hint"),
    [
        (HEAD + "db", "six-character suffix: use `secret:db-??????`"),
        (concatenate([secret_arn("db"), "-*"]), "use `aws_secretsmanager_secret.db.arn`"),
    ],
)
def test_a_known_mistake_is_named(listed: Value, hint: str) -> None:
    """A statement that differs by a known mistake gets the edit that fixes it."""
    (finding,) = findings(task({"DB": secret_arn("db")}), policy(statement(listed)))
    assert hint in finding.reason


def test_a_deny_wins() -> None:
    """An explicit deny is VIOLATED whatever else allows it, and the fix is at the deny."""
    deny = {"Effect": "Deny", "NotAction": "s3:*", "NotResource": secret_arn("api")}
    (finding,) = findings(task({"DB": secret_arn("db")}), policy(statement("*"), deny))
    assert finding.verdict == VIOLATED
    assert "remove secretsmanager:GetSecretValue on this resource from aws_iam_role_policy.execution" in finding.remedy


def test_not_resource_excludes() -> None:
    """An Allow with NotResource allows all but what it lists."""
    allow = {"Effect": "Allow", "Action": "*", "NotResource": [secret_arn("db")]}
    found = findings(task({"DB": secret_arn("db"), "API": secret_arn("api")}), policy(allow))
    assert verdicts(found) == [VIOLATED, PROVEN]


def test_a_condition_leaves_it_open() -> None:
    """An Allow with a Condition is neither proof nor violation; the reason names the keys."""
    condition = {"StringEquals": {"aws:SourceVpce": "vpce-1"}}
    (finding,) = findings(task({"DB": secret_arn("db")}), policy(statement("*", Condition=condition)))
    assert finding.verdict == UNDETERMINED
    assert "aws:SourceVpce" in finding.reason


@pytest.mark.parametrize("value", [Unknown("var.policy"), Sensitive("var.policy", "s3cret")])
def test_an_unknown_policy_is_never_a_violation(value: Value) -> None:
    """A policy whose content is unknown makes what nothing allows UNDETERMINED, and says how to know."""
    (finding,) = findings(task({"DB": secret_arn("db")}), policy(policy=value))
    assert finding.verdict == UNDETERMINED
    assert "var.policy" in finding.reason
    assert "s3cret" not in str(finding)


def test_an_unknown_role_is_undetermined() -> None:
    """A role that is not in the plan may have any policy."""
    definition = task({"DB": secret_arn("db")})
    elsewhere = f"arn:aws:iam::{ACCOUNT}:role/shared"
    for role in (Unknown("var.role"), elsewhere):
        changed = resource(definition.address, **{**definition.values, "execution_role_arn": role})
        (finding,) = findings(changed)
        assert finding.verdict == UNDETERMINED
        assert ("var.role" if isinstance(role, Unknown) else elsewhere) in finding.expected


def test_a_role_given_by_its_arn_or_data_source_is_found_by_name() -> None:
    """A role's ARN as text names the role of the plan with that name."""
    definition = task({"DB": secret_arn("db")})
    given = {**definition.values, "execution_role_arn": f"arn:aws:iam::{ACCOUNT}:role/app-execution"}
    found = findings(resource(definition.address, **given), policy(statement(secret_arn("db"))))
    assert verdicts(found) == [PROVEN]


def test_the_managed_policy_alone_reads_no_secret() -> None:
    """AmazonECSTaskExecutionRolePolicy pulls images and writes logs; it reads no secret and creates no log group."""
    attachment = resource(
        "aws_iam_role_policy_attachment.managed", role=Unknown("aws_iam_role.execution.name"), policy_arn=MANAGED
    )
    options = {
        "awslogs-group": "/ecs/app",
        "awslogs-region": REGION,
        "awslogs-stream-prefix": "app",
        "awslogs-create-group": "true",
    }
    definition = task(
        {"DB": secret_arn("db")},
        image=f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/app:1",
        logConfiguration={"logDriver": "awslogs", "options": options},
    )
    found = {finding.subject.rpartition(": ")[2]: finding for finding in findings(definition, attachment)}
    expected = {
        "ecr:GetAuthorizationToken": PROVEN,
        "ecr:GetDownloadUrlForLayer": PROVEN,
        "ecr:BatchGetImage": PROVEN,
        "logs:CreateLogGroup": VIOLATED,
        "logs:CreateLogStream": PROVEN,
        "logs:PutLogEvents": PROVEN,
        "secretsmanager:GetSecretValue": VIOLATED,
    }
    assert expected == {action: finding.verdict for action, finding in found.items()}
    remedy = found["secretsmanager:GetSecretValue"].remedy
    assert remedy.startswith("give aws_iam_role.execution a policy\n")
    (policy,) = parse(remedy.partition("\n")[2], "remedy.tf").body.blocks
    assert policy.labels == ("aws_iam_role_policy", "execution_secretsmanager_get_secret_value")


@pytest.mark.parametrize(
    ("ending", "expected"),
    [(":*", PROVEN), ("*", PROVEN), (":log-stream:app/*", PROVEN), ("", VIOLATED), (":log-stream:web/*", VIOLATED)],
)
def test_log_streams_come_after_a_colon(ending: str, expected: Verdict) -> None:
    """A statement on the log group's ARN alone does not cover its streams."""
    group = resource("aws_cloudwatch_log_group.app", name="/ecs/app")
    options = {
        "awslogs-group": Unknown("aws_cloudwatch_log_group.app.name"),
        "awslogs-region": REGION,
        "awslogs-stream-prefix": "app",
    }
    definition = task({}, logConfiguration={"logDriver": "awslogs", "options": options})
    whole = arn("aws_cloudwatch_log_group.app")
    listed = concatenate([whole, ending]) if ending else whole
    found = findings(definition, group, policy(statement(listed, ["logs:CreateLogStream", "logs:PutLogEvents"])))
    assert [expected] * (1 if expected is VIOLATED else 2) == verdicts(found)
    if not ending:
        assert "log streams follow after a colon" in found[0].reason
        assert '"${aws_cloudwatch_log_group.app.arn}:*"' in found[0].remedy


@pytest.mark.parametrize(
    ("image", "resources", "expected"),
    [
        (concatenate([Unknown("aws_ecr_repository.app.repository_url"), ":1"]), arn("aws_ecr_repository.app"), PROVEN),
        (concatenate([Unknown("aws_ecr_repository.app.repository_url"), ":1"]), secret_arn("db"), VIOLATED),
        (f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/app:1", arn("aws_ecr_repository.app"), PROVEN),
        (f"444455556666.dkr.ecr.{REGION}.amazonaws.com/app:1", "*", UNDETERMINED),
        (Unknown("var.image"), "*", PROVEN),
        (Unknown("var.image"), arn("aws_ecr_repository.app"), UNDETERMINED),
    ],
    ids=str,
)
def test_images_of_ecr(image: Value, resources: Value, expected: Verdict) -> None:
    """A private image is pulled from its repository; an image that is not known is never a violation."""
    repository = resource("aws_ecr_repository.app", name="app")
    statements = [statement("*", "ecr:GetAuthorizationToken"), statement(resources, "ecr:*")]
    found = findings(task({}, image=image), repository, policy(*statements))
    assert [PROVEN, *[expected] * (1 if expected is VIOLATED else 2)] == verdicts(found)


def test_the_least_that_pulls_an_image_is_enough() -> None:
    """What AWS calls the minimum to pull is enough; BatchCheckLayerAvailability belongs to pushing."""
    repository = resource("aws_ecr_repository.app", name="app")
    pull = ["ecr:BatchGetImage", "ecr:GetDownloadUrlForLayer"]
    granted = [statement("*", "ecr:GetAuthorizationToken"), statement(arn("aws_ecr_repository.app"), pull)]
    found = findings(task({}, image=f"{ACCOUNT}.dkr.ecr.{REGION}.amazonaws.com/app:1"), repository, policy(*granted))
    assert [PROVEN] * 3 == verdicts(found)


def test_the_suffixes_of_value_from_are_not_part_of_the_arn() -> None:
    """JSON key, stage and version id are stripped before IAM is asked."""
    value = concatenate([secret_arn("db"), ":password::"])
    (finding,) = findings(task({"DB": value}), policy(statement(HEAD + "db-??????")))
    assert finding.verdict == PROVEN


def test_parameters_need_get_parameters() -> None:
    """A parameter is read by ssm:GetParameters, by name or ARN; GetParameter is not enough."""
    parameter = resource("aws_ssm_parameter.db", name="/app/db", type="String")
    used = {"BY_NAME": "/app/db", "BY_ARN": arn("aws_ssm_parameter.db")}
    listed = f"arn:aws:ssm:{REGION}:{ACCOUNT}:parameter/app/*"
    wanted = {"ssm:GetParameters": [PROVEN] * 2, "ssm:GetParameter": [VIOLATED] * 2}
    given = {action: verdicts(findings(task(used), parameter, policy(statement(listed, action)))) for action in wanted}
    assert wanted == given


def test_a_customer_managed_key_has_to_be_allowed_too() -> None:
    """A secret under a key of its own needs kms:Decrypt on that key."""
    key = resource("aws_kms_key.main")
    encrypted = secret("db", kms_key_id=Unknown("aws_kms_key.main.key_id"))
    read = statement(secret_arn("db"))
    decrypt = statement(arn("aws_kms_key.main"), "kms:Decrypt")
    definition = task({"DB": secret_arn("db")})
    assert verdicts(findings(definition, key, encrypted, policy(read))) == [PROVEN, VIOLATED]
    assert verdicts(findings(definition, key, encrypted, policy(read, decrypt))) == [PROVEN, PROVEN]


def test_a_policy_of_the_secret_counts() -> None:
    """A policy of the secret may deny what the role's policies allow, or allow what they do not."""
    definition = task({"DB": secret_arn("db")})
    role = {"AWS": arn("aws_iam_role.execution")}

    def attached(effect: str, principal: Value) -> Resource:
        entry = {"Effect": effect, "Principal": principal, "Action": "secretsmanager:*", "Resource": "*"}
        return resource(
            "aws_secretsmanager_secret_policy.db",
            secret_arn=secret_arn("db"),
            policy=JsonText({"Version": "2012-10-17", "Statement": entry}),
        )

    read = policy(statement(secret_arn("db")))
    root = {"AWS": f"arn:aws:iam::{ACCOUNT}:root"}
    assert verdicts(findings(definition, read, attached("Deny", "*"))) == [VIOLATED]
    assert verdicts(findings(definition, attached("Allow", role))) == [PROVEN]
    assert verdicts(findings(definition, attached("Allow", root))) == [VIOLATED]
    assert verdicts(findings(definition, read, attached("Deny", Unknown("var.principal")))) == [UNDETERMINED]


def test_a_boundary_limits() -> None:
    """A permissions boundary has to allow the read as well; one of unknown content leaves it open."""
    definition, read = task({"DB": secret_arn("db")}), policy(statement(secret_arn("db")))
    for boundary, expected in (
        (MANAGED, VIOLATED),
        ("arn:aws:iam::aws:policy/AdministratorAccess", PROVEN),
        (Unknown("var.boundary"), UNDETERMINED),
    ):
        role = resource("aws_iam_role.execution", name="app-execution", permissions_boundary=boundary)
        assert [expected] == verdicts(findings(role, definition, read)), boundary


def test_without_an_execution_role_secrets_cannot_be_read() -> None:
    """A task definition with secrets and no execution role is violated."""
    definition = task({"DB": secret_arn("db")})
    values = {**definition.values, "execution_role_arn": None}
    (finding,) = findings(resource(definition.address, **values))
    assert (finding.verdict, finding.found) == (VIOLATED, "the task definition has no execution role")


@pytest.mark.parametrize("definitions", [Unknown("var.definitions"), Sensitive("var.definitions", "s3cret")])
def test_unknown_container_definitions_are_one_finding(definitions: Value) -> None:
    """Container definitions that are not known give one UNDETERMINED finding and show nothing."""
    definition = task({})
    values = {**definition.values, "container_definitions": definitions}
    (finding,) = findings(resource(definition.address, **values))
    assert (finding.verdict, finding.subject) == (UNDETERMINED, "container definitions")
    assert "s3cret" not in str(finding)


def test_unknown_parts_of_a_container_are_reported() -> None:
    """An unknown list of secrets, entry or log driver is UNDETERMINED in its place."""
    hidden = task({}, secrets=[{"name": "DB", "valueFrom": secret_arn("db")}, Unknown("var.entry")])
    found = findings(hidden, policy(statement("*")))
    assert verdicts(found) == [UNDETERMINED, PROVEN]
    assert found[0].subject == 'container "app", secrets.1'


def test_a_value_from_that_is_not_known_is_neither() -> None:
    """Whether an unknown valueFrom is a secret or a parameter decides which action is needed."""
    assert verdicts(findings(task({"X": Unknown("var.x")}), policy(statement("*", "*")))) == [UNDETERMINED]


def test_a_secret_of_another_stack_is_equal_to_itself() -> None:
    """A secret of which only the attribute is known may be read under the same attribute; its key is not known."""
    other = Unknown("data.aws_secretsmanager_secret.shared.arn")
    read, key = findings(task({"X": other}), policy(statement(other)))
    assert (read.verdict, key.verdict) == (PROVEN, UNDETERMINED)
    assert '"aws_secretsmanager_secret.kms_key_id" = "" if AWS\'s own key aws/secretsmanager encrypts it' in key.remedy


def test_policies_attached_by_every_means_count() -> None:
    """Inline, attached, exclusively attached policies, inline blocks and managed_policy_arns all grant."""
    document = JsonText({"Version": "2012-10-17", "Statement": statement(secret_arn("db"))})
    customer = resource("aws_iam_policy.read", name="read", policy=document)
    by_name = f"arn:aws:iam::{ACCOUNT}:policy/read"
    ways: list[list[Resource]] = [
        [policy(policy=document)],
        [policy(policy=document, role="app-execution")],
        [
            customer,
            resource("aws_iam_role_policy_attachment.a", role="app-execution", policy_arn=arn(customer.address)),
        ],
        [customer, resource("aws_iam_role_policy_attachment.a", role="app-execution", policy_arn=by_name)],
        [customer, resource("aws_iam_policy_attachment.a", roles=["app-execution"], policy_arn=arn(customer.address))],
        [
            customer,
            resource(
                "aws_iam_role_policy_attachments_exclusive.a",
                role_name="app-execution",
                policy_arns=[arn(customer.address)],
            ),
        ],
        [resource(ROLE.address, name="app-execution", inline_policy=[{"name": "x", "policy": document}])],
        [customer, resource(ROLE.address, name="app-execution", managed_policy_arns=[arn(customer.address)])],
    ]
    definition = task({"DB": secret_arn("db")})
    assert [[PROVEN]] * len(ways) == [verdicts(findings(definition, *way)) for way in ways]


def test_what_may_be_attached_leaves_it_open() -> None:
    """A policy attached to a role of unknown name, or by an unknown count, may or may not be the role's."""
    definition, read = task({"DB": secret_arn("db")}), statement(secret_arn("db"))
    loose = policy(read, role=Unknown("var.role"))
    counted = policy(read)
    uncertain = resource("aws_iam_role_policy.execution[?]", **counted.values)
    irrelevant = policy(statement("*", "s3:*"), role=Unknown("var.role"))
    assert verdicts(findings(definition, loose)) == [UNDETERMINED]
    absent = {uncertain.address: Uncertain("count", counted.address, Unknown("var.on ? 1 : 0", MissingVariable("on")))}
    (found,) = findings(definition, uncertain, uncertain=absent)
    assert (found.verdict, "var.on") == (UNDETERMINED, found.remedy.split()[1])
    assert "the count of aws_iam_role_policy.execution is unknown: var.on ? 1 : 0" in found.reason
    assert verdicts(findings(definition, irrelevant)) == [VIOLATED]


def test_a_plan_repeats_what_was_attached_before() -> None:
    """What a plan shows as the role's inline policy is no proof when it deletes an inline policy."""
    document = json.dumps({"Version": "2012-10-17", "Statement": statement(HEAD + "db-??????")})
    role = resource(ROLE.address, name="app-execution", inline_policy=[{"name": "x", "policy": document}])
    gone = (Change("aws_iam_role_policy.x", ("delete",)),)
    assert verdicts(findings(role, task({"DB": secret_arn("db")}), changes=gone)) == [UNDETERMINED]


REFUSED = [
    {"Effect": "Allow", "Actions": "*", "Resource": "*"},
    {"Effect": "Allow", "Action": "*:GetSecretValue", "Resource": "*"},
    {"Effect": "Allow", "Action": "secretsmanager:*", "Resource": "arn:aws:*:*:*:secret:*"},
    {"Sid": "read secrets", "Effect": "Allow", "Action": "secretsmanager:*", "Resource": "*"},
]


@pytest.mark.parametrize("refused", REFUSED)
def test_a_policy_that_aws_refuses_proves_nothing(refused: Value) -> None:
    """It is VIOLATED with what AWS refuses and where, unless another policy allows it."""
    used = task({"DB": secret_arn("db")})
    other = replace(policy(statement("*"), name="other"), address="aws_iam_role_policy.other")
    (found,) = findings(used, policy(refused, name="own"))

    assert (VIOLATED, "AWS refuses aws_iam_role_policy.execution") == (found.verdict, found.found.partition(" (")[0])
    assert found.remedy.startswith("in aws_iam_role_policy.execution: ")
    assert [PROVEN] == verdicts(findings(used, policy(refused, name="own"), other))


def test_a_deny_that_aws_refuses_denies_nothing() -> None:
    """What is not created denies nothing; what exists in the account AWS has accepted."""
    denied = {"Sid": "no secrets", "Effect": "Deny", "Action": "*", "Resource": "*"}
    used = task({"DB": secret_arn("db")})
    other = replace(policy(statement("*"), name="other"), address="aws_iam_role_policy.other")
    kept = replace(policy(denied, name="own"), actions=("no-op",))

    assert [PROVEN] == verdicts(findings(used, policy(denied, name="own"), other))
    assert [VIOLATED] == verdicts(findings(used, kept, other))


def test_environment_files_need_object_and_bucket() -> None:
    """An environment file needs s3:GetObject on the object, and perhaps s3:GetBucketLocation on the bucket."""
    bucket = resource("aws_s3_bucket.config", bucket="app-config")
    file = {"type": "s3", "value": concatenate([arn("aws_s3_bucket.config"), "/app.env"])}
    definition = task({}, environmentFiles=[file])
    made = resource("aws_s3_object.env", bucket="app-config", key="app.env")
    location = statement(arn("aws_s3_bucket.config"), "s3:GetBucketLocation")
    objects = statement(concatenate([arn("aws_s3_bucket.config"), "/*"]), "s3:GetObject")
    assert verdicts(findings(definition, bucket, made, policy(location, objects))) == [PROVEN, PROVEN]
    found = findings(definition, bucket, made, policy(statement(arn("aws_s3_bucket.config"), ["s3:GetObject"])))
    assert verdicts(found) == [VIOLATED, UNDETERMINED]
    assert "/app.env" in found[0].remedy


def test_repository_credentials_are_a_secret() -> None:
    """The credentials of a private registry are read by name or ARN."""
    for named in ("db", secret_arn("db")):
        definition = task({}, repositoryCredentials={"credentialsParameter": named})
        assert verdicts(findings(definition, policy(statement(secret_arn("db"))))) == [PROVEN]
        assert verdicts(findings(definition, policy(statement(secret_arn("api"))))) == [VIOLATED]


def test_a_file_is_checked_against_the_plan() -> None:
    """A task definition file names real ARNs; its roles are those of the plan by name."""
    text = json.dumps(
        {
            "family": "app",
            "executionRoleArn": "arn:aws:iam::{{ must_env `ACCOUNT` }}:role/app-execution",
            "containerDefinitions": [
                {"name": "app", "image": "nginx", "secrets": [{"name": "DB", "valueFrom": HEAD + "db-AbCdEf"}]}
            ],
        },
        indent=1,
    )
    definition = TaskDefinition.from_json(text, "task.json")
    for listed, expected in ((HEAD + "db-??????", PROVEN), (HEAD + "db", VIOLATED)):
        plan = plan_of(ROLE, DB, policy(statement(listed)))
        (finding,) = about_permissions(check_secret_access(plan, [definition], CONTRACT, "prod"))
        assert expected == finding.verdict
    assert Location("task.json", 11) == finding.location


def test_the_fix_fits_how_the_policy_is_written() -> None:
    """A policy rendered by a policy document gets a statement block; a secret of another module its output."""
    document = JsonText({"Version": "2012-10-17", "Statement": []})
    data = resource("data.aws_iam_policy_document.x", json=document)
    other = resource('module.secrets.aws_secretsmanager_secret.all["db"]', name="other")
    definition = task({"DB": arn(other.address)})
    (finding,) = findings(definition, other, data, policy(policy=document))
    assert "statement {" in finding.remedy
    assert "module.secrets.all_db_arn," in finding.remedy
    line = '# module.secrets: output "all_db_arn" { value = aws_secretsmanager_secret.all["db"].arn }'
    assert line in finding.remedy


def test_a_key_policy_has_to_leave_the_decision_to_the_account() -> None:
    """A key whose own policy names another principal only is not opened by the role's policies."""
    encrypted = secret("db", kms_key_id=arn("aws_kms_key.main"))
    granted = policy(statement("*"), statement("*", "kms:Decrypt"))

    def judged(principal: str) -> Finding:
        entry = {"Effect": "Allow", "Principal": {"AWS": principal}, "Action": "kms:*", "Resource": "*"}
        key = resource("aws_kms_key.main", policy=JsonText({"Version": "2012-10-17", "Statement": [entry]}))
        return findings(task({"DB": secret_arn("db")}), key, encrypted, granted)[1]

    root, other, own = (judged(f"arn:aws:iam::{ACCOUNT}:{who}") for who in ("root", "role/other", "role/app-execution"))
    assert (root.verdict, other.verdict, own.verdict) == (PROVEN, VIOLATED, PROVEN)
    assert other.found == "the policy of aws_kms_key.main.arn does not allow aws_iam_role.execution"
    assert "add to aws_kms_key.main (main.tf:1) the statement" in other.remedy
    assert "AWS = aws_iam_role.execution.arn" in other.remedy


@pytest.mark.parametrize(
    ("ending", "created", "expected"),
    [
        (":*", "true", PROVEN),
        ("", "true", UNDETERMINED),
        ("-other:*", "true", VIOLATED),
        ("-other:*", Unknown("var.create"), UNDETERMINED),
    ],
)
def test_creating_a_log_group(ending: str, created: Value, expected: Verdict) -> None:
    """CreateLogGroup is allowed on the group's ARN with `:*`; without it AWS's documents differ."""
    options = {"awslogs-group": "/ecs/app", "awslogs-region": REGION, "awslogs-create-group": created}
    definition = task({}, logConfiguration={"logDriver": "awslogs", "options": options})
    listed = f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/ecs/app{ending}"
    found = findings(definition, policy(statement(listed, "logs:*")))
    assert found[0].subject.endswith("logs:CreateLogGroup")
    assert expected == found[0].verdict


def test_the_name_of_a_secret_is_no_parameter() -> None:
    """Where valueFrom is the bare name of a secret, its ARN is the remedy, and no key of a parameter is asked for."""
    (finding,) = findings(task({"DB": "db"}), DB, policy(statement(secret_arn("db"))))
    assert (finding.verdict, "ssm:GetParameters" in finding.subject) == (VIOLATED, True)
    assert finding.remedy == f"set valueFrom to {DB.address}.arn: ECS treats a name as that of a parameter"


def test_creating_a_log_group_that_the_plan_makes() -> None:
    """The log driver makes a group only if there is none; AWS asks for the permission anyway."""
    group = resource("aws_cloudwatch_log_group.app", name="/ecs/app")
    options = {"awslogs-group": group.attribute("name"), "awslogs-region": REGION, "awslogs-create-group": "true"}
    definition = task({}, logConfiguration={"logDriver": "awslogs", "options": options})
    streams = statement(f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/ecs/app:*", "logs:CreateLogStream")
    made = findings(definition, policy(streams), group)[0]
    assert made.subject.endswith("logs:CreateLogGroup")
    assert (made.verdict, "only if it does not exist" in made.reason) == (UNDETERMINED, True)
    assert made.remedy.startswith("take awslogs-create-group out")
    elsewhere = resource("aws_cloudwatch_log_group.app", name="/ecs/other")
    assert findings(definition, policy(streams), elsewhere)[0].verdict is VIOLATED
    everything = statement(f"arn:aws:logs:{REGION}:{ACCOUNT}:log-group:/ecs/app:*", "logs:*")
    assert findings(definition, policy(everything), group)[0].verdict is PROVEN


def test_an_image_that_is_not_known_needs_no_permission_for_certain() -> None:
    """A role without any ECR permission is no violation for an image of unknown registry."""
    found = findings(task({}, image=Unknown("var.image")), policy(statement("*", "s3:*")))
    assert verdicts(found) == [UNDETERMINED] * 3
    assert "whether this is needed cannot be decided: var.image is unknown" in found[0].reason


def test_a_plan_file_alone_leaves_roles_of_policies_open() -> None:
    """Where a plan file knows neither role nor content of policies, each role may have each; one reason says so."""
    hidden = [
        resource(f"aws_iam_role_policy.{name}", role=Unknown(f"aws_iam_role_policy.{name}.role"), policy=Unknown("x"))
        for name in ("a", "b", "c")
    ]
    (finding,) = findings(task({"DB": secret_arn("db")}), *hidden)
    assert finding.verdict is UNDETERMINED
    assert "aws_iam_role_policy.a and 2 more" in finding.reason
