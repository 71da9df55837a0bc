"""Plans and states of many releases, as they were found in public repositories."""

from __future__ import annotations

from pathlib import Path

import pytest

from infraspec.core.unknown import Sensitive, Unknown, unknowns
from infraspec.terraform import environments
from infraspec.terraform.plan import Plan

SHARED = Path(__file__).parents[2] / "../shared/data"
COUNTS = {
    "plans/aws_ecs_app_drift-0.15.json": (19, 2, 19),
    "plans/drift_outputs-1.0.0.json": (13, 8, 30),
    "plans/ecs.json": (1, 0, 1),
    "plans/iam_policy_document_unknown-1.3.9.json": (2, 1, 3),
    "plans/identity_policies-1.5.7.json": (9, 2, 9),
    "plans/large-0.14.11.json": (26, 6, 26),
    "plans/nested_modules-1.2.4.json": (9, 1, 9),
    "plans/plaintext_secret-1.5.0.json": (2, 1, 3),
    "plans/public_access-1.12.1.json": (31, 9, 31),
    "plans/resource_drift-1.1.4.json": (8, 0, 11),
    "plans/secretsmanager_secret-1.0.11.json": (1, 0, 1),
    "plans/tfjson_110_sensitive_values.json": (7, 0, 7),
    "plans/tfjson_action_reason.json": (1, 0, 1),
    "plans/tfjson_actions.json": (0, 0, 0),
    "plans/tfjson_has_checks.json": (2, 0, 2),
    "plans/tfjson_identity.json": (1, 0, 1),
    "plans/tfjson_moved_block.json": (1, 0, 1),
    "plans/utf16_bom.json": (1, 0, 1),
    "states/aws_ecs_app-0.15.tfstate": (19, 2, 0),
    "states/raw_v4-0.12.tfstate": (6, 1, 0),
    "states/show_0.14.json": (14, 4, 0),
    "states/show_0.2.json": (7, 0, 0),
}


def load(name: str) -> Plan:
    """Load a file of the corpus; skip where there is none."""
    path = SHARED / name
    if not path.is_file():
        pytest.skip("the corpus of plans is not beside the checkout")
    return environments.load(path, name=name)


@pytest.mark.parametrize("name", COUNTS)
def test_every_file_loads(name: str) -> None:
    """Managed resources, data sources and changes are counted, every value decodes, and unknowns lead back."""
    plan = load(name)
    data = [resource for resource in plan.resources if resource.mode == "data"]
    assert COUNTS[name] == (len(plan.managed()), len(data), len(plan.changes))
    assert len(plan.by_address) == len(plan.resources)
    for resource in plan.resources:
        for value in resource.values.values():
            assert all(plan.find(unknown) for unknown in unknowns(value))


def test_the_table_of_files_is_complete() -> None:
    """No file of the corpus is left out of the table."""
    if not SHARED.is_dir():
        pytest.skip("the corpus of plans is not beside the checkout")
    assert set(COUNTS) == {f"{kind}/{path.name}" for kind in ("plans", "states") for path in (SHARED / kind).iterdir()}


def test_a_secret_in_clear_is_masked() -> None:
    """A secret string that terraform 1.5 writes in clear reaches neither values nor repr."""
    plan = load("plans/plaintext_secret-1.5.0.json")
    clear = "sUp3rs3cr3t"
    assert clear in (SHARED / "plans/plaintext_secret-1.5.0.json").read_text()
    assert isinstance(plan.by_address["aws_secretsmanager_secret_version.first"].get("secret_string"), Sensitive)
    assert clear not in repr((plan, [dict(resource.values) for resource in plan.resources]))
    assert clear not in "".join(str(value) for resource in plan.resources for value in resource.values.values())


def test_a_policy_document_keeps_its_skeleton() -> None:
    """A policy document that is read during apply has its actions known and its resources unknown in place."""
    plan = load("plans/iam_policy_document_unknown-1.3.9.json")
    document = plan.data("aws_iam_policy_document")[0]
    (statement,) = document.get("statement")
    assert statement["actions"] == ["*"]
    assert [Unknown(f"{document.address}.statement[0].resources[{n}]") for n in (0, 1)] == statement["resources"]
    assert Unknown(f"{document.address}.json") == document.get("json")
    assert statement["principals"] == [{"identifiers": ["123456789012"], "type": "AWS"}]


def test_utf_16() -> None:
    """A plan that PowerShell wrote has its values."""
    (resource,) = load("plans/utf16_bom.json").resources
    assert resource.actions == ("create",)
    assert unknowns(resource.get("arn")) is not None


def test_task_definition_of_a_plan() -> None:
    """Container definitions that are known are text."""
    task = load("plans/ecs.json").managed("aws_ecs_task_definition")[0]
    assert task.get("container_definitions").startswith('[{"cpu":10')
    assert (task.get("execution_role_arn"), task.get("arn")) == (None, Unknown(f"{task.address}.arn"))


def test_addresses_and_providers_of_terraform_0_14() -> None:
    """Modules, for_each keys with a dot and provider blocks of modules are told."""
    plan = load("plans/large-0.14.11.json")
    assert plan.by_address['module.instances.aws_instance.module_instance_named["test.1"]'].key == "test.1"
    database = plan.by_address["module.db.module.db_1.module.db_instance.aws_db_instance.this[0]"]
    assert (database.provider, plan.region_of(database)) == ("module.db:aws", "us-east-1")
    assert plan.account == "123123123123"


def test_drift_of_terraform_1_0() -> None:
    """Terraform 1.0 leaves addresses out of resource_drift; they are put together."""
    drifted = [change.address for change in load("plans/drift_outputs-1.0.0.json").changes if change.drift]
    assert "aws_cloudwatch_event_rule.metrics_schedule" in drifted


def test_raw_state_values() -> None:
    """A raw state of an ECS application has its secret, task definition and policies."""
    plan = load("states/aws_ecs_app-0.15.tfstate")
    assert (plan.account, plan.region) == ("123456789012", "us-east-1")
    assert "secretsmanager:GetSecretValue" in plan.data("aws_iam_policy_document")[0].get("json")
    assert all(isinstance(r.get("secret_string"), Sensitive) for r in plan.managed("aws_secretsmanager_secret_version"))
