"""Write cases of IAM decisions: every family of rules, systematically.

    python tools/iam_cases.py families                       the cases of fixtures/iam/cases.jsonl, without labels
    python tools/iam_cases.py label CASES LABELS             join cases with what tools/iam_oracle.mjs says of them

A case has the schema of `infraspec simulate`. `aws` stands where AWS's documents and the labels differ, with the
reason in `why`; `ambiguous` where the documents do not say. Accounts and names are invented.
"""

from __future__ import annotations

import argparse
import itertools
import json
import sys
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

OWN, OTHER = "111122223333", "444455556666"
ROLE = f"arn:aws:iam::{OWN}:role/report-execution"
SESSION = f"arn:aws:sts::{OWN}:assumed-role/report-execution/0f1e2d3c"
USER = f"arn:aws:iam::{OWN}:user/hanako"
READ = "secretsmanager:GetSecretValue"
HEAD = f"arn:aws:secretsmanager:ap-northeast-1:{OWN}:secret:"
DB = f"{HEAD}report/db-a1B2c3"
KEY = f"arn:aws:kms:ap-northeast-1:{OWN}:key/0a1b2c3d-1111-2222-3333-444455556666"
GROUP = f"arn:aws:logs:ap-northeast-1:{OWN}:log-group:/ecs/report"
LOGS = f"{GROUP}:log-stream:app/app/0f1e2d3c"
REPOSITORY = f"arn:aws:ecr:ap-northeast-1:{OWN}:repository/report/app"
OBJECT = "arn:aws:s3:::report-config/env/prod.env"
PARAMETER = f"arn:aws:ssm:ap-northeast-1:{OWN}:parameter/report/prod/url"
TOPIC = f"arn:aws:sns:ap-northeast-1:{OWN}:report-alerts"
TARGET = f"arn:aws:iam::{OWN}:role/target"
GUIDE = "IAM User Guide, "
Case = dict[str, Any]


def document(*statements: Case, version: str | None = "2012-10-17") -> Case:
    """Return a policy."""
    return ({"Version": version} if version else {}) | {"Statement": list(statements)}


def statement(effect: str = "Allow", action: Any = READ, resource: Any = "*", **more: Any) -> Case:
    """Return a statement; `more` may replace Action by NotAction, and so on."""
    base = {"Effect": effect, "Action": action, "Resource": resource}
    for part in ("Action", "Resource"):
        if f"Not{part}" in more:
            del base[part]
    return base | more


ALL = document(statement(action="*"))


def case(
    identity: str,
    tags: Iterable[str],
    policies: list[Case],
    *,
    action: str = READ,
    resource: str = DB,
    principal: str = SESSION,
    account: str = OWN,
    context: Case | None = None,
    **layers: Any,
) -> Case:
    """Return a case; `layers` are boundary, sessionPolicy, resourcePolicy, scps and rcps, and annotations."""
    request = {"principal": principal, "action": action, "resource": resource, "resourceAccount": account}
    request["context"] = context or {}  # type: ignore[assignment]
    used = {name: value for name, value in layers.items() if value is not None}
    return {"id": identity, "tags": list(tags), "policies": policies, **used, "request": request}


def granting(effect: str, *, resource: str = "*", action: Any = READ, **more: Any) -> list[Case]:
    """Return policies in which one statement decides: an Allow alone, or a Deny beside an Allow of everything."""
    own = document(statement(effect, action, resource, **more))
    return [own] if effect == "Allow" else [ALL, own]


EFFECTS = ("Allow", "Deny")


def actions() -> Iterator[Case]:
    """Yield wildcards and letter case of actions, and NotAction."""
    patterns: list[Any] = [
        READ, "secretsmanager:*", "*", "secretsmanager:Get*", "secretsmanager:get*", "SECRETSMANAGER:GETSECRETVALUE",
        "secretsmanager:GetSecret?alue", "secretsmanager:GetSecretValu", "secretsmanager:Get*Value", "ssm:*",
        "secretsmanager:*Secret*", ["ssm:*", READ], "secretsmanager:?etSecretValue", "secretsmanager:BatchGet*",
    ]  # fmt: skip
    asked = (READ, "secretsmanager:DescribeSecret", "secretsmanager:PutSecretValue")
    for (n, pattern), action, effect in itertools.product(enumerate(patterns), asked, EFFECTS):
        name = f"{n}/{action.partition(':')[2]}/{effect}"
        yield case(f"action/{name}", ["action", "wildcard"], granting(effect, action=pattern), action=action)
        policies = granting(effect, NotAction=pattern)
        yield case(f"notaction/{name}", ["notaction", "wildcard"], policies, action=action)


