"""Rule `reachability`: edits of a network, half of them harmless, in each layout that has what they edit."""

from __future__ import annotations

import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest
from msgspec import Struct

from infraspec import contract as contracts
from infraspec.checks.network.reachability import check_reachability
from infraspec.core.finding import Finding, Verdict
from infraspec.ecs.task_definition import task_definitions
from infraspec.terraform.environments import Environments
from tests.network.tree import LAYOUTS, text_of, write
from tests.samples import some

V, U, P = Verdict.VIOLATED, Verdict.UNDETERMINED, Verdict.PROVEN


class Edit(Struct, frozen=True, forbid_unknown_fields=True):
    """A replacement by regular expressions, what it makes of the findings of some subjects, and where it can be."""

    name: str
    pattern: str
    text: str
    verdict: str
    about: str = "to "
    ways: tuple[str, ...] = ("nat", "public", "endpoints")
    forms: tuple[str, ...] = ("inline", "rule", "single")


EDITS = msgspec.toml.decode(Path(__file__).with_name("edits.toml").read_bytes(), type=dict[str, list[Edit]])["edit"]
DECLARED = """
variable "hub" { type = string }
variable "subnets" { type = list(string) }
variable "block" { type = string }
variable "address" { type = bool }
variable "balancer" { type = string }
variable "groups" { type = list(string) }
data "aws_route_table" "shared" { route_table_id = "rtb-0123456789abcdef0" }
data "aws_subnet" "shared" { id = "subnet-0123456789abcdef0" }
data "aws_security_group" "shared" { id = "sg-0123456789abcdef0" }
data "aws_lb_target_group" "shared" { name = "shared" }
resource "aws_route_table" "other" { vpc_id = aws_vpc.main.id }
resource "aws_security_group" "none" {
  name   = "none"
  vpc_id = aws_vpc.main.id
}
"""


def findings_of(folder: Path, text: str) -> list[Finding]:
    """Judge a source."""
    contract = contracts.load(write(folder, text) / "infraspec.toml")
    plan = Environments(contract, lenient=True).plan("prod")
    return check_reachability(plan, task_definitions(plan), contract, "prod")


def worst(findings: list[Finding], about: str) -> Verdict:
    """Return the worst verdict of the findings about something."""
    found = {finding.verdict for finding in findings if about in finding.subject}
    return next(verdict for verdict in (V, U, P) if verdict in found)


@pytest.mark.parametrize(("way", "form"), LAYOUTS)
def test_the_trees_themselves_are_proven(tmp_path: Path, way: str, form: str) -> None:
    """Every end of each layout can be reached, and the path says how."""
    findings = findings_of(tmp_path, text_of(way, form) + DECLARED)
    assert {P} == {finding.verdict for finding in findings}
    assert {"to ecr.api", "to ecr.dkr", "to s3", "to logs", "to secretsmanager"} < {one.subject for one in findings}
    assert all("allows TCP" in finding.reason for finding in findings)


def _cases() -> Iterator[tuple[Edit, str, str]]:
    yield from ((edit, way, form) for edit in EDITS for way, form in LAYOUTS if way in edit.ways and form in edit.forms)


@pytest.mark.parametrize(
    ("edit", "way", "form"),
    [pytest.param(*case, id=f"{case[0].name}-{case[1]}-{case[2]}") for case in some(list(_cases()), 4)],
)
def test_an_edit_is_judged(tmp_path: Path, edit: Edit, way: str, form: str) -> None:
    """What closes a way is VIOLATED, with a fix; what keeps it open is PROVEN; what decides elsewhere is neither."""
    before = text_of(way, form) + DECLARED
    after = re.sub(edit.pattern, edit.text, before, count=1)
    assert before != after
    findings = findings_of(tmp_path, after)
    assert Verdict[edit.verdict] is worst(findings, edit.about)
    assert all(finding.remedy and finding.consequence for finding in findings if finding.verdict is V)


@pytest.mark.parametrize(("way", "form"), LAYOUTS)
def test_the_network_of_another_root_module_is_not_judged(tmp_path: Path, way: str, form: str) -> None:
    """Without a subnet of the plan only what security groups and listeners decide is said."""
    text = text_of(way, form).replace("values(aws_subnet.tasks)[*].id\n    sec", "var.subnets\n    sec") + DECLARED
    assert not [finding for finding in findings_of(tmp_path, text) if finding.subject.startswith("to ")]
    closed = findings_of(tmp_path, text.replace('"postgres"', '"mysql"').replace('target_type = "ip"', ""))
    assert {V} == {finding.verdict for finding in closed}
    assert 2 == len(closed)


@pytest.mark.parametrize(
    ("edit", "destination", "code", "said"),
    [
        ("", "secretsmanager", 0, "REACHED: aws_ecs_service.main to secretsmanager"),
        ("", "balancer", 0, "aws_lb_listener.main"),
        ("assign_public_ip", "logs", 1, "nat_gateway_id"),
        ("", "ssm", 2, "to secretsmanager"),
    ],
)
def test_explain_shows_the_path(tmp_path: Path, edit: str, destination: str, code: int, said: str) -> None:
    """`infraspec explain --path` prints the hops of a way, and what opens it; of a way that is not there, which are."""
    write(tmp_path, text_of("public", "rule").replace(edit or " ", f"# {edit}" if edit else " "))
    command = [sys.executable, "-m", "infraspec", "explain", "--infra", str(tmp_path), "--path", "shop", destination]
    told = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (code, True) == (told.returncode, said in told.stdout + told.stderr)
