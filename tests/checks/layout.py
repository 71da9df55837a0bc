"""A repository of one root module per environment, as a dict of files, for the rules about state and layout."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from infraspec.contract.models import Contract
from infraspec.terraform.environments import Environments

VERSIONS = """
terraform {
  required_version = "~> 1.10.0"
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "~> 6.0"
    }
  }
}
"""
LOCK = """
provider "registry.terraform.io/hashicorp/aws" {
  version     = "6.66.0"
  constraints = "~> 6.0"
  hashes      = ["h1:invented"]
}
"""


def environments(directory: Path, files: dict[str, str], *names: str, **tables: Any) -> Environments:
    """Write the files, `dev/main.tf` and so on, and return their environments; by default dev alone."""
    for name, text in files.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    content = {
        "project": {"application": "app"},
        "environments": {name: {"root": name, "region": "eu-west-1"} for name in names or ("dev",)},
        **tables,
    }
    contract = Contract.model_validate(content).model_copy(update={"path": directory / "infraspec.toml"})
    return Environments(contract, environ={})
