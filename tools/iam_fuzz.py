"""Decide random cases with the engine and with another simulator, and explain every difference.

    python -m tools.iam_fuzz --seed 1 --count 20000 --oracle FOLDER

FOLDER holds npm's @cloud-copilot/iam-simulate, which tools/iam_oracle.mjs runs as a program of its own. The known
differences are those of docs/iam.md; any other one is printed with its case, and the exit code is 1.
"""

from __future__ import annotations

import argparse
import json
import random
import subprocess
import sys
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from infraspec.cli.simulate import decided
from tools.iam_cases import (
    DB,
    HEAD,
    KEY,
    LOGS,
    OBJECT,
    OTHER,
    OWN,
    PARAMETER,
    READ,
    REPOSITORY,
    ROLE,
    SESSION,
    TARGET,
    USER,
    Case,
    document,
)  # fmt: skip

ORACLE = Path(__file__).with_name("iam_oracle.mjs")
ASKED: list[tuple[str, str]] = [
    (READ, DB), (READ, DB), (READ, f"{HEAD}core/db-a1B2c3"), ("secretsmanager:DescribeSecret", DB),
    ("ssm:GetParameters", PARAMETER), ("logs:PutLogEvents", LOGS), ("ecr:BatchGetImage", REPOSITORY),
    ("ecr:GetAuthorizationToken", "*"), ("s3:GetObject", OBJECT), ("kms:Decrypt", KEY), ("sts:AssumeRole", TARGET),
]  # fmt: skip
LINKED = f"arn:aws:sts::{OWN}:assumed-role/AWSServiceRoleForECS/ecs"
TAG = "aws:PrincipalTag/team"
KEYS: dict[str, tuple[str, list[Any], list[Any]]] = {
    # key: operators, observed values, wanted values
    TAG: ("String", ["core", "Core", "web", "c*", ""], ["core", "c*", "c?re", "WEB", "${aws:PrincipalTag/owner}",
        "x${*}",
        "${aws:PrincipalTag/owner, 'core'}"]),
    "aws:PrincipalTag/owner": ("String", ["core", "web"], ["core", "w*", "${aws:PrincipalTag/team}"]),
    "aws:RequestedRegion": ("String", ["ap-northeast-1", "us-east-1"], ["ap-*", "us-east-1", "ap-northeast-1"]),
    "aws:MultiFactorAuthAge": ("Numeric", ["300", "299.5", "301"], ["300", "301"]),
    "aws:CurrentTime": ("Date", ["2026-04-01T00:00:00Z", "2026-04-02T09:00:00+09:00"], ["2026-04-01T00:00:00Z",
        "2026-04-02"]),
    "aws:SecureTransport": ("Bool", ["true", "false"], ["true", "false"]),
    "aws:SourceIp": ("Ip", ["203.0.113.9", "10.1.2.3", "2001:db8::5"], ["203.0.113.0/24", "10.0.0.0/8",
        "2001:db8::/32"]),
    "aws:SourceArn": ("Arn", [DB, f"arn:aws:ecs:ap-northeast-1:{OWN}:task/report/1"], [DB, "arn:aws:ecs:*:*:task/*",
        f"arn:aws:secretsmanager:*:{OWN}:secret:report/*", "arn:aws:ecs:*:task/*"]),
    "aws:PrincipalArn": ("Arn", [ROLE], [ROLE, "arn:aws:iam::*:role/report-*", f"arn:aws:iam::{OTHER}:role/*"]),
    "aws:TagKeys": ("Set", [["a1"], ["a1", "b1"], ["b1"], []], ["a1", "a*", "b1", "A1"]),
}  # fmt: skip
BASES = {
    "String": ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase",
        "StringNotEqualsIgnoreCase"],
    "Numeric": ["NumericEquals", "NumericNotEquals", "NumericLessThan", "NumericLessThanEquals", "NumericGreaterThan",
        "NumericGreaterThanEquals"],
    "Date": ["DateEquals", "DateNotEquals", "DateLessThan", "DateLessThanEquals", "DateGreaterThan",
        "DateGreaterThanEquals"],
    "Bool": ["Bool"], "Ip": ["IpAddress", "NotIpAddress"], "Arn": ["ArnEquals", "ArnLike", "ArnNotEquals",
    "ArnNotLike"],
    "Set": ["StringEquals", "StringNotEquals", "StringLike", "StringNotLike", "StringEqualsIgnoreCase"],
}  # fmt: skip


