"""`infraspec get` fetches what is called and not there, and runs nothing on the way."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from infraspec.cli import get as command
from infraspec.cli import main
from infraspec.core.errors import InfraspecError
from infraspec.terraform.configuration.module_cache import Package, package_of, without_credentials
from infraspec.terraform.source import evaluate
from tests.terraform.sources import write

QUEUE = 'variable "name" {}\nresource "aws_sqs_queue" "this" {\n  name = var.name\n}\n'
SIBLING = 'module "inner" {\n  source = "../queue"\n  name   = "jobs"\n}\n'
CONTRACT = '[project]\napplication = "shop"\n[environments.prod]\nroot = "."\n'


def get(directory: Path, *arguments: str) -> Result:
    """Run the command."""
    return CliRunner().invoke(main, ["get", "--infra", str(directory), *arguments])


@pytest.fixture
def repository(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """Return the URL of a repository of modules on this machine; git may read it, and no Terraform is installed."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(command, "PROTOCOLS", ("file",))
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    made = write(tmp_path / "modules", {"queue/main.tf": QUEUE, "wrapped/main.tf": SIBLING})
    git = ["git", "-c", "user.name=a", "-c", "user.email=a@example.com"]
    (made / "linked").mkdir()
    (made / "linked/main.tf").symlink_to("../queue/main.tf")
    (made / "out").mkdir()
    (made / "out/main.tf").symlink_to(tmp_path / "elsewhere.tf")
    for arguments in (["init", "-q", "-b", "main"], ["add", "."], ["commit", "-qm", "x"], ["tag", "v1"]):
        subprocess.run([*git, *arguments], cwd=made, check=True)
    return f"file://{made}"


@pytest.mark.parametrize("ref", ["?ref=v1", "?ref=main", ""])
def test_what_git_fetches_is_read(tmp_path: Path, repository: str, ref: str) -> None:
    """A module of git is fetched whole, once, and its resources are seen, those of a module beside it too."""
    source = f"git::{repository}//wrapped{ref}"
    call = f'module "jobs" {{\n  source = "{source}"\n}}\n'
    directory = write(tmp_path / "shop", {"main.tf": call, "infraspec.toml": CONTRACT})

    assert not evaluate(directory).is_whole
    first, second = get(directory), get(directory)
    plan = evaluate(directory)

    assert (0, f"fetched      {repository}{ref.replace('?ref=', ' ')}\n") == (first.exit_code, first.output)
    assert (0, "all modules are downloaded\n") == (second.exit_code, second.output)
    assert ["module.jobs.module.inner.aws_sqs_queue.this"] == [each.address for each in plan.managed()]
    assert ["infraspec.toml", "main.tf"] == sorted(each.name for each in directory.iterdir())


def test_no_link_is_followed_out_of_what_was_fetched(tmp_path: Path, repository: str) -> None:
    """A link within a package is read, one that leads out of it is an error."""
    write(tmp_path, {"elsewhere.tf": QUEUE})
    calls = {
        name: f'module "jobs" {{\n  source = "git::{repository}//{name}"\n  name   = "x"\n}}\n'
        for name in ("linked", "out")
    }
    linked, out = (
        write(tmp_path / name, {"main.tf": call, "infraspec.toml": CONTRACT}) for name, call in calls.items()
    )

    assert 0 == get(linked).exit_code
    assert ["x"] == [each.values["name"] for each in evaluate(linked).managed()]
    with pytest.raises(InfraspecError, match="cannot be read"):
        evaluate(out)


def test_a_unit_of_terragrunt_takes_what_was_fetched(tmp_path: Path, repository: str) -> None:
    """The source of a unit is a module as any other."""
    unit = f'terraform {{\n  source = "git::{repository}//queue?ref=v1"\n}}\ninputs = {{\n  name = "jobs"\n}}\n'
    directory = write(tmp_path / "shop", {"terragrunt.hcl": unit, "infraspec.toml": CONTRACT})

    assert 0 == get(directory).exit_code
    assert ["jobs"] == [each.values["name"] for each in evaluate(directory).managed()]


