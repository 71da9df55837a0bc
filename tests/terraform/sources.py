"""Terraform source written as a dict of files, evaluated to a Plan."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from infraspec.core.unknown import Value
from infraspec.terraform.plan import Plan
from infraspec.terraform.source import evaluate


def write(directory: Path, files: Mapping[str, str]) -> Path:
    """Write files below a directory, dedented; return the directory."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(textwrap.dedent(text), encoding="utf-8")
    return directory


def plan_of(directory: Path, files: Mapping[str, str] | str, **options: Any) -> Plan:
    """Write files (a text alone is main.tf) and evaluate their directory as a root module."""
    write(directory, {"main.tf": files} if isinstance(files, str) else files)
    return evaluate(directory, **options)


def output_of(directory: Path, source: str, **options: Any) -> Value:
    """Evaluate source and return its output `value`."""
    return plan_of(directory, source, **options).outputs["value"]
