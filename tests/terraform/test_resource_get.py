"""What a resource says of an attribute that nobody set, from source, plan file and state."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from infraspec.core.errors import RequestError
from infraspec.core.finding import Location
from infraspec.core.unknown import Unknown
from infraspec.terraform import environments
from infraspec.terraform.plan import Resource
from infraspec.terraform.provider.schema import is_computed, resource_types, schema
from tests.terraform.sources import plan_of

PLACE = Location("main.tf", 1)
SETTINGS = {
    "aws_cloudwatch_log_group": ('name = "a"', ("arn", "id"), ("kms_key_id", "retention_in_days")),
    "aws_db_instance": ('identifier = "a"', ("arn", "endpoint", "multi_az", "kms_key_id"), ("replicate_source_db",)),
    "aws_ecs_cluster": ('name = "a"', ("arn", "id"), ("tags",)),
    "aws_iam_role": ('assume_role_policy = "{}"', ("arn", "name", "unique_id"), ("permissions_boundary",)),
    "aws_kms_key": ("", ("arn", "key_id", "policy"), ("deletion_window_in_days",)),
    "aws_lb": ('name = "a"', ("arn", "dns_name", "internal"), ("enable_deletion_protection",)),
    "aws_s3_bucket": ("", ("arn", "bucket", "policy"), ("force_destroy",)),
    "aws_secretsmanager_secret": ('name = "a"', ("arn", "policy"), ("kms_key_id", "description")),
    "aws_sns_topic": ('name = "a"', ("arn", "policy"), ("kms_master_key_id",)),
    "aws_sqs_queue": ('name = "a"', ("arn", "url"), ("visibility_timeout_seconds",)),
}
"""By type: what a configuration sets, what the provider computes, and what stays unset or has a constant default."""


@pytest.mark.parametrize("type_", SETTINGS)
def test_what_is_computed_is_unknown_in_source(tmp_path: Path, type_: str) -> None:
    """An attribute that is known after apply is Unknown and never None; a default is for what stays unset."""
    arguments, computed, unset = SETTINGS[type_]
    plan = plan_of(tmp_path, f'resource "{type_}" "a" {{\n  {arguments}\n}}')
    resource = plan.by_address[f"{type_}.a"]

    for name in computed:
        assert [Unknown(f"{type_}.a.{name}")] * 2 == [resource.get(name), resource.get(name, True)]
    for name in unset:
        assert [None, "default"] == [resource.get(name), resource.get(name, "default")]


def test_every_attribute_that_any_type_computes_is_unknown() -> None:
    """Of every type of the provider, whatever is computed is Unknown where the source does not set it."""
    for type_ in resource_types():
        resource = Resource("a.b", "managed", type_, "b", None, "", {}, location=PLACE, locate=lambda _: None)
        names = ((known := schema(type_)) is not None and known.names()) or ()
        for name in names:
            expected = Unknown(f"a.b.{name}") if is_computed(type_, name) else None
            assert expected == resource.get(name), f"{type_}.{name}"


def test_what_the_source_sets_is_given(tmp_path: Path) -> None:
    """A configured attribute is what is configured, null included where a default is given."""
    plan = plan_of(tmp_path, 'resource "aws_kms_key" "a" {\n  policy = "{}"\n  is_enabled = false\n}')
    key = plan.by_address["aws_kms_key.a"]

    assert ["{}", False] == [key.get("policy", "x"), key.get("is_enabled", True)]


def test_what_a_data_source_returns_is_unknown(tmp_path: Path) -> None:
    """What a data source returns is Unknown where neither the contract nor the source says it."""
    plan = plan_of(tmp_path, 'data "aws_kms_key" "a" { key_id = "a" }')
    key = plan.by_address["data.aws_kms_key.a"]

    assert ["a", Unknown("data.aws_kms_key.a.arn")] == [key.get("key_id"), key.get("arn", "x")]


def test_what_is_computed_in_a_plan_file_and_in_a_state(tmp_path: Path) -> None:
    """A plan file says what is known after apply; a state knows it, and what it does not have is not there."""
    change: dict[str, Any] = {"actions": ["create"], "before": None, "after": {"name": "a"}}
    entry = {"address": "aws_sns_topic.a", "mode": "managed", "type": "aws_sns_topic", "name": "a"}
    planned = {**entry, "change": {**change, "after_unknown": {"arn": True}}}
    values = {**entry, "values": {"name": "a", "arn": "arn:aws:sns:eu-west-1:111122223333:a"}}
    root = {"root_module": {"resources": [values]}}
    content = {"format_version": "1.2", "planned_values": {}, "resource_changes": [planned]}
    plan = environments.from_bytes(json.dumps(content).encode(), "plan.json")
    state = environments.from_bytes(json.dumps({"format_version": "1.0", "values": root}).encode(), "state.json")

    assert Unknown("aws_sns_topic.a.arn") == plan.by_address["aws_sns_topic.a"].get("arn", "x")
    assert "arn:aws:sns:eu-west-1:111122223333:a" == state.by_address["aws_sns_topic.a"].get("arn")
    assert None is state.by_address["aws_sns_topic.a"].get("kms_master_key_id")


def test_an_attribute_may_be_asked_for_in_brackets() -> None:
    """It is what `get` gives; one that is not set is an error that names those that are."""
    queue = Resource("aws_sqs_queue.a", "managed", "aws_sqs_queue", "a", None, "", {"name": "jobs", "tags": None})

    assert ("jobs", None) == (queue["name"], queue["tags"])
    with pytest.raises(RequestError, match=r"(?s)no value of `nam`.*one of name, tags.*did you mean `name`\?"):
        queue["nam"]
