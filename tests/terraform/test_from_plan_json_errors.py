"""Files that are no plan: each is a PlanError that says what was found and what to do."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from infraspec.core.errors import PlanError
from infraspec.terraform import environments

REPORTS = Path(__file__).parent / "data/plans/reports.json"
CLEAR = "correct-horse-battery"
SHOW = "terraform show -json plan.tfplan > plan.json"


def error_of(data: bytes) -> PlanError:
    """Return the error of loading some bytes."""
    with pytest.raises(PlanError) as caught:
        environments.from_bytes(data, "plan.json")
    return caught.value


@pytest.mark.parametrize(
    ("content", "message", "found"),
    [
        ([], "neither a plan nor a state", "a JSON array"),
        ("text", "neither a plan nor a state", "a JSON str"),
        ({}, "neither a plan nor a state", "an empty JSON object"),
        ({"name": "x", "version": "1.0.0"}, "neither a plan nor a state", "a JSON object with the keys name, version"),
        (
            {str(n): n for n in range(9)},
            "neither a plan nor a state",
            "a JSON object with the keys 0, 1, 2, 3, 4, 5, …",
        ),
        ({"format_version": "1.0", "provider_schemas": {}}, "neither", "provider schemas"),
        ({"format_version": "1.0", "valid": True, "diagnostics": []}, "neither", "a validation result"),
        ({"variables": []}, "neither a plan nor a state", "a JSON object with the keys variables"),
        ({"format_version": "2.0", "planned_values": {}}, "does not know", "format_version 2.0"),
        ({"format_version": "2.0", "planned_values": []}, "does not know", "format_version 2.0"),
        ({"format_version": 1, "planned_values": {}}, "format_version is not a version", "1"),
        ({"format_version": {"a": "b"}, "planned_values": {}}, "format_version is not a version", "a dict"),
        ({"format_version": "one", "values": {}}, "format_version is not a version", "one"),
        ({"version": 3, "modules": []}, "does not read", "version 3"),
        ({"version": 5, "resources": [], "serial": 1}, "does not read", "version 5"),
        ({"serial": 1, "lineage": "x", "encrypted_data": "eA=="}, "the state is encrypted", ""),
    ],
)
def test_json_of_something_else(content: object, message: str, found: str) -> None:
    """JSON that is no plan or state of a known version is described, with what was expected and the remedy."""
    error = error_of(json.dumps(content).encode())
    assert message in error.message
    assert error.found.startswith(found)
    assert error.place == "plan.json"
    assert error.expected or error.remedy


def test_a_future_format_names_the_supported_ones() -> None:
    """The error of format 2 says which formats are supported."""
    error = error_of(b'{"format_version": "2.1", "planned_values": {}}')
    assert error.expected == "format_version 0.1 to 1.x"


@pytest.mark.parametrize(
    ("data", "message", "place"),
    [
        (b"", "the file is empty", "plan.json"),
        (b" \n", "the file is empty", "plan.json"),
        (b'{\n "a": x}', "the file is not JSON", "plan.json:2:7"),
        (b'{"a": 1} {', "the file is not JSON", "plan.json:1:10"),
        ('{"ä": x}'.encode(), "the file is not JSON", "plan.json:1:7"),
        (b'{\n"a": [1,\n2', "the JSON ends too early", "plan.json:3:2"),
        (b'{"a": ' + b"[" * 100_000, "nested too deeply", "plan.json"),
        (b'\xff\xfe{\x00"', "not complete UTF-16 text", "plan.json"),
        (b"Error: no plan file\n", "the file is not JSON", "plan.json:1:1"),
    ],
)
def test_text_that_is_not_json(data: bytes, message: str, place: str) -> None:
    """Text that is not JSON, or ends too early, is an error with line and column and the command to run."""
    error = error_of(data)
    assert (message in error.message, place, SHOW) == (True, error.place, error.remedy)


def test_a_binary_plan() -> None:
    """The error of a binary plan has the command that prints it."""
    error = error_of(b"PK\x03\x04\x14\x00")
    assert "binary plan" in error.message
    assert error.remedy == "terraform show -json plan.json > plan.json"


def test_the_log_of_a_plan() -> None:
    """The output of `terraform plan -json` is recognized."""
    line = b'{"@level":"info","@message":"Terraform 1.9.8","type":"version"}\n'
    assert "log of `terraform plan -json`" in error_of(line + line).message


def test_a_wrong_type_says_where() -> None:
    """A field of another type than the format says is named by its path."""
    error = error_of(b'{"format_version": "1.2", "resource_changes": [{"address": 5, "change": {}}]}')
    assert error.place == "plan.json: $.resource_changes[0].address"
    assert "expected `str`, got `int`" in error.message


def test_a_file_that_is_not_there(tmp_path: Path) -> None:
    """A missing file and a directory are PlanErrors with the path."""
    for path, message in ((tmp_path / "none.json", "does not exist"), (tmp_path, "is a directory")):
        with pytest.raises(PlanError, match=message) as caught:
            environments.load(path)
        assert caught.value.place == str(path)
        assert "terraform show -json" in caught.value.remedy


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16"])
def test_every_truncation_is_an_error(encoding: str) -> None:
    """A plan cut off at any place is a PlanError, which never quotes the file."""
    data = REPORTS.read_text(encoding="utf-8").strip().encode(encoding)
    for end in range(0, len(data), 37):
        error = error_of(data[:end])
        assert CLEAR not in str(error)


def test_no_error_quotes_a_secret() -> None:
    """Damage anywhere in the file gives a Plan or a PlanError that does not show what is beside the damage."""
    data = REPORTS.read_bytes()
    for position in range(0, len(data), 97):
        try:
            plan = environments.from_bytes(data[:position] + b"\x01" + data[position + 1 :], "plan.json")
            text = repr([dict(resource.values) for resource in plan.resources])
        except PlanError as error:
            text = str(error)
        assert CLEAR not in text