class Sampler:
    """Random cases; equal seeds give equal cases."""

    def __init__(self, seed: int) -> None:
        self.chance = random.Random(seed)

    def likely(self, probability: float) -> bool:
        """Return True with a probability."""
        return self.chance.random() < probability

    def case(self, identity: str) -> Case:
        """Return a random case."""
        action, resource = self.chance.choice(ASKED)
        owner = OTHER if self.likely(0.25) and resource not in {"*", OBJECT} else OWN
        resource = resource.replace(OWN, owner)
        principal = self.chance.choice(
            [SESSION, SESSION, SESSION, SESSION, ROLE, USER, USER, "ecs-tasks.amazonaws.com"]
        )
        principal = self.chance.choice([LINKED, f"arn:aws:iam::{OWN}:root"]) if self.likely(0.04) else principal
        service = principal.endswith(".com")
        layers: Case = {}
        if not service and self.likely(0.25):
            layers["boundary"] = self.policy(action, resource, limit=True)
        if principal == SESSION and self.likely(0.25):
            layers["sessionPolicy"] = self.policy(action, resource, limit=True)
        if (action == "sts:AssumeRole" and self.likely(0.95)) or (resource != "*" and self.likely(0.6)):
            layers["resourcePolicy"] = self.policy(action, resource, principals=True)
        if self.likely(0.15):
            levels = self.chance.randint(1, 3)
            layers["scps"] = [[self.policy(action, resource, limit=True)] for _ in range(levels)]
        if self.likely(0.1) and action.startswith(("secretsmanager", "kms", "s3", "sts")):
            layers["rcps"] = [[self.control(action)]]
        own = [self.policy(action, resource) for _ in range(0 if service else self.chance.randint(0, 3))]
        context = {key: self.chance.choice(KEYS[key][1]) for key in KEYS if self.likely(0.6)}
        request = {"principal": principal, "action": action, "resource": resource, "resourceAccount": owner}
        return {"id": identity, "policies": own, **layers, "request": {**request, "context": context}}

    def policy(self, action: str, resource: str, *, principals: bool = False, limit: bool = False) -> Case:
        """Return a policy of one or two statements about an action and a resource, or others."""
        version = "2012-10-17" if self.likely(0.95) else self.chance.choice([None, "2008-10-17"])
        statements = [self.statement(action, resource, principals=principals) for _ in range(self.chance.randint(1, 2))]
        if limit and self.likely(0.6):
            statements[0] = {"Effect": "Allow", "Action": "*", "Resource": "*"}
        return document(*statements, version=version)

    def statement(self, action: str, resource: str, *, principals: bool) -> Case:
        """Return a statement."""
        result: Case = {"Effect": "Deny" if self.likely(0.2) else "Allow"}
        if principals:
            result |= self.principal(result["Effect"])
        service = action.partition(":")[0]
        actions = [
            action,
            action,
            f"{service}:*",
            f"{service}:{action.partition(':')[2][:3]}*",
            "*",
            action.upper(),
            "iam:*",
        ]
        listed: Any = self.chance.choice(actions)
        result["NotAction" if self.likely(0.1) and action != "sts:AssumeRole" else "Action"] = listed
        if not (principals and action == "sts:AssumeRole"):
            chosen = [self.pattern(resource) for _ in range(self.chance.randint(1, 2))]
            result["NotResource" if self.likely(0.1) else "Resource"] = chosen[0] if len(chosen) == 1 else chosen
        if self.likely(0.3):
            result["Condition"] = self.condition()
        return result

    def pattern(self, resource: str) -> str:
        """Return a pattern that matches the resource, or nearly."""
        if resource == "*":
            return self.chance.choice(["*", "*", "arn:aws:ecr:*:*:repository/*"])
        head, tail = resource.rsplit("/", 1) if "/" in resource else (resource, "")
        return self.chance.choice([
            "*", resource, resource, resource[:-2] + "??", resource[:-3] + "*", f"{head}/*", resource[:-1],
            f"{resource}*",
            resource.replace(":ap-northeast-1:", ":*:"), resource.replace(OWN, "*"),
            resource.replace(tail, "${aws:PrincipalTag/team}*", 1) if tail else resource,
            resource.replace("report", "${aws:PrincipalTag/team}"), resource.replace("core",
            "${aws:PrincipalTag/team}"),
        ])  # fmt: skip

    def condition(self) -> Case:
        """Return a condition of one or two tests."""
        condition: Case = {}
        for _ in range(self.chance.randint(1, 2)):
            key = self.chance.choice(list(KEYS))
            kind, _, values = KEYS[key]
            operator = self.chance.choice(BASES[kind]) + ("IfExists" if self.likely(0.25) else "")
            if kind == "Set":
                operator = self.chance.choice(["ForAllValues:", "ForAnyValue:"]) + operator
            if self.likely(0.1):
                operator, values = "Null", ["true", "false"]
            written = key.upper() if self.likely(0.1) else key
            wanted = self.chance.sample(values, self.chance.randint(1, min(2, len(values))))
            condition.setdefault(operator, {})[written] = wanted[0] if len(wanted) == 1 else wanted
        return condition

    def principal(self, effect: str) -> Case:
        """Return the Principal of a statement of a resource policy."""
        named: list[Any] = [
            {"AWS": ROLE}, {"AWS": ROLE}, {"AWS": SESSION}, {"AWS": USER}, {"AWS": f"arn:aws:iam::{OWN}:root"},
            {"AWS": f"arn:aws:iam::{OTHER}:root"}, {"AWS": OWN}, "*", {"AWS": "*"},
            {"Service": "ecs-tasks.amazonaws.com"},
            {"AWS": f"arn:aws:iam::{OWN}:role/other"}, {"AWS": [USER, ROLE]},
        ]  # fmt: skip
        if effect == "Deny" and self.likely(0.2):
            listed = [ROLE, SESSION, USER, f"arn:aws:iam::{OWN}:root"]
            return {
                "NotPrincipal": {"AWS": self.chance.choice([listed, listed[:1], [f"arn:aws:iam::{OWN}:role/other"]])}
            }
        return {"Principal": self.chance.choice(named)}

    def control(self, action: str) -> Case:
        """Return a resource control policy."""
        service = action.partition(":")[0]
        return document({
            "Effect": "Deny", "Principal": "*", "Action": self.chance.choice([f"{service}:*", action]), "Resource": "*",
            "Condition": self.condition(),
        })  # fmt: skip