RESOURCES: dict[str, tuple[str, list[str], list[Any]]] = {
    "secret": (READ, [DB, f"{HEAD}report/db-extra-a1B2c3", f"{HEAD}report/api-Zz9Yy8"], [
        DB, f"{HEAD}report/db", f"{HEAD}report/db-??????", f"{HEAD}report/db-*", f"{HEAD}report/db*", f"{HEAD}report/*",
        f"{HEAD}*", f"{HEAD}report/db-a1B2c?", f"{HEAD}report/DB-??????", f"{HEAD}report/db-?????",
        "arn:aws:secretsmanager:*:*:secret:report/*-a1B2c3", f"arn:aws:secretsmanager:*:{OWN}:secret:report/db-??????",
        f"arn:aws:secretsmanager:ap-northeast-?:{OWN}:secret:report/db-*", "arn:aws:secretsmanager:*",
        f"arn:aws:secretsmanager:us-east-1:{OWN}:secret:*", f"arn:aws:secretsmanager:ap-northeast-1:{OTHER}:secret:*",
        f"arn:aws-cn:secretsmanager:ap-northeast-1:{OWN}:secret:*",
        f"arn:aws:SecretsManager:AP-Northeast-1:{OWN}:secret:*",
        [f"{HEAD}report/api-??????", f"{HEAD}report/db-??????"], f"{HEAD}report/db-a1B2c3:password::",
    ]),
    "ssm": ("ssm:GetParameters", [PARAMETER, PARAMETER.replace("url", "key/x")], [
        PARAMETER, f"{PARAMETER}*", PARAMETER.replace("url", "*"), PARAMETER.replace("report/prod", "*"),
        PARAMETER.replace("/report/prod/url", "report/prod/url"), "arn:aws:ssm:*:*:parameter/*", "arn:aws:ssm:*:*:*",
    ]),
    "logs": ("logs:PutLogEvents", [LOGS], [
        LOGS, GROUP, f"{GROUP}:*", f"{GROUP}:log-stream:*",
        "arn:aws:logs:*:*:log-group:/ecs/*", "arn:aws:logs:*:*:*", f"arn:aws:logs:*:{OWN}:log-group:/ecs/report",
    ]),
    "ecr": ("ecr:BatchGetImage", [REPOSITORY], [
        REPOSITORY, "arn:aws:ecr:*:*:repository/*", "arn:aws:ecr:*:*:repository/report", f"{REPOSITORY}/*",
        f"arn:aws:ecr:ap-northeast-1:{OWN}:repository/report/???",
    ]),
    "s3": ("s3:GetObject", [OBJECT, "arn:aws:s3:::report-config-old/env/prod.env"], [
        OBJECT, "arn:aws:s3:::report-config", "arn:aws:s3:::report-config/*", "arn:aws:s3:::report-*/env/*.env",
        "arn:aws:s3:::*", "arn:aws:s3:::report-config/env/prod", "arn:aws:s3:::report-config/ENV/*",
    ]),
}  # fmt: skip


def resources() -> Iterator[Case]:
    """Yield patterns of resources of the services that ECS reads from, and NotResource."""
    for service, (action, asked, patterns) in RESOURCES.items():
        for (n, pattern), (m, resource), effect in itertools.product(enumerate(patterns), enumerate(asked), EFFECTS):
            policies = granting(effect, action=action, resource=pattern)
            name, tags = f"{service}/{n}/{m}/{effect}", [service, effect.lower()]
            yield case(f"resource/{name}", ["resource", *tags], policies, action=action, resource=resource)
            policies = granting(effect, action=action, NotResource=pattern)
            yield case(f"notresource/{name}", ["notresource", *tags], policies, action=action, resource=resource)
    for n, pattern in enumerate(("*", f"arn:aws:ecr:ap-northeast-1:{OWN}:*", REPOSITORY)):
        policies = granting("Allow", action="ecr:*", resource=pattern)
        yield case(
            f"resource/star-only/{n}", ["resource", "wildcard-only"], policies,
            action="ecr:GetAuthorizationToken", resource="*",
        )  # fmt: skip


