"""The facts of the AWS provider's schema, and the questions that the evaluator asks of them."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from infraspec.terraform.provider import schema as schema_module
from infraspec.terraform.provider.schema import (
    Schema,
    SchemaSetting,
    has_tags,
    is_computed,
    resource_types,
    schema,
    structure,
    unset,
)

DATA = Path(schema_module.__file__).with_name("aws_schema.txt")
PRIMITIVES = {"s": "string", "n": "number", "b": "bool", "*": "any"}
COLLECTIONS = {"L": "list", "S": "set", "M": "map"}
NESTINGS = {"L": "list", "S": "set", "[": "list", "1": "list", "{": "set", "(": "single"}
CODE = re.compile(r"[!?=~]?(?:\(?|[\[{1])(?:[LSM]*(?:[snb*]|@[0-9a-fr]+|%[a-z.]+|\*))")

TYPES = {
    "aws_ecs_task_definition.cpu": "string",
    "aws_ecs_task_definition.container_definitions": "string",
    "aws_ecs_task_definition.requires_compatibilities": "set(string)",
    "aws_ecs_task_definition.revision": "number",
    "aws_ecs_task_definition.skip_destroy": "bool",
    "aws_ecs_service.desired_count": "number",
    "aws_db_instance.port": "number",
    "aws_db_instance.multi_az": "bool",
    "aws_db_instance.vpc_security_group_ids": "set(string)",
    "aws_db_instance.tags": "map(string)",
    "aws_rds_cluster.availability_zones": "set(string)",
    "aws_security_group.ingress": "set(object)",
    "aws_security_group.name": "string",
    "aws_security_group_rule.cidr_blocks": "list(string)",
    "aws_iam_role.managed_policy_arns": "set(string)",
    "aws_iam_role.max_session_duration": "number",
    "aws_iam_policy.policy": "string",
    "aws_secretsmanager_secret.recovery_window_in_days": "number",
    "aws_secretsmanager_secret_version.version_stages": "set(string)",
    "aws_cloudwatch_metric_alarm.dimensions": "map(string)",
    "aws_cloudwatch_metric_alarm.alarm_actions": "set(string)",
    "aws_cloudwatch_metric_alarm.threshold": "number",
    "aws_cloudwatch_log_group.retention_in_days": "number",
    "aws_lb.subnets": "set(string)",
    "aws_lb.internal": "bool",
    "aws_lambda_function.layers": "list(string)",
    "aws_lambda_function.timeout": "number",
    "aws_kms_key.enable_key_rotation": "bool",
    "aws_ssm_parameter.value": "string",
    "aws_sqs_queue.fifo_queue": "bool",
    "aws_sns_topic.fifo_topic": "bool",
    "aws_s3_bucket.force_destroy": "bool",
    "aws_route53_record.records": "set(string)",
    "aws_subnet.map_public_ip_on_launch": "bool",
    "aws_vpc.enable_dns_support": "bool",
    "aws_lb_target_group.deregistration_delay": "string",
    "aws_elasticache_replication_group.at_rest_encryption_enabled": "string",
    "aws_appautoscaling_target.max_capacity": "number",
    "aws_cloudwatch_event_rule.event_pattern": "string",
    "aws_ecr_repository.image_tag_mutability": "string",
    "aws_autoscaling_group.vpc_zone_identifier": "set(string)",
    "aws_cloudfront_distribution.aliases": "set(string)",
    "data.aws_iam_policy_document.source_policy_documents": "list(string)",
    "data.aws_availability_zones.names": "list(string)",
    "data.aws_ssm_parameter.with_decryption": "bool",
}

BLOCKS = {
    "aws_lambda_function.environment": "list",
    "aws_lambda_function.vpc_config": "list",
    "aws_ecs_task_definition.volume": "set",
    "aws_ecs_task_definition.runtime_platform": "list",
    "aws_ecs_service.load_balancer": "set",
    "aws_secretsmanager_secret.replica": "set",
    "aws_db_parameter_group.parameter": "set",
    "aws_security_group.ingress": "set",
    "aws_ecs_cluster.setting": "set",
    "aws_db_instance.timeouts": "single",
    "data.aws_iam_policy_document.statement": "list",
}

COMPUTED = {
    "aws_iam_role.arn": True,
    "aws_iam_role.name": True,
    "aws_iam_role.tags_all": True,
    "aws_db_instance.port": True,
    "aws_security_group.ingress": True,
    "aws_instance.root_block_device": True,
    "aws_ecs_task_definition.execution_role_arn": False,
    "aws_cloudwatch_log_group.kms_key_id": False,
    "aws_cloudwatch_metric_alarm.alarm_actions": False,
    "aws_iam_role.permissions_boundary": False,
    "aws_iam_role.tags": False,
    "aws_lambda_function.environment": False,
    "aws_lambda_function.function_name": False,
    "aws_lambda_function.timeout": None,
    "aws_lb.load_balancer_type": None,
    "aws_iam_role.path": None,
    "aws_lb.enable_deletion_protection": None,
    "aws_lb.no_such_attribute": None,
    "google_storage_bucket.name": None,
}


def split(path: str) -> tuple[str, str, str]:
    """Split `data.aws_vpc.arn` into type, attribute and mode."""
    *mode, resource_type, name = path.split(".")
    return resource_type, name, "data" if mode else "managed"


def found(path: str) -> Schema:
    """Return the schema of the type that a path begins with."""
    resource_type, _, mode = split(path)
    known = schema(resource_type, mode)
    assert known is not None
    return known


def setting(path: str) -> SchemaSetting:
    """Return an attribute or block that must be there."""
    result = found(path).setting(split(path)[1])
    assert result is not None
    return result


def block(path: str) -> Schema:
    """Return what is in a block that must be there."""
    return structure(setting(path).code[1:])


def constraint(code: str) -> str:
    """Write a code as a type constraint: `set(string)`."""
    if code[0] in COLLECTIONS:
        return f"{COLLECTIONS[code[0]]}({constraint(code[1:])})"
    return "object" if code[0] == "@" else PRIMITIVES[code]


def lines() -> Iterator[tuple[str, dict[str, str]]]:
    """Yield name and codes of each line of the data."""
    for line in DATA.read_text("utf-8").splitlines()[1:]:
        name, encoded = line.split("\t")
        yield name, json.loads(encoded)


@pytest.mark.parametrize(("path", "expected"), TYPES.items())
def test_attribute_has_the_providers_type(path: str, expected: str) -> None:
    """An attribute has the type that the provider documents."""
    assert expected == constraint(setting(path).code)


@pytest.mark.parametrize(("path", "expected"), BLOCKS.items())
def test_nested_block_has_the_providers_nesting(path: str, expected: str) -> None:
    """A nested block, or an attribute written as blocks, tells how it is nested."""
    assert (expected, "@") == (NESTINGS[setting(path).code[0]], setting(path).code[1])


@pytest.mark.parametrize(("path", "expected"), COMPUTED.items())
def test_what_an_unset_attribute_is(path: str, expected: bool | None) -> None:  # noqa: FBT001 - a column of the table
    """An unset attribute is computed (True), null (False), or it cannot be decided because a default may stand in."""
    assert expected is is_computed(*split(path))


def test_flags_of_an_attribute() -> None:
    """Who sets an attribute, the configuration, the provider or either, is told apart."""
    flags = {
        path: (setting(path).settable, setting(path).computed)
        for path in (
            "aws_ecs_task_definition.family",
            "aws_secretsmanager_secret.kms_key_id",
            "aws_secretsmanager_secret.name",
            "aws_iam_role.arn",
        )
    }

    assert flags == {
        "aws_ecs_task_definition.family": (True, False),
        "aws_secretsmanager_secret.kms_key_id": (True, False),
        "aws_secretsmanager_secret.name": (True, True),
        "aws_iam_role.arn": (False, True),
    }


def test_attributes_inside_a_block() -> None:
    """A block tells the types of its attributes and of the blocks in it."""
    volume = block("aws_ecs_task_definition.volume")
    efs = structure(volume.code("efs_volume_configuration")[1:])

    assert constraint(block("aws_security_group.ingress").code("from_port")) == "number"
    assert constraint(block("aws_lambda_function.environment").code("variables")) == "map(string)"
    assert constraint(efs.code("transit_encryption_port")) == "number"


def test_structure_that_holds_itself() -> None:
    """A structure of unbounded depth can be walked."""
    statement = block("aws_wafv2_web_acl_rule.statement")
    for name in ("not_statement", "statement", "and_statement", "statement", "byte_match_statement"):
        statement = structure(statement.code(name)[1:])

    assert constraint(statement.code("search_string")) == "string"


def test_unset_blocks_are_an_empty_list() -> None:
    """A block list that is not set is empty, everything else null."""
    assert unset("aws_lambda_function", "environment") == []
    assert unset("aws_db_instance", "timeouts") is None
    assert unset("aws_iam_role", "permissions_boundary") is None
    assert unset("google_storage_bucket", "website") is None


def test_empty_list_of_unset_blocks_is_not_shared() -> None:
    """Changing the list for one instance does not change it for the next."""
    unset("aws_lambda_function", "environment").append({})

    assert unset("aws_lambda_function", "environment") == []


@pytest.mark.parametrize("resource_type", ["google_storage_bucket", "random_password", "aws_no_such_thing", ""])
def test_unknown_type(resource_type: str) -> None:
    """Of another provider's type, and of a type that does not exist, nothing is known."""
    assert schema(resource_type) is None
    assert has_tags(resource_type) is None


