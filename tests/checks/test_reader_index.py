"""Whom the index of readers leaves out is denied, whatever the policies, the secrets and their own policies are."""

from __future__ import annotations

from collections.abc import Iterable

from hypothesis import given
from hypothesis import strategies as st

from infraspec.checks.access.access_decisions import request_context
from infraspec.checks.policies.reader_index import READ, ReaderCandidate, ReaderIndex
from infraspec.core.truth import Truth
from infraspec.core.unknown import Unknown, Value, characters, concatenate
from infraspec.iam.evaluation.decision import decide
from infraspec.iam.policy.document import PolicyDocument
from infraspec.iam.policy.partial_arn import PartialArn
from infraspec.iam.policy.statements import IdentityPolicy
from infraspec.terraform.plan import Resource

ACCOUNT = "111122223333"
REGIONS: list[Value] = ["eu-west-1", "us-east-1", Unknown("var.region"), Unknown("var.other")]
ACCOUNTS: list[Value] = [ACCOUNT, "123456789012", Unknown("var.account")]
NAMES: list[Value] = [
    *("a", "a/b", "a/bc", "A/b", "a/b-c", "a/b:secret:a", "a/\u0130", Unknown("var.name")),
    concatenate(["a/", Unknown("var.name")]),
    concatenate(["a/", Unknown("uuid()"), "/b"]),
]
ENDS: list[Value] = ["", "*", "??????", "-*", "-??????", "-AbCdEf", "?*", "*b*", characters("secret.x", 6)]
HEADS: list[Value] = ["*", "?", "eu-*", "", *REGIONS]
WHOLE: list[Value] = [
    *("*", "arn:*", "arn:aws:secretsmanager:*", "*a/b*", "*:secret:a/*", "arn:aws:secretsmanager:*:secret:a*"),
    *("arn:aws:secretsmanager", "arn:aws:secretsmanager:eu-west-1:111122223333:*", Unknown("var.secrets")),
    "arn:aws:secretsmanager:eu-west-1:111122223333:secret:${aws:PrincipalTag/team}/*",
]
PRINCIPALS: list[Value] = [
    "*",
    *({"AWS": f"arn:aws:iam::{ACCOUNT}:role/{name}"} for name in ("r0", "path/r1", "gone")),
    {"AWS": [f"arn:aws:iam::{ACCOUNT}:root", ACCOUNT]},
    {"AWS": [f"arn:aws:sts::{ACCOUNT}:assumed-role/r0/session", "AROAEXAMPLEOFANID"]},
    *({"AWS": Unknown("var.reader")}, {"Service": "ecs-tasks.amazonaws.com"}, {"CanonicalUser": "79a59df9"}),
    Unknown("var.principal"),
]


class AskingAll(ReaderIndex):
    """The index that leaves out nobody."""

    def about(self, _secret: PartialArn, _policies: Iterable[IdentityPolicy] = ()) -> list[ReaderCandidate]:
        """Return all."""
        return self.candidates


def arn(region: Value, account: Value, name: Value, end: Value) -> Value:
    """Return the ARN of a secret, or a pattern of some."""
    return concatenate(["arn:aws:secretsmanager:", region, ":", account, ":secret:", name, end])


