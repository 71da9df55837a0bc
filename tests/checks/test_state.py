"""The state of each environment is remote, encrypted, locked and its own; its bucket is fit for that."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infraspec.checks.state.state_backend import check_state_backend, without_source
from infraspec.checks.state.state_bucket import check_state_bucket, skip
from infraspec.core.errors import PolicyError
from infraspec.core.finding import Finding, Verdict
from tests.checks.layout import environments

V, U, P = Verdict.VIOLATED, Verdict.UNDETERMINED, Verdict.PROVEN
S3 = """
terraform {
  backend "s3" {
    bucket         = "state"
    key            = "dev/terraform.tfstate"
    encrypt        = true
    dynamodb_table = "lock"
  }
}
"""
BUCKET = """
resource "aws_s3_bucket" "state" {
  bucket = "state"
}

resource "aws_s3_bucket_versioning" "state" {
  bucket = aws_s3_bucket.state.id
  versioning_configuration {
    status = "Enabled"
  }
}

resource "aws_s3_bucket_server_side_encryption_configuration" "state" {
  bucket = aws_s3_bucket.state.bucket
  rule {
    apply_server_side_encryption_by_default {
      sse_algorithm = "aws:kms"
    }
  }
}

resource "aws_s3_bucket_public_access_block" "state" {
  bucket                  = "state"
  block_public_acls       = true
  block_public_policy     = true
  ignore_public_acls      = true
  restrict_public_buckets = true
}

resource "aws_s3_bucket_policy" "state" {
  bucket = aws_s3_bucket.state.id
  policy = jsonencode({
    Version = "2012-10-17"
    Statement = [{
      Effect    = "Deny"
      Principal = "*"
      Action    = "s3:*"
      Resource  = [aws_s3_bucket.state.arn, "${aws_s3_bucket.state.arn}/*"]
      Condition = { Bool = { "aws:SecureTransport" = "false" } }
    }]
  })
}

