"""What the source may set of a resource and `drift` compares; of what it does not compare the reason is kept here."""

from __future__ import annotations

import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from infraspec import contract as contracts
from infraspec.resource_types import TYPES, resource_type
from infraspec.terraform.environments import Environments
from infraspec.terraform.provider.schema import schema

ROOT = Path(__file__).parents[2] / "fixtures" / "daily-report-tool"
SCALING = ("aws_appautoscaling_policy", "aws_appautoscaling_scheduled_action", "aws_appautoscaling_target")
DEPLOYED = sorted(
    {one.type for one in Environments(contracts.load(ROOT / "infraspec.toml")).plan("prod").managed()}
    | {*SCALING, "aws_ecr_lifecycle_policy"}
)
"""The types of the reference infrastructure, and those that may be beside them."""
_KEPT = tomllib.loads((Path(__file__).parent / "data" / "not_compared.toml").read_text(encoding="utf-8"))
REASONS: Mapping[str, Mapping[str, list[str]]] = _KEPT["reasons"]
ELSEWHERE: Mapping[str, str] = _KEPT["types"]
ALWAYS = frozenset({"id", "region", "tags", "tags_all", "timeouts"})
"""Where a resource is and what it is called, the tags that rules of their own judge, and what Terraform waits for."""


def open_arguments(type_: str) -> Iterator[str]:
    """Yield what may be set of a type and is not compared."""
    known, held = resource_type(type_), schema(type_)
    assert held is not None
    said = {known.name, *known.identity, *ALWAYS, *(known.drift.compared if known.drift else ())}
    for name in held.names():
        setting = held.setting(name)
        if setting is not None and setting.settable and name not in said and not name.endswith("_prefix"):
            yield name


def explained(type_: str) -> Iterator[str]:
    """Yield the arguments of a type that a reason is kept for."""
    for by_type in REASONS.values():
        yield from by_type.get(type_, ())


@pytest.mark.parametrize("type_", [name for name in DEPLOYED if name not in ELSEWHERE])
def test_each_argument_is_compared_or_there_is_a_reason(type_: str) -> None:
    """An argument that the provider gets anew fails here, until it is compared or somebody says why not."""
    assert sorted(explained(type_)) == sorted(open_arguments(type_))


def test_types_that_nothing_compares_are_looked_at_by_another_rule() -> None:
    """A type without attributes to compare is judged by a rule that the table names."""
    bare = {name for name in DEPLOYED if (known := resource_type(name)).drift is None and not known.compared_by}

    assert bare == {name for name in ELSEWHERE if not resource_type(name).compared_by}
    assert set(ELSEWHERE) <= set(DEPLOYED)


def test_reasons_are_of_types_that_are_deployed() -> None:
    """A reason that is needed no more goes."""
    assert set() == {name for by_type in REASONS.values() for name in by_type} - set(DEPLOYED)


def test_what_is_compared_can_be_read() -> None:
    """What `drift` compares is in what AWS answers, or in what a function adds: else it would be equal for ever."""
    added = {
        "aws_db_instance": {"manage_master_user_password"},
        "aws_ecs_task_definition": {"container_definitions", "proxy_configuration"},
        "aws_iam_policy": {"policy"},
        "aws_iam_role": {"assume_role_policy", "inline_policy", "managed_policy_arns"},
        "aws_iam_role_policy": {"policy"},
        "aws_iam_role_policy_attachment": {"policy_arn"},
        "aws_kms_alias": {"target_key_id"},
        "aws_kms_key": {"enable_key_rotation", "is_enabled", "policy"},
        "aws_kms_key_policy": {"policy"},
        "aws_lambda_event_source_mapping": {"enabled"},
        "aws_lambda_function": {"environment"},
        "aws_lambda_permission": {"action", "function_url_auth_type", "principal", "source_account", "source_arn"},
        "aws_secretsmanager_secret": {"policy", "replica"},
        "aws_cloudwatch_metric_alarm": {"dimensions"},
        "aws_sns_topic_subscription": {
            "endpoint", "filter_policy", "filter_policy_scope", "raw_message_delivery", "redrive_policy",
        },
        "aws_vpc_endpoint": {"security_group_ids"},
    }  # fmt: skip
    lacking = Counter(
        f"{known.type}.{name}"
        for known in TYPES.values()
        if known.drift is not None and known.listing is not None
        for name in known.drift.compared
        if name not in known.listing.attributes and name not in added.get(known.type, ())
    )
    assert Counter() == lacking


def test_the_reference_sets_nothing_that_nothing_reads() -> None:
    """What is left open so far is set nowhere in the infrastructure that the framework is shown on."""
    plan = Environments(contracts.load(ROOT / "infraspec.toml")).plan("prod")
    unread = REASONS["gap"]

    assert [] == [
        f"{one.address}.{name}" for one in plan.managed() for name in unread.get(one.type, ()) if one.sets(name)
    ]
