"""Every case in cases/*.json: what a text means, or what is wrong with it and where."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from infraspec.core.errors import HclSyntaxError, InfraspecError, InputErrorGroup
from infraspec.hcl.json_syntax import parse_json
from infraspec.hcl.parser import parse, parse_expression, parse_template
from tests.hcl.trees import show

READERS: dict[str, Callable[[str], Any]] = {
    "configuration": lambda text: parse_json(text, "f", "configuration").body,
    "expression": lambda text: parse_expression(text, "f"),
    "file": lambda text: parse(text, "f").body,
    "template": lambda text: parse_template(text, "f"),
    "variables": lambda text: parse_json(text, "f", "variables").body,
}


def _cases() -> list[Any]:
    files = sorted((Path(__file__).parent / "cases").glob("*.json"))
    groups = [(path.stem, json.loads(path.read_text(encoding="utf-8"))) for path in files]
    return [
        pytest.param(group["kind"], case, id=f"{name}-{number}")
        for name, group in groups
        for number, case in enumerate(group["cases"])
    ]


def _reading(kind: str, text: str) -> dict[str, Any]:
    try:
        return {"text": text, "tree": show(READERS[kind](text))}
    except InputErrorGroup as group:
        errors: tuple[InfraspecError, ...] = group.errors
    except HclSyntaxError as error:
        errors = (error,)
    return {"text": text, "errors": [f"{error.place.removeprefix('f:')}: {error.message}" for error in errors]}


@pytest.mark.parametrize(("kind", "case"), _cases())
def test_case(kind: str, case: dict[str, Any]) -> None:
    """A text reads as the tree of its case, or fails with the errors of its case and no others."""
    assert case == _reading(kind, case["text"])