ENTRIES = st.one_of(
    st.sampled_from(WHOLE),
    st.builds(
        arn, st.sampled_from(HEADS), st.sampled_from(HEADS + ACCOUNTS), st.sampled_from(NAMES), st.sampled_from(ENDS)
    ),
    st.builds(arn, st.just("eu-west-1"), st.just(ACCOUNT), st.sampled_from(NAMES), st.sampled_from(ENDS)),
)
SECRETS = st.builds(
    arn,
    st.sampled_from(REGIONS),
    st.sampled_from(ACCOUNTS),
    st.sampled_from(NAMES),
    st.sampled_from(["-AbCdEf", concatenate(["-", characters("secret.x", 6)])]),
).map(PartialArn.of)
STATEMENTS = st.fixed_dictionaries(
    {"Effect": st.sampled_from(["Allow", "Allow", "Allow", "Deny", Unknown("var.effect")])},
).flatmap(
    lambda effect: st.one_of(
        st.lists(ENTRIES, min_size=1, max_size=2).map(lambda entries: {**effect, "Action": READ, "Resource": entries}),
        ENTRIES.map(lambda entry: {**effect, "Action": "secretsmanager:*", "NotResource": entry}),
        ENTRIES.map(lambda entry: {**effect, "NotAction": "s3:*", "Resource": entry}),
    )
)
SHARED = st.builds(
    lambda effect, key, principal: {"Effect": effect, "Action": "secretsmanager:*", "Resource": "*", key: principal},
    st.sampled_from(["Allow", "Deny", Unknown("var.effect")]),
    st.sampled_from(["Principal", "Principal", "Principal", "NotPrincipal"]),
    st.sampled_from(PRINCIPALS),
)


def policy(name: str, statements: list[dict[str, Value]], *, shared: bool = False) -> IdentityPolicy:
    """Compile a policy."""
    document = {"Version": "2012-10-17", "Statement": statements}
    return IdentityPolicy.of(name, PolicyDocument.from_value(document, with_principals=shared))


def candidate(number: int, kind: str, statements: list[dict[str, Value]]) -> ReaderCandidate:
    """Return a principal with one policy; every third has an ARN of which the path is not known."""
    path: Value = "path/" if number == 1 else Unknown("path") if number == 2 else ""
    name = concatenate([f"arn:aws:iam::{ACCOUNT}:{kind}/", path, f"r{number}"])
    resource = Resource(f"aws_iam_{kind}.r{number}", "managed", f"aws_iam_{kind}", "r", None, "", {})
    return ReaderCandidate(resource, name, (policy(f"p{number}", statements),))


CANDIDATES = st.lists(
    st.tuples(st.sampled_from(["role", "role", "user"]), st.lists(STATEMENTS, max_size=2)), min_size=1, max_size=4
).map(lambda several: [candidate(number, *one) for number, one in enumerate(several)])


@given(CANDIDATES, SECRETS, st.lists(SHARED, max_size=2))
def test_whom_the_index_leaves_out_is_denied(
    candidates: list[ReaderCandidate], secret: PartialArn, statements: list[dict[str, Value]]
) -> None:
    """No principal may read a secret that the index does not return for it."""
    shared = [policy("shared", statements, shared=True)] if statements else []
    asked = {one.resource.address for one in ReaderIndex(candidates).about(secret, shared)}
    allowed = {
        one.resource.address
        for one in candidates
        if decide(
            one.policies,
            READ,
            secret,
            resource_policies=shared,
            principal=one.principal,
            context=request_context(one.arn, secret.value),
        ).allowed
        is not Truth.NO
    }

    assert set() == allowed - asked


def test_what_begins_otherwise_is_not_asked() -> None:
    """Of many roles, each for secrets of its own prefix, one is asked about a secret, whatever else denies it."""
    deny = {"Effect": "Deny", "Action": "*", "Resource": "*"}
    heads = [f"arn:aws:secretsmanager:eu-west-1:{ACCOUNT}", "arn:aws:secretsmanager:*:*", "*"]
    entries = [[f"{head}:secret:app{number}/*" for head in heads] for number in range(9)]
    candidates = [
        candidate(number, "role", [{"Effect": "Allow", "Action": READ, "Resource": listed}, deny])
        for number, listed in enumerate(entries)
    ]
    secret = PartialArn.of(arn("eu-west-1", ACCOUNT, "app4/db", "-AbCdEf"))
    shared = policy(
        "shared", [{**deny, "Principal": "*"}, {**deny, "Effect": "Allow", "Principal": PRINCIPALS[4]}], shared=True
    )

    for given_policies in ([], [shared]):
        asked = ReaderIndex(candidates).about(secret, given_policies)
        assert ["aws_iam_role.r4"] == [one.resource.address for one in asked]
