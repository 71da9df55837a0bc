"""Rule `drift` on the sandbox with the state of the environment in the contract, as Terraform would have written it."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest

from infraspec.aws.snapshot import Snapshot
from infraspec.checks.deployed.drift import check_drift
from infraspec.contract.paths import GivenPath
from infraspec.core.finding import Finding, Verdict
from infraspec.live.facts.services import running_task_definitions
from infraspec.live.plan import live_plan
from infraspec.sandbox.running import Running
from infraspec.terraform.environments import Environments
from infraspec.terraform.plan import Plan
from tests.live.deployed import CONTRACT, reference

SERVICE = "module.ecs.aws_ecs_service.this"
DEFINITION = "module.ecs.aws_ecs_task_definition.this"
ROLE, ATTACHMENT = "module.iam.aws_iam_role.execution", "module.iam.aws_iam_role_policy_attachment.execution_secrets"
CREDENTIALS = 'module.secretsmanager.aws_secretsmanager_secret.this["database"]'
DATABASE = "module.rds.aws_db_instance.this"


class State:
    """The state of what was applied to the sandbox, which a test may change before it is written."""

    def __init__(self, sandbox: Running) -> None:
        self.attributes: dict[str, dict[str, Any]] = {
            address: dict(values) for address, values in sandbox.deployment.attributes.items()
        }

    def write(self, path: Path) -> None:
        """Write it as version 4, the form of a backend."""
        resources = []
        for one in reference().managed():
            if one.address in self.attributes:
                key = {} if one.key is None else {"index_key": one.key}
                instance = {"schema_version": 0, "attributes": self.attributes[one.address], **key}
                provider = 'provider["registry.terraform.io/hashicorp/aws"]'
                place = {"module": one.module} if one.module else {}
                kind = {"mode": "managed", "type": one.type, "name": one.name, "provider": provider}
                resources.append({**place, **kind, "instances": [instance]})
        document = {"version": 4, "terraform_version": "1.9.5", "serial": 1, "lineage": "of-a-test", "outputs": {}}
        path.write_text(json.dumps({**document, "resources": resources}), encoding="utf-8")

    def plan(self, directory: Path) -> Plan:
        """Return the source as the state completes it, named by the contract."""
        self.write(directory / "terraform.tfstate")
        prod = CONTRACT.environments["prod"].model_copy(update={"state": GivenPath(directory / "terraform.tfstate")})
        return Environments(CONTRACT.model_copy(update={"environments": {"prod": prod}})).plan("prod")


class Judging:
    """The sandbox as it is, compared with one plan after the other."""

    def __init__(self, sandbox: Running) -> None:
        clients: Any = SimpleNamespace(
            client=lambda service, _region=None: sandbox.account.client(service),
            region="ap-northeast-1",
            is_local=True,
        )
        identity: Any = SimpleNamespace(account="123456789012", partition="aws")
        self.calls = Snapshot(clients, identity)

    def live(self, plan: Plan) -> Plan:
        """Return what is in the sandbox, at the addresses of a plan."""
        return live_plan(self.calls, plan, CONTRACT, "prod")

    def __call__(self, plan: Plan) -> list[Finding]:
        """Judge what is in the sandbox."""
        live = self.live(plan)
        return check_drift(plan, live, running_task_definitions(self.calls, live))


@pytest.fixture(scope="module")
def judged(sandbox: Running) -> Judging:
    """Return what judges the sandbox; it is asked once."""
    return Judging(sandbox)


def bad(findings: list[Finding]) -> set[tuple[str, str, str]]:
    """Return address, subject and verdict of what is not proven."""
    return {(one.address, one.subject, one.verdict.value) for one in findings if one.verdict is not Verdict.PROVEN}


def test_what_was_applied_is_what_the_state_says(sandbox: Running, judged: Judging, tmp_path: Path) -> None:
    """Ids and ARNs are known, so the revision of the service is that of the state, and not only its family."""
    findings = judged(State(sandbox).plan(tmp_path))
    assert set() == bad(findings)
    (revision,) = (one.reason for one in findings if (one.address, one.subject) == (SERVICE, "task definition"))
    assert "daily-report-tool-prod-backend:1" == revision


@pytest.mark.parametrize("refreshed", [True, False])
def test_what_a_state_repeats_of_other_resources_is_no_drift(
    sandbox: Running, judged: Judging, tmp_path: Path, *, refreshed: bool
) -> None:
    """A role has what is attached to it in its own attributes, as of the last refresh, or nothing from before."""
    state = State(sandbox)
    attached = state.attributes[ATTACHMENT]["policy_arn"]
    block = {"name": "debug", "policy": "{}"}
    state.attributes[ROLE] |= {
        "managed_policy_arns": [attached, "arn:aws:iam::aws:policy/ReadOnlyAccess"] if refreshed else [],
        "inline_policy": [block] if refreshed else [],
    }
    state.attributes[CREDENTIALS]["policy"] = "{}" if refreshed else ""
    assert set() == bad(judged(state.plan(tmp_path)))


def test_a_state_takes_no_address_away(sandbox: Running, judged: Judging, tmp_path: Path) -> None:
    """What is found by a reference of the source is found by the id that the state has in its place."""
    without, with_state = (
        {one.address for one in judged.live(plan).managed()} for plan in (reference(), State(sandbox).plan(tmp_path))
    )
    assert set() == without - with_state


def test_a_revision_that_the_state_does_not_know(sandbox: Running, judged: Judging, tmp_path: Path) -> None:
    """Somebody deployed by hand: Terraform, which knows the revision before, does not see it."""
    state = State(sandbox)
    for address, name in ((SERVICE, "task_definition"), (DEFINITION, "arn")):
        family, _, number = state.attributes[address][name].rpartition(":")
        state.attributes[address][name] = f"{family}:{int(number) + 1}"
    assert (SERVICE, "task definition", "violated") in bad(judged(state.plan(tmp_path)))


def test_what_the_state_says_of_a_database_is_compared(sandbox: Running, judged: Judging, tmp_path: Path) -> None:
    """The id of a security group that AWS assigned is known by the state alone."""
    state = State(sandbox)
    state.attributes[DATABASE]["vpc_security_group_ids"] = ["sg-of-nobody"]
    findings = [one for one in judged(state.plan(tmp_path)) if one.address == DATABASE]
    assert {(DATABASE, "", "violated")} == bad(findings)
    assert any("sg-of-nobody" in one.expected for one in findings)