resource "aws_dynamodb_table" "lock" {
  name     = "lock"
  hash_key = "LockID"
  attribute {
    name = "LockID"
    type = "S"
  }
}
"""


def backend(directory: Path, text: str, **rules: Any) -> list[tuple[str, Verdict]]:
    """Return subject and verdict of each finding about the backend of dev."""
    made = environments(directory, {"dev/main.tf": text}, state=rules)
    return verdicts(check_state_backend(made.settings(), made.contract, "dev"))


def bucket(directory: Path, text: str) -> list[Finding]:
    """Return the findings about the bucket of dev."""
    made = environments(directory, {"dev/main.tf": S3 + text}, state={})
    return check_state_bucket(made.plan("dev"), made.settings()["dev"])


def verdicts(findings: list[Finding]) -> list[tuple[str, Verdict]]:
    """Return subject and verdict of each finding."""
    return [(finding.subject, finding.verdict) for finding in findings]


GOOD = [("encrypt", P), ("lock", P), ("key", P)]
BACKENDS: dict[str, tuple[str, list[tuple[str, Verdict]]]] = {
    "complete": (S3, GOOD),
    "a lock file instead of a table": (S3.replace('dynamodb_table = "lock"', "use_lockfile = true"), GOOD),
    "no encryption": (S3.replace("encrypt        = true", ""), [("encrypt", V), *GOOD[1:]]),
    "encryption off": (S3.replace("= true", "= false"), [("encrypt", V), *GOOD[1:]]),
    "no lock": (S3.replace('dynamodb_table = "lock"', ""), [GOOD[0], ("lock", V), GOOD[2]]),
    "the rest at init": (
        'terraform {\n  backend "s3" {\n    bucket = "state"\n  }\n}\n',
        [("encrypt", U), ("lock", U), ("key", U)],
    ),
    "no backend": ("locals {}\n", [("type", V)]),
    "a local backend": ('terraform {\n  backend "local" {}\n}\n', [("type", V)]),
    "another one": ('terraform {\n  backend "gcs" {}\n}\n', [("type", V)]),
}


@pytest.mark.parametrize("name", BACKENDS)
def test_backends(name: str, tmp_path: Path) -> None:
    """What is missing is violated, unless terraform init may be given it."""
    text, expected = BACKENDS[name]
    assert backend(tmp_path, text) == expected


def test_the_contract_says_which_backend(tmp_path: Path) -> None:
    """A backend other than s3 is judged by its type."""
    assert backend(tmp_path, 'terraform {\n  backend "gcs" {}\n}\n', backend="gcs") == [("type", P)]
    cloud = tmp_path / "cloud"
    assert backend(cloud, 'terraform {\n  cloud {\n    organization = "a"\n  }\n}\n', backend="cloud") == [("type", P)]


def test_environments_do_not_share_a_state(tmp_path: Path) -> None:
    """The same bucket and key is named with the other environment and its line; another workspace is another state."""
    files = {"dev/main.tf": S3, "prod/main.tf": S3, "test/main.tf": S3.replace("dev/", "test/")}
    made = environments(tmp_path, files, "dev", "prod", "test", state={})
    shared = check_state_backend(made.settings(), made.contract, "dev")[2]
    assert (shared.verdict, shared.found) == (V, "s3://state/dev/terraform.tfstate")
    assert [str(other.location) for other in shared.related] == ["prod/main.tf:3"]
    assert check_state_backend(made.settings(), made.contract, "test")[2].verdict is P
    prod = made.contract.environments["prod"].model_copy(update={"workspace": "prod"})
    other = made.contract.model_copy(update={"environments": {**made.contract.environments, "prod": prod}})
    assert check_state_backend(made.settings(), other, "dev")[2].verdict is P


SUBJECTS = ["versioning", "encryption", "public access block", "TLS only", "lock table"]


def test_a_good_bucket(tmp_path: Path) -> None:
    """The bucket and the table of the backend are found by name, what configures them by reference or name."""
    assert verdicts(bucket(tmp_path, BUCKET)) == [(subject, P) for subject in SUBJECTS]


CHANGES: dict[str, tuple[str, str, str, Verdict]] = {
    "suspended": ('"Enabled"', '"Suspended"', "versioning", V),
    "another encryption": ('"aws:kms"', '"none"', "encryption", V),
    "keys of S3": ('"aws:kms"', '"AES256"', "encryption", P),
    "two layers": ('"aws:kms"', '"aws:kms:dsse"', "encryption", P),
    "one flag": ("block_public_policy     = true", "block_public_policy = false", "public access block", V),
    "an allow": ('"Deny"', '"Allow"', "TLS only", V),
    "some actions": ('"s3:*"', '"s3:Get*"', "TLS only", V),
    "the objects alone": ("[aws_s3_bucket.state.arn, ", "[", "TLS only", V),
    "somebody": ('Principal = "*"', 'Principal = { AWS = "111122223333" }', "TLS only", V),
    "another condition": ('"false" }', '"true" }', "TLS only", V),
    "a condition more": ('"false" } }', '"false" }, Null = { "aws:SourceIp" = "true" } }', "TLS only", V),
    "another operator": ("{ Bool = {", "{ StringEquals = {", "TLS only", V),
    "another key of it": ("aws:SecureTransport", "aws:ViaAWSService", "TLS only", V),
    "several values": ('= "false" }', '= ["true", "false"] }', "TLS only", P),
    "no condition": ('      Condition = { Bool = { "aws:SecureTransport" = "false" } }\n', "", "TLS only", V),
    "an unknown effect": ('"Deny"', "var.p", "TLS only", U),
    "an unknown status": ('"Enabled"', "var.p", "versioning", U),
    "an unknown flag": ("block_public_policy     = true", "block_public_policy = var.p", "public access block", U),
    "an unknown policy": ("policy = jsonencode({", "policy = var.p != null ? var.p : jsonencode({", "TLS only", U),
    "another bucket": ("bucket = aws_s3_bucket.state.id\n  versioning", 'bucket = "b"\n  versioning', "versioning", V),
    "another key": ('hash_key = "LockID"', 'hash_key = "Id"', "lock table", V),
    "a number": ('type = "S"', 'type = "N"', "lock table", V),
    "an unknown key": ('hash_key = "LockID"', "hash_key = var.p", "lock table", U),
}


@pytest.mark.parametrize("name", CHANGES)
def test_a_bucket_that_is_not_fit(name: str, tmp_path: Path) -> None:
    """Each property is judged by itself; what is not known is said."""
    old, new, subject, verdict = CHANGES[name]
    assert old in BUCKET
    text = BUCKET.replace(old, new) + 'variable "p" {}\n'
    expected = [(own, verdict if own == subject else P) for own in SUBJECTS]
    assert verdicts(bucket(tmp_path, text)) == expected


def test_a_policy_that_is_malformed_is_an_error(tmp_path: Path) -> None:
    """It says where it stands."""
    with pytest.raises(PolicyError, match=r"dev/main\.tf:\d+ aws_s3_bucket_policy\.state\.policy"):
        bucket(tmp_path, BUCKET.replace('Effect    = "Deny"', 'Effect    = "Refuse"'))


def test_another_backend_has_no_bucket(tmp_path: Path) -> None:
    """Nor has a backend whose bucket is given to terraform init one that is known."""
    made = environments(tmp_path, {"dev/main.tf": 'terraform {\n  backend "gcs" {}\n}\n' + BUCKET}, state={})
    assert check_state_bucket(made.plan("dev"), made.settings()["dev"]) == []
    given = {"dev/main.tf": S3.replace('    bucket         = "state"\n', "") + BUCKET}
    made = environments(tmp_path / "given", given, state={})
    found = check_state_bucket(made.plan("dev"), made.settings()["dev"])
    assert verdicts(found) == [("bucket", U), ("lock table", P)]


@pytest.mark.parametrize(
    ("state", "reason"),
    [
        ({}, ""),
        ({"managed": False}, "the contract has no [state], or the bucket is made elsewhere"),
        (None, "the contract has no [state], or the bucket is made elsewhere"),
    ],
)
def test_what_there_is_nothing_to_judge_of(state: Any, reason: str, tmp_path: Path) -> None:
    """The rules are skipped, and say why."""
    made = environments(tmp_path, {"dev/main.tf": S3}, **({} if state is None else {"state": state}))
    assert reason == skip(made.contract)
    asked = [without_source(made.settings(), name) for name in ("dev", "test")]
    assert ["", "test has no source"] == asked
    assert [] == check_state_backend(made.settings(), made.contract, "test")


def test_a_bare_bucket_misses_all(tmp_path: Path) -> None:
    """The remedy is the resource that is missing, at the line of the bucket."""
    found = bucket(tmp_path, 'resource "aws_s3_bucket" "state" {\n  bucket = "state"\n}\n')
    assert verdicts(found) == [*[(subject, V) for subject in SUBJECTS[:4]], ("dynamodb_table", U)]
    assert 'resource "aws_s3_bucket_versioning" "state"' in found[0].remedy
    assert {str(finding.location) for finding in found[:4]} == {"dev/main.tf:10"}


def test_a_bucket_of_elsewhere_is_undetermined(tmp_path: Path) -> None:
    """Where the environment does not make the bucket, the contract has to say so."""
    found = bucket(tmp_path, "")
    assert verdicts(found) == [("bucket", U), ("dynamodb_table", U)]
    assert "managed = false" in found[0].remedy