DATE, NUMBER, IP, ARN, TAG = (
    "aws:CurrentTime", "aws:MultiFactorAuthAge", "aws:SourceIp", "aws:SourceArn", "aws:PrincipalTag/team",
)  # fmt: skip
OPERATORS: list[tuple[str, str, Any, Any, Any]] = [
    # operator, key, wanted, observed that matches the positive operator, observed that does not
    ("StringEquals", TAG, "core", "core", "Core"),
    ("StringNotEquals", TAG, ["core", "data"], "data", "web"),
    ("StringEqualsIgnoreCase", TAG, "CORE", "core", "care"),
    ("StringNotEqualsIgnoreCase", TAG, "CORE", "core", "care"),
    ("StringLike", TAG, "co*", "core", "Core"),
    ("StringLike", TAG, ["x", "c?re"], "core", "coore"),
    ("StringNotLike", TAG, "co*", "core", "Core"),
    ("NumericEquals", NUMBER, "300", "300", "301"),
    ("NumericNotEquals", NUMBER, "300", "300", "301"),
    ("NumericLessThan", NUMBER, "300", "299", "300"),
    ("NumericLessThanEquals", NUMBER, "300", "300", "301"),
    ("NumericGreaterThan", NUMBER, "300", "301", "300"),
    ("NumericGreaterThanEquals", NUMBER, "300", "300", "299"),
    ("DateEquals", DATE, "2026-04-01T00:00:00Z", "2026-04-01T00:00:00Z", "2026-04-02T00:00:00Z"),
    ("DateNotEquals", DATE, "2026-04-01T00:00:00Z", "2026-04-01T00:00:00Z", "2026-04-02T00:00:00Z"),
    ("DateLessThan", DATE, "2026-04-01T00:00:00Z", "2026-03-31T23:59:59Z", "2026-04-01T00:00:00Z"),
    ("DateLessThanEquals", DATE, "2026-04-01T00:00:00Z", "2026-04-01T00:00:00Z", "2026-04-01T00:00:01Z"),
    ("DateGreaterThan", DATE, "2026-04-01T00:00:00Z", "2026-04-01T00:00:01Z", "2026-04-01T00:00:00Z"),
    ("DateGreaterThanEquals", DATE, "2026-04-01T00:00:00Z", "2026-04-01T00:00:00Z", "2026-03-31T00:00:00Z"),
    ("Bool", "aws:SecureTransport", "true", "true", "false"),
    ("BinaryEquals", TAG, "Q29yZQ==", "Q29yZQ==", "Q09SRQ=="),
    ("IpAddress", IP, "203.0.113.0/24", "203.0.113.9", "198.51.100.9"),
    ("IpAddress", IP, ["10.0.0.0/8", "2001:db8::/32"], "2001:db8::5", "2001:db9::5"),
    ("NotIpAddress", IP, "203.0.113.0/24", "203.0.113.9", "198.51.100.9"),
    ("ArnEquals", ARN, f"arn:aws:ecs:*:{OWN}:task/*", f"arn:aws:ecs:ap-northeast-1:{OWN}:task/report/1", DB),
    ("ArnLike", ARN, f"arn:aws:ecs:*:{OWN}:task/report/?", f"arn:aws:ecs:ap-northeast-1:{OWN}:task/report/1", DB),
    ("ArnNotEquals", ARN, DB, DB, f"{DB}x"),
    ("ArnNotLike", ARN, f"{HEAD}*", DB, KEY),
]


def conditions() -> Iterator[Case]:
    """Yield every operator with a value that matches, one that does not, none, and a key in another case."""
    for n, (operator, key, wanted, right, wrong) in enumerate(OPERATORS):
        contexts = {"match": {key: right}, "nomatch": {key: wrong}, "missing": {}, "keycase": {key.upper(): right}}
        for suffix, (kind, context), effect in itertools.product(("", "IfExists"), contexts.items(), EFFECTS):
            policies = granting(effect, Condition={operator + suffix: {key: wanted}})
            tags = ["condition", operator, kind, *([suffix] if suffix else [])]
            yield case(f"condition/{n}/{operator}{suffix}/{kind}/{effect}", tags, policies, context=context)
    yield from _nulls()
    yield from _joined()


