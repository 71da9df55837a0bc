"""Measure the IAM engine: compiling policies, concrete and symbolic decisions, many roles with many needs.

    python bench/iam.py [--roles 1000] [--needs 20]

Prints a table of medians of five rounds. A concrete decision should take 10 µs or less, a thousand roles with twenty
needs each 0.5 s or less, the compilation of their policies included.
"""

from __future__ import annotations

import argparse
import gc
import statistics
import time
from collections.abc import Callable, Iterator

from infraspec.core.unknown import Value, characters, concatenate
from infraspec.iam.evaluation.decision import decide
from infraspec.iam.policy.context import Context
from infraspec.iam.policy.document import PolicyDocument
from infraspec.iam.policy.principals import Principal
from infraspec.iam.policy.statements import IdentityPolicy

ACCOUNT = "111122223333"
HEAD = f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}:secret:"
ROUNDS = 5
READ = "secretsmanager:GetSecretValue"


def document(index: int, needs: int) -> Value:
    """Return the policy of one role: its secrets by name, its logs, its images, and a condition on its key."""
    secrets = [f"{HEAD}app{index}/s{need}-??????" for need in range(needs)]
    return {
        "Version": "2012-10-17",
        "Statement": [
            {"Effect": "Allow", "Action": READ, "Resource": secrets},
            {"Effect": "Allow", "Action": ["logs:CreateLogStream", "logs:PutLogEvents"], "Resource": "*"},
            {"Effect": "Allow", "Action": ["ecr:GetAuthorizationToken", "ecr:BatchGetImage"], "Resource": "*"},
            {
                "Effect": "Deny",
                "Action": "*",
                "Resource": "*",
                "Condition": {"Bool": {"aws:SecureTransport": "false"}},
            },
        ],
    }


def asked(index: int, needs: int, *, known: bool) -> Iterator[Value]:
    """Yield the ARNs of the secrets of one role, with their suffix or before they exist."""
    for need in range(needs):
        head = f"{HEAD}app{index}/s{need}-"
        yield f"{head}a1B2c3" if known else concatenate([head, characters(f"secret.{index}.{need}", 6)])


CONTEXT = Context.of({"aws:SecureTransport": True})


def roles(count: int, needs: int, *, known: bool) -> None:
    """Compile the policy of each role and decide each of its needs."""
    for index in range(count):
        policies = [IdentityPolicy.of("policy", PolicyDocument.from_value(document(index, needs)))]
        principal = Principal.role(f"arn:aws:iam::{ACCOUNT}:role/app{index}")
        for resource in asked(index, needs, known=known):
            decision = decide(policies, READ, resource, principal=principal, context=CONTEXT)
            if not decision.deciding:
                raise AssertionError(resource)


def decisions(count: int, *, known: bool) -> Callable[[], None]:
    """Return what decides a number of requests over one compiled policy of five secrets, each of its own resource."""
    policies = [IdentityPolicy.of("policy", PolicyDocument.from_value(document(0, 5)))]
    principal = Principal.role(f"arn:aws:iam::{ACCOUNT}:role/app0")
    resources = [resource for _ in range(count // 5) for resource in asked(0, 5, known=known)]

    def run() -> None:
        for resource in resources:
            decide(policies, READ, resource, principal=principal, context=CONTEXT)

    return run


def compiling(count: int) -> Callable[[], None]:
    """Return what compiles a number of different policies of five secrets."""
    documents = [document(index, 5) for index in range(count)]

    def run() -> None:
        for one in documents:
            IdentityPolicy.of("policy", PolicyDocument.from_value(one))

    return run


def median(run: Callable[[], None]) -> float:
    """Return the median of the rounds, in seconds; the collector does not run meanwhile."""
    times = []
    for _ in range(ROUNDS):
        gc.collect()
        gc.disable()
        start = time.process_time()
        run()
        times.append(time.process_time() - start)
        gc.enable()
    return statistics.median(times)


def main() -> None:
    """Measure and print the table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--roles", type=int, default=1000)
    parser.add_argument("--needs", type=int, default=20)
    given = parser.parse_args()
    count = 5000
    rows = [
        ("a concrete decision, policies compiled", median(decisions(count, known=True)) / count, 1e6, "µs"),
        ("the same before the secret exists", median(decisions(count, known=False)) / count, 1e6, "µs"),
        ("compiling a policy of 4 statements", median(compiling(1000)) / 1000, 1e6, "µs"),
        (
            f"{given.roles} roles with {given.needs} needs each",
            median(lambda: roles(given.roles, given.needs, known=True)),
            1,
            "s",
        ),
        ("the same before the secrets exist", median(lambda: roles(given.roles, given.needs, known=False)), 1, "s"),
    ]
    print("| what | median |\n|---|---|")
    for name, seconds, factor, unit in rows:
        print(f"| {name} | {seconds * factor:.{1 if factor > 1 else 2}f} {unit} |")


if __name__ == "__main__":
    main()
