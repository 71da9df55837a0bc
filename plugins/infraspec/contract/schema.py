"""The JSON Schema of infraspec.toml, by which editors complete and check it.

python -m infraspec.contract.schema docs/infraspec.schema.json
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from infraspec.contract.models import Contract


class _TomlSchema(GenerateJsonSchema):
    """JSON Schema 2020-12 of what TOML can say: there is no null, and a key that fits no pattern is wrong."""

    def field_title_should_be_set(self, schema: Any) -> bool:  # noqa: ARG002 - a key's name is title enough
        return False

    def nullable_schema(self, schema: core_schema.NullableSchema) -> JsonSchemaValue:
        return self.generate_inner(schema["schema"])

    def default_schema(self, schema: core_schema.WithDefaultSchema) -> JsonSchemaValue:
        made = super().default_schema(schema)
        if made.get("default") in (None, []) or isinstance(made["default"], dict):
            made.pop("default", None)
        return made

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        made = super().model_schema(schema)
        for key, text in schema["cls"].texts().items():
            examples = {"examples": list(text.examples)} if text.examples else {}
            made["properties"][key] |= {"description": text.description, **examples}
        return made

    def dict_schema(self, schema: core_schema.DictSchema) -> JsonSchemaValue:
        made = super().dict_schema(schema)
        if "patternProperties" in made:
            made["additionalProperties"] = False
        return made


def schema() -> dict[str, Any]:
    """Return the schema; what it cannot say (files exist, rules are known) is the loader's."""
    return {
        "$schema": _TomlSchema.schema_dialect,
        "$id": "infraspec.schema.json",
        **Contract.model_json_schema(schema_generator=_TomlSchema),
        "title": "infraspec.toml",
        "description": "The specification of an AWS infrastructure, for pytest-infraspec.",
    }


def write(path: Path) -> None:
    """Write the schema to a file."""
    path.write_text(json.dumps(schema(), indent=2, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n")


if __name__ == "__main__":
    write(Path(sys.argv[1]))
