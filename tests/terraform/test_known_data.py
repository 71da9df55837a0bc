"""Known data that answers for no data source is warned of, since it is most likely mistyped."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec import contract
from infraspec.terraform.environments import Environments
from infraspec.terraform.provider.known_data import KnownData
from tests.terraform.sources import plan_of, write

SOURCE = {
    "main.tf": """
        data "aws_vpc" "main" {}
        data "aws_subnets" "many" { for_each = toset(["a.b"]) }
        data "aws_ami" "none" { count = 0 }
        data "other_thing" "x" {}
        module "m" {
          source = "./m"
          count  = 1
        }
        """,
    "m/main.tf": 'data "aws_subnet" "one" {}\ndata "aws_ami" "inner" { count = 0 }\n',
}
MATCHED = [
    "aws_vpc.id",
    "aws_vpc.main.id",
    "data.aws_vpc.main.id",
    'data.aws_subnets.many["a.b"].ids',
    "aws_subnets.many.ids",
    "aws_ami.none.id",
    "aws_subnet.one.id",
    "module.m.data.aws_subnet.one.id",
    "module.m[0].data.aws_subnet.one.id",
    "module.m.aws_subnet.one.id",
    "module.m[0].data.aws_ami.inner.id",
    "other_thing.whatever",
    "aws_caller_identity.account_id",
    "data.aws_region.name",
    "aws_partition.partition",
]
UNMATCHED: list[tuple[str, str]] = [
    ("aws_vcp.main.id", "did you mean aws_vpc.main.id?"),
    ("data.aws_vpc.mian.id", "did you mean aws_vpc.main.id?"),
    ("aws_vpc.main.cidr_blok", "did you mean aws_vpc.main.cidr_block?"),
    ("aws_vpc.cidr_blok", "did you mean aws_vpc.cidr_block?"),
    ("module.n.data.aws_subnet.one.id", "did you mean module.m"),
    ("aws_kms_key.k.arn", "correct it"),
]


def warnings(directory: Path, key: str) -> list[str]:
    """Return what is said of a key."""
    return [diagnostic.message for diagnostic in plan_of(directory, SOURCE, known=KnownData.of({key: "x"})).diagnostics]


@pytest.mark.parametrize("key", MATCHED)
def test_a_key_that_answers(tmp_path: Path, key: str) -> None:
    """A key may name a type, a data source or an instance; a data source of count 0 is there all the same."""
    assert not warnings(tmp_path, key)


@pytest.mark.parametrize(("key", "hint"), UNMATCHED)
def test_a_key_that_answers_nothing(tmp_path: Path, key: str, hint: str) -> None:
    """The warning names the key, without the value, and one like it that would answer."""
    (warning,) = warnings(tmp_path, key)

    assert warning.startswith(f"the known data {key.removeprefix('data.')} answers for no data source: ")
    assert hint in warning


@pytest.mark.parametrize("call", ['source = "./m"\n  count  = 0', 'source = "example/m/aws"'])
def test_modules_that_are_not_looked_into(tmp_path: Path, call: str) -> None:
    """Where a module has no instance or is not here, its data sources are not seen, so nothing is said."""
    source = f'module "m" {{\n  {call}\n}}\n'
    plan = plan_of(tmp_path, {**SOURCE, "main.tf": source}, known=KnownData.of({"aws_subnet.one.id": "x"}))

    assert not [found for found in plan.diagnostics if "known data" in found.message]


@pytest.mark.parametrize(
    ("root", "expected"), [("a", ["aws_kms_key.k.arn", "aws_vpc.mian.id"]), ("b", ["aws_vpc.mian.id"])]
)
def test_known_data_of_a_contract(tmp_path: Path, root: str, expected: list[str]) -> None:
    """What the contract knows for all environments must answer where all have one root; an environment's own always."""
    files = {
        "infraspec.toml": f"""
            [project]
            application = "shop"

            [known]
            "aws_kms_key.k.arn" = "x"

            [environments.one]
            root = "a"
            known = {{ "aws_vpc.mian.id" = "x" }}

            [environments.two]
            root = "{root}"
            """,
        "a/main.tf": 'data "aws_vpc" "main" {}\n',
        "b/main.tf": 'data "aws_kms_key" "k" {}\n',
    }
    environments = Environments(contract.load(write(tmp_path, files)), environ={})

    said = [diagnostic.message.split()[3] for diagnostic in environments.plan("one").diagnostics]
    assert said == expected