def _nulls() -> Iterator[Case]:
    for wanted, present, effect in itertools.product(("true", "false", ["true", "false"]), (True, False), EFFECTS):
        policies = granting(effect, Condition={"Null": {"aws:TokenIssueTime": wanted}})
        context = {"aws:TokenIssueTime": "2026-01-01T00:00:00Z"} if present else {}
        yield case(f"condition/Null/{wanted}/{present}/{effect}", ["condition", "Null"], policies, context=context)


def _joined() -> Iterator[Case]:
    both = {
        "StringEquals": {TAG: "core", "aws:RequestedRegion": "ap-northeast-1"},
        "Bool": {"aws:SecureTransport": "true"},
    }
    for team, region, secure in itertools.product(("core", "web"), ("ap-northeast-1", "us-east-1"), ("true", "false")):
        context = {TAG: team, "aws:RequestedRegion": region, "aws:SecureTransport": secure}
        name = f"condition/and/{team}/{region}/{secure}"
        yield case(name, ["condition", "and"], granting("Allow", Condition=both), context=context)
    for name in ("stringequals", "STRINGEQUALS", "stringlikeifexists"):
        policies = granting("Allow", Condition={name: {TAG: "core"}})
        for value in ("core", "web"):
            yield case(f"condition/opcase/{name}/{value}", ["condition", "opcase"], policies, context={TAG: value})


def sets() -> Iterator[Case]:
    """Yield ForAllValues and ForAnyValue over lists that lie in the wanted values, partly, not, or are not there."""
    observed = {
        "subset": ["a1"],
        "all": ["a1", "a2"],
        "partly": ["a1", "b1"],
        "none": ["b1", "b2"],
        "empty": [],
        "missing": None,
    }
    names = (
        "StringEquals", "StringLike", "StringNotEquals", "StringNotLike", "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase",
    )  # fmt: skip
    for quantifier, name, suffix, (kind, values), effect in itertools.product(
        ("ForAllValues", "ForAnyValue"), names, ("", "IfExists"), observed.items(), EFFECTS
    ):
        wanted = "a*" if name.endswith("Like") else ["A1", "A2"] if name.endswith("Case") else ["a1", "a2"]
        operator = f"{quantifier}:{name}{suffix}"
        silent = quantifier == "ForAnyValue" and suffix and kind == "missing"
        yield case(
            f"set/{operator}/{kind}/{effect}", ["condition", quantifier, name],
            granting(effect, Condition={operator: {"aws:TagKeys": wanted}}),
            context={} if values is None else {"aws:TagKeys": values},
            ambiguous=True if silent else None,
        )  # fmt: skip


NO_VALUE = (
    f"{GUIDE}IAM policy elements: Variables and tags: without a value, a comparison with an inverted operator matches"
)
LITERAL = f"{GUIDE}IAM policy elements: Variables and tags: without Version 2012-10-17 a variable is literal text"


def variables() -> Iterator[Case]:
    """Yield policy variables in resources and conditions, with and without a value, a default, a version."""
    forms = {
        "plain": "${aws:PrincipalTag/team}/db-??????", "prefix": "${aws:PrincipalTag/team}*",
        "default": "${aws:PrincipalTag/team, 'core'}/db-*", "case": "${AWS:PRINCIPALTAG/team}/db-a1B2c3",
    }  # fmt: skip
    contexts: dict[str, Case] = {"same": {TAG: "core"}, "other": {TAG: "web"}, "star": {TAG: "*"}, "missing": {}}
    asked = f"{HEAD}core/db-a1B2c3"
    for (form, text), (kind, context), effect in itertools.product(forms.items(), contexts.items(), EFFECTS):
        policies = granting(effect, resource=HEAD + text)
        name = f"{form}/{kind}/{effect}"
        yield case(f"variable/resource/{name}", ["variable", "resource"], policies, resource=asked, context=context)
        yield case(
            f"variable/notresource/{name}", ["variable", "notresource"], granting(effect, NotResource=HEAD + text),
            resource=asked, context=context, ambiguous=True if kind == "missing" and form != "default" else None,
        )  # fmt: skip
    yield from _in_conditions()
    for escape, value, effect in itertools.product(("*", "?", "$"), ("*", "?", "$", "x"), EFFECTS):
        policies = granting(effect, Condition={"StringLike": {TAG: f"a${{{escape}}}"}})
        yield case(
            f"variable/escape/{escape}/{value}/{effect}", ["variable", "escape"], policies, context={TAG: f"a{value}"}
        )
    for version, effect in itertools.product((None, "2008-10-17", "2012-10-17"), EFFECTS):
        old = None if version == "2012-10-17" else ("ImplicitlyDenied" if effect == "Allow" else "Allowed")
        own = document(statement(effect, resource=HEAD + "${aws:PrincipalTag/team}/db-a1B2c3"), version=version)
        policies = [own] if effect == "Allow" else [ALL, own]
        yield case(
            f"variable/version/{version}/{effect}", ["variable", "version"], policies, resource=asked,
            context={TAG: "core"}, aws=old, why=LITERAL if old else None,
        )  # fmt: skip


