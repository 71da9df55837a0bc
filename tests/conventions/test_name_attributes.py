"""Which attribute holds a resource's name, and names that the provider makes up."""

from __future__ import annotations

from typing import Any

import pytest

from infraspec.conventions.naming import read_name, renaming
from infraspec.core.unknown import Text, Unknown
from infraspec.resource_types import Renaming, resource_type

ADDRESS = "module.db.aws_x.this[0]"
VAR = Unknown("var.name")


def _own(path: str) -> Unknown:
    return Unknown(f"{ADDRESS}.{path}")


@pytest.mark.parametrize(
    ("type_", "attribute"),
    [
        ("aws_db_instance", "identifier"),
        ("aws_rds_cluster", "cluster_identifier"),
        ("aws_ecs_task_definition", "family"),
        ("aws_ecs_service", "name"),
        ("aws_cloudwatch_metric_alarm", "alarm_name"),
        ("aws_s3_bucket", "bucket"),
        ("aws_lambda_function", "function_name"),
        ("aws_elasticache_replication_group", "replication_group_id"),
        ("aws_elasticache_cluster", "cluster_id"),
        ("aws_kms_alias", "name"),
        ("aws_iam_policy", "name"),
        ("aws_vpc", "tags.Name"),
    ],
)
def test_table(type_: str, attribute: str) -> None:
    """The catalogue knows the types of the requirements and the other common ones."""
    assert attribute == resource_type(type_).name


def test_what_a_new_name_does() -> None:
    """A name that is a tag replaces nothing, whatever the type; of a type that is not listed nothing is claimed."""
    assert renaming("aws_vpc", "tags.Name") is Renaming.IN_PLACE
    assert renaming("aws_db_instance", "identifier") is Renaming.IN_PLACE
    assert renaming("aws_secretsmanager_secret", "name") is Renaming.REPLACED
    assert renaming("aws_glue_crawler", "name") is Renaming.UNKNOWN


@pytest.mark.parametrize(
    ("path", "values", "expected"),
    [
        ("name", {"name": "a"}, "a"),
        ("name", {"name": 7}, "7"),
        ("name", {"name": VAR}, VAR),
        ("name", {"name": VAR, "name_prefix": "p-"}, VAR),
        ("name", {}, _own("name")),
        ("name", {"name": None, "name_prefix": None}, _own("name")),
        ("name", {"name_prefix": "p-"}, Text(("p-", _own("name")))),
        ("name", {"name": _own("name"), "name_prefix": "p-"}, Text(("p-", _own("name")))),
        ("name", {"name": _own("name"), "name_prefix": ""}, _own("name")),
        ("name", {"name_prefix": Text(("p-", VAR))}, Text(("p-", VAR, _own("name")))),
        ("identifier", {"identifier_prefix": "db-"}, Text(("db-", _own("identifier")))),
        ("bucket", {"bucket_prefix": "b-"}, Text(("b-", _own("bucket")))),
        ("name", {"name": ["a"]}, ["a"]),
        ("tags.Name", {"tags": {"Name": "a"}}, "a"),
        ("tags.Name", {"tags": {"Name": "a"}, "tags_all": {"Name": "a", "Owner": "x"}}, "a"),
        ("tags.Name", {"tags": {}}, None),
        ("tags.Name", {}, None),
        ("tags.Name", {"tags": VAR}, VAR),
        ("tags.Name", {"tags": {"Name": VAR}}, VAR),
        ("metadata.0.name", {"metadata": [{"name": "a"}]}, "a"),
        ("metadata.1.name", {"metadata": [{"name": "a"}]}, None),
        ("metadata.0.name", {"metadata": VAR}, Unknown("var.name.0.name")),
        ("metadata.name", {"metadata": "text"}, None),
    ],
)
def test_read_name(path: str, values: dict[str, Any], expected: object) -> None:
    """A name that is not set is the provider's to make up, a prefix its beginning; a missing tag is no name."""
    assert expected == read_name("aws_x", values, ADDRESS, path)