def _statements(case: Case) -> list[tuple[Case, Case]]:
    """Return every statement of a case with its policy."""
    policies = [*case["policies"], *(case.get(name) for name in ("boundary", "sessionPolicy", "resourcePolicy"))]
    policies += [policy for name in ("scps", "rcps") for level in case.get(name, ()) for policy in level]
    return [(statement, policy) for policy in policies if policy for statement in policy["Statement"]]


def _old_version(case: Case, _ours: str, _theirs: str) -> bool:
    return any("${" in json.dumps(s) and p.get("Version") != "2012-10-17" for s, p in _statements(case))


def _session_policy(case: Case, ours: str, theirs: str) -> bool:
    return "sessionPolicy" in case and "resourcePolicy" in case and (ours, theirs) == ("Allowed", "ImplicitlyDenied")


def _no_value(case: Case, _ours: str, _theirs: str) -> bool:
    inverted = [block for s, _ in _statements(case) for name, block in s.get("Condition", {}).items() if "Not" in name]
    return any("${aws:PrincipalTag/" in json.dumps(block) for block in inverted) and not (
        {TAG, "aws:PrincipalTag/owner"} <= set(case["request"]["context"])
    )


def _exempt(case: Case, _ours: str, _theirs: str) -> bool:
    principal = case["request"]["principal"]
    linked = principal == LINKED and ("scps" in case or "rcps" in case)
    return linked or (principal.endswith(".com") and "scps" in case)