def _in_conditions() -> Iterator[Case]:
    contexts: dict[str, Case] = {
        "same": {"aws:PrincipalTag/a": "x", "aws:PrincipalTag/b": "x"},
        "other": {"aws:PrincipalTag/a": "x", "aws:PrincipalTag/b": "y"},
        "missing": {"aws:PrincipalTag/a": "x"},
    }
    names = ("StringEquals", "StringNotEquals", "StringLike", "StringNotLike")
    for name, default, (kind, context), effect in itertools.product(names, ("", ", 'x'"), contexts.items(), EFFECTS):
        inverted = kind == "missing" and "Not" in name and not default
        policies = granting(effect, Condition={name: {"aws:PrincipalTag/a": f"${{aws:PrincipalTag/b{default}}}"}})
        yield case(
            f"variable/condition/{name}{bool(default)}/{kind}/{effect}", ["variable", "condition", name], policies,
            context=context, aws=({"Allow": "Allowed", "Deny": "ExplicitlyDenied"}[effect] if inverted else None),
            why=NO_VALUE if inverted else None,
        )  # fmt: skip


def _shapes(owner: str = OWN, action: Any = READ) -> dict[str, Case | None]:
    """Return resource policies that name the principal in every way, or somebody else."""
    role, session = ROLE, SESSION

    def one(principal: Any, effect: str = "Allow", **more: Any) -> Case:
        return document({"Effect": effect, "Principal": principal, "Action": action, "Resource": "*", **more})

    return {
        "none": None,
        "root": one({"AWS": f"arn:aws:iam::{OWN}:root"}),
        "account": one({"AWS": OWN}),
        "owner": one({"AWS": f"arn:aws:iam::{owner}:root"}),
        "role": one({"AWS": role}),
        "session": one({"AWS": session}),
        "user": one({"AWS": USER}),
        "star": one("*"),
        "aws-star": one({"AWS": "*"}),
        "list": one({"AWS": [f"arn:aws:iam::{OWN}:role/other", role]}),
        "other": one({"AWS": f"arn:aws:iam::{OWN}:role/other"}),
        "service": one({"Service": "ecs-tasks.amazonaws.com"}),
        "star-if": one("*", Condition={"ArnEquals": {"aws:PrincipalArn": role}}),
        "star-if-not": one("*", Condition={"ArnEquals": {"aws:PrincipalArn": f"{role}-2"}}),
        "deny-role": one({"AWS": role}, "Deny"),
        "deny-root": one({"AWS": f"arn:aws:iam::{OWN}:root"}, "Deny"),
        "deny-other": one({"AWS": f"arn:aws:iam::{OWN}:role/other"}, "Deny"),
        "deny-star": one("*", "Deny"),
        "deny-all-but": document(
            {
                "Effect": "Deny",
                "NotPrincipal": {"AWS": [role, session, f"arn:aws:iam::{OWN}:root"]},
                "Action": action,
                "Resource": "*",
            }
        ),
    }


IDENTITIES: dict[str, list[Case]] = {
    "none": [],
    "allow": [document(statement())],
    "deny": [document(statement(), statement("Deny"))],
    "other": [document(statement(action="ssm:*"))],
}
LIMITS: dict[str, Case | None] = {
    "none": None,
    "allow": document(statement(action=[READ, "kms:*"])),
    "noallow": document(statement(action="ssm:*")),
    "deny": document(statement(action="*"), statement("Deny")),
}


