"""Every text that installs infraspec names what can be installed: this version, from one place."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from ruamel.yaml import YAML

from infraspec.cli import main
from infraspec.contract.schema import schema
from infraspec.core.runtime import SCHEMA, installation, requirement

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "README.ja.md", ROOT / "action.yml", *sorted((ROOT / "docs").glob("*.md"))]
_INSTALLS = re.compile(r"(?:pip install (?:--\w+ )*|default: )['\"]?(pytest-infraspec(?:\[([a-z,]+)\])?[^'\"`\n]*)")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.name)
def test_pages_install_this_version(path: Path) -> None:
    """A page that installs infraspec says it as `requirement` does."""
    found = _INSTALLS.findall(path.read_text(encoding="utf-8"))

    assert [requirement(extra) for _, extra in found] == [text for text, _ in found]


def test_the_first_pages_say_how_to_install() -> None:
    """README and the first steps have a line that installs."""
    for page in (ROOT / "README.md", ROOT / "README.ja.md", ROOT / "docs/getting-started.md"):
        assert "pip install 'pytest-infraspec" in page.read_text(encoding="utf-8")


def test_an_extra_is_installed_from_the_same_place() -> None:
    """The command for an extra names it before the place."""
    assert installation("live") == f"pip install '{requirement('live')}'"
    assert requirement("live").replace("[live]", "") == requirement()


def test_hook_of_pre_commit() -> None:
    """The hook runs a command that there is, on files of Terraform and on the contract, without their names."""
    (hook,) = YAML(typ="safe").load(ROOT / ".pre-commit-hooks.yaml")
    program, command = hook["entry"].split()
    fits: Any = re.compile(hook["files"]).search
    files = ["infraspec.toml", "terraform/main.tf", "a/prod.tfvars", "cdk.tf.json", "x/main.tofu"]

    assert ("infraspec", True, False) == (program, command in main.list_commands(None), hook["pass_filenames"])  # type: ignore[arg-type]
    assert files == list(filter(fits, [*files, "README.md", "app.py", "my-infraspec.toml"]))


def test_image_is_built_or_linted(tmp_path: Path) -> None:
    """The Dockerfile makes an image that judges, where there is a builder; it is linted where there is hadolint."""
    builder = next((name for name in ("docker", "podman", "buildah") if shutil.which(name)), None)
    if builder is None:
        text = (ROOT / "Dockerfile").read_text(encoding="utf-8")
        assert 'ENTRYPOINT ["infraspec"]' in text
        assert "USER 10001" in text
        pytest.skip("there is no docker, podman or buildah: `make lint` checks the Dockerfile")
    subprocess.run([builder, "build", "-t", "infraspec-test", str(ROOT)], check=True, cwd=tmp_path)
    command = [builder, "run", "--rm", "infraspec-test", "--version"]
    assert "infraspec" in subprocess.run(command, check=True, capture_output=True, text=True).stdout


def test_schema_of_contracts_is_that_of_this_version() -> None:
    """The address of the schema in a contract ends as the file that the documentation has."""
    kept = ROOT / "docs" / SCHEMA.rpartition("/docs/")[2]
    assert schema()["$id"] == kept.name
    assert kept.is_file()
