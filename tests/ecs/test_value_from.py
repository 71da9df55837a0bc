"""What a `valueFrom` names and what is wrong with it."""

from __future__ import annotations

import pytest

from infraspec.core.unknown import Unknown, Value, characters, concatenate
from infraspec.ecs.references import ValueFrom, ValueStore, values_from
from tests.whole_results import Transcript, described

HEAD = "arn:aws:secretsmanager:eu-west-1:111122223333:secret:"
SECRET, PARAMETER, UNKNOWN = ValueStore.SECRETS_MANAGER, ValueStore.PARAMETER_STORE, ValueStore.UNKNOWN
NEW = concatenate([HEAD, "db-", characters("aws_secretsmanager_secret.db.arn", 6)])
NEW_ID = Unknown("aws_secretsmanager_secret.db.id")
VERSION = Unknown("aws_secretsmanager_secret_version.db.arn")
VERSION_ID = Unknown("aws_secretsmanager_secret_version.db.id")
NEW_PARAMETER, NAME_OF_ONE = Unknown("aws_ssm_parameter.db.arn"), Unknown("aws_ssm_parameter.db.name")
OF_SERVICE = concatenate(["arn:aws:", Unknown("var.service"), ":eu-west-1:111122223333:parameter/db"])
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
    (NEW_ID, SECRET, NEW_ID, ""),
    (VERSION, SECRET, VERSION, ""),
    (VERSION_ID, SECRET, VERSION_ID, ""),
    (NEW_PARAMETER, PARAMETER, NEW_PARAMETER, ""),
    (NAME_OF_ONE, UNKNOWN, NAME_OF_ONE, ""),
    (OF_SERVICE, UNKNOWN, OF_SERVICE, ""),
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
def test_value_from(value: Value, store: ValueStore, target: Value, problem: str, transcript: Transcript) -> None:
    """A valueFrom names a secret by its full ARN with 1 or 4 fields, or a parameter by name or ARN."""
    parsed = ValueFrom.parse(value)
    transcript([described(parsed)])
    assert store == parsed.store
    assert (value if target is None else target) == parsed.target
    assert problem in parsed.problem
    assert bool(problem) == bool(parsed.problem) == bool(parsed.remedy)


def test_what_a_running_container_reads() -> None:
    """A container as ECS describes it reads its secrets, and those of its log driver."""
    secrets = [{"name": "DB", "valueFrom": "/app/db"}, {"name": "EMPTY", "valueFrom": ""}, {"name": "NONE"}]
    log = {"secretOptions": [{"name": "token", "valueFrom": HEAD + "splunk-AbCdEf"}]}
    assert ["/app/db", HEAD + "splunk-AbCdEf"] == list(values_from({"secrets": secrets, "logConfiguration": log}))
    assert [] == list(values_from({"secrets": None, "logConfiguration": {"secretOptions": None}}))