def layers() -> Iterator[Case]:
    """Yield identity policies, a resource policy and a boundary, within an account and across accounts."""
    for owner, (who, policies), (shape, policy), (limit, boundary) in itertools.product(
        (OWN, OTHER), IDENTITIES.items(), _shapes().items(), LIMITS.items()
    ):
        if owner == OTHER and limit == "deny":
            continue
        where = "same" if owner == OWN else "cross"
        if shape in {"user", "account", "deny-other"} and who in {"deny", "other"}:
            continue
        yield case(
            f"layers/{where}/{who}/{shape}/{limit}",
            ["eval", f"{where}-account", "boundary" if boundary else "no-boundary"],
            policies, resource=DB.replace(OWN, owner), account=owner, boundary=boundary, resourcePolicy=policy,
            context={"aws:PrincipalArn": ROLE},
        )  # fmt: skip


def key_policies() -> Iterator[Case]:
    """Yield KMS keys: their own policy has to let the principal or its account in."""
    decrypt = {
        name: [json.loads(json.dumps(p).replace(READ, "kms:Decrypt")) for p in own] for name, own in IDENTITIES.items()
    }
    for owner, (who, policies), (shape, policy) in itertools.product(
        (OWN, OTHER), decrypt.items(), _shapes(OTHER, "kms:*").items()
    ):
        if shape in {"user", "service", "deny-other", "list"}:
            continue
        where = "same" if owner == OWN else "cross"
        yield case(
            f"kms/{where}/{who}/{shape}", ["eval", "kms", where], policies, action="kms:Decrypt",
            resource=KEY.replace(OWN, owner), account=owner, resourcePolicy=policy,
            context={"aws:PrincipalArn": ROLE, "kms:ViaService": "secretsmanager.ap-northeast-1.amazonaws.com"},
        )  # fmt: skip
    wanted = (
        "secretsmanager.ap-northeast-1.amazonaws.com",
        "secretsmanager.*.amazonaws.com",
        "ssm.ap-northeast-1.amazonaws.com",
    )
    for operator, via in itertools.product(("StringEquals", "StringLike"), wanted):
        policies = [document(statement(action="kms:Decrypt", Condition={operator: {"kms:ViaService": via}}))]
        yield case(
            f"kms/via/{operator}/{via}", ["eval", "kms", "same"], policies, action="kms:Decrypt", resource=KEY,
            resourcePolicy=_shapes(OWN, "kms:*")["owner"],
            context={"kms:ViaService": "secretsmanager.ap-northeast-1.amazonaws.com"},
        )  # fmt: skip


DIRECT = (
    f"{GUIDE}Policies and permissions: Session policies: permissions of a resource-based policy for the session are "
    "not limited by the session policy"
)


def sessions() -> Iterator[Case]:
    """Yield session policies against grants of identity and resource policies."""
    shapes = ("none", "root", "role", "session", "star", "deny-role")
    for (who, policies), shape, (limit, policy) in itertools.product(IDENTITIES.items(), shapes, LIMITS.items()):
        if limit == "none":
            continue
        direct = shape in {"session", "star"} and limit == "noallow" and who != "deny"
        yield case(
            f"session/{who}/{shape}/{limit}", ["eval", "session-policy"], policies, sessionPolicy=policy,
            resourcePolicy=_shapes()[shape], aws="Allowed" if direct else None, why=DIRECT if direct else None,
        )  # fmt: skip


def principals() -> Iterator[Case]:
    """Yield requests of an IAM user, of a role by its ARN, of services, and of service-linked roles."""
    shapes = ("none", "root", "role", "user", "star", "other", "deny-root", "deny-star")
    for kind, (who, policies), shape in itertools.product(("user", "role"), IDENTITIES.items(), shapes):
        principal = USER if kind == "user" else ROLE
        yield case(
            f"principal/{kind}/{who}/{shape}", ["eval", "iam-user" if kind == "user" else "role-principal"], policies,
            principal=principal, resourcePolicy=_shapes()[shape], context={"aws:PrincipalArn": principal},
        )  # fmt: skip
    for service, shape in itertools.product(
        ("ecs-tasks.amazonaws.com", "ec2.amazonaws.com"), ("none", "service", "star", "root")
    ):
        yield case(
            f"principal/service/{service}/{shape}", ["eval", "service"], [], principal=service,
            resourcePolicy=_shapes()[shape],
        )  # fmt: skip


