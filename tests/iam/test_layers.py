"""Every kind of policy in one decision: who is named, what limits whom, and what has to allow."""

from __future__ import annotations

from typing import Any

import pytest

from infraspec.core.truth import Truth
from infraspec.core.unknown import Unknown, Value, characters, concatenate
from infraspec.iam.evaluation.decision import Outcome, decide
from infraspec.iam.evaluation.layers import PrincipalMatch, naming
from infraspec.iam.policy.context import Context
from infraspec.iam.policy.document import PolicyDocument, Statement
from infraspec.iam.policy.principals import Principal, PrincipalKind
from infraspec.iam.policy.statements import IdentityPolicy

YES, NO, MAYBE = Truth.YES, Truth.NO, Truth.MAYBE
ALLOWED, EXPLICIT, IMPLICIT, OPEN = (
    Outcome.ALLOWED, Outcome.EXPLICITLY_DENIED, Outcome.IMPLICITLY_DENIED, Outcome.UNDETERMINED,
)  # fmt: skip
READ = "secretsmanager:GetSecretValue"
HEAD = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
DB = f"{HEAD}db-AbCdEf"
KEY = "arn:aws:kms:eu-west-1:111122223333:key/1"
ROLE = "arn:aws:iam::111122223333:role/service/app"
SESSION = "arn:aws:sts::111122223333:assumed-role/app/1"
USER = "arn:aws:iam::111122223333:user/hanako"
ROOT = "arn:aws:iam::111122223333:root"
ACCOUNT = Unknown("var.account")
SERVICE = concatenate([Unknown("var.service"), ".amazonaws.com"])
THEIRS = DB.replace("111122223333", "444455556666")


def policy(*statements: dict[str, Any], with_principals: bool = False) -> list[IdentityPolicy]:
    """Compile a policy."""
    document = PolicyDocument.from_value({"Statement": list(statements)}, with_principals=with_principals)
    return [IdentityPolicy.of("policy", document)]


def allow(action: str = READ, resource: Value = "*", **more: Any) -> dict[str, Any]:
    """Return an Allow statement."""
    return {"Effect": "Allow", "Action": action, "Resource": resource, **more}


def shared(principal: Value, effect: str = "Allow", action: str = "*") -> list[IdentityPolicy]:
    """Compile a resource policy that names a principal."""
    return policy({**allow(action, Principal=principal), "Effect": effect}, with_principals=True)


OWN, OTHERS, NOTHING = policy(allow("*")), policy(allow("s3:*")), policy()


@pytest.mark.parametrize(
    ("principal", "kind", "account"),
    [
        (ROLE, PrincipalKind.ROLE, "111122223333"),
        (SESSION, PrincipalKind.SESSION, "111122223333"),
        (USER, PrincipalKind.USER, "111122223333"),
        ("arn:aws:sts::111122223333:federated-user/hanako", PrincipalKind.USER, "111122223333"),
        (ROOT, PrincipalKind.ROOT, "111122223333"),
        ("111122223333", PrincipalKind.ROOT, "111122223333"),
        ("ecs-tasks.amazonaws.com", PrincipalKind.SERVICE, ""),
        (concatenate(["arn:aws:iam::", ACCOUNT, ":role/app"]), PrincipalKind.ROLE, ACCOUNT),
        ("accounts.example.com", PrincipalKind.OTHER, ""),
    ],
)
def test_kinds_of_principals(principal: Value, kind: PrincipalKind, account: Value) -> None:
    """A principal is known by the form of its ARN, and so is its account."""
    found = Principal.of(principal)
    assert (kind, account) == (found.kind, found.account)


