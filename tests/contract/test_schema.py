from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
from pydantic import ValidationError

from infraspec.contract.document import KeyPath
from infraspec.contract.models import Contract
from infraspec.contract.schema import schema
from infraspec.contract.validation_errors import keys_of, table_at, tables

ROOT = Path(__file__).parents[2]
DOCUMENT = ROOT / "docs" / "infraspec.schema.json"


def properties(node: Any) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield every key that the schema knows, with its own schema."""
    if isinstance(node, dict):
        yield from node.get("properties", {}).items()
        for item in node.values():
            yield from properties(item)


def test_the_schema_in_the_documentation_is_current() -> None:
    """docs/infraspec.schema.json is what the models say; `python -m infraspec.contract.schema` writes it anew."""
    assert json.loads(DOCUMENT.read_text(encoding="utf-8")) == schema()


def test_the_module_writes_the_schema(tmp_path: Path) -> None:
    """Run as a program, the module writes the file it is given, without a warning."""
    path = tmp_path / "infraspec.schema.json"

    done = subprocess.run(
        [sys.executable, "-W", "error", "-m", "infraspec.contract.schema", path],
        cwd=ROOT / "plugins",
        capture_output=True,
        text=True,
        check=True,
    )

    assert (done.stdout, done.stderr) == ("", "")
    assert json.loads(path.read_text(encoding="utf-8")) == schema()


def test_the_schema_is_a_schema() -> None:
    """It keeps to JSON Schema 2020-12, and names neither a host nor null, which TOML does not have."""
    made = schema()

    jsonschema.Draft202012Validator.check_schema(made)
    assert made["$id"] == "infraspec.schema.json"
    assert "null" not in json.dumps(made)


def test_the_place_of_the_contract_is_no_key() -> None:
    """`path` is where the contract was read from, not something to write."""
    assert "path" not in schema()["properties"]


@pytest.mark.parametrize(("key", "made"), list(properties(schema())))
def test_every_key_has_a_description(key: str, made: dict[str, Any]) -> None:
    """An editor tells what each key is for."""
    assert made.get("description"), key


def test_examples_are_valid() -> None:
    """What the schema gives as an example of a key, the key accepts."""
    made = schema()
    wrong = [
        (key, example)
        for key, own in properties(made)
        for example in own.get("examples", ())
        if not jsonschema.Draft202012Validator({**own, "$defs": made["$defs"]}).is_valid(example)
    ]

    assert wrong == []


def inside(path: KeyPath, value: Any) -> dict[str, Any]:
    """Return a contract that has a value at a path and nothing else wrong."""
    for part in reversed(path):
        value = [value] if isinstance(part, int) else {part: value}
    own: dict[str, Any] = value
    return {"project": {"application": "shop"}, "environments": {"dev": {}}, **own}


@pytest.mark.parametrize("written", [written for written, _ in tables()])
def test_the_loader_takes_no_value_of_another_type(written: str) -> None:
    """What the JSON Schema refuses of a key, the loader does not make into what is wanted."""
    validator = jsonschema.Draft202012Validator(schema())
    path = dict(tables())[written]
    table = table_at(path)
    assert table
    for key in keys_of(table):
        for value in ("5", "no", True, 0, [1], ["x"]):
            data = inside((*path, key), value)
            if not validator.is_valid(data):
                with pytest.raises(ValidationError):
                    Contract.model_validate(data)
