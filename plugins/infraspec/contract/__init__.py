"""The contract infraspec.toml: what the infrastructure of a repository has to be."""

from __future__ import annotations

from infraspec.contract.loading import environment, load, located, place_of, starter
from infraspec.contract.models import Contract, Environment
from infraspec.contract.paths import display, resolve, task_definition_files

__all__ = [
    "Contract",
    "Environment",
    "display",
    "environment",
    "load",
    "located",
    "place_of",
    "resolve",
    "starter",
    "task_definition_files",
]