@pytest.mark.parametrize(
    ("entry", "principal", "expected"),
    [
        ("*", SESSION, PrincipalMatch(anyone=YES)),
        ({"AWS": "*"}, SESSION, PrincipalMatch(anyone=YES)),
        ({"AWS": "arn:aws:iam::111122223333:role/app"}, SESSION, PrincipalMatch(role=YES)),
        ({"AWS": ROLE}, ROLE, PrincipalMatch(role=YES)),
        ({"AWS": "arn:aws:iam::111122223333:role/other"}, ROLE, PrincipalMatch()),
        ({"AWS": "arn:aws:iam::444455556666:role/service/app"}, ROLE, PrincipalMatch()),
        ({"AWS": "arn:aws:iam::111122223333:role/*"}, ROLE, PrincipalMatch()),
        ({"AWS": SESSION}, SESSION, PrincipalMatch(itself=YES)),
        ({"AWS": SESSION}, ROLE, PrincipalMatch()),
        ({"AWS": [USER, SESSION]}, USER, PrincipalMatch(itself=YES)),
        ({"AWS": ROOT}, USER, PrincipalMatch(account=YES)),
        ({"AWS": "111122223333"}, USER, PrincipalMatch(account=YES)),
        ({"AWS": "444455556666"}, USER, PrincipalMatch()),
        ({"Service": "ecs-tasks.amazonaws.com"}, USER, PrincipalMatch()),
        ({"Service": "ecs-tasks.amazonaws.com"}, "ecs-tasks.amazonaws.com", PrincipalMatch(itself=YES)),
        ({"Service": "ec2.amazonaws.com"}, "ecs-tasks.amazonaws.com", PrincipalMatch()),
        ({"Service": "ecs-tasks.amazonaws.com"}, SERVICE, PrincipalMatch(itself=MAYBE)),
        ({"Service": "ecs-tasks.example.com"}, SERVICE, PrincipalMatch()),
        ({"CanonicalUser": "79a5"}, SERVICE, PrincipalMatch()),
        ({"AWS": ROLE}, SERVICE, PrincipalMatch.unknown()),
        ({"AWS": ROLE}, "ecs-tasks.amazonaws.com", PrincipalMatch()),
        ({"Federated": "accounts.google.com"}, "ecs-tasks.amazonaws.com", PrincipalMatch()),
        ({"CanonicalUser": "79a5"}, "ecs-tasks.amazonaws.com", PrincipalMatch()),
        ({"Elsewhere": "x"}, USER, PrincipalMatch.unknown()),
        ({"CanonicalUser": "79a5"}, USER, PrincipalMatch(itself=MAYBE)),
        ({"AWS": "AROAEXAMPLEEXAMPLE"}, ROLE, PrincipalMatch(itself=MAYBE, role=MAYBE)),
        ({"AWS": concatenate(["arn:aws:iam::", ACCOUNT, ":root"])}, ROLE, PrincipalMatch(account=MAYBE)),
        (Unknown("var.principal"), ROLE, PrincipalMatch.unknown()),
    ],
)
def test_how_a_statement_names_a_principal(entry: Value, principal: Value, expected: PrincipalMatch) -> None:
    """A principal is named as anyone, by itself, by its role or by its account."""
    statement = Statement("Statement", "Allow", ("*",), resources=("*",), principal=entry)
    assert expected == naming(statement, Principal.of(principal))


def test_a_task_is_some_session_of_its_role() -> None:
    """A statement that names a session of the role may name that of a task, one of another role's does not."""
    task = Principal.role(ROLE)
    for name, expected in (("app", MAYBE), ("other", NO)):
        entry = {"AWS": f"arn:aws:sts::111122223333:assumed-role/{name}/1"}
        assert PrincipalMatch(itself=expected) == naming(Statement("s", "Allow", principal=entry), task)


@pytest.mark.parametrize(
    ("listed", "bounded", "expected"),
    [
        ([ROLE, SESSION, ROOT], False, NO),
        ([ROLE, SESSION, ROOT], True, YES),
        (["arn:aws:iam::111122223333:role/other"], False, YES),
        ([ROLE, ROOT], False, MAYBE),
        ([ROOT], False, MAYBE),
        (["*"], False, NO),
    ],
)
def test_all_but_those_listed(listed: list[str], bounded: bool, expected: Truth) -> None:  # noqa: FBT001 - a parameter of the table
    """A Deny of all but some spares who is listed with role, session and account, and nobody with a boundary."""
    statement = Statement("Statement", "Deny", ("*",), resources=("*",), not_principal={"AWS": listed})
    assert expected == naming(statement, Principal.of(SESSION), bounded=bounded).any


