"""Versions are pinned, and the lock file has them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from infraspec.checks.state.versions import check_versions
from infraspec.core.finding import Finding, Verdict
from tests.checks.layout import LOCK, VERSIONS, environments

LOCK_NAME = "dev/.terraform.lock.hcl"


def findings(directory: Path, files: dict[str, str], **rules: Any) -> list[Finding]:
    """Return the findings about the root module dev."""
    made = environments(directory, files, versions=rules)
    return check_versions(made.settings()["dev"], made.contract)


def faults(found: list[Finding]) -> list[tuple[str, str]]:
    """Return subject and what was found, of what is violated."""
    return [(finding.subject, finding.found) for finding in found if finding.verdict is Verdict.VIOLATED]


def test_pinned_versions_are_proven(tmp_path: Path) -> None:
    """Bounded constraints and a lock file that meets them; a module called by the root may leave the bound to it."""
    files = {
        "dev/main.tf": VERSIONS + 'module "a" { source = "../modules/a" }\n',
        "modules/a/main.tf": VERSIONS.replace("~> 1.10.0", ">= 1.5").replace("~> 6.0", ">= 5.0"),
        LOCK_NAME: LOCK,
    }
    found = findings(tmp_path, files)
    assert faults(found) == []
    assert [(finding.subject, finding.found) for finding in found][-1] == (
        "registry.terraform.io/hashicorp/aws",
        "6.66.0",
    )


def test_a_lock_file_of_opentofu(tmp_path: Path) -> None:
    """Providers without a registry are from OpenTofu's, if the lock file is that of OpenTofu."""
    lock = LOCK.replace("registry.terraform.io", "registry.opentofu.org")
    found = findings(tmp_path, {"dev/main.tf": VERSIONS, LOCK_NAME: lock})

    assert faults(found) == []
    assert found[-1].subject == "registry.opentofu.org/hashicorp/aws"


@pytest.mark.parametrize(
    "call",
    [
        'source = "git::https://example.com/a.git?ref=${var.v}"',
        'source = "terraform-aws-modules/vpc/aws"\n  version = var.v',
    ],
)
def test_a_module_source_of_variables(tmp_path: Path, call: str) -> None:
    """Whether a module is pinned whose source or version is made of variables is not decided."""
    module = f'variable "v" {{}}\nmodule "a" {{\n  {call}\n}}\n'
    found = findings(tmp_path, {"dev/main.tf": VERSIONS + module, LOCK_NAME: LOCK})

    assert [Verdict.UNDETERMINED] == [each.verdict for each in found if each.subject in ("source", "version")]


CASES: dict[str, tuple[str, str, list[tuple[str, str]]]] = {
    "no upper bound": ("~> 1.10.0", ">= 1.10", [("required_version", ">= 1.10")]),
    "no constraint": ("~> 1.10.0", "newest", [("required_version", "newest")]),
    "no version of terraform": ('required_version = "~> 1.10.0"', "", [("required_version", "none")]),
    "a provider without bound": ("~> 6.0", ">= 6.0", [("provider aws", ">= 6.0")]),
    "a provider without version": ('version = "~> 6.0"', "", [("provider aws", "none")]),
    "a provider that is not required": (
        "terraform {",
        'resource "random_id" "a" { byte_length = 1 }\nterraform {',
        [("provider random", "it is used but not required")],
    ),
}


@pytest.mark.parametrize("name", CASES)
def test_open_versions(name: str, tmp_path: Path) -> None:
    """A root module names the versions it is made for, with an upper bound, and every provider that it uses."""
    old, new, expected = CASES[name]
    assert old in VERSIONS
    assert faults(findings(tmp_path, {"dev/main.tf": VERSIONS.replace(old, new), LOCK_NAME: LOCK})) == expected


LOCKS: dict[str, tuple[str | None, list[tuple[str, str]]]] = {
    "no file": (None, [(".terraform.lock.hcl", "none")]),
    "not in it": ("", [("registry.terraform.io/hashicorp/aws", "none")]),
    "another version": (LOCK.replace("6.66.0", "5.9.0"), [("registry.terraform.io/hashicorp/aws", "5.9.0")]),
    "no checksums": (LOCK.replace('["h1:invented"]', "[]"), [("registry.terraform.io/hashicorp/aws", "no hashes")]),
}


@pytest.mark.parametrize("name", LOCKS)
def test_the_lock_file(name: str, tmp_path: Path) -> None:
    """It is there, has every provider in a version that is allowed, and checksums unless the contract does without."""
    text, expected = LOCKS[name]
    files = {"dev/main.tf": VERSIONS} | ({} if text is None else {LOCK_NAME: text})
    assert faults(findings(tmp_path, files)) == expected
    assert faults(findings(tmp_path, files, hashes=False)) == ([] if name == "no checksums" else expected)


CALLS = {
    'source = "terraform-aws-modules/vpc/aws"': "none",
    'source = "terraform-aws-modules/vpc/aws"\nversion = "~> 5.1"': "~> 5.1",
    'source = "terraform-aws-modules/vpc/aws"\nversion = "5.1.0"': "",
    'source = "registry.example.com/team/vpc/aws//sub"\nversion = "= 5.1.0"': "",
    'source = "git::https://example.com/vpc.git?ref=v1.2.0"': "",
    'source = "git::https://example.com/vpc.git?ref=0123456789012345678901234567890123456789"': "",
    'source = "git::https://example.com/vpc.git?ref=main"': "git::https://example.com/vpc.git?ref=main",
    'source = "git::https://example.com/vpc.git"': "git::https://example.com/vpc.git",
    'source = "https://example.com/vpc.zip"': "https://example.com/vpc.zip",
}


@pytest.mark.parametrize("call", CALLS)
def test_module_calls(call: str, tmp_path: Path) -> None:
    """A registry module has one version, any other source a tag or a commit; local ones need none."""
    files = {"dev/main.tf": f'{VERSIONS}module "m" {{\n{call}\n}}\n', LOCK_NAME: LOCK}
    expected = [CALLS[call]] if CALLS[call] else []
    assert [found for _, found in faults(findings(tmp_path, files))] == expected
    bounded = [] if CALLS[call] == "~> 5.1" else expected
    assert [found for _, found in faults(findings(tmp_path, files, modules="bounded"))] == bounded


def test_a_finding_has_a_place_and_a_remedy(tmp_path: Path) -> None:
    """The line of the constraint, and what to write there."""
    (found,) = [
        finding
        for finding in findings(tmp_path, {"dev/main.tf": VERSIONS.replace("~> 6.0", ">= 6.0"), LOCK_NAME: LOCK})
        if finding.verdict is Verdict.VIOLATED
    ]
    assert str(found.location) == "dev/main.tf:5"
    assert found.remedy == 'version = "~> 6.0"'