def test_data_source_is_not_the_resource() -> None:
    """A data source has its own attributes."""
    assert schema("aws_iam_policy_document") is None
    assert found("data.aws_vpc.id").code("filter")[0] in NESTINGS
    assert "default" in found("data.aws_vpc.id").names()
    assert "default" not in found("aws_vpc.id").names()


def test_has_tags() -> None:
    """A type can be tagged if its `tags` can be set."""
    assert has_tags("aws_ecs_service") is True
    assert has_tags("aws_iam_role_policy") is False
    assert has_tags("aws_autoscaling_group") is False


def test_resource_types_leave_out_data_sources_and_structures() -> None:
    """The names are those of managed resources."""
    names = resource_types()

    assert {"aws_ecs_service", "aws_sqs_queue"} <= set(names)
    assert all(name.startswith("aws_") for name in names)
    assert sorted(names) == list(names)
    assert len(names) > 1500


def test_data_names_the_providers_version() -> None:
    """The version of the provider that the facts are from can be told."""
    assert re.match(r"# hashicorp/aws \d+\.\d+\.\d+:", DATA.read_text("utf-8"))


def test_every_code_can_be_read() -> None:
    """Each code of the data is well-formed, each structure that one names is there, and all of it can be walked."""
    known = dict(lines())
    codes = {code for attributes in known.values() for code in attributes.values()}

    assert [code for code in codes if not CODE.fullmatch(code)] == []
    assert {f"@{code.partition('@')[2]}" for code in codes if "@" in code} <= known.keys()
    assert {code[1] for code in codes if code[0] in "[{(1"} == {"@", "%", "*"}


def test_data_is_small() -> None:
    """The data stays below a size that a wheel can carry and a process read at once."""
    assert DATA.stat().st_size < 1_500_000


def test_import_reads_no_data() -> None:
    """Importing the module opens no data file."""
    program = (
        "import sys; opened = []\n"
        "sys.addaudithook(lambda event, args: opened.append(str(args[0])) if event == 'open' else None)\n"
        "import infraspec.terraform.provider.schema\n"
        "sys.exit(any('aws_schema' in name for name in opened))"
    )

    assert subprocess.run([sys.executable, "-c", program], cwd=DATA.parents[2], check=False).returncode == 0