MOUNT, SYSTEM = "elasticfilesystem:ClientMount", "arn:aws:elasticfilesystem:eu-west-1:111122223333:file-system/fs-1"
WITHOUT_RESOURCE = {
    "Effect": "Allow",
    "Action": ["kms:Decrypt", "sts:AssumeRole", MOUNT],
    "Principal": {"AWS": ROLE},
}
DENY_WITHOUT_RESOURCE = {**WITHOUT_RESOURCE, "Effect": "Deny"}
CASES: list[tuple[str, dict[str, Any], Outcome]] = [
    # principal, layers, outcome
    (SESSION, {"policies": OWN}, ALLOWED),
    (SESSION, {"policies": OTHERS}, IMPLICIT),
    (SESSION, {"policies": OWN, "boundary": OTHERS}, IMPLICIT),
    (SESSION, {"policies": OWN, "session": OTHERS}, IMPLICIT),
    (SESSION, {"policies": OWN, "session": OWN, "boundary": OWN}, ALLOWED),
    (SESSION, {"resource_policies": shared({"AWS": ROLE})}, ALLOWED),
    (SESSION, {"resource_policies": shared({"AWS": ROLE}), "boundary": OTHERS}, IMPLICIT),
    (SESSION, {"resource_policies": shared({"AWS": ROLE}), "session": OTHERS}, IMPLICIT),
    (SESSION, {"resource_policies": shared({"AWS": SESSION}), "boundary": OTHERS, "session": OTHERS}, ALLOWED),
    (SESSION, {"resource_policies": shared("*"), "boundary": NOTHING}, ALLOWED),
    (SESSION, {"resource_policies": shared({"AWS": ROOT})}, IMPLICIT),
    (SESSION, {"policies": OWN, "resource_policies": shared({"AWS": ROOT}, "Deny")}, EXPLICIT),
    (USER, {"resource_policies": shared({"AWS": USER}), "boundary": OTHERS}, ALLOWED),
    (SESSION, {"policies": OWN, "resource": THEIRS}, IMPLICIT),
    (SESSION, {"policies": OWN, "resource": THEIRS, "resource_policies": shared({"AWS": ROOT})}, ALLOWED),
    (SESSION, {"resource": THEIRS, "resource_policies": shared({"AWS": SESSION})}, IMPLICIT),
    (SESSION, {"policies": OWN, "resource": "arn:aws:s3:::b/x", "action": "s3:GetObject"}, ALLOWED),
    (SESSION, {"policies": OWN, "resource": DB, "resource_account": "444455556666"}, IMPLICIT),
    (SESSION, {"policies": OWN, "resource_account": ACCOUNT}, OPEN),
    (SESSION, {"policies": OTHERS, "resource_account": ACCOUNT}, IMPLICIT),
    (SESSION, {"policies": OWN, "scps": [OWN, OWN]}, ALLOWED),
    (SESSION, {"policies": OWN, "scps": [OWN, OTHERS]}, IMPLICIT),
    (SESSION, {"policies": OWN, "scps": [OWN, []]}, IMPLICIT),
    (SESSION, {"policies": OWN, "rcps": [[], shared("*", "Deny")]}, EXPLICIT),
    (SESSION, {"policies": OWN, "rcps": [[]]}, ALLOWED),
    (
        SESSION,
        {"policies": OWN, "action": "sns:Publish", "resource": "arn:aws:sns:::t", "rcps": [shared("*", "Deny")]},
        OPEN,
    ),
    (SESSION.replace("app/1", "AWSServiceRoleForECS/ecs"), {"policies": OWN, "scps": [NOTHING]}, ALLOWED),
    ("ecs-tasks.amazonaws.com", {"policies": OWN}, IMPLICIT),
    ("ecs-tasks.amazonaws.com", {"resource_policies": shared({"Service": "ecs-tasks.amazonaws.com"})}, ALLOWED),
    ("ecs-tasks.amazonaws.com", {"resource_policies": shared("*"), "scps": [NOTHING]}, ALLOWED),
    ("accounts.example.com", {"resource_policies": shared({"Federated": "accounts.example.com"})}, ALLOWED),
    ("accounts.example.com", {"policies": OWN}, IMPLICIT),
    ("*", {"resource_policies": shared("*")}, ALLOWED),
    (ROOT, {}, ALLOWED),
    (ROOT, {"scps": [NOTHING]}, IMPLICIT),
    (ROOT, {"resource": THEIRS}, IMPLICIT),
    (ROOT, {"resource": THEIRS, "resource_policies": shared({"AWS": ROOT})}, ALLOWED),
    (SESSION, {"policies": OWN, "action": "kms:Decrypt", "resource": KEY}, IMPLICIT),
    (
        SESSION,
        {"policies": OWN, "action": "kms:Decrypt", "resource": KEY, "resource_policies": shared({"AWS": ROOT})},
        ALLOWED,
    ),
    (SESSION, {"action": "kms:Decrypt", "resource": KEY, "resource_policies": shared({"AWS": ROOT})}, IMPLICIT),
    (SESSION, {"action": "kms:Decrypt", "resource": KEY, "resource_policies": shared({"AWS": ROLE})}, ALLOWED),
    (
        SESSION,
        {
            "resource_policies": policy(
                allow(resource="arn:aws:secretsmanager", Principal={"AWS": ROLE}), with_principals=True
            )
        },
        OPEN,
    ),
    (
        SESSION,
        {
            "policies": OWN,
            "action": "kms:Decrypt",
            "resource": KEY,
            "resource_policies": policy(WITHOUT_RESOURCE, with_principals=True),
        },
        IMPLICIT,
    ),
    (
        SESSION,
        {
            "action": "sts:AssumeRole",
            "resource": ROLE,
            "resource_policies": policy(WITHOUT_RESOURCE, with_principals=True),
        },
        ALLOWED,
    ),
    (
        SESSION,
        {"action": MOUNT, "resource": SYSTEM, "resource_policies": policy(WITHOUT_RESOURCE, with_principals=True)},
        OPEN,
    ),
    (
        SESSION,
        {
            "policies": policy(allow("elasticfilesystem:*", "*")),
            "action": MOUNT,
            "resource": SYSTEM,
            "resource_policies": policy(DENY_WITHOUT_RESOURCE, with_principals=True),
        },
        OPEN,
    ),
    (SESSION, {"policies": OWN, "action": "kms:ListKeys", "resource": "*"}, ALLOWED),
    (SESSION, {"policies": OWN, "action": "sts:AssumeRole", "resource": ROLE}, OPEN),
    (
        SESSION,
        {"policies": OWN, "action": "sts:AssumeRole", "resource": ROLE, "resource_policies": shared({"AWS": USER})},
        IMPLICIT,
    ),
    (SESSION, {"policies": policy({**allow("*"), "Effect": "Deny"}), "action": "sts:GetCallerIdentity"}, ALLOWED),
    (
        SESSION,
        {"policies": policy(allow("ecr:*", "arn:aws:ecr:*:*:*")), "action": "ecr:GetAuthorizationToken"},
        IMPLICIT,
    ),
]


