"""Every YAML block of the documentation is a workflow of GitHub, or a part of one, or a pipeline of GitLab."""

from __future__ import annotations

import json
from collections.abc import Iterator
from functools import cache
from importlib.resources import files
from typing import Any

import pytest
from jsonschema import Draft7Validator
from ruamel.yaml import YAML

from tests.docs.blocks import Block, blocks
from tests.docs.existing import assert_exists

TAKEN = blocks("yaml")


@cache
def validator(name: str) -> Draft7Validator:
    """Return the validator of a schema of SchemaStore, as check-jsonschema has it."""
    vendored = files("check_jsonschema") / "builtin_schemas" / "vendor" / f"{name}.json"
    return Draft7Validator(json.loads(vendored.read_text(encoding="utf-8")))


def workflow(tree: Any) -> Any:
    """Complete what a block shows of a workflow: steps, jobs or events."""
    if isinstance(tree, list):
        tree = {"jobs": {"job": {"runs-on": "ubuntu-latest", "steps": tree}}}
    return {"on": "push", "jobs": {"job": {"runs-on": "ubuntu-latest", "steps": [{"run": "make"}]}}, **tree}


def scripts(tree: Any) -> Iterator[str]:
    """Yield the scripts of a workflow."""
    for job in tree["jobs"].values():
        for step in job.get("steps", ()):
            yield step.get("run", "")


@pytest.mark.parametrize("block", TAKEN, ids=str)
def test_pipeline_is_valid(block: Block) -> None:
    """It holds to the schema of its kind, and the commands of its steps exist."""
    tree = YAML(typ="safe").load(block.text)
    is_gitlab = "include" in tree
    schema, instance = ("gitlab-ci", tree) if is_gitlab else ("github-workflows", workflow(tree))
    assert [] == [f"{error.json_path}: {error.message}" for error in validator(schema).iter_errors(instance)]
    if not is_gitlab:
        for script in scripts(instance):
            assert_exists(script)