def organization() -> Iterator[Case]:
    """Yield SCPs, each level of which must allow, and RCPs, which can only deny."""
    full = [ALL]
    deny = document(statement("Deny", "secretsmanager:*"))
    region = {"StringNotEquals": {"aws:RequestedRegion": ["ap-northeast-1", "ap-northeast-3"]}}
    spared = {"ArnNotLike": {"aws:PrincipalArn": "arn:aws:iam::*:role/report-*"}}
    scps: dict[str, list[list[Case]]] = {
        "full": [full], "levels": [full, full, full], "hole": [full, [document(statement(action="ssm:*"))], full],
        "deny-root": [[*full, deny], full], "deny-leaf": [full, [*full, deny]], "empty": [full, []],
        "allow-list": [[document(statement(action=["secretsmanager:Get*", "logs:*"]))]],
        "region": [[*full, document(statement("Deny", NotAction=["iam:*", "sts:*"], Condition=region))]],
        "spared": [[*full, document(statement("Deny", Condition=spared))]],
    }  # fmt: skip
    for (name, levels), (who, policies), area in itertools.product(
        scps.items(), IDENTITIES.items(), ("ap-northeast-1", "us-east-1")
    ):
        context = {"aws:RequestedRegion": area, "aws:PrincipalArn": ROLE}
        yield case(f"scp/{name}/{who}/{area}", ["eval", "scp"], policies, scps=levels, context=context)
    outside = {
        "StringNotEqualsIfExists": {"aws:PrincipalOrgID": "o-example"},
        "BoolIfExists": {"aws:PrincipalIsAWSService": "false"},
    }
    insecure = {"BoolIfExists": {"aws:SecureTransport": "false"}}

    def control(condition: Case) -> Case:
        return document(statement("Deny", "secretsmanager:*", Principal="*", Condition=condition))

    rcps = {"insecure": [[control(insecure)]], "outside": [[control(outside)]], "leaf": [[], [control(insecure)]]}
    contexts: dict[str, Case] = {
        "good": {"aws:SecureTransport": "true", "aws:PrincipalOrgID": "o-example"},
        "bad": {"aws:SecureTransport": "false", "aws:PrincipalOrgID": "o-foreign"},
        "missing": {}, "service": {"aws:SecureTransport": "true", "aws:PrincipalIsAWSService": "true"},
    }  # fmt: skip
    for (name, levels), (kind, context), owner in itertools.product(rcps.items(), contexts.items(), (OWN, OTHER)):
        yield case(
            f"rcp/{name}/{kind}/{owner}", ["eval", "rcp"], IDENTITIES["allow"], resource=DB.replace(OWN, owner),
            account=owner, resourcePolicy=_shapes()["role"], rcps=levels, context=context,
        )  # fmt: skip


def trust() -> Iterator[Case]:
    """Yield trust policies: the role's own policy has to let the principal or its account in."""
    assume = "sts:AssumeRole"
    identities = {"none": [], "allow": [document(statement(action=assume, resource=TARGET))]}
    for (who, policies), (shape, policy), owner in itertools.product(
        identities.items(), _shapes(OWN, assume).items(), (OWN, OTHER)
    ):
        if policy is None or shape in {"owner", "deny-all-but"}:
            continue
        trusting = document(*({k: v for k, v in s.items() if k != "Resource"} for s in policy["Statement"]))
        target = TARGET.replace(OWN, owner)
        own = [json.loads(json.dumps(p).replace(TARGET, target)) for p in policies]
        yield case(
            f"trust/{owner}/{who}/{shape}", ["eval", "trust"], own, action=assume, resource=target, account=owner,
            resourcePolicy=trusting, context={"aws:PrincipalArn": ROLE},
        )  # fmt: skip
    for service in ("ecs-tasks.amazonaws.com", "lambda.amazonaws.com"):
        only = document({"Effect": "Allow", "Principal": {"Service": "ecs-tasks.amazonaws.com"}, "Action": assume})
        yield case(
            f"trust/service/{service}", ["eval", "trust"], [], action=assume, resource=TARGET, principal=service,
            resourcePolicy=only,
        )  # fmt: skip


