"""Environments are made of the same parts, the parts lie in modules, and a plan of what is deployed is empty."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from infraspec.checks.plan_review.no_diff import check_no_diff
from infraspec.checks.state.consistency import check_consistency, consistency_table
from infraspec.checks.state.modules import check_modules
from infraspec.contract.models import Contract
from infraspec.core.finding import Finding, Verdict
from infraspec.terraform import environments as plan_files
from tests.checks.layout import environments

V, P = Verdict.VIOLATED, Verdict.PROVEN
MODULE = 'variable "name" {}\nresource "aws_sns_topic" "a" {\n  for_each = toset([var.name])\n  name = each.key\n}\n'
DEV = 'module "m" {\n  source = "../modules/m"\n  name = "app-dev-x"\n}\n'
PROD = DEV.replace("dev", "prod")
EXTRA = 'resource "aws_sqs_queue" "q" {\n  name = "q"\n}\n'


def consistency(directory: Path, dev: str, prod: str, **rules: Any) -> list[Finding]:
    """Return what is violated of dev, compared with prod."""
    files = {"dev/main.tf": dev, "prod/main.tf": prod, "modules/m/main.tf": MODULE, "modules/n/main.tf": MODULE}
    made = environments(directory, files, "dev", "prod", consistency={"reference": "prod", **rules})
    found = check_consistency(made.sources(), made.settings(), made.contract, "dev")
    return [finding for finding in found if finding.verdict is V]


def test_equal_environments(tmp_path: Path) -> None:
    """The name of the environment in the key of an instance does not make a difference."""
    assert consistency(tmp_path, DEV, PROD) == []


def test_a_resource_of_one_environment(tmp_path: Path) -> None:
    """What one has and the other lacks is named either way, with the line of the one that has it."""
    (alone,) = consistency(tmp_path / "a", DEV + EXTRA, PROD)
    assert (alone.address, alone.found, str(alone.location)) == (
        "aws_sqs_queue.q",
        "it is in dev alone",
        "dev/main.tf:5",
    )
    (absent,) = consistency(tmp_path / "b", DEV, PROD + EXTRA)
    assert (absent.found, str(absent.location)) == ("it is not in dev", "prod/main.tf:5")
    assert consistency(tmp_path / "c", DEV, PROD + EXTRA, allow=["aws_sqs_queue.*"]) == []


def test_a_module_of_another_source(tmp_path: Path) -> None:
    """The same call of another module is a difference."""
    (found,) = consistency(tmp_path, DEV.replace("modules/m", "modules/n"), PROD)
    assert (found.address, found.expected, found.found) == ("module.m", "../modules/m, as in prod", "../modules/n")


def test_the_reference_is_compared_with_none(tmp_path: Path) -> None:
    """By default the first environment is the reference; one without source is compared with none."""
    made = environments(tmp_path, {"dev/main.tf": DEV, "modules/m/main.tf": MODULE}, "dev", "prod", consistency={})
    found = check_consistency(made.sources(), made.settings(), made.contract, "dev")
    assert [(finding.verdict, finding.reason) for finding in found] == [(P, "the others are compared with it")]
    assert check_consistency(made.sources(), made.settings(), made.contract, "prod") == []


def test_the_table_shows_what_differs(tmp_path: Path) -> None:
    """A row for each address that not all have, and how many are the same."""
    files = {"dev/main.tf": DEV + EXTRA, "prod/main.tf": PROD, "modules/m/main.tf": MODULE}
    made = environments(tmp_path, files, "dev", "prod")
    assert consistency_table(made.sources(), made.settings()).splitlines() == [
        "address          dev  prod",
        "aws_sqs_queue.q  yes  -",
        "2 addresses are the same",
    ]
    same = environments(tmp_path, {"dev/main.tf": DEV}, "dev", "prod")
    assert consistency_table(same.sources(), same.settings()) == "2 addresses, the same in dev, prod"


def test_resources_lie_in_modules(tmp_path: Path) -> None:
    """A resource of the root is violated, with a moved block to take it away; the contract may allow it."""
    files = {"dev/main.tf": DEV + EXTRA, "modules/m/main.tf": MODULE}
    made = environments(tmp_path, files, modules={})
    found = check_modules(made.plan("dev"), made.contract)
    assert [(finding.verdict, finding.address) for finding in found] == [
        (V, "aws_sqs_queue.q"),
        (P, 'module.m.aws_sns_topic.a["app-dev-x"]'),
    ]
    assert "to   = module.NAME.aws_sqs_queue.q" in found[0].remedy
    allowed = environments(tmp_path, files, modules={"allow": ["aws_sqs_queue.*"]})
    assert {finding.verdict for finding in check_modules(made.plan("dev"), allowed.contract)} == {P}


def entry(address: str, actions: list[str], **more: Any) -> dict[str, Any]:
    """Return an entry of resource_changes or resource_drift."""
    type_, name = address.split(".")
    detail = {"actions": actions, "before": {"a": 1}, "after": {"a": 2}, "after_unknown": {}}
    return {"address": address, "mode": "managed", "type": type_, "name": name, "change": detail, **more}


def no_diff(changes: list[Any], drift: list[Any], **rules: Any) -> list[tuple[str, str, Verdict]]:
    """Return address, subject and verdict of each finding about a plan."""
    content = {
        "format_version": "1.2",
        "planned_values": {},
        "resource_changes": changes,
        "resource_drift": drift,
    }
    plan = plan_files.from_bytes(json.dumps(content).encode(), "plan.json")
    contract = Contract.model_validate({"project": {"application": "a"}, "environments": {"prod": {}}, "drift": rules})
    return [(finding.address, finding.subject, finding.verdict) for finding in check_no_diff(plan, contract)]


def test_an_empty_plan_is_proven() -> None:
    """No-op and reads change nothing."""
    assert no_diff([entry("aws_sns_topic.a", ["no-op"])], []) == [("plan plan.json", "", P)]


def test_changes_and_drift_are_violated() -> None:
    """A change, a move, and a drift that the plan does not put right; one that it does is told with the change."""
    changes = [
        entry("aws_sns_topic.a", ["update"]),
        entry("aws_sns_topic.b", ["no-op"], previous_address="aws_sns_topic.c"),
        entry("aws_sns_topic.d", ["no-op"]),
    ]
    drift = [entry("aws_sns_topic.a", ["update"]), entry("aws_sns_topic.d", ["update"])]
    assert no_diff(changes, drift) == [
        ("aws_sns_topic.a", "", V),
        ("aws_sns_topic.b", "", V),
        ("aws_sns_topic.a", "drift", P),
        ("aws_sns_topic.d", "drift", V),
    ]
    assert {verdict for *_, verdict in no_diff(changes, drift, ignore=["aws_sns_topic"])} == {P}
    told = entry("aws_sns_topic.e", ["delete", "create"], action_reason="replace_because_tainted")
    assert no_diff([told], []) == [("aws_sns_topic.e", "", V)]
