"""What a new name does to a resource."""

from __future__ import annotations

from infraspec.conventions.name_attributes import NAME_ATTRIBUTES
from infraspec.conventions.renaming import _IN_PLACE, _REPLACED, Renaming, renaming
from infraspec.terraform.schema import resource_types


def test_a_type_is_in_one_table() -> None:
    """No type is both, and each is a type whose name attribute is known and that the provider has."""
    assert not _IN_PLACE & _REPLACED
    assert set(NAME_ATTRIBUTES) >= _IN_PLACE | _REPLACED
    assert set(resource_types()) >= _IN_PLACE | _REPLACED


def test_a_tag_changes_in_place() -> None:
    """A name that is a tag replaces nothing, whatever the type; of a type that is not listed nothing is claimed."""
    assert renaming("aws_vpc", "tags.Name") is Renaming.IN_PLACE
    assert renaming("aws_db_instance", "identifier") is Renaming.IN_PLACE
    assert renaming("aws_secretsmanager_secret", "name") is Renaming.REPLACED
    assert renaming("aws_glue_crawler", "name") is Renaming.UNKNOWN
