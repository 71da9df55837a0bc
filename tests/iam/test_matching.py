"""Patterns against subjects: a table, and every definite answer against all values of the unknown parts."""

from __future__ import annotations

import itertools
import random
import re

import pytest

from infraspec.core.truth import Truth
from infraspec.core.unknown import Character, Sensitive, Unknown, Value, characters, concatenate
from infraspec.iam.policy.matching import match, match_action
from infraspec.iam.policy.partial_arn import PartialArn
from infraspec.iam.policy.pattern import Pattern

YES, NO, MAYBE = Truth.YES, Truth.NO, Truth.MAYBE
HEAD = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
DB, API = "aws_secretsmanager_secret.db.arn", "aws_secretsmanager_secret.api.arn"
NAME = Unknown("var.name")
REGION = Unknown("aws_region.region")


def secret(name: str | Unknown, address: str = DB) -> Value:
    """Return the ARN of a secret that does not exist yet."""
    return concatenate([HEAD, name, "-", characters(address, 6)])


NEW = secret("db")
CASES: list[tuple[Value, Value, Truth]] = [
    # what the policy says, what the request names, the answer
    ("*", NEW, YES),
    ("*", "*", YES),
    (HEAD + "db-??????", "*", NO),
    (HEAD + "db-??????", NEW, YES),
    (HEAD + "db-*", NEW, YES),
    (HEAD + "db*", NEW, YES),
    (HEAD + "*", NEW, YES),
    (HEAD + "db", NEW, NO),
    (HEAD + "db-?????", NEW, NO),
    (HEAD + "db-???????", NEW, NO),
    (HEAD + "db-AbCdEf", NEW, MAYBE),
    (HEAD + "db-AbCdEfG", NEW, NO),
    (HEAD + "api-??????", NEW, NO),
    (HEAD + "DB-??????", NEW, NO),
    (HEAD.replace("secretsmanager", "SecretsManager") + "db-??????", NEW, YES),
    (HEAD.replace("eu-west-1", "EU-West-?") + "*", NEW, YES),
    (HEAD + "db-*-*", NEW, MAYBE),
    (NEW, NEW, YES),
    (concatenate([NEW, "*"]), NEW, YES),
    (concatenate([NEW, "-*"]), NEW, NO),
    (secret("api", API), NEW, NO),
    (secret("db", API), NEW, MAYBE),
    (secret(NAME), secret(NAME), YES),
    (concatenate([secret(NAME), "-*"]), secret(NAME), NO),
    (concatenate([HEAD, NAME, "-??????"]), secret(NAME), YES),
    (concatenate([HEAD.replace("secretsmanager", "SecretsManager"), NAME, "-??????"]), secret(NAME), YES),
    (concatenate([HEAD, NAME]), secret(NAME), NO),
    (concatenate([HEAD, NAME, "/x-??????"]), secret(NAME), NO),
    (HEAD + "db-??????", secret(NAME), MAYBE),
    (HEAD + "*", secret(NAME), YES),
    (Unknown("var.arn"), NEW, MAYBE),
    (Unknown("var.arn"), Unknown("var.arn"), YES),
    (Unknown("var.arn"), Unknown("var.other"), MAYBE),
    (Unknown("aws_secretsmanager_secret.all[?].arn"), Unknown("aws_secretsmanager_secret.all[?].arn"), MAYBE),
    (Unknown(f"module.a.{DB}"), Unknown(f"module.b.{DB}"), NO),
    (Unknown(f"var.on ? module.a.{DB} : module.b.{DB}"), Unknown(f"module.a.{DB}"), MAYBE),
    (concatenate([HEAD, Unknown("uuid()")]), concatenate([HEAD, Unknown("uuid()")]), MAYBE),
    (Sensitive("var.arn", "x"), NEW, MAYBE),
    (concatenate(["arn:aws:secretsmanager:", REGION, ":*:secret:db-*"]), NEW, MAYBE),
    (concatenate(["arn:aws:ssm:", REGION, ":*:parameter/*"]), NEW, NO),
    ("arn:aws:secretsmanager:*:*:secret:db-*", concatenate(["arn:aws:secretsmanager:", REGION, ":1:secret:db-x"]), YES),
    ("arn:aws:secretsmanager:*", NEW, YES),
    ("arn:aws:secretsmanager:eu-west-1:*", NEW, YES),
    ("arn:aws:secretsmanager:*:secret:db-*", NEW, MAYBE),
    ("arn:aws:secretsmanager:*:*:*:db-*", NEW, MAYBE),
    ("arn:aws:secretsmanager:eu-west-?:111122223333:secret:db-*", NEW, YES),
    ("arn:aws:secretsmanager:eu-west-2:111122223333:secret:db-*", NEW, NO),
    ("arn:aws:secretsmanager:eu-west-1::secret:db-*", NEW, NO),
    ("arn:aws:SecretsManager:EU-WEST-1:111122223333:secret:db-*", NEW, YES),
    ("arn:aws:ssm:*:*:parameter*", "arn:aws:ssm:eu-west-1:111122223333:parameter/db", YES),
    ("arn:aws:s3:::cfg-*/env/*.env", "arn:aws:s3:::cfg-prod/env/app.env", YES),
    ("arn:aws:secretsmanager", NEW, MAYBE),
    ("arn:aws:ssm:eu-west-1", NEW, NO),
    ("arn:aws:s3:::cfg", "arn:aws:s3:::cfg/app.env", NO),
    ("arn:aws:logs:*:*:*", "arn:aws:logs:eu-west-1:111122223333:log-group:/ecs/app:log-stream:x", YES),
    ("arn:aws:logs:*:*:log-group:/ecs/app", "arn:aws:logs:r:1:log-group:/ecs/app:log-stream:x", NO),
    ("arn:aws:logs:*:*:log-group:/ecs/app:*", "arn:aws:logs:r:1:log-group:/ecs/app:log-stream:x", YES),
]