def _trust(case: Case, ours: str, _theirs: str) -> bool:
    assumes = case["request"]["action"] == "sts:AssumeRole"
    return assumes and "resourcePolicy" not in case and ours == "Undetermined"


def _root(case: Case, _ours: str, theirs: str) -> bool:
    return case["request"]["principal"].endswith(":root") and theirs == "ImplicitlyDenied"


def _undocumented(case: Case, ours: str, _theirs: str) -> bool:
    """Tell whether the engine leaves open what AWS does not document, in a case that holds such a thing."""
    text = json.dumps([s for s, _ in _statements(case)])
    signs = (
        "NotPrincipal",
        "ForAnyValue",
        "ForAllValues",
        "NotResource",
        '"Null"',
        '""',
        "${",
        '"arn:aws:ecs:*:task/*"',
    )
    return ours == "Undetermined" and any(sign in text for sign in signs)


DIFFERENCES: dict[str, Callable[[Case, str, str], bool]] = {
    "variables in a policy without Version 2012-10-17": _old_version,
    "a grant to the session itself under a session policy": _session_policy,
    "a variable without a value under an inverted operator": _no_value,
    "organization policies for a service or a service-linked role": _exempt,
    "a role whose trust policy is not given": _trust,
    "the root user": _root,
    "undetermined: AWS does not document it": _undocumented,
}


def compared(cases: list[Case], labels: list[Case]) -> tuple[Counter[str], list[str]]:
    """Count agreements and explained differences, and write down the others."""
    counts: Counter[str] = Counter()
    unexplained = []
    ours = map(json.loads, decided((json.dumps(case).encode() for case in cases), "random"))
    for case, own, label in zip(cases, ours, labels, strict=True):
        if "decision" not in label:
            counts["refused by the simulator"] += 1
            continue
        decision, theirs = own["decision"], label["decision"]
        explained = [name for name, holds in DIFFERENCES.items() if holds(case, decision, theirs)]
        if decision == theirs:
            counts[f"agree: {decision}"] += 1
        elif explained:
            counts[explained[0]] += 1
        else:
            counts["UNEXPLAINED"] += 1
            unexplained.append(f"{decision}, not {theirs}: {own['why']}\n{json.dumps(case)}")
    return counts, unexplained


def main() -> None:
    """Compare as many random cases as asked, print the table, and fail if a difference is not explained."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--count", type=int, default=20_000)
    parser.add_argument("--oracle", required=True, help="folder that holds node_modules")
    arguments = parser.parse_args()
    sampler = Sampler(arguments.seed)
    cases = [sampler.case(str(number)) for number in range(arguments.count)]
    text = "\n".join(map(json.dumps, cases))
    run = subprocess.run(
        ["node", str(ORACLE), arguments.oracle],
        input=text,
        capture_output=True,
        text=True,
        check=True,
    )
    counts, unexplained = compared(cases, [json.loads(line) for line in run.stdout.splitlines()])
    for name, count in counts.most_common():
        print(f"{count:7d}  {name}")
    print(f"{arguments.count:7d}  cases, seed {arguments.seed}")
    if unexplained:
        sys.exit("\n\n".join(unexplained[:5]))


if __name__ == "__main__":
    main()
