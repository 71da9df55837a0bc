"""What a `valueFrom` names and what is wrong with it."""

from __future__ import annotations

import pytest

from infraspec.core.unknown import Unknown, Value, characters, concatenate
from infraspec.ecs.references import ValueFrom, ValueStore

HEAD = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
SECRET, PARAMETER, UNKNOWN = ValueStore.SECRETS_MANAGER, ValueStore.PARAMETER_STORE, ValueStore.UNKNOWN
NEW = concatenate([HEAD, "db-", characters("aws_secretsmanager_secret.db.arn", 6)])
DATA = Unknown('data.aws_secretsmanager_secret.all["x"].arn')
NAME = Unknown("var.name")
EITHER = Unknown("var.new ? aws_ssm_parameter.db.arn : module.old.aws_secretsmanager_secret.db.arn")

CASES: list[tuple[Value, ValueStore, Value, str]] = [
    # valueFrom, store, what IAM is asked about, part of the problem
    (HEAD + "db-AbCdEf", SECRET, HEAD + "db-AbCdEf", ""),
    (HEAD + "db-AbCdEf:key::", SECRET, HEAD + "db-AbCdEf", ""),
    (HEAD + "db-AbCdEf:key:AWSPREVIOUS:", SECRET, HEAD + "db-AbCdEf", ""),
    (HEAD + "db-AbCdEf:::0a1b", SECRET, HEAD + "db-AbCdEf", ""),
    (HEAD + "db-AbCdEf:key", SECRET, HEAD + "db-AbCdEf", "there are 2 fields"),
    (HEAD + "db-AbCdEf::", SECRET, HEAD + "db-AbCdEf", "there are 3 fields"),
    (HEAD + "db-AbCdEf:key:::", SECRET, HEAD + "db-AbCdEf", "there are 5 fields"),
    (HEAD + "db-AbCdEf:key:stage:id", SECRET, HEAD + "db-AbCdEf", "both a version stage and a version id"),
    (HEAD + "db", SECRET, HEAD + "db", "without the suffix"),
    (HEAD, SECRET, HEAD, "names no secret"),
    ("arn:aws:secretsmanager:eu-west-1:1111:secret:db-AbCdEf", SECRET, None, "not twelve digits"),
    ("arn:aws:secretsmanager:europe:111122223333:secret:db-AbCdEf", SECRET, None, "which is none"),
    (NEW, SECRET, NEW, ""),
    (concatenate([NEW, ":key::"]), SECRET, NEW, ""),
    (concatenate([NEW, ":key"]), SECRET, NEW, "there are 2 fields"),
    (concatenate([HEAD, NAME]), SECRET, concatenate([HEAD, NAME]), ""),
    (concatenate([HEAD, NAME, "-AbCdEf:k::"]), SECRET, concatenate([HEAD, NAME, "-AbCdEf"]), ""),
    (concatenate([Unknown("var.arn"), ":key::"]), SECRET, Unknown("var.arn"), ""),
    (DATA, SECRET, DATA, ""),
    (Unknown("var.arn"), UNKNOWN, Unknown("var.arn"), ""),
    (EITHER, UNKNOWN, EITHER, ""),
    (concatenate([NAME, "/db"]), UNKNOWN, concatenate([NAME, "/db"]), ""),
    ("db", PARAMETER, "db", ""),
    ("/app/db", PARAMETER, "/app/db", ""),
    (concatenate(["/", NAME, "/db"]), PARAMETER, concatenate(["/", NAME, "/db"]), ""),
    ("arn:aws:ssm:eu-west-1:111122223333:parameter/app/db", PARAMETER, None, ""),
    ("arn:aws:ssm:eu-west-1::parameter/app/db", PARAMETER, None, "not twelve digits"),
    ("app db", PARAMETER, "app db", "neither an ARN nor the name"),
    ("arn:aws:s3:::bucket/key", UNKNOWN, None, "cannot read a value from"),
    ("arn:aws:secretsmanager", UNKNOWN, None, "not complete"),
    ("", UNKNOWN, "", "not text"),
    (None, UNKNOWN, None, "not text"),
]


@pytest.mark.parametrize(("value", "store", "target", "problem"), CASES, ids=str)
def test_value_from(value: Value, store: ValueStore, target: Value, problem: str) -> None:
    """A valueFrom names a secret by its full ARN with 1 or 4 fields, or a parameter by name or ARN."""
    parsed = ValueFrom.parse(value)
    assert store == parsed.store
    assert (value if target is None else target) == parsed.target
    assert problem in parsed.problem
    assert bool(problem) == bool(parsed.problem) == bool(parsed.remedy)