@pytest.mark.parametrize(("pattern", "subject", "expected"), CASES, ids=map(repr, range(len(CASES))))
def test_answers(pattern: Value, subject: Value, expected: Truth) -> None:
    """A pattern answers yes or no where that is certain, maybe where the unknown parts decide."""
    assert expected == match(Pattern.arn(pattern), PartialArn.of(subject))


@pytest.mark.parametrize(
    ("pattern", "action", "expected"),
    [
        ("*", "s3:GetObject", YES),
        ("S3:get*", "s3:GetObject", YES),
        ("s3:GetObject", "s3:GetObjectVersion", NO),
        ("s3:Get?bject", "s3:GetObject", YES),
        (Unknown("var.action"), "s3:GetObject", MAYBE),
        (concatenate(["s3:", Unknown("var.verb"), "Object"]), "s3:GetObject", MAYBE),
        (concatenate(["s3:", Unknown("var.verb"), "Object"]), "ssm:GetParameters", NO),
    ],
)
def test_actions_match_without_regard_to_case(pattern: Value, action: str, expected: Truth) -> None:
    """Actions are compared without regard to letter case, with wildcards and unknown parts."""
    assert expected == match_action(Pattern.action(pattern), action)


def test_arns_of_two_resources_are_never_equal() -> None:
    """Two secrets with unknown names have different ARNs, unless one is an instance of unknown key."""
    resolve = {API: secret(NAME, API), DB: secret(Unknown("var.other"))}
    db, api = Unknown(DB), Unknown(API)
    subject = PartialArn.of(db, lambda value: resolve.get(value.address, value))
    assert match(Pattern.arn(api, lambda value: resolve.get(value.address, value)), subject) == NO
    assert match(Pattern.arn(Unknown("aws_secretsmanager_secret.all[?].arn")), subject) == MAYBE


TOKENS: dict[str, str | Unknown] = {
    "U": Unknown("u"),
    "V": Unknown("v"),
    "c": Character("x", 0),
    "d": Character("x", 1),
}
TEXTS = ("", "a", "b", "ab", "ba")
WILD_TEXTS = (*TEXTS, "*", "?", "a*")


def value_of(shape: str) -> Value:
    """Turn `a*U` into text with the unknown U."""
    head, colons, rest = shape.rpartition(":")
    return concatenate([head + colons, *(TOKENS.get(letter, letter) for letter in rest)])


def glob(pattern: str, text: str) -> bool:
    """Match as a plain glob."""
    expression = "".join({"*": ".*", "?": "."}.get(letter, re.escape(letter)) for letter in pattern)
    return re.fullmatch(expression, text, re.DOTALL) is not None


def possible_answers(pattern: str, subject: str) -> set[bool]:
    """Match for all small values of the unknown parts; those of a policy alone may hold wildcards."""
    holes = sorted({letter for letter in pattern + subject if letter in TOKENS})
    ranges = [("a", "b") if hole in "cd" else TEXTS if hole in subject else WILD_TEXTS for hole in holes]
    results = set()
    for values in itertools.product(*ranges):
        filled = dict(zip(holes, values, strict=True))
        one, other = ("".join(filled.get(letter, letter) for letter in shape) for shape in (pattern, subject))
        results.add(glob(one, other))
    return results


def test_no_definite_answer_is_contradicted() -> None:
    """For random small patterns and subjects, no value of the unknown parts contradicts a yes or a no."""
    chance = random.Random(20261101)  # noqa: S311 - a reproducible sample, no cryptography
    counts = dict.fromkeys(Truth, 0)
    for _ in range(8000):
        pattern = "".join(chance.choices("aabb**?UVcd", k=chance.randint(0, 5)))
        subject = "".join(chance.choices("aabbUVcd", k=chance.randint(0, 5)))
        head = chance.choice(("", "arn:aws:s3:::"))
        answer = match(Pattern.arn(value_of(head + pattern)), PartialArn.of(value_of(head + subject)))
        counts[answer] += 1
        results = possible_answers(pattern, subject)
        if answer is YES:
            assert results == {True}, (pattern, subject)
        if answer is NO:
            assert results == {False}, (pattern, subject)
    assert all(count > 300 for count in counts.values()), counts