def ecs() -> Iterator[Case]:
    """Yield what an execution role and a task role ask for, against policies that teams write."""
    managed = {
        "name": "AmazonECSTaskExecutionRolePolicy",
        "policy": document(statement(action=[
            "ecr:GetAuthorizationToken", "ecr:BatchCheckLayerAvailability", "ecr:GetDownloadUrlForLayer",
            "ecr:BatchGetImage", "logs:CreateLogStream", "logs:PutLogEvents",
        ])),
    }  # fmt: skip
    written: dict[str, list[Case]] = {
        "managed": [managed],
        "managed+suffix": [managed, document(statement(resource=f"{HEAD}report/db-??????"))],
        "managed+name": [managed, document(statement(resource=f"{HEAD}report/db"))],
        "managed+parameter": [managed, document(statement(action="ssm:GetParameter", resource=PARAMETER))],
        "managed+parameters": [managed, document(statement(action="ssm:GetParameters", resource=PARAMETER))],
        "group": [document(statement(action=["logs:CreateLogStream", "logs:PutLogEvents"], resource=GROUP))],
        "group-streams": [document(statement(action=["logs:*"], resource=f"{GROUP}:*"))],
        "admin": [ALL],
        "admin-but-secrets": [ALL, document(statement("Deny", "secretsmanager:*", NotResource=f"{HEAD}report/*"))],
    }
    asked = [
        (READ, DB), (READ, f"{HEAD}other/db-a1B2c3"), ("ssm:GetParameters", PARAMETER), ("logs:PutLogEvents", LOGS),
        ("logs:CreateLogStream", LOGS), ("logs:CreateLogGroup", GROUP), ("ecr:GetAuthorizationToken", "*"),
        ("ecr:BatchGetImage", REPOSITORY), ("s3:GetObject", OBJECT), ("ssmmessages:OpenDataChannel", "*"),
        ("sns:Publish", TOPIC),
    ]  # fmt: skip
    for (who, policies), (n, (action, resource)) in itertools.product(written.items(), enumerate(asked)):
        role = "task-role" if action.startswith(("ssmmessages", "sns")) else "execution-role"
        yield case(f"ecs/{who}/{n}", ["ecs", role], policies, action=action, resource=resource)
    forms = (DB, DB[:-7], f"{DB}:password::", f"{HEAD}report/db-??????")
    for n, resource in enumerate(forms[:3]):
        policies = [document(statement(resource=f"{HEAD}report/db-??????"))]
        yield case(f"ecs/secret-arn/{n}", ["ecs", "secret-arn"], policies, resource=resource)


def edges() -> Iterator[Case]:
    """Yield what stands alone: a lone statement, the order of statements, the request that is always allowed."""
    yield case("edge/lone-statement", ["edge"], [{"Version": "2012-10-17", "Statement": statement()}])
    yield case("edge/deny-first", ["edge", "deny"], [document(statement("Deny"), statement())])
    yield case("edge/empty-policy", ["edge"], [document()])
    yield case("edge/two-policies", ["edge", "deny"], [document(statement()), document(statement("Deny", resource=DB))])
    yield case(
        "edge/caller-identity", ["edge", "sts"], [document(statement("Deny", "*"))],
        action="sts:GetCallerIdentity", resource="*",
    )  # fmt: skip


FAMILIES = (
    actions, resources, conditions, sets, variables, layers, key_policies, sessions, principals, organization, trust,
    ecs, edges,
)  # fmt: skip


def families() -> Iterator[Case]:
    """Yield the cases of all families."""
    for family in FAMILIES:
        yield from family()


def labelled(cases: Iterable[Case], labels: Iterable[Case]) -> Iterator[Case]:
    """Join cases with their labels; what the simulator refuses is left out."""
    for one, label in zip(cases, labels, strict=True):
        if "decision" not in label:
            sys.stderr.write(f"{one['id']}: {label['error']}\n")
            continue
        agrees = one.get("aws") == label["decision"]
        kept = {name: value for name, value in one.items() if not (agrees and name in {"aws", "why"})}
        yield kept | {"expected": label["decision"]}


def read(file: str) -> Iterator[Case]:
    """Read JSON Lines."""
    with Path(file).open(encoding="utf-8") as lines:
        yield from map(json.loads, lines)


def main() -> None:
    """Write the cases that the command line asks for."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    commands = parser.add_subparsers(dest="command", required=True)
    commands.add_parser("families")
    label = commands.add_parser("label")
    label.add_argument("cases")
    label.add_argument("labels")
    arguments = parser.parse_args()
    cases = families() if arguments.command == "families" else labelled(read(arguments.cases), read(arguments.labels))
    for one in cases:
        print(json.dumps(one, ensure_ascii=False, separators=(",", ":")))


if __name__ == "__main__":
    main()