def test_terraform_fetches_what_a_registry_has(
    tmp_path: Path, repository: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Terraform is run on the source alone, elsewhere, with git's settings and without its own variables."""
    del repository
    program = tmp_path / "terraform"
    program.write_text(
        "#!/bin/sh\nmkdir -p .terraform/modules/package && cd .terraform/modules/package\n"
        'echo "resource \\"aws_sqs_queue\\" \\"this\\" {}" > main.tf\n'
        "cat ../../../main.tf.json > told.json; env > environment\n"
    )
    program.chmod(0o755)
    monkeypatch.setattr(shutil, "which", lambda name: str(program) if name == "terraform" else None)
    monkeypatch.setenv("TF_CLI_ARGS_get", "-update")
    call = 'module "jobs" {\n  source  = "example/queue/aws"\n  version = "~> 1.0"\n}\n'
    directory = write(tmp_path / "shop", {"main.tf": call, "infraspec.toml": CONTRACT})

    assert 0 == get(directory).exit_code
    assert ["module.jobs.aws_sqs_queue.this"] == [each.address for each in evaluate(directory).managed()]
    kept = package_of("example/queue/aws", "~> 1.0").directory
    environment = (kept / "environment").read_text()
    assert (
        '{"module": {"package": {"source": "example/queue/aws", "version": "~> 1.0"}}}'
        == (kept / "told.json").read_text()
    )
    assert "TF_CLI_ARGS" not in environment
    assert "core.hooksPath" in environment


REFUSED = [
    ("git::ext::sh -c touch% pwned", "not a URL of"),
    ("git::http://example.com/x.git", "not a URL of"),
    ("git::ssh://-oProxyCommand=touch/x", "not a URL of"),
    ("git::https://example.com/x.git?ref=--upload-pack=touch", "its ref is not a commit"),
    ("git::--upload-pack=touch", "not a URL of"),
    ("git::https://example.com/x.git?ref=../../x", "its ref is not a commit"),
    ("s3::https://example.com/x.zip", "neither a git nor a registry source"),
    ("tfr:///example/queue/aws?version=1;x", "neither a git nor a registry source"),
    ("example/queue/aws", "needs Terraform or OpenTofu"),
]


@pytest.mark.parametrize(("source", "fragment"), REFUSED)
def test_what_is_not_fetched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, fragment: str) -> None:
    """What is not a URL of an allowed protocol, or looks like an option, reaches no program."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    monkeypatch.setattr(shutil, "which", lambda _name: None)
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: pytest.fail("a program was run"))
    call = f'module "jobs" {{\n  source = "{source.replace("%", "%%")}"\n}}\n'
    directory = write(tmp_path / "shop", {"main.tf": call, "infraspec.toml": CONTRACT})

    ran = get(directory)

    assert 1 == ran.exit_code
    assert fragment in ran.output


def test_credentials_are_not_shown(tmp_path: Path, repository: str) -> None:
    """Neither the report nor what is said of the module has the password of a URL."""
    source = f"git::{repository.replace('file://', 'file://user:hunter2@')}/none?ref=v1"
    directory = write(
        tmp_path / "shop", {"main.tf": f'module "jobs" {{\n  source = "{source}"\n}}\n', "infraspec.toml": CONTRACT}
    )

    ran = get(directory)
    said = ran.output + "".join(map(str, evaluate(directory).diagnostics))

    assert 1 == ran.exit_code
    assert "hunter2" not in said
    assert "https://example.com/x?token=…" == without_credentials("https://a:b@example.com/x?token=abc")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("git::https://example.com/x.git//a/b?ref=v1", Package("git", "https://example.com/x.git", "v1", "a/b")),
        ("git@example.com:team/x.git//a?ref=v1", Package("git", "ssh://git@example.com/team/x.git", "v1", "a")),
        ("git::ssh://git@example.com/x", Package("git", "ssh://git@example.com/x")),
        ("github.com/example/x//a?ref=v1", Package("git", "https://github.com/example/x", "v1", "a")),
        ("https://example.com/x.git", Package("git", "https://example.com/x.git")),
        ("example/x/aws//modules/y", Package("registry", "example/x/aws", "1", "modules/y")),
        ("registry.example.com/example/x/aws", Package("registry", "registry.example.com/example/x/aws", "1")),
        ("tfr:///example/x/aws//y?version=2", Package("registry", "example/x/aws", "2", "y")),
        ("tfr://r.example.com/example/x/aws?version=2", Package("registry", "r.example.com/example/x/aws", "2")),
        ("https://example.com/x.zip", Package("", "https://example.com/x.zip")),
        ("hg::https://example.com/x", Package("", "hg::https://example.com/x")),
    ],
)
def test_what_a_source_names(source: str, expected: Package) -> None:
    """A source is a package and a folder in it. Source: Terraform Language Documentation, "Module Sources"."""
    assert expected == package_of(source, "1")


def test_what_leads_out_of_a_package_is_not_there(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder that climbs out of what was fetched is none of it."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    source = "git::https://example.com/x.git//../other"
    package_of(source).directory.mkdir(parents=True)
    write(package_of(source).directory.parent / "other", {"main.tf": ""})
    directory = write(tmp_path / "shop", {"main.tf": f'module "jobs" {{\n  source = "{source}"\n}}\n'})

    assert not evaluate(directory).is_whole


def test_a_submodule_that_is_not_checked_out(tmp_path: Path) -> None:
    """The modules of a submodule are unknown, and one command brings them."""
    write(
        tmp_path,
        {
            ".git/HEAD": "",
            ".gitmodules": '[submodule "shared"]\n\tpath = vendor/shared\n\turl = https://example.com/x.git\n',
            "prod/main.tf": 'module "jobs" {\n  source = "../vendor/shared/queue"\n  name = "x"\n}\n'
            'resource "aws_sqs_queue" "own" {\n  name = module.jobs.name\n}\n',
        },
    )
    (tmp_path / "vendor/shared").mkdir(parents=True)

    plan = evaluate(tmp_path / "prod")

    assert () == plan.absent
    assert ["run `git submodule update --init -- vendor/shared`, which fetches it"] == [
        each.remedy for each in plan.diagnostics
    ]
    assert "module.jobs.name" == plan.managed()[0].values["name"].address