@pytest.mark.parametrize(("principal", "layers", "expected"), CASES, ids=map(str, range(len(CASES))))
def test_layers(principal: str, layers: dict[str, Any], expected: Outcome) -> None:
    """What each kind of policy contributes within an account, across accounts, and where a key or a role decides."""
    arguments = {"policies": (), "action": READ, "resource": DB, **layers}
    assert expected is decide(**arguments, principal=Principal.of(principal)).outcome


@pytest.mark.parametrize(
    ("name", "expected"),
    [("db-??????", ALLOWED), ("db-*", ALLOWED), ("db", IMPLICIT), ("db-AbCdEf", OPEN), ("db-AbCdE", IMPLICIT)],
)
def test_a_secret_that_does_not_exist_yet(name: str, expected: Outcome) -> None:
    """Six unknown characters match six question marks for certain, no name without them, and fixed ones perhaps."""
    secret = concatenate([f"{HEAD}db-", characters("aws_secretsmanager_secret.db.arn", 6)])
    own = policy(allow(resource=HEAD + name))
    assert expected is decide(own, READ, secret, principal=Principal.role(ROLE)).outcome


def test_a_doubt_about_the_principal_says_so() -> None:
    """A statement that may or may not name the principal says that, and what is not known of it."""
    unknown = shared({"AWS": Unknown("var.reader")})
    (doubt,) = decide((), READ, DB, resource_policies=unknown, principal=Principal.of(SESSION)).doubts
    assert "it is unknown whether its Principal names the principal: var.reader is unknown" == doubt.reason
    assert Unknown("var.reader") == doubt.unknown


def test_a_doubt_about_a_variable_without_a_value_says_so() -> None:
    """A NotResource whose variable has no value may exclude the resource or not."""
    statement = {"Effect": "Allow", "Action": "*", "NotResource": HEAD + "${aws:PrincipalTag/team}*"}
    document = PolicyDocument.from_value({"Version": "2012-10-17", "Statement": statement})
    (doubt,) = decide([IdentityPolicy.of("policy", document)], READ, DB, context=Context(complete=True)).doubts
    assert "AWS does not document NotResource" in doubt.reason


def test_what_blocks_is_named() -> None:
    """A decision names the kinds of policies that do not allow what the principal's own policies allow."""
    limited = decide(OWN, READ, DB, boundary=NOTHING, scps=[OTHERS], principal=Principal.of(SESSION))
    assert (("permissions boundary", "service control policies"), True) == (limited.blocked_by, limited.limited)
    foreign = decide(OWN, READ, THEIRS, principal=Principal.of(SESSION))
    assert (("resource policy",), False) == (foreign.blocked_by, foreign.limited)
    assert () == decide(OTHERS, READ, DB, boundary=NOTHING, principal=Principal.of(SESSION)).blocked_by
