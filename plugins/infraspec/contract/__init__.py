"""The contract infraspec.toml: what the infrastructure of a repository has to be."""

from __future__ import annotations

from infraspec.contract.loading import directory_above, environment, load, located, place_of
from infraspec.contract.models import Contract, Environment
from infraspec.contract.paths import display, resolve, task_definition_files

__all__ = [
    "Contract",
    "Environment",
    "directory_above",
    "display",
    "environment",
    "load",
    "located",
    "place_of",
    "resolve",
    "task_definition_files",
]
